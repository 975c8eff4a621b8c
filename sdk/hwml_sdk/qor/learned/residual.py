"""What a handful of a user's own reports teaches: how far predictions are off in one workspace, and where.

All of it happens on log(1 + count). The error of a prediction is taken as an offset that holds for the whole workspace
and a part that designs share the more, the more alike they are (a Gaussian process over the features of the closed
form; Rasmussen and Williams 2006, ch. 2, and 5.4.2 for leaving one out). It is used for a target only where predicting
each report from the others came out better than leaving the prediction as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tool.labels import LABELS

Floats = NDArray[np.float64]
LEAST = 3  # reports from which on anything is learned
GAIN = 0.05  # share by which the error of the reports left out must fall
DOUBT = 1.0  # by more than so many standard errors of what the reports left out gain
LEAST_GAIN = 0.01  # and in log space: under a percent it is rounding that is learned
NARROW_FROM = 4  # below, 80 % of the reports left out is more than all of them
COVERAGE = 0.8
# Prior deviations in log space, and how far likeness reaches (in the root of the mean squared z-score). Chosen on one
# half of the families of data/qor_table; the other half came out alike (benchmarks/qor_calibration.py prints both).
CUT = 1.0  # of a report's |log error| where methods are compared
OFFSET, LOCAL, NOISE, REACH = 0.3, 0.8, 0.12, 0.5
METHODS = ("none", "ratio", "local")


@dataclass(frozen=True, slots=True)
class TargetFit:
    """One target. method: of METHODS. before, after: mean |log error| (cut at CUT)
    of n reports left out.

    offset: of "ratio". weights: of "local", one a report. spread: of the 80 % of reports left out that were nearest.
    """

    method: str
    n: int
    before: float
    after: float
    offset: float = 0.0
    weights: tuple[float, ...] = ()
    spread: float | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """What was learned. points: z-scores [k, f] of the reports' features. fits: per target, by its name in LABELS."""

    points: Floats
    fits: Mapping[str, TargetFit]

    def correct(self, z: Floats) -> dict[str, float]:
        """Log factor per target for one design [f]; 0 where nothing is applied."""
        likeness = _kernel(self.points, z[None, :])[:, 0]
        found = {}
        for name, fit in self.fits.items():
            local = fit.method == "local"
            found[name] = float(likeness @ np.array(fit.weights)) if local else fit.offset
        return found

    @property
    def applied(self) -> tuple[str, ...]:
        """Targets whose prediction it changes."""
        return tuple(name for name, fit in self.fits.items() if fit.method != "none")


def fit(z: Floats, error: Floats) -> Residual:
    """Learn from reports. z: [n, f] z-scores of features; error: [n, len(LABELS)] log(actual + 1) - log(predicted + 1).

    NaN where the report or the prediction has no figure.
    """
    kernel = _kernel(z, z)
    return Residual(z, {name: _fit_target(kernel, error[:, index]) for index, name in enumerate(LABELS)})


def _fit_target(kernel: Floats, error: Floats) -> TargetFit:
    known = np.flatnonzero(~np.isnan(error))
    n = len(known)
    e = error[known]
    before = _score(e) if n else 0.0
    if n < LEAST:
        return TargetFit("none", n, before, before)
    left_out = {"none": np.zeros(n), "ratio": _ratio_left_out(e)}
    inverse = np.linalg.inv(kernel[np.ix_(known, known)] + NOISE**2 * np.eye(n))
    left_out["local"] = e - (inverse @ e) / np.diag(inverse)
    scores = {name: _score(e - said) for name, said in left_out.items()}
    best = min(METHODS, key=lambda name: scores[name])
    gains = _cut(e) - _cut(e - left_out[best])
    if gains.mean() < max(GAIN * before, LEAST_GAIN, DOUBT * gains.std(ddof=1) / math.sqrt(n)):
        return TargetFit("none", n, before, before)
    spread = None
    if n >= NARROW_FROM:
        spread = float(np.sort(np.abs(e - left_out[best]))[math.ceil(COVERAGE * (n + 1)) - 1])
    weights = np.zeros(len(error))
    weights[known] = inverse @ e
    return TargetFit(
        best, n, before, scores[best], float(np.median(e)) if best == "ratio" else 0.0,
        tuple(weights.tolist()) if best == "local" else (), spread,
    )  # fmt: skip


def _score(error: Floats) -> float:
    """Mean |log error|, each cut at CUT: one report that is far off must not outvote the others."""
    return float(_cut(error).mean())


def _cut(error: Floats) -> Floats:
    return np.minimum(np.abs(error), CUT)


def _ratio_left_out(e: Floats) -> Floats:
    return np.array([np.median(np.delete(e, index)) for index in range(len(e))])


def _kernel(a: Floats, b: Floats) -> Floats:
    """[n, m]: how much the errors of designs have in common."""
    square = ((a[:, None, :] - b[None, :, :]) ** 2).mean(axis=2)
    near: Floats = OFFSET**2 + LOCAL**2 * np.exp(-square / (2 * REACH**2))
    return near


def to_json(residual: Residual) -> dict[str, Any]:
    """Plain data, six digits each."""
    return {
        "points": [[round(float(v), 4) for v in row] for row in residual.points],
        "targets": {
            name: {
                "method": fit.method, "reports": fit.n, "before": round(fit.before, 6), "after": round(fit.after, 6),
                "offset": round(fit.offset, 6), "weights": [round(w, 6) for w in fit.weights],
                "spread": None if fit.spread is None else round(fit.spread, 6),
            }
            for name, fit in residual.fits.items()
        },
    }  # fmt: skip


def from_json(said: Mapping[str, Any], features: int) -> Residual:
    """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    points = np.array(said["points"], dtype=np.float64).reshape(-1, features)
    fits = {}
    for name in LABELS:
        item = said["targets"][name]
        method, weights = str(item["method"]), tuple(float(w) for w in item["weights"])
        if method not in METHODS or (method == "local" and len(weights) != len(points)):
            raise ValueError(f"{name}: method and weights do not fit together")
        spread = None if item["spread"] is None else float(item["spread"])
        numbers = (float(item["before"]), float(item["after"]), float(item["offset"]))
        if not all(map(math.isfinite, (*numbers, *weights, spread or 0.0))) or not np.isfinite(points).all():
            raise ValueError(f"{name}: not finite")
        fits[name] = TargetFit(method, int(item["reports"]), *numbers, weights, spread)
    return Residual(points, fits)
