"""What is fitted on labelled circuits: bands of intervals, and a correction that has to win on families left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...chisel.qor.intervals import Band, Bands
from ...chisel.qor.predict import AMOUNTS
from .judge import Example, Floats, column, near

WANTED = 0.80  # share inside: 80 % intervals
_LEAST = 60  # examples of a band
_LEAST_APART = 10  # of one of amounts that are nearly always 0: most modules have no memory and no multiplier
_PENALTY = 10.0  # of the ridge regression, on standardised columns


def fit_bands(examples: Sequence[Example]) -> Bands:
    """Bands of every amount: by size, as many as there are examples for."""
    return {
        name: band_rows(column(examples, name, measured=False), column(examples, name, measured=True))
        for name in AMOUNTS
    }


def band_rows(counted: Floats, measured: Floats) -> tuple[Band, ...]:
    """Bands of one amount, from what was counted and measured of the same circuits.

    Modules without any are apart from those with some: a hundred without a memory say nothing about one.
    """
    some = counted > 0
    if some.sum() >= 2 * _LEAST or (~some).sum() < _LEAST_APART:
        return _banded(counted, measured, _edges(counted), -1.0, last=True)
    found = _banded(counted[~some], measured[~some], [0], -1.0, last=False)
    if some.sum() < _LEAST_APART:
        return found  # of more than none nothing is known
    return found + _banded(counted[some], measured[some], _edges(counted[some]), 0.0, last=True)


def _banded(counted: Floats, measured: Floats, edges: Sequence[int], low: float, *, last: bool) -> tuple[Band, ...]:
    """One band up to each edge, and one for the rest where there is a rest."""
    found = []
    for edge in [*edges, *((None,) if last else ())]:
        chosen = (counted > low) & (counted <= (np.inf if edge is None else edge))
        found.append(Band(edge, *_quotients(counted[chosen], measured[chosen])))
        low = np.inf if edge is None else edge
    return tuple(found)


def _edges(counted: Floats) -> list[int]:
    """Upper ends of all bands but the last."""
    edges: list[int] = []
    ordered = np.sort(counted)
    start = 0
    while len(ordered) - start >= 2 * _LEAST:
        edge = int(ordered[start + _LEAST - 1])
        start = int(np.searchsorted(ordered, edge, side="right"))
        if len(ordered) - start < _LEAST:
            break
        edges.append(edge)
    return edges


def _quotients(counted: Floats, measured: Floats) -> tuple[float, float]:
    """The narrowest range of quotients with the wanted share inside; split conformal, hence one more than the share.

    Of ranges as narrow as each other (all of them are points where the counting is exact) the one around 1.
    """
    if not len(counted):
        return 1.0, 1.0
    quotients = np.sort((measured + 1) / (counted + 1))
    inside = min(len(quotients), int(np.ceil(WANTED * (len(quotients) + 1))))
    starts = np.arange(len(quotients) - inside + 1)
    low, high = np.minimum(quotients[starts], 1.0), np.maximum(quotients[starts + inside - 1], 1.0)
    best = int(np.argmin(high / low))
    return round(float(low[best]), 4), round(float(high[best]), 4)


@dataclass(frozen=True, slots=True)
class Residual:
    """Errors of LUT on families left out: of the counting alone and with a learned correction on top."""

    near_alone: float
    near_corrected: float
    error_alone: float
    error_corrected: float

    @property
    def wins(self) -> bool:
        """Whether the correction is worth shipping: better on both."""
        return self.near_corrected > self.near_alone and self.error_corrected < self.error_alone

    def to_json(self) -> Mapping[str, float]:
        """Rounded, for the artefact's metrics."""
        return {name: round(getattr(self, name), 4) for name in self.__dataclass_fields__}


def try_residual(examples: Sequence[Example]) -> Residual:
    """Leave each group out in turn: a ridge regression of log((measured + 1) / (counted + 1)) on what was counted and
    on the operators, clipped to what the counting was ever off by in training."""
    counted, measured = (column(examples, "lut", measured=flag) for flag in (False, True))
    values = np.log1p(np.column_stack([np.stack([item.operators for item in examples]), *_counts(examples)]))
    wanted = np.log((measured + 1) / (counted + 1))
    groups = np.array([item.row.group for item in examples])
    corrected = counted.copy()
    for group in np.unique(groups):
        out = groups == group
        shift = _ridge(values[~out], wanted[~out], values[out])
        shift = np.clip(shift, wanted[~out].min(), wanted[~out].max())
        corrected[out] = np.maximum(np.round((counted[out] + 1) * np.exp(shift) - 1), 0)
    return Residual(
        float(near(counted, measured).mean()),
        float(near(corrected, measured).mean()),
        float(np.abs(wanted).mean()),
        float(np.abs(np.log((measured + 1) / (corrected + 1))).mean()),
    )


def _counts(examples: Sequence[Example]) -> list[Floats]:
    return [column(examples, name, measured=False) for name in AMOUNTS]


def _ridge(values: Floats, wanted: Floats, asked: Floats) -> Floats:
    mean, spread = values.mean(axis=0), values.std(axis=0)
    used: NDArray[np.bool_] = spread > 1e-9
    design = (values[:, used] - mean[used]) / spread[used]
    system = design.T @ design + _PENALTY * np.eye(design.shape[1])
    weights = np.linalg.solve(system, design.T @ (wanted - wanted.mean()))
    found: Floats = (asked[:, used] - mean[used]) / spread[used] @ weights + wanted.mean()
    return found
