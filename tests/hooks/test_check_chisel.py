"""hwml-check-chisel, and annotate and watch for Chisel: with the real compiler."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from hwml_hooks import check_qor
from hwml_hooks.annotate import annotate_file
from hwml_hooks.check_chisel import main
from hwml_sdk import cli
from hwml_sdk.errors import HwmlError

Git = Callable[..., str]
Capture = pytest.CaptureFixture[str]

GOOD = """import chisel3._

class Adder extends Module {
  val io = IO(new Pair)
  io.sum := io.a +& io.b
}
"""
PAIR = """import chisel3._

class Pair extends Bundle {
  val a = Input(UInt(8.W))
  val b = Input(UInt(8.W))
  val sum = Output(UInt(9.W))
}
"""
APART = """import chisel3._

class Apart extends Module {
  val io = IO(new Bundle { val y = Output(Bool()) })
  io.y := true.B
}
"""
# A width written as an Int: the checker knows a safe repair.
MISTAKE = """import chisel3._

class Wide extends Module {
  val io = IO(new Bundle { val in = Input(UInt(8)); val out = Output(UInt(8.W)) })
  io.out := io.in
}
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[None]:
    """The tool chain (fetched once), and a daemon of these tests' own that ends with them."""
    toolchain, preparing, client, check = (
        import_module(f"hwml_sdk.chisel.{name}")
        for name in ("install.toolchain", "compile.prepare", "serve.client", "check")
    )
    runtime = tempfile.mkdtemp(prefix="hwml-h-")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", runtime)
    try:
        programs = preparing.prepare(toolchain.ensure("7.14.0"))
    except HwmlError as error:
        pytest.skip(f"no Chisel tool chain: {error}")
    yield
    client.stop_daemon(programs)
    for link in check._clients.values():
        link.close()
    check._clients.clear()
    patch.undo()
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def sources(repo: Path, daemon: None) -> Path:
    (repo / "Adder.scala").write_text(GOOD)
    (repo / "Pair.scala").write_text(PAIR)
    (repo / "Apart.scala").write_text(APART)
    return repo


def test_clean_files_and_files_with_errors(sources: Path, capsys: Capture) -> None:
    assert main(["Adder.scala", "Apart.scala"]) == 0
    (sources / "Wide.scala").write_text(MISTAKE)
    assert main(["Wide.scala", "--trust"]) == 1
    out = capsys.readouterr().out
    assert "Wide.scala:4:" in out
    assert " error CH" in out
    assert "(verified)" in out
    assert main(["Wide.scala", "--trust", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["files"][0]["path"] == "Wide.scala"


def test_files_that_depend_on_a_changed_one(sources: Path, capsys: Capture) -> None:
    """Only Pair.scala changes, and compiles; Adder.scala, which uses it, does not any more."""
    (sources / "Pair.scala").write_text(PAIR.replace("val sum", "val total"))
    assert main(["Pair.scala", "--no-dependents"]) == 0
    assert main(["Pair.scala"]) == 1
    out = capsys.readouterr().out
    assert "Adder.scala:5:" in out
    assert "value sum is not a member of" in out
    assert "Apart.scala" not in out


def test_an_error_is_told_once(sources: Path, capsys: Capture) -> None:
    (sources / "Pair.scala").write_text(PAIR.replace("UInt(9.W)", "UInt(nine)"))
    assert main(["Pair.scala"]) == 1
    out = capsys.readouterr().out
    assert out.count("not found: value nine") == 1
    assert "Pair.scala:6:" in out


def test_fix(sources: Path, capsys: Capture) -> None:
    path = sources / "Wide.scala"
    path.write_bytes(b"\xef\xbb\xbf" + MISTAKE.replace("\n", "\r\n").encode())
    assert main(["Wide.scala", "--trust", "--fix"]) == 0
    fixed = path.read_bytes()
    assert fixed == b"\xef\xbb\xbf" + MISTAKE.replace("UInt(8))", "UInt(8.W))").replace("\n", "\r\n").encode()
    assert "Wide.scala" in capsys.readouterr().err
    assert main(["Wide.scala", "--trust", "--fix"]) == 0
    assert path.read_bytes() == fixed


def test_staged(sources: Path, git: Git, capsys: Capture) -> None:
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    (sources / "Pair.scala").write_text(PAIR.replace("val sum", "val total"))
    git("add", "-A")
    (sources / "Pair.scala").write_text(PAIR)  # on the disk all is well
    assert main(["Pair.scala"]) == 0
    capsys.readouterr()
    assert main(["--staged"]) == 1
    out = capsys.readouterr().out
    assert "Adder.scala:5:" in out
    assert "/hwml-" not in out
    assert main(["--staged", "--fix"]) == 2


def test_settings_that_cannot_be_read_cost_the_files_below_them_only(sources: Path, git: Git, capsys: Capture) -> None:
    (sources / "sub").mkdir()
    (sources / "sub" / "Other.scala").write_text(APART.replace("Apart", "Other"))
    (sources / "Wide.scala").write_text(MISTAKE)
    (sources / "sub" / "hwml.toml").write_text("[chisel]\n")
    git("add", "-A")
    (sources / "sub" / "hwml.toml").write_text("[chisel\n")
    assert main(["sub/Other.scala", "Wide.scala", "Adder.scala"]) == 2
    said = capsys.readouterr()
    assert "sub/hwml.toml: not TOML" in said.err and said.err.count("\n") == 1
    assert "Wide.scala:4:" in said.out
    assert main(["--staged", "sub/Other.scala"]) == 0, "what is staged can be read"


def test_scala_that_is_no_hardware(sources: Path, capsys: Capture) -> None:
    (sources / "Plain.scala").write_text("object Plain { def broken: Int = \n")
    assert main(["Plain.scala"]) == 0
    assert capsys.readouterr().out == ""


def test_bad_input(sources: Path, capsys: Capture) -> None:
    (sources / "Binary.scala").write_bytes(b"\0\1")
    (sources / "Merge.scala").write_text("<<<<<<< a\n" + GOOD + "=======\n" + GOOD + ">>>>>>> b\n")
    assert main(["Adder.scala", "Binary.scala", "Merge.scala", "Gone.scala"]) == 2
    error = capsys.readouterr().err
    assert [name in error for name in ("Binary.scala:1: holds NUL", "Merge.scala:1: conflict", "Gone.scala")] == [
        True
    ] * 3
    assert main(["notes.md"]) == 2
    assert main([]) == 2


# -- annotate --------------------------------------------------------------------------------------------------


def test_annotate_says_the_error_and_the_verified_fix(sources: Path) -> None:
    path = sources / "Wide.scala"
    path.write_text(MISTAKE)
    annotate_file(path, trusted=True)
    lines = path.read_text().splitlines()
    mark = next(line for line in lines if "// hwml: error CH" in line)
    assert "; verified fix: " in mark
    assert lines[lines.index(mark) + 1] == MISTAKE.splitlines()[3]
    assert not annotate_file(path, trusted=True).changed
    annotate_file(path, remove=True)
    assert path.read_text() == MISTAKE


def test_annotate_fix_applies_the_safe_one(sources: Path) -> None:
    path = sources / "Wide.scala"
    path.write_text(MISTAKE)
    annotate_file(path, trusted=True)
    annotate_file(path, fix=True, trusted=True)
    assert "UInt(8.W)); val out" in path.read_text()
    assert "// hwml: error" not in path.read_text()


def test_annotate_leaves_what_people_wrote(daemon: None, repo: Path, data: Path) -> None:
    path = repo / "Sample.scala"
    path.write_bytes((data / "Sample.scala").read_bytes())
    annotate_file(path, trusted=True)
    annotate_file(path, remove=True)
    assert path.read_bytes() == (data / "Sample.scala").read_bytes()


# -- limits ----------------------------------------------------------------------------------------------------


def test_limits_of_a_module_take_trust(daemon: None, repo: Path, capsys: Capture) -> None:
    """A register of eight bits against a limit of four: nothing is known of it before its folder is trusted."""
    text = APART.replace("Bool()", "UInt(8.W)").replace("val y", "val a = Input(UInt(8.W)); val y")
    (repo / "Late.scala").write_text(text.replace("true.B", "RegNext(io.a)"))
    assert check_qor.main(["--max-ff", "4", "Late.scala"]) == 0
    assert "hwml trust FOLDER" in capsys.readouterr().out
    assert cli.main(["budget", "--max-ff", "4", "Late.scala"]) == 2
    assert "not trusted" in capsys.readouterr().err
    assert check_qor.main(["--trust", "--max-ff", "4", "Late.scala"]) == 1
    assert "Late.scala:3:" in (found := capsys.readouterr().out)
    assert "8 FF" in found
    assert cli.main(["budget", "--trust", "--max-ff", "4", "Late.scala"]) == 1
    assert "OVER  8 FF" in capsys.readouterr().out
