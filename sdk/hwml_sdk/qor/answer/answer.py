"""From an estimate and a correction to the answer people get: loops as a tree, contributions, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...errors import ConfigError
from ...text import Span
from ..closed_form.area import Area, Cost, area_cost
from ..closed_form.causes import cause_of
from ..closed_form.estimate import Estimate, FunctionResult, LoopResult
from ..closed_form.memory import Storage
from ..closed_form.unknown import EVERYTHING, Unknown
from ..program import ir
from ..program.facts import reached
from ..tool.headers import is_foreign
from ..tool.labels import LABELS, RESOURCES, SHOWN, TITLES
from ..tool.operators import Target
from ..tool.parts import Part, find_part
from .types import UNKNOWN, Certainty, Contribution, FunctionQor, Interval, LoopQor

if TYPE_CHECKING:
    from ..learned.correct import Correction


@dataclass(frozen=True, slots=True)
class Whole:
    """What loops are weighed by: cycles of the design, and how often its functions run, by name.

    reached: functions that the top names, itself or further down. loops, costs: of results and of areas that were
    looked at, by identity: the design names the same loops as its functions do, and adds up the same areas.
    """

    cycles: float | None
    runs: Mapping[str, float]
    reached: Mapping[str, ir.Function]
    loops: dict[int, tuple[LoopQor, ...]] = field(default_factory=dict)
    costs: dict[int, Cost] = field(default_factory=dict)

    def cost(self, area: Area, target: Target) -> Cost:
        """What an area takes."""
        if id(area) not in self.costs:
            self.costs[id(area)] = area_cost(area, target)
        return self.costs[id(area)]


def _loops_of(result: FunctionResult, whole: Whole) -> tuple[LoopQor, ...]:
    """The loops of one function as a tree, those that are unrolled among them; shares are of the whole design."""
    found = whole.loops.get(id(result))
    if found is None:
        kept = tuple(_loop(item, whole, None, result.unrolled) for item in result.loops)
        found = whole.loops[id(result)] = _with_unrolled(kept, result.function.body, result.unrolled)
    return found


def whole_of(estimate: Estimate) -> Whole:
    """A function that is called from several places, or in loops, runs as often as all of them together make it."""
    times = {id(estimate.top): 1.0}
    runs: dict[str, float] = {}
    for result in reversed(_callees_first(estimate.top)):
        mine = times[id(result)]
        runs[result.function.name] = runs.get(result.function.name, 0.0) + mine
        for call in result.calls:
            times[id(call.callee)] = times.get(id(call.callee), 0.0) + mine * call.times
    return Whole(estimate.latency_cycles, runs, reached(estimate.program, estimate.top.function))


def _callees_first(top: FunctionResult) -> list[FunctionResult]:
    """Every function that is built, after those it calls."""
    order: list[FunctionResult] = []
    seen = {id(top)}
    pending = [(top, iter(top.calls))]
    while pending:
        result, calls = pending[-1]
        call = next((call for call in calls if id(call.callee) not in seen), None)
        if call is None:
            order.append(result)
            pending.pop()
        else:
            seen.add(id(call.callee))
            pending.append((call.callee, iter(call.callee.calls)))
    return order


def all_loops(estimate: Estimate, whole: Whole | None = None) -> tuple[LoopQor, ...]:
    """The loops of the top function, then those of the functions it calls, each function once."""
    found: list[LoopQor] = []
    seen: set[str] = set()
    pending, results = [estimate.top], []
    whole = whole or whole_of(estimate)
    while pending:
        result = pending.pop(0)
        if result.function.name not in seen:
            seen.add(result.function.name)
            results.append(result)
            found += _loops_of(result, whole)
            pending += [call.callee for call in result.calls]
    for function in whole.reached.values():
        if function.name not in seen:
            found += _inlined_loops(function, results)
    return tuple(found)


def _inlined_loops(function: ir.Function, results: Sequence[FunctionResult]) -> tuple[LoopQor, ...]:
    """Loops of a function that is walked in place of its calls: all of them are unrolled."""
    for result in results:
        found = _with_unrolled((), function.body, result.unrolled)
        if found:
            return found
    return ()


def _with_unrolled(
    kept: tuple[LoopQor, ...], block: ir.Block, unrolled: Mapping[ir.Loop, float | None]
) -> tuple[LoopQor, ...]:
    """`kept` and the unrolled loops that stand directly in `block`, in source order."""
    if not unrolled:
        return kept
    gone = [_unrolled(loop, unrolled) for loop in ir.loops_in(block) if loop in unrolled]
    taken = {(loop.path, loop.span) for loop in kept}
    gone = [loop for loop in gone if (loop.path, loop.span) not in taken]
    return tuple(sorted((*kept, *gone), key=lambda loop: loop.span)) if gone else kept


def _unrolled(loop: ir.Loop, unrolled: Mapping[ir.Loop, float | None]) -> LoopQor:
    """A loop that is none any more: copies instead of cycles."""
    trip = unrolled[loop]
    return LoopQor(
        name=loop.name, function=loop.function, path=loop.path, span=loop.head, trip_count=trip, pipelined=False,
        ii=None, ii_is_guess=False, ii_bound_by="", unroll_factor=max(round(trip or 1), 1), depth=None, cycles=None,
        total_cycles=None, share=None, notes=("unrolled: its iterations are copies side by side",),
        loops=_with_unrolled((), loop.body, unrolled),
    )  # fmt: skip


def _loop(
    result: LoopResult, whole: Whole, nest: LoopResult | None, unrolled: Mapping[ir.Loop, float | None]
) -> LoopQor:
    """nest: the flattened nest this loop is part of, outermost."""
    loop = result.loop
    known = result.known
    flat = nest if nest is not None else result
    cycles = result.cycles if known else None
    runs = whole.runs.get(loop.function, 1.0)
    total_cycles = flat.cycles * max(flat.entries, 1.0) * runs if flat.known else None
    share = min(total_cycles / whole.cycles, 1.0) if whole.cycles and total_cycles is not None else None
    inner = nest or (result if len(result.members) > 1 else None)
    notes = list(result.notes)
    if result.plan.note:
        notes.append(result.plan.note)
    if result.plan.automatic and result.ii is not None:
        notes.append("pipelined by the tool itself")
    if nest is not None:
        notes.append(f"flattened into {nest.loop.name}")
    children = tuple(_loop(c, whole, inner if c.flattened else None, unrolled) for c in result.children)
    return LoopQor(
        name=loop.name, function=loop.function, path=loop.path, span=loop.head,
        trip_count=result.trip.average, pipelined=result.ii is not None,
        ii=None if flat.bound.guess else flat.ii, ii_is_guess=flat.ii is not None and flat.bound.guess,
        ii_bound_by=flat.bound.by, ii_guess=flat.ii if flat.bound.guess else None,
        unroll_factor=round(max(result.plan.unroll, 1.0)),
        depth=result.depth, cycles=cycles, total_cycles=total_cycles, share=share, notes=tuple(notes),
        loops=_with_unrolled(children, loop.body, unrolled), reasons=result.unknown.of("latency_cycles"),
        trip_count_min=result.trip.least, trip_count_max=result.trip.most, circuit=flat.bound.circuit,
        cause=cause_of(result, flat),
    )  # fmt: skip


def functions_of(estimate: Estimate, whole: Whole) -> tuple[FunctionQor, ...]:
    """The functions the top reaches; those walked in place of their calls are marked inlined and carry no cycles."""
    found = []
    for function in sorted(whole.reached.values(), key=lambda f: (f.path != estimate.program.path, f.path, f.span)):
        result = estimate.functions.get(function.name)
        if result is None:
            loops = _inlined_loops(function, list(estimate.functions.values()))
            found.append(FunctionQor(function.name, function.path, function.name_span, 0, 0, 0, 0, None, True, loops))
            continue
        found.append(_function(result, estimate.target, whole))
    return tuple(found)


def _function(result: FunctionResult, target: Target, whole: Whole) -> FunctionQor:
    """A function that is built as a block of its own."""
    cost = whole.cost(result.area, target)
    memory = list(result.memory.values())
    nominal = {
        "lut": cost.lut + sum(m.lut for m in memory), "dsp": cost.dsp, "ff": cost.ff + sum(m.ff for m in memory),
        "bram_18k": sum(m.bram_18k for m in memory), "latency_cycles": result.cycles,
    }  # fmt: skip
    reasons = reasons_of(result.unknown)
    known = {name: None if name in reasons else value for name, value in nominal.items()}
    function = result.function
    return FunctionQor(
        function.name, function.path, function.name_span, known["lut"], known["dsp"], known["ff"], known["bram_18k"],
        known["latency_cycles"], False, _loops_of(result, whole), reasons, uram_of(result.unknown, memory),
        result.interval if result.known else None,
    )  # fmt: skip


def uram_of(unknown: Unknown, memory: Iterable[Storage]) -> float | None:
    """UltraRAM blocks; not known where block RAMs are not, as the same memories decide about both."""
    return sum(item.uram for item in memory) if unknown.known("bram_18k") else None


def reasons_of(unknown: Unknown) -> dict[str, tuple[str, ...]]:
    """Why figures are not known, by target; those that are known are left out."""
    return {name: causes for name in LABELS if (causes := unknown.of(name))}


def contributions(estimate: Estimate, predicted: Mapping[str, float | None], whole: Whole) -> tuple[Contribution, ...]:
    """What each construct adds; per target the amounts add up to the prediction, the learned correction by itself."""
    found: list[Contribution] = []
    found += _latency(estimate)
    found += _area(estimate, whole)
    sums: dict[str, float] = {}
    for item in found:
        sums[item.target] = sums.get(item.target, 0.0) + item.amount
    found = [item for item in found if predicted.get(item.target, 0.0) is not None]
    for target, value in predicted.items():
        if value is not None and target in sums:
            found.append(Contribution("learned correction", target, value - sums[target]))
    return tuple(item for item in found if abs(item.amount) >= 0.5)


def _latency(estimate: Estimate) -> Iterator[Contribution]:
    if estimate.latency_cycles is None:
        return
    rest = estimate.latency_cycles
    for name, cycles, span in _parts(estimate.top):
        rest -= cycles
        yield Contribution(name, "latency_cycles", cycles, span)
    overlap = "processes that overlap (dataflow)" if estimate.top.dataflow else "loops that run at the same time"
    text = overlap if rest < 0 else "code between the loops, start and end"
    yield Contribution(text, "latency_cycles", rest)


def _parts(result: FunctionResult) -> Iterator[tuple[str, float, Span]]:
    """Loops, and calls outside them (what a loop calls is part of it): name, cycles of all its entries, place."""
    for loop in result.loops:
        yield f"loop {loop.loop.name}", loop.cycles * loop.replicas, loop.loop.head
    calls: dict[str, tuple[float, Span]] = {}
    for call in result.calls:
        if call.loop is None:
            function = call.callee.function
            cycles, _ = calls.get(function.name, (0.0, function.name_span))
            calls[function.name] = cycles + call.callee.cycles * call.copies, function.name_span
    for name, (cycles, span) in calls.items():
        yield f"call of {name}", cycles, span


def _area(estimate: Estimate, whole: Whole) -> Iterator[Contribution]:
    """Loops by what each would take alone, then what sharing saves, memories, and the rest."""
    total = {"lut": estimate.lut, "dsp": estimate.dsp, "ff": estimate.ff}
    for name, area, span in _areas(estimate.top):
        cost = whole.cost(area, estimate.target)
        for target, amount in (("lut", cost.lut), ("dsp", cost.dsp), ("ff", cost.ff)):
            total[target] -= amount
            yield Contribution(name, target, amount, span)
    for var, item in estimate.top.memory.items():
        kind = "interface" if var.scope == "param" else "array"
        for target, amount in (("lut", item.lut), ("ff", item.ff), ("bram_18k", item.bram_18k)):
            if target in total:
                total[target] -= amount
            yield Contribution(f"{kind} {var.name}", target, amount, var.span)
    for target, amount in total.items():
        yield Contribution("operators shared between loops" if amount < 0 else "control and the rest", target, amount)


def _areas(result: FunctionResult) -> Iterator[tuple[str, Area, Span]]:
    for loop in result.loops:
        yield f"loop {loop.loop.name}", loop.area, loop.loop.head
    seen: set[str] = set()
    for call in result.calls:
        function = call.callee.function
        if function.name not in seen:
            seen.add(function.name)
            yield f"function {function.name}", call.callee.area, function.name_span


def dominant(estimate: Estimate) -> str:
    """In words: where most of the latency goes; "" where code that was not read may take more."""
    parts = sorted(_parts(estimate.top), key=lambda part: -part[1])
    if not parts or estimate.nominal_cycles <= 1 or not estimate.unknown.known("lut"):
        return ""
    name, cycles, _ = parts[0]
    share = min(cycles / estimate.nominal_cycles, 1.0)
    bound = next((f", bound by {item.bound.by}" for item in _leaves(estimate.top, name) if item.bound.by), "")
    return f"{name}: {share:.0%} of the cycles{bound}"


def _leaves(result: FunctionResult, part: str) -> list[LoopResult]:
    """Pipelined loops inside the loop, or the called function, that `part` names, those with most cycles first."""
    pending = [loop for loop in result.loops if part == f"loop {loop.loop.name}"]
    for call in result.calls:
        if call.loop is None and part == f"call of {call.callee.function.name}":
            pending += call.callee.loops
    found: list[LoopResult] = []
    pending.reverse()
    while pending:
        loop = pending.pop()
        if loop.ii is not None and not loop.flattened:
            found.append(loop)
        pending += loop.children[::-1]
    return sorted(found, key=lambda item: -item.cycles * max(item.entries, 1.0))


def warnings(
    estimate: Estimate, correction: Correction | None, unseen: Sequence[str], notes: Sequence[str]
) -> tuple[str, ...]:
    """Plain sentences about what the reader must know before trusting the numbers."""
    said = [f"{cause}: {_lacking(targets)} not given" for cause, targets in estimate.unknown.causes.items()]
    if correction is not None and correction.unseen and unseen:
        said.append(f"{'; '.join(unseen)}: intervals are wider")
    if any(cause.endswith("is not read") for cause in estimate.unknown.causes):
        said.append("what is not read stands in a file that is not among the sources, or in a library: name the file")
    missing = [name for name in estimate.program.missing_headers if not is_foreign(name)]
    if missing:
        said.append(f"headers not found, what they declare is unknown: {', '.join(missing[:5])}")
    said += [f"{p.path}:{p.span.start_line + 1}: {p.message}" for p in estimate.program.problems[:3]]
    said += notes
    return tuple(said)


def _lacking(targets: frozenset[str]) -> str:
    """Figures that a cause takes away, with their verb."""
    if targets == EVERYTHING:
        return "LUT, DSP, FF, BRAM and latency are"
    names = ["latency" if name == "latency_cycles" else TITLES[name] for name in SHOWN if name in targets]
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def certainty(correction: Correction, unknown: Mapping[str, tuple[str, ...]]) -> dict[str, Certainty]:
    """How sure each target is, and why not surer; of what is not known, why."""
    new = ("a family, clock and release that training never had together",) if correction.unseen else ()
    return {
        target: Certainty(UNKNOWN, unknown[target])
        if target in unknown
        else Certainty(correction.kind, (*new, *correction.reasons[target]), correction.changes[target])
        for target in LABELS
    }


def interval(correction: Correction, target: str) -> Interval:
    """The 80 % interval of one target."""
    return Interval(correction.low[target], correction.high[target])


def part_or_none(name: str) -> Part | None:
    """The part, or None when the table does not know it."""
    try:
        return find_part(name)
    except ConfigError:
        return None


def part_notes(part: Part | None) -> tuple[str, ...]:
    """What the reader must know of the part's limits."""
    return () if part is None or part.checked else (f"capacity of this part is not checked: {part.device}",)


def fits(part: Part | None, values: Mapping[str, float | None], uram: float = 0.0) -> bool | None:
    """Whether every resource is within the part; None when the part or a resource is not known."""
    if part is None:
        return None
    if uram > part.limit("uram"):
        return False
    known = {name: value for name in RESOURCES if (value := values.get(name)) is not None}
    if any(value > part.limit(name) for name, value in known.items()):
        return False
    return True if len(known) == len(RESOURCES) else None
