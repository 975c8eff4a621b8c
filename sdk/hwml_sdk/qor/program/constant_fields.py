"""Fields of objects that a constructor or an initialiser sets to constants and that nothing changes afterwards.

LLVM takes objects apart (SROA) and propagates constants into the functions they are handed to (IPSCCP): what a functor
or a structure of settings holds is then as good as written in the code that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import ir
from .constants import evaluate, held
from .constructors import Building, without
from .expressions import everything_in, look_anew, named_in
from .flow import target_of
from .handed import BY_VALUE, is_stream
from .methods import WHOLE, Methods
from .named import Names
from .touched import places, writes_arrays
from .typenames import class_name

FIELDS_A_STEP = 8  # that are looked at in the time of a step
_ROUNDS = 3  # of objects that are copied or handed on


@dataclass(slots=True)
class _Object:
    """What is known of one object: values of its fields, and those that change. whole: it may change as a whole.

    copies: objects that this one starts as, or stands for. methods: those that were called, of which all is known.
    """

    values: dict[str, list[ir.Expr]] = field(default_factory=dict)
    varying: set[str] = field(default_factory=set)
    whole: bool = False
    copies: list[ir.Expr] = field(default_factory=list)
    methods: set[str] = field(default_factory=set)


def settle_fields(program: ir.Program, names: Names) -> None:
    """Note constant fields in `Variable.given`, and take constructors away that do no more than set such.

    What that takes is taken from `program.work`; when it is used up, the other objects stay as they are.
    """
    objects = {var: _Object() for var in _structs(program)}
    if not objects:
        return
    look = _Look(program, objects, names)
    for function in program.functions.values():
        look.function(function)
    for _ in range(_ROUNDS):
        for var, known in objects.items():
            _settle(program, var, known)
    for function in program.functions.values() if look.built else ():
        if without(function.body, look.built):
            look_anew(function.body)


@contextmanager
def as_top(program: ir.Program, top: ir.Function) -> Iterator[None]:
    """Meanwhile the parameters of a function hold nothing that its callers give: the design begins with it."""
    kept: list[tuple[ir.Variable, dict[str, ir.Expr]]] = []
    pending = list(top.params)
    while pending:
        var = pending.pop()
        if var.given:
            kept.append((var, var.given))
            var.given = {}
            pending += program.copied.get(var, ())
    try:
        yield
    finally:
        for var, given in kept:
            var.given = given


def _structs(program: ir.Program) -> Iterator[ir.Variable]:
    seen: set[ir.Variable] = set()
    for function in program.functions.values():
        if not any(var.type.kind == "struct" for var in (*function.variables.values(), *named_in(function.body))):
            continue
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


def _settle(program: ir.Program, var: ir.Variable, known: _Object) -> None:
    """What all that a field is set to agree on."""
    if known.whole or (var.type.pointer and var.scope != "param"):
        return
    first = known.copies[0] if known.copies else None
    given = first.var.given if isinstance(first, ir.Ref) and first.var is not None else {}
    names = [name for name in (given if known.copies else known.values) if name not in var.given]
    if not program.work.take(len(names) * (len(known.copies) + 1) // FIELDS_A_STEP):
        return
    if len(known.copies) == 1 and not var.type.may_change_unseen:
        # All at once: large structs are copied as a whole, one after the other.
        changed = known.varying | known.values.keys()
        var.given |= {name: given[name] for name in names if name not in changed and name in var.type.field_names}
    else:
        _agreed(var, known, names)
    for source in known.copies if names else ():
        if isinstance(source, ir.Ref) and source.var is not None:
            program.copied.setdefault(source.var, []).append(var)


def _agreed(var: ir.Variable, known: _Object, names: list[str]) -> None:
    """Fields for which all that they are set to, or copied from, is the same."""
    for name in names:
        kind, told = var.type.field_of(name), known.values.get(name, [])
        if name in known.varying or kind is None or kind[0].may_change_unseen or len(told) > 1:
            continue
        if known.copies and told:
            continue
        values = [_field_of(source, name) for source in known.copies] or told
        if values[0] is not None and all(other is not None and _same(values[0], other) for other in values):
            var.given[name] = values[0]


def _field_of(source: ir.Expr, name: str) -> ir.Expr | None:
    owner = source.var if isinstance(source, ir.Ref) else None
    return owner.given.get(name) if owner is not None else None


def _same(one: ir.Expr, other: ir.Expr) -> bool:
    if one is other:
        return True
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

    def __init__(self, program: ir.Program, objects: dict[ir.Variable, _Object], names: Names) -> None:
        self.program = program
        self.objects = objects
        self.methods = Methods(program, names)
        self.built: dict[int, ir.Variable] = {}
        self.bench = False

    def function(self, function: ir.Function) -> None:
        """Everything that a function does with objects; what a test bench hands on, the hardware does not know."""
        self.bench = function.name == "main"
        for item in ir.statements_of(function.body):
            if isinstance(item, ir.Declare):
                self._declared(item.var)
        for expr in everything_in(function.body):
            if type(expr) is ir.Ref or type(expr) is ir.Const:
                continue
            target = target_of(expr)
            if target is not None:
                self._changed(expr, target)
            elif isinstance(expr, ir.Unary) and expr.op == "&":
                self._vary(expr.operand)
            elif isinstance(expr, ir.Binary) and expr.op == ">>" and is_stream(expr.left):
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
            if param is not None and param in self.objects and not self.bench:
                self.objects[param].copies.append(argument)
            if var is None:
                if param is None or param.type.pointer or param.dims:
                    self._vary(argument)
                continue
            if var not in self.objects:
                continue
            by_value = call.name.rpartition("::")[2] in BY_VALUE if param is None else not param.type.pointer
            by_value = by_value and not (param is None and writes_arrays(call.name))
            if not (by_value and not (param is not None and param.dims)) and not self.methods.reads(callee, param):
                self._vary(argument)

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
        if call.name in known.methods:
            return
        written = self.methods.written(call.name)
        if WHOLE in written:
            known.whole = True
        elif callee.name.partition("(")[0] == f"{var.type.name}::{class_name(var.type.name)}" and var.init is None:
            self._constructed(var, known, call, written)
        else:
            known.methods.add(call.name)
            known.varying |= written

    def _constructed(self, var: ir.Variable, known: _Object, call: ir.Call, written: frozenset[str]) -> None:
        callee = self.program.functions[call.name]
        inner = everything_in(callee.body)
        if not self.program.work.take((len(inner) + len(written)) // FIELDS_A_STEP):
            known.whole = True
            return
        made = Building(self.program, callee, call).fields()
        for name in written:
            self._set(var, known, name, made.get(name))
        if all(name in made for name in written) and not any(isinstance(expr, ir.Call) for expr in inner):
            self.built[id(call)] = var


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
