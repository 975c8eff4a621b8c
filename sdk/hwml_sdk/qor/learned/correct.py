"""Apply the learned correction to a closed-form estimate; numpy and onnxruntime only.

All learning happens on log(1 + count). Members (boosted trees on the label and on its ratio to the closed form) are
mixed with the closed form where that was better on sources left out of training whole; elsewhere the closed form
stands. A score says how unlike the training data a design is. How far interval ends lie off is `certainty`'s.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...artifact import Artifact, shipped
from ...errors import ArtifactError
from ...files import read_bytes
from ...inference import open_session, run_session
from ..tool.labels import DOMAINS, LABELS
from .certainty import CLASSES, Certainty
from .quantised import quantise

Floats = NDArray[np.float64]

KIND, ENCODER_KIND = "qor", "qor_encoder"
MEMBERS_FILE, GEOMETRY_FILE = "members.onnx", "unlike.npz"
CLOSED_FORM_COLUMNS = tuple(f"cf_{name}" for name in LABELS)
_BLOCK = 2048  # rows that are held against all points at once
Z_LIMIT, Z_STEPS = 4.0, 31  # z-scores are cut to ±4 and kept in steps of 1/31, so that they fit a byte


def closed_form_log(values: NDArray[np.float32], names: tuple[str, ...]) -> Floats:
    """log(1 + closed form) [n, len(LABELS)] out of the `cf_*` columns, which hold log2(1 + x); NaN where unknown."""
    columns = [names.index(name) for name in CLOSED_FORM_COLUMNS]
    found: Floats = values[:, columns].astype(np.float64) * math.log(2)
    return found


def domain_of(values: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.int64]:
    """Index into DOMAINS of rows [n, f]: Merlin; labels after place and route; csynth with or without dataflow."""
    found = np.full(len(values), DOMAINS.index("csynth"))
    for name in ("dataflow", "impl", "merlin"):
        if name in names:
            found = np.where(values[:, names.index(name)] > 0, DOMAINS.index(name), found)
    return found


@dataclass(frozen=True)
class Geometry:
    """Where the training groups lie in feature space.

    mean, scale: float32 [f]. points: int8 [k, f] z-scores of rows that stand for their algorithm group.
    context_columns: int [c] where the features of CONTEXT stand. contexts, slack: float32 [m, c], combinations of
    settings that training had, and how near another has to be to count as the same.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    points: NDArray[np.int8]
    context_columns: NDArray[np.int32]
    contexts: NDArray[np.float32]
    slack: NDArray[np.float32]

    def unseen(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether rows [n, f] have settings that training never had, [n]."""
        mine = values[:, None, self.context_columns]
        found: NDArray[np.bool_] = np.ones(len(mine), dtype=bool)
        for start in range(0, len(mine), _BLOCK):
            rows = slice(start, start + _BLOCK)
            found[rows] = (np.abs(mine[rows] - self.contexts) > self.slack).any(axis=2).all(axis=1)
        return found

    def codes(self, values: NDArray[np.float32]) -> NDArray[np.int8]:
        """z-scores of rows [n, f] in steps of 1/31, NaN as the mean."""
        z = np.nan_to_num((values - self.mean) / self.scale, nan=0.0)
        codes: NDArray[np.int8] = np.rint(np.clip(z, -Z_LIMIT, Z_LIMIT) * Z_STEPS).astype(np.int8)
        return codes

    def nearest(self, values: NDArray[np.float32]) -> Floats:
        """RMS z-score distance of quantised rows [n, f] to the nearest training group, [n]."""
        points, lengths = self._known
        found = np.empty(len(values))
        for start in range(0, len(values), _BLOCK):
            rows = slice(start, start + _BLOCK)
            z = self.codes(values[rows]).astype(np.float32)
            square = (z**2).sum(1)[:, None] + lengths[None, :] - 2 * z @ points.T
            found[rows] = np.sqrt(square.min(axis=1).astype(np.float64) / values.shape[1]) / Z_STEPS
        return found

    @cached_property
    def _known(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(z-scores of the points in steps [k, f], their squared lengths [k]): whole numbers, which float32 holds."""
        points = self.points.astype(np.float32)
        return points, (points**2).sum(1)

    def to_bytes(self) -> bytes:
        """An npz archive of the fields."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return buffer.getvalue()

    @classmethod
    def from_file(cls, path: Path) -> Geometry:
        """Read what `to_bytes` wrote. Raises ArtifactError."""
        try:
            stored = io.BytesIO(read_bytes(path))
            with zipfile.ZipFile(stored) as entries:
                if sum(entry.file_size for entry in entries.infolist()) > MAX_GEOMETRY_BYTES:
                    raise ArtifactError(f"{path}: is over {MAX_GEOMETRY_BYTES >> 20} MB when unpacked; retrain")
            with np.load(stored, allow_pickle=False) as archive:
                return cls(**{name: _numbers(archive[name]) for name in cls.__dataclass_fields__})
        except _NO_ARCHIVE as error:
            raise ArtifactError(f"{path}: is not what hwml wrote: {type(error).__name__}; retrain") from error


# What numpy and zipfile raise over bytes that are no archive, end early, or were changed somewhere inside.
_NO_ARCHIVE = (OSError, ValueError, KeyError, EOFError, TypeError, MemoryError, zipfile.BadZipFile, zlib.error)


def _numbers(array: Any) -> NDArray[Any]:
    """ValueError for what is no array of numbers."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError("no numbers")
    return array


MAX_GEOMETRY_BYTES = 64 << 20  # unpacked; the shipped one has 64 kB
MAX_CORRECTION = 2.0  # what is off by more is another fault than a learned part may hide


@dataclass(frozen=True, slots=True)
class Calibration:
    """Numbers fitted on groups and whole sources that the members never saw.

    unlike_knots: distances to the nearest training group at equal steps of the share of groups below, from 0 to 1.
    mix: weights of the members and, last, of the closed form [domains, targets, members + 1]; each row sums to 1.
    trust: how far the answer goes from the closed form to the mixture [domains, targets]: 0 wherever that was no better
    on sources left out whole.
    """

    unlike_knots: tuple[float, ...]
    mix: tuple[tuple[tuple[float, ...], ...], ...]
    trust: tuple[tuple[float, ...], ...]

    def mixed(self, members: Floats, base: Floats, domain: NDArray[np.int64]) -> Floats:
        """Members [m, n, targets] and closed form [n, targets] mixed by domain [n]: [n, targets] log values.

        Where the closed form is unknown (NaN) the members share its weight.
        """
        weights = np.array(self.mix)[domain].transpose(2, 0, 1)
        known = ~np.isnan(base)
        own = np.where(known, weights[-1], 0.0)
        rest = weights[:-1] / np.maximum(weights[:-1].sum(axis=0), 1e-9)
        even = np.where(weights[:-1].sum(axis=0) > 0, rest, 1.0 / len(members))
        return np.asarray((members * even).sum(axis=0) * (1 - own) + own * np.nan_to_num(base))

    def unlike(self, distance: Floats) -> Floats:
        """Distance to the nearest training group [n] to 0 (like the training data) .. 1."""
        return np.asarray(np.interp(distance, self.unlike_knots, np.linspace(0, 1, len(self.unlike_knots))))

    def blend(self, mixed: Floats, base: Floats, domain: NDArray[np.int64]) -> Floats:
        """Mixture [n, targets], as far as it is trusted and by no more than a factor of MAX_CORRECTION."""
        step = np.clip(mixed - np.nan_to_num(base), -math.log(MAX_CORRECTION), math.log(MAX_CORRECTION))
        return np.where(np.isnan(base), mixed, np.nan_to_num(base) + np.array(self.trust)[domain] * step)


@dataclass(frozen=True, slots=True)
class Correction:
    """Corrected prediction: counts and cycles per target in LABELS, 80 % interval ends, and the unlike-score.

    trust: weight of the learned correction per target (0: the closed form alone).
    unseen: whether training had no design with these settings. kind: one of CLASSES. reasons: what widens intervals.
    changes: factor of the interval of a change, per target.
    """

    value: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    unlike_score: float
    trust: Mapping[str, float]
    unseen: bool
    kind: str
    reasons: Mapping[str, tuple[str, ...]]
    changes: Mapping[str, float]


class Corrector:
    """The learned part of the shipped model. `config["seen"]` lists parts, tools, versions and clocks of training."""

    def __init__(self, artifact: Artifact) -> None:
        config = artifact.config
        try:
            self.feature_version = int(config["feature_version"])
            self.feature_names = tuple(config["feature_names"])
            self._every_name = self.feature_names  # reasons may stand in columns that the members never read
            self.seen: dict[str, Any] = dict(config["seen"])
            self._fill = np.array(config["fill"], dtype=np.float64)
            self._ratio = np.array(config["ratio"], dtype=bool)
            stored = config["calibration"]
            self.calibration = Calibration(
                unlike_knots=tuple(float(v) for v in stored["unlike_knots"]),
                mix=tuple(tuple(tuple(float(v) for v in w) for w in d) for d in stored["mix"]),
                trust=tuple(tuple(float(v) for v in d) for d in stored["trust"]),
            )
            self.certainty = Certainty.from_config(config["certainty"])
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise ArtifactError(f"{artifact.path}: config lacks or breaks {error}; retrain or reinstall") from error
        if config.get("labels") != list(LABELS):
            raise ArtifactError(f"{artifact.path}: predicts other targets than {', '.join(LABELS)}; retrain")
        self.geometry = Geometry.from_file(artifact.file(GEOMETRY_FILE))
        self._members_file = artifact.file(MEMBERS_FILE)
        if artifact.path != shipped(
            KIND
        ):  # tests try out the one that ships; opening members takes as long as the rest
            self._try_out(artifact)

    @classmethod
    def load(cls, artifact: Artifact | str | Path = "qor") -> Corrector:
        """Load from a verified artefact, a folder, or the name of a shipped one.

        Raises ArtifactError: wrong hash, missing file, or features of another version than this hwml makes.
        """
        opened = artifact if isinstance(artifact, Artifact) else Artifact.load(artifact, kind=KIND)
        return cls(opened)

    def _try_out(self, artifact: Artifact) -> None:
        """A row without a closed form through all of it: what does not fit together is told now, not in use."""
        try:
            if self._fill.shape != (len(LABELS),):
                raise ValueError("one value to fill in for each target was expected")
            row = np.zeros(len(self.feature_names), dtype=np.float32)
            row[[self.feature_names.index(name) for name in CLOSED_FORM_COLUMNS]] = np.nan
            with np.errstate(all="ignore"):
                self.apply(row, dict.fromkeys(LABELS))
            parts, tools, clocks = (list(self.seen[name]) for name in ("parts", "tools", "clock_period_ns"))
            if not all(isinstance(name, str) for name in (*parts, *tools)) or not all(float(c) > 0 for c in clocks):
                raise TypeError("what it has seen are no words and clocks")
        except Exception as error:  # numpy's and onnxruntime's errors have no base of their own
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ArtifactError(f"{artifact.path}: its parts do not fit together: {reason}; reinstall") from error

    def check_features(self, version: int, names: tuple[str, ...]) -> None:
        """ArtifactError unless the artefact was trained on these features, or on the first of them."""
        if version != self.feature_version or names[: len(self.feature_names)] != self.feature_names:
            raise ArtifactError(
                f"the model was trained on features of version {self.feature_version}, this hwml makes version "
                f"{version}; retrain with python -m sdk.train qor"
            )
        self._every_name = names

    @cached_property
    def _session(self) -> Any:
        """The members, opened when a row first needs them."""
        return open_session(self._members_file)

    def members(self, values: NDArray[np.float32]) -> Floats:
        """[m, n, len(LABELS)] log(1 + value) of each member for quantised rows [n, f]."""
        raw = run_session(self._session, values).astype(np.float64)
        found = raw.reshape(len(values), len(self._ratio), len(LABELS)).transpose(1, 0, 2)
        base = closed_form_log(values, self.feature_names)
        base = np.where(np.isnan(base), self._fill, base)
        return found + self._ratio[:, None, None] * base

    def apply(
        self,
        values: NDArray[np.float32],
        closed_form: Mapping[str, float | None],
    ) -> Correction:
        """Correct one design: features [f] and its closed form (counts and cycles; None where unknown)."""
        return self.apply_many(values[None, :], [closed_form])[0]

    def apply_many(
        self,
        values: NDArray[np.float32],
        closed_forms: list[Mapping[str, float | None]],
    ) -> list[Correction]:
        """`apply` for n designs at once: features [n, f]."""
        every = quantise(values)
        names = self._every_name if values.shape[1] == len(self._every_name) else self.feature_names
        rows = every[:, : len(self.feature_names)]
        exact = np.array([[_log(form.get(name)) for name in LABELS] for form in closed_forms]).reshape(-1, len(LABELS))
        # Where the closed form gives nothing (a trip count nobody knows), its nominal value among the features stands.
        exact = np.where(np.isnan(exact), closed_form_log(rows, self.feature_names), exact)
        unlike = self.calibration.unlike(self.geometry.nearest(rows))
        domain = domain_of(rows, self.feature_names)
        value = self._values(rows, exact, domain)
        unseen = self.geometry.unseen(rows)
        ends, kinds, reasons = self.certainty.of(every, names, unseen)
        low, high = value - ends, value + ends
        trust = np.array(self.calibration.trust)[domain].tolist()
        return [
            Correction(
                value=_counts(value[index]),
                low=_counts(low[index]),
                high=_counts(high[index]),
                unlike_score=float(unlike[index]),
                trust=dict(zip(LABELS, trust[index], strict=True)),
                unseen=bool(unseen[index]),
                kind=CLASSES[int(kinds[index])],
                reasons=reasons[index],
                changes={name: row[kinds[index]] for name, row in zip(LABELS, self.certainty.changes, strict=True)},
            )
            for index in range(len(rows))
        ]

    def _values(self, rows: NDArray[np.float32], exact: Floats, domain: NDArray[np.int64]) -> Floats:
        """Log values [n, len(LABELS)] of rows: the members are asked only where they have a say."""
        trust = np.array(self.calibration.trust)[domain]
        asked = (np.isnan(exact) | (trust > 0)).any(axis=1)
        value = exact.copy()
        if asked.any():
            members = self.members(rows[asked])
            mixed = self.calibration.mixed(members, exact[asked], domain[asked])
            value[asked] = self.calibration.blend(mixed, exact[asked], domain[asked])
        return value


def _log(count: float | None) -> float:
    return math.nan if count is None else math.log1p(max(count, 0.0))


def _counts(logs: Floats) -> dict[str, float]:
    """Log values to counts that can be: nothing under 0."""
    return {name: max(math.expm1(min(float(value), 60.0)), 0.0) for name, value in zip(LABELS, logs, strict=True)}
