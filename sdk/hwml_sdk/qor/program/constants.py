"""Values of expressions of a program, where they are constant; `constexpr` functions are run within a limit of steps.

An expression may call a function whose body holds expressions, so both stand here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from . import ir
from .budget import Work
from .numbers import Number, binary, unary

__all__ = ["Bindings", "Number", "Run", "UnknownError", "binary", "evaluate", "held", "settle"]

_MAX_DEPTH = 60  # of expressions inside one another
MAX_STEPS = 2000  # of a `constexpr` function
MAX_CALL_DEPTH = 40

Bindings = Mapping[ir.Variable, Number]


def evaluate(expr: ir.Expr | None, known: Bindings, depth: int = 0) -> Number | None:
    """Value of an IR expression where variables have the values in `known`, and constants their initialisers."""
    if expr is None or depth > _MAX_DEPTH:
        return None
    if isinstance(expr, ir.Const):
        return expr.value
    if isinstance(expr, ir.Ref):
        return _variable(expr.var, known, depth)
    if isinstance(expr, ir.Binary):
        left = evaluate(expr.left, known, depth + 1)
        if left is None and expr.op not in ("&&", "*"):
            return None  # only a zero on the right could still decide it
        return binary(expr.op, left, evaluate(expr.right, known, depth + 1))
    if isinstance(expr, ir.Unary):
        return unary(expr.op, evaluate(expr.operand, known, depth + 1))
    if isinstance(expr, ir.Cast):
        value = evaluate(expr.operand, known, depth + 1)
        return None if value is None else held(expr.type, value)
    if isinstance(expr, ir.Ternary):
        condition = evaluate(expr.condition, known, depth + 1)
        if condition is None:
            return None
        return evaluate(expr.yes if condition else expr.no, known, depth + 1)
    if isinstance(expr, ir.Call):
        return _called(expr, known, depth)
    if isinstance(expr, ir.Many):
        # `a, b` is b; `{a}` is a, and a list of more is no number.
        chosen = expr.items[-1:] if expr.comma or len(expr.items) == 1 else ()
        return evaluate(chosen[0], known, depth + 1) if chosen else None
    if isinstance(expr, ir.Index | ir.Member):
        found = _initial(expr, known, depth)
        return None if found is None else evaluate(found, {}, depth + 1)
    return None


def initial_of(expr: ir.Expr) -> ir.Expr | None:
    """What initialised a constant, or the element or field of one that `expr` names; None where that is not known."""
    return _initial(expr, {}, 0)


def _initial(expr: ir.Expr, known: Bindings, depth: int) -> ir.Expr | None:
    """What initialised a constant, or the element or field of one that `expr` names."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(expr, ir.Ref):
        return expr.var.init if expr.var is not None and expr.var.const else None
    if isinstance(expr, ir.Index):
        found = _initial(expr.base, known, depth + 1)
        for subscript in expr.subscripts:
            at = evaluate(subscript, known, depth + 1) if isinstance(found, ir.Many) else None
            if at is None or not isinstance(found, ir.Many) or not 0 <= at < len(found.items):
                return None  # also where the list is shorter than the array: the rest is zero, but how long is it
            found = found.items[int(at)]
        return found
    if isinstance(expr, ir.Member):
        if isinstance(expr.base, ir.Ref) and expr.base.var is not None and expr.field in expr.base.var.given:
            return expr.base.var.given[expr.field]
        found, kind = _initial(expr.base, known, depth + 1), _struct_of(expr.base)
        if isinstance(found, ir.Many) and kind is not None:
            for (name, _, _), item in zip(kind.fields, found.items, strict=False):
                if name == expr.field:
                    return item
    return None


def _struct_of(expr: ir.Expr) -> ir.CType | None:
    while isinstance(expr, ir.Index):
        expr = expr.base
    if isinstance(expr, ir.Member):
        owner = _struct_of(expr.base)
        return next((kind for name, kind, _ in owner.fields if name == expr.field), None) if owner else None
    return expr.var.type if isinstance(expr, ir.Ref) and expr.var is not None else None


def _variable(var: ir.Variable | None, known: Bindings, depth: int) -> Number | None:
    if var is None:
        return None
    if var in known:
        return known[var]
    if var.const and not var.dims:
        if var.evaluated:
            return var.value
        value = evaluate(var.init, {}, depth + 1)
        return None if value is None else held(var.type, value)
    return None


def settle(var: ir.Variable) -> None:
    """Find the value of a constant where it is declared: later ones then need not go back through all before them."""
    if var.const and not var.dims:
        value = evaluate(var.init, {})
        var.value, var.evaluated = None if value is None else held(var.type, value), True


def held(kind: ir.CType, value: Number) -> Number:
    """The value as a variable of that type holds it: C's conversion, cut to its width."""
    if kind.kind == "bool":
        return int(value != 0)
    if kind.is_float:
        return float(value)
    if kind.kind not in ("int", "uint"):
        return value
    whole = int(value)
    if kind.width <= 0 or kind.width > 64 or kind.pointer:
        return whole
    whole &= (1 << kind.width) - 1
    return whole - (1 << kind.width) if kind.kind == "int" and whole >> (kind.width - 1) else whole


_BUILTINS: dict[str, Callable[..., Number]] = {
    "min": min, "max": max, "std::min": min, "std::max": max, "abs": abs, "ceil": math.ceil, "floor": math.floor,
    "MIN": min, "MAX": max, "fmin": min, "fmax": max,
    **{
        f"{lead}{name}{tail}": getattr(math, name)
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sqrt", "exp", "log", "log2", "log10", "pow",
                     "sinh", "cosh", "tanh", "fabs")
        for lead in ("", "std::", "hls::") for tail in ("", "f")
    },
    "std::abs": abs, "std::ceil": math.ceil, "std::floor": math.floor,
    "round": lambda x: math.floor(x + 0.5) if x >= 0 else -math.floor(0.5 - x),
}  # fmt: skip


def _called(call: ir.Call, known: Bindings, depth: int) -> Number | None:
    values = [evaluate(argument, known, depth + 1) for argument in call.args]
    if any(value is None for value in values):
        return None
    if call.function is not None:
        return _result_of(call.function, [value for value in values if value is not None], depth + 1)
    function = None if call.own else _BUILTINS.get(call.name)
    if function is None or not values:
        return None
    try:
        return function(*values)
    except (TypeError, ValueError, OverflowError):
        return None


# -- constexpr functions -------------------------------------------------------------------------------------


class UnknownError(Exception):
    """Something the run needs is not known."""


def _result_of(function: ir.Function, values: Sequence[Number], depth: int) -> Number | None:
    """What a `constexpr` function returns, None where it cannot be told."""
    if depth > MAX_CALL_DEPTH or len(values) > len(function.params):
        return None
    run = Run(depth, function.work)
    for param, value in zip(function.params, values, strict=False):
        run.values[param] = held(param.type, value)
    try:
        run.block(function.body)
    except UnknownError:
        return None
    found = run.returned
    return None if found is None else held(function.returns, found)


class Run:
    """One call, or other code that constants alone decide. most: steps that it may take."""

    def __init__(self, depth: int, work: Work | None, most: int = MAX_STEPS) -> None:
        self.work = work
        self.most = most
        self.values: dict[ir.Variable, Number] = {}
        self.depth = depth
        self.steps = 0
        self.done = False
        self.returned: Number | None = None

    def value(self, expr: ir.Expr | None) -> Number:
        """Value of an expression without side effects."""
        found = evaluate(expr, self.values, self.depth)
        if found is None:
            raise UnknownError
        return found

    def block(self, block: ir.Block) -> None:
        """Run statements until one returns."""
        for item in block.items:
            if self.done:
                return
            self.count()
            self.statement(item)

    def count(self, steps: int = 1) -> None:
        """Steps more, of this call and of the document."""
        self.steps += steps
        if self.steps > self.most or (self.work is not None and not self.work.take(steps)):
            raise UnknownError

    def statement(self, item: ir.Stmt) -> None:
        """Run one statement."""
        if isinstance(item, ir.Return):
            self.returned, self.done = self.value(item.value), True
        elif isinstance(item, ir.Declare):
            if item.var.init is not None:
                self.values[item.var] = held(item.var.type, self.value(item.var.init))
        elif isinstance(item, ir.Evaluate):
            self.change(item.expr)
        elif isinstance(item, ir.Block):
            self.block(item)
        elif isinstance(item, ir.If):
            chosen = item.then if self.value(item.condition) else item.otherwise
            if chosen is not None:
                self.block(chosen)
        else:
            self.loop(item)

    def loop(self, loop: ir.Loop) -> None:
        """Run a loop; one that is left by `break` or cut short by `continue` is not told from others here."""
        if loop.jumps or loop.has_continue or loop.kind == "range":
            raise UnknownError
        if loop.var is not None and loop.start is not None:
            self.values[loop.var] = self.value(loop.start)
        first = loop.kind == "do"
        while not self.done and (first or loop.condition is None or self.value(loop.condition)):
            first = False
            self.block(loop.body)
            self.count()
            if loop.step is not None and not self.done:
                self.change(loop.step)

    def change(self, expr: ir.Expr) -> None:
        """Assignments and steps of scalars."""
        for item in expr.items if isinstance(expr, ir.Many) else (expr,):
            target = (
                item.target if isinstance(item, ir.Assign) else item.operand if isinstance(item, ir.Unary) else None
            )
            if not isinstance(target, ir.Ref) or target.var is None or target.var.dims:
                raise UnknownError
            if isinstance(item, ir.Assign):
                value: Number | None = self.value(item.value)
                if item.op != "=":
                    value = binary(item.op[:-1], self.value(target), value)
            else:
                value = binary("+", self.value(target), 1 if "+" in item.op else -1)  # type: ignore[union-attr]
            if value is None:
                raise UnknownError
            self.values[target.var] = held(target.var.type, value)
