"""What Merlin makes of its pragmas, as ratios between designs that differ in one of them."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.design import estimate_source, make_target
from hwml_sdk.qor.estimate import Estimate

SUMS = """
#pragma ACCEL kernel
void k(double a[64][80], double y[{shape}]) {{
#pragma ACCEL PIPELINE {pipeline}
#pragma ACCEL TILE FACTOR={tile}
#pragma ACCEL PARALLEL FACTOR={factor}
  for (int i = 0; i < 64; i++) {{
    {first}
#pragma ACCEL PARALLEL FACTOR=1
    for (int j = 0; j < 80; j++) {guard}{element} += a[i][j];
  }}
}}"""


def estimate(version: str, **changes: object) -> Estimate:
    values = {"shape": "80", "element": "y[j]", "pipeline": "off", "factor": 1, "tile": 1, "guard": "", "first": ""}
    target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", version)
    return estimate_source(SUMS.format(**{**values, **changes}), target=target)


def cycles(version: str, **changes: object) -> float:
    """Cycles of the outer loop, without what moves data in and out."""
    (loop,) = estimate(version, **changes).top.loops
    return loop.cycles


@pytest.mark.parametrize("pipeline", ["off", "flatten"])
def test_parallel_sums_into_the_same_elements_gain_nothing(pipeline: str) -> None:
    """Rows of a added to one row y: each row waits for the one before, however many are in flight."""
    one = cycles("2020.2", pipeline=pipeline)
    assert cycles("2020.2", pipeline=pipeline, factor=4) == pytest.approx(one, rel=0.1)


def test_parallel_sums_into_elements_of_their_own_are_faster() -> None:
    own = {"shape": "64][80", "element": "y[i][j]"}
    assert cycles("2020.2", factor=4, **own) < 0.5 * cycles("2020.2", **own)


def test_from_2021_sums_are_reordered_unless_a_condition_holds_them() -> None:
    plain = [cycles("2021.1", pipeline="flatten", factor=factor) for factor in (1, 8)]
    held = [cycles("2021.1", pipeline="flatten", factor=factor, guard="if (j <= i) ") for factor in (1, 8)]
    assert plain[1] < 0.5 * plain[0]
    assert held[1] == pytest.approx(held[0], rel=0.1)


def test_the_scalar_that_holds_an_offset_counts_as_the_loops_own() -> None:
    offset = {"shape": "5120", "element": "y[at + j]", "first": "int at = i * 80;"}
    assert cycles("2020.2", factor=4, **offset) < 0.5 * cycles("2020.2", **offset)
