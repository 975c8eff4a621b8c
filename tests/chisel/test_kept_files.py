"""Files of a check that are compiled once: what is said and lowered is what one compile of all files would say."""

from __future__ import annotations

import pytest

from hwml_sdk.chisel.build.standing import standing
from hwml_sdk.chisel.compile.checker import Checker, CompileOutcome
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest, CompileResult

# Top and Path use each other; Step uses nobody; Odd uses Step.
TOP = """package core
import chisel3._
object Sizes { def width = 8 }
case class Setup(step: Int = 2)
class Top extends Module {
  val y = IO(Output(UInt(Sizes.width.W)))
  y := Module(new Path(Setup())).y + Odd.next.U
}
"""
PATH = """package core
import chisel3._
class Path(setup: Setup) extends Module {
  val y = IO(Output(UInt(Sizes.width.W)))
  y := (setup.step + Step.size).U
}
"""
STEP = "package core\nobject Step { val size = 3 }\n"
ODD = "package core\nobject Odd { val next = Step.size + 2 }\n"
OTHERS = {"Path.scala": PATH, "Step.scala": STEP, "Odd.scala": ODD}


def _files(top: str, **changed: str) -> list[tuple[str, str]]:
    others = {name: changed.get(name.removesuffix(".scala"), text) for name, text in OTHERS.items()}
    return [("Top.scala", top), *others.items()]


@pytest.mark.parametrize(
    ("top", "kept"),
    [
        (TOP, {"Step.scala", "Odd.scala"}),
        (TOP.replace("object Sizes", "object Step"), set()),  # hides the name that all others use
        ("package core\nclass Alone\n", {"Path.scala", "Step.scala", "Odd.scala"}),
        ("package core\nobject A { def Step = 1 }\n", {"Path.scala", "Step.scala", "Odd.scala"}),  # begins with A
        ("package object core { implicit class B(x: Int) }\n", set()),  # in sight without a name
        ("package core.Step\nclass C\n", set()),  # a package that is only there because of it
        ("class Path {", {"Step.scala", "Odd.scala"}),  # half typed
    ],
)
def test_files_that_stand_by_themselves(top: str, kept: set[str]) -> None:
    files, count = standing(_files(top))
    assert files[0] == ("Top.scala", top) and sorted(files) == sorted(_files(top))
    assert {name for name, _ in files[len(files) - count :]} == kept


def _check(session: Session, top: str, **changed: str) -> CompileResult:
    return session.check(CheckRequest(tuple(_files(top, **changed)), elaborate=True, outputs=True, timeout_s=60))


def _said(result: CompileResult) -> list[tuple[str, int, str]]:
    return [(item.path, item.span.start_line, item.message.splitlines()[0]) for item in result.errors]


def test_edits_of_a_document_and_of_its_neighbours(session: Session) -> None:
    """Sums by hand: y of Path is 2 + 3 = 5, what Top adds 3 + 2 = 5, together 10."""
    first = _check(session, TOP)
    assert first.errors == () and "8'hA" in first.verilog["Top"]
    assert "8'hE" in _check(session, TOP.replace("Odd.next.U", "(Odd.next + 4).U")).verilog["Top"]
    wrong = TOP.replace("Odd.next.U", "Odd.nest.U")
    assert _said(_check(session, wrong)) == [("Top.scala", 6, "value nest is not a member of object core.Odd")]
    # What a document shows has changed, with and without an error of its own.
    shown = TOP.replace("width = 8", 'width = "8"')
    assert {item[0] for item in _said(_check(session, shown))} == {"Top.scala", "Path.scala"}
    gone = TOP.replace("class Setup", "class Setups")
    assert ("Path.scala", 2, "not found: type Setup") in _said(_check(session, gone))
    assert [item[0] for item in _said(_check(session, TOP + "class {"))] == ["Top.scala"]
    # A neighbour that stands by itself has changed: 2 + 4 and 4 + 2 are 12, and the old text again.
    other = _check(session, TOP, Step=STEP.replace("3", "4"))
    assert "8'hC" in other.verilog["Top"]
    assert _said(_check(session, TOP, Step=STEP.replace("size", "sise")))[0][0] in {"Path.scala", "Odd.scala"}
    assert _check(session, TOP).verilog == first.verilog


def test_what_stays_is_not_compiled_again(programs: Programs) -> None:
    """The package of a check has a number of its own, which classes that are kept bring along."""
    checker = Checker(programs)

    def numbers(top: str, **changed: str) -> set[str]:
        files, unchanged = standing(_files(top, **changed))
        outcome = checker.compile(files, want_classes=True, timeout_s=60, unchanged=unchanged)
        assert outcome.ok
        return {name.split(".")[0] for name in outcome.classes}

    try:
        first = numbers(TOP)
        assert len(first) == 1
        assert numbers("\n" + TOP) == numbers(TOP.replace("class Top", "class Pot")) == first
        assert numbers(TOP, Step=STEP + "\n") != first
        assert numbers(TOP) == first
    finally:
        checker.kill()


def test_what_was_unusual_before_an_edit_is_not_after_it(programs: Programs) -> None:
    """A constructor that starts a thread ends the process that elaborates; without it, others may follow."""
    checker = Checker(programs)

    def unusual(top: str) -> str:
        files, unchanged = standing(_files(top))
        return checker.compile(files, want_classes=True, timeout_s=60, unchanged=unchanged).unusual

    try:
        thread = TOP.replace("  y := Mod", "  new Thread\n  y := Mod")
        assert [unusual(top) != "" for top in (thread, TOP, thread)] == [True, False, True]
    finally:
        checker.kill()


EDITS = [
    "\n" + TOP,
    TOP.replace("Odd.next.U", "Odd.nest.U"),
    TOP.replace("width = 8", 'width = "8"'),
    TOP.replace("width = 8", 'width = "8"').replace("Odd.next.U", "Odd.nest.U"),
    TOP.replace("class Setup(step", "class Setup(steps"),
    TOP.replace("step: Int = 2", "step: Int"),
    TOP.replace("class Top", "private class Top"),
    TOP.replace("object Sizes {", "object Sizes { implicit def words(x: String): Int = x.length;"),
    TOP.replace("package core", "package cores"),
    TOP.replace("package core", "package core\npackage inner"),
    TOP.replace("extends Module", "extends Module with Missing"),
    TOP[:-2],
    "",
    TOP,
]


@pytest.mark.slow
def test_the_same_is_found_as_by_new_compilers(programs: Programs) -> None:
    warm, fresh = Checker(programs), Checker(programs)

    def found(outcome: CompileOutcome) -> object:
        modules = [(module.name, module.file, module.point, module.parameters) for module in outcome.modules]
        connections = [(c.point, c.sink, c.source) for c in outcome.connections if c.file == "Top.scala"]
        return (
            outcome.crash,
            sorted(map(str, outcome.findings)),
            sorted(map(str, modules)),
            sorted(map(str, connections)),
        )

    try:
        for top in EDITS:
            files, unchanged = standing(_files(top))
            one = warm.compile(files, want_classes=True, timeout_s=60, unchanged=unchanged)
            other = fresh.compile(_files(top), want_classes=True, timeout_s=60, bare=True)
            assert found(one) == found(other), top
            assert {n.split(".", 1)[1] for n in one.classes} == set(other.classes), top
    finally:
        warm.kill()
        fresh.kill()
