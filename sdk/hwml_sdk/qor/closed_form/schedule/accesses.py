"""Loads and stores as data: which elements they touch, in how many copies, and what tells two of them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...program import ir
from .bounds import NestLoop
from .forms import Form
from .meeting import always_apart, may_meet
from .values import NO_LOOPS, Sources, Value

# Per subscript: (stride, copies) of each unrolled loop whose variable stands in it.
Spread = tuple[tuple[tuple[float, float], ...], ...]

# Branches around something, outermost first: which, and which of its arms.
Arms = tuple[tuple[object, int], ...]


# A tuple, as one is made and looked up for every access: its hash and comparison are the interpreter's own.
class Element(NamedTuple):
    """What an access names, so that a second load of the same is none: array, subscripts as keys, field."""

    array: ir.Variable
    prefix: tuple[object, ...]
    subscripts: tuple[object, ...]
    field: str


class Place(NamedTuple):
    """Where an access goes. deps: unrolled loops that move it. time: cycles until its address is known.

    since: what the address hangs on. bits: of its only subscript, 0 where there are several.
    """

    array: ir.Variable
    forms: tuple[Form | None, ...]
    deps: frozenset[ir.Loop]
    element: Element
    time: float
    since: Sources
    bits: int


@dataclass(slots=True, eq=False)
class Access:
    """One load or store as written, `copies` of it after unrolling.

    key: the element, or for a stream something that is never the same twice.
    spread: where the copies lie, per subscript. moving: per subscript the common step in which it moves at run time, 0
    when it does not, None when nobody knows.
    since: of a store, cycles from each mark to the stored value, which is `value`. time: when the data is there, or
    stored. load_cycles: of a load, from its address to its data.
    guarded: stands under a condition. gates: of a store, cycles from each mark to the conditions that let it through.
    chained: marks in `since` of reads that earlier copies of the same iteration feed; `since` covers the whole chain.
    late: the copies came from a loop that was unrolled after arrays had been split.
    begun: of a store, when its address is known. bits: of its only subscript, 0 where there are several.
    asked: how many of the copies come from unroll pragmas. arms: of the branches around it.
    """

    array: ir.Variable
    forms: tuple[Form | None, ...]
    write: bool
    deps: frozenset[ir.Loop]
    copies: float
    key: object
    spread: Spread = ()
    moving: tuple[float | None, ...] = ()
    since: Sources = field(default_factory=dict)
    time: float = field(init=False)
    chained: set[object] = field(default_factory=set)
    guarded: bool = False
    gates: Sources = field(default_factory=dict)
    late: bool = False
    asked: float = 1.0
    arms: Arms = ()
    value: Value | None = None
    load_cycles: float = 0.0
    begun: float = 0.0
    bits: int = 0

    @property
    def part(self) -> str:
        """The field of a struct that it touches, "" for all of the element."""
        return self.key.field if isinstance(self.key, Element) else ""


@dataclass(slots=True)
class Alias:
    """What a parameter of an inlined function, or a pointer, stands for: an array with leading subscripts given.

    walks: it is moved, so that its own value says how many elements further it points.
    """

    array: ir.Variable
    prefix: tuple[Form | None, ...] = ()
    prefix_deps: frozenset[ir.Loop] = NO_LOOPS
    walks: bool = False


def by_array(accesses: Sequence[Access]) -> dict[ir.Variable, list[Access]]:
    """Accesses by array, in order of appearance."""
    found: dict[ir.Variable, list[Access]] = defaultdict(list)
    for access in accesses:
        found[access.array].append(access)
    return found


def surely_apart(one: Element, other: Element) -> bool:
    """Whether two elements of the same array, named at the same moment, cannot be one."""
    if one.field != other.field:
        return True
    ours, theirs = (*one.prefix, *one.subscripts), (*other.prefix, *other.subscripts)
    return any(
        isinstance(left, frozenset) and isinstance(right, frozenset) and left != right
        and always_apart((dict(left),), (dict(right),))
        for left, right in zip(ours, theirs, strict=False)
    )  # fmt: skip


def meets(read: Access, write: Access, moved: Mapping[ir.Variable, NestLoop]) -> bool:
    """Whether a read, written unlike the write it feeds, can find the element of another copy of that write."""
    if read.key == write.key or None in read.forms or None in write.forms or not read.deps or not write.deps:
        return False
    pairs = [(one, other) for one, other in zip(read.forms, write.forms, strict=False) if one and other]
    return all(may_meet(one, other, moved) for one, other in pairs)


def root(key: object) -> object:
    """The variable behind a key of a region's values: itself, or the array of an element."""
    if isinstance(key, Element):
        return key.array
    while isinstance(key, ir.Variable) and key.part_of is not None:
        key = key.part_of
    return key


def mentions(element: Element, var: ir.Variable) -> bool:
    """Whether an element's subscripts hold a variable."""
    return any(isinstance(part, frozenset) and any(v is var for v, _ in part) for part in element.subscripts)


@dataclass(slots=True)
class Made:
    """What was computed: by operation and operands the result, its way, the bits asked for (0: all), the operands."""

    found: dict[object, tuple[Value, Arms, int, tuple[Value, ...]]] = field(default_factory=dict)
