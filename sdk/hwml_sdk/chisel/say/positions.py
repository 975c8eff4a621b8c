"""Places in a text: UTF-16 offsets of scalac, lines of stack frames and locators, all to spans of code points."""

from __future__ import annotations

import re
from bisect import bisect_right

from ...document import Span

_TOKEN = re.compile(r"\w+|[^\w\s]+")
_FIRST_ASTRAL = 0x10000


class Text:
    """A document's text with an index of its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0] + [index + 1 for index, character in enumerate(text) if character == "\n"]
        self._astral = [i for i, c in enumerate(text) if ord(c) >= _FIRST_ASTRAL] if not text.isascii() else []

    def offset(self, utf16: int) -> int:
        """Code points before the UTF-16 unit `utf16`."""
        offset = utf16
        for index, position in enumerate(self._astral):
            if position + index < utf16:  # each astral character before it counted twice
                offset = utf16 - index - 1
            else:
                break
        return min(max(offset, 0), len(self.text))

    def place(self, offset: int) -> tuple[int, int]:
        """Line and character, from 0, of an offset in code points."""
        line = bisect_right(self._starts, offset) - 1
        return line, offset - self._starts[line]

    def index(self, line: int, character: int) -> int:
        """Offset of a place; clamped to the line."""
        line = min(max(line, 0), len(self._starts) - 1)
        return min(self._starts[line] + max(character, 0), self._starts[line] + len(self.line(line)))

    def span(self, start: int, end: int) -> Span:
        """Span between two offsets in code points."""
        return Span(*self.place(start), *self.place(max(start, end)))

    def line(self, line: int) -> str:
        """Text of one line without its end."""
        if not 0 <= line < len(self._starts):
            return ""
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[line] : end].rstrip("\r\n")

    def line_span(self, line: int) -> Span:
        """The written part of one line."""
        line = min(max(line, 0), len(self._starts) - 1)
        content = self.line(line)
        indent = len(content) - len(content.lstrip())
        return Span(line, indent if content.strip() else 0, line, len(content.rstrip()))

    def token_span(self, line: int, character: int) -> Span:
        """The word or operator at a place; the whole line when there is none."""
        found = _TOKEN.match(self.line(line), max(character, 0))
        if found is None:
            return self.line_span(line)
        return Span(line, found.start(), line, found.end())

    def utf16_span(self, start: int, point: int, end: int) -> Span:
        """Span of a scalac position; a bare point becomes the word that stands there."""
        if end > start:
            return self.span(self.offset(start), self.offset(end))
        return self.token_span(*self.place(self.offset(point)))

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self._starts)
