"""Methods of values of the tool's own types: wiring, trees of LUTs, or unknown."""

from __future__ import annotations

import math

from ...program import ir
from ...program.typenames import BOOL, INT
from ...tool.library import (
    COUNTS,
    REDUCTIONS,
    ROTATIONS,
    SCALAR_WIRES,
    VECTOR_SUMS,
    VECTOR_WIRES,
)
from .operations import make
from .region import Region
from .values import Value, all_deps, later

_SCALARS = ("int", "uint", "fixed", "ufixed", "bool", "half", "float", "double")


def method(region: Region, inner: Value, owner: ir.CType, expr: ir.Call) -> Value:
    """A method of a value; inner: the value, owner: its type."""
    args = [region.whole(argument) for argument in expr.args]
    name = expr.name
    if owner.kind in _SCALARS:
        if name in REDUCTIONS:
            return _reduced(region, inner, owner)
        if name in ROTATIONS:
            return make(region, "shift", owner, inner, *args)
        counted = bits_counted(region, name, [inner])
        if counted is not None:
            return counted
        if name in SCALAR_WIRES:
            return _wire(inner, args, owner if name in ("reverse", "range") else INT)
    if owner.kind == "vector" and owner.element is not None:
        if name in VECTOR_SUMS:
            return _put_together(region, VECTOR_SUMS[name], inner, owner.element, owner.lanes)
        if name in (*VECTOR_WIRES, "real", "imag", "conj"):
            return _wire(inner, args, owner.element)
    full = name if "::" in name else f"{owner.name or 'a value'}::{name}"
    region.unknown.because(f"{full} is not read")
    return _wire(inner, args, INT)


def bits_counted(region: Region, name: str, args: list[Value]) -> Value | None:
    """Set or leading bits of a word of w bits; None for other functions.

    Either is a tree of log2(w) levels: sums of two neighbours, of w/2 one bit, w/4 two bits, ...: w bits of adders; or
    the half that holds the answer is selected: w/2, w/4, ...: w bits of selectors.
    """
    if name not in COUNTS or not args:
        return None
    width = max(args[0].type.width, 1)
    kind = "add" if "popcount" in name else "select"
    return make(region, kind, ir.CType("uint", width), *args, result=INT)


def _reduced(region: Region, inner: Value, owner: ir.CType) -> Value:
    """All bits of a word to one: a LUT takes six of them, so that w bits take (w - 1) / 5."""
    luts = max(math.ceil((owner.width - 1) / 5), 1)
    return make(region, "reduce", ir.CType("uint", 2 * luts), inner, result=BOOL)


def _put_together(region: Region, kind: str, inner: Value, lane: ir.CType, lanes: int) -> Value:
    """All lanes to one: a tree of lanes - 1 operators, log2(lanes) deep (UG1399, vector reductions)."""
    value = inner
    left = lanes
    while left > 1:
        pairs = left // 2
        for _ in range(pairs):
            made = make(region, kind, lane, value)
        value = made
        left -= pairs
    return value


def _wire(inner: Value, args: list[Value], kind: ir.CType) -> Value:
    time = max([inner.time, *(a.time for a in args)])
    return Value(time, inner.deps | all_deps(args), kind, later(0.0, inner, *args))
