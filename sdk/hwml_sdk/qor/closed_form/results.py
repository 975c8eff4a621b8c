"""What an estimate says: loops, functions and the design as they would be built."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..program import ir
from ..program.trip_counts import TripCount
from ..tool.operators import Target
from .area import Area
from .memory import Storage
from .plan import Options, Plan
from .schedule.bounds import Bound, NestLoop
from .schedule.region import Region


@dataclass(slots=True, eq=False)
class LoopResult:
    """One loop as it would be built; cycles of one entry, children inside it.

    trips: iterations of the hardware. depth: cycles of one of them. ii: None where the loop is not pipelined.
    nest, members: the loops that were flattened into this one, outermost first; flattened: into the loop around it.
    entries: how often it is entered. replicas: copies of it that unrolled loops around it make.
    area, unshared: what it takes when cores are used again by what runs later, and when they are not.
    """

    loop: ir.Loop
    trip: TripCount
    plan: Plan
    trips: float
    ii: int | None = None
    bound: Bound = field(default_factory=lambda: Bound(1, ""))
    depth: float = field(init=False)
    cycles: float = field(init=False)
    known: bool = True
    area: Area = field(default_factory=Area)
    unshared: Area = field(default_factory=Area)
    children: list[LoopResult] = field(default_factory=list)
    nest: list[NestLoop] = field(default_factory=list)
    members: list[ir.Loop] = field(default_factory=list)
    region: Region | None = None
    notes: list[str] = field(default_factory=list)
    entries: float = field(init=False)
    replicas: float = field(init=False)
    flattened: bool = False


@dataclass(slots=True, eq=False)
class FunctionResult:
    """One function as it would be built, for one set of constant arguments.

    interval: cycles from one start to the next. reasons: why the latency is not known.
    unrolled: trips of loops that are none any more.
    """

    function: ir.Function
    cycles: float = field(init=False)
    known: bool = True
    area: Area = field(default_factory=Area)
    unshared: Area = field(default_factory=Area)
    memory: dict[ir.Variable, Storage] = field(default_factory=dict)
    loops: list[LoopResult] = field(default_factory=list)
    calls: list[FunctionResult] = field(default_factory=list)
    dataflow: bool = field(init=False)
    interval: float = field(init=False)
    reasons: list[str] = field(default_factory=list)
    unrolled: dict[ir.Loop, float | None] = field(default_factory=dict)

    def unknown_because(self, reason: str) -> None:
        """The latency is not known; a reason is said once, however many calls run into it."""
        self.known = False
        if reason not in self.reasons:
            self.reasons.append(reason)


# Unknown latency still has a nominal one: the learned part needs a number, and shares of loops are taken of it.
@dataclass(slots=True, eq=False)
class Estimate:
    """The whole design. Latency is None when a loop's trip count is unknown; `nominal_cycles` then assumes 32.

    steps: work it took (see `program.budget`).
    """

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
    steps: int = 0
