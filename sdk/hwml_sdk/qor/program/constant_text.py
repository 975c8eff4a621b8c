"""Values of C constant expressions given as text: preprocessor lines, extents, template arguments, options."""

from __future__ import annotations

import re
from collections.abc import Callable

from .numbers import Number, binary, literal, unary

Lookup = Callable[[str], Number | None]

_TOKEN = re.compile(
    r"\s*(?:(0[xX][0-9a-fA-F']+|0[bB][01']+|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[uUlLfF]*"
    r"|([A-Za-z_]\w*(?:::\w+)*|'(?:\\.|[^'])'|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>!~&|^?:(),]))"
)
_LEVEL = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip


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
        tokens.append(match.group(1) or match.group(2))
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
