"""The safetensors format, read by mapping the file and written byte for byte the same for the same tensors.

Layout (version 0.4 of the format's README): 8 bytes little-endian length of the header; the header, a JSON object of
tensor name -> {dtype, shape, data_offsets [begin, end)} and `__metadata__`; the data. Nothing in it can be executed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .files import parse_json
from .tensors import STORED, Tensor, Tensors

_NAMES = {
    "F64": "float64",
    "F32": "float32",
    "BF16": "bfloat16",
    "F16": "float16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
_CODES = {name: code for code, name in _NAMES.items()}
MAX_HEADER_BYTES = 100_000_000  # the limit of the format itself


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors (views of the mapped file) and metadata. Raises DataError for a broken or cut off file."""
    path = Path(path)
    data = mapped(path)
    if len(data) < 8:
        raise DataError("is cut off: a safetensors file begins with 8 bytes of length", path=path)
    (length,) = struct.unpack("<Q", data[:8].tobytes())
    if length > min(MAX_HEADER_BYTES, len(data) - 8):
        raise DataError(f"is no safetensors file, or is cut off: header of {length} bytes", path=path)
    try:
        header = parse_json(data[8 : 8 + length].tobytes())
    except ValueError as error:
        raise DataError(f"is no safetensors file: its header is not JSON ({error})", path=path) from error
    if not isinstance(header, dict):
        raise DataError("is no safetensors file: its header is no JSON object", path=path)
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    try:
        tensors = {str(name): _tensor(body, entry) for name, entry in header.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"is no safetensors file: an entry of its header is broken ({error})", path=path) from error
    return tensors, {str(key): str(value) for key, value in dict(metadata or {}).items()}


def mapped(path: Path) -> NDArray[np.uint8]:
    """All bytes of a regular file, mapped, not read. Raises DataError."""
    try:
        if not path.is_file():
            raise DataError("is no regular file" if path.exists() else "no such file", path=path)
        if path.stat().st_size == 0:
            raise DataError("is empty", path=path)
        return np.memmap(path, dtype=np.uint8, mode="r")
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error


def _tensor(body: NDArray[np.uint8], entry: Mapping[str, Any]) -> Tensor:
    dtype = _NAMES[entry["dtype"]]
    begin, end = (int(value) for value in entry["data_offsets"])
    shape = tuple(int(value) for value in entry["shape"])
    size = np.dtype(STORED[dtype]).itemsize
    count = 1
    for axis in shape:
        count *= axis
    if not 0 <= begin <= end <= len(body) or min(shape, default=0) < 0 or end - begin != count * size:
        raise ValueError(f"bytes {begin} to {end} of {len(body)} for shape {list(shape)} {dtype}")
    return Tensor(body[begin:end].view(STORED[dtype]).reshape(shape), dtype)


def to_safetensors(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """A safetensors file, tensors in the order of their names. Raises DataError for a dtype it has no code for."""
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    parts: list[bytes] = []
    place = 0
    for name, tensor in sorted(tensors.items()):
        if tensor.dtype not in _CODES:
            raise DataError(f"{name}: safetensors has no dtype {tensor.dtype}")
        part = tensor.to_bytes()
        header[name] = {
            "dtype": _CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + len(part)],
        }
        parts.append(part)
        place += len(part)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the data then begins on a multiple of 8
    return b"".join((struct.pack("<Q", len(text)), text, *parts))
