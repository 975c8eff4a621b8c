"""Unrolled loops whose copies differ in more than numbers: their counter decides what each copy does.

Most unrolled bodies are walked once for all copies. Where a condition, a table of places or a factor hangs on the
counter alone, the tool's compiler folds it in each copy (LLVM, full unroll and constant propagation), and the copies
have little in common: these are walked one by one, with the counter a constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...program import ir
from ...program.constants import evaluate
from ...program.expressions import assigned_variables, everything_in, loops_inside, root_variable
from ...program.facts import declarations
from ...program.flow import target_of, variables_in
from ...program.trip_counts import iterations
from .region import Region
from .tables import is_table

MAX_COPIES = 64  # of a loop that are walked one by one
MAX_EXPANDED = 600  # expressions that this takes
_FOLDING = ("/", "%", "&", "|", "^", ">>", "<<", "*")


def copies_of(region: Region, loop: ir.Loop) -> Sequence[int] | None:
    """The counter's values in the copies where they are worth a walk each; None where one walk does for all.

    The loop is one that is unrolled whole: of a part of its rounds nobody knows the counter.
    """
    if loop.kind != "for" or loop.var is None or loop.has_break or loop.has_continue:
        return None
    size = len(everything_in(loop.body))
    if size > MAX_EXPANDED or _sums_floats(loop) or _has_instances(region, loop) or not _is_decided(region, loop):
        return None
    known = region.constants(loop.start, loop.condition, loop.step)
    if loop.var in assigned_variables(loop.body):
        return None
    values = iterations(loop, known)
    if values is None or len(values) > MAX_COPIES or not all(isinstance(value, int) for value in values):
        return None
    if size * len(values) > MAX_EXPANDED or region.work.left < 2 * size * len(values):
        return None
    return [int(value) for value in values]


def _has_instances(region: Region, loop: ir.Loop) -> bool:
    """Whether the body calls what is built as a block of its own: how many there are is known of the copies."""
    functions = region.host.program.functions
    for expr in everything_in(loop.body):
        callee = functions.get(expr.name) if isinstance(expr, ir.Call) else None
        if callee is not None and (callee.pragma("HLS", "INLINE") or loops_inside(callee.body)):
            return True
    return False


def _sums_floats(loop: ir.Loop) -> bool:
    """Whether copies add floating-point numbers up: how the tool orders such a chain is known of its copies."""
    own = {item.var for item in declarations(loop.body)}
    for expr in everything_in(loop.body):
        target = target_of(expr)
        var = root_variable(target) if target is not None else None
        if target is None or var is None or var in own or not var.type.is_float:
            continue
        if isinstance(target, ir.Ref) or (isinstance(target, ir.Index) and loop.var not in variables_in(target)):
            return True
    return False


def _is_decided(region: Region, loop: ir.Loop) -> bool:
    """Whether something in the body is known as soon as the counter is, and no affine function of it."""
    counters = {loop.var, *(inner.var for inner in loops_inside(loop.body))}

    def is_fixed(var: ir.Variable) -> bool:
        if var in counters or var in region.host.known or (var.const and var.dims):
            return True
        found = region.env.get(var)
        return (found is not None and found.constant is not None) or _value(var)

    def known(expr: ir.Expr) -> bool:
        named = variables_in(expr)
        return loop.var in named and all(map(is_fixed, named))

    if any(known(part) for condition in _conditions(loop.body) for part in _parts(condition)):
        return True
    # A triangle whose rounds differ in what they do.
    for inner in loops_inside(loop.body):
        if loop.var in variables_in(inner.start, inner.condition) and _is_decided(region, inner):
            return True
    for expr in everything_in(loop.body):
        if isinstance(expr, ir.Ternary) and known(expr.condition):
            return True
        if isinstance(expr, ir.Binary) and expr.op in _FOLDING and known(expr) and not _is_affine(expr, loop):
            return True
        if isinstance(expr, ir.Binary) and expr.op == "*" and any(map(known, _with_zeros(expr))):
            return True
        if isinstance(expr, ir.Index) and any(_looks_up(part) and known(part) for part in expr.subscripts):
            return True
        if isinstance(expr, ir.Call) and expr.receiver is None and len(expr.args) > 0 and all(map(known, expr.args)):
            return True
    return False


def _with_zeros(expr: ir.Binary) -> Iterator[ir.Expr]:
    """Factors out of tables of whole numbers that hold zeros: a copy that has one multiplies and loads nothing."""
    for factor in (expr.left, expr.right):
        var = root_variable(factor) if isinstance(factor, ir.Index) else None
        if var is not None and is_table(var) and not var.type.is_float and _has_zero(var.init):
            yield factor


def _has_zero(init: ir.Expr | None) -> bool:
    if isinstance(init, ir.Many):
        return any(map(_has_zero, init.items))
    return init is not None and evaluate(init, {}) == 0


def _parts(condition: ir.Expr) -> Iterator[ir.Expr]:
    """What `&&` and `||` join, each of which may decide alone."""
    if isinstance(condition, ir.Binary) and condition.op in ("&&", "||"):
        yield from _parts(condition.left)
        yield from _parts(condition.right)
    else:
        yield condition


def _value(var: ir.Variable) -> bool:
    return evaluate(ir.Ref(var.name, var), {}) is not None


def _is_affine(expr: ir.Binary, loop: ir.Loop) -> bool:
    """`2 * k`, `k << 3`."""
    if expr.op == "*":
        return loop.var not in variables_in(expr.left) or loop.var not in variables_in(expr.right)
    return expr.op == "<<" and loop.var not in variables_in(expr.right)


def _looks_up(expr: ir.Expr) -> bool:
    """Whether a subscript is read from a table."""
    return isinstance(expr, ir.Index)


def _conditions(block: ir.Block) -> Iterator[ir.Expr]:
    for item in block.items:
        if isinstance(item, ir.If):
            yield item.condition
            yield from _conditions(item.then)
            if item.otherwise is not None:
                yield from _conditions(item.otherwise)
        elif isinstance(item, ir.Block):
            yield from _conditions(item)
        elif isinstance(item, ir.Loop):
            yield from _conditions(item.body)
