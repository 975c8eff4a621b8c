"""Walks over expressions and statements: operands, every expression of a block, what is assigned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import ir

# By type, as this is asked for every expression several times over.
_CHILDREN: dict[type, Callable[[Any], tuple[ir.Expr, ...]]] = {
    ir.Binary: lambda e: (e.left, e.right),
    ir.Assign: lambda e: (e.target, e.value),
    ir.Unary: lambda e: (e.operand,),
    ir.Cast: lambda e: (e.operand,),
    ir.Index: lambda e: (e.base, *e.subscripts),
    ir.Member: lambda e: (e.base,),
    ir.Ternary: lambda e: (e.condition, e.yes, e.no),
    ir.Call: lambda e: e.args if e.receiver is None else (e.receiver, *e.args),
    ir.Many: lambda e: e.items,
}


def children(expr: ir.Expr) -> tuple[ir.Expr, ...]:
    """Direct operands of an expression."""
    found = _CHILDREN.get(type(expr))
    return () if found is None else found(expr)


def expressions_of(block: ir.Block) -> Iterable[ir.Expr]:
    """Every expression of a block at its top (conditions, statements, loop heads), nested blocks included."""
    for item in ir.statements_of(block):
        if isinstance(item, ir.Evaluate):
            yield item.expr
        elif isinstance(item, ir.Declare):
            if item.var.init is not None:
                yield item.var.init
        elif isinstance(item, ir.Return):
            if item.value is not None:
                yield item.value
        elif isinstance(item, ir.If):
            yield item.condition
        elif isinstance(item, ir.Loop):
            for part in (item.start, item.condition, item.step):
                if part is not None:
                    yield part


def everything_in(block: ir.Block) -> tuple[ir.Expr, ...]:
    """Every expression of a block with all that is inside it, in source order, outer ones first."""
    if block.everything is None:
        block.everything = tuple(inside(expressions_of(block)))
    return block.everything


def loops_inside(block: ir.Block) -> tuple[ir.Loop, ...]:
    """`ir.loops_of` of a block that is complete, which every estimate of a design asks for again."""
    if block.loops is None:
        block.loops = tuple(ir.loops_of(block))
    return block.loops


def inside(exprs: Iterable[ir.Expr]) -> list[ir.Expr]:
    """Expressions with all that is inside them, in source order, outer ones first."""
    found: list[ir.Expr] = []
    pending = list(exprs)[::-1]
    while pending:
        expr = pending.pop()
        found.append(expr)
        inner = _CHILDREN.get(type(expr))
        if inner is not None:
            pending.extend(reversed(inner(expr)))
    return found


def assigned_variables(block: ir.Block) -> frozenset[ir.Variable]:
    """Variables (scalars and arrays) that some statement of the block writes; loop heads' own steps included."""
    if block.assigned is None:
        block.assigned = frozenset(assigned_in_order(block))
    return block.assigned


def assigned_in_order(block: ir.Block) -> tuple[ir.Variable, ...]:
    """The same, the first one written first: for whoever goes through them, as a set's order changes between runs."""
    if block.assigned_in_order is None:
        block.assigned_in_order = tuple(_assigned_in(block))
    return block.assigned_in_order


def _assigned_in(block: ir.Block) -> dict[ir.Variable, None]:
    found: dict[ir.Variable, None] = {}
    for expr in everything_in(block):
        kind = type(expr)
        target: ir.Expr | None = None
        if kind is ir.Assign:
            target = expr.target  # type: ignore[union-attr]
        elif kind is ir.Unary and expr.op in ("++", "--", "p++", "p--"):  # type: ignore[union-attr]
            target = expr.operand  # type: ignore[union-attr]
        elif kind is ir.Call and expr.name == "set_bit":  # type: ignore[union-attr]
            target = expr.receiver  # type: ignore[union-attr]
        if target is not None:
            var = root_variable(target)
            if var is not None:
                found[var] = None
    for loop in ir.loops_of(block):  # `for (n = 2; ...)` keeps no assignment, and the step need not change n
        if loop.var is not None and loop.start is not None:
            found.setdefault(loop.var)
    return found


def leaves(expr: ir.Expr) -> Iterator[ir.Expr]:
    """The values of an initialiser list, with those of the lists inside it; of anything else itself."""
    pending = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, ir.Many):
            pending += current.items[::-1]
        else:
            yield current


def root_variable(expr: ir.Expr) -> ir.Variable | None:
    """The variable an access starts from: `a` of `a[i].x`, `*a`, `a.range(3, 0)`."""
    while True:
        if isinstance(expr, ir.Ref):
            return expr.var
        if isinstance(expr, ir.Index | ir.Member):
            expr = expr.base
        elif isinstance(expr, ir.Unary | ir.Cast):
            expr = expr.operand
        elif isinstance(expr, ir.Call) and expr.receiver is not None:
            expr = expr.receiver
        else:
            return None


def look_anew(block: ir.Block) -> None:
    """What is kept of a block was found before its code was completed or made less."""
    pending: list[ir.Stmt] = [block]
    while pending:
        item = pending.pop()
        if isinstance(item, ir.Block):
            item.everything = item.assigned = item.assigned_in_order = item.loops = None
            pending += item.items
        elif isinstance(item, ir.Loop):
            pending.append(item.body)
        elif isinstance(item, ir.If):
            pending += [item.then, *([item.otherwise] if item.otherwise is not None else [])]
