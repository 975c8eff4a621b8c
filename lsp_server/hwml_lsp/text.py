"""The text of an open document: changes as clients send them, and positions in the units they count in.

Inside the server positions count code points; a client counts UTF-16 units unless it agreed on something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from hwml_sdk.text import LINE_END, Encoding, LineIndex, Span, characters, units, with_newlines


@dataclass(frozen=True, slots=True)
class Change:
    """`span` (of the text before) was replaced by `new_text`; `added` counts its line ends, `last` its last line."""

    span: Span
    new_text: str

    @property
    def added(self) -> int:
        """Line ends in the new text."""
        return sum(1 for _ in LINE_END.finditer(self.new_text))

    @property
    def last(self) -> int:
        """Characters after the last line end of the new text."""
        ends = [match.end() for match in LINE_END.finditer(self.new_text)]
        return len(self.new_text) - (ends[-1] if ends else 0)


class Text(LineIndex):
    """One version of a document. encoding: what its client counts in."""

    def __init__(self, text: str, encoding: Encoding = "utf-16") -> None:
        super().__init__(text)
        self.encoding: Encoding = encoding

    def for_sdk(self) -> str:
        """The same text with every line end holding a `\\n`. Positions stay."""
        return with_newlines(self.text)

    def offset(self, line: int, character: int) -> int:
        """Offset of a client's position, held inside its line and the text as the protocol asks."""
        return self.index(line, characters(self.line(line), character, self.encoding))

    def to_units(self, line: int, character: int) -> tuple[int, int]:
        """A code point position in the client's units, held inside the text."""
        if line >= self.lines:
            last = self.lines - 1
            return last, units(self.line(last), self.encoding)
        return line, units(self.line(line)[: max(character, 0)], self.encoding)

    def from_units(self, line: int, character: int) -> tuple[int, int]:
        """A client's position in code points, held inside the text."""
        return self.place(self.offset(line, character))

    def replaced(self, begin: tuple[int, int], end: tuple[int, int], new_text: str) -> tuple[Text, Change]:
        """The text with a range (client positions) replaced; one that runs backwards is taken the other way round."""
        first, last = sorted((self.offset(*begin), self.offset(*end)))
        change = Change(self.span(first, last), new_text)
        return Text(self.text[:first] + new_text + self.text[last:], self.encoding), change
