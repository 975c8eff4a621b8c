"""What a loop's body adds to counters and pointers in each iteration: `n++`, `p += 4`, `*q++`, also by loops inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import ir
from .constants import Number, evaluate
from .expressions import changing_in, inside
from .handed import changed_by_calls, is_shared

# Variable -> what is added to it, None where that is not the same each time.
Steps = dict[ir.Variable, float | None]
Trip = Callable[[ir.Loop], float | None]


def advances(
    loop: ir.Loop, known: Mapping[ir.Variable, Number], trip: Trip, program: ir.Program
) -> dict[ir.Variable, float]:
    """What one iteration adds to each variable that nothing else changes. trip: iterations of a loop inside, or None.

    What an iteration may skip, or what a condition decides, is left out, and so is what may change unseen.
    """
    if loop.has_continue:
        return {}
    found: Steps = {}
    _block(loop.body, known, trip, found)
    steady = {
        var: step for var, step in found.items()
        if step is not None and var is not loop.var and not var.handed and not var.dims
        and (var.type.pointer or not var.type.is_float)
    }  # fmt: skip
    shared = [var for var in steady if is_shared(var)]
    for var in changed_by_calls(loop.body, shared, program) if shared else ():
        del steady[var]
    return steady


def _block(block: ir.Block, known: Mapping[ir.Variable, Number], trip: Trip, found: Steps) -> None:
    for item in block.items:
        if isinstance(item, ir.Declare):
            found[item.var] = None  # starts anew
        part = _part(item)
        if part is not None:
            _expression(part, known, found)
        if isinstance(item, ir.Block):
            _block(item, known, trip, found)
        elif isinstance(item, ir.If):
            for arm in (item.then, item.otherwise):
                if arm is not None:
                    _times(arm, known, trip, found, None)
        elif isinstance(item, ir.Loop):
            _times(item.body, known, trip, found, None if item.has_break or item.has_continue else trip(item))
            for part in (item.start, item.condition, item.step):
                if part is not None:
                    found.update((var, None) for var, _ in _changes(part, known))
            if item.var is not None:
                found[item.var] = None


def _part(item: ir.Stmt) -> ir.Expr | None:
    """The expression of a statement that is evaluated each time it is reached."""
    if isinstance(item, ir.Evaluate):
        return item.expr
    if isinstance(item, ir.Declare):
        return item.var.init
    if isinstance(item, ir.If):
        return item.condition
    return item.value if isinstance(item, ir.Return) else None


def _times(block: ir.Block, known: Mapping[ir.Variable, Number], trip: Trip, found: Steps, times: float | None) -> None:
    """A block that runs `times`; None: nobody knows how often."""
    inner: Steps = {}
    _block(block, known, trip, inner)
    for var, step in inner.items():
        _add(found, var, None if step is None or times is None else step * times)


def _expression(expr: ir.Expr, known: Mapping[ir.Variable, Number], found: Steps) -> None:
    changes = _changes(expr, known)
    if not changes:
        return
    # An operand that may not be evaluated, and one that is changed more than once, are not followed.
    unsure = False
    for part in inside((expr,)):
        if type(part) is ir.Ternary or (type(part) is ir.Binary and part.op in ("&&", "||")):
            unsure = True
            break
    for var, step in changes:
        _add(found, var, None if unsure else step)


def _add(found: Steps, var: ir.Variable, step: float | None) -> None:
    before = found.get(var, 0.0)
    found[var] = None if before is None or step is None else before + step


def _changes(expr: ir.Expr, known: Mapping[ir.Variable, Number]) -> list[tuple[ir.Variable, float | None]]:
    """Plain variables that an expression changes, and by how much."""
    found: list[tuple[ir.Variable, float | None]] = []
    for part in changing_in((expr,)):
        step: float | None
        if isinstance(part, ir.Unary) and part.op in ("++", "--", "p++", "p--"):
            target, step = part.operand, 1.0 if "+" in part.op else -1.0
        elif isinstance(part, ir.Assign):
            target, step = part.target, _added(part, known)
        else:
            continue
        if isinstance(target, ir.Ref) and target.var is not None:
            found.append((target.var, step))
    return found


def _added(expr: ir.Assign, known: Mapping[ir.Variable, Number]) -> float | None:
    """`n += 4`, `n = n + 4`, `n = 4 + n`; None for anything else."""
    target, value = expr.target, expr.value
    if expr.op in ("+=", "-="):
        step = evaluate(value, known)
        sign = 1.0 if expr.op == "+=" else -1.0
    elif expr.op == "=" and isinstance(value, ir.Binary) and value.op in ("+", "-") and isinstance(target, ir.Ref):
        left, right = value.left, value.right
        if isinstance(right, ir.Ref) and right.var is target.var and value.op == "+":
            left, right = right, left
        if not (isinstance(left, ir.Ref) and left.var is target.var):
            return None
        step = evaluate(right, known)
        sign = 1.0 if value.op == "+" else -1.0
    else:
        return None
    return sign * step if isinstance(step, int) else None
