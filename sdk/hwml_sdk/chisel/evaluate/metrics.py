"""Pass rates: pass@k without bias, and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable

Z_95 = 1.959964  # two-sided 95 % of the normal distribution


def pass_at_k(n: int, passed: int, k: int) -> float:
    """The chance that one of k samples passes, when `passed` of n did: 1 - C(n-c, k) / C(n, k).

    The unbiased estimator of Chen et al., Evaluating Large Language Models Trained on Code (2021). Raises ValueError
    for k over n.
    """
    if not 1 <= k <= n or not 0 <= passed <= n:
        raise ValueError(f"pass@{k} of {n} samples with {passed} passes")
    return 1.0 - math.comb(n - passed, k) / math.comb(n, k)


def wilson(passed: float, n: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a rate (Wilson 1927): holds also near 0 and 1; (0, 1) without a trial."""
    if n == 0:
        return 0.0, 1.0
    rate = passed / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean(values: Iterable[float]) -> float:
    """Their mean, 0 without any."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0
