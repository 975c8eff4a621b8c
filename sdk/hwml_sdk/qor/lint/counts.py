"""How often a round of a loop reads and writes an array, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ...document import Related
from ..program import ir
from ..program.expressions import children, expressions_of
from ..program.facts import walk
from .context import Context

MAX_PLACES = 8


@dataclass(slots=True)
class Accesses:
    """Different elements read and written in a round, and the places of the accesses in the file at `path`."""

    reads: float = 0
    writes: float = 0
    path: str = ""
    places: list[Related] = field(default_factory=list)
    _seen: set[tuple[str, bool]] = field(default_factory=set)

    def __str__(self) -> str:
        parts = [(self.reads, "read"), (self.writes, "write")]
        return " and ".join(f"{n:g} {verb}{'s' if n != 1 else ''}" for n, verb in parts if n)


def accesses_of(context: Context, loop: ir.Loop, var: ir.Variable, copies: int) -> Accesses:
    """Accesses of `var` in one round of the hardware: `copies` rounds of the source, inner loops unrolled."""
    found = Accesses(path=loop.path)
    counters = [(loop.var, float(max(copies, 1)))]
    _block(context, loop.body, var, counters, found)
    return found


def _block(
    context: Context,
    block: ir.Block,
    var: ir.Variable,
    counters: list[tuple[ir.Variable | None, float]],
    found: Accesses,
) -> None:
    for item in block.items:
        if isinstance(item, ir.Loop):
            trips = context.facts.trip_count(item)
            _block(context, item.body, var, [*counters, (item.var, float(trips or 1))], found)
        elif isinstance(item, ir.Block):
            _block(context, item, var, counters, found)
        elif isinstance(item, ir.If):
            _expression(context, item.condition, var, counters, found)
            _block(context, item.then, var, counters, found)
            if item.otherwise is not None:
                _block(context, item.otherwise, var, counters, found)
        else:
            for expr in expressions_of(ir.Block([item])):
                _expression(context, expr, var, counters, found)


def _expression(
    context: Context,
    expr: ir.Expr,
    var: ir.Variable,
    counters: list[tuple[ir.Variable | None, float]],
    found: Accesses,
    write: bool = False,
    also_read: bool = False,
) -> None:
    if isinstance(expr, ir.Assign):
        _expression(context, expr.target, var, counters, found, True, expr.op != "=")
        _expression(context, expr.value, var, counters, found)
        return
    if isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--"):
        _expression(context, expr.operand, var, counters, found, True, True)
        return
    if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.var is var:
        if write:
            _note(context, expr, True, counters, found)
        if not write or also_read:
            _note(context, expr, False, counters, found)
        for subscript in expr.subscripts:
            _expression(context, subscript, var, counters, found)
        return
    if isinstance(expr, ir.Member) or (isinstance(expr, ir.Index) and not isinstance(expr.base, ir.Ref)):
        _expression(context, expr.base, var, counters, found, write, also_read)
        return
    for child in children(expr):
        _expression(context, child, var, counters, found)


def _note(
    context: Context, access: ir.Index, write: bool, counters: list[tuple[ir.Variable | None, float]], found: Accesses
) -> None:
    names = {item.var for subscript in access.subscripts for item in walk(subscript) if isinstance(item, ir.Ref)}
    times = math.prod(trips for counter, trips in counters if counter in names)
    key = (" ".join(spelled(subscript) for subscript in access.subscripts), write)
    if key in found._seen:
        return
    found._seen.add(key)
    if write:
        found.writes += times
    else:
        found.reads += times
    if access.span is not None and len(found.places) < MAX_PLACES:
        verb = "written" if write else "read"
        many = f", {times:g} times" if times > 1 else ""
        found.places.append(Related(f"{verb} here{many}", access.span, found.path))


def spelled(expr: ir.Expr) -> str:
    """An expression as text, the same for the same expression."""
    if isinstance(expr, ir.Const):
        return f"{expr.value}"
    if isinstance(expr, ir.Ref):
        return expr.name
    if isinstance(expr, ir.Member):
        return f"{spelled(expr.base)}.{expr.field}"
    head = getattr(expr, "op", None) or getattr(expr, "name", None) or type(expr).__name__
    return f"({head} {' '.join(map(spelled, children(expr)))})"
