"""How sharp intervals are where people look at them: designs for Vitis HLS by what is known of them, and changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...amounts import CHANGE_FLOOR
from ...qor.learned.certainty import CLASSES, classes_of
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .certainty import pairs
from .evaluate import group_weights, interval_figures
from .protocol import HeldOut

Floats = NDArray[np.float64]
Figures = dict[str, float | None]

KNOWN = {"all rounds counted": ("counted",), "something is a guess": ("guessed",), "all": ("counted", "guessed")}


def sharpness(table: Table, held: HeldOut) -> dict[str, dict[str, Figures]]:
    """By what is known, then target: coverage, median width and its rank with the error, groups weighing equally.

    Of csynth reports without Merlin; a group is a source's own, so that one source's algorithms do not hide another's.
    """
    kind = classes_of(table.values, table.feature_names)
    value, low, high = held.counts()
    found = {}
    for title, classes in KNOWN.items():
        chosen = np.isin(kind, [CLASSES.index(name) for name in classes])
        rows = table.rows.take(chosen)
        own = {}
        for index, target in enumerate(LABELS):
            figures = interval_figures(rows, value[chosen, index], low[chosen, index], high[chosen, index], index)
            own[target] = _plain(coverage=figures.coverage, width=figures.width, rank=figures.rank)
        found[title] = own
    return found


def changes(table: Table, held: HeldOut) -> dict[str, Figures]:
    """By target, of pairs of designs of the same kernel: coverage of the interval of their difference, and how often
    its sign is right where the interval leaves out 0; kernels weigh equally, none was seen by what predicts it."""
    first, second = pairs(table.rows.key)
    kind = classes_of(table.values, table.feature_names)
    vitis = kind[first] >= CLASSES.index("guessed")
    wanted = np.log1p(table.rows.labels)
    real, said = wanted[first] - wanted[second], held.value[first] - held.value[second]
    reach = np.maximum(held.changes[first], held.changes[second]) * (np.abs(said) + CHANGE_FLOOR)
    found = {}
    for index, target in enumerate(LABELS):
        known = vitis & np.isfinite(real[:, index]) & np.isfinite(reach[:, index]) & (said[:, index] != 0)
        weights = group_weights(table.rows.key[first][known])
        error = np.abs(real - said)[known, index]
        inside = error <= reach[known, index]
        sure = np.abs(said[known, index]) > reach[known, index]
        right = (np.sign(real) == np.sign(said))[known, index]
        found[target] = _plain(
            pairs=float(known.sum()),
            coverage=_mean(inside, weights),
            sure=_mean(sure, weights),
            sign_right=_mean(right[sure], weights[sure]),
        )
    return found


def _mean(values: NDArray[np.bool_], weights: Floats) -> float:
    return float(np.average(values, weights=weights)) if weights.sum() > 0 else math.nan


def _plain(**figures: Any) -> Figures:
    """JSON-ready: None for what could not be measured."""
    return {name: None if math.isnan(value) else round(float(value), 4) for name, value in figures.items()}
