"""A prediction held against a report: the design, the functions below its top, and every loop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..answer.actual import Actual, ActualFunction, ActualLoop, Pair
from ..answer.render import is_unrolled
from ..answer.types import FunctionQor, LoopQor, QorPrediction
from .types import CsynthReport, ReportedLoop, ReportedModule, Resources

# Names the tool gives to loops without a label: by line, or by place in Vivado HLS.
_BY_LINE = re.compile(r"VITIS_LOOP_(\d+)_\d+")
_BY_PLACE = re.compile(r"Loop ?(\d+(?:\.\d+)*)$")
_COPY = re.compile(r"_\d+$")


def compare(prediction: QorPrediction, report: CsynthReport, *, stale: bool, assumed: Mapping[str, str]) -> Actual:
    """The report beside a prediction that was made for its settings; assumed: settings that were assumed elsewhere."""
    own = prediction
    predicted = {
        "lut": own.lut, "dsp": own.dsp, "ff": own.ff, "bram_18k": own.bram_18k, "latency_cycles": own.latency_cycles,
    }  # fmt: skip
    actual = {**_areas(report.resources), "latency_cycles": report.latency_cycles[1]}
    figures = {name: Pair(predicted[name], actual[name]) for name in predicted if actual[name] is not None}
    return Actual(
        report.path, stale, report.part, report.clock_period_ns, report.tool_version, figures,
        tuple(_functions(prediction, report)), tuple(_loops(prediction, report)), assumed,
    )  # fmt: skip


def _areas(said: Resources) -> dict[str, int | None]:
    return {"lut": said.lut, "dsp": said.dsp, "ff": said.ff, "bram_18k": said.bram_18k}


def _functions(prediction: QorPrediction, report: CsynthReport) -> Iterator[ActualFunction]:
    """Modules that are functions of the source; copies (`f_1`) stand for the function where it has no other."""
    by_name = {module.name: module for module in reversed(report.modules)}
    for module in reversed(report.modules):
        by_name.setdefault(_COPY.sub("", module.name), module)
    for function in prediction.functions:
        built = by_name.get(function.name.rpartition("::")[2])
        if built is not None and function.name != prediction.top and not function.inlined:
            yield ActualFunction(function.name, _pairs(function, built))


def _pairs(function: FunctionQor, module: ReportedModule) -> dict[str, Pair]:
    said = {
        "lut": function.lut, "dsp": function.dsp, "ff": function.ff, "bram_18k": function.bram_18k,
        "latency_cycles": function.cycles,
    }  # fmt: skip
    real = {**_areas(module.resources), "latency_cycles": module.latency_cycles[1]}
    return {name: Pair(said[name], real[name]) for name in said if real[name] is not None}


# -- loops -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Kept:
    """A loop of the source that stays one; of a flattened nest the outermost, with all its members."""

    function: str
    members: tuple[LoopQor, ...]
    place: str  # `1.2`: the second loop in the first one of its function
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        every = [loop.name for loop in self.members]
        running = [loop.name for loop in self.members if loop.trip_count != 1] or every[-1:]
        self.names = frozenset(("_".join(every), "_".join(running)))

    @property
    def first(self) -> LoopQor:
        return self.members[0]


def _loops(prediction: QorPrediction, report: CsynthReport) -> Iterator[ActualLoop]:
    kept = list(_kept(prediction))
    reported = list(report.all_loops())
    found = _matched(reported, kept)
    for index, (owner, loop) in enumerate(reported):
        yield _loop(owner, loop, found.get(index))


def _kept(prediction: QorPrediction) -> Iterator[_Kept]:
    """Loops of the top, then of the functions below it; each once."""
    seen: set[tuple[str, int, int, str]] = set()

    def walk(loops: Sequence[LoopQor], above: str) -> Iterator[_Kept]:
        for number, loop in enumerate(loops, start=1):
            place = f"{above}.{number}" if above else str(number)
            mark = (loop.path, loop.span.start_line, loop.span.start_character, loop.function)
            if mark in seen:
                continue
            seen.add(mark)
            members = tuple(_nest(loop))
            if not is_unrolled(loop):
                yield _Kept(loop.function, members, place)
            yield from walk(members[-1].loops, place + ".1" * (len(members) - 1))

    own = [loop for loop in prediction.loops if loop.function == prediction.top]
    yield from walk(own, "")
    for function in prediction.functions:
        yield from walk(function.loops, "")
    yield from walk(prediction.loops, "")


def _nest(loop: LoopQor) -> Iterator[LoopQor]:
    """The members of a flattened nest, outermost first; of any other loop itself."""
    yield loop
    inner = loop
    while len(inner.loops) == 1 and f"flattened into {loop.name}" in inner.loops[0].notes:
        inner = inner.loops[0]
        yield inner


def _matched(reported: Sequence[tuple[str, ReportedLoop]], kept: Sequence[_Kept]) -> dict[int, _Kept]:
    """Index of a reported loop -> the source's: by label and function, by label, by line, by order of what is left."""
    found: dict[int, _Kept] = {}
    free = list(kept)

    def take(index: int, item: _Kept) -> None:
        found[index] = item
        free.remove(item)

    for rule in (_same_name_and_function, _same_name, _same_place, _nearest_line):
        for index, (owner, loop) in enumerate(reported):
            if index not in found:
                chosen = rule(owner, loop, free)
                if chosen is not None:
                    take(index, chosen)
    for owner in dict.fromkeys(owner for owner, _ in reported):
        left = [i for i, (o, loop) in enumerate(reported) if o == owner and i not in found and _is_numbered(loop.name)]
        mine = [item for item in free if _same_function(item.function, owner)]
        if left and len(left) == len(mine):
            for index, item in zip(left, mine, strict=True):
                take(index, item)
    return found


def _same_name_and_function(owner: str, loop: ReportedLoop, free: Sequence[_Kept]) -> _Kept | None:
    return next((item for item in free if loop.name in item.names and _same_function(item.function, owner)), None)


def _same_name(owner: str, loop: ReportedLoop, free: Sequence[_Kept]) -> _Kept | None:
    named = [item for item in free if loop.name in item.names]
    return named[0] if len(named) == 1 else None


def _same_place(owner: str, loop: ReportedLoop, free: Sequence[_Kept]) -> _Kept | None:
    """`Loop 1.2` of Vivado HLS: by its place among the loops of its function."""
    place = _BY_PLACE.match(loop.name)
    if place is None:
        return None
    inside = (item for item in free if _same_function(item.function, owner))
    return next((item for item in inside if item.place == place.group(1)), None)


def _nearest_line(owner: str, loop: ReportedLoop, free: Sequence[_Kept]) -> _Kept | None:
    """By the line of the source that the report gives, which may lie inside the loop: the nearest head above it."""
    line = _line_of(loop)
    if line is None or not _is_numbered(loop.name):
        return None
    inside = [item for item in free if _same_function(item.function, owner) and item.first.span.start_line <= line]
    return max(inside, key=lambda item: item.first.span.start_line, default=None)


def _line_of(loop: ReportedLoop) -> int | None:
    """Line from 0."""
    name, _, line = loop.source.rpartition(":")
    return int(line) - 1 if name and line.isdigit() and int(line) else None


def _is_numbered(name: str) -> bool:
    return bool(_BY_LINE.search(name) or _BY_PLACE.match(name))


def _same_function(mine: str, module: str) -> bool:
    """Whether the tool's module is this function: `f`, its copies `f_1`, and `f_Pipeline_...` carved out of it."""
    mine = mine.rpartition("::")[2]
    base = module.partition("_Pipeline_")[0]
    return mine in (base, _COPY.sub("", base)) or module.startswith(f"{mine}_")


def _loop(owner: str, loop: ReportedLoop, kept: _Kept | None) -> ActualLoop:
    actual = (loop.trip_count[1], loop.ii, loop.iteration_latency_cycles, loop.latency_cycles[1])
    if kept is None:
        pairs = [Pair(None, value) for value in actual]
        return ActualLoop(owner, loop.name, None, "", -1, *pairs)
    first = kept.first
    said = (_trips(kept.members), first.ii, first.depth, first.cycles)
    pairs = [Pair(mine, value) for mine, value in zip(said, actual, strict=True)]
    return ActualLoop(kept.function, loop.name, first.name, first.path, first.span.start_line, *pairs)


def _trips(members: Sequence[LoopQor]) -> float | None:
    """Rounds of a nest in all, at their largest as reports count them, after unrolling."""
    rounds = 1.0
    for loop in members:
        most = loop.trip_count_max if loop.trip_count_max is not None else loop.trip_count
        if most is None:
            return None
        rounds *= -(-most // loop.unroll_factor)
    return rounds
