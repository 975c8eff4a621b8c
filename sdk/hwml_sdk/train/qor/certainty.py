"""Fit how sure answers are: weights of the reasons, scales of the classes, the factor of settings never seen.

Weights minimise the pinball loss of both ends, half with groups weighing equally, half with sources weighing as the
square root of their groups (three quarters of all groups are of one source, and some sources are one group). Scales are
split conformal: ends of fits that never saw the group of a row are stretched until the coverage is reached under both
weights. No class is surer than `counted`; one with few groups takes the scale of its widest neighbour. The factor is
measured on sources that no fit saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...amounts import CHANGE_FLOOR
from ...errors import MissingDependencyError
from ...interrupt import heed_ctrl_c
from ...qor.learned.certainty import (
    ADDED,
    CLASSES,
    MAX_END,
    MIN_END,
    REASONS,
    Certainty,
    classes_of,
    raw_end,
    strengths,
)
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .evaluate import group_weights, weighted_quantile

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TAIL = 0.1  # outside each end
_SMOOTH = 0.03  # of the pinball loss's kink
# Of each weight, by `python -m sdk.train qor penalty`: what is known of few designs is not carried over to strangers'.
PENALTIES = {"lut": 1e-2, "dsp": 2e-3, "ff": 7e-3, "latency_cycles": 4e-3, "bram_18k": 2e-3}
_FAR = 3.0  # errors beyond count as this: they are other faults
_ROUNDS = 100
FOLDS = 4
MIN_SCALE, MAX_SCALE = 0.3, 3.0
MIN_GROUPS = 8  # of a class with a scale of its own
ROWS_PER_KEY = 20


@dataclass(frozen=True, slots=True)
class Coverage:
    """What ends are scaled to: with groups weighing equally, with sources weighing by the root of theirs, and, for
    settings that training never had, with whole sources weighing alike."""

    groups: float = 0.76
    sources: float = 0.76
    foreign: float = 0.75


def fit_certainty(
    table: Table, value: Floats, aim: Coverage, *, penalties: Mapping[str, float] = PENALTIES
) -> Certainty:
    """From held-out values (log, [n, targets]) of the rows of `table`; rows without a label or a value are left out."""
    error = np.log1p(table.rows.labels) - value
    kind = classes_of(table.values, table.feature_names)
    below, above, scale, foreign = [], [], [], []
    for index, target in enumerate(LABELS):
        heed_ctrl_c()
        known = np.isfinite(error[:, index])
        part = _Part.of(table, known, error[known, index], kind[known], target, penalties[target])
        ends = part.fit(np.ones(len(part.error), dtype=bool))
        scales = part.scales(aim)
        below.append(_plain(ends[0]))
        above.append(_plain(ends[1]))
        scale.append(scales)
        foreign.append(part.foreign(scales, aim))
    changes = fit_changes(table, value, kind)
    return Certainty(tuple(below), tuple(above), tuple(scale), tuple(foreign), changes)


PAIRS_PER_KEY, CHANGE_COVERAGE, _MIN_PAIRS = 40, 0.8, 50


def fit_changes(table: Table, value: Floats, kind: NDArray[np.int64]) -> tuple[tuple[float, ...], ...]:
    """Factor of the interval of a change [targets, CLASSES], from pairs of designs of the same kernel and tool.

    Of a pair it is the error of the change over (the change itself + CHANGE_FLOOR); the factor covers four of five,
    groups weighing equally. Pairs without any predicted change say nothing: an edit that changes none is told as none.
    """
    first, second = pairs(table.rows.key)
    wanted = np.log1p(table.rows.labels)
    real, said = wanted[first] - wanted[second], value[first] - value[second]
    source, group = table.rows.source[first].astype(str), table.rows.group[first].astype(str)
    names, pair_kind = np.char.add(np.char.add(source, "\0"), group), np.minimum(kind[first], kind[second])
    found = []
    for index in range(len(LABELS)):
        known = np.isfinite(real[:, index]) & np.isfinite(said[:, index]) & (said[:, index] != 0)
        score = np.abs(real - said)[:, index] / (np.abs(said[:, index]) + CHANGE_FLOOR)
        own = []
        for number in range(len(CLASSES)):
            chosen = known & (pair_kind == number)
            chosen = chosen if chosen.sum() >= _MIN_PAIRS else known
            weights = group_weights(names[chosen])
            own.append(weighted_quantile(score[chosen], weights, CHANGE_COVERAGE) if chosen.any() else 1.0)
        found.append(_plain(np.array(own)))
    return tuple(found)


def pairs(key: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of pairs of rows of the same key, some of each; the same on every machine."""
    random = np.random.default_rng(0)
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for name in np.unique(key).tolist():
        rows = np.flatnonzero(key == name)
        count = min(PAIRS_PER_KEY, len(rows) * (len(rows) - 1) // 2)
        if count:
            one = random.integers(0, len(rows), count)
            other = random.integers(0, len(rows) - 1, count)
            first.append(rows[one])
            second.append(rows[other + (other >= one)])
    return np.concatenate(first), np.concatenate(second)


def _plain(numbers: Floats) -> tuple[float, ...]:
    return tuple(round(float(number), 5) for number in numbers)


@dataclass(frozen=True, slots=True)
class _Part:
    """Labelled rows of one target: strengths [n, k], errors [n], classes [n], fold, source and group of each; penalty
    of weights."""

    found: Floats
    error: Floats
    kind: NDArray[np.int64]
    fold: NDArray[Any]
    source: NDArray[Any]
    group: NDArray[Any]
    target: str
    penalty: float

    @classmethod
    def of(
        cls, table: Table, known: Mask, error: Floats, kind: NDArray[np.int64], target: str, penalty: float
    ) -> _Part:
        """The rows that `known` chooses."""
        rows = table.rows.take(known)
        found = strengths(table.values[known], table.feature_names, target)
        return cls(found, error, kind, rows.fold(FOLDS), rows.source, rows.group, target, penalty)

    def weights(self, chosen: Mask) -> tuple[Floats, Floats]:
        """Weights of the chosen rows that make groups equal, and those by which a source weighs as the square root of
        its groups: three quarters of all groups are of one source, and some sources are one group; each sums to 1."""
        source = self.source[chosen]
        names = np.char.add(np.char.add(source.astype(str), "\0"), self.group[chosen].astype(str))
        each = group_weights(names)
        totals = {name: float(each[source == name].sum()) for name in set(source.tolist())}
        even = each / np.sqrt([totals[name] for name in source.tolist()]) if len(each) else each
        return each / max(each.sum(), 1e-9), even / max(even.sum(), 1e-9)

    def fit(self, chosen: Mask) -> tuple[Floats, Floats]:
        """(below, above): bias and weights [1 + k], from the chosen rows."""
        if chosen.sum() < 2 * MIN_GROUPS:
            plain = np.zeros(1 + len(REASONS))
            return plain, plain
        groups, sources = self.weights(chosen)
        mean = (groups + sources) / 2
        return (
            _fit_end(self.found[chosen], -self.error[chosen], mean, self.penalty, self.target),
            _fit_end(self.found[chosen], self.error[chosen], mean, self.penalty, self.target),
        )

    def score(self, ends: tuple[Floats, Floats], chosen: Mask) -> Floats:
        """Errors of the chosen rows over the end on their side, with their sign."""
        low, high = (np.clip(raw_end(end, self.found[chosen], self.target), MIN_END, MAX_END) for end in ends)
        error = self.error[chosen]
        return np.where(error < 0, error / low, error / high)

    def held_out(self, part: NDArray[Any]) -> Floats:
        """The same for every row, by fits that never saw its fold, source or whatever `part` [n] names."""
        score = np.full(len(self.error), np.nan)
        for name in np.unique(part).tolist():
            test = part == name
            if test.all():
                continue
            # Groups of a source that stand elsewhere, too, are left out with it.
            train = ~np.isin(self.group, np.unique(self.group[test]))
            score[test] = self.score(self.fit(train), test)
        return score

    def scales(self, aim: Coverage) -> tuple[tuple[float, float], ...]:
        """Factors on the lower and the upper end by class; none below those of `counted`."""
        score = self.held_out(self.fold)
        own: list[tuple[float, float] | None] = []
        for number in range(len(CLASSES)):
            chosen = (self.kind == number) & np.isfinite(score)
            enough = len(set(self.group[chosen].tolist())) >= MIN_GROUPS
            own.append(self._reaching(score, chosen, aim) if enough else None)
        known = [pair for pair in own if pair is not None] or [(1.0, 1.0)]
        widest = max(low for low, _ in known), max(high for _, high in known)
        least = own[CLASSES.index("counted")] or widest
        return tuple(
            (round(max(low, least[0]), 5), round(max(high, least[1]), 5)) for low, high in (p or widest for p in own)
        )

    def _reaching(self, score: Floats, chosen: Mask, aim: Coverage) -> tuple[float, float]:
        """Factors on both ends beyond which as much lies as may, under the stricter of both weights."""
        found = []
        for side in (np.maximum(-score[chosen], 0.0), np.maximum(score[chosen], 0.0)):
            wanted = [
                weighted_quantile(side, weights, (1 + share) / 2)
                for weights, share in zip(self.weights(chosen), (aim.groups, aim.sources), strict=True)
            ]
            found.append(float(np.clip(max(wanted), MIN_SCALE, MAX_SCALE)))
        return found[0], found[1]

    def foreign(self, scales: tuple[tuple[float, float], ...], aim: Coverage) -> float:
        """How much wider ends have to be for sources that no fit saw, over the scales of the classes; at least 1."""
        if len(set(self.source.tolist())) < 3:
            return 1.0
        score = self.held_out(self.source)
        factors = np.array(scales)[self.kind]
        score = np.abs(score) / np.where(score < 0, factors[:, 0], factors[:, 1])
        chosen = np.isfinite(score)
        if not chosen.any():
            return 1.0
        place = self.source[chosen]
        each = group_weights(self.group[chosen])
        alike = each / np.array([each[place == name].sum() for name in place.tolist()])
        return round(max(weighted_quantile(score[chosen], alike, aim.foreign), 1.0), 5)


def _fit_end(found: Floats, error: Floats, weights: Floats, penalty: float, target: str) -> Floats:
    """Bias and weights >= 0 of an end that is exceeded by `error` [n] in TAIL of the cases."""
    try:
        from scipy.optimize import minimize
    except ImportError as problem:
        raise MissingDependencyError("scipy", "train-qor") from problem

    added = target in ADDED

    def loss(numbers: Floats) -> tuple[float, Floats]:
        total = numbers[0] + found @ numbers[1:]
        end = total if added else np.exp(np.clip(total, -MAX_END, 2.0))
        over = error - end
        beyond = 1 / (1 + np.exp(-np.clip(over / _SMOOTH, -50, 50)))
        cost = over * (beyond - TAIL)
        steep = np.ones_like(end) if added else end
        slope = np.where(cost < _FAR, -(beyond - TAIL + over * beyond * (1 - beyond) / _SMOOTH) * steep * weights, 0.0)
        gradient = np.concatenate([[slope.sum()], found.T @ slope + penalty])
        return float((np.minimum(cost, _FAR) * weights).sum() + penalty * numbers[1:].sum()), gradient

    first, step, lowest = (0.2, 0.02, MIN_END) if added else (np.log(0.2), 0.1, -MAX_END)
    start = np.concatenate([[first], np.full(found.shape[1], step)])
    bounds = [(lowest, 2.0 if added else 1.0)] + [(0.0, 3.0)] * found.shape[1]
    options = {"maxiter": _ROUNDS}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x)
