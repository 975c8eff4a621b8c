"""A long source without the functions that have nothing to do with the place a person looks at.

Reading all of a file of thousands of lines takes a good part of a second; what stands on the screen is a few functions,
those they call and those that call them. All else of the text stays: declarations, types, macros, and every line its
number. The figures are those of the whole text; what cannot be told apart safely is not left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MIN_LINES = 150  # below, reading everything is as quick
AROUND = 45  # lines above and below: about a screen
MAX_SHARE = 0.5  # of the text that may be left for it to be worth it

_END = re.compile(r"^\}[^\n]*(?:\n|\Z)", re.MULTILINE)
_HEAD = re.compile(r"^[A-Za-z_][^;{}#=()]*?\b([A-Za-z_]\w*)\s*\([^;{}]*\)[^;{}=()]*\{", re.MULTILINE)
# Whatever may hold or be more than a function of its own.
_OTHER = re.compile(
    r"^(?:template|struct|class|union|enum|namespace|extern\s*\"C\"\s*\{|using|typedef)\b", re.MULTILINE
)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(?!pragma\b)\w(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
_TABLE = re.compile(r"^([^\n;{}=()]*?)\b([A-Za-z_]\w*)[ \t]*(?:\[[^\]\[\n]{0,200}\][ \t]*)++=\s*+\{", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Part:
    """A function: where its head begins and where it ends."""

    name: str
    start: int
    end: int


def focused(text: str, near: int) -> str | None:
    """The text with other functions as blank lines; None where it is short, or little could be left out."""
    if text.count("\n") < MIN_LINES or "ACCEL" in text:
        return None
    parts = functions_in(text)
    return reduced(text, parts, connected(text, parts, _near(text, parts, near), _tables(text, parts)))


def _tables(text: str, parts: Sequence[Part]) -> set[str]:
    """Arrays of the file that have values and may be written: whether any function does makes them memories."""
    found, at = set[str](), 0
    for start, end in [*((part.start, part.end) for part in parts), (len(text), len(text))]:
        found |= {match[2] for match in _TABLE.finditer(text, at, start) if "const" not in match[1]}
        at = end
    return found


def reduced(
    text: str,
    parts: Sequence[Part],
    wanted: Container[int],
    share: float = MAX_SHARE,
    blanks: Sequence[str] | None = None,
) -> str | None:
    """The text with blank lines for the functions that are not wanted; None where more than that share stays.

    blanks: those lines for each function, where they are known.
    """
    out: list[str] = []
    at = kept = 0
    for number, part in enumerate(parts):
        if number in wanted:
            continue
        out += [text[at : part.start], blanks[number] if blanks else blank(text[part.start : part.end])]
        kept += part.start - at
        at = part.end
    kept += len(text) - at
    return "".join([*out, text[at:]]) if kept < share * len(text) else None


def functions_in(text: str) -> list[Part]:
    """Functions that end with a brace in the first column, in the order of the text."""
    found = []
    begin = 0
    for end in _END.finditer(text):
        chunk = text[begin : end.end()]
        head = _HEAD.search(chunk)
        body = "" if head is None else chunk[head.start() :]
        if head is not None and not _OTHER.search(chunk) and body.count("{") == body.count("}"):
            found.append(Part(head[1], begin + head.start(), end.end()))
        begin = end.end()
    return found


def _near(text: str, parts: list[Part], line: int) -> set[int]:
    """The functions on the screen around a line."""
    ends = [match.end() for match in re.finditer("\n", text)]
    first = ends[min(max(line - AROUND - 1, 0), len(ends) - 1)] if line > AROUND else 0
    last = ends[min(max(line, 0) + AROUND, len(ends) - 1)]
    return {number for number, part in enumerate(parts) if part.start <= last and first <= part.end}


def numbers_of(parts: Sequence[Part]) -> dict[str, list[int]]:
    """The numbers of the functions of each name."""
    names: dict[str, list[int]] = {}
    for number, part in enumerate(parts):
        names.setdefault(part.name, []).append(number)
    return names


def connected(
    text: str,
    parts: Sequence[Part],
    start: Iterable[int],
    shared: Container[str] = (),
    numbers: Mapping[str, Sequence[int]] | None = None,
) -> set[int]:
    """Those and all that they call or are called by, whatever the way round, or that name one of the words shared.

    numbers: as `numbers_of` has them, where they are known.
    """
    names = numbers_of(parts) if numbers is None else numbers
    starts = [part.start for part in parts]
    seen: set[str] = set()
    found: set[int] = set()
    pending = list(start)
    while pending:
        number = pending.pop()
        if number in found:
            continue
        found.add(number)
        part = parts[number]
        words = set(_WORD.findall(text, part.start, part.end))
        for word in words:
            pending += names.get(word, ())
        for name in [part.name, *(word for word in words if word in shared)]:
            if name in seen:
                continue
            seen.add(name)
            for place in _places(text, name):
                index = bisect_right(starts, place) - 1
                if index >= 0 and place < parts[index].end:
                    pending.append(index)
    return found


def _places(text: str, word: str) -> Iterator[int]:
    """Where a word stands by itself; found by `find`, as a regular expression looks at every character."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        before, behind = text[at - 1 : at], text[end : end + 1]
        if not (before.isalnum() or before == "_" or behind.isalnum() or behind == "_"):
            yield at
        at = text.find(word, end)


def directives_in(text: str) -> list[str]:
    """The preprocessor's lines of a text, without pragmas."""
    return _DIRECTIVE.findall(text)


def without_directives(text: str) -> str:
    """A text without the preprocessor's lines; pragmas stay."""
    return _DIRECTIVE.sub("", text)


def blank(text: str) -> str:
    """What stands for a function that is left out: as many lines, with nothing but directives on them."""
    if "#" not in text:
        return "\n" * text.count("\n")
    out: list[str] = []
    at = 0
    for match in _DIRECTIVE.finditer(text):
        out += ["\n" * text.count("\n", at, match.start()), match.group()]
        at = match.end()
    return "".join([*out, "\n" * text.count("\n", at)])
