"""What a QoR prediction is made of: plain frozen data, no behaviour beyond turning itself into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...document import Span


@dataclass(frozen=True, slots=True)
class Interval:
    """80 % interval: the true value of unseen code lies inside in about four cases of five (measured, see the card)."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LoopQor:
    """One loop as the tool would build it.

    trip_count: iterations after unrolling is undone (the source's count); None when nothing tells it.
    ii: initiation interval in cycles, None when not pipelined or when it would be a guess (`ii_is_guess`).
    depth: cycles of one iteration. cycles: the whole loop, all entries from outside counted once.
    share: part of the total latency, 0 to 1. total_cycles: `cycles` times how often the loop is entered.
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


@dataclass(frozen=True, slots=True)
class FunctionQor:
    """One function as the tool would build it: closed-form area of one instance, and its loops."""

    name: str
    path: str
    span: Span
    lut: float
    dsp: float
    ff: float
    bram_18k: float
    cycles: float | None
    inlined: bool
    loops: tuple[LoopQor, ...] = ()


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one construct adds, in the user's words: e.g. "unroll factor 8 of loop mac": +24 DSP."""

    what: str
    target: str
    amount: float
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class QorPrediction:
    """Predicted resources and latency of one HLS kernel.

    lut, dsp, ff, bram_18k: counts on the part. latency_cycles: start to done, None when a trip count is unknown.
    intervals: 80 % interval per target. closed_form: the estimate before the learned correction, per target.
    unlike_score: 0 (like the training data) to 1 (unlike all of it); the correction shrinks as it grows.
    loops: as trees, those of the top function first, then those of the functions it calls.
    origins: where part, clock, tool and stage came from.
    """

    lut: float
    dsp: float
    ff: float
    latency_cycles: float | None
    bram_18k: float
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

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: `LUT`, `DSP`, `FF`, `latency_cycles` as integers (or null), all else under keys of its own."""
        from .render import prediction_json

        return prediction_json(self)
