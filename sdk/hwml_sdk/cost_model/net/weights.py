"""Weights of the adams2019 cost model: Halide's `.weights` file, the old folder of `.data` files, JSON, torch.

`.weights` (Halide 21.0.0, Weights.cpp; little-endian uint32): magic 0x68776631, pipeline features version (3), schedule
features version (3), number of buffers (6); then per buffer ndim, ndim extents (innermost first), float32 data. Halide
itself answers a broken file with a warning and random weights; here it is an error.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Generic, ParamSpec, Protocol

import numpy as np
from numpy.typing import NDArray

from ...artifact import Artifact, resolve
from ...errors import ArtifactError, DataError
from ...files import parse_json, read_bytes, replace_folder, write_atomic
from ..data.features import PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION
from ..data.samples import Floats
from ..toolkit import inside_plugin

# What an artefact of the cost model is called, and its weights in it.
KIND = "cost_model"
WEIGHTS_FILE = "cost_model.weights"

MAGIC = 0x68776631
JSON_KIND = "adams2019_weights"
HEADER = struct.pack("<4I", MAGIC, PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION, 6)
# Name, numpy (C order) shape, and file name in the old folder format, in file order.
Buffers = tuple[tuple[str, tuple[int, ...], str], ...]
BUFFERS: Buffers = (
    ("head1_filter", (7, 40, 8), "head1_conv1_weight.data"),
    ("head1_bias", (8,), "head1_conv1_bias.data"),
    ("head2_filter", (39, 24), "head2_conv1_weight.data"),
    ("head2_bias", (24,), "head2_conv1_bias.data"),
    ("conv1_filter", (32, 32), "trunk_conv1_weight.data"),
    ("conv1_bias", (32,), "trunk_conv1_bias.data"),
)
FILE_BYTES = 16 + sum(4 + 4 * len(shape) + 4 * int(np.prod(shape)) for _, shape, _ in BUFFERS)
MAX_JSON_BYTES = 1024 * 1024


P = ParamSpec("P")


class _Loader(Generic[P]):
    """A way to load weights: of the class it returns new ones, of an object it fills and returns that object."""

    def __init__(self, load: Callable[P, Weights]) -> None:
        self._load = load
        self.__doc__ = load.__doc__

    def __get__(self, weights: Weights | None, owner: type[Weights]) -> Callable[P, Weights]:
        if weights is None:
            return self._load

        @wraps(self._load)
        def load(*args: P.args, **kwargs: P.kwargs) -> Weights:
            made = self._load(*args, **kwargs)
            for name, _, _ in BUFFERS:
                setattr(weights, name, getattr(made, name))
            return weights

        return load


def _zeros(index: int) -> Callable[[], Floats]:
    return lambda: np.zeros(BUFFERS[index][1], dtype=np.float32)


def _read_file(path: str | Path) -> Weights:
    """Read a `.weights` file, or a folder of the old `.data` files. Raises DataError naming what is wrong."""
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    try:
        size = path.stat().st_size
        data = read_bytes(path, max_bytes=2 * FILE_BYTES) if size <= 2 * FILE_BYTES else b""
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
    if size > 2 * FILE_BYTES:
        raise DataError(f"{size} bytes: an adams2019 weights file has {FILE_BYTES}", path=path)
    return Weights.from_bytes(data, path=path)


def _read_json(path: str | Path) -> Weights:
    """Read weights from JSON as `save_to_json` writes them. Raises DataError."""
    return Weights.from_arrays(read_document(path, JSON_KIND, BUFFERS), path=path)


def read_document(path: str | Path, kind: str, buffers: Buffers) -> dict[str, Floats]:
    """The tensors of a JSON file that `write_document` wrote. Raises DataError."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise DataError(f"is over {MAX_JSON_BYTES} bytes: no weights of this model", path=path)
        data = parse_json(read_bytes(path, max_bytes=MAX_JSON_BYTES))
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", path=path) from error
    versions = [PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION]
    if not isinstance(data, dict) or data.get("kind") != kind or not isinstance(data.get("buffers"), dict):
        raise DataError(f"a JSON object with kind {kind!r} and buffers was expected", path=path)
    if data.get("feature_versions") != versions:
        raise DataError(f"feature_versions {data.get('feature_versions')!r} are not {versions}", path=path)
    try:
        return checked_arrays(data["buffers"], buffers, path)
    except (ValueError, TypeError) as error:
        raise DataError(f"buffers must be nested lists of numbers: {error}", path=path) from error


def write_document(path: str | Path, kind: str, arrays: Mapping[str, Floats]) -> None:
    """Write tensors as JSON; numbers read back as the same float32."""
    buffers = {name: _exact(value) for name, value in arrays.items()}
    versions = [PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION]
    document = {"schema_version": 1, "kind": kind, "feature_versions": versions, "buffers": buffers}
    write_atomic(path, json.dumps(document) + "\n")


def _of_model(model: _HoldsTensors) -> Weights:
    """Weights of a torch Net."""
    return Weights.from_arrays({name: getattr(model, name).detach().cpu().numpy() for name, _, _ in BUFFERS})


@dataclass(slots=True)
class Weights:
    """The six tensors of the network, float32, with Halide's layout.

    `Weights()` are zeros, to be filled: `Weights().load_from_file(path)`; `Weights.load_from_file(path)` is the same.
    """

    head1_filter: Floats = field(default_factory=_zeros(0))
    """(7, 40, 8): type, row, channel; before the sigmoid"""
    head1_bias: Floats = field(default_factory=_zeros(1))
    """(8,)"""
    head2_filter: Floats = field(default_factory=_zeros(2))
    """(39, 24): schedule feature, channel"""
    head2_bias: Floats = field(default_factory=_zeros(3))
    """(24,)"""
    conv1_filter: Floats = field(default_factory=_zeros(4))
    """(32, 32): input (8 of head1, then 24 of head2), output"""
    conv1_bias: Floats = field(default_factory=_zeros(5))
    """(32,)"""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], *, path: str | Path = "weights") -> Weights:
        """Check names, shapes and that every value is finite. Raises DataError."""
        return cls(**checked_arrays(arrays, BUFFERS, path))

    @classmethod
    def random(cls, seed: int) -> Weights:
        """Weights as Halide draws them: every tensor from U(-0.5, 0.5), Mersenne Twister seeded with `seed`."""
        state = np.random.RandomState(seed % 2**32)
        arrays = {}
        for name, shape, _ in BUFFERS:
            draws = state.randint(0, 2**32, size=int(np.prod(shape)), dtype=np.uint64).astype(np.float32)
            arrays[name] = (draws / np.float32(2**32) - np.float32(0.5)).reshape(shape)
        return cls.from_arrays(arrays)

    @classmethod
    def named(cls, name: str | Path) -> Weights:
        """A file, `embedded` (inside the halide package), `random:SEED`, or a shipped artefact such as `cost_model`.

        Raises DataError, ArtifactError or MissingDependencyError.
        """
        text = str(name)
        if text == "embedded":
            return cls.from_bytes(inside_plugin(HEADER, FILE_BYTES), path="Halide's plug-in")
        if text.startswith("random:") and text[7:].isdigit():
            return cls.random(int(text[7:]))
        if text.endswith(".json"):
            return cls.load_from_json(text)
        if not Path(text).exists() and "/" not in text and not text.endswith(".weights"):
            return cls.of_artifact(Artifact.load(resolve(text), kind=KIND))
        return cls.load_from_file(text)

    def arrays(self) -> dict[str, Floats]:
        """The tensors by name, in file order."""
        return {name: getattr(self, name) for name, _, _ in BUFFERS}

    def scaled(self, factor: float | NDArray[np.floating[Any]]) -> Weights:
        """Weights whose every prediction is `factor` times this one's (exact: relu is positively homogeneous).

        With 32 factors, what term k adds to each prediction is `factor[k]` times this one's. Raises DataError when they
        are not positive and finite.
        """
        scale = np.asarray(factor, dtype=np.float32)
        if not ((scale > 0) & np.isfinite(scale)).all():
            raise DataError(f"cannot scale predictions by {factor!r}")
        return replace(self, conv1_filter=self.conv1_filter * scale, conv1_bias=self.conv1_bias * scale)

    load_from_file = _Loader(_read_file)

    @classmethod
    def of_artifact(cls, artifact: Artifact) -> Weights:
        """The weights in an artefact folder. Raises ArtifactError, also where its description is of another model."""
        cores, versions = (artifact.config.get(name) for name in ("num_cores", "feature_versions"))
        whole = isinstance(cores, list) and all(type(count) is int and count >= 1 for count in cores)
        if not whole or versions != [PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION]:
            raise ArtifactError(f"{artifact.path}: describes another model than this hwml has; reinstall or retrain")
        try:
            return cls.load_from_file(artifact.file(WEIGHTS_FILE))
        except DataError as error:
            raise ArtifactError(f"{error}; reinstall or retrain") from error

    @classmethod
    def from_bytes(cls, data: bytes, *, path: str | Path = "weights") -> Weights:
        """The bytes of a `.weights` file. Raises DataError."""
        return cls.from_arrays(read_buffers(data, BUFFERS, path), path=path)

    def to_bytes(self) -> bytes:
        """The bytes of a `.weights` file."""
        return buffers_bytes(self.arrays(), BUFFERS)

    def save_to_file(self, path: str | Path) -> None:
        """Write a `.weights` file whole or not at all."""
        write_atomic(path, self.to_bytes())

    def save_to_dir(self, path: str | Path) -> None:
        """Write the old format: a folder of six `.data` files (a folder that is there is replaced)."""
        with replace_folder(path) as folder:
            for name, _, file_name in BUFFERS:
                (folder / file_name).write_bytes(getattr(self, name).astype("<f4").tobytes())

    load_from_json = _Loader(_read_json)

    def save_to_json(self, path: str | Path) -> None:
        """Write JSON; numbers read back as the same float32."""
        write_document(path, JSON_KIND, self.arrays())

    load_from_model = _Loader(_of_model)

    def load_in_model(self, model: _HoldsTensors) -> None:
        """Put these weights into a torch Net, in place."""
        import torch

        with torch.no_grad():
            for name, value in self.arrays().items():
                getattr(model, name).copy_(torch.from_numpy(value))


def read_buffers(data: bytes, buffers: Buffers, path: str | Path) -> dict[str, Floats]:
    """The tensors of a `.weights` file's bytes, as `buffers` has them. Raises DataError."""
    reader = _Reader(data, path)
    if reader.word("magic") != MAGIC:
        raise DataError("is no adams2019 weights file (wrong magic number)", path=path)
    versions = (reader.word("version"), reader.word("version"))
    if versions != (PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION):
        raise DataError(
            f"made for feature versions {versions}, this model has "
            f"{(PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION)}; retrain with the Halide you use",
            path=path,
        )
    count = reader.word("buffer count")
    if count != len(buffers):
        raise DataError(f"holds {count} buffers, {len(buffers)} were expected", path=path)
    arrays = {name: reader.buffer(name, shape) for name, shape, _ in buffers}
    reader.end()
    return arrays


def buffers_bytes(arrays: Mapping[str, Floats], buffers: Buffers) -> bytes:
    """The bytes of a `.weights` file of these tensors."""
    parts = [HEADER]
    for name, shape, _ in buffers:
        parts.append(struct.pack(f"<{1 + len(shape)}I", len(shape), *reversed(shape)))
        parts.append(arrays[name].astype("<f4").tobytes())
    return b"".join(parts)


def checked_arrays(arrays: Mapping[str, Any], buffers: Buffers, path: str | Path) -> dict[str, Floats]:
    """As float32, with the names and shapes of `buffers` and every value finite. Raises DataError."""
    fields: dict[str, Floats] = {}
    for name, shape, _ in buffers:
        if name not in arrays:
            raise DataError(f"{name} is missing", path=path)
        value = np.array(arrays[name], dtype=np.float32)
        if value.shape != shape:
            raise DataError(f"{name} has shape {value.shape}, {shape} was expected", path=path)
        if not np.isfinite(value).all():
            raise DataError(f"{name} holds NaN or infinity; train again", path=path)
        fields[name] = value
    return fields


class _HoldsTensors(Protocol):
    """A torch module with the six tensors as attributes (`network.Net`)."""

    head1_filter: Any


class _Reader:
    """Reads words and buffers off a byte string, with errors that name the file."""

    def __init__(self, data: bytes, path: str | Path) -> None:
        self.data, self.path, self.place = data, path, 0

    def word(self, what: str) -> int:
        if self.place + 4 > len(self.data):
            raise DataError(f"ends after {len(self.data)} bytes, inside its {what}", path=self.path)
        (value,) = struct.unpack_from("<I", self.data, self.place)
        self.place += 4
        return int(value)

    def buffer(self, name: str, shape: tuple[int, ...]) -> Floats:
        ndim = self.word(name)
        if ndim != len(shape):
            raise DataError(f"{name} has {ndim} dimensions, {len(shape)} were expected", path=self.path)
        extents = tuple(self.word(name) for _ in shape)
        if extents != tuple(reversed(shape)):
            raise DataError(f"{name} has extents {extents}, {tuple(reversed(shape))} were expected", path=self.path)
        size = 4 * int(np.prod(shape))
        if self.place + size > len(self.data):
            raise DataError(f"ends after {len(self.data)} bytes, inside {name}", path=self.path)
        values = np.frombuffer(self.data, dtype="<f4", count=size // 4, offset=self.place)
        self.place += size
        return values.reshape(shape).astype(np.float32)

    def end(self) -> None:
        if self.place != len(self.data):
            raise DataError(f"{len(self.data) - self.place} bytes follow the last buffer", path=self.path)


def _load_folder(folder: Path) -> Weights:
    arrays = {}
    for name, shape, file_name in BUFFERS:
        path = folder / file_name
        try:
            size = path.stat().st_size
            data = read_bytes(path) if size == 4 * int(np.prod(shape)) else b""
        except OSError as error:
            raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
        if not data:
            raise DataError(f"{size} bytes, {4 * int(np.prod(shape))} were expected", path=path)
        arrays[name] = np.frombuffer(data, dtype="<f4").reshape(shape)
    return Weights.from_arrays(arrays, path=folder)


def _exact(values: Floats) -> Any:
    """Nested lists whose decimals are the shortest that read back as the same float32."""
    if values.ndim > 1:
        return [_exact(row) for row in values]
    return [float(str(value)) for value in values]
