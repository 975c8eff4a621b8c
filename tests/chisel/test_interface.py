"""A module from outside: ports, parameters and the tree of instances, against texts written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.provider import analyze
from hwml_sdk.chisel.say.interface import MAX_NODES, described, drawn, parameters_of, tree_of
from hwml_sdk.chisel.types import ChiselModule, Port
from hwml_sdk.cli import main
from hwml_sdk.config import Settings
from hwml_sdk.document import Span

CHIRRTL = """FIRRTL version 4.0.0
circuit Top :
  layer Verification, bind, "verification" :
  extmodule Pll : @[Top.scala 3:7]
    input clock : Clock
  module Leaf : @[Top.scala 5:7]
    output y : UInt<1>
  module Middle :
    inst a of Leaf @[Top.scala 9:17]
    inst b of Leaf
  public module Top :
    inst middle of Middle
    when c :
      inst pll of Pll
"""
TREE = """import chisel3._
import chisel3.util._

class Keep(val width: Int = 6, names: Seq[(String, Int)] = Seq()) extends Module {
  val io = IO(new Bundle { val in = Flipped(Decoupled(UInt(width.W))); val out = Output(UInt(9.W)) })
  val queue = Module(new Queue(UInt(width.W), 2))
  queue.io.enq <> io.in
  queue.io.deq.ready := true.B
  io.out := queue.io.deq.bits
}
class Pair extends Module {
  val y = IO(Output(UInt(9.W)))
  val one, two = Module(new Keep)
  one.io.in.valid := false.B; one.io.in.bits := 1.U
  two.io.in.valid := true.B; two.io.in.bits := one.io.out
  y := two.io.out
}
"""


def test_a_tree_names_instances_and_what_is_outside() -> None:
    tree = tree_of(CHIRRTL)
    assert tree is not None
    assert drawn(tree) == ["Top", "├─ middle: Middle", "│  ├─ a: Leaf", "│  └─ b: Leaf", "└─ pll: Pll (outside)"]
    assert tree_of("no circuit") is None


def test_trees_end_where_modules_hold_themselves_or_grow_without_measure() -> None:
    ring = tree_of("circuit A :\n  module A :\n    inst b of B\n  module B :\n    inst a of A\n")
    assert ring is not None and drawn(ring) == ["A", "└─ b: B", "   └─ a: A"]
    layers = "".join(f"  module M{n} :\n    inst x of M{n + 1}\n    inst y of M{n + 1}\n" for n in range(40))
    wide = tree_of(f"circuit M0 :\n{layers}  module M40 :\n")  # 2 to the power of 40 leaves
    assert wide is not None and len(drawn(wide)) <= MAX_NODES + 40


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("class A extends Module", ""),
        ("class A(n: Int)", "n: Int"),
        ("class A[T <: Data](gen: T, val f: (Int, Int) => Int)(implicit p: P)", "gen: T, f: (Int, Int) => Int"),
        ("class AB(x: Int)\nclass A(\n  private val n: Int, // of bits\n  m: Int = g(3),\n)", "n: Int, m: Int = g(3),"),
        ("class A(n: Int", ""),
    ],
)
def test_parameters_as_they_stand(text: str, wanted: str) -> None:
    assert parameters_of("A", text) == wanted


def test_a_description_sets_clock_and_reset_apart() -> None:
    ports = (Port("clock", "input", 1), Port("reset", "input", 1), Port("io_a", "input", 12), Port("io_q", "output", 8))
    said = described(ChiselModule("A", "A.scala", Span.line(0), ports=ports), "class A(n: Int) extends Module {}")
    wanted = "**A**(n: Int)\n\nclock `clock`, reset `reset`\n\n```text\ninput  12 bit  io_a\noutput  8 bit  io_q\n```"
    assert said == wanted


def test_hover_and_tree_of_a_file(programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Pair.scala"
    path.write_text(TREE)
    analysis = analyze(str(path), TREE, Settings(trusted=True))
    keep = next(item for item in analysis.annotations if item.name == "Keep")
    assert keep.detail.startswith("**Keep**(width: Int = 6, names: Seq[(String, Int)] = Seq())\n\nclock `clock`, reset")
    assert "input  6 bit  io_in_bits\n" in keep.detail and "output 9 bit  io_out\n" in keep.detail
    assert main(["chisel", "tree", "--trust", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["Pair", "├─ one", "│  └─ queue", "└─ two", "   └─ queue"]
    assert lines[2].startswith("│  └─ queue: Queue2_UInt6")
    assert main(["chisel", "tree", "--trust", "--json", str(path)]) == 0
    (tree,) = json.loads(capsys.readouterr().out)["trees"]
    assert (tree["module"], [child["instance"] for child in tree["children"]]) == ("Pair", ["one", "two"])
    assert main(["chisel", "tree", str(path)]) == 3  # its constructors would run
