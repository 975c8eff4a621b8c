"""Everything hwml says about one HLS document: lint findings, and labels for functions and loops.

Files without any sign of HLS get no answer; nothing a document holds raises an error here, it becomes a note.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..amounts import whole
from ..config import HlsSettings, Settings, merge
from ..document import (
    Analysis,
    Annotation,
    Basis,
    Completion,
    Design,
    Diagnostic,
    Figures,
    Fix,
    Hover,
    Interval,
    Provider,
    Signature,
    Span,
    Step,
    Token,
)
from ..errors import ArtifactError, ConfigError, HwmlError, RefusedError, SourceError
from .answer.actual import Actual
from .answer.actual import loop_detail as reported_loop
from .answer.assumed import with_assumptions
from .answer.render import (
    function_detail,
    function_label,
    function_summary,
    loop_detail,
    loop_label,
    prediction_detail,
    prediction_label,
    prediction_summary,
)
from .answer.types import FunctionQor, LoopQor, QorPrediction
from .project.hardware import is_hls, why_not_hls
from .project.includes import including
from .project.inputs import Inputs, gather
from .project.values import parse_clock
from .read.focus import focused
from .reports.attach import with_actual

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .model import OpenDesign, QorModel
    from .program import ir

MAX_BYTES = 2 * 1024 * 1024


def analyze(path: str, text: str, settings: Settings) -> Analysis:
    """Lint findings and annotations of one document. Raises only for a broken installation (ArtifactError)."""
    *_, last = steps(path, text, settings)
    return last.analysis


def steps(path: str, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
    """The same bit by bit: figures, findings, and last the findings whose fixes were tried."""
    if len(text) > MAX_BYTES:
        note = f"{len(text) / 1e6:.1f} MB: files over {MAX_BYTES >> 20} MB are left alone in the editor"
        yield Step(Analysis(path, "hls", notes=(note,)))
        return
    left_alone = why_not_hls(path, text)
    if left_alone:
        yield Step(Analysis(path, "hls", left_alone=left_alone))
        return
    try:
        inputs = gather(path)
    except ConfigError as error:
        inputs = Inputs(notes=(str(error),))
    try:
        yield from _first_look(path, text, inputs, settings, near)
        yield from _steps(path, text, inputs, settings, near)
    except (SourceError, ConfigError) as error:
        yield Step(Analysis(path, "hls", notes=(str(error),)))


def _first_look(path: str, text: str, inputs: Inputs, settings: Settings, near: int) -> Iterator[Step]:
    """Figures of what stands around a line of a long text, before all of it is read; nothing where that is no gain."""
    some = None if settings.hls.top or inputs.directives or inputs.files else focused(text, near)
    if some is None:
        return
    try:
        design, problem = _open(path, some, inputs, settings)
        if problem:
            return
        shown = _Shown(path, design.program)
        for predictions in _kernels(design, text, settings, near):
            shown.add(predictions)
            break
    except (SourceError, ConfigError, ArtifactError):
        return  # the analysis of the whole text tells it
    yield Step(Analysis(path, "hls", annotations=shown.annotations()), annotations_done=False)


def _steps(path: str, text: str, inputs: Inputs, settings: Settings, near: int) -> Iterator[Step]:
    # Loading the rules takes as long as predicting a kernel, and who only predicts needs none of them.
    from .lint.run import lint_files, reading_steps, try_fixes, verify_fixes
    from .model import loaded_model, open_design

    design, problem = _open(path, text, inputs, settings)
    shown = _Shown(path, design.program)
    first: QorPrediction | None = None
    broken: ArtifactError | None = None
    try:
        for predictions in _kernels(design, text, settings, near) if not problem else ():
            first = first or next(iter(predictions), None)
            shown.add(predictions)
            some = Analysis(path, "hls", annotations=shown.annotations(), faults=design.program.faults)
            yield Step(some, annotations_done=False)
    except (SourceError, ConfigError) as error:
        problem = str(error)
    except ArtifactError as error:
        broken = error  # without a model there are no figures, but the lint still holds
    found = lint_files(design.program, estimate=first, settings=settings)
    notes = _notes(design, inputs, found, path, problem)
    analysis = Analysis(path, "hls", found.get(path, ()), shown.annotations(), notes, design.program.faults, problem)
    analysis = replace(analysis, reads=tuple(os.path.normpath(name) for name in design.program.sources if name != path))
    yield Step(analysis, diagnostics_done=not any(item.fixes for item in analysis.diagnostics))

    def check(changed: str) -> list[Diagnostic]:
        again = open_design(changed, path=path, inputs=inputs, settings=design.settings)
        return _all(lint_files(again.program, settings=settings))

    def predict(changed: str) -> QorPrediction | None:
        return prediction_or_none(path, changed, inputs, quick)

    # Fixes are tried on the model that answers at once: of a language model each trial would be a text more to embed.
    quick = replace(settings, hls=replace(settings.hls, model=HlsSettings().model))
    steps = reading_steps(design.program)
    borne_out = try_fixes(text, path, analysis.diagnostics, first, predict, steps=steps)
    tried = verify_fixes(text, borne_out, check, before=_all(found), steps=steps)
    final = replace(analysis, diagnostics=tried)
    yield Step(final, waits_s=0.0 if problem or broken is not None else loaded_model(settings.hls.model).waits_s)
    if broken is not None:
        raise broken
    if not problem:
        yield from _replaced(final, design, text, settings, near)


def _replaced(analysis: Analysis, design: OpenDesign, text: str, settings: Settings, near: int) -> Iterator[Step]:
    """The figures of a model that is not there at once, in place of the default model's."""
    from .model import loaded_model

    model = loaded_model(settings.hls.model)
    if model.first is model:
        return
    shown = _Shown(analysis.path, design.program)
    try:
        for predictions in _kernels(design, text, settings, near, slow=True):
            shown.add(predictions)
    except HwmlError as error:  # the default model's figures stay, and it is said why
        note = f"{settings.hls.model}: no answer, the figures are the default model's: {error}"
        yield Step(replace(analysis, notes=(*analysis.notes, note)))
        return
    yield Step(replace(analysis, annotations=shown.annotations()))


def _open(path: str, text: str, inputs: Inputs, settings: Settings) -> tuple[OpenDesign, str]:
    """The design, and what is wrong with its settings: an unknown part or clock stops the figures, not the lint."""
    from .model import open_design

    try:
        return open_design(text, path=path, inputs=inputs, settings=settings.hls), ""
    except ConfigError as error:
        return open_design(text, path=path, inputs=inputs, settings=HlsSettings()), str(error)


def _kernels(
    design: OpenDesign, text: str, settings: Settings, near: int, *, slow: bool = False
) -> Iterator[list[QorPrediction]]:
    """Predictions in batches; origins say where each assumption came from. slow: not those that are there at once."""
    from .kernels import predict_kernels
    from .model import loaded_model

    model = loaded_model(settings.hls.model)
    model = model if slow else model.first
    for batch in predict_kernels(model, design, near=near):
        yield [_with_origins(_reported(model, prediction, design, text), settings) for prediction in batch]


def _reported(model: QorModel, prediction: QorPrediction, design: OpenDesign, text: str) -> QorPrediction:
    """With the tool's report beside it, where the source has one."""

    def again(changes: Mapping[str, Any]) -> QorPrediction:
        return model.predict_design(design.at({**changes, "top": prediction.top}))

    path, project = Path(design.program.path), None if design.project is None else design.project.path
    return with_actual(prediction, path, again, text=text, project=project, remember=True)


def _with_origins(prediction: QorPrediction, settings: Settings) -> QorPrediction:
    names = ("part", "clock_period_ns", "tool", "tool_version", "stage", "top")
    return with_assumptions(replace(prediction, origins={name: settings.origin(f"hls.{name}") for name in names}))


def _all(found: Mapping[str, tuple[Diagnostic, ...]]) -> list[Diagnostic]:
    return [item for items in found.values() for item in items]


def _notes(
    design: OpenDesign, inputs: Inputs, found: Mapping[str, tuple[Diagnostic, ...]], path: str, problem: str
) -> tuple[str, ...]:
    notes = [f"{p.path}:{p.span.start_line + 1}: {p.message}" for p in design.program.problems if p.severity == "info"]
    notes += [*inputs.notes, *([problem] if problem else [])]
    for other, items in sorted(found.items()):
        if other != path:
            notes += [_elsewhere(other, item) for item in items if item.severity in ("error", "warning")]
    return tuple(dict.fromkeys(notes))


def _elsewhere(path: str, item: Diagnostic) -> str:
    return f"{path}:{item.span.start_line + 1}: {item.code}: {item.message}"


class _Shown:
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


def predict_document(path: str, text: str, inputs: Inputs, settings: Settings) -> QorPrediction:
    """Predict the text of one document with its project and settings; origins say where each assumption came from.

    Raises SourceError or ConfigError for what the document or its settings hold, ArtifactError for a broken model.
    """
    from .model import loaded_model

    model = loaded_model(settings.hls.model)
    prediction = model.predict_text(text, path=path, inputs=inputs, settings=settings.hls)
    return _with_origins(
        model.with_report(prediction, Path(path), text, inputs=inputs, settings=settings.hls), settings
    )


def prediction_or_none(path: str, text: str, inputs: Inputs, settings: Settings) -> QorPrediction | None:
    """A prediction for rules that can do without: None where there is nothing to predict."""
    try:
        return predict_document(path, text, inputs, settings)
    except HwmlError:
        return None


def read_and_predict(
    path: str, text: str, inputs: Inputs, settings: Settings
) -> tuple[OpenDesign, QorPrediction | None]:
    """A document read once, for rules that look at its program and at a prediction of it, which may be None.

    Raises SourceError for what is no text.
    """
    from .model import loaded_model

    design, problem = _open(path, text, inputs, settings)
    if problem:
        return design, None
    try:
        prediction = loaded_model(settings.hls.model).predict_design(design)
    except HwmlError:
        return design, None
    return design, _with_origins(prediction, settings)


# How Vitis HLS and Vivado HLS name loops without a label.
_NUMBERED = re.compile(r"VITIS_LOOP_\d+_\d+|Loop \d+")
_OPTIONS = {"top": "top", "part": "part", "clock": "clock_period_ns"}


class HlsProvider(Provider):
    """HLS C and C++ for every front end."""

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        """Lint findings and annotations."""
        return analyze(path, text, settings)

    def steps(self, path: str, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
        """Figures, findings, and last the findings whose fixes were tried."""
        return steps(path, text, settings, near=near)

    def warm_up(self) -> None:
        """Load the model, and run it once."""
        analyze("warm.cpp", "#pragma HLS TOP\nvoid f(int a[4]) { for (int i = 0; i < 4; i++) a[i] = i; }", Settings())

    def hover(self, path: str, text: str, line: int, character: int, settings: Settings) -> Hover | None:
        """What a pragma or an option means."""
        from .pragmas.hover import hover

        return hover(text, line, character)

    def complete(self, path: str, text: str, line: int, character: int, settings: Settings) -> Sequence[Completion]:
        """What may stand in a pragma."""
        from .pragmas.complete import complete

        return complete(text, line, character, settings.hls.tool)

    def signature(self, path: str, text: str, line: int, character: int, settings: Settings) -> Signature | None:
        """The options of the pragma."""
        from .pragmas.signature import signature

        return signature(text, line, character)

    def tokens(self, path: str, text: str, settings: Settings) -> Sequence[Token]:
        """The words of pragmas."""
        from .pragmas.tokens import tokens

        return tokens(text)

    def rewrites(self, path: str, text: str, line: int, settings: Settings) -> Sequence[Fix]:
        """What lifts the bound of the loop at a line, and sets of pragmas that make its nest faster."""
        from .advice.rewrites import rewrites_at
        from .model import Given

        if len(text) > MAX_BYTES or not is_hls(path, text):
            return ()
        try:
            return rewrites_at(Given(path, text, gather(path), settings.hls, {}), line)
        except (SourceError, ConfigError):
            return ()  # the analysis says what is wrong

    def design(self, path: str, text: str, settings: Settings) -> Design:
        """The prediction of the design's top, in this source or in another one of its project."""
        prediction = predict_document(path, text, gather(path), settings)
        return Design(prediction.top, design_figures(prediction))

    def examine_settings(self, path: str, text: str) -> Sequence[Diagnostic]:
        """Unknown sections, keys, parts, tools and values of `hwml.toml` and `hls_config.cfg`."""
        from .project.settings_files import examine

        return examine(path, text)

    def dependents(self, changed: Sequence[Path], candidates: Sequence[Path]) -> list[Path]:
        """Sources that include a changed header."""
        return including(changed, candidates)

    def refuse_comments(self, path: str) -> None:
        """A project's directives may name loops by their line: comments would move the loops away."""
        try:
            directives = gather(path).directives
        except ConfigError:
            return  # the analysis says it
        for item in directives:
            if _NUMBERED.match(item.label):
                raise RefusedError(
                    f"{path}: {item.path} names the loop {item.label} by its line, and comments move lines; "
                    "give the loop a label and name that"
                )

    def with_options(self, settings: Settings, given: Mapping[str, str]) -> Settings:
        """Top, part and clock; the clock as `3.33`, `3.33ns` or `300MHz`."""
        values: dict[str, Any] = {_OPTIONS[name]: value for name, value in given.items()}
        if "clock" in given:
            values["clock_period_ns"] = parse_clock(given["clock"])
        return merge(settings, {"hls": values}, origin="command line") if values else settings


PROVIDER = HlsProvider()
