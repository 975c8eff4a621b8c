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


MORE = """void point(int in[64], int *out) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) *out += in[i];
}
int total;
void to_all(int in[64]) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) total += in[i];
}
struct Twice {
  int m[64];
  void more() { for (int i = 0; i < 64; i++) m[i] = m[i] * 3; }
  void less() { for (int i = 0; i < 64; i++) m[i] = m[i] * 5; }
  void both() { more(); less(); }
};
struct Named { int *p; };
void through(Named n, int x) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) n.p[i] = n.p[i] * x;
}
struct Pair { int x; };
"""


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ("Twice t; t.both(); b[0] = t.m[0];", 2),  # both use the object they belong to
        ("int r = 1; int *p = &r; point(a, p); work(c, d, r);", 2),
        ("int r = 1; int &p = r; last(a, p); work(c, d, r);", 2),
        ("int r = 0; int &p = r; last(a, p); last(c, r); b[0] = r;", 2),
        ("Pair r; r.x = 1; last(a, r.x); int q = r.x; work(c, d, q);", 2),
        ("b[0] = total; to_all(a); int q = total; work(c, d, q);", 2),
        ("Named n; n.p = a; through(n, x); through(n, x);", 2),
        ("int *p = x ? a : b; work(a, c, x); work(p, d, x);", 2),
    ],
)
def test_what_may_lead_to_one_place_keeps_its_order(body: str, calls: int) -> None:
    found = closed(f"{WORK}{MORE}{HEAD} {body} }}")
    assert found.latency_cycles is not None
    assert calls * ROUNDS <= found.latency_cycles < calls * (ROUNDS + 12)


@pytest.mark.parametrize("calls", ["long_one(e); once(a); once(a);", "once(a); once(a); long_one(e);"])
def test_the_order_of_calls_that_share_nothing_changes_nothing(calls: str) -> None:
    """A block of 1,000 rounds and two of 64 behind one another: the two are one block, done long before."""
    code = """
void once(int m[64]) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) m[i] = m[i] * m[i];
}
void long_one(int m[1000]) {
#pragma HLS INLINE off
  for (int i = 0; i < 1000; i++) m[i] = m[i] + 1;
}
"""
    found = closed(f"{code}void top(int a[64], int e[1000]) {{ {calls} }}")
    assert found.latency_cycles is not None
    assert 1000 <= found.latency_cycles < 1010
    assert found.dsp == 3


@pytest.mark.parametrize(
    "body",
    [
        "for (int k = 0; k < 4; k++) {\n#pragma HLS UNROLL\nwork(a[k], a[k + 1], x); }",  # a chain
        "for (int k = 0; k < 4; k++) {\n#pragma HLS UNROLL\nwork(a[0], a[k], x); }",
        "for (int k = 0; k < 4; k++) {\n#pragma HLS UNROLL\nonce(a[k], x); x = a[k][3]; }",
        "for (int k = 0; k < 4; k++) {\n#pragma HLS UNROLL\nonce(a[k + 1], a[k][3]); }",
        "for (int k = 0; k < 2; k++) {\n#pragma HLS UNROLL\nfor (int j = 0; j < 2; j++) {\n#pragma HLS UNROLL\n"
        "once(a[k + j], x); } }",
    ],
)
def test_copies_that_may_meet_take_turns(body: str) -> None:
    once = """void once(int m[64], int x) {
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) m[i] = m[i] * x;
}
"""
    head = "void top(int a[8][64], int x) {\n#pragma HLS ARRAY_PARTITION variable=a complete dim=1\n"
    found = closed(f"{WORK}{once}{head}{body} }}")
    assert found.latency_cycles is not None
    assert found.latency_cycles >= 4 * ROUNDS


@pytest.mark.parametrize("body", ["total = 1; to_all(a);", "int *p = &total; point(a, p);"])
def test_what_a_block_changed_is_no_constant_any_more(body: str) -> None:
    assert closed(f"{WORK}{MORE}{HEAD} {body} b[0] = b[1] * total; }}").dsp == 3
