"""Which of several designs to try first: what is predicted, and what predictions cannot tell apart.

A closed form is off by tens of percent where a design hangs on what the tool does by itself, so that cycles within
`ALIKE` say nothing about which of two designs is faster. Of these the one that asks for more pipelines and more copies
comes first: what it asks for the tool mostly does, what it leaves open the tool may leave out. On the labelled points
of 138 kernels this order finds better points than cycles alone (`python benchmarks/whatif.py`; docs/qor-advice.md).
"""

from __future__ import annotations

import math

ALIKE = 0.2  # in the logarithm of cycles
COPIES = 1 / 3  # of a pipeline, what doubling the copies of a loop counts


def asked_for(pipelines: float, doublings: float) -> float:
    """How much a design asks for. pipelines: loops that PIPELINE stands in; doublings: log2 of copies, of all loops."""
    return pipelines + COPIES * doublings


def order(cycles: float, asked: float) -> tuple[float, float, float]:
    """Sorts designs that are worth trying first to the front."""
    level = round(math.log(cycles + 1) / ALIKE) if cycles < math.inf else math.inf
    return level, -asked, cycles
