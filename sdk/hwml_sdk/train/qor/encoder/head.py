"""The regression head, trained in numpy: as small as it is, it needs no torch, and gives the same sums everywhere.

LayerNorm(in) -> Linear(in, 256) -> ReLU -> Dropout(0.1) -> Linear(256, 256) -> ReLU -> Linear(256, out). Huber loss
with beta 1 on z-scored targets, masked where a label is missing; AdamW (Loshchilov and Hutter 2019: decay apart from
the gradient, here of all parameters, as torch.optim.AdamW over model.parameters()), linear warm-up over the first 5 %
of steps, then a cosine to 0. Weights start as torch.nn.Linear's do: uniform within 1 / sqrt(in).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ....interrupt import heed_ctrl_c
from ....qor.learned.encoder.head import EPS, NAMES, Weights, forward

Array = NDArray[np.float32]
HIDDEN = 256
DROPOUT = 0.1
WARM_UP = 0.05


@dataclass(frozen=True, slots=True)
class FitSettings:
    """epochs at most; patience: epochs without a better validation MAE before training stops."""

    epochs: int = 40
    patience: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch: int = 1024
    seed: int = 0


@dataclass(slots=True)
class Trained:
    """The best weights, and the validation MAE (z-scores) of every epoch."""

    weights: Weights
    history: list[float] = field(default_factory=list)


def initial(width: int, outputs: int, random: np.random.Generator) -> Weights:
    """Untrained weights by name."""

    def linear(out: int, into: int) -> tuple[Array, Array]:
        bound = 1 / math.sqrt(into)
        return (
            random.uniform(-bound, bound, (out, into)).astype(np.float32),
            random.uniform(-bound, bound, out).astype(np.float32),
        )

    layers = (linear(HIDDEN, width), linear(HIDDEN, HIDDEN), linear(outputs, HIDDEN))
    flat = [np.ones(width, dtype=np.float32), np.zeros(width, dtype=np.float32)]
    flat += [part for layer in layers for part in layer]
    return dict(zip(NAMES, flat, strict=True))


def fit_head(
    x: Array, z: Array, x_val: Array, z_val: Array, settings: FitSettings, *, weights: Array | None = None
) -> Trained:
    """Train on inputs [n, in] and targets [n, out] (NaN: masked); the epoch of the least validation MAE is kept.

    weights: of the rows [n], 1 by default.
    """

    def score(found: Weights) -> float:
        if not len(x_val):
            return math.nan
        return float(np.nanmean(np.abs(forward(found, x_val) - z_val)))

    mask = np.isfinite(z).astype(np.float32)
    if weights is not None:
        mask *= (weights / weights.mean())[:, None].astype(np.float32)
    wanted = np.nan_to_num(z)

    def gradient(found: Array, rows: NDArray[np.int64]) -> Array:
        return huber_gradient(found, wanted[rows], mask[rows])

    return train(x, z.shape[1], gradient, score, settings)


def huber_gradient(found: Array, wanted: Array, mask: Array) -> Array:
    """Derivative of the mean Huber loss (beta 1) over what is not masked: the error, cut to 1."""
    count = np.float32(max(float((mask > 0).sum()), 1.0))
    return np.asarray(np.clip(found - wanted, -1, 1) * mask / count, dtype=np.float32)


def train(
    x: Array,
    outputs: int,
    gradient: Callable[[Array, NDArray[np.int64]], Array],
    score: Callable[[Weights], float],
    settings: FitSettings,
) -> Trained:
    """The loop of any loss. gradient: of outputs [b, out] of some rows; score: lower is better."""
    random = np.random.default_rng(settings.seed)
    weights = initial(x.shape[1], outputs, random)
    optimizer = AdamW(weights, settings)
    best, best_score, kept = {k: v.copy() for k, v in weights.items()}, math.inf, 0
    history: list[float] = []
    total = settings.epochs * max(math.ceil(len(x) / settings.batch), 1)
    for epoch in range(settings.epochs):
        heed_ctrl_c()
        order = random.permutation(len(x))
        for start in range(0, len(x), settings.batch):
            rows = order[start : start + settings.batch]
            tape = Tape(weights, x[rows], random)
            optimizer.step(tape.backward(gradient(tape.output, rows)), total)
        history.append(score(weights))
        if math.isnan(history[-1]) or history[-1] < best_score:
            best, best_score, kept = {k: v.copy() for k, v in weights.items()}, history[-1], epoch
        elif epoch - kept >= settings.patience:
            break
    return Trained(best, history)


class Tape:
    """One forward pass with dropout, and what its backward pass needs."""

    def __init__(self, weights: Weights, x: Array, random: np.random.Generator | None) -> None:
        self.weights = weights
        centred = x - x.mean(axis=1, keepdims=True)
        self.scale = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(EPS))
        self.normed = centred * self.scale
        self.inputs = self.normed * weights["norm.weight"] + weights["norm.bias"]
        first = np.maximum(self.inputs @ weights["first.weight"].T + weights["first.bias"], 0)
        keep = np.float32(1 - DROPOUT)
        self.kept = np.float32(1) if random is None else (random.random(first.shape, dtype=np.float32) < keep) / keep
        self.first = first * self.kept
        self.second = np.maximum(self.first @ weights["second.weight"].T + weights["second.bias"], 0)
        self.output: Array = self.second @ weights["last.weight"].T + weights["last.bias"]

    def backward(self, gradient: Array) -> Weights:
        """Derivatives of all weights, from those of the outputs."""
        w = self.weights
        second = gradient @ w["last.weight"] * (self.second > 0)
        first = second @ w["second.weight"] * (self.first > 0) * self.kept
        inputs = first @ w["first.weight"]
        return {
            "norm.weight": (inputs * self.normed).sum(axis=0),
            "norm.bias": inputs.sum(axis=0),
            "first.weight": first.T @ self.inputs,
            "first.bias": first.sum(axis=0),
            "second.weight": second.T @ self.first,
            "second.bias": second.sum(axis=0),
            "last.weight": gradient.T @ self.second,
            "last.bias": gradient.sum(axis=0),
        }


class AdamW:
    """Changes the weights in place; betas .9 and .999, epsilon 1e-8, as torch has them."""

    def __init__(self, weights: Weights, settings: FitSettings) -> None:
        self._weights, self._settings = weights, settings
        self._moments = {name: (np.zeros_like(w), np.zeros_like(w)) for name, w in weights.items()}
        self._step = 0

    def step(self, gradients: Weights, total: int) -> None:
        """One of `total` steps."""
        self._step += 1
        rate = self._settings.learning_rate * schedule(self._step - 1, total)
        for name, weight in self._weights.items():
            first, second = self._moments[name]
            first += np.float32(0.1) * (gradients[name] - first)
            second += np.float32(0.001) * (gradients[name] ** 2 - second)
            mean = first / np.float32(1 - 0.9**self._step)
            spread = np.sqrt(second / np.float32(1 - 0.999**self._step)) + np.float32(1e-8)
            np.multiply(weight, np.float32(1 - rate * self._settings.weight_decay), out=weight)
            np.subtract(weight, np.float32(rate) * mean / spread, out=weight)


def schedule(step: int, total: int) -> float:
    """Share of the learning rate at a step, from 0: linear warm-up, then a cosine to 0."""
    warm = max(round(WARM_UP * total), 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1)))
