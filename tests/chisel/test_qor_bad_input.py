"""Chisel that is hard to count, through the whole check: a word for each, never a zero for what is not known."""

from __future__ import annotations

import pytest
from tests.chisel.conftest import check

from hwml_sdk.chisel.qor.answer import ChiselQor
from hwml_sdk.chisel.session import Session

pytestmark = pytest.mark.slow

BOXED = """import chisel3._
class Pll extends BlackBox { val io = IO(new Bundle { val i = Input(Bool()); val o = Output(Bool()) }) }
class UsesPll extends Module {
  val io = IO(new Bundle { val a = Input(Bool()); val y = Output(Bool()) })
  val pll = Module(new Pll)
  pll.io.i := io.a
  io.y := pll.io.o & io.a
}
"""
CLOCKS = """import chisel3._
class TwoClocks extends Module {
  val io = IO(new Bundle { val other = Input(Clock()); val a = Input(UInt(8.W)); val y = Output(UInt(8.W)) })
  val r = RegNext(io.a)
  io.y := withClock(io.other) { RegNext(r) }
}
"""
GIGABIT = """import chisel3._
class Gigabit extends Module {
  val io = IO(new Bundle {
    val at = Input(UInt(20.W)); val we = Input(Bool()); val d = Input(UInt(1024.W)); val y = Output(UInt(1024.W))
  })
  val m = SyncReadMem(1 << 20, UInt(1024.W))
  when(io.we) { m.write(io.at, io.d) }
  io.y := m.read(io.at)
}
"""
LOOP = """import chisel3._
class Loop extends Module {
  val io = IO(new Bundle { val a = Input(Bool()); val y = Output(Bool()) })
  val v, w = Wire(Bool())
  w := v & io.a
  v := w | io.a
  io.y := w
}
"""
# 8,000 registers of 32 bits, each with an adder and a constant, and a tree of as many exclusive ors.
LARGE = """import chisel3._
class Large extends Module {
  val io = IO(new Bundle { val a = Input(UInt(32.W)); val y = Output(UInt(32.W)) })
  io.y := VecInit(Seq.tabulate(8000)(i => RegNext(io.a + (i * 7919).U(32.W)))).reduceTree(_ ^ _)
}
"""
ENDLESS = """import chisel3._
class Endless extends Module {
  val io = IO(new Bundle { val a = Input(UInt(32.W)); val y = Output(UInt(32.W)) })
  io.y := VecInit(Seq.tabulate(200000)(i => RegNext(io.a + (i * 7919).U(32.W)))).reduceTree(_ ^ _)
}
"""


def figures(session: Session, text: str, name: str) -> ChiselQor:
    found = next(module for module in check(session, text, timeout_s=120).modules if module.name == name)
    assert found.qor is not None
    return found.qor


def test_a_black_box_is_named(session: Session) -> None:
    found = figures(session, BOXED, "UsesPll")
    assert found.reasons == ("black box Pll is not known",)
    assert (found.lut, found.ff, found.dsp, found.bram_18k, found.latency_cycles) == (None,) * 5


def test_several_clocks(session: Session) -> None:
    found = figures(session, CLOCKS, "TwoClocks")
    assert (found.ff, found.latency_cycles) == (16, 2)


def test_a_memory_of_a_gigabit(session: Session) -> None:
    found = figures(session, GIGABIT, "Gigabit")
    assert found.bram_18k is not None and found.bram_18k >= (1 << 30) // 18432


def test_a_combinational_loop_is_a_finding_and_has_no_figures(session: Session) -> None:
    result = check(session, LOOP)
    assert any("depends on itself" in item.message or "cycle" in item.text for item in result.errors)
    assert all(module.qor is None for module in result.modules)


def test_more_operations_than_an_editor_waits_for(session: Session) -> None:
    found = figures(session, LARGE, "Large")
    assert found.lut is None
    assert "operations; up to 20,000 are looked at here; hwml chisel qor looks at up to 100,000" in found.reasons[0]


def test_a_circuit_that_the_constructor_cannot_hold(session: Session) -> None:
    """Out of memory in the sandbox: a finding, no figures, and the next check is answered."""
    result = check(session, ENDLESS, timeout_s=120)
    assert result.errors and all(module.qor is None for module in result.modules)
    assert figures(session, CLOCKS, "TwoClocks").ff == 16
