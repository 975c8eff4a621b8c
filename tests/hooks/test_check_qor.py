"""hwml-check-qor and hwml budget: limits, growth, the index, repositories of every kind, bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hwml_hooks import check_qor
from hwml_hooks.check_qor import main
from hwml_hooks.limits import parse_amount
from hwml_hooks.watch import said_changes
from hwml_sdk import document, explain
from hwml_sdk.cli import main as hwml
from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis, Figures

ROOT = Path(__file__).resolve().parents[2]
Git = Callable[..., str]
Capture = pytest.CaptureFixture[str]
# A product of streams: its DSP count follows the unroll factor.
DESIGN = """#include <ap_int.h>
void scale(const int in[64], int out[64], int by) {
#pragma HLS ARRAY_PARTITION variable=in type=complete
#pragma HLS ARRAY_PARTITION variable=out type=complete
work:
  for (int i = 0; i < 64; i++) {
#pragma HLS UNROLL factor=%d
    out[i] = in[i] * by;
  }
}
"""
UNKNOWN = """#include <ap_int.h>
int total(const int *in, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += in[i];
  return sum;
}
"""
LINT = DESIGN % 2 + "// a pragma with a fault\nvoid other() {\n#pragma HLS PIPLINE\n}\n"


def predicted(path: str, capsys: Capture) -> dict[str, int]:
    hwml(["qor", path, "--json"])
    found: dict[str, int] = json.loads(capsys.readouterr().out)
    return found


def test_limits_from_the_settings_file(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 8)
    found = predicted("a.cpp", capsys)
    low = found["intervals"]["LUT"]["low"]  # type: ignore[index]
    (repo / "hwml.toml").write_text(f"[limits]\nmax_lut = {low + 1}\n")
    assert main(["a.cpp"]) == 0
    (repo / "hwml.toml").write_text(f"[limits]\nmax_lut = {low - 1}\n")
    assert main(["a.cpp"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "QOR101" in line)
    assert line.startswith("a.cpp:2:6: error QOR101: scale: ")
    assert "80 %" in line
    assert main(["a.cpp", "--max-lut", "1M"]) == 0, "the command line goes first"


def test_strict_takes_the_estimate(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 8)
    found = predicted("a.cpp", capsys)
    between = str((found["LUT"] + found["intervals"]["LUT"]["low"]) // 2)  # type: ignore[index]
    assert main(["a.cpp", "--no-lint", "--max-lut", between]) == 0
    assert "info QOR102" in capsys.readouterr().out
    assert main(["a.cpp", "--no-lint", "--max-lut", between, "--strict"]) == 1
    assert "error QOR101" in capsys.readouterr().out


def test_unknown_latency(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(UNKNOWN)
    assert main(["a.cpp", "--no-lint", "--max-latency", "10"]) == 0
    assert "info QOR104" in capsys.readouterr().out
    assert main(["a.cpp", "--no-lint", "--max-latency", "10", "--strict"]) == 1


def test_lint_findings_and_formats(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(LINT)
    assert main(["a.cpp"]) == 1
    assert "HLS105" in capsys.readouterr().out
    assert main(["a.cpp", "--no-lint"]) == 0
    for style, mark in (("json", '"schema_version": 2'), ("github", "::warning file=a.cpp"), ("sarif", '"2.1.0"')):
        assert main(["a.cpp", "--format", style]) == 1
        assert mark in capsys.readouterr().out
    (repo / "hwml.toml").write_text('[lint]\nignore = ["HLS105", "HLS119"]\n')
    main(["a.cpp"])
    assert "HLS105" not in capsys.readouterr().out


def test_files_that_are_no_hls_are_left_alone(repo: Path, capsys: Capture) -> None:
    (repo / "src").mkdir()
    (repo / "hwml.toml").write_text("[limits]\nmax_lut = 1\n")
    (repo / "src" / "app.cpp").write_text("int main(int n) { for (int i = 0; i < n; i++) {} }\n")
    assert main(["src/app.cpp"]) == 0
    assert capsys.readouterr().out == ""


# -- growth ----------------------------------------------------------------------------------------------------


def commit(git: Git, text: str = "all") -> None:
    git("add", "-A")
    git("commit", "-q", "-m", text)


def test_growth_against_head(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 2)
    commit(git)
    assert main(["a.cpp", "--no-lint", "--max-growth", "50"]) == 0
    (repo / "a.cpp").write_text(DESIGN % 16)
    assert main(["a.cpp", "--no-lint", "--max-growth", "50"]) == 1
    out = capsys.readouterr().out
    assert "error QOR103: scale: LUT grows by " in out
    assert "against HEAD, limit 50 %; now " in out
    assert main(["a.cpp", "--no-lint", "--max-growth", "100000"]) == 0


def test_growth_by_a_header(repo: Path, git: Git, capsys: Capture) -> None:
    """Only the header changes: the designs that include it are looked at, against the header at HEAD."""
    (repo / "inc").mkdir()
    (repo / "inc" / "size.h").write_text("#define COPIES 2\n")
    (repo / "inc" / "all.h").write_text('#include "size.h"\n')
    (repo / "a.cpp").write_text('#include "inc/all.h"\n' + (DESIGN.replace("%d", "COPIES")))
    (repo / "b.cpp").write_text(DESIGN % 2)
    commit(git)
    (repo / "inc" / "size.h").write_text("#define COPIES 16\n")
    assert main(["inc/size.h", "--no-lint", "--max-growth", "50"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("a.cpp:")
    assert "b.cpp" not in out


def test_growth_by_a_part_that_is_no_source_of_its_own(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "work.tpp").write_text(DESIGN % 2)
    (repo / "a.cpp").write_text('#include "work.tpp"\n#include <ap_int.h>\n')
    git("add", "-A")
    git("commit", "-q", "-m", "two lanes")
    (repo / "work.tpp").write_text(DESIGN % 16)
    git("add", "-A")
    for arguments in (["work.tpp"], ["--staged"]):
        assert main([*arguments, "--no-lint", "--max-growth", "50"]) == 1
        said = capsys.readouterr()
        assert "a.cpp:1:" in said.out
        assert "QOR103" in said.out
        assert said.err == ""
    assert main(["work.tpp"]) == 0, "nothing is held against anything here"


def test_growth_of_a_renamed_file(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "old.cpp").write_text(DESIGN % 2)
    commit(git)
    git("mv", "old.cpp", "new.cpp")
    (repo / "new.cpp").write_text(DESIGN % 16)
    git("add", "-A")
    assert main(["new.cpp", "--no-lint", "--max-growth", "50"]) == 1
    assert "new.cpp:2:6: error QOR103" in capsys.readouterr().out


def test_growth_without_a_past(repo: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / "a.cpp").write_text(DESIGN % 16)
    assert main(["a.cpp", "--no-lint", "--max-growth", "1"]) == 0, "no commit yet"
    git("add", "-A")
    assert main(["--staged", "--no-lint", "--max-growth", "1"]) == 0
    (repo / "b.cpp").write_text(DESIGN % 16)
    commit(git)
    (repo / "c.cpp").write_text(DESIGN % 16)
    assert main(["c.cpp", "--no-lint", "--max-growth", "1"]) == 0, "a new file"
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    (outside / "a.cpp").write_text(DESIGN % 16)
    assert main(["a.cpp", "--no-lint", "--max-growth", "1"]) == 0, "no repository"


def test_a_past_that_cannot_be_predicted(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "a.cpp").write_text("// nothing yet\n")
    commit(git)
    (repo / "a.cpp").write_text(DESIGN % 4)
    assert main(["a.cpp", "--max-growth", "1", "--no-lint"]) == 0
    assert "growth is not known" in capsys.readouterr().out


# -- the index -------------------------------------------------------------------------------------------------


def test_staged_reads_the_index(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 2)
    (repo / "hwml.toml").write_text("[limits]\nmax_growth_percent = 50\n")
    commit(git)
    (repo / "a.cpp").write_text(DESIGN % 16)
    git("add", "a.cpp")
    (repo / "a.cpp").write_text(DESIGN % 2)  # the work tree is fine again, the commit would not be
    assert main(["a.cpp", "--no-lint"]) == 0
    capsys.readouterr()
    for arguments in (["--staged"], ["--staged", "a.cpp"]):
        assert main([*arguments, "--no-lint"]) == 1
        assert "a.cpp:2:6: error QOR103" in capsys.readouterr().out


def test_staged_headers_and_settings_come_from_the_index(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "size.h").write_text("#define COPIES 16\n")
    (repo / "a.cpp").write_text('#include "size.h"\n' + DESIGN.replace("%d", "COPIES"))
    found = predicted("a.cpp", capsys)["intervals"]["LUT"]["low"]  # type: ignore[index]
    (repo / "hwml.toml").write_text(f"[limits]\nmax_lut = {found - 1}\n")
    git("add", "-A")
    (repo / "size.h").write_text("#define COPIES 1\n")
    (repo / "hwml.toml").write_text("[limits]\nmax_lut = 1e9\n")
    assert main(["--staged", "--no-lint"]) == 1
    out = capsys.readouterr().out
    assert "a.cpp:3:6: error QOR101" in out
    assert "/hwml-" not in out


def test_staged_in_a_partial_commit(repo: Path, git: Git) -> None:
    """`git commit a.cpp` calls its hook with an index of its own: what else is staged does not count."""
    for name in ("a.cpp", "b.cpp"):
        (repo / name).write_text(DESIGN % 2)
    commit(git)
    hook = repo / ".git" / "hooks" / "pre-commit"
    check = f"{sys.executable} -P -m hwml_hooks.check_qor --staged --no-lint --max-growth 50"
    hook.write_text(f"#!/bin/sh\nexport PYTHONPATH='{os.pathsep.join(sys.path[1:])}'\nexec {check}\n")
    hook.chmod(0o755)
    (repo / "a.cpp").write_text(DESIGN % 2 + "// more words\n")
    (repo / "b.cpp").write_text(DESIGN % 16)
    git("add", "-A")
    git("commit", "-q", "-m", "only a", "a.cpp")
    assert git("show", "--name-only", "--format=").split() == ["a.cpp"]
    refused = subprocess.run(["git", "commit", "-m", "b", "b.cpp"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "b.cpp:2:6: error QOR103" in refused.stdout + refused.stderr


def test_a_pull_request(repo: Path, git: Git, capsys: Capture) -> None:
    """The GitHub Actions example of docs/hooks.md: the branch's files over the base it came from."""
    lines = [line.strip() for line in (ROOT / "docs/hooks.md").read_text().splitlines()]
    assert '- run: git reset --soft "$(git merge-base HEAD "origin/$GITHUB_BASE_REF")"' in lines
    assert "- run: hwml-check-qor --staged --format github" in lines
    (repo / "a.cpp").write_text(DESIGN % 2)
    (repo / "hwml.toml").write_text('[limits]\nmax_growth_percent = 50\n[lint]\nignore = ["HLS119"]\n')
    commit(git)
    git("checkout", "-q", "-b", "work")
    (repo / "a.cpp").write_text(DESIGN % 16)
    commit(git)
    git("reset", "-q", "--soft", git("merge-base", "HEAD", "main").strip())
    assert main(["--staged", "--format", "github"]) == 1
    assert "::error file=a.cpp,line=2,endLine=2,col=6,title=QOR103::scale: LUT grows by " in capsys.readouterr().out


def test_submodules(repo: Path, git: Git, tmp_path: Path, capsys: Capture) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git("init", "-q", cwd=library)
    (library / "a.cpp").write_text(DESIGN % 2)
    git("add", "-A", cwd=library)
    git("commit", "-q", "-m", "x", cwd=library)
    git("submodule", "add", "-q", str(library), "sub")
    commit(git)
    assert main(["--staged"]) == 0, "nothing staged"
    (repo / "sub" / "a.cpp").write_text(DESIGN % 16)
    assert main(["sub/a.cpp", "--no-lint", "--max-growth", "50"]) == 1, "against the submodule's own HEAD"
    assert "sub/a.cpp:2:6: error QOR103" in capsys.readouterr().out
    assert main(["sub", "--no-lint"]) == 2
    git("add", "sub")
    assert main(["--staged"]) == 0


# -- bad input -------------------------------------------------------------------------------------------------


def test_bad_input(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "good.cpp").write_text(DESIGN % 2)
    (repo / "binary.cpp").write_bytes(b"\x7fELF\0\0")
    (repo / "merge.cpp").write_text("<<<<<<< a\nint x;\n=======\nint y;\n>>>>>>> b\n")
    (repo / "loop.cpp").symlink_to("loop.cpp")
    names = ("binary.cpp", "merge.cpp", "loop.cpp", "gone.cpp")
    assert main(["good.cpp", *names]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert [next(name for name in names if name in line) for line in lines] == list(names)
    assert main(["notes.md"]) == 2
    assert main([]) == 2
    assert main(["--staged", "good.cpp"]) == 2
    assert "not in the index" in capsys.readouterr().err


def test_outside_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--staged"]) == 2
    assert "no git repository" in capsys.readouterr().err


def test_without_git(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 2)
    monkeypatch.setenv("PATH", str(repo))
    assert main(["a.cpp", "--no-lint", "--max-growth", "1"]) == 0
    assert main(["--staged"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_limits_that_are_no_numbers(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 2)
    for word in ("many", "-3", "nan", "1e999", "", "20kk"):
        with pytest.raises(SystemExit) as ended:
            main(["a.cpp", f"--max-lut={word}"])
        assert ended.value.code == 2
    for value in ('"20k"', "-1", "nan", "true"):
        (repo / "hwml.toml").write_text(f"[limits]\nmax_lut = {value}\n")
        assert main(["a.cpp"]) == 2
        assert "limits.max_lut must be a number" in capsys.readouterr().err


def test_amounts() -> None:
    said = {"20000": 20000, "20k": 20000, "1.5M": 1.5e6, "1e6": 1e6, ".5k": 500, "2_000": 2000, "1G": 1e9}
    assert {text: parse_amount(text) for text in said} == said


# -- budget ----------------------------------------------------------------------------------------------------


def test_budget(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 8)
    found = predicted("a.cpp", capsys)
    interval = found["intervals"]["LUT"]  # type: ignore[index]
    assert hwml(["budget", "a.cpp", "--max-lut", str(interval["low"])]) == 0
    assert hwml(["budget", "a.cpp", "--max-lut", str(interval["low"]), "--strict"]) == 1
    capsys.readouterr()
    assert hwml(["budget", "a.cpp", "--max-lut", str(interval["low"] - 1), "--max-dsp", "1e6"]) == 1
    out = capsys.readouterr().out
    assert "OVER" in out
    assert "80 %:" in out
    assert hwml(["budget", "a.cpp", "--max-lut", "1", "--json"]) == 1
    row = json.loads(capsys.readouterr().out)
    assert row["schema_version"] == 2
    figure = row["designs"][0]["figures"][0]
    assert (figure["low"], figure["value"], figure["high"]) == (interval["low"], found["LUT"], interval["high"])


def test_budget_takes_part_clock_and_top(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 8 + "void other(int *a) {\n  *a += 1;\n}\n")
    assert hwml(["budget", "a.cpp", "--max-lut", "1e9", "--top", "other", "--clock", "300MHz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["designs"][0]["top"] == "other"
    assert hwml(["budget", "a.cpp", "--max-lut", "1e9", "--part", "xc7unheard"]) == 2


def test_budget_of_the_settings_file(repo: Path, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 8)
    assert hwml(["budget", "a.cpp"]) == 2
    assert "no limit is set" in capsys.readouterr().err
    (repo / "hwml.toml").write_text("[limits]\nmax_latency_cycles = 1\n")
    assert hwml(["budget", "a.cpp"]) == 1
    assert hwml(["budget", "a.cpp", "gone.cpp"]) == 2


def test_every_code_has_a_page() -> None:
    known = explain.codes()
    assert [code for code in known if code.startswith("QOR")] == ["QOR101", "QOR102", "QOR103", "QOR104"]


def test_a_budget_cannot_say_what_was_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither within nor over: the note names the call, and --strict fails."""
    path = tmp_path / "k.cpp"
    path.write_text("void top(int a[4]) {\n#pragma HLS pipeline\n  gone(a);\n}\n", encoding="utf-8")
    assert hwml(["budget", str(path), "--max-lut", "20k"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{path}: top: cannot say", "  ?     ? LUT, limit 20k: cannot say, gone is not read"]
    assert hwml(["budget", str(path), "--max-lut", "20k", "--strict"]) == 1


def test_a_file_without_a_sign_of_hls_is_not_passed_over_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k.cpp"
    path.write_text("void top(int a[4]) {\n  for (int i = 0; i < 4; i++) a[i] = i;\n}\n", encoding="utf-8")
    for limit in ("--max-lut", "--max-growth"):
        assert main([str(path), limit, "1"]) == 0
        assert "no limit was checked" in capsys.readouterr().out
    path.write_text("#include <ap_int.h>\nint x;\n", encoding="utf-8")
    assert main([str(path), "--max-lut", "1"]) == 0
    said = capsys.readouterr().out
    assert "no function with a body" in said and "nothing was predicted: no limit was checked" in said
    path.write_text("void top(int a[4]) {\n  for (int i = 0; i < 4; i++) a[i] = i;\n}\n", encoding="utf-8")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == ""


# -- what else may be limited, and growth that is meant ---------------------------------------------------------


def test_memories_and_initiation_intervals_have_limits(repo: Path, capsys: Capture) -> None:
    """A table of 64 Kbit that is read and written in one round takes block RAM; one port of it makes II 2."""
    (repo / "m.cpp").write_text(
        "#include <ap_int.h>\nvoid table(int in[64], int out[64]) {\n  int kept[4096];\n"
        "#pragma HLS BIND_STORAGE variable=kept type=ram_1p impl=bram\n"
        "  for (int i = 0; i < 64; i++) {\n#pragma HLS PIPELINE II=1\n"
        "    kept[in[i] & 4095] = i;\n    out[i] = kept[(i * 7) & 4095];\n  }\n}\n"
    )
    low = predicted("m.cpp", capsys)["intervals"]["bram_18k"]["low"]  # type: ignore[index]
    assert hwml(["budget", "m.cpp", "--max-bram", str(max(low - 1, 0.5)), "--max-uram", "1", "--json"]) == 1
    states = {f["name"]: f["state"] for f in json.loads(capsys.readouterr().out)["designs"][0]["figures"]}
    assert states == {"BRAM_18K": "over", "URAM": "ok"}
    (repo / "a.cpp").write_text(DESIGN.replace("#pragma HLS UNROLL factor=%d", "#pragma HLS PIPELINE II=3"))
    assert hwml(["budget", "a.cpp", "--max-ii", "3"]) == 0
    assert hwml(["budget", "a.cpp", "--max-ii", "2"]) == 1
    assert "OVER  3 II" in capsys.readouterr().out


def test_growth_is_accepted_once_and_in_words(repo: Path, git: Git, capsys: Capture) -> None:
    (repo / "a.cpp").write_text(DESIGN % 2)
    (repo / "hwml.toml").write_text("[limits]\nmax_growth_percent = 50\n")
    commit(git)
    (repo / "a.cpp").write_text(DESIGN % 8)
    assert main(["a.cpp", "--no-lint"]) == 1
    assert main(["a.cpp", "--no-lint", "--accept", "eight lanes for video"]) == 0
    kept = json.loads((repo / "hwml.accepted.json").read_text())["accepted"]
    assert [(entry["path"], entry["top"], entry["why"]) for entry in kept] == [
        ("a.cpp", "scale", "eight lanes for video")
    ]
    assert main(["a.cpp", "--no-lint"]) == 0  # the same text again
    (repo / "a.cpp").write_text(DESIGN % 16)
    assert main(["a.cpp", "--no-lint"]) == 1  # more than was accepted
    (repo / "hwml.accepted.json").write_text("[]")
    capsys.readouterr()
    assert main(["a.cpp", "--no-lint"]) == 2
    assert "hwml.accepted.json" in capsys.readouterr().err


def test_a_file_of_another_kind_keeps_no_other_from_being_checked(repo: Path, capsys: Capture) -> None:
    (repo / "k.cpp").write_text("void f(int a[8]) {\n#pragma HLS TOP\n#pragma HLS PIPLINE\n  a[0] = 1;\n}\n")
    assert main(["build.sbt", "k.cpp"]) == 2
    said = capsys.readouterr()
    assert "build.sbt: is no C, C++ or Scala file" in said.err
    assert "PIPLINE" in said.out


def test_a_fault_of_ours_with_one_file_keeps_no_other_from_being_checked(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad.cpp", "k.cpp"):
        (repo / name).write_text("void f(int a[8]) {\n#pragma HLS TOP\n#pragma HLS PIPLINE\n  a[0] = 1;\n}\n")

    def analyze(path: Path, text: str, settings: Settings) -> Analysis:
        if path.name == "bad.cpp":
            raise KeyError("bad")
        return document.analyze(path, text, settings)

    monkeypatch.setattr(check_qor, "analyze", analyze)
    assert main(["bad.cpp", "k.cpp"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("hwml-check-qor: bad.cpp: KeyError: 'bad' (a defect of hwml;")
    assert "k.cpp:3:" in said.out


def test_a_change_of_less_than_half_a_percent_is_no_news() -> None:
    assert said_changes(Figures(lut=10_000, ff=100), Figures(lut=9_990, ff=150)) == "(FF +50 %)"
    assert said_changes(Figures(lut=10_000), Figures(lut=10_010)) == "(as before)"
