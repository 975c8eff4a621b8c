"""The words of a CMakeLists.txt (cmake-language(7)): commands with their arguments, comments left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMAND = re.compile(r"[ \t\r\n]*(?:#\[(=*)\[.*?\]\1\]|#[^\n]*|([A-Za-z_]\w*)[ \t]*\()", re.DOTALL)
_WORD = re.compile(
    r"[ \t\r\n;]*(?:#\[(?P<hash>=*)\[.*?\](?P=hash)\]|#[^\n]*|\[(?P<mark>=*)\[(?P<bracket>.*?)\](?P=mark)\]"
    r'|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<paren>[()])|(?P<plain>(?:[^\s()#"\\;]|\\.|"(?:[^"\\]|\\.)*")+))',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
UNKNOWN = "\0"  # stands for what only a run could tell; no text that is read holds it
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "$": UNKNOWN}  # a `$` of the text itself is followed no further


@dataclass(frozen=True, slots=True)
class Word:
    """One argument as written, escapes resolved. literal: no variable is put in (a bracket argument).

    quoted: it stays one argument, whatever its variables hold.
    """

    text: str
    quoted: bool = False
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """name: in small letters. line: of its name, from 1. raw: that line."""

    name: str
    words: tuple[Word, ...]
    line: int
    raw: str


def commands(text: str) -> Iterator[Command]:
    """The commands of a file in order; what follows one that is not closed, or is no command, is left out."""
    at, line, counted = 0, 1, 0
    while True:
        match = _COMMAND.match(text, at)
        if match is None:
            return
        at = match.end()
        if match.group(2) is None:
            continue
        found = _words(text, at)
        if found is None:
            return
        words, at = found
        start = match.start(2)
        line += text.count("\n", counted, start)
        counted = start
        first, last = text.rfind("\n", 0, start) + 1, text.find("\n", start)
        yield Command(match.group(2).lower(), words, line, text[first : last if last >= 0 else len(text)])


def _words(text: str, at: int) -> tuple[tuple[Word, ...], int] | None:
    """The words up to the parenthesis that closes a command, and where that ends; None where nothing closes it."""
    words: list[Word] = []
    depth = 0
    while match := _WORD.match(text, at):
        at = match.end()
        if match["paren"] == ")" and not depth:
            return tuple(words), at
        if match["paren"]:
            depth += 1 if match["paren"] == "(" else -1
            words.append(Word(match["paren"], literal=True))
        elif match["bracket"] is not None:
            words.append(Word(match["bracket"], quoted=True, literal=True))
        elif match["quoted"] is not None:
            words.append(Word(_ESCAPED.sub(_letter, match["quoted"]), quoted=True))
        elif match["plain"] is not None:
            words.append(Word(_ESCAPED.sub(_letter, match["plain"])))
    return None


def _letter(match: re.Match[str]) -> str:
    return _LETTERS.get(match[1], match[1])
