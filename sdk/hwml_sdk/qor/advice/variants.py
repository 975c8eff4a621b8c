"""Variants of one design: the closed form of many sets of pragmas, the program read once, unchanged loops kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...document import Edit, Fix, Span
from ..answer.answer import fits, part_or_none
from ..closed_form.estimate import Estimate, estimate_program
from ..closed_form.memo import Memo
from ..lint.context import Context, is_on
from ..lint.remedies import below_declaration
from ..program import ir
from ..tool.labels import RESOURCES
from .bench import Bench
from .choice import asked_for
from .places import above_loop, into_function, into_loop
from .space import Slot, made, slots_of
from .types import Amounts

Picks = tuple[int, ...]  # the choice of each slot, by its place


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of pragmas and its closed form.

    share: of the part, by the resource that most of is taken; fits: all of them, within the part and the budget.
    bound: arrays whose ports bound a loop. asked: see `choice`, up to what all variants have in common.
    """

    picks: Picks
    amounts: Amounts
    share: float
    fits: bool
    bound: tuple[str, ...] = ()
    asked: float = 0.0

    @property
    def cycles(self) -> float:
        """Its latency; without end where that is not known."""
        return self.amounts.latency_cycles if self.amounts.latency_cycles is not None else float("inf")


@dataclass(slots=True)
class Variants:
    """Predicts variants of a design. limits: by resource, what they may take. made: how many were predicted."""

    bench: Bench
    slots: tuple[Slot, ...]
    limits: Mapping[str, float]
    made: int = 0
    seconds: float = 0.0
    memo: Memo = field(default_factory=Memo)
    _known: dict[Picks, Variant] = field(default_factory=dict)
    _made: dict[tuple[Slot, int], list[ir.Pragma]] = field(default_factory=dict)

    @classmethod
    def of(cls, bench: Bench, limits: Mapping[str, float]) -> Variants:
        """All that a design could have. limits: of resources, beside the part's own."""
        slots = slots_of(bench.context, bench.top, bench.design.settings.tool)
        return cls(bench, tuple(slot for slot in slots if _editable(bench.context, slot)), limits)

    @property
    def present(self) -> Picks:
        """What the source says."""
        return (0,) * len(self.slots)

    @property
    def size(self) -> int:
        """How many variants there are."""
        total = 1
        for slot in self.slots:
            total *= len(slot.choices)
        return total

    def predict(self, picks: Picks) -> Variant:
        """The closed form of one variant; known ones are looked up."""
        known = self._known.get(picks)
        if known is None:
            begun = time.perf_counter()
            with self.standing(picks):
                design = self.bench.design
                estimate = estimate_program(
                    design.program, self.bench.top, design.target, design.options, memo=self.memo
                )
                known = self._known[picks] = self._variant(picks, estimate)
            self.made += 1
            self.seconds += time.perf_counter() - begun
        return known

    def keep(self, variant: Variant) -> None:
        """A variant that an earlier run has predicted."""
        self._known.setdefault(variant.picks, variant)

    def known(self) -> list[Variant]:
        """All that were predicted."""
        return list(self._known.values())

    @contextmanager
    def standing(self, picks: Picks) -> Iterator[None]:
        """The program with these pragmas in place."""
        saved: list[tuple[ir.Loop | ir.Function, list[ir.Pragma]]] = []
        try:
            for slot, pick in zip(self.slots, picks, strict=True):
                choice = slot.choices[pick]
                if choice.keep:
                    continue
                owner = slot.owner
                saved.append((owner, owner.pragmas))
                kept = [pragma for pragma in owner.pragmas if not slot.is_mine(pragma)]
                owner.pragmas = [*kept, *self._pragmas(slot, pick)]
            yield
        finally:
            for owner, pragmas in reversed(saved):
                owner.pragmas = pragmas

    def _pragmas(self, slot: Slot, pick: int) -> list[ir.Pragma]:
        """The pragmas of a choice, made once."""
        key = slot, pick
        if key not in self._made:
            self._made[key] = [made(text, slot.owner) for text in slot.choices[pick].pragmas]
        return self._made[key]

    def _variant(self, picks: Picks, estimate: Estimate) -> Variant:
        figures = estimate.figures()
        part = part_or_none(self.bench.design.settings.part)
        amounts = Amounts.of(figures)
        shares = [
            (figures[name] or 0.0) / max(part.limit(name), 1) for name in RESOURCES if part is not None
        ]  # fmt: skip
        # What is not known is within no limit that somebody set.
        inside = all((known := figures[name]) is not None and known <= limit for name, limit in self.limits.items())
        bound, doublings = _of_loops(estimate)
        return Variant(
            picks, amounts, max(shares, default=figures["lut"] or 0.0),
            inside and fits(part, figures, estimate.uram) is not False, tuple(sorted(bound)),
            asked_for(self._pipelines(picks), doublings),
        )  # fmt: skip

    def _pipelines(self, picks: Picks) -> int:
        """Loops of the slots that a variant puts PIPELINE into, or leaves it in."""
        return sum(
            any(pragma.kind == "PIPELINE" and is_on(pragma) for pragma in pragmas)
            for slot, pick in zip(self.slots, picks, strict=True) if isinstance(slot.owner, ir.Loop)
            for pragmas in [slot.owner.pragmas if slot.choices[pick].keep else self._pragmas(slot, pick)]
        )  # fmt: skip

    # -- as text -----------------------------------------------------------------------------------------------------

    def titles(self, picks: Picks) -> tuple[str, ...]:
        """What a variant changes, in words."""
        return tuple(
            slot.choices[pick].title for slot, pick in zip(self.slots, picks, strict=True)
            if not slot.choices[pick].keep
        )  # fmt: skip

    def pragmas(self, picks: Picks) -> tuple[str, ...]:
        """`LOOP: #pragma ...` of everything that a variant writes or takes away."""
        found = []
        for slot, pick in zip(self.slots, picks, strict=True):
            choice = slot.choices[pick]
            if not choice.keep:
                said = "; ".join(f"#pragma {text}" for text in choice.pragmas) or "(none)"
                found.append(f"{slot.name}: {said}")
        return tuple(found)

    def fix(self, picks: Picks) -> Fix:
        """The edits that make the present text this variant."""
        edits: list[Edit] = []
        asked: dict[tuple[ir.Loop | ir.Function, str], list[str]] = {}
        for slot, pick in zip(self.slots, picks, strict=True):
            choice = slot.choices[pick]
            if choice.keep:
                continue
            for pragma in slot.owner.pragmas:
                if slot.is_mine(pragma):
                    edits += _removed(self.bench.context, pragma)
            asked.setdefault((slot.owner, slot.variable), []).extend(choice.pragmas)
        for (owner, variable), texts in asked.items():
            if texts:
                edits += written(self.bench.context, owner, texts, variable)
        titles = self.titles(picks)
        return Fix(", ".join(titles) or "as it is", _joined(edits))


def _of_loops(estimate: Estimate) -> tuple[set[str], float]:
    """Arrays whose ports bound a loop of the design, and how often copies of a loop are doubled in all."""
    found: set[str] = set()
    doublings = 0.0
    pending = [loop for result in estimate.functions.values() for loop in result.loops]
    while pending:
        loop = pending.pop()
        pending += loop.children
        doublings += math.log2(max(loop.plan.unroll, 1.0))
        if loop.bound.by.startswith("memory ports of "):
            found.add(loop.bound.by.rpartition(" ")[2])
    return found, doublings


def _editable(context: Context, slot: Slot) -> bool:
    """Whether all that a slot replaces, and the place where it writes, can be edited."""
    mine = [pragma for pragma in slot.owner.pragmas if slot.is_mine(pragma)]
    if any(not context.text(pragma).editable for pragma in mine):
        return False
    return bool(written(context, slot.owner, ["HLS x"] if slot.dialect == "HLS" else ["ACCEL x"], slot.variable))


def _removed(context: Context, pragma: ir.Pragma) -> list[Edit]:
    return [edit for fix in context.text(pragma).remove("", safe=False) for edit in fix.edits]


def written(context: Context, owner: ir.Loop | ir.Function, texts: Sequence[str], variable: str) -> list[Edit]:
    """Edits that write pragmas; one about a variable stands below its declaration, before which nobody knows it."""
    lines = "\n".join(f"#pragma {text}" for text in texts)
    if isinstance(owner, ir.Function) and variable:
        source, var = context.source(owner.path), owner.variables.get(variable)
        at = below_declaration(source, owner, var) if source is not None and var is not None else None
        return [] if source is None or at is None else [Edit(source.span(at, at), f"{lines}\n")]
    if isinstance(owner, ir.Function):
        return list(into_function(context, owner, lines))
    if texts[0].startswith("ACCEL"):
        return list(above_loop(context, owner, f"{lines}\n"))
    return list(into_loop(context, owner, lines))


def _joined(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """Edits in the order of the text; what is written and taken away at one place becomes one edit."""
    found: list[Edit] = []
    for edit in sorted(edits, key=lambda item: (item.span, bool(item.new_text))):
        last = found[-1] if found else None
        start = (edit.span.start_line, edit.span.start_character)
        if last is not None and (last.span.end_line, last.span.end_character) == start:
            span = Span(last.span.start_line, last.span.start_character, edit.span.end_line, edit.span.end_character)
            found[-1] = Edit(span, last.new_text + edit.new_text)
        else:
            found.append(edit)
    return tuple(found)
