"""Fit how sure answers are: weights of the reasons, scales of the classes, the factor of settings never seen.

Weights fit the logarithm of |error| by least squares, half with groups weighing equally, half with sources weighing as
the square root of their groups (three quarters of all groups are of one source, and some sources are one group). That
tells which of two answers is the surer; a fit of the ends themselves (pinball loss) told it hardly at all, since it
only looks at the worst tenths. Scales are split conformal: errors over what fits expected that never saw the group of a
row give the ends' distance under both weights. No class is surer than `counted`; one with few groups takes the scale of
its widest neighbour. The factor is measured on sources that no fit saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...amounts import CHANGE_FLOOR
from ...errors import MissingDependencyError
from ...interrupt import heed_ctrl_c
from ...qor.learned.certainty import (
    CLASSES,
    REASONS,
    Certainty,
    classes_of,
    strengths,
    typical_error,
)
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .evaluate import group_weights, weighted_quantile

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What is off by less counts as this: a count or a state more is no other kind of answer.
EXACT = {"lut": 0.02, "dsp": 0.02, "ff": 0.02, "latency_cycles": 0.005, "bram_18k": 0.02}
# Of each weight, by `python -m sdk.train qor penalty`: what is known of few designs is not carried over to strangers'.
PENALTY = 4e-3
_FAR = 3.0  # errors beyond count as this: they are other faults
_ROUNDS = 300
_LEAST, _MOST = -8.0, 3.0  # of the bias
FOLDS = 4
MIN_SCALE, MAX_SCALE = 0.05, 30.0
MIN_GROUPS = 8  # of a class with a scale of its own
ROWS_PER_KEY = 20
MIN_SOURCE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Coverage:
    """What ends are scaled to, with groups weighing equally and with sources weighing by the root of theirs.

    cycles: of latencies. Half of them are exact, so that ends which cover little more are next to nothing, and too
    narrow for strangers' code. foreign: in each source left out whole, for settings that training never had, as far
    as that does not take more than `most` of all their groups.
    """

    usual: float = 0.76
    cycles: float = 0.81
    foreign: float = 0.64
    most: float = 0.86


def fit_certainty(table: Table, value: Floats, aim: Coverage, *, penalty: float = PENALTY) -> Certainty:
    """From held-out values (log, [n, targets]) of the rows of `table`; rows without a label or a value are left out."""
    error = np.log1p(table.rows.labels) - value
    kind = classes_of(table.values, table.feature_names)
    weights, scale, foreign = [], [], []
    for index, target in enumerate(LABELS):
        heed_ctrl_c()
        known = np.isfinite(error[:, index])
        part = _Part.of(table, known, error[known, index], kind[known], target, penalty)
        scales = part.scales(aim)
        weights.append(_plain(part.fit(np.ones(len(part.error), dtype=bool))))
        scale.append(scales)
        foreign.append(part.foreign(scales, aim))
    changes = fit_changes(table, value, kind)
    return Certainty(tuple(weights), tuple(scale), tuple(foreign), changes)


PAIRS_PER_KEY, CHANGE_COVERAGE, CHANGE_SIGN, _MIN_PAIRS = 40, 0.8, 0.91, 50


def fit_changes(table: Table, value: Floats, kind: NDArray[np.int64]) -> tuple[tuple[float, ...], ...]:
    """Factor of the interval of a change [targets, CLASSES], from pairs of designs of the same kernel and tool.

    Of a pair it is the error of the change over (the change itself + CHANGE_FLOOR); the factor covers four of five, and
    where it leaves out 0 the sign is right in nine of ten, groups weighing equally. Pairs without any predicted change
    say nothing: an edit that changes none is told as none.
    """
    first, second = pairs(table.rows.key)
    wanted = np.log1p(table.rows.labels)
    real, said = wanted[first] - wanted[second], value[first] - value[second]
    source, group = table.rows.source[first].astype(str), table.rows.group[first].astype(str)
    names, pair_kind = np.char.add(np.char.add(source, "\0"), group), np.minimum(kind[first], kind[second])
    found = []
    for index in range(len(LABELS)):
        known = np.isfinite(real[:, index]) & np.isfinite(said[:, index]) & (said[:, index] != 0)
        size, right = np.abs(said[:, index]), np.sign(real[:, index]) == np.sign(said[:, index])
        score = np.abs(real - said)[:, index] / (size + CHANGE_FLOOR)
        csynth = known & (pair_kind >= CLASSES.index("guessed"))
        least = _sure_of_its_sign(size[csynth], right[csynth], group_weights(names[csynth]))
        own = []
        for number in range(len(CLASSES)):
            chosen = known & (pair_kind == number)
            chosen = chosen if chosen.sum() >= _MIN_PAIRS else known
            covers = weighted_quantile(score[chosen], group_weights(names[chosen]), CHANGE_COVERAGE)
            own.append(max(covers, least) if chosen.any() else 1.0)
        found.append(_plain(np.array(own)))
    return tuple(found)


def _sure_of_its_sign(size: Floats, right: Mask, weights: Floats) -> float:
    """The least factor with which a change of a size [n] whose interval leaves out 0 has the right sign often enough;
    from 1 on none leaves it out."""
    for factor in np.arange(0.05, 1.0, 0.05).tolist():
        sure = size > factor * (size + CHANGE_FLOOR)
        if not sure.any() or np.average(right[sure], weights=weights[sure]) >= CHANGE_SIGN:
            return float(factor)
    return 1.0


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

    def fit(self, chosen: Mask) -> Floats:
        """Bias and weights [1 + k], from the chosen rows."""
        if chosen.sum() < 2 * MIN_GROUPS:
            return np.zeros(1 + len(REASONS))
        groups, sources = self.weights(chosen)
        wanted = np.log(np.minimum(np.abs(self.error[chosen]), _FAR) + EXACT[self.target])
        return _fit_weights(self.found[chosen], wanted, (groups + sources) / 2, self.penalty)

    def expected(self, part: NDArray[Any]) -> Floats:
        """Typical error of every row [n], by fits that never saw its fold, source or whatever `part` [n] names."""
        found = np.full(len(self.error), np.nan)
        for name in np.unique(part).tolist():
            test = part == name
            if test.all():
                continue
            # Groups of a source that stand elsewhere, too, are left out with it.
            train = ~np.isin(self.group, np.unique(self.group[test]))
            found[test] = typical_error(self.fit(train), self.found[test])
        return found

    def scales(self, aim: Coverage) -> tuple[float, ...]:
        """Factors on both ends by class; none below that of `counted`."""
        score = np.abs(self.error) / self.expected(self.fold)
        own: list[float | None] = []
        for number in range(len(CLASSES)):
            chosen = (self.kind == number) & np.isfinite(score)
            enough = len(set(self.group[chosen].tolist())) >= MIN_GROUPS
            own.append(self._reaching(score, chosen, aim) if enough else None)
        widest = max([scale for scale in own if scale is not None], default=1.0)
        least = own[CLASSES.index("counted")] or widest
        return tuple(round(max(widest if scale is None else scale, least), 5) for scale in own)

    def _reaching(self, score: Floats, chosen: Mask, aim: Coverage) -> float:
        """The factor beyond which as much lies as may, under the stricter of both weights."""
        share = aim.cycles if self.target == "latency_cycles" else aim.usual
        wanted = [weighted_quantile(score[chosen], weights, share) for weights in self.weights(chosen)]
        return float(np.clip(max(wanted), MIN_SCALE, MAX_SCALE))

    def foreign(self, scales: tuple[float, ...], aim: Coverage) -> tuple[float, ...]:
        """How much wider ends of each class have to be for sources that no fit saw, over its scale; at least 1.

        Merlin apart from the others: it is another tool.
        """
        score = np.abs(self.error) / self.expected(self.source) / np.array(scales)[self.kind]
        merlin = self.kind == CLASSES.index("merlin")
        by_tool = [self._for_sources(score, np.isfinite(score) & part, aim) for part in (merlin, ~merlin)]
        return tuple(by_tool[name != "merlin"] for name in CLASSES)

    def _for_sources(self, score: Floats, chosen: Mask, aim: Coverage) -> float:
        """The least factor that covers as much as is asked of each source, while they all together need no more."""
        place = self.source[chosen]
        each = group_weights(self.group[chosen])
        least = [1.0]
        for name in np.unique(place).tolist():
            one = place == name
            if one.sum() >= MIN_SOURCE_ROWS:
                least.append(weighted_quantile(score[chosen][one], each[one], aim.foreign))
        every = weighted_quantile(score[chosen], each, aim.most) if chosen.any() else 1.0
        return round(max(min(max(least), every), 1.0), 5)


def _fit_weights(found: Floats, wanted: Floats, weights: Floats, penalty: float) -> Floats:
    """Bias and weights >= 0 [1 + k] that fit log errors [n] by strengths [n, k], rows weighing as told."""
    try:
        from scipy.optimize import minimize
    except ImportError as problem:
        raise MissingDependencyError("scipy", "train-qor") from problem

    def loss(numbers: Floats) -> tuple[float, Floats]:
        rest = numbers[0] + found @ numbers[1:] - wanted
        slope = weights * rest
        gradient = np.concatenate([[slope.sum()], found.T @ slope + penalty])
        return float((slope * rest).sum() / 2 + penalty * numbers[1:].sum()), gradient

    start = np.concatenate([[float(np.average(wanted, weights=weights))], np.zeros(found.shape[1])])
    bounds = [(_LEAST, _MOST)] + [(0.0, -_LEAST)] * found.shape[1]
    options = {"maxiter": _ROUNDS}
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x)
