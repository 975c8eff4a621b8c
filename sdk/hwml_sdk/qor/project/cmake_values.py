"""Variables and conditions of a CMakeLists.txt, as far as the files themselves say them: cmake is never run.

What only a run could tell (packages, platforms, options of a command line, variables that nobody sets) is UNKNOWN, and
so is all that is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .cmake_words import UNKNOWN, Word
from .tcl_expr import as_text, evaluate

MAX_LENGTH = 1 << 16
MAX_ROUNDS = 16
MAX_NESTED = 32
_VARIABLE = re.compile(r"\$\{([\w./+-]*)\}")
_OTHER = re.compile(r"\$(?:ENV|CACHE)\{[^{}]*\}|\$<")
_TRUE = frozenset({"1", "ON", "YES", "TRUE", "Y"})
_FALSE = frozenset({"", "0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND"})
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?$")
_UNARY = frozenset(
    {"DEFINED", "COMMAND", "POLICY", "TARGET", "TEST", "EXISTS", "IS_DIRECTORY", "IS_SYMLINK", "IS_ABSOLUTE"}
)
_NUMBERS = {
    "EQUAL": lambda a, b: a == b, "LESS": lambda a, b: a < b, "GREATER": lambda a, b: a > b,
    "LESS_EQUAL": lambda a, b: a <= b, "GREATER_EQUAL": lambda a, b: a >= b,
}  # fmt: skip
_BINARY = frozenset({
    *_NUMBERS, "STREQUAL", "STRLESS", "STRGREATER", "MATCHES", "IN_LIST", "VERSION_EQUAL", "VERSION_LESS",
    "VERSION_GREATER", "VERSION_LESS_EQUAL", "VERSION_GREATER_EQUAL", "IS_NEWER_THAN", "PATH_EQUAL",
})  # fmt: skip


@dataclass(slots=True)
class Values:
    """Variables by name; lists are joined by `;` as CMake keeps them. raised: what a function sets for its caller."""

    known: dict[str, str] = field(default_factory=dict)
    raised: dict[str, str] = field(default_factory=dict)

    def expand(self, word: Word) -> str:
        """A word with its variables put in; UNKNOWN stands for what is not known of it."""
        text = word.text
        if word.literal:
            return text
        for _ in range(MAX_ROUNDS):
            names = [match[1] for match in _VARIABLE.finditer(text)]
            if not names:
                return _OTHER.sub(UNKNOWN, text)
            if len(text) + sum(len(self.known.get(name, "")) for name in names) > MAX_LENGTH:
                break
            text = _VARIABLE.sub(lambda match: self._held(match[1]), text)
        return UNKNOWN  # it names itself, or is too long

    def _held(self, name: str) -> str:
        value = self.known.get(name, UNKNOWN)
        return UNKNOWN if "${" in value else value  # a text that was not meant to be looked into

    def arguments(self, words: Iterable[Word]) -> list[str]:
        """The arguments that words come to: what is not quoted is split at `;`, and nothing stays of what is empty."""
        found: list[str] = []
        for word in words:
            text = self.expand(word)
            found += [text] if word.quoted else [part for part in text.split(";") if part]
        return found

    def set(self, arguments: Sequence[str], *, sure: bool) -> None:
        """`set(name value... [CACHE type text [FORCE]])`. sure: whether the command is surely reached."""
        if not arguments or UNKNOWN in arguments[0]:
            return
        name, *values = arguments
        cached = "CACHE" in values
        if cached:
            forced = values[-1] == "FORCE"
            values = values[: values.index("CACHE")]
            if name in self.known and not forced:
                return  # set above, or by who configures: the cache gives what is there
        scope = self.known
        if values[-1:] == ["PARENT_SCOPE"]:
            scope = self.raised
            values.pop()
        whole = ";".join(values)
        if values or cached:
            scope[name] = whole if sure and len(whole) <= MAX_LENGTH else UNKNOWN
        elif scope is self.raised or not sure:
            scope[name] = UNKNOWN
        else:
            scope.pop(name, None)

    def option(self, arguments: Sequence[str], *, sure: bool) -> None:
        """`option(name text [value])`."""
        if arguments and UNKNOWN not in arguments[0] and arguments[0] not in self.known:
            self.known[arguments[0]] = (arguments[2] if len(arguments) > 2 else "OFF") if sure else UNKNOWN

    def append(self, name: str, values: Sequence[str], *, sure: bool, first: bool = False) -> None:
        """`list(APPEND name value...)` and PREPEND."""
        new = ";".join(values) if sure else UNKNOWN
        old = self.known.get(name, "")
        whole = ";".join(part for part in ((new, old) if first else (old, new)) if part)
        self.known[name] = whole if len(whole) <= MAX_LENGTH else UNKNOWN

    def calculate(self, name: str, text: str, *, sure: bool) -> None:
        """`math(EXPR name "sum")`."""
        value = evaluate(text) if UNKNOWN not in text and sure else None
        self.known[name] = as_text(value) if isinstance(value, int) and abs(value) < 1 << 63 else UNKNOWN

    def forget(self, names: Iterable[str]) -> None:
        """Variables that a command may have changed in a way that is not read."""
        self.known.update((name, UNKNOWN) for name in names if name in self.known)

    def holds(self, words: Sequence[Word]) -> bool | None:
        """Whether a condition holds; None where that is not known."""
        tokens = [(self.expand(word), word.quoted) for word in words]
        if sum(text == "(" for text, _ in tokens) > MAX_NESTED:
            return None
        value, at = self._either(tokens, 0)
        return value if at == len(tokens) else None

    def _either(self, tokens: Sequence[tuple[str, bool]], at: int) -> tuple[bool | None, int]:
        value, at = self._both(tokens, at)
        while at < len(tokens) and tokens[at][0] == "OR":
            other, at = self._both(tokens, at + 1)
            value = True if value or other else None if value is None or other is None else False
        return value, at

    def _both(self, tokens: Sequence[tuple[str, bool]], at: int) -> tuple[bool | None, int]:
        value, at = self._one(tokens, at)
        while at < len(tokens) and tokens[at][0] == "AND":
            other, at = self._one(tokens, at + 1)
            value = False if value is False or other is False else None if value is None or other is None else True
        return value, at

    def _one(self, tokens: Sequence[tuple[str, bool]], at: int) -> tuple[bool | None, int]:
        negated = False
        while at < len(tokens) and tokens[at][0] == "NOT":
            negated, at = not negated, at + 1
        if at >= len(tokens):
            return None, at
        if tokens[at][0] == "(":
            value, at = self._either(tokens, at + 1)
            at += 1  # what closes it
        elif tokens[at][0] in _UNARY and at + 1 < len(tokens):
            value = True if tokens[at][0] == "DEFINED" and tokens[at + 1][0] in self.known else None
            at += 2
        elif at + 2 < len(tokens) and tokens[at + 1][0] in _BINARY:
            value = self._compared(tokens[at], tokens[at + 1][0], tokens[at + 2])
            at += 3
        else:
            value = self._truth(*tokens[at])
            at += 1
        return (None if value is None else value is not negated), at

    def _truth(self, text: str, quoted: bool) -> bool | None:
        """A constant, or the variable of that name."""
        upper = text.upper()
        if UNKNOWN in text:
            return None
        if upper in _TRUE or (_NUMBER.match(text) and float(text)):
            return True
        if upper in _FALSE or upper.endswith("-NOTFOUND"):
            return False
        if quoted:
            return False  # `if("text")` is false unless the text is a constant of truth
        value = self.known.get(text, UNKNOWN)
        if UNKNOWN in value:
            return None
        return value.upper() not in _FALSE and not value.upper().endswith("-NOTFOUND")

    def _compared(self, left: tuple[str, bool], op: str, right: tuple[str, bool]) -> bool | None:
        # A bare word that names a variable stands for what that holds.
        one, two = (text if quoted else self.known.get(text, text) for text, quoted in (left, right))
        if UNKNOWN in one + two:
            return None
        if op == "STREQUAL":
            return one == two
        compare = _NUMBERS.get(op)
        if compare is None:
            return None
        return compare(float(one), float(two)) if _NUMBER.match(one) and _NUMBER.match(two) else False
