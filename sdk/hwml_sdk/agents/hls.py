"""The tools for HLS C and C++: figures, findings, why a loop has its initiation interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..amounts import whole
from ..document import Analysis
from ..languages import HLS
from ..qor.answer.render import flat_loops
from ..qor.answer.types import LoopQor, QorPrediction, interval_json, plain_number, reasons_json
from ..qor.kernels import predict_document, prediction_or_none
from ..qor.lint.run import lint_source
from ..qor.project.inputs import Inputs, gather
from ..qor.provider import read_and_predict
from ..qor.tool.labels import json_key
from ..report import SCHEMA_VERSION
from .findings import findings
from .sources import Folders, Source, source_of
from .work import Tell

# Findings that say why a loop is slower than it was asked to be.
_ABOUT_II = frozenset({"HLS102", "HLS118", "HLS119", "HLS120"})


@dataclass(frozen=True, slots=True)
class Opened:
    """An HLS source with all that its project says of it."""

    source: Source
    inputs: Inputs

    @classmethod
    def of(cls, source: Source) -> Opened:
        """Raises ConfigError for a project that cannot be read."""
        return cls(source, gather(source.path) if source.is_file else Inputs())

    def predict(self) -> QorPrediction:
        """Raises SourceError, ConfigError, ArtifactError."""
        return predict_document(self.source.path, self.source.text, self.inputs, self.source.settings)

    def lint(self) -> tuple[Analysis, ...]:
        """Findings of the source, first, and of the files it includes, with fixes that were tried."""
        about = (self.source.path, self.source.text, self.inputs, self.source.settings)
        design, prediction = read_and_predict(*about)
        return lint_source(
            self.source.text,
            path=self.source.path,
            files=self.inputs.files,
            include_dirs=self.inputs.include_dirs,
            defines=self.inputs.defines,
            directives=self.inputs.directives,
            estimate=prediction,
            settings=self.source.settings,
            program=design.program,
            predict=lambda text: prediction_or_none(self.source.path, text, self.inputs, self.source.settings),
        )


def predict(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`predict_qor`."""
    opened = Opened.of(source_of(arguments, folders, HLS))
    tell(1, 2, "read")
    return prediction_json(opened.predict(), opened)


def prediction_json(prediction: QorPrediction, opened: Opened) -> dict[str, Any]:
    """What an agent needs of a prediction; all of it is `hwml qor --json`."""
    told = {**prediction.intervals, **dict.fromkeys(prediction.certainty)}
    return {
        **figures(prediction),
        "schema_version": SCHEMA_VERSION,
        "path": opened.source.path,
        "top": prediction.top,
        "part": prediction.part,
        "clock_period_ns": plain_number(prediction.clock_period_ns),
        "tool": prediction.tool,
        "tool_version": prediction.tool_version,
        "stage": prediction.stage,
        "intervals": {json_key(name): _sure(prediction, name) for name in told},
        "reasons": reasons_json(prediction.reasons),
        "fits_part": prediction.fits_part,
        "dominant": prediction.dominant,
        "loops": [_loop(loop, level) for level, loop in flat_loops(prediction.loops)],
        "warnings": [*prediction.warnings, *opened.inputs.notes],
        "origins": dict(prediction.origins),
    }


def figures(prediction: QorPrediction) -> dict[str, int | None]:
    """The figures of a design, under the keys that all of hwml's JSON has for them."""
    return {
        "LUT": whole(prediction.lut),
        "DSP": whole(prediction.dsp),
        "FF": whole(prediction.ff),
        "bram_18k": whole(prediction.bram_18k),
        "uram": whole(prediction.uram),
        "latency_cycles": whole(prediction.latency_cycles),
        "interval_cycles": whole(prediction.interval_cycles),
    }


def _sure(prediction: QorPrediction, name: str) -> dict[str, Any]:
    interval, sure = prediction.intervals.get(name), prediction.certainty.get(name)
    ends = {"low": None, "high": None} if interval is None else interval_json(interval)
    kind, why = ("counted", ()) if sure is None else (sure.kind, sure.reasons)
    return {**ends, "class": kind, "reasons": list(why)}


def _loop(loop: LoopQor, level: int) -> dict[str, Any]:
    return {
        "name": loop.name,
        "function": loop.function,
        "line": loop.span.start_line + 1,
        "level": level,
        "trip_count": plain_number(loop.trip_count, 3),
        "pipelined": loop.pipelined,
        "ii": None if loop.ii_is_guess else loop.ii,
        "ii_is_guess": loop.ii_is_guess,
        "ii_bound_by": loop.ii_bound_by,
        "unroll_factor": loop.unroll_factor,
        "iteration_cycles": plain_number(loop.depth, 1),
        "total_cycles": whole(loop.total_cycles),
        "share": plain_number(loop.share, 4),
        "notes": [*loop.notes, *loop.reasons],
    }


def lint(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`lint_hls`."""
    opened = Opened.of(source_of(arguments, folders, HLS))
    tell(1, 2, "read")
    own, *others = opened.lint()
    found: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "path": opened.source.path,
        "findings": findings(own.diagnostics, opened.source.text, opened.source.path),
        "notes": [*own.notes, *opened.inputs.notes],
    }
    elsewhere = {item.path: findings(item.diagnostics, None, item.path) for item in others if item.diagnostics}
    return {**found, "elsewhere": elsewhere} if elsewhere else found


def all_loops(prediction: QorPrediction) -> list[LoopQor]:
    """Every loop once, in the order of the text."""
    listed = [*prediction.loops, *(loop for function in prediction.functions for loop in function.loops)]
    found = {(loop.path, loop.span, loop.name): loop for _, loop in flat_loops(listed)}
    return [found[mark] for mark in sorted(found)]
