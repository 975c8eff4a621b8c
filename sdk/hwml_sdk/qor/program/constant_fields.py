"""Fields of objects that a constructor or an initialiser sets to constants and that nothing changes afterwards.

LLVM takes objects apart (SROA) and propagates constants into the functions they are handed to (IPSCCP): what a functor
or a structure of settings holds is then as good as written in the code that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from . import ir
from .constants import UnknownError, evaluate, held
from .expressions import everything_in, look_anew, root_variable
from .filled_tables import Filling
from .flow import target_of
from .handed import BY_VALUE
from .touched import places, touched, writes_arrays
from .typenames import THIS

MAX_STRUCTS = 400  # objects of a program that are looked at
MAX_CALLS = 12  # methods inside one another
_WHOLE = "*"  # for the names of all fields
_ROUNDS = 3  # of objects that are copied or handed on


@dataclass(slots=True)
class _Object:
    """What is known of one object: values of its fields, and those that change. whole: it may change as a whole."""

    values: dict[str, list[ir.Expr]] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)
    whole: bool = False
    copies: list[ir.Expr] = field(default_factory=list)  # objects that this one starts as, or stands for


def settle_fields(program: ir.Program) -> None:
    """Note constant fields in `Variable.given`, and take constructors away that do no more than set such."""
    objects = {var: _Object() for var in _structs(program)}
    if not objects or len(objects) > MAX_STRUCTS:
        return
    look = _Look(program, objects)
    for function in program.functions.values():
        look.function(function)
    for _ in range(_ROUNDS):
        for var, known in objects.items():
            _settle(var, known)
    for function in program.functions.values():
        if _without_constructors(function.body, look.built):
            look_anew(function.body)


def _structs(program: ir.Program) -> Iterator[ir.Variable]:
    seen: set[ir.Variable] = set()
    for function in program.functions.values():
        named = [e.var for e in everything_in(function.body) if isinstance(e, ir.Ref) and e.var is not None]
        for var in (*function.variables.values(), *named):
            if (
                var not in seen
                and not var.type.unsettled
                and var.type.kind == "struct"
                and var.type.fields
                and not var.dims
            ):
                seen.add(var)
                yield var


def _settle(var: ir.Variable, known: _Object) -> None:
    """What all that a field is set to agree on."""
    if known.whole or (var.type.pointer and var.scope != "param"):
        return
    for name, _, _ in var.type.fields:
        kind = var.type.field_of(name)
        if name in known.varying or kind is None or _is_unsettled(kind[0]):
            continue
        told = list(known.values.get(name, ()))
        for source in known.copies:
            owner = source.var if isinstance(source, ir.Ref) else None
            value = owner.given.get(name) if owner is not None else None
            if value is None:
                break
            told.append(value)
        else:
            once = len(known.values.get(name, ())) <= 1 and not (known.values.get(name) and known.copies)
            if told and once and all(_same(told[0], other) for other in told):
                var.given[name] = told[0]


def _is_unsettled(kind: ir.CType) -> bool:
    """Whether a type or one inside it is; each is looked at once, as structs of structs name the same ones often."""
    pending, seen = [kind], {id(kind)}
    while pending:
        one = pending.pop()
        if one.unsettled:
            return True
        for _, inner, _ in one.fields:
            if id(inner) not in seen:
                seen.add(id(inner))
                pending.append(inner)
    return False


def _same(one: ir.Expr, other: ir.Expr) -> bool:
    if isinstance(one, ir.Many) and isinstance(other, ir.Many):
        return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
    return isinstance(one, ir.Const) and isinstance(other, ir.Const) and one.value == other.value


def _constant(expr: ir.Expr, kind: ir.CType, dims: tuple[int | None, ...]) -> ir.Expr | None:
    """A value that is known, as it is held; a list with as many values as an array has."""
    if not dims:
        value = evaluate(expr, {})
        return None if value is None else ir.Const(held(kind, value), kind)
    if not isinstance(expr, ir.Many) or expr.comma or dims[0] is None or len(expr.items) > dims[0]:
        return None
    items = [_constant(item, kind, dims[1:]) for item in expr.items]
    if len(items) < dims[0] and len(dims) > 1:
        return None
    items += [ir.Const(0, kind)] * (dims[0] - len(items))
    return None if None in items else ir.Many(tuple(item for item in items if item is not None))


class _Look:
    """Goes through a program's code once. built: calls of constructors that set nothing but constants."""

    def __init__(self, program: ir.Program, objects: dict[ir.Variable, _Object]) -> None:
        self.program = program
        self.objects = objects
        self.built: dict[int, ir.Variable] = {}
        self._written: dict[str, frozenset[str]] = {}

    def function(self, function: ir.Function) -> None:
        """Everything that a function does with objects."""
        for item in ir.statements_of(function.body):
            if isinstance(item, ir.Declare):
                self._declared(item.var)
        for expr in everything_in(function.body):
            target = target_of(expr)
            if target is not None:
                self._changed(expr, target)
            elif isinstance(expr, ir.Unary) and expr.op == "&":
                self._vary(expr.operand)
            elif isinstance(expr, ir.Binary) and expr.op == ">>" and _is_stream(expr.left):
                self._vary(expr.right)
            elif isinstance(expr, ir.Call):
                self._called(expr)

    def _declared(self, var: ir.Variable) -> None:
        known = self.objects.get(var)
        init = var.init
        if init is None:
            return
        if var.type.pointer:
            self._vary(init)
        if known is None:
            return
        if isinstance(init, ir.Many) and not init.comma:
            self._listed(var, known, init)
        elif isinstance(init, ir.Ref):
            known.copies.append(init)
        else:
            known.whole = True

    def _listed(self, var: ir.Variable, known: _Object, init: ir.Many) -> None:
        for (name, kind, dims), value in zip(var.type.fields, init.items, strict=False):
            self._set(var, known, name, _constant(value, kind, dims) if kind.kind != "struct" else None)
        known.varying |= {name for name, _, _ in var.type.fields[len(init.items) :]}

    def _set(self, var: ir.Variable, known: _Object, name: str, value: ir.Expr | None) -> None:
        if value is None:
            known.varying.add(name)
        else:
            known.values.setdefault(name, []).append(value)

    def _changed(self, expr: ir.Expr, target: ir.Expr) -> None:
        var, name = _field(target)
        known = self.objects.get(var) if var is not None else None
        if var is None:
            self._vary(target)
        if var is None or known is None:
            return
        plain = isinstance(expr, ir.Assign) and expr.op == "=" and isinstance(target, ir.Member)
        found = var.type.field_of(name) if name else None
        lasting = var.static or var.scope != "local"
        if not plain or found is None or lasting or not isinstance(expr, ir.Assign):
            self._vary(target)
        else:
            self._set(var, known, name, _constant(expr.value, *found))

    def _vary(self, expr: ir.Expr) -> None:
        """A place may change in a way that nobody follows."""
        var, name = _field(expr)
        for other in places(expr):
            if other is not var and other in self.objects:
                self.objects[other].whole = True
        known = self.objects.get(var) if var is not None else None
        if known is not None and name:
            known.varying.add(name)
        elif known is not None:
            known.whole = True

    def _called(self, call: ir.Call) -> None:
        callee = self.program.functions.get(call.name)
        if call.receiver is not None:
            self._method(call, callee)
        for at, argument in enumerate(call.args):
            var, _ = _field(argument)
            param = callee.params[at] if callee is not None and at < len(callee.params) else None
            if param is not None and param in self.objects:
                self.objects[param].copies.append(argument)
            if var is None:
                if param is None or param.type.pointer or param.dims:
                    self._vary(argument)
                continue
            if var not in self.objects:
                continue
            by_value = call.name.rpartition("::")[2] in BY_VALUE if param is None else not param.type.pointer
            by_value = by_value and not (param is None and writes_arrays(call.name))
            if not (by_value and not (param is not None and param.dims)) and not self._reads(callee, param):
                self._vary(argument)

    def _reads(self, callee: ir.Function | None, param: ir.Variable | None) -> bool:
        """Whether a function does no more with a parameter than to read it, or its object no more than its fields."""
        if callee is None or param is None or param in touched(callee.body, self.program, callee.returns):
            return False
        if param.type.kind == "struct" and not _is_taken_apart(callee.body, param):
            return False
        for expr in everything_in(callee.body):
            target = target_of(expr)
            if target is not None and root_variable(target) is param:
                return False
            if isinstance(expr, ir.Unary) and expr.op == "&" and root_variable(expr.operand) is param:
                return False
            if isinstance(expr, ir.Call):
                if any(root_variable(argument) is param for argument in expr.args):
                    return False
                changes = expr.receiver is not None and root_variable(expr.receiver) is param
                if changes and (expr.name not in self.program.functions or self.written(expr.name)):
                    return False
        return True

    def _method(self, call: ir.Call, callee: ir.Function | None) -> None:
        assert call.receiver is not None
        var = call.receiver.var if isinstance(call.receiver, ir.Ref) else None
        known = self.objects.get(var) if var is not None else None
        if var is None or known is None:
            self._vary(call.receiver)
            return
        if callee is None:
            known.whole = True
            return
        written = self.written(call.name)
        if _WHOLE in written:
            known.whole = True
            return
        if callee.name.partition("(")[0] == f"{var.type.name}::{_short(var.type.name)}" and var.init is None:
            made = _Building(self.program, callee, call).fields()
            for name in written:
                self._set(var, known, name, made.get(name))
            if all(name in made for name in written) and not any(
                isinstance(expr, ir.Call) for expr in everything_in(callee.body)
            ):
                self.built[id(call)] = var
        else:
            known.varying |= written

    def written(self, name: str, depth: int = 0) -> frozenset[str]:
        """Names of the fields of its object that a method sets, with those it calls."""
        found = self._written.get(name)
        callee = self.program.functions.get(name)
        if found is not None or callee is None or depth > MAX_CALLS:
            return found or frozenset()
        self._written[name] = frozenset()
        names: set[str] = {_WHOLE} if _hands_itself_on(callee) else set()
        changed = touched(callee.body, self.program, callee.returns)
        names |= {var.name for var in changed if not var.function and var.scope == "local"}
        for expr in everything_in(callee.body):
            target = target_of(expr)
            places = [target] if target is not None else []
            if isinstance(expr, ir.Unary) and expr.op == "&":
                places.append(expr.operand)
            if isinstance(expr, ir.Call):
                other = self.program.functions.get(expr.name)
                places += (
                    []
                    if expr.name.rpartition("::")[2] in BY_VALUE
                    else [
                        given
                        for at, given in enumerate(expr.args)
                        if other is None
                        or at >= len(other.params)
                        or other.params[at].type.pointer
                        or other.params[at].dims
                    ]
                )
                places += [expr.receiver] if expr.receiver is not None else []
                names |= self.written(expr.name, depth + 1) if expr.receiver is None else set()
            roots = [root_variable(place) for place in places]
            names |= {root.name for root in roots if root is not None and not root.function and root.scope == "local"}
        self._written[name] = frozenset(names)
        return self._written[name]


def _is_taken_apart(block: ir.Block, var: ir.Variable) -> bool:
    """Whether code names an object only to name a field or to call a method."""
    whole: set[int] = set()
    for expr in everything_in(block):
        base = expr.base if isinstance(expr, ir.Member) else expr.receiver if isinstance(expr, ir.Call) else None
        base = base.operand if isinstance(base, ir.Unary) and base.op == "*" else base
        if base is not None:
            whole.add(id(base))
    return all(id(e) in whole for e in everything_in(block) if isinstance(e, ir.Ref) and e.var is var)


def _hands_itself_on(method: ir.Function) -> bool:
    """Whether a method does more with `this` than to name a field or to return its object."""
    returned = [item.value for item in ir.statements_of(method.body) if isinstance(item, ir.Return)]
    allowed = {id(value.operand) for value in returned if isinstance(value, ir.Unary) and value.op == "*"}
    return any(
        isinstance(expr, ir.Const) and expr.type is THIS and id(expr) not in allowed
        for expr in everything_in(method.body)
    )


class _Building(Filling):
    """A constructor that is run with the constants it is given, as far as they tell what it does."""

    def __init__(self, program: ir.Program, function: ir.Function, call: ir.Call) -> None:
        own = [e.var for e in everything_in(function.body) if isinstance(e, ir.Ref) and e.var is not None]
        self.own = {var for var in own if not var.function and var.scope == "local"}
        super().__init__({}, {var for var in self.own if var.dims}, program)
        self.callee = function
        for param, given in zip(function.params, call.args, strict=False):
            value = evaluate(given, {})
            if value is not None and not param.dims and not param.type.pointer:
                self.values[param] = held(param.type, value)

    def fields(self) -> Mapping[str, ir.Expr]:
        """What the fields are afterwards, of those that can be told."""
        lost: set[ir.Variable] = set()
        for item in self.callee.body.items:
            try:
                self.statement(item)
            except UnknownError:
                block = ir.Block([item])
                lost |= {
                    root
                    for e in everything_in(block)
                    if (t := target_of(e)) is not None and (root := root_variable(t)) is not None
                }
                self.values = {var: value for var, value in self.values.items() if var not in lost}
        found: dict[str, ir.Expr] = {}
        for var in self.own - lost:
            if var.dims and self.is_full(var):
                found[var.name] = self.table(var)
            elif not var.dims and var in self.values:
                found[var.name] = ir.Const(self.values[var], var.type)
        return found


def _without_constructors(block: ir.Block, built: Mapping[int, ir.Variable]) -> bool:
    """Take statements away that set constants alone; whether there were any."""
    found, pending = False, [block]
    while pending:
        current = pending.pop()
        kept = [item for item in current.items if not _is_built(item, built)]
        found |= len(kept) != len(current.items)
        current.items[:] = kept
        for item in kept:
            if isinstance(item, ir.Block):
                pending.append(item)
            elif isinstance(item, ir.Loop):
                pending.append(item.body)
            elif isinstance(item, ir.If):
                pending += [item.then, *([item.otherwise] if item.otherwise is not None else [])]
    return found


def _is_built(item: ir.Stmt, built: Mapping[int, ir.Variable]) -> bool:
    if not isinstance(item, ir.Evaluate):
        return False
    var = built.get(id(item.expr))
    return var is not None and len(var.given) == len(var.type.fields)


def _field(expr: ir.Expr) -> tuple[ir.Variable | None, str]:
    """The object behind a place, and which of its fields the place is in; "" where it is the whole object."""
    name = ""
    while not isinstance(expr, ir.Ref):
        if isinstance(expr, ir.Member):
            name = expr.field
            expr = expr.base
        elif isinstance(expr, ir.Index):
            expr = expr.base
        elif isinstance(expr, ir.Unary | ir.Cast):
            expr = expr.operand
        elif isinstance(expr, ir.Many) and expr.comma and expr.items:
            expr = expr.items[-1]
        elif isinstance(expr, ir.Call) and expr.receiver is not None:
            name, expr = "", expr.receiver
        else:
            return None, ""
    return expr.var, name


def _short(name: str) -> str:
    """`Box` of `space::Box<int>`."""
    return name.partition("<")[0].rpartition("::")[2]


def _is_stream(expr: ir.Expr) -> bool:
    var = root_variable(expr)
    return var is not None and var.type.kind == "stream"
