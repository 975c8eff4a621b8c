"""`hwml chisel ...` and the provider, as users and front ends call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk import Settings, analyze
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.cli import main
from hwml_sdk.document import apply_edits

BAD = """import chisel3._

class Sum extends Module {
  val io = IO(new Bundle { val a = Input(UInt(8.W)); val y = Output(UInt(8.W)) })
  io.y := io.a + 1   // one more
}
"""
GOOD = BAD.replace("+ 1 ", "+ 1.U ")


@pytest.fixture
def source(programs: Programs, tmp_path: Path) -> Path:
    path = tmp_path / "Sum.scala"
    path.write_text(BAD)
    return path


def test_check(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chisel", "check", "--trust", str(source)]) == 1
    answer = capsys.readouterr().out
    assert f"{source}:5:18: error CH103" in answer and "fix: 1.U (verified)" in answer
    source.write_text(GOOD)
    assert main(["chisel", "check", "--trust", str(source)]) == 0


def test_check_in_json_names_places_and_fixes(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chisel", "check", "--json", str(source)]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 2
    unchecked, item = data["files"][0]["diagnostics"]
    assert item["code"] == "CH103" and item["fixes"][0]["verified"] and item["fixes"][0]["safe"]
    assert (unchecked["code"], unchecked["severity"]) == ("CH906", "info") and "not trusted" in unchecked["message"]
    assert "2 of 4 stages" in unchecked["message"] and unchecked["range"]["start"]["line"] == 0


def test_an_untrusted_file_says_first_what_was_not_checked(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(GOOD)
    assert main(["chisel", "check", str(source)]) == 0
    answer = capsys.readouterr().out
    assert answer.startswith(f"{source}:1:1: info CH906: only types were checked: 2 of 4 stages")
    assert main(["chisel", "fix", str(source)]) == 0
    said = capsys.readouterr().err
    assert "elaborate, firtool" in said and said.index("only types were checked") < said.index("nothing to repair")


def test_fix_shows_then_writes_and_keeps_the_layout(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_bytes(BAD.replace("\n", "\r\n").encode())
    assert main(["chisel", "fix", "--trust", str(source)]) == 1
    assert "+  io.y := io.a + 1.U   // one more" in capsys.readouterr().out
    assert source.read_bytes() == BAD.replace("\n", "\r\n").encode()
    assert main(["chisel", "fix", "--trust", "--write", str(source)]) == 0
    assert source.read_bytes() == GOOD.replace("\n", "\r\n").encode()


def test_a_choice_is_never_applied_by_itself(source: Path) -> None:
    text = GOOD.replace("io.a + 1.U", "Mux(io.a, io.a, 0.U)")
    source.write_text(text)
    assert main(["chisel", "fix", "--trust", "--write", str(source)]) == 1
    assert source.read_text() == text
    assert main(["chisel", "fix", "--trust", "--write", "--choice", "1", str(source)]) == 0
    assert "Mux(io.a.orR, io.a, 0.U)" in source.read_text()


def test_emit(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(GOOD)
    assert main(["chisel", "emit", "--trust", str(source)]) == 0
    assert "module Sum(" in capsys.readouterr().out
    assert main(["chisel", "emit", "--trust", "--chirrtl", "-o", str(tmp_path / "out"), str(source)]) == 0
    assert "circuit Sum" in (tmp_path / "out" / "Sum.fir").read_text()
    capsys.readouterr()
    assert main(["chisel", "emit", "--trust", "--json", str(source)]) == 0
    assert list(json.loads(capsys.readouterr().out)["modules"]) == ["Sum"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["check", "missing.scala"], 2, "missing.scala"),
        (["check", "notes.txt"], 2, "no Scala file"),
        (["check", "empty"], 2, "no .scala file"),
        (["check", "--version", "9.9", "Sum.scala"], 0, ""),
        (["emit", "Sum.scala"], 3, "--trust"),
        (["check", "--args", "Sum()", "Sum.scala"], 3, "--trust"),
        (["check", "big.scala"], 2, "over the limit"),
        (["check", "binary.scala"], 2, "NUL"),
        (["setup", "--version", "1.0.0"], 3, "7.14.0"),
    ],
)
def test_wrong_use_is_one_line(
    programs: Programs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "Sum.scala").write_text(GOOD)
    (tmp_path / "big.scala").write_text("// " + "x" * 2_100_000)
    (tmp_path / "binary.scala").write_bytes(b"\x7fELF\0\0")
    assert main(["chisel", *arguments]) == code
    told = capsys.readouterr().err
    assert words in told
    assert len([line for line in told.splitlines() if line.startswith("hwml:")]) == (1 if code else 0)


def test_provider_offers_the_fix_as_edits(source: Path) -> None:
    analysis = analyze(source, BAD, Settings(trusted=True))
    (item,) = analysis.diagnostics
    (fix,) = item.fixes
    assert fix.verified and fix.safe
    assert apply_edits(BAD, fix.edits) == GOOD
    assert len(fix.edits) == 1 and len(fix.edits[0].new_text) <= 3


def test_provider_leaves_other_scala_alone(programs: Programs, tmp_path: Path) -> None:
    analysis = analyze(tmp_path / "Web.scala", "import cats.effect.IO\nobject Web extends App { nope }\n", Settings())
    assert analysis.diagnostics == () and analysis.notes == ()


def test_neighbours_join_only_where_they_are_needed(programs: Programs, tmp_path: Path) -> None:
    root = tmp_path / "src" / "main" / "scala" / "a"
    root.mkdir(parents=True)
    (root / "Stage.scala").write_text(
        "package a\nimport chisel3._\nclass Stage extends Module { val y = IO(Output(Bool())); y := b.Lit() }\n"
    )
    (root.parent / "b").mkdir()
    (root.parent / "b" / "Lit.scala").write_text("import chisel3._\nobject Lit\n")
    (root / "b.scala").write_text("package a\nimport chisel3._\nobject b { def Lit() = true.B }\n")
    (root / "Broken.scala").write_text("package a\nimport chisel3._\nclass Sum extends Nothing at all\n")
    body = "val s = Module(new Stage); val y = IO(Output(Bool())); y := s.y"
    top = f"package a\nimport chisel3._\nclass Top extends Module {{ {body} }}\n"
    analysis = analyze(root / "Top.scala", top, Settings(trusted=True))
    assert analysis.diagnostics == (), analysis


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("build.sbt", 'libraryDependencies += "org.chipsalliance" %% "chisel" % "6.7.0"', "6.7.0"),
        ("build.sbt", 'val chiselVersion = "7.14.0"', "7.14.0"),
        ("build.mill", 'def mvnDeps = Seq(mvn"org.chipsalliance::chisel:6.7.0")', "6.7.0"),
        ("project.scala", '//> using dep "org.chipsalliance::chisel:6.7.0"', "6.7.0"),
        ("build.sc", 'object versions {\n  val chisel     = "6.7.0"\n  val chiseltest = "6.0.0"\n}', "6.7.0"),
    ],
)
def test_version_comes_from_the_build(tmp_path: Path, name: str, text: str, version: str) -> None:
    from hwml_sdk.chisel.build.project import choose_version

    (tmp_path / name).write_text(text)
    path = tmp_path / "src" / "main" / "scala" / "Top.scala"
    choice = choose_version(path, "import chisel3._", Settings())
    assert (choice.version, choice.origin, choice.note) == (version, name, "")


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ('libraryDependencies += "edu.berkeley.cs" %% "chisel-iotesters" % "1.5.1"', "3.4"),
        ('libraryDependencies += "edu.berkeley.cs" %% "chiseltest" % "0.6.2"', "3.6"),
        ('ivy"edu.berkeley.cs::chiseltest:0.5.4"', "3.5"),
        ('libraryDependencies += "edu.berkeley.cs" %% "chiseltest" % "9.9.9"', ""),
    ],
)
def test_a_library_that_is_made_for_one_chisel_says_which(text: str, series: str) -> None:
    from hwml_sdk.chisel.build.project import version_in

    assert version_in(text).rpartition(".")[0] == series
    assert version_in(text + '\n"org.chipsalliance" %% "chisel" % "6.7.0"') == "6.7.0"


def test_a_version_that_is_not_pinned_is_said(tmp_path: Path) -> None:
    from hwml_sdk.chisel.build.project import choose_version

    (tmp_path / "build.sbt").write_text('"org.chipsalliance" %% "chisel" % "6.5.0"')
    choice = choose_version(tmp_path / "Top.scala", "", Settings())
    assert choice.version == "6.7.0" and "6.5.0" in choice.note
