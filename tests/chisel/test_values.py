"""More is elaborated: values of parameters from the project, children through their parents, files as a note."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hwml_sdk.chisel.build.parameters import calls_in_project
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.say.literal_calls import literal_calls
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest, CompileResult

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
    assert [item.code for item in session.check(request).diagnostics] == ["CH902"]
    (tmp_path / "build.sbt").write_text("")
    guesses = calls_in_project(file, DELAY)
    assert guesses == (("Delay(9, 3)", "DelaySpec.scala:3"),)
    result = session.check(replace(request, guesses=guesses))
    assert result.modules[0].elaborated and result.diagnostics == ()
    assert calls_in_project(file, DELAY, may_join=lambda place: False) == ()  # not trusted: it would be run


TWO = DELAY + DELAY.replace("Delay", "Hold").replace("import chisel3._\n", "")
MAINS = (("Delay(9, 3)", "A.scala:1"), ("Hold(4, 2)", "B.scala:1"))


def _given(result: CompileResult) -> tuple[tuple[str, ...], object, object]:
    return result.notes, [(m.name, m.elaborated, m.ports) for m in result.modules], result.diagnostics


def test_values_do_not_depend_on_what_was_checked_before(session: Session, programs: Programs) -> None:
    """A project that makes Delay, then Hold as well, then Delay in another way: each as if asked for the first time."""
    asked = [
        ((("Demo.scala", TWO),), MAINS[:1]),
        ((("Demo.scala", TWO),), MAINS),
        ((("Demo.scala", TWO), ("Main.scala", "object Main { def make = new Delay(5, 1) }")), MAINS),
        ((("Demo.scala", TWO.replace("Hold(width: Int, steps", "Hold(name: String, width: Int, steps")),), MAINS),
        ((("Demo.scala", TWO),), MAINS),
        ((("Other.scala", TWO),), MAINS),
    ]
    requests = [CheckRequest(files, elaborate=True, timeout_s=60, guesses=guesses) for files, guesses in asked]
    found = [_given(session.check(request)) for request in requests]
    assert found[4] == found[1] != found[3]
    assert [len(notes) for notes, *_ in found] == [1, 2, 2, 1, 2, 2]
    assert "Delay(5, 1)" in str(found[2]) and "Delay(9, 3)" in str(found[1])
    other = Session(programs)
    try:
        assert [_given(other.check(request)) for request in reversed(requests)] == found[::-1]
    finally:
        other.kill()


def test_two_documents_at_once_get_their_own_values(session: Session) -> None:
    """What does not compile in one of them (Wide is not there) does in the other."""
    text = TWO + "object Sizes { def Wide = 12 }\n"
    guesses = (("Delay(Sizes.Wide, 1)", "A.scala:1"), ("Delay(3, 1)", "A.scala:2"))
    requests = [
        CheckRequest(((f"{k}.scala", text if k % 2 else TWO),), elaborate=True, timeout_s=120, guesses=guesses)
        for k in range(6)
    ]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(session.check, requests))
    assert [["Sizes.Wide" in note for note in item.notes] for item in found] == [[False], [True]] * 3


def test_a_bracket_that_is_never_closed_is_said_where_it_is(session: Session) -> None:
    """With a call behind the document, the parser complains behind it."""
    text = TWO.removesuffix("}\n")
    asked = CheckRequest((("Demo.scala", text),), elaborate=True, timeout_s=60, guesses=MAINS)
    alone = session.check(replace(asked, guesses=()))
    assert session.check(asked).diagnostics == alone.diagnostics and not alone.ok


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


@pytest.mark.parametrize("use", ['new java.io.PrintWriter("out.txt").close()', 'val place = os.pwd / "out.txt"'])
def test_a_constructor_that_uses_a_file_is_a_note(old_session: Session, use: str) -> None:
    text = DELAY.replace("(width: Int, steps: Int)", "(width: Int = 8, steps: Int = 1)").replace(
        "  io.q :=", f"  {use}\n  io.q :="
    )
    result = check(old_session, text)
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


# What a project says of a module, in files beside the document, and the calls that come of it.
PROJECTS: list[tuple[dict[str, str], list[str]]] = [
    ({"Main.scala": "object Main { val size = 9\n  new Delay(size, 3) }"}, ["Delay(9, 3)"]),
    (
        {"Main.scala": 'object Main { val name = "w"\n  val size = 4 * 2 // bits\n  new Delay(size, 3) }'},
        ["Delay((4 * 2), 3)"],
    ),
    (  # from the parent's argument, its default, and an argument with a name
        {
            "Top.scala": "class Top(w: Int, n: Int = 5) extends Module { val d = Module(new Delay(w, steps = n)) }",
            "Main.scala": "object Main { def run(bits: Int = 6) = { new Top(bits) } }",
        },
        ["Delay(6, steps = 5)"],
    ),
    (  # values of a configuration, seen from another package
        {
            "Config.scala": "package conf\ncase class Config(width: Int)\nobject Small { def apply() = Config(3) }",
            "Top.scala": "package conf\nclass Top(c: Config) extends Module { val d = Module(new Delay(c.width, 1)) }",
            "Main.scala": "package conf\nobject Main { val c = Small()\n  new Top(\n    c,\n  ) }",
        },
        ["Delay(conf.Small().width, 1)"],
    ),
    ({"Main.scala": "object Main { for (i <- 1 until 4) { new Delay(i, 2) } }"}, ["Delay(1, 2)"]),
    ({"Main.scala": "object Main { val all = Seq.tabulate(4)(i => new Delay(8, i)) }"}, ["Delay(8, 0)"]),
    ({"Main.scala": "object Main { def f(x: Int) = new Delay(x, 2) }"}, []),  # nobody calls it
    ({"A.scala": "class A(n: Int) { new B(n); new Delay(n, 1) }\nclass B(n: Int) { new A(n) }"}, []),  # in a circle
    ({"Main.scala": "object Main { val w = Wire(UInt(8.W))\n  new Delay(w.getWidth, 1) }"}, []),
]


@pytest.mark.parametrize(("files", "found"), PROJECTS)
def test_names_are_followed_to_their_values(tmp_path: Path, files: dict[str, str], found: list[str]) -> None:
    source = tmp_path / "src" / "main" / "scala"
    source.mkdir(parents=True)
    for name, text in {**files, "Delay.scala": DELAY}.items():
        (source / name).write_text(text)
    assert [expression for expression, _ in calls_in_project(source / "Delay.scala", DELAY)] == found


def test_defaults_that_make_no_circuit_give_way_to_the_values_of_the_project(session: Session) -> None:
    memory = """import chisel3._
class Store(bytes: Long = 1, width: Int = 32) extends Module {
  val io = IO(new Bundle { val at = Input(UInt(4.W)); val q = Output(UInt(width.W)) })
  io.q := Mem(bytes * 8 / width, UInt(width.W)).read(io.at)
}
"""
    assert [item.stage for item in check(session, memory).errors] == ["firtool"]  # no words at all
    result = check(session, memory + "object Main { def make = new Store(64, 16) }\n")
    assert result.diagnostics == () and result.modules[0].elaborated
    assert [port.width for port in result.modules[0].ports if port.name == "io_q"] == [16]
    assert any("Store(64, 16)" in note and "defaults" in note for note in result.notes)
    wrong = memory.replace("io.q := Mem", "io.p := Mem") + "object Main { def make = new Store(64, 16) }\n"
    assert [item.span.start_line for item in check(session, wrong).errors] == [3]
