"""C's arithmetic on numbers: literals, unary and binary operators; what is not known stays unknown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

Number = int | float

_MAX_SHIFT = 256
_MAX_DIGITS = 80  # of a literal, more than 256 bits have
_MAX_BITS = 512  # of a result: it stays a number that costs nothing to go on with


_ESCAPES = {"\\n": 10, "\\t": 9, "\\r": 13, "\\\\": 92, "\\'": 39, '\\"': 34, "\\a": 7, "\\b": 8, "\\f": 12, "\\v": 11}


@lru_cache(maxsize=4096)
def literal(text: str) -> Number | None:
    """Value of a C number or character literal, suffixes allowed; None when it is none."""
    if text.startswith("'"):
        inner = text[1:-1]
        if len(inner) == 1:
            return ord(inner)
        if inner[:2] == "\\x":
            return int(inner[2:], 16) if re.fullmatch(r"[0-9a-fA-F]{1,2}", inner[2:]) else None
        octal = re.fullmatch(r"\\([0-7]{1,3})", inner)
        return int(octal.group(1), 8) if octal else _ESCAPES.get(inner)
    if len(text) > _MAX_DIGITS and "." not in text:
        return None
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
            shifted = a << b if op == "<<" else a >> b
            return shifted if shifted.bit_length() <= _MAX_BITS else None
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
