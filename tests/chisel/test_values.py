"""More is elaborated: values of parameters from the project, children through their parents, files as a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.chisel.build.parameters import calls_in_project, with_values
from hwml_sdk.chisel.say.literal_calls import literal_calls
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest

from .conftest import check

DELAY = """import chisel3._
class Delay(width: Int, steps: Int) extends Module {
  val io = IO(new Bundle { val d = Input(UInt(width.W)); val q = Output(UInt(width.W)) })
  io.q := (0 until steps).foldLeft(io.d)((x, _) => RegNext(x))
}
"""


def test_values_from_a_main_of_the_same_file(session: Session) -> None:
    main = "object Main extends App { circt.stage.ChiselStage.emitSystemVerilog(new Delay(12, steps = 2)) }\n"
    result = check(session, DELAY + main)
    assert [module.elaborated for module in result.modules] == [True]
    assert result.diagnostics == ()
    assert [port.width for port in result.modules[0].ports if port.name == "io_q"] == [12]
    assert any("Delay(12, steps = 2)" in note and "Demo.scala:6" in note for note in result.notes)


def test_what_is_wrong_with_these_values_is_found(session: Session) -> None:
    """Reg(0.U) is refused only when the constructor runs."""
    bad = DELAY.replace("RegNext(x))", "RegNext(x))\n  val r = Reg(0.U)")
    assert check(session, bad).errors == ()  # nobody says what a Delay is
    found = check(session, bad + "object Main { def make = new Delay(4, 1) }\n").errors
    assert [(item.code, item.span.start_line) for item in found] == [("CH201", 4)]


def test_calls_that_do_not_compile_here_are_passed_over(session: Session) -> None:
    other = "object Main { def make(s: Sizes) = new Delay(Sizes.Wide, 1); def more = new Delay(8, 1) }\nclass Sizes\n"
    result = check(session, DELAY + other.replace("new Delay(Sizes.Wide, 1)", '"new Delay(3, 1)"'))
    assert any("Delay(8, 1)" in note for note in result.notes)  # what stands in a string makes nothing


def test_values_from_the_project(session: Session, tmp_path: Path) -> None:
    source, test = (tmp_path / "src" / kind / "scala" for kind in ("main", "test"))
    for folder in (source, test):
        folder.mkdir(parents=True)
    file = source / "Delay.scala"
    file.write_text(DELAY)
    (test / "DelaySpec.scala").write_text(
        "class DelaySpec {\n  intercept[Exception] { new Delay(0, -1) }\n  def sample = new Delay(9, 3)\n}\n"
    )
    request = CheckRequest(((str(file), DELAY),), elaborate=True, timeout_s=60)
    alone = session.check(request)
    assert [item.code for item in alone.diagnostics] == ["CH902"]
    result, asked = with_values(file, alone, request, session.check)
    assert result.modules[0].elaborated and result.diagnostics == ()
    assert asked.guesses == (("Delay(9, 3)", "DelaySpec.scala:3"),)
    assert calls_in_project(file, ["Delay"], may_join=lambda place: False) == ()  # not trusted: it would be run


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("new Fifo(8, 16)", ["Fifo(8, 16)"]),
        ("Module(new Fifo(UInt(8.W), depth = 4))", ["Fifo(UInt(8.W), depth = 4)"]),
        ("new Fifo[UInt](UInt(8.W))(4)", ["Fifo[UInt](UInt(8.W))(4)"]),
        ("new core.Fifo(Config.Small)", ["core.Fifo(Config.Small)"]),
        ("new Fifo(8, depth)", []),
        ("new Fifo(8, f(4))", []),
        ("new Fifo(Seq(1, 2).map(_ + 1))", []),
        ("// new Fifo(8, 16)", []),
        ("new Fifo()", []),
    ],
)
def test_what_counts_as_literal(text: str, found: list[str]) -> None:
    assert [made.expression for made in literal_calls(text)] == found


INSIDE = """import chisel3._
import chisel3.util.experimental.BoringUtils
class Leaf extends Module {
  val io = IO(new Bundle { val x = Input(UInt(4.W)) })
  val seen = RegInit(0.U(4.W))
  seen := io.x
}
class Probe extends RawModule {
  val clock = IO(Input(Clock()))
  val reset = IO(Input(Reset()))
  val q = IO(Output(Bool()))
  q := withClockAndReset(clock, reset) { RegInit(true.B) }
}
class Top extends Module {
  val io = IO(new Bundle { val x = Input(UInt(4.W)); val y = Output(UInt(4.W)); val q = Output(Bool()) })
  val leaf = Module(new Leaf)
  leaf.io.x := io.x
  io.y := BoringUtils.bore(leaf.seen)
  val probe = Module(new Probe)
  probe.clock := clock
  probe.reset := reset
  io.q := probe.q
}
"""


def test_children_are_judged_through_their_parent(session: Session) -> None:
    """Alone, Leaf would be empty and Probe have a reset of no kind."""
    result = check(session, INSIDE)
    assert result.diagnostics == ()
    assert all(module.elaborated for module in result.modules)
    undriven = INSIDE.replace("  q := with", "  if (false) q := with")
    assert [item.code for item in check(session, undriven).errors] == ["CH301"]
    probe = INSIDE[: INSIDE.index("class Top")]
    assert [item.code for item in check(session, probe).errors] == ["CH304"]


def test_a_constructor_that_uses_a_file_is_a_note(session: Session) -> None:
    text = DELAY.replace("(width: Int, steps: Int)", "(width: Int = 8, steps: Int = 1)").replace(
        "  io.q :=", '  new java.io.PrintWriter("out.txt").close()\n  io.q :='
    )
    result = check(session, text)
    assert result.ok
    assert [(item.code, item.severity, item.span.start_line) for item in result.diagnostics] == [("CH235", "info", 3)]


def test_a_class_that_others_build_upon_is_judged_through_them(session: Session) -> None:
    text = """import chisel3._
class Base extends Module {
  val io = IO(new Bundle { val a = Input(UInt(4.W)); val y = Output(UInt(4.W)) })
}
class Whole extends Base { io.y := io.a }
"""
    assert check(session, text).diagnostics == ()
    assert [item.code for item in check(session, text.replace("io.y := io.a", "")).errors] == ["CH301"]
