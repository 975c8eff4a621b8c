"""Places in a Scala text: offsets of scalac, lines of stack frames and locators, all to spans of code points."""

from __future__ import annotations

import re

from ...text import LineIndex, Span

_TOKEN = re.compile(r"\w+|[^\w\s]+")


def utf16_length(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Text(LineIndex):
    """A document's text, and what a place in it means."""

    def line_span(self, line: int) -> Span:
        """The written part of one line."""
        line = min(max(line, 0), self.lines - 1)
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
            return self.span(self.from_utf16(start), self.from_utf16(end))
        return self.token_span(*self.place(self.from_utf16(point)))
