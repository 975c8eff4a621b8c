"""Loops whose iterations follow one another, or overlap coarsely (Merlin)."""

from __future__ import annotations

import math

from ...tool.operators import Target, operator
from .. import drivers, logic, registers
from ..area import Area, copied_bits, loop_control, ports_lut
from ..costs import COSTS
from ..results import LoopResult
from ..schedule.bounds import NestLoop
from ..schedule.region import Kind, Region
from .bodies import body_region, collecting
from .flattening import flatten
from .frame import Frame
from .sharing import add_operators, at_once, loading_cycles, memory_cycles, taking_turns


def build_plain(frame: Frame, result: LoopResult, copies: float, rounds: float) -> None:
    """Estimate a loop that is not pipelined itself. copies: of its body. rounds: iterations of the hardware."""
    calls = len(frame.result.calls)
    with collecting(frame, result):
        region = result.region = body_region(frame, result.loop, copies, unroll_all=False)
    result.unknown.join(region.unknown)
    memory = memory_cycles(region)
    result.depth = max(math.ceil(region.end - 1e-6) + max(memory - 1, 0), 1.0)
    if not flatten(frame, result, region, rounds, calls):
        parallel = max(min(result.plan.parallel, rounds), 1.0)
        passes = math.ceil(rounds / parallel)
        # The test of the counter stands in the first state of a round.
        result.cycles = passes * result.depth
        result.trips = passes
    # A flattened nest is one loop: its operators are those of the loop inside.
    if result.ii is not None:
        own = _taken_in(region, frame.target, result.ii)
        own.kept += registers.of_nest(rounds, result.trips)
        own.listed += logic.of_level(frame.target, result.nest)
    else:
        own = _own_area(region, frame.target, result.depth, memory)
        states = max(result.depth - region.stayed, 1.0)
        own.kept += registers.of_plain_loop(result.trips, states) + registers.of_calls(region)
        loop = result.loop
        counted = NestLoop(loop.var, max(frame.trip(loop), rounds), frame.step(loop), copies, frame.start(loop))
        own.listed += logic.of_plain_loop(frame.target, counted, states)
    loop_control(own, result.trips, result.depth)
    _add_areas(result, own)


def _taken_in(region: Region, target: Target, ii: int) -> Area:
    """What a flattened nest takes of the code around the loop inside."""
    area = Area()
    add_operators(area, region, target, lambda _, units: taking_turns(units, ii), ii=ii)
    area.mux_lut = ports_lut(region)
    area.listed += drivers.selected(region)
    area.kept = registers.kept(region, ii)
    return area


def _own_area(region: Region, target: Target, depth: float, memory: int) -> Area:
    """What the loop's own code takes, without the loops inside."""
    area = Area()

    loading = loading_cycles(region)

    def cores(kind: Kind, units: float) -> float:
        # Sums of a chain follow one another, so that they share one adder over all states; what else is ready at the
        # same time has to wait for memory ports at most.
        in_chain = region.chained and kind[0].startswith("add")
        needed = taking_turns(units, max(depth, 1)) if in_chain else at_once(region, kind, units, loading)
        return min(max(needed, 1) if units >= 1 else needed, _feeders(kind, target) if region.chained else math.inf)

    add_operators(area, region, target, cores)
    # Without a pipeline a result is held until it is used, in one register for all states.
    area.registers = copied_bits(region) * COSTS.plain_copied + region.live_bits * COSTS.plain_live
    area.mux_lut = ports_lut(region)
    area.listed += drivers.selected(region)
    area.kept = registers.kept(region)
    return area


def _feeders(kind: Kind, target: Target) -> float:
    """Most cores that feed a chain of sums outside a pipeline: each starts when its sum is near.

    gemm and atax of data/qor, unrolled by 2, 4, 8 and 16 (Vitis HLS 2022.1): 2, 4, 4 or 5, and 5 multipliers.
    """
    latency = operator("add", kind[1], target).latency_cycles
    return latency + 1.0 if latency else math.inf


def _add_areas(result: LoopResult, own: Area) -> None:
    """Put together a loop's own code and the loops inside it, in as many copies as run side by side."""
    parallel = max(min(result.plan.parallel, result.trips * result.plan.parallel), 1.0)
    result.area.beside(own, parallel)
    result.unshared.beside(own, parallel)
    for child in result.children:
        spread = parallel * child.replicas
        # Loops one after another use the same cores again; copies that run side by side cannot.
        if parallel > 1:
            result.area.beside(child.area, spread)
        else:
            result.area.after(child.area, spread)
        result.unshared.beside(child.unshared, spread)
