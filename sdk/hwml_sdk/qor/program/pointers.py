"""Loops that count with a pointer: `for (int *p = t; p != t + n; ++p)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import ir
from .constants import evaluate
from .expressions import assigned_variables, everything_in
from .flow import Head
from .handed import is_shared, may_change_shared
from .numbers import Number
from .typenames import INT

Place = tuple[ir.Variable, int]  # an array and the number of an element of it


def counted(loop: ir.Loop, head: Head, known: Mapping[ir.Variable, Number]) -> tuple[Head, int | None]:
    """Such a head with the numbers of elements in place of pointers, and where it starts; None of any other head."""
    condition = head.condition
    if not head.var.type.pointer or head.start is None or not isinstance(condition, ir.Binary):
        return head, None
    mine = [isinstance(side, ir.Ref) and side.var is head.var for side in (condition.left, condition.right)]
    first = place_in(head.start, known)
    last = place_in(condition.right if mine[0] else condition.left, known) if any(mine) else None
    if first is None or last is None or first[0] is not last[0] or _moves(loop, first[0]):
        return head, None
    bound = ir.Const(last[1], INT)
    sides = (condition.left, bound) if mine[0] else (bound, condition.right)
    return replace(head, condition=ir.Binary(condition.op, *sides)), first[1]


def _moves(loop: ir.Loop, var: ir.Variable) -> bool:
    """Whether a pointer that a loop's head names may be another one in the next iteration."""
    if var.dims:
        return False
    shared = is_shared(var) and any(map(may_change_shared, everything_in(loop.body)))
    return var.handed or shared or var.type.unsettled or var in assigned_variables(ir.Block([loop]))


def place_in(expr: ir.Expr, known: Mapping[ir.Variable, Number]) -> Place | None:
    """`t`, `t + n`, `t - n` or `&t[n]` of an array of one extent or of a pointer."""
    if isinstance(expr, ir.Ref):
        var = expr.var
        return (var, 0) if var is not None and (len(var.dims) == 1 or var.type.pointer == 1) else None
    if isinstance(expr, ir.Unary) and expr.op == "&" and isinstance(expr.operand, ir.Index):
        base = place_in(expr.operand.base, known) if len(expr.operand.subscripts) == 1 else None
        offset = evaluate(expr.operand.subscripts[0], known)
        sign = 1
    elif isinstance(expr, ir.Binary) and expr.op in ("+", "-"):
        base, offset = place_in(expr.left, known), evaluate(expr.right, known)
        sign = 1 if expr.op == "+" else -1
    else:
        return None
    return None if base is None or offset is None else (base[0], base[1] + sign * int(offset))
