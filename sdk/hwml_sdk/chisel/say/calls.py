"""Instances that the user asks to elaborate: `--args 'Fifo(8, 16)'` or a line `// hwml: elaborate Fifo(8, 16)`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ..types import CheckRequest
from .literal_calls import literal_calls
from .positions import Text, utf16_length
from .scala_text import ScalaText

_COMMENT = re.compile(r"^[ \t]*//[ \t]*hwml:[ \t]*elaborate[ \t]+(?P<call>\S[^\r\n]*?)[ \t]*$", re.MULTILINE)
_CLASS = re.compile(r"(?P<case>\bcase\s+)?\bclass\s+(?P<name>\w+)")
_PARENT = re.compile(r"[^{}]*?\bextends\s+([\w.]+)")
_DATA = re.compile(r"(?:Bundle|Record|IO)$")
_MOST_TRIES = 48
_OF_EACH = 4  # tries of one module
_CALL = re.compile(r"[A-Za-z_][\w.]*(?:\[.*\])?\(.*\)|[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Call:
    """One instance to elaborate. line: where it is asked for in the document, None for the command line.

    origin: the place that makes such an instance, where nobody asked for it and it only may be tried.
    """

    expression: str
    index: int
    line: int | None
    origin: str = ""

    @property
    def object_name(self) -> str:
        """The object that makes it; the checker lets those of tries fail (worker/Tries.scala)."""
        return f"hwml_{'try' if self.origin else 'call'}_{self.index}"

    @property
    def class_name(self) -> str:
        """The class of it, without its package."""
        return re.split(r"[\[(]", self.expression, maxsplit=1)[0].rpartition(".")[2].strip()

    @property
    def well_formed(self) -> bool:
        """Whether it reads like Name(arguments)."""
        return _CALL.fullmatch(self.expression) is not None


def calls_of(request: CheckRequest, text: Text) -> list[Call]:
    """Calls of the command line, then those in comments of the document."""
    calls = [(expression.strip(), None) for expression in request.calls]
    found = [(match["call"], text.place(match.start("call"))[0]) for match in _COMMENT.finditer(text.text)]
    return [Call(expression, index, line) for index, (expression, line) in enumerate([*calls, *found])]


def classes_in(text: str) -> frozenset[str]:
    """Names of the classes that a text defines, without those that are plainly data."""
    code = ScalaText(text).code
    found = set()
    for match in _CLASS.finditer(code):
        parent = _PARENT.match(code, match.end())
        if not (_DATA.search(parent[1]) if parent else match["case"]):
            found.add(match["name"])
    return frozenset(found)


def tries_of(request: CheckRequest, first: int) -> list[Call]:
    """Calls that may give modules of the document their values: what the files of the check make, then the project.

    first: the index of the first one.
    """
    wanted = classes_in(request.files[0][1])
    chosen: dict[str, Call] = {}
    taken: Counter[str] = Counter()
    for expression, origin in _made(request):
        call = Call(expression, first + len(chosen), None, origin)
        if call.class_name in wanted and expression not in chosen and taken[call.class_name] < _OF_EACH:
            chosen[expression] = call
            taken[call.class_name] += 1
        if len(chosen) >= _MOST_TRIES:
            break
    return list(chosen.values())


def _made(request: CheckRequest) -> Iterator[tuple[str, str]]:
    for path, text in request.files:
        for made in literal_calls(text):
            yield made.expression, f"{PurePath(path).name}:{made.line}"
    yield from request.guesses


def calls_source(calls: list[Call]) -> str:
    """Scala that makes the instances, one line each, to stand at the end of the document.

    There the document's own definitions and imports hold; in a file of its own, imports would hide definitions.
    """
    lines = [
        f"object {call.object_name} {{ def apply(): chisel3.RawModule = new {call.expression} }}"
        if call.well_formed
        else f"object {call.object_name}"
        for call in calls
    ]
    return "".join(f"\n{line}" for line in lines)


def call_at(calls: list[Call], text: str, utf16: int) -> Call | None:
    """The call in whose line behind `text` an offset (in UTF-16 units) lies."""
    behind = utf16 - utf16_length(text)
    if not calls or behind <= 0:
        return None
    index = calls_source(calls)[:behind].count("\n") - 1
    return calls[min(max(index, 0), len(calls) - 1)]
