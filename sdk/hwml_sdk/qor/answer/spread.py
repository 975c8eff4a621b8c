"""Intervals of what a design is made of: a helper function or a loop is no surer than the design it is part of.

Reports of parts are not among the labels, so that a part's figure is as far off as the design's: the ends of the
design's interval, as factors of one more than the figure, hold for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from ...amounts import Interval
from .types import FunctionQor, LoopQor

_FIELDS = {"lut": "lut", "dsp": "dsp", "ff": "ff", "bram_18k": "bram_18k", "latency_cycles": "cycles"}
_FIGURES = attrgetter(*_FIELDS.values())
_LOOP = tuple(item.name for item in fields(LoopQor))
_LOOP_VALUES = attrgetter(*_LOOP)
_INTERVAL, _LOOPS = _LOOP.index("interval"), _LOOP.index("loops")
Spreads = Mapping[str, "Spread"]
_Done = dict[int, LoopQor]  # by the identity of the loop before


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


def spread_parts(
    functions: Iterable[FunctionQor], loops: Iterable[LoopQor], spreads: Spreads
) -> tuple[tuple[FunctionQor, ...], tuple[LoopQor, ...]]:
    """Functions and loops of a design with intervals of what is known of them; a loop that both have stays one."""
    done: _Done = {}
    return (
        tuple([spread_function(function, spreads, done) for function in functions]),
        tuple([_spread_loop(loop, spreads, done) for loop in loops]),
    )


def spread_function(function: FunctionQor, spreads: Spreads, done: _Done | None = None) -> FunctionQor:
    """A function with intervals of its known figures, and its loops with theirs."""
    ends: dict[str, Interval] = {}
    for name, value in zip(_FIELDS, _FIGURES(function), strict=True):
        if value is not None and name in spreads and not function.inlined:
            ends[name] = spreads[name].around(value)
    done = {} if done is None else done
    loops = tuple([_spread_loop(loop, spreads, done) for loop in function.loops])
    return replace(function, loops=loops, intervals=ends)


def _spread_loop(loop: LoopQor, spreads: Spreads, done: _Done) -> LoopQor:
    """A loop, with those inside it, and the interval of its cycles."""
    found = done.get(id(loop))
    if found is None:
        own = spreads["latency_cycles"].around(loop.total_cycles) if loop.total_cycles is not None else None
        inner = tuple([_spread_loop(one, spreads, done) for one in loop.loops])
        # What `replace` does, which asks each field for its name and whether it may be given.
        values = list(_LOOP_VALUES(loop))
        values[_INTERVAL], values[_LOOPS] = own, inner
        found = done[id(loop)] = LoopQor(*values)
    return found
