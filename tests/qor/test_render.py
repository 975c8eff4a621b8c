"""Rounding, ranges, labels and JSON, against values worked out by hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from hwml_sdk import amounts
from hwml_sdk.document import Span
from hwml_sdk.qor.answer import render
from hwml_sdk.qor.answer.spread import Spread, spread_function
from hwml_sdk.qor.answer.types import Certainty, Contribution, FunctionQor, Interval, LoopQor, QorPrediction, loop_json

SPAN = Span(2, 2, 2, 30)
INNER = LoopQor(
    name="mac", function="fir", path="fir.cpp", span=SPAN, trip_count=64.0, pipelined=True, ii=2, ii_is_guess=False,
    ii_bound_by="ports of coef", unroll_factor=4, depth=9.0, cycles=137.0, total_cycles=1096.0, share=0.913,
    notes=("partly unrolled",),
)  # fmt: skip
OUTER = LoopQor(
    name="blocks", function="fir", path="fir.cpp", span=Span(1, 2, 1, 30), trip_count=8.0, pipelined=False, ii=None,
    ii_is_guess=False, ii_bound_by="", unroll_factor=1, depth=139.0, cycles=1112.0, total_cycles=1112.0, share=0.926,
    loops=(INNER,),
)  # fmt: skip
FUNCTION = FunctionQor("fir", "fir.cpp", Span(0, 5, 0, 8), 1234.5, 5.0, 2040.0, 4.0, 1200.0, False, (OUTER,))
PREDICTION = QorPrediction(
    lut=1234.5, dsp=5.4, ff=2040.0, latency_cycles=1200.2, bram_18k=4.0,
    intervals={"lut": Interval(900.0, 1700.0), "dsp": Interval(3.0, 9.0), "latency_cycles": Interval(1100.0, 1300.0)},
    top="fir", part="xcu280-fsvh2892-2L-e", clock_period_ns=3.33, tool="vitis_hls", tool_version="2023.2",
    stage="csynth", model="qor 1", closed_form={"lut": 1100.4, "dsp": 5.0, "ff": 1900.0, "latency_cycles": None},
    unlike_score=0.21357, fits_part=True, dominant="loop mac", functions=(FUNCTION,), loops=(OUTER,),
    explain=(Contribution("unroll factor 4 of loop mac", "dsp", 3.0, SPAN),),
    warnings=("unlike the training data",), origins={"part": "hls_config.cfg"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.4, "0"), (0.5, "1"), (67, "67"), (850.4, "850"), (999.4, "999"), (999.6, "1.0k"), (1000, "1.0k"),
        (1049, "1.0k"), (1050, "1.1k"), (1234.5, "1.2k"), (9949, "9.9k"), (9950, "10k"), (12345, "12k"),
        (123456, "123k"), (999499, "999k"), (999500, "1.0M"), (1.6e7, "16M"), (2.5e9, "2.5G"), (5e38, "5e+38"),
        (-3, "0"),
    ],
)  # fmt: skip
def test_numbers_have_two_or_three_digits(value: float, text: str) -> None:
    assert amounts.short_number(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (1200, 999, 1499, "1.2k"),  # 1500 / 1000 = x1.5: still as it is
        (1200, 998, 1499, "~1.2k"),
        (1200, 499, 1999, "~1.2k"),  # 2000 / 500 = x4
        (1200, 498, 1999, "~1k?"),
        (3140, 900, 8000, "~3k?"),
        (950, 90, 9000, "~1k?"),  # one digit of 950 is 1000
        (35_000, 900, 80_000, "~40k?"),
        (849, 90, 9000, "~800?"),
        (1.4e6, 1, 9e9, "~1M?"),
        (2e15, 1, 9e16, "~2e+15?"),
        (2, 0, 3, "~2"),  # 4 / 1
        (2, 0, 4, "~2?"),
        (0.6, 0, 9, "~1?"),
        (0, 0, 0, "0"),
        (0, 0, 9, "~0?"),
        (5, 8, 9, "~5"),  # an interval that leaves its own value out is stretched to it: 10 / 6
    ],
)
def test_how_sure_a_figure_is_shows_in_how_it_is_written(value: float, low: float, high: float, text: str) -> None:
    assert amounts.figure(value, Interval(low, high)) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(800, 2000, "0.8–2.0k"), (12_000, 40_000, "12–40k"), (30, 75, "30–75"), (0, 3, "0–3"), (999.7, 2400, "1.0–2.4k")],
)
def test_ranges_are_in_the_unit_of_the_upper_end(low: float, high: float, text: str) -> None:
    assert amounts.range_of(low, high) == text


def test_a_guessed_ii_is_marked() -> None:
    guessed = dataclasses.replace(INNER, ii=None, ii_is_guess=True, ii_guess=2)
    assert render.loop_label(guessed) == "II ~2? · 1.1k cyc · 91 %"
    assert render.loop_row(1, guessed, "fir")[2] == "~2?"
    assert "~2? (a guess" in render.loop_detail(guessed)


def test_parts_are_no_surer_than_the_whole() -> None:
    # The design's ends are half and three times its figure (of one more each: 100, 200, 600).
    spreads = dict.fromkeys(("lut", "dsp", "ff", "bram_18k", "latency_cycles"), Spread.of(199.0, 99.0, 599.0))
    function = spread_function(FUNCTION, spreads)
    assert function.intervals["dsp"] == Interval(2.0, 17.0)  # 6 / 2 - 1, 6 * 3 - 1
    assert render.function_label(function) == "~1k? LUT · ~1k? cyc"
    assert [loop.interval for loop in function.loops] == [Interval(555.5, 3338.0)]
    assert function.loops[0].loops[0].interval == Interval(547.5, 3290.0)
    assert render.loop_label(function.loops[0].loops[0]) == "II 2 · ~1k? cyc · 91 %"
    jsonschema.validate(dataclasses.replace(PREDICTION, functions=(function,), loops=function.loops).to_dict(), SCHEMA)
    inlined = spread_function(dataclasses.replace(FUNCTION, inlined=True), spreads)
    assert inlined.intervals == {}


def test_what_is_unknown_is_a_question_mark() -> None:
    assert amounts.figure(None) == amounts.figure(float("nan")) == amounts.figure(float("inf")) == "?"


def test_a_change_is_surer_than_its_ends() -> None:
    """100 to 120: log 1.2 = .1823; half of (.1823 + .2) to both sides is .1912: -0.9 % to 45.3 %."""
    change, interval = amounts.change_of(100, 120, 0.5)
    assert (change, interval.low, interval.high) == pytest.approx((20.0, -0.88, 45.27), abs=0.01)
    assert amounts.change_of(7, 7, 3.0) == (0.0, Interval(0.0, 0.0))
    assert amounts.change_of(0, 2, 0.0)[0] == pytest.approx(100.0)


def test_float_noise_changes_nothing() -> None:
    for value in (1050.0, 999.5, 1234.5, 9950.0):
        assert (
            amounts.short_number(value)
            == amounts.short_number(value * (1 + 1e-7))
            == amounts.short_number(value * (1 - 1e-7))
        )


@pytest.mark.parametrize(
    ("share", "text"), [(0.613, "61 %"), (1.0, "100 %"), (0.004, "<1 %"), (0.0, "0 %"), (0.005, "1 %")]
)
def test_percent(share: float, text: str) -> None:
    assert amounts.percent(share) == text


def test_labels_fit_beside_code() -> None:
    plain = dataclasses.replace(PREDICTION, latency_cycles=67.0, intervals={})
    assert render.prediction_label(plain) == "1.2k LUT · 5 DSP · 67 cyc"
    assert render.prediction_label(PREDICTION) == "~1.2k LUT · 1.2k cyc"  # with `~5 DSP` it would be too long
    assert render.prediction_label(dataclasses.replace(plain, latency_cycles=None)) == "1.2k LUT · 5 DSP · ? cyc"
    assert render.loop_label(INNER) == "II 2 · 1.1k cyc · 91 %"
    assert render.loop_label(dataclasses.replace(INNER, ii_is_guess=True)) == "II ? · 1.1k cyc · 91 %"
    assert render.loop_label(OUTER) == "8 rounds · 1.1k cyc"
    assert (
        render.loop_label(dataclasses.replace(OUTER, trip_count=None, total_cycles=None, share=None))
        == "? rounds · ? cyc"
    )
    gone = dataclasses.replace(INNER, cycles=None, unroll_factor=64)
    assert render.loop_label(gone) == "unrolled x64"
    assert render.function_label(FUNCTION) == "1.2k LUT · 1.2k cyc"


def test_every_label_is_short() -> None:
    for scale in (1.0, 9.0, 99.0, 999.0, 1e5, 1e8):
        for width in (1.1, 3.0, 20.0):
            intervals = {n: Interval(v / width, v * width) for n, v in (("lut", 123 * scale), ("dsp", 7 * scale))}
            made = dataclasses.replace(
                PREDICTION, lut=123 * scale, dsp=7 * scale, latency_cycles=456 * scale, intervals=intervals
            )
            assert len(render.prediction_label(made)) <= render.MAX_LABEL
            assert (
                len(render.loop_label(dataclasses.replace(INNER, total_cycles=scale, trip_count=scale)))
                <= render.MAX_LABEL
            )


SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "qor.schema.json").read_text(encoding="utf-8"))


def test_json_is_the_documented_one() -> None:
    sure = {"lut": Certainty("guessed", ("dust",)), "ff": Certainty("impl")}
    data = dataclasses.replace(PREDICTION, certainty=sure).to_dict()
    json.dumps(data, allow_nan=False)
    jsonschema.validate(data, SCHEMA)
    assert list(data)[:4] == ["LUT", "DSP", "FF", "latency_cycles"]
    assert (data["LUT"], data["DSP"], data["FF"], data["latency_cycles"]) == (1235, 5, 2040, 1200)
    assert data["intervals"]["LUT"] == {
        "point": 1235,
        "low": 900,
        "high": 1700,
        "class": "guessed",
        "reasons": ["dust"],
    }
    assert data["intervals"]["FF"] == {"point": 2040, "low": None, "high": None, "class": "impl", "reasons": []}
    assert data["closed_form"]["latency_cycles"] is None
    assert data["loops"][0]["loops"][0]["ii_bound_by"] == "ports of coef"
    assert data["unlike_score"] == 0.214


def test_a_label_has_one_spelling_wherever_it_is_a_key() -> None:
    names = ("lut", "dsp", "ff", "bram_18k", "latency_cycles")
    whole = dataclasses.replace(
        PREDICTION,
        intervals=dict.fromkeys(names, Interval(1.0, 2.0)),
        closed_form=dict.fromkeys(names, 1.0),
        explain=tuple(Contribution("the rest", name, 1.0, None) for name in names),
    )
    data = whole.to_dict()
    keys = ["LUT", "DSP", "FF", "bram_18k", "latency_cycles"]
    assert set(keys) <= set(data)
    assert list(data["closed_form"]) == [row["target"] for row in data["explain"]] == keys
    assert sorted(data["intervals"]) == sorted(keys)
    jsonschema.validate(data, SCHEMA)


def test_unknown_figures_are_null() -> None:
    data = dataclasses.replace(PREDICTION, latency_cycles=None).to_dict()
    assert data["latency_cycles"] is None
    guess = loop_json(dataclasses.replace(INNER, ii_is_guess=True))
    assert guess["ii"] is None
    assert guess["ii_is_guess"]
    jsonschema.validate(data, SCHEMA)


def test_tooltips_have_no_tables() -> None:
    detail = render.prediction_detail(PREDICTION)
    assert "|" not in detail
    assert "1.2k" in detail
    assert "xcu280-fsvh2892-2L-e (hls_config.cfg)" in detail
    assert "3.33 ns (default)" in detail
    assert "unlike the training data" in detail
    parts = detail.split("Where it goes:")[1].split("```")[1].splitlines()
    assert parts[1].split() == ["DSP"]
    assert parts[2].split()[-1] == "3"
    block = detail.split("```")[1].splitlines()[1:]
    assert len({line.index("   80 %") for line in block if "80 %" in line}) == 1  # aligned
    loop = render.loop_detail(INNER)
    assert "2 (bound by ports of coef)" in loop
    assert "entered 8 times" in loop
    assert "closed form" in render.function_detail(FUNCTION)
    assert "Does not fit" in render.prediction_detail(dataclasses.replace(PREDICTION, fits_part=False))


def test_rows_for_terminals() -> None:
    depths = [(depth, loop.name) for depth, loop in render.flat_loops(PREDICTION.loops)]
    assert depths == [(0, "blocks"), (1, "mac")]
    assert render.loop_row(1, INNER, "fir") == ("  mac", "64 x4", "2", "9", "1.1k", "91 %", "ports of coef")
    assert render.loop_row(0, OUTER, OUTER.function)[2] == "-"
    rows = render.resource_rows(PREDICTION, {"lut": 12_345, "dsp": 54})
    assert rows[0] == ("LUT", "~1.2k", "0.9–1.7k", "1.1k", "10 %")
    assert rows[1] == ("DSP", "~5", "3–9", "", "10 %")  # the closed form says the same: not twice
    assert rows[4][0] == "latency (cycles)"


def test_why_a_figure_is_no_surer_is_told_where_it_is_not_sure() -> None:
    """LUT is about, DSP rough, the latency sure; two targets with the same main reasons stand together."""
    same = Certainty("guessed", ("dust", "rain", "snow", "hail"))
    made = dataclasses.replace(
        PREDICTION,
        intervals={**PREDICTION.intervals, "dsp": Interval(1.0, 30.0)},
        certainty={"lut": same, "dsp": same, "latency_cycles": same, "ff": Certainty("counted")},
    )
    assert render.unsure(made) == ["Why LUT, DSP may be off: dust; rain; snow"]
    assert "Why LUT, DSP may be off" in render.prediction_detail(made)
