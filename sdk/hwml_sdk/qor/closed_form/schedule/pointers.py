"""Pointers that walk: `*p++`, `p + i`, `&a[i]` as an array and how far into it."""

from __future__ import annotations

from dataclasses import replace

from ...program import ir
from . import forms
from .accesses import Alias
from .addresses import count_adder
from .region import Region
from .values import NO_SOURCES, Value

# An array, with leading subscripts, and how many elements beyond it an address lies; None: at its start.
Address = tuple[Alias, Value | None]

_STEPS = ("++", "--", "p++", "p--")


def behind(region: Region, expr: ir.Expr) -> Address | None:
    """Where an address lies; None where `expr` is none that is known."""
    if isinstance(expr, ir.Cast):
        return behind(region, expr.operand)
    if isinstance(expr, ir.Ref):
        return _named(region, expr)
    if isinstance(expr, ir.Index):
        return _row(region, expr)
    if isinstance(expr, ir.Unary):
        if expr.op == "&" and isinstance(expr.operand, ir.Index):
            return _element(region, expr.operand)
        return _stepped(region, expr) if expr.op in _STEPS else None
    if isinstance(expr, ir.Binary) and expr.op in ("+", "-"):
        return _moved(region, expr)
    return None


def _named(region: Region, expr: ir.Ref) -> Address | None:
    var = expr.var
    if var is None or not (var.dims or var.type.pointer) or var in region.behind:
        return None
    alias = region.aliases.get(var) or Alias(var)
    return alias, region.whole(expr) if alias.walks else None


def _row(region: Region, expr: ir.Index) -> Address | None:
    """`a[i]` of an array of two extents: the start of a row."""
    start = behind(region, expr.base) if isinstance(expr.base, ir.Ref) else None
    if start is None or start[1] is not None:
        return None
    alias = start[0]
    if len(alias.prefix) + len(expr.subscripts) >= len(alias.array.dims):
        return None
    values = [region.whole(sub) for sub in expr.subscripts]
    prefix = (*alias.prefix, *(value.form for value in values))
    return Alias(alias.array, prefix, alias.prefix_deps.union(*(value.deps for value in values))), None


def _element(region: Region, expr: ir.Index) -> Address | None:
    """`&a[i][j]`: j elements into row i."""
    start = behind(region, expr.base)
    if start is None:
        return None
    alias, offset = start
    values = [region.whole(sub) for sub in expr.subscripts]
    deps = alias.prefix_deps.union(*(value.deps for value in values[:-1]))
    if offset is not None:
        values[0] = added(region, offset, values[0])
    prefix = (*alias.prefix, *(value.form for value in values[:-1]))
    return Alias(alias.array, prefix, deps), values[-1]


def _stepped(region: Region, expr: ir.Unary) -> Address | None:
    before = behind(region, expr.operand)
    if before is None or before[1] is None:
        return None
    after = region.whole(ir.Unary(expr.op.removeprefix("p"), expr.operand))
    return before if expr.op.startswith("p") else (before[0], after)


def _moved(region: Region, expr: ir.Binary) -> Address | None:
    start, by, sign = behind(region, expr.left), expr.right, 1.0 if expr.op == "+" else -1.0
    if start is None and sign > 0:
        start, by = behind(region, expr.right), expr.left
    if start is None:
        return None
    alias, offset = start
    return alias, added(region, offset, region.whole(by), sign)


def added(region: Region, offset: Value | None, further: Value, sign: float = 1.0) -> Value:
    """Two offsets one after the other."""
    if offset is not None:
        count_adder(region, "+" if sign > 0 else "-", offset, further)
    form = forms.linear(offset.form if offset is not None else {None: 0.0}, further.form, sign)
    if offset is None:
        return replace(further, form=form, table=())
    return Value(max(offset.time, further.time), offset.deps | further.deps, further.type, NO_SOURCES, form)


def _walks(region: Region, var: ir.Variable) -> bool:
    alias = region.aliases.get(var)
    return alias is not None and alias.walks


def step(region: Region, expr: ir.Assign, target: ir.Expr) -> Value | None:
    """`p += n` of a pointer that walks; None for anything else."""
    var = target.var if isinstance(target, ir.Ref) else None
    if var is None or expr.op not in ("+=", "-=") or not _walks(region, var):
        return None
    made = added(region, region.whole(target), region.whole(expr.value), 1.0 if expr.op == "+=" else -1.0)
    region.env[var] = made
    return made


def point(region: Region, var: ir.Variable, expr: ir.Expr) -> bool:
    """`p = a`, `p = &a[i]`, `p = q + n`: note what a local pointer stands for; False where that is not known."""
    if var.dims or not var.type.pointer or (var.scope == "param" and not _walks(region, var)):
        return False
    found = behind(region, expr)
    if found is None:
        return False
    alias, offset = found
    start = offset or Value(region.base, alias.prefix_deps, var.type, NO_SOURCES, {None: 0.0})
    region.aliases[var] = replace(alias, walks=True)
    region.env[var] = replace(start, type=var.type, since=NO_SOURCES, parts=())
    return True
