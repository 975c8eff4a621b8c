"""Which variables are handed out, so that code elsewhere may change them: by address, by reference, by a lambda."""

from __future__ import annotations

from collections.abc import Collection

from . import ir
from .expressions import assigned_variables, everything_in, root_variable
from .flow import target_of

# Functions that take their arguments by value; of others nobody has seen, a plain variable may come back changed.
BY_VALUE = frozenset({
    "abs", "fabs", "sqrt", "sqrtf", "exp", "expf", "log", "logf", "log2", "log10", "pow", "powf", "sin", "cos", "tan",
    "sinf", "cosf", "ceil", "ceilf", "floor", "floorf", "round", "min", "max", "fmin", "fmax", "hypot", "atan", "atan2",
    "assert", "printf", "fprintf", "memset", "memcpy", "exit", "write", "write_nb", "range", "bit", "test", "get",
    "set", "clear", "reverse", "to_int", "to_uint", "to_float", "to_double", "fill",
})  # fmt: skip

_HANDING = (ir.Assign, ir.Unary, ir.Binary, ir.Call)  # what `_handed_by` and `target_of` look for


def mark_handed(program: ir.Program) -> None:
    """Set `handed` on every local whose address or reference goes elsewhere."""
    for function in program.functions.values():
        for expr in everything_in(function.body):
            kind = type(expr)
            if kind not in _HANDING or (kind is ir.Binary and expr.op != ">>"):  # type: ignore[union-attr]
                continue
            for var in _handed_by(expr, program):
                var.handed = True
            target = target_of(expr)
            changed = root_variable(target) if target is not None else None
            if changed is not None and changed.scope == "local" and changed.function not in ("", function.name):
                changed.handed = True  # a lambda changes what it sees around it


def is_shared(var: ir.Variable) -> bool:
    """Whether functions elsewhere see a variable by its own name: one of the file, or a field of a struct."""
    return var.scope == "global" or not var.function


def may_change_shared(expr: ir.Expr) -> bool:
    """Whether an expression calls something that may change variables which it is not handed."""
    if not isinstance(expr, ir.Call):
        return False
    of_stream = expr.receiver is not None and is_stream(expr.receiver)
    return not of_stream and expr.name.rpartition("::")[2] not in BY_VALUE


def changed_by_calls(block: ir.Block, shared: Collection[ir.Variable], program: ir.Program) -> set[ir.Variable]:
    """Those of `shared` that functions called in a block change; all of them where one is called that was not read."""
    found: set[ir.Variable] = set()
    seen: set[str] = set()
    pending = [block]
    while pending:
        for expr in everything_in(pending.pop()):
            if not isinstance(expr, ir.Call) or expr.name in seen:
                continue
            seen.add(expr.name)
            callee = program.functions.get(expr.name) or program.functions.get(expr.name.rpartition("::")[2])
            if callee is not None:
                found |= assigned_variables(callee.body) & set(shared)
                pending.append(callee.body)
            elif may_change_shared(expr):
                return set(shared)
    return found


def _handed_by(expr: ir.Expr, program: ir.Program) -> list[ir.Variable]:
    if isinstance(expr, ir.Unary) and expr.op == "&":
        var = root_variable(expr.operand)
        return [var] if var is not None and not var.dims else []
    if isinstance(expr, ir.Binary) and expr.op == ">>" and is_stream(expr.left):
        return _plain(expr.right)
    if not isinstance(expr, ir.Call):
        return []
    callee = program.functions.get(expr.name) or program.functions.get(expr.name.rpartition("::")[2])
    found: list[ir.Variable] = []
    for index, argument in enumerate(expr.args):
        if callee is not None and index < len(callee.params):
            given_away = callee.params[index].type.pointer > 0
        else:
            given_away = expr.name.rpartition("::")[2] not in BY_VALUE
        found += _plain(argument) if given_away else []
    return found


def _plain(expr: ir.Expr) -> list[ir.Variable]:
    return [expr.var] if isinstance(expr, ir.Ref) and expr.var is not None and not expr.var.dims else []


def is_stream(expr: ir.Expr) -> bool:
    """Whether an expression starts from a stream."""
    var = root_variable(expr)
    return var is not None and var.type.kind == "stream"
