"""Where nobody states the clock, intervals cover what that may cost, and the answer says what stating it would gain."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.qor.test_render import INNER, OUTER

from hwml_sdk import predict_qor
from hwml_sdk.artifact import shipped
from hwml_sdk.qor.answer.assumed import CLOCK, COST, clocked_share
from hwml_sdk.qor.answer.types import QorPrediction

needs_artefact = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not in the repository")
FLAT = """
void scale(const float a[{n}], float b[{n}], float k) {{
  for (int i = 0; i < {n}; i++) {{
#pragma HLS pipeline II=1
    b[i] = a[i] * k + 1.0f;
  }}
}}
"""


def width(prediction: QorPrediction, name: str) -> float:
    interval = prediction.intervals[name]
    return (interval.high + 1) / (interval.low + 1)


def test_the_share_that_hangs_on_the_clock() -> None:
    """mac: 1096 cycles in all, 9 of 137 an entry are its depth: 1096 * 128 / 137 = 1024 do not hang on the clock."""
    assert clocked_share((OUTER,), 1200.0) == pytest.approx(1 - 1024 / 1200)
    assert clocked_share((INNER,), 1200.0) == pytest.approx(1 - 1024 / 1200)
    assert clocked_share((), 1200.0) == clocked_share((INNER,), 0.0) == clocked_share((INNER,), None) == 1.0


@needs_artefact
def test_stating_the_clock_sharpens_what_hangs_on_it() -> None:
    for n, hangs in ((4, True), (100_000, False)):
        text = FLAT.format(n=n)
        stated, assumed = predict_qor(text, clock_period_ns=10.0), predict_qor(text)
        assert {name: getattr(stated, name) for name in COST} == {name: getattr(assumed, name) for name in COST}
        assert width(assumed, "ff") > width(stated, "ff") * 1.02
        assert (width(assumed, "latency_cycles") > width(stated, "latency_cycles") * 1.02) is hangs
        assert CLOCK in assumed.certainty["ff"].reasons and CLOCK not in stated.certainty["ff"].reasons
        loop = assumed.loops[0].interval
        assert loop is not None and loop.high <= assumed.intervals["latency_cycles"].high
    hinted = [text for text in predict_qor(FLAT.format(n=4)).warnings if text.startswith("State the clock")]
    assert len(hinted) == 1 and "cycles x" in hinted[0]
    assert not any(
        text.startswith("State the clock") for text in predict_qor(FLAT.format(n=4), clock_period_ns=5).warnings
    )


@needs_artefact
def test_independent_errors_add_up_as_squares() -> None:
    text = FLAT.format(n=100)
    stated, assumed = predict_qor(text, clock_period_ns=10.0), predict_qor(text)
    assert stated.ff is not None
    plain, wide = (math.log((p.intervals["ff"].high + 1) / (stated.ff + 1)) for p in (stated, assumed))
    assert wide == pytest.approx(math.hypot(plain, COST["ff"][1]), rel=1e-6)
    # A slow clock takes the fewest flip-flops: at no other one are there fewer.
    assert assumed.intervals["ff"].low == pytest.approx(stated.intervals["ff"].low)


@needs_artefact
def test_a_project_that_states_the_clock_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a.cpp").write_text(FLAT.format(n=4))
    (tmp_path / "hwml.toml").write_text("[hls]\nclock_period_ns = 10\n")
    found = predict_qor(tmp_path / "a.cpp")
    assert found.intervals == predict_qor(FLAT.format(n=4), clock_period_ns=10.0).intervals
