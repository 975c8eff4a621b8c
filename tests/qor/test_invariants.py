"""What must hold of every estimate: monotone in trips and unrolling, blind to names and layout, sums that add up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwml_sdk.artifact import shipped
from hwml_sdk.config import HlsSettings
from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, LoopResult
from hwml_sdk.qor.learned.features import features_of
from hwml_sdk.qor.model import predict_qor
from hwml_sdk.qor.project.inputs import Inputs

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.cpp"))
TARGET = make_target("xcu280-fsvh2892-2L-e", 3.33, "vitis_hls", "2023.2")
MERLIN = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", "2021.1")
needs_artefact = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not here")

TYPES = ("int", "short", "unsigned char", "float", "double")
BODIES = {
    "sum": "s += a[i] * b[i];",
    "copy": "c[i] = a[i] + b[i];",
    "branch": "if (a[i] > b[i]) c[i] = a[i]; else s += b[i];",
    "chain": "c[i] = (a[i] * b[i] + a[i]) * b[i];",
}
body = st.sampled_from(sorted(BODIES))
element = st.sampled_from(TYPES)
trips = st.integers(2, 5000)


def kernel(kind: str, type_: str, n: int, pragmas: str = "", arrays: str = "", size: int | None = None) -> str:
    """One loop of n trips over three arrays."""
    extent = size or n
    return f"""
{type_} k({type_} a[{extent}], {type_} b[{extent}], {type_} c[{extent}]) {{
{arrays}
  {type_} s = 0;
  L: for (int i = 0; i < {n}; i++) {{
{pragmas}
    {BODIES[kind]}
  }}
  return s;
}}
"""


def estimate(code: str) -> Estimate:
    return estimate_source(code, path="k.cpp", top="k", target=TARGET, options=make_options(TARGET))


def features(code: str) -> tuple[bytes, dict[str, float | None]]:
    """All that the learned correction gets to see, bit for bit."""
    row = features_of(estimate(code))
    return np.asarray(row.values, dtype=np.float32).tobytes(), dict(row.closed_form)


# -- monotone --------------------------------------------------------------------------------------------------------


@given(kind=body, type_=element, n=trips, factor=st.integers(2, 7), pipeline=st.booleans())
def test_more_trips_never_shorten(kind: str, type_: str, n: int, factor: int, pipeline: bool) -> None:
    pragma = "#pragma HLS pipeline" if pipeline else "#pragma HLS pipeline off"
    few = estimate(kernel(kind, type_, n, pragma)).nominal_cycles
    many = estimate(kernel(kind, type_, n * factor, pragma)).nominal_cycles
    assert many > few


@given(kind=body, type_=element, n=st.integers(2, 200), outer=st.integers(2, 60))
def test_a_loop_around_multiplies(kind: str, type_: str, n: int, outer: int) -> None:
    """`outer` rounds take at least `outer` times the iterations, and more than one round."""
    once = kernel(kind, type_, n, "#pragma HLS pipeline")
    nested = once.replace("L: for", f"O: for (int o = 0; o < {outer}; o++)\n  L: for")
    assert estimate(nested).nominal_cycles >= (outer - 1) * n
    assert estimate(nested).nominal_cycles > estimate(once).nominal_cycles


@given(kind=body, type_=element, power=st.integers(1, 5))
def test_unrolling_with_ports_costs_no_cycles_and_no_dsps(kind: str, type_: str, power: int) -> None:
    """Cyclic partition by the factor serves every copy, so neither latency grows nor does the DSP count shrink."""
    factor = 2**power
    arrays = "\n".join(f"#pragma HLS array_partition variable={name} cyclic factor={factor}" for name in "abc")
    plain = estimate(kernel(kind, type_, 1024, "#pragma HLS pipeline", arrays))
    spread = estimate(kernel(kind, type_, 1024, f"#pragma HLS pipeline\n#pragma HLS unroll factor={factor}", arrays))
    assert spread.nominal_cycles <= plain.nominal_cycles + 9 * factor / 2  # the longer drain of one iteration
    assert spread.dsp >= plain.dsp


@given(kind=body, type_=element, n=st.integers(64, 4096))
def test_pipelining_never_slows_down(kind: str, type_: str, n: int) -> None:
    fast = estimate(kernel(kind, type_, n, "#pragma HLS pipeline"))
    slow = estimate(kernel(kind, type_, n, "#pragma HLS pipeline off"))
    assert fast.nominal_cycles <= slow.nominal_cycles


@given(kind=body, type_=element, n=st.integers(8, 512), ii=st.integers(2, 12))
def test_a_larger_requested_ii_never_speeds_up(kind: str, type_: str, n: int, ii: int) -> None:
    asked = estimate(kernel(kind, type_, n, f"#pragma HLS pipeline II={ii}"))
    free = estimate(kernel(kind, type_, n, "#pragma HLS pipeline"))
    assert asked.nominal_cycles >= free.nominal_cycles
    assert asked.top.loops[0].ii == max(ii, free.top.loops[0].ii or 0)


@given(kind=body, n=st.integers(8, 512))
def test_double_costs_no_less_than_float(kind: str, n: int) -> None:
    single, double = (estimate(kernel(kind, type_, n, "#pragma HLS pipeline")) for type_ in ("float", "double"))
    assert double.dsp >= single.dsp
    assert double.lut >= single.lut
    assert double.nominal_cycles >= single.nominal_cycles


@given(kind=body, type_=element, n=trips)
def test_everything_is_a_number_and_none_is_negative(kind: str, type_: str, n: int) -> None:
    found = estimate(kernel(kind, type_, n))
    for value in (found.lut, found.dsp, found.ff, found.bram_18k, found.nominal_cycles):
        assert np.isfinite(value)
        assert value >= 0
    assert found.nominal_cycles >= 1


# -- blind to names and layout ---------------------------------------------------------------------------------------

WORDS = {"a": "samples", "b": "taps_2", "c": "zz", "s": "_total", "i": "ii", "L": "main_loop"}


def renamed(code: str) -> str:
    """Every variable and label of `kernel` under another name."""
    return re.sub(r"\b(a|b|c|s|i|L)\b", lambda match: WORDS[match.group(1)], code)


COMMENTS = st.sampled_from(["// note", "/* for (;;) { */", "/* two\nlines */", "// #pragma HLS unroll", "/* \" ' */"])


def commented(code: str, notes: list[str], places: list[int]) -> str:
    """Comments and blank lines after some lines that are no directives."""
    lines = code.split("\n")
    for note, place in zip(notes, places, strict=False):
        at = place % len(lines)
        if not lines[at].lstrip().startswith("#"):
            lines[at] += f" {note}\n\n"
    return "\n".join(lines)


@given(kind=body, type_=element, n=trips, notes=st.lists(COMMENTS, max_size=6), places=st.lists(st.integers(0, 40)))
def test_comments_and_blank_lines_change_no_bit(
    kind: str, type_: str, n: int, notes: list[str], places: list[int]
) -> None:
    code = kernel(kind, type_, n, "#pragma HLS pipeline")
    assert features(commented(code, notes, places)) == features(code)


@given(kind=body, type_=element, n=trips)
def test_names_change_no_bit(kind: str, type_: str, n: int) -> None:
    pragmas = "#pragma HLS unroll factor=2"
    code = kernel(kind, type_, n, pragmas, "#pragma HLS array_partition variable=a cyclic factor=2")
    assert features(renamed(code)) == features(code)


@given(kind=body, type_=element, n=trips)
def test_spaces_and_line_ends_change_no_bit(kind: str, type_: str, n: int) -> None:
    code = kernel(kind, type_, n, "#pragma HLS pipeline")
    assert features(code.replace("\n", "\r\n")) == features(code)
    assert features(code.replace("    ", "\t \t").replace(" = ", "=")) == features(code)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_bits(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    top = path.stem

    def bits(text: str) -> bytes:
        found = estimate_source(text, path="k.cpp", top=top, target=TARGET, options=make_options(TARGET))
        return np.asarray(features_of(found).values, dtype=np.float32).tobytes()

    before = bits(code)
    assert bits("// a header\n\n" + code + "\n/* the end */\n") == before
    assert bits(re.sub(r"\bi\b", "index_of_it", code)) == before
    assert bits(re.sub(r"\n(?![ \t]*#)", "\n\n", code)) == before


# -- sums ------------------------------------------------------------------------------------------------------------


def total_of(loops: list[LoopResult]) -> float:
    return sum(loop.cycles * loop.replicas for loop in loops)


@given(kind=body, type_=element, n=trips, second=st.integers(2, 300))
def test_loops_and_what_is_between_them_add_up(kind: str, type_: str, n: int, second: int) -> None:
    """Two loops in a row: the function takes their cycles and a few states between, before and after."""
    code = kernel(kind, type_, n, "#pragma HLS pipeline")
    more = f"  M: for (int i = 0; i < {second}; i++) c[i] = a[i] + 1;\n  return s;"
    found = estimate(code.replace("  return s;", more))
    between = found.nominal_cycles - total_of(found.top.loops)
    assert len(found.top.loops) == 2
    assert 0 <= between <= 8


@needs_artefact
@settings(max_examples=15, deadline=None)
@given(kind=body, type_=element, n=trips)
def test_contributions_add_up_to_the_prediction(kind: str, type_: str, n: int) -> None:
    """Loops, overhead and the learned correction are lines of their own, and their sum is the answer, per target."""
    from hwml_sdk.qor.model import predict_text

    code = kernel(kind, type_, n, "#pragma HLS pipeline")
    found = predict_text(code, path="k.cpp", inputs=Inputs(), settings=replace(HlsSettings(), top="k"))
    for target, value in (("latency_cycles", found.latency_cycles), ("lut", found.lut), ("ff", found.ff)):
        parts = [item for item in found.explain if item.target == target]
        # Lines under half a count are left out, of each target a handful at most.
        assert sum(item.amount for item in parts) == pytest.approx(value, abs=4)
        closed = found.closed_form[target]
        assert closed is not None
        learned = [item.amount for item in parts if item.what == "learned correction"]
        assert sum(learned) == pytest.approx((value or 0) - closed, abs=4)


@needs_artefact
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_output_bit_changes_with_layout(path: Path) -> None:
    """The whole answer, places in the text left out, after renaming and commenting: identical."""
    from hwml_sdk import predict_qor

    code = path.read_text(encoding="utf-8")
    other = "// a header\n\n" + re.sub(r"\bi\b", "index_of_it", code).replace(";\n", "; // done\n\n")

    def answer(text: str) -> tuple[object, ...]:
        found = predict_qor(text, top=path.stem)
        return (
            found.lut, found.dsp, found.ff, found.latency_cycles, found.bram_18k, dict(found.intervals),
            found.unlike_score, dict(found.closed_form), found.fits_part,
        )  # fmt: skip

    assert answer(other) == answer(code)


TWO_NESTS = """void f(float a[64], float b[64], int n) {
  for (int i = 0; i < 64; i++) b[i] = a[i] / 3.1f;
  for (int j = 0; j < 64; j++) for (int k = 0; k < 64; k++) b[j] += a[k];
}"""
VARYING = """void g(int a[64], int b[64]) {
  for (int i = 0; i < 64; i++) for (int j = 0; j < i; j++) b[j] += a[i] * 3;
}"""


@pytest.mark.parametrize("source", [*EXAMPLES, TWO_NESTS, VARYING], ids=lambda source: getattr(source, "stem", "text"))
def test_what_is_said_of_cycles_contradicts_nothing(source: Path | str) -> None:
    """Least, largest, interval of starts and the two ends, after the correction as before it."""
    answer = predict_qor(source)
    assert answer.latency_cycles is not None and answer.latency_min_cycles is not None
    assert answer.interval_cycles is not None
    ends = answer.intervals["latency_cycles"]
    assert answer.latency_min_cycles <= answer.latency_cycles <= ends.high
    assert answer.interval_cycles <= answer.latency_cycles + 1
    assert ends.low < ends.high  # nobody is as sure as to name one number for both ends
