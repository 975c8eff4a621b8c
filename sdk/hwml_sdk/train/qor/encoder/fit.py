"""From vectors and labels to heads: scaling, the layer probe, the fit, the mixture with structure, intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....qor.learned.dataset import Rows
from ....qor.learned.encoder.head import TARGETS, TargetStats, Unlike, Weights, forward, quantised, unit_vectors
from ..evaluate import group_weights, weighted_quantile
from .config import EncoderConfig
from .embed import probe_mae
from .head import FitSettings, Trained, fit_head
from .recipe_rows import Mask, Split

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_KNOTS = 11
_POINTS_PER_GROUP = 2
COVERAGE = 0.8


@dataclass(frozen=True, slots=True)
class Scaler:
    """StandardScaler: z = (x - mean) / scale; columns that never change are left at 0."""

    mean: Floats
    scale: Floats

    @classmethod
    def fit(cls, x: Floats) -> Scaler:
        """Mean and deviation of the rows, as scikit-learn's takes them (over n, not n - 1)."""
        wide = x.astype(np.float64)
        scale = wide.std(axis=0)
        scale[scale < 1e-12] = 1.0
        return cls(wide.mean(axis=0).astype(np.float32), scale.astype(np.float32))

    def __call__(self, x: Floats) -> Floats:
        """Scaled rows."""
        return (x - self.mean) / self.scale


def target_stats(labels: Doubles, *, every_log: bool) -> TargetStats:
    """Of training labels [n, targets], NaN where missing. every_log: DSP as well, where a closed form is its base."""
    log = np.array([True, every_log, True, True])
    values = np.where(log, np.log1p(labels), labels)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    std = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / count)
    return TargetStats(mean, np.where(std < 1e-6, 1.0, std), log)


def labels_of(rows: Rows) -> Doubles:
    """[n, targets] of the four that are learned; NaN where missing or censored."""
    return rows.labels[:, : len(TARGETS)]


def z_scores(stats: TargetStats, labels: Doubles) -> Floats:
    """What the head learns."""
    return np.asarray((stats.transformed(labels) - stats.mean) / stats.std, dtype=np.float32)


def probe(layers: Sequence[int], vectors: Callable[[int], Floats], z: Floats, split: Split) -> dict[int, float]:
    """Validation MAE (z-scores) of ridge regression from each candidate layer; one layer is held at a time."""
    found = {}
    for layer in layers:
        x = vectors(layer)
        scaled = Scaler.fit(x[split.train])(x)
        found[layer] = probe_mae(scaled[split.train], z[split.train], scaled[split.val], z[split.val])
    return found


def fit_settings(config: EncoderConfig) -> FitSettings:
    """The head's part of a run's settings."""
    return FitSettings(
        config.epochs, config.patience, config.learning_rate, config.weight_decay, config.head_batch, config.seed
    )


@dataclass(frozen=True, slots=True)
class Head:
    """One trained head. inputs: "embedding", "features" or "both"; ratio: it predicts the step from the closed form."""

    name: str
    inputs: str
    ratio: bool
    weights: Weights
    history: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """All that is learned. mix: weight of each head and, last, of the closed form, [targets, heads + 1]."""

    scaler: Scaler
    stats: TargetStats
    heads: tuple[Head, ...]
    mix: Doubles
    feature_scaler: Scaler | None = None
    step_stats: TargetStats | None = None

    def predict(self, x: Floats, features: Floats | None = None, base: Doubles | None = None) -> Doubles:
        """Transformed targets [n, targets] of vectors, features and log closed form."""
        members = self.members(x, features, base)
        return np.asarray((members * self.mix.T[: len(members), None, :]).sum(axis=0))

    def members(self, x: Floats, features: Floats | None, base: Doubles | None) -> Doubles:
        """[heads (+ closed form), n, targets]."""
        known = np.where(np.isnan(base), self.stats.mean, base) if base is not None else None
        found = []
        for head in self.heads:
            z = forward(head.weights, self.inputs_of(head.inputs, x, features)).astype(np.float64)
            if head.ratio and known is not None and self.step_stats is not None:
                found.append(known + z * self.step_stats.std + self.step_stats.mean)
            else:
                found.append(z * self.stats.std + self.stats.mean)
        return np.stack([*found, *([known] if known is not None else [])])

    def inputs_of(self, kind: str, x: Floats, features: Floats | None) -> Floats:
        """Scaled inputs of a head."""
        parts = []
        if kind in ("embedding", "both"):
            parts.append(self.scaler(x))
        if kind in ("features", "both") and self.feature_scaler is not None and features is not None:
            parts.append(scaled_features(self.feature_scaler, features))
        return np.concatenate(parts, axis=1)


def scaled_features(scaler: Scaler, features: Floats) -> Floats:
    """z-scores cut to 5, so that code unlike all training data does not run away."""
    return np.clip(np.nan_to_num(scaler(features)), -5, 5).astype(np.float32)


def fit_plain(x: Floats, rows: Rows, split: Split, config: EncoderConfig) -> Fitted:
    """The classic head on the vectors alone."""
    labels = labels_of(rows)
    stats = target_stats(labels[split.train], every_log=False)
    scaler = Scaler.fit(x[split.train])
    trained = _fit(scaler(x), z_scores(stats, labels), split, config, None)
    head = Head("head", "embedding", False, trained.weights, tuple(trained.history))
    return Fitted(scaler, stats, (head,), np.ones((len(TARGETS), 1)))


def fit_joined(x: Floats, features: Floats, base: Doubles, rows: Rows, split: Split, config: EncoderConfig) -> Fitted:
    """Late fusion: heads on the vectors, on structure, and on both, mixed with the closed form per target.

    The weights are chosen on the validation groups, which no head was trained on.
    """
    labels = labels_of(rows)
    stats = target_stats(labels[split.train], every_log=True)
    logs = stats.transformed(labels)
    step = logs - np.where(np.isnan(base), stats.mean, base)
    step_stats = TargetStats(*_moments(step[split.train]), stats.log)
    fitted = Fitted(
        Scaler.fit(x[split.train]),
        stats,
        (),
        np.zeros((len(TARGETS), 4)),
        Scaler.fit(features[split.train]),
        step_stats,
    )
    z, z_step = z_scores(stats, labels), ((step - step_stats.mean) / step_stats.std).astype(np.float32)
    weights = np.sqrt(group_weights(rows.joined("source", "group"))).astype(np.float32)
    heads = []
    for name, inputs, ratio in (("head", "embedding", False), ("structure", "features", True), ("both", "both", True)):
        given = fitted.inputs_of(inputs, x, features)
        trained = _fit(given, z_step if ratio else z, split, config, weights)
        heads.append(Head(name, inputs, ratio, trained.weights, tuple(trained.history)))
    joined = Fitted(fitted.scaler, stats, tuple(heads), fitted.mix, fitted.feature_scaler, step_stats)
    val = split.val if split.val.any() else split.train
    members = joined.members(x[val], features[val], base[val])
    mix = choose_mix(members, logs[val], group_weights(rows.group[val]))
    return Fitted(joined.scaler, stats, joined.heads, mix, joined.feature_scaler, step_stats)


def _moments(values: Doubles) -> tuple[Doubles, Doubles]:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    std = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / count)
    return mean, np.where(std < 1e-6, 1.0, std)


def choose_mix(members: Doubles, wanted: Doubles, weights: Doubles) -> Doubles:
    """Weights [targets, members], none below 0, summing to 1: the least weighted absolute error, in steps of 1/10."""
    grid = [np.array(point) / 10 for point in _simplex(len(members), 10)]
    found = []
    for target in range(wanted.shape[1]):
        known = np.isfinite(wanted[:, target])
        if not known.any():
            found.append(np.eye(len(members))[0])
            continue
        errors = [
            np.average(np.abs(point @ members[:, known, target] - wanted[known, target]), weights=weights[known])
            for point in grid
        ]
        found.append(grid[int(np.argmin(errors))])
    return np.array(found)


def _simplex(parts: int, total: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in _simplex(parts - 1, total - first)]


def _fit(given: Floats, z: Floats, split: Split, config: EncoderConfig, weights: Floats | None) -> Trained:
    return fit_head(
        given[split.train], z[split.train], given[split.val], z[split.val], fit_settings(config),
        weights=None if weights is None else weights[split.train],
    )  # fmt: skip


def unlike_of(scaler: Scaler, x: Floats, groups: NDArray[np.str_]) -> Unlike:
    """Directions of a few vectors of each training group, and how far groups are from their nearest neighbours."""
    unit = unit_vectors(scaler(x))
    places: list[int] = []
    for name in sorted(set(groups.tolist())):
        own = np.flatnonzero(groups == name)
        places += own[np.unique(np.linspace(0, len(own) - 1, _POINTS_PER_GROUP).round().astype(int))].tolist()
    points, owner = unit[places], groups[places]
    near = unit @ points.T
    near[groups[:, None] == owner[None, :]] = -np.inf
    distance = 1 - near.max(axis=1)
    known = np.isfinite(distance)
    weights = group_weights(groups)
    steps = np.linspace(0, 1, _KNOTS)
    knots = [weighted_quantile(distance[known], weights[known], step) for step in steps] if known.any() else steps
    return Unlike(
        scaler.mean, scaler.scale, quantised(points), np.maximum.accumulate(np.array(knots, dtype=np.float64))
    )


def interval_config(
    errors: Doubles, unlike: Doubles, groups: NDArray[np.str_], coverage: float = COVERAGE
) -> dict[str, object]:
    """Quantiles of held-out errors (label - prediction, transformed [n, targets]), for rows like and unlike training.

    Groups weigh equally, as they do where the default model's intervals are measured.
    """
    border = float(np.median(unlike)) if len(unlike) else 0.5
    tail = (1 - coverage) / 2
    below, above = [], []
    for side in (unlike <= border, unlike > border):
        rows: Mask = side if side.sum() >= 20 else np.ones(len(unlike), dtype=bool)
        low, high = [], []
        for target in range(errors.shape[1]):
            known = rows & np.isfinite(errors[:, target])
            weights = group_weights(groups[known])
            ends = [weighted_quantile(errors[known, target], weights, q) for q in (tail, 1 - tail)]
            low.append(min(ends[0], 0.0) if known.any() else 0.0)
            high.append(max(ends[1], 0.0) if known.any() else 0.0)
        below.append(low)
        above.append(high)
    return {"coverage": coverage, "border": border, "below": below, "above": above}
