"""What held-out predictions are worth, in counts and cycles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....qor.learned.dataset import Rows
from ....qor.learned.encoder.head import TARGETS, Figures
from ....qor.tool.labels import json_key
from ..evaluate import group_weights, spearman, weighted_quantile, within_kernel

Doubles = NDArray[np.float64]


def judged(rows: Rows, figures: Figures) -> dict[str, Any]:
    """Figures by target, and by source below `sources`; null where there is nothing to measure."""
    found: dict[str, Any] = _slice(rows, figures, np.ones(len(rows), dtype=bool))
    names = sorted(set(rows.source.tolist()))
    if len(names) > 1:
        found["sources"] = {name: _slice(rows, figures, rows.source == name) for name in names}
    return found


def _slice(rows: Rows, figures: Figures, mask: NDArray[np.bool_]) -> dict[str, Any]:
    parts = (figures.value[mask], figures.low[mask], figures.high[mask])
    return {
        json_key(name): _target(rows.take(mask), index, *(part[:, index] for part in parts))
        for index, name in enumerate(TARGETS)
    }


def _target(rows: Rows, index: int, value: Doubles, low: Doubles, high: Doubles) -> dict[str, float | int | None]:
    label = rows.labels[:, index]
    known = np.isfinite(label) & np.isfinite(value)
    label, value, low, high, rows = label[known], value[known], low[known], high[known], rows.take(known)
    if not len(label):
        return {"n": 0}
    error = value - label
    spread = float(((label - label.mean()) ** 2).sum())
    positive = label > 0
    ape = np.abs(error[positive]) / label[positive]
    weights = group_weights(rows.group)
    within, keys = within_kernel(rows.key, label, value)
    inside = (label >= low - 0.5) & (label <= high + 0.5) if np.isfinite(low).all() else np.full(len(label), np.nan)
    figures: dict[str, float] = {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / spread if spread else math.nan,
        "spearman": spearman(label, value),
        "spearman_groups": spearman(label, value, weights),
        "median_ape": weighted_quantile(ape, np.ones(len(ape)), 0.5),
        "median_ape_groups": weighted_quantile(ape, group_weights(rows.group[positive]), 0.5),
        "within_kernel": within,
        "coverage": float(np.average(inside, weights=weights)),
    }
    counts = {"n": len(label), "groups": len(set(rows.group.tolist())), "kernels_ranked": keys}
    return {**counts, **{name: None if math.isnan(v) else float(f"{v:.6g}") for name, v in figures.items()}}
