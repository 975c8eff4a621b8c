"""Tensors of checkpoints as numpy sees them: raw, memory-mapped, with the dtype that was stored.

numpy has no bfloat16: such a tensor is kept as its 16 raw bits (uint16) beside the name of its dtype. All of float32,
bfloat16 and float16 are values of float32, so that `to_float32` loses nothing and `from_float32` gives the bits back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

Floats = NDArray[np.float32]
# dtype name -> what numpy stores it as. The names are PyTorch's.
STORED: dict[str, type[np.generic]] = {
    "float32": np.float32,
    "bfloat16": np.uint16,
    "float16": np.float16,
    "float64": np.float64,
    "int64": np.int64,
    "int32": np.int32,
    "int16": np.int16,
    "int8": np.int8,
    "uint8": np.uint8,
    "bool": np.bool_,
}
TOKEN_DTYPES = ("float32", "bfloat16", "float16")
_BF16_BITS = 16


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a checkpoint: `raw` may be a view of a mapped file and is not to be written to."""

    raw: NDArray[Any]
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, outermost axis first."""
        return tuple(int(length) for length in self.raw.shape)

    def to_bytes(self) -> bytes:
        """The values, row-major, as little-endian bytes."""
        return np.ascontiguousarray(self.raw).tobytes()


Tensors = Mapping[str, Tensor]


def to_float32(tensor: Tensor, name: str = "tensor") -> Floats:
    """The values as float32, exact. Raises DataError for dtypes that float32 does not hold."""
    if tensor.dtype == "bfloat16":
        widened = np.asarray(tensor.raw.astype(np.uint32) << _BF16_BITS)  # of a scalar numpy makes no array
        return widened.view(np.float32)
    if tensor.dtype in ("float32", "float16"):
        values: Floats = tensor.raw.astype(np.float32)
        return values
    raise DataError(f"{name} is {tensor.dtype}; tokens hold {', '.join(TOKEN_DTYPES)}: convert the adapter first")


def from_float32(values: Floats, dtype: str) -> Tensor:
    """Values as a tensor of `dtype`, rounded to nearest even; exact for what `to_float32` gave. Raises DataError."""
    values = np.asarray(values, dtype=np.float32, order="C")  # not ascontiguousarray, which adds an axis to a scalar
    if dtype == "float32":
        return Tensor(values, dtype)
    if dtype == "float16":
        with np.errstate(over="ignore"):  # beyond 65504 becomes inf, as in every cast
            return Tensor(values.astype(np.float16), dtype)
    if dtype == "bfloat16":
        bits = values.view(np.uint32).astype(np.uint64)
        # Half of the last kept bit, less one where that bit is even: ties go to even.
        rounded = bits + 0x7FFF + ((bits >> _BF16_BITS) & 1)
        return Tensor(np.asarray(rounded >> _BF16_BITS).astype(np.uint16), dtype)
    raise DataError(f"dtype {dtype!r} is not one of {', '.join(TOKEN_DTYPES)}")
