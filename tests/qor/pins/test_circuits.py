"""Recurrences as circuits of a dependence graph: II = latency over distance, rounded up (Rau 1994), derived by hand.

At 3.33 ns on UltraScale+: float add 4, mul 3, div 11; double add and mul 6; a 32-bit integer product 2, sums and
selections of integers less than one. Through a memory: load 2, store 1; what the very next round finds is forwarded,
so that neither counts. A quarter of a cycle is forgiven at each step from one round to the next.
"""

from __future__ import annotations

import pytest

from .kit import closed, loops
from .loops_kit import Pin, hold, pipeline


def bound_of(code: str, **settings: object) -> tuple[int | None, bool, str]:
    """II of the only loop, whether that is a guess, and the way round."""
    (loop,) = loops(closed(code, **settings)).values()  # type: ignore[arg-type]
    return loop.ii, loop.bound.guess, str(loop.bound.circuit or "")


def filter_of(statement: str, kind: str = "float") -> str:
    return f"""
void top(const {kind} a[100], {kind} out[100]) {{
  {kind} x = 1, y = 2, z = 3, w = 4;
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline II=1
    {statement}
    out[i] = x + y;
  }}
}}"""


SCALARS = {
    # One round back: mul 3 + add 4.
    "x = a[i] + 0.5f * x;": 7,
    # The same value two, three, four, seven rounds back: ceil(7 / 2), ceil(7 / 3), ceil(7 / 4), ceil(7 / 7).
    "float t = a[i] + 0.5f * y; y = x; x = t;": 4,
    "float t = a[i] + 0.5f * z; z = y; y = x; x = t;": 3,
    "float t = a[i] + 0.5f * w; w = z; z = y; y = x; x = t;": 2,
    # Second order, summed from left to right: the younger value passes a product and two sums, 3 + 4 + 4.
    "float t = a[i] + 0.5f * x + 0.25f * y; y = x; x = t;": 11,
    # The other way about: 3 + 4 for the younger, ceil((3 + 4 + 4) / 2) = 6 for the older.
    "float t = a[i] + 0.25f * y + 0.5f * x; y = x; x = t;": 7,
    # Only the older one is scaled: the younger passes one sum, the older 3 + 4 + 4 in two rounds: ceil(11 / 2).
    "float t = (a[i] + 0.25f * y) + x; y = x; x = t;": 6,
    # Two that feed each other: (4 + 4) / 2; (11 + 4) / 2 = 7.5.
    "float t = x; x = y + a[i]; y = t + a[i];": 4,
    "float t = x; x = y / a[i]; y = t + a[i];": 8,
    # Three in a ring: ceil((4 + 3 + 4) / 3), and ceil((11 + 3 + 4) / 3) = 6.
    "float t = x; x = y + a[i]; y = z * 0.5f; z = t - a[i];": 4,
    "float t = x; x = y / a[i]; y = z * 0.5f; z = t - a[i];": 6,
    # Two circuits that share x: 4 by itself, ceil((4 + 3) / 2) = 4 with y; the larger counts.
    "float t = x; x = x + y; y = t * 0.5f;": 4,
    # y is set before it is read: nothing comes from the last round but x.
    "y = a[i] * 2.5f; x = x + y;": 4,
    # A chain that nothing leads back from.
    "y = x * 2.5f; x = a[i] + 1.5f;": 1,
    # Handed on without a change: never bound.
    "float t = x; x = y; y = z; z = t;": 1,
    # Under a condition: what is kept otherwise takes a selection more, which is forgiven.
    "if (a[i] > 0.5f) { float t = a[i] + 0.5f * y; y = x; x = t; }": 4,
    # Each way of the branch has a product or a sum: the longer one, 4, over one round.
    "if (a[i] > 0.5f) x = x * 0.5f; else x = x + a[i];": 4,
}


@pytest.mark.parametrize("statement", SCALARS)
def test_circuits_of_scalars(statement: str) -> None:
    assert bound_of(filter_of(statement))[0] == SCALARS[statement]


@pytest.mark.parametrize(
    ("kind", "statement", "right"),
    [
        # double: ceil((6 + 6) / 2), and in three rounds ceil(12 / 3).
        ("double", "double t = a[i] + 0.5 * y; y = x; x = t;", 6),
        ("double", "double t = a[i] + 0.5 * z; z = y; y = x; x = t;", 4),
        # integers: ceil(2 / 2); two products ceil(4 / 2); one round, product and sum 2 + 0.44: 3.
        ("int", "int t = a[i] * y; y = x; x = t;", 1), ("int", "int t = a[i] * y * 7919; y = x; x = t;", 2),
        ("int", "x = a[i] * x + i;", 3),
    ],
)  # fmt: skip
def test_circuits_of_other_types(kind: str, statement: str, right: int) -> None:
    assert bound_of(filter_of(statement, kind))[0] == right


def test_a_filter_takes_its_rounds_times_the_interval() -> None:
    """1,024 rounds of a value that comes back two rounds later: 1,023 x 4 cycles, and the last one's way through."""
    code = """
void top(const float samples[1024], float smooth[1024]) {
  float last = 0, before_last = 0;
  F: for (int n = 0; n < 1024; n++) {
#pragma HLS PIPELINE II=1
    float now = samples[n] + 0.5f * before_last;
    before_last = last;
    last = now;
    smooth[n] = now;
  }
}"""
    (loop,) = loops(closed(code)).values()
    # States: mul 4, add 7, store 1: the load of the sample is over before the product.
    assert (loop.ii, loop.cycles) == (4, pipeline(1024, 4, 4 + 7 + 1))
    assert str(loop.bound.circuit) == "last -> before_last -> fmul (3 cycles) -> fadd (4 cycles) -> last, distance 2"


def arrays(body: str, head: str = "int i = 8; i < 100; i++", pragma: str = "") -> str:
    return f"""
void top(float y[200], float b[200], const float a[200], const int k[200], const int m[200], int s) {{
  int n = 20;
  L: for ({head}) {{
#pragma HLS pipeline
{pragma}
    {body}
  }}
}}"""


ARRAYS = {
    # Two arrays, each from the other's last element, both forwarded: 4 + 3 over two rounds.
    "y[i] = b[i - 1] + a[i]; b[i] = y[i - 1] * 0.5f;": (4, False),
    # Two back into y, one back into b: 2 + 4 + 3 + 1 over three rounds: the forwarded load is not waited for.
    "y[i] = b[i - 2] + a[i]; b[i] = y[i - 1] * 0.5f;": (4, False),
    # Two back both ways: 2 + 4 + 1 + 2 + 3 + 1 = 13 over four.
    "y[i] = b[i - 2] + a[i]; b[i] = y[i - 2] * 0.5f;": (4, False),
    # What the same round has just stored is at hand: add 4 and mul 3, one round.
    "y[i] = b[i - 1] + a[i]; b[i] = y[i] * 0.5f;": (7, False),
    # Subscripts that are looked up, other ones on either side: the next round may ask for it, 2 + 4 + 1.
    "y[k[i]] = y[m[i]] + a[i];": (7, True),
    # Even elements from odd ones, whatever the steps are: 2 i and 4 j + 1 never meet.
    "y[2 * i] = y[4 * i + 1] + a[i];": (1, False),
    # Even ones from multiples of three meet somewhere: nobody knows when, so the next round.
    "y[2 * (i - 8)] = y[3 * (i - 8)] + a[i];": (7, True),
    # An element before the first that is written, and one behind the last.
    "y[i] = y[3] + a[i];": (1, False),
    "y[i] = y[150] + a[i];": (1, False),
    # One in the middle is written in some round.
    "y[i] = y[50] + a[i];": (7, True),
    # Counted by hand: three back, ceil((7 - 0.25) / 3); two steps a round, four apart: two rounds.
    "y[n] = y[n - 3] + a[i]; n++;": (3, False),
    "y[n] = y[n - 4] + a[i]; n += 2;": (4, False),
    "n = n + 2; y[n] = y[n - 3] + a[i];": (1, False),
    # Through a scalar that nobody changes.
    "y[i + s] = y[i + s - 2] + a[i];": (4, False),
    # Chasing a list: the data is the next address, 2.
    "n = k[n]; y[i] = a[n];": (2, False),
    # The address hangs on what was stored: 2 + 2 cycles of loads, and nothing else.
    "n = k[m[n]]; y[i] = a[n];": (4, False),
}


@pytest.mark.parametrize("body", ARRAYS)
def test_circuits_through_arrays(body: str) -> None:
    assert bound_of(arrays(body))[:2] == ARRAYS[body]


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ("variable=y inter false", 1), ("variable=y type=inter direction=RAW distance=2 dependent=true", 4),
        ("class=array inter false", 1), ("variable=y type=inter distance=7 dependent=true", 1),
        # Of other orders, other classes, other arrays, the same round: nothing about this circuit.
        ("variable=y type=inter direction=WAR dependent=false", 7), ("class=pointer inter false", 7),
        ("variable=b inter false", 7), ("variable=y intra false", 7),
    ],
)  # fmt: skip
def test_what_dependence_states(options: str, right: int) -> None:
    """UG1399, pragma HLS dependence; a circuit of 2 + 4 + 1."""
    code = arrays("y[k[i]] = y[m[i]] + a[i];", pragma=f"#pragma HLS dependence {options}")
    assert bound_of(code)[0] == right


@pytest.mark.parametrize(
    ("body", "right"),
    [
        # Addresses put together by hand: one back, 4; a row of 3 back, ceil(6.75 / 3); a row of 10 back, 1.
        ("y[3 * i + j] = y[3 * i + j - 1] + 1.5f;", 4), ("y[3 * i + j] = y[3 * i + j - 3] + 1.5f;", 3),
        # Two levels in one subscript: the soonest of all the ways to get there, one step of the inner one.
        ("y[i + j] = y[i + j - 1] + 1.5f;", 4),
        # No j: what the last round of a row has left is found by the first of the next.
        ("y[i] = y[i - 1] + 1.5f;", 4),
        # Each element is summed up in three rounds one after the other.
        ("y[i] = y[i] + a[j];", 4),
        # Each column every third round: ceil(4 / 3), forwarded.
        ("y[j] = y[j] + a[i];", 2),
    ],
)  # fmt: skip
def test_nests(body: str, right: int) -> None:
    code = f"""
void top(float y[200], const float a[200]) {{
  O: for (int i = 3; i < 40; i++)
    L: for (int j = 0; j < 3; j++) {{
#pragma HLS pipeline
      {body}
    }}
}}"""
    assert bound_of(code)[0] == right


@pytest.mark.parametrize(
    ("before", "body", "right"),
    [
        # One back, forwarded; two and three back through the memory.
        ("float *p = y + 8;", "*p = *(p - 1) + a[i]; p++;", 4), ("float *p = y + 8;", "*p = p[-2] + a[i]; p++;", 4),
        ("float *p = &y[8];", "*p = *(p - 3) + a[i]; p++;", 3),
        # Two steps a round: four elements are two rounds; three are never met.
        ("float *p = &y[8];", "p += 2; *p = p[-4] + a[i];", 4), ("float *p = &y[8];", "p += 2; *p = p[-3] + a[i];", 1),
        # Down: what lies above was written before.
        ("float *p = &y[108];", "*p = p[2] + a[i]; p--;", 4), ("float *p = &y[108];", "*p = p[-2] + a[i]; p--;", 1),
        # A pointer that stays where it is: the same element, kept in a register.
        ("float *p = &y[5];", "*p += a[i];", 4),
        # Two pointers side by side through two arrays.
        ("float *p = y; const float *q = a;", "*p++ = *q++ + 1.5f;", 1),
    ],
)  # fmt: skip
def test_pointers_that_walk(before: str, body: str, right: int) -> None:
    code = f"""
void top(float y[200], const float a[200]) {{
  {before}
  L: for (int i = 0; i < 40; i++) {{
#pragma HLS pipeline
    {body}
  }}
}}"""
    assert bound_of(code)[0] == right


def test_reads_of_a_pointer_that_walks_take_the_ports_of_its_array() -> None:
    """Eight of one array and eight of another a round, two ports each: II 4, 15 x 4 and one round's way through."""
    code = """
void top(const int left[512], const int right[64], int out[16]) {
  const int *l = &left[0];
  R: for (int row = 0; row < 16; row++) {
#pragma HLS PIPELINE
    const int *r = &right[0];
    int sum = 0;
    for (int k = 0; k < 8; k++) sum += *l++ * *r++;
    out[row] = sum;
  }
}"""
    (loop,) = loops(closed(code)).values()
    assert (loop.ii, loop.trips, loop.bound.by.startswith("memory ports")) == (4, 16, True)
    assert loop.cycles >= 15 * 4 + 4


STATE = {
    # Kept by a function that is called: 4; a value two calls old: ceil(7 / 2).
    "y[i] = kept(a[i]);": 4,
    "y[i] = delayed(a[i]);": 4,
    # Given by reference, by address, as a field, or global.
    "add_to(s, a[i]);": 4,
    "add_at(&s, a[i]);": 4,
    "t.sum += a[i];": 4,
    "into_field(t, a[i]);": 4,
    "into_global(a[i]);": 4,
    # Fields of one struct that feed each other in two rounds: ceil(7 / 2).
    "float u = a[i] + 0.5f * t.other; t.other = t.sum; t.sum = u;": 4,
    # Another field than the one that is set.
    "t.sum = t.other + a[i];": 1,
    # A reference that is only read.
    "y[i] = only_reads(s, a[i]);": 1,
}


@pytest.mark.parametrize("body", STATE)
def test_state_behind_calls_and_in_structs(body: str) -> None:
    code = f"""
struct T {{ float sum; float other; }};
float g;
float kept(float v) {{ static float sum = 0; sum += v; return sum; }}
float delayed(float v) {{ static float one, two; float n = v + 0.5f * two; two = one; one = n; return n; }}
void add_to(float &sum, float v) {{ sum += v; }}
void add_at(float *sum, float v) {{ *sum += v; }}
void into_field(T &t, float v) {{ t.sum = t.sum + v; }}
void into_global(float v) {{ g += v; }}
float only_reads(float &sum, float v) {{ return sum + v; }}
void top(const float a[100], float y[100], float *last) {{
  float s = 0; T t; t.sum = 0; t.other = 0;
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {body}
  }}
  *last = s + t.sum + t.other + g;
}}"""
    assert bound_of(code)[0] == STATE[body]


@pytest.mark.parametrize(
    ("kind", "outer", "statement", "unsafe", "right"),
    [
        # Sums of one element, a tree with the old value as a leaf: of 4 leaves 2 levels, of 6 leaves 3, of 4 cycles,
        # 6 of doubles; where the order is free, the old value enters at the root.
        ("float", 3, "s[j] += x[t] * b[i];", False, 8), ("float", 5, "s[j] += x[t] * b[i];", False, 12),
        ("double", 3, "s[j] += x[t] * b[i];", False, 12), ("float", 5, "s[j] += x[t] * b[i];", True, 4),
        # What is added may be the same each time: it is added as often.
        ("float", 3, "s[j] += x[t];", False, 8),
        # Integers are summed up in a tree.
        ("int", 3, "s[j] += x[t] * b[i];", False, 1),
    ],
)  # fmt: skip
def test_sums_in_two_unrolled_loops(kind: str, outer: int, statement: str, unsafe: bool, right: int) -> None:
    code = f"""
void top(const {kind} x[100], const {kind} b[8], {kind} out[8]) {{
  {kind} s[8];
#pragma HLS array_partition variable=s complete
#pragma HLS array_partition variable=b complete
  T: for (int t = 0; t < 100; t++) {{
#pragma HLS pipeline
    for (int i = 0; i < {outer}; i++) for (int j = 0; j < 8; j++) {statement}
  }}
  C: for (int j = 0; j < 8; j++) {{
#pragma HLS unroll
    out[j] = s[j];
  }}
}}"""
    found = closed(code, unsafe_math=unsafe)
    assert loops(found)["T"].ii == right


@pytest.mark.parametrize(
    ("body", "way"),
    [
        ("y[5] += a[i];", "y -> fadd (4 cycles) -> y, distance 1"),
        ("y[i] = y[i - 2] + a[i];", "y -> load (2 cycles) -> fadd (4 cycles) -> store (1 cycle) -> y, distance 2"),
        ("y[i] = b[i - 1] + a[i]; b[i] = y[i] * 0.5f;", "b -> fadd (4 cycles) -> fmul (3 cycles) -> b, distance 1"),
        ("y[i] = a[i];", ""),
    ],
)  # fmt: skip
def test_the_way_round_is_told(body: str, way: str) -> None:
    assert bound_of(arrays(body))[2] == way


def test_steps_know_where_they_are_declared() -> None:
    code = """void top(float a[100], float *q) {
  float acc = 0;
  for (int i = 0; i < 100; i++) acc += a[i];
  *q = acc;
}"""
    (loop,) = loops(closed(code)).values()
    assert loop.bound.circuit is not None
    first, operation, last = loop.bound.circuit.steps
    assert (first.name, first.path, first.span.start_line) == ("acc", "k.cpp", 1)  # type: ignore[union-attr]
    assert (operation.name, operation.cycles, last.name) == ("fadd", 4.0, "acc")
    assert (loop.bound.by, loop.bound.circuit.latency, loop.bound.circuit.distance) == ("recurrence through acc", 4, 1)


def test_a_dependence_on_a_scalar_is_no_way_out() -> None:
    """UG1399: the pragma speaks of arrays and pointers; a sum of floats waits for itself all the same."""
    code = """
void top(const float a[64], float *total) {
  float t = 0;
  S: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE
#pragma HLS DEPENDENCE variable=t inter false
    t += a[i];
  }
  *total = t;
}"""
    # Load 2, the sum 7, and the state in which a register takes it over.
    hold(Pin("", code, {"S": (4, 64, pipeline(64, 4, 2 + 7 + 1))}))
