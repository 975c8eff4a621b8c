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
        ("copy", 14),  # unrolled by 3: a last round of one
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


VIVADO = """\
void blur(int a[64], int b[64], int n, unsigned char m) {
  for (int i = 0; i < 6; i++) {
    for (int j = 0; j < 7; j++) b[i + j] = a[j];
    for (int j = 0; j < n; j++) b[j] += a[i];
    for (int j = 0; j < m; j++) b[j] += 1;
  }
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 9; j++) b[i * 9 + j] -= 1;
}
"""


@pytest.mark.parametrize(
    ("loop", "trip_count", "why"),
    [
        ("Loop 1", 6, ""),
        ("Loop 1.1", 7, ""),
        ("Loop 1.1", 8, ""),  # one round more: the tool's own last test
        ("Loop 1.1", 30, "7 rounds as written, the report counts 30"),
        ("Loop 1.2", None, ""),
        ("Loop 1.2", 16, "the data decides how often it runs, the report counts 16"),
        ("Loop 1.3", None, ""),  # a range of 0 to 255 stands there
        ("Loop 1.3", 16, "the data decides how often it runs, the report counts 16"),
        ("Loop 2", 45, ""),  # flattened, under the outer one's name
        ("Loop 2", 44, "5 rounds as written, the report counts 44"),
        ("Loop 3", 10, ""),  # of a part of the program that is not read here
        ("Loop 1.4", 10, ""),
    ],
)
def test_loops_that_are_named_by_their_place(loop: str, trip_count: int | None, why: str) -> None:
    estimate = estimate_source(VIVADO, top="blur", target=make_target("xc7z020", 10, "vivado_hls", "2018.3"))
    rows = [{"function": "blur", "loop": loop, "trip_count": trip_count}]
    assert [item.why for item in contradictions(estimate, rows)] == ([why] if why else [])


@pytest.mark.parametrize(("options", "trip_count", "why"), [
    ("factor=F", 16, ""), ("factor=F", 15, ""), ("off", 16, ""), ("factor=F + 1", 8, ""), ("factor=F + 1", 16, ""),
    # A macro of the command line stood for another factor when the report was made.
    ("factor=F", 4, "16 rounds as written, one at a time, the report counts 4"),
    ("factor=F", 1, "16 rounds as written, one at a time, the report counts 1"),
    ("off", 8, "16 rounds as written, one at a time, the report counts 8"),
])  # fmt: skip
def test_loops_that_a_pragma_keeps_whole(options: str, trip_count: int, why: str) -> None:
    code = f"""
const unsigned F = 1;
void top(unsigned char b[16]) {{
  sub: for (int i = 0; i < 16; i++) {{
#pragma HLS unroll {options}
    b[i] ^= 7;
  }}
}}"""
    estimate = estimate_source(code, top="top", target=make_target("xc7z020", 10, "vivado_hls", "2018.3"))
    rows = [{"function": "top", "loop": "sub", "trip_count": trip_count}]
    assert [item.why for item in contradictions(estimate, rows)] == ([why] if why else [])
