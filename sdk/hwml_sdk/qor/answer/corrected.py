"""A closed form and its correction, put together to the answer that people get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...config import HlsSettings
from ..closed_form.estimate import Estimate
from ..closed_form.minimum import minimum_cycles
from ..learned.correct import Correction
from ..tool.labels import LABELS
from .answer import (
    all_loops,
    certainty,
    contributions,
    dominant,
    fits,
    functions_of,
    interval,
    part_notes,
    part_or_none,
    reasons_of,
    warnings,
    whole_of,
)
from .spread import Spread, spread_parts
from .types import Interval, QorPrediction


def prediction_of(
    estimate: Estimate,
    correction: Correction,
    settings: HlsSettings,
    unseen: Sequence[str],
    notes: Sequence[str],
    model: str,
) -> QorPrediction:
    """The  unseen: settings that no training design had; notes: what was assumed; model: its name."""
    closed = estimate.figures()
    reasons = reasons_of(estimate.unknown)
    known = [target for target in LABELS if closed[target] is not None]
    part = part_or_none(settings.part)
    found = {name: correction.value[name] if name in known else None for name in LABELS}
    ends = {target: interval(correction, target) for target in known}
    times = _times(estimate, found["latency_cycles"], ends.get("latency_cycles"))
    if times is not None:
        found["latency_cycles"], ends["latency_cycles"] = times.latency_cycles, times.ends
    whole = whole_of(estimate)
    functions, loops = spread_parts(
        functions_of(estimate, whole), all_loops(estimate, whole), _spreads(correction, found, ends)
    )
    return QorPrediction(
        lut=found["lut"], dsp=found["dsp"], ff=found["ff"], latency_cycles=found["latency_cycles"],
        bram_18k=found["bram_18k"],
        intervals=ends,
        top=estimate.top.function.name, part=settings.part, clock_period_ns=settings.clock_period_ns,
        tool=settings.tool, tool_version=settings.tool_version, stage=settings.stage, model=model,
        closed_form=closed, unlike_score=correction.unlike_score, fits_part=fits(part, found, estimate.uram),
        dominant=dominant(estimate),
        functions=functions,
        uram=estimate.uram if "bram_18k" in known else None,
        loops=loops,
        explain=contributions(estimate, found, whole),
        warnings=warnings(estimate, correction, unseen, (*notes, *part_notes(part))),
        reasons=reasons, certainty=certainty(correction, reasons),
        latency_min_cycles=times.least_cycles if times is not None else estimate.latency_min_cycles,
        interval_cycles=times.interval_cycles if times is not None else estimate.interval_cycles,
    )  # fmt: skip


def _spreads(
    correction: Correction, found: Mapping[str, float | None], ends: Mapping[str, Interval]
) -> dict[str, Spread]:
    """How far each target's interval reaches; where the design has no figure, its parts may have one."""
    spreads = {}
    for name in LABELS:
        value = found[name]
        if value is not None and name in ends:
            spreads[name] = Spread.of(value, ends[name].low, ends[name].high)
        else:
            spreads[name] = Spread.of(correction.value[name], correction.low[name], correction.high[name])
    return spreads


@dataclass(frozen=True, slots=True)
class _Times:
    """What is said of a design's cycles; none of it contradicts another part."""

    latency_cycles: float
    ends: Interval
    least_cycles: float | None
    interval_cycles: float | None


def _times(estimate: Estimate, corrected: float | None, given: Interval | None) -> _Times | None:
    """Cycles after the correction; None where the latency is not known.

    What is done within one state takes no cycle, and nothing is quicker than the rounds of its loops: an end of the
    interval that is below them was no knowledge, so that the closed form stands in for it. The least latency follows
    the correction of the largest; a design that starts anew when it has ended does so a cycle after it.
    """
    closed = estimate.latency_cycles
    if closed is None or corrected is None or given is None:
        return None
    least = minimum_cycles(estimate.top)
    latency = max(corrected, least) if closed else 0.0
    high = given.high if given.high >= least else max(closed, least)
    ends = Interval(max(given.low, least), max(high, latency))
    lowest, interval = estimate.latency_min_cycles, estimate.interval_cycles
    if lowest is not None and closed:
        lowest = min(round(lowest * latency / closed), latency)
    if interval is not None:
        interval = latency + 1 if interval > closed else min(interval, latency + 1)
    return _Times(latency, ends, lowest, interval)
