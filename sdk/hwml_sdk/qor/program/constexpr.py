"""What a `constexpr` function gives for known arguments: its body is run, within a limit of steps."""

from __future__ import annotations

from collections.abc import Sequence

from . import ir
from .constants import Number, binary, evaluate

MAX_STEPS = 2000
MAX_DEPTH = 40


class _UnknownError(Exception):
    """Something the run needs is not known."""


def result_of(function: ir.Function, values: Sequence[Number], depth: int = 0) -> Number | None:
    """The value returned, None where it cannot be told."""
    if depth > MAX_DEPTH or len(values) > len(function.params):
        return None
    run = _Run(depth)
    run.values.update(zip(function.params, values, strict=False))
    try:
        run.block(function.body)
    except _UnknownError:
        return None
    found = run.returned
    return int(found) if found is not None and function.returns.kind in ("int", "uint", "bool") else found


class _Run:
    """One call."""

    def __init__(self, depth: int) -> None:
        self.values: dict[ir.Variable, Number] = {}
        self.depth = depth
        self.steps = 0
        self.done = False
        self.returned: Number | None = None

    def value(self, expr: ir.Expr | None) -> Number:
        """Value of an expression without side effects."""
        found = evaluate(expr, self.values, self.depth)
        if found is None:
            raise _UnknownError
        return found

    def block(self, block: ir.Block) -> None:
        """Run statements until one returns."""
        for item in block.items:
            if self.done:
                return
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise _UnknownError
            self.statement(item)

    def statement(self, item: ir.Stmt) -> None:
        """Run one statement."""
        if isinstance(item, ir.Return):
            self.returned, self.done = self.value(item.value), True
        elif isinstance(item, ir.Declare):
            if item.var.init is not None:
                self.values[item.var] = self.typed(item.var, self.value(item.var.init))
        elif isinstance(item, ir.Evaluate):
            self.change(item.expr)
        elif isinstance(item, ir.Block):
            self.block(item)
        elif isinstance(item, ir.If):
            chosen = item.then if self.value(item.condition) else item.otherwise
            if chosen is not None:
                self.block(chosen)
        elif isinstance(item, ir.Loop):
            self.loop(item)

    def loop(self, loop: ir.Loop) -> None:
        """Run a loop; one that is left by `break` or cut short by `continue` is not told from others here."""
        if loop.has_break or loop.has_continue or loop.kind == "range":
            raise _UnknownError
        if loop.var is not None and loop.start is not None:
            self.values[loop.var] = self.value(loop.start)
        first = loop.kind == "do"
        while not self.done and (first or self.value(loop.condition)):
            first = False
            self.block(loop.body)
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise _UnknownError
            if loop.step is not None and not self.done:
                self.change(loop.step)

    def change(self, expr: ir.Expr) -> None:
        """Assignments and steps of scalars."""
        for item in expr.items if isinstance(expr, ir.Many) else (expr,):
            target = (
                item.target if isinstance(item, ir.Assign) else item.operand if isinstance(item, ir.Unary) else None
            )
            if not isinstance(target, ir.Ref) or target.var is None or target.var.dims:
                raise _UnknownError
            if isinstance(item, ir.Assign):
                value: Number | None = self.value(item.value)
                if item.op != "=":
                    value = binary(item.op[:-1], self.value(target), value)
            else:
                value = binary("+", self.value(target), 1 if "+" in item.op else -1)  # type: ignore[union-attr]
            if value is None:
                raise _UnknownError
            self.values[target.var] = self.typed(target.var, value)

    def typed(self, var: ir.Variable, value: Number) -> Number:
        """The value as the variable holds it."""
        return int(value) if var.type.kind in ("int", "uint", "bool") else value
