"""What no answer can be below: the rounds of a loop, an initiation interval apart, through its nest."""

from __future__ import annotations

from .results import FunctionResult, LoopResult


def minimum_cycles(result: FunctionResult) -> float:
    """Cycles that the longest chain of proven rounds of a function takes, its depth left out.

    Each loop runs as often as its bounds say, at its largest; loops that may run at the same time count once, and so
    do calls outside loops. What a pragma or a setting says of rounds is no proof.
    """
    inside = [_minimum(loop) for loop in result.loops]
    return max((*inside, *(minimum_cycles(call.callee) for call in result.calls if call.loop is None)), default=0.0)


def _minimum(loop: LoopResult) -> float:
    if loop.trip.source != "bounds":
        return 0.0
    proven = not any(child.flattened and child.trip.source != "bounds" for child in loop.children)
    if loop.ii is not None:
        return loop.trips * (1 if loop.bound.guess else loop.ii) if proven else 0.0
    return loop.trips * max((*(_minimum(child) for child in loop.children), 1.0))
