"""When to look for objects that nothing leads to any more: while nobody waits.

Programs are full of cycles, and the collector of the process is off: it would look through all that is kept of a long
document in the middle of a key.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

YOUNG_AFTER_S = 0.05  # without work: what the last analyses left, the work of a moment
SWEEP_AFTER_S = 1.0  # without work: everything
# Who never pauses has to be swept under all the same.
YOUNG_AT_MOST_S = 0.5
SWEEP_AT_MOST_S = 10.0


class Litter:
    """What is left to be collected. All calls under one lock. clock, collect: those of Python."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, collect: Callable[[int], object] = gc.collect
    ) -> None:
        self._clock = clock
        self._collect = collect
        self._worked = clock()
        self._young: float | None = None  # since when there may be any
        self._old: float | None = None

    def worked(self) -> None:
        """An analysis is over. Collects only where there was no pause for long."""
        now = self._worked = self._clock()
        if self._old is not None and now - self._old > SWEEP_AT_MOST_S:
            self._sweep()
        elif self._young is not None and now - self._young > YOUNG_AT_MOST_S:
            self._collect_young()
        else:
            self._young = now if self._young is None else self._young
            self._old = now if self._old is None else self._old

    def idle(self) -> float | None:
        """Nothing is under way: collect what is due; in how many seconds to come again, None for not before work."""
        paused = self._clock() - self._worked
        if self._old is not None and paused >= SWEEP_AFTER_S:
            self._sweep()
        elif self._young is not None and paused >= YOUNG_AFTER_S:
            self._collect_young()
        if self._old is None:
            return None
        due = YOUNG_AFTER_S if self._young is not None else SWEEP_AFTER_S
        return max(due - (self._clock() - self._worked), 0.001)

    def _collect_young(self) -> None:
        self._collect(1)
        self._young = None

    def _sweep(self) -> None:
        self._collect(2)
        self._young = self._old = None
