"""Which way a loop that stays one is built, and what holds for all of them."""

from __future__ import annotations

import math

from ...program import ir
from ...program.expressions import loops_inside
from ...program.trip_counts import TripCount
from ..merlin import reload_cycles
from ..plan import MERLIN_FLATTEN_LIMIT, UNPLANNED
from ..results import MOST_CYCLES, LoopResult
from ..schedule.beside import LoopUses, loop_uses
from ..schedule.region import Region, Stay
from ..unknown import CYCLES
from .dataflow import build_dataflow
from .frame import Frame
from .pipelined import build_pipelined
from .plain import build_plain


def nested(frame: Frame, loop: ir.Loop, region: Region) -> tuple[Stay, LoopUses | None]:
    """How long a loop inside a region takes, and what it touches; its result goes to the current sink."""
    memo = frame.design.memo
    result = (
        loop_result(frame, loop) if memo is None else memo.loop(frame, loop, region, lambda: loop_result(frame, loop))
    )
    copies = math.prod(region.unrolled.values()) if region.unrolled else 1.0
    result.replicas = copies
    region.unknown.join(result.unknown)
    frame.sink.append(result)
    options = frame.design.options
    outlined = result.ii is not None and options.behaviour.outlined_loops
    # Copies of a loop run one after another in Vitis HLS, whose states follow the source; Merlin's run side by side.
    turns = 1.0 if options.behaviour.merlin else copies
    stay = _stay(result, outlined, turns)
    return stay, _uses(frame, loop, region) if outlined else None


def _uses(frame: Frame, loop: ir.Loop, region: Region) -> LoopUses:
    """What a loop needs to itself; the same for all variants, as no partition moves an array to another port."""
    memo = frame.design.memo
    if memo is None or frame.inline_depth or any(alias.walks for alias in region.aliases.values()):
        return loop_uses(loop, region.aliases, frame.port, frame.design.outside)
    key = loop, frame.key, frame.design.said
    if key not in memo.uses:
        memo.uses[key] = loop_uses(loop, region.aliases, frame.port, frame.design.outside)
    return memo.uses[key]


def _stay(result: LoopResult, outlined: bool, copies: float) -> Stay:
    """States that `copies` of a loop take from the code around it, beyond what its report counts.

    Per-loop tables of Vitis HLS 2022.1 to 2025.1: a pipelined loop of `_Pipeline_` takes two cycles more as a module,
    and
    calling a module one more than its latency; a nest takes the loops inside, the test of each round and one to leave.
    """
    if outlined:
        return Stay((result.cycles + 3) * copies, True)
    own = result.cycles + (1 if result.ii is not None else 0)
    # The state that leaves one copy stands before the next.
    return Stay(own * copies + copies - 1, False)


def loop_result(frame: Frame, loop: ir.Loop) -> LoopResult:
    """Estimate one loop that stays a loop, with all that is inside it."""
    plan = frame.plans.get(loop, UNPLANNED)
    count = frame.counts.get(loop) or TripCount(None, None, None, "unknown")
    trip = frame.trip(loop)
    result = LoopResult(loop, count, plan, trip)
    if count.average is None:
        result.unknown.uncounted(loop)
    result.members = [loop]
    result.notes += [plan.refused] if plan.refused else []
    copies = min(plan.unroll, max(trip, 1.0))
    # A factor that does not divide leaves a last round that is as long as the others, with an exit in the middle.
    rounds = math.ceil(trip / copies) if copies > 1 else trip
    if loop.pragma("HLS", "DATAFLOW") is not None:
        build_dataflow(frame, result, rounds)
    elif plan.pipelined and _can_pipeline(frame, result):
        build_pipelined(frame, result, copies, rounds)
    else:
        build_plain(frame, result, copies, rounds)
    if plan.tile > 1:
        _tile(frame, result)
    if not result.cycles < MOST_CYCLES:
        if result.known:  # no loop inside has said it
            result.unknown.because(f"loop {loop.name} would run for more than {MOST_CYCLES:.0e} cycles", CYCLES)
        result.cycles = MOST_CYCLES
    return result


def _tile(frame: Frame, result: LoopResult) -> None:
    """`#pragma ACCEL tile`: a loop over tiles, each of which fills its pipeline anew and fetches its own slices."""
    # Two cycles to restart a loop that has no pipeline to fill: its exit test and the step of the loop over tiles.
    tiles = math.ceil(frame.trip(result.loop) / result.plan.tile)
    restart = result.depth if result.ii is not None else 2.0
    result.cycles += (tiles - 1) * restart + tiles * reload_cycles(
        result.loop, frame.target.behaviour.tile_burst_cycles
    )


def _can_pipeline(frame: Frame, result: LoopResult) -> bool:
    """Pipelining unrolls the loops inside, so that their trip counts must be constant."""
    merlin = frame.design.options.behaviour.merlin
    for inner in loops_inside(result.loop.body):
        count = frame.counts.get(inner)
        if count is None or count.average is None or count.source != "bounds":
            result.notes.append(f"not pipelined: loop {inner.name} inside has no constant trip count")
            return False
        # The average stands for a triangular loop in Vitis HLS; Merlin does not flatten what has one inside.
        if merlin and not count.constant:
            result.notes.append(f"not flattened: loop {inner.name} inside has a variable bound")
            return False
    called = None if merlin else frame.endless_call(result.loop)
    if called is not None:
        result.notes.append(f"not pipelined: a loop of {called} inside has a variable bound")
        return False
    total = result.plan.unroll * _iterations_inside(frame, result.loop.body)
    if merlin and total > MERLIN_FLATTEN_LIMIT:
        result.notes.append("not flattened: too many iterations to unroll")
        return False
    return True


def _iterations_inside(frame: Frame, block: ir.Block) -> float:
    """Iterations of all loops of a block that have no loop inside, one after another: the copies once unrolled."""
    inner = ir.loops_in(block)
    total = sum(frame.trip(loop) * _iterations_inside(frame, loop.body) for loop in inner)
    return min(max(total, 1.0), MOST_CYCLES)
