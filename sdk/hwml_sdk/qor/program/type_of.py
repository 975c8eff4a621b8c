"""The type of an expression's value."""

from __future__ import annotations

from dataclasses import replace

from . import ir
from .addresses import address_of_sum, rows_of
from .typenames import BOOL, FLOAT, UNKNOWN, join


def type_of_expression(expr: ir.Expr, program: ir.Program | None = None) -> ir.CType:  # noqa: PLR0912
    """Type of an expression's value (element type for arrays)."""
    if type(expr) is ir.Ref:  # as most are that this is asked of
        return expr.var.type if expr.var is not None else UNKNOWN
    if type(expr) is ir.Const:
        return expr.type
    if isinstance(expr, ir.Index):
        moved = _moved(expr.base) if isinstance(expr.base, ir.Binary) else None
        if moved is not None and len(expr.subscripts) == max(len(moved[1]), 1):
            return moved[0] if moved[1] else replace(moved[0], pointer=max(moved[0].pointer - 1, 0))
        base = type_of_expression(expr.base, program)
        var = expr.base.var if isinstance(expr.base, ir.Ref) else None
        rank = len(var.dims) if var is not None and var.dims else len(expr.subscripts)
        if base.kind == "vector" and len(expr.subscripts) > (len(var.dims) if var is not None else 0):
            return base.element or UNKNOWN
        if var is not None and not var.dims and not base.pointer and base.kind in ("int", "uint"):
            return BOOL  # a bit of an ap_int
        if var is not None and word_and_bit(expr) is not None:
            return BOOL
        if base.pointer and var is not None and len(expr.subscripts) > len(var.dims):
            return replace(base, pointer=base.pointer - 1)  # what a pointer points at
        return base if rank else UNKNOWN
    if isinstance(expr, ir.Member):
        found = type_of_expression(expr.base, program).field_of(expr.field)
        return UNKNOWN if found is None else found[0]
    if isinstance(expr, ir.Cast):
        return expr.type
    if isinstance(expr, ir.Unary):
        return BOOL if expr.op == "!" else type_of_expression(expr.operand, program)
    if isinstance(expr, ir.Binary):
        if expr.op in ("<", ">", "<=", ">=", "==", "!=", "&&", "||"):
            return BOOL
        left = type_of_expression(expr.left, program)
        if expr.op in ("<<", ">>"):
            return left
        return join(left, type_of_expression(expr.right, program))
    if isinstance(expr, ir.Ternary):
        return join(type_of_expression(expr.yes, program), type_of_expression(expr.no, program))
    if isinstance(expr, ir.Assign):
        return type_of_expression(expr.target, program)
    if isinstance(expr, ir.Call):
        return _call_type(expr, program)
    if isinstance(expr, ir.Many) and expr.comma and expr.items:
        return type_of_expression(expr.items[-1], program)
    return UNKNOWN


def _moved(expr: ir.Expr) -> tuple[ir.CType, tuple[int | None, ...]] | None:
    """Type and extents of the array, row or pointer of `a + n`; None for all else."""
    base = address_of_sum(expr)
    if isinstance(base, ir.Index):
        return type_of_expression(base), rows_of(base)
    return (base.var.type, base.var.dims) if base is not None and base.var is not None else None


def word_and_bit(expr: ir.Expr) -> tuple[ir.Index, ir.Expr] | None:
    """(`a[i]`, `b`) of `a[i][b]`, where `a` holds integers: a bit of an element; None for anything else."""
    if not isinstance(expr, ir.Index) or len(expr.subscripts) < 2:  # the element's, and the bit's
        return None
    var = expr.base.var if isinstance(expr.base, ir.Ref) else None
    if var is None or bool(var.dims) == bool(var.type.pointer):
        return None
    rank = len(var.dims) or var.type.pointer
    if var.type.kind not in ("int", "uint", "fixed", "ufixed") or rank + 1 != len(expr.subscripts):
        return None
    return ir.Index(expr.base, expr.subscripts[:-1]), expr.subscripts[-1]


def _call_type(call: ir.Call, program: ir.Program | None) -> ir.CType:
    if call.receiver is not None:
        owner = type_of_expression(call.receiver, program)
        if owner.kind == "stream" and call.name in ("read", "read_nb"):
            return owner.element or UNKNOWN
        if owner.kind == "vector" and call.name in ("real", "imag"):
            return owner.element or UNKNOWN
    if program is not None and call.name in program.functions:
        return program.functions[call.name].returns
    if call.args:
        kind = type_of_expression(call.args[0], program)
        if call.name.rpartition("::")[2].endswith("f") and kind.kind == "double":
            return FLOAT
        return kind
    return UNKNOWN
