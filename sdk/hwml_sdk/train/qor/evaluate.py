"""Held-out figures of QoR predictions, and the tables that compare them with the published starting points.

Everything here takes plain rows and predictions, so that any predictor can be judged: the closed form alone, untuned
trees, the shipped model. Definitions (docs/qor-model.md repeats them):

- Spearman and median absolute percentage error (APE) per target; APE over labels > 0.
- "groups": every algorithm group has the same weight within a slice (a row weighs 1 / rows of its group);
  "rows": every row has the same weight.
- within-kernel: Spearman per key (source, tool version, stage, kernel) with at least 8 points whose largest label is at
  least 1.5 times the smallest; mean over keys.
- censored labels count as right when the prediction lies inside [0, bound], and are left out of APE.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.dataset import Design, Rows
from ...qor.tool.labels import LABELS
from .inspected import inspected

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_KEY_POINTS = 8
MIN_KEY_RATIO = 1.5
MAIN_SOURCES = (
    "hlsyn",
    "hgnn-date24",
    "llm-dse",
    "ucla-db-v18",
    "ucla-db-v20",
    "ucla-db-v21",
    "forgehls-kernels",
)
MIN_SOURCE_ROWS = 40  # sources with fewer labelled rows are shown but left out of the mean over sources


@dataclass(frozen=True, slots=True)
class Figures:
    """Held-out figures of one target on one slice of the rows; NaN where there is nothing to measure.

    n, groups, keys: labelled rows, algorithm groups, kernels of the within-kernel figure.
    spearman, ape: groups weigh equally. spearman_rows, ape_rows: rows weigh equally. within: within-kernel Spearman.
    zero: share of rows where "zero or not" is right. absolute: median absolute error, groups weighing equally.
    censored: share of censored rows predicted inside their bound.
    """

    n: int
    groups: int
    spearman: float
    ape: float
    spearman_rows: float
    ape_rows: float
    within: float
    keys: int
    zero: float
    absolute: float
    censored: float


NOT_INSPECTED = ", not inspected"


@dataclass(frozen=True, slots=True)
class Intervals:
    """80 % intervals of one target: coverage with groups weighing equally (share), width as the median of
    (high + 1) / (low + 1), Spearman of that width with |log error|, and the source with the lowest coverage among those
    with enough rows. Rows whose figure is told as `?` have none."""

    coverage: float
    width: float
    rank: float
    worst_source: str
    worst_coverage: float
    per_source: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """slices: name -> target -> Figures. intervals: per target. unlike: Spearman of unlike-score with |log error|."""

    slices: Mapping[str, Mapping[str, Figures]]
    intervals: Mapping[str, Intervals] = field(default_factory=dict)
    unlike: Mapping[str, float] = field(default_factory=dict)


def evaluate(
    rows: Rows | Sequence[Design],
    predictions: Floats,
    *,
    low: Floats | None = None,
    high: Floats | None = None,
    unlike: Floats | None = None,
) -> Evaluation:
    """Figures of `predictions` (counts and cycles, [n, len(LABELS)] in the order of LABELS; NaN: no prediction).

    low, high: bounds of the 80 % intervals, same shape. unlike: [n] unlike-training-data scores.
    """
    rows = rows if isinstance(rows, Rows) else Rows.of(list(rows))
    names = {
        name: {target: figures(rows.take(mask), predictions[mask], index) for index, target in enumerate(LABELS)}
        for name, mask in slices(rows).items()
    }
    names["mean over sources"] = _mean_over_sources(rows, names)
    intervals = {}
    if low is not None and high is not None:
        ends = zip(predictions.T, low.T, high.T, strict=True)
        intervals = {LABELS[i]: interval_figures(rows, *each, i) for i, each in enumerate(ends)}
    scores = {} if unlike is None else unlike_figures(rows, predictions, unlike)
    return Evaluation(names, intervals, scores)


def slices(rows: Rows) -> dict[str, Mask]:
    """Name -> rows: each source (hgbo-dse by stage), the pooled main file, the pooled vitis files, all.

    Where labels of some kernels were looked at, the slice is there again without them.
    """
    found: dict[str, Mask] = {}
    for source in sorted(set(rows.source.tolist())):
        chosen = rows.source == source
        stages = sorted(set(rows.stage[chosen].tolist()))
        for stage in stages:
            found[source if len(stages) == 1 else f"{source} {stage}"] = chosen & (rows.stage == stage)
    main = np.isin(rows.source, MAIN_SOURCES)
    if main.any():
        found["pooled designs"] = main
    if (~main).any():
        found["pooled vitis"] = ~main
    found["pooled all"] = np.ones(len(rows), dtype=bool)
    fresh = ~inspected(rows)
    for name, chosen in list(found.items()):
        if (chosen & ~fresh).any() and (chosen & fresh).any():
            found[name + NOT_INSPECTED] = chosen & fresh
    return found


def is_source(name: str) -> bool:
    """Whether a slice is one whole source."""
    return not name.startswith(("pooled", "mean")) and not name.endswith(NOT_INSPECTED)


def figures(rows: Rows, predictions: Floats, target: int) -> Figures:
    """Figures of one target (index into LABELS) over `rows`."""
    label, guess = rows.labels[:, target], predictions[:, target]
    known = np.isfinite(label) & np.isfinite(guess)
    bounded = np.isfinite(rows.bounds[:, target]) & np.isfinite(guess)
    inside = guess[bounded] <= rows.bounds[bounded, target]
    label, guess, group = label[known], guess[known], rows.group[known]
    weights = group_weights(group)
    even = np.ones(len(label))
    within, keys = within_kernel(rows.key[known], label, guess)
    positive = label > 0
    ape = np.abs(guess[positive] - label[positive]) / label[positive]
    return Figures(
        n=len(label),
        groups=len(set(group.tolist())),
        spearman=spearman(label, guess, weights),
        ape=weighted_quantile(ape, group_weights(group[positive]), 0.5),
        spearman_rows=spearman(label, guess, even),
        ape_rows=weighted_quantile(ape, even[positive], 0.5),
        within=within,
        keys=keys,
        zero=float(np.average((guess < 0.5) == (label == 0), weights=weights)) if len(label) else math.nan,
        absolute=weighted_quantile(np.abs(guess - label), weights, 0.5),
        censored=float(inside.mean()) if bounded.any() else math.nan,
    )


def group_weights(group: NDArray[np.str_]) -> Floats:
    """Weight of each row so that every group has the same total weight, 1."""
    _, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    weights: Floats = 1.0 / counts[inverse]
    return weights


def weighted_ranks(values: Floats, weights: Floats) -> Floats:
    """Mid-ranks under weights: weight below a value plus half the weight tied with it."""
    _, inverse = np.unique(values, return_inverse=True)
    totals = np.bincount(inverse, weights=weights)
    ranks: Floats = (np.cumsum(totals) - totals / 2)[inverse]
    return ranks


def spearman(left: Floats, right: Floats, weights: Floats | None = None) -> float:
    """Weighted Spearman rank correlation; NaN for fewer than 3 rows or a constant side."""
    if len(left) < 3:
        return math.nan
    weights = np.ones(len(left)) if weights is None else weights
    a, b = weighted_ranks(left, weights), weighted_ranks(right, weights)
    a, b = a - np.average(a, weights=weights), b - np.average(b, weights=weights)
    scale = math.sqrt(float(np.sum(weights * a * a)) * float(np.sum(weights * b * b)))
    return float(np.sum(weights * a * b)) / scale if scale > 1e-12 else math.nan


def weighted_quantile(values: Floats, weights: Floats, q: float) -> float:
    """Smallest value at which the cumulative weight reaches `q` of the total; NaN when there are none."""
    if len(values) == 0:
        return math.nan
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, q * total[-1])), len(values) - 1)])


def within_kernel(key: NDArray[np.str_], label: Floats, guess: Floats) -> tuple[float, int]:
    """(mean over keys of the Spearman rank correlation, number of keys); a constant guess counts as 0."""
    found = []
    for name in np.unique(key).tolist():
        chosen = key == name
        points = label[chosen]
        if len(points) < MIN_KEY_POINTS or points.max() + 1 < MIN_KEY_RATIO * (points.min() + 1):
            continue
        value = spearman(points, guess[chosen])
        found.append(0.0 if math.isnan(value) else value)
    return (float(np.mean(found)) if found else math.nan), len(found)


def _mean_over_sources(rows: Rows, slices_: Mapping[str, Mapping[str, Figures]]) -> dict[str, Figures]:
    """Mean of each figure over the single-source slices that have enough labelled rows."""
    mean = {}
    for target in LABELS:
        chosen = [s[target] for name, s in slices_.items() if is_source(name) and s[target].n >= MIN_SOURCE_ROWS]

        def average(name: str, chosen: list[Figures] = chosen) -> float:
            values = [getattr(item, name) for item in chosen]
            values = [value for value in values if not math.isnan(value)]
            return float(np.mean(values)) if values else math.nan

        real: dict[str, Any] = {n: average(n) for n in Figures.__dataclass_fields__ if n not in ("n", "groups", "keys")}
        counts: dict[str, Any] = {n: sum(getattr(item, n) for item in chosen) for n in ("n", "groups", "keys")}
        mean[target] = Figures(**counts, **real)
    return mean


def interval_figures(rows: Rows, value: Floats, low: Floats, high: Floats, target: int) -> Intervals:
    """Coverage and width of the 80 % intervals of one target (index into LABELS); value, low, high: [n]."""
    label = rows.labels[:, target]
    known = np.isfinite(label) & np.isfinite(low) & np.isfinite(high)
    label, low, high, rows = label[known], low[known], high[known], rows.take(known)
    error = np.abs(np.log1p(np.maximum(value[known], 0)) - np.log1p(label))
    # Half a count of slack: labels are whole numbers, bounds are not.
    hit = (label >= low - 0.5) & (label <= high + 0.5)
    weights = group_weights(rows.group)
    per_source = {}
    for source in sorted(set(rows.source.tolist())):
        chosen = rows.source == source
        if chosen.sum() >= MIN_SOURCE_ROWS:
            per_source[source] = float(np.average(hit[chosen], weights=group_weights(rows.group[chosen])))
    worst = min(per_source, key=lambda name: per_source[name]) if per_source else ""
    return Intervals(
        coverage=float(np.average(hit, weights=weights)) if len(hit) else math.nan,
        width=weighted_quantile((high + 1) / (low + 1), weights, 0.5),
        rank=spearman((high + 1) / (low + 1), error, weights),
        worst_source=worst,
        worst_coverage=per_source.get(worst, math.nan),
        per_source=per_source,
    )


def unlike_figures(rows: Rows, predictions: Floats, unlike: Floats) -> dict[str, float]:
    """Spearman of the unlike-score with |log error| per target and with its mean over targets ("all").

    Groups weigh equally.
    """
    errors = np.abs(np.log1p(np.maximum(predictions, 0)) - np.log1p(rows.labels))
    found = {}
    for index, target in enumerate(LABELS):
        known = np.isfinite(errors[:, index])
        found[target] = spearman(unlike[known], errors[known, index], group_weights(rows.group[known]))
    known = np.isfinite(errors).any(axis=1)
    mean = np.nanmean(errors[known], axis=1)
    found["all"] = spearman(unlike[known], mean, group_weights(rows.group[known]))
    return found


# HLSyn's own protocol (arXiv 2306.09770, code of UCLA-DM/HLSyn): kernels held out per tool version, totals of xcvu9p.
HLSYN_HELD_OUT = {
    "2018.3": ("stencil-3d", "doitgen-red", "gemm-ncubed", "fdtd-2d", "jacobi-2d", "trmm-opt"),
    "2020.2": ("gemm-p-large", "covariance", "gemm-ncubed", "symm", "fdtd-2d-large", "trmm-opt"),
}
HLSYN_TOTALS = {"lut": 1_182_240, "dsp": 6_840, "ff": 2_364_480, "bram_18k": 4_320}


def hlsyn_split(rows: Rows, version: str) -> tuple[Mask, Mask]:
    """(training rows, test rows) of the zero-shot protocol: hlsyn rows of `version` that fit the device."""
    usable = (rows.source == "hlsyn") & (rows.tool_version == version) & rows.fits_device
    held = np.isin(rows.kernel, HLSYN_HELD_OUT[version])
    return usable & ~held, usable & held


def hlsyn_rmse(rows: Rows, predictions: Floats) -> dict[str, float]:
    """RMSE per target in HLSyn's units and their "sum": log2(1e7 / cycles) / 2, and count over the device's total.

    Null resources count as 0. rows: the test rows. predictions: [n, len(LABELS)].
    """
    found = {}
    for index, target in enumerate(LABELS):
        label, guess = rows.labels[:, index], np.maximum(predictions[:, index], 0)
        if target == "latency_cycles":
            error = np.log2(np.maximum(label, 1) / np.maximum(guess, 1)) / 2
        else:
            error = (np.nan_to_num(label) - guess) / HLSYN_TOTALS[target]
        found[target] = float(np.sqrt(np.nanmean(error**2)))
    found["sum"] = sum(found.values())
    return found


def what_if_regret(rows: Rows, predictions: Floats, *, seed: int = 0) -> dict[str, float]:
    """How well predictions choose among the points of unseen kernels (keys of at least 20 labelled points).

    best1, best5: geometric mean of (latency of the predicted best 1, of the best among the predicted 5) / true best;
    random1, random5: the same for points drawn at random (expected over 200 draws).
    front, random_front: share of the true Pareto hypervolume (log latency, log LUT) that the points of the predicted
    front reach, and as many random points. keys: number of kernels.
    """
    index = {name: position for position, name in enumerate(LABELS)}
    both = [index["latency_cycles"], index["lut"]]
    known = np.isfinite(rows.labels[:, both]).all(axis=1) & np.isfinite(predictions[:, both]).all(axis=1)
    key, truth, guess = rows.key[known], rows.labels[known][:, both], predictions[known][:, both]
    random = np.random.default_rng(seed)
    found: dict[str, list[float]] = {n: [] for n in ("best1", "best5", "random1", "random5", "front", "random_front")}
    for name in np.unique(key).tolist():
        chosen = key == name
        if chosen.sum() < 20:
            continue
        real, said = np.log(truth[chosen] + 1), np.log(np.maximum(guess[chosen], 0) + 1)
        _add_regret(found, real, said, random)
    means = {n: float(np.mean(v)) if v else math.nan for n, v in found.items()}
    for name in ("best1", "best5", "random1", "random5"):
        means[name] = math.exp(means[name])
    return means | {"keys": float(len(found["best1"]))}


def _add_regret(found: dict[str, list[float]], real: Floats, said: Floats, random: np.random.Generator) -> None:
    best = real[:, 0].min()
    order = np.argsort(said[:, 0], kind="stable")
    found["best1"].append(float(real[order[0], 0] - best))
    found["best5"].append(float(real[order[:5], 0].min() - best))
    draws = np.array([random.choice(len(real), 5, replace=False) for _ in range(200)])
    found["random1"].append(float(real[draws[:, 0], 0].mean() - best))
    found["random5"].append(float(real[draws, 0].min(axis=1).mean() - best))
    corner = real.max(axis=0) + 0.1
    full = hypervolume(real, corner)
    front = np.flatnonzero(pareto(said))
    found["front"].append(hypervolume(real[front], corner) / full)
    picks = [hypervolume(real[random.choice(len(real), len(front), replace=False)], corner) for _ in range(20)]
    found["random_front"].append(float(np.mean(picks)) / full)


def pareto(points: Floats) -> Mask:
    """Which of the points [n, 2] no other point beats in both coordinates (smaller is better)."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    keep = np.zeros(len(points), dtype=bool)
    lowest = math.inf
    for index in order:
        if points[index, 1] < lowest:
            keep[index] = True
            lowest = points[index, 1]
    return keep


def hypervolume(points: Floats, corner: Floats) -> float:
    """Area that the points [n, 2] dominate below `corner`."""
    front = points[pareto(points)]
    front = front[np.argsort(front[:, 0])]
    right = np.append(front[1:, 0], corner[0])
    return float(np.sum((right - front[:, 0]) * (corner[1] - front[:, 1])))
