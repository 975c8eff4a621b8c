"""Everything hwml says about one HLS document: lint findings, and labels for functions and loops.

Files without any sign of HLS get no answer; nothing a document holds raises an error here, it becomes a note.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import HlsSettings, Settings, merge
from ..document import (
    Analysis,
    Completion,
    Design,
    Diagnostic,
    Fix,
    Hover,
    Provider,
    Signature,
    Step,
    Token,
)
from ..errors import ArtifactError, ConfigError, HwmlError, RefusedError, SourceError
from .answer.shown import Shown, design_figures
from .answer.types import QorPrediction
from .learned.calibration import calibration_state
from .project.hardware import is_hls, why_not_hls
from .project.includes import including
from .project.inputs import Inputs, gather
from .project.values import parse_clock
from .read.focus import focused
from .reports.attach import with_actual
from .reports.beside import reports_seen

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, MutableMapping, Sequence

    from .model import OpenDesign, QorModel
    from .read.again import Edit, Whole

MAX_BYTES = 2 * 1024 * 1024


def analyze(path: str, text: str, settings: Settings) -> Analysis:
    """Lint findings and annotations of one document. Raises only for a broken installation (ArtifactError)."""
    *_, last = steps(path, text, settings)
    return last.analysis


def steps(
    path: str, text: str, settings: Settings, *, near: int = 0, kept: MutableMapping[str, Whole] | None = None
) -> Iterator[Step]:
    """The same bit by bit: figures, findings, and last the findings whose fixes were tried.

    kept: what earlier answers left, by path; of a text that differs from the one before in a function, that is read.
    """
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
        about = None if kept is None else _surroundings(path, inputs, settings)
        whole = None if kept is None or about is None else kept.get(path)
        edit = None if whole is None else _edit_of(whole, text, about)
        following = (yield from _edited(edit, path, inputs, settings, near)) if edit is not None else None
        if following is None:
            yield from _first_look(path, text, inputs, settings, near)
            following = yield from _steps(path, text, inputs, settings, near, about)
        if kept is not None and following is not None:
            _keep(kept, path, following)
    except (SourceError, ConfigError) as error:
        yield Step(Analysis(path, "hls", notes=(str(error),)))


def _edit_of(whole: Whole, text: str, about: object) -> Edit | None:
    """See `read.again`, which only who asks twice has to load."""
    from .read.again import edit_of

    return edit_of(whole, text, about)


MAX_KEPT = 16  # documents


def _keep(kept: MutableMapping[str, Whole], path: str, whole: Whole) -> None:
    while len(kept) >= MAX_KEPT:
        kept.pop(next(iter(kept)), None)
    kept[path] = whole


def _surroundings(path: str, inputs: Inputs, settings: Settings) -> object:
    """All that an answer depends on beside the text and the files it includes; None where nothing of it is kept."""
    if settings.hls.top or inputs.directives or inputs.files or settings.hls.model != HlsSettings().model:
        return None
    return settings, inputs, reports_seen(Path(path)), calibration_state(Path(path))


def _edited(
    edit: Edit, path: str, inputs: Inputs, settings: Settings, near: int
) -> Generator[Step, None, Whole | None]:
    """The answer where only the functions that an edit may have changed are read; None where all have to be."""
    from .lint.run import lint_files
    from .read.again import agrees, followed, together, top_of, with_all_ports

    design, problem = _open(path, edit.text, inputs, settings)
    top = None if problem or not agrees(edit, design.program) else top_of(edit, design.program)
    if top is None:
        return None
    shown = Shown(path, design.program)
    first: QorPrediction | None = None
    own = design.program.pragmas
    design.program.pragmas = with_all_ports(edit, design.program)
    for predictions in _kernels(design, edit.full, settings, near, top=top):
        first = next((item for item in predictions if item.top == top), first)
        shown.add(predictions)
    design.program.pragmas = own
    if len(design.program.problems) > bool(design.program.faults):
        return None  # something could not be estimated
    faults = design.program.faults
    yield Step(Analysis(path, "hls", annotations=shown.annotations(), faults=faults), annotations_done=False)
    found = lint_files(design.program, estimate=first, settings=settings)
    fixes = sum(len(item.fixes) for item in found.get(path, ()))
    tried = _tried(edit.text, design, inputs, settings, found, first, edit.whole.steps)
    notes = _notes(design, inputs, found, path, "")
    before = edit.whole.analysis
    analysis = replace(before, diagnostics=tried, annotations=shown.annotations(), notes=notes, faults=faults)
    whole = together(edit, analysis, fixes=fixes)
    if whole is None:
        return None
    yield Step(whole[0], again=whole[1])
    return followed(edit, whole[0], design.program, top=top, fixes=fixes)


def _tried(
    text: str, design: OpenDesign, inputs: Inputs, settings: Settings, found: Mapping[str, tuple[Diagnostic, ...]],
    first: QorPrediction | None, steps: int,
) -> tuple[Diagnostic, ...]:  # fmt: skip
    """The document's findings with those of their fixes that hold. steps: of work, to read and lint all of it."""
    from .kernels import prediction_or_none
    from .lint.run import lint_files, try_fixes, verify_fixes
    from .model import open_design

    path = design.program.path
    # Fixes are tried on the model that answers at once: of a language model each trial would be a text more to embed.
    quick = replace(settings, hls=replace(settings.hls, model=HlsSettings().model))

    def check(changed: str) -> list[Diagnostic]:
        again = open_design(changed, path=path, inputs=inputs, settings=design.settings)
        return _all(lint_files(again.program, settings=settings))

    def predict(changed: str) -> QorPrediction | None:
        return prediction_or_none(path, changed, inputs, quick)

    borne_out = try_fixes(text, path, found.get(path, ()), first, predict, steps=steps)
    return verify_fixes(text, borne_out, check, before=_all(found), steps=steps)


def _first_look(path: str, text: str, inputs: Inputs, settings: Settings, near: int) -> Iterator[Step]:
    """Figures of what stands around a line of a long text, before all of it is read; nothing where that is no gain."""
    some = None if settings.hls.top or inputs.directives or inputs.files else focused(text, near)
    if some is None:
        return
    try:
        design, problem = _open(path, some, inputs, settings)
        if problem:
            return
        shown = Shown(path, design.program)
        for predictions in _kernels(design, text, settings, near):
            shown.add(predictions)
            break
    except (SourceError, ConfigError, ArtifactError):
        return  # the analysis of the whole text tells it
    yield Step(Analysis(path, "hls", annotations=shown.annotations()), annotations_done=False)


def _steps(
    path: str, text: str, inputs: Inputs, settings: Settings, near: int, about: object
) -> Generator[Step, None, Whole | None]:
    # Loading the rules takes as long as predicting a kernel, and who only predicts needs none of them.
    from .lint.run import lint_files, reading_steps
    from .model import loaded_model

    design, problem = _open(path, text, inputs, settings)
    shown = Shown(path, design.program)
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
    steps = reading_steps(design.program)
    final = replace(analysis, diagnostics=_tried(text, design, inputs, settings, found, first, steps))
    yield Step(final, waits_s=0.0 if problem or broken is not None else loaded_model(settings.hls.model).waits_s)
    if broken is not None:
        raise broken
    if not problem:
        yield from _replaced(final, design, text, settings, near)
    if about is None or first is None:
        return None
    from .read.again import remembered

    fixes = sum(len(item.fixes) for item in analysis.diagnostics)
    return remembered(text, final, design.program, about, top=first.top, fixes=fixes, steps=steps)


def _replaced(analysis: Analysis, design: OpenDesign, text: str, settings: Settings, near: int) -> Iterator[Step]:
    """The figures of a model that is not there at once, in place of the default model's."""
    from .model import loaded_model

    model = loaded_model(settings.hls.model)
    if model.first is model:
        return
    shown = Shown(analysis.path, design.program)
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
    design: OpenDesign, text: str, settings: Settings, near: int, *, slow: bool = False, top: str = ""
) -> Iterator[list[QorPrediction]]:
    """Predictions in batches; origins say where each assumption came from. slow: not those that are there at once.

    top: the design's, where it is known.
    """
    from .kernels import predict_kernels, with_origins
    from .model import loaded_model

    model = loaded_model(settings.hls.model)
    model = model if slow else model.first
    for batch in predict_kernels(model, design, near=near, top=top):
        yield [with_origins(_reported(model, prediction, design, text), settings) for prediction in batch]


def _reported(model: QorModel, prediction: QorPrediction, design: OpenDesign, text: str) -> QorPrediction:
    """With the tool's report beside it, where the source has one."""

    def again(changes: Mapping[str, Any]) -> QorPrediction:
        return model.predict_design(design.at({**changes, "top": prediction.top}))

    path, project = Path(design.program.path), None if design.project is None else design.project.path
    return with_actual(prediction, path, again, text=text, project=project, remember=True)


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


def read_and_predict(
    path: str, text: str, inputs: Inputs, settings: Settings
) -> tuple[OpenDesign, QorPrediction | None]:
    """A document read once, for rules that look at its program and at a prediction of it, which may be None.

    Raises SourceError for what is no text.
    """
    from .kernels import with_origins
    from .model import loaded_model

    design, problem = _open(path, text, inputs, settings)
    if problem:
        return design, None
    try:
        prediction = loaded_model(settings.hls.model).predict_design(design)
    except HwmlError:
        return design, None
    return design, with_origins(prediction, settings)


# How Vitis HLS and Vivado HLS name loops without a label.
_NUMBERED = re.compile(r"VITIS_LOOP_\d+_\d+|Loop \d+")
_OPTIONS = {"top": "top", "part": "part", "clock": "clock_period_ns"}


class HlsProvider(Provider):
    """HLS C and C++ for every front end."""

    def __init__(self) -> None:
        self._kept: dict[str, Whole] = {}

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        """Lint findings and annotations."""
        return analyze(path, text, settings)

    def steps(self, path: str, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
        """Figures, findings, and last the findings whose fixes were tried."""
        return steps(path, text, settings, near=near, kept=self._kept)

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
        from .kernels import predict_document

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
