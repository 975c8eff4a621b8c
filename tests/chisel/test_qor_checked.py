"""Figures on their way from the lowered circuit to whoever shows them: session, provider, budgets, marks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.chisel.conftest import check

from hwml_hooks import marks
from hwml_sdk.chisel.provider import Examination, annotations_of, as_analysis
from hwml_sdk.chisel.serve.protocol import result_from, result_json
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest
from hwml_sdk.cli import main
from hwml_sdk.document import Analysis
from hwml_sdk.languages import CHISEL

# 16 x 16 bits with registers on both sides: one DSP48E1, two cycles. An adder of eight bits: eight tables.
GOOD = """import chisel3._
class Times extends Module {
  val io = IO(new Bundle { val a = Input(UInt(16.W)); val b = Input(UInt(16.W)); val y = Output(UInt(32.W)) })
  io.y := RegNext(RegNext(io.a) * RegNext(io.b))
}
class Plus extends Module {
  val io = IO(new Bundle { val a = Input(UInt(8.W)); val b = Input(UInt(8.W)); val y = Output(UInt(8.W)) })
  io.y := io.a + io.b
}
"""
BROKEN = """class Never extends Module {
  val io = IO(new Bundle { val y = Output(UInt(8.W)) })
  require(false, "no such size")
  io.y := 0.U
}
class Open extends Module {
  val io = IO(new Bundle { val y = Output(UInt(8.W)) })
}
"""


@pytest.mark.parametrize("which", ["session", "old_session"])
def test_every_lowered_module_has_figures(which: str, request: pytest.FixtureRequest) -> None:
    """Of both firtools: the newer one writes Verilog and circuit in one run, the older one in two."""
    session: Session = request.getfixturevalue(which)
    result = check(session, GOOD)
    found = {module.name: module.qor for module in result.modules}
    assert found["Times"] is not None and found["Plus"] is not None
    assert (found["Times"].dsp, found["Times"].ff, found["Times"].lut, found["Times"].latency_cycles) == (1, 0, 0, 2)
    assert (found["Plus"].lut, found["Plus"].ff, found["Plus"].latency_cycles) == (8, 0, 0)
    assert found["Plus"].lines[0].name == "Demo.scala:8"
    assert result_from(json.loads(json.dumps(result_json(result)))) == result


def test_nothing_stands_at_a_module_that_was_not_lowered(session: Session) -> None:
    """One whose constructor fails, one that firtool refuses; the others keep theirs."""
    result = check(session, GOOD + BROKEN)
    assert not result.ok
    assert [item.name for item in annotations_of("Demo.scala", result)] == ["Times", "Plus"]
    assert annotations_of("Demo.scala", check(session, GOOD, elaborate=False)) == ()


def test_only_what_does_not_compile_is_half_typed(session: Session) -> None:
    """Of a text that cannot be read an editor keeps the figures of before, marked as old; of modules that compile and
    do not elaborate or lower it keeps none."""

    def faults(text: str) -> int:
        request = CheckRequest((("Demo.scala", text),), elaborate=True)
        result = session.check(request)
        assert result.errors
        return as_analysis("Demo.scala", Examination(result, request, session.check)).faults

    assert faults(GOOD + BROKEN) == 0
    assert faults(GOOD + "class Half extends Module {") == 1


def test_the_largest_module_is_the_design_and_marks_are_known_again(session: Session) -> None:
    annotations = annotations_of("Demo.scala", check(session, GOOD))
    analysis = Analysis("Demo.scala", "chisel", annotations=annotations)
    assert analysis.design is not None
    assert analysis.design.name == "Times"
    assert [item.span.start_line for item in annotations] == [1, 5]
    marked = marks.insert(GOOD, marks.notes_of(analysis, CHISEL), CHISEL)
    assert "// hwml: 0 LUT · 1 DSP · 2 cyc\nclass Times" in marked
    assert marks.strip(marked, CHISEL) == GOOD


def test_feedback_stands_in_a_mark_too(session: Session) -> None:
    text = (
        "import chisel3._\nclass Sum extends Module {\n"
        "  val io = IO(new Bundle { val d = Input(UInt(8.W)); val y = Output(UInt(8.W)) })\n"
        "  val r = RegInit(0.U(8.W))\n  r := r + io.d\n  io.y := r\n}\n"
    )
    analysis = Analysis("Demo.scala", "chisel", annotations=annotations_of("Demo.scala", check(session, text)))
    for ascii_only, sign in ((False, "≥"), (True, ">=")):
        marked = marks.insert(text, marks.notes_of(analysis, CHISEL, ascii_only=ascii_only), CHISEL)
        assert f"{sign}1 cyc\nclass Sum" in marked
        assert marks.strip(marked, CHISEL) == text


def test_verilog_is_what_it_was_without_figures(session: Session, tmp_path: Path) -> None:
    """The circuit is asked for beside the Verilog; the Verilog itself stays free of locators."""
    verilog = check(session, GOOD, outputs=True).verilog["Times"]
    assert "module Times(" in verilog
    assert "Demo.scala" not in verilog


def test_the_command_line_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`hwml qor` of a Scala file is `hwml chisel qor`; without trust nothing is elaborated, and it says what to do."""
    source = tmp_path / "Demo.scala"
    source.write_text(GOOD, encoding="utf-8")
    assert main(["qor", str(source), "--trust", "--json", "--timeout", "60"]) == 0
    rows = json.loads(capsys.readouterr().out)["modules"]
    assert [(row["module"], row["line"], row["predicted"]["dsp"]) for row in rows] == [("Times", 2, 1), ("Plus", 6, 0)]
    assert main(["chisel", "qor", str(source), "--timeout", "60"]) == 1
    shown = capsys.readouterr()
    assert "no figures: it was not elaborated and lowered" in shown.out
    assert "(elaborate, firtool) did not run" in shown.err and "hwml trust" in shown.err and "figures" in shown.err


def test_yosys_runs_once_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many modules the file has: a program in place of yosys counts how often it is started."""
    source, program = tmp_path / "Demo.scala", tmp_path / "yosys"
    source.write_text(GOOD, encoding="utf-8")
    stat = '{"modules": {"m0": {"num_cells_by_type": {"LUT2": 7}}}}'
    program.write_text(f"#!/bin/sh\necho run >> {tmp_path / 'runs'}\necho '{stat}' > stat.json\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("HWML_YOSYS", str(program))
    main(["chisel", "qor", str(source), "--trust", "--measure", "--json", "--timeout", "60"])
    rows = json.loads(capsys.readouterr().out)["modules"]
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "run\n"
    assert sorted((row["measured"] or {"lut": -1})["lut"] for row in rows) == [-1, 7]


def test_modules_that_no_rule_was_made_on(session: Session) -> None:
    """24 hand-written ones, counted by yosys 0.70: at first sight LUT fit on 18, FF on 20, DSP on all."""
    folder = Path(__file__).parents[1] / "data" / "chisel" / "unseen"
    labels = json.loads((folder / "unseen.json").read_text(encoding="utf-8"))
    result = check(session, (folder / "unseen.scala").read_text(encoding="utf-8"), timeout_s=120)
    found = [(labels[item.name], item.qor) for item in result.modules if item.qor is not None]
    assert len(found) == len(labels) == 24
    close = [q.lut is not None and abs(q.lut - t["lut"]) <= max(2, 0.12 * t["lut"]) for t, q in found]
    assert sum(close) >= 18
    assert sum(q.ff == t["ff"] for t, q in found) >= 20
    assert all(q.dsp == t["dsp"] for t, q in found)
