"""Rounds of loops measured by the user's own test bench, compiled with counters and run once behind the fence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hwml_sdk.chisel.compile.fence import find_fence
from hwml_sdk.cli import main
from hwml_sdk.commands.qor_measure import measure
from hwml_sdk.config import Settings
from hwml_sdk.errors import SourceError
from hwml_sdk.qor.project.inputs import Inputs

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
DESIGN = """\
int count(const int *data, int n) {
  int hits = 0;
scan:
  for (int i = 0; i < n; i++) {
    if (data[i] == 0) break;
    hits++;
  }
  while (hits > 1)
    hits /= 2;
fixed: for (int j = 0; j < 8; j++) hits += j;
  return hits;
}
"""
BENCH = """\
#include <fstream>
int count(const int *data, int n);
int main() {
  int d[100];
  for (int i = 0; i < 100; i++) d[i] = 1;
  int wanted = 0;
  std::ifstream("golden.txt") >> wanted;
  d[10] = 0;
  count(d, 100);
  d[10] = 1;
  if (wanted == 42) count(d, 20);
  return 0;
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "count.cpp").write_text(DESIGN, encoding="utf-8")
    (work / "tb.cpp").write_text(BENCH, encoding="utf-8")
    (work / "golden.txt").write_text("42\n", encoding="utf-8")
    return work


@pytest.fixture
def fence() -> None:
    if not find_fence().kind:
        pytest.skip(f"no fence here: {find_fence().reason}")


@needs_compiler
@pytest.mark.usefixtures("fence")
def test_measured_rounds_stand_where_a_bound_hangs_on_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First call: element 10 ends the loop in its 11th round; second: 20 rounds. Then 10, 5, 2, 1: 3 rounds; 20: 4."""
    assert main(["qor", "--json", "count.cpp"]) == 0
    assert json.loads(capsys.readouterr().out)["latency_cycles"] is None
    assert main(["qor", "--json", "--trust", "--testbench", "tb.cpp", "count.cpp"]) == 0
    said = json.loads(capsys.readouterr().out)
    loops = {loop["name"]: loop for loop in said["loops"]}
    scan = loops["scan"]
    assert (scan["trip_count_min"], scan["trip_count_max"]) == (11, 20)
    assert "measured by tb.cpp: 11/15.5/20 rounds (min/avg/max of 2 entries)" in scan["notes"]
    assert (loops["VITIS_LOOP_8_1"]["trip_count_min"], loops["VITIS_LOOP_8_1"]["trip_count_max"]) == (3, 4)
    assert loops["fixed"]["trip_count"] == 8
    assert said["latency_cycles"] is not None
    assert any(text.endswith("fixed: 8/8/8 rounds (min/avg/max of 2 entries); its bound is known without that")
               for text in said["warnings"])  # fmt: skip


def test_nothing_runs_in_a_folder_that_is_not_trusted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "--testbench", "tb.cpp", "count.cpp"]) == 3
    assert "is not trusted" in capsys.readouterr().err


CRASH = """\
#include <cstdlib>
#include <fstream>
int count(const int *data, int n);
int main() {
  int d[4] = {1, 1, 1, 1};
  count(d, 4);
  std::ofstream("made.txt") << 1;
  if (std::system("touch made.txt") == 0) count(d, 4);
  *(volatile int *)0 = 1;
}
"""


@needs_compiler
@pytest.mark.usefixtures("fence")
def test_a_bench_that_writes_starts_programs_and_crashes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fence keeps files and processes from it; what was counted before the crash (128 + SIGSEGV) is used."""
    (folder / "tb.cpp").write_text(CRASH, encoding="utf-8")
    assert main(["qor", "--trust", "--testbench", "tb.cpp", "count.cpp"]) == 0
    shown = capsys.readouterr().out
    assert "tb.cpp ended with status 139" in shown
    assert "scan: 4/4/4 rounds (min/avg/max of 1 entry)" in shown
    assert not (folder / "made.txt").exists()


@needs_compiler
@pytest.mark.usefixtures("fence")
def test_what_cannot_be_compiled_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tb.cpp").write_text('#include "ap_int.h"\nint main() {}\n', encoding="utf-8")
    assert main(["qor", "--trust", "--testbench", "tb.cpp", "count.cpp"]) == 2
    assert "needs the header ap_int.h: name its folder with -I" in capsys.readouterr().err
    assert main(["qor", "--trust", "--testbench", "gone.cpp", "count.cpp"]) == 2
    assert "gone.cpp: cannot read" in capsys.readouterr().err


@needs_compiler
@pytest.mark.slow
@pytest.mark.usefixtures("fence")
def test_a_bench_that_hangs_is_stopped(folder: Path) -> None:
    bench = folder / "tb.cpp"
    bench.write_text("int count(const int *, int);\nint main() { int d[1] = {1}; count(d, 1); for (;;) {} }\n")
    settings = Settings(trusted=True)
    with pytest.raises(SourceError, match="did not end within 1 s"):
        measure(folder / "count.cpp", DESIGN, bench, Inputs(), settings, timeout_s=1.0)
