"""Elements that an array does not have: constant subscripts, counters of loops, and counters after their loops."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...document import Related
from ..program import ir
from ..program.expressions import assigned_variables, expressions_of, inside
from ..program.trip_counts import iterations
from .affine import Range, range_of
from .code import Code
from .context import Context
from .rule import rule

OUTSIDE = Code("HLS129", "error", "element outside the array")
_GUARDS = ("&&", "||", ",")


@rule(OUTSIDE)
def outside(context: Context) -> None:
    """A subscript that leaves its array for certain: in every run, whatever the data."""
    for function in context.functions():
        if not context.is_template(function):
            _Walk(context, function).block(function.body, {})


@dataclass(slots=True)
class _Walk:
    """Goes through a function in order, with the ranges of the variables that are known at each place."""

    context: Context
    function: ir.Function
    leaving: dict[int, bool] = field(default_factory=dict)

    def block(self, block: ir.Block, known: dict[ir.Variable, Range]) -> None:
        """Statements in order; under an `if` nothing is known of counters outside it, which it may look at."""
        for item in block.items:
            if isinstance(item, ir.Block):
                self.block(item, known)
            elif isinstance(item, ir.Loop):
                self._loop(item, known)
            elif isinstance(item, ir.Return):
                if item.value is not None:
                    self._expression(item.value, known)
                return
            elif isinstance(item, ir.If):
                self._guarded(item)
                self._forget(ir.Block([item]), known)
                if self._leaves(item):
                    return
            else:
                for expr in expressions_of(ir.Block([item])):
                    self._expression(expr, known)
                self._forget(ir.Block([item]), known)

    def _guarded(self, item: ir.If) -> None:
        """What runs only sometimes: constant subscripts are wrong there too, unless it can never run."""
        if self.context.facts.value(item.condition) is None:
            for block in (item.then, *([item.otherwise] if item.otherwise is not None else [])):
                self.block(block, {})

    def _forget(self, block: ir.Block, known: dict[ir.Variable, Range]) -> None:
        if known:  # else branches within branches, of which nothing is known, are walked once for each around them
            for var in assigned_variables(block):
                known.pop(var, None)

    def _loop(self, loop: ir.Loop, known: dict[ir.Variable, Range]) -> None:
        counter = loop.var
        values = None
        if counter is not None and counter not in assigned_variables(loop.body) and not loop.has_break:
            values = iterations(loop, self.context.facts.constants)
        self._forget(ir.Block([loop]), known)
        if not values or counter is None:
            return
        first, last = int(values[0]), int(values[-1])
        step = int(values[1] - values[0]) if len(values) > 1 else 1
        if not loop.has_continue:
            self.block(loop.body, {**known, counter: (min(first, last), max(first, last))})
        known[counter] = (last + step, last + step)

    def _expression(self, expr: ir.Expr, known: dict[ir.Variable, Range]) -> None:
        everything = inside([expr])
        if any(isinstance(e, ir.Ternary) or (isinstance(e, ir.Binary) and e.op in _GUARDS) for e in everything):
            return
        addresses = [e.operand for e in everything if isinstance(e, ir.Unary) and e.op == "&"]
        for item in everything:
            if isinstance(item, ir.Index) and isinstance(item.base, ir.Ref) and item.base.var is not None:
                # [expr.add]: a pointer may lead one past the last element, as long as nothing is read there
                self._access(item, item.base.var, known, past=int(any(item is address for address in addresses)))

    def _leaves(self, item: ir.If) -> bool:
        """Whether the function may be left inside; asked of a branch for itself and for each around it."""
        known = self.leaving.get(id(item))
        if known is None:
            blocks = [item.then, *([item.otherwise] if item.otherwise is not None else [])]
            known = self.leaving[id(item)] = any(map(self._returns, blocks))
        return known

    def _returns(self, block: ir.Block) -> bool:
        return any(
            isinstance(item, ir.Return)
            or (isinstance(item, ir.Block) and self._returns(item))
            or (isinstance(item, ir.Loop) and item.has_break)
            or (isinstance(item, ir.If) and self._leaves(item))
            for item in block.items
        )

    def _access(self, access: ir.Index, var: ir.Variable, known: dict[ir.Variable, Range], *, past: int) -> None:
        if var.type.pointer or access.span is None or len(access.subscripts) > len(var.dims):
            return
        for dim, (subscript, extent) in enumerate(zip(access.subscripts, var.dims, strict=False)):
            reach = range_of(subscript, known, self.context.facts)
            if extent is None or reach is None or (reach[0] >= 0 and reach[1] < extent + past):
                continue
            wrong = reach[0] if reach[0] < 0 else reach[1]
            where = f"dimension {dim + 1} of {var.name}" if len(var.dims) > 1 else var.name
            message = f"subscript {wrong} is outside {where}: its {extent} elements are 0 to {extent - 1}"
            related = (Related(f"{var.name} is declared here", var.span, var.path),)
            self.context.report(OUTSIDE, message, self.function.path, access.span, related=related)
            return
