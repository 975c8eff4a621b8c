"""Schedule a pipeline with given weights: many tries, the best few measured, beside Halide's own weights and none."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...errors import HwmlError
from ...executor import Executor, Limits, Outcome
from ..data.samples import parse_featurization
from ..net.terms import Predictor
from ..net.weights import Weights
from ..toolkit import halide_folder
from .autosampler import MEMORY_BYTES
from .measure import BENCHMARK_LIMIT_S, COMPILE_LIMIT_S
from .targets import Target

DROPOUT = 30  # of the tries after the first: most make some random choices, a third none


@dataclass(frozen=True, slots=True)
class Measured:
    """A schedule and its times; `runtime_ms` is None when it could not be run, `error` says why."""

    label: str
    predicted_ms: float | None
    runtime_ms: float | None
    noise: float
    schedule: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What `autoschedule` found."""

    best: Measured
    measured: list[Measured]
    """the best tries of the given weights, the one predicted fastest first"""
    default: Measured
    """the best of the search with the weights embedded in Halide, same budget"""
    default_measured: list[Measured]
    """its best tries, the one predicted fastest first, as in `measured`"""
    unscheduled: Measured | None
    tried: int
    """different schedules among the tries"""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What and how to search."""

    target: Target
    weights: Weights
    tries: int = 32
    measure: int = 3
    """how many of the tries predicted fastest are measured"""
    num_cores: int = 1
    beam_size: int = 32
    seed: int = 1
    halide_target: str = "host"
    program: str = ""
    """built generator, for a C++ target"""
    generator: str = ""
    generator_arguments: tuple[str, ...] = ()
    unscheduled: bool = True


def autoschedule(
    settings: SearchSettings, *, workers: int | None = None, report: Callable[[str], None] | None = None
) -> SearchResult:
    """Search with the given weights and with Halide's own under one budget; measure the best of each.

    Raises HwmlError when no schedule could be made or run.
    """
    halide_folder()
    if settings.tries < 1 or settings.measure < 1 or settings.num_cores < 1:
        raise HwmlError("tries, schedules to measure and cores must be at least 1")
    say = report or (lambda _: None)
    executor = Executor(workers=workers, limits=Limits(COMPILE_LIMIT_S + 4 * BENCHMARK_LIMIT_S, MEMORY_BYTES))
    ours, tried = _search(settings, settings.weights, "given weights", executor, say)
    embedded = Weights.named("embedded")
    default, _ = _search(settings, embedded, "Halide's weights", executor, say)
    unscheduled = _unscheduled(settings, executor) if settings.unscheduled else None
    ran = [item for item in ours if item.runtime_ms is not None]
    if not ran:
        raise HwmlError(f"{settings.target}: no schedule could be run: {ours[0].error}")
    return SearchResult(_fastest(ran), ours, _fastest(default), default, unscheduled, tried)


def _fastest(items: list[Measured]) -> Measured:
    return min(items, key=lambda item: np.inf if item.runtime_ms is None else item.runtime_ms)


def _search(
    settings: SearchSettings, weights: Weights, label: str, executor: Executor, say: Callable[[str], None]
) -> tuple[list[Measured], int]:
    jobs = {f"{index:04d}": _job(settings, weights, index) for index in range(settings.tries)}
    function = "generator:schedule_generator" if settings.program else "measure:schedule_only"
    outcomes = list(executor.run(f"hwml_sdk.cost_model.sample.{function}", jobs))
    made = sorted((outcome for outcome in outcomes if outcome.ok), key=lambda outcome: outcome.key)
    if not made:
        raise HwmlError(f"{settings.target}: no schedule could be made: {outcomes[0].error}")
    different: dict[str, Outcome] = {}
    for outcome in made:
        different.setdefault(outcome.value["schedule_digest"], outcome)
    predictor = Predictor(weights)
    ranked = sorted((_predict(outcome, predictor, settings.num_cores), outcome.key) for outcome in different.values())
    chosen = ranked[: settings.measure]
    say(f"{label}: {len(different)} different schedules in {settings.tries} tries; measuring {len(chosen)}")
    function = "generator:measure_generator" if settings.program else "measure:measure_sample"
    results = executor.run(f"hwml_sdk.cost_model.sample.{function}", {key: jobs[key] for _, key in chosen})
    found = {outcome.key: outcome for outcome in results}
    return [_measured(found[key], label, predicted) for predicted, key in chosen], len(different)


def _predict(outcome: Outcome, predictor: Predictor, num_cores: int) -> float:
    schedule, pipeline = parse_featurization(base64.b64decode(outcome.value["featurization"]))
    flat = np.ascontiguousarray(pipeline[:, 1:]).reshape(len(pipeline), -1)
    return float(predictor.predict(flat, schedule[None], num_cores)[0])


def _job(settings: SearchSettings, weights: Weights, index: int) -> dict[str, Any]:
    first = index == 0
    return {
        "target": asdict(settings.target),
        "program": settings.program,
        "generator": settings.generator,
        "generator_arguments": list(settings.generator_arguments),
        "search": {
            "parallelism": settings.num_cores,
            "beam_size": settings.beam_size if first else 1,
            "random_dropout": 100 if first else DROPOUT,
            "random_dropout_seed": settings.seed * 100_003 + index,
            "weights": base64.b64encode(weights.to_bytes()).decode(),
        },
        "halide_target": settings.halide_target,
        "num_cores": settings.num_cores,
        "known": [],
    }


def _measured(outcome: Outcome, label: str, predicted: float | None) -> Measured:
    if not outcome.ok:
        return Measured(label, predicted, None, 0.0, "", outcome.error)
    timing = outcome.value["timing"]
    return Measured(label, predicted, timing["runtime_ms"], timing["noise"], outcome.value.get("schedule", ""))


def _unscheduled(settings: SearchSettings, executor: Executor) -> Measured:
    job = _job(settings, settings.weights, 0)
    function = "generator:measure_unscheduled_generator" if settings.program else "measure:measure_unscheduled"
    (outcome,) = executor.run(f"hwml_sdk.cost_model.sample.{function}", {"unscheduled": job})
    return _measured(outcome, "no schedule", None)
