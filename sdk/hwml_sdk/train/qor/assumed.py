"""`python -m sdk.train qor assumed --data DIR`: what predicting with the default clock costs, where another was used.

By target how far the figure lies below what is said, and above. Nothing is changed; the figures belong into `COST` of
`qor.answer.assumed`.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...config import DEFAULT_CLOCK_PERIOD_NS
from ...errors import DataError, HwmlError
from ...interrupt import heed_ctrl_c
from ...qor.answer.answer import all_loops
from ...qor.answer.assumed import clocked_share
from ...qor.closed_form.design import estimate_source, make_options, make_target
from ...qor.closed_form.estimate import Estimate
from ...qor.learned.dataset import Design, read_designs
from ...qor.tool.labels import LABELS, NEAR_CLOCK
from ...qor.tool.releases import MERLIN
from ...report import SCHEMA_VERSION
from .evaluate import group_weights, weighted_quantile

PER_GROUP = 4
COVERED = 0.8


def main(argv: Sequence[str]) -> int:
    """Print the cost of each target; 0 when done."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train qor assumed", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder or CSV of labelled designs")
    options = parser.parse_args(argv)
    chosen = _chosen(read_designs(options.data))
    if not chosen:
        raise DataError("holds no design whose report was made at another clock than the default", path=options.data)
    found: dict[str, list[tuple[str, float]]] = {name: [] for name in LABELS}
    for design in chosen:
        heed_ctrl_c()
        try:
            own, assumed = _estimate(design), _estimate(replace(design, clock_period_ns=DEFAULT_CLOCK_PERIOD_NS))
        except HwmlError:
            continue
        for name, cost in _costs(own, assumed).items():
            found[name].append((f"{design.source}\0{design.group}", cost))
    costs = {}
    for name, rows in found.items():
        weights = group_weights(np.array([group for group, _ in rows]))
        signed = np.array([cost for _, cost in rows])
        ends = (weighted_quantile(side, weights, (1 + COVERED) / 2) for side in (-signed, signed))
        costs[name] = [round(max(end, 0.0), 3) for end in ends]
    print(json.dumps({"schema_version": SCHEMA_VERSION, "designs": len(chosen), "cost": costs}))
    return 0


def _chosen(designs: Sequence[Design]) -> list[Design]:
    """Some of each group, of csynth reports at another clock."""
    groups: dict[tuple[str, str], list[Design]] = {}
    for design in designs:
        other = abs(math.log(design.clock_period_ns / DEFAULT_CLOCK_PERIOD_NS)) > NEAR_CLOCK
        if other and design.stage == "csynth" and design.tool != MERLIN:
            groups.setdefault((design.source, design.group), []).append(design)
    return [item for found in groups.values() for item in found[:: max(len(found) // PER_GROUP, 1)][:PER_GROUP]]


def _estimate(design: Design) -> Estimate:
    text, files = design.parts()
    target = make_target(
        design.part, design.clock_period_ns, design.tool, design.tool_version, unsafe_math=design.unsafe_math
    )
    return estimate_source(text, files=files, top=design.top or None, target=target, options=make_options(target))


def _costs(own: Estimate, assumed: Estimate) -> dict[str, float]:
    """Log of what each known figure is over what is said; of cycles over the share that the clock bears on."""
    costs = {}
    right, said = own.figures(), assumed.figures()
    for name in LABELS:
        a, b = right[name], said[name]
        if a is None or b is None:
            continue
        cost = math.log((a + 1) / (b + 1))
        if name == "latency_cycles":
            share = clocked_share(all_loops(assumed), b)
            cost = cost / share if share > 0.01 else 0.0
        costs[name] = cost
    return costs
