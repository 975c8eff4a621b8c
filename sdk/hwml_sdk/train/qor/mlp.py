"""The regression head of the encoder path on structural features, in numpy: small enough to need no torch.

LayerNorm -> Linear(256) -> ReLU -> Dropout(0.1) -> Linear(256) -> ReLU -> Linear(targets); Huber loss with beta 1 on
z-scored targets, masked where a label is missing; AdamW (decoupled weight decay, Loshchilov and Hutter 2019) with
linear warm-up and cosine decay.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...interrupt import heed_ctrl_c

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MlpConfig:
    """Settings of the head."""

    hidden: int = 256
    dropout: float = 0.1
    learning_rate: float = 1e-3
    weight_decay: float = 1e-1
    warmup: float = 0.05
    batch: int = 1024
    epochs: int = 60
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Mlp:
    """A trained head. Inputs are standardised with `mean` and `scale` (NaN becomes 0), outputs turned back with
    `y_mean` and `y_scale`."""

    mean: Array
    scale: Array
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    y_mean: Array
    y_scale: Array

    def predict(self, values: NDArray[np.floating]) -> Array:
        """Outputs [n, targets] for features [n, f], float32."""
        hidden = standardise(values, self.mean, self.scale)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = hidden @ weight + bias
            if index + 1 < len(self.weights):
                hidden = np.maximum(hidden, 0)
        result: Array = hidden * self.y_scale + self.y_mean
        return result


def standardise(values: NDArray[np.floating], mean: Array, scale: Array) -> Array:
    """(values - mean) / scale, NaN as 0, cut to ±5 so that code unlike all training data does not run away."""
    z = (np.asarray(values, dtype=np.float32) - mean) / scale
    cut: Array = np.clip(np.nan_to_num(z, nan=0.0), -5, 5).astype(np.float32)
    return cut


def fit_mlp(values: Array, targets: Array, weights: Array, config: MlpConfig) -> Mlp:
    """Train on features [n, f] and targets [n, t] (NaN: masked) with row weights [n]."""
    random = np.random.default_rng(config.seed)
    mean = np.nanmean(values, axis=0).astype(np.float32)
    scale = np.nan_to_num(np.nanstd(values, axis=0)).astype(np.float32)
    mean, scale = np.nan_to_num(mean), np.where(scale < 1e-6, np.float32(1), scale)
    inputs = standardise(values, mean, scale)
    y_mean = np.nan_to_num(np.nanmean(targets, axis=0)).astype(np.float32)
    y_scale = np.maximum(np.nan_to_num(np.nanstd(targets, axis=0)), 1e-3).astype(np.float32)
    wanted = (targets - y_mean) / y_scale
    mask = np.isfinite(wanted).astype(np.float32) * (weights / weights.mean())[:, None].astype(np.float32)
    network = _Network([inputs.shape[1], config.hidden, config.hidden, targets.shape[1]], config, random)
    network.train(inputs, np.nan_to_num(wanted), mask)
    return Mlp(mean, scale, tuple(network.weights), tuple(network.biases), y_mean, y_scale)


class _Network:
    """Weights, AdamW state and the training loop."""

    def __init__(self, sizes: list[int], config: MlpConfig, random: np.random.Generator) -> None:
        self.config, self.random = config, random
        pairs = list(itertools.pairwise(sizes))
        self.weights = [random.normal(0, math.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairs]
        self.weights[-1] *= np.float32(0.1)
        self.biases = [np.zeros(b, dtype=np.float32) for _, b in pairs]
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in self._parameters()]

    def _parameters(self) -> list[Array]:
        return [*self.weights, *self.biases]

    def train(self, inputs: Array, wanted: Array, mask: Array) -> None:
        n = len(inputs)
        batch = min(self.config.batch, max(n // 8, 1))
        total = self.config.epochs * math.ceil(n / batch)
        step = 0
        for _ in range(self.config.epochs):
            heed_ctrl_c()
            order = self.random.permutation(n)
            for start in range(0, n, batch):
                rows = order[start : start + batch]
                step += 1
                self._step(inputs[rows], wanted[rows], mask[rows], step, total)

    def _step(self, x: Array, wanted: Array, mask: Array, step: int, total: int) -> None:
        keep = np.float32(1 - self.config.dropout)
        before = [x]
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = before[-1] @ weight + bias
            if index + 1 < len(self.weights):
                y = np.maximum(y, 0)
                if index == 0:
                    y = y * ((self.random.random(y.shape, dtype=np.float32) < keep) / keep)
            before.append(y)
        # Derivative of the Huber loss with beta 1: the error, cut to ±1.
        gradient = np.clip(before[-1] - wanted, -1, 1) * mask / np.float32(max(float((mask > 0).sum()), 1.0))
        weight_gradients: list[Array] = []
        bias_gradients: list[Array] = []
        for index in range(len(self.weights) - 1, -1, -1):
            weight_gradients.insert(0, before[index].T @ gradient)
            bias_gradients.insert(0, gradient.sum(axis=0))
            if index:
                back = gradient @ self.weights[index].T
                # A unit that ReLU or dropout set to 0 passes nothing back; kept ones of layer 0 were scaled.
                gradient = back * (before[index] > 0) / (keep if index == 1 else np.float32(1))
        self._adamw([*weight_gradients, *bias_gradients], step, total)

    def _adamw(self, gradients: list[Array], step: int, total: int) -> None:
        config = self.config
        warm = max(int(config.warmup * total), 1)
        progress = max(step - warm, 0) / max(total - warm, 1)
        rate = config.learning_rate * min(step / warm, 1.0) * 0.5 * (1 + math.cos(math.pi * progress))
        for index, (parameter, gradient) in enumerate(zip(self._parameters(), gradients, strict=True)):
            first, second = self.moments[index]
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient * gradient - second)
            change = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            if index < len(self.weights):
                change = change + config.weight_decay * parameter
            np.subtract(parameter, np.float32(rate) * change.astype(np.float32), out=parameter)
