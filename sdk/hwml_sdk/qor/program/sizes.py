"""What `sizeof` gives: types laid out as the C++ ABI of x86-64 does, which Vitis HLS compiles against (LP64).

Members stand at multiples of their alignment, a struct is as long as a multiple of the strictest one
(System V ABI, AMD64 supplement, 3.1.2). Arbitrary-precision types fill the next power of two bytes up to 8, then
multiples of 8, as ap_int.h stores them.
"""

from __future__ import annotations

from . import ir

MAX_BYTES = 1 << 40
Dims = tuple[int | None, ...]


def byte_size(kind: ir.CType, dims: Dims = ()) -> int | None:
    """Bytes of a value of this type, None where a part of it is not known."""
    count = 1
    for extent in dims:
        if extent is None:
            return None
        count = min(count * extent, MAX_BYTES)
    found = _layout(kind)
    return None if found is None else min(found[0] * count, MAX_BYTES)


def total_bits(kind: ir.CType) -> int:
    """Bits of a value with all that its fields hold."""
    if kind.kind != "struct" or not kind.fields or kind.pointer:
        return kind.width
    total = 0
    for _, field, dims in kind.fields:
        bits = total_bits(field)
        for extent in dims:
            bits *= extent if extent else 1
        total = min(total + bits, MAX_BYTES)
    return total


def _layout(kind: ir.CType) -> tuple[int, int] | None:
    """(bytes, alignment) of one value."""
    if kind.kind in ("unknown", "void", "stream", "function"):
        return None
    if kind.kind == "struct":
        return _struct(kind)
    if kind.kind == "vector" and kind.element is not None:
        inner = _layout(kind.element)
        return None if inner is None else (inner[0] * kind.lanes, inner[1])
    size = max((kind.width + 7) // 8, 1)
    size = 1 << (size - 1).bit_length() if size <= 8 else (size + 7) // 8 * 8
    return size, min(size, 8)


def _struct(kind: ir.CType) -> tuple[int, int] | None:
    end, strictest = 0, 1
    for _, field, dims in kind.fields:
        found = (8, 8) if field.pointer else _layout(field)
        size = None if found is None else 8 if field.pointer and not dims else byte_size(field, dims)
        if found is None or size is None:
            return None
        end = -(-end // found[1]) * found[1] + size
        strictest = max(strictest, found[1])
    return max(-(-end // strictest) * strictest, 1), strictest


def place_of(expr: ir.Expr) -> tuple[ir.CType, Dims] | None:
    """Type and remaining extents of a name, an element or a field; None for other expressions and for parameters.

    What is left of an array parameter is a pointer, of a reference its target: the text does not tell which it is.
    """
    if isinstance(expr, ir.Ref):
        var = expr.var
        return None if var is None or (var.scope == "param" and var.dims) else (var.type, var.dims)
    if isinstance(expr, ir.Index):
        inner = _base_of(expr.base)
        if inner is None:
            return None
        kind, dims = inner
        taken = len(expr.subscripts)
        if taken <= len(dims):
            return kind, dims[taken:]
        return (_pointed(kind), ()) if kind.pointer and taken == len(dims) + 1 else None
    if isinstance(expr, ir.Member):
        owner = _base_of(expr.base)
        for name, kind, dims in owner[0].fields if owner is not None else ():
            if name == expr.field:
                return kind, dims
        return None
    if isinstance(expr, ir.Unary) and expr.op == "*":
        inner = _base_of(expr.operand)
        return (_pointed(inner[0]), inner[1][1:]) if inner is not None and (inner[0].pointer or inner[1]) else None
    return None


def _base_of(expr: ir.Expr) -> tuple[ir.CType, Dims] | None:
    """As `place_of`, but of something that is subscripted: there an array parameter is as good as an array."""
    if isinstance(expr, ir.Ref):
        return None if expr.var is None else (expr.var.type, expr.var.dims)
    return place_of(expr)


def _pointed(kind: ir.CType) -> ir.CType:
    return ir.CType(kind.kind, kind.width, kind.int_bits, kind.element, kind.lanes, kind.fields, 0, kind.name)


def size_of(expr: ir.Expr) -> int | None:
    """Bytes of an expression, None where that is not known."""
    place = place_of(expr)
    if place is None:
        return None
    kind, dims = place
    # A pointer has 8 bytes and a reference those of what it stands for; both carry the same mark here.
    return None if kind.pointer and not dims else byte_size(kind, dims)
