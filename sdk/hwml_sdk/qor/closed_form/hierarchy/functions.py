"""The walk over a function: its body is a region, and here regions find the way back up to loops and calls."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...program import ir
from ...program.constants import Number
from .. import drivers, logic, registers
from ..area import Area, copied_bits, ports_lut
from ..costs import COSTS
from ..memory import is_memory, is_state, storage
from ..results import FunctionResult, LoopResult
from ..schedule.accesses import Alias
from ..schedule.beside import LoopUses
from ..schedule.region import Region, Stay
from ..schedule.statements import open_region, walk
from ..schedule.values import Value
from . import images, instances, loops
from .dataflow import overlapped
from .frame import Frame
from .instances import note_unread
from .sharing import add_operators, memory_cycles, taking_turns


class FunctionEstimator(Frame):
    """A frame whose loops and calls are estimated as they are met."""

    __slots__ = ()

    def nested(self, loop: ir.Loop, region: Region) -> tuple[Stay, LoopUses | None]:
        """How long a loop inside the region takes, and what it touches; its result goes to the current sink."""
        return loops.nested(self, loop, region)

    def call(self, region: Region, function: ir.Function, expr: ir.Call) -> Value:
        """A call of a function of the program."""
        return instances.call(self, region, function, expr)

    def referred(self, region: Region, function: ir.Function, expr: ir.Call) -> ir.Expr | None:
        """The element or field that a call returns, to be written to."""
        return instances.referred(self, region, function, expr)

    def image(self, region: Region, expr: ir.Call) -> Value | None:
        """A function of a vision library; None for any other call."""
        return images.image(self, region, expr)

    def copy(self, region: Region, expr: ir.Call) -> Value:
        """memcpy, memmove and memset."""
        return instances.copy(self, region, expr)

    def instance(
        self,
        function: ir.Function,
        constants: Mapping[ir.Variable, Number],
        aliases: dict[ir.Variable, Alias],
    ) -> FunctionResult:
        """Estimate of a called function, once for each set of constants and arrays."""
        key = (
            function.name,
            frozenset(constants.items()),
            frozenset((param, alias.array) for param, alias in aliases.items()),
        )
        found = self.design.results.get(key)
        if found is None:
            worker = FunctionEstimator.of(self.design, function, constants, aliases, self.layouts, self.stack)
            found = self.design.results[key] = worker.run()
            self.design.functions.setdefault(function.name, found)
        return found

    def run(self) -> FunctionResult:
        """Estimate the function."""
        function, result = self.function, self.result
        pipeline = function.pragma("HLS", "PIPELINE")
        pipelined = pipeline is not None and "off" not in pipeline.options and self._all_constant()
        # PIPELINE on a function unrolls every loop in it, which takes bounds that are known (UG1399, pragma pipeline).
        region = open_region(self, self.target, self.aliases, unroll_all=pipelined)
        self.regions.append(region)
        result.dataflow = function.pragma("HLS", "DATAFLOW") is not None
        if result.dataflow:
            result.cycles, result.interval = overlapped(self, function.body, region, result.area, result.unshared)
        else:
            walk(region, function.body)
            memory = memory_cycles(region)
            # Cycles from start to done: one less than states, so that what is done within one state takes none.
            result.cycles = max(math.ceil(max(region.end, region.base) - 1e-6) + max(memory - 1, 0) - 1, 0)
            asked = (pipeline.whole("ii") if pipelined and pipeline is not None else None) or 1
            # Cores of a pipelined function take turns over its II, as those of a loop do.
            self._add_area(region, max(asked, memory) if pipelined else memory, pipelined=pipelined)
            # A pipelined function takes new arguments every II; another one when it is done (csynth: latency + 1).
            result.interval = float(max(asked, memory)) if pipelined else result.cycles + 1
        self.regions.pop()
        self.callees.clear()  # they know their regions, and those know this
        note_unread(region, function)
        result.unknown.join(region.unknown)
        self._finish()
        return result

    def _all_constant(self) -> bool:
        """Whether every loop can be unrolled."""
        return all(self.counts[loop].source == "bounds" for loop in ir.loops_of(self.function.body))

    def _add_area(self, region: Region, slots: int, *, pipelined: bool) -> None:
        """Add the function's own code and its loops. slots: cycles over which its operators can take turns."""
        area = Area()
        add_operators(area, region, self.target, lambda _, units: taking_turns(units, max(slots, 1)))
        area.registers = copied_bits(region) * COSTS.body_copied + region.live_bits * COSTS.body_live
        area.mux_lut = ports_lut(region)
        area.listed += drivers.selected(region)
        if not pipelined:
            area.listed += drivers.shared_ports(self.result, region, slots)
        else:
            area.listed += drivers.ports(region, slots)
        area.kept = registers.kept(region, slots if pipelined else 0)
        states = max(self.result.cycles - region.stayed, 0.0)
        # States of a function: start, done, idle, ready (ap_ctrl_hs, UG1399); none where all is done at once.
        if self.result.cycles or self._keeps_something():
            area.control_lut += COSTS.function_lut
            area.control_ff += COSTS.function_ff
            states += 1
            if self._is_one_loop(region):
                area.kept += registers.given_to_pipeline(self.result.loops[0].region, self.result.loops[0].ii or 1)
            else:
                area.kept += max(self.result.cycles - region.stayed + 1, 0.0) + registers.of_calls(region)
        area.listed += logic.of_function(self.target, states, self.result)
        # `after`: cores of callees were added on the way, and the function's own code uses them between the calls.
        self.result.area.after(area)
        self.result.unshared.beside(area)
        for loop in self.result.loops:
            self.result.area.after(loop.area, loop.replicas)
            self.result.unshared.beside(loop.unshared, loop.replicas)
        self.result.area.listed += logic.lent_cores(self.result)

    def _is_one_loop(self, region: Region) -> bool:
        """Whether a pipelined loop is all there is, so that the function itself is the pipeline."""
        loops = self.result.loops
        one = len(loops) == 1 and loops[0].ii is not None and not self.result.calls
        return one and self.target.behaviour.outlined_loops and not region.counts and region.called == 1

    def _keeps_something(self) -> bool:
        """Whether it has memories or numbers that outlast a call, its own or the file's."""
        reads, writes = self.design.outside(self.function.name)
        return any(map(is_memory, self.function.variables.values())) or any(
            not var.const and (var.dims or is_state(var)) for var in reads | writes
        )

    def _finish(self) -> None:
        """Memories and what is not known."""
        result = self.result
        for var in (*self.function.variables.values(), *self.design.arrays_in(self.function)):
            if is_memory(var):
                result.memory[var] = storage(var, self.layout(var))
        for loop in result.loops:
            _enter(loop, loop.replicas)


def _enter(loop: LoopResult, entries: float) -> None:
    """How often each loop is entered from outside the function: the trips of the loops around it."""
    loop.entries = entries
    for child in loop.children:
        # A flattened loop is entered as often as the nest is, its trips stand in the one around it.
        around = 1.0 if child.flattened else max(loop.trips, 1.0)
        _enter(child, entries * max(child.replicas, 1.0) * around)
