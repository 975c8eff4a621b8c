"""Predictions of one document's kernels as labels beside its functions and loops, in the terms of every front end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...amounts import whole
from ...document import Annotation, Basis, Figures, Interval, Span
from .actual import Actual
from .actual import loop_detail as reported_loop
from .render import (
    function_detail,
    function_label,
    function_summary,
    loop_detail,
    loop_label,
    prediction_detail,
    prediction_label,
    prediction_summary,
)
from .types import FunctionQor, LoopQor, QorPrediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..program import ir


class Shown:
    """Labels of the functions and loops of one document; what two kernels share stands as the first one has it."""

    def __init__(self, path: str, program: ir.Program) -> None:
        self.path = path
        self._program = program
        self._extents: dict[Span, Span] = {}
        self._functions: dict[str, Annotation] = {}
        self._loops: dict[tuple[int, int, str], Annotation] = {}

    def add(self, predictions: Sequence[QorPrediction]) -> None:
        """Take what was predicted, one kernel after the other."""
        if not self._extents:
            self._extents = _extents(self._program)
        for prediction in predictions:
            for function in prediction.functions:
                if function.path == self.path and function.name not in self._functions:
                    self._functions[function.name] = self._whole(_function(function, prediction))
            for loop in _all_loops(prediction):
                mark = (loop.span.start_line, loop.span.start_character, loop.name)
                if loop.path == self.path and mark not in self._loops:
                    self._loops[mark] = self._whole(_loop(loop, prediction.actual))

    def _whole(self, item: Annotation) -> Annotation:
        """With where it ends, as far as that is known."""
        return replace(item, extent=self._extents.get(item.span))

    def annotations(self) -> tuple[Annotation, ...]:
        """All that was taken so far, in the order of the text."""
        found = (*self._functions.values(), *self._loops.values())
        return tuple(sorted(found, key=lambda item: (item.span, item.kind)))


def _extents(program: ir.Program) -> dict[Span, Span]:
    """From the heads of the document's functions and loops to all of them."""
    functions = {item.name_span: item.span for item in program.functions.values() if item.path == program.path}
    return functions | {loop.head: loop.span for loop in program.loops() if loop.path == program.path}


def _function(function: FunctionQor, prediction: QorPrediction) -> Annotation:
    if function.name != prediction.top:
        return Annotation(
            "function", function.name, function.span, function_label(function), function_detail(function), function,
            function_summary(function), _function_figures(function),
        )  # fmt: skip
    return Annotation(
        "function", function.name, function.span, prediction_label(prediction), prediction_detail(prediction),
        prediction, prediction_summary(prediction), design_figures(prediction), is_design=True,
        basis=_basis(prediction),
    )  # fmt: skip


def _loop(loop: LoopQor, actual: Actual | None) -> Annotation:
    label = loop_label(loop)
    reported = [] if actual is None else actual.loops_at(loop.path, loop.span.start_line, loop.name)
    detail = "\n".join([loop_detail(loop), *(line for item in reported for line in reported_loop(item))])
    figures = Figures(
        latency_cycles=whole(loop.total_cycles), ii=None if loop.ii_is_guess else loop.ii, trip_count=loop.trip_count,
        reasons={"latency_cycles": loop.reasons} if loop.reasons else {},
    )  # fmt: skip
    return Annotation("loop", loop.name, loop.span, label, detail, loop, label, figures)


def _function_figures(function: FunctionQor) -> Figures:
    return Figures(
        lut=whole(function.lut), dsp=whole(function.dsp), ff=whole(function.ff), bram_18k=whole(function.bram_18k),
        uram=whole(function.uram) or None,
        latency_cycles=whole(function.cycles), reasons=function.reasons,
    )  # fmt: skip


def design_figures(prediction: QorPrediction) -> Figures:
    """The figures of a whole design, in the terms of every front end."""
    ends = {name: (whole(item.low), whole(item.high)) for name, item in prediction.intervals.items()}
    ii, guessed = _largest_ii(prediction)
    return Figures(
        lut=whole(prediction.lut), dsp=whole(prediction.dsp), ff=whole(prediction.ff),
        bram_18k=whole(prediction.bram_18k), uram=whole(prediction.uram), ii=ii,
        latency_cycles=whole(prediction.latency_cycles),
        intervals={n: Interval(low, high) for n, (low, high) in ends.items() if low is not None and high is not None},
        reasons={**prediction.reasons, **({"ii": guessed} if guessed else {})},
        changes={name: sure.change for name, sure in prediction.certainty.items() if name not in prediction.reasons},
    )  # fmt: skip


def _largest_ii(prediction: QorPrediction) -> tuple[int | None, tuple[str, ...]]:
    """The largest II of a design's pipelined loops (of none: from one start to the next), or why it is not known."""
    loops = [loop for loop in _all_loops(prediction) if loop.pipelined]
    unread = tuple(dict.fromkeys(reason for loop in loops if loop.trip_count is not None for reason in loop.reasons))
    guessed = tuple(f"the II of loop {loop.name} is a guess" for loop in loops if loop.ii is None)
    known = [loop.ii for loop in loops if loop.ii is not None]
    if unread or guessed:  # what a round calls and nobody read may take any II
        return None, unread or guessed
    return (max(known) if known else whole(prediction.interval_cycles)), ()


def _basis(prediction: QorPrediction) -> Basis:
    clock = prediction.clock_period_ns
    return Basis(
        prediction.model, prediction.part, prediction.tool, prediction.tool_version,
        int(clock) if clock == int(clock) else round(clock, 6),
    )  # fmt: skip


def _all_loops(prediction: QorPrediction) -> list[LoopQor]:
    """Every loop once; those of the top stand both in `loops` and in its function."""
    found: dict[tuple[str, int, int, str], LoopQor] = {}

    def add(loops: tuple[LoopQor, ...]) -> None:
        for loop in loops:
            found.setdefault((loop.path, loop.span.start_line, loop.span.start_character, loop.name), loop)
            add(loop.loops)

    add(prediction.loops)
    functions: tuple[FunctionQor, ...] = prediction.functions
    for function in functions:
        add(function.loops)
    return sorted(found.values(), key=lambda loop: loop.span)
