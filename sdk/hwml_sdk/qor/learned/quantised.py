"""Features in steps, before training and before inference alike: a tree's float32 thresholds fall between them.

A step of 1/64 is half a percent of a count, and most latencies are exact: the closed form itself is kept to the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tool.labels import LABELS

STEPS_PER_UNIT = 64
_NAN_CODE = -32768


def quantise(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """`values` rounded to multiples of 1/64 and cut to ±511.98; NaN stays. Same shape."""
    return decode(encode(values))


def encode(values: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """The steps of each value."""
    scaled = np.rint(np.asarray(values, dtype=np.float64) * STEPS_PER_UNIT)
    codes = np.clip(np.nan_to_num(scaled), -32767, 32767)
    return np.where(np.isnan(scaled), _NAN_CODE, codes).astype(np.int16)


def decode(codes: NDArray[np.int16]) -> NDArray[np.float32]:
    """What `encode` was given, rounded."""
    values: NDArray[np.float32] = codes.astype(np.float32) / np.float32(STEPS_PER_UNIT)
    values[codes == _NAN_CODE] = np.nan
    return values


def counts_of(values: NDArray[np.floating[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """Whole counts and cycles [n, len(LABELS)] that features [n, f] hold as log2(1 + count) before they are rounded."""
    logs = np.asarray(values[:, [names.index(f"cf_{label}") for label in LABELS]], dtype=np.float64)
    return np.rint(np.exp2(np.maximum(logs, 0.0)) - 1.0)
