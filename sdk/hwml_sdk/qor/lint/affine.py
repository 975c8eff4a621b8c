"""Subscripts as `coefficient * counter + constant`, and the range of values an expression takes."""

from __future__ import annotations

from collections.abc import Mapping

from ..program import ir
from .facts import Facts

Range = tuple[int, int]
Form = tuple[int, int, str]


def form_of(expr: ir.Expr, counter: ir.Variable, facts: Facts) -> Form | None:
    """(coefficient of the counter, constant, the rest as text) of a subscript; None when it is no such sum.

    Two subscripts can be compared where coefficient and rest are the same.
    """
    value = facts.value(expr)
    if value is not None:
        return (0, int(value), "") if value == int(value) else None
    if isinstance(expr, ir.Cast):
        return form_of(expr.operand, counter, facts)
    if isinstance(expr, ir.Ref):
        return (1, 0, "") if expr.var is counter else (0, 0, f"+{expr.name}")
    if isinstance(expr, ir.Unary) and expr.op == "-":
        return _times(form_of(expr.operand, counter, facts), -1)
    if isinstance(expr, ir.Binary) and expr.op in ("+", "-"):
        left, right = form_of(expr.left, counter, facts), form_of(expr.right, counter, facts)
        right = _times(right, -1) if expr.op == "-" else right
        return None if left is None or right is None else (left[0] + right[0], left[1] + right[1], left[2] + right[2])
    if isinstance(expr, ir.Binary) and expr.op == "*":
        for factor, other in ((expr.left, expr.right), (expr.right, expr.left)):
            number = facts.value(factor)
            if number is not None and number == int(number):
                return _times(form_of(other, counter, facts), int(number))
    return None


def _times(form: Form | None, factor: int) -> Form | None:
    if form is None:
        return None
    if form[2] and factor != 1:
        return (form[0] * factor, form[1] * factor, f"{factor}*({form[2]})")
    return form[0] * factor, form[1] * factor, form[2]


def range_of(expr: ir.Expr, known: Mapping[ir.Variable, Range], facts: Facts) -> Range | None:
    """Least and largest value of a sum of counters that run through `known` ranges; None for anything else."""
    value = facts.value(expr)
    if value is not None:
        return (int(value), int(value)) if value == int(value) else None
    if isinstance(expr, ir.Ref):
        return known.get(expr.var) if expr.var is not None else None
    if isinstance(expr, ir.Unary) and expr.op == "-":
        inner = range_of(expr.operand, known, facts)
        return None if inner is None else (-inner[1], -inner[0])
    if not isinstance(expr, ir.Binary) or expr.op not in ("+", "-", "*"):
        return None
    left, right = range_of(expr.left, known, facts), range_of(expr.right, known, facts)
    if left is None or right is None:
        return None
    if expr.op == "*":
        ends = [a * b for a in left for b in right]
        return min(ends), max(ends)
    if expr.op == "-":
        right = (-right[1], -right[0])
    return left[0] + right[0], left[1] + right[1]
