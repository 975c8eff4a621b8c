"""A source on the bench: what the closed form says of its text, and of the same text after some edits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...document import Edit, Span, apply_edits
from ...errors import HwmlError
from ...text import LineIndex
from ..answer.answer import all_loops
from ..answer.types import LoopQor
from ..closed_form.estimate import Estimate
from ..lint.context import Context
from ..lint.facts import Facts
from ..lint.run import lint_files
from ..model import Given, OpenDesign
from ..program import ir
from ..program.uses import UseFinder
from .types import Amounts

MAX_READ = 32  # edited texts that are kept as they were read


@dataclass(slots=True)
class Outcome:
    """What the closed form says of one text: the design and its loops."""

    amounts: Amounts
    loops: tuple[LoopQor, ...]
    intervals: dict[str, float]

    @classmethod
    def of(cls, estimate: Estimate) -> Outcome:
        """From an estimate. intervals: cycles from one start of a function to the next, by its name."""
        intervals = {name: result.interval for name, result in estimate.functions.items() if result.known}
        return cls(Amounts.of(estimate.figures()), all_loops(estimate), intervals)

    def loop_at(self, path: str, place: tuple[int, int]) -> LoopQor | None:
        """The loop whose head starts there."""
        for loop in flat(self.loops):
            if loop.path == path and (loop.span.start_line, loop.span.start_character) == place:
                return loop
        return None


def findings_of(program: ir.Program) -> int:
    """How many errors and warnings a program has that need no estimate."""
    return sum(
        item.severity in ("error", "warning") for items in lint_files(program).values() for item in items
    )  # fmt: skip


def flat(loops: Iterable[LoopQor]) -> Iterator[LoopQor]:
    """Every loop, outer before inner."""
    for loop in loops:
        yield loop
        yield from flat(loop.loops)


@dataclass(slots=True)
class Bench:
    """One source with its estimate and what lint knows of it. left: texts that may still be tried."""

    given: Given
    design: OpenDesign
    top: ir.Function
    estimate: Estimate
    present: Outcome
    context: Context
    left: int
    _tried: dict[tuple[Edit, ...], Outcome | None] = field(default_factory=dict)
    _read: dict[tuple[Edit, ...], OpenDesign] = field(default_factory=dict)  # the latest texts
    _findings: int | None = None  # of the present text

    @classmethod
    def of(cls, given: Given, trials: int, design: OpenDesign | None = None) -> Bench:
        """Read and estimate a source. Raises SourceError where it has no top, ConfigError for wrong settings."""
        design = design or given.open()
        top = design.top()
        estimate = design.estimate(top)
        context = Context(design.program, Facts.of(design.program, top.name), UseFinder(design.program), None, None)
        return cls(given, design, top, estimate, Outcome.of(estimate), context, trials)

    def after(self, edits: Sequence[Edit]) -> Outcome | None:
        """The closed form of the edited text; None where it cannot be edited or estimated, or no trial is left."""
        key = tuple(edits)
        if key in self._tried:
            return self._tried[key]
        if self.left <= 0:
            return None
        self.left -= 1
        self._tried[key] = found = self._estimated(key)
        return found

    def is_clean(self, edits: Sequence[Edit]) -> bool:
        """Whether the edited text can be read, and has no finding more than the present one."""
        try:
            again = self._opened(tuple(edits))
        except (HwmlError, ValueError):
            return False
        if self._findings is None:
            self._findings = findings_of(self.design.program)
        return findings_of(again.program) <= self._findings

    def _opened(self, edits: tuple[Edit, ...]) -> OpenDesign:
        if edits not in self._read:
            given = self.given
            changed = apply_edits(given.text, edits)
            opened = Given(given.path, changed, given.inputs, self.design.settings, given.origins).open()
            while len(self._read) >= MAX_READ:
                del self._read[next(iter(self._read))]
            self._read[edits] = opened
        return self._read[edits]

    def _estimated(self, edits: tuple[Edit, ...]) -> Outcome | None:
        try:
            again = self._opened(edits)
            top = again.program.functions.get(self.top.name) or again.top()
            return Outcome.of(again.estimate(top))
        except (HwmlError, ValueError):
            return None

    def moved(self, edits: Sequence[Edit], span: Span) -> tuple[int, int]:
        """Where the start of a range of the present text lies in the edited one."""
        places = LineIndex(self.given.text)
        offset = places.index(span.start_line, span.start_character)
        shift = 0
        for edit in edits:
            begin = places.index(edit.span.start_line, edit.span.start_character)
            end = places.index(edit.span.end_line, edit.span.end_character)
            if end <= offset:
                shift += len(edit.new_text) - (end - begin)
        return LineIndex(apply_edits(self.given.text, tuple(edits))).place(offset + shift)
