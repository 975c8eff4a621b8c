"""Everything hwml says about one HLS document: lint findings, and labels for functions and loops.

Files without any sign of HLS get no answer; nothing a document holds raises an error here, it becomes a note.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import FILE_NAME, PROJECT_FILE, Settings, find_upwards
from ..document import Analysis, Annotation, Diagnostic
from ..errors import ConfigError, HwmlError, SourceError
from .inputs import Inputs, gather
from .render import (
    function_detail,
    function_json,
    function_label,
    loop_detail,
    loop_json,
    loop_label,
    prediction_detail,
    prediction_json,
    prediction_label,
)
from .types import FunctionQor, LoopQor, QorPrediction

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 2 * 1024 * 1024
_HLS_SIGN = re.compile(
    r"^[ \t]*#[ \t]*pragma[ \t]+(?:HLS|ACCEL)\b"
    r"|^[ \t]*#[ \t]*include[ \t]*[<\"](?:ap_(?:int|fixed|axi\w*|cint)|hls_\w+|hls/\w+|ac_(?:int|fixed|channel))",
    re.IGNORECASE | re.MULTILINE,
)


def analyze(path: str, text: str, settings: Settings) -> Analysis:
    """Lint findings and annotations of one document. Raises only for a broken installation (ArtifactError)."""
    if len(text) > MAX_BYTES:
        note = f"{len(text) / 1e6:.1f} MB: files over {MAX_BYTES >> 20} MB are left alone in the editor"
        return Analysis(path, "hls", notes=(note,))
    if not _is_hls(path, text):
        return Analysis(path, "hls")
    try:
        inputs = gather(path)
    except ConfigError as error:
        inputs = Inputs(notes=(str(error),))
    try:
        return _analyze(path, text, inputs, settings)
    except (SourceError, ConfigError) as error:
        return Analysis(path, "hls", notes=(str(error),))


def _is_hls(path: str, text: str) -> bool:
    """Pragmas or headers of HLS in the text, or a project that says it is about hardware."""
    if _HLS_SIGN.search(text):
        return True
    folder = Path(path).absolute().parent
    project = find_upwards(folder, PROJECT_FILE)
    return (project is not None and gather_covers(path, project)) or (folder / FILE_NAME).is_file()


def gather_covers(path: str, project: Path) -> bool:
    """Whether a project file names this source, or names none at all."""
    from .inputs import covers
    from .project import read_project

    try:
        return covers(read_project(project), Path(path))
    except ConfigError:
        return True  # let the error be told


def _analyze(path: str, text: str, inputs: Inputs, settings: Settings) -> Analysis:
    from .lint import lint_source

    prediction, problem = None, ""
    try:
        prediction = predict_document(path, text, inputs, settings)
    except (SourceError, ConfigError) as error:
        problem = str(error)
    analyses = lint_source(
        text,
        path=path,
        files=inputs.files,
        include_dirs=inputs.include_dirs,
        defines=inputs.defines,
        directives=inputs.directives,
        estimate=prediction,
        settings=settings,
    )
    own = analyses[0]
    notes = [*own.notes, *inputs.notes, *([problem] if problem else [])]
    for other in analyses[1:]:
        notes += [_elsewhere(other.path, item) for item in other.diagnostics if item.severity in ("error", "warning")]
    annotations = tuple(_annotations(prediction, path)) if prediction is not None else ()
    return replace(own, annotations=annotations, notes=tuple(dict.fromkeys(notes)))


def _elsewhere(path: str, item: Diagnostic) -> str:
    return f"{path}:{item.span.start_line + 1}: {item.code}: {item.message}"


def _annotations(prediction: QorPrediction, path: str) -> Iterator[Annotation]:
    for function in prediction.functions:
        if function.path != path:
            continue
        if function.name == prediction.top:
            label, detail, data = (
                prediction_label(prediction), prediction_detail(prediction), prediction_json(prediction),
            )  # fmt: skip
        else:
            label, detail, data = function_label(function), function_detail(function), function_json(function)
        yield Annotation("function", function.name, function.span, label, detail, data)
    for loop in _all_loops(prediction):
        if loop.path == path:
            yield Annotation("loop", loop.name, loop.span, loop_label(loop), loop_detail(loop), loop_json(loop))


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
    from .model import predict_text

    prediction = predict_text(text, path=path, inputs=inputs, settings=settings.hls)
    names = ("part", "clock_period_ns", "tool", "tool_version", "stage", "top")
    return replace(prediction, origins={name: settings.origin(f"hls.{name}") for name in names})


def prediction_or_none(path: str, text: str, inputs: Inputs, settings: Settings) -> QorPrediction | None:
    """A prediction for rules that can do without: None where there is nothing to predict."""
    try:
        return predict_document(path, text, inputs, settings)
    except HwmlError:
        return None
