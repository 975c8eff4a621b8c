"""The tables of docs/lora.md are what the commands said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.cli import main
from hwml_sdk.errors import DataError
from hwml_sdk.train.lora.document import rewritten

ROOT = Path(__file__).resolve().parents[2]
MARKED = "<!-- figures: {} -->\n\nold\n\n<!-- end -->\n"


def _row(role: str, condition: str, generator: str, accuracy: float, auc: float, models: int = 1) -> dict[str, Any]:
    figures = {"accuracy": accuracy, "auc": auc}
    said = {"role": role, "condition": condition, "generator": generator, "n_tasks": 8, "n_models": models}
    return said | {"figures": figures, "spread": dict.fromkeys(figures, 0.0)}


FIGURES = {
    "rows": [
        _row("union", "trained", "", 0.9, 1.0),
        _row("union", "nearest", "", 0.701, 0.75),
        _row("union", "generated", "linear", 0.814, 0.9, 3),
        _row("new", "nearest", "", 0.5, 0.5),
    ],
    "gap_closed": {"union": {"linear": {"accuracy": 0.5678, "auc": 0.6}}},
}


def test_rows_stand_in_their_order_and_columns() -> None:
    text = "before\n" + MARKED.format("demonstration") + MARKED.format("closed") + "after\n"
    assert rewritten(text, {"demonstration": FIGURES}).splitlines() == [
        "before",
        "<!-- figures: demonstration -->",
        "",
        "| accuracy / AUC | new unions of known constructs (8) | new constructs (8) |",
        "|---|---|---|",
        "| nearest training adapter | 0.70 / 0.75 | 0.50 / 0.50 |",
        "| **generated, linear** | 0.81 / 0.90 |  |",
        "| really trained | 0.90 / 1.00 |  |",
        "",
        "<!-- end -->",
        "<!-- figures: closed -->",
        "",
        "| share of the gap closed, 3 seeds | accuracy | AUC |",
        "|---|---|---|",
        "| linear | 57 % | 60 % |",
        "",
        "<!-- end -->",
        "after",
    ]


def test_tables_of_what_was_not_measured_stay() -> None:
    text = (ROOT / "docs" / "lora.md").read_text(encoding="utf-8")
    assert rewritten(text, {}) == text
    assert "-->\n\n<!-- end -->" not in text  # every one was filled


def test_what_is_no_evaluation_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="no table is named 'other'"):
        rewritten(MARKED.format("other"), {"demonstration": FIGURES})
    (tmp_path / "d.md").write_text(MARKED.format("demonstration"))
    for name, text, said in (
        ("a.json", "{", "a.json: cannot be read as JSON"),
        ("b.json", "[]", "b.json: a JSON object was expected"),
        ("c.json", "{}", "the figures hold nothing for the table 'demonstration'"),
    ):
        (tmp_path / name).write_text(text)
        words = ["--demonstration", str(tmp_path / name), "--document", str(tmp_path / "d.md")]
        assert main(["train", "lora", "document", *words]) == 2
        assert said in capsys.readouterr().err
        assert (tmp_path / "d.md").read_text() == MARKED.format("demonstration")
    (tmp_path / "d.json").write_text(json.dumps(FIGURES))
    words = ["--demonstration", str(tmp_path / "d.json"), "--document", str(tmp_path / "d.md")]
    assert main(["train", "lora", "document", *words]) == 0
    assert "| really trained | 0.90 / 1.00 |  |" in (tmp_path / "d.md").read_text()
