"""What an estimate says: loops, functions and the design as they would be built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..program import ir
from ..program.trip_counts import TripCount
from ..tool.operators import Target
from .area import Area
from .memory import Storage
from .plan import Options, Plan
from .schedule.bounds import FREE, Bound, NestLoop
from .schedule.region import Region
from .unknown import Unknown

MOST_CYCLES = 1e100  # more is no latency, and the products of such numbers leave what a float holds


@dataclass(slots=True, eq=False)
class LoopResult:
    """One loop as it would be built; cycles of one entry, children inside it.

    trips: iterations of the hardware. depth: cycles of one of them. ii: None where the loop is not pipelined.
    nest, members: the loops that were flattened into this one, outermost first; flattened: into the loop around it.
    entries: how often it is entered. replicas: copies of it that unrolled loops around it make.
    area, unshared: what it takes when cores are used again by what runs later, and when they are not.
    unknown: which of these figures are nominal ones, and why.
    """

    loop: ir.Loop
    trip: TripCount
    plan: Plan
    trips: float
    ii: int | None = None
    bound: Bound = FREE
    depth: float = field(init=False)
    cycles: float = field(init=False)
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
    unknown: Unknown = field(default_factory=Unknown)

    @property
    def known(self) -> bool:
        """Whether its cycles are known."""
        return self.unknown.known("latency_cycles")


@dataclass(slots=True, eq=False)
class FunctionResult:
    """One function as it would be built, for one set of constant arguments.

    copied: arrays that copies of memories touch, and whether they write them. interval: cycles from one start to the
    next. unrolled: trips of loops that are none any more.
    unknown: which figures are nominal ones, and why.
    """

    function: ir.Function
    cycles: float = field(init=False)
    area: Area = field(default_factory=Area)
    unshared: Area = field(default_factory=Area)
    memory: dict[ir.Variable, Storage] = field(default_factory=dict)
    loops: list[LoopResult] = field(default_factory=list)
    calls: list[CallResult] = field(default_factory=list)
    copied: list[tuple[ir.Variable, bool]] = field(default_factory=list)
    dataflow: bool = field(init=False)
    interval: float = field(init=False)
    unrolled: dict[ir.Loop, float | None] = field(default_factory=dict)
    unknown: Unknown = field(default_factory=Unknown)

    @property
    def known(self) -> bool:
        """Whether the latency is known."""
        return self.unknown.known("latency_cycles")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the latency is not known."""
        return self.unknown.of("latency_cycles")


@dataclass(slots=True, eq=False)
class CallResult:
    """One call of a function that is built as a block of its own.

    copies: of unrolled loops around it, one after another. loop: the one whose body makes it, None outside loops.
    """

    callee: FunctionResult
    copies: float
    loop: LoopResult | None

    @property
    def times(self) -> float:
        """How often it is made while the calling function runs once."""
        times = self.copies * (self.loop.entries * max(self.loop.trips, 1.0) if self.loop is not None else 1.0)
        return min(times, MOST_CYCLES)


# What is unknown still has a nominal figure: the learned part needs a number, and shares of loops are taken of it.
@dataclass(slots=True, eq=False)
class Estimate:
    """The whole design. lut, dsp, ff, bram_18k, uram, nominal_cycles: numbers even where `unknown` says what they lack.

    Latency is None when it is not known; `nominal_cycles` then assumes 32 rounds of a loop that nobody can count, and
    nothing of calls that were not read. latency_cycles counts every loop's largest number of rounds, as csynth's
    maximum does; interval_cycles: from one start of the design to the next. steps: work it took (see `program.budget`).
    least: walks the design once more where loops may run less often, and keeps what it found.
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
    uram: float = 0.0
    interval_cycles: float | None = None
    least: Callable[[], float | None] = field(default=lambda: None, repr=False)

    @property
    def latency_min_cycles(self) -> float | None:
        """Cycles when every loop runs as seldom as it can; None where nobody knows. Found when it is asked for."""
        return self.least()

    @property
    def unknown(self) -> Unknown:
        """Which figures of the design are nominal ones, and why."""
        return self.top.unknown

    def let_go(self) -> None:
        """Cut what leads in circles, when nothing is asked any more: all goes at once, and the collector looks at none.

        Regions know the function that they were walked for, and that one its loops, which have regions.
        """
        pending, seen = [self.top, *self.functions.values()], set[int]()
        while pending:
            result = pending.pop()
            if id(result) in seen:
                continue
            seen.add(id(result))
            pending += [call.callee for call in result.calls]
            loops = list(result.loops)
            while loops:
                loop = loops.pop()
                loop.region = None
                loops += loop.children

    def figures(self) -> dict[str, float | None]:
        """The closed form by target (`LABELS`), None where it is not known."""
        found: dict[str, float | None] = {
            "lut": self.lut, "dsp": self.dsp, "ff": self.ff, "bram_18k": self.bram_18k,
            "latency_cycles": self.latency_cycles,
        }  # fmt: skip
        return {name: value if self.unknown.known(name) else None for name, value in found.items()}
