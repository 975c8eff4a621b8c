"""What may lift a dataflow region, and where one would pay: changes inside its slowest processes, each tried.

A region takes new data as often as its slowest process does (UG1399, pragma HLS dataflow), so that only changes inside
that one help, until another one is the slowest. A depth of a stream changes no cycles that csynth counts: it decides
whether processes stop for each other, which only a simulation of the design shows. None is proposed for that reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ...document import Fix, Related, Span
from ..answer.types import LoopQor
from ..closed_form.causes import Cause
from ..closed_form.results import CallResult, FunctionResult, LoopResult
from ..lint.regions import flat as items_of
from ..program import ir
from ..program.expressions import everything_in
from ..program.facts import reached
from ..tool.releases import MERLIN
from .bench import Bench, flat
from .moves import candidates, is_paid, still_fits
from .places import into_function
from .search import search
from .types import Move, Why
from .variants import Variant, Variants, written
from .what_if import worth_it

TRIED_A_REGION = 16
TRIED_A_LOOP = 5
LOOKED_AT = 3  # loops of the slowest process
ALIKE = 0.5  # of the slowest one's cycles, from which a process is changed along with it
COUNT = 80  # sets of pragmas that are predicted
SETS = 4  # of these, that are tried
STEP = 0.05  # intervals that differ by less are alike
GAIN = 0.98  # of what was there: most that a change may leave


@dataclass(frozen=True, slots=True)
class Process:
    """One loop or call of a region. cycles: from its start to its end; loops: of it and of all that it calls."""

    name: str
    cycles: float
    loops: tuple[ir.Loop, ...]
    functions: tuple[ir.Function, ...]
    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class Region:
    """A function or a loop whose processes run at the same time, slowest first. interval: cycles between starts.

    loop: None where the whole function is the region.
    """

    name: str
    function: ir.Function
    loop: ir.Loop | None
    span: Span
    body: ir.Block
    interval: float
    processes: tuple[Process, ...]


def regions_of(bench: Bench) -> Iterator[Region]:
    """Every region of the design that has two processes or more."""
    for result in bench.estimate.functions.values():
        function = result.function
        if result.dataflow:
            found = _processes(bench, result.loops, (call for call in result.calls if call.loop is None))
            if len(found) > 1:
                yield Region(function.name, function, None, function.name_span, function.body, result.interval, found)
        for loop in _every(result.loops):
            if loop.loop.pragma("HLS", "DATAFLOW") is not None:
                own = loop
                found = _processes(bench, loop.children, (call for call in result.calls if call.loop is own))
                if len(found) > 1:
                    one, pace = loop.loop, found[0].cycles + 1
                    yield Region(one.name, function, one, one.head, one.body, pace, found)


def _every(loops: Iterable[LoopResult]) -> Iterator[LoopResult]:
    for loop in loops:
        yield loop
        yield from _every(loop.children)


def _processes(bench: Bench, loops: Iterable[LoopResult], calls: Iterable[CallResult]) -> tuple[Process, ...]:
    found = []
    for loop in loops:
        nest = (loop.loop, *ir.loops_of(loop.loop.body))
        owner = bench.design.program.functions.get(loop.loop.function)
        owners = (owner,) if owner is not None else ()
        found.append(Process(f"loop {loop.loop.name}", loop.cycles, nest, owners, loop.loop.path, loop.loop.head))
    for call in calls:
        function = call.callee.function
        functions = tuple(reached(bench.design.program, function).values())
        inside = tuple(loop for one in functions for loop in ir.loops_of(one.body))
        found.append(
            Process(function.name, call.callee.cycles, inside, functions, function.path, function.name_span)
        )  # fmt: skip
    return tuple(sorted(found, key=lambda item: -item.cycles))


def why_region(bench: Bench, region: Region) -> Why:
    """The process that sets the pace, and what lifts it."""
    slowest, following = region.processes[:2]
    pace = f"{slowest.name} sets the pace of {len(region.processes)} processes"
    text = f"{pace}: {slowest.cycles:,.0f} cycles, the next {following.cycles:,.0f}"
    return Why(
        region.name, region.function.name, region.function.path, region.span, None,
        Cause("dataflow", text, slowest.name), f"interval {region.interval:,.0f}: {text}",
        (Related(f"{slowest.name} stands here", slowest.span, slowest.path),), _moves(bench, region),
    )  # fmt: skip


def _moves(bench: Bench, region: Region) -> tuple[Move, ...]:
    found: dict[tuple[object, ...], Move] = {}
    for count, fix in enumerate(_fixes(bench, region)):
        if count >= TRIED_A_REGION:
            break
        move = _move(bench, region, fix)
        if move is not None and _helps(bench, move) and bench.is_clean(fix.edits):
            found.setdefault((move.interval, move.after), move)  # the same by another name is said once
    return tuple(sorted(found.values(), key=_rank))


def _move(bench: Bench, region: Region, fix: Fix) -> Move | None:
    after = bench.after(fix.edits)
    if after is None:
        return None
    return Move(
        replace(fix, verified=True), None, None, bench.present.amounts, after.amounts,
        region.interval, after.intervals.get(region.name) if region.loop is None else None,
    )  # fmt: skip


def _helps(bench: Bench, move: Move) -> bool:
    """Whether a region starts more often, or the design is done sooner, for an area that is worth it."""
    before, after = move.interval_before, move.interval
    if not still_fits(bench, move) or not is_paid(move):
        return False
    sooner = before is not None and after is not None and after <= before * GAIN
    now, then = move.before.latency_cycles, move.after.latency_cycles
    return sooner or (now is not None and then is not None and then <= now * GAIN)


def _rank(move: Move) -> tuple[float, float]:
    """Soonest again first; among those alike, the fewest cycles times LUTs."""
    never = float("inf")
    often = move.interval if move.interval is not None else never
    cycles = move.after.latency_cycles
    return (round(math.log(max(often, 1.0)) / STEP) if often < never else never), (
        cycles * max(move.after.lut or 0.0, 1.0) if cycles is not None else never
    )


# -- what is tried -----------------------------------------------------------------------------------------------------


def _fixes(bench: Bench, region: Region) -> Iterator[Fix]:
    """What lifts the bounds of the slowest process, sets of pragmas of it and of those as slow, FIFOs."""
    if bench.design.settings.tool == MERLIN:
        return
    slowest = region.processes[0]
    for loop, loop_qor in _longest(bench, slowest):
        for count, fix in enumerate(candidates(bench, loop, loop_qor)):
            if count >= TRIED_A_LOOP:
                break
            yield replace(fix, title=f"in {slowest.name}: {fix.title}")
    yield from _sets(bench, [one for one in region.processes if one.cycles >= ALIKE * slowest.cycles])
    yield from _fifos(bench, region)


def _longest(bench: Bench, process: Process) -> list[tuple[ir.Loop, LoopQor]]:
    known = {(loop.path, loop.head): loop for loop in process.loops}
    found = [
        (known[loop.path, loop.span], loop) for loop in flat(bench.present.loops)
        if (loop.path, loop.span) in known and loop.cause is not None
        and not any(note.startswith("flattened into") for note in loop.notes)
    ]  # fmt: skip
    return sorted(found, key=lambda item: -(item[1].total_cycles or 0.0))[:LOOKED_AT]


def _sets(bench: Bench, processes: list[Process]) -> Iterator[Fix]:
    """Pragmas of the loops and arrays of some processes; those that take the fewest cycles times LUTs."""
    loops = {loop for process in processes for loop in process.loops}
    functions = {function for process in processes for function in process.functions}
    named = {
        expr.name for loop in loops for expr in everything_in(loop.body) if isinstance(expr, ir.Ref)
    }  # fmt: skip
    variants = Variants.of(bench, {})
    variants.slots = tuple(
        slot for slot in variants.slots
        if slot.owner in loops or (slot.variable in named and slot.owner in functions)
    )  # fmt: skip
    if not variants.slots or bench.left <= 0:
        return
    search(variants, COUNT)
    present = variants.predict(variants.present)

    def cost(variant: Variant) -> float:
        return variant.cycles * max(variant.amounts.lut or 0.0, 1.0)

    faster = [item for item in worth_it(variants, present) if item.cycles <= present.cycles * GAIN]
    names = ", ".join(dict.fromkeys(process.name for process in processes))
    for variant in sorted(faster, key=cost)[:SETS]:
        fix = variants.fix(variant.picks)
        yield replace(fix, title=f"in {names}: {fix.title}")


def _fifos(bench: Bench, region: Region) -> Iterator[Fix]:
    """An array between two processes as a FIFO, so that the second starts with the first element."""
    function = region.function
    if function.path != bench.given.path:
        return
    streamed = {p.options.get("variable", "") for p in function.pragmas if p.kind == "STREAM"}
    for var in [item.var for item in items_of(region.body) if isinstance(item, ir.Declare)]:
        if not var.dims or var.type.kind == "stream" or var.name in streamed or var.static:
            continue
        uses = [bench.context.uses.of(item) for item in items_of(region.body) if not isinstance(item, ir.Declare)]
        if sum(var in use.reads for use in uses) == 1 == sum(var in use.writes for use in uses):
            edits = written(bench.context, function, [f"HLS STREAM variable={var.name} type=fifo depth=2"], var.name)
            if edits:
                title = f"hand {var.name} on as a FIFO (only if each element is written and read once, in one order)"
                yield Fix(title, tuple(edits))


# -- regions that are none yet -----------------------------------------------------------------------------------------


def sequences_of(bench: Bench, name: str | None = None) -> Iterator[Why]:
    """Functions whose loops and calls run one after another, where DATAFLOW makes the design faster. name: of one."""
    if bench.design.settings.tool == MERLIN:
        return
    for result in bench.estimate.functions.values():
        function = result.function
        if (
            name not in (None, function.name)
            or result.dataflow
            or function.path != bench.given.path
            or function.template_params
        ):
            continue
        steps = [item for item in items_of(function.body) if not isinstance(item, ir.Declare)]
        if len(steps) < 2 or not all(_is_process(item) for item in steps):
            continue
        if (move := _overlapped(bench, result)) is not None:
            text = f"{len(steps)} loops and calls run one after another: {result.cycles:,.0f} cycles"
            cause = Cause("sequential", text, function.name)
            yield Why(function.name, function.name, function.path, function.name_span, None, cause, text, (), (move,))


def _is_process(item: ir.Stmt) -> bool:
    return isinstance(item, ir.Loop) or (isinstance(item, ir.Evaluate) and isinstance(item.expr, ir.Call))


def _overlapped(bench: Bench, result: FunctionResult) -> Move | None:
    function = result.function
    edits = into_function(bench.context, function, "#pragma HLS DATAFLOW")
    if not edits:
        return None
    fix = Fix(f"dataflow in {function.name}", edits)
    after = bench.after(edits)
    if after is None:
        return None
    now = after.intervals.get(function.name)
    move = Move(replace(fix, verified=True), None, None, bench.present.amounts, after.amounts, result.interval, now)
    return move if _helps(bench, move) and bench.is_clean(edits) else None
