"""Work counted in steps, calls of functions of Python and of C: the same on a fast and on a slow machine."""

from __future__ import annotations

import cProfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Steps:
    """calls: how many functions were called inside the block, known once it is left."""

    calls: int = 0


@contextmanager
def counted() -> Iterator[Steps]:
    """Count the calls of the block.

    Nearly every round of a loop calls something, so endless or quadratic work shows; what hangs inside one call of C
    is left to the time limit that pytest sets on each test.
    """
    steps, profile = Steps(), cProfile.Profile(subcalls=False)
    profile.enable()
    try:
        yield steps
    finally:
        profile.disable()
        steps.calls = sum(entry.callcount for entry in profile.getstats())
