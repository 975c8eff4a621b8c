"""Whether a change mends a text or only quietens the check: types, operators and drivers before and after.

A repair that makes a check weaker is no repair. `weigh` compares two states of a text: how each connection is written,
the types on both its sides as the compiler knows them, and the drivers of the circuit as far as there is one.

"weaker": the change hides what the check looked for, and is offered to nobody. "changed": it may be right, but types,
drivers or sizes are not what they were, so that a person has to choose it. "kept": none of that.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Literal

from ..compile.circuit import Statement, read_circuits
from ..say.scala_text import ScalaText
from ..types import CompileResult, Connection, Side

Verdict = Literal["kept", "changed", "weaker"]
_RANK: dict[Verdict, int] = {"kept": 0, "changed": 1, "weaker": 2}

_OPERATOR = re.compile(r"(?<![:<>=!+\-*/&|^#~%])(?::<>=|:<=|:>=|:#=|:=|<>|===|=/=)(?![=><])")
_COMPARISONS = {"===", "=/="}
_BOTH_WAYS = {"<>", ":<>="}
_ONE_WAY = {":<=", ":>=", ":#="}  # they pass over fields of the other direction, or over all directions
# One bit either way, and no other method leads there.
_CONVERSIONS = {
    ("chisel3.Clock", "chisel3.Bool"),
    ("chisel3.Reset", "chisel3.Bool"),
    ("chisel3.AsyncReset", "chisel3.Bool"),
    ("chisel3.Bool", "chisel3.Clock"),
}
# Words whose purpose is to get past a check: casts, waivers, suppressions, statements that never run.
_QUIETING = re.compile(
    r"\basInstanceOf\b|\bviewAs\w*|\bcastFromInt\b|\bsuppressEnumCastWarning\b|@nowarn\b|@unchecked\b|\.unsafe\b|"
    r"\b(?:waive|squeeze|exclude|excludeAs)(?:All|Each)?\w*\s*[(\[.]|\btry\b|\bTry\s*[({]|(?<!<):\s*(?:Any|Data|Element)\b|"
    r"\b(?:if|when)\s*\(\s*(?:!\s*true|false)(?:\.B)?\s*\)|\babstract\s+class\b"
)
_RETYPED = re.compile(r"(?P<literal>\b\d\w*\.[US](?:\([^()]*\))?)?\.asTypeOf\b")
_DONT_CARE = re.compile(r"\bDontCare\b")
_CONSTANT = re.compile(r"\(*(?:-?\d\w*\.[USB]\b.*|(?:true|false)\.B|DontCare|\"[^\"]*\"\.U\b.*)\)*", re.DOTALL)
_WIDTH, _NUMBER = re.compile(r"\b(\d+)\.W\b"), re.compile(r"\b\d+\b")
_CLASS = re.compile(
    r"\b(?:class|object|trait)\s+(?P<name>\w+)\s*(?:\[[^\]]*\])?\s*(?P<parameters>\([^{}]*?\))?(?=\s*(?:extends|\{|\())"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPES = {"Int", "Boolean", "String", "Double", "BigInt", "Long", "Data", "Seq"}  # of a parameter that was there
_TEMPORARY = re.compile(r"(?<![\w.])_\w+")


@dataclass(frozen=True, slots=True)
class State:
    """A text and what the check said of it."""

    text: str
    result: CompileResult


@dataclass(frozen=True, slots=True)
class _Written:
    """A connection or comparison as the text has it; `at` is the offset of the operator."""

    at: int
    operator: str
    sink: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.operator, self.sink, self.source

    @property
    def root(self) -> str:
        """The signal that is driven, without an index."""
        return self.sink.partition("(")[0]


def weigh(before: State, after: State) -> Verdict:
    """What a change from `before` to `after` does to the check; see the module."""
    pairs, gone, added = _paired(before.text, after.text)
    found = list(_words(before.text, after.text))
    found += list(_definitions(before, after))
    old_types, new_types = _types_of(before.result), _types_of(after.result)
    wrong = _complaints(before)
    for old, new in pairs:
        was, now = old_types.get(old.at), new_types.get(new.at)
        # What nobody complained about, and whose text and types stay, is as right as it was.
        if old.key != new.key or not _alike(was, now) or before.text.count("\n", 0, old.at) in wrong:
            found.append(_pair(old, new, was, now))
    found += _other_drivers(pairs, before)
    found += _without_counterpart(gone, added, before)
    found.append(_drivers(before, after, [pair for pair in pairs if pair[0].key == pair[1].key]))
    changed = [new for old, new in pairs if old.key != new.key] + added
    found.append(_never_runs(after, changed))
    return max(found, key=_RANK.__getitem__, default="kept")


# -- how it is written --------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _written(text: str) -> tuple[_Written, ...]:
    scala = ScalaText(text)
    found = []
    for match in _OPERATOR.finditer(scala.code):
        start, end = scala.statement(match.start())
        if match[0] in _COMPARISONS:
            start = scala.operand_start(scala.skip_space_back(match.start()))
            end = scala.operand_end(scala.skip_space(match.end()))
        sink, source = text[start : match.start()], text[match.end() : end]
        found.append(_Written(match.start(), match[0], "".join(sink.split()), "".join(source.split())))
    return tuple(found)


def _paired(before: str, after: str) -> tuple[list[tuple[_Written, _Written]], list[_Written], list[_Written]]:
    """Connections of both texts side by side, those that have gone, those that are new.

    First what is written alike, wherever it stands; then what drives the same signal; then, in order, what is left
    between the same neighbours.
    """
    pairs: list[tuple[_Written, _Written]] = []
    olds, news = list(_written(before)), list(_written(after))
    for same in (_by_key, _by_sink):
        olds, news = same(olds, news, pairs)
    if len(olds) == len(news):
        return pairs + list(zip(olds, news, strict=True)), [], []
    return pairs, olds, news


def _by_key(
    olds: list[_Written], news: list[_Written], pairs: list[tuple[_Written, _Written]]
) -> tuple[list[_Written], list[_Written]]:
    matcher = difflib.SequenceMatcher(None, [w.key for w in olds], [w.key for w in news], autojunk=False)
    for a, b, size in matcher.get_matching_blocks():
        pairs += zip(olds[a : a + size], news[b : b + size], strict=True)
    taken = {id(old) for old, _ in pairs}, {id(new) for _, new in pairs}
    olds, news = [w for w in olds if id(w) not in taken[0]], [w for w in news if id(w) not in taken[1]]
    return _match(olds, news, pairs, lambda w: w.key)


def _by_sink(
    olds: list[_Written], news: list[_Written], pairs: list[tuple[_Written, _Written]]
) -> tuple[list[_Written], list[_Written]]:
    return _match(olds, news, pairs, lambda w: (w.sink, w.operator in _COMPARISONS))


def _match(
    olds: list[_Written],
    news: list[_Written],
    pairs: list[tuple[_Written, _Written]],
    key: Callable[[_Written], Hashable],
) -> tuple[list[_Written], list[_Written]]:
    rest = list(olds)
    left = []
    for new in news:
        old = next((old for old in rest if key(old) == key(new)), None)
        if old is None:
            left.append(new)
        else:
            rest.remove(old)
            pairs.append((old, new))
    return rest, left


def _words(before: str, after: str) -> Iterator[Verdict]:
    """Words that get past a check, and sizes that are not what they were."""
    old, new = ScalaText(before).code, ScalaText(after).code
    if _more(_QUIETING, old, new) or _retyped(new) > _retyped(old):
        yield "weaker"
    if _more(_DONT_CARE, old, new):
        yield "changed"
    widths, numbers = (Counter(p.findall(old)) - Counter(p.findall(new)) for p in (_WIDTH, _NUMBER))
    if any(width in numbers for width in widths):
        yield "changed"


def _more(pattern: re.Pattern[str], old: str, new: str) -> bool:
    def count(code: str) -> Counter[str]:
        return Counter("".join(match[0].split()) for match in pattern.finditer(code))

    return bool(count(new) - count(old))


def _retyped(code: str) -> int:
    """How often anything but a constant is given another type bit by bit."""
    return sum(match["literal"] is None for match in _RETYPED.finditer(code))


def _definitions(before: State, after: State) -> Iterator[Verdict]:
    """A class that has gone is checked no more, nor is a module whose new parameters have no value."""
    old, new = (dict(_classes(state.text)) for state in (before, after))
    if not old.keys() <= new.keys():
        yield "changed" if len(new) >= len(old) else "weaker"
    for module in after.result.modules:
        if (
            module.missing
            and set(_WORD.findall(new.get(module.name, ""))) - set(_WORD.findall(old.get(module.name, ""))) - _TYPES
        ):
            yield "weaker"


def _classes(text: str) -> Iterator[tuple[str, str]]:
    for match in _CLASS.finditer(ScalaText(text).code):
        yield match["name"], "".join((match["parameters"] or "").split())


# -- types --------------------------------------------------------------------------------------------------------


def _types_of(result: CompileResult) -> Mapping[int, Connection]:
    return {item.offset: item for item in result.connections}


def _pair(old: _Written, new: _Written, was: Connection | None, now: Connection | None) -> Verdict:
    if old.sink == new.source and old.source == new.sink and old.sink != old.source:
        return _turned(new, was, now)
    verdicts = [_operators(old, new, now)]
    if was is not None and now is not None:
        verdicts += [_side(was.sink, now.sink), _side(was.source, now.source)]
        if "enum" in (now.sink.kind, now.source.kind) and now.sink.kind and now.source.kind:
            dont_care = now.source.type == "chisel3.DontCare.type"
            verdicts.append("kept" if now.sink.type == now.source.type or dont_care else "weaker")
    return max(verdicts, key=_RANK.__getitem__)


def _alike(was: Connection | None, now: Connection | None) -> bool:
    return was is not None and now is not None and (was.sink, was.source) == (now.sink, now.source)


def _turned(new: _Written, was: Connection | None, now: Connection | None) -> Verdict:
    """`a := b` became `b := a`: the same two signals, of one type."""
    if was is None or now is None or new.operator != ":=":
        return "changed"
    same = was.sink == now.source and was.source == now.sink and now.sink.type == now.source.type
    return "kept" if same else "changed"


def _operators(old: _Written, new: _Written, now: Connection | None) -> Verdict:
    """A connection in both directions asks for less than `:=`, unless the two sides are of one interface."""
    if old.operator == new.operator or {old.operator, new.operator} <= _COMPARISONS:
        return "kept"
    if new.operator in _ONE_WAY:
        return "weaker"
    if new.operator in _BOTH_WAYS and old.operator not in _BOTH_WAYS:
        if now is None:
            return "changed"
        alike = now.sink.kind == now.source.kind == "aggregate" and now.sink.type == now.source.type
        return "kept" if alike else "weaker"
    return "changed"


def _side(was: Side, now: Side) -> Verdict:
    """What had a type of its own keeps it; numbers and what was not known may become signals."""
    if not was.kind or was.type == now.type or (was.type, now.type) in _CONVERSIONS:
        return "kept"
    return "changed"


# -- drivers ------------------------------------------------------------------------------------------------------


def _complaints(state: State) -> set[int]:
    """Lines (from 0) about which the check says something."""
    return {item.span.start_line for item in state.result.diagnostics if item.severity in ("error", "warning")}


def _other_drivers(pairs: list[tuple[_Written, _Written]], before: State) -> Iterator[Verdict]:
    """Where the circuit could be built, a connection that nobody complained about keeps its source."""
    wrong = _complaints(before)
    for old, new in pairs if before.result.chirrtl else ():
        if old.sink == new.sink and old.source != new.source and before.text.count("\n", 0, old.at) not in wrong:
            yield "changed"


def _without_counterpart(gone: list[_Written], added: list[_Written], before: State) -> Iterator[Verdict]:
    """A complaint does not go away with the statement; a constant is no driver that anybody wrote."""
    roots = {new.root for new in added}
    wrong = _complaints(before)
    for old in gone:
        line = before.text.count("\n", 0, old.at)
        parts = any(root == old.root or root.startswith(f"{old.root}.") for root in roots)
        yield "weaker" if line in wrong and not parts else "changed"
    known = {old.root for old in gone}
    for new in added:
        if new.operator not in _COMPARISONS and new.root not in known and _CONSTANT.fullmatch(new.source):
            yield "changed"


def _drivers(before: State, after: State, alike: list[tuple[_Written, _Written]]) -> Verdict:
    """Where there were circuits: their ports, and what the untouched statements drive with what and when, stay."""
    old, new = (read_circuits(state.result.chirrtl) for state in (before, after))
    if not old or not new:
        return "kept"
    lines = _same_lines(before.text, after.text)
    lines |= {before.text.count("\n", 0, a.at) + 1: after.text.count("\n", 0, b.at) + 1 for a, b in alike}
    name = _file_name(before.result)
    for module in old.keys() & new.keys():
        if _ports(old[module]) != _ports(new[module]):
            return "changed"
        was = _driven((s, lines.get(s.line)) for s in old[module] if s.file == name)
        image = set(lines.values())
        now = _driven((s, s.line if s.line in image else None) for s in new[module] if s.file == name)
        if was != now:
            return "changed"
    return "kept"


def _ports(statements: list[Statement]) -> list[tuple[str, str, str]]:
    return sorted((s.kind, s.target, s.value) for s in statements if s.kind in ("input", "output"))


def _driven(statements: Iterable[tuple[Statement, int | None]]) -> Counter[tuple[int, str, str, int]]:
    """(line, sink, source, conditions around it) of connections; names that Chisel makes up are all the same."""
    return Counter(
        (line, _TEMPORARY.sub("_", s.target), _TEMPORARY.sub("_", s.value), len(s.path))
        for s, line in statements
        if s.kind in ("connect", "invalidate") and line is not None
    )


def _same_lines(before: str, after: str) -> dict[int, int]:
    """Lines of `before` (from 1) that are untouched -> where they are in `after`."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return {a + i + 1: b + i + 1 for a, b, size in matcher.get_matching_blocks() for i in range(size)}


def _file_name(result: CompileResult) -> str:
    """The short name under which positions name the document."""
    paths = [module.path for module in result.modules] or [item.path for item in result.diagnostics]
    return PurePath(paths[0].replace("\\", "/")).name if paths else ""


def _never_runs(after: State, changed: list[_Written]) -> Verdict:
    """A connection that was touched has to be in the circuit of its module, where there is one."""
    statements = [s for module in read_circuits(after.result.chirrtl).values() for s in module]
    name = _file_name(after.result)
    lines = {s.line for s in statements if s.file == name}
    if not lines:
        return "kept"
    scala = ScalaText(after.text)
    starts = [after.text.count("\n", 0, match.start()) + 1 for match in _CLASS.finditer(scala.code)]
    for item in changed:
        line = after.text.count("\n", 0, item.at) + 1
        first = max((start for start in starts if start <= line), default=1)
        last = min((start for start in starts if start > line), default=1 << 30)
        if line not in lines and any(first <= other < last for other in lines):
            return "changed"
    return "kept"
