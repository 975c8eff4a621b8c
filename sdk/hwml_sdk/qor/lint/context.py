"""What every lint rule works with: the program, facts about it, exact places in the text, and the findings so far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ...document import Diagnostic, Edit, Fix, Related, Severity, Span
from ...languages import HLS
from ...text import LINE_END, LineIndex
from ..program import ir
from ..program.expressions import calls
from ..program.facts import declarations, function_of
from ..program.uses import UseFinder
from .code import Code
from .facts import Facts

if TYPE_CHECKING:
    from ...config import Settings
    from ..answer.types import QorPrediction

# The name in front of `(...) {`, every one of them: heads may stand inside one another.
_DEFINITION = re.compile(r"(?=\b([\w:]+)\s*\([^;{}]*\)\s*(?:const\s*)?\{)")


_TOKENS = re.compile(HLS.comments.tokens, re.DOTALL)
_NO_LINE_END = re.compile(r"[^\r\n]")


class SourceText(LineIndex):
    """A text that pragmas stand in."""

    @cached_property
    def blanked(self) -> str:
        """The text with blanks for its comments and strings; offsets and line ends stay."""
        return _TOKENS.sub(_blank, self.text)

    def whole_lines(self, span: Span) -> Span:
        """The whole lines a span lies on, when nothing but blanks and comments stands beside it; else the span."""
        before = self.text[self.index(span.start_line, 0) : self.index(span.start_line, span.start_character)]
        end = self.index(span.end_line, span.end_character)
        found = LINE_END.search(self.text, end)
        newline = found.start() if found else -1
        after = self.text[end : newline if newline >= 0 else len(self.text)].strip()
        if before.strip() or (after and not after.startswith("//")):
            return span
        if newline < 0:
            return Span(span.start_line, 0, *self.place(len(self.text)))
        return Span(span.start_line, 0, span.end_line + 1, 0)


def _blank(match: re.Match[str]) -> str:
    """Blanks for a comment or a string; names and numbers, which may hold their signs, stay."""
    token = match.group()
    return _NO_LINE_END.sub(" ", token) if token[0] in "/'" or '"' in token else token


@dataclass(slots=True)
class PragmaText:
    """The pragma as it stands in its file; `editable` when it is a plain `#pragma` line there."""

    pragma: ir.Pragma
    source: SourceText | None
    raw: str = ""
    begin: int = 0

    def __post_init__(self) -> None:
        if self.source is not None and not self.pragma.from_file:
            span = self.pragma.span
            self.raw = self.source.slice(span)
            self.begin = self.source.index(span.start_line, span.start_character)

    @property
    def editable(self) -> bool:
        """Whether edits of the text are edits of the pragma (not of a macro or of a project file)."""
        return self.raw.startswith("#")

    def word(self, pattern: str) -> Span:
        """Where a pattern stands in the pragma (case ignored; its first group, if any); the whole pragma if nowhere."""
        match = re.search(pattern, self.raw, re.IGNORECASE) if self.editable else None
        if match is None or self.source is None:
            return self.pragma.span
        group = 1 if match.re.groups else 0
        return self.source.span(self.begin + match.start(group), self.begin + match.end(group))

    def kind_span(self) -> Span:
        """Where the pragma's name stands."""
        return self.word(rf"pragma\s+\w+\s+({re.escape(self.pragma.kind)})\b")

    def option_span(self, name: str) -> Span:
        """Where `name=value`, or the flag, stands."""
        return self.word(rf"\b({re.escape(name)}\b(?:\s*=\s*(?:\([^)]*\)|[^\s,]+))?)")

    def value_span(self, name: str) -> Span:
        """Where the option's value stands."""
        return self.word(rf"\b{re.escape(name)}\s*=\s*(\([^)]*\)|[^\s,]+)")

    def value_text(self, name: str) -> str:
        """The option's value as written, before macros; "" when there is none."""
        match = re.search(rf"\b{re.escape(name)}\s*=\s*(\([^)]*\)|[^\s,]+)", self.raw, re.IGNORECASE)
        return match.group(1) if match and self.editable else ""

    def replace(self, span: Span, new_text: str, title: str, *, safe: bool) -> tuple[Fix, ...]:
        """A fix that puts `new_text` in place of a part of the pragma; none when it cannot be edited."""
        if not self.editable or span == self.pragma.span:
            return ()
        return (Fix(title, (Edit(span, new_text),), safe=safe),)

    def remove(self, title: str, *, safe: bool) -> tuple[Fix, ...]:
        """A fix that takes the pragma's line out; none when it cannot be edited."""
        if not self.editable or self.source is None:
            return ()
        return (Fix(title, (Edit(self.source.whole_lines(self.pragma.span), ""),), safe=safe),)

    def remove_option(self, name: str, title: str) -> tuple[Fix, ...]:
        """A fix that takes one option out of the pragma."""
        span = self.word(rf"(\s+{re.escape(name)}\s*=\s*(?:\([^)]*\)|[^\s,]+))")
        return self.replace(span, "", title, safe=True)


@dataclass(slots=True)
class Finding:
    """A diagnostic and the file it is about."""

    path: str
    diagnostic: Diagnostic


@dataclass(slots=True)
class Context:
    """One lint run."""

    program: ir.Program
    facts: Facts
    uses: UseFinder
    estimate: QorPrediction | None
    settings: Settings | None
    findings: list[Finding] = field(default_factory=list)
    _texts: dict[str, SourceText] = field(default_factory=dict)
    _called: set[str] | None = None
    _declared: dict[str, Counter[str]] = field(default_factory=dict)
    _definitions: Counter[str] | None = None

    def source(self, path: str) -> SourceText | None:
        """The text of a file of the program."""
        if path not in self._texts and path in self.program.sources:
            self._texts[path] = SourceText(self.program.sources[path])
        return self._texts.get(path)

    def text(self, pragma: ir.Pragma) -> PragmaText:
        """The pragma in its file."""
        return PragmaText(pragma, self.source(pragma.path))

    def report(
        self,
        code: Code,
        message: str,
        path: str,
        span: Span,
        *,
        severity: Severity | None = None,
        fixes: tuple[Fix, ...] = (),
        related: tuple[Related, ...] = (),
    ) -> None:
        """Add a finding; severity is the code's own unless given."""
        diagnostic = Diagnostic(code.name, severity or code.severity, message, span, fixes, related)
        self.findings.append(Finding(path, diagnostic))

    def loops(self) -> Iterator[ir.Loop]:
        """Loops of functions that are synthesised."""
        for function in self.functions():
            yield from self.program.loops(function.name)

    def functions(self) -> Iterator[ir.Function]:
        """Functions that are synthesised; templates only as instances whose arguments are known."""
        for name, function in self.program.functions.items():
            if name in self.facts.hardware and "?" not in name:
                yield function

    def is_called(self, name: str) -> bool:
        """Whether anything in the program calls the function, so that its arguments may be constants."""
        if self._called is None:
            self._called = {call.name for f in self.program.functions.values() for call in calls(f.body)}
        return name in self._called

    def is_overloaded(self, name: str) -> bool:
        """Whether several functions of the name are defined; the program keeps one of them."""
        if self._definitions is None:
            self._definitions = Counter(n for text in self.program.sources.values() for n in _DEFINITION.findall(text))
        return self._definitions[name] > 1

    def declared_twice(self, function: ir.Function, name: str) -> bool:
        """Whether a local name stands for several variables, in different blocks."""
        counts = self._declared.get(function.name)
        if counts is None:
            counts = self._declared[function.name] = Counter(item.var.name for item in declarations(function.body))
        return counts[name] > 1

    def is_template(self, owner: ir.Loop | ir.Function | None) -> bool:
        """Whether the code stands for several instances, so that numbers of one do not speak for all."""
        function = function_of(self.program, owner)
        return function is not None and bool(function.template_params)


SPLITS = ("ARRAY_PARTITION", "ARRAY_RESHAPE")


def loop_name(loop: ir.Loop) -> str:
    """How people call the loop: by its label, else by its counter."""
    if loop.label:
        return f"loop '{loop.label}'"
    return f"the loop over {loop.var.name}" if loop.var is not None else f"this {loop.kind} loop"


def owner_name(owner: ir.Loop | ir.Function) -> str:
    """How people call a loop or a function."""
    return loop_name(owner) if isinstance(owner, ir.Loop) else f"function '{owner.name}'"


def is_on(pragma: ir.Pragma | None) -> bool:
    """Whether there is a pragma and it does not say `off`."""
    return pragma is not None and pragma.options.get("off", "false").lower() in ("false", "0")
