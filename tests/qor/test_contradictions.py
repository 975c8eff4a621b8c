"""Reports that were made of another state of a source: found by their loop tables, and no report is accused wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.train.qor.contradictions import contradictions

SOURCE = """\
void scale(int a[40], int b[40], int n) {
  copy: for (int i = 0; i < 40; i++) {
#pragma HLS UNROLL factor=4
    b[i] = a[i] * n;
  }
  for (int i = 0; i < 10; i++)
    for (int j = 0; j < 3; j++) b[i + j] += a[j];
  rest: for (int i = 0; i < n; i++) b[i] -= 1;
}
"""


def found(loop: str, trip_count: int | None) -> list[str]:
    """What is said about one row of the table of SOURCE."""
    target = make_target("xcu280", 4, "vitis_hls", "2023.2")
    row: dict[str, Any] = {"loop": loop, "trip_count": trip_count}
    return [item.why for item in contradictions(estimate_source(SOURCE, top="scale", target=target), [row])]


@pytest.mark.parametrize(
    ("loop", "trip_count"),
    [
        ("copy", 40),  # as written
        ("copy", 10),  # unrolled by 4
        ("copy", 39),  # one round peeled off
        ("copy.1", 10),  # a copy the tool made of it
        ("rest", 7),  # the data decides
        ("copy", None),  # the report does not say
        ("VITIS_LOOP_6_1_VITIS_LOOP_7_2", 30),  # a flattened nest: 10 x 3
        ("loop_wait_for_eol", 640),  # of a library: the source cannot tell
    ],
)
def test_rows_that_the_source_can_have_made(loop: str, trip_count: int | None) -> None:
    assert found(loop, trip_count) == []


@pytest.mark.parametrize(
    ("loop", "trip_count", "why"),
    [
        ("copy", 64, "40 rounds as written, the report counts 64"),
        ("copy", 17, "40 rounds as written, the report counts 17"),  # ceil(40 / k) is never 17
        ("VITIS_LOOP_6_1_VITIS_LOOP_7_2", 40, "30 rounds as written, the report counts 40"),
        ("VITIS_LOOP_5_1", 10, "there is no loop in line 5"),
        ("VITIS_LOOP_900_1", 10, "there is no loop in line 900"),
    ],
)
def test_rows_of_another_source(loop: str, trip_count: int, why: str) -> None:
    assert found(loop, trip_count) == [why]
