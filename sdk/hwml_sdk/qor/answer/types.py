"""What a QoR prediction is made of: plain frozen data, no behaviour beyond turning itself into JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...amounts import Interval, whole
from ...report import SCHEMA_VERSION, span_json
from ...text import Span
from ..closed_form.causes import Cause
from ..closed_form.schedule.bounds import Circuit
from ..tool.labels import LABELS, json_key
from .actual import Actual

__all__ = ["UNKNOWN", "Certainty", "Contribution", "FunctionQor", "Interval", "LoopQor", "QorPrediction"]


@dataclass(frozen=True, slots=True)
class LoopQor:
    """One loop as the tool would build it.

    trip_count: iterations after unrolling is undone (the source's count), on average over its entries; None when
    nothing tells it. trip_count_min, trip_count_max: the least and the most, which `cycles` are counted with.
    ii: initiation interval in cycles, None when not pipelined or when it would be a guess (`ii_is_guess`): then
    `ii_guess` is what `cycles` are counted with.
    depth: cycles of one iteration. cycles: the whole loop, all entries from outside counted once.
    share: part of the total latency, 0 to 1. total_cycles: `cycles` times how often the loop is entered.
    reasons: why its cycles are not known. circuit: of the recurrence that bounds the II.
    interval: of `total_cycles`, 80 %. cause: what sets its II, or why it has none; None of what is unrolled.
    """

    name: str
    function: str
    path: str
    span: Span
    trip_count: float | None
    pipelined: bool
    ii: int | None
    ii_is_guess: bool
    ii_bound_by: str
    unroll_factor: int
    depth: float | None
    cycles: float | None
    total_cycles: float | None
    share: float | None
    notes: tuple[str, ...] = ()
    loops: tuple[LoopQor, ...] = ()
    reasons: tuple[str, ...] = ()
    trip_count_min: float | None = None
    trip_count_max: float | None = None
    circuit: Circuit | None = None
    ii_guess: int | None = None
    interval: Interval | None = None
    cause: Cause | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the loops inside."""
        return loop_json(self)


@dataclass(frozen=True, slots=True)
class FunctionQor:
    """One function as the tool would build it: closed-form area of one instance, and its loops.

    cycles: its largest latency; interval_cycles: from one start to the next.
    reasons: why figures are None, by their names in `LABELS`. intervals: of those that are known, 80 %.
    """

    name: str
    path: str
    span: Span
    lut: float | None
    dsp: float | None
    ff: float | None
    bram_18k: float | None
    cycles: float | None
    inlined: bool
    loops: tuple[LoopQor, ...] = ()
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uram: float | None = None
    interval_cycles: float | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return function_json(self)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one construct adds, in the user's words: e.g. "unroll factor 8 of loop mac": +24 DSP."""

    what: str
    target: str
    amount: float
    span: Span | None = None


UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Certainty:
    """Why a figure is no surer. kind: `counted`, `guessed`, `impl`, `merlin`, or `unknown` where there is no figure.

    change: factor of the interval of a change between two texts (`amounts.change_of`).
    """

    kind: str
    reasons: tuple[str, ...] = ()
    change: float = 1.0


@dataclass(frozen=True, slots=True)
class QorPrediction:
    """Predicted resources and latency of one HLS kernel.

    lut, dsp, ff, bram_18k, uram: counts on the part. latency_cycles: start to done, every loop at its largest number of
    rounds (csynth's maximum); latency_min_cycles: at its least. interval_cycles: from one start to the next. None: not
    known, `reasons` says why (a call that was not read, a trip count nobody can tell), by target.
    intervals: 80 % interval per target; certainty: what makes it as wide as it is.
    closed_form: the estimate before the learned correction, per target.
    unlike_score: 0 (like the training data) to 1 (unlike all of it).
    loops: as trees, those of the top function first, then those of the functions it calls.
    origins: where part, clock, tool and stage came from. actual: the tool's report beside the source, if there is one.
    """

    lut: float | None
    dsp: float | None
    ff: float | None
    latency_cycles: float | None
    bram_18k: float | None
    intervals: Mapping[str, Interval]
    top: str
    part: str
    clock_period_ns: float
    tool: str
    tool_version: str
    stage: str
    model: str
    closed_form: Mapping[str, float | None]
    unlike_score: float
    fits_part: bool | None
    dominant: str
    functions: tuple[FunctionQor, ...]
    loops: tuple[LoopQor, ...]
    explain: tuple[Contribution, ...] = ()
    warnings: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uram: float | None = None
    latency_min_cycles: float | None = None
    interval_cycles: float | None = None
    certainty: Mapping[str, Certainty] = field(default_factory=dict)
    actual: Actual | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `LUT`, `DSP`, `FF`, `latency_cycles` as integers (or null), all else under keys of its own."""
        return prediction_json(self)


# -- as JSON -------------------------------------------------------------------------------------------------


def prediction_json(prediction: QorPrediction) -> dict[str, Any]:
    """The spec's four keys (`LUT`, `DSP`, `FF`, `latency_cycles`; integers or null), then everything else."""
    return {
        "LUT": whole(prediction.lut),
        "DSP": whole(prediction.dsp),
        "FF": whole(prediction.ff),
        "latency_cycles": whole(prediction.latency_cycles),
        "schema_version": SCHEMA_VERSION,
        "latency_min_cycles": whole(prediction.latency_min_cycles),
        "interval_cycles": whole(prediction.interval_cycles),
        "bram_18k": whole(prediction.bram_18k),
        "uram": whole(prediction.uram),
        "intervals": {json_key(name): _sure_json(prediction, name) for name in LABELS if _is_told(prediction, name)},
        "top": prediction.top,
        "part": prediction.part,
        "clock_period_ns": plain_number(prediction.clock_period_ns),
        "tool": prediction.tool,
        "tool_version": prediction.tool_version,
        "stage": prediction.stage,
        "model": prediction.model,
        "closed_form": {json_key(name): whole(value) for name, value in prediction.closed_form.items()},
        "unlike_score": plain_number(prediction.unlike_score, 3),
        "fits_part": prediction.fits_part,
        "dominant": prediction.dominant,
        "loops": [loop_json(loop) for loop in prediction.loops],
        "functions": [function_json(function) for function in prediction.functions],
        "explain": [
            {
                "what": item.what,
                "target": json_key(item.target),
                "amount": whole(item.amount),
                "range": None if item.span is None else span_json(item.span),
            }
            for item in prediction.explain
        ],
        "warnings": list(prediction.warnings),
        "origins": dict(prediction.origins),
        "reasons": reasons_json(prediction.reasons),
        **({} if prediction.actual is None else {"actual": prediction.actual.to_dict()}),
    }


def _is_told(prediction: QorPrediction, name: str) -> bool:
    return name in prediction.intervals or name in prediction.certainty


def _sure_json(prediction: QorPrediction, name: str) -> dict[str, Any]:
    """One figure with its interval, its class of certainty and the reasons; null where it is not known."""
    interval, sure = prediction.intervals.get(name), prediction.certainty.get(name, Certainty("counted"))
    ends = interval_json(interval) if interval is not None else {"low": None, "high": None}
    return {"point": whole(getattr(prediction, name)), **ends, "class": sure.kind, "reasons": list(sure.reasons)}


def interval_json(interval: Interval) -> dict[str, int | None]:
    """Both ends, as whole numbers."""
    return {"low": whole(interval.low), "high": whole(interval.high)}


def reasons_json(reasons: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Why figures are null, by their keys in JSON; figures that are known have none."""
    return {json_key(name): list(causes) for name, causes in reasons.items() if causes}


def loop_json(loop: LoopQor) -> dict[str, Any]:
    """One loop and those inside it."""
    return {
        "name": loop.name,
        "function": loop.function,
        "path": loop.path,
        "range": span_json(loop.span),
        "trip_count": plain_number(loop.trip_count, 3),
        "trip_count_min": plain_number(loop.trip_count_min, 3),
        "trip_count_max": plain_number(loop.trip_count_max, 3),
        "pipelined": loop.pipelined,
        "ii": None if loop.ii_is_guess else loop.ii,
        "ii_is_guess": loop.ii_is_guess,
        "ii_guess": loop.ii_guess,
        "ii_bound_by": loop.ii_bound_by,
        "unroll_factor": loop.unroll_factor,
        "depth": plain_number(loop.depth, 1),
        "cycles": whole(loop.cycles),
        "total_cycles": whole(loop.total_cycles),
        "interval": None if loop.interval is None else interval_json(loop.interval),
        "share": plain_number(loop.share, 4),
        "notes": list(loop.notes),
        "cause": None if loop.cause is None else cause_json(loop.cause),
        "reasons": list(loop.reasons),
        "loops": [loop_json(inner) for inner in loop.loops],
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """What sets a loop's speed; a recurrence with its way round."""
    circuit = cause.circuit
    return {
        "kind": cause.kind,
        "text": cause.text,
        "subject": cause.subject,
        "reads": plain_number(cause.reads, 3),
        "writes": plain_number(cause.writes, 3),
        "recurrence": None
        if circuit is None
        else {
            "latency": plain_number(circuit.latency, 3),
            "distance": plain_number(circuit.distance, 3),
            "steps": [{"name": step.name, "cycles": plain_number(step.cycles, 3)} for step in circuit.steps],
        },
    }


def function_json(function: FunctionQor) -> dict[str, Any]:
    """One function: closed-form area of one instance."""
    return {
        "name": function.name,
        "path": function.path,
        "range": span_json(function.span),
        "LUT": whole(function.lut),
        "DSP": whole(function.dsp),
        "FF": whole(function.ff),
        "bram_18k": whole(function.bram_18k),
        "uram": whole(function.uram),
        "cycles": whole(function.cycles),
        "interval_cycles": whole(function.interval_cycles),
        "inlined": function.inlined,
        "intervals": {json_key(name): interval_json(interval) for name, interval in function.intervals.items()},
        "reasons": reasons_json(function.reasons),
    }


def plain_number(value: float | None, digits: int = 6) -> int | float | None:
    """A float for JSON, without noise in its last places; integers without a point."""
    if value is None or not math.isfinite(value):
        return None
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded
