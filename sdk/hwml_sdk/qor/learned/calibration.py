"""The calibration of a workspace: what its own reports taught, kept beside its sources and bound to one model.

`hwml-calibration.json` holds numbers only. It is looked for as `hwml.toml` is, from a source's folder up to the
repository's. One that was made for another model or other features is not used, and the answer says so.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...artifact import Artifact
from ...config import find_upwards
from ...errors import ConfigError
from ...files import parse_json, read_bytes
from ..tool.labels import LABELS, TITLES
from ..tool.operators import Target
from .correct import Z_LIMIT, Correction, Geometry
from .quantised import quantise

if TYPE_CHECKING:
    from .latencies import Latency
    from .residual import Residual

Floats = NDArray[np.float64]
NAME = "hwml-calibration.json"
KIND, FORMAT_VERSION = "hwml calibration", 1
MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one workspace taught. model: digest of the artefact it was fitted to; reports: how many it was fitted on.

    latencies: of operators, empty where they were learned against other tables than this release has.
    """

    path: Path
    model: str
    feature_version: int
    reports: int
    residual: Residual
    latencies: tuple[Latency, ...] = ()

    def problem(self, model: str, feature_version: int) -> str:
        """Why it is not used with this model; "" when it is."""
        if (self.model, self.feature_version) == (model, feature_version):
            return ""
        return f"{self.path.name} was made for another model and corrects no figure: run hwml qor calibrate again"

    def note(self) -> str:
        """What it changes, for people."""
        names = ", ".join("latency" if n == "latency_cycles" else TITLES[n] for n in self.residual.applied)
        return f"calibrated on {self.reports} reports of this workspace ({names}; {self.path.name})" if names else ""

    def learned_for(self, target: Target) -> tuple[tuple[str, int], ...]:
        """Cycles more than listed, by operator, for a target."""
        return tuple((item.name, item.step) for item in self.latencies if item.holds_for(target))

    def latency_note(self, target: Target) -> str:
        """What that changes, for people; "" for nothing."""
        steps = ", ".join(f"{name} {step:+d}" for name, step in self.learned_for(target))
        return f"operator latencies learned from reports of this workspace: {steps} cycles ({self.path.name})"

    def correct(self, correction: Correction, z: Floats) -> Correction:
        """A correction moved by what the reports say of designs like this one; intervals move along and narrow."""
        value, low, high = dict(correction.value), dict(correction.low), dict(correction.high)
        for name, step in self.residual.correct(z).items():
            fit = self.residual.fits[name]
            if fit.method == "none":
                continue
            old, below, above = (math.log1p(max(part[name], 0.0)) for part in (value, low, high))
            most = math.inf if fit.spread is None else fit.spread
            value[name] = max(math.expm1(old + step), 0.0)
            low[name] = max(math.expm1(old + step - min(old - below, most)), 0.0)
            high[name] = max(math.expm1(old + step + min(above - old, most)), value[name])
        return replace(correction, value=value, low=low, high=high)


def z_scores(values: NDArray[np.floating[Any]], geometry: Geometry) -> Floats:
    """Features [n, >= f] as z-scores [n, f] of the training data, cut at their limit; NaN as the mean."""
    rows = quantise(values)[:, : len(geometry.mean)]
    z = np.nan_to_num((rows - geometry.mean) / geometry.scale, nan=0.0)
    return np.asarray(np.clip(z, -Z_LIMIT, Z_LIMIT), dtype=np.float64)


def model_digest(artifact: Artifact) -> str:
    """What tells one trained model from another: a hash over the hashes of its files."""
    listed = json.dumps(sorted(artifact.files.items()))
    return hashlib.sha256(listed.encode("utf-8")).hexdigest()


def calibration_text(
    model: str, feature_version: int, reports: int, residual: Residual, latencies: Sequence[Latency] = ()
) -> str:
    """The file's text."""
    from .latencies import tables_digest
    from .residual import to_json

    said = {
        "kind": KIND, "format_version": FORMAT_VERSION, "model": model, "feature_version": feature_version,
        "reports": reports, **to_json(residual), "tables": tables_digest(),
        "latencies": [asdict(item) for item in latencies],
    }  # fmt: skip
    return json.dumps(said) + "\n"


def find_calibration(source: Path) -> Calibration | None:
    """The calibration that holds for a source, None without one. Raises ConfigError for a broken file."""
    state = calibration_state(source)
    return None if state is None else _read(*state)


def at_workspace(target: Target, source: Path | None) -> Target:
    """A target with the operator latencies that the reports around a source taught. source: None of text in no file.

    Raises ConfigError for a broken file.
    """
    calibration = find_calibration(source) if source is not None else None
    learned = calibration.learned_for(target) if calibration is not None else ()
    return replace(target, learned=learned) if learned else target


def calibration_state(source: Path) -> tuple[Path, int, int] | None:
    """The file of the calibration that holds for a source as it stands now: where, when changed, how large."""
    folder = source.absolute().parent
    if not folder.is_dir():
        return None
    place = find_upwards(folder, NAME)
    if place is None:
        return None
    try:
        state = place.stat()
    except OSError:
        return None
    return place, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=16)
def _read(place: Path, _changed: int, _size: int) -> Calibration:
    from .latencies import tables_digest
    from .residual import from_json

    try:
        said: Mapping[str, Any] = parse_json(read_bytes(place, max_bytes=MAX_BYTES))
        if said["kind"] != KIND or said["format_version"] != FORMAT_VERSION:
            raise ValueError("another kind or version of file")
        features = len(said["points"][0])
        residual = from_json(said, features)
        same = said.get("tables") == tables_digest()  # files of before operators were learned have neither
        latencies = tuple(_latency(item) for item in said.get("latencies", ())) if same else ()
        return Calibration(
            place, str(said["model"]), int(said["feature_version"]), int(said["reports"]), residual, latencies
        )
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror or error}", path=place) from error
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"is no calibration ({why}): run hwml qor calibrate again, or remove it", path=place
        ) from error


def _latency(said: Mapping[str, Any]) -> Latency:
    from .latencies import MOST_CYCLES, Latency

    numbers = float(said["clock_period_ns"]), float(said["before"]), float(said["after"])
    clock, before, after = numbers
    if not all(map(math.isfinite, numbers)) or clock <= 0 or not 0 < abs(int(said["step"])) <= MOST_CYCLES:
        raise ValueError("an operator's latency is none")
    return Latency(str(said["name"]), str(said["family"]), clock, int(said["step"]), int(said["n"]), before, after)


def errors_of(actual: Mapping[str, float | None], predicted: Mapping[str, float], known: Mapping[str, bool]) -> Floats:
    """log(actual + 1) - log(predicted + 1) in the order of LABELS, NaN where one is not known."""
    found = np.full(len(LABELS), np.nan)
    for index, name in enumerate(LABELS):
        real = actual.get(name)
        if real is not None and known.get(name):
            found[index] = math.log1p(real) - math.log1p(max(predicted[name], 0.0))
    return found
