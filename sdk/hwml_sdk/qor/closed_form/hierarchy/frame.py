"""One function while it is walked: what is known of it, and where its results go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Self

from ...program import ir
from ...program.advances import advances
from ...program.budget import Work
from ...program.constants import Number, evaluate
from ...program.expressions import calls, loops_inside
from ...program.flow import variables_in
from ...program.trip_counts import TripCount, TripCounter, stable_bindings
from ...tool.binding import Binding
from ...tool.operators import Target
from ..design_cache import Design
from ..memory import Layout
from ..plan import Plan, make_plans
from ..results import FunctionResult, LoopResult
from ..schedule.accesses import Alias, Arms
from ..schedule.banks import exclusive
from ..schedule.beside import LoopUses
from ..schedule.region import Region, Stay
from ..schedule.values import Value

# Used only to weigh code under loops of unknown length against each other; the total is then reported as unknown.
NOMINAL_TRIP = 32.0
LOOP_STEPS = 8  # what counting and planning a loop costs, in expressions that are walked in that time


@dataclass(frozen=True, slots=True, eq=False)
class Busy:
    """When an instance of a function runs, in the time of a region, and on which branches."""

    region: Region
    start: float
    end: float
    arms: Arms

    def meets(self, other: Busy) -> bool:
        """Whether two may run at the same time."""
        if self.region is not other.region or exclusive(self.arms, other.arms):
            return False
        return self.start < other.end and other.start < self.end


@dataclass(slots=True, eq=False)
class Frame(ABC):
    """A function with what its parameters stand for; made anew for every call with other constants or arrays.

    While a call is walked in place, known, stack, counts and plans are those of the callee inside.

    known: constants that hold throughout. aliases: arrays behind parameters. stack: names of the functions being
    walked, outermost first. layouts: of every array met. counts, plans: of every loop.
    sink: where the results of loops go. owner: the loop they are in. active, strides, reaches: counters of loops that
    are being walked, what they grow by and between which numbers. regions: those being walked, innermost last. callees:
    when each instance ran last, by name. inline_depth: calls walked in place.
    advanced: what loops' bodies add to variables, as far as it was asked for. key: of the function and its arguments.
    overlaps: what is walked are processes that run at the same time.

    The abstract methods lead back up, from a region to the loops and calls in it: `functions` says what they do.
    """

    design: Design
    function: ir.Function
    known: dict[ir.Variable, Number]
    aliases: dict[ir.Variable, Alias]
    stack: tuple[str, ...]
    layouts: dict[ir.Variable, Layout]
    counts: dict[ir.Loop, TripCount]
    plans: dict[ir.Loop, Plan]
    result: FunctionResult
    sink: list[LoopResult]
    owner: LoopResult | None = None
    active: set[ir.Variable] = field(default_factory=set)
    strides: dict[ir.Variable, float] = field(default_factory=dict)
    reaches: dict[ir.Variable, tuple[int, int] | None] = field(default_factory=dict)
    regions: list[Region] = field(default_factory=list)
    callees: dict[str, list[Busy]] = field(default_factory=dict)
    inline_depth: int = 0
    advanced: dict[ir.Loop, Mapping[ir.Variable, float]] = field(default_factory=dict)
    key: Hashable = None
    overlaps: bool = False

    @classmethod
    def of(
        cls,
        design: Design,
        function: ir.Function,
        constants: Mapping[ir.Variable, Number],
        aliases: dict[ir.Variable, Alias],
        outer: Mapping[ir.Variable, Layout],
        stack: tuple[str, ...],
    ) -> Self:
        """The frame of a call. constants: of arguments. outer: layouts of the caller's arrays. stack: the callers."""
        known = stable_bindings(function, constants)
        result = FunctionResult(function)
        frame = cls(
            design, function, known, aliases, (*stack, function.name), dict(outer), {}, {}, result, result.loops
        )  # fmt: skip
        arrays = frozenset((param, alias.array) for param, alias in aliases.items())
        frame.key = function.name, frozenset(constants.items()), arrays
        # A parameter stands for the caller's array: what is said about it here holds for that array.
        for var, layout in design.layouts(function).items():
            alias = aliases.get(var)
            array = alias.array if alias is not None else var
            if array not in frame.layouts or layout.banks or layout.reshaped:
                frame.layouts[array] = layout
        frame.plan_loops(function, constants)
        return frame

    def plan_loops(self, function: ir.Function, constants: Mapping[ir.Variable, Number]) -> None:
        """Count and plan the loops of a function, of which `known` says what holds in it."""
        self.advanced = {}  # other constants may be added now
        counts = self._counted(function, constants)
        self.work.left -= LOOP_STEPS * len(counts)
        # New ones, not added to: what is put back after a call in place must be as it was before.
        self.counts = {**self.counts, **counts}
        extents = {loop: self.design.extent(count) for loop, count in counts.items()}
        self.plans = {**self.plans, **self._planned(function, constants, extents)}

    def _planned(
        self, function: ir.Function, constants: Mapping[ir.Variable, Number], extents: Mapping[ir.Loop, TripCount]
    ) -> dict[ir.Loop, Plan]:
        memo = self.design.memo
        if memo is None:
            return make_plans(function, extents, self.design.options, self.design.calls_loops)
        known = function.name, frozenset(self.known.items()), frozenset(constants.items())
        key = *known, memo.said_in(function), self.design.said
        if key not in memo.plans:
            memo.plans[key] = make_plans(function, extents, self.design.options, self.design.calls_loops)
        return memo.plans[key]

    def _counted(self, function: ir.Function, constants: Mapping[ir.Variable, Number]) -> dict[ir.Loop, TripCount]:
        """Trip counts of a function's loops; pragmas that are tried do not change them."""
        memo = self.design.memo
        key = function.name, frozenset(self.known.items()), frozenset(constants.items())
        if memo is not None and key in memo.counts:
            return memo.counts[key]
        counter = TripCounter(self.known, self.design.options.default_trip_count, constants)
        counter.block(function.body)
        if memo is not None:
            memo.counts[key] = counter.counts
        return counter.counts

    def endless_call(self, loop: ir.Loop) -> str | None:
        """A function that a loop's body calls and that has a loop which cannot be unrolled; None where there is none.

        What is called in a pipelined loop is inlined, so that its loops have to be unrolled as those of the body are
        (UG1399, pragma pipeline; csynth of such a call, 2022.1: neither loop is pipelined).
        """
        if not self.design.calls_loops(loop):
            return None
        # What hangs on a counter inside is a constant in each copy.
        counters = {inner.var for inner in loops_inside(loop.body)}
        for call in calls(loop.body):
            callee = self.program.functions.get(call.name)
            if callee is None or not any(True for _ in ir.loops_of(callee.body)):
                continue
            pairs = list(zip(callee.params, call.args, strict=False))
            if any(var in counters for _, argument in pairs for var in variables_in(argument)):
                continue
            found = {param: evaluate(argument, self.known) for param, argument in pairs if not param.dims}
            constants = {param: value for param, value in found.items() if value is not None}
            counts = self._counted(callee, constants)
            # A bound that is data of the callee's own may still be known where it is walked.
            open_ones = {param for param, value in found.items() if value is None}
            for inner in ir.loops_of(callee.body):
                bounds = variables_in(inner.start, inner.condition)
                if counts[inner].source != "bounds" and not open_ones.isdisjoint(bounds):
                    return callee.name
        return None

    # -- what regions ask (`schedule.region.Host`) ------------------------------------------------------------

    @property
    def program(self) -> ir.Program:
        """The whole program."""
        return self.design.program

    @property
    def work(self) -> Work:
        """What may still be walked of the design."""
        return self.design.work

    @property
    def target(self) -> Target:
        """What it is built on."""
        return self.design.target

    def layout(self, array: ir.Variable) -> Layout:
        """How an array is laid out."""
        found = self.layouts.get(array)
        if found is None:
            found = self.layouts[array] = self.design.default_layout(array)
        return found

    def bound(self, var: ir.Variable) -> Binding:
        """What BIND_OP says about the operators that produce a variable."""
        owner = self.program.functions.get(var.function, self.function)
        return self.design.bindings(owner).get(var, {})

    def limits(self) -> Mapping[str, int]:
        """Operation, or `call f` for a function -> how many instances there may be."""
        return self.design.limits(self.function)

    def keep(self, array: ir.Variable) -> None:
        """Note that a constant table is looked up at run time."""
        self.design.tables[array] = self.layout(array)

    def part(self, var: ir.Variable, field: str) -> ir.Variable | None:
        """A field of a struct as a variable of its own."""
        return self.design.part(var, field)

    def step(self, loop: ir.Loop) -> float:
        """Step of a counting loop."""
        # The design keeps the first call's answer: steps that differ with an argument have not been seen.
        return self.design.step(loop, self.known)

    def alone(self, var: ir.Variable) -> bool:
        """Whether a parameter of a called function leads to one struct; those of the top are its interface."""
        return len(self.stack) > 1 and self.design.is_object(var)

    def start(self, loop: ir.Loop) -> float | None:
        """First value of a loop's variable where it is a constant."""
        found = evaluate(loop.start, self.known) if loop.start is not None else None
        return None if found is None else float(found)

    def advances(self, loop: ir.Loop) -> Mapping[ir.Variable, float]:
        """What each variable grows by in one iteration of a loop, of those that only constants are added to."""
        found = self.advanced.get(loop)
        if found is None:
            found = self.advanced[loop] = self._advances(loop)
        return found

    def _advances(self, loop: ir.Loop) -> Mapping[ir.Variable, float]:
        memo = self.design.memo
        if memo is None or self.inline_depth:
            return advances(loop, self.known, self._constant_trip, self.program)
        key = loop, self.key
        if key not in memo.advances:
            memo.advances[key] = advances(loop, self.known, self._constant_trip, self.program)
        return memo.advances[key]

    def _constant_trip(self, loop: ir.Loop) -> float | None:
        count = self.counts.get(loop)
        return count.average if count is not None and count.constant else None

    def reach(self, var: ir.Variable) -> tuple[int, int] | None:
        """Least and greatest number in the counter of a loop that is walked, the one that ends it among them."""
        return self.reaches.get(var) if var in self.active else None

    def unroll_trip(self, loop: ir.Loop, unroll_all: bool) -> float | None:
        """Copies of a loop that is unrolled fully; None for a loop that stays one."""
        plan = self.plans.get(loop)
        if not unroll_all and (plan is None or not plan.full_unroll):
            return None
        count = self.counts.get(loop)
        self.result.unrolled[loop] = count.average if count is not None else None
        if count is None or count.average is None:
            # A loop in a called function has to be unrolled, but nobody knows how far.
            self.regions[-1].unknown.uncounted(loop)
            return NOMINAL_TRIP
        # What varies with a loop that is unrolled as well is known in each of its copies: all of them add up.
        return max(count.average, 0.0)

    @abstractmethod
    def nested(self, loop: ir.Loop, region: Region) -> tuple[Stay, LoopUses | None]:
        """How long a loop inside the region takes, and what it touches; its result goes to the current sink."""

    @abstractmethod
    def call(self, region: Region, function: ir.Function, expr: ir.Call) -> Value:
        """A call of a function of the program."""

    @abstractmethod
    def referred(self, region: Region, function: ir.Function, expr: ir.Call) -> ir.Expr | None:
        """What a call names that is written to; None where it is not known."""

    @abstractmethod
    def image(self, region: Region, expr: ir.Call) -> Value | None:
        """A function of a vision library; None for any other call."""

    @abstractmethod
    def copy(self, region: Region, expr: ir.Call) -> Value:
        """memcpy, memmove and memset."""

    @abstractmethod
    def instance(
        self,
        function: ir.Function,
        constants: Mapping[ir.Variable, Number],
        aliases: dict[ir.Variable, Alias],
    ) -> FunctionResult:
        """Result of a called function that is built as a block of its own."""

    # -- what loops and calls ask -----------------------------------------------------------------------------

    def trip(self, loop: ir.Loop) -> float:
        """Iterations of a loop as it is built and weighed, the nominal number where they are unknown."""
        count = self.counts.get(loop)
        average = self.design.extent(count).average if count is not None else None
        return NOMINAL_TRIP if average is None else average

    def aliases_now(self) -> dict[ir.Variable, Alias]:
        """Aliases in force: those of the function, and of what is being walked in place."""
        return self.regions[-1].aliases if self.regions else self.aliases

    def root(self, var: ir.Variable) -> ir.Variable:
        """The array a name stands for."""
        alias = self.aliases_now().get(var)
        return alias.array if alias is not None else var

    def port(self, array: ir.Variable) -> object:
        """What accesses of an array share: its memory, or the bundle of its m_axi interface."""
        # One read and one write channel a bundle, whatever arrays are behind it (UG1399, pragma HLS interface).
        layout = self.layout(array)
        return layout.bundle or "gmem" if layout.interface == "m_axi" else array
