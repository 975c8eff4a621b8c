"""Whether a report belongs to the source beside it: its loop table against the loops that the source has.

Public collections hold reports that were made of another state of the source. Such a label is right for a program that
nobody has; a model that is trained or judged on it learns or is blamed for noise.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...qor.closed_form.estimate import Estimate
from ...qor.closed_form.results import LoopResult
from ...qor.program import ir

Row = Mapping[str, Any]
_COPY = re.compile(r"(\.\d+)+$")  # the tool's copies of a loop: `LOAD.1`
_NUMBERED = re.compile(r"Loop (\d+(?:\.\d+)*)")
_BY_LINE = re.compile(r"VITIS_LOOP_(\d+)_\d+")
_BY_CLANG = re.compile(r"_ln(\d+)_")  # names of loops in flows that number labels by their line


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One row of a loop table that the source cannot have made. loop: as the report names it."""

    loop: str
    why: str

    def __str__(self) -> str:
        return f"{self.loop}: {self.why}"


def contradictions(estimate: Estimate, rows: Iterable[Row]) -> list[Contradiction]:
    """Rows that name a line without a loop, or that count rounds which the source's constant bounds do not give.

    rows: of a csynth loop table, with `loop` and `trip_count` (None where the report gives none). Rows of library
    loops, whose names the source does not hold, say nothing. Loops that may be unrolled in part count as they are
    written or divided by a factor, but not where a pragma keeps them whole.
    """
    loops = _loops_by_name(estimate)
    lines = [text.splitlines() for text in estimate.program.sources.values()]
    found = []
    for row in rows:
        function = estimate.functions.get(str(row.get("function")))
        why = _why(str(row["loop"]), row.get("trip_count"), loops, lines, function.loops if function else [])
        if why:
            found.append(Contradiction(str(row["loop"]), why))
    return found


def _why(
    name: str,
    trips: Any,
    loops: Mapping[str, list[LoopResult]],
    lines: Sequence[Sequence[str]],
    function: Sequence[LoopResult],
) -> str:
    for number in {*_BY_LINE.findall(name), *_BY_CLANG.findall(name)}:
        if not any(_holds_loop(text, int(number)) for text in lines):
            return f"there is no loop in line {number}"
    if number := _NUMBERED.fullmatch(name):
        return _why_numbered([int(item) for item in number.group(1).split(".")], trips, function)
    parts = _split(_COPY.sub("", name), loops)
    if not parts or trips is None:
        return ""
    counts = [loops[part] for part in parts]
    if any(len({loop.trip for loop in choice}) != 1 or not choice[0].trip.constant for choice in counts):
        return ""  # several loops of one name, or a count that the data decides
    written = math.prod(float(choice[0].trip.average or 0) for choice in counts)
    if len(counts) == 1 and _kept_whole(counts[0][0].loop) and float(trips) not in _near(written):
        return f"{written:g} rounds as written, one at a time, the report counts {trips}"
    return "" if _comes_of(float(trips), written) else f"{written:g} rounds as written, the report counts {trips}"


def _kept_whole(loop: ir.Loop) -> bool:
    """Whether a pragma says that the loop is not unrolled: `factor=1`, `off`."""
    unroll = loop.pragma("HLS", "UNROLL")
    return unroll is not None and ("off" in unroll.options or unroll.whole("factor") == 1)


def _near(rounds: float) -> tuple[float, float, float]:
    """A count, or one round more or less, which is peeled off."""
    return rounds, rounds - 1, rounds + 1


def _why_numbered(path: Sequence[int], trips: Any, loops: Sequence[LoopResult]) -> str:
    """Of a loop that Vivado HLS names by its place: `Loop 1.2` is the second one inside the first of the function."""
    for number in path[:-1]:
        if any(loop.loop.label for loop in loops) or number > len(loops):
            return ""
        loops = loops[number - 1].children
    if trips is None or any(loop.loop.label for loop in loops) or path[-1] > len(loops):
        return ""
    trip = loops[path[-1] - 1].trip
    if trip.constant:
        written = float(trip.average or 0)
        inner = loops[path[-1] - 1].children
        if len(inner) == 1 and trips == written * (inner[0].trip.average or 0):
            return ""  # flattened, under the outer one's name
        return "" if _comes_of(float(trips), written) else f"{written:g} rounds as written, the report counts {trips}"
    if trip.source in ("unknown", "type"):  # of a bound the data decides reports give a range, if anything
        return f"the data decides how often it runs, the report counts {trips}"
    return ""


def _comes_of(trips: float, written: float) -> bool:
    """The count itself, what an unrolling by a whole factor leaves, or one round peeled off."""
    if trips in _near(written):
        return True
    return trips > 0 and written > trips and math.ceil(written / math.ceil(written / trips)) == trips


def _holds_loop(lines: Sequence[str], number: int) -> bool:
    """A loop's keyword in that line; the tool names a `do` by the line of its `while`."""
    return number <= len(lines) and re.search(r"\b(for|while|do)\b|[A-Z]{3,}\s*\(", lines[number - 1]) is not None


def _split(name: str, loops: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The loops whose names, joined with `_`, make the name of a flattened nest; empty when some are not here."""
    if name in loops:
        return [name]
    if depth > 8:
        return []
    for first in sorted((n for n in loops if name.startswith(f"{n}_")), key=len, reverse=True):
        rest = _split(name[len(first) + 1 :], loops, depth + 1)
        if rest:
            return [first, *rest]
    return []


def _loops_by_name(estimate: Estimate) -> dict[str, list[LoopResult]]:
    """Every loop that is reached."""
    found: dict[str, list[LoopResult]] = defaultdict(list)
    for function in estimate.functions.values():
        for result in _with_children(function.loops):
            found[result.loop.name].append(result)
    return found


def _with_children(loops: Iterable[LoopResult]) -> Iterator[LoopResult]:
    for loop in loops:
        yield loop
        yield from _with_children(loop.children)
