"""Who names which variable, and who may change it: found in one pass, as it is asked for each table and each object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import ir
from .expressions import everything_in, inside, named_in
from .touched import touches

ARGUMENTS_A_STEP = 16


@dataclass(slots=True)
class Named:
    """What a function does with variables, by the numbers of the statements of its body, ascending.

    at: which name a variable. partly: where it is named otherwise than to take an element of it, with the call that it
    is an argument of, if any. touched: where something may change it, and what does.
    """

    at: defaultdict[ir.Variable, list[int]] = field(default_factory=lambda: defaultdict(list))
    partly: defaultdict[ir.Variable, list[tuple[int, ir.Call | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    touched: defaultdict[ir.Variable, list[tuple[int, ir.Expr | ir.Stmt]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Names:
    """The same of all functions of a program, each looked at when it is asked for first."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self._named: dict[str, Named] = {}
        self._functions: dict[ir.Variable, set[str]] | None = None

    def of(self, function: ir.Function) -> Named:
        """What a function does."""
        found = self._named.get(function.name)
        if found is None:
            found = self._named[function.name] = Named()
            for number, item in enumerate(function.body.items):
                block = ir.Block([item])
                _note_names(found, number, everything_in(block))
                for var, what in touches(block, self.program, function.returns):
                    found.touched[var].append((number, what))
        return found

    def elsewhere(self, function: ir.Function, var: ir.Variable) -> bool:
        """Whether another function names a variable of this one, as a lambda may."""
        if self._functions is None:
            self._functions = defaultdict(set)
            for other in self.program.functions.values():
                for named_there in named_in(other.body):
                    self._functions[named_there].add(other.name)
        named = self._functions.get(var, set())
        return len(named) > (function.name in named)

    def reads_elements(self, call: ir.Call, var: ir.Variable) -> bool:
        """Whether a function that gets an array, and no element of it, reads elements and does nothing else with it."""
        callee = self.program.functions.get(call.name)
        if callee is None or call.receiver is not None or len(call.args) > len(callee.params):
            return False
        if not self.program.work.take(len(call.args) // ARGUMENTS_A_STEP):
            return False
        named = self.of(callee)
        got = False
        for param, argument in zip(callee.params, call.args, strict=False):
            if not isinstance(argument, ir.Ref) or argument.var is not var:
                if param.type.pointer and not param.dims and any(v is var for v in _refs(argument)):
                    return False
                continue
            if len(param.dims) != len(var.dims) or param in named.partly or param in named.touched:
                return False
            if self.elsewhere(callee, param):
                return False
            got = True
        return got


def _refs(expr: ir.Expr) -> list[ir.Variable]:
    return [e.var for e in inside([expr]) if isinstance(e, ir.Ref) and e.var is not None]


def _note_names(found: Named, number: int, exprs: Sequence[ir.Expr]) -> None:
    owners: dict[int, ir.Call | None] = {}  # of the names that are handled: by an index, by a call
    for expr in exprs:
        if type(expr) is ir.Index:
            base = expr.base
            if isinstance(base, ir.Ref) and base.var is not None and len(expr.subscripts) == len(base.var.dims):
                owners[id(base)] = None
        elif type(expr) is ir.Call:
            for argument in expr.args:
                if isinstance(argument, ir.Ref):
                    owners[id(argument)] = expr
        elif type(expr) is ir.Ref and expr.var is not None:
            places = found.at[expr.var]
            if not places or places[-1] != number:
                places.append(number)
            owner = owners.get(id(expr))
            if owner is not None or id(expr) not in owners:
                found.partly[expr.var].append((number, owner))
