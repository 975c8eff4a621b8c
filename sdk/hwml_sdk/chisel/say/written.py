"""What the text of a module alone says, where nothing can be elaborated: operators as they are written.

These are no predictions: loops, parameters, widths and what other classes bring are not followed. An operator counts
where it stands between two values; `+` of Scala's own numbers looks the same and counts too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .scala_text import ScalaText

_MODULE = re.compile(r"\bclass\s+(\w+)[^{}]*?\bextends\s+[\w.]*Module\b")
_NEXT = re.compile(r"^(?:[a-z@]\w*\s+)*(?:class|object|trait)\s+\w", re.MULTILINE)
_OPERATORS = {
    "add": r"[\w\])}]\s*[+-][&%]?\s*[\w(~!]",
    "multiply": r"[\w\])}]\s*\*\s*[\w(~!]",
    "divide": r"[\w\])}]\s*[/%]\s*[\w(~!]",
    "compare": r"===|=/=|[\w\])}]\s*(?:<|>|<=|>=)\s+[\w(~!]",
    "choice": r"\b(?:when|elsewhen|Mux|MuxLookup|MuxCase|Mux1H|PriorityMux|is)\s*\(",
    "shift": r"[\w\])}]\s*(?:<<|>>)\s*[\w(]",
    "logic": r"[\w\])}]\s*(?:&&?|\|\|?|\^)\s*[\w(~!]",
    "table": r"\bVecInit\s*[(.]",
    "register": r"\b(?:Reg|RegInit|RegNext|RegEnable|ShiftRegister|Counter)\s*[(\[]",
    "memory": r"\b(?:Mem|SyncReadMem|Queue)\s*[(\[]",
    "instance": r"\bModule\s*\(\s*new\b",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _OPERATORS.items()}
MARK = "source only, nothing was elaborated"


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Operators written in one class; line from 0."""

    module: str
    line: int
    counts: Mapping[str, int]

    def words(self) -> str:
        """`source only, nothing was elaborated: written are 2 add, 1 register`."""
        shown = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        return f"{MARK}: written are {shown or 'no operators'}"


def source_counts(text: str) -> tuple[SourceCounts, ...]:
    """Counts of every class of a text that says it is a module; its end is where the next definition begins."""
    code = ScalaText(text).code
    found = []
    for match in _MODULE.finditer(code):
        following = _NEXT.search(code, match.end())
        body = code[match.end() : following.start() if following else len(code)]
        counts = Counter({name: len(pattern.findall(body)) for name, pattern in _COMPILED.items()})
        found.append(SourceCounts(match[1], code.count("\n", 0, match.start()), counts))
    return tuple(found)
