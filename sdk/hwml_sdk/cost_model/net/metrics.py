"""How well predictions order the schedules of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import PipelineData, cores_of
from ..data.samples import Floats
from .terms import Predictor
from .weights import Weights

MIN_DIFFERENCE = 0.10
NOISE_FACTOR = 3.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """Averages over pipelines (each pipeline counts the same)."""

    halide_rate: float
    """of the schedules over 1.3 x slower than the best, the share predicted slower than it (Halide's own rate)"""
    pairwise_accuracy: float
    """share of pairs in the right order, among pairs whose times differ by > 10 % and > 3 x the noise"""
    spearman: float
    """rank correlation"""
    top1_regret: float
    """run time of the schedule predicted fastest, over the best one's: 1 is perfect"""
    top1_regret_geo: float
    """the same as a geometric mean over pipelines: one bad choice weighs less"""
    top5_regret: float
    """top-1 regret for the best of the five predicted fastest"""
    log_error: float
    """mean absolute natural logarithm of predicted over measured, after the best constant factor per pipeline"""
    scale: float
    """median of predicted over measured"""
    n_pipelines: int
    n_schedules: int

    def to_json(self) -> dict[str, float]:
        """Plain dictionary, rounded to 5 digits."""
        return {name: round(value, 5) for name, value in asdict(self).items()}


def pipeline_metrics(predicted: Floats, measured: Floats, noise: Floats) -> dict[str, float]:
    """The metrics of one pipeline's n schedules (milliseconds); NaN where no pair counts."""
    p, m = predicted.astype(np.float64), measured.astype(np.float64)
    best, chosen = int(np.argmin(m)), np.argsort(p, kind="stable")
    slow = m > 1.3 * m[best]
    ratio = np.log(np.maximum(p, 1e-30) / m)
    return {
        "halide_rate": float(np.mean(p[slow] > p[best])) if slow.any() else float("nan"),
        "pairwise_accuracy": _pairwise(p, m, noise),
        "spearman": _spearman(p, m),
        "top1_regret": float(m[chosen[0]] / m[best]),
        "top5_regret": float(m[chosen[:5]].min() / m[best]),
        "log_error": float(np.mean(np.abs(ratio - np.median(ratio)))),
        "scale": float(np.exp(np.median(ratio))),
    }


def _pairwise(p: NDArray[np.float64], m: NDArray[np.float64], noise: Floats) -> float:
    slower, faster = np.nonzero(m[:, None] > m[None, :])
    gap = m[slower] / m[faster] - 1
    counts = gap > np.maximum(MIN_DIFFERENCE, NOISE_FACTOR * np.maximum(noise[slower], noise[faster]))
    if not counts.any():
        return float("nan")
    a, b = p[slower[counts]], p[faster[counts]]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def _spearman(p: NDArray[np.float64], m: NDArray[np.float64]) -> float:
    ranks = [_ranks(values) for values in (p, m)]
    deviations = [np.std(values) for values in ranks]
    if min(deviations) == 0:
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks with ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: NDArray[np.float64] = (ends - (counts - 1) / 2)[inverse]
    return mean


def _geometric(values: NDArray[np.float64]) -> float:
    return float(np.exp(np.mean(np.log(values))))


AVERAGED = tuple(item.name for item in fields(Metrics) if not item.name.startswith("n_"))
SOURCE = {"top1_regret_geo": "top1_regret"}
AVERAGES: dict[str, Callable[[NDArray[np.float64]], Any]] = {"scale": np.median, "top1_regret_geo": _geometric}


def summarize(each: Sequence[dict[str, float]], n_schedules: int) -> Metrics:
    """Average per-pipeline metrics, leaving out pipelines for which one is not defined."""
    averages = {}
    for name in AVERAGED:
        values = [metrics[SOURCE.get(name, name)] for metrics in each]
        there = np.asarray([value for value in values if not np.isnan(value)])
        averages[name] = float(AVERAGES.get(name, np.mean)(there)) if there.size else float("nan")
    return Metrics(**averages, n_pipelines=len(each), n_schedules=n_schedules)


def evaluate(
    predict: Weights | Callable[[PipelineData], Floats],
    pipelines: Sequence[PipelineData],
    *,
    num_cores: int | None = None,
) -> Metrics:
    """Metrics of weights (or of any predictor) on pipelines."""
    return summarize(evaluate_each(predict, pipelines, num_cores=num_cores), sum(len(data) for data in pipelines))


def evaluate_each(
    predict: Weights | Callable[[PipelineData], Floats],
    pipelines: Sequence[PipelineData],
    *,
    num_cores: int | None = None,
) -> list[dict[str, float]]:
    """Metrics of each pipeline."""
    call = _predict_with(predict, num_cores) if isinstance(predict, Weights) else predict
    return [pipeline_metrics(call(data), data.runtime_ms, data.noise) for data in pipelines]


def _predict_with(weights: Weights, num_cores: int | None) -> Callable[[PipelineData], Floats]:
    predictor = Predictor(weights)

    def predict(data: PipelineData) -> Floats:
        flat = data.pipeline.reshape(data.n_stages, -1)
        return predictor.predict(flat, data.schedule, cores_of(data, num_cores))

    return predict
