"""Instances that the user asks to elaborate: `--args 'Fifo(8, 16)'` or a line `// hwml: elaborate Fifo(8, 16)`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from ..types import CheckRequest
from .literal_calls import literal_calls
from .positions import Text

_COMMENT = re.compile(r"^[ \t]*//[ \t]*hwml:[ \t]*elaborate[ \t]+(?P<call>\S[^\r\n]*?)[ \t]*$", re.MULTILINE)
_MOST_TRIES = 8
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
        """The object that makes it."""
        return f"hwml_call_{self.index}"

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


def tries_of(request: CheckRequest, names: Iterable[str], first: int) -> list[Call]:
    """Calls that may give modules of these names their values: what the files of the check make, then the project.

    first: the index of the first one.
    """
    found = []
    for path, text in request.files:
        found += [(made.name, made.expression, f"{PurePath(path).name}:{made.line}") for made in literal_calls(text)]
    for expression, origin in request.guesses:
        name = re.match(r"(?:\w+\.)*(\w+)", expression)
        found.append((name[1] if name else "", expression, origin))
    wanted = set(names)
    chosen = {expression: origin for name, expression, origin in reversed(found) if name in wanted}
    rows = list(reversed(chosen.items()))[:_MOST_TRIES]
    return [Call(words, first + index, None, origin) for index, (words, origin) in enumerate(rows)]


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
    return "\n" + "\n".join(lines)


def call_at(calls: list[Call], text: str, utf16: int) -> Call | None:
    """The call in whose line behind `text` an offset (in UTF-16 units) lies."""
    behind = utf16 - len(text.encode("utf-16-le", "surrogatepass")) // 2
    if not calls or behind <= 0:
        return None
    index = calls_source(calls)[:behind].count("\n") - 1
    return calls[min(max(index, 0), len(calls) - 1)]
