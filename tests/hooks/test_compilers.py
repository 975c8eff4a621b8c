"""`hwml hooks vitis`: the real snippet in a real Tcl interpreter, with the commands of vitis_hls stubbed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hwml_sdk.cli import main as hwml

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "tests/data/csynth/classic/solution1/syn/report/csynth.xml"
SCRIPT = """
open_project -reset proj
set_top scale
add_files {scale.cpp helper.cpp} -cflags "-DROWS=8 -I inc"
add_files -tb scale_tb.cpp
open_solution "solution1" -flow_target vivado
set_part {xc7z020-clg484-1}
create_clock -period 10 -name default
set_directive_unroll -factor 2 "scale/cols"
set code [catch {csynth_design -quiet} result]
puts "code $code, result $result"
"""
TK = "import sys, tkinter; sys.exit(tkinter.Tcl().eval('source {' + sys.argv[1] + '}') and 0)"


def interpreter() -> list[str]:
    tclsh = shutil.which("tclsh")
    if tclsh:
        return [tclsh]
    done = subprocess.run([sys.executable, "-c", "import tkinter; tkinter.Tcl()"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no Tcl here: neither tclsh nor Python's tkinter")
    return [sys.executable, "-c", TK]


@pytest.fixture
def project(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "my project"
    (folder / "inc").mkdir(parents=True)
    (folder / "scale.cpp").write_bytes((data / "scale.cpp").read_bytes())
    (folder / "helper.cpp").write_text("int helper(int a) {\n#pragma HLS INLINE\n  return a + 1;\n}\n")
    (folder / "inc" / "scale.h").write_text("int helper(int a);\n")
    monkeypatch.chdir(folder)
    # What this test imports, the snippet's hwml shall import: -P keeps the current folder out.
    command = f"{sys.executable} -P -m hwml_sdk.cli"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    assert hwml(["hooks", "vitis", "--command", command]) == 0
    (folder / "hwml.tcl").write_text(capsys.readouterr().out)
    return folder


def play(project: Path, script: str, *, report: Path | None = REPORT, fails: bool = False) -> str:
    """Run the stubs, the snippet and a user's script; what was printed."""
    stubs = ROOT / "tests/data/hooks/vitis_hls.tcl"
    name = "" if report is None else str(report)
    text = f"set ::report {{{name}}}\nset ::fails {int(fails)}\nsource {{{stubs}}}\nsource hwml.tcl\n{script}"
    (project / "run.tcl").write_text(text)
    done = subprocess.run([*interpreter(), "run.tcl"], capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_predicts_before_and_compares_after(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = play(project, SCRIPT)
    before, ran, after = out.partition("csynth ran: -quiet")
    assert ran
    assert "hwml: scale, predicted for xc7z020-clg484-1 at 10 ns" in before
    assert "hwml: scale, predicted against csynth 2019.2" in after
    assert "code 0, result 0" in after
    row = json.loads((project / "proj/solution1/hwml_csynth.jsonl").read_text())
    assert row["schema_version"] == 2
    assert row["actual"] == {"LUT": 351, "DSP": 3, "FF": 269, "bram_18k": None, "latency_cycles": None}
    assert [loop["name"] for loop in row["loops"]] == ["rows", "cols"]
    assert row["loops"][1]["actual"] == {"ii": 2, "cycles": 12}
    assert sorted(Path(name).name for name in row["sources"]) == ["helper.cpp", "scale.cpp"]
    for figure in ("351", "269"):
        assert figure in after
    assert sorted(p.name for p in project.iterdir()) == sorted(
        ["hwml.tcl", "run.tcl", "scale.cpp", "helper.cpp", "inc", "proj"]
    )
    assert same_as_the_command_line(project, capsys) == row["predicted"]


def same_as_the_command_line(project: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The same design told to `hwml qor` by an hls_config.cfg."""
    (project / "hls_config.cfg").write_text(
        "part=xc7z020-clg484-1\n[hls]\nclock=10ns\nsyn.file=scale.cpp\nsyn.file=helper.cpp\nsyn.top=scale\n"
        "syn.cflags=-DROWS=8 -I inc\nsyn.directive.unroll=scale/cols factor=2\n"
    )
    assert hwml(["qor", "scale.cpp", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return {key: found[key] for key in ("LUT", "DSP", "FF", "bram_18k", "latency_cycles")}


def test_what_the_script_states_counts(project: Path) -> None:
    """Defines and directives reach the prediction: with them the figures are others."""
    play(project, SCRIPT)
    plain = json.loads((project / "proj/solution1/hwml_prediction.json").read_text())
    play(project, SCRIPT.replace("-DROWS=8", "-DROWS=64").replace("set_directive_unroll", "# set_directive_unroll"))
    other = json.loads((project / "proj/solution1/hwml_prediction.json").read_text())
    assert other["latency_cycles"] > 4 * plain["latency_cycles"]
    assert plain["loops"][0]["loops"][0]["unroll_factor"] == 2
    assert other["loops"][0]["loops"][0]["unroll_factor"] == 1


def test_a_failing_synthesis_fails_as_before(project: Path) -> None:
    out = play(project, SCRIPT, fails=True)
    assert "code 1, result ERROR: [HLS 200-70] synthesis failed" in out
    assert "predicted against" not in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("scale.cpp helper.cpp", "gone.cpp"), "no prediction"),
        (("set_top scale", "set_top nothing"), "no function 'nothing'"),
        (("xc7z020-clg484-1", "xc7unheard"), "no prediction"),
    ],
)
def test_hwml_that_fails_does_no_harm(project: Path, change: tuple[str, str], said: str) -> None:
    out = play(project, SCRIPT.replace(*change))
    assert said in out
    assert "code 0, result 0" in out
    assert "predicted against" not in out, "and an older prediction is not taken for this one's"


def test_hwml_that_is_missing_does_no_harm(project: Path) -> None:
    text = (project / "hwml.tcl").read_text()
    (project / "hwml.tcl").write_text(text.replace(sys.executable, "/nowhere/python"))
    assert "code 0, result 0" in play(project, SCRIPT)


def test_no_report(project: Path) -> None:
    out = play(project, SCRIPT, report=None)
    assert "no comparison: " in out
    assert "code 0, result 0" in out


def test_outside_the_tool(project: Path) -> None:
    done = subprocess.run([*interpreter(), "hwml.tcl"], capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0
    assert "csynth_design is not known here" in done.stdout


def test_the_hwml_on_path_is_called_and_else_the_one_that_wrote_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is taken to another machine finds the hwml there; what a project holds is never called."""
    assert hwml(["hooks", "vitis"]) == 0
    (tmp_path / "hwml.tcl").write_text(capsys.readouterr().out + "puts [::hwml::program]\n")
    here = tmp_path / "bin"
    for folder in (tmp_path, here):
        folder.mkdir(exist_ok=True)
        (folder / "hwml").write_text("#!/bin/sh\n")
        (folder / "hwml").chmod(0o755)
    tcl = interpreter()

    def called(path: str) -> str:
        done = subprocess.run([*tcl, "hwml.tcl"], capture_output=True, text=True, check=True, cwd=tmp_path,
                              env={**os.environ, "PATH": path})  # fmt: skip
        return done.stdout.splitlines()[-1]

    assert called(f".::bin:{here}") == f"env -u PYTHONPATH {here}/hwml"
    assert called("/nowhere") == f"{sys.executable} -E -P -m hwml_sdk.cli"
    (here / "hwml").chmod(0o644)
    assert called(str(here)).startswith(sys.executable)


def test_odd_characters_in_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert hwml(["hooks", "vitis", "--command", "'/a b/$HOME[exit]{/py\"thon' -m x"]) == 0
    text = capsys.readouterr().out
    line = next(line for line in text.splitlines() if "variable command" in line)
    script = f"namespace eval ::hwml {{\n{line}\n}}\nputs [lindex $::hwml::command 0]\n"
    done = subprocess.run(interpreter()[:1], input=script, capture_output=True, text=True, check=False)
    if "tclsh" in interpreter()[0]:
        assert done.stdout.strip() == '/a b/$HOME[exit]{/py"thon'


def test_a_report_of_another_design(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(project, SCRIPT)
    kept = project / "proj/solution1/hwml_prediction.json"
    other = ROOT / "tests/data/csynth/unified/mac"
    assert hwml(["hooks", "compare", "--prediction", str(kept), "--report", str(other)]) == 2
    assert "is about mac, the prediction about scale" in capsys.readouterr().err
    # Written before a key changed its spelling: predict again rather than show a table without intervals.
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "schema_version": 1}))
    assert hwml(["hooks", "compare", "--prediction", str(kept), "--report", str(REPORT)]) == 2
    assert "schema_version 2 missing" in capsys.readouterr().err
    kept.write_text("[1]")
    assert hwml(["hooks", "compare", "--prediction", str(kept), "--report", str(REPORT)]) == 2
    assert "no kept prediction" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["sbt", "mill"])
def test_snippets_name_a_program(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hwml(["hooks", kind]) == 0
    out = capsys.readouterr().out
    assert "@COMMAND@" not in out
    assert json.dumps(sys.executable) in out
    assert "hwml_hooks.check_chisel" in out
