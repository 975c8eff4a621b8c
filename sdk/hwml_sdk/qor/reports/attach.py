"""Put the report of a source, where there is one, beside its prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, HwmlError
from ..answer.types import QorPrediction
from ..tool.parts import find_part
from .beside import is_stale, reports_of

if TYPE_CHECKING:
    from .types import CsynthReport

_SAME_CLOCK = 0.005  # of the period: reports round it to hundredths of a nanosecond
# Predicts the same design with some settings changed, and no report beside it.
Again = Callable[[Mapping[str, Any]], QorPrediction]


def with_actual(
    prediction: QorPrediction,
    path: Path,
    again: Again,
    *,
    text: str | None = None,
    project: Path | None = None,
    remember: bool = False,
) -> QorPrediction:
    """The prediction with the newest report of its top beside it, of several the one made for the same settings.

    Figures beside a report are predicted for the report's part, clock and release. text: what the editor holds.
    """
    if not path.is_file():
        return prediction
    reports = reports_of(path, prediction.top, project=project, remember=remember)
    if not reports:
        return prediction
    from .compare import compare  # most sources have no report

    best = min(reports, key=lambda report: len(changes_to(prediction, report)))
    changes = changes_to(prediction, best)
    try:
        same = again(changes) if changes else prediction
    except HwmlError:  # a part that nobody knows: beside what was assumed is better than not at all
        same, changes = prediction, {}
    assumed = {name: str(getattr(prediction, name)) for name in changes}
    return replace(prediction, actual=compare(same, best, stale=is_stale(best, path, text), assumed=assumed))


def changes_to(prediction: QorPrediction, report: CsynthReport) -> dict[str, Any]:
    """Settings in which a report differs from what was assumed, as far as it says them."""
    found: dict[str, Any] = {}
    if report.part and not same_part(report.part, prediction.part):
        found["part"] = report.part
    clock = report.clock_period_ns
    if clock and abs(clock - prediction.clock_period_ns) > _SAME_CLOCK * clock:
        found["clock_period_ns"] = clock
    if report.tool and report.tool != prediction.tool and prediction.tool in ("vitis_hls", "vivado_hls"):
        found["tool"] = report.tool
    if report.tool_version and report.tool_version != prediction.tool_version:
        found["tool_version"] = report.tool_version
    return found


def same_part(one: str, other: str) -> bool:
    """Whether two names mean one device in one speed; names that the table lacks are compared as they are."""
    if one.lower() == other.lower():
        return True
    try:
        return find_part(one) == find_part(other)
    except ConfigError:
        return False
