"""Expressions: what each operator of the language becomes in hardware, and what folds away before it does."""

from __future__ import annotations

from collections.abc import Mapping

from ...program import ir
from ...program.constants import evaluate
from ...program.expressions import children
from ...program.type_of import type_of_expression
from ...program.typenames import BOOL, INT, UNKNOWN, join
from ...tool.library import DISPLAYS
from ...tool.memories import MEMORY
from . import fields, forms, pointers, streams
from .forms import Form
from .loads import load, store
from .operations import copies, make
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Sources, Value, folded, later, reassociated

# Addresses are narrow whatever the type of the counter: the tool cuts them to what the array needs. 12 bits reach 4096
# elements.
ADDRESS = ir.CType("uint", 12, name="address")

_BINARY = {
    "*": "mul", "/": "div", "%": "mod", "<<": "shift", ">>": "shift", "&": "logic", "|": "logic", "^": "logic",
    "&&": "logic", "||": "logic", "<": "cmp", ">": "cmp", "<=": "cmp", ">=": "cmp", "==": "cmp", "!=": "cmp",
}  # fmt: skip


def constant(region: Region, expr: ir.Const) -> Value:
    """A literal."""
    return Value(region.base, NO_LOOPS, expr.type, NO_SOURCES, forms.constant(expr.value))


def name(region: Region, expr: ir.Ref) -> Value:
    """A variable: what it was set to, a constant, a counter, or what comes from outside or from the last iteration."""
    var = expr.var
    if var is None:
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    if var.type.pointer:
        var = region.stands.get(var, var)
    found = region.env.get(var)
    if found is not None:
        return found if var.type.kind != "struct" else fields.whole(region, var, found)
    known = region.host.known
    if var in known:
        return Value(region.base, NO_LOOPS, var.type, NO_SOURCES, forms.constant(known[var]))
    if var in region.host.active:
        return Value(region.base, NO_LOOPS, var.type, NO_SOURCES, {var: 1.0})
    since: Sources = {var: 0.0} if var in region.carried else NO_SOURCES
    # A scalar from outside is a term of an affine form like a counter: `a[i + n]` and `a[i + n + 1]` lie side by side.
    form: Form | None = {var: 1.0} if var not in region.written and not var.dims else None
    made = region.env[var] = Value(region.base, NO_LOOPS, var.type, since, form)
    return made if var.type.kind != "struct" else fields.whole(region, var, made)


def convert(region: Region, value: Value, type_: ir.CType) -> Value:
    """A conversion between floating point and integer costs a core; the rest is wiring."""
    if type_.is_float != value.type.is_float and type_.kind != "unknown" and value.type.kind != "unknown":
        if forms.is_constant(value.form):
            return Value(value.time, value.deps, type_, value.since)  # the compiler converts it
        kind = type_ if type_.is_float else value.type
        return make(region, "convert", kind, value, result=type_)
    if type_.kind in ("unknown", "struct") or type_ is value.type:
        return value
    return Value(value.time, value.deps, type_, value.since, value.form, parts=(value,))


def binary(region: Region, expr: ir.Binary) -> Value:
    """Arithmetic, comparison, logic, shift."""
    if expr.op == "<<" and _displays(expr):
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    moved = streams.operator(region, expr)
    if moved is not None:
        return moved
    left, right = region.value(expr.left), region.value(expr.right)
    op = expr.op
    found = folded(op, left, right)
    if found is not None:
        return found
    type_ = join(left.type, right.type)
    form = forms.affine(op, left.form, right.form)
    if form is not None and not type_.is_float:
        return _address(region, left, right, type_, form)
    if op in ("+", "-"):
        return _sum(region, left, right, type_)
    kind = _BINARY.get(op, "logic")
    if not type_.is_float and _is_wiring(kind, left, right):
        return Value(max(left.time, right.time), left.deps | right.deps, type_, later(0.0, left, right))
    logical = op in ("&&", "||")
    result = BOOL if kind == "cmp" or logical else None
    return make(region, kind, BOOL if logical else type_, left, right, result=result)


def _displays(expr: ir.Expr) -> bool:
    """`std::cout << a << b`, which shows data and leaves no hardware."""
    while isinstance(expr, ir.Binary) and expr.op == "<<":
        expr = expr.left
    return isinstance(expr, ir.Ref) and expr.var is None and expr.name.rpartition("::")[2] in DISPLAYS


def _sum(region: Region, left: Value, right: Value, type_: ir.CType) -> Value:
    made = make(region, "add", type_, left, right)
    # Integer sums need no mark: they are balanced where copies of an update are closed (`chains.close`).
    if type_.is_float and region.target.unsafe_math:
        made.sum = True
        made.since = reassociated(made.since, [side for side in (left, right) if side.sum])
    return made


def _is_wiring(kind: str, left: Value, right: Value) -> bool:
    """Whether an integer operator takes nothing: a shift by a constant, a product or quotient by a power of two."""
    if kind == "mul":
        return forms.is_power_of_two(left.form) or forms.is_power_of_two(right.form)
    return (kind == "shift" and forms.is_constant(right.form)) or (
        kind in ("div", "mod") and forms.is_power_of_two(right.form)
    )


def _address(region: Region, left: Value, right: Value, type_: ir.CType, form: Form) -> Value:
    """Affine in loop variables: strength-reduced to an adder a loop, no time on the critical path."""
    deps = left.deps | right.deps
    region.counts[("add", ADDRESS)] += copies(region, deps)
    return Value(max(left.time, right.time), deps, type_, later(0.0, left, right), form)


def unary(region: Region, expr: ir.Unary) -> Value:
    """Sign, inversion, steps of a counter, `*` and `&`."""
    op = expr.op
    if op in ("++", "--", "p++", "p--"):
        before = region.value(expr.operand) if op.startswith("p") and isinstance(expr.operand, ir.Ref) else None
        after = assign(region, ir.Assign("+=" if "+" in op else "-=", expr.operand, ir.Const(1, INT)))
        return before or after
    if op == "*":
        return load(region, ir.Index(expr.operand, (ir.Const(0, INT),)))
    if op == "&":
        return _address_of(region, expr)
    inner = region.value(expr.operand)
    if op == "-":
        # The sign of a float is one bit to turn; an integer is subtracted from nothing.
        made = make(region, "logic" if inner.type.is_float else "add", inner.type, inner)
        made.form = None if inner.form is None else {k: -v for k, v in inner.form.items()}
        return made
    return make(region, "logic", BOOL if op == "!" else inner.type, inner)


def _address_of(region: Region, expr: ir.Unary) -> Value:
    """`&x`: nothing is loaded, the subscripts are all that is computed."""
    found = pointers.behind(region, expr) if isinstance(expr.operand, ir.Index) else None
    if found is None:
        return region.value(expr.operand)
    return found[1] or Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def ternary(region: Region, expr: ir.Ternary) -> Value:
    """`c ? a : b`: both sides are built and one is selected."""
    known = evaluate(expr.condition, region.host.known)
    if known is not None:
        return region.value(expr.yes if known else expr.no)
    condition, yes, no = region.value(expr.condition), region.value(expr.yes), region.value(expr.no)
    made = make(region, "select", join(yes.type, no.type), condition, yes, no)
    if not made.type.is_float and _is_extreme(expr):
        made.extreme = True
        made.since = reassociated(made.since, [side for side in (yes, no) if side.extreme])
    return made


def _is_extreme(expr: ir.Ternary) -> bool:
    """`a < b ? a : b` and its like."""
    test = expr.condition
    if not isinstance(test, ir.Binary) or test.op not in ("<", ">", "<=", ">="):
        return False
    left, right = test.left, test.right
    return (_same(left, expr.yes) and _same(right, expr.no)) or (_same(left, expr.no) and _same(right, expr.yes))


def _same(one: ir.Expr, other: ir.Expr) -> bool:
    """Whether two expressions without calls are written alike."""
    if type(one) is not type(other) or isinstance(one, ir.Call | ir.Assign):
        return False
    if isinstance(one, ir.Ref) and isinstance(other, ir.Ref):
        return one.var is other.var and one.name == other.name
    if isinstance(one, ir.Const) and isinstance(other, ir.Const):
        return one.value == other.value
    if getattr(one, "op", "") != getattr(other, "op", "") or getattr(one, "field", "") != getattr(other, "field", ""):
        return False
    parts, others = list(children(one)), list(children(other))
    return len(parts) == len(others) and all(map(_same, parts, others))


def cast(region: Region, expr: ir.Cast) -> Value:
    """`(T)x`."""
    return convert(region, region.value(expr.operand), expr.type)


def many(region: Region, expr: ir.Many) -> Value:
    """A comma expression or an initialiser list: the last value stands for it."""
    values = [region.value(item) for item in expr.items]
    return values[-1] if values else Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def member(region: Region, expr: ir.Member) -> Value:
    """`s.x`: an element of an array of structs is loaded, a field of a plain struct is part of it."""
    if _starts_in_array(expr):
        return load(region, expr)
    found = fields.read(region, expr)
    if found is not None:
        return found
    base = region.value(expr.base)
    return Value(base.time, base.deps, type_of_expression(expr, region.host.program), base.since)


def _starts_in_array(expr: ir.Expr) -> bool:
    """Whether `a[i].field` reads an element of an array."""
    indexed = False
    while isinstance(expr, ir.Member | ir.Index):
        indexed = indexed or isinstance(expr, ir.Index)
        expr = expr.base
    return indexed and isinstance(expr, ir.Ref) and expr.var is not None


def assign(region: Region, expr: ir.Assign) -> Value:
    """`target op value`; what it gives is the value as the target's type holds it."""
    target = expr.target
    pointer = target.var if isinstance(target, ir.Ref) and expr.op == "=" else None
    if pointer is not None and pointer.type.pointer and pointers.point(region, pointer, expr.value):
        return region.env[pointer]
    outer, region.binding = region.binding, _bound_to(region, target)
    plain = expr.op == "="
    value = region.value(expr.value) if plain else binary(region, ir.Binary(expr.op[:-1], target, expr.value))
    kind = type_of_expression(target, region.host.program)
    value = convert(region, value, kind)
    region.binding = outer
    if isinstance(target, ir.Ref):
        if target.var is not None:
            _set(region, target.var, value)
    elif isinstance(target, ir.Unary) and target.op == "*":
        store(region, ir.Index(target.operand, (ir.Const(0, INT),)), value)
    elif isinstance(target, ir.Call) and target.receiver is not None:
        # `x.range(7, 0) = y` changes x; which of its bits stay is not followed.
        assign(region, ir.Assign("=", target.receiver, ir.Const(None, kind)))
    elif not (isinstance(target, ir.Member) and fields.write(region, target, value)):
        store(region, target, value)
    return value


def _set(region: Region, var: ir.Variable, value: Value) -> None:
    if var in region.stands:
        var = region.stands[var]
    if var.type.kind == "struct":
        fields.forget(region, var)
    # A scalar behind a reference parameter is a port of the block: it is driven a cycle later.
    if var.type.pointer and var.scope == "param" and var not in region.inductions:
        region.end = max(region.end, value.time + MEMORY.store_cycles)
    region.env[var] = value


def _bound_to(region: Region, target: ir.Expr) -> Mapping[str, str]:
    """What BIND_OP says about the operators behind an assignment."""
    while isinstance(target, ir.Index | ir.Member):
        target = target.base
    return region.host.bound(target.var) if isinstance(target, ir.Ref) and target.var is not None else {}
