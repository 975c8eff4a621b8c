"""Arrays and numbers that are declared with their values and never written are constant, called `const` or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import ir
from .constants import evaluate, settle
from .expressions import assigned_variables, everything_in, leaves, root_variable
from .flow import target_of
from .touched import touched


def mark_constant_arrays(program: ir.Program) -> None:
    """Set `const` on arrays whose elements are constants which nothing changes.

    Every use of such an array reads one of its elements: what is handed on as a whole may be written elsewhere.
    """
    candidates = list(_candidates(program))
    arrays = {var for var in candidates if _is_given(var.init, var.dims)}
    # The same of numbers that are declared `static`, so that no other source can name them (LLVM's globalopt).
    statics = {var for var in candidates if var.static and not (var.handed or var.dims or var.type.pointer)}
    statics = {var for var in statics if var.init is not None and evaluate(var.init, {}) is not None}
    for function in program.functions.values() if arrays or statics else ():
        changed = touched(function.body, program, function.returns) | assigned_variables(function.body)
        arrays -= changed
        arrays -= _handed_on(everything_in(function.body), arrays)
        statics -= changed
    for var in arrays | statics:
        var.const = var.unwritten = True
    for var in statics:
        var.evaluated = False
        settle(var)


def _candidates(program: ir.Program) -> Iterator[ir.Variable]:
    """Variables that may be constant without saying so: no port has a value of its own."""
    ports = {option.strip("&* ").partition("[")[0] for option in _ports(program)}
    for var in _declared(program):
        if not (var.const or var.type.unsettled or (var.scope == "global" and var.name in ports)):
            yield var


def _ports(program: ir.Program) -> Iterator[str]:
    for pragma in program.pragmas:
        if pragma.kind == "INTERFACE":
            yield pragma.options.get("port") or pragma.options.get("variable") or ""


def _declared(program: ir.Program) -> Iterator[ir.Variable]:
    yield from program.globals.values()
    for function in program.functions.values():
        yield from (var for var in function.variables.values() if var.scope == "local")


def _is_given(init: ir.Expr | None, dims: tuple[int | None, ...]) -> bool:
    """Whether an array is given constants, some of which are not zero: one of zeros is about to be filled."""
    if not dims or not isinstance(init, ir.Many) or init.comma:
        return False
    values = [evaluate(item, {}) for item in leaves(init)]
    return bool(values) and None not in values and any(values)


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
