"""Functions of math.h: which type they compute in (ISO C++, [c.math]) and what that takes."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target

from .kit import U280, closed

C_ALONE = "#include <cmath>"
EXP, EXP_OF_DOUBLE, SINE_OF_DOUBLE, LOG, POWER_OF_DOUBLE = 7, 26, 91, 13, 57 + 8 + 26


def dsp(call: str, include: str = C_ALONE, **settings: object) -> float:
    code = f"""
{include}
void top(float a[64], double d[64], int n[64], float b[64]) {{
  for (int i = 0; i < 64; i++) b[i] = {call};
}}"""
    return closed(code, part=U280, clock=10.0, **settings).dsp  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "right"),
    [
        ("exp(a[i])", EXP_OF_DOUBLE), ("std::exp(a[i])", EXP), ("expf(a[i])", EXP), ("hls::exp(a[i])", EXP),
        ("exp(d[i])", EXP_OF_DOUBLE), ("sin(a[i])", SINE_OF_DOUBLE), ("std::log(a[i])", LOG),
        # What follows is of double, too: a sum has 3 DSPs, one of floats 2.
        ("1.0f + exp(a[i])", EXP_OF_DOUBLE + 3), ("1.0f + std::exp(a[i])", EXP + 2),
        # Of an integer among the arguments std's functions make a double.
        ("std::exp(n[i])", EXP_OF_DOUBLE), ("std::pow(a[i], n[i])", POWER_OF_DOUBLE),
    ],
)  # fmt: skip
def test_the_type_a_function_computes_in(call: str, right: float) -> None:
    """Labels of seventeen kernels: 34 DSPs of a sigmoid in double that multiplies floats before (26 + 3 + 3 + 2)."""
    assert dsp(call) == right


@pytest.mark.parametrize(
    "include",
    [
        "#include <cmath>\nusing namespace std;", "#include <cmath>\nusing std::exp;", "#include <math.h>",
        "#include <cmath>\n#include <hls_math.h>", "#include <cmath>\n#include <complex>", "",
        "#include <cmath>\nfloat exp(float x) { return x * x; }",
    ],
)  # fmt: skip
def test_overloads_that_are_brought_in_take_floats(include: str) -> None:
    assert dsp("exp(a[i])", include) in (EXP, 3)


@pytest.mark.parametrize(
    ("before", "inside", "right"),
    [
        ("using std::vector;", "", EXP_OF_DOUBLE), ("", "using namespace std;", EXP), ("", "using std::exp;", EXP),
        ("", "using std::log;", EXP_OF_DOUBLE), ("void g() {\n  using namespace std;\n}", "", EXP_OF_DOUBLE),
    ],
)  # fmt: skip
def test_which_names_are_brought_in_and_where(before: str, inside: str, right: float) -> None:
    code = f"""
{C_ALONE}
{before}
void top(float a[64]) {{
  {inside}
  for (int i = 0; i < 64; i++) a[i] = exp(a[i]);
}}"""
    assert closed(code, part=U280, clock=10.0).dsp == right


def test_c_knows_no_overloads() -> None:
    code = "#include <math.h>\nvoid top(float a[64]) { for (int i = 0; i < 64; i++) a[i] = exp(a[i]); }"
    assert closed(code, part=U280, clock=10.0).dsp == EXP
    target = make_target(U280, 10.0, "vitis_hls", "2023.2", unsafe_math=False, stage="csynth")
    found = estimate_source(code, path="k.c", top="top", target=target, options=make_options(target))
    assert found.dsp == EXP_OF_DOUBLE


@pytest.mark.parametrize("name", ["sqrt", "floor", "ceil", "round", "trunc"])
def test_roots_and_roundings_of_floats_are_those_of_float(name: str) -> None:
    """LLVM shrinks a call whose argument and result are floats where the result cannot differ."""
    assert closed_cycles(f"{name}(a[i])") == closed_cycles(f"std::{name}(a[i])")


def closed_cycles(call: str) -> float | None:
    code = f"{C_ALONE}\nvoid top(float a[64], float b[64]) {{ for (int i = 0; i < 64; i++) b[i] = {call}; }}"
    return closed(code, part=U280, clock=10.0).latency_cycles


@pytest.mark.parametrize(
    ("kind", "expression", "right"),
    [
        # Labels of one-line kernels: 1,024 rounds take 1,027 cycles of a product, 1,030 of a sum, 1,026 of wires.
        ("float", "a[i] * b[i]", 3), ("float", "a[i] + b[i]", 6), ("int", "a[i] ^ b[i]", 2),
        ("float", "a[i] * b[i] + c[i]", 7), ("double", "a[i] + b[i]", 6), ("double", "a[i] * 1.0", 2),
        ("double", "1.0 * a[i] + b[i] / 1.0", 6), ("double", "1.5 * a[i]", 5),
    ],
)  # fmt: skip
def test_states_of_a_round_at_10_ns(kind: str, expression: str, right: int) -> None:
    code = f"""
void top({kind} a[1024], {kind} b[1024], {kind} c[1024], {kind} d[1024]) {{
  for (int i = 0; i < 1024; i++) d[i] = {expression};
}}"""
    assert closed(code, part=U280, clock=10.0).latency_cycles == 1024 + right


def test_a_function_of_the_file_keeps_its_float_wherever_its_body_stands() -> None:
    body, head = "float exp(float x) { return x + 1.0f; }\n", "#include <cmath>\n"
    top = "void top(float a[64], float b[64]) { for (int i = 0; i < 64; i++) b[i] = exp(a[i]); }\n"
    before, behind = closed(head + body + top), closed(head + "float exp(float x);\n" + top + body)
    assert (behind.lut, behind.ff, behind.dsp) == (before.lut, before.ff, before.dsp)
