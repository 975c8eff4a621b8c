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
# The same, the last operand first: what is put on a stack comes off it in source order.
_BACKWARDS: dict[type, Callable[[Any], tuple[ir.Expr, ...]]] = {
    **_CHILDREN,
    ir.Binary: lambda e: (e.right, e.left),
    ir.Assign: lambda e: (e.value, e.target),
    ir.Index: lambda e: (*e.subscripts[::-1], e.base),
    ir.Ternary: lambda e: (e.no, e.yes, e.condition),
    ir.Call: lambda e: e.args[::-1] if e.receiver is None else (*e.args[::-1], e.receiver),
    ir.Many: lambda e: e.items[::-1],
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
        block.everything = _everything_in(block)
    return block.everything


def _everything_in(block: ir.Block) -> tuple[ir.Expr, ...]:
    """What is asked of a nest is asked of the loops inside as well: each body is walked once, and kept."""
    found: list[ir.Expr] = []
    pending = block.items[::-1]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is ir.Evaluate:
            _add_inside(found, item.expr)  # type: ignore[union-attr]
        elif isinstance(item, ir.Loop):
            for part in (item.start, item.condition, item.step):
                if part is not None:
                    _add_inside(found, part)
            found += everything_in(item.body)
        elif isinstance(item, ir.Block):
            pending += item.items[::-1]
        elif isinstance(item, ir.If):
            _add_inside(found, item.condition)
            if item.otherwise is not None:
                pending += item.otherwise.items[::-1]
            pending += item.then.items[::-1]
        else:
            own = item.var.init if isinstance(item, ir.Declare) else item.value  # type: ignore[union-attr]
            if own is not None:
                _add_inside(found, own)
    return tuple(found)


def calls(block: ir.Block) -> tuple[ir.Call, ...]:
    """Every call inside `block`."""
    if block.calls is None:
        block.calls = tuple(expr for expr in everything_in(block) if type(expr) is ir.Call)
    return block.calls


def named_in(block: ir.Block) -> frozenset[ir.Variable]:
    """Every variable that a block names."""
    if block.named is None:
        named = [expr.var for expr in everything_in(block) if type(expr) is ir.Ref]
        block.named = frozenset([var for var in named if var is not None])
    return block.named


def loops_inside(block: ir.Block) -> tuple[ir.Loop, ...]:
    """`ir.loops_of` of a block that is complete, which every estimate of a design asks for again."""
    if block.loops is None:
        block.loops = _loops_inside(block)
    return block.loops


def _loops_inside(block: ir.Block) -> tuple[ir.Loop, ...]:
    found: list[ir.Loop] = []
    pending = block.items[::-1]
    while pending:
        item = pending.pop()
        if isinstance(item, ir.Loop):
            found.append(item)
            found += loops_inside(item.body)
        elif isinstance(item, ir.Block):
            pending += item.items[::-1]
        elif isinstance(item, ir.If):
            pending += item.otherwise.items[::-1] if item.otherwise is not None else ()
            pending += item.then.items[::-1]
    return tuple(found)


def inside(exprs: Iterable[ir.Expr]) -> list[ir.Expr]:
    """Expressions with all that is inside them, in source order, outer ones first."""
    found: list[ir.Expr] = []
    for expr in exprs:
        _add_inside(found, expr)
    return found


def changing_in(exprs: Iterable[ir.Expr]) -> list[ir.Assign | ir.Unary]:
    """Assignments and operators of one operand among them, of which steps are some; the same order."""
    found: list[ir.Assign | ir.Unary] = []
    pending = list(exprs)
    pending.reverse()
    while pending:
        expr = pending.pop()
        kind = type(expr)
        if kind is ir.Ref or kind is ir.Const:
            continue
        if kind is ir.Binary:
            pending.append(expr.right)  # type: ignore[union-attr]
            pending.append(expr.left)  # type: ignore[union-attr]
            continue
        if isinstance(expr, (ir.Assign, ir.Unary)):
            found.append(expr)
        inner = _BACKWARDS.get(kind)
        if inner is not None:
            pending += inner(expr)
    return found


def _add_inside(found: list[ir.Expr], expr: ir.Expr) -> None:
    """Append an expression and all that is inside it."""
    pending = [expr]
    while pending:
        current = pending.pop()
        found.append(current)
        if type(current) is ir.Binary:  # most that hold others
            pending.append(current.right)
            pending.append(current.left)
            continue
        inner = _BACKWARDS.get(type(current))
        if inner is not None:
            pending += inner(current)


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
        if kind is ir.Ref or kind is ir.Const or kind is ir.Binary:
            continue
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
    for loop in loops_inside(block):  # `for (n = 2; ...)` keeps no assignment, and the step need not change n
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
        if type(expr) is ir.Ref:
            return expr.var
        if type(expr) is ir.Index or isinstance(expr, ir.Member):
            expr = expr.base
        elif isinstance(expr, (ir.Unary, ir.Cast)):
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
            item.calls = item.changes = item.named = None
            pending += item.items
        elif isinstance(item, ir.Loop):
            pending.append(item.body)
        elif isinstance(item, ir.If):
            pending += [item.then, *([item.otherwise] if item.otherwise is not None else [])]
