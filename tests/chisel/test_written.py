"""What the text of a module alone says where nothing can be elaborated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk.chisel.say.written import source_counts
from hwml_sdk.cli import main
from hwml_sdk.errors import ToolNotFoundError

TEXT = """import chisel3._
// class Old extends Module { val r = Reg(UInt(8.W)) }
class Mac(w: Int) extends Module {
  val io = IO(new Bundle { val a = Input(UInt(w.W)); val b = Input(UInt(w.W)); val y = Output(UInt(32.W)) })
  val sum = RegInit(0.U(32.W))
  when(io.a =/= 0.U) { sum := sum + io.a * io.b }
  io.y := sum /* + 1.U */
  printf("a + b * c")
}
class Two extends Module {
  val io = IO(new Bundle { val y = Output(UInt(32.W)) })
  val left = Module(new Mac(4)); val right = Module(new Mac(8))
  io.y := Mux(left.io.y > right.io.y, left.io.y, right.io.y)
}
"""


def test_operators_are_counted_by_class() -> None:
    """Comments and strings hold none; a class ends where the next begins."""
    mac, two = source_counts(TEXT)
    assert (mac.module, mac.line, two.module, two.line) == ("Mac", 2, "Two", 9)
    kept = {name: count for name, count in mac.counts.items() if count}
    assert kept == {"add": 1, "multiply": 1, "compare": 1, "choice": 1, "register": 1}
    assert {name: count for name, count in two.counts.items() if count} == {"compare": 1, "choice": 1, "instance": 2}
    assert mac.words().startswith("source only, nothing was elaborated: written are 1 add, 1 multiply")


def test_a_class_without_operators() -> None:
    (found,) = source_counts("class Wire extends RawModule { }")
    assert found.words().endswith("written are no operators")


def test_the_command_line_falls_back_without_java(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators, marked as such, no figure, and what is missing; the exit code says that there are no figures."""

    def missing(*_: object, **__: object) -> None:
        raise ToolNotFoundError("java", "JAVA_HOME")

    monkeypatch.setattr("hwml_sdk.commands.chisel._ensure", missing)
    source = tmp_path / "Mac.scala"
    source.write_text(TEXT, encoding="utf-8")
    assert main(["chisel", "qor", str(source)]) == 1
    shown = capsys.readouterr()
    assert "Mac.scala:3: Mac\n  source only, nothing was elaborated: written are" in shown.out
    assert "java was not found" in shown.err and "LUT" not in shown.out
    assert main(["qor", "--json", str(source)]) == 1
    rows = json.loads(capsys.readouterr().out)["modules"]
    assert [(row["module"], row["predicted"], row["source_only"]["instance"]) for row in rows] == [
        ("Mac", None, 0),
        ("Two", None, 2),
    ]
