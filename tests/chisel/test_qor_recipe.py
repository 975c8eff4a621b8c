"""`python -m sdk.train chisel-qor`: labels that are kept, circuits that yosys refuses, figures by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.chisel.hw_texts import circuit, module

from hwml_sdk.chisel.qor.intervals import Band
from hwml_sdk.errors import DataError, HwmlError
from hwml_sdk.train.__main__ import main
from hwml_sdk.train.chisel_qor.calibrate import try_residual
from hwml_sdk.train.chisel_qor.card import table
from hwml_sdk.train.chisel_qor.circuits import Row, number_of
from hwml_sdk.train.chisel_qor.judge import examples_of, figures, linear_fit, spearman
from hwml_sdk.train.chisel_qor.labels import LABELS, label
from hwml_sdk.train.chisel_qor.netlist_latency import pairs_of

# Counts each text's `// lut N`; ends with an error for one that says `bad`; notes every run.
YOSYS = """#!/usr/bin/env python3
import json, pathlib, sys
if sys.argv[1:] == ["-V"]:
    print("Yosys 0.70 (a stand-in)"); raise SystemExit
texts = {path.stem: path.read_text() for path in pathlib.Path().glob("m*.sv")}
with open(LOG, "a") as log:
    log.write(f"{len(texts)}\\n")
if any("bad" in text for text in texts.values()):
    print("ERROR: syntax error", file=sys.stderr); raise SystemExit(1)
counts = {name: {"num_cells_by_type": {"LUT2": int(text.split()[-1])}} for name, text in texts.items()}
pathlib.Path("stat.json").write_text(json.dumps({"modules": counts}))
"""


def adder(width: int) -> str:
    body = f"%0 = comb.add %a, %b : i{width}"
    ports = f"in %a : i{width}, in %b : i{width}, out y : i{width}"
    return circuit(module("Sum", ports, body, end=f"%0 : i{width}"))


def row(width: int, measured: object, group: str = "sums") -> Row:
    text = adder(width)
    return Row(f"Sum{width}", group, "Sum", f"n{width}", f"module Sum(); endmodule\n// lut {measured}", text)


@pytest.fixture
def yosys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of yosys; the file that it writes the size of each run to."""
    program, log = tmp_path / "yosys", tmp_path / "runs"
    program.write_text(YOSYS.replace("LOG", repr(str(log))), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("HWML_YOSYS", str(program))
    return log


def say(_: str) -> None:
    pass


def test_no_circuit_is_labelled_twice(tmp_path: Path, yosys: Path) -> None:
    rows = [row(8, 9), row(16, 16)]
    assert label(tmp_path, rows, say)["n8"]["lut"] == 9
    assert set(label(tmp_path, [*rows, row(4, 4)], say)) == {"n8", "n16", "n4"}
    assert yosys.read_text(encoding="utf-8").split() == ["2", "1"]


def test_labels_of_another_yosys_are_passed_over(tmp_path: Path, yosys: Path) -> None:
    old = {"netlist": "n8", "key": "", "yosys": "Yosys 0.23", "counts": {"lut": 1}}
    (tmp_path / LABELS).write_text(json.dumps(old) + "\n", encoding="utf-8")
    assert label(tmp_path, [row(8, 9)], say)["n8"]["lut"] == 9


def test_a_circuit_that_yosys_refuses_costs_only_itself(tmp_path: Path, yosys: Path) -> None:
    """A batch that fails is halved until it is found: 4, 2, 1, 1, 2; it is not tried again."""
    rows = [row(8, 8), row(16, "bad"), row(4, 4), row(2, 2)]
    assert set(label(tmp_path, rows, say)) == {"n8", "n4", "n2"}
    assert yosys.read_text(encoding="utf-8").split() == ["4", "2", "1", "1", "2"]
    assert set(label(tmp_path, rows, say)) == {"n8", "n4", "n2"}
    assert len(yosys.read_text(encoding="utf-8").split()) == 5


def test_a_broken_list_of_labels(tmp_path: Path, yosys: Path) -> None:
    (tmp_path / LABELS).write_text("{\n", encoding="utf-8")
    with pytest.raises(DataError, match="not a list of labels"):
        label(tmp_path, [row(8, 8)], say)


def test_figures_by_hand(tmp_path: Path, yosys: Path) -> None:
    """Adders count a table a bit. 8 for 10 is off by 2 and near; 32 for 36 by 4 and near (12 % of 36 is 4.3); 64 for 80
    by 16 and not; 100 for 100 is exact. The median of the relative errors .2, .111, .2, 0 is .156. Intervals reach up
    to 37 / 33 of the count and one: to 9, 36, 72 and 112, so that 36 and 100 are inside."""
    rows = [row(8, 10), row(32, 36), row(64, 80), row(100, 100)]
    examples = examples_of(rows, label(tmp_path, rows, say))
    found = figures(examples, {"lut": (Band(None, 1.0, 37 / 33),)})
    assert found["lut_near"] == 0.75
    assert found["lut_median_error"] == pytest.approx((0.2 + 4 / 36) / 2)
    assert found["lut_spearman"] == 1 and found["ff_exact"] == 1
    assert found["lut_coverage"] == 0.5


def test_ranks_share_ties() -> None:
    """1 2 2 3 against 1 2 3 4: ranks 1 2.5 2.5 4; r = 4.5 / sqrt(4.5 * 5)."""
    assert spearman(np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 3, 4])) == pytest.approx(4.5 / math.sqrt(22.5))
    assert math.isnan(spearman(np.ones(3), np.arange(3.0)))


def test_the_linear_fit_finds_a_table_a_bit(tmp_path: Path, yosys: Path) -> None:
    rows = [row(width, width) for width in (4, 8, 12, 20, 30)]
    examples = examples_of(rows, label(tmp_path, rows, say))
    assert linear_fit(examples[:4], examples[4:]) == pytest.approx([30], rel=0.05)


def test_a_correction_wins_only_where_there_is_something_to_correct(tmp_path: Path, yosys: Path) -> None:
    """Half as much again in every family: it can be learned from the others. Exact counts: it cannot win."""
    widths = range(10, 60, 2)
    rows = [row(width, 3 * width // 2, f"g{width % 5}") for width in widths]
    wrong = try_residual(examples_of(rows, label(tmp_path / "a", rows, say)))
    assert wrong.wins and wrong.near_alone == 0 and wrong.near_corrected == 1
    rows = [row(width, width, f"g{width % 5}") for width in widths]
    assert not try_residual(examples_of(rows, label(tmp_path / "b", rows, say))).wins


def test_cycles_of_a_netlist() -> None:
    """y = reg(a) of the low bit, and of b without one; the enable counts as a cycle too; the clock is no input."""
    cells = {
        "r": {
            "type": "$dffe",
            "connections": {"CLK": [1], "D": [2], "Q": [5], "EN": [4]},
            "port_directions": {"CLK": "input", "D": "input", "Q": "output", "EN": "input"},
            "parameters": {},
        },
        "x": {
            "type": "$xor",
            "connections": {"A": [5], "B": [3], "Y": [6]},
            "port_directions": {"A": "input", "B": "input", "Y": "output"},
            "parameters": {},
        },
    }
    ports = {
        name: {"direction": "output" if name == "y" else "input", "bits": [bit]}
        for name, bit in (("clock", 1), ("a", 2), ("b", 3), ("en", 4), ("y", 6))
    }
    assert pairs_of({"cells": cells, "ports": ports}) == {("a", "y"): 1, ("b", "y"): 0, ("en", "y"): 1}


def test_equal_circuits_have_equal_numbers() -> None:
    renamed = adder(8).replace("%a", "%left").replace("%b", "%right")
    assert number_of(renamed, "Sum") == number_of(adder(8), "Sum") != number_of(adder(9), "Sum")


def test_what_clocks_a_register_tells_circuits_apart() -> None:
    """One register behind another, with one clock or with two; two clocks by other names are the same two clocks."""

    def of(first: str, second: str) -> str:
        body = [f"%r = seq.firreg %a clock %{first} : i8", f"%s = seq.firreg %r clock %{second} : i8"]
        ports = "in %c : !seq.clock, in %d : !seq.clock, in %a : i8, out y : i8"
        return number_of(circuit(module("Two", ports, *body, end="%s : i8")), "Two")

    assert of("c", "d") == of("d", "c") != of("c", "c")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--samples", "3"], "--samples is at least"),
        (["--judge", "/no/such.scala"], "no such file"),
        (["--judge", ".", "--artifact", "x"], "one at a time"),
        (["--judge", ".", "--with", "."], "one at a time"),
        (["--with", "/no/such.scala"], "no such file"),
    ],
)
def test_wrong_use_is_one_line(more: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chisel-qor", "--out", str(tmp_path), *more]) == HwmlError.exit_code == 2
    words = capsys.readouterr().err
    assert said in words and words.count("\n") == 1


def test_a_table_has_a_line_a_place() -> None:
    """A correlation that there is none of (one circuit alone) is a dash."""
    one = {"circuits": 1.0, "lut_near": 1.0, "lut_spearman": math.nan, "ff_exact": 0.5}
    one |= {"dsp_exact": 1.0, "latency_equal": 1.0, "lut_coverage": 0.0}
    lines = table({"figures": one, "places": {"left": one, "longer": one}}).splitlines()
    assert lines[0].split() == ["circuits", "1"]
    assert lines[-1].split() == ["longer", "1", "100.0", "%", "-", "50.0", "%", "100.0", "%", "100.0", "%", "0.0", "%"]
