"""Calls that share nothing run beside one another, and each has a block of its own (UG1399, "Loop Parallelism").

A call takes 64 rounds and a few states; a product of two 32-bit integers 3 DSPs.
"""

from __future__ import annotations

import pytest
from tests.qor.pins.kit import closed

WORK = """void work(int in[64], int out[64], int x) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) out[i] = in[i] * x;
}
void last(int in[64], int &out) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) out += in[i];
}
void counted(int in[64], int out[64]) {
#pragma HLS INLINE off
  static int calls;
  for (int i = 0; i < 64; i++) out[i] = in[i] + calls++;
}
"""
HEAD = "void top(int a[64], int b[64], int c[64], int d[64], int x) {"
ROUNDS = 64


@pytest.mark.parametrize(
    ("body", "calls", "blocks"),
    [
        ("work(a, b, x); work(c, d, x);", 1, 2),
        ("work(a, b, x); work(b, c, x);", 2, 1),  # the second reads what the first writes
        ("work(a, b, x); work(a, c, x);", 2, 1),  # both ask for the ports of a
        ("work(a, b, x); work(c, b, x);", 2, 1),
        ("int t[64]; work(a, t, x); work(c, d, x); work(t, b, x);", 2, 2),
        ("int s = 0; last(a, s); work(c, d, s);", 2, 1),
        ("int s = 0; last(a, s); int t = s + 1; work(c, d, t);", 2, 1),
        ("int s = 0; last(a, s); work(c, d, x);", 1, 1),
        ("if (x > 3) work(a, b, x); else work(c, d, x);", 1, 1),  # one or the other
        ("for (int k = 0; k < 4; k++) { work(a, b, x); work(c, d, x); }", 4, 2),
    ],
)
def test_calls_run_beside_one_another(body: str, calls: int, blocks: int) -> None:
    found = closed(f"{WORK}{HEAD} {body} }}")
    assert found.latency_cycles is not None
    assert calls * ROUNDS <= found.latency_cycles < calls * (ROUNDS + 10)
    assert found.dsp == 3 * blocks


def test_blocks_beside_one_another_lend_no_cores() -> None:
    """Of 2022.1 the caller lends its cores to those it calls one after another."""
    code = f"{WORK}{HEAD} work(a, b, x); work(%s, d, x); }}"
    assert closed(code % "c", version="2022.1").dsp == 6
    assert closed(code % "b", version="2022.1").dsp == 3


def test_calls_that_share_a_state_keep_their_order() -> None:
    found = closed(f"{WORK}{HEAD} counted(a, b); counted(c, d); }}")
    assert found.latency_cycles is not None
    assert found.latency_cycles >= 2 * ROUNDS


def test_calls_that_share_a_bus_keep_their_order() -> None:
    code = f"{WORK}{HEAD}\n#pragma HLS INTERFACE m_axi port=a bundle=%s\n#pragma HLS INTERFACE m_axi port=c bundle=%s\n"
    one, two = (closed(f"{code % names} work(a, b, x); work(c, d, x); }}") for names in (("g", "g"), ("g", "h")))
    assert one.latency_cycles is not None
    assert two.latency_cycles is not None
    assert two.latency_cycles + ROUNDS <= one.latency_cycles


@pytest.mark.parametrize(("partitioned", "calls", "blocks"), [("a b", 1, 4), ("a", 4, 1), ("", 4, 1)])
def test_copies_of_a_call_run_at_once_where_each_has_a_memory(partitioned: str, calls: int, blocks: int) -> None:
    """Four rows: in memories of their own they are worked on at once, else one block takes turns."""
    pragmas = "".join(f"#pragma HLS ARRAY_PARTITION variable={name} dim=1\n" for name in partitioned.split())
    loop = "for (int k = 0; k < 4; k++) {\n#pragma HLS UNROLL\nwork(a[k], b[k], x); }"
    found = closed(f"{WORK}void top(int a[4][64], int b[4][64], int x) {{\n{pragmas}{loop} }}")
    assert found.latency_cycles is not None
    assert calls * ROUNDS <= found.latency_cycles < calls * (ROUNDS + 10)
    assert found.dsp == 3 * blocks
