"""Expressions: what each operator of the language becomes in hardware, and what folds away before it does."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from ...program import ir
from ...program.constants import Number, evaluate, held
from ...program.expressions import children, root_variable
from ...program.numbers import unary as unary_of
from ...program.type_of import type_of_expression
from ...program.typenames import BOOL, INT, OUTPUTS, UNKNOWN, join
from ...tool.library import DISPLAYS
from . import arrays, fields, forms, integers, pointers, streams, tables
from .accesses import Element
from .addresses import ADDRESS, count_adder, form_bits
from .forms import Form
from .loads import load, store
from .operations import make
from .region import Region
from .shared import once
from .values import (
    NO_LOOPS,
    NO_SOURCES,
    Hold,
    Sources,
    Value,
    all_deps,
    constant_value,
    folded,
    later,
    reassociated,
)

_NUMBERS = ("int", "uint", "fixed", "ufixed", "bool", "half", "float", "double")
_BINARY = {
    "*": "mul", "/": "div", "%": "mod", "<<": "shift", ">>": "shift", "&": "logic", "|": "logic", "^": "logic",
    "&&": "logic", "||": "logic", "<": "cmp", ">": "cmp", "<=": "cmp", ">=": "cmp", "==": "cmp", "!=": "cmp",
}  # fmt: skip
# Low bits of the result hang on low bits of the operands only.
_LOW_BITS = ("+", "-", "*", "&", "|", "^")
_WHOLE = ("int", "uint", "bool")
_INTEGERS = ("int", "uint", "bool", "fixed", "ufixed", "unknown")


def constant(region: Region, expr: ir.Const) -> Value:
    """A literal."""
    if expr.value is None:
        return Value(region.base, NO_LOOPS, expr.type, NO_SOURCES)
    return constant_value(region.base, expr.type, expr.value)


def name(region: Region, expr: ir.Ref) -> Value:
    """A variable: what it was set to, a constant, a counter, or what comes from outside or from the last iteration."""
    var = expr.var
    if var is None:
        if not _is_named(region, expr.name):
            region.unknown.because(f"{expr.name} is not declared here")
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    found = region.env.get(var)
    if found is not None:
        return found
    number = _number(region, expr, var)
    if number is not None:
        return constant_value(region.base, var.type, number)
    if var in region.host.active:
        return Value(
            region.base, NO_LOOPS, var.type, NO_SOURCES, {var: 1.0}, bits=form_bits(region, {var: 1.0}, var.type)
        )
    if var in region.behind:
        return region.value(region.behind[var])
    since: Sources = {var: 0.0} if var in region.carried else NO_SOURCES
    # A scalar from outside is a term of an affine form like a counter: `a[i + n]` and `a[i + n + 1]` lie side by side.
    form: Form | None = {var: 1.0} if var not in region.written and not var.dims else None
    made = region.env[var] = Value(region.base, NO_LOOPS, var.type, since, form, bits=region.narrow.get(var, 0))
    if region.unroll_all and not since and var.scope == "param" and not (var.dims or var.type.pointer):
        made.hold = region.given[var] = Hold(0, 0, max(var.type.width, 1), 1.0, given=True)
    return made


def _is_named(region: Region, name: str) -> bool:
    """Whether a name that is no variable is one of a function, or of what leaves no hardware."""
    program, short = region.host.program, name.rpartition("::")[2]
    return not name or short in DISPLAYS or not {name, short}.isdisjoint(program.functions) or name in program.declared


def _number(region: Region, expr: ir.Ref, var: ir.Variable) -> Number | None:
    """What a variable holds throughout: a constant of the function, or one that is declared as such anywhere."""
    known = region.host.known
    if var in known:
        return known[var]
    declared = var.const and not (var.dims or var.type.pointer) and var.type.kind in _NUMBERS
    return evaluate(expr, known) if declared else None


def convert(region: Region, value: Value, type_: ir.CType) -> Value:
    """A conversion between floating point and integer costs a core; the rest is wiring."""
    if value.type.kind == "struct" and value.type.name and type_.kind in _NUMBERS and not type_.pointer:
        # A struct becomes a number by an operator of its own, which the reader has put here where it was written.
        region.unknown.because(f"the conversion of {value.type.name} to {type_.name or type_.kind} is not read")
    whole = value.constant
    if isinstance(whole, int) and type_.kind in _WHOLE and not type_.pointer and held(type_, whole) != whole:
        return constant_value(value.time, type_, held(type_, whole))  # it wraps
    if type_.is_float != value.type.is_float and type_.kind != "unknown" and value.type.kind != "unknown":
        number = value.constant
        if number is not None:
            return constant_value(value.time, type_, held(type_, number))  # the compiler converts it
        kind = type_ if type_.is_float else value.type
        return once(region, "convert", (value,), type_, lambda: make(region, "convert", kind, value, result=type_))
    if type_.kind in ("unknown", "struct") or type_ is value.type:
        return value
    return once(region, "held", (value,), type_, lambda: _held(region, value, type_))


def _held(region: Region, value: Value, type_: ir.CType) -> Value:
    """An integer as a variable of another type holds it: what does not fit is cut off, rounded or saturated."""
    made = Value(value.time, value.deps, type_, value.since, value.form, parts=(value,), hold=value.hold)
    if type_.kind not in ("fixed", "ufixed"):
        made.bits = 0 if type_.is_float else min(value.width, max(type_.width, 1))
        made.table = value.table
        return made
    # UG1399, arbitrary precision fixed-point: rounding adds half a unit, saturation compares and selects; the defaults,
    # AP_TRN and AP_WRAP, cut bits off.
    if not forms.is_constant(value.form):
        if "AP_RND" in type_.name:
            made = make(region, "add", type_, made)
        if "AP_SAT" in type_.name:
            made = make(region, "select", type_, make(region, "cmp", type_, made, result=BOOL), made)
    return made


def binary(region: Region, expr: ir.Binary) -> Value:
    """Arithmetic, comparison, logic, shift."""
    op = expr.op
    if op in ("<<", ">>"):
        if op == "<<" and _displays(expr):
            return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
        moved = streams.operator(region, expr)
        if moved is not None:
            return moved
    if op == "*":
        nothing = _times_zero(region, expr)
        if nothing is not None:
            return nothing
    walked = region.value if op in _LOW_BITS else region.whole
    left = walked(expr.left)
    if op in ("&&", "||") and left.constant is not None and bool(left.constant) == (op == "||"):
        return constant_value(left.time, BOOL, int(op == "||"))  # what stands behind it is never computed
    right = _amount(region, expr.right) if op in ("<<", ">>") else walked(expr.right)
    simple = None
    if left.constant is not None or right.constant is not None:
        simple = folded(op, left, right) or _unchanged(op, left, right)
    return simple or once(region, op, (left, right), None, lambda: _operate(region, op, left, right))


def _times_zero(region: Region, expr: ir.Binary) -> Value | None:
    """A product with a zero out of a table, whose other factor is never loaded; None for anything else."""
    for factor, other in ((expr.right, expr.left), (expr.left, expr.right)):
        var = root_variable(factor) if isinstance(factor, ir.Index) else None
        if var is None or not tables.is_table(var) or not isinstance(other, ir.Index | ir.Ref):
            continue
        value = region.value(factor)
        if value.constant == 0 and value.type.kind in _WHOLE and type_of_expression(other).kind in _WHOLE:
            return constant_value(value.time, value.type, 0)
    return None


def _amount(region: Region, expr: ir.Expr) -> Value:
    """How far is shifted: a sum of counters of unrolled loops is a constant in each copy, and takes no adder."""
    adders = region.counts.get(("add", ADDRESS), 0.0)
    value = region.whole(expr)
    if region.unrolled and isinstance(expr, ir.Binary) and integers.in_copies(region, value):
        region.counts[("add", ADDRESS)] = adders
    return value


def _unchanged(op: str, left: Value, right: Value) -> Value | None:
    """`x + 0`, `x * 1`, `x | 0`, `x << 0`, and what a constant decides, which take nothing; None for anything else.

    LLVM, InstSimplify. A floating-point x + 0.0 is left alone, as it is not x where x is -0.0.
    """
    type_ = join(left.type, right.type)
    if type_.is_float and type_.kind != "vector":
        return _times_one(op, left, right, type_)
    if type_.kind not in _WHOLE:
        return None
    for one, other, first in ((right, left, False), (left, right, True)):
        number = one.constant
        if number is None:
            continue
        if op in ("&&", "||"):
            if bool(number) == (op == "||"):
                return constant_value(one.time, BOOL, int(number != 0))
            return other if other.type.kind == "bool" else None
        if number == 0 and op in ("*", "&") and other.type.kind in _WHOLE:
            return constant_value(one.time, type_, 0)
        same = number == 0 and (op in ("+", "|", "^") or (op in ("-", "<<", ">>") and not first))
        if (same or (number == 1 and (op == "*" or (op == "/" and not first)))) and other.type.kind in _WHOLE:
            if other.type.kind == type_.kind and other.type.width == type_.width:
                return other
            bits = min(other.width, max(type_.width, 1))
            return Value(
                other.time, other.deps, type_, other.since, other.form, bits=bits, parts=(other,), hold=other.hold
            )
    return None


def _times_one(op: str, left: Value, right: Value, type_: ir.CType) -> Value | None:
    """`x * 1.0` and `x / 1.0`, which are x whatever it is, where x needs no conversion."""
    if op in ("*", "/") and right.constant == 1 and left.type.kind == type_.kind:
        return left
    return right if op == "*" and left.constant == 1 and right.type.kind == type_.kind else None


def _operate(region: Region, op: str, left: Value, right: Value) -> Value:
    """An operator on two values that do not both fold."""
    type_ = join(left.type, right.type)
    form = forms.affine(op, left.form, right.form)
    if form is not None and not type_.is_float:
        if _counts(region, form):
            return _address(region, op, left, right, type_, form)
        made = integers.operate(region, op, left, right, type_)
        made.form = form
        return made
    if type_.kind in _INTEGERS:
        return integers.operate(region, op, left, right, type_)
    if op in ("+", "-"):
        return _sum(region, left, right, type_)
    if op in ("*", "/") and _is_complex(left.type) and _is_complex(right.type):
        return _complex(region, op, left, right, type_)
    kind = _BINARY.get(op, "logic")
    return make(region, kind, type_, left, right, result=BOOL if kind == "cmp" else None)


def _is_complex(type_: ir.CType) -> bool:
    return type_.kind == "vector" and "complex<" in type_.name


def _complex(region: Region, op: str, left: Value, right: Value, type_: ir.CType) -> Value:
    """(a + bi)(c + di) = (ac - bd) + (ad + bc)i; what a quotient is made of depends on the library."""
    part = type_.element
    if op == "/" or part is None:
        region.unknown.because("a quotient of complex numbers is not read")
        return make(region, "logic", type_, left, right)
    products = [make(region, "mul", part, left, right) for _ in range(4)]
    sums = [make(region, "add", part, *pair) for pair in (products[:2], products[2:])]
    return Value(sums[0].time, sums[0].deps, type_, sums[0].since, parts=tuple(sums))


def _counts(region: Region, form: Form) -> bool:
    """Whether the counter of a loop stands in a form, so that the sum is stepped rather than added up."""
    counters = region.host.active
    return any(var in counters for var in form) or any(loop.var in form for loop in region.unrolled if loop.var)


def _displays(expr: ir.Expr) -> bool:
    """`std::cout << a << b`, which shows data and leaves no hardware."""
    while isinstance(expr, ir.Binary) and expr.op == "<<":
        expr = expr.left
    if not isinstance(expr, ir.Ref):
        return False
    return expr.name.rpartition("::")[2] in DISPLAYS if expr.var is None else expr.var.type.name in OUTPUTS


def _sum(region: Region, left: Value, right: Value, type_: ir.CType) -> Value:
    made = make(region, "add", type_, left, right)
    if type_.is_float and region.target.unsafe_math:
        made.sum = True
        made.since = reassociated(made.since, [side for side in (left, right) if side.sum])
    return made


def _address(region: Region, op: str, left: Value, right: Value, type_: ir.CType, form: Form) -> Value:
    """Affine in loop variables: strength-reduced to an adder a loop, no time on the critical path."""
    deps = left.deps | right.deps
    count_adder(region, op, left, right)
    bits = form_bits(region, form, type_)
    return Value(max(left.time, right.time), deps, type_, later(0.0, left, right), form, bits=bits)


def unary(region: Region, expr: ir.Unary) -> Value:
    """Sign, inversion, steps of a counter, `*` and `&`."""
    op = expr.op
    if op in ("++", "--", "p++", "p--"):
        before = region.value(expr.operand) if op.startswith("p") and isinstance(expr.operand, ir.Ref) else None
        after = assign(region, ir.Assign("+=" if "+" in op else "-=", expr.operand, ir.Const(1, INT)))
        return before or after
    if op == "*":
        stands_for = fields.target_of(region, expr)
        if stands_for is not expr:
            return region.value(stands_for)
        return load(region, ir.Index(expr.operand, (ir.Const(0, INT),)))
    if op == "&":
        return _address_of(region, expr)
    inner = region.value(expr.operand) if op in ("-", "~") else region.whole(expr.operand)
    number = unary_of(op, inner.constant)
    if number is not None:
        return constant_value(inner.time, BOOL if op == "!" else inner.type, number)
    return once(region, f"unary {op}", (inner,), None, lambda: _alone(region, op, inner))


def _alone(region: Region, op: str, inner: Value) -> Value:
    """An operator on one value."""
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
        return region.whole(expr.operand)
    return found[1] or Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def ternary(region: Region, expr: ir.Ternary) -> Value:
    """`c ? a : b`: both sides are built and one is selected."""
    known = evaluate(expr.condition, region.host.known)
    if known is not None:
        return region.value(expr.yes if known else expr.no)
    condition = region.whole(expr.condition)
    if condition.constant is not None:
        return region.value(expr.yes if condition.constant else expr.no)
    yes, no = _way(region, expr, 0, expr.yes), _way(region, expr, 1, expr.no)
    return once(region, "?", (condition, yes, no), None, lambda: _selected(region, expr, condition, yes, no))


def _selected(region: Region, expr: ir.Ternary, condition: Value, yes: Value, no: Value) -> Value:
    """One of two values, as a condition says."""
    type_ = join(yes.type, no.type)
    width = max(yes.width, no.width)
    chosen = integers.of_width(type_, width) if type_.kind in _INTEGERS else type_
    made = make(region, "select", chosen, condition, yes, no)
    if chosen is not type_:
        made.type, made.bits = type_, width
    if not made.type.is_float and _is_extreme(expr):
        made.extreme = True
        made.since = reassociated(made.since, [side for side in (yes, no) if side.extreme])
    return made


def _way(region: Region, expr: ir.Ternary, arm: int, side: ir.Expr) -> Value:
    """One side: what it loads is loaded on this way only."""
    arms, region.arms = region.arms, (*region.arms, (expr, arm))
    known = len(region.env)
    value = region.value(side)
    for key in list(islice(reversed(region.env), max(len(region.env) - known, 0))):
        if isinstance(key, Element):
            region.env.forget(key)
    region.arms = arms
    return value


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
    return convert(region, region.low(expr.operand, expr.type), expr.type)


def many(region: Region, expr: ir.Many) -> Value:
    """A comma expression or an initialiser list: the last value stands for it."""
    values = [region.value(item) for item in expr.items]
    return values[-1] if values else Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def member(region: Region, expr: ir.Member) -> Value:
    """`s.x`: an element of an array of structs is loaded, a field of a plain struct is part of it."""
    seen = fields.through(region, expr)
    number = evaluate(seen, region.host.known) if isinstance(seen, ir.Member) else None
    if number is not None:
        return constant_value(region.base, type_of_expression(seen, region.host.program), number)
    if fields.starts_in_array(seen):
        return load(region, seen)
    if isinstance(expr.base, ir.Call | ir.Many):
        base, known = fields.walked(region, expr.base)
        if expr.field in known:
            return known[expr.field]
    owner = fields.struct_of(region, expr.base)
    found = fields.read(region, owner, expr.field) if owner is not None else None
    if found is not None:
        return found
    if not isinstance(expr.base, ir.Call | ir.Many):
        base = region.whole(expr.base)
    kind = type_of_expression(expr, region.host.program)
    return Value(base.time, base.deps, kind, base.since, hold=base.hold)


def assign(region: Region, expr: ir.Assign) -> Value:
    """`target op value`; what it gives is the value as the target's type holds it."""
    named = expr.target.var if isinstance(expr.target, ir.Ref) and expr.op == "=" else None
    if named is not None and fields.refer_to_object(region, named, expr.value):
        return Value(region.base, NO_LOOPS, named.type, NO_SOURCES)
    target = _written(region, fields.target_of(region, expr.target))
    if expr.op == "=" and arrays.copy_array(region, target, expr.value):
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    pointer = target.var if isinstance(target, ir.Ref) and expr.op == "=" else None
    if pointer is not None and pointer.type.pointer and pointers.point(region, pointer, expr.value):
        return region.env[pointer]
    stepped = pointers.step(region, expr, target)
    if stepped is not None:
        return stepped
    outer, region.binding = region.binding, _bound_to(region, target)
    kind = type_of_expression(target, region.host.program)
    made = expr.value if expr.op == "=" else ir.Binary(expr.op[:-1], target, expr.value)
    if kind.kind == "struct" and expr.op == "=":
        value, known = fields.walked(region, made)
        owner = fields.struct_of(region, target)
        if owner is not None:
            fields.replaced(region, owner, known)
            arrays.copy_fields(region, target, made)
    else:
        value = convert(region, region.low(made, kind), kind)
    region.binding = outer
    _put(region, target, value)
    return value


def _put(region: Region, target: ir.Expr, value: Value) -> None:
    """Let what a place names be a value from now on."""
    field = fields.part(region, target)
    if field is not None:
        region.env[field] = value
    elif isinstance(target, ir.Ref):
        if target.var is not None:
            region.env[target.var] = value
    elif isinstance(target, ir.Unary) and target.op == "*":
        store(region, ir.Index(target.operand, (ir.Const(0, INT),)), value)
    elif isinstance(target, ir.Call) and target.receiver is not None:
        _put_bits(region, fields.target_of(region, target.receiver), value)
    elif _is_bit(target) and isinstance(target, ir.Index):
        for subscript in target.subscripts:
            region.whole(subscript)
        _put_bits(region, target.base, value)
    else:
        store(region, target, value)


def _is_bit(target: ir.Expr) -> bool:
    """Whether a subscript names a bit of an integer."""
    var = target.base.var if isinstance(target, ir.Index) and isinstance(target.base, ir.Ref) else None
    return var is not None and not var.dims and not var.type.pointer and var.type.kind in ("int", "uint")


def _put_bits(region: Region, word: ir.Expr, value: Value) -> None:
    """`x.range(7, 0) = y` changes x, which is there when y is; which of its bits stay is not followed."""
    kind = type_of_expression(word, region.host.program)
    before = region.env.get(word.var) if isinstance(word, ir.Ref) and word.var is not None else None
    parts = [value] if before is None else [before, value]
    time = max(part.time for part in parts)
    _put(region, word, Value(time, all_deps(parts), kind, later(0.0, *parts), parts=tuple(parts)))


def _written(region: Region, target: ir.Expr) -> ir.Expr:
    """What an assignment to the value of a function or a choice writes to, as far as that is known."""
    if isinstance(target, ir.Many) and target.comma and target.items:
        target = target.items[-1]
    if isinstance(target, ir.Call):
        function = region.host.program.functions.get(target.name)
        found = region.host.referred(region, function, target) if function is not None else None
        if found is None and (function is not None or target.receiver is None):
            region.unknown.because(f"what is assigned to {target.name}(...) is not read")
        return found or target
    if isinstance(target, ir.Ternary):
        region.unknown.because("an assignment to a conditional expression is not read")
    return target


def _bound_to(region: Region, target: ir.Expr) -> Mapping[str, str]:
    """What BIND_OP says about the operators behind an assignment."""
    while isinstance(target, ir.Index | ir.Member):
        target = target.base
    return region.host.bound(target.var) if isinstance(target, ir.Ref) and target.var is not None else {}
