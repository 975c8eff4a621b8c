"""The one index of a text's lines: offsets to places and back, in code points and in the units others count in.

Lines end at `\\n`, `\\r\\n` or `\\r`, as editors count them (LSP 3.17, "Text Documents"), and at nothing else: form
feeds and U+2028 are text. Positions count lines and code points from 0.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, count
from operator import add
from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]
LINE_END = re.compile(r"\r\n|\n|\r")
_LONE_RETURN = re.compile(r"\r(?!\n)")
_LAST_OF_THE_FIRST_PLANE = "\uffff"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range of text: from (start_line, start_character) up to (end_line, end_character)."""

    start_line: int
    start_character: int
    end_line: int
    end_character: int

    @classmethod
    def line(cls, line: int, length: int = 0) -> Span:
        """The first `length` characters of one line."""
        return cls(line, 0, line, length)


class LineIndex:
    """A text with an index of its lines, made when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """Offset of each line's first character."""
        if "\r" in self.text:
            return [0, *(match.end() for match in LINE_END.finditer(self.text))]
        lengths = map(len, self.text.split("\n"))  # in C: a server asks anew after every key
        return [0, *map(add, accumulate(lengths), count(1))][:-1]

    @property
    def lines(self) -> int:
        """Number of lines; the part after the last line end counts, even when it is empty."""
        return len(self.starts)

    @property
    def eol(self) -> str:
        """The line end that the text uses first; `\\n` when it has one line."""
        match = LINE_END.search(self.text)
        return match.group() if match else "\n"

    def whole(self, line: int) -> str:
        """A line with its end; "" outside the text."""
        if not 0 <= line < self.lines:
            return ""
        end = self.starts[line + 1] if line + 1 < self.lines else len(self.text)
        return self.text[self.starts[line] : end]

    def line(self, line: int) -> str:
        """A line without its end; "" outside the text."""
        return self.whole(line).rstrip("\r\n")

    def place(self, offset: int) -> tuple[int, int]:
        """(line, character) of an offset."""
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

    def index(self, line: int, character: int) -> int:
        """Offset of a place, held inside the text and its line."""
        if line < 0:
            return 0
        if line >= self.lines:
            return len(self.text)
        return self.starts[line] + min(max(character, 0), len(self.line(line)))

    def exact(self, line: int, character: int) -> int:
        """Offset of a place that must exist (a line end belongs to its line). ValueError when it does not."""
        if not 0 <= line < self.lines:
            raise ValueError(f"line {line} is outside the text")
        if not 0 <= character <= len(self.whole(line)):
            raise ValueError(f"character {character} is outside line {line}")
        return self.starts[line] + character

    def span(self, begin: int, end: int) -> Span:
        """The span of text[begin:end]."""
        return Span(*self.place(begin), *self.place(max(begin, end)))

    def slice(self, span: Span) -> str:
        """The text of a span."""
        begin = self.index(span.start_line, span.start_character)
        return self.text[begin : self.index(span.end_line, span.end_character)]

    @cached_property
    def _pairs(self) -> list[int]:
        """UTF-16 offset of each character that takes two units."""
        if self.text.isascii():
            return []
        wide = (index for index, character in enumerate(self.text) if character > _LAST_OF_THE_FIRST_PLANE)
        return [index + before for before, index in enumerate(wide)]

    def from_utf16(self, offset: int) -> int:
        """Offset in code points of an offset in UTF-16 units; inside a character means its start."""
        before = bisect_left(self._pairs, offset)
        return min(max(offset - before, 0), len(self.text))


def units(text: str, encoding: Encoding) -> int:
    """Length of a text in the units of an encoding."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(1 for character in text if character > _LAST_OF_THE_FIRST_PLANE)


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


def with_newlines(text: str) -> str:
    """The same text with every line end holding a `\\n`: what may be split there. Positions stay."""
    return _LONE_RETURN.sub("\n", text) if "\r" in text else text


def common_start(one: str, other: str, most: int | None = None) -> int:
    """How many characters two texts have in common at the start, `most` at most; by halves: slices compare quickly."""
    low, high = 0, min(len(one), len(other)) if most is None else most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
