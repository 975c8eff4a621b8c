"""Fit one factor for each of the model's 32 cost terms: what a few dozen samples of one pipeline can tell.

A network of 20,000 numbers learns such samples by heart and forgets what it knew of other schedules. Here its
coefficients stay, and term k counts exp(theta_k) times as much everywhere. The factors follow from least squares on the
logarithm of run times, with a prior that holds each near their common mean (which is free: it is the machine's speed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import PipelineData, cores_of
from .terms import N_TERMS, Predictor
from .weights import Weights

RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 1.0)  # how strong the prior may be, relative to the mean squared error
FOLDS = 5
STEPS = 30
NEAREST = 0.5  # weight of a sample: the fastest run time over its own, to this power
_LEAST_MS = 1e-12

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Samples of all pipelines, one row each."""

    costs: Array
    """(n, 32) milliseconds of each term, summed over stages"""
    logs: Array
    """(n,) logarithm of the measured run time"""
    weight: Array
    """(n,) sums to 1"""


def fit_terms(weights: Weights, pipelines: Sequence[PipelineData], num_cores: int | None = None) -> Weights:
    """The weights with each term's coefficient multiplied by the factor that fits these samples best.

    How strong the prior is follows from the samples, too: parts of them are left out in turn and predicted.
    """
    rows = _rows(weights, pipelines, num_cores)
    fold = np.arange(len(rows.logs)) % FOLDS
    errors = [sum(_left_out(rows, fold == part, ridge) for part in range(FOLDS)) for ridge in RIDGES]
    ridge = RIDGES[int(np.argmin(errors))]
    return weights.scaled(np.exp(_fit(rows, ridge)))


def _left_out(rows: _Rows, part: NDArray[np.bool_], ridge: float) -> float:
    """Error on a part of the samples of a fit to the others."""
    if part.all() or not part.any():
        return 0.0
    theta = _fit(_Rows(rows.costs[~part], rows.logs[~part], rows.weight[~part] / rows.weight[~part].sum()), ridge)
    error = np.log(_predicted(rows, theta))[part] - rows.logs[part]
    return float(rows.weight[part] @ error**2)


def _fit(rows: _Rows, ridge: float) -> Array:
    """Logarithms of the factors, by damped Gauss-Newton steps from the common factor that fits best."""
    start = np.zeros(N_TERMS)
    theta: Array = start + np.average(rows.logs - np.log(_predicted(rows, start)), weights=rows.weight)
    damping, loss = 1e-3, _loss(rows, theta, ridge)
    centre = np.eye(N_TERMS) - 1 / N_TERMS
    for _ in range(STEPS):
        parts = rows.costs * np.exp(theta)
        predicted = np.maximum(parts.sum(axis=1), _LEAST_MS)
        jacobian = parts / predicted[:, None]
        slope = jacobian.T @ (rows.weight * (np.log(predicted) - rows.logs)) + ridge * (centre @ theta)
        curvature = jacobian.T @ (rows.weight[:, None] * jacobian) + ridge * centre
        step = np.linalg.solve(curvature + damping * np.eye(N_TERMS), slope)
        tried = _loss(rows, theta - step, ridge)
        if tried < loss:
            theta, loss, damping = theta - step, tried, damping / 3
        else:
            damping *= 5
    return theta


def _loss(rows: _Rows, theta: Array, ridge: float) -> float:
    error = np.log(_predicted(rows, theta)) - rows.logs
    return float(rows.weight @ error**2 + ridge * ((theta - theta.mean()) ** 2).sum()) / 2


def _predicted(rows: _Rows, theta: Array) -> Array:
    predicted: Array = np.maximum(rows.costs @ np.exp(theta), _LEAST_MS)
    return predicted


def _rows(weights: Weights, pipelines: Sequence[PipelineData], num_cores: int | None) -> _Rows:
    predictor = Predictor(weights)
    costs, logs, weight = [], [], []
    for data in pipelines:
        flat = data.pipeline.reshape(data.n_stages, -1)
        costs.append(predictor.term_costs(flat, data.schedule, cores_of(data, num_cores)))
        logs.append(np.log(data.runtime_ms.astype(np.float64)))
        near = (data.runtime_ms.min() / data.runtime_ms.astype(np.float64)) ** NEAREST
        weight.append(near / near.sum() / len(pipelines))
    return _Rows(np.concatenate(costs).astype(np.float64), np.concatenate(logs), np.concatenate(weight))
