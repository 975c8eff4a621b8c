"""The tables of docs/qor-model.md come from measured figures: each in its place, the words around them untouched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.errors import DataError
from hwml_sdk.train.qor.document import rewritten
from hwml_sdk.train.qor.recipe import main

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "qor-model.md"


def figure(rank: float | None, error: float | None, n: int = 1200) -> dict[str, Any]:
    """One cell as `--evaluate --json` prints it: the same by rows and by groups."""
    return {"n": n, "spearman": rank, "ape": error, "spearman_rows": rank, "ape_rows": error, "within": 0.5}


def figures() -> dict[str, Any]:
    """Two sources, one predictor beside ours."""
    targets = {"latency_cycles": figure(0.91, 0.1), "lut": figure(0.8, 0.25), "dsp": figure(None, None, 0)}
    targets["ff"] = figure(None, 0.4)
    interval = {
        "coverage": 0.81,
        "width": 1.5,
        "rank": 0.45,
        "worst_source": "one",
        "worst_coverage": 0.6,
        "per_source": {"one": 0.6},
    }
    sharp: dict[str, dict[str, float | None]] = {
        name: {"coverage": 0.8, "width": 1.25, "rank": 0.5} for name in targets
    }
    sharp["dsp"] = {"coverage": None, "width": None, "rank": None}
    slices = {"one": targets, "pooled all": targets, "one, not inspected": targets, "mean over sources": targets}
    return {
        "leave_group_out": {
            "slices": slices,
            "intervals": {"lut": interval},
            "starting_points": [
                {"where": "one", "target": "lut", "figure": "Spearman", "ok_rows": False, "ok_groups": True}
            ],
        },
        "controls": {"closed form": slices},
        "leave_source_out": {"ours": slices, "closed form": slices},
        "leave_source_out_intervals": {"lut": interval, "bram_18k": interval},
        "sharpness": {"all rounds counted": sharp},
        "source_sharpness": {"all rounds counted": sharp},
        "changes": {name: {"coverage": 0.8, "sure": 0.25, "sign_right": None} for name in sharp},
        "hlsyn_zero_shot": {"2018.3": {"sum": 1.25}},
        "what_if": {
            "keys": 3, "best1": 1.5, "best5": 1.2, "random1": 4, "random5": 2, "front": 0.9, "random_front": 0.8
        },
    }  # fmt: skip


def table(name: str) -> str:
    """What stands in the place of one table."""
    text = rewritten(f"before\n<!-- figures: {name} -->\nold\n<!-- end -->\nafter\n", figures())
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    return text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("by-rows", "| one | 1,200 | 0.910 / 10 (0.50) | 0.800 / 25 (0.50) | - (0.50) | - / 40 (0.50) |"),
        ("by-groups", "| mean over sources | 1,200 | 0.910 / 10 | 0.800 / 25 | - | - / 40 |"),
        ("not-inspected", "| one, not inspected | 1,200 | 0.910 / 10 | 0.800 / 25 | - | - / 40 |"),
        ("controls", "| mean over sources | LUT | 0.800 / 25 | 0.800 / 25 |"),
        ("intervals", "| LUT | 81 % | x1.5 | 0.45 | one: 60 % |"),
        ("sharpness", "| all rounds counted | 80 % x1.25 0.50 | 80 % x1.25 0.50 | - | 80 % x1.25 0.50 |"),
        ("source-sharpness", "| all rounds counted | 80 % x1.25 0.50 |"),
        ("changes", "| LUT | 80 % | 25 % | - |"),
        ("sources", "| one | latency | 0.910 / 10 | 0.910 / 10 |"),
        ("sources", "Not behind the better of the others in 5 of 5 cells"),
        ("source-intervals", "| all, groups weighing equally | 81 % |"),
        ("source-intervals", "| one | 60 % |"),
        ("hlsyn", "- HLSyn 2018.3, rows that fit the device, utilisation and log latency: RMSE sum 1.250."),
        ("starting-points", "Ahead of the starting points in 0 of 1 cells by rows, 1 by groups. Behind by rows: one"),
    ],
)
def test_each_table(name: str, line: str) -> None:
    assert line in table(name)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("what-ships", "| pooled designs | 0.910 / 10 | 0.700 / 25 | - | - / 40 |"),
        ("licences", "| pooled designs | all sources | 0.910 / 10 | 0.800 / 25 | - | - / 40 |"),
        ("licences", "| pooled designs | shipped | 0.910 / 10 | 0.700 / 25 | - | - / 40 |"),
    ],
)
def test_tables_of_what_ships(name: str, line: str) -> None:
    everything, shipped = figures(), figures()
    for found, lut in ((everything, 0.8), (shipped, 0.7)):
        slices = found["leave_group_out"]["slices"]
        for where in ("hgbo-dse csynth", "pooled designs", "pooled vitis"):
            slices[where] = {**slices["one"], "lut": figure(lut, 0.25)}
    text = f"<!-- figures: {name} -->\nold\n<!-- end -->"
    assert line in rewritten(text, everything, shipped)
    assert rewritten(text, everything) == text  # without them the table stays as it is


def test_designs_of_real_projects() -> None:
    both = {"answer": {"spearman": 0.99, "median_error": 0.18}, "closed form": {"spearman": 0.7, "median_error": 0.04}}
    ends = {which: {"coverage": 0.75, "width": 2.25, "width_error": 0.4} for which in ("stated", "defaults")}
    each = {**both, "designs": 36, "unknown": 11, "intervals": ends}
    targets = dict.fromkeys(("latency_cycles", "lut", "dsp", "ff"), each)
    loops = {"ii": {"right": 3, "of": 4}, "latency": {"right": 1, "of": 2}}
    real = {"targets": targets, "loops": loops, "of_another_source": ["one"]}
    text = rewritten("<!-- figures: real -->\n<!-- end -->", figures(), None, real)
    assert "| answer | 0.99 / 18 % |" in text and "| closed form | 0.70 / 4 % |" in text
    assert "| intervals, settings by default | 75 % x2.2 0.40 |" in text
    assert "right in 75% of the pipelined loops, the latency of 50% of all" in text and "another source: 1." in text


def test_slices_that_do_not_belong_stay_out() -> None:
    assert "not inspected" not in table("by-groups") and "pooled all" not in table("controls")
    assert "| one |" not in table("not-inspected")


def test_what_cannot_be_filled_is_an_error() -> None:
    with pytest.raises(DataError, match="no table is named 'nothing'"):
        table("nothing")
    with pytest.raises(DataError, match="use --evaluate"):
        rewritten("<!-- figures: controls -->\n<!-- end -->", {**figures(), "controls": {"trees": {}}})


def test_the_command_writes_the_document_whole(tmp_path: Path) -> None:
    document, measured = tmp_path / "model.md", tmp_path / "figures.json"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    measured.write_text(json.dumps(figures()), encoding="utf-8")
    assert main(["document", str(measured), "--document", str(document)]) == 0
    text = document.read_text(encoding="utf-8")
    assert "| one | 1,200 |" in text
    plain = re.compile(r"<!-- figures.*?<!-- end -->", re.DOTALL)
    assert plain.sub("", text) == plain.sub("", DOCUMENT.read_text(encoding="utf-8"))
    measured.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="is not JSON"):
        main(["document", str(measured), "--document", str(document)])
