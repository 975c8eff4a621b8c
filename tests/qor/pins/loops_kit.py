"""How pins of loops state what they expect: the tool's arithmetic of loops, and cases that are compared with it.

Settings are those of the kit: ZU9EG at 3.33 ns, Vitis HLS 2023.2. What bodies take there, in states: a load of a memory
2 (address, data), a store 1, integer additions, comparisons and selections less than one (they are chained and round
away), float add 7, mul 4, div 12, cmp 2, double add 8, mul 7, a 32-bit integer multiplication 2. A value that the next
round waits for is there sooner: float add 4, mul 3, double add 6, mul 6 cycles, which is what recurrences are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hwml_sdk.qor.closed_form.estimate import Estimate

from .kit import closed, loops

COPY = 3  # states of `b[i] = a[i] + 1`: load 2, the sum in the same state, store 1

# States that no statement asks for, as per-loop tables of reports show them: the first state of a function or of a
# round
# that holds a loop (its test), the one that leaves a loop, and the start and the end of a pipelined loop that is a
# module of its own, whose caller counts one more than its latency.
TEST, LEAVE, MODULE = 1, 1, 3


def pipeline(trips: float, ii: int, body: float, *, turns: int = 1) -> float:
    """Latency of a pipelined loop: one iteration starts II after the other, the last takes the whole depth.

    Reports count from the first state to the last: (trip count - 1) II + iteration latency - 1, one more where a round
    is
    one state. turns: cycles in which the accesses of one iteration to the busiest memory take turns; the last come so
    much later.
    """
    return (trips - 1) * ii + max(body + (turns - 1) - 1, 1)


def plain(trips: float, body: float, *, turns: int = 1) -> float:
    """Latency of a loop whose iterations follow one another; its test stands in the first state of each."""
    return trips * (body + (turns - 1))


def module(latency: float) -> float:
    """States that a pipelined loop, which is a function of its own, keeps the code around it."""
    return latency + MODULE


def function(*states: float) -> float:
    """Latency of a function: cycles from start to done, one less than its states."""
    return sum(states) - 1


@dataclass(frozen=True)
class Pin:
    """code: a kernel `top`. loops: name -> (II or None, trips, cycles), of those that stay loops. total: of the design.

    more: settings, as `closed` takes them.
    """

    name: str
    code: str
    loops: Mapping[str, tuple[int | None, float, float]]
    total: float | None = None
    more: Mapping[str, object] = field(default_factory=dict)


def figures(estimate: Estimate) -> dict[str, tuple[int | None, float, float]]:
    """What a pin compares."""
    return {name: (loop.ii, loop.trips, loop.cycles) for name, loop in loops(estimate).items()}


def hold(pin: Pin) -> None:
    """Compare one pin with the closed form."""
    found = closed(pin.code, **pin.more)  # type: ignore[arg-type]
    assert figures(found) == dict(pin.loops)
    if pin.total is not None:
        assert found.latency_cycles == pin.total
