"""A LoRA checkpoint as tokens [T, width] and back, bit for bit.

Each tensor is flattened row-major and begins a new token; the last token of a tensor is filled with zeros. A manifest
says which tokens hold what. Each tensor has a scale, a power of two that is at most 1: dividing by it moves only the
exponent of a float32, upwards, so that float32, bfloat16 and float16 come back exactly (a mean and a standard
deviation in float32 would not: 7e-8 relative).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..tensors import TOKEN_DTYPES, Floats, Tensor, Tensors, from_float32, to_float32

WIDTH = 384
MANIFEST_VERSION = 1
MAX_TOKENS = 10_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of the manifest."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    start: int
    """first token"""
    count: int
    """tokens"""
    exponent: int
    """the scale is 2 ** exponent, at most 1"""

    @property
    def n_values(self) -> int:
        """Values of the tensor."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which tokens hold which tensor."""

    width: int
    entries: tuple[Entry, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens of one checkpoint."""
        return sum(entry.count for entry in self.entries)

    @property
    def n_values(self) -> int:
        """Values of one checkpoint, without filling."""
        return sum(entry.n_values for entry in self.entries)

    def mask(self) -> NDArray[np.bool_]:
        """[T, width]: where tokens hold values and no filling."""
        mask = np.zeros(self.n_tokens * self.width, dtype=np.bool_)
        for entry in self.entries:
            begin = entry.start * self.width
            mask[begin : begin + entry.n_values] = True
        return mask.reshape(-1, self.width)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        rows = [
            {"name": e.name, "shape": list(e.shape), "dtype": e.dtype, "start": e.start, "count": e.count}
            | {"exponent": e.exponent}
            for e in self.entries
        ]
        return {"version": MANIFEST_VERSION, "width": self.width, "tokens": self.n_tokens, "entries": rows}

    @classmethod
    def from_json(cls, data: Any) -> Manifest:
        """Read back what `to_json` gave. Raises DataError for anything else, also for spans that do not fit."""
        try:
            if data["version"] != MANIFEST_VERSION:
                raise DataError(f"manifest version {data['version']!r} is not {MANIFEST_VERSION}; update hwml")
            entries = tuple(
                Entry(
                    str(row["name"]),
                    tuple(int(axis) for axis in row["shape"]),
                    str(row["dtype"]),
                    *(int(row[key]) for key in ("start", "count", "exponent")),
                )
                for row in data["entries"]
            )
            manifest = cls(int(data["width"]), entries)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the token manifest is broken: {error!r}") from error
        _check(manifest)
        return manifest


def _check(manifest: Manifest) -> None:
    place = 0
    if manifest.width < 1 or not manifest.entries:
        raise DataError("the token manifest is broken: no width or no tensors")
    for entry in manifest.entries:
        fits = entry.start == place and entry.count == -(-entry.n_values // manifest.width)
        if not fits or entry.dtype not in TOKEN_DTYPES or min(entry.shape, default=1) < 0:
            raise DataError(f"the token manifest is broken at {entry.name!r}")
        place += entry.count
    if place > MAX_TOKENS:
        raise DataError(f"the token manifest names {place} tokens, over {MAX_TOKENS}")


def build_manifest(checkpoints: Sequence[Tensors], *, width: int = WIDTH) -> Manifest:
    """The common token form of checkpoints with the same names and shapes (the caller has compared them).

    Raises DataError for dtypes that tokens do not hold.
    """
    if width < 1:
        raise DataError(f"token width {width}: at least 1 was expected")
    entries: list[Entry] = []
    place = 0
    for name, tensor in checkpoints[0].items():
        exponent = max(_exponent(tensors[name], name) for tensors in checkpoints)
        count = -(-math.prod(tensor.shape) // width)
        entries.append(Entry(name, tensor.shape, tensor.dtype, place, count, exponent))
        place += count
    return Manifest(width, tuple(entries))


def _exponent(tensor: Tensor, name: str) -> int:
    """Of the smallest power of two that is over all values, at most 0: see the module's text."""
    values = to_float32(tensor, name)
    largest = float(np.abs(values).max()) if values.size else 0.0
    return min(0, math.frexp(largest)[1]) if largest else 0


def check_limit(manifest: Manifest, max_tokens: int) -> None:
    """Raise DataError where `max_tokens` is too few: nothing is ever cut off silently."""
    if manifest.n_tokens > max_tokens:
        raise DataError(
            f"this adapter needs {manifest.n_tokens} tokens of {manifest.width} values ({manifest.n_values} in all), "
            f"the limit is {max_tokens}: raise --max-tokens (model.max_seq_len) to {manifest.n_tokens}, "
            "or train an adapter of fewer modules or lower rank"
        )


def tokenize(tensors: Tensors, manifest: Manifest) -> Floats:
    """Tokens [T, width] of a checkpoint of this form, each value divided by its tensor's scale."""
    tokens = np.zeros(manifest.n_tokens * manifest.width, dtype=np.float32)
    for entry in manifest.entries:
        tensor = tensors.get(entry.name)
        if tensor is None or tensor.shape != entry.shape:
            raise DataError(f"{entry.name} is {tensor and list(tensor.shape)}, the manifest says {list(entry.shape)}")
        begin = entry.start * manifest.width
        values = to_float32(tensor, entry.name).ravel()
        tokens[begin : begin + entry.n_values] = np.ldexp(values, -entry.exponent)
    return tokens.reshape(-1, manifest.width)


def detokenize(tokens: Floats, manifest: Manifest) -> dict[str, Tensor]:
    """The tensors that tokens [T, width] hold. Raises DataError for another shape or values that are no numbers."""
    if tokens.shape != (manifest.n_tokens, manifest.width):
        raise DataError(f"tokens are {list(tokens.shape)}, the manifest says {[manifest.n_tokens, manifest.width]}")
    if not np.isfinite(tokens).all():
        raise DataError("tokens hold NaN or infinite values: the generator diverged, train it again")
    flat = np.ascontiguousarray(tokens, dtype=np.float32).ravel()
    found: dict[str, Tensor] = {}
    for entry in manifest.entries:
        begin = entry.start * manifest.width
        values = np.ldexp(flat[begin : begin + entry.n_values], entry.exponent).reshape(entry.shape)
        found[entry.name] = from_float32(values, entry.dtype)
    return found


def same_bits(first: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    """Names whose bits, dtype or shape differ; empty when both are the same."""
    names = sorted(set(first) ^ set(other))
    for name in sorted(set(first) & set(other)):
        a, b = first[name], other[name]
        if a.dtype != b.dtype or a.shape != b.shape or a.to_bytes() != b.to_bytes():
            names.append(name)
    return names
