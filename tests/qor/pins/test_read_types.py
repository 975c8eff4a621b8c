"""How wide what is written is: types of C++ and of the HLS headers, through names, templates, structs and literals.

A product of two values becomes one multiplier of the wider operand's type, so that the cores of a loop tell how its
operands were read. Widths are those of UG1399 and of the LP64 model that Vitis HLS compiles for.
"""

from __future__ import annotations

import pytest

from .kit import closed, cores


def product(kind: str, before: str = "", *, other: str = "", body: str = "b[i] = a[i] * c[i];") -> list[str]:
    """Multipliers of a loop over arrays of a type, as "mul int32"."""
    code = f"""
#include <ap_int.h>
#include <ap_fixed.h>
#include <hls_vector.h>
{before}
void top({kind} a[100], {kind} b[100], {other or kind} c[100]) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {body}
  }}
}}"""
    return sorted(name for name in cores(closed(code)) if name.startswith("mul"))


TYPES = {
    "char": "int8", "signed char": "int8", "unsigned char": "uint8", "short": "int16", "unsigned short": "uint16",
    "short int": "int16", "int": "int32", "unsigned": "uint32", "unsigned int": "uint32", "signed": "int32",
    "long": "int64", "unsigned long": "uint64", "long long": "int64", "long long int": "int64", "size_t": "uint64",
    "int8_t": "int8", "uint8_t": "uint8", "int16_t": "int16", "uint32_t": "uint32", "std::uint16_t": "uint16",
    "int_fast16_t": "int16", "uint_least8_t": "uint8", "uint24": "uint24", "const int": "int32",
    "volatile short": "int16", "float": "float32", "double": "double64", "long double": "double64", "half": "half16",
    "ap_int<12>": "int12", "ap_uint<23>": "uint23", "ap_int<7 + 4>": "int11", "ap_int<(1 << 5)>": "int32",
    "ap_fixed<16, 8>": "fixed16", "ap_ufixed<18, 3>": "ufixed18", "ap_fixed<24, 8, AP_RND, AP_SAT>": "fixed24",
    "ac_int<12, true>": "int12", "ac_int<12, false>": "uint12",
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_types(kind: str) -> None:
    assert product(kind) == [f"mul {TYPES[kind]}"]


NAMES = [
    ("typedef short sample;", "sample", "int16"),
    ("typedef unsigned char byte_t; typedef byte_t pixel;", "pixel", "uint8"),
    ("using sample = ap_int<14>;", "sample", "int14"),
    ("#define sample ap_int<15>", "sample", "int15"),
    ("#define W 9\ntypedef ap_uint<W> sample;", "sample", "uint9"),
    ("const int W = 13; typedef ap_int<W * 2> sample;", "sample", "int26"),
    ("constexpr int W = 13;", "ap_int<W + 1>", "int14"),
    ("enum { W = 21 };", "ap_int<W>", "int21"),
    ("struct config { static const int width = 17; };", "ap_int<config::width>", "int17"),
    ("struct config { typedef ap_int<19> data_t; };", "config::data_t", "int19"),
    ("namespace fir { typedef short tap; }", "fir::tap", "int16"),
    ("enum color { red, green };", "color", "int32"),
]


@pytest.mark.parametrize(("before", "kind", "right"), NAMES)
def test_names_of_types(before: str, kind: str, right: str) -> None:
    assert product(kind, before) == [f"mul {right}"]


def test_an_alias_template() -> None:
    assert product("word<22>", "template <int W> using word = ap_int<W>;") == ["mul int22"]


MIXED = [
    # Floating point wins; then the wider operand.
    ("float", "int", "float32"), ("float", "double", "double64"), ("int", "double", "double64"),
    ("half", "float", "float32"), ("short", "int", "int32"), ("ap_int<12>", "ap_int<20>", "int20"),
    ("int", "long", "int64"), ("ap_fixed<16, 8>", "ap_fixed<24, 8>", "fixed24"), ("int", "ap_int<48>", "int48"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "other", "right"), MIXED)
def test_mixed_operands(kind: str, other: str, right: str) -> None:
    assert product(kind, other=other) == [f"mul {right}"]
    assert product(other, other=kind) == [f"mul {right}"]


BODIES = [
    # Casts and locals give the width.
    ("int", "b[i] = (short)a[i] * (short)c[i];", ["mul int16"]),
    ("int", "b[i] = static_cast<char>(a[i]) * static_cast<short>(c[i]);", ["mul int16"]),
    ("int", "short t = a[i], u = c[i]; b[i] = t * u;", ["mul int16"]),
    ("int", "auto t = (ap_int<20>)a[i]; b[i] = t * (ap_int<20>)c[i];", ["mul int20"]),
    ("int", "b[i] = ap_uint<12>(a[i]) * ap_uint<12>(c[i]);", ["mul uint12"]),
    # A literal of floating point is float with an f, else double.
    ("float", "b[i] = a[i] * 1.7f;", ["mul float32"]),
    ("float", "b[i] = a[i] * 1.7;", ["mul double64"]),
    # A power of two is a shift, two constants are folded: no multiplier.
    ("int", "b[i] = a[i] * 8;", []),
    ("int", "b[i] = a[i] * (1 << 4);", []),
    ("int", "b[i] = a[i] + 12 * 34;", []),
    ("float", "b[i] = a[i] * 8.0f;", ["mul float32"]),
    # Addresses are no multipliers.
    ("int", "b[i] = a[5 * i % 100];", []),
    # Division and square root are cores of their own.
    ("float", "b[i] = sqrtf(a[i]) / c[i];", []),
    # A compound assignment is an operation.
    ("int", "b[i] = a[i]; b[i] *= c[i];", ["mul int32"]),
]


@pytest.mark.parametrize(("kind", "body", "right"), BODIES)
def test_expressions(kind: str, body: str, right: list[str]) -> None:
    assert product(kind, body=body) == right


def test_a_small_factor_is_a_sum_of_shifts() -> None:
    """7 x is 8 x - x: one subtraction."""
    assert product("int", body="b[i] = a[i] * 7;") == []


def test_a_long_literal() -> None:
    """An int and a constant of 40 bits, low 32 bits kept; in a long 64."""
    assert product("int", body="b[i] = a[i] * 1000000000000l;") == ["mul int40"]


STRUCTS = [
    ("struct pair { short re; int im; };", "b[i].re = a[i].re * c[i].re;", ["mul int16"]),
    ("struct pair { short re; int im; };", "b[i].im = a[i].im * c[i].im;", ["mul int32"]),
    ("struct base { double x; }; struct pair : base { short re; };", "b[i].re = a[i].re * c[i].re;", ["mul int16"]),
    ("typedef struct { float v[4]; ap_int<11> k; } pair;", "b[i].v[1] = a[i].v[2] * c[i].v[3];", ["mul float32"]),
    ("typedef struct { float v[4]; ap_int<11> k; } pair;", "b[i].k = a[i].k * c[i].k;", ["mul int11"]),
    ("struct in { ap_int<9> w; }; struct pair { in n; };", "b[i].n.w = a[i].n.w * c[i].n.w;", ["mul int9"]),
]


@pytest.mark.parametrize(("before", "body", "right"), STRUCTS)
def test_fields(before: str, body: str, right: list[str]) -> None:
    assert product("pair", before, body=body) == right


# Arguments of 16 bits: what a wider parameter adds is copies of the sign, which the tool does not multiply.
FUNCTIONS = [
    ("int mul(int x, int y) { return x * y; }", "b[i] = mul(a[i], c[i]);", ["mul int16"]),
    ("template <typename T> T mul(T x, T y) { return x * y; }", "b[i] = mul(a[i], c[i]);", ["mul int16"]),
    ("template <typename T> T mul(T x, T y) { return x * y; }", "b[i] = mul<short>(a[i], c[i]);", ["mul int16"]),
    ("#define MUL(x, y) ((x) * (char)(y))", "b[i] = MUL(a[i], c[i]);", ["mul int16"]),
    ("struct unit { int mul(int x, int y) { return x * y; } };", "unit u; b[i] = u.mul(a[i], c[i]);", ["mul int16"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "body", "right"), FUNCTIONS)
def test_functions(before: str, body: str, right: list[str]) -> None:
    assert product("short", before, body=body) == right


@pytest.mark.parametrize(
    "function",
    ["int mul(ap_int<13> x, ap_int<13> y) { return x * y; }",
     "template <int W> int mul(ap_int<W> x, ap_int<W> y) { return x * y; }"],
)  # fmt: skip
def test_parameters_narrower_than_what_is_given(function: str) -> None:
    call = "mul<13>" if "template" in function else "mul"
    assert product("short", function, body=f"b[i] = {call}(a[i], c[i]);") == ["mul int13"]


def test_lanes_of_a_vector_have_a_core_each() -> None:
    """hls::vector<float, 4>: four multipliers of 3 DSP."""
    code = """
#include <hls_vector.h>
typedef hls::vector<float, {lanes}> quad;
void top(quad a[100], quad b[100]) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    b[i] = a[i] * a[i];
  }}
}}"""
    assert closed(code.format(lanes=4)).dsp == 12
    assert closed(code.format(lanes=16)).dsp == 48


# -- extents and sizes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "extent", "elements"),
    [
        ("", "512", 512), ("#define N 64", "N * N", 4096), ("const int N = 40;", "N + 2", 42),
        ("template <int A> struct size { };", "1 << 10", 1024), ("enum { N = 300 };", "N", 300),
        ("typedef int row[32];", "sizeof(row) / sizeof(int)", 32),
    ],
)  # fmt: skip
def test_extents_of_arrays(before: str, extent: str, elements: int) -> None:
    """An element a cycle through memcpy: as many cycles as elements, and 2 to start and end, less the first state."""
    code = f"{before}\nvoid top(int a[{extent}], int b[{extent}]) {{ memcpy(b, a, sizeof(int) * ({extent})); }}"
    assert closed(code).latency_cycles == elements + 2 - 1


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        # System V ABI: members at multiples of their alignment, the whole a multiple of the strictest.
        ("struct t { char a; };", 1), ("struct t { char a; short b; };", 4), ("struct t { short a; char b; };", 4),
        ("struct t { char a; int b; char c; };", 12), ("struct t { int a; double b; };", 16),
        ("struct t { char a[5]; };", 5), ("struct t { char a[5]; int b; };", 12),
        ("struct t { int *a; char b; };", 16),
        # Arbitrary widths: the next power of two bytes up to 8, then multiples of 8.
        ("typedef ap_int<3> t;", 1), ("typedef ap_int<9> t;", 2), ("typedef ap_int<17> t;", 4),
        ("typedef ap_uint<33> t;", 8), ("typedef ap_uint<65> t;", 16), ("typedef ap_uint<129> t;", 24),
        ("typedef bool t;", 1), ("typedef float t;", 4), ("typedef double t;", 8), ("typedef int t[10];", 40),
    ],
)  # fmt: skip
def test_sizeof(kind: str, size: int) -> None:
    code = f"{kind}\nvoid top(int a[100]) {{ L: for (int i = 0; i < sizeof(t); i++) {{ a[i] = 1; }} }}"
    found = closed(code, pipeline_loops=0)
    assert found.top.loops[0].trips == size
