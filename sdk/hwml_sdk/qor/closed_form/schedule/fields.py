"""Structs that are no elements of arrays: the tool takes them apart, so that each field is a variable of its own."""

from __future__ import annotations

from ...program import ir
from ...program.type_of import type_of_expression
from .accesses import Field
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Sources, Value, all_deps, later


def field_of(region: Region, expr: ir.Expr) -> Field | None:
    """`s.a.b` of a plain struct; None for elements of arrays and what a pointer points at."""
    names: list[str] = []
    while isinstance(expr, ir.Member):
        names.append(expr.field)
        expr = expr.base
    var = expr.var if isinstance(expr, ir.Ref) else None
    if var is None or not names:
        return None
    var = region.stands.get(var, var)
    if var.dims or var.type.pointer or var.type.kind != "struct" or var in region.aliases:
        return None
    return Field(var, ".".join(reversed(names)))


def read(region: Region, expr: ir.Member) -> Value | None:
    """The value of a field: what it was set to, a part of the whole, or what comes from the last iteration."""
    key = field_of(region, expr)
    if key is None:
        return None
    name = key.name
    while name:  # what `s.a` was set to holds for `s.a.b`
        found = region.env.get(Field(key.var, name))
        if found is not None:
            return found
        name = name.rpartition(".")[0]
    kind = type_of_expression(expr, region.host.program)
    base = region.env.get(key.var)
    if base is not None:
        return Value(base.time, base.deps, kind, base.since, parts=(base,))
    since: Sources = {key: 0.0} if key.var in region.carried else NO_SOURCES
    made = Value(region.base, NO_LOOPS, kind, since)
    _set(region, key, made)
    return made


def write(region: Region, expr: ir.Member, value: Value) -> bool:
    """Set a field; False where it is none of a plain struct."""
    key = field_of(region, expr)
    if key is None:
        return False
    _set(region, key, value)
    return True


def whole(region: Region, var: ir.Variable, value: Value) -> Value:
    """A struct with its fields as they were set since all of it was."""
    parts = [value, *(region.env[key] for key in _set_of(region, var))]
    if len(parts) == 1:
        return value
    time = max(part.time for part in parts)
    return Value(time, all_deps(parts), value.type, later(0.0, *parts), parts=tuple(parts))


def forget(region: Region, var: ir.Variable) -> None:
    """All of a struct is set: what its fields were is gone."""
    for key in _set_of(region, var):
        region.env.forget(key)


def _set_of(region: Region, var: ir.Variable) -> list[Field]:
    return [key for key in region.fields.get(var, ()) if key in region.env]


def _set(region: Region, key: Field, value: Value) -> None:
    region.env[key] = value
    region.fields.setdefault(key.var, {})[key] = None
