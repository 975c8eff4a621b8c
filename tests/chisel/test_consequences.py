"""Findings that follow from missing things are nobody's error, slips of the pen are. Messages are scalac's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hwml_sdk.chisel.say.codes import meaning_of
from hwml_sdk.chisel.say.consequences import Circumstances, mark_consequences
from hwml_sdk.chisel.types import ChiselDiagnostic, CompileResult
from hwml_sdk.document import Span

TEXT = """package mini
import org.scalatest.flatspec.AnyFlatSpec
import chiseltest._
class Tests extends AnyFlatSpec { val n: Int = "text" }
"""
AROUND = Circumstances(
    texts={"Tests.scala": TEXT, "User.scala": "class User { new Tests }\n"},
    packages=("mini",),
    libraries_known=False,
    in_project=True,
    asked="6.7.0",
    version="6.7.0",
)
LIBRARIES = (("object scalatest is not a member of package org", 1), ("not found: object chiseltest", 2))


def _found(message: str, line: int, path: str = "Tests.scala") -> ChiselDiagnostic:
    meaning = meaning_of("type", "error", message)
    return ChiselDiagnostic(meaning.code, "error", "type", path, Span.line(line), message, meaning.cause, meaning.hint)


def _marked(around: Circumstances, *found: ChiselDiagnostic) -> tuple[list[tuple[str, str]], bool, tuple[str, ...]]:
    result, notes = mark_consequences(CompileResult(False, "type", found), around)
    return [(item.code, item.severity) for item in result.diagnostics], result.ok, notes


def test_a_missing_library_is_one_note_and_no_error() -> None:
    names = (*LIBRARIES, ("not found: type AnyFlatSpec", 3))
    marked, ok, notes = _marked(AROUND, *(_found(*item) for item in names))
    assert marked == [("CH904", "info")] * 3 and ok
    assert len(notes) == 1
    assert "chiseltest, org.scalatest" in notes[0] and "3 findings follow" in notes[0] and "bspConfig" in notes[0]


def test_other_errors_beside_a_missing_library_stay() -> None:
    wrong = _found('type mismatch;\n found   : String("text")\n required: Int', 3)
    marked, ok, _ = _marked(AROUND, _found(*LIBRARIES[1]), wrong)
    assert marked == [("CH904", "info"), (wrong.code, "error")] and not ok


def test_all_errors_of_another_file_that_lacks_a_library_follow() -> None:
    around = replace(AROUND, texts={"User.scala": "class User\n", **AROUND.texts})
    wrong = _found('type mismatch;\n found   : String("text")\n required: Int', 3)
    assert _marked(around, _found(*LIBRARIES[1]), wrong)[:2] == ([("CH904", "info")] * 2, True)
    assert _marked(around, wrong)[1] is False  # nothing is missing there


def test_a_name_nearly_like_one_of_the_document_is_a_warning() -> None:
    """So is it told in its line, and no file is red for a name of its library."""
    text = TEXT + "class More { val counter = 1; def f = countr; def g = expect; def h = expect; val expects = 2 }\n"
    around = replace(AROUND, texts={"Tests.scala": text})
    names = (("not found: value countr", 4), ("not found: value expect", 4), ("not found: type AnyFlatSpec", 3))
    marked, ok, _ = _marked(around, *(_found(*item) for item in (*LIBRARIES, *names)))
    assert [severity for _, severity in marked[2:]] == ["warning", "info", "info"] and ok
    text = TEXT + "class Core extends chisel3.Module { val c = cloc }\n"
    inherited = _found("not found: value cloc", 4)
    marked, _, _ = _marked(replace(AROUND, texts={"Tests.scala": text}), _found(*LIBRARIES[1]), inherited)
    assert marked[1] == ("CH904", "warning")


def test_what_is_said_elsewhere_of_a_class_that_lacks_its_library_follows_too() -> None:
    use = _found("value check is not a member of mini.Tests", 0, "User.scala")
    other = _found("value check is not a member of mini.Alu", 0, "User.scala")
    marked, _, _ = _marked(AROUND, _found(*LIBRARIES[1]), use, other)
    assert marked[1] == ("CH904", "info") and marked[2][1] == "error"


@pytest.mark.parametrize(
    ("message", "line", "text"),
    [
        ("not found: object chisle3", 0, "import chisle3._\n"),
        ("object utl is not a member of package chisel3", 0, "import chisel3.utl._\n"),
        ("not found: object mimi", 0, "import mimi.Alu\n"),
        ("object Allu is not a member of package mini", 0, "import mini.Allu\n"),
        ("not found: value io", 0, "class A { io := 1 }\n"),
        ("not found: object spire", 0, "class A { spire.math }\n"),
    ],
)
def test_slips_of_the_pen_stay_errors(message: str, line: int, text: str) -> None:
    around = replace(AROUND, texts={"Tests.scala": text})
    marked, ok, notes = _marked(around, _found(message, line))
    assert marked[0][1] == "error" and not ok and notes == ()


@pytest.mark.parametrize("more", [{"libraries_known": True}, {"in_project": False}])
def test_where_a_build_says_what_there_is_or_there_is_none_it_is_an_error(more: dict[str, bool]) -> None:
    marked, ok, notes = _marked(replace(AROUND, **more), _found(*LIBRARIES[0]))  # type: ignore[arg-type]
    assert marked[0][1] == "error" and not ok and notes == ()


OLD = (
    "object FixedPoint is not a member of package chisel3.experimental",
    "not found: value MultiIOModule",
    "object stage is not a member of package chisel3",
)


@pytest.mark.parametrize("message", OLD)
def test_older_chisel_is_answered_with_hints(message: str) -> None:
    mismatch = _found("type mismatch;\n found   : String\n required: Int", 3)
    marked, ok, notes = _marked(replace(AROUND, asked="3.6.1"), _found(message, 1), mismatch)
    assert marked == [("CH905", "hint"), (mismatch.code, "error")] and not ok
    assert "written for Chisel 3.6.1, checked with 6.7.0: 1 finding follows" in notes[0]
    assert _marked(AROUND, _found(message, 1))[0][0][1] == "error"  # the version that was asked for
    assert _marked(replace(AROUND, asked=""), _found(message, 1))[0][0][1] == "error"


@pytest.mark.parametrize(
    "message",
    [
        "value redy is not a member of chisel3.util.DecoupledIO[chisel3.UInt]\ndid you mean ready?",
        "Int(0) does not take parameters",
        "too many arguments (found 2, expected 1) for constructor Tests: (gen: chisel3.UInt): mini.Tests",
    ],
)
def test_slips_in_a_project_of_an_older_chisel_are_no_migration(message: str) -> None:
    marked, ok, _ = _marked(replace(AROUND, asked="3.6.1"), _found(message, 3))
    assert marked[0][1] == "error" and not ok


def test_other_arguments_of_the_library_are_a_migration() -> None:
    message = "not enough arguments for method apply: (init: chisel3.UInt): chisel3.UInt in object RegInit"
    assert _marked(replace(AROUND, asked="3.6.1"), _found(message, 3))[0] == [("CH905", "hint")]


def test_names_past_the_limit_of_files_follow_from_it() -> None:
    marked, ok, notes = _marked(replace(AROUND, left_out=True), _found("not found: type Far", 3))
    assert marked == [("CH904", "info")] and ok and "more files are needed" in notes[0]


def test_what_firtool_says_in_passing_is_worded_too() -> None:
    """Its own words stand behind: nobody knows every remark of every release."""
    remark = meaning_of("firtool", "warning", "some odd remark of a later release")
    refusal = meaning_of("firtool", "error", "some odd refusal of a later release")
    assert remark.code == refusal.code == "CH390"
    assert "remark" in remark.cause and "refuses" in refusal.cause


HIDDEN = """package noc
import chisel3._
import Const._
class Mesh { val n = ports(LOCAL); val v = LOCAL.litValue() }
"""


def test_names_that_a_newer_chisel_hides_or_writes_in_another_way_are_a_migration() -> None:
    """chisel3.Const is new: `import Const._` meant the project's own, as its texts say."""
    around = replace(AROUND, texts={"Tests.scala": HIDDEN}, asked="3.4.0", sees=lambda text, name: name == "LOCAL")
    empty = _found("BigInt does not take parameters", 3)
    assert empty.code == "CH117"
    assert _marked(around, _found("not found: value LOCAL", 3), empty)[0] == [("CH905", "hint")] * 2
    assert _marked(around, _found("not found: value LOCALE", 3))[0][0][1] == "error"
    assert _marked(replace(around, asked="6.7.0"), empty)[0][0][1] == "error"


def test_a_file_whose_chisel_is_not_there_at_all_is_a_migration_as_a_whole() -> None:
    text = "package empty\nimport Chisel._\nclass Add extends Module { val a = Bits(3) }\n"
    around = replace(AROUND, texts={"Tests.scala": text}, asked="3.4.0")
    final = _found("illegal inheritance from final class Module", 2)
    assert _marked(around, _found("not found: object Chisel", 1), final)[0] == [("CH905", "hint")] * 2
    assert _marked(around, final)[0][0][1] == "error"


@pytest.mark.parametrize(
    ("imported", "message", "code"),
    [
        ("chisel.lib.fifo._", "not found: object chisel", "CH904"),
        (
            "chisel3.iotesters.PeekPokeTester",
            "object iotesters is not a member of package chisel3 did you mean testers?",
            "CH904",
        ),
        ("chisel.util._", "not found: object chisel", ""),
        ("chisle3.util.Cat", "not found: object chisle3", ""),
        ("chisel.Module", "not found: object chisel", ""),
    ],
)
def test_packages_of_others_that_are_called_like_chisels(imported: str, message: str, code: str) -> None:
    around = replace(AROUND, texts={"Tests.scala": f"package mini\nimport {imported}\n"})
    marked, ok, _ = _marked(around, _found(message, 1))
    assert (marked[0][0] == code and ok) if code else (marked[0][1] == "error" and not ok)


def test_a_slip_in_a_file_for_an_older_chisel_is_a_warning() -> None:
    text = "import chisel3._\nimport chisel3.Driver\nclass A { val counter = 1; def f = countr }\n"
    around = replace(AROUND, texts={"Tests.scala": text}, asked="3.5.3")
    driver = _found("object Driver is not a member of package chisel3", 1)
    marked = _marked(around, driver, _found("not found: value countr", 2))[0]
    assert [severity for _, severity in marked] == ["hint", "warning"]


def test_a_class_that_a_trait_of_chisel_lacks_follows_from_the_library() -> None:
    lacking = _found(
        "Symbol 'type org.scalatest.TestSuiteMixin' is missing from the classpath.\nThis symbol is required", 3
    )
    assert _marked(AROUND, _found(*LIBRARIES[0]), lacking)[:2] == ([("CH904", "info")] * 2, True)
    assert _marked(AROUND, lacking)[1] is False


def test_names_that_nothing_has_may_come_of_what_a_build_misses() -> None:
    around = replace(AROUND, libraries_known=False, incomplete="generated sources are missing", defined={"Kept"})
    assert _marked(around, _found("not found: value Made", 3))[:2] == ([("CH904", "info")], True)
    assert _marked(around, _found("not found: value Kept", 3))[1] is False
    assert _marked(around, _found("value made is not a member of mini.Tests", 3))[1] is False


def test_a_slip_of_an_inherited_name_is_a_warning() -> None:
    texts = {
        "Tests.scala": "import chiseltest._\nclass Rom(n: Int) extends Device(n) { def f = cpuPor }\n",
        "Device.scala": "abstract class Device(n: Int) { val cpuPort = n }\n",
        "Far.scala": "class Far { val expects = 1 }\n",
    }
    around = replace(AROUND, texts=texts)
    slip, other = _found("not found: value cpuPor", 1), _found("not found: value expect", 1)
    marked = _marked(around, _found("not found: object chiseltest", 0), slip, other)[0]
    assert [severity for _, severity in marked] == ["info", "warning", "info"]
