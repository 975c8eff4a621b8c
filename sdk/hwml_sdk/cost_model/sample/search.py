"""Schedule a pipeline with given weights: many tries, the best few measured, beside Halide's own weights and others.

With several weights, the first choices of each are measured and the fastest schedule is kept: weights that do not fit a
pipeline cost time then, and never a slower schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import HwmlError
from ...executor import Executor, Outcome
from ..data.samples import sample_paths
from ..machine import this_machine
from ..net.terms import Predictor
from ..net.weights import Weights
from .autosampler import MAX_TRIES, encoded, other_search, predicted_ms
from .failures import lacking, words
from .jobs import JobOptions, Prepared, limits_of, prepare, workers_of
from .known import Wanted, fastest_searches
from .measure import Search
from .others import measure_others
from .targets import Target

DROPOUT = 30  # of the tries after the first: most make some random choices, a third none
EMBEDDED = "Halide's weights"
SAMPLED = "fastest samples"
_CLOSE = 1.25  # contenders whose times lie closer than this are timed again, in turn
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """A schedule and its times; `runtime_ms` is None when it could not be run, `error` says why."""

    label: str
    predicted_ms: float | None
    runtime_ms: float | None
    noise: float
    schedule: str
    error: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What `autoschedule` found."""

    best: Measured
    measured: list[Measured]
    """the best tries of the given weights, the one predicted fastest first; of Halide's own where none are given"""
    default: Measured
    """the best of the search with the weights embedded in Halide, same budget"""
    default_measured: list[Measured]
    """its best tries, the one predicted fastest first, as in `measured`"""
    others: list[Measured]
    """as it was written, and the other autoschedulers of the halide package"""
    tried: int
    """different schedules among the tries of the given weights"""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What and how to search."""

    target: Target
    weights: Mapping[str, Weights]
    """by the names they are shown under; those inside Halide are always searched with, too, or alone"""
    tries: int = 32
    measure: int = 3
    """how many of the tries predicted fastest are measured"""
    num_cores: int = 1
    beam_size: int = 32
    seed: int = 1
    options: JobOptions = field(default_factory=JobOptions)
    others: bool = True
    """time the pipeline as written and with the other autoschedulers, too"""
    gate: bool = False
    """the best may be of Halide's weights: the fastest of all is kept, contenders are timed again in turn"""
    samples: str = ""
    """folder of samples: the fastest of this pipeline, measured here in the same way, are contenders, too"""


def autoschedule(
    settings: SearchSettings, *, workers: int | None = None, report: Callable[[str], None] | None = None
) -> SearchResult:
    """Search with the given weights and with Halide's own under one budget; measure the best of each.

    Raises HwmlError when no schedule could be made or run.
    """
    if settings.tries < 1 or settings.measure < 1 or settings.num_cores < 1 or settings.beam_size < 1:
        raise HwmlError("tries, schedules to measure, cores and beam must be at least 1")
    if settings.samples:
        next(sample_paths(settings.samples), None)  # before minutes of searching
    run = _Run(settings, prepare(settings.target, settings.options), workers, report or (lambda _: None))
    ours: list[Measured] = []
    tried = 0
    for name, weights in settings.weights.items():
        found, count = run.search(weights, name)
        ours += found
        tried += count
    default, count = run.search(Weights.named("embedded"), EMBEDDED)
    others = run.others() if settings.others else []
    ours += run.sampled() if settings.samples else []
    if settings.gate and ours:
        ours, default = run.again(ours, default)
    if not settings.weights:
        ours, tried = [*default, *ours] if ours else default, count
    ran = [item for item in [*ours, *(default if settings.gate else [])] if item.runtime_ms is not None]
    if not ran:
        raise HwmlError(f"{settings.target}: no schedule could be run: {[*ours, *default][0].error}")
    return SearchResult(fastest(ran), ours, fastest(default), default, others, tried)


def fastest(items: list[Measured]) -> Measured:
    """The one with the smallest run time."""
    return min(items, key=lambda item: np.inf if item.runtime_ms is None else item.runtime_ms)


class _Run:
    """One call of `autoschedule`."""

    def __init__(
        self, settings: SearchSettings, prepared: Prepared, workers: int | None, say: Callable[[str], None]
    ) -> None:
        self.settings, self.prepared, self.say = settings, prepared, say
        self.executor = Executor(workers=workers, limits=limits_of(settings.options, workers_of(workers)))
        self.alone = Executor(workers=1, limits=limits_of(settings.options, 1))
        self.jobs: dict[str, dict[str, Any]] = {}
        """by schedule digest, of what was measured"""
        self.described: dict[str, Any] = {}
        """what a search said of the pipeline"""

    def search(self, weights: Weights, label: str) -> tuple[list[Measured], int]:
        """Tries with one file of weights: the best measured, and how many were different."""
        settings = self.settings
        jobs = {f"{index:04d}": self._job(weights, index) for index in range(settings.tries)}
        outcomes = {}
        for outcome in self.executor.run(self.prepared.function("schedule"), jobs):
            if why := lacking(outcome):
                raise HwmlError(f"{settings.target}: {why}")
            outcomes[outcome.key] = outcome
        self._try_again(jobs, outcomes)
        different: dict[str, Outcome] = {}
        for key in jobs:
            if outcomes[key].ok:
                different.setdefault(outcomes[key].value["schedule_digest"], outcomes[key])
        if not different:
            raise HwmlError(f"{settings.target}: no schedule could be made: {words(outcomes[next(iter(jobs))])}")
        self.described = next(iter(different.values())).value
        predictor = Predictor(weights)
        ranked = sorted(
            (predicted_ms(outcome, predictor, settings.num_cores), outcome.key) for outcome in different.values()
        )
        chosen = ranked[: settings.measure]
        failed = [key for key in jobs if not outcomes[key].ok]
        more = f" ({len(failed)} failed: {words(outcomes[failed[0]])})" if failed else ""
        self.say(
            f"{label}: {len(different)} different schedules in {settings.tries} tries{more}; measuring {len(chosen)}"
        )
        results = self.executor.run(self.prepared.function("measure"), {key: jobs[key] for _, key in chosen})
        found = {outcome.key: outcome for outcome in results}
        for _, key in chosen:
            self.jobs.setdefault(outcomes[key].value["schedule_digest"], jobs[key])
        return [_measured(found[key], label, predicted) for predicted, key in chosen], len(different)

    def _try_again(self, jobs: dict[str, dict[str, Any]], outcomes: dict[str, Outcome]) -> None:
        for attempt in range(1, MAX_TRIES):
            again = {}
            for key, job in jobs.items():
                random = np.random.default_rng([self.settings.seed, int(key), attempt])
                changed = other_search(job["search"], outcomes[key], random)
                if changed is not None:
                    self.say(f"try {key} {words(outcomes[key])}; again with {changed[1]}")
                    again[key] = job | {"search": changed[0]}
            jobs.update(again)
            for outcome in self.alone.run(self.prepared.function("schedule"), again):
                outcomes[outcome.key] = outcome

    def _job(self, weights: Weights, index: int) -> dict[str, Any]:
        settings, first = self.settings, index == 0
        search = Search(
            parallelism=settings.num_cores,
            beam_size=settings.beam_size if first else 1,
            random_dropout=100 if first else DROPOUT,
            random_dropout_seed=settings.seed * 100_003 + index,
            weights=encoded(weights),
        )
        return self.prepared.job(search, settings.num_cores)

    def sampled(self) -> list[Measured]:
        """The fastest schedules among samples of this pipeline, made again."""
        settings, described = self.settings, self.described
        wanted = Wanted(
            described["pipeline_digest"], described["points"], settings.num_cores, settings.options.halide_target,
            this_machine(),
        )  # fmt: skip
        searches = fastest_searches(settings.samples, wanted, settings.measure)
        self.say(f"{SAMPLED}: {len(searches)} of this pipeline in {settings.samples}")
        jobs = {f"{index:04d}": self.prepared.job(search, settings.num_cores) for index, search in enumerate(searches)}
        outcomes = {outcome.key: outcome for outcome in self.executor.run(self.prepared.function("measure"), jobs)}
        found = []
        for key, job in jobs.items():
            found.append(_measured(outcomes[key], SAMPLED, None))
            if outcomes[key].ok:
                self.jobs.setdefault(outcomes[key].value["schedule_digest"], job)
        return found

    def others(self) -> list[Measured]:
        """The pipeline as it was written, and scheduled by the other autoschedulers."""
        prepared = self.prepared.sized(self.described.get("sizes", ()))
        found = measure_others(prepared, self.settings.num_cores, self.executor, self.say)
        return [Measured(other.label, None, other.runtime_ms, other.noise, "", other.error) for other in found]

    def again(self, ours: list[Measured], default: list[Measured]) -> tuple[list[Measured], list[Measured]]:
        """Time the contenders again in turn: a disturbance of the machine meets all. The smallest time counts."""
        ran = [item for item in [*ours, *default] if item.runtime_ms is not None]
        if not ran:
            return ours, default
        limit = _CLOSE * min(item.runtime_ms or np.inf for item in ran)
        close = sorted({item.digest for item in ran if (item.runtime_ms or np.inf) <= limit})
        times: dict[str, float] = {}
        if len(close) > 1:
            self.say(f"timing {len(close)} contenders again")
            jobs = {f"{count}:{digest}": self.jobs[digest] for count in range(_ROUNDS) for digest in close}
            for outcome in self.alone.run(self.prepared.function("measure"), jobs):
                if outcome.ok:
                    digest = outcome.key.partition(":")[2]
                    times[digest] = min(outcome.value["timing"]["runtime_ms"], times.get(digest, np.inf))
        for item in ran:
            times[item.digest] = min(item.runtime_ms or np.inf, times.get(item.digest, np.inf))
        return [_timed(item, times) for item in ours], [_timed(item, times) for item in default]


def _timed(item: Measured, times: Mapping[str, float]) -> Measured:
    return item if item.runtime_ms is None else replace(item, runtime_ms=times[item.digest])


def _measured(outcome: Outcome, label: str, predicted: float | None) -> Measured:
    if not outcome.ok:
        return Measured(label, predicted, None, 0.0, "", words(outcome))
    timing, value = outcome.value["timing"], outcome.value
    digest = value.get("schedule_digest", "")
    return Measured(label, predicted, timing["runtime_ms"], timing["noise"], value.get("schedule", ""), "", digest)
