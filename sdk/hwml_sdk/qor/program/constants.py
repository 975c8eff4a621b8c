"""Constant expressions: of preprocessor lines and template arguments (text), and of the program (IR)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from . import ir

Number = int | float
Lookup = Callable[[str], "Number | None"]

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F']+|0[bB][01']+|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z_]\w*(?:::\w+)*|'(?:\\.|[^'])'"
    r"|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>!~&|^?:(),])([uUlLfF]*)"
)
_LEVEL = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_MAX_SHIFT = 256
_MAX_DEPTH = 60


def evaluate_text(text: str, lookup: Lookup) -> Number | None:
    """Value of a C constant expression given as text; None when a part of it is unknown or it is no expression."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    try:
        value, rest = _expression(tokens, 0, lookup, 0)
    except (IndexError, RecursionError):
        return None
    return value if rest == len(tokens) else None


def _tokens(text: str) -> list[str] | None:
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        tokens.append(match.group(1))
        at = match.end()
    return tokens


def _expression(tokens: list[str], at: int, lookup: Lookup, level: int) -> tuple[Number | None, int]:
    left, at = _unary(tokens, at, lookup)
    while at < len(tokens):
        op = tokens[at]
        if op == "?" and level == 0:
            yes, at = _expression(tokens, at + 1, lookup, 0)
            if tokens[at] != ":":
                raise IndexError
            no, at = _expression(tokens, at + 1, lookup, 0)
            left = None if left is None else (yes if left else no)
            continue
        rank = _LEVEL.get(op, 0)
        if rank <= level or rank == 0:
            break
        right, at = _expression(tokens, at + 1, lookup, rank)
        left = binary(op, left, right)
    return left, at


def _unary(tokens: list[str], at: int, lookup: Lookup) -> tuple[Number | None, int]:
    token = tokens[at]
    if token in ("-", "+", "!", "~"):
        value, at = _unary(tokens, at + 1, lookup)
        return unary(token, value), at
    if token == "(":
        if at + 2 < len(tokens) and tokens[at + 2] == ")" and tokens[at + 1] in _CASTS:
            value, at = _unary(tokens, at + 3, lookup)
            return (None if value is None else int(value)), at
        value, at = _expression(tokens, at + 1, lookup, 0)
        if tokens[at] != ")":
            raise IndexError
        return value, at + 1
    if token[0].isdigit() or token[0] in ".'":
        return literal(token), at + 1
    if at + 1 < len(tokens) and tokens[at + 1] == "(":
        return None, _skip_call(tokens, at + 1)
    return lookup(token), at + 1


_CASTS = {"int", "long", "short", "unsigned", "char", "size_t", "uint32_t", "int32_t", "uint64_t", "int64_t"}


def _skip_call(tokens: list[str], at: int) -> int:
    depth = 0
    while True:
        depth += {"(": 1, ")": -1}.get(tokens[at], 0)
        at += 1
        if depth == 0:
            return at


def literal(text: str) -> Number | None:
    """Value of a C number or character literal, suffixes allowed; None when it is none."""
    if text.startswith("'"):
        inner = text[1:-1]
        return ord(inner) if len(inner) == 1 else {"\\n": 10, "\\t": 9, "\\0": 0, "\\r": 13, "\\\\": 92}.get(inner)
    body = text.replace("'", "")
    if body[:1] in ("-", "+"):  # the parser takes the sign of `i + -1` into the number
        return unary(body[0], literal(body[1:].lstrip()))
    try:
        if body[:2] in ("0x", "0X"):
            return int(body.rstrip("uUlL"), 16)
        if body[:2] in ("0b", "0B"):
            return int(body.rstrip("uUlL"), 2)
        plain = body.rstrip("uUlLfFhH")
        if plain.isdigit():
            return int(plain, 8) if len(plain) > 1 and plain[0] == "0" else int(plain)
        value = float(plain)
        return value if math.isfinite(value) else None
    except ValueError:
        return None


def unary(op: str, value: Number | None) -> Number | None:
    """C's unary operators on numbers; None stays None."""
    if value is None:
        return None
    if op == "-":
        return -value
    if op == "+":
        return value
    if op == "!":
        return int(not value)
    if op == "~":
        return ~int(value)
    return None


def binary(op: str, left: Number | None, right: Number | None) -> Number | None:
    """C's binary operators on numbers (division truncates); None when a side is unknown or the result is undefined."""
    if left is None or right is None:
        if op == "&&" and (left == 0 or right == 0):
            return 0
        if op == "*" and (left == 0 or right == 0):
            return 0
        return None
    simple = _SIMPLE.get(op)
    try:
        if simple is not None:
            result = simple(left, right)
            return result if math.isfinite(result) else None
        if op in ("/", "%"):
            return _divide(op, left, right)
        a, b = int(left), int(right)
        if op in ("<<", ">>"):
            if not 0 <= b <= _MAX_SHIFT:
                return None
            return a << b if op == "<<" else a >> b
        return {"&": a & b, "|": a | b, "^": a ^ b}.get(op)
    except (OverflowError, ValueError):
        return None


_SIMPLE: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}


def _divide(op: str, left: Number, right: Number) -> Number | None:
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if op == "/" else left - quotient * right
    return left / right if op == "/" else math.fmod(left, right)


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
        return binary(expr.op, left, evaluate(expr.right, known, depth + 1))
    if isinstance(expr, ir.Unary):
        return unary(expr.op, evaluate(expr.operand, known, depth + 1))
    if isinstance(expr, ir.Cast):
        value = evaluate(expr.operand, known, depth + 1)
        return value if value is None or expr.type.is_float else int(value)
    if isinstance(expr, ir.Ternary):
        condition = evaluate(expr.condition, known, depth + 1)
        if condition is None:
            return None
        return evaluate(expr.yes if condition else expr.no, known, depth + 1)
    if isinstance(expr, ir.Call):
        return _called(expr, known, depth)
    if isinstance(expr, ir.Index | ir.Member):
        found = _initial(expr, known, depth)
        return None if found is None else evaluate(found, {}, depth + 1)
    return None


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
        value = evaluate(var.init, {}, depth + 1)
        if value is not None and var.type.kind in ("int", "uint"):
            return int(value)
        return value
    return None


_BUILTINS: dict[str, Callable[..., Number]] = {
    "min": min, "max": max, "std::min": min, "std::max": max, "abs": abs, "ceil": math.ceil, "floor": math.floor,
    "MIN": min, "MAX": max, "fmin": min, "fmax": max,
}  # fmt: skip


def _called(call: ir.Call, known: Bindings, depth: int) -> Number | None:
    values = [evaluate(argument, known, depth + 1) for argument in call.args]
    if any(value is None for value in values):
        return None
    if call.function is not None:
        from .constexpr import result_of  # which evaluates expressions with this module

        return result_of(call.function, [value for value in values if value is not None], depth + 1)
    function = _BUILTINS.get(call.name)
    if function is None or not values:
        return None
    try:
        return function(*values)
    except (TypeError, ValueError, OverflowError):
        return None
