"""Results of loops kept from one estimate of a program to the next, of which only some pragmas are others.

A loop is estimated from its nest with what is planned for it, the layouts of the arrays it names, what its function was
called with and the pragmas of functions: nothing else reaches into it, so that this is its key. Loops that call blocks
of their own, or copy memory, leave traces in their function and are estimated anew; the loops of those blocks are not.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Protocol

from ..program import ir
from ..program.expressions import calls, everything_in, inside
from ..program.trip_counts import TripCount
from .directions import Directions
from .memory import Layout
from .plan import Plan
from .results import FunctionResult, LoopResult
from .schedule.accesses import Alias
from .schedule.beside import LoopUses
from .schedule.region import Host, Region

ARRAYS = ("ARRAY_PARTITION", "ARRAY_RESHAPE")
# Fields of a result that building it sets; the others are set where it is put into its function.
_BUILT = tuple(item.name for item in fields(LoopResult) if item.name not in ("entries", "replicas"))
_VALUES = attrgetter(*_BUILT)


class Shared(Protocol):
    """What is found once for a whole design (`design_cache.Design`), as far as it is looked at here."""

    shortest: bool
    said: Hashable
    tables: dict[ir.Variable, Layout]

    def calls_loops(self, loop: ir.Loop) -> bool:
        """Whether a loop's body calls a function that has loops."""


class Walk(Host, Protocol):
    """A function while it is walked (`hierarchy.frame.Frame`), as far as it is looked at here."""

    key: Hashable
    inline_depth: int
    result: FunctionResult
    layouts: dict[ir.Variable, Layout]
    plans: dict[ir.Loop, Plan]

    @property
    def design(self) -> Shared:
        """The whole design."""

    def aliases_now(self) -> dict[ir.Variable, Alias]:
        """Aliases in force."""

    def root(self, var: ir.Variable) -> ir.Variable:
        """The array a name stands for."""


@dataclass(slots=True)
class _Kept:
    """One result, and what its walk left elsewhere. steps: of work. tables: that it looks up."""

    result: LoopResult
    unrolled: dict[ir.Loop, float | None]
    tables: dict[ir.Variable, Layout]
    banks: dict[ir.Variable, int]
    steps: int


@dataclass(slots=True)
class Memo:
    """What estimates of one program share. hits, misses: loops that were found, and that were not."""

    parts: dict[tuple[ir.Variable, str], ir.Variable | None] = field(default_factory=dict)
    counts: dict[Hashable, dict[ir.Loop, TripCount]] = field(default_factory=dict)
    plans: dict[Hashable, dict[ir.Loop, Plan]] = field(default_factory=dict)
    advances: dict[Hashable, Mapping[ir.Variable, float]] = field(default_factory=dict)
    uses: dict[Hashable, LoopUses] = field(default_factory=dict)
    loops_below: dict[str, bool] = field(default_factory=dict)
    calling: dict[ir.Loop, bool] = field(default_factory=dict)
    directions: Directions | None = None
    hits: int = 0
    misses: int = 0
    _kept: dict[Hashable, _Kept] = field(default_factory=dict)
    _loops: dict[str, tuple[ir.Loop, ...]] = field(default_factory=dict)
    _bodies: dict[Hashable, tuple[Region, dict[ir.Loop, float | None], dict[ir.Variable, Layout], int]] = field(
        default_factory=dict
    )
    _named: dict[ir.Loop, frozenset[ir.Variable] | None] = field(default_factory=dict)
    _nests: dict[ir.Loop, tuple[ir.Loop, ...]] = field(default_factory=dict)
    _reached: dict[Hashable, Container[ir.Variable]] = field(default_factory=dict)

    def said_in(self, function: ir.Function) -> Hashable:
        """The pragmas of a function's loops, as far as plans look at them."""
        loops = self._loops.get(function.name)
        if loops is None:
            loops = self._loops[function.name] = tuple(ir.loops_of(function.body))
        return tuple(tuple(pragma.text for pragma in loop.pragmas) for loop in loops)

    def loop(self, frame: Walk, loop: ir.Loop, region: Region, build: Callable[[], LoopResult]) -> LoopResult:
        """The result of a loop: the one that is kept, else `build()`'s."""
        if region.unrolled or frame.inline_depth or frame.design.shortest:
            return build()
        if frame.design.calls_loops(loop) or any(alias.walks for alias in region.aliases.values()):
            return build()
        key = self._key(frame, loop)
        kept = self._kept.get(key)
        if kept is None:
            self.misses += 1
            return self._built(frame, key, build)
        self.hits += 1
        frame.result.unrolled.update(kept.unrolled)
        frame.design.tables.update(kept.tables)
        for array, banks in kept.banks.items():
            layout = frame.layout(array)
            layout.automatic_banks = max(layout.automatic_banks, banks)
        frame.work.left -= kept.steps
        return _twin(kept.result)  # a loop around it may flatten it

    def body(self, frame: Walk, loop: ir.Loop, copies: float, build: Callable[[], Region]) -> Region:
        """The body of a pipelined loop: banks of arrays do not change the walk, only what their ports serve."""
        if frame.inline_depth or frame.design.shortest or frame.design.calls_loops(loop):
            return build()
        if any(alias.walks for alias in frame.aliases_now().values()):
            return build()
        arrays = self._arrays(frame, loop)
        plans = tuple(frame.plans.get(one) for one in self._nests[loop])
        seen = tuple((array, layout.interface) for array, layout in frame.layouts.items() if array in arrays)
        key = loop, frame.key, copies, plans, seen, frame.design.said
        kept = self._bodies.get(key)
        if kept is None:
            before, design = repr((frame.result.area, frame.result.unshared)), frame.design
            unrolled, tables, left = frame.result.unrolled, design.tables, frame.work.left
            frame.result.unrolled, design.tables = {}, {}
            found = build()
            kept = found, frame.result.unrolled, design.tables, left - frame.work.left
            frame.result.unrolled, design.tables = {**unrolled, **kept[1]}, {**tables, **kept[2]}
            if repr((frame.result.area, frame.result.unshared)) == before and not frame.work.reason:
                self._bodies[key] = kept
            return found
        region = copy(kept[0])
        region.host, region.work, region.ports, region.cycles = frame, frame.work, None, {}
        frame.result.unrolled.update(kept[1])
        frame.design.tables.update(kept[2])
        frame.work.left -= kept[3]
        return region

    def _built(self, frame: Walk, key: Hashable, build: Callable[[], LoopResult]) -> LoopResult:
        own, design = frame.result, frame.design
        before, unrolled, tables = repr((own.area, own.unshared)), dict(own.unrolled), dict(design.tables)
        left, n_calls = frame.work.left, len(own.calls)
        own.unrolled, design.tables = {}, {}
        found = build()
        kept = _Kept(
            _twin(found), own.unrolled, design.tables,
            {array: layout.automatic_banks for array, layout in frame.layouts.items() if layout.automatic_banks > 1},
            left - frame.work.left,
        )  # fmt: skip
        own.unrolled, design.tables = {**unrolled, **kept.unrolled}, {**tables, **kept.tables}
        if repr((own.area, own.unshared)) == before and len(own.calls) == n_calls and not frame.work.reason:
            self._kept[key] = kept
        return found

    def _arrays(self, frame: Walk, loop: ir.Loop) -> Container[ir.Variable]:
        """Arrays that a nest may touch."""
        if loop not in self._nests:
            self._nests[loop] = (loop, *ir.loops_of(loop.body))
            self._named[loop] = _named(frame, loop)
        named = self._named[loop]
        if named is None:
            return frame.layouts
        key = loop, frame.key
        if key not in self._reached:  # what parameters stand for is part of a frame's key
            self._reached[key] = named | {frame.root(var) for var in named}
        return self._reached[key]

    def _key(self, frame: Walk, loop: ir.Loop) -> Hashable:
        arrays = self._arrays(frame, loop)
        return (
            loop,
            frame.key,
            tuple((frame.plans.get(one), *(pragma.text for pragma in one.pragmas)) for one in self._nests[loop]),
            tuple((id(array), _shape(layout)) for array, layout in frame.layouts.items() if array in arrays),
            frame.design.said,
        )


def _twin(result: LoopResult) -> LoopResult:
    """A copy that a loop around it may change; as `copy.copy`, which takes many times as long."""
    made = object.__new__(LoopResult)
    try:
        for name, value in zip(_BUILT, _VALUES(result), strict=True):
            setattr(made, name, value)
    except AttributeError:
        return copy(result)
    return made


def _shape(layout: Layout) -> Hashable:
    """What a partition changes of a layout."""
    return tuple(layout.banks.items()), tuple(layout.reshaped.items()), layout.interface


def _named(frame: Walk, loop: ir.Loop) -> frozenset[ir.Variable] | None:
    """Variables that a nest names; None where it calls functions of the program, which may name others."""
    if any(call.name in frame.program.functions for call in calls(loop.body)):
        return None
    heads = [
        part
        for one in (loop, *ir.loops_of(loop.body))
        for part in (one.start, one.condition, one.step)
        if part is not None
    ]
    exprs = (*inside(heads), *everything_in(loop.body))
    return frozenset(expr.var for expr in exprs if isinstance(expr, ir.Ref) and expr.var is not None)


def said_of_functions(program: ir.Program) -> Hashable:
    """Pragmas that hold for whole functions, those of arrays left out: their layouts stand for them."""
    return tuple(
        (name, pragma.text) for name, function in program.functions.items() for pragma in function.pragmas
        if pragma.kind not in ARRAYS
    )  # fmt: skip
