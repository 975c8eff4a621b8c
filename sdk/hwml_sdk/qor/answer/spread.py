"""Intervals of what a design is made of: a helper function or a loop is no surer than the design it is part of.

Reports of parts are not among the labels, so that a part's figure is as far off as the design's: the ends of the
design's interval, as factors of one more than the figure, hold for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...amounts import Interval
from .types import FunctionQor, LoopQor

_FIELDS = {"lut": "lut", "dsp": "dsp", "ff": "ff", "bram_18k": "bram_18k", "latency_cycles": "cycles"}
Spreads = Mapping[str, "Spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Factors on (figure + 1) that lead to the ends of its interval: below <= 1 <= above."""

    below: float
    above: float

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Spread:
        """The one that leads from a figure to the ends of its own interval."""
        return cls(min((low + 1) / (value + 1), 1.0), max((high + 1) / (value + 1), 1.0))

    def around(self, value: float) -> Interval:
        """The interval of another figure."""
        low, high = (value + 1) * self.below - 1, (value + 1) * self.above - 1
        return Interval(max(low, 0.0), high if math.isfinite(high) else value)


def spread_function(function: FunctionQor, spreads: Spreads) -> FunctionQor:
    """A function with intervals of its known figures, and its loops with theirs."""
    known = {name: getattr(function, field) for name, field in _FIELDS.items()}
    ends = {name: spreads[name].around(value) for name, value in known.items() if value is not None and name in spreads}
    loops = spread_loops(function.loops, spreads)
    return replace(function, loops=loops, intervals={} if function.inlined else ends)


def spread_loops(loops: tuple[LoopQor, ...], spreads: Spreads) -> tuple[LoopQor, ...]:
    """Loops, and those inside them, with the interval of their cycles."""
    found = []
    for loop in loops:
        own = spreads["latency_cycles"].around(loop.total_cycles) if loop.total_cycles is not None else None
        found.append(replace(loop, interval=own, loops=spread_loops(loop.loops, spreads)))
    return tuple(found)
