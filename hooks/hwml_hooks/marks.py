"""The comment lines that `hwml annotate` writes: how they look, where they may stand, how they are known again.

A mark is a whole line `// hwml: 1.2k LUT · 5 DSP · 67 cyc` or `// hwml: error CH101: ...`, with what begins a comment
in the language in place of `//`. Only lines of exactly this form, outside comments and strings, are ever taken away; a
person's own `// hwml: ...` line stays. Lines are those of `hwml_sdk.text`, counted from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hwml_sdk.document import Analysis, Annotation, Diagnostic
from hwml_sdk.languages import Language
from hwml_sdk.text import LineIndex

from .code_lines import plain_starts

MAX_MESSAGE = 200
MAX_A_LINE = 4  # several loops on one line, from a macro, say

# `?`, `307k`, `1-1.0k`, `~3.1k`, `~3k?`, `≥4`
_NUMBER = r"(?:\?|(?:~|≥|>=)?\d+(?:\.\d+)?[kMG]?(?:[–-]\d+(?:\.\d+)?[kMG]?)?\??)"
_UNITS = ("LUT", "DSP", "FF", "BRAM", "URAM", "cyc", "rounds", "stages")
_NAME = r"(?:[A-Za-z_]\w*(?:::\w+)*<[^<>]*>: )?"
_CAUSE = r"\([^()]*(?:\([^()]*\)[^()]*)*\)"  # of a figure that is not known: `(Sobel is not read)`
_FINDING = r"(?:error|warning) [A-Z]+\d+: \S.*"
_IGNORE = re.compile(r"hwml:[ \t]*ignore\[")
_LABEL = re.compile(r"[ \t]*(?!default\b|public\b|private\b|protected\b)[A-Za-z_]\w*[ \t]*:[ \t]*\r?")
_ASCII = str.maketrans({"·": "|", "–": "-", "×": "x", "…": ".", "≥": ">="})


@dataclass(frozen=True, slots=True)
class _Signs:
    """How marks look in one language. ours: what begins like one; directive: what speaks to hwml, and works on the
    line below, so that nothing may come between.
    """

    prefix: str
    mark: re.Pattern[str]
    ours: re.Pattern[str]
    directive: re.Pattern[str]


@lru_cache(maxsize=16)
def _signs(language: Language) -> _Signs:
    begin = re.escape(language.comments.line)
    units = "|".join(map(re.escape, (*_UNITS, *language.units)))
    segment = (
        rf"(?:\? {_CAUSE}|{_NUMBER} (?:{units})(?: {_CAUSE})?|II {_NUMBER}|<?{_NUMBER} ?%|unrolled x{_NUMBER}|inlined)"
    )
    figures = rf"{_NAME}{segment}(?:(?: · | \| ){segment})*"
    return _Signs(
        f"{language.comments.line} hwml: ",
        re.compile(rf"[ \t]*{begin} hwml: (?:{figures}|{_FINDING})\r?"),
        re.compile(rf"[ \t]*{begin}[ \t]*hwml:"),
        re.compile(rf"[ \t]*{begin}[ \t]*hwml:[ \t]*(?:ignore\[|elaborate\b)"),
    )


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """What is to stand above a line of the text without marks."""

    line: int
    text: str


def strip(text: str, language: Language) -> str:
    """`text` without marks."""
    signs = _signs(language)
    if signs.prefix not in text:
        return text
    places = LineIndex(text)
    plain = plain_starts(text, language.comments)
    kept = (n for n, free in enumerate(plain) if not (free and signs.mark.fullmatch(places.line(n))))
    return "".join(map(places.whole, kept))


def insert(text: str, notes: Iterable[Note], language: Language) -> str:
    """`text` (without marks) with a mark for each note.

    Notes that have no place where a comment may stand are left out. The mark has the indentation and the line ending
    of the line below it. Raises ValueError for a note that could not be told from a person's comment.
    """
    signs = _signs(language)
    places = LineIndex(text)
    lines = [places.line(number) for number in range(places.lines)]
    plain = plain_starts(text, language.comments)
    above: dict[int, list[str]] = {}
    for note in sorted(set(notes)):
        at = _place(lines, plain, note.line, signs)
        if at is None:
            continue
        mark = _indentation(lines[at]) + signs.prefix + note.text
        if not signs.mark.fullmatch(mark):
            raise ValueError(f"{note.text!r} is no annotation that could be found again")
        known = above.setdefault(at, [])
        if mark not in known and len(known) < MAX_A_LINE:
            known.append(mark)
    out: list[str] = []
    for number in range(places.lines):
        out += [mark + _ending(places, number) for mark in above.get(number, ())]
        out.append(places.whole(number))
    return "".join(out)


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _ending(places: LineIndex, number: int) -> str:
    """The end of a line; the last one has none, the one before speaks for it."""
    asked = number if number < places.lines - 1 else number - 1
    return places.whole(asked)[len(places.line(asked)) :] or "\n"


def _place(lines: Sequence[str], plain: Sequence[bool], line: int, signs: _Signs) -> int | None:
    """The line above which a mark for `line` goes: over labels and directives; None where a comment would harm."""
    if not 0 <= line < len(lines):
        return None
    at = line
    while at > 0 and (signs.directive.match(lines[at - 1]) or _LABEL.fullmatch(lines[at - 1])):
        at -= 1
    if not plain[at] or (at > 0 and _IGNORE.search(lines[at - 1])):
        return None
    return at


def edited_by_hand(text: str, language: Language) -> list[int]:
    """Lines that begin like a mark, but are none and no directive either: written or changed by a person."""
    if "hwml:" not in text:
        return []
    signs = _signs(language)
    places = LineIndex(text)
    return [
        number
        for number, free in enumerate(plain_starts(text, language.comments))
        if free
        and signs.ours.match(line := places.line(number))
        and not (signs.mark.fullmatch(line) or signs.directive.match(line))
    ]


# -- what is written -----------------------------------------------------------------------------------------


def notes_of(analysis: Analysis, language: Language, *, ascii_only: bool = False) -> list[Note]:
    """One note for each function, module and loop, and one for each error of a compiler.

    ascii_only: for files in an encoding that is not UTF-8.
    """
    found = [
        Note(item.span.start_line, _figures(item, analysis.annotations, language)) for item in analysis.annotations
    ]
    if language.compiles:
        errors = [item for item in analysis.diagnostics if item.severity == "error"]
        found += [Note(item.span.start_line, _finding(item)) for item in errors]
    if ascii_only:
        found = [Note(note.line, _to_ascii(note.text)) for note in found]
    return found


def _figures(item: Annotation, others: Sequence[Annotation], language: Language) -> str:
    """The label; instances of one template stand on one line, so their names tell them apart."""
    twins = [o for o in others if o.kind == item.kind and o.span.start_line == item.span.start_line]
    named = f"{item.name}: {item.label}"
    signs = _signs(language)
    if len(twins) > 1 and signs.mark.fullmatch(signs.prefix + named):
        return named
    return item.label


def _finding(item: Diagnostic) -> str:
    message = _one_line(item.message)
    fix = next((f for f in item.fixes if f.verified), None)
    tail = f"; verified fix: {_one_line(fix.title)}" if fix is not None else ""
    return f"{item.severity} {item.code}: {message}{tail}"


def _one_line(message: str) -> str:
    """Printable text in one line; without backslashes, which could carry a comment on to the next line."""
    words = " ".join("".join(c if c.isprintable() else " " for c in message).replace("\\", "/").split())
    return words if len(words) <= MAX_MESSAGE else words[: MAX_MESSAGE - 1].rstrip() + "…"


def _to_ascii(text: str) -> str:
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
