"""check_chisel and the session: stages, places, modules, ports, outputs."""

from __future__ import annotations

import re

import pytest

import hwml_sdk
from hwml_sdk.chisel.session import Session
from hwml_sdk.document import Span
from hwml_sdk.errors import SourceError

from .conftest import SHARED, check, plain, shared_rows

COUNTER = """import chisel3._

class Counter(width: Int = 4) extends Module {
  val io = IO(new Bundle { val en = Input(Bool()); val count = Output(UInt(width.W)) })
  val count = RegInit(0.U(width.W))
  when(io.en) { count := count + 1.U }
  io.count := count
}
"""


def test_clean_module_gives_ports_and_verilog() -> None:
    result = hwml_sdk.check_chisel(COUNTER, outputs=True)
    assert result.ok and result.stage == "firtool" and result.diagnostics == ()
    (module,) = result.modules
    assert (module.name, module.elaborated, module.span) == ("Counter", True, Span(2, 6, 2, 13))
    assert [(port.name, port.direction, port.width) for port in module.ports] == [
        ("clock", "input", 1),
        ("reset", "input", 1),
        ("io_en", "input", 1),
        ("io_count", "output", 4),
    ]
    assert "count + 4'h1" in result.verilog["Counter"]
    assert "circuit Counter" in result.chirrtl["Counter"]


@pytest.mark.parametrize(
    ("old", "new", "stage", "code", "line"),
    [
        ("when(io.en) {", "when io.en {", "parse", "CH001", 5),
        ("+ 1.U", "+ 1", "type", "CH103", 5),
        ("val count = RegInit(", "val count = Reg(", "elaborate", "CH201", 4),
        ("  io.count := count\n", "", "firtool", "CH301", 3),
    ],
)
def test_each_stage_reports_at_its_line(session: Session, old: str, new: str, stage: str, code: str, line: int) -> None:
    result = check(session, COUNTER.replace(old, new, 1))
    assert not result.ok
    (item,) = result.diagnostics
    assert (item.stage, item.code, item.span.start_line) == (stage, code, line)
    assert item.cause and item.hint


def test_range_is_the_wrong_expression(session: Session) -> None:
    text = COUNTER.replace("+ 1.U", "+ 12")
    (item,) = check(session, text).diagnostics
    line = text.splitlines()[item.span.start_line]
    assert line[item.span.start_character : item.span.end_character] == "12"


@pytest.mark.parametrize("prefix", ["// 💡 größer 💡\n", "/* é */ ", "\r\n\r\n"])
def test_range_survives_other_letters_and_line_ends(session: Session, prefix: str) -> None:
    text = prefix + COUNTER.replace("+ 1.U", "/* 💡 */ + 12")
    if "\r\n" in prefix:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    (item,) = check(session, text).diagnostics
    line = text.split("\n")[item.span.start_line]
    assert line[item.span.start_character : item.span.end_character] == "12"


def test_parameters(session: Session) -> None:
    text = COUNTER.replace("width: Int = 4", "width: Int")
    result = check(session, text)
    assert result.ok and not result.modules[0].elaborated
    assert result.modules[0].missing == ("width: Int",)
    assert [item.code for item in result.diagnostics] == ["CH902"]
    by_comment = check(session, text + "// hwml: elaborate Counter(7)\n", outputs=True)
    assert by_comment.diagnostics == () and "[6:0] io_count" in by_comment.verilog["Counter"]
    by_argument = check(session, text, calls=("Counter(9)",), outputs=True)
    assert "[8:0] io_count" in by_argument.verilog["Counter"]
    wrong = check(session, text + "// hwml: elaborate Counter(true)\n")
    assert [(item.code, item.span.start_line) for item in wrong.diagnostics] == [("CH903", 8)]


def test_parameters_that_a_parent_gives(session: Session) -> None:
    parent = """
class Top extends Module {
  val io = IO(new Bundle { val en = Input(Bool()); val count = Output(UInt(5.W)) })
  val inner = Module(new Counter(5))
  inner.io.en := io.en
  io.count := inner.io.count
}
"""
    result = check(session, COUNTER.replace("width: Int = 4", "width: Int") + parent)
    assert result.ok and result.diagnostics == ()
    assert all(module.elaborated for module in result.modules)


def test_no_module_is_said(session: Session) -> None:
    result = check(session, "import chisel3._\nclass Pair extends Bundle { val a = Bool() }\n")
    assert result.ok and any("no module" in note for note in result.notes)


def test_untrusted_stops_after_types(session: Session) -> None:
    result = check(session, COUNTER.replace("  io.count := count\n", ""), elaborate=False)
    assert result.ok and result.stage == "type" and not result.modules[0].elaborated


def test_wrong_use() -> None:
    with pytest.raises(ValueError, match="trusted"):
        hwml_sdk.check_chisel(COUNTER, elaborate="yes")
    with pytest.raises(SourceError, match="limit"):
        hwml_sdk.check_chisel("// " + "x" * 2_000_000)


def test_several_files() -> None:
    top = "import chisel3._\nclass Top extends Module {\n  val c = Module(new Counter(3))\n  c.io.en := true.B\n}\n"
    alone = hwml_sdk.check_chisel(top)
    assert not alone.ok
    assert hwml_sdk.check_chisel(top, files=[("Counter.scala", COUNTER)]).ok


@pytest.mark.parametrize("which", ["new", pytest.param("old", marks=pytest.mark.slow)])
def test_error_families(which: str, session: Session, old_session: Session) -> None:
    """Every good example is clean, every bad one is reported."""
    tools = session if which == "new" else old_session
    missed, alarms = [], []
    for row in shared_rows("errors.jsonl"):
        if row["example_good"]:
            result = check(tools, row["example_good"])
            if not result.ok or any(item.severity == "warning" for item in result.diagnostics):
                alarms.append((row["id"], result.diagnostics))
        if row["example_bad"] and row["example_bad"] != row["example_good"]:
            result = check(tools, row["example_bad"])
            found = [item for item in result.diagnostics if item.severity in ("error", "warning")]
            if not found:
                missed.append(row["id"])
    assert alarms == []
    assert missed == []


def test_samples_lower_as_published(session: Session) -> None:
    path = SHARED / "samples" / "Samples.scala"
    if not path.exists():
        pytest.skip("samples are not beside this checkout")
    text = path.read_text(encoding="utf-8").partition("object Emit")[0]
    result = check(session, text, outputs=True)
    assert result.diagnostics == () and len(result.verilog) == 15
    for name in ("Fifo", "Mac", "MulArr16"):
        published = (path.parent / f"{name}.sv").read_text(encoding="utf-8")
        assert plain(result.verilog[name]) == plain(published)


SPECIALIZED = """import chisel3._

trait Scale[@specialized(Int, Double) T] { def by(x: T): T; def twice(x: T): T = by(by(x)) }
class Step[@specialized T](val first: T, next: T => T) { val second = next(first); def pair: (T, T) = (first, second) }
class Triple extends Step[Int](3, _ * 3) with (Int => Int) { def apply(n: Int) = n + second }
object Add extends scala.runtime.AbstractFunction2[Int, Int, Int] { def apply(a: Int, b: Int) = a + b }

class Boxes extends Module {
  val io = IO(Output(Vec(6, UInt(16.W))))
  val scale = new Scale[Int] { def by(x: Int) = x * 5 }
  val triple = new Triple
  val (first, second) = triple.pair
  val sum = (1 to 4).map(triple).reduceLeft(Add)
  val half = Map(1 -> 2.5).apply(1).toInt
  val rest = Seq(scale.twice(2), first, second, sum, half, Array(7, 8).zipWithIndex.map(_._1).sum)
  for ((value, index) <- rest.zipWithIndex) { io(index) := value.U }
}
"""


def test_specialized_classes_of_the_user_and_of_the_library(session: Session, old_session: Session) -> None:
    """The compiler leaves out copies for primitive types; what the constructors compute is the same."""
    for tools in (session, old_session):
        result = check(tools, SPECIALIZED, outputs=True)
        assert result.diagnostics == ()
        values = re.findall(r"assign io_(\d) = 16'h(\w+);", result.verilog["Boxes"])
        assert [int(value, 16) for _, value in sorted(values)] == [50, 3, 9, 46, 2, 15]
