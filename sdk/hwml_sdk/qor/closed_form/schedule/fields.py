"""Structs that are no elements of arrays: each field is a variable of its own, as the tool takes structs apart.

UG1399, "Structs": structs in the code are disaggregated into their members by default.
"""

from __future__ import annotations

from ...program import ir
from .accesses import root
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Value


def struct_of(region: Region, expr: ir.Expr) -> ir.Variable | None:
    """The variable, or the field of one, that an expression names where it is a struct by itself; else None."""
    if isinstance(expr, ir.Ref):
        var = expr.var
        found = region.behind.get(var) if var is not None else None
        if found is not None:
            return struct_of(region, found)
        plain = var is not None and var.type.kind == "struct" and not var.dims and not var.type.pointer
        return var if plain else None
    if isinstance(expr, ir.Member):
        found_part = part(region, expr)
        return found_part if found_part is not None and found_part.type.kind == "struct" else None
    if isinstance(expr, ir.Many) and expr.comma and expr.items:
        return struct_of(region, expr.items[-1])
    return None


def part(region: Region, expr: ir.Expr) -> ir.Variable | None:
    """The field that `s.x` names as a variable of its own, where `s` is a struct by itself and `x` no array."""
    owner = struct_of(region, expr.base) if isinstance(expr, ir.Member) else None
    if owner is None or not isinstance(expr, ir.Member):
        return None
    found = region.host.part(owner, expr.field)
    return None if found is None or found.dims or found.type.kind == "stream" or found.type.pointer else found


def array_in(region: Region, expr: ir.Expr) -> tuple[ir.Variable, tuple[ir.Expr, ...]] | None:
    """The array or stream that `s.a[i]` names in a struct by itself, with its subscripts; None for all else."""
    subscripts: tuple[ir.Expr, ...] = ()
    while isinstance(expr, ir.Member | ir.Index):
        if isinstance(expr, ir.Index):
            subscripts = (*expr.subscripts, *subscripts)
        else:
            owner = struct_of(region, expr.base)
            found = region.host.part(owner, expr.field) if owner is not None else None
            if found is not None and (found.dims or found.type.kind == "stream") and not found.type.pointer:
                return found, subscripts
        expr = expr.base
    return None


def read(region: Region, var: ir.Variable, field: str) -> Value | None:
    """A field as it was set last, or as it comes with the whole struct or from an earlier iteration."""
    found = region.host.part(var, field)
    if found is None or found.dims or found.type.pointer:
        return None
    known = region.env.get(found)
    if known is not None:
        return known
    if root(found) in region.carried:
        made = Value(region.base, NO_LOOPS, found.type, {found: 0.0}, None)
    else:
        whole = region.env.get(var)
        if whole is None:
            made = Value(region.base, NO_LOOPS, found.type, NO_SOURCES, {found: 1.0})
        else:
            made = Value(whole.time, whole.deps, found.type, whole.since, parts=(whole,))
    region.env[found] = made
    return made


def all_of(region: Region, var: ir.Variable) -> dict[str, Value]:
    """The fields of a struct that are known by themselves."""
    found = ((name, region.host.part(var, name)) for name, _, _ in var.type.fields)
    return {name: region.env[key] for name, key in found if key is not None and key in region.env}


def replaced(region: Region, var: ir.Variable, fields: dict[str, Value]) -> None:
    """A whole struct was set: of its fields these are known by themselves (by name or place), and no others."""
    for index, (name, _, _) in enumerate(var.type.fields):
        key = region.host.part(var, name)
        if key is not None:
            region.env.forget(key)
            found = fields.get(name) or fields.get(str(index))
            if found is not None and not key.dims:
                region.env[key] = found


def walked(region: Region, expr: ir.Expr) -> tuple[Value, dict[str, Value]]:
    """Walk an expression: its value, and of a struct the fields that are known by themselves, by name or place."""
    if isinstance(expr, ir.Many) and not expr.comma and expr.items:
        values = [region.value(item) for item in expr.items]
        return values[-1], {str(index): value for index, value in enumerate(values)}
    region.fields = {}
    value = region.value(expr)
    return value, _given(region, expr)


def _given(region: Region, expr: ir.Expr) -> dict[str, Value]:
    owner = struct_of(region, expr)
    if owner is not None:
        return all_of(region, owner)
    if isinstance(expr, ir.Cast):
        return _given(region, expr.operand)
    return dict(region.fields) if isinstance(expr, ir.Call) else {}


def target_of(region: Region, target: ir.Expr) -> ir.Expr:
    """What is written where a scalar of the caller stands behind a reference or a pointer: `o` and `*o` are `t`."""
    inner = target
    if isinstance(inner, ir.Unary) and inner.op == "*":
        inner = inner.operand
    var = inner.var if isinstance(inner, ir.Ref) else None
    return region.behind.get(var, target) if var is not None else target


def stand_behind(region: Region, param: ir.Variable, argument: ir.Expr) -> bool:
    """Let a reference or pointer parameter stand for the caller's scalar or struct; whether it does."""
    region.behind.pop(param, None)
    inner = argument
    while isinstance(inner, ir.Cast) or (isinstance(inner, ir.Unary) and inner.op == "&"):
        inner = inner.operand
    if not param.type.pointer or param.dims or param.type.kind == "stream":
        return False
    inner = target_of(region, inner)
    var = inner.var if isinstance(inner, ir.Ref) else None
    scalar = var is not None and not (var.dims or var.type.pointer or var.type.kind == "stream")
    if scalar or (isinstance(inner, ir.Member) and (part(region, inner) or struct_of(region, inner))):
        region.behind[param] = inner
        region.env.forget(param)
        return True
    return False
