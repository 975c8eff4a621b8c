"""One stretch of code between loops as data: what is known while it is walked, and what the walk leaves.

Inner loops that the tool unrolls are walked once; `Region.unrolled` says how many copies there are of each operator, so
that a body unrolled a thousand times costs no more to analyse than the body itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...program import ir
from ...program.budget import Work
from ...program.constants import Number
from ...program.flow import variables_in
from ...tool.operators import Target
from ..memory import Layout
from ..unknown import Unknown
from .accesses import Access, Alias, Arms, Element, Made, by_array
from .beside import Beside, LoopUses
from .bounds import Bound
from .known import Elements, Known
from .values import NO_LOOPS, Hold, Sources, Value

# What an operator is counted under: what it does and on which type.
Kind = tuple[str, ir.CType]
# How to walk each type of expression; expressions hold one another, so that the table comes from above.
Handlers = Mapping[type, Callable[["Region", Any], Value]]


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a loop that stays one keeps the code around it. called: it is a function of its own."""

    cycles: float
    called: bool


# A protocol, so that straight code knows nothing of the functions and loops it is part of; properties, as regions only
# read them, and what reads is content with less than what writes.
class Host(Protocol):
    """What a region needs of the function it is walked for: facts, and answers to what is no straight code."""

    @property
    def program(self) -> ir.Program:
        """The whole program."""

    @property
    def work(self) -> Work:
        """What may still be walked of the design."""

    @property
    def known(self) -> Mapping[ir.Variable, Number]:
        """Variables that hold a constant throughout the function being walked."""

    @property
    def active(self) -> set[ir.Variable]:
        """Counters of the loops around the region that stay loops."""

    @property
    def strides(self) -> Mapping[ir.Variable, float]:
        """What the active loops' counters grow by each iteration."""

    def reach(self, var: ir.Variable) -> tuple[int, int] | None:
        """Least and greatest number in the counter of a loop around the region, None where they are not known."""

    def unroll_trip(self, loop: ir.Loop, unroll_all: bool) -> float | None:
        """Copies of a loop that is unrolled fully, None when it stays a loop."""

    def bound(self, var: ir.Variable) -> Mapping[str, str]:
        """Operator kind -> implementation that a pragma asks for where a variable is produced."""

    def limits(self) -> Mapping[str, int]:
        """Operation, or `call f` for a function -> how many instances there may be (ALLOCATION)."""

    def keep(self, array: ir.Variable) -> None:
        """Note that a constant table is looked up at run time, so that there is a memory of it."""

    def step(self, loop: ir.Loop) -> float:
        """What the loop's variable grows by each iteration, 1 where that is not known."""

    def start(self, loop: ir.Loop) -> float | None:
        """Where the loop's variable starts, None where that is not known."""

    def advances(self, loop: ir.Loop) -> Mapping[ir.Variable, float]:
        """What each variable grows by in one iteration of a loop, of those that only constants are added to."""

    def layout(self, array: ir.Variable) -> Layout:
        """How an array is laid out."""

    def nested(self, loop: ir.Loop, region: Region) -> tuple[Stay, LoopUses | None]:
        """How long a loop that stays a loop takes, and what it touches where it may run beside others."""

    def call(self, region: Region, function: ir.Function, expr: ir.Call) -> Value:
        """A call of a function of the program."""

    def referred(self, region: Region, function: ir.Function, expr: ir.Call) -> ir.Expr | None:
        """What a call of a function of the program names where it is written to, None where that is not known."""

    def part(self, var: ir.Variable, field: str) -> ir.Variable | None:
        """A field of a struct as a variable of its own."""

    def alone(self, var: ir.Variable) -> bool:
        """Whether a pointer or reference parameter leads to one struct, whose fields are variables of their own."""

    def image(self, region: Region, expr: ir.Call) -> Value | None:
        """A function of a vision library, None where it is none: a pass over an image."""

    def copy(self, region: Region, expr: ir.Call) -> Value:
        """memcpy and memset: a pipelined loop of their own."""


@dataclass(slots=True, eq=False)
class Region:
    """State of the walk over a stretch of code, made by `statements.open_region`.

    unroll_all: loops inside become copies (the region is the body of a pipeline). automatic: nobody asked for that.
    in_loop: the region is the body of a loop, whose test comes first.
    handlers: how to walk each type of expression. work: what may still be walked.

    What is known at the point the walk has come to:
    env: value of each variable and array element that was read or written, elements: which of them are elements.
    base: cycles before which nothing starts any more (a loop or call that stays one has passed).
    guards: conditions around, arms: the ways taken at them.
    made: what was computed already.
    binding: what BIND_OP asks for here. demand: low bits of the value to come that somebody looks at, 0 for all.
    unrolled: copies of each loop around that is unrolled, outermost first; pinned: those of which a condition lets one
    copy through; late: those unrolled after arrays were split, expanded_late: a loop whose
    copies are walked one by one is one of them; expanded: how many copies around are walked one by one.
    flow: by array, sources of what unrolled loops have stored in it; swept: when they have stored it.
    beside: loops that may run at the same time as what comes.
    returned: of the function that is walked in place, returned_under: the condition around that. fields: of the struct
    that an expression gave. behind: scalars and structs of the caller that reference and pointer parameters stand for.
    this: the object whose method is walked in place, None where that is not known.
    outside: conditions around the call that is walked in place. settled: elements that the code before the loop stores.
    inductions: what counters and pointers that are no loop's own grow by in each iteration of the source.
    narrow: bits of variables that start each iteration with fewer than their type has.

    What the walk leaves:
    counts: operators with their copies. accesses: loads and stores, each as written. end: cycles until all is done.
    carried: scalars that a later iteration reads, final: their values at the end. written: arrays that the loop stores
    into. stored: the last store to each element. live_bits: bits of all results. branches: conditions.
    holds: how long each result is kept, given: of a pipeline, the same of numbers that the function is
    given. begun: of operators that may share a core, state and copies of each.
    stayed: cycles of loops and calls that stay ones. called: how many of them are functions of their own, turns: when
    one of these starts, or is waited for.
    chained: floating-point updates follow one another. leaves: cycles until it is known whether another round follows.
    copies_made: most copies of any statement. ports: what memory ports allow, once it is known. cycles: that accesses
    take on the ports of an array with a layout, the name of the bottleneck, and what comes to each bank, once they are
    known.
    unknown: what stands in it and was not read.
    """

    host: Host
    target: Target
    aliases: dict[ir.Variable, Alias]
    handlers: Handlers
    work: Work
    unroll_all: bool = False
    automatic: bool = False
    in_loop: bool = False
    env: Known = field(default_factory=Known)
    elements: Elements = field(default_factory=Elements)
    base: float = 0.0
    guards: list[Value] = field(default_factory=list)
    arms: Arms = ()
    binding: Mapping[str, str] = field(default_factory=dict)
    demand: int = 0
    unrolled: dict[ir.Loop, float] = field(default_factory=dict)
    pinned: frozenset[ir.Loop] = NO_LOOPS
    late: frozenset[ir.Loop] = NO_LOOPS
    expanded_late: bool = False
    expanded: int = 1
    flow: dict[ir.Variable, Sources] = field(default_factory=dict)
    swept: dict[ir.Variable, float] = field(default_factory=dict)
    beside: Beside = field(default_factory=Beside)
    returned: Value | None = None
    returned_under: Value | None = None
    inductions: dict[ir.Variable, float] = field(default_factory=dict)
    narrow: Mapping[ir.Variable, int] = field(default_factory=dict)
    fields: dict[str, Value] = field(default_factory=dict)
    behind: dict[ir.Variable, ir.Expr] = field(default_factory=dict)
    this: ir.Expr | None = None
    outside: int = 0
    settled: frozenset[object] = frozenset()
    counts: dict[Kind, float] = field(default_factory=lambda: defaultdict(float))
    accesses: list[Access] = field(default_factory=list)
    end: float = 0.0
    carried: set[object] = field(default_factory=set)
    final: dict[object, Value] = field(default_factory=dict)
    written: set[ir.Variable] = field(default_factory=set)
    stored: dict[Element, Access] = field(default_factory=dict)
    live_bits: float = 0.0
    holds: list[Hold] = field(default_factory=list)
    given: dict[ir.Variable, Hold] = field(default_factory=dict)
    begun: dict[Kind, list[tuple[int, float]]] = field(default_factory=dict)
    stayed: float = 0.0
    called: float = 0.0
    turns: set[tuple[str, float]] = field(default_factory=set)
    branches: int = 0
    chained: bool = False
    leaves: float = 0.0
    copies_made: float = 1.0
    ports: Bound | None = None
    made: Made = field(default_factory=Made)
    unknown: Unknown = field(default_factory=Unknown)
    cycles: dict[ir.Variable, tuple[Layout, int, str, Sequence[Any]]] = field(default_factory=dict)
    # A store may take the place of an earlier one, which leaves as many: the last one tells that.
    _arrays: tuple[int, Access | None, dict[ir.Variable, list[Access]]] | None = None

    def arrays(self) -> Mapping[ir.Variable, Sequence[Access]]:
        """Its accesses by array, in order of appearance; found anew when there are others."""
        last = self.accesses[-1] if self.accesses else None
        if self._arrays is None or self._arrays[:2] != (len(self.accesses), last):
            self._arrays = len(self.accesses), last, by_array(self.accesses)
            self.cycles = {}
        return self._arrays[2]

    def constants(self, *exprs: ir.Expr | None) -> dict[ir.Variable, Number]:
        """Constants that hold throughout, and those that variables of these expressions have here."""
        known = dict(self.host.known)
        for var in variables_in(*exprs):
            value = self.env.get(var)
            if value is not None and value.constant is not None:
                known[var] = value.constant
        return known

    # A table instead of a chain of tests: this is asked for every expression of every region.
    def value(self, expr: ir.Expr) -> Value:
        """Walk an expression and say what comes of it."""
        self.work.left -= 1
        return self.handlers[type(expr)](self, expr)

    def whole(self, expr: ir.Expr) -> Value:
        """The same where every bit of the value counts, whatever becomes of the result around it."""
        demand, self.demand = self.demand, 0
        value = self.value(expr)
        self.demand = demand
        return value

    def low(self, expr: ir.Expr, type_: ir.CType) -> Value:
        """The same where a variable of `type_` takes up the value: an integer one takes its low bits only."""
        demand, self.demand = self.demand, type_.width if type_.kind in ("int", "uint", "bool") else 0
        value = self.value(expr)
        self.demand = demand
        return value
