"""Constructors that set fields to constants: run with what they are given, and taken away where they do no more."""

from __future__ import annotations

from collections.abc import Mapping

from . import ir
from .constants import UnknownError, evaluate, held
from .expressions import everything_in, root_variable
from .filled_tables import Filling
from .flow import target_of


class Building(Filling):
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
                self.count()
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


def without(block: ir.Block, built: Mapping[int, ir.Variable]) -> bool:
    """Take statements away that set constants alone; whether there were any. built: by the calls, what they build."""
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
