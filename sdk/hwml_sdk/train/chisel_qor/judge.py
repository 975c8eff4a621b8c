"""The counting judged against yosys: shares within the bars, rank correlation, coverage, beside a linear fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...chisel.qor.answer import ChiselQor
from ...chisel.qor.circuit import Circuit
from ...chisel.qor.flat import flatten
from ...chisel.qor.hw_ir import read_hw_ir
from ...chisel.qor.intervals import Bands, intervals_of
from ...chisel.qor.predict import AMOUNTS, predict_chisel_qor
from .circuits import Row
from .labels import Label

Floats = NDArray[np.float64]
NEAR, NEAR_SHARE = 2.0, 0.12  # a LUT count is near when it is off by no more than the larger of both
_OPERATORS = (
    "and", "or", "xor", "mux", "add", "sub", "mul", "divu", "divs", "modu", "mods", "shl", "shru", "shrs", "compare",
    "get", "inject", "parity", "register", "memory", "read", "write", "read_write",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A circuit with what is counted, what yosys measured, and its operators: bits by kind, then how many of each."""

    row: Row
    counted: Mapping[str, int]
    measured: Label
    operators: Floats
    qor: ChiselQor


def examples_of(rows: Sequence[Row], labels: Mapping[str, Label]) -> list[Example]:
    """Rows that are counted and measured; one that is not counted (a black box, too large) is no example."""
    found = []
    for row in rows:
        if not (label := labels.get(row.netlist)):
            continue
        circuit = read_hw_ir(row.hw_ir)
        qor = predict_chisel_qor(circuit, row.top)
        if qor.lut is not None:
            counted = {name: int(getattr(qor, name) or 0) for name in AMOUNTS}
            found.append(Example(row, counted, label, operators_of(circuit, row.top), qor))
    return found


def operators_of(circuit: Circuit, top: str) -> Floats:
    """Bits of the results by kind of operator, and how many there are of each. Raises TooLargeError."""
    bits: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for node in flatten(circuit, top).nodes:
        bits[node.kind] += node.width * (node.number if node.kind == "memory" else 1)
        count[node.kind] += 1
    return np.array([float(found[kind]) for found in (bits, count) for kind in _OPERATORS])


def column(examples: Sequence[Example], name: str, *, measured: bool) -> Floats:
    """One amount of all examples."""
    return np.array([float((item.measured if measured else item.counted)[name]) for item in examples])


def near(counted: Floats, measured: Floats) -> NDArray[np.bool_]:
    """Which counts are within the bar."""
    limit: NDArray[np.bool_] = np.abs(counted - measured) <= np.maximum(NEAR, NEAR_SHARE * measured)
    return limit


def spearman(left: Floats, right: Floats) -> float:
    """Rank correlation, ties at their mean rank; NaN where one side has no order."""
    ranks = [_ranks(values) for values in (left, right)]
    if any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Floats = (last - (count - 1) / 2)[place]
    return ranks


def linear_fit(training: Sequence[Example], examples: Sequence[Example], name: str = "lut") -> Floats:
    """The starting point to beat: least squares on operator counts, each example weighed by its size."""
    values = np.stack([item.operators for item in training])
    wanted = column(training, name, measured=True)
    weight = 1 / (wanted + 4)
    design = np.column_stack([values, np.ones(len(values))]) * weight[:, None]
    fitted, *_ = np.linalg.lstsq(design, wanted * weight, rcond=1e-6)
    tested = np.stack([item.operators for item in examples])
    predicted: Floats = np.maximum(np.column_stack([tested, np.ones(len(tested))]) @ fitted, 0)
    return predicted


def linear_figures(training: Sequence[Example], examples: Sequence[Example]) -> dict[str, float]:
    """What the linear fit reaches on the same examples."""
    lut, truth = linear_fit(training, examples), column(examples, "lut", measured=True)
    return {"linear_lut_near": float(near(lut, truth).mean()), "linear_lut_spearman": spearman(lut, truth)}


def figures(examples: Sequence[Example], bands: Bands) -> dict[str, float]:
    """Shares and errors over all examples."""
    lut, truth = (column(examples, "lut", measured=measured) for measured in (False, True))
    found = {
        "circuits": float(len(examples)),
        "lut_near": float(near(lut, truth).mean()),
        "lut_spearman": spearman(lut, truth),
        "lut_median_error": float(np.median(np.abs(lut - truth) / np.maximum(truth, 1))),
    }
    for name in AMOUNTS[1:]:
        counted, measured = (column(examples, name, measured=measured) for measured in (False, True))
        found[f"{name}_exact"] = float((counted == measured).mean())
    for name in bands:
        found[f"{name}_coverage"] = coverage(examples, bands, name)
    return found


def coverage(examples: Sequence[Example], bands: Bands, name: str) -> float:
    """Share of examples whose measured amount lies in its interval, of those that have one; NaN where none has."""
    found = inside(examples, bands, name)
    return float(np.mean(found)) if found else float("nan")


def inside(examples: Sequence[Example], bands: Bands, name: str) -> list[bool]:
    """Whether the measured amount lies in its interval, of each example that has one."""
    found = []
    for item in examples:
        interval = intervals_of(item.counted, bands).get(name)
        if interval is not None:
            found.append(interval.low <= item.measured[name] <= interval.high)
    return found
