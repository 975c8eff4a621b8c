"""Predictions of one document: of its design, or of every kernel in it, each of which is its own top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..config import Settings
from ..errors import HwmlError, SourceError
from ..interrupt import checkpoint
from .answer.assumed import with_assumptions
from .answer.types import QorPrediction
from .model import OpenDesign, QorModel, loaded_model
from .program import ir
from .program.budget import DOCUMENT_STEPS, TOP_STEPS, Work
from .program.facts import reached
from .program.tops import called_functions
from .project.inputs import Inputs

FIRST_BATCH = 6  # about what a screen shows
BATCH = 48


def predict_document(path: str, text: str, inputs: Inputs, settings: Settings) -> QorPrediction:
    """Predict the text of one document with its project and settings; origins say where each assumption came from.

    Raises SourceError or ConfigError for what the document or its settings hold, ArtifactError for a broken model.
    """
    model = loaded_model(settings.hls.model)
    prediction = model.predict_text(text, path=path, inputs=inputs, settings=settings.hls)
    return with_origins(model.with_report(prediction, Path(path), text, inputs=inputs, settings=settings.hls), settings)


def prediction_or_none(path: str, text: str, inputs: Inputs, settings: Settings) -> QorPrediction | None:
    """A prediction for rules that can do without: None where there is nothing to predict."""
    try:
        return predict_document(path, text, inputs, settings)
    except HwmlError:
        return None


def with_origins(prediction: QorPrediction, settings: Settings) -> QorPrediction:
    """The prediction, which says where each of its assumptions came from."""
    names = ("part", "clock_period_ns", "tool", "tool_version", "stage", "top")
    return with_assumptions(replace(prediction, origins={name: settings.origin(f"hls.{name}") for name in names}))


def predict_kernels(
    model: QorModel, design: OpenDesign, *, near: int = 0, top: str = ""
) -> Iterator[list[QorPrediction]]:
    """The design's top, then every other function of the file that nothing calls, nearest to line `near` first.

    Numbers are those of `hwml qor FILE --top NAME`. Comes in batches, so that a file of a thousand functions shows
    its first figures at once. top: the design's, where it is known; it may be none of those that were read.
    Raises SourceError when there is no function, ArtifactError for a broken model.
    """
    first = design.program.functions.get(top) if top else design.top()
    others = sorted(_others(design, first), key=lambda function: abs(function.span.start_line - near))
    work = Work(DOCUMENT_STEPS)
    yield _batch(model, design, [*([first] if first is not None else []), *others[:FIRST_BATCH]], work)
    for start in range(FIRST_BATCH, len(others), BATCH):
        yield _batch(model, design, others[start : start + BATCH], work)


def _batch(model: QorModel, design: OpenDesign, tops: Sequence[ir.Function], work: Work) -> list[QorPrediction]:
    """Predictions of some functions; one that cannot be estimated is noted, and keeps no other from its figures."""
    estimates = []
    for place, top in enumerate(tops):
        checkpoint()
        if work.left <= 0:
            names = ", ".join(left_out.name for left_out in tops[place:])
            verb = "is" if place == len(tops) - 1 else "are"
            why = "the functions before took all the work one document may cause"
            _note(design, top, f"{names} {verb} not estimated: {why}")
            break
        try:
            estimate = design.estimate(top)
        except SourceError as error:
            _note(design, top, f"{top.name} is not estimated: {error}")
            continue
        work.left -= TOP_STEPS + estimate.steps
        estimates.append(estimate)
    return model.correct(design, estimates)


def _note(design: OpenDesign, top: ir.Function, what: str) -> None:
    design.program.problems.append(ir.Problem(what, top.path, top.name_span, "info"))


def _others(design: OpenDesign, top: ir.Function | None) -> Iterator[ir.Function]:
    """Functions of the document itself that are a design of their own: hardware may call them, nothing here does."""
    program = design.program
    taken = called_functions(program) | (set(reached(program, top)) if top is not None else set()) | {"main"}
    for name, function in program.functions.items():
        if function.path == program.path and name not in taken and not function.template_params and "?" not in name:
            yield function
