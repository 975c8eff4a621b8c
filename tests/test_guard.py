"""No traceback, whatever goes wrong: one line and an exit code, also where output is full, closed or plain ASCII."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from hwml_sdk.cli import main
from hwml_sdk.document import Analysis, Diagnostic, Related, Span
from hwml_sdk.errors import SourceError
from hwml_sdk.guard import guard
from hwml_sdk.printable import printable
from hwml_sdk.report import as_github, as_text

KERNEL = "void k(int a[8]) {\n  for (int i = 0; i < 8; i++) a[i] = i;\n}\n"
PROGRAM = [sys.executable, "-P", "-m", "hwml_sdk.cli"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    place = tmp_path / "k.cpp"
    place.write_text(KERNEL)
    return place


def run(words: Sequence[str | Path], *, env: dict[str, str] | None = None, shell: str = "") -> tuple[int, str, str]:
    """Exit code, stdout, stderr of a program; `shell`: redirections that a shell makes."""
    command: list[str | Path] = ["sh", "-c", f'exec "$@" {shell}', "sh", *words] if shell else list(words)
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecursionError(), "nested too deeply"),
        (MemoryError(), "memory"),
        (IndexError("list index out of range"), "internal error: IndexError"),
        (SourceError("two\nlines", path="a\x1b[31m.cpp", line=3), r"a\x1b[31m.cpp:3: two\nlines"),
        (OSError(28, "No space left on device", "x.json"), "x.json: No space left on device"),
    ],
)
def test_one_line(error: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise error

    assert guard("hwml", fail) == 2
    said = capsys.readouterr().err
    assert said.startswith("hwml: ") and words in said and said.count("\n") == 1


def test_the_rest_of_a_fault_is_one_setting_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HWML_TRACEBACK", "1")
    assert guard("hwml", lambda: int("x")) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_stdout(source: Path) -> None:
    code, _, errors = run([*PROGRAM, "qor", source], shell=">/dev/full")
    assert code == 2 and errors.count("\n") == 1 and "No space left" in errors


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_outputs(source: Path, closed: str) -> None:
    code, _, errors = run([*PROGRAM, "qor", source], shell=closed)
    assert code in (0, 2) and "Traceback" not in errors and "internal error" not in errors


def test_a_reader_that_leaves(source: Path) -> None:
    code, _, errors = run(["sh", "-c", f'"{sys.executable}" -P -m hwml_sdk.cli qor --json "$1" | true', "sh", source])
    assert code == 0 and errors == ""


def test_ascii_output(source: Path) -> None:
    """A table with dashes and Greek letters on a terminal that knows neither."""
    code, out, errors = run([*PROGRAM, "qor", source], env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert code == 0 and errors == "" and out.isascii()


@pytest.mark.parametrize(
    "name", ["a\nb.cpp", "a\x1b]0;x\x07.cpp", "::error::x.cpp", "a\u202ecpp.exe.cpp", "a\udcff.cpp"]
)
def test_names_of_files_are_data(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.write_text(KERNEL)
    commands: list[list[str | Path]] = [["qor"], ["qor", "lint", "--format", "github"], ["qor", "lint"]]
    for words in commands:
        code, out, errors = run([*PROGRAM, *words, place])
        assert code in (0, 1) and "Traceback" not in errors
        assert "\x1b" not in out + errors and "\u202e" not in out + errors
        assert not any(line.startswith(("b.cpp", "::error::x")) for line in (out + errors).splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ["qor", "--json"], ["budget", "--max-lut", "9"], ["budget", "--max-lut", "9", "--json"],
        *(["qor", "lint", "--format", form] for form in ("text", "github", "json", "sarif")),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_output_holds_control_characters(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # C0, DEL and C1 (an 8-bit terminal takes \x9b for the start of a command), and a mark that turns text round.
    place = tmp_path / "a\nb\x1b[1m\x7f\x85\x9b31m\u202e.cpp"
    place.write_text(KERNEL.replace("{", "{\n#pragma HLS FANCY\n", 1))
    assert main([*words, str(place)]) in (0, 1)
    said = capsys.readouterr()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said.out + said.err)
    if "json" in " ".join(words):
        assert str(place) in strings_of(json.loads(said.out))


def strings_of(data: object) -> list[str]:
    """Every string of JSON data."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in strings_of(value)]
    if isinstance(data, list):
        return [text for value in data for text in strings_of(value)]
    return [data] if isinstance(data, str) else []


def test_findings_stay_on_their_line() -> None:
    item = Diagnostic(
        "HLS101", "error", "bad\n::error::worse", Span.line(0), related=(Related("r\r\nx", Span.line(1)),)
    )
    analysis = Analysis("a\n::warning::.cpp", "hls", (item,), notes=("n\x1b[0m",))
    text = as_text([analysis])
    assert len(text.splitlines()) == 3 and "\x1b" not in text
    assert as_github([analysis]).count("\n") == 0


def test_what_is_harmless_stays() -> None:
    assert printable("größer ≤ 3\t×2") == "größer ≤ 3\t×2"
    assert printable("a\x00\x7f\u2028") == r"a\x00\x7f\u2028"
