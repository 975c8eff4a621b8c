"""Bounds whose type tells how large they may be: `i < n` with a narrow n that stands linearly in the bound."""

from __future__ import annotations

from . import ir
from .flow import Head, variables_in
from .numbers import binary

NARROW_BITS = 32  # of a bound; wider ones say nothing about the rounds
_COMPARES = ("<", ">", "<=", ">=", "!=")


def held_by(kind: ir.CType) -> tuple[int, int] | None:
    """The least and the largest number of a type narrower than `int`."""
    if kind.pointer or kind.kind not in ("int", "uint") or not 0 < kind.width < NARROW_BITS:
        return None
    half = 1 << (kind.width - 1)
    return (-half, half - 1) if kind.kind == "int" else (0, 2 * half - 1)


def compares_linear(condition: ir.Expr, var: ir.Variable) -> bool:
    """Whether `var` stands in one comparison, linear on one side of it, alone or as one of several that all must hold.

    Then the condition holds for no more values of the counter at one end of the type than at the other.
    """
    if not isinstance(condition, ir.Binary):
        return False
    sides = (condition.left, condition.right)
    mine = [side for side in sides if var in variables_in(side)]
    if len(mine) != 1:
        return False
    if condition.op == "&&":
        return compares_linear(mine[0], var)
    return condition.op in _COMPARES and _is_linear(mine[0], var)


def _is_linear(expr: ir.Expr, var: ir.Variable) -> bool:
    """Whether an expression is n, n + c, n - c, c - n, c * n, n << c, n >> c or several of these, n being `var`."""
    while isinstance(expr, ir.Cast) and _keeps(expr.type, var.type):
        expr = expr.operand
    if isinstance(expr, ir.Ref):
        return expr.var is var
    if not isinstance(expr, ir.Binary) or expr.op not in ("+", "-", "*", "<<", ">>"):
        return False
    mine, other = expr.left, expr.right
    if expr.op in ("+", "-", "*") and var in variables_in(other):
        mine, other = other, mine
    return not _open_variables(other) and _is_linear(mine, var)


def _open_variables(expr: ir.Expr) -> list[ir.Variable]:
    """Variables of an expression that are no constants."""
    return [var for var in variables_in(expr) if not var.const]


def _keeps(wider: ir.CType, kind: ir.CType) -> bool:
    """Whether a conversion keeps every value of a type."""
    if wider.kind == "int":
        return wider.width >= kind.width + (kind.kind == "uint")
    return wider.kind == kind.kind == "uint" and wider.width >= kind.width


def until_it_wraps(head: Head, start: int, step: int, limit: tuple[str, int]) -> range | None:
    """`for (unsigned i = n - 1; i < n; i--)`: what lies below 0 is the largest number, which ends the loop."""
    op, bound = limit
    plain = isinstance(head.condition, ir.Binary) and any(
        isinstance(side, ir.Ref) and side.var is head.var for side in (head.condition.left, head.condition.right)
    )
    if head.var.type.kind != "uint" or head.var.type.pointer or step >= 0 or op not in ("<", "<=") or not plain:
        return None
    ends = (1 << head.var.type.width) + step  # the least that the counter may be once it has gone below 0
    stops = start >= 0 and binary(op, start, bound) and not binary(op, ends, bound)
    return range(start, -1, step) if stops else None
