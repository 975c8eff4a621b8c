"""The words of pragmas by what they are, for colours: dialect, directive, options and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...document import Token, TokenKind
from .table import VARIABLE_OPTION

# Not inside `/* */`: an editor's own colours show that such a line is none.
_LINE = re.compile(
    r"^[ \t]*(?P<pragma>#[ \t]*pragma)[ \t]+(?P<dialect>HLS|ACCEL)\b(?:[ \t]+(?P<kind>[A-Za-z_]\w*))?(?P<rest>[^\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_COMMENT = re.compile(r"//|/\*")
_WORD = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<equals>[ \t]*=[ \t]*)?|(?P<number>\d[\w.]*)")


def tokens(text: str) -> tuple[Token, ...]:
    """Every word of every pragma of HLS and Merlin, in the order of the text."""
    found: list[Token] = []
    line, counted = 0, 0
    for match in _LINE.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        for start, length, kind in _words(match):
            found.append(Token(line, start - match.start(), length, kind))
    return tuple(found)


def _words(match: re.Match[str]) -> Iterator[tuple[int, int, TokenKind]]:
    """(offset, length, kind) of the words of one line."""
    parts: tuple[tuple[str, TokenKind], ...] = (("pragma", "pragma"), ("dialect", "dialect"), ("kind", "directive"))
    for group, kind in parts:
        if match.group(group):
            yield match.start(group), len(match.group(group)), kind
    comment = _COMMENT.search(match.group("rest"))
    end = match.start("rest") + (comment.start() if comment is not None else len(match.group("rest")))
    asks = VARIABLE_OPTION.get((match.group("kind") or "").upper())
    before = ""
    for word in _WORD.finditer(match.string, match.start("rest"), end):
        if word.group("number"):
            yield word.start(), len(word.group()), "number"
            before = ""
        elif word.group("equals"):
            yield word.start("name"), len(word.group("name")), "option"
            before = word.group("name").lower()
        else:
            value: TokenKind = "variable" if before and before == asks else "value"
            yield word.start("name"), len(word.group("name")), value if before else "option"
            before = before if value == "variable" else ""
