"""The delta task: a head for the kernel without pragmas, one for the difference that they make, and their sum.

Kernel and design are encoded apart. One head reads the kernel's vector and learns the kernel's own level; the other
reads the kernel's vector and the difference of the two, and learns how far the design lies from that level; a
consistency loss of the same weight holds the sum to the design's label. Losses are Huber with beta 1 on z-scores, as
the plain head's is; both heads are of its shape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....interrupt import heed_ctrl_c
from ....qor.learned.dataset import Rows
from ....qor.learned.encoder.head import TargetStats, Weights, forward
from .config import EncoderConfig
from .fit import Head, Scaler, fit_settings, labels_of, target_stats, z_scores
from .head import AdamW, FitSettings, Tape, huber_gradient, initial
from .recipe_rows import Split

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
CONSISTENCY = 1.0  # weight of the sum's loss beside those of its parts


@dataclass(frozen=True, slots=True)
class DeltaFitted:
    """Both heads, and what scales their inputs: vectors of kernels, and differences of vectors.

    scaler: of the designs' own vectors, in which it is measured how unlike one is.
    """

    scaler: Scaler
    kernel_scaler: Scaler
    step_scaler: Scaler
    stats: TargetStats
    kernel: Weights
    step: Weights
    history: tuple[float, ...] = ()

    @property
    def heads(self) -> tuple[Head, ...]:
        """Both, by the names they are kept under; the history is of their sum."""
        return Head("kernel", "bare", False, self.kernel, self.history), Head(
            "difference", "both", False, self.step, ()
        )

    def inputs(self, bare: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Scaled inputs of the two heads."""
        level = self.kernel_scaler(bare)
        return level, np.concatenate([level, self.step_scaler(x - bare)], axis=1)

    def predict(self, bare: Floats, x: Floats) -> Doubles:
        """Transformed targets [n, targets]: of vectors without and with pragmas."""
        level, both = self.inputs(bare, x)
        z = forward(self.kernel, level) + forward(self.step, both)
        return np.asarray(z * self.stats.std + self.stats.mean, dtype=np.float64)


def kernel_levels(z: Floats, key: NDArray[np.str_], plain: NDArray[np.bool_], train: NDArray[np.bool_]) -> Floats:
    """The level of each row's kernel, [n, targets]: of a training row without pragmas, else the median of its training
    rows; NaN where the kernel has none."""
    found = np.full_like(z, np.nan)
    for name in np.unique(key[train]).tolist():
        rows = key == name
        known = rows & train
        for target in range(z.shape[1]):
            own = z[known & plain, target]
            values = own if np.isfinite(own).any() else z[known, target]
            if np.isfinite(values).any():
                found[rows, target] = np.nanmedian(values)
    return found


def fit_delta(
    bare: Floats, x: Floats, rows: Rows, split: Split, config: EncoderConfig, *, plain: NDArray[np.bool_]
) -> DeltaFitted:
    """Both heads, trained together. bare, x: vectors [n, width] of the designs without and with their pragmas."""
    labels = labels_of(rows)
    stats = target_stats(labels[split.train], every_log=False)
    empty: Weights = {}
    own, kernels, steps = (Scaler.fit(values[split.train]) for values in (x, bare, x - bare))
    fitted = DeltaFitted(own, kernels, steps, stats, empty, empty)
    z = z_scores(stats, labels)
    levels = kernel_levels(z, rows.joined("source", "stage", "tool_version", "kernel"), plain, split.train)
    level, both = fitted.inputs(bare, x)
    parts = [(level[mask], both[mask], z[mask], levels[mask]) for mask in (split.train, split.val)]
    kernel, step, history = _train(parts[0], parts[1], fit_settings(config))
    return replace(fitted, kernel=kernel, step=step, history=tuple(history))


Part = tuple[Floats, Floats, Floats, Floats]


def _train(train: Part, val: Part, settings: FitSettings) -> tuple[Weights, Weights, list[float]]:
    """The epoch of the least validation MAE of the sum is kept."""
    level, both, z, levels = train
    random = np.random.default_rng(settings.seed)
    pair = tuple(initial(inputs.shape[1], z.shape[1], random) for inputs in (level, both))
    optimizers = [AdamW(weights, settings) for weights in pair]
    best, best_score, kept = _copied(pair), math.inf, 0
    history: list[float] = []
    total = settings.epochs * max(math.ceil(len(z) / settings.batch), 1)
    for epoch in range(settings.epochs):
        heed_ctrl_c()
        order = random.permutation(len(z))
        for start in range(0, len(z), settings.batch):
            rows = order[start : start + settings.batch]
            tapes = [Tape(weights, inputs[rows], random) for weights, inputs in zip(pair, (level, both), strict=True)]
            gradients = _gradients(tapes[0].output, tapes[1].output, z[rows], levels[rows])
            for tape, optimizer, gradient in zip(tapes, optimizers, gradients, strict=True):
                optimizer.step(tape.backward(gradient), total)
        score = _score(pair, val)
        history.append(score)
        if math.isnan(score) or score < best_score:
            best, best_score, kept = _copied(pair), score, epoch
        elif epoch - kept >= settings.patience:
            break
    return *best, history


def _gradients(kernel: Floats, step: Floats, z: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Of the losses of kernel, difference and sum, by the outputs of the two heads; unknown labels are masked."""
    known, both = np.isfinite(levels), np.isfinite(levels) & np.isfinite(z)
    own = huber_gradient(kernel, np.nan_to_num(levels), known.astype(np.float32))
    apart = huber_gradient(step, np.nan_to_num(z - levels), both.astype(np.float32))
    whole = huber_gradient(kernel + step, np.nan_to_num(z), np.isfinite(z).astype(np.float32))
    return own + np.float32(CONSISTENCY) * whole, apart + np.float32(CONSISTENCY) * whole


def _score(pair: tuple[Weights, ...], val: Part) -> float:
    level, both, z, _ = val
    if not len(z):
        return math.nan
    return float(np.nanmean(np.abs(forward(pair[0], level) + forward(pair[1], both) - z)))


def _copied(pair: tuple[Weights, ...]) -> tuple[Weights, Weights]:
    kernel, step = ({name: value.copy() for name, value in weights.items()} for weights in pair)
    return kernel, step
