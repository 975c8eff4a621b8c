"""Widths in a circuit as Chisel writes it: declared ones, and what follows from them by FIRRTL's rules of primitives.

Rules: FIRRTL specification 4.0, "Primitive operations". What is inferred later is unknown here (None).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .circuit import Statement

_CALL = re.compile(r"(?P<name>[a-z]\w*)\((?P<inside>.*)\)$", re.DOTALL)
_LITERAL = re.compile(r"[US]Int(?:<(?P<width>\d+)>)?\((?P<value>[^()]*)\)$")
_SIZED = re.compile(r"(?P<kind>[US])Int<(?P<width>\d+)>")
_STEP = re.compile(r"\.(?P<field>\w+)|\[[^\[\]]*\]")
_ONE = {"eq", "neq", "lt", "leq", "gt", "geq", "andr", "orr", "xorr"}
_MOST = {"and", "or", "xor"}
_SAME = {"not", "asUInt", "asSInt"}
_DEPTH = 12


def operands(expression: str) -> tuple[str, list[str]] | None:
    """Name and arguments of a primitive operation; None for anything else."""
    match = _CALL.match(expression)
    return (match["name"], _arguments(match["inside"])) if match else None


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
    return (*found, text[start:].strip())


def _arguments(text: str) -> list[str]:
    return list(_split(text))


def literal_width(expression: str) -> int | None:
    """Bits of a constant; None for anything else."""
    match = _LITERAL.match(expression)
    return int(match["width"]) if match and match["width"] else None


class Widths:
    """Widths of the signals of one module."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._types: dict[str, str] = {}
        self._nodes: dict[str, str] = {}
        for s in statements:
            if s.kind == "node":
                self._nodes[s.target] = s.value
            elif s.kind in ("input", "output", "wire"):
                self._types[s.target] = s.value
            elif s.kind in ("reg", "regreset"):
                self._types[s.target] = _split(s.value)[0]

    def resolved(self, expression: str) -> str:
        """The expression that a node stands for."""
        return self._nodes.get(expression, expression)

    def signed(self, expression: str) -> bool:
        """Whether it is, or may be, an SInt."""
        known = self._type(expression)
        return (
            known.startswith("S") if known else expression.startswith("SInt") or "asSInt" in self.resolved(expression)
        )

    def of(self, expression: str, depth: int = _DEPTH) -> int | None:
        """Bits of an expression, None where they are inferred later."""
        if depth == 0:
            return None
        if (bits := literal_width(expression)) is not None:
            return bits
        if expression in self._nodes:
            return self.of(self._nodes[expression], depth - 1)
        call = operands(expression)
        if call is None:
            sized = _SIZED.fullmatch(self._type(expression))
            return int(sized["width"]) if sized else None
        return self._of_call(*call, depth - 1)

    def _of_call(self, name: str, arguments: list[str], depth: int) -> int | None:
        if name in _ONE:
            return 1
        numbers = [int(a) for a in arguments if a.isdigit()]
        if name == "bits":
            return numbers[0] - numbers[1] + 1
        signals = [a for a in arguments[name == "mux" :] if not a.isdigit()]
        bits = [self.of(a, depth) for a in signals]
        sizes = [b for b in bits if b is not None]
        if not sizes or len(sizes) != len(bits):
            return None
        return _size(name, sizes, numbers)

    def _type(self, path: str) -> str:
        """The declared type at a path such as `io.v[0].bits`, or ""."""
        head = re.match(r"\w+", path)
        kind = self._types.get(head[0], "") if head else ""
        at = head.end() if head else 0
        while kind and at < len(path):
            step = _STEP.match(path, at)
            if step is None:
                return ""
            kind = _field(kind, step["field"]) if step["field"] else re.sub(r"\[\d+\]$", "", kind)
            at = step.end()
        return kind


def _size(name: str, sizes: list[int], numbers: list[int]) -> int | None:
    if name in ("add", "sub"):
        return max(sizes) + 1
    if name in _MOST or name == "mux":
        return max(sizes)
    if name in _SAME:
        return sizes[0]
    if name in ("cat", "mul"):
        return sum(sizes)
    if name in ("shl", "shr", "tail", "head", "pad") and numbers:
        n, w = numbers[0], sizes[0]
        return {"shl": w + n, "shr": max(w - n, 0), "tail": w - n, "head": n, "pad": max(w, n)}[name]
    return None


def _field(kind: str, name: str) -> str:
    if not (kind.startswith("{") and kind.endswith("}")):
        return ""
    for part in _split(kind[1:-1]):
        field, _, inner = part.partition(" : ")
        if field.removeprefix("flip ").strip() == name:
            return inner.strip()
    return ""
