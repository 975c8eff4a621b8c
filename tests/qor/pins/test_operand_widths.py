"""Integer operators as wide as their operands: DSPs by tiles, constants as shifts and sums, masks and shifts as wiring.

DSP48E1 25 x 18 (UG479), DSP48E2 27 x 18 (UG579). Names of cores in csynth reports: `mul_8s_32s_32_2_1`,
`mul_32s_34ns_65_2_1` for a division by a constant, `mul_64s_64s_64_5_1` with 16 DSPs.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.tool.operators import operator

from .kit import ZYNQ, closed, cores

CODE = """#include <ap_int.h>
void top({one} p[2], {two} q[2], {result} *c) {{
#pragma HLS array_partition variable=p complete
#pragma HLS array_partition variable=q complete
  {one} a = p[0]; {two} b = q[0];
  *c = {expression};
}}"""


def dsp(expression: str, one: str, two: str = "", result: str = "", **settings: str) -> float:
    """DSPs of one expression over a and b."""
    code = CODE.format(one=one, two=two or one, result=result or one, expression=expression)
    return closed(code, **settings).dsp  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "two", "result", "ultra", "seven"),
    [
        # 32 bits are two parts of 26 or 24 bits; 8 and 16 bits fit the short side
        ("char", "int", "int", 2, 2),
        ("short", "int", "int", 2, 2),
        ("int", "int", "int", 3, 3),
        ("int", "int", "long long", 3, 3),  # the product of two ints is an int
        ("long long", "int", "int", 3, 3),  # low bits only
        ("short", "short", "int", 1, 1),
        ("char", "char", "short", 1, 1),
        ("ap_int<20>", "ap_int<18>", "ap_int<38>", 1, 1),
        ("ap_int<26>", "ap_int<18>", "ap_int<44>", 1, 2),
        ("ap_int<20>", "ap_int<20>", "ap_int<40>", 2, 2),
        ("ap_int<32>", "ap_int<32>", "ap_int<64>", 4, 4),
        ("ap_int<32>", "ap_int<32>", "ap_int<32>", 3, 3),
        ("ap_int<34>", "ap_int<24>", "ap_int<58>", 2, 2),
        ("ap_int<50>", "ap_int<17>", "ap_int<67>", 2, 3),
        # longer than two short parts on both sides: squares of 17 bits
        ("long long", "long long", "long long", 16, 16),
        ("ap_int<40>", "ap_int<60>", "ap_int<100>", 12, 12),
        # nothing of the product but eight bits is kept: no DSP has more to do
        ("int", "int", "char", 1, 1),
    ],
)
def test_dsps_by_the_widths_of_both(one: str, two: str, result: str, ultra: int, seven: int) -> None:
    assert dsp("a * b", one, two, result) == ultra
    assert dsp("a * b", one, two, result, part=ZYNQ) == seven


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        # a bit, or none, of the other side
        ("(a & 1) * b", 0),
        ("(a == b) * b", 0),
        ("(a >> 31) * b", 0),
        # powers of two and sums or differences of two of them
        ("a * 16", 0), ("a * -4", 0), ("a * 3", 0), ("a * 7", 0), ("a * 24", 0), ("a * 65", 0), ("a * -9", 0),
        ("31 * a", 0),        ("a * 0", 0), ("a * 1", 0),
        # three digits (11 = 8 + 4 - 1) make a product, of 32 x 4 bits
        ("a * 11", 2), ("a * 1000", 2), ("a * 100003", 2), ("a * 1000003", 2), ("a * 300000007", 3),
        # what is left of b is narrow
        ("a * (b & 255)", 2), ("(a & 4095) * (b & 63)", 1), ("(a >> 20) * (b >> 24)", 1), ("a * (b % 200)", 2),
        ("(char)a * (short)b", 1),
        # division by a constant: 32 x 34 bits; by a power of two nothing
        ("a / 10", 4), ("a / 32", 0), ("a % 64", 0), ("a / b", 0), ("a % 10", 0),
    ],
)  # fmt: skip
def test_narrow_and_constant_factors(expression: str, count: int) -> None:
    assert dsp(expression, "int") == count


def lut(expression: str, kind: str = "int", **settings: str) -> float:
    """LUTs beyond those of a wire."""

    def whole(what: str) -> float:
        code = CODE.format(one=kind, two=kind, result=kind, expression=what)
        return closed(code, **settings).lut  # type: ignore[arg-type]

    return whole(expression) - whole("a")


@pytest.mark.parametrize("expression", ["a << 3", "a >> 7", "a & 60", "a | 5", "a * 8", "a % 16", "(a << 4) & 240"])
def test_bits_moved_masked_or_set_are_wiring(expression: str) -> None:
    assert lut(expression) == 0


def test_bits_that_are_turned_over_are_listed() -> None:
    """Reports list an exclusive or with a constant by its width; placed it is part of what comes behind."""
    assert lut("a ^ 9") == 32
    assert lut("a ^ 9", stage="impl") == 0


def test_an_adder_is_as_wide_as_its_operands() -> None:
    """One bit more than the wider one, as far as the result is looked at: a LUT a bit and 7 more, 12 for 5 bits."""

    def plain(first: str, second: str, result: str, expression: str) -> float:
        return closed(CODE.format(one=first, two=second, result=result, expression=expression)).area.plain_lut

    for kinds, expression, bits in (
        (("char", "char", "int"), "a + b", 9),
        (("char", "char", "char"), "a + b", 8),
        (("short", "char", "int"), "a - b", 17),
        (("int", "int", "int"), "(a & 15) + (b & 3)", 5),
        (("ap_int<12>", "ap_int<12>", "ap_int<20>"), "a + b", 13),
    ):
        assert plain(*kinds, expression) - plain(*kinds, "a") == max(bits + 7, 12), expression


def test_products_of_products_grow() -> None:
    """8 x 8 bits, then 16 x 8."""
    code = CODE.format(one="char", two="char", result="int", expression="a * b * a")
    assert cores(closed(code)) == {"mul int8": 1, "mul int16": 1}


def test_rounding_and_saturation_cost_a_sum_and_a_choice() -> None:
    """UG1399, ap_fixed: AP_RND adds, AP_SAT compares and selects; AP_TRN and AP_WRAP cut bits off."""
    found = {}
    for mode in ("", ", AP_TRN, AP_WRAP", ", AP_RND", ", AP_TRN, AP_SAT", ", AP_RND, AP_SAT"):
        code = CODE.replace("ap_int.h", "ap_fixed.h").format(
            one="ap_fixed<16, 8>", two="ap_fixed<16, 8>", result=f"ap_fixed<12, 6{mode}>", expression="a * b"
        )
        found[mode] = closed(code).area.plain_lut
    assert found[""] == found[", AP_TRN, AP_WRAP"]
    assert found[", AP_RND"] - found[""] == 19
    chosen = (12 + 7) + 12
    assert found[", AP_TRN, AP_SAT"] - found[""] == pytest.approx(chosen)
    assert found[", AP_RND, AP_SAT"] - found[""] == pytest.approx(19 + chosen)


@pytest.mark.parametrize(("options", "lut", "ff"), [("", 1.67 * 32 * 32, 2.18 * 32 * 32), ("II=32", 7.5 * 32, 12 * 32)])
def test_a_division_each_cycle_has_a_stage_a_digit(options: str, lut: float, ff: float) -> None:
    """As sdiv_46ns_32s_32_50: 1.67 LUT and 2.18 FF times the square of the width; slower ones go digit by digit."""
    code = """
void top(int a[64], int b[64], int c[64]) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline {}
    c[i] = a[i] {} b[i];
  }}
}}"""
    for op in ("/", "%"):
        found = closed(code.format(options, op))
        ((kind, units),) = found.area.shared.items()
        core = operator(*kind, found.target)
        assert (units, core.latency_cycles) == (1, 35)
        assert (core.lut, core.ff) == pytest.approx((lut, ff))


CONSTANTS = """
{declared}
void top(float a[64], float b[64], int c[64], int d[512]) {{
  for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""


@pytest.mark.parametrize(
    ("declared", "statement", "plain"),
    [
        ("static const int K = 5;", "c[i] = c[i] * K;", "c[i] = c[i] * 5;"),
        ("const int K = 8;", "c[i] = c[i] / K;", "c[i] = c[i] / 8;"),
        ("const int K = 8;", "c[i] = d[K * i];", "c[i] = d[8 * i];"),
        ("const int K = 5, M = K + 3;", "c[i] = c[i] % M;", "c[i] = c[i] % 8;"),
        ("const int K = 5;", "float f = K; b[i] = a[i] * f;", "b[i] = a[i] * 5.0f;"),
        ("", "int n = 2.7; c[i] = c[i] * n;", "c[i] = c[i] * 2;"),
        ("", "float f = -2.5f; int n = f; c[i] = c[i] + n;", "c[i] = c[i] + -2;"),
        ("const float P = 3.5f;", "int n = P * 2 - 1; c[i] = c[i] * n;", "c[i] = c[i] * 6;"),
        ("const float F[2] = {1.5f, 4.5f};", "int n = F[1]; c[i] = c[i] * n;", "c[i] = c[i] * 4;"),
        ("", "bool less = 0.5 < 0.75; c[i] = c[i] * less;", "c[i] = c[i] * 1;"),
        ("", "int n = -(3 + 1); c[i] = c[i] * n;", "c[i] = c[i] * -4;"),
    ],
)
def test_constants_are_computed_by_the_compiler(declared: str, statement: str, plain: str) -> None:
    """Wherever a constant comes from, the design is the one that has the number in its place."""
    made, right = (
        closed(CONSTANTS.format(declared=declared, statement=text)) for text in (statement, plain)
    )  # fmt: skip
    assert cores(made) == cores(right)
    assert (made.lut, made.ff, made.dsp, made.latency_cycles) == (right.lut, right.ff, right.dsp, right.latency_cycles)


def test_what_may_have_changed_is_no_constant() -> None:
    """A number that some copy or some way replaces is converted where it is used, by a core."""
    for statement in (
        "float f = 1.5f; for (int j = 0; j < 4; j++) { f = f * a[j]; } int n = f; c[i] = n;",
        "float f = 1.5f; if (c[i] > 3) f = a[i]; int n = f; c[i] = n;",
    ):
        assert cores(closed(CONSTANTS.format(declared="", statement=statement)))["convert float32"] == 1
