"""Mistakes met in real projects and questions, in words of our own: reported, and repaired to what was meant.

`tests/data/chisel/met_cases.scala.txt` holds a faulty and a right file for each. Which signal an enumeration of the
wrong kind was to be, nobody can know: that case is left to a person.
"""

from __future__ import annotations

import pytest

from hwml_sdk.chisel.repair.gate import find_repairs
from hwml_sdk.chisel.say.codes import meaning_of
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest

from .conftest import check
from .repair_cases import DATA, Case, _sections, judge

CASES = [Case(*section) for section in _sections(DATA / "met_cases.scala.txt")]
SLOW = pytest.mark.slow
# Said where the mistake shows: where a port is written that was declared the wrong way round, where a default is
# missing, where a register needs the reset that nobody gave.
SAID_WHERE_IT_SHOWS = {
    "streams chosen by a switch", "stream that is not flipped", "input that is written", "stream as an input",
    "clock domain without a reset",
}  # fmt: skip


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=SLOW) for part in range(1, 6))])
def test_met_cases_are_repaired(session: Session, part: int) -> None:
    judged = [judge(session.check, case) for case in CASES[part::6]]
    assert [(item.case.name, item.outcome, item.titles) for item in judged if not item.repaired] == []
    assert [item.case.name for item in judged if item.alarm] == []
    assert {item.case.name for item in judged if not item.in_place} <= SAID_WHERE_IT_SHOWS


OTHER_KIND = """import chisel3._
object Lamp extends ChiselEnum { val dark, lit = Value }
object Door extends ChiselEnum { val open, shut = Value }
class House extends Module {
  val io = IO(new Bundle { val door = Input(Door()); val lamp = Input(Lamp()); val show = Output(Lamp()) })
  val held = RegInit(Lamp.dark)
  held := io.door
  io.show := held
}
"""


def test_another_enumeration_is_never_connected_by_itself(session: Session) -> None:
    request = CheckRequest((("Demo.scala", OTHER_KIND),), elaborate=True, timeout_s=60)
    found = session.check(request)
    (item,) = found.errors
    assert item.code == "CH220" and "Lamp and Door" in item.cause
    repairs = find_repairs(OTHER_KIND, found, request, session.check, budget_s=60)
    assert [repair.safe for repair in repairs] == [False]
    assert "held := io.lamp" in repairs[0].text  # the one signal that holds a Lamp


def test_an_import_is_written_once(session: Session) -> None:
    text = """import chisel3._
import chisel3.stage.{ChiselStage, ChiselGeneratorAnnotation}
class Not extends Module {
  val io = IO(new Bundle { val a = Input(Bool()); val y = Output(Bool()) })
  io.y := !io.a
}
object One extends App { (new ChiselStage).execute(args, Seq(ChiselGeneratorAnnotation(() => new Not))) }
object Two extends App { (new ChiselStage).execute(args, Seq(ChiselGeneratorAnnotation(() => new Not))) }
"""
    request = CheckRequest((("Demo.scala", text),), elaborate=True, timeout_s=60)
    (repair,) = find_repairs(text, session.check(request), request, session.check, budget_s=60)
    assert repair.safe and repair.text.count("circt.stage.ChiselStage") == 1


def test_inner_names_do_not_show(session: Session) -> None:
    """Each check lives in a package of its own, which is nobody's business."""
    text = OTHER_KIND.replace("Lamp()); val show", "Lamp()); val x = Input(new Pair); val show").replace(
        "held := io.door", "held := io.x"
    )
    text += "class Pair extends Bundle { val left = Bool() }\n"
    found = check(session, text)
    assert found.errors and all("hwml_" not in item.text for item in found.diagnostics)


# What a tool says, and words that have to be in what a person reads. Stages as in `types`.
SAID = [
    ("type", "error", "macro applications do not support named and/or default arguments", "by place"),
    ("type", "error", "unknown parameter name: init", "WireDefault"),
    ("type", "error", "value a of type chisel3.UInt does not take type parameters.", "parentheses"),
    ("type", "error", "no arguments allowed for nullary method apply: (): chisel3.Bool in trait BoolFactory", "true.B"),
    ("type", "error", "illegal inheritance from final class Module", "import chisel3._"),
    ("type", "error", "r is already defined as value r", "r is defined twice"),
    ("type", "warning", "Passing an Int to .U is usually a mistake: It does *not* set the width", ".W"),
    ("elaborate", "error", "Sink (Lamp) and Source (UInt<2>) have different types.", "Lamp.safe(x)"),
    ("elaborate", "error", "Sink (UInt<2>) and Source (Lamp) have different types.", ".asUInt"),
    ("elaborate", "error", "io.h in Half cannot be written from module Quarter", "turn it round"),
    ("firtool", "error", 'sink "box.clk" not fully initialized in "Top"', "black box"),
    ("firtool", "error", 'Unable to resolve sink(s) for pin: "kept"', "addSink"),
    ("firtool", "error", "'firrtl.ref.resolve' op ambient layers are insufficient to resolve reference", "layer.block"),
    ("firtool", "error", "something new", "emit --chirrtl"),
]


@pytest.mark.parametrize(("stage", "severity", "message", "words"), SAID)
def test_words_of_tools_are_put_in_ours(stage: str, severity: str, message: str, words: str) -> None:
    meaning = meaning_of(stage, severity, message, "java.lang.RuntimeException")  # type: ignore[arg-type]
    assert words in f"{meaning.cause}. {meaning.hint}"
    assert "{" not in meaning.cause.replace("{ ", "")
