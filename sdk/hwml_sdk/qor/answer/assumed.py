"""What it costs that nobody stated the clock: the answer is for the default one, and the report for another.

`python -m sdk.train qor assumed --data DIR` predicts designs whose reports were made at another clock with the default
one; COST is what four of five stay within, a tenth on either side, groups weighing equally. Part and release cost
nothing that can be measured beside the clock: what they change is among the errors of every answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...amounts import Interval
from .spread import Spread, spread_parts
from .types import LoopQor, QorPrediction

Sides = tuple[float, float]

# Of log(1 + figure), below and above. Of cycles: of those that hang on the clock (`clocked_share`).
COST: Mapping[str, Sides] = {
    "latency_cycles": (0.0, 0.707), "lut": (0.056, 0.159), "dsp": (0.387, 0.0), "ff": (0.0, 1.303),
}  # fmt: skip
NO_COST: Sides = (0.0, 0.0)
CLOCK = "the clock is assumed"
HINT = "State the clock (--clock, or clock_period_ns in hwml.toml)"
TOLD_FROM = 1.1  # factor by which stating the clock narrows an interval, from which it is worth a line


def with_assumptions(prediction: QorPrediction) -> QorPrediction:
    """The prediction with intervals that cover what is assumed, where its origins say that nobody stated the clock."""
    if prediction.origins.get("clock_period_ns", "default") != "default":
        return prediction
    cost = costs(prediction)
    ends = {name: _wider(getattr(prediction, name), item, cost[name]) for name, item in prediction.intervals.items()}
    spreads = {
        name: Spread.of(value, ends[name].low, ends[name].high)
        for name in ends
        if (value := getattr(prediction, name)) is not None
    }
    sure = {
        name: replace(item, reasons=(*item.reasons, CLOCK))
        if max(cost.get(name, NO_COST)) > 0 and name in ends
        else item
        for name, item in prediction.certainty.items()
    }
    if set(spreads) != set(prediction.intervals) or "latency_cycles" not in spreads:
        return replace(prediction, intervals=ends, certainty=sure)
    functions, loops = spread_parts(prediction.functions, prediction.loops, spreads)
    said = (*prediction.warnings, *_hint(prediction.intervals, ends))
    return replace(prediction, intervals=ends, certainty=sure, functions=functions, loops=loops, warnings=said)


def costs(prediction: QorPrediction) -> dict[str, Sides]:
    """Of each target, in log(1 + figure), below and above."""
    share = clocked_share(prediction.loops, prediction.latency_cycles)
    found = {name: COST.get(name, NO_COST) for name in prediction.intervals}
    below, above = found.get("latency_cycles", NO_COST)
    return found | ({"latency_cycles": (below * share, above * share)} if "latency_cycles" in found else {})


def clocked_share(loops: Iterable[LoopQor], latency: float | None) -> float:
    """Part of the cycles that another clock changes: all but the rounds of pipelined loops that no recurrence slows."""
    if not latency:
        return 1.0
    steady = sum(_steady(loop) for loop in loops)
    return min(max(1.0 - steady / latency, 0.0), 1.0)


def _steady(loop: LoopQor) -> float:
    """Cycles, over all entries, of rounds that start one after another at an II that the clock does not set."""
    if not loop.pipelined:
        return sum(_steady(inner) for inner in loop.loops)
    if not loop.cycles or not loop.total_cycles or loop.depth is None or "recurrence" in loop.ii_bound_by:
        return 0.0
    return max(loop.cycles - loop.depth, 0.0) / loop.cycles * loop.total_cycles


def _wider(value: float | None, interval: Interval, cost: Sides) -> Interval:
    """Independent errors add up as squares."""
    if value is None or max(cost) <= 0:
        return interval
    low, high = (abs(math.log((end + 1) / (value + 1))) for end in (interval.low, interval.high))
    below, above = math.hypot(low, cost[0]), math.hypot(high, cost[1])
    return Interval(max((value + 1) * math.exp(-below) - 1, 0.0), (value + 1) * math.exp(above) - 1)


def _hint(stated: Mapping[str, Interval], assumed: Mapping[str, Interval]) -> list[str]:
    """What stating the clock would sharpen: `State the clock (...): cycles x1.9 -> x1.3`."""
    told = []
    for name, title in (("latency_cycles", "cycles"), ("ff", "FF")):
        if name in stated:
            now, then = ((i.high + 1) / (i.low + 1) for i in (assumed[name], stated[name]))
            if now > then * TOLD_FROM:
                told.append(f"{title} x{now:.1f} -> x{then:.1f}")
    return [f"{HINT}: {', '.join(told)}"] if told else []
