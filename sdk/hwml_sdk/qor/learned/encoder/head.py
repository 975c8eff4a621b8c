"""The trained head of an encoder artefact: vectors in, counts and cycles with their intervals out; numpy and ONNX only.

Targets are LUT, DSP, FF and latency, in that order: log1p of all but DSP (`y_stats.json` says of which), z-scored. With
structural features there are several heads, each on what its `inputs` say, mixed per target.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....artifact import Artifact
from ....errors import ArtifactError
from ....files import parse_json, read_bytes
from ....inference import open_session, run_session
from ...tool.labels import LABELS
from ..correct import ENCODER_KIND
from .template import TEMPLATE_VERSION

KIND = ENCODER_KIND
PLAIN, DELTA = "plain", "delta"  # tasks: from the design's vector; from it and that of the design without pragmas
TARGETS = LABELS[:4]
EPS = 1e-5  # torch.nn.LayerNorm's
NAMES = (
    "norm.weight", "norm.bias", "first.weight", "first.bias",
    "second.weight", "second.bias", "last.weight", "last.bias",
)  # fmt: skip
MODEL_FILE, ONNX_FILE, SCALER_FILE, STATS_FILE = "model.safetensors", "model.onnx", "x_scaler.json", "y_stats.json"
UNLIKE_FILE = "unlike.npz"
_POINT_STEPS = 127  # unit vectors are kept in a byte a number
_LARGEST_LOG = 60.0

Floats = NDArray[np.float32]
Weights = dict[str, Floats]


def forward(weights: Mapping[str, Floats], x: Floats) -> Floats:
    """Outputs [n, out] of a head for scaled inputs [n, in], without dropout."""
    centred = x - x.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(EPS))
    hidden = normed * weights["norm.weight"] + weights["norm.bias"]
    hidden = np.maximum(hidden @ weights["first.weight"].T + weights["first.bias"], 0)
    hidden = np.maximum(hidden @ weights["second.weight"].T + weights["second.bias"], 0)
    found: Floats = hidden @ weights["last.weight"].T + weights["last.bias"]
    return found


@dataclass(frozen=True, slots=True)
class TargetStats:
    """How targets are turned into what the head learns, and back. log: of which targets log1p is taken."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    log: NDArray[np.bool_]

    def transformed(self, labels: NDArray[np.float64]) -> NDArray[np.float64]:
        """log1p where it is taken, [n, targets]; NaN stays."""
        return np.where(self.log, np.log1p(labels), labels)

    def counts(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Back to counts and cycles, nothing under 0."""
        logs = np.expm1(np.clip(values, 0, _LARGEST_LOG))
        return np.where(self.log, logs, np.maximum(values, 0))

    def to_json(self) -> dict[str, Any]:
        """`y_stats.json`."""
        return {
            "targets": ["LUT", "DSP", "FF", "latency_cycles"],
            "mean": [float(v) for v in self.mean],
            "std": [float(v) for v in self.std],
            "log_mask": [bool(v) for v in self.log],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TargetStats:
        """Raises KeyError, TypeError or ValueError for what is no such file."""
        numbers = [np.array([float(v) for v in data[name]]) for name in ("mean", "std")]
        log = np.array([bool(v) for v in data["log_mask"]])
        if not (len(numbers[0]) == len(numbers[1]) == len(log) == len(TARGETS)):
            raise ValueError(f"{len(TARGETS)} targets were expected")
        if not all(np.isfinite(part).all() for part in numbers) or (numbers[1] <= 0).any():
            raise ValueError("mean and std must be numbers, std over 0")
        return cls(numbers[0], numbers[1], log)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How texts became vectors: what inference has to do again, to the letter."""

    encoder: str
    revision: str
    layer: int
    max_length: int
    dtype: str
    width: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Recipe:
        """Out of an artefact's config. Raises KeyError, TypeError, ValueError."""
        return cls(
            str(config["encoder"]), str(config["revision"]), int(config["best_layer"]), int(config["max_length"]),
            str(config["dtype"]), int(config["width"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts and cycles of n designs [n, targets] with the ends of their 80 % intervals; unlike [n], NaN: not known."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    unlike: NDArray[np.float64]


class EncoderHead:
    """What an artefact of the encoder path says of vectors."""

    def __init__(self, artifact: Artifact) -> None:
        config = artifact.config
        self.path = artifact.path
        try:
            self.recipe = Recipe.of(config)
            self.stats = TargetStats.from_json(_json(artifact, STATS_FILE))
            self.feature_names = tuple(str(name) for name in config.get("feature_names", ()))
            self.feature_version = int(config.get("feature_version", 0))
            self.intervals = Intervals.of(config.get("intervals"))
            self.delta = _is_delta(config.get("task", PLAIN))
            version = int(config["template_version"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(
                f"{artifact.path}: config lacks or breaks {error}; retrain or import it again"
            ) from error
        if version != TEMPLATE_VERSION:
            raise ArtifactError(
                f"{artifact.path}: trained on template version {version}, this hwml writes {TEMPLATE_VERSION}; retrain"
            )
        self.unlike = Unlike.read(artifact) if UNLIKE_FILE in artifact.files else None
        self._session = open_session(artifact.file(ONNX_FILE))
        self._try_out()

    @classmethod
    def load(cls, path: Any) -> EncoderHead:
        """The head of an artefact folder. Raises ArtifactError."""
        return cls(Artifact.load(path, kind=KIND))

    def _try_out(self) -> None:
        """One row through all of it: a head of another width than its vectors is told now."""
        empty = np.zeros((1, len(TARGETS)))
        features = np.zeros((1, len(self.feature_names)), dtype=np.float32)
        vector = np.zeros((1, self.recipe.width), dtype=np.float32)
        try:
            found = self.raw(vector, features, empty, bare=vector)
        except ArtifactError as error:
            said = f"its head takes no vectors of {self.recipe.width} numbers; retrain ({error})"
            raise ArtifactError(f"{self.path}: {said}") from error
        if found.shape != (1, len(TARGETS)):
            raise ArtifactError(f"{self.path}: its head gives {found.shape[1]} figures, {len(TARGETS)} were expected")

    def check_features(self, version: int, names: tuple[str, ...]) -> None:
        """ArtifactError where structural features were joined that this hwml makes differently."""
        if self.feature_names and (version, names) != (self.feature_version, self.feature_names):
            raise ArtifactError(
                f"{self.path}: was trained on features of version {self.feature_version}, this hwml makes version "
                f"{version}; retrain"
            )

    def raw(
        self,
        vectors: Floats,
        features: Floats | None = None,
        base: NDArray[np.float64] | None = None,
        *,
        bare: Floats | None = None,
    ) -> NDArray[np.float64]:
        """Transformed targets [n, targets] of vectors [n, width], features [n, f] and log closed form [n, targets].

        bare: vectors of the same designs without pragmas, where `delta` asks for them.
        """
        feed: dict[str, NDArray[Any]] = {"embedding": vectors.astype(np.float32)}
        if self.delta:
            if bare is None:
                raise ArtifactError(f"{self.path}: was trained with --delta and needs the design without pragmas")
            feed["bare"] = bare.astype(np.float32)
        if self.feature_names:
            if features is None or base is None:
                raise ArtifactError(f"{self.path}: was trained with --features and needs them")
            feed |= {"features": features.astype(np.float32), "base": base.astype(np.float32)}
        return run_session(self._session, feed).astype(np.float64)

    def figures(
        self,
        vectors: Floats,
        features: Floats | None = None,
        base: NDArray[np.float64] | None = None,
        *,
        bare: Floats | None = None,
    ) -> Figures:
        """What is predicted of vectors [n, width]; the rest as for `raw`."""
        value = self.raw(vectors, features, base, bare=bare)
        far = np.full(len(value), np.nan) if self.unlike is None else self.unlike.score(vectors)
        below, above = self.intervals.ends(far)
        low, high = value + below, value + above
        counts = self.stats.counts(value)
        return Figures(
            counts, np.minimum(self.stats.counts(low), counts), np.maximum(self.stats.counts(high), counts), far
        )


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where the ends of the 80 % interval lie off the value, by target, for designs like the training data and unlike.

    border: of the unlike-score between the two. below, above: [2, targets], measured on groups that training left out.
    """

    border: float
    below: NDArray[np.float64]
    above: NDArray[np.float64]

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> Intervals:
        """Out of an artefact's config; a folder trained elsewhere says nothing: then there are no intervals (NaN)."""
        if config is None:
            nothing = np.full((2, len(TARGETS)), np.nan)
            return cls(0.5, nothing, nothing)
        below, above = (np.array(config[name], dtype=np.float64) for name in ("below", "above"))
        if below.shape != (2, len(TARGETS)) or above.shape != below.shape:
            raise ValueError("intervals")
        return cls(float(config["border"]), below, above)

    def ends(self, unlike: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(below, above) [n, targets] of unlike-scores [n]."""
        kind = (np.nan_to_num(unlike, nan=1.0) > self.border).astype(int)
        return self.below[kind], self.above[kind]


@dataclass(frozen=True, slots=True)
class Unlike:
    """Directions of training vectors, and how far training groups lie from one another.

    mean, scale: of vectors [width]. points: int8 [k, width], unit vectors in steps of 1/127. knots: distances to the
    nearest other group at equal steps of the share of groups.
    """

    mean: Floats
    scale: Floats
    points: NDArray[np.int8]
    knots: NDArray[np.float64]

    def score(self, vectors: Floats) -> NDArray[np.float64]:
        """0 (like the training data) to 1, [n]."""
        return np.interp(self.distance(vectors), self.knots, np.linspace(0, 1, len(self.knots)))

    def distance(self, vectors: Floats) -> NDArray[np.float64]:
        """1 - cosine to the nearest point, [n]."""
        unit = unit_vectors((vectors - self.mean) / self.scale)
        near = unit @ (self.points.astype(np.float32) / _POINT_STEPS).T
        return np.asarray(1.0 - near.max(axis=1), dtype=np.float64)

    def to_bytes(self) -> bytes:
        """An npz archive of the fields."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, mean=self.mean, scale=self.scale, points=self.points, knots=self.knots)
        return buffer.getvalue()

    @classmethod
    def read(cls, artifact: Artifact) -> Unlike:
        """Raises ArtifactError."""
        place = artifact.file(UNLIKE_FILE)
        try:
            with np.load(io.BytesIO(read_bytes(place)), allow_pickle=False) as stored:
                found = cls(**{name: stored[name] for name in cls.__dataclass_fields__})
            if found.points.shape[1] != len(found.mean) or len(found.scale) != len(found.mean) or not len(found.points):
                raise ValueError("shapes")
        except (OSError, ValueError, KeyError, IndexError, EOFError) as error:
            raise ArtifactError(f"{place}: is not what hwml wrote: {error}; retrain") from error
        return found


def quantised(unit: Floats) -> NDArray[np.int8]:
    """Unit vectors in steps of 1/127."""
    return np.rint(unit * _POINT_STEPS).astype(np.int8)


def unit_vectors(values: Floats) -> Floats:
    """Each row divided by its length."""
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def _is_delta(task: Any) -> bool:
    if task not in (PLAIN, DELTA):
        raise ValueError(f"task {task!r}")
    return bool(task == DELTA)


def _json(artifact: Artifact, name: str) -> Mapping[str, Any]:
    data = parse_json(read_bytes(artifact.file(name)))
    if not isinstance(data, dict):
        raise ValueError(f"{name}: a JSON object was expected")
    return data


def log_or_nan(count: float | None) -> float:
    """log1p of a count, NaN where it is unknown."""
    return math.nan if count is None else math.log1p(max(count, 0.0))
