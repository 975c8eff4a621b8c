"""The closed form: what the tool would build of a program, loop by loop, without running it.

    estimate = estimate_program(program, top="fir", target=Target("ultrascaleplus", 3.33))

Latency is trip count x II + depth through the loop nest; area is operators after sharing, memories, control. Rules
stand in modules of their own: `trip_counts`, `plan` (what is pipelined and unrolled), `region` (schedule of straight
code), `initiation` (II), `memory` (banks), `operators` (cores), `dataflow` (overlap of processes).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...errors import SourceError
from ..program import ir
from ..program.constants import Number, evaluate
from ..program.expressions import assigned_variables, root_variable
from ..program.facts import calls
from ..program.sizes import total_bits
from ..program.trip_counts import TripCount, TripCounter, constant_step, stable_bindings
from ..program.typenames import UNKNOWN
from ..tool.binding import Binding, bindings
from ..tool.memories import MEMORY
from ..tool.operators import Target, operator
from .area import Area, Kind, area_cost, copied_bits, loop_control, ports_lut
from .beside import LoopUses, copy_uses, loop_uses
from .costs import COSTS, MAX_LIVE_BITS, MAX_STAGES
from .dataflow import overlapped
from .initiation import Bound, NestLoop, access_cycles, by_array, port_bound, recurrence_bound
from .interfaces import add_interfaces
from .memory import Layout, Storage, element_count, layouts, storage
from .merlin import add_banks, add_transfers, reload_cycles
from .plan import MERLIN_FLATTEN_LIMIT, Options, Plan, is_perfect, make_plans
from .region import NONE, Access, Alias, Host, Region, Value

# Used only to weigh code under loops of unknown length against each other; the total is then reported as unknown.
NOMINAL_TRIP = 32.0
MAX_CALLS = 40
MAX_WALKS = 5000


@dataclass(slots=True, eq=False)
class LoopResult:
    """One loop as it would be built; cycles of one entry, children inside it."""

    loop: ir.Loop
    trip: TripCount
    plan: Plan
    trips: float
    ii: int | None = None
    bound: Bound = field(default_factory=lambda: Bound(1, ""))
    depth: float = 0.0
    cycles: float = 0.0
    known: bool = True
    area: Area = field(default_factory=Area)
    unshared: Area = field(default_factory=Area)
    children: list[LoopResult] = field(default_factory=list)
    nest: list[NestLoop] = field(default_factory=list)
    members: list[ir.Loop] = field(default_factory=list)
    region: Region | None = None
    notes: list[str] = field(default_factory=list)
    entries: float = 1.0
    replicas: float = 1.0
    flattened: bool = False


@dataclass(slots=True, eq=False)
class FunctionResult:
    """One function as it would be built, for one set of constant arguments."""

    function: ir.Function
    cycles: float = 0.0
    known: bool = True
    area: Area = field(default_factory=Area)
    unshared: Area = field(default_factory=Area)
    memory: dict[ir.Variable, Storage] = field(default_factory=dict)
    loops: list[LoopResult] = field(default_factory=list)
    calls: list[FunctionResult] = field(default_factory=list)
    dataflow: bool = False
    interval: float = 0.0
    depth: float = 0.0
    traffic: dict[ir.Variable, float] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    used: dict[ir.Variable, set[str]] = field(default_factory=dict)
    unrolled: dict[ir.Loop, float | None] = field(default_factory=dict)  # trips of loops that are none any more


@dataclass(slots=True, eq=False)
class Estimate:
    """The whole design. Latency is None when a loop's trip count is unknown; `nominal_cycles` then assumes 32."""

    program: ir.Program
    top: FunctionResult
    target: Target
    options: Options
    lut: float
    dsp: float
    ff: float
    bram_18k: float
    latency_cycles: float | None
    nominal_cycles: float
    area: Area
    unshared: Area
    functions: dict[str, FunctionResult]


class FunctionEstimator(Host):
    """Walks one function; made anew for every call with other constants or arrays."""

    def __init__(
        self,
        design: Design,
        function: ir.Function,
        constants: Mapping[ir.Variable, Number],
        aliases: dict[ir.Variable, Alias],
        outer: dict[ir.Variable, Layout],
        stack: tuple[str, ...],
    ) -> None:
        self.design = design
        self.program = design.program
        self.target = design.target
        self.function = function
        self.known = stable_bindings(function, constants)
        self.aliases = aliases
        self.stack = (*stack, function.name)
        self.layouts = dict(outer)
        # A parameter stands for the caller's array: what is said about it here holds for that array.
        for var, layout in design.layouts(function).items():
            alias = aliases.get(var)
            array = alias.array if alias is not None else var
            if array not in self.layouts or layout.banks or layout.reshaped:
                self.layouts[array] = layout
        self.active: set[ir.Variable] = set()
        self.strides: dict[ir.Variable, float] = {}
        self.current: ir.Loop | None = None
        counter = TripCounter(self.known, design.options.default_trip_count, constants)
        counter.block(function.body)
        self.counts = counter.counts
        self.plans = make_plans(function, self.counts, design.options, design.calls_loops)
        self.result = FunctionResult(function)
        self.sink: list[LoopResult] = self.result.loops
        self.callees: dict[str, FunctionResult] = {}
        self.inline_depth = 0
        self.unknown = 0  # loops met that would be unrolled if anybody knew how far

    # -- what regions ask -------------------------------------------------------------------------------------

    def layout(self, array: ir.Variable) -> Layout:
        """How an array is laid out."""
        found = self.layouts.get(array)
        if found is None:
            found = self.layouts[array] = self.design.default_layout(array)
        return found

    def bound(self, var: ir.Variable) -> Binding:
        """What BIND_OP says about the operators that produce a variable."""
        return self.design.bindings(self.function).get(var, {})

    def step(self, loop: ir.Loop) -> float:
        """Step of a counting loop."""
        return self.design.step(loop, self.known)

    def average_trip(self, loop: ir.Loop) -> float:
        """Iterations of a loop, the nominal number where they are unknown."""
        count = self.counts.get(loop)
        return NOMINAL_TRIP if count is None or count.average is None else count.average

    def unroll_trip(self, loop: ir.Loop, unroll_all: bool) -> float | None:
        """Copies of a loop that is unrolled fully; None for a loop that stays one."""
        plan = self.plans.get(loop)
        if unroll_all or (plan is not None and plan.full_unroll):
            count = self.counts.get(loop)
            self.result.unrolled[loop] = count.average if count is not None else None
            if count is None or count.average is None:
                self.unknown_trip(loop)
            return max(self.average_trip(loop), 0.0)
        return None

    def nested(self, loop: ir.Loop, region: Region) -> tuple[float, LoopUses | None]:
        """Cycles of a loop inside the region, and what it touches; its result goes to the current sink."""
        result = self.loop_result(loop)
        copies = 1.0
        for trip in region.unrolled.values():
            copies *= trip
        result.replicas = copies
        self.sink.append(result)
        outlined = result.ii is not None and self.design.options.behaviour.outlined_loops
        return (
            result.cycles * (1.0 if self.design.options.behaviour.merlin else copies),
            loop_uses(loop, region.aliases, self.port) if outlined else None,
        )

    def port(self, array: ir.Variable) -> object:
        """What accesses of an array share: its memory, or the bundle of its m_axi interface."""
        layout = self.layout(array)
        return layout.bundle or "gmem" if layout.interface == "m_axi" else array

    def call(self, region: Region, function: ir.Function, expr: ir.Call) -> Value:
        """A call: walked in place when the function has no loops that stay, else an instance of its own."""
        args = [region.value(argument) for argument in expr.args]
        time = max([a.time for a in args], default=region.base)
        kind = function.returns
        if function.name in self.stack or len(self.stack) > MAX_CALLS:
            return Value(time, NONE, kind, {})
        self.design.walks += 1
        if self.design.walks > MAX_WALKS:
            self.give_up()
            return Value(time, NONE, kind, {})
        aliases, constants = self.bind(region, function, expr)
        if region.unroll_all or self.design.is_straight(function):
            return self.inline(region, function, args, aliases, constants, time)
        result = self.design.function_result(self, function, constants, aliases)
        copies = math.prod(region.unrolled.values()) if region.unrolled else 1.0
        self.add_call(result, copies)
        start = math.ceil(max(time, region.end, region.base) - 1e-6)
        region.base = region.end = start + result.cycles * copies
        for key in list(region.env):
            value = region.env[key]
            value.time = max(value.time, 0.0)
        return Value(region.base, NONE, kind, {})

    def give_up(self) -> None:
        """Calls that call twice what calls twice: the number of instances grows past all reason."""
        reason = f"more than {MAX_WALKS} calls, each with the calls inside it: the rest is left out"
        self.result.known = False
        if reason not in self.result.reasons:
            self.result.reasons.append(reason)

    def unknown_trip(self, loop: ir.Loop) -> None:
        """The latency is not known: a loop in a called function has to be unrolled, but nobody knows how far."""
        self.result.known = False
        self.unknown += 1
        reason = f"the trip count of loop {loop.name} is unknown"
        if reason not in self.result.reasons:
            self.result.reasons.append(reason)

    def add_call(self, result: FunctionResult, copies: float) -> None:
        """Note an instance; calls one after another share it."""
        self.result.calls.append(result)
        name = result.function.name
        if name not in self.callees or copies > 1:
            self.callees[name] = result
            if copies == 1 and self.shares_with_callees():
                self.result.area.after(result.area)
            else:
                self.result.area.beside(result.area, copies)
            self.result.unshared.beside(result.unshared, copies)
            for var, cost in result.memory.items():
                self.result.memory[var] = cost
        if not result.known:
            self.result.known = False
            self.result.reasons += [r for r in result.reasons if r not in self.result.reasons]

    def shares_with_callees(self) -> bool:
        """Whether cores of functions called one after another become the caller's, which lends them out.

        Measured: with Vitis HLS 2022.1 bicg of data/qor, two loops in two functions, takes the DSPs of one; the tasks
        of Prometheus' 3mm take the sum with 2023.2. The processes of a dataflow region run at once.
        """
        return self.target.behaviour.callees_lend_cores and not self.result.dataflow

    def bind(
        self, region: Region, function: ir.Function, expr: ir.Call
    ) -> tuple[dict[ir.Variable, Alias], dict[ir.Variable, Number]]:
        """Arrays and constants that the parameters stand for."""
        aliases: dict[ir.Variable, Alias] = {}
        constants: dict[ir.Variable, Number] = {}
        for param, argument in zip(function.params, expr.args, strict=False):
            inner = argument
            while isinstance(inner, ir.Unary | ir.Cast) and not (isinstance(inner, ir.Unary) and inner.op != "&"):
                inner = inner.operand
            value = evaluate(inner, self.known)
            if value is not None and not param.dims:
                constants[param] = value
            place = region.place(inner) if isinstance(inner, ir.Index | ir.Member) else None
            if place is not None:
                aliases[param] = Alias(place[0], place[1], place[2])
            elif isinstance(inner, ir.Ref) and inner.var is not None:
                known = region.aliases.get(inner.var)
                if known is not None:
                    aliases[param] = known
                elif inner.var.dims or inner.var.type.kind == "stream" or inner.var.type.pointer:
                    aliases[param] = Alias(inner.var)
        return aliases, constants

    def inline(
        self,
        region: Region,
        function: ir.Function,
        args: list[Value],
        aliases: dict[ir.Variable, Alias],
        constants: dict[ir.Variable, Number],
        time: float,
    ) -> Value:
        """Walk a called function in the caller's region."""
        self.inline_depth += 1
        if self.inline_depth > MAX_CALLS:
            self.inline_depth -= 1
            return Value(time, NONE, function.returns, {})
        region.aliases.update(aliases)
        for param, value in zip(function.params, args, strict=False):
            by_value = not (param.dims or param.type.pointer or param.type.kind == "stream")
            if by_value or param not in aliases:
                region.env[param] = value
        known, stack, plans, counts = self.known, self.stack, self.plans, self.counts
        self.known = stable_bindings(function, {**known, **constants})
        self.stack = (*stack, function.name)
        for var, layout in self.design.layouts(function).items():
            if var not in self.layouts:
                self.layouts[var] = layout
        counter = TripCounter(self.known, self.design.options.default_trip_count, constants)
        counter.block(function.body)
        self.counts = {**counts, **counter.counts}
        self.plans = {
            **plans,
            **make_plans(function, counter.counts, self.design.options, self.design.calls_loops),
        }
        region.returned = None
        region.walk(function.body)
        result = region.returned
        region.returned = None
        self.known, self.stack, self.plans, self.counts = known, stack, plans, counts
        self.inline_depth -= 1
        if result is None:
            return Value(max(time, region.base), NONE, function.returns, {})
        return Value(result.time, result.deps, function.returns, result.since, result.form)

    def copy(self, region: Region, expr: ir.Call) -> Value:
        """memcpy and memset become a pipelined loop over the elements (UG1399), bursts on m_axi."""
        arrays = [a for a in (_array_of(region, argument) for argument in expr.args[:2]) if a is not None]
        size = evaluate(expr.args[2], self.known) if len(expr.args) > 2 else None
        elements = None
        if arrays:
            width = max(total_bits(arrays[0].type) // 8, 1)
            elements = size / width if size is not None else element_count(arrays[0])
        cycles = (NOMINAL_TRIP if elements is None else float(elements)) + 2
        if any(self.layout(array).interface == "m_axi" for array in arrays):
            cycles += MEMORY.axi_copy_cycles
        outlined = self.design.options.behaviour.outlined_loops and len(arrays) == len(expr.args[:2])
        region.occupy(cycles, copy_uses(arrays, self.port) if outlined else None)
        self.result.area.control_lut += COSTS.copy_lut
        self.result.area.control_ff += COSTS.copy_ff
        self.result.unshared.control_lut += COSTS.copy_lut
        self.result.unshared.control_ff += COSTS.copy_ff
        for key in [k for k in region.env if isinstance(k, tuple) and k[0] in arrays]:
            del region.env[key]
        return Value(region.base, NONE, UNKNOWN, {})

    # -- loops ------------------------------------------------------------------------------------------------

    def loop_result(self, loop: ir.Loop) -> LoopResult:
        """Estimate one loop that stays a loop, with all that is inside it."""
        plan = self.plans.get(loop, Plan())
        count = self.counts.get(loop) or TripCount(None, None, None, "unknown")
        trip = self.average_trip(loop)
        result = LoopResult(loop, count, plan, trip, known=count.average is not None)
        result.members = [loop]
        copies = min(plan.unroll, max(trip, 1.0))
        rounds = math.ceil(trip / copies) if copies > 1 else trip
        unknown = self.unknown
        if loop.pragma("HLS", "DATAFLOW") is not None:
            self.dataflow_loop(result, rounds)
        elif plan.pipelined and self.can_pipeline(loop, result):
            self.pipelined(result, copies, rounds)
        else:
            self.plain(result, copies, rounds)
        if plan.tile > 1:
            self.tile(result)
        if not result.known or self.unknown > unknown or any(not child.known for child in result.children):
            result.known = False
        return result

    def tile(self, result: LoopResult) -> None:
        """`#pragma ACCEL tile`: a loop over tiles, each of which fills its pipeline anew and fetches its own slices."""
        tiles = math.ceil(self.average_trip(result.loop) / result.plan.tile)
        restart = result.depth if result.ii is not None else 2.0
        result.cycles += (tiles - 1) * restart + tiles * reload_cycles(
            result.loop, self.target.behaviour.tile_burst_cycles
        )

    def can_pipeline(self, loop: ir.Loop, result: LoopResult) -> bool:
        """Pipelining unrolls the loops inside, so that their trip counts must be constant."""
        for inner in ir.loops_of(loop.body):
            count = self.counts.get(inner)
            if count is None or count.average is None or count.source != "bounds":
                result.notes.append(f"not pipelined: loop {inner.name} inside has no constant trip count")
                return False
            if self.design.options.behaviour.merlin and not count.constant:
                result.notes.append(f"not flattened: loop {inner.name} inside has a variable bound")
                return False
        total = result.plan.unroll * self.iterations_inside(loop.body)
        if self.design.options.behaviour.merlin and total > MERLIN_FLATTEN_LIMIT:
            result.notes.append("not flattened: too many iterations to unroll")
            return False
        return True

    def iterations_inside(self, block: ir.Block) -> float:
        """Iterations of all loops of a block that have no loop inside, one after another: the copies once unrolled."""
        return max(
            sum(self.average_trip(inner) * self.iterations_inside(inner.body) for inner in ir.loops_in(block)), 1.0
        )

    def body_region(self, loop: ir.Loop, copies: float, *, unroll_all: bool) -> Region:
        """Walk a loop's body (`copies` of it) as one region."""
        automatic = unroll_all and self.plans.get(loop, Plan()).automatic
        region = Region(self, dict(self.aliases_now()), unroll_all=unroll_all, automatic=automatic)
        assigned = assigned_variables(loop.body)
        declared = {item.var for item in loop.body.items if isinstance(item, ir.Declare)}
        region.carried = {v for v in assigned if not v.dims and v not in declared}
        region.written = {self.root(v) for v in assigned}
        region.written |= self.design.written_by_calls(loop.body)
        if loop.var is not None:
            self.active.add(loop.var)
            self.strides[loop.var] = abs(self.step(loop))
            region.carried.discard(loop.var)
        self.regions.append(region)
        if copies > 1:
            region.unroll(loop, copies)
        else:
            saved, self.current = self.current, loop
            region.walk(loop.body)
            self.current = saved
        self.regions.pop()
        if loop.var is not None:
            self.active.discard(loop.var)
        region.final = {k: v for k, v in region.env.items() if k in region.carried}
        return region

    regions: list[Region]

    def aliases_now(self) -> dict[ir.Variable, Alias]:
        """Aliases in force: those of the function, and of what is being inlined."""
        return self.regions[-1].aliases if self.regions else self.aliases

    def root(self, var: ir.Variable) -> ir.Variable:
        """The array a name stands for."""
        alias = self.aliases_now().get(var)
        return alias.array if alias is not None else var

    def pipelined(self, result: LoopResult, copies: float, rounds: float) -> None:
        """A pipelined loop: everything inside is unrolled, iterations start II apart."""
        loop = result.loop
        region = self.body_region(loop, copies, unroll_all=True)
        result.region = region
        result.nest = [NestLoop(loop.var, max(self.average_trip(loop), rounds), self.step(loop), copies)]
        self.schedule(result, region)
        if 1 < result.plan.target_ii < (result.ii or 1) and not self.target.unsafe_math:
            found = self.reorder_sums(result, copies)
            if found is not None:
                result.region = region = found
                self.schedule(result, region)
                result.bound = replace(result.bound, guess=True)
        if result.plan.serial and copies > 1:
            single = self.body_region(loop, 1.0, unroll_all=True)
            nest = [NestLoop(loop.var, self.average_trip(loop), self.step(loop))]
            bound = max(recurrence_bound(single, nest), port_bound(single), key=lambda bound: bound.ii)
            result.bound = replace(bound, ii=math.ceil(bound.ii * copies))
            result.ii = result.bound.ii
        result.trips = rounds
        result.cycles = max(rounds - 1, 0) * (result.ii or 1) + result.depth + 1
        self.pipelined_area(result, region)

    def reorder_sums(self, result: LoopResult, copies: float) -> Region | None:
        """The region with sums in another order, where only that reaches the II that a pragma asks for.

        `unsafe_math_optimizations` stands in the project, not in the source (UG1399, config_compile); who asks for such
        an II has it switched on, so that the II is a guess.
        """
        strict, self.target = self.target, replace(self.target, unsafe_math=True)
        region = self.body_region(result.loop, copies, unroll_all=True)
        self.target = strict
        return region if recurrence_bound(region, result.nest).ii <= result.plan.target_ii + 1 else None

    def dataflow_loop(self, result: LoopResult, rounds: float) -> None:
        """`dataflow` inside a loop: its iterations overlap, one starts when the slowest process is free (UG1399)."""
        loop = result.loop
        region = Region(self, dict(self.aliases_now()), unroll_all=False)
        if loop.var is not None:
            self.active.add(loop.var)
        saved, self.sink = self.sink, result.children
        self.regions.append(region)
        latency, interval = overlapped(self, loop.body, region, result.area, result.unshared)
        self.regions.pop()
        self.sink = saved
        if loop.var is not None:
            self.active.discard(loop.var)
        result.region = region
        result.trips = rounds
        result.depth = latency
        result.cycles = max(rounds - 1, 0) * interval + latency + 1
        loop_control(result.area, result.trips, result.depth)

    def schedule(self, result: LoopResult, region: Region) -> None:
        """II and depth of a pipelined nest."""
        recurrence = recurrence_bound(region, result.nest)
        ports = port_bound(region)
        target = Bound(result.plan.target_ii, "the pragma" if result.plan.target_ii > 1 else "")
        result.bound = max((target, recurrence, ports), key=lambda bound: bound.ii)
        result.ii = result.bound.ii
        result.depth = math.ceil(region.end - 1e-6) + max(ports.ii - 1, 0) + 1

    def pipelined_area(self, result: LoopResult, region: Region) -> None:
        ii = result.ii or 1
        area = Area()
        for kind, units in region.counts.items():
            op = operator(*kind, self.target)
            if op.shareable:
                area.shared[kind] = math.ceil(units / ii) if units >= 1 else units
            else:
                area.plain_lut += op.lut * units
                area.plain_dsp += op.dsp * units
        stages = max(result.depth, 1)
        held = min(region.live_bits, MAX_LIVE_BITS) * min(stages, MAX_STAGES) * COSTS.pipeline_live
        area.registers = held + copied_bits(region) * COSTS.pipeline_copied
        loop_control(area, result.trips, result.depth)
        area.mux_lut = ports_lut(region)
        result.area.beside(area)
        result.unshared.beside(area)

    def plain(self, result: LoopResult, copies: float, rounds: float) -> None:
        """A loop whose iterations follow one another, or overlap coarsely (Merlin)."""
        loop, plan = result.loop, result.plan
        saved, self.sink = self.sink, result.children
        calls = len(self.result.calls)
        region = self.body_region(loop, copies, unroll_all=False)
        self.sink = saved
        result.region = region
        memory = max((access_cycles(a, self.layout(a), x)[0] for a, x in by_array(region.accesses).items()), default=1)
        own = math.ceil(region.end - 1e-6) + max(memory - 1, 0)
        result.depth = max(own, 1.0)
        if not self.flatten(result, region, rounds, calls):
            parallel = max(min(plan.parallel, rounds), 1.0)
            passes = math.ceil(rounds / parallel)
            result.cycles = passes * (result.depth + 1) + 1
            result.trips = passes
        self.plain_area(result, region, memory)

    def flatten(self, result: LoopResult, region: Region, rounds: float, calls: int) -> bool:
        """Perfect and semi-perfect nests of a pipelined loop become one loop (UG1399, loop_flatten)."""
        loop = result.loop
        if len(result.children) != 1 or len(self.result.calls) != calls or result.plan.unroll > 1:
            return False
        child = result.children[0]
        if child.plan.tile > 1:
            return False
        off = any("off" in p.options for m in [loop, *child.members] for p in m.pragmas if p.kind == "LOOP_FLATTEN")
        if child.ii is None or off or child.region is None or not child.trip.constant or result.plan.parallel > 1:
            return False
        if not is_perfect(loop) or loop.kind not in ("for", "range"):
            return False
        nest = [NestLoop(loop.var, rounds, self.step(loop)), *child.nest]
        bound = recurrence_bound(child.region, nest)
        ports = port_bound(child.region)
        asked = self.plans[child.members[-1]].target_ii
        target = Bound(asked, "the pragma" if asked > 1 else "")
        new = max((target, bound, ports), key=lambda b: b.ii)
        result.nest, result.region = nest, child.region
        child.flattened = True
        result.ii = child.ii = new.ii
        result.bound = child.bound = new
        result.depth = child.depth
        result.trips = rounds * child.trips
        result.cycles = max(result.trips - 1, 0) * new.ii + child.depth + 1
        result.members = [loop, *child.members]
        return True

    def feeders(self, kind: Kind) -> float:
        """Most cores that feed a chain of sums outside a pipeline: each starts when its sum is near.

        gemm and atax of data/qor, unrolled by 2, 4, 8 and 16 (Vitis HLS 2022.1): 2, 4, 4 or 5, and 5 multipliers.
        """
        latency = operator("add", kind[1], self.target).latency_cycles
        return latency + 1.0 if latency else math.inf

    def plain_area(self, result: LoopResult, region: Region, memory: int) -> None:
        area = Area()
        steps = max(result.depth, 1.0)
        for kind, units in region.counts.items() if result.ii is None else ():
            op = operator(*kind, self.target)
            if op.shareable:
                slots = steps if (region.chained and kind[0].startswith("add")) else max(memory, 1)
                needed = max(math.ceil(units / max(slots, 1)), 1) if units >= 1 else units
                area.shared[kind] = min(needed, self.feeders(kind)) if region.chained else needed
            else:
                area.plain_lut += op.lut * units
                area.plain_dsp += op.dsp * units
        if result.ii is None:
            area.registers = copied_bits(region) * COSTS.plain_copied + region.live_bits * COSTS.plain_live
            area.mux_lut = ports_lut(region)
        loop_control(area, result.trips, result.depth)
        parallel = max(min(result.plan.parallel, result.trips * result.plan.parallel), 1.0)
        result.area.beside(area, parallel)
        result.unshared.beside(area, parallel)
        for child in result.children:
            spread = parallel * child.replicas
            if parallel > 1:
                result.area.beside(child.area, spread)
            else:
                result.area.after(child.area, spread)
            result.unshared.beside(child.unshared, spread)

    # -- the function -----------------------------------------------------------------------------------------

    def run(self) -> FunctionResult:
        """Estimate the function."""
        self.regions = []
        function, result = self.function, self.result
        pipeline = function.pragma("HLS", "PIPELINE")
        pipelined = pipeline is not None and "off" not in pipeline.options and self.all_constant(function)
        region = Region(self, dict(self.aliases), unroll_all=pipelined)
        self.regions.append(region)
        result.dataflow = function.pragma("HLS", "DATAFLOW") is not None
        if result.dataflow:
            result.cycles, result.interval = overlapped(self, function.body, region, result.area, result.unshared)
        else:
            region.walk(function.body)
            memory = max(
                (access_cycles(a, self.layout(a), x)[0] for a, x in by_array(region.accesses).items()), default=1
            )
            result.cycles = math.ceil(max(region.end, region.base) - 1e-6) + max(memory - 1, 0) + 1
            self.function_area(region, memory, pipelined=pipelined)
        self.regions.pop()
        result.interval = result.interval or result.cycles
        self.finish()
        return result

    def all_constant(self, function: ir.Function) -> bool:
        """Whether every loop can be unrolled."""
        return all(self.counts[loop].source == "bounds" for loop in ir.loops_of(function.body))

    def function_area(self, region: Region, memory: int, *, pipelined: bool) -> None:
        area = Area()
        for kind, units in region.counts.items():
            op = operator(*kind, self.target)
            if op.shareable:
                slots = 1 if pipelined else max(memory, 1)
                area.shared[kind] = math.ceil(units / slots) if units >= 1 else units
            else:
                area.plain_lut += op.lut * units
                area.plain_dsp += op.dsp * units
        area.registers = copied_bits(region) * COSTS.body_copied + region.live_bits * COSTS.body_live
        area.mux_lut = ports_lut(region)
        area.control_lut += COSTS.function_lut
        area.control_ff += COSTS.function_ff
        self.result.area.after(area)
        self.result.unshared.beside(area)
        for loop in self.result.loops:
            self.result.area.after(loop.area, loop.replicas)
            self.result.unshared.beside(loop.unshared, loop.replicas)

    def finish(self) -> None:
        """Memories and what is not known."""
        result = self.result
        for var in self.function.variables.values():
            if var.scope == "local" and (var.dims or var.type.kind == "stream"):
                result.memory[var] = storage(var, self.layout(var))
        for loop in result.loops:
            _mark_unknown(loop, result)
            _enter(loop, loop.replicas)
        if not result.known and not result.reasons:
            result.reasons.append("a trip count is unknown")


class Design:
    """One program with one target: caches what all functions need."""

    def __init__(self, program: ir.Program, target: Target, options: Options) -> None:
        self.program = program
        self.target = target
        self.options = options
        self._layouts: dict[str, dict[ir.Variable, Layout]] = {}
        self._loops_below: dict[str, bool] = {}
        self._results: dict[object, FunctionResult] = {}
        self._steps: dict[ir.Loop, float] = {}
        self._bindings: dict[str, Mapping[ir.Variable, Binding]] = {}
        self.functions: dict[str, FunctionResult] = {}
        self.walks = 0

    def bindings(self, function: ir.Function) -> Mapping[ir.Variable, Binding]:
        """What pragmas say about the operators behind a function's variables."""
        found = self._bindings.get(function.name)
        if found is None:
            found = self._bindings[function.name] = bindings(function)
        return found

    def layouts(self, function: ir.Function) -> dict[ir.Variable, Layout]:
        """Layout of the arrays a function names."""
        found = self._layouts.get(function.name)
        if found is None:
            merlin = self.options.behaviour.merlin
            found = layouts(
                function,
                self.program,
                auto_partition=not merlin,
                throughput_driven=self.options.behaviour.throughput_driven,
            )
            if self.options.behaviour.merlin:
                # Merlin partitions by itself as the parallel factors ask for.
                for layout in found.values():
                    layout.banks = dict.fromkeys(range(8), ("complete", 1))
                    layout.merged = False
            self._layouts[function.name] = found
        return found

    def default_layout(self, array: ir.Variable) -> Layout:
        """Layout of an array no function in sight declares."""
        if array.type.kind == "stream":
            return Layout(interface="fifo")
        if self.options.behaviour.merlin:
            return Layout(dict.fromkeys(range(8), ("complete", 1)), merged=False)
        return Layout()

    def step(self, loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> float:
        """Step of a counting loop, 1 where unknown."""
        if loop not in self._steps:
            found = constant_step(loop.step, loop.var, known) if loop.step is not None and loop.var is not None else 1
            self._steps[loop] = float(found or 1)
        return self._steps[loop]

    def is_straight(self, function: ir.Function) -> bool:
        """No loop that stays one: the call is walked in place. Functions that must not be inlined are instances."""
        return not self._has_loops(function)

    def calls_loops(self, loop: ir.Loop) -> bool:
        """Whether a loop's body calls a function that has loops, itself or further down."""
        return self._calls_with_loops(loop.body)

    def _calls_with_loops(self, block: ir.Block, depth: int = 0) -> bool:
        for call in calls(block):
            callee = self.program.functions.get(call.name)
            if callee is not None and self._has_loops(callee, depth + 1):
                return True
        return False

    def _has_loops(self, function: ir.Function, depth: int = 0) -> bool:
        """Whether a function has loops, itself or further down; found once for each."""
        known = self._loops_below.get(function.name)
        if known is None and depth <= MAX_CALLS:
            self._loops_below[function.name] = False  # what a function that calls itself finds on its way
            known = any(True for _ in ir.loops_of(function.body)) or self._calls_with_loops(function.body, depth)
            self._loops_below[function.name] = known
        return bool(known)

    def written_by_calls(self, block: ir.Block) -> set[ir.Variable]:
        """Arrays given to functions inside a block: they may be written."""
        arguments = (argument for call in calls(block) for argument in call.args)
        given = (root_variable(argument) for argument in arguments)
        return {var for var in given if var is not None and var.dims}

    def function_result(
        self,
        caller: FunctionEstimator,
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
        found = self._results.get(key)
        if found is None:
            worker = FunctionEstimator(self, function, constants, aliases, caller.layouts, caller.stack)
            found = self._results[key] = worker.run()
            self.functions.setdefault(function.name, found)
        return found


def estimate_program(
    program: ir.Program,
    top: ir.Function,
    target: Target,
    options: Options,
    known: Mapping[ir.Variable, Number] | None = None,
) -> Estimate:
    """Estimate a design from its top function. Raises SourceError for code too deeply nested to be walked."""
    design = Design(program, target, options)
    try:
        result = FunctionEstimator(design, top, known or {}, {}, {}, ()).run()
    except RecursionError as error:
        raise SourceError("loops and calls are nested too deeply; split the function", path=program.path) from error
    design.functions[top.name] = result
    if options.behaviour.merlin:
        add_banks((result.area, result.unshared), _accesses((result, *design.functions.values())))
        result.cycles += add_transfers(top, result.memory, target.behaviour)
    else:
        add_interfaces(top, result.memory, design.layouts(top))
    return _total(design, result)


def _accesses(results: Iterable[FunctionResult]) -> Iterator[Access]:
    """Loads and stores of all loops, each function's once."""
    pending = [loop for function in {id(f): f for f in results}.values() for loop in function.loops]
    while pending:
        loop = pending.pop()
        pending += loop.children
        yield from loop.region.accesses if loop.region is not None else ()


def _total(design: Design, result: FunctionResult) -> Estimate:
    target = design.target
    cost = area_cost(result.area, target)
    memory = list(result.memory.values())
    for var in design.program.globals.values():
        if var.dims and not var.const:
            memory.append(storage(var, design.default_layout(var)))
    lut = cost.lut + sum(item.lut for item in memory)
    ff = cost.ff + sum(item.ff for item in memory)
    return Estimate(
        design.program, result, target, design.options, lut, cost.dsp, ff, sum(item.bram_18k for item in memory),
        result.cycles if result.known else None, max(result.cycles, 1.0), result.area, result.unshared,
        design.functions,
    )  # fmt: skip


def _array_of(region: Region, expr: ir.Expr) -> ir.Variable | None:
    var = root_variable(expr)
    if var is None:
        return None
    alias = region.aliases.get(var)
    return alias.array if alias is not None else var


def _enter(loop: LoopResult, entries: float) -> None:
    """How often each loop is entered from outside the function: the trips of the loops around it."""
    loop.entries = entries
    for child in loop.children:
        _enter(child, entries * max(child.replicas, 1.0) * (1.0 if child.flattened else max(loop.trips, 1.0)))


def _mark_unknown(loop: LoopResult, result: FunctionResult) -> None:
    if loop.trip.average is None:
        result.known = False
        result.reasons.append(f"the trip count of loop {loop.loop.name} is unknown")
    for child in loop.children:
        _mark_unknown(child, result)


__all__ = ["Access", "Area", "Estimate", "FunctionResult", "LoopResult", "area_cost", "estimate_program"]
