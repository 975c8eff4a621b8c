"""Weights of Anderson2021, Halide's cost model for GPUs: read and written, in the formats of adams2019.

Nothing is predicted with them, as nothing could be checked without a GPU. The network has the same six tensors; a
stage has 73 schedule features, where adams2019 has 39 (Halide 21.0.0: anderson2021/NetworkSize.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...files import read_bytes, write_atomic
from ..data.features import GPU_SCHEDULE_FEATURES
from ..data.samples import Floats
from ..toolkit import GPU_AUTOSCHEDULER, inside_plugin
from .weights import (
    BUFFERS,
    HEADER,
    Buffers,
    buffers_bytes,
    checked_arrays,
    read_buffers,
    read_document,
    write_document,
)

GPU_JSON_KIND = "anderson2021_weights"
GPU_BUFFERS: Buffers = tuple(
    (name, (len(GPU_SCHEDULE_FEATURES), *shape[1:]) if name == "head2_filter" else shape, old)
    for name, shape, old in BUFFERS
)
GPU_FILE_BYTES = 16 + sum(4 + 4 * len(shape) + 4 * int(np.prod(shape)) for _, shape, _ in GPU_BUFFERS)


@dataclass(frozen=True, slots=True)
class GpuWeights:
    """The six tensors, by their names in adams2019's `Weights`."""

    arrays: dict[str, Floats]

    @classmethod
    def embedded(cls) -> GpuWeights:
        """Those inside the halide package. Raises HwmlError when it has none."""
        return cls.from_bytes(inside_plugin(HEADER, GPU_FILE_BYTES, GPU_AUTOSCHEDULER), path="Halide's plug-in")

    @classmethod
    def from_bytes(cls, data: bytes, *, path: str | Path = "weights") -> GpuWeights:
        """The bytes of a `.weights` file. Raises DataError."""
        return cls(checked_arrays(read_buffers(data, GPU_BUFFERS, path), GPU_BUFFERS, path))

    @classmethod
    def load(cls, path: str | Path) -> GpuWeights:
        """Read a `.weights` or `.json` file. Raises DataError naming what is wrong."""
        if Path(path).suffix == ".json":
            return cls(read_document(path, GPU_JSON_KIND, GPU_BUFFERS))
        try:
            data = read_bytes(Path(path), max_bytes=2 * GPU_FILE_BYTES)
        except OSError as error:
            raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
        return cls.from_bytes(data, path=path)

    def to_bytes(self) -> bytes:
        """The bytes of a `.weights` file."""
        return buffers_bytes(self.arrays, GPU_BUFFERS)

    def save(self, path: str | Path) -> None:
        """Write a `.weights` or `.json` file whole or not at all."""
        if Path(path).suffix == ".json":
            write_document(path, GPU_JSON_KIND, self.arrays)
        else:
            write_atomic(path, self.to_bytes())


def holds_gpu_weights(path: Path) -> bool:
    """Whether a `.weights` file has the size, or a `.json` file the kind, of Anderson2021."""
    try:
        if path.suffix == ".json":
            with path.open("rb") as stream:
                return f'"{GPU_JSON_KIND}"'.encode() in stream.read(200)
        return path.is_file() and path.stat().st_size == GPU_FILE_BYTES
    except OSError:
        return False
