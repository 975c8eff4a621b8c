"""What real code does and small examples do not: each answer is derived by hand, or from reports of data/qor."""

from __future__ import annotations

import pytest

from hwml_sdk import predict_qor

BODY = "{\n#pragma HLS PIPELINE\n  a[i] = i; } }"
BOUNDS = {
    "an enumeration that counts on its own names": (
        "enum class Size : int { SMALL = 8, BIG = SMALL * 4 };", "static_cast<int>(Size::BIG)", 32),
    "a static constant, named through an object": ("struct cfg { static const int n = 20; int x; };", "c.n", 20),
    "one of a base class": ("struct base { static const int n = 21; }; struct cfg : base { int x; };", "c.n", 21),
    "a function that is called as a vendor's type": (
        "constexpr int half(int n) { return n > 1 ? 1 + half(n / 2) : 0; }", "half(64)", 6),
    "a power of what such a function gives": (
        "constexpr int half(int n) { return n > 1 ? 1 + half(n / 2) : 0; }", "(1 << half(64))", 64),
    "a function with a loop": ("constexpr int lg(int n) { int r = 0; while (n > 1) { n >>= 1; r++; } return r; }",
                               "lg(128)", 7),
}  # fmt: skip
HEADS = {
    "for (int i = 0, j = 63; i < j; i++, j--)": 32,
    "for (int i = 0, j = 63; j > i; i++, j--)": 32,
    "for (int i = 0, j = 62; i <= j; i++, j--)": 32,
    "for (int i = 0, j = 60; i < j; i += 2, j--)": 20,
    "for (int i = 9, j = 0; i != j; i--, j += 2)": 3,
    "for (int i = 0, j = 10; j < 20; i += 3, j++)": 10,
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_is_read(name: str) -> None:
    before, bound, rounds = BOUNDS[name]
    local = "cfg c;" if "c.n" in bound else ""
    text = f"{before}\nvoid f(int a[256]) {{ {local} for (int i = 0; i < {bound}; i++) {BODY}"
    assert predict_qor(text, top="f").loops[0].trip_count == rounds


@pytest.mark.parametrize("head", HEADS)
def test_two_counters_that_meet(head: str) -> None:
    assert predict_qor(f"void f(int a[256]) {{ {head} {BODY}", top="f").loops[0].trip_count == HEADS[head]


@pytest.mark.parametrize("head", ["for (int i = 0, j = n; i < j; i++, j--)", "for (int i = 0, j = 9; i < j; i++, j++)"])
def test_two_counters_of_which_nobody_knows_when_they_meet(head: str) -> None:
    found = predict_qor(f"void f(int a[256], int n) {{ {head} {BODY}", top="f")
    assert found.loops[0].trip_count is None and found.latency_cycles is None


FILL = """void f(int out[64]) {{
  {declared}
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    {use}
  }}
}}
"""


def _cycles(declared: str, use: str = "t[i] += i; out[i] = t[63 - i];") -> float:
    found = predict_qor(FILL.format(declared=declared, use=use), top="f").latency_cycles
    assert found is not None
    return found


@pytest.mark.parametrize("value", ["{0}", "{}", "{0, 0}"])
def test_a_local_array_that_is_set_to_zero_takes_a_round_an_element(value: str) -> None:
    """Eight reports of ForgeHLS' kernels in data/qor (sram_cell_4bit, iir_filter, xgboost, ...) say so to 5 cycles."""
    assert _cycles(f"int t[64] = {value};") - _cycles("int t[64];") == pytest.approx(64, abs=4)


def test_fields_of_zeros_count_all_their_elements() -> None:
    use = "t[i >> 3][i & 7] += i; out[i] = t[7][i & 7];"
    filled, plain = _cycles("int t[8][8] = {{0}};", use), _cycles("int t[8][8];", use)
    assert filled - plain == pytest.approx(64, abs=4)


@pytest.mark.parametrize(
    "declared",
    [
        "static int t[64] = {0};",
        "int t[64] = {0};\n#pragma HLS ARRAY_PARTITION variable=t complete",
    ],
)
def test_what_has_its_values_from_the_start_takes_no_cycles(declared: str) -> None:
    assert _cycles(declared) == pytest.approx(_cycles(declared.replace(" = {0}", "")), abs=1)


def test_a_table_that_nothing_writes_is_a_memory_with_its_values() -> None:
    assert _cycles("int t[64] = {0};", "out[i] = t[i];") == pytest.approx(
        _cycles("int t[64];", "out[i] = t[i];"), abs=1
    )


COMPLEX = """#include <complex>
void f(std::complex<float> a[32], std::complex<float> b[32], std::complex<float> c[32]) {{
  for (int i = 0; i < 32; i++) {{
#pragma HLS PIPELINE
    c[i] = a[i] {op} b[i];
  }}
}}
"""


def test_products_of_complex_numbers_are_four_products_and_two_sums() -> None:
    """(a + bi)(c + di); a float product takes 3 DSP and a sum 2 (UG1399, floating-point cores)."""
    assert predict_qor(COMPLEX.format(op="*"), top="f").closed_form["dsp"] == pytest.approx(4 * 3 + 2 * 2)
    assert predict_qor(COMPLEX.format(op="+"), top="f").closed_form["dsp"] == pytest.approx(2 * 2)
    assert predict_qor(COMPLEX.format(op="/"), top="f").dsp is None


def test_a_shift_by_the_counter_of_copies_is_wiring() -> None:
    """Each copy shifts by a constant: of 32 copies the sums of bits are left, not 64 shifters of 32 bits.

    An `or` of 32 bits has 32 LUTs in reports.
    """
    text = """unsigned f(unsigned x) {
  unsigned r = 0;
  for (int i = 0; i < 32; i++) {
#pragma HLS UNROLL
    r |= ((x >> i) & 1) << (31 - i);
  }
  return r;
}
"""
    lut = predict_qor(text, top="f").closed_form["lut"]
    assert lut is not None and lut <= 32 * 32
    shifters = predict_qor(text.replace("x >> i", "x >> (x & i)"), top="f").closed_form["lut"]
    assert shifters is not None and shifters > lut + 32 * 32


def test_a_template_is_chosen_by_the_classes_of_its_parameters() -> None:
    text = """template <int N> struct big { int d[N]; };
template <int N> void run(big<4> &a) {
  for (int i = 0; i < 4; i++) a.d[i]++;
}
template <int N> void run(big<N> &a) {
  for (int i = 0; i < N; i++) a.d[i]++;
}
void f(int x[64], int y[64]) {
  big<64> a;
  for (int i = 0; i < 64; i++) a.d[i] = x[i];
  run<64>(a);
  for (int i = 0; i < 64; i++) y[i] = a.d[i];
}
"""
    assert 64 in {loop.trip_count for loop in predict_qor(text, top="f").loops if "run" in loop.function}
