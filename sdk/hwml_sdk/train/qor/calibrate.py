"""What is learned about the members' own errors: the unlike-score, the shrink curves and the 80 % intervals.

Everything is fitted on `Evidence`: predictions for groups (or whole sources) that the members never saw.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.correct import (
    N_FAR,
    Calibration,
    Geometry,
    closed_form_log,
    domain_of,
    error_inputs,
)
from ...qor.learned.table import Table
from ...qor.tool.labels import CONTEXT, DOMAINS, LABELS, NEAR_CLOCK, NEAR_YEARS
from .evaluate import group_weights, weighted_quantile
from .fit import TreeConfig, boost, row_weights, targets_of

Floats = NDArray[np.float64]

LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class ErrorConfig:
    """Settings of the error models. coverage: aimed at with groups weighing equally, and as the mean over sources."""

    unlike: TreeConfig = field(default_factory=lambda: TreeConfig(trees=60, leaves=6, min_leaf=40, features=1.0))
    quantiles: TreeConfig = field(default_factory=lambda: TreeConfig(trees=80, leaves=8, min_leaf=40, features=0.3))
    points_per_group: int = 8
    coverage: float = 0.79
    source_coverage: float = 0.75


@dataclass(frozen=True, slots=True)
class Evidence:
    """Held-out predictions. members: [m, n, targets] log values. distances: [n, 3] to the training groups then.
    unseen: [n] whether the training rows then had no such settings."""

    table: Table
    members: Floats
    distances: Floats
    unseen: NDArray[np.bool_]

    def take(self, chosen: NDArray[Any]) -> Evidence:
        """The rows that a boolean mask or an index array chooses."""
        return Evidence(self.table.take(chosen), self.members[:, chosen], self.distances[chosen], self.unseen[chosen])

    def inputs(self) -> NDArray[np.float32]:
        """What the error models read, [n, columns]."""
        base = closed_form_log(self.table.values, self.table.feature_names)
        return error_inputs(self.table.values, self.members, base, self.distances)


def join(parts: Sequence[Evidence]) -> Evidence:
    """Evidence one below the other."""
    from ...qor.learned.table import concatenate

    return Evidence(
        concatenate([part.table for part in parts]),
        np.concatenate([part.members for part in parts], axis=1),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.unseen for part in parts]),
    )


def build_geometry(table: Table, points_per_group: int) -> Geometry:
    """Representative rows of every group of every source, spread evenly over the table's order."""
    rows, values = table.rows, table.values
    with np.errstate(invalid="ignore"):
        weights = group_weights(rows.group)[:, None] * np.isfinite(values)
        total = np.maximum(weights.sum(axis=0), 1e-9)
        mean = (np.nan_to_num(values) * weights).sum(axis=0) / total
        scale = np.sqrt((np.nan_to_num(values - mean) ** 2 * weights).sum(axis=0) / total)
    _, group = np.unique(rows.group, return_inverse=True)
    place = rows.joined("source", "stage", "group")
    chosen = []
    for name in np.unique(place).tolist():
        found = np.flatnonzero(place == name)
        chosen.append(found[np.linspace(0, len(found) - 1, min(points_per_group, len(found))).round().astype(int)])
    kept = np.concatenate(chosen)
    low, high = _range(values)
    columns, contexts, slack = _contexts(table)
    shape = Geometry(
        mean=mean.astype(np.float32),
        scale=np.where(scale < 1e-3, 1.0, scale).astype(np.float32),
        low=low,
        high=high,
        points=np.zeros((0, values.shape[1]), dtype=np.int8),
        group=group[kept].astype(np.int32),
        context_columns=columns,
        contexts=contexts,
        slack=slack,
    )
    return replace(shape, points=shape.codes(values[kept]))


def _contexts(table: Table) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Columns of the settings, their combinations in `table`, and how near another has to be to count as the same."""
    names = [name for name in CONTEXT if name in table.feature_names]
    columns = np.array([table.feature_names.index(name) for name in names], dtype=np.int32)
    found = np.unique(table.values[:, columns], axis=0)
    clock = NEAR_CLOCK * found[:, names.index("clock_ns")] if "clock_ns" in names else 0
    near = {"clock_ns": clock, "year": NEAR_YEARS}
    slack = np.stack([np.broadcast_to(near.get(name, 0.25), len(found)) for name in names], axis=1)
    return columns, found.astype(np.float32), slack.astype(np.float32)


def _range(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smallest and largest known value of each feature; NaN where no row has one."""
    known = np.isfinite(values)
    some = known.any(axis=0)
    low = np.where(known, values, np.inf).min(axis=0)
    high = np.where(known, values, -np.inf).max(axis=0)
    return np.where(some, low, np.nan).astype(np.float32), np.where(some, high, np.nan).astype(np.float32)


@dataclass(frozen=True, slots=True)
class ErrorModels:
    """models: LightGBM boosters: raw unlike-score, then the low and the high quantile of the error per target, then
    the same for settings that training never had."""

    models: tuple[Any, ...]
    calibration: Calibration

    def predict(self, evidence: Evidence) -> tuple[Floats, Floats, Floats, Floats]:
        """(value, low, high) as log values [n, targets], and the unlike-score [n]."""
        inputs = evidence.inputs()
        base = closed_form_log(evidence.table.values, evidence.table.feature_names)
        unlike = self.calibration.unlike(raw_unlike(self.models[0], inputs))
        domain = domain_of(evidence.table.values, evidence.table.feature_names)
        mixed = self.calibration.mixed(evidence.members, base, domain)
        value = self.calibration.blend(mixed, base, unlike, evidence.unseen)
        if len(self.models) == 1:
            return value, np.full_like(value, np.nan), np.full_like(value, np.nan), unlike
        ends = np.stack([model.predict(inputs, num_threads=1) for model in self.models[1:]], axis=1)
        low, high = self.calibration.ends(value, ends, evidence.unseen)
        return value, low, high, unlike


def raw_unlike(model: Any, inputs: NDArray[np.float32]) -> Floats:
    """Raw unlike-score [n]: the model reads the first N_FAR columns only."""
    return np.asarray(model.predict(inputs[:, :N_FAR], num_threads=1))


def fit_errors(
    evidence: Evidence, config: ErrorConfig, *, strangers: Evidence | None = None, intervals: bool = True
) -> ErrorModels:
    """Fit on `evidence`; the intervals for settings that training never had on `strangers`.

    strangers: rows whose whole source was left out of training. intervals: False leaves the quantile models out;
    `predict` then gives no interval.
    """
    inputs, wanted = evidence.inputs(), targets_of(evidence.table)
    weights = row_weights(evidence.table, 0.5)
    far, knots = _fit_unlike(inputs, wanted, weights, evidence, config)
    whole = (1.0,) * len(LABELS)
    flat = ((1.0,) * len(SHRINK_KNOTS),) * len(LABELS)
    plain = Calibration(knots, SHRINK_KNOTS, (flat, flat), (whole, whole), fit_mix(evidence))
    # For settings that training never had the closed form stands alone: on sources left out whole nothing beat it.
    closed = ((0.0,) * len(SHRINK_KNOTS),) * len(LABELS)
    plain = replace(plain, shrink=(_fit_shrink(evidence, far, plain), closed))
    if not intervals:
        return ErrorModels((far,), plain)
    rest = wanted - ErrorModels((far,), plain).predict(evidence)[0]
    quantiles = tuple(_fit_quantiles(inputs, rest, weights, config))
    widen = _fit_widen(inputs, rest, weights, evidence.table, config, evidence.table.rows.fold(4))
    foreign = _foreign(strangers)
    if foreign is None:
        return ErrorModels((far, *quantiles), replace(plain, widen=(widen, widen)))
    ends, other = _foreign_intervals(foreign, ErrorModels((far,), plain), config)
    return ErrorModels((far, *quantiles, *ends), replace(plain, widen=(widen, other)))


def _foreign(strangers: Evidence | None) -> Evidence | None:
    """The strangers whose settings training never had; None when they are too few to learn from."""
    if strangers is None:
        return None
    found = strangers.take(strangers.unseen)
    return found if len(set(found.table.rows.source.tolist())) >= _FOREIGN_SOURCES else None


def _foreign_intervals(
    foreign: Evidence, models: ErrorModels, config: ErrorConfig
) -> tuple[list[Any], tuple[float, ...]]:
    """Quantile models and factors for settings that training never had, the factors measured on whole sources.

    The models are blind to the settings, by which they would know the sources again.
    """
    inputs, table = foreign.inputs(), foreign.table
    settings = [table.feature_names.index(name) for name in CONTEXT if name in table.feature_names]
    inputs[:, inputs.shape[1] - len(table.feature_names) + np.array(settings, dtype=np.int64)] = 0
    rest = targets_of(table) - models.predict(foreign)[0]
    weights = row_weights(table, 0.5)
    _, source = np.unique(table.rows.source, return_inverse=True)
    widen = _fit_widen(inputs, rest, weights, table, config, source % 4)
    return _fit_quantiles(inputs, rest, weights, config), widen


def _fit_unlike(
    inputs: NDArray[np.float32], wanted: Floats, weights: Floats, evidence: Evidence, config: ErrorConfig
) -> tuple[Any, tuple[float, ...]]:
    """(model of the mean |log error| that only rises with distance and disagreement, its quantiles over groups)."""
    error = np.minimum(np.abs(wanted - evidence.members.mean(axis=0)), 4.0)
    some = np.isfinite(error).any(axis=1)
    mean = np.nanmean(error[some], axis=1)
    settings = {"objective": "l2", "monotone_constraints": [1] * N_FAR}
    model = boost(inputs[some, :N_FAR], mean, weights[some], config.unlike, **settings)
    raw = raw_unlike(model, inputs)
    groups = group_weights(evidence.table.rows.group)
    knots = [weighted_quantile(raw, groups, q) for q in np.linspace(0, 1, 21)]
    rising = np.maximum.accumulate(np.array(knots) + 1e-9 * np.arange(len(knots)))
    return model, tuple(float(value) for value in rising)


SHRINK_KNOTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SHRINK_STEPS = np.linspace(0, 1, 21)


_FOREIGN_SOURCES = 2
SHRINK_FLOOR = 0.7  # least weight of the learned blend on designs like the training data
# Most weight of it far from them. Cycles and DSPs are what the closed form counts: on sources left out whole it is
# the nearer of the two there. LUTs and FFs it can only estimate.
_SHRINK_CEILING = {"latency_cycles": (1.0, 1.0, 1.0, 0.85, 0.6), "dsp": (1.0, 1.0, 1.0, 0.7, 0.4)}

MIX_STEPS = 10
_MIX_ROWS, _MIX_MIN_GROUPS = 4000, 6


def fit_mix(evidence: Evidence) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Weights of members and closed form by domain and target: the mean of the five best on a grid and of
    even weights, which the few groups of a domain need as a counterweight.

    A domain with few groups gets the weights of all domains together.
    """
    names = evidence.table.feature_names
    base = closed_form_log(evidence.table.values, names)
    parts = np.concatenate([evidence.members, base[None]])
    wanted, weights = targets_of(evidence.table), row_weights(evidence.table, 0.75)
    domain, group = domain_of(evidence.table.values, names), evidence.table.rows.group
    ways = itertools.product(range(MIX_STEPS + 1), repeat=len(parts))
    grid = np.array([way for way in ways if sum(way) == MIX_STEPS]) / MIX_STEPS
    mixes = []
    for number in range(len(DOMAINS)):
        here = []
        for target in range(len(LABELS)):
            known = np.isfinite(wanted[:, target]) & np.isfinite(base[:, target])
            own = known & (domain == number)
            used = own if len(set(group[own].tolist())) >= _MIX_MIN_GROUPS else known
            here.append(_best_mix(grid, parts[:, used, target], wanted[used, target], weights[used]))
        mixes.append(tuple(here))
    return tuple(mixes)


def _loss(error: Floats) -> Floats:
    """Between absolute and squared error, bounded: the closed form is exact on many rows and far off on a few."""
    return np.asarray(np.minimum(np.abs(error), 4.0) ** 1.5)


def _best_mix(grid: Floats, parts: Floats, wanted: Floats, weights: Floats) -> tuple[float, ...]:
    if len(wanted) == 0:
        return tuple([1 / (parts.shape[0] - 1)] * (parts.shape[0] - 1) + [0.0])
    step = max(len(wanted) // _MIX_ROWS, 1)
    parts, wanted, weights = parts[:, ::step], wanted[::step], weights[::step]
    losses = [float(np.average(_loss(wanted - way @ parts), weights=weights)) for way in grid]
    best = grid[np.argsort(losses, kind="stable")[:5]].mean(axis=0)
    return tuple(float(weight) for weight in (best + 1 / len(best)) / 2)


def _fit_shrink(part: Evidence, far: Any, plain: Calibration) -> tuple[tuple[float, ...], ...]:
    """Weight of the blend at each knot of the unlike-score, per target: least error nearby, never rising."""
    names = part.table.feature_names
    unlike = plain.unlike(raw_unlike(far, part.inputs()))
    base = closed_form_log(part.table.values, names)
    blend = plain.mixed(part.members, base, domain_of(part.table.values, names))
    wanted, weights = targets_of(part.table), row_weights(part.table, 0.75)
    curves = []
    for target in range(len(LABELS)):
        b, y, x = base[:, target], wanted[:, target], blend[:, target]
        known = np.isfinite(y) & np.isfinite(b)
        curve = _shrink_curve(unlike[known], weights[known], x[known], b[known], y[known])
        ceiling = _SHRINK_CEILING.get(LABELS[target], (1.0,) * len(SHRINK_KNOTS))
        curves.append(tuple(min(pair) for pair in zip(curve, ceiling, strict=True)))
    return tuple(curves)


def _shrink_curve(unlike: Floats, weights: Floats, blend: Floats, base: Floats, wanted: Floats) -> tuple[float, ...]:
    curve: list[float] = []
    for knot in SHRINK_KNOTS:
        near = weights * np.maximum(1 - np.abs(unlike - knot) / 0.3, 0)
        if near.sum() <= 0:
            curve.append(curve[-1] if curve else 1.0)
            continue
        losses = [float(np.average(_loss(wanted - base - s * (blend - base)), weights=near)) for s in _SHRINK_STEPS]
        best = float(_SHRINK_STEPS[len(losses) - 1 - int(np.argmin(losses[::-1]))])
        best = max(best, SHRINK_FLOOR * (1 - knot))
        curve.append(min(best, curve[-1]) if curve else best)
    return tuple(curve)


def _fit_quantiles(inputs: NDArray[np.float32], rest: Floats, weights: Floats, config: ErrorConfig) -> list[Any]:
    """Boosters of the low quantile of the error per target, then of the high one."""
    models = []
    for alpha in (LOW, HIGH):
        for column in rest.T:
            known = np.isfinite(column)
            settings = {"objective": "quantile", "alpha": alpha}
            models.append(boost(inputs[known], column[known], weights[known], config.quantiles, **settings))
    return models


def _fit_widen(
    inputs: NDArray[np.float32], rest: Floats, weights: Floats, table: Table, config: ErrorConfig, fold: NDArray[Any]
) -> tuple[float, ...]:
    """Factor on the interval ends per target that reaches the coverage on folds the quantile models never saw."""
    score = np.full(rest.shape, np.nan)
    for number in np.unique(fold):
        test = fold == number
        if not test.any() or test.all():
            continue
        models = _fit_quantiles(inputs[~test], rest[~test], weights[~test], config)
        ends = np.stack([model.predict(inputs[test], num_threads=1) for model in models], axis=1)
        score[test] = _end_score(rest[test], ends)
    return tuple(_widen(score[:, target], table, config) for target in range(len(LABELS)))


def _end_score(rest: Floats, ends: Floats) -> Floats:
    """Errors [n, targets] over the interval end on their side: over 1 lies outside."""
    low = np.minimum(ends[:, : len(LABELS)], -0.02)
    high = np.maximum(ends[:, len(LABELS) :], 0.02)
    return np.asarray(np.where(rest < 0, rest / low, rest / high))


def _widen(score: Floats, table: Table, config: ErrorConfig) -> float:
    """Quantile of the error over the interval end: over groups of all sources, and as the mean over sources."""
    known = np.isfinite(score)
    if not known.any():
        return 1.0
    rows, score = table.rows.take(known), score[known]
    pooled = weighted_quantile(score, group_weights(rows.group), config.coverage)
    place = rows.joined("source", "group")
    each = group_weights(place)
    totals = {name: float(each[rows.source == name].sum()) for name in set(rows.source.tolist())}
    even = each / np.array([totals[name] for name in rows.source.tolist()])
    return float(max(pooled, weighted_quantile(score, even, config.source_coverage), 0.3))
