"""Halide's own training procedure to the letter, in numpy: one step a pipeline, with gradients written out.

A step is a few dozen operations on small arrays: what a framework adds to each would be most of it. The loss, its
derivatives and the optimiser are those of Halide 21.0.0 (cost_model_generator.cpp, retrain_cost_model.cpp).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...interrupt import heed_ctrl_c
from ..data.dataset import MAX_SCHEDULES, PipelineData, cores_of
from ..data.samples import Floats
from .terms import COST_TO_MS, term_table
from .weights import BUFFERS, Weights

REGULARISATION = np.float32(1e-5)
BETAS, EPSILON = (0.9, 0.999), 1e-5  # Halide's Adam
_N_HEAD1 = 8


@dataclass(slots=True)
class ParityEpoch:
    """What Halide's trainer prints after an epoch."""

    epoch: int
    rate: float
    loss: float
    """running mean (decay 0.9) of the pipelines' loss sums"""


@dataclass(slots=True)
class _Shown:
    """One pipeline as a step sees it."""

    pipeline: Floats
    """(stages, 280), in the order types, rows of `head1_filter`"""
    logs: Floats
    """(samples * stages, 39) log(1 + schedule features)"""
    terms: Floats
    """(samples, stages, 32) cost terms in milliseconds"""
    fastest: np.float32
    speed: Floats
    """(samples,) measured, relative to the fastest"""


class ParityFit:
    """Weights and the optimiser's state as flat vectors, with the six tensors as views."""

    def __init__(self, weights: Weights) -> None:
        arrays = weights.arrays()
        self._values = np.concatenate([value.ravel() for value in arrays.values()])
        self._gradient, self._mean, self._square = (np.zeros_like(self._values) for _ in range(3))
        self._weights, self._slopes = _views(self._values), _views(self._gradient)
        self._steps = 0

    def weights(self) -> Weights:
        """The weights as they are now."""
        return Weights.from_arrays({name: value.copy() for name, value in self._weights.items()})

    def run(
        self, pipelines: Sequence[PipelineData], *, rates: Sequence[float], epochs: int, num_cores: int | None,
        seed: int = 0,
    ) -> Iterator[ParityEpoch]:  # fmt: skip
        """One step a pipeline, in order of their ids; every rate runs `epochs` epochs.

        A pipeline with over 1024 schedules is shown through a random window of 1024. The optimiser runs on throughout.
        """
        random = np.random.default_rng(seed)
        whole = [_shown(data, num_cores) for data in pipelines]
        running = weight = 0.0
        number = 0
        for rate in rates:
            for _ in range(epochs):
                total = 0.0
                for data, shown in zip(pipelines, whole, strict=True):
                    heed_ctrl_c()
                    part = shown if len(data) <= MAX_SCHEDULES else _shown(_window(data, random), num_cores)
                    total += self._loss(part)
                    self._step(rate)
                running, weight = running * 0.9 + total, weight * 0.9 + len(whole)
                number += 1
                yield ParityEpoch(number, rate, running / weight)

    def _loss(self, shown: _Shown) -> float:
        """The loss of one pipeline; its derivatives are left in the gradient."""
        w = self._weights
        count, stages, terms = shown.terms.shape
        head1 = _sigmoid(w["head1_filter"].reshape(-1, _N_HEAD1))
        embedded: Floats = shown.pipeline @ head1 + w["head1_bias"]
        first, rest = w["conv1_filter"][:_N_HEAD1], w["conv1_filter"][_N_HEAD1:]
        hidden = np.maximum(shown.logs @ w["head2_filter"] + w["head2_bias"], 0)
        trunk = (hidden @ rest).reshape(count, stages, terms)
        trunk += embedded @ first + w["conv1_bias"]
        alive = np.maximum(trunk, 0)
        predicted = np.einsum("nk,nk->n", alive.reshape(count, -1), shown.terms.reshape(count, -1))
        ratio = predicted / shown.fastest
        shown_ratio = np.maximum(ratio, np.float32(1e-10))
        delta = 1 / shown_ratio - shown.speed
        loss = float(delta @ delta) + float(REGULARISATION) * float((alive - trunk).sum())
        slope = np.where(ratio > np.float32(1e-10), -2 * delta / (shown_ratio * shown_ratio * shown.fastest), 0)
        slopes: Floats = np.where(trunk > 0, shown.terms * slope[:, None, None], -REGULARISATION).astype(
            np.float32, copy=False
        )
        self._back(shown, slopes, hidden, embedded, head1)
        return loss

    def _back(self, shown: _Shown, slopes: Floats, hidden: Floats, embedded: Floats, head1: Floats) -> None:
        """The gradient from that of the coefficients (samples, stages, 32) before their relu."""
        w, g = self._weights, self._slopes
        rows = slopes.reshape(len(hidden), -1)
        by_stage = slopes.sum(axis=0)
        np.matmul(hidden.T, rows, out=g["conv1_filter"][_N_HEAD1:])
        np.matmul(embedded.T, by_stage, out=g["conv1_filter"][:_N_HEAD1])
        by_stage.sum(axis=0, out=g["conv1_bias"])
        back = rows @ w["conv1_filter"][_N_HEAD1:].T
        back *= hidden > 0
        np.matmul(shown.logs.T, back, out=g["head2_filter"])
        back.sum(axis=0, out=g["head2_bias"])
        at_head1 = by_stage @ w["conv1_filter"][:_N_HEAD1].T
        at_head1.sum(axis=0, out=g["head1_bias"])
        filters = g["head1_filter"].reshape(-1, _N_HEAD1)
        np.matmul(shown.pipeline.T, at_head1, out=filters)
        filters *= head1 * (1 - head1)

    def _step(self, rate: float) -> None:
        """Adam, as Halide's generator has it."""
        self._steps += 1
        first, second = BETAS
        gradient = self._gradient
        self._mean += (1 - first) * (gradient - self._mean)
        np.multiply(gradient, gradient, out=gradient)
        self._square += (1 - second) * (gradient - self._square)
        size = np.sqrt(self._square / (1 - second**self._steps))
        size += EPSILON
        np.divide(self._mean, size, out=size)
        size *= rate / (1 - first**self._steps)
        self._values -= size


def _sigmoid(values: Floats) -> Floats:
    made = np.negative(values)
    np.exp(made, out=made)
    made += 1
    return np.reciprocal(made, out=made)


def _views(flat: Floats) -> dict[str, Floats]:
    """The six tensors as views of a vector, in file order."""
    made, place = {}, 0
    for name, shape, _ in BUFFERS:
        size = int(np.prod(shape))
        made[name] = flat[place : place + size].reshape(shape)
        place += size
    return made


def _shown(data: PipelineData, num_cores: int | None) -> _Shown:
    fastest = data.runtime_ms.min()
    width = data.schedule.shape[-1]
    return _Shown(
        np.ascontiguousarray(data.pipeline.transpose(0, 2, 1)).reshape(data.n_stages, -1),
        np.log(data.schedule + np.float32(1)).reshape(-1, width),
        term_table(data.schedule, cores_of(data, num_cores)) * COST_TO_MS,
        fastest,
        fastest / data.runtime_ms,
    )


def _window(data: PipelineData, random: np.random.Generator) -> PipelineData:
    start = int(random.integers(0, len(data) - MAX_SCHEDULES + 1))
    rows = slice(start, start + MAX_SCHEDULES)
    return replace(data, schedule=data.schedule[rows], runtime_ms=data.runtime_ms[rows], noise=data.noise[rows])
