"""What is learned about errors: the unlike-score, how far the members are trusted, and the 80 % intervals.

Everything is fitted on `Evidence`: predictions for groups (or whole sources) that the members never saw.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.certainty import Certainty, classes_of, told
from ...qor.learned.correct import (
    MAX_CORRECTION,
    Calibration,
    Geometry,
    domain_of,
)
from ...qor.learned.dataset import Rows
from ...qor.learned.table import Table
from ...qor.tool.labels import CONTEXT, DOMAINS, LABELS, NEAR_CLOCK, NEAR_YEARS
from .certainty import ROWS_PER_KEY, Coverage, fit_certainty
from .evaluate import group_weights, weighted_quantile
from .fit import FitConfig, row_weights, targets_of, training_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorConfig:
    """Settings of what is learned about errors. coverage: what intervals aim at."""

    points_per_group: int = 8
    coverage: Coverage = field(default_factory=Coverage)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Held-out predictions. members: [m, n, targets] log values. distances: [n] to the nearest training group
    then. unseen: [n] whether the training rows then had no such settings."""

    table: Table
    members: Floats
    distances: Floats
    unseen: NDArray[np.bool_]

    def take(self, chosen: NDArray[Any]) -> Evidence:
        """The rows that a boolean mask or an index array chooses."""
        return Evidence(self.table.take(chosen), self.members[:, chosen], self.distances[chosen], self.unseen[chosen])


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
    place = rows.joined("source", "stage", "group")
    chosen = []
    for name in np.unique(place).tolist():
        found = np.flatnonzero(place == name)
        chosen.append(found[np.linspace(0, len(found) - 1, min(points_per_group, len(found))).round().astype(int)])
    kept = np.concatenate(chosen)
    columns, contexts, slack = _contexts(table)
    shape = Geometry(
        mean=mean.astype(np.float32),
        scale=np.where(scale < 1e-3, 1.0, scale).astype(np.float32),
        points=np.zeros((0, values.shape[1]), dtype=np.int8),
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


@dataclass(frozen=True, slots=True)
class ErrorModels:
    """What is learned about errors. certainty: None where intervals were not asked for."""

    calibration: Calibration
    certainty: Certainty | None = None

    def predict(self, evidence: Evidence) -> tuple[Floats, Floats, Floats, Floats]:
        """(value, low, high) as log values [n, targets], no ends where the figure is told as `?`; unlike-score [n]."""
        table = evidence.table
        value = self.value(evidence)
        unlike = self.calibration.unlike(evidence.distances)
        if self.certainty is None:
            return value, np.full_like(value, np.nan), np.full_like(value, np.nan), unlike
        ends = self.certainty.ends(table.values, table.feature_names, evidence.unseen)
        said = np.where(told(table.values, table.feature_names), value, np.nan)
        return value, said - ends, said + ends, unlike

    def changes(self, evidence: Evidence) -> Floats:
        """Factor of the interval of a change [n, targets], by the class of each row; NaN without intervals."""
        table = evidence.table
        if self.certainty is None:
            return np.full((len(table.rows), len(LABELS)), np.nan)
        kind = classes_of(table.values, table.feature_names)
        return np.array(self.certainty.changes)[:, kind].T

    def value(self, evidence: Evidence) -> Floats:
        """Log values [n, targets]."""
        table = evidence.table
        base = table.closed_form_log
        domain = domain_of(table.values, table.feature_names)
        return self.calibration.blend(self.calibration.mixed(evidence.members, base, domain), base, domain)


def fit_errors(
    evidence: Evidence, config: ErrorConfig, *, strangers: Evidence | None = None, intervals: bool = True
) -> ErrorModels:
    """Fit on `evidence`; how far the learned part is trusted on `strangers`, rows whose whole source was left out.

    Without strangers the closed form stands alone. intervals: False leaves the ends out; `predict` then gives none.
    """
    mix = fit_mix(evidence)
    calibration = Calibration(_knots(evidence), mix, fit_trust(strangers, mix))
    models = ErrorModels(calibration)
    if not intervals:
        return models
    few = training_rows(evidence.table, FitConfig(rows_per_key=ROWS_PER_KEY))
    table = evidence.table.take(few)
    # What is told as `?` has no interval to be right about, and would only blur those of what is told.
    said = np.where(told(table.values, table.feature_names), models.value(evidence)[few], np.nan)
    return replace(models, certainty=fit_certainty(table, said, config.coverage))


TRUST_STEPS = (0.25, 0.5, 0.75, 1.0)
_WORSE_BY = 0.0  # of median error: what a learned part may cost on any source left out whole
_BETTER_BY = 0.04  # share of the loss over all of them that it has to save
# So many sources have to say so: with fewer, what helped on four was worse on one more (FF of hlsyn: 41 for 38 %).
_TRUST_ROWS, _TRUST_SOURCES = 20, 5


def fit_trust(
    strangers: Evidence | None, mix: tuple[tuple[tuple[float, ...], ...], ...]
) -> tuple[tuple[float, ...], ...]:
    """How far the mixture is followed by domain and target: as far as it beats the closed form on whole sources.

    On none of them may its median error be worse; over all of them, weighing alike, its loss has to be smaller by 4 %.
    Where fewer than five sources have such designs nothing can be said, and the closed form stands.
    """
    nothing = tuple((0.0,) * len(LABELS) for _ in DOMAINS)
    if strangers is None:
        return nothing
    names, wanted = strangers.table.feature_names, targets_of(strangers.table)
    base = strangers.table.closed_form_log
    domain = domain_of(strangers.table.values, names)
    mixed = Calibration((0.0, 1.0), mix, nothing).mixed(strangers.members, base, domain)
    step = np.clip(mixed - base, -np.log(MAX_CORRECTION), np.log(MAX_CORRECTION))
    found = []
    for number in range(len(DOMAINS)):
        row = []
        for target in range(len(LABELS)):
            known = (domain == number) & np.isfinite(wanted[:, target]) & np.isfinite(base[:, target])
            rows = strangers.table.rows.take(known)
            row.append(_trusted(rows, wanted[known, target], base[known, target], step[known, target]))
        found.append(tuple(row))
    return tuple(found)


def _trusted(rows: Rows, wanted: Floats, base: Floats, step: Floats) -> float:
    parts = [rows.source == source for source in sorted(set(rows.source.tolist()))]
    parts = [part for part in parts if part.sum() >= _TRUST_ROWS]
    if len(parts) < _TRUST_SOURCES:
        return 0.0
    plain = [_cost(rows, part, wanted, base) for part in parts]
    best, least = 0.0, float(np.mean([cost for cost, _ in plain])) * (1 - _BETTER_BY)
    for trust in TRUST_STEPS:
        costs = [_cost(rows, part, wanted, base + trust * step) for part in parts]
        worse = any(new[1] > old[1] + _WORSE_BY for new, old in zip(costs, plain, strict=True))
        mean = float(np.mean([cost for cost, _ in costs]))
        if not worse and mean < least:
            best, least = trust, mean
    return best


def _cost(rows: Rows, part: NDArray[np.bool_], wanted: Floats, value: Floats) -> tuple[float, float]:
    """(mean loss, median APE) on a part of the rows, groups weighing equally."""
    weights = group_weights(rows.group[part])
    error = float(np.average(_loss(wanted[part] - value[part]), weights=weights))
    label, said = np.expm1(wanted[part]), np.expm1(value[part])
    some = label > 0
    return error, weighted_quantile(np.abs(said[some] - label[some]) / label[some], weights[some], 0.5)


def _knots(evidence: Evidence) -> tuple[float, ...]:
    """Distances to the nearest training group that a share of 0, 5, .. 100 % of the groups stays below."""
    groups = group_weights(evidence.table.rows.group)
    knots = [weighted_quantile(evidence.distances, groups, q) for q in np.linspace(0, 1, 21)]
    rising = np.maximum.accumulate(np.array(knots) + 1e-9 * np.arange(len(knots)))
    return tuple(float(value) for value in rising)


MIX_STEPS = 10
_MIX_ROWS, _MIX_MIN_GROUPS = 4000, 6


def fit_mix(evidence: Evidence) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Weights of members and closed form by domain and target: the mean of the five best on a grid and of
    even weights, which the few groups of a domain need as a counterweight.

    A domain with few groups gets the weights of all domains together.
    """
    names = evidence.table.feature_names
    base = evidence.table.closed_form_log
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
