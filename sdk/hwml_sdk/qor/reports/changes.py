"""What a change of the sources changes: designs, their functions and loops, before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...amounts import change_of, figure, whole
from ..answer.types import LoopQor, QorPrediction
from ..tool.labels import SHOWN, json_key

_BY_LINE = re.compile(r"VITIS_LOOP_\d+_\d+")
COLUMNS = ("LUT", "DSP", "FF", "BRAM", "cycles", "II")
_FIELDS = ("lut", "dsp", "ff", "bram_18k", "latency_cycles", "ii")
_MARKS = re.compile(r"([\\|`*_<>\[\]])")


@dataclass(frozen=True, slots=True)
class Change:
    """One design, function or loop. before, after: known amounts by the names of `_FIELDS`; None: is not there.

    unsure: amounts whose change may be none at all (its 80 % interval holds 0).
    """

    design: str
    kind: str
    name: str
    before: Mapping[str, float | None] | None
    after: Mapping[str, float | None] | None
    unsure: tuple[str, ...] = ()

    def changed(self) -> list[str]:
        """Names of amounts that differ as they would be shown whole."""
        before, after = self.before or {}, self.after or {}
        return [name for name in _FIELDS if whole(before.get(name)) != whole(after.get(name))]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "design": self.design,
            "kind": self.kind,
            "name": self.name,
            "before": _amounts_json(self.before),
            "after": _amounts_json(self.after),
            "changed": [json_key(name) for name in self.changed()],
            "unsure": [json_key(name) for name in self.unsure],
        }


def _amounts_json(amounts: Mapping[str, float | None] | None) -> dict[str, int | None] | None:
    return None if amounts is None else {json_key(name): whole(value) for name, value in amounts.items()}


def changes(design: str, before: QorPrediction | None, after: QorPrediction | None) -> list[Change]:
    """What differs: the design itself (always there), then functions and loops that differ."""
    old, new = _amounts(before), _amounts(after)
    found = [Change(design, "design", design, old, new, _unsure(before, after))]
    rows = [
        *_matched(design, "function", _functions(before), _functions(after)),
        *_matched(design, "loop", _loops(before), _loops(after)),
    ]
    return found + [row for row in rows if row.changed() or row.before is None or row.after is None]


def _amounts(prediction: QorPrediction | None) -> dict[str, float | None] | None:
    return None if prediction is None else {name: getattr(prediction, name) for name in SHOWN}


def _unsure(before: QorPrediction | None, after: QorPrediction | None) -> tuple[str, ...]:
    if before is None or after is None:
        return ()
    found = []
    for name in SHOWN:
        old, new, sure = getattr(before, name), getattr(after, name), after.certainty.get(name)
        if old is None or new is None or sure is None or whole(old) == whole(new):
            continue
        _, ends = change_of(old, new, sure.change)
        if ends.low <= 0 <= ends.high:
            found.append(name)
    return tuple(found)


Amounts = dict[str, float | None]


def _functions(prediction: QorPrediction | None) -> dict[str, Amounts]:
    functions = prediction.functions if prediction is not None else ()
    top = prediction.top if prediction is not None else ""
    return {
        f.name: {"lut": f.lut, "dsp": f.dsp, "ff": f.ff, "bram_18k": f.bram_18k, "latency_cycles": f.cycles}
        for f in functions if f.name != top and not f.inlined
    }  # fmt: skip


def _loops(prediction: QorPrediction | None) -> dict[str, Amounts]:
    """Loops by function and label; those without a label by their number in the function, as lines move."""
    found: dict[str, Amounts] = {}
    counts: dict[str, int] = {}
    for loop in _every(prediction.loops if prediction is not None else ()):
        name = loop.name
        if _BY_LINE.fullmatch(name):
            counts[loop.function] = counts.get(loop.function, 0) + 1
            name = f"loop {counts[loop.function]}"
        ii = loop.ii if loop.ii is not None else loop.ii_guess
        found.setdefault(f"{loop.function}: {name}", {"latency_cycles": loop.total_cycles, "ii": ii})
    return found


def _every(loops: Sequence[LoopQor]) -> Iterator[LoopQor]:
    for loop in loops:
        yield loop
        yield from _every(loop.loops)


def _matched(design: str, kind: str, old: Mapping[str, Amounts], new: Mapping[str, Amounts]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        yield Change(design, kind, name, old.get(name), new.get(name))


# -- as a table --------------------------------------------------------------------------------------------------


# Of one comment, in characters (GitHub); a step's summary takes 1 MiB ("Workflow commands": job summaries).
MAX_MARKDOWN = 65_536
_FOR_REST = 4000  # of which what stands around the table


def markdown(found: Sequence[Change], unchanged: int, revision: str, failed: Sequence[str] = ()) -> str:
    """A comment for a pull request, or the summary of a step: one table, and what it leaves out."""
    lines = [f"### Predicted hardware, against `{revision.replace('`', '')}`", ""]
    if found:
        lines += ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
        lines += [*_fitting(list(map(_markdown_row, found))), ""]
    lines.append(_left_out(unchanged, bool(found)))
    if any(change.unsure for change in found):
        lines += ["", "`(?)`: within the uncertainty of the prediction, the change may be none."]
    lines += [f"\nNot predicted: {_safe(problem)}" for problem in failed]
    return ("\n".join(lines) + "\n")[:MAX_MARKDOWN]


def _fitting(rows: list[str]) -> list[str]:
    """The rows that a comment holds, and how many it does not."""
    room = MAX_MARKDOWN - _FOR_REST
    for number, row_text in enumerate(rows):
        room -= len(row_text) + 1
        if room < 0:
            more = f"| {len(rows) - number} more rows do not fit here: hwml qor diff prints all |" + " |" * len(COLUMNS)
            return [*rows[:number], more]
    return rows


def _markdown_row(change: Change) -> str:
    name, *cells = row(change)
    title = f"**{_safe(name)}**" if change.kind == "design" else _safe(name)
    return "| " + " | ".join((title, *cells)) + " |"


def _left_out(unchanged: int, some: bool) -> str:
    if not some:
        return f"No change in {unchanged} design{'' if unchanged == 1 else 's'}."
    return f"{unchanged} more without a change." if unchanged else "All designs of the folder are listed."


def row(change: Change) -> list[str]:
    """Name and cells of COLUMNS; what did not change is left empty."""
    name = {"design": change.name, "function": f"function {change.name}", "loop": f"loop {change.name}"}
    changed = set(change.changed())
    before, after = change.before, change.after
    if before is None or after is None:
        there = after if before is None else before
        word = "new" if before is None else "gone"
        return [f"{name[change.kind]} ({word})", *(_cell(there or {}, item) for item in _FIELDS)]
    cells = []
    for item in _FIELDS:
        mark = " (?)" if item in change.unsure else ""
        cells.append(_arrow(before.get(item), after.get(item)) + mark if item in changed else "")
    return [name[change.kind], *cells]


def _cell(amounts: Mapping[str, float | None], item: str) -> str:
    return figure(amounts[item]) if item in amounts and amounts[item] is not None else ""


def _arrow(before: float | None, after: float | None) -> str:
    """`1.0k → 520 (-49 %)`; small numbers without a share."""
    text = f"{figure(before)} → {figure(after)}"
    if before is None or after is None or before <= 0:
        return text
    share = (after - before) / before * 100
    return f"{text} ({share:+.0f} %)" if max(before, after) >= 20 else text


def _safe(text: str) -> str:
    """A name in a table: no mark of Markdown in it means anything."""
    return _MARKS.sub(r"\\\1", text.replace("\n", " "))
