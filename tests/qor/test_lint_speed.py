"""Findings about an II: what is counted, what is pointed at, what a fix brings; and where nothing is to be said."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hwml_sdk.cli import main
from hwml_sdk.config import Settings
from hwml_sdk.document import Diagnostic, apply_edits
from hwml_sdk.qor.answer.types import QorPrediction
from hwml_sdk.qor.kernels import prediction_or_none
from hwml_sdk.qor.lint.run import lint_source
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.qor.read.source import read_program


def predict(text: str) -> QorPrediction | None:
    return prediction_or_none("top.cpp", text, Inputs(), Settings())


def found(text: str, *codes: str) -> list[Diagnostic]:
    """Findings of some codes, with a prediction of the text."""
    analyses = lint_source(text, path="top.cpp", estimate=predict(text), predict=predict)
    return [item for item in analyses[0].diagnostics if item.code in codes]


def ii_of(text: str, label: str) -> int | None:
    prediction = predict(text)
    assert prediction is not None
    return next(loop.ii for loop in prediction.loops if loop.name == label)


PORTS = """\
void top(const int t[64], int b[32]) {
  sum: for (int i = 0; i < 32; i++) {
#pragma HLS PIPELINE II=1
    b[i] = t[2 * i] + t[2 * i + 1] + t[63 - i];
  }
}
"""


def test_ports_are_counted_and_the_fix_says_what_it_brings() -> None:
    (item,) = found(PORTS, "HLS118")
    assert "II 2 instead of 1" in item.message
    assert "3 reads a round on 2 ports of each memory" in item.message
    lines = PORTS.split("\n")
    assert [lines[r.span.start_line][r.span.start_character : r.span.end_character] for r in item.related] == [
        "t[2 * i]", "t[2 * i + 1]", "t[63 - i]",
    ]  # fmt: skip
    (fix,) = item.fixes
    # 2i is even and 2i + 1 odd; 63 - i is either: two accesses a bank and cycle at most.
    assert fix.title == "partition t cyclic factor=2: II 2 -> 1"
    assert fix.verified
    assert ii_of(apply_edits(PORTS, fix.edits), "sum") == 1


def test_accesses_of_a_loop_in_a_header_are_pointed_at_there() -> None:
    inputs = Inputs(files={"sums.h": PORTS.replace("void top", "static void part")})
    text = '#include "sums.h"\nvoid top(const int t[64], int b[32]) { part(t, b); }\n'
    estimate = prediction_or_none("top.cpp", text, inputs, Settings())
    analyses = lint_source(text, path="top.cpp", files=inputs.files, estimate=estimate)
    (item,) = [item for analysis in analyses for item in analysis.diagnostics if item.code == "HLS118"]
    assert [(related.path, related.span.start_line) for related in item.related] == [("sums.h", 3)] * 3


def test_a_partition_that_is_there_is_made_larger() -> None:
    text = PORTS.replace("{\n  sum", "{\n#pragma HLS ARRAY_PARTITION variable=t type=block factor=2\n  sum").replace(
        "t[63 - i]", "t[2 * i + 2] + t[2 * i + 3] + t[2 * i + 4] + t[2 * i + 5]"
    )
    text = text.replace("t[64]", "t[70]")
    (item,) = found(text, "HLS118")
    (fix,) = item.fixes
    changed = apply_edits(text, fix.edits)
    assert changed.count("ARRAY_PARTITION") == 1
    after, before = ii_of(changed, "sum"), ii_of(text, "sum")
    assert after is not None and before is not None
    assert after < before
    assert fix.title.endswith(f"II {before} -> {after}")


def test_inner_loops_count_as_often_as_they_run() -> None:
    text = """\
void top(const int u[64][64], int c[64]) {
  rows: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    int s = 0;
    for (int j = 0; j < 64; j++) s += u[i][j];
    c[i] = s;
  }
}
"""
    (item,) = found(text, "HLS118")
    assert "II 32 instead of 1" in item.message
    assert "64 reads a round" in item.message
    assert "times" in item.related[0].message
    assert [fix.title for fix in item.fixes] == ["partition u cyclic factor=32 dim=2: II 32 -> 1"]


def test_a_recurrence_is_named_with_its_way() -> None:
    text = """\
void top(const float in[64], float *o) {
  float s = 0;
  sum: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    s += in[i];
  }
  *o = s;
}
"""
    (item,) = found(text, "HLS119")
    ii = ii_of(text, "sum")
    assert f"II {ii} instead of 1, bound by recurrence through s" in item.message
    assert "s -> fadd" in item.message
    assert item.related[0].span.start_line == 1
    (fix,) = item.fixes
    assert fix.title == f"ask for II={ii}: II {ii} -> {ii}"
    changed = apply_edits(text, fix.edits)
    assert f"PIPELINE II={ii}" in changed
    assert found(changed, "HLS119") == []


def test_a_nest_is_told_of_once() -> None:
    text = """\
void top(const int t[64], int b[16][16]) {
  outer: for (int i = 0; i < 16; i++) {
    inner: for (int j = 0; j < 16; j++) {
#pragma HLS PIPELINE II=1
      b[i][j] = t[j] + t[2 * j + 1] + t[63 - j];
    }
  }
}
"""
    assert [item.span.start_line for item in found(text, "HLS118")] == [3]


def test_pragmas_and_jumps_that_the_estimate_does_not_follow() -> None:
    assert found(PORTS, "HLS118")
    jump = PORTS.replace("    b[i] =", "    if (t[2 * i] < 0) break;\n    b[i] =")
    assert found(jump, "HLS118") == []
    stencil = PORTS.replace("  sum:", "#pragma HLS ARRAY_STENCIL variable=t\n  sum:")
    assert found(stencil, "HLS118") == []
    conditional = PORTS.replace("#pragma HLS PIPELINE II=1", "#pragma HLS if (1 == 1) pipeline II=1")
    assert found(conditional, "HLS118") == []


def test_an_uneven_factor_gets_the_nearest_that_divides() -> None:
    text = """\
void top(const int in[100], int out[100]) {
  copy: for (int i = 0; i < 100; i++) {
#pragma HLS UNROLL factor=3
    out[i] = in[i] + 1;
  }
}
"""
    (item,) = found(text, "HLS102")
    (fix,) = item.fixes
    assert fix.title.startswith("unroll by 2: ")
    assert fix.title.endswith(" cycles")
    assert found(apply_edits(text, fix.edits), "HLS102") == []


def test_a_loop_that_nothing_bounds_gets_the_extent_of_its_array() -> None:
    text = """\
void top(int n, const int in[128], int out[128]) {
#pragma HLS INTERFACE mode=ap_memory port=in
  copy: for (int i = 0; i < n; i++) {
    out[i] = in[i] * 3;
  }
}
"""
    (item,) = found(text, "HLS120")
    (fix,) = item.fixes
    assert fix.title.startswith("assume at most 128 rounds: ")
    changed = apply_edits(text, fix.edits)
    assert "#pragma HLS LOOP_TRIPCOUNT min=1 max=128" in changed
    assert found(changed, "HLS120") == []


def test_without_a_prediction_no_fix_claims_anything() -> None:
    analyses = lint_source(PORTS, path="top.cpp", estimate=predict(PORTS))
    assert [item.fixes for item in analyses[0].diagnostics if item.code == "HLS118"] == [()]


def test_a_source_is_read_once_for_figures_and_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And once more for the fix of the ports above, whose gain is predicted."""
    path = tmp_path / "top.cpp"
    reads = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal reads
        reads += event == "call" and frame.f_code is read_program.__code__

    for text, code, times in ((PORTS.replace(" + t[63 - i]", "").replace("2 * i", "i"), 0, 1), (PORTS, 1, 2)):
        path.write_text(text, encoding="utf-8")
        reads = 0
        sys.setprofile(count)
        try:
            assert main(["qor", "lint", str(path)]) == code
        finally:
            sys.setprofile(None)
        assert reads == times, capsys.readouterr().out
