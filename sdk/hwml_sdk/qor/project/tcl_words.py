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
        self._braces: dict[int, int] | None = None
        self._brackets: dict[int, int] | None = None

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
        if self._braces is None:
            self._braces = _pairs(self.text, _BRACE, "{")
        end = self._braces.get(self.at)
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
            if self._brackets is None:
                self._brackets = closing_brackets(self.text)
            end = self._brackets.get(self.at)
            self.at = self.at + 1 if end is None else end + 1
        else:
            match = plain.match(self.text, self.at)
            self.at = match.end() if match else self.at + 1


def _pairs(text: str, marks: re.Pattern[str], opening: str) -> dict[int, int]:
    """Where each opening mark closes, found in one walk; those that nothing closes are left out."""
    found: dict[int, int] = {}
    open_at: list[int] = []
    for match in marks.finditer(text):
        mark = match.group()
        if mark == opening:
            open_at.append(match.start())
        elif mark[0] != "\\" and open_at:
            found[open_at.pop()] = match.start()
    return found


def closing_brackets(text: str) -> dict[int, int]:
    """Where each `[` of a text closes."""
    return _pairs(text, _BRACKET, "[") if "[" in text else {}


_BLANK = re.compile(r"\s*")
_ITEM = re.compile(r"\s*(?:\"((?:\\.|[^\"\\])*)\"(?=\s|\Z)|([^\s{]\S*))", re.DOTALL)


def list_items(text: str) -> list[str]:
    """The elements of a Tcl list; a brace that nothing closes is an element by itself."""
    found = []
    text = text.strip()
    braces = _pairs(text, _BRACE, "{") if "{" in text else {}
    at = 0
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is not None:
            found.append(match.group(1) if match.group(1) is not None else match.group(2))
            at = match.end()
            continue
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
        if at >= len(text):
            break
        end = braces.get(at)
        found.append(text[at] if end is None else text[at + 1 : end])
        at = at + 1 if end is None else end + 1
    return found
