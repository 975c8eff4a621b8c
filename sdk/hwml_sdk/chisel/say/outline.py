"""Modules of a Scala source with the tree of their instances, read from the text alone: no compiler has to run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...document import Span, Symbol
from ...languages import CHISEL
from ...text import LineIndex

MAX_SYMBOLS = 2000
MAX_DEPTH = 8  # of instances inside each other; a module inside itself ends before

_TOKENS = re.compile(CHISEL.comments.tokens, re.DOTALL)
_CLASS = re.compile(
    r"^[ \t]*(?:(?:final|abstract|sealed|protected|private|case)(?:\[\w+\])?[ \t]+)*"
    r"(?:class|object)[ \t]+(?P<name>\w+)",
    re.MULTILINE,
)
_PARENT = re.compile(r"\bextends\s+([\w.]+)")
_HARDWARE = re.compile(r"(?:^|\.)(?:\w*Module|\w*BlackBox)$")
_INSTANCE = re.compile(
    r"(?:\bval\s+(?P<name>\w+)\b(?:\s*:[^=\n]+)?\s*=[^;\n]*?)?\b(?:Module|Instance)\s*\(\s*(?:new\s+)?(?P<of>(?:\w+\.)*[A-Z]\w*)"
)


@dataclass(frozen=True, slots=True)
class _Class:
    """A class or object: offsets of its name and of its end, its parent, and the offset behind its head."""

    name: str
    start: int
    end: int
    parent: str


def outline(text: str) -> tuple[Symbol, ...]:
    """Modules in source order; their children are the instances they make, each with those inside it."""
    plain = _blanked(text)
    classes = _classes(plain)
    hardware = _modules(classes)
    inside = {item.name: _instances(plain, item, classes) for item in hardware}
    places, left = LineIndex(text), [MAX_SYMBOLS]
    found = []
    for item in hardware:
        left[0] -= 1
        made = _children(item.name, inside, places, left, (item.name,), None)
        name = places.span(item.start, item.start + len(item.name))
        found.append(Symbol(item.name, "module", name, _joined(name, places.span(item.start, item.end)), "", made))
    return tuple(found)


def _children(
    module: str,
    inside: Mapping[str, Sequence[tuple[str, str, int, int]]],
    places: LineIndex,
    left: list[int],
    above: tuple[str, ...],
    at: Span | None,
) -> tuple[Symbol, ...]:
    """Instances of a module; those further down stand at the instance they are in, `at`."""
    found = []
    for name, of, start, end in inside.get(module, ()):
        if left[0] <= 0 or len(above) > MAX_DEPTH:
            break
        left[0] -= 1
        span = at or places.span(start, end)
        more = () if of in above else _children(of, inside, places, left, (*above, of), span)
        found.append(Symbol(name or of, "instance", span, span, of, more))
    return tuple(found)


def _joined(name: Span, whole: Span) -> Span:
    return Span(whole.start_line, min(whole.start_character, name.start_character), whole.end_line, whole.end_character)


def _blanked(text: str) -> str:
    """The text with comments and strings as blanks; those that nest are taken as if they did not."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    return _TOKENS.sub(blank, re.sub(r"/\*.*?\*/", blank, text, flags=re.DOTALL))


def _classes(plain: str) -> list[_Class]:
    heads = list(_CLASS.finditer(plain))
    found = []
    for number, head in enumerate(heads):
        following = heads[number + 1].start() if number + 1 < len(heads) else len(plain)
        brace = plain.find("{", head.end())
        end = _end_of(plain, brace) if 0 <= brace < following else len(plain[:following].rstrip())
        parent = _PARENT.search(plain, head.end(), brace if 0 <= brace < following else following)
        found.append(_Class(head["name"], head.start("name"), end, parent[1] if parent else ""))
    return found


def _end_of(plain: str, brace: int) -> int:
    depth = 0
    for sign in re.finditer(r"[{}]", plain[brace:]):
        depth += 1 if sign.group() == "{" else -1
        if depth == 0:
            return brace + sign.end()
    return len(plain.rstrip())


def _modules(classes: Sequence[_Class]) -> list[_Class]:
    """Classes whose parent is a module by its name, or one of these."""
    names: set[str] = set()
    while True:
        more = {
            item.name
            for item in classes
            if item.name not in names and (item.parent in names or _HARDWARE.search(item.parent))
        }
        if not more:
            return [item for item in classes if item.name in names]
        names |= more


def _instances(plain: str, module: _Class, classes: Sequence[_Class]) -> list[tuple[str, str, int, int]]:
    """(name, module, start, end) of what a module makes; what a class inside it makes is not its own."""
    inner = [item for item in classes if module.start < item.start < module.end]
    found = []
    for match in _INSTANCE.finditer(plain, module.start, module.end):
        if not any(item.start <= match.start() < item.end for item in inner):
            start = match.start("name") if match["name"] else match.start("of")
            end = match.end("name") if match["name"] else match.end("of")
            found.append((match["name"] or "", match["of"].rpartition(".")[2], start, end))
    return found
