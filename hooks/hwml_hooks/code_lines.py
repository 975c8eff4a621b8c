"""Which lines of a source begin in plain code: not inside a comment, a string, or a line carried on by a backslash.

Only there may a comment line be put in or taken out without changing what the source means. The lexical rules of each
language stand in its record in `hwml_sdk.languages`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache

from hwml_sdk.languages import Comments
from hwml_sdk.text import LineIndex, with_newlines

_NESTING = re.compile(r"/\*|\*/")


def plain_starts(text: str, comments: Comments) -> list[bool]:
    """For each line (as `hwml_sdk.text` counts them): whether it begins in plain code."""
    text = with_newlines(text)
    starts = LineIndex(text).starts
    plain = [True] * len(starts)
    for begin, end in _multi_line(text, comments):
        # What is never closed also holds the empty line behind the last line's end.
        stop = len(starts) if end == len(text) else bisect_left(starts, end)
        for index in range(bisect_right(starts, begin), stop):
            plain[index] = False
    if comments.continues:
        for index, line in enumerate(text.split("\n")[:-1]):
            # GCC takes blanks between the backslash and the line's end for a continuation as well.
            if line.rstrip().endswith("\\"):
                plain[index + 1] = False
    return plain


def _multi_line(text: str, comments: Comments) -> Iterator[tuple[int, int]]:
    """Ranges of the tokens that reach over a line's end."""
    scanner = _scanner(comments.tokens)
    at = 0
    while match := scanner.search(text, at):
        end = match.end()
        if comments.nests and match["nest"]:
            end = _nested_end(text, end)
        if "\n" in text[match.start() : end]:
            yield match.start(), end
        at = max(end, match.start() + 1)


@lru_cache(maxsize=16)
def _scanner(tokens: str) -> re.Pattern[str]:
    return re.compile(tokens, re.DOTALL)


def _nested_end(text: str, at: int) -> int:
    depth = 1
    for match in _NESTING.finditer(text, at):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
