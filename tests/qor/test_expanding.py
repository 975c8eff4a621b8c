"""Copies of unrolled loops that their counter tells apart, against counts made by hand.

A product of two 32-bit integers takes 3 DSPs; each case says how many of them the copies have.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate

TARGET = make_target("xcu280-fsvh2892-2L-e", 10.0, "vitis_hls", "2023.2")
HEAD = """void top(int a[64], int b[64], int x, int y) {
#pragma HLS PIPELINE
#pragma HLS ARRAY_PARTITION variable=a complete
#pragma HLS ARRAY_PARTITION variable=b complete
"""


def estimated(code: str) -> Estimate:
    return estimate_source(code, path="k.cpp", top="top", target=TARGET)


@pytest.mark.parametrize(
    ("body", "products"),
    [
        ("for (int k = 0; k < 8; k++) if (k == 5) b[k] = a[k] * x;", 1),
        ("for (int k = 0; k < 8; k++) if (k >= 6) b[k] = a[k] * x;", 2),
        ("for (int k = 7; k >= 0; k--) if (k >= 6) b[k] = a[k] * x;", 2),
        ("for (int k = 0; k < 8; k += 2) if (k / 2 == 3) b[k] = a[k] * x; else b[k] = 0;", 1),
        # steps that are no sums
        ("for (int k = 1; k < 16; k *= 2) if (k > 4) b[k] = a[k] * x;", 1),
        ("for (int k = 1; k < 16; k <<= 1) if (k > 2) b[k] = a[k] * x;", 2),
        # 0 + 1 + 2 + 3 + 4 rounds, of which one has j = 3
        ("for (int k = 0; k < 5; k++) for (int j = 0; j < k; j++) if (j > 2) b[k * 8 + j] = a[j] * x;", 1),
        ("for (int k = 0; k < 4; k++) for (int j = 0; j < 4; j++) if (k == j) b[k * 4 + j] = a[j] * x;", 4),
        # one of two products in each copy
        ("for (int k = 0; k < 4; k++) b[k] = k & 1 ? a[k] * x : a[k] * y;", 4),
        # a constant on one side decides, and what stands behind it is not computed
        ("for (int k = 0; k < 4; k++) if (k > 1 && a[k] * x > 9) b[k] = 1;", 2),
        ("unsigned k = 0xFFFFFFFFu; k += 1; if (k == 0) b[0] = a[0] * x;", 1),
        ("unsigned char k = 255; k += 1; if (k == 0) b[0] = a[0] * x;", 1),
        ("for (int i = 0; i < 0; i++) for (int j = 0; j < 4; j++) b[4 * i + j] = a[j] * x;", 0),
    ],
)
def test_products_of_copies(body: str, products: int) -> None:
    assert estimated(f"{HEAD}{body} }}").dsp == 3 * products


@pytest.mark.parametrize(("test", "products"), [("k == 5", 1), ("k >= 4", 4)])
def test_a_part_of_the_rounds_has_no_constant_counter(test: str, products: int) -> None:
    """Of a loop that is unrolled by 4 each copy meets every fourth round: its condition stays one.

    Round 5 is one of the second copy; rounds from 4 on are of all four.
    """
    code = f"""void top(int a[16], int b[16], int x) {{
#pragma HLS ARRAY_PARTITION variable=a complete
#pragma HLS ARRAY_PARTITION variable=b complete
for (int k = 0; k < 16; k++) {{
#pragma HLS UNROLL factor=4
if ({test}) b[k] = a[k] * x; }} }}"""
    assert estimated(code).dsp == 3 * products


def test_processes_of_copies_are_counted() -> None:
    """Blocks of their own in the body: as many as there are copies."""
    code = """#include <hls_stream.h>
void stage(hls::stream<int> &in, hls::stream<int> &out, int x) {
  for (int i = 0; i < 64; i++) out.write(in.read() * x);
}
void top(hls::stream<int> &in, hls::stream<int> &out, int x) {
#pragma HLS DATAFLOW
hls::stream<int> s[5];
stage(in, s[0], x);
for (int k = 0; k < 4; k++) {
#pragma HLS UNROLL
  stage(s[k], s[(k + 1) % 5], x); }
stage(s[4], out, x); }"""
    # Five instances are named; the first and the last stand outside of the copies: 6, and the tool builds each.
    assert estimated(code).dsp == 3 * 6


@pytest.mark.parametrize(
    ("before", "bound", "after"),
    [("int &r = n;", "n", "if (a[j] == 3) r = 2;"), ("", "*p", ""), ("", "p[0]", "")],
)
def test_a_bound_that_may_change_unseen_keeps_two_loops(before: str, bound: str, after: str) -> None:
    """16 rounds that each fill a pipeline of 4: more than the 64 cycles of one loop, and some."""
    code = f"""void top(int a[64], int b[64], int n, int *p) {{
{before}
for (int i = 0; i < 16; i++) {{
  for (int j = 0; j < {bound}; j++) {{
#pragma HLS loop_tripcount min=4 max=4
    b[i * 4 + j] = a[j]; {after} }} }} }}"""
    assert estimated(code).nominal_cycles > 16 * 6
