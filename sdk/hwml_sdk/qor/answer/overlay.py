"""A prediction with the figures of another model in it; what only the default model says of a design stays."""

from __future__ import annotations

import math
from dataclasses import replace

from ..learned.encoder.head import TARGETS, Figures
from ..tool.labels import LABELS
from .answer import fits, part_or_none
from .types import Certainty, Interval, QorPrediction

# A language model's answer has the uncertainty that was measured on groups it never saw, and no further reason.
_WHY = Certainty("guessed", ("read off the text by a language model",))


def with_figures(
    prediction: QorPrediction, figures: Figures, row: int, model: str, *, uram: float, least_cycles: float
) -> QorPrediction:
    """`prediction` with LUT, DSP, FF and latency of `figures`, row `row`; loops, BRAM and URAM stay as they are.

    least_cycles: what the rounds of the source's loops take; a latency below it is told, and left as the model says it.
    """
    value = {name: float(figures.value[row, index]) for index, name in enumerate(TARGETS)}
    ends = {name: item for name, item in prediction.intervals.items() if name not in value}
    for index, name in enumerate(TARGETS):
        low, high = float(figures.low[row, index]), float(figures.high[row, index])
        if math.isfinite(low) and math.isfinite(high):  # a folder trained elsewhere brings no intervals
            ends[name] = Interval(low, high)
    known = {name: value.get(name, getattr(prediction, name)) for name in LABELS}
    unlike = float(figures.unlike[row])
    least, again = _scaled(prediction, value["latency_cycles"])
    notes = [f"LUT, DSP, FF and latency are those of {model}; loops and BRAM are the default model's"]
    if value["latency_cycles"] < least_cycles:
        notes.append(f"the loops alone take {least_cycles:,.0f} cycles: the latency of {model} is too low")
    change = {name: sure.change for name, sure in prediction.certainty.items()}
    return replace(
        prediction,
        lut=value["lut"], dsp=value["dsp"], ff=value["ff"], latency_cycles=value["latency_cycles"],
        intervals=ends, model=model,
        unlike_score=prediction.unlike_score if math.isnan(unlike) else unlike,
        fits_part=fits(part_or_none(prediction.part), known, uram),
        warnings=(*notes, *prediction.warnings),
        reasons={name: causes for name, causes in prediction.reasons.items() if name not in value},
        certainty={**prediction.certainty, **{n: replace(_WHY, change=change.get(n, 1.0)) for n in value}},
        latency_min_cycles=least, interval_cycles=again,
    )  # fmt: skip


def _scaled(prediction: QorPrediction, latency: float) -> tuple[float | None, float | None]:
    """(least latency, cycles from start to start), which follow the latency and never contradict it."""
    if not prediction.latency_cycles:
        return None, None
    share = latency / prediction.latency_cycles
    least, again = prediction.latency_min_cycles, prediction.interval_cycles
    return (
        None if least is None else min(round(least * share), latency),
        None if again is None else min(round(again * share), latency + 1),
    )
