"""What methods do with the fields of their object, and functions with the objects that they get."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import ir
from .expressions import everything_in, root_variable
from .flow import target_of
from .handed import BY_VALUE
from .named import Names
from .typenames import THIS

MAX_CALLS = 12  # methods inside one another
WHOLE = "*"  # for the names of all fields


@dataclass(slots=True)
class _Taken:
    """What a function does with variables. changed: they, or what is in them, may be.

    bare: named as a whole, not to name a field or to call a method. asked: names of methods that are called, by object.
    handed: functions that get one as a whole, and as which of their parameters.
    """

    changed: set[ir.Variable] = field(default_factory=set)
    bare: set[ir.Variable] = field(default_factory=set)
    asked: dict[ir.Variable, set[str]] = field(default_factory=dict)
    handed: dict[ir.Variable, set[tuple[str, int]]] = field(default_factory=dict)


class Methods:
    """Finds that once for each function."""

    def __init__(self, program: ir.Program, names: Names) -> None:
        self.program = program
        self.names = names
        self._written: dict[str, frozenset[str]] = {}
        self._taken: dict[str, _Taken] = {}
        self._reads: dict[ir.Variable, bool] = {}
        self._open = 0  # functions that are looked at, one inside another

    def reads(self, callee: ir.Function | None, param: ir.Variable | None) -> bool:
        """Whether a function does no more with a parameter than to read it, or its object no more than its fields."""
        if callee is None or param is None:
            return False
        if param not in self._reads:
            self._reads[param] = False  # what a function that calls itself finds on its way
            self._open += 1
            self._reads[param] = self._open <= MAX_CALLS and self._only_reads(callee, param)
            self._open -= 1
        return self._reads[param]

    def _only_reads(self, callee: ir.Function, param: ir.Variable) -> bool:
        if any(type(what) is not ir.Call for _, what in self.names.of(callee).touched.get(param, ())):
            return False
        taken = self._of(callee)
        if param in taken.changed or (param.type.kind == "struct" and param in taken.bare):
            return False
        asked = taken.asked.get(param, ())
        if not all(name in self.program.functions and not self.written(name) for name in asked):
            return False
        return all(self._reads_at(name, at) for name, at in taken.handed.get(param, ()))

    def _reads_at(self, name: str, at: int) -> bool:
        callee = self.program.functions.get(name)
        return callee is not None and at < len(callee.params) and self.reads(callee, callee.params[at])

    def _of(self, function: ir.Function) -> _Taken:
        found = self._taken.get(function.name)
        if found is None:
            found = self._taken[function.name] = _taken(function.body)
        return found

    def written(self, name: str, depth: int = 0) -> frozenset[str]:
        """Names of the fields of its object that a method sets, with those it calls."""
        found = self._written.get(name)
        callee = self.program.functions.get(name)
        if found is not None or callee is None:
            return found or frozenset()
        if depth > MAX_CALLS:
            return frozenset({WHOLE})
        self._written[name] = frozenset({WHOLE})  # what a method that calls itself finds on its way
        names: set[str] = {WHOLE} if _hands_itself_on(callee) else set()
        names |= {var.name for var in self.names.of(callee).touched if not var.function and var.scope == "local"}
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


def _taken(block: ir.Block) -> _Taken:
    found = _Taken()
    apart: set[int] = set()  # names that stand in front of a field or a method
    for expr in everything_in(block):
        places = [target] if (target := target_of(expr)) is not None else []
        if isinstance(expr, ir.Unary) and expr.op == "&":
            places.append(expr.operand)
        base = expr.base if isinstance(expr, ir.Member) else None
        if isinstance(expr, ir.Call):
            for at, argument in enumerate(expr.args):
                if isinstance(argument, ir.Ref) and argument.var is not None:
                    apart.add(id(argument))
                    found.handed.setdefault(argument.var, set()).add((expr.name, at))
                else:
                    places.append(argument)
            base = expr.receiver
            asked = root_variable(base) if base is not None else None
            if asked is not None:
                found.asked.setdefault(asked, set()).add(expr.name)
        base = base.operand if isinstance(base, ir.Unary) and base.op == "*" else base
        if base is not None:
            apart.add(id(base))
        if isinstance(expr, ir.Ref) and expr.var is not None and id(expr) not in apart:
            found.bare.add(expr.var)
        found.changed |= {root for place in places if (root := root_variable(place)) is not None}
    return found


def _hands_itself_on(method: ir.Function) -> bool:
    """Whether a method does more with `this` than to name a field or to return its object."""
    returned = [item.value for item in ir.statements_of(method.body) if isinstance(item, ir.Return)]
    allowed = {id(value.operand) for value in returned if isinstance(value, ir.Unary) and value.op == "*"}
    return any(
        isinstance(expr, ir.Const) and expr.type is THIS and id(expr) not in allowed
        for expr in everything_in(method.body)
    )
