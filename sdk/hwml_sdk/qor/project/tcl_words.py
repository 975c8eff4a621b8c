"""Tcl as text: its commands with their words, as the twelve rules of Tcl(n) cut them; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .types import Place


@dataclass(frozen=True, slots=True)
class Word:
    """One word. literal: it stood in braces, so that nothing in it is substituted. line: where it begins, from 1."""

    text: str
    literal: bool
    line: int


_BLANKS = re.compile(r"(?:[ \t\r\f\v]|\\\r?\n)+")
_BETWEEN = re.compile(r"(?:[\s;]|\\\r?\n)+")
_COMMENT = re.compile(r"#(?:[^\n\\]|\\.|\\\n|\\\Z)*", re.DOTALL)
_PLAIN = re.compile(r"[^\s;\[\\\"]+")
_IN_QUOTES = re.compile(r"[^\"\[\\]+")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_BRACKET = re.compile(r"\\.|[\[\]]", re.DOTALL)
_JOINED = re.compile(r"\\\r?\n[ \t]*")


def commands(text: str, path: str, *, first_line: int = 1) -> Iterator[tuple[list[Word], Place]]:
    """The commands of a script, each with the place where it begins. Raises ConfigError for what nothing closes.

    first_line: where the text begins in its file, for the body of another command.
    """
    cutter = _Cutter(text, path, first_line)
    while cutter.next_command():
        place = cutter.place()
        words = []
        while (word := cutter.next_word(place)) is not None:
            words.append(word)
        if words:
            yield words, place


class _Cutter:
    """Goes through a script once; `at` is the next character."""

    def __init__(self, text: str, path: str, first_line: int) -> None:
        self.text = text
        self.path = path
        self.at = 0
        self._lines = text.split("\n")
        self._first = first_line
        self._counted = 0  # characters whose line ends are in `_line`
        self._line = 0

    def line(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def place(self) -> Place:
        line = self.line()
        return Place(self.path, line + self._first, self._lines[line].rstrip("\r"))

    def next_command(self) -> bool:
        """Go to the first word of the next command; False at the end."""
        while True:
            self._skip(_BETWEEN)
            if not self.text.startswith("#", self.at):
                return self.at < len(self.text)
            self._skip(_COMMENT)

    def next_word(self, place: Place) -> Word | None:
        """The next word of this command; None at its end."""
        self._skip(_BLANKS)
        if self.at >= len(self.text) or self.text[self.at] in "\n;":
            return None
        line = self.line() + self._first
        if self.text.startswith("{*}", self.at):  # the list is taken apart where it is used
            self.at += 3
        if self.text.startswith("{", self.at):
            return Word(_JOINED.sub(" ", self._braced(place)), True, line)
        if self.text.startswith('"', self.at):
            return Word(self._quoted(place), False, line)
        return Word(self._bare(), False, line)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _braced(self, place: Place) -> str:
        end = _closing(self.text, self.at, _BRACE, "{")
        if end is None:
            raise place.error("a brace is never closed")
        body, self.at = self.text[self.at + 1 : end], end + 1
        return body

    def _quoted(self, place: Place) -> str:
        start = self.at = self.at + 1
        while self.at < len(self.text):
            if self.text[self.at] == '"':
                self.at += 1
                return _JOINED.sub(" ", self.text[start : self.at - 1])
            self._step(_IN_QUOTES)
        raise place.error("a quote is never closed")

    def _bare(self) -> str:
        start = self.at
        while self.at < len(self.text) and not self.text[self.at].isspace() and self.text[self.at] != ";":
            if self.text.startswith(("\\\n", "\\\r\n"), self.at):
                break
            self._step(_PLAIN)
        return self.text[start : self.at]

    def _step(self, plain: re.Pattern[str]) -> None:
        """Past one escaped character, one `[command]`, or a run of plain characters."""
        if self.text[self.at] == "\\":
            self.at += 2
        elif self.text[self.at] == "[":
            end = _closing(self.text, self.at, _BRACKET, "[")
            self.at = self.at + 1 if end is None else end + 1
        else:
            match = plain.match(self.text, self.at)
            self.at = match.end() if match else self.at + 1


def _closing(text: str, at: int, marks: re.Pattern[str], opening: str) -> int | None:
    """Where what opens at `at` closes."""
    depth = 0
    for match in marks.finditer(text, at):
        mark = match.group()
        if mark[0] == "\\":
            continue
        depth += 1 if mark == opening else -1
        if depth == 0:
            return match.start()
    return None


def closing_bracket(text: str, at: int) -> int | None:
    """Where the `[` at `at` closes; None where nothing does."""
    return _closing(text, at, _BRACKET, "[")


_ITEM = re.compile(r"\s*(?:\"((?:\\.|[^\"\\])*)\"(?=\s|\Z)|([^\s{]\S*))", re.DOTALL)


def list_items(text: str) -> list[str]:
    """The elements of a Tcl list; a brace that nothing closes is an element by itself."""
    found = []
    at = 0
    while at < len(text := text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        end = _closing(text, at, _BRACE, "{") if text[at] == "{" else None
        match = _ITEM.match(text, at)
        if end is not None:
            found.append(text[at + 1 : end])
            at = end + 1
        elif match is not None:
            found.append(match.group(1) if match.group(1) is not None else match.group(2))
            at = match.end()
        else:
            found.append(text[at])
            at += 1
    return found
