"""Structs that are no elements of arrays: each field is a variable of its own, as the tool takes structs apart.

UG1399, "Structs": structs in the code are disaggregated into their members by default.
"""

from __future__ import annotations

from ...program import ir
from ...program.expressions import root_variable
from ...program.sizes import place_of
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
        if var is None or var.type.kind != "struct" or var.dims:
            return None
        if var.type.pointer:
            return var if var not in region.aliases and region.host.alone(var) else None
        return var
    if isinstance(expr, ir.Unary) and expr.op in ("*", "&"):
        return struct_of(region, expr.operand)
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
            made = Value(whole.time, whole.deps, found.type, whole.since, parts=(whole,), hold=whole.hold)
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


def element_of(expr: ir.Expr) -> bool:
    """Whether an expression names an element of an array, or a field of one, that is no array itself."""
    return starts_in_array(expr) and (found := place_of(expr)) is not None and not found[1] and not found[0].pointer


def starts_in_array(expr: ir.Expr) -> bool:
    """Whether `a[i].field` names an element of an array or a part of one."""
    indexed = False
    while isinstance(expr, ir.Member | ir.Index):
        indexed = indexed or isinstance(expr, ir.Index)
        expr = expr.base
    return indexed and isinstance(expr, ir.Ref) and expr.var is not None


def refer(region: Region, var: ir.Variable, expr: ir.Expr) -> None:
    """Let a reference stand for the element of an array that `expr` names now, whatever its subscripts become."""
    region.env.forget(var)
    seen = through(region, expr)
    array = root_variable(seen)
    assert array is not None
    region.behind[var] = _settled(region, seen, array)


def settled(region: Region, expr: ir.Expr) -> ir.Expr | None:
    """What `expr` names now, by itself: an element whose subscripts do not change any more, or a field."""
    if isinstance(expr, ir.Ref):
        return region.behind.get(expr.var) if expr.var is not None else None
    seen = through(region, expr)
    array = root_variable(seen) if element_of(seen) else None
    alias = region.aliases.get(array) if array is not None else None
    if array is None or (alias is not None and (alias.prefix or alias.walks)):
        return None
    made = _settled(region, seen, array)
    return made if alias is None else _of_array(made, alias.array)


def _of_array(expr: ir.Expr, array: ir.Variable) -> ir.Expr:
    if isinstance(expr, ir.Member):
        return ir.Member(_of_array(expr.base, array), expr.field)
    if isinstance(expr, ir.Index):
        return ir.Index(_of_array(expr.base, array), expr.subscripts, expr.span)
    return ir.Ref(array.name, array)


def _settled(region: Region, expr: ir.Expr, array: ir.Variable) -> ir.Expr:
    """A chain of fields and subscripts of `array` whose subscripts are values that do not change any more."""
    if isinstance(expr, ir.Member):
        return ir.Member(_settled(region, expr.base, array), expr.field)
    if not isinstance(expr, ir.Index):
        return expr
    kept: list[ir.Expr] = []
    for subscript in expr.subscripts:
        if isinstance(subscript, ir.Const):
            kept.append(subscript)
            continue
        value = region.whole(subscript)
        held = ir.Variable("", value.type, (), "local", array.span, array.path)
        region.env[held] = value
        kept.append(ir.Ref("", held))
    return ir.Index(_settled(region, expr.base, array), tuple(kept), expr.span)


def through(region: Region, expr: ir.Expr) -> ir.Expr:
    """What a chain of fields and subscripts names where it starts at a reference to an element of an array."""
    if not region.behind:
        return expr
    if isinstance(expr, ir.Ref):
        found = region.behind.get(expr.var) if expr.var is not None else None
        return expr if found is None or not starts_in_array(found) else found
    if isinstance(expr, ir.Member | ir.Index):
        base = through(region, expr.base)
        if base is expr.base:
            return expr
        if isinstance(expr, ir.Member):
            return ir.Member(base, expr.field)
        if isinstance(base, ir.Index):
            return ir.Index(base.base, (*base.subscripts, *expr.subscripts), expr.span)
        return ir.Index(base, expr.subscripts, expr.span)
    return expr


def target_of(region: Region, target: ir.Expr) -> ir.Expr:
    """What is written where a scalar of the caller stands behind a reference or a pointer: `o` and `*o` are `t`."""
    inner = target
    if isinstance(inner, ir.Unary) and inner.op == "*":
        inner = inner.operand
    var = inner.var if isinstance(inner, ir.Ref) else None
    return region.behind.get(var, target) if var is not None else target


def holds_reference(var: ir.Variable) -> bool:
    """Whether a field of a class is a reference to a struct; all objects of the class share its variable."""
    field = var.scope == "local" and not var.function
    return field and var.type.kind == "struct" and var.type.pointer == 1 and not var.dims


def refer_to_object(region: Region, var: ir.Variable, expr: ir.Expr) -> bool:
    """Let a reference that an object holds stand for what it is given; False where that is no known object."""
    seen = target_of(region, expr) if holds_reference(var) else None
    if seen is None or struct_of(region, seen) is None:
        return False
    region.behind[var] = seen
    region.aliases.pop(var, None)
    owner = struct_of(region, region.this) if region.this is not None else None
    own = region.host.part(owner, var.name) if owner is not None else None
    if own is not None:
        region.env[own] = Value(region.base, NO_LOOPS, var.type, NO_SOURCES, refers=seen)
    return True


def recall(region: Region, var: ir.Variable, held: Value | None) -> None:
    """Let the variable of such a field stand for what the object at hand refers to, as `held` has it."""
    if held is not None and held.refers is not None:
        region.behind[var] = held.refers
    elif region.behind.pop(var, None) is not None:
        region.unknown.because(f"which object {var.name} refers to is not followed")


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
    if (
        scalar
        or struct_of(region, inner) is not None
        or (isinstance(inner, ir.Member) and (part(region, inner) or struct_of(region, inner)))
    ):
        region.behind[param] = inner
        region.env.forget(param)
        return True
    return False
