"""Values in a schedule: when each is ready, which copies of it there are, and what of an earlier round it hangs on."""

from __future__ import annotations

from dataclasses import dataclass

from ...program import ir
from ...program.constants import Number, binary, held
from ...program.typenames import BOOL, join
from . import forms
from .forms import Form

# What a value can hang on: a variable carried round, an access that loads, or (loop, variable) at the start of an
# unrolled loop. Cycles from each to the value are what recurrences are made of.
Mark = object
Sources = dict[Mark, float]

TESTS = ("<", ">", "<=", ">=", "==", "!=", "&&", "||")
NO_LOOPS: frozenset[ir.Loop] = frozenset()
# Shared by all values that hang on nothing, as most do; nobody writes into it.
NO_SOURCES: Sources = {}


@dataclass(slots=True, eq=False)
class Hold:
    """How long a result is kept. made: the state that it comes in, last: the last one that looks at it.

    bits: of it, copies: of it after unrolling. array: that it was loaded from. waits: whether something else than a sum
    of integers is made of it. given: to the function.
    """

    made: int
    last: int
    bits: int
    copies: float
    array: ir.Variable | None = None
    waits: bool = False
    given: bool = False


@dataclass(slots=True, eq=False)
class Value:
    """A value in the schedule.

    time: cycles from the start of the region until it is ready. deps: unrolled loops in whose copies it differs.
    since: cycles from each mark to it. form: what it is in terms of loop variables, None where that is not affine.
    sum: a floating-point sum that may be reordered. guarded: a condition decides whether it is updated at all.
    extreme: a minimum or maximum. bits: of an integer, how many can be other than its sign; 0: all of its type.
    table: the constants that it is in its copies. number: what it is where that is no integer and constant.
    terms, ready: of a sum of integers, how many it adds up, and when all of these are there.
    hold: what is kept for it until it is looked at, None where that is nothing.
    operation: what made it of `parts`, `cycles` later; empty where it only passes one of them on.
    refers: of a reference that an object holds, the object it stands for.
    """

    time: float
    deps: frozenset[ir.Loop]
    type: ir.CType
    since: Sources
    form: Form | None = None
    sum: bool = False
    guarded: bool = False
    extreme: bool = False
    bits: int = 0
    table: tuple[int, ...] = ()
    number: float | None = None
    parts: tuple[Value, ...] = ()
    operation: str = ""
    cycles: float = 0.0
    terms: int = 0
    ready: float = 0.0
    hold: Hold | None = None
    refers: ir.Expr | None = None

    @property
    def width(self) -> int:
        """Bits that an integer operator has to look at."""
        return self.bits or max(self.type.width, 1)

    @property
    def constant(self) -> Number | None:
        """What it is where that is known while the code is read."""
        form = self.form
        if form is None:
            return self.number
        return int(form[None]) if len(form) == 1 and None in form else None


def later(latency: float, *operands: Value) -> Sources:
    """What a result hangs on: all that its operands do, `latency` cycles further away (the longest way counts)."""
    found: Sources | None = None
    for operand in operands:
        for mark, cycles in operand.since.items():
            if found is None:
                found = {}
            total = cycles + latency
            if found.get(mark, -1.0) < total:
                found[mark] = total
    return NO_SOURCES if found is None else found


def all_deps(values: list[Value]) -> frozenset[ir.Loop]:
    """Unrolled loops in whose copies any of the values differs."""
    deps = NO_LOOPS
    for value in values:
        deps = deps | value.deps
    return deps


def constant_bits(value: object) -> int:
    """Bits of an integer constant, with the sign of a negative one; 0 for anything else."""
    if not isinstance(value, int):
        return 0
    bits = value.bit_length() or 1
    return bits + 1 if value < 0 else bits


def constant_value(time: float, type_: ir.CType, value: Number) -> Value:
    """A constant as a value of a type that holds it."""
    if isinstance(value, int) and not type_.is_float:
        form: Form | None = {None: float(value)} if abs(value) < forms.MAX_EXACT else None
        return Value(time, NO_LOOPS, type_, NO_SOURCES, form, bits=constant_bits(value))
    return Value(time, NO_LOOPS, type_, NO_SOURCES, number=float(value))


def either(before: Value | None, value: Value) -> Value:
    """The value of a call with several returns: it may be any of them."""
    if before is None:
        return value
    since = later(0.0, before, value)
    return Value(
        max(before.time, value.time), before.deps | value.deps, value.type, since, parts=(before, value),
        hold=value.hold,
    )  # fmt: skip


def folded(op: str, left: Value, right: Value) -> Value | None:
    """`left op right` of two constants, which the tool's compiler computes; None for anything else."""
    one = left.constant
    other = right.constant if one is not None else None
    result = binary(op, one, other) if other is not None else None
    if result is None:
        return None
    type_ = join(left.type, right.type)
    if isinstance(result, int) and type_.kind == "uint" and type_.width in (32, 64) and op not in TESTS:
        result = held(type_, result)
    return constant_value(max(left.time, right.time), BOOL if type_.is_float and op in TESTS else type_, result)


def reassociated(since: Sources, same: list[Value]) -> Sources:
    """In a reordered sum every operand can be the last one added: a sum of sums takes one adder from each.

    same: the operands that are such results themselves. So do minimum and maximum of integers, which the tool's
    compiler (LLVM) knows as operations of their own and reorders.
    """
    found = dict(since)
    for side in same:
        for mark, cycles in side.since.items():
            found[mark] = min(found.get(mark, cycles), cycles)
    return found


def form_key(value: Value) -> object:
    """What tells a subscript from others: its form, or the very value where nobody knows one."""
    # The value itself, not its expression: `a[n]` before and after `n++` is written alike and is not the same place.
    return frozenset(value.form.items()) if value.form is not None else value
