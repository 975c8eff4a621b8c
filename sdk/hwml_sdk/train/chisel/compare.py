"""A model before and after tuning, on the same tasks: pass rates, and whether the difference is one."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...chisel.evaluate.metrics import mean, wilson
from ...chisel.evaluate.tasks import Task
from ...chisel.generate.generator import ChiselGenerator
from ...chisel.generate.measure import outcome, run_tasks
from ...chisel.generate.types import Backend

_DRAWS = 4000
Rates = Mapping[str, float]
"""Share of a task's answers that behave as they should, by task."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pass rates of single answers, and the interval (95 %) of their difference."""

    before: Rates
    after: Rates
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Mean over tasks, after - before."""
        return mean(self.after[name] - self.before[name] for name in self.before)

    @property
    def better(self) -> bool:
        """Whether even the low end of the interval is a gain."""
        return self.low > 0

    def words(self) -> str:
        """In one line; says nothing of better or worse."""
        return (
            f"pass@1 {_share(self.before)} before, {_share(self.after)} after, difference {100 * self.difference:+.1f} "
            f"points ({100 * self.low:+.1f} to {100 * self.high:+.1f}) on {len(self.before)} tasks"
        )

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "tasks": len(self.before),
            "before": mean(self.before.values()),
            "before_interval": wilson(sum(self.before.values()), len(self.before)),
            "after": mean(self.after.values()),
            "after_interval": wilson(sum(self.after.values()), len(self.after)),
            "difference": self.difference,
            "difference_interval": (self.low, self.high),
            "better": self.better,
            "per_task": {name: (self.before[name], self.after[name]) for name in self.before},
        }


def _share(rates: Rates) -> str:
    low, high = wilson(sum(rates.values()), len(rates))
    return f"{mean(rates.values()):.1%} ({low:.1%} to {high:.1%})"


def rates(backend: Backend, tasks: Sequence[Task], n: int, most_tokens: int, say: Callable[[str], None]) -> Rates:
    """Ask for n answers to each task, without rules and corrections: the model itself is judged."""
    generator = ChiselGenerator(backend, retrieval="bm25", rules=False, most_tokens=most_tokens)
    runs = run_tasks(generator, tasks, n=n, repairs=0, say=say)
    return {name: mean(float(outcome(name, item).ok) for item in items) for name, items in runs.items()}


def compared(before: Rates, after: Rates, seed: int = 0) -> Comparison:
    """The interval is a percentile bootstrap over tasks (Efron 1979), which are paired; answers to one are alike."""
    gains = [after[name] - before[name] for name in before]
    rng = random.Random(seed)
    means = sorted(mean(rng.choices(gains, k=len(gains))) for _ in range(_DRAWS)) if gains else [0.0]
    return Comparison(before, after, means[int(0.025 * len(means))], means[int(0.975 * len(means))])
