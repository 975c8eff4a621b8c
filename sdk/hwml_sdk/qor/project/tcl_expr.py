"""Conditions and sums of Tcl scripts (expr(n)), as far as plain text and numbers go."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from contextlib import suppress

_TOKEN = re.compile(
    r"\s*(?:(\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+|0[xX][0-9a-fA-F]+|\d+(?:[eE][-+]?\d+)?)"
    r"|\"([^\"]*)\"|\{([^{}]*)\}|(\*\*|<=|>=|==|!=|&&|\|\||[-+*/%()<>!?:])|(eq|ne|in|ni)\b|([\w./-]+))"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("eq", "ne"), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip
_WORDS = {"true": 1, "yes": 1, "on": 1, "false": 0, "no": 0, "off": 0}
Value = int | float | str


class _UnreadableError(Exception):
    """Not plain sums."""


def evaluate(text: str) -> Value | None:
    """The value of an expression whose variables are put in already; None for what is more than plain sums."""
    try:
        tokens = _tokens(text)
        value, at = _level(tokens, 0, 0)
    except (_UnreadableError, ZeroDivisionError, OverflowError, RecursionError):
        return None
    return value if at == len(tokens) else None


def is_true(value: Value | None) -> bool | None:
    """Whether a condition holds; None when it is neither number nor truth word."""
    if isinstance(value, str):
        return bool(_WORDS[value.lower()]) if value.lower() in _WORDS else None
    return None if value is None else bool(value)


def as_text(value: Value) -> str:
    """A value as Tcl writes it: whole numbers without a point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, int) else repr(value)


def _tokens(text: str) -> list[tuple[str, Value]]:
    found: list[tuple[str, Value]] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _UnreadableError
        number, quoted, braced, sign, word, name = match.groups()
        if number is not None:
            found.append(("value", _constant(number)))
        elif quoted is not None or braced is not None:
            found.append(("text", quoted if quoted is not None else braced))
        elif name is not None:
            found.append(("text", name))
        else:
            found.append((sign or word, ""))
        at = match.end()
    return found


def _constant(number: str) -> int | float:
    if number.isdigit():
        return int(number[:20])
    return int(number, 16) if number[:2] in ("0x", "0X") else float(number)


def _level(tokens: list[tuple[str, Value]], at: int, level: int) -> tuple[Value, int]:
    if level == len(_LEVELS):
        return _unary(tokens, at)
    left, at = _level(tokens, at, level + 1)
    while at < len(tokens) and tokens[at][0] in _LEVELS[level]:
        sign = tokens[at][0]
        right, at = _level(tokens, at + 1, level + 1)
        left = _apply(sign, left, right)
    if level == 0 and at < len(tokens) and tokens[at][0] == "?":
        yes, at = _level(tokens, at + 1, 0)
        if at >= len(tokens) or tokens[at][0] != ":":
            raise _UnreadableError
        no, at = _level(tokens, at + 1, 0)
        left = yes if _truth(left) else no
    return left, at


def _unary(tokens: list[tuple[str, Value]], at: int) -> tuple[Value, int]:
    if at >= len(tokens):
        raise _UnreadableError
    kind, value = tokens[at]
    if kind in ("value", "text"):
        return value, at + 1
    if kind == "!":
        value, at = _unary(tokens, at + 1)
        return int(not _truth(value)), at
    if kind in "+-":
        value, at = _unary(tokens, at + 1)
        return (-1 if kind == "-" else 1) * _number(value), at
    if kind != "(":
        raise _UnreadableError
    value, at = _level(tokens, at + 1, 0)
    if at >= len(tokens) or tokens[at][0] != ")":
        raise _UnreadableError
    return value, at + 1


def _truth(value: Value) -> bool:
    known = is_true(value)
    if known is None:
        raise _UnreadableError
    return known


def _number(value: Value) -> int | float:
    if isinstance(value, str):
        try:
            return int(value) if re.fullmatch(r"\s*-?\d{1,18}\s*", value) else float(value)
        except ValueError:
            raise _UnreadableError from None
    return value


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "%": operator.mod,
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def _apply(sign: str, left: Value, right: Value) -> Value:
    if sign == "&&":
        return int(_truth(left) and _truth(right))
    if sign == "||":
        return int(_truth(left) or _truth(right))
    if sign in ("eq", "ne", "==", "!="):
        same = as_text(left) == as_text(right)
        if sign in ("==", "!="):  # numbers where both are, else text
            with suppress(_UnreadableError):
                same = _number(left) == _number(right)
        return int(same == (sign in ("eq", "==")))
    if sign == "/":
        a, b = _number(left), _number(right)
        return a // b if isinstance(a, int) and isinstance(b, int) else a / b
    return _ARITHMETIC[sign](_number(left), _number(right))
