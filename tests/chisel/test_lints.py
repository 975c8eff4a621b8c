"""Lints: what no tool says and is hardly ever meant, and the right code beside it that stays without a word."""

from __future__ import annotations

import pytest

from hwml_sdk.chisel.session import Session

from .conftest import check

_HEAD = """import chisel3._
import chisel3.util._
class Case extends Module {
  val io = IO(new Bundle {
    val a = Input(UInt(8.W)); val b = Input(UInt(8.W)); val i = Input(SInt(8.W)); val s = Input(Bool())
    val y = Output(UInt(8.W)); val z = Output(SInt(8.W)); val v = Output(Vec(4, UInt(8.W)))
  })
  io.v := DontCare
  io.z := DontCare
"""
_LINE = _HEAD.count("\n")  # of the first line of a body, from 0

# (body, code, line of the body). Widths in comments: what FIRRTL's rules give.
WRONG = [
    ("  val n = RegInit(0.U)\n  n := n + 1.U\n  io.y := n", "CH401", 0),  # 1 bit: 0, 1, 0, 1
    ("  val n = RegInit(0.U)\n  n := Mux(n === 9.U, 0.U, n + 1.U)\n  io.y := n", "CH401", 0),  # 9 has 4 bits
    ("  val n = RegInit(3.U)\n  when(n === 6.U) { n := 0.U } .otherwise { n := n + 1.U }\n  io.y := n", "CH401", 0),
    ("  val w = Wire(UInt(8.W))\n  when(io.s) { w := io.a }\n  w := io.b\n  io.y := w", "CH402", 1),
    ("  when(io.s) {\n    io.y := io.a\n  }\n  io.y := 0.U", "CH402", 1),
    ("  io.y := io.a >> 8", "CH403", 0),
    ("  io.y := io.a(3, 0) >> 5", "CH403", 0),  # 4 bits
    ("  io.y := io.a << 8", "CH403", 0),
    (
        "  val r = VecInit(Seq.fill(4)(RegInit(0.U(8.W))))\n  when(io.s) { r(io.a(1, 0)) := io.b }\n  io.y := r(0)",
        "CH404",
        0,
    ),
]
RIGHT = [
    "  val n = RegInit(0.U(4.W))\n  n := n + 1.U\n  io.y := n",
    "  val n = RegInit(0.U)\n  when(io.s) { n := 1.U }.elsewhen(n === 1.U) { n := 2.U }\n  io.y := n",
    "  val n = RegInit(0.U)\n  when(io.s) { n := io.a }.otherwise { n := n + 1.U }\n  io.y := n",  # 8 bits of io.a
    "  val n = RegInit(9.U)\n  n := Mux(n === 0.U, 9.U, n - 1.U)\n  io.y := n",
    "  val once = RegInit(1.U)\n  when(once =/= 0.U) { once := once - 1.U }\n  io.y := once",
    "  val w = WireDefault(0.U(8.W))\n  when(io.s) { w := io.a }\n  io.y := w",
    "  io.y := 0.U\n  for (k <- 0 until 4) { io.v(k) := 0.U; when(io.s) { io.v(k) := io.a } }",
    "  val w = Wire(Valid(UInt(8.W)))\n  w.bits := io.a\n  w.valid := io.s\n  io.y := w.bits >> 3",
    "  val r = RegInit(1.U(8.W))\n  r := (r << 1) | io.s\n  io.y := r",
    "  io.z := io.i >> 8\n  io.y := 0.U",  # the sign stays
    "  io.y := (0 to 2).map(k => io.a >> (4 * k)).reduce(_ | _)",  # only the last one of the three is empty
    "  val r = Seq.fill(4)(RegInit(0.U(8.W)))\n  r.foreach(_ := io.a)\n  val t = VecInit(r)\n  io.y := t(io.b(1, 0))",
]


@pytest.mark.parametrize(("body", "code", "line"), WRONG)
def test_traps_are_named(session: Session, body: str, code: str, line: int) -> None:
    found = [item for item in check(session, f"{_HEAD}{body}\n}}\n").diagnostics if item.severity == "warning"]
    assert [(item.code, item.span.start_line - _LINE) for item in found] == [(code, line)]
    assert found[0].hint


def test_right_code_is_left_alone(session: Session) -> None:
    """One check for all: each body is a module of its own."""
    head, _, module = _HEAD.partition("class Case")
    bodies = [f"class Case{n}{module}{body}\n}}\n" for n, body in enumerate(RIGHT)]
    result = check(session, head + "".join(bodies))
    assert [item for item in result.diagnostics if item.severity in ("error", "warning")] == []
