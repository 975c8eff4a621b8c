"""A mistake in one function says nothing of another; what fell out of a body is never taken for zero."""

from __future__ import annotations

import pytest

from hwml_sdk import predict_qor
from hwml_sdk.qor.read.source import read_program

SHIFT = """template <int N> void shift(word v[N]) {
  for (int i = N - 1; i > 0; i--) v[i] = v[i - 1];
}
"""
TOP = """void top(word v[SIZE]) {
  shift<SIZE>(v);
}
"""
HEADS = [
    "for (in)", "for (int i = 0;)", "if (", "while (x", "int f(", "struct s {", "template <", "void g(int a[4]",
    "switch (a) {", "const int t[] = {1, 2", "#pragma HLS", "}", "void h() { for (;;) {", "x = ;", "namespace a {",
]  # fmt: skip


@pytest.mark.parametrize("typed", HEADS)
@pytest.mark.parametrize("above", [SHIFT, TOP])
def test_what_is_typed_above_a_function_makes_no_zero_of_it(typed: str, above: str) -> None:
    text = "#define SIZE 24\ntypedef int word;\n" + (SHIFT + TOP).replace(above, f"{typed}\n{above}")
    whole = predict_qor("#define SIZE 24\ntypedef int word;\n" + SHIFT + TOP, top="top").latency_cycles
    program = read_program(text)
    if "top" in program.functions:  # where it is not, there is no answer at all
        assert predict_qor(text, top="top").latency_cycles in (whole, None)


@pytest.mark.parametrize("typed", ["for (in)", "if (", "while (x", "int f(", "x = ;", "for (int i = 0;)"])
def test_a_function_below_a_mistake_is_read_as_if_there_were_none(typed: str) -> None:
    alone = "void last(int a[8]) {\n  for (int i = 0; i < 8; i++) {\n    a[i] += 1;\n  }\n}\n"
    broken = f"void first(int a[8]) {{\n  a[0] = 1;\n  {typed}\n}}\n"
    found = predict_qor(broken + alone, top="last")
    assert found.latency_cycles == predict_qor(alone, top="last").latency_cycles
    assert found.loops[0].trip_count == 8


def test_a_body_that_stands_apart_from_its_head_is_not_empty() -> None:
    """Where lines do not tell one function from the next, its head alone is read: it is unknown, not 0 cycles."""
    text = "".join(f"typedef int word; for (in) {SHIFT} {TOP}".splitlines()).replace("SIZE", "24")
    assert "top" in read_program(text).functions
    answer = predict_qor(text, top="top")
    assert (answer.latency_cycles, answer.dsp) == (None, None)
    assert any("top" in reason for reason in answer.reasons["latency_cycles"])
