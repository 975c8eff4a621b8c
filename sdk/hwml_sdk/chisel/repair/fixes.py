"""Rules that propose changes for what the compiler said. None is offered before it has passed the gate (`gate.py`).

A rule sees the message and the text and yields candidates, best first. `safe` says that the meaning cannot be other
than what was meant; everything else is a choice for a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ..say.positions import Text
from ..say.scala_text import ScalaText
from ..types import ChiselDiagnostic

Span2 = tuple[int, int]
_MAX_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed change: (start, end, new text) by offsets in code points, not overlapping."""

    title: str
    edits: tuple[tuple[int, int, str], ...]
    safe: bool = False

    def apply(self, text: str) -> str:
        """`text` with the edits made."""
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text


class Context:
    """A message and the text it is about."""

    def __init__(self, text: str, item: ChiselDiagnostic) -> None:
        self.text = text
        self.item = item
        self.message = item.message

    @cached_property
    def scala(self) -> ScalaText:
        """The text's lexical structure."""
        return ScalaText(self.text)

    @cached_property
    def span(self) -> Span2:
        """Offsets of the diagnostic's range."""
        places, span = Text(self.text), self.item.span
        start = places.index(span.start_line, span.start_character)
        return start, places.index(span.end_line, span.end_character)

    @property
    def words(self) -> str:
        """The text in the range."""
        return self.text[self.span[0] : self.span[1]]

    @cached_property
    def statement(self) -> Span2:
        """The statement in which the range starts."""
        return self.scala.statement(self.span[0])

    @cached_property
    def line(self) -> Span2:
        """The line in which the range starts."""
        start = self.text.rfind("\n", 0, self.span[0]) + 1
        end = self.text.find("\n", self.span[0])
        return start, len(self.text) if end < 0 else end

    def matches(self, pattern: str, where: Span2 | None = None) -> Iterator[re.Match[str]]:
        """Places in code (not in strings or comments) that match; `where`: the line of the range by default."""
        start, end = where or self.line
        return re.compile(pattern).finditer(self.scala.code, start, end)

    @property
    def whole(self) -> Span2:
        """All of the text."""
        return 0, len(self.text)

    @cached_property
    def around(self) -> Span2:
        """The statement, widened past the parentheses that enclose it."""
        start, end = self.statement
        code = self.scala.code
        while start > 0 and code[self.scala.skip_space_back(start, lines=True) - 1] in "([,":
            outer = self.scala.enclosing_call(start)
            if outer is None:
                break
            start, end = self.scala.statement(outer[0])
        return min(start, self.span[0]), max(end, self.span[1])

    def whole_lines(self, start: int, end: int) -> Span2:
        """The range widened to its lines when nothing else stands on them, else to the `;` after it."""
        begin = self.text.rfind("\n", 0, start) + 1
        after = self.text.find("\n", end)
        after = len(self.text) if after < 0 else after + 1
        if self.text[begin:start].strip() == "" and self.text[end:after].strip() == "":
            return begin, after
        return start, self.scala.skip_space(end + 1) if self.text[end : end + 1] == ";" else end

    @cached_property
    def home(self) -> Span2:
        """The outermost class or object in which the range starts."""
        return self._definition(lambda starts: max((s for s in starts if s <= self.span[0]), default=0))

    def class_called(self, name: str) -> Span2:
        """The outermost class of that name; all of the text when there is none."""
        found = re.search(rf"(?m)^(?:\w+ )*class {re.escape(name)}\b", self.scala.code)
        return self._definition(lambda starts: found.start()) if found else self.whole

    def _definition(self, choose: Callable[[list[int]], int]) -> Span2:
        starts = [m.start() for m in re.finditer(r"(?m)^(?:\w+ )*(?:class|object|trait)\b", self.scala.code)]
        begin = choose(starts)
        return begin, min((s for s in starts if s > begin), default=len(self.text))

    @property
    def line_end(self) -> str:
        """What ends a line here."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def indent_at(self, offset: int) -> str:
        """The blanks that open the line of `offset`."""
        start = self.text.rfind("\n", 0, offset) + 1
        match = re.compile(r"[ \t]*").match(self.text, start)
        return match.group(0) if match else ""


Rule = Callable[[Context], Iterator[Candidate]]
RULES: list[tuple[re.Pattern[str], Rule]] = []


def rule(pattern: str) -> Callable[[Rule], Rule]:
    """Register a rule for messages in which `pattern` is found."""

    def register(function: Rule) -> Rule:
        RULES.append((re.compile(pattern, re.DOTALL), function))
        return function

    return register


@lru_cache(maxsize=1)
def _load_rules() -> None:
    """Import the modules that register rules; earlier ones come first among candidates of the same kind."""
    from importlib import import_module

    from .rules import ORDER

    for name in ORDER:
        import_module(f"{__package__}.rules.{name}")


def candidates_for(text: str, item: ChiselDiagnostic) -> Iterable[Candidate]:
    """All candidates of all rules for one message, best first, each text once."""
    _load_rules()
    context = Context(text, item)
    found: dict[tuple[tuple[int, int, str], ...], Candidate] = {}
    for pattern, function in RULES:
        if pattern.search(item.message):
            for candidate in function(context):
                known = found.get(candidate.edits)
                if known is None or (candidate.safe and not known.safe):
                    found[candidate.edits] = candidate
            if len(found) >= _MAX_CANDIDATES:
                break
    return sorted(found.values(), key=lambda candidate: not candidate.safe)[:_MAX_CANDIDATES]
