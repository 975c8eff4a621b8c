"""What the tool does with each loop: unroll, pipeline, flatten, run in parallel; by pragma, tool and version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..program import ir
from ..program.expressions import loops_inside
from ..program.flow import variables_in
from ..program.trip_counts import TripCount
from ..tool.releases import Behaviour
from .merlin_loops import accumulates, conflicting, shared_scalars

# UG1399, config_compile -pipeline_loops: loops of more iterations are pipelined by themselves, else their parent.
PIPELINE_LOOPS = 64
# Merlin refuses to flatten a nest with more unrolled iterations than this (seen on its labelled designs).
MERLIN_FLATTEN_LIMIT = 8192.0
# ... and copies an outermost loop with `parallel` of all its iterations up to somewhere between 80 and 126 of them.
MERLIN_FULL_LIMIT = 100.0


@dataclass(frozen=True, slots=True)
class Options:
    """Tool behaviour that is not in the source.

    auto_pipeline: threshold of automatic pipelining, None where the tool does none (before Vitis HLS 2020.1, or 0 in
    hls_config.cfg).
    behaviour: what the tool's release does by itself.
    bus_latency: cycles that m_axi ports without an option of their own are expected to take; None: by the flow.
    """

    auto_pipeline: int | None
    default_trip_count: int
    behaviour: Behaviour
    bus_latency: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One loop's fate. unroll: copies of the body (1: none). parallel: copies that run side by side (Merlin).

    serial: the copies of `unroll` wait for each other.
    tile: iterations of one tile, 1 where the loop is not tiled (Merlin).
    refused: why a pipeline that a pragma asks for is none.
    coarse: Merlin is asked to overlap the loop's tasks. It changes next to nothing: of designs that differ in one such
    pragma only (18 kernels of data/qor, 85 pragmas and versions), the median change of latency is below 4 % for 72.
    """

    pipelined: bool = False
    target_ii: int = 1
    unroll: float = 1.0
    full_unroll: bool = False
    parallel: float = 1.0
    coarse: bool = False
    automatic: bool = False
    serial: bool = False
    tile: float = 1.0
    note: str = ""
    refused: str = ""


UNPLANNED = Plan()


def make_plans(
    function: ir.Function,
    counts: Mapping[ir.Loop, TripCount],
    options: Options,
    calls_loops: Callable[[ir.Loop], bool],
) -> dict[ir.Loop, Plan]:
    """A plan for every loop of a function, taken by itself (a pipelined parent unrolls what is inside it).

    calls_loops: whether a loop's body calls functions that have loops; such a loop is not pipelined automatically.
    """
    plans: dict[ir.Loop, Plan] = {}
    for loop in loops_inside(function.body):
        count = counts.get(loop)
        plans[loop] = _tiled(loop, counts, options.behaviour) if options.behaviour.merlin else _vitis(loop, count)
    if not options.behaviour.merlin:
        _refuse(function, counts, plans, options)
    if options.auto_pipeline is not None:
        _automatic(function, counts, plans, options, calls_loops)
    return plans


def _vitis(loop: ir.Loop, count: TripCount | None) -> Plan:
    """`#pragma HLS pipeline | unroll` as UG1399 describes them."""
    trip = count.average if count is not None else None
    unroll = loop.pragma("HLS", "UNROLL")
    copies, full = 1.0, False
    if unroll is not None and "off" not in unroll.options:
        factor = unroll.whole("factor")
        if unroll.untold:
            copies = 1.0  # how many is not known, which is said: all of them is the one answer that is wrong
        elif factor is None:
            full = trip is not None and count is not None and count.constant
            copies = trip if full and trip else 1.0
        elif trip is not None and factor >= trip > 0:
            full, copies = True, trip
        else:
            copies = float(max(factor, 1))
    pipeline = loop.pragma("HLS", "PIPELINE")
    pipelined = pipeline is not None and "off" not in pipeline.options
    target = pipeline.whole("ii") if pipeline is not None else None
    return Plan(pipelined and not full, target or 1, copies, full)


def _tiled(loop: ir.Loop, counts: Mapping[ir.Loop, TripCount], behaviour: Behaviour) -> Plan:
    """`#pragma ACCEL tile`, and the plan of the loop inside the tile."""
    plan = _merlin(loop, counts, behaviour)
    count = counts.get(loop)
    trip = count.average if count is not None else None
    tile = loop.pragma("ACCEL", "TILE")
    factor = tile.whole("factor") if tile is not None else None
    if factor is None or trip is None or not 1 < factor < trip or plan.full_unroll:
        return plan
    return replace(plan, tile=float(factor))


def _merlin(loop: ir.Loop, counts: Mapping[ir.Loop, TripCount], behaviour: Behaviour) -> Plan:
    """`#pragma ACCEL pipeline | parallel` as the Merlin compiler's guide describes them."""
    count = counts.get(loop)
    trip = count.average if count is not None else None
    parallel = loop.pragma("ACCEL", "PARALLEL")
    copies = 1.0
    if parallel is not None:
        factor = parallel.whole("factor")
        copies = float(factor) if factor else (trip or 1.0)
    full = trip is not None and copies >= trip > 0
    if full and trip is not None:
        copies = trip
    pipeline = loop.pragma("ACCEL", "PIPELINE")
    # Loops inside that are unrolled whole leave a loop the innermost one (2mm, bicg of data/qor: DSPs of both factors).
    nested = any(True for _ in loops_inside(loop.body))
    innermost = all(_merlin(inner, counts, behaviour).full_unroll for inner in loops_inside(loop.body))
    pipelined = pipeline is not None and "off" not in pipeline.options
    if (copies > 1 or pipelined) and conflicting(loop):
        note = "iterations depend on each other: not faster when pipelined or parallel"
        return Plan(unroll=copies if innermost and not full else 1.0, serial=innermost, note=note)
    flatten = pipeline is not None and "flatten" in pipeline.options
    if full and innermost and not flatten:
        return Plan(unroll=copies, full_unroll=True)
    fine = pipelined and (innermost or flatten)
    if copies > 1 and nested and accumulates(loop, guarded=behaviour.guarded_sums_serial):
        note = "iterations add to the same elements: not faster when parallel"
        made = copies if fine or innermost else 1.0
        return Plan(fine, unroll=made, serial=made > 1, coarse=pipelined and not fine, note=note)
    if fine or innermost:
        return Plan(fine, unroll=copies)
    # All iterations of an outermost loop side by side: labels of every version show the copies, while they are few.
    apart = not shared_scalars(loop)
    if full and apart and 1 < copies <= MERLIN_FULL_LIMIT and loop.parent is None and not accumulates(loop):
        return Plan(coarse=pipelined, parallel=copies)
    # Around other loops `parallel` asks for copies of them, where they divide evenly.
    evenly = trip is not None and 1 < copies < trip and trip % copies == 0
    if behaviour.copies_outer and loop.parent is None and apart and evenly:
        return Plan(coarse=pipelined, parallel=copies)
    return Plan(coarse=pipelined, note="" if copies <= 1 else "parallel around other loops has no effect")


def _refuse(
    function: ir.Function, counts: Mapping[ir.Loop, TripCount], plans: dict[ir.Loop, Plan], options: Options
) -> None:
    """PIPELINE unrolls what is inside, which a loop with a variable bound cannot be: refused (UG1399, pragma pipeline).

    The innermost loops are pipelined instead, as Vitis HLS does with loops that nothing is said of.
    """
    for loop in loops_inside(function.body):
        plan = plans[loop]
        inside = list(loops_inside(loop.body)) if plan.pipelined else []
        variable = next((item for item in inside if _varies(item, loop, counts.get(item))), None)
        if variable is None:
            continue
        why = f"not pipelined: loop {variable.name} inside has a variable bound"
        plans[loop] = replace(plan, pipelined=False, refused=why)
        if options.auto_pipeline is None:
            continue
        for item in inside:
            innermost = not any(True for _ in loops_inside(item.body))
            if innermost and item.pragma("HLS", "PIPELINE") is None and not plans[item].full_unroll:
                plans[item] = replace(plans[item], pipelined=True, automatic=True)


def _varies(loop: ir.Loop, pipelined: ir.Loop, count: TripCount | None) -> bool:
    """Whether a loop's bound is still open when every loop inside the pipelined one has become copies."""
    if count is None or count.average is None or count.source != "bounds":
        return True
    if count.least == count.most:
        return False
    standing: set[ir.Variable | None] = set()
    above: ir.Loop | None = pipelined
    while above is not None:
        standing.add(above.var)
        above = above.parent
    return any(var in standing for var in variables_in(loop.start, loop.condition, loop.step))


def _automatic(
    function: ir.Function,
    counts: Mapping[ir.Loop, TripCount],
    plans: dict[ir.Loop, Plan],
    options: Options,
    calls_loops: Callable[[ir.Loop], bool],
) -> None:
    """Automatic pipelining: the innermost loop, or its parent when the innermost is short (UG1399).

    A perfect nest of short loops counts as the one loop that flattening makes of it: with more iterations than the
    threshold its innermost loop is pipelined, with fewer the loop around the nest, as labelled designs show.
    """
    for loop in list(loops_inside(function.body)):
        outer = any(True for _ in loops_inside(loop.body)) or plans[loop].full_unroll
        if outer and not _all_inside_unrolled(loop, plans):
            continue
        chosen = loop if options.behaviour.innermost_only else _chosen(loop, counts, plans, options)
        if chosen is not None and plans[chosen].coarse:
            chosen = loop
        if chosen is None or _decided(chosen, plans) or calls_loops(chosen):
            continue
        old = plans[chosen]
        plans[chosen] = Plan(
            True, unroll=old.unroll, parallel=old.parallel, automatic=True, serial=old.serial, tile=old.tile
        )


def _all_inside_unrolled(loop: ir.Loop, plans: Mapping[ir.Loop, Plan]) -> bool:
    return not plans[loop].full_unroll and all(plans[inner].full_unroll for inner in loops_inside(loop.body))


def _chosen(
    loop: ir.Loop, counts: Mapping[ir.Loop, TripCount], plans: Mapping[ir.Loop, Plan], options: Options
) -> ir.Loop | None:
    threshold = options.auto_pipeline or 0
    if loop.pragmas and all(pragma.dialect == "ACCEL" for pragma in loop.pragmas):
        return loop  # Merlin pipelines innermost loops, whatever their length
    count = counts.get(loop)
    if count is None or count.average is None or not count.constant or count.average > threshold:
        return loop
    nest, total = [loop], count.average
    parent = _standing_parent(loop, plans)
    while parent is not None and plans[parent].unroll <= 1 and is_perfect(parent):
        above = counts.get(parent)
        if above is None or above.average is None or (len(nest) == 1 and above.average > threshold):
            break
        total *= above.average
        if total > threshold or not above.constant or options.behaviour.merlin:
            return loop
        nest.append(parent)
        parent = _standing_parent(parent, plans)
    above = counts.get(parent) if parent is not None else None
    if parent is None or above is None or above.average is None:
        return loop
    siblings = [item for item in loops_inside(parent.body) if item not in nest]
    blocked = loop.pragmas and any(p.kind in ("UNROLL", "PIPELINE", "PARALLEL") for p in loop.pragmas)
    if blocked or not all(_short(item, parent, counts, plans, threshold) for item in siblings):
        return loop
    return parent


def _short(
    loop: ir.Loop,
    parent: ir.Loop,
    counts: Mapping[ir.Loop, TripCount],
    plans: Mapping[ir.Loop, Plan],
    threshold: int,
) -> bool:
    """Whether a loop, with those around it up to the parent, has so few iterations that the parent is pipelined.

    Several short loops beside one another are all unrolled then (five kernels of forgehls-kernels: a shift and a sum).
    """
    total: float = 1.0
    at: ir.Loop | None = loop
    while at is not None and at is not parent:
        count = counts.get(at)
        if not plans[at].full_unroll:
            if count is None or count.average is None or not count.constant:
                return False
            total *= count.average
        at = at.parent
    return total <= threshold


def _standing_parent(loop: ir.Loop, plans: Mapping[ir.Loop, Plan]) -> ir.Loop | None:
    """The nearest loop around this one that is still there when loops with an unroll pragma are gone."""
    above = loop.parent
    while above is not None and plans[above].full_unroll:
        above = above.parent
    return above


def is_perfect(loop: ir.Loop) -> bool:
    """One inner loop and nothing beside it but declarations and second counters, whose values hang on the first."""
    inner = 0
    for item in loop.body.items:
        if isinstance(item, ir.Loop):
            inner += 1
        elif (isinstance(item, ir.Block) and not item.items) or (isinstance(item, ir.Evaluate) and _counts(item.expr)):
            continue
        elif not isinstance(item, ir.Declare) or item.var.init is not None:
            return False
    return inner == 1


def _counts(expr: ir.Expr) -> bool:
    """`j++`, `j += 4` of a plain variable."""
    if isinstance(expr, ir.Unary):
        target: ir.Expr | None = expr.operand if expr.op in ("++", "--", "p++", "p--") else None
    else:
        by_constant = isinstance(expr, ir.Assign) and expr.op in ("+=", "-=") and isinstance(expr.value, ir.Const)
        target = expr.target if by_constant and isinstance(expr, ir.Assign) else None
    return isinstance(target, ir.Ref) and target.var is not None and not target.var.type.is_float


def _decided(loop: ir.Loop, plans: Mapping[ir.Loop, Plan]) -> bool:
    """Somebody decided already: here, above (then this loop is unrolled) or inside."""
    if plans[loop].pipelined or plans[loop].full_unroll:
        return True
    if loop.pragma("HLS", "PIPELINE", "DATAFLOW") is not None:
        return True
    above = loop.parent
    while above is not None:
        if plans[above].pipelined:
            return True
        above = above.parent
    return any(plans[inner].pipelined for inner in loops_inside(loop.body))
