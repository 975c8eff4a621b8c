"""Pipelined loops: everything inside is unrolled, iterations start an II apart."""

from __future__ import annotations

import math
from dataclasses import replace

from ...program import ir
from .. import drivers, logic, registers
from ..area import Area, copied_bits, loop_control, ports_lut
from ..costs import COSTS, LOGIC, MAX_LIVE_BITS, MAX_STAGES
from ..results import LoopResult
from ..schedule.bounds import EXIT, FREE, Bound, NestLoop
from ..schedule.ports import port_bound
from ..schedule.recurrences import SLACK_CYCLES, recurrence_bound
from ..schedule.region import Region
from .bodies import body_region
from .frame import Frame
from .sharing import add_operators, taking_turns


def build_pipelined(frame: Frame, result: LoopResult, copies: float, rounds: float) -> None:
    """Estimate a loop that is pipelined. copies: of its body. rounds: iterations of the hardware."""
    loop = result.loop
    region = result.region = _body(frame, loop, copies)
    result.nest = [NestLoop(loop.var, max(frame.trip(loop), rounds), frame.step(loop), copies, frame.start(loop))]
    _schedule(result, region)
    if 1 < result.plan.target_ii < (result.ii or 1) and not frame.target.unsafe_math:
        found = _reorder_sums(frame, result, copies)
        if found is not None:
            result.region = region = found
            _schedule(result, region)
            result.bound = replace(result.bound, guess=True)
    if result.plan.serial and copies > 1:
        _one_by_one(frame, result, copies)
    result.trips = rounds
    result.cycles = pipeline_cycles(rounds, result.ii or 1, result.depth)
    result.unknown.join(region.unknown)
    _add_area(frame, result, region)


def _body(frame: Frame, loop: ir.Loop, copies: float) -> Region:
    memo = frame.design.memo
    if memo is None:
        return body_region(frame, loop, copies, unroll_all=True)
    return memo.body(frame, loop, copies, lambda: body_region(frame, loop, copies, unroll_all=True))


def _schedule(result: LoopResult, region: Region) -> None:
    """II and depth of a pipelined nest."""
    recurrence = recurrence_bound(region, result.nest)
    ports = port_bound(region)
    bounds = (asked_ii(result.plan.target_ii), recurrence, ports, exit_bound(region))
    result.bound = max(bounds, key=lambda bound: bound.ii)
    result.ii = result.bound.ii
    # Accesses that queue for a port in one iteration make it longer by as much as they make the II.
    result.depth = max(math.ceil(region.end - 1e-6), 1) + max(ports.ii - 1, 0)


def pipeline_cycles(rounds: float, ii: int, depth: float) -> float:
    """Cycles of a pipelined loop as reports count them: the last round starts after (rounds - 1) II.

    Per-loop tables of data/qor: latency = (trip count - 1) II + iteration latency - 1, or one more where an iteration
    is one state.
    """
    return max(rounds - 1, 0) * ii + max(depth - 1, 1)


def exit_bound(region: Region) -> Bound:
    """The test that ends a loop has to be made in the first II cycles of a round (UG1448, HLS 200-878)."""
    return Bound(max(math.ceil(region.leaves - SLACK_CYCLES), 1), EXIT) if region.leaves else FREE


def asked_ii(ii: int) -> Bound:
    """What `PIPELINE II=` asks for: the tool does not go below it, however free the loop is (UG1399)."""
    return FREE if ii == 1 else Bound(ii, "the pragma" if ii > 1 else "")


def _reorder_sums(frame: Frame, result: LoopResult, copies: float) -> Region | None:
    """The region with sums in another order, where only that reaches the II that a pragma asks for.

    `unsafe_math_optimizations` stands in the project, not in the source (UG1399, config_compile); who asks for such
    an II has it switched on, so that the II is a guess.
    """
    free = replace(frame.target, unsafe_math=True)
    region = body_region(frame, result.loop, copies, unroll_all=True, target=free)
    return region if recurrence_bound(region, result.nest).ii <= result.plan.target_ii + 1 else None


def _one_by_one(frame: Frame, result: LoopResult, copies: float) -> None:
    """Copies of the body that wait for each other (Merlin): one takes what an iteration took before."""
    loop = result.loop
    single = body_region(frame, loop, 1.0, unroll_all=True)
    nest = [NestLoop(loop.var, frame.trip(loop), frame.step(loop), start=frame.start(loop))]
    bound = max(recurrence_bound(single, nest), port_bound(single), key=lambda bound: bound.ii)
    result.bound = replace(bound, ii=math.ceil(bound.ii * copies))
    result.ii = result.bound.ii


def _add_area(frame: Frame, result: LoopResult, region: Region) -> None:
    ii = result.ii or 1
    area = Area()
    # A core of a pipeline takes a new pair of operands each cycle, so that it serves II operators of one iteration.
    add_operators(area, region, frame.target, lambda _, units: taking_turns(units, ii), ii=ii)
    # Results live on for a few stages, so that neither all of them nor all stages count in full; past the bounds a
    # design is larger than any device.
    held = min(region.live_bits, MAX_LIVE_BITS) * min(max(result.depth, 1), MAX_STAGES) * COSTS.pipeline_live
    area.registers = held + copied_bits(region) * COSTS.pipeline_copied
    loop_control(area, result.trips, result.depth)
    area.mux_lut = ports_lut(region)
    rounds = registers.carried(region)
    handed = frame.design.read_outside(result.loop, rounds)
    area.listed += logic.of_pipeline(
        frame.target, result.nest[0], result.depth, ii, carried=len(rounds), handed=handed
    )  # fmt: skip
    area.listed += drivers.ports(region, ii) + drivers.selected(region)
    places = registers.stored(region)
    area.listed += registers.shifted(region, ii, places) * LOGIC.shift
    area.kept = registers.kept(region, ii, places=places, rounds=rounds) + registers.of_pipeline(
        frame.target, result.trips, result.depth, ii
    )
    result.area.beside(area)
    result.unshared.beside(area)
