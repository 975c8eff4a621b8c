"""Sums that are addresses: `a + n`, `n + a`, `a[1] - n`."""

from __future__ import annotations

from . import ir


def address_of_sum(expr: ir.Expr) -> ir.Ref | ir.Index | None:
    """The array, row or pointer that a sum starts from; None where no side is one, and for all that is no sum."""
    pending: list[ir.Expr] = [expr] if isinstance(expr, ir.Binary) else []
    while pending:
        inner = pending.pop()
        if isinstance(inner, ir.Binary):
            # Of a difference the address is what is left of the sign.
            pending += {"+": [inner.right, inner.left], "-": [inner.left]}.get(inner.op, [])
        elif isinstance(inner, ir.Ref | ir.Index) and _is_address(inner):
            return inner
    return None


def rows_of(expr: ir.Index) -> tuple[int | None, ...]:
    """Extents that are left of an array behind subscripts: those of a row, none of an element."""
    var = expr.base.var if isinstance(expr.base, ir.Ref) else None
    return var.dims[len(expr.subscripts) :] if var is not None else ()


def _is_address(expr: ir.Ref | ir.Index) -> bool:
    if isinstance(expr, ir.Index):
        return bool(rows_of(expr))
    return expr.var is not None and bool(expr.var.dims or expr.var.type.pointer)
