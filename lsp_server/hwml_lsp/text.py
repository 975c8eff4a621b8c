"""The text of an open document: changes as clients send them, and positions in the units they count in.

Lines end at `\\n`, `\\r\\n` or `\\r` (LSP 3.17, "Text Documents") and at nothing else: form feeds and U+2028 are text.
Inside the server positions count code points; a client counts UTF-16 units unless it agreed on something else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from hwml_sdk.document import Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]
_LINE_END = re.compile(r"\r\n|\n|\r")
_LONE_RETURN = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Change:
    """`span` (of the text before) was replaced by `new_text`; `added` counts its line ends, `last` its last line."""

    span: Span
    new_text: str

    @property
    def added(self) -> int:
        """Line ends in the new text."""
        return sum(1 for _ in _LINE_END.finditer(self.new_text))

    @property
    def last(self) -> int:
        """Characters after the last line end of the new text."""
        ends = [match.end() for match in _LINE_END.finditer(self.new_text)]
        return len(self.new_text) - (ends[-1] if ends else 0)


def units(text: str, encoding: Encoding) -> int:
    """Length of a text in a client's units."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return len(text.encode("utf-8", "surrogatepass")) if encoding == "utf-8" else _utf16(text)


def _utf16(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")


def characters(text: str, count: int, encoding: Encoding) -> int:
    """How many characters the first `count` units of a text are; inside a character means its start."""
    if encoding == "utf-32" or text.isascii():
        return min(max(count, 0), len(text))
    used = 0
    for index, character in enumerate(text):
        used += units(character, encoding)
        if used > count:
            return index
    return len(text)


class Text:
    """One version of a document, with its line starts."""

    def __init__(self, text: str, encoding: Encoding = "utf-16") -> None:
        self.text = text
        self.encoding: Encoding = encoding
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Offset of each line's first character."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        return self._starts

    @property
    def lines(self) -> int:
        """Number of lines; the part after the last line end counts, even when it is empty."""
        return len(self.starts)

    @property
    def eol(self) -> str:
        """The line end that the document uses first; `\\n` when it has one line."""
        match = _LINE_END.search(self.text)
        return match.group() if match else "\n"

    def for_sdk(self) -> str:
        """The same text with every line end holding a `\\n`: what the SDK counts lines by. Positions stay."""
        return _LONE_RETURN.sub("\n", self.text) if "\r" in self.text else self.text

    def line(self, index: int) -> str:
        """A line without its end; "" outside the text."""
        if not 0 <= index < self.lines:
            return ""
        end = self.starts[index + 1] if index + 1 < self.lines else len(self.text)
        return self.text[self.starts[index] : end].rstrip("\r\n")

    def offset(self, line: int, character: int) -> int:
        """Offset of a client's position, held inside its line and the text as the protocol asks."""
        if line < 0:
            return 0
        if line >= self.lines:
            return len(self.text)
        return self.starts[line] + characters(self.line(line), character, self.encoding)

    def place(self, offset: int) -> tuple[int, int]:
        """(line, character) of an offset, in code points."""
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

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
        change = Change(Span(*self.place(first), *self.place(last)), new_text)
        return Text(self.text[:first] + new_text + self.text[last:], self.encoding), change
