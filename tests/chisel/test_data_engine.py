"""The data engine: samples pass every stage, styles write one circuit, netlist numbers mean what they say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.chisel.conftest import plain

from hwml_sdk.chisel.data_engine.diversity import report_of, text_figures
from hwml_sdk.chisel.data_engine.families import FAMILIES, compose
from hwml_sdk.chisel.data_engine.generate import Accepted, DataConfig, generate, quotas
from hwml_sdk.chisel.data_engine.importer import cuts
from hwml_sdk.chisel.data_engine.shard import make_samples
from hwml_sdk.chisel.data_engine.styles import Style
from hwml_sdk.chisel.data_engine.verify import Failed, Verified, Verifier
from hwml_sdk.chisel.session import Session
from hwml_sdk.cli import main
from hwml_sdk.errors import HwmlError

STYLES = (
    Style("short", "bundle", "init", "when", "none"),
    Style("camel", "loose", "next", "mux", "line"),
    Style("snake", "named", "init", "default", "doc"),
)
# One family of each structure; seeds that use registers, conditions and state.
IN_STYLES = ("when_chain", "accumulators", "enables", "counter", "machine", "valid_pipe")


def module(body: str, name: str = "M") -> str:
    ports = "val a = Input(UInt(4.W)); val b = Input(UInt(4.W)); val y = Output(UInt(4.W))"
    return f"import chisel3._\nclass {name} extends Module {{\n  val io = IO(new Bundle {{ {ports} }})\n  {body}\n}}\n"


def test_stages_and_numbers(session: Session) -> None:
    """One batch for all of it: failures are laid at the right text and stage, the others keep their answers."""
    texts = {
        "sum": module("io.y := io.a + (io.b & 3.U)"),
        # The same circuit: other names, another order of the ports and of the operands of +.
        "renamed": "import chisel3._\nclass Other extends Module { val q = IO(Output(UInt(4.W)))\n"
        "val right = IO(Input(UInt(4.W))); val left = IO(Input(UInt(4.W)))\n"
        "val masked = right & 3.U; q := masked + left }\n",
        "constant": module("io.y := io.a + (io.b & 1.U)"),
        "wider": module("io.y := io.a + (io.b & 3.U)").replace("4.W", "7.W"),
        "operator": module("io.y := io.a - (io.b & 3.U)"),
        "turned": module("io.y := (io.b & 3.U) - io.a"),
        "typo": module("io.y := io.a + io.c"),
        "throws": module('require(false, "never"); io.y := io.a'),
        "undriven": module("val w = Wire(UInt(4.W)); io.y := w + io.a + io.b"),
        "unread": module("io.y := io.a + 1.U"),
        "nothing": "import chisel3._\nclass JustData extends Bundle { val a = UInt(2.W) }\n",
    }
    found = Verifier(session).run(texts)
    assert list(found) == list(texts)
    stages = {key: result.stage for key, result in found.items() if isinstance(result, Failed)}
    assert stages == {"typo": "compile", "throws": "elaborate", "undriven": "lower", "nothing": "compile"}
    good = {key: result for key, result in found.items() if isinstance(result, Verified)}
    exact = {key: result.netlist.exact for key, result in good.items()}
    abstract = {key: result.netlist.abstract for key, result in good.items()}
    assert exact["sum"] == exact["renamed"]
    assert len(set(exact.values())) == len(exact) - 1
    # Widths and constants are all in which these differ; what is subtracted from what is more than that.
    assert abstract["sum"] == abstract["constant"] == abstract["wider"]
    assert len({abstract[key] for key in ("sum", "operator", "turned", "unread")}) == 4
    assert good["unread"].netlist.unused == ("io_b",)
    assert not good["sum"].netlist.unused
    assert "module sum_M(" in plain(good["sum"].verilog)
    assert [(p.name, p.direction, p.width) for p in good["wider"].ports if p.name.startswith("io")] == [
        ("io_a", "input", 7),
        ("io_b", "input", 7),
        ("io_y", "output", 7),
    ]


def test_styles_write_one_circuit(session: Session) -> None:
    texts = {}
    for name in IN_STYLES:
        for number, style in enumerate(STYLES):
            texts[f"{name}{number}"] = compose(FAMILIES[name], f"5 {name} 1", style).source()
    assert len(set(texts.values())) == len(texts)
    found = Verifier(session).run(texts)
    for name in IN_STYLES:
        numbers = []
        for number in range(len(STYLES)):
            result = found[f"{name}{number}"]
            assert isinstance(result, Verified), (result, texts[f"{name}{number}"])
            numbers.append(result.netlist.exact)
        assert len(set(numbers)) == 1, name


def test_rows(session: Session) -> None:
    picks = [[name, 0] for name in list(FAMILIES)[::4]]
    made = list(make_samples(Verifier(session), 3, picks))
    assert not [result for _, result in made if isinstance(result, Failed) and result.stage != "trivial"]
    for row, result in made:
        assert row["level"] in ("L1", "L2", "L3", "L4", "util")
        assert f"class {row['top']}" in row["output"]
        asked = row["instruction"] + row["input"]
        assert row["top"] in asked
        if isinstance(result, Verified):
            said = {name for name, _, _ in row["ports"]} - {"clock", "reset"}
            # A port of a bundle is called io_x or x_bits in Verilog: its first name is in the task.
            assert all(
                name.removeprefix("io_").partition("_bits")[0].partition("_valid")[0].split("_")[0] in asked
                for name in said
            )
    first = next(iter(FAMILIES))
    again = compose(FAMILIES[first], f"3 {first} 0").source()
    assert again == made[0][0]["output"]


def test_plan() -> None:
    plan = quotas(10_000)
    levels = Counter(dict.fromkeys(("L1", "L2", "L3", "L4", "util"), 0))
    for name, count in plan.items():
        levels[FAMILIES[name].level] += count
    assert dict(levels) == {"L1": 6000, "L2": 3000, "L3": 1000, "L4": 500, "util": 550}
    assert max(plan.values()) <= 0.05 * sum(plan.values())
    assert plan["enum_switch"] == 100
    assert {plan[name] for name in ("pop_count", "reverse", "fill", "log2", "mux_lookup", "cat_shifts")} == {50}


def row(netlist: str, abstract: str, family: str = "f") -> dict[str, Any]:
    return {"netlist": netlist, "abstract": abstract, "family": family}


def test_what_is_taken() -> None:
    accepted = Accepted({"f": 9, "g": 1}, frozenset({"task"}))
    offers = [
        row("1", "a"),
        row("1", "a"),
        row("2", "task"),
        row("3", "b"),
        row("4", "c"),
        row("5", "c"),
        row("6", "d", "g"),
    ]
    # 4 netlists, 3 abstract ones: 0.75, more than the bar; of the next repeat 3 of 5 would be left.
    taken = [accepted.offer(item) for item in offers]
    assert taken == [True, False, False, True, True, True, True]
    assert [accepted.offer(row("7", "c")), accepted.offer(row("8", "d")), accepted.offer(row("9", "e", "g"))] == [
        False,
        False,
        False,
    ]
    assert dict(accepted.dropped) == {
        "same netlist": 1,
        "evaluation task": 1,
        "same but for widths and constants": 2,
        "family full": 1,
    }
    assert accepted.missing() == {"f": 5}


def test_text_figures() -> None:
    one = "when(a) { b := c + d } "
    figures = text_figures([one, one])
    assert figures["ngrams_distinct"] == 0.5
    assert figures["constructs"] == {"when": 2}


def test_cuts() -> None:
    text = (
        "package p\nimport chisel3._\n\nclass Pair extends Bundle { val x = UInt(2.W) }\nobject Width { val w = 3 }\n"
        "/** Passes a pair on. */\nclass Pass extends Module { val io = IO(new Bundle { val i = Input(new Pair) }) }\n"
        "class Plain { val n = 1 }\n"
    )
    (cut,) = cuts(text)
    assert (cut.name, cut.remark) == ("Pass", "Passes a pair on.")
    assert "class Pair" in cut.text
    assert "Width" not in cut.text
    assert cut.text.startswith("import chisel3._\n")


@pytest.mark.slow
def test_generate_and_go_on(tmp_path: Path, programs: object, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows for one and two workers, and after an interruption; other settings are refused."""
    one, two = tmp_path / "one", tmp_path / "two"
    arguments = ["chisel", "data", "generate", "--samples", "20", "--shard", "60"]
    assert main([*arguments, "--out", str(one)]) == 0
    generate(DataConfig(str(two), 20, workers=2, shard=60))
    data = (one / "chisel.jsonl").read_text()
    assert data == (two / "chisel.jsonl").read_text()
    rows = [json.loads(line) for line in data.splitlines()]
    assert len({item["netlist"] for item in rows}) == len(rows) >= 20
    assert report_of(rows)["abstract_distinct_share"] >= 0.6
    columns = json.loads((one / "dataset_info.json").read_text())["hwml_chisel"]["columns"]
    assert set(columns.values()) <= set(rows[0])
    with pytest.raises(HwmlError, match="other settings"):
        generate(DataConfig(str(one), 20, seed=1, shard=60))


@pytest.mark.slow
def test_import(tmp_path: Path, programs: object, capsys: pytest.CaptureFixture[str]) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out"
    tree.mkdir()
    (tree / "a.scala").write_text(
        "package mine\n" + module("io.y := io.a ^ io.b", "One") + module("io.y := io.z", "Bad")[16:]
    )
    (tree / "b.scala").write_text(module("io.y := io.b ^ io.a", "Two"))
    assert main(["chisel", "data", "import", str(tree), "--out", str(out)]) == 3
    assert main(["chisel", "data", "import", str(tree), "--out", str(out), "--trust"]) == 0
    (only,) = [json.loads(line) for line in (out / "chisel.jsonl").read_text().splitlines()]
    assert only["top"] == "One"
    report = json.loads((out / "report.json").read_text())
    assert (report["dropped"], report["failed"]) == ({"same netlist": 1}, {"compile": 1})
