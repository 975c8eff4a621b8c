"""Brackets of a text that macros stand in: which are closed, and the arguments between them."""

from __future__ import annotations

import re


class Brackets:
    """Text up to `end`; which of its brackets nothing closes is found once, when the first such one was met."""

    __slots__ = ("_open", "end", "text")

    def __init__(self, text: str, end: int) -> None:
        self.text = text
        self.end = end
        self._open: frozenset[int] | None = None

    def unclosed(self, at: int) -> bool:
        """Whether nothing closes the bracket at `at`, as far as that is known."""
        return self._open is not None and at in self._open

    def note_unclosed(self) -> None:
        """One was met: without this, each of a thousand would be looked for up to the end."""
        if self._open is None:
            pending: list[int] = []
            for match in _BRACKET.finditer(self.text, 0, self.end):
                if match.group() in "([{":
                    pending.append(match.start())
                elif pending:
                    pending.pop()
            self._open = frozenset(pending)


_BRACKET = re.compile(r"[(\[{)\]}]")
_SEPARATOR = re.compile(r"[(\[{)\]},]")
_MACRO_BLANK = re.compile(r"[ \t\r\n]*")


def arguments_of(brackets: Brackets, at: int) -> tuple[list[str], int] | None:
    """Arguments of a macro call whose `(` follows `at`, and where the call ends; None when there is none."""
    text, end = brackets.text, brackets.end
    blank = _MACRO_BLANK.match(text, at, end)
    at = blank.end() if blank is not None else at
    if at >= end or text[at] != "(" or brackets.unclosed(at):
        return None
    depth = 0
    begin = at + 1
    arguments = []
    for match in _SEPARATOR.finditer(text, at, end):
        character, index = match.group(), match.start()
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                arguments.append(text[begin:index].strip().replace("\n", " "))
                return arguments, index + 1
        elif depth == 1:
            arguments.append(text[begin:index].strip().replace("\n", " "))
            begin = index + 1
    brackets.note_unclosed()
    return None
