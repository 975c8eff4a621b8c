"""Tcl as text: commands with their words, quotes and braces taken off, variables put in where they are known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .types import Place


def commands(text: str, path: str) -> Iterable[tuple[list[str], Place]]:
    """The commands of a script as words (quotes and braces taken off), each with its place."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start = at
        joined = lines[at].rstrip("\r")
        while (joined.endswith("\\") or _open(joined)) and at + 1 < len(lines):
            at += 1
            joined = (joined[:-1] if joined.endswith("\\") else joined) + " " + lines[at].rstrip("\r")
        at += 1
        if joined.lstrip().startswith("#"):
            continue
        place = Place(path, start + 1, lines[start].rstrip("\r"))
        for words in _split_tcl(joined, place):
            yield words, place


def _open(line: str) -> bool:
    """Whether a brace is still open at the end of the line (a body that goes on below)."""
    return not line.lstrip().startswith("#") and line.count("{") > line.count("}")


_TCL_WORD = re.compile(r"\"((?:\\.|[^\"\\])*)\"|([^\s;\"{]\S*?)(?=[\s;]|$)|(;)|(\S)")


def _split_tcl(line: str, place: Place) -> list[list[str]]:
    """The commands of one line. Raises ConfigError for a quote or brace that nothing closes."""
    commands: list[list[str]] = [[]]
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if line[at] == "{":
            end = _closing(line, at)
            if end is None:
                raise place.error("a brace is never closed")
            commands[-1].append(line[at + 1 : end].strip())
            at = end + 1
            continue
        if line[at] == "#" and not commands[-1]:
            break
        match = _TCL_WORD.match(line, at)
        if match is None or match.group(4) == '"':
            raise place.error("a quote is never closed")
        if match.group(3):
            commands.append([])
        else:
            commands[-1].append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return [command for command in commands if command]


def _closing(line: str, at: int) -> int | None:
    depth = 0
    for index in range(at, len(line)):
        depth += {"{": 1, "}": -1}.get(line[index], 0)
        if depth == 0:
            return index
    return None


_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


def substitute(word: str, values: Mapping[str, str]) -> str:
    """A word with `$NAME` and `${NAME}` replaced where `values` has them."""
    return _VARIABLE.sub(lambda match: values.get(match.group(1), match.group()), word) if "$" in word else word
