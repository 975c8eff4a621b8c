"""Which lines of a source begin in plain code: not inside a comment, a string, or a line carried on by a backslash.

Only there may a comment line be put in or taken out without changing what the source means. Lexical rules: C++17
([lex.comment], [lex.string]) and Scala 2.13 (chapter 1: comments nest, `\"\"\"` strings span lines).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from hwml_sdk.document import Language
from hwml_sdk.text import LineIndex, with_newlines

_CPP = re.compile(
    r"//(?:[^\n\\]|\\\r?\n|\\.)*"
    r"|/\*.*?(?:\*/|\Z)"
    r"|(?<!\w)(?:u8|[uUL])?R\"(?P<mark>[^()\\\s\"]{0,16})\(.*?(?:\)(?P=mark)\"|\Z)"
    r"|[A-Za-z_]\w*|\d(?:'?[\w.])*"
    r"|\"(?:\\\r?\n|\\.|[^\"\\\n])*\""
    r"|'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)
_SCALA = re.compile(
    r"//[^\n]*"
    r"|(?P<nest>/\*)"
    r"|\"\"\".*?(?:\"{3,}|\Z)"
    r"|\"(?:\\.|[^\"\\\n])*\""
    r"|'(?:\\u+[0-9a-fA-F]{4}|\\.|[^'\\\n])'"
    r"|`[^`\n]*`",
    re.DOTALL,
)
_NESTING = re.compile(r"/\*|\*/")


def plain_starts(text: str, language: Language) -> list[bool]:
    """For each line (as `hwml_sdk.text` counts them): whether it begins in plain code."""
    text = with_newlines(text)
    starts = LineIndex(text).starts
    plain = [True] * len(starts)
    for begin, end in _multi_line(text, language):
        # What is never closed also holds the empty line behind the last line's end.
        stop = len(starts) if end == len(text) else bisect_left(starts, end)
        for index in range(bisect_right(starts, begin), stop):
            plain[index] = False
    if language == "hls":
        for index, line in enumerate(text.split("\n")[:-1]):
            # GCC takes blanks between the backslash and the line's end for a continuation as well.
            if line.rstrip().endswith("\\"):
                plain[index + 1] = False
    return plain


def _multi_line(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Ranges of the tokens that reach over a line's end."""
    scanner = _CPP if language == "hls" else _SCALA
    at = 0
    while match := scanner.search(text, at):
        end = match.end()
        if language == "chisel" and match["nest"]:
            end = _nested_end(text, end)
        if "\n" in text[match.start() : end]:
            yield match.start(), end
        at = max(end, match.start() + 1)


def _nested_end(text: str, at: int) -> int:
    depth = 1
    for match in _NESTING.finditer(text, at):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
