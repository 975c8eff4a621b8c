"""Operators on integers and fixed-point numbers, as wide as what they are given and no wider.

C computes with 32 bits whatever it is given; the tool's compiler cuts every operator to the bits that can differ, and
so do csynth reports (`mul_8s_32s_32_2_1`, an adder of 10 bits for a counter to 512).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from ...program import ir
from ...program.typenames import BOOL
from ...tool.multipliers import NARROW_BITS, signed_digits
from ...tool.operators import operator
from . import forms, tables
from .operations import copies, count, make
from .region import Region
from .values import Value, constant_bits, later, reassociated

_LOGIC = {"&": "logic", "|": "logic", "^": "logic"}
_TESTS = ("<", ">", "<=", ">=", "==", "!=")
MAX_BITS = 4096  # of an ap_int (UG1399)
_WORD = 32  # bits that C computes with at least


@lru_cache(maxsize=1024)
def of_width(type_: ir.CType, width: int) -> ir.CType:
    """An integer type of that many bits, itself where it has them."""
    if width == type_.width:
        return type_
    return ir.CType("uint" if type_.kind == "bool" else type_.kind, width)


def operate(region: Region, op: str, left: Value, right: Value, type_: ir.CType) -> Value:
    """`left op right` of integers or fixed-point numbers that do not both fold."""
    if op == "*":
        return _product(region, left, right, type_)
    if op in ("/", "%"):
        return _quotient(region, op, left, right, type_)
    if op in ("<<", ">>"):
        return _shifted(region, op, left, right)
    if op in ("&&", "||"):
        return make(region, "logic", BOOL, left, right)
    if op in _TESTS:
        return make(region, "cmp", of_width(type_, max(left.width, right.width)), left, right, result=BOOL)
    if op in _LOGIC:
        return _logic(region, op, left, right, type_)
    return sum_of(region, left, right, type_)


def sum_of(region: Region, left: Value, right: Value, type_: ir.CType) -> Value:
    """A sum or difference: one bit more than the wider operand, as far as the type goes.

    Sums of sums are reordered into a tree (LLVM, Reassociate; UG1399, config_expression_balance is on by default).
    """
    width = _kept(region, max(left.width, right.width) + 1, type_)
    kind = of_width(type_, width)
    terms = max(left.terms, 1) + max(right.terms, 1)
    ready = max(side.ready if side.terms else side.time for side in (left, right))
    if terms > 2:
        below = operator("add", kind, region.target).delay_ns / region.target.usable_ns
        soonest = ready + (math.ceil(math.log2(terms)) - 1) * below
        left, right = (replace(s, time=soonest) if s.terms and s.time > soonest else s for s in (left, right))
    made = make(region, "add", kind, left, right)
    if made.since:
        made.since = reassociated(made.since, [side for side in (left, right) if side.terms])
    made.type, made.bits, made.terms, made.ready = type_, width, terms, ready
    return made


def limit(type_: ir.CType) -> int:
    """Most bits that a result of C's arithmetic has; types of the ap_ kind grow with it."""
    if type_.name.startswith(("ap_", "ac_")) or type_.kind in ("fixed", "ufixed"):
        return MAX_BITS
    return max(type_.width, _WORD)


def _kept(region: Region, bits: int, type_: ir.CType) -> int:
    """Bits of a result that are built: what its type holds, and of that what is looked at."""
    return max(min(bits, limit(type_), region.demand or MAX_BITS), 1)


def wiring(left: Value, right: Value, type_: ir.CType, bits: int) -> Value:
    """A result that takes no logic: bits of the operands, elsewhere."""
    made = Value(
        max(left.time, right.time), left.deps | right.deps, type_, later(0.0, left, right), parts=(left, right)
    )
    made.bits = max(bits, 1)
    return made


def _constant(value: Value) -> int | None:
    return int(value.form[None]) if value.form is not None and forms.is_constant(value.form) else None


def in_copies(region: Region, value: Value) -> tuple[int, ...]:
    """The constants that a value is in the copies of unrolled loops: of a table, or of their counters; else none."""
    if value.table or value.form is None or forms.is_constant(value.form):
        return value.table
    found = tables.counted(region, value.form)
    return tuple(int(number) for number in found) if found and all(map(float.is_integer, found)) else ()


def _product(region: Region, left: Value, right: Value, type_: ir.CType) -> Value:
    bits = _kept(region, left.width + right.width, type_)
    for factor, other in ((left, right), (right, left)):
        value = _constant(factor)
        if value is None or type_.kind in ("fixed", "ufixed"):
            continue
        digits = signed_digits(value)
        if digits <= 1:
            return wiring(left, right, type_, min(other.width + constant_bits(abs(value)) - 1, bits))
        if digits == 2:
            made = make(region, "add", of_width(type_, bits), left, right)
            made.type, made.bits = type_, bits
            return made
    for factor, other in ((left, right), (right, left)):
        table = in_copies(region, factor) if type_.kind not in ("fixed", "ufixed") else ()
        if table:
            return _products(region, factor, table, other, type_, bits)
    kind, width = product_kind(left.width, right.width, bits)
    made = make(region, kind, of_width(type_, width), left, right)
    made.type, made.bits = type_, bits
    return made


def _products(region: Region, factor: Value, table: tuple[int, ...], other: Value, type_: ir.CType, bits: int) -> Value:
    """Copies that each multiply by a constant of their own: of each kind as many as have one."""
    made = wiring(factor, other, type_, bits)
    units = copies(region, made.deps)
    long = [value for value in table if signed_digits(value) > 2]
    some = {
        ("add", of_width(type_, bits)): sum(signed_digits(value) == 2 for value in table),
    }
    if long:
        kind, width = product_kind(max(map(constant_bits, long)), other.width, bits)
        some[(kind, of_width(type_, width))] = len(long)
    for (kind, width_type), number in some.items():
        if not number:
            continue
        share = number / len(table)
        one = make(region, kind, width_type, factor, other)
        region.counts[(kind, width_type)] -= units * (1 - share)
        made = one if one.time >= made.time else made
        made.type, made.bits = type_, bits
    return made


def product_kind(one: int, two: int, bits: int) -> tuple[str, int]:
    """Kind of a product of operands of so many bits, `bits` of which are kept, and the width it is counted under."""
    wide, narrow = max(one, two), min(one, two)
    # Up to a DSP's own width all bits are there anyway.
    plain = wide == narrow and (bits == wide or wide <= NARROW_BITS)
    return ("mul" if plain else f"mul:{wide}x{narrow}={bits}"), wide


def _quotient(region: Region, op: str, left: Value, right: Value, type_: ir.CType) -> Value:
    value = _constant(right)
    divides = op == "/"
    if value is not None and signed_digits(value) <= 1:
        return wiring(left, right, type_, left.width if divides else constant_bits(abs(value)))
    width = max(left.width, 1)
    if value is not None and divides:
        # Multiplied by the reciprocal with two bits more: `mul_32s_34ns_65` where the source divides by a constant.
        kind, wide = product_kind(width + 2, width, 2 * width + 1)
        made = make(region, kind, of_width(type_, wide), left, right)
        bits = width
    else:
        made = make(region, "div" if divides else "mod", of_width(type_, width), left, right)
        bits = width if divides else min(width, right.width)
    made.type, made.bits = type_, bits
    return made


def _shifted(region: Region, op: str, left: Value, right: Value) -> Value:
    by = _constant(right)
    type_ = left.type
    if by is not None:
        moved = left.width - by if op == ">>" else left.width + by
        return wiring(left, right, type_, min(max(moved, 1), limit(type_) if op == "<<" else left.width))
    each = in_copies(region, right)
    if each:
        moved = left.width - min(each) if op == ">>" else left.width + max(each)
        return wiring(left, right, type_, min(max(moved, 1), limit(type_) if op == "<<" else left.width))
    width = left.width if op == ">>" else max(type_.width, left.width)
    made = make(region, "shift", of_width(type_, width), left, right)
    made.type, made.bits = type_, width
    return made


def _logic(region: Region, op: str, left: Value, right: Value, type_: ir.CType) -> Value:
    for mask, other in ((left, right), (right, left)):
        value = _constant(mask)
        if value is None:
            continue
        bits = max(mask.width, other.width)
        if op == "&" and value >= 0:
            bits = min(mask.width, other.width)
        made = wiring(left, right, type_, min(bits, max(type_.width, 1)))
        # The table of expressions lists a gate for each bit, though it is merged into what comes behind.
        if op == "^" and value and region.target.lists_expressions:
            count(region, "logic", of_width(type_, made.bits), copies(region, made.deps))
        return made
    width = _kept(region, max(left.width, right.width), type_)
    made = make(region, "logic", of_width(type_, width), left, right)
    made.type, made.bits = type_, width
    return made
