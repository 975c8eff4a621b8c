"""A repair never weakens the check: changes made on purpose to hide an error pass the compiler, and not the gate."""

from __future__ import annotations

from functools import cache

import pytest

from hwml_sdk.chisel.repair.fixes import Candidate
from hwml_sdk.chisel.repair.gate import Repair, find_repairs
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest, CompileResult

# A register of one enumeration is given a value of another.
KINDS = """import chisel3._
object Op extends ChiselEnum { val nop, inc, dec = Value }
object Bus extends ChiselEnum { val idle, read, write = Value }
class Stage extends Module {
  val io = IO(new Bundle {
    val next = Input(Bus())
    val code = Input(UInt(2.W))
    val at = Output(Op())
    val plain = Output(UInt(2.W))
  })
  val op = RegInit(Op.nop)
  op := io.next
  io.at := op
  io.plain := io.code
}
"""
# A number is given to an enumeration.
NUMBER = KINDS.replace("op := io.next", "op := io.code")
# Two streams of other contents, which := cannot connect for their directions either.
STREAMS = """import chisel3._
import chisel3.util._
object Op extends ChiselEnum { val nop, inc, dec = Value }
object Bus extends ChiselEnum { val idle, read, write = Value }
class Through extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(Bus()))
    val out = Decoupled(Op())
  })
  io.out := io.in
}
"""
SIGNED = """import chisel3._
class Cut extends Module {
  val io = IO(new Bundle {
    val s = Input(SInt(8.W))
    val y = Output(UInt(8.W))
  })
  io.y := io.s
}
"""
# An output that has no value while `en` is low.
UNDRIVEN = """import chisel3._
class Gate extends Module {
  val io = IO(new Bundle {
    val en = Input(Bool())
    val a = Input(UInt(8.W))
    val q = Output(UInt(8.W))
    val r = Output(UInt(8.W))
  })
  when(io.en) { io.q := io.a }
  io.r := io.a
}
"""
COMPARED = KINDS.replace("  op := io.next\n", "  io.plain := (op === io.next)\n").replace("  io.plain := io.code\n", "")

Edits = tuple[tuple[str, str], ...]


def _one(old: str, new: str) -> Edits:
    return ((old, new),)


BAD = "  op := io.next\n"
# (text, why it hides the error, edits). All are claimed to be safe; most of them make the compiler quiet.
HIDDEN = [
    (KINDS, "<> asks nothing of two enumerations", _one(":= io.next", "<> io.next")),
    (KINDS, "with the static type hidden as well", _one("op := io.next", "(op: Data) <> (io.next: Data)")),
    (KINDS, ":#= forces a connection", _one(":= io.next", ":#= io.next")),
    (KINDS, ":<= leaves one direction out", _one("op := io.next", "(op: Data) :<= (io.next: Data)")),
    (KINDS, "bits are taken for another enumeration", _one("io.next\n", "io.next.asUInt.asTypeOf(op)\n")),
    (KINDS, "bits are taken for another type", _one("io.next\n", "io.next.asTypeOf(Op())\n")),
    (
        KINDS,
        "the warning of the cast is suppressed",
        _one("io.next\n", "suppressEnumCastWarning { Op(io.next.asUInt) }\n"),
    ),
    (KINDS, "the cast itself only warns", _one("io.next\n", "Op(io.next.asUInt)\n")),
    (KINDS, "the check of the cast is thrown away", _one("io.next\n", "Op.safe(io.next.asUInt)._1\n")),
    (KINDS, "a value of the other type is made up", _one("io.next\n", "DontCare\n")),
    (KINDS, "a constant is no value of the source", _one("io.next\n", "Op.nop\n")),
    (KINDS, "another signal is another driver", _one("io.next\n", "io.at\n")),
    (KINDS, "the connection has gone", _one(BAD, "")),
    (KINDS, "the connection is a comment", _one("  op := io.next", "  // op := io.next")),
    (KINDS, "the connection is never made", _one("  op := io.next", "  if (false) { op := io.next }")),
    (
        KINDS,
        "the connection is in a function that nobody calls",
        _one("  op := io.next", "  def late() = { op := io.next }"),
    ),
    (KINDS, "the connection is lazy", _one("  op := io.next", "  lazy val late = { op := io.next }")),
    (
        KINDS,
        "the exception is swallowed",
        _one("op := io.next", "try { op := io.next } catch { case _: Exception => }"),
    ),
    (KINDS, "the exception is kept in a value", _one("op := io.next", "scala.util.Try { op := io.next }")),
    (KINDS, "the port has another type", _one("val next = Input(Bus())", "val next = Input(Op())")),
    (
        KINDS,
        "the other enumeration has gone",
        (("object Bus extends ChiselEnum { val idle, read, write = Value }\n", ""), ("Input(Bus())", "Input(Op())")),
    ),
    (
        KINDS,
        "the register has another type",
        (("RegInit(Op.nop)", "RegInit(Bus.idle)"), ("io.at := op", "io.at <> op")),
    ),
    (
        KINDS,
        "the register is a number",
        (
            ("RegInit(Op.nop)", "RegInit(0.U(2.W))"),
            ("io.next\n", "io.next.asUInt\n"),
            ("at := op", "at := Op.safe(op)._1"),
        ),
    ),
    (KINDS, "an abstract class is not elaborated", _one("class Stage", "abstract class Stage")),
    (KINDS, "without a value for n it is not elaborated", _one("class Stage", "class Stage(n: Int)")),
    (KINDS, "the module is another one", _one("class Stage", "class Other extends Module { }\nclass Stage(n: Int)")),
    (KINDS, "the module has gone", _one(KINDS, "import chisel3._\nclass Empty extends Module { }\n")),
    (NUMBER, "<> asks nothing of a number either", _one(":= io.code\n  io.at", "<> io.code\n  io.at")),
    (NUMBER, ":#= forces a number", _one("op := io.code", "op :#= io.code")),
    (NUMBER, "a number is taken for an enumeration", _one("op := io.code", "op := io.code.asTypeOf(op)")),
    (NUMBER, "its warning is suppressed", _one("op := io.code", "op := suppressEnumCastWarning { Op(io.code) }")),
    (NUMBER, "whether the number is valid is thrown away", _one("op := io.code", "op := Op.safe(io.code)._1")),
    (STREAMS, "the directions are mended, and the contents pass", _one(":= io.in", "<> io.in")),
    (STREAMS, "everything is forced, ready as well", _one(":= io.in", ":#= io.in")),
    (
        STREAMS,
        "field by field, with <> between the contents",
        _one("io.out := io.in", "io.out.valid := io.in.valid; io.in.ready := io.out.ready; io.out.bits <> io.in.bits"),
    ),
    (SIGNED, "the sign has gone without a word", _one("io.s\n", "io.s.asUInt\n")),
    (SIGNED, "bits are taken for a number", _one("io.s\n", "io.s.asTypeOf(io.y)\n")),
    (SIGNED, "a slice has no sign", _one("io.s\n", "io.s(7, 0)\n")),
    (SIGNED, "the port is unsigned", _one("Input(SInt(8.W))", "Input(UInt(8.W))")),
    (UNDRIVEN, "DontCare is no value", _one("  when", "  io.q := DontCare\n  when")),
    (UNDRIVEN, "nobody wrote this constant", _one("  when", "  io.q := 0.U\n  when")),
    (UNDRIVEN, "the condition has gone", _one("when(io.en) { io.q := io.a }", "io.q := io.a")),
    (
        UNDRIVEN,
        "the output has gone",
        (("    val q = Output(UInt(8.W))\n", ""), ("  when(io.en) { io.q := io.a }\n", "")),
    ),
    (
        UNDRIVEN,
        "the output is an input",
        (("val q = Output", "val q = Input"), ("  when(io.en) { io.q := io.a }\n", "")),
    ),
    (
        UNDRIVEN,
        "another line has another driver",
        (("  when", "  io.q := io.a\n  when"), ("io.r := io.a", "io.r := io.q")),
    ),
    (COMPARED, "the codes of two enumerations are compared", _one("op === io.next", "op.asUInt === io.next.asUInt")),
]
# Of these nothing at all may be offered: no person should be shown them either.
NEVER = (
    "<> asks",
    "static type hidden",
    "forces",
    "taken for another",
    "suppressed",
    "connection has gone",
    "a comment",
    "never made",
    "swallowed",
    "kept in a value",
    "not elaborated",
    "module has gone",
    "taken for an enumeration",
    "contents pass",
    "everything is forced",
)


@cache
def _checked(session: Session, text: str) -> CompileResult:
    return session.check(_request(text))


def _request(text: str) -> CheckRequest:
    return CheckRequest((("Demo.scala", text),), elaborate=True, timeout_s=60)


def _offered(session: Session, text: str, edits: Edits) -> tuple[Repair, ...]:
    for old, _ in edits:
        assert text.count(old) == 1, old
    places = [(text.index(old), text.index(old) + len(old), new) for old, new in edits]
    made = Candidate("claimed to be safe", tuple(sorted(places)), safe=True)
    found = _checked(session, text)
    assert found.errors
    return find_repairs(
        text, found, _request(text), session.check, budget_s=60, propose=lambda now, _: [made] if now == text else []
    )


def test_there_are_forty_of_them() -> None:
    assert len({(text, edits) for text, _, edits in HIDDEN}) == len(HIDDEN) >= 40


@pytest.mark.parametrize("part", range(4))
def test_what_hides_an_error_is_not_applied(session: Session, part: int) -> None:
    applied, shown = [], []
    for text, why, edits in HIDDEN[part::4]:
        offered = _offered(session, text, edits)
        applied += [why for repair in offered if repair.safe]
        shown += [why for _ in offered if any(words in why for words in NEVER)]
    assert applied == []
    assert shown == []


HONEST = [
    (
        "a number becomes a signal",
        UNDRIVEN.replace("when(io.en) { io.q := io.a }", "io.q := 3"),
        _one("io.q := 3", "io.q := 3.U"),
    ),
    ("a stream to its like", STREAMS.replace("Bus()", "Op()"), _one(":= io.in", "<> io.in")),
    (
        "a comparison of signals",
        UNDRIVEN.replace("when(io.en)", "when(io.a == 3.U)").replace("  when(", "  io.q := 1.U\n  when("),
        _one("io.a == 3.U", "io.a === 3.U"),
    ),
    (
        "a parameter gets its type",
        UNDRIVEN.replace("class Gate", "class Gate(n)").replace("when(io.en) { io.q := io.a }", "io.q := io.a"),
        _one("(n)", "(n: Int)"),
    ),
    (
        "a reset as a Bool",
        UNDRIVEN.replace("when(io.en) { io.q := io.a }", "io.q := Mux(reset, 1.U, io.a)"),
        _one("Mux(reset", "Mux(reset.asBool"),
    ),
]


@pytest.mark.parametrize(("text", "edits"), [case[1:] for case in HONEST], ids=[case[0] for case in HONEST])
def test_what_mends_an_error_stays_safe(session: Session, text: str, edits: Edits) -> None:
    assert [repair.safe for repair in _offered(session, text, edits)] == [True]


def test_a_second_warning_like_the_first_is_one_more(session: Session) -> None:
    """The index of four elements has 5 bits: one warning. A repair that says the same twice makes two of it."""
    text = """import chisel3._
class Pick extends Module {
  val io = IO(new Bundle {
    val i = Input(UInt(5.W)); val v = Input(Vec(4, UInt(8.W))); val y = Output(UInt(8.W)); val z = Output(UInt(8.W))
  })
  io.y := io.v(io.i); io.z := 1
}
"""
    once = _offered(session, text, _one(":= 1\n", ":= 1.U\n"))
    assert once == ()  # the warning was not there while the type error was
    known = text.replace(":= 1\n", ":= io.v\n")  # refused while the circuit is built: the warning is said before
    assert [item.severity for item in _checked(session, known).diagnostics].count("warning") == 1
    assert [repair.safe for repair in _offered(session, known, _one(":= io.v\n", ":= 1.U\n"))]
    assert _offered(session, known, _one(":= io.v\n", ":= io.v(io.i)\n")) == ()


@pytest.mark.parametrize(("habit", "safe"), [("io.store >> 2", False), ("io.store", False), ("io.other", True)])
def test_a_lost_line_that_gave_a_port_another_meaning_is_not_made_up(session: Session, habit: str, safe: bool) -> None:
    """`val load = io.load >> 2` was lost: io.load compiles in its place, and is another address."""
    text = f"""import chisel3._
class Words extends Module {{
  val io = IO(new Bundle {{
    val load = Input(UInt(6.W)); val store = Input(UInt(6.W)); val other = Input(UInt(6.W)); val y = Output(UInt(6.W))
  }})
  val store = {habit}
  io.y := load ^ store
}}
"""
    request = CheckRequest((("Demo.scala", text),), elaborate=True, timeout_s=60)
    repairs = find_repairs(text, session.check(request), request, session.check, budget_s=10)
    assert [(repair.title, repair.safe) for repair in repairs][:1] == [("io.load", safe)]
