"""Arrays and numbers that are declared with their values and never written are constant, called `const` or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import ir
from .constants import evaluate, settle
from .expressions import assigned_variables, everything_in, root_variable
from .flow import target_of
from .touched import touched


def mark_constant_arrays(program: ir.Program) -> None:
    """Set `const` on arrays whose elements are constants which nothing changes.

    Every use of such an array reads one of its elements: what is handed on as a whole may be written elsewhere.
    """
    found = {
        var for var in _declared(program) if not (var.const or var.type.unsettled) and _is_given(var.init, var.dims)
    }
    for function in program.functions.values() if found else ():
        found -= assigned_variables(function.body)
        found -= _handed_on(everything_in(function.body), found)
        found -= touched(function.body, program, function.returns)
    for var in found:
        var.const = True
    _mark_constant_statics(program)


def _mark_constant_statics(program: ir.Program) -> None:
    """The same of numbers that are declared `static`, so that no other source can name them (LLVM's globalopt)."""
    found = {v for v in _declared(program) if v.static and not (v.const or v.handed or v.dims or v.type.pointer)}
    found = {var for var in found if var.init is not None and evaluate(var.init, {}) is not None}
    found = {var for var in found if not var.type.unsettled}
    for function in program.functions.values() if found else ():
        found -= assigned_variables(function.body)
        found -= touched(function.body, program, function.returns)
    for var in found:
        var.const, var.evaluated = True, False
        settle(var)


def _declared(program: ir.Program) -> Iterator[ir.Variable]:
    yield from program.globals.values()
    for function in program.functions.values():
        yield from (var for var in function.variables.values() if var.scope == "local")


def _is_given(init: ir.Expr | None, dims: tuple[int | None, ...]) -> bool:
    """Whether an array is given constants, some of which are not zero: one of zeros is about to be filled."""
    if not dims or not isinstance(init, ir.Many) or init.comma:
        return False
    values = [evaluate(item, {}) for item in _leaves(init)]
    return bool(values) and None not in values and any(values)


def _leaves(expr: ir.Expr) -> Iterator[ir.Expr]:
    if isinstance(expr, ir.Many):
        for item in expr.items:
            yield from _leaves(item)
    else:
        yield expr


def _handed_on(exprs: Iterable[ir.Expr], among: set[ir.Variable]) -> set[ir.Variable]:
    """Those that are named otherwise than to read an element."""
    read: set[int] = set()
    found: set[ir.Variable] = set()
    for expr in exprs:
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.var in among:
            assert expr.base.var is not None
            if len(expr.subscripts) == len(expr.base.var.dims):
                read.add(id(expr.base))
        given = expr.args if isinstance(expr, ir.Call) else ()
        changed = target_of(expr)
        if isinstance(expr, ir.Unary) and expr.op == "&":
            given = (expr.operand,)
        for argument in (*given, *(() if changed is None else (changed,))):
            var = root_variable(argument) if isinstance(argument, ir.Index) else None
            if var is not None:
                found.add(var)
    for expr in exprs:
        if isinstance(expr, ir.Ref) and expr.var in among and id(expr) not in read:
            assert expr.var is not None
            found.add(expr.var)
    return found & among
