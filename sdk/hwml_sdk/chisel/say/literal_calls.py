"""Instances that a text makes with literal arguments: what the author of a project means by a module with parameters.

Only arguments that mean the same everywhere are taken: numbers, strings, types such as UInt(8.W), values of objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .scala_text import ScalaText

_MADE = re.compile(r"\bnew\s+(?P<name>(?:\w+\.)*[A-Z]\w*)\s*(?P<types>\[[^\[\]=]*\])?\s*(?=\()")
_FREE = re.compile(r"(?<![\w.\"])(?P<name>[A-Za-z_]\w*)\b(?!\s*=(?![=>]))")
_MEANT_EVERYWHERE = {"true", "false", "new", "log2Ceil", "log2Up", "log2Floor", "isPow2"}
_EXPECTED_TO_FAIL = re.compile(
    r"\b(?:intercept|assertThrows|assertDoesNotCompile|shouldNot|an?\s*\[\w*(?:Exception|Error))"
)


@dataclass(frozen=True, slots=True)
class Made:
    """An instance that a text makes with literal arguments; line from 1."""

    name: str
    expression: str
    line: int


def literal_calls(text: str) -> Iterator[Made]:
    """What a text makes with literal arguments, in its order."""
    scala = ScalaText(text)
    for match in _MADE.finditer(scala.code):
        end = match.end()
        while group := scala.group(end, "("):
            end = group[1] + 1
        arguments = text[match.end() : end]
        line = text.count("\n", 0, match.start()) + 1
        if arguments.strip("() \n") and _is_literal(scala.code[match.end() : end]) and not _fails(text, match.start()):
            name = match["name"].rpartition(".")[2]
            words = " ".join(f"{match['name']}{match['types'] or ''}{arguments}".split())
            yield Made(name, words, line)


def _is_literal(code: str) -> bool:
    if "=>" in code or ":=" in code or re.search(r"(?<!\w)_(?!\w)", code):
        return False
    names = (match["name"] for match in _FREE.finditer(code))
    return all(name[0].isupper() or name in _MEANT_EVERYWHERE for name in names)


def _fails(text: str, at: int) -> bool:
    """Whether a test says that making it is an error: on its line, or where the block around it opens above."""
    start = text.rfind("\n", 0, at) + 1
    above = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start]
    opens = above.rstrip().endswith(("{", "("))
    return _EXPECTED_TO_FAIL.search((above if opens else "") + text[start:at]) is not None
