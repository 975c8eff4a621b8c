"""Comments that ask for a module: `// hwml: generate an 8-bit up counter with enable`, or those that are selected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hwml_sdk.text import LineIndex

# As Scala reads them: a comment's mark inside a string is none.
_COMMENT_OR_STRING = re.compile(
    r'//(?P<line>[^\r\n]*)|/\*(?P<block>.*?)\*/|/\*.*\Z|""".*?(?:"""|\Z)|"(?:\\.|[^"\\\r\n])*"|\'(?:\\.|[^\'\\\r\n])\'',
    re.DOTALL,
)
_MARK = re.compile(r"\bhwml:\s*generate\b[ \t]*:?", re.IGNORECASE)
_MOST_CHARACTERS = 400_000  # of a text that is looked through with every move of the cursor


@dataclass(frozen=True, slots=True)
class Asked:
    """What comments ask for, the lines they stand on, and the text of these lines."""

    spec: str
    first: int
    last: int
    rows: tuple[str, ...]

    @property
    def indent(self) -> str:
        """The blanks before the first one."""
        return self.rows[0][: len(self.rows[0]) - len(self.rows[0].lstrip(" \t"))]

    def place_in(self, text: LineIndex) -> int | None:
        """The last line of the same comments in a later text, the nearest to where they were; None: they are gone."""
        count = len(self.rows)
        lines = [text.line(number) for number in range(text.lines)]
        found = [at for at in range(len(lines) - count + 1) if tuple(lines[at : at + count]) == self.rows]
        return min(found, key=lambda at: abs(at - self.first)) + count - 1 if found else None


@dataclass(frozen=True, slots=True)
class _Line:
    """Words of a line of a comment, and the first and last line of the comment."""

    words: str
    first: int
    last: int


def asked_at(text: LineIndex, first: int, last: int, *, selected: bool = False) -> Asked | None:
    """The request at some lines of a Scala text; None where there is none.

    A cursor asks where the comment around it holds `hwml: generate`, a selection also where it holds nothing but
    comments; of those that it holds in part all is meant.
    """
    if len(text.text) > _MOST_CHARACTERS or not (selected or _MARK.search(text.text)):
        return None
    comments = _comment_lines(text)
    if not selected or first == last:
        if first not in comments:
            return None
        found = _around(comments, first)
        if found is None and not selected:
            return None
        first, last = found or (first, last)
    rows = [number for number in range(first, last + 1) if text.line(number).strip()]
    if not rows or any(number not in comments for number in rows):
        return None
    rows = list(range(comments[rows[0]].first, comments[rows[-1]].last + 1))
    said = "\n".join(comments[number].words if number in comments else "" for number in rows).strip()
    mark = _MARK.search(said)
    spec = said[mark.end() :].strip() if mark else said
    lines = tuple(text.line(number) for number in range(rows[0], rows[-1] + 1))
    return Asked(spec, rows[0], rows[-1], lines) if spec else None


def _comment_lines(text: LineIndex) -> dict[int, _Line]:
    """The lines that hold a comment, or a part of one, and nothing else."""
    found: dict[int, _Line] = {}
    for match in _COMMENT_OR_STRING.finditer(text.text):
        (first, begin), (last, end) = text.place(match.start()), text.place(match.end())
        if match.lastgroup is None or text.line(first)[:begin].strip() or text.line(last)[end:].strip():
            continue
        rows = match[match.lastgroup].splitlines()
        for number in range(first, last + 1):
            words = rows[number - first] if number - first < len(rows) else ""
            found[number] = _Line(words.strip().lstrip("/*").strip(), first, last)
    return found


def _around(comments: Mapping[int, _Line], number: int) -> tuple[int, int] | None:
    """The lines of the request around one: from its mark to the next one, or to the last comment without a gap."""
    first = last = number
    while not _MARK.search(comments[first].words):
        first -= 1
        if first not in comments:
            return None
    while last + 1 in comments and not _MARK.search(comments[last + 1].words):
        last += 1
    return first, last
