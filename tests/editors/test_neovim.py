"""Neovim with the four lines of the manual. With a server that does not run, the same check must fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.editors.editor_kit import HERE, ROOT, environment, find_program, manual_lines, workspace

NVIM = find_program("HWML_NVIM", "nvim")
pytestmark = pytest.mark.skipif(NVIM is None, reason="needs nvim: pip install 'hwml[test]' brings it, or set HWML_NVIM")


CHISEL = """import chisel3._
class Times extends Module {
  val io = IO(new Bundle { val a = Input(UInt(16.W)); val b = Input(UInt(16.W)); val y = Output(UInt(32.W)) })
  io.y := RegNext(RegNext(io.a) * RegNext(io.b))
}
"""


def check(folder: Path, *, broken: bool, wait_ms: int) -> subprocess.CompletedProcess[str]:
    return run(folder, workspace(folder), "neovim_check.lua", environment(folder, broken=broken), wait_ms)


def run(
    folder: Path, source: Path, script: str, surroundings: dict[str, str], wait_ms: int
) -> subprocess.CompletedProcess[str]:
    init = folder / "init.lua"
    init.write_text(f"vim.opt.swapfile = false\n{manual_lines('lua')}", encoding="utf-8")
    return subprocess.run(
        [str(NVIM), "--headless", "-u", str(init), str(source), "-c", f"luafile {HERE / script}"],
        env={**surroundings, "HWML_WAIT_MS": str(wait_ms)},
        capture_output=True, text=True, timeout=280, cwd=source.parent, check=False,
    )  # fmt: skip


KERNEL_H = """#pragma once
#define ROUND 3
#define DO_PRAGMA(x) _Pragma(#x)
#define PIPELINED(n) DO_PRAGMA(HLS PIPELINE II=n)
"""
USES = """#include "kernel.h"
void uses(int a[32]) {
  for (int i = 0; i < 32; i++) {
    PIPELINED(ROUND)
    a[i] += 1;
  }
}
"""
WINDOW = """#include <ap_int.h>

void window(const int a[1024], int b[1024]) {
  work: for (int i = 0; i < 960; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] + a[i + 1] + a[i + 2] + a[i + 3];
  }
}
"""
BENCH = '#include "kernel.h"\nvoid uses(int a[32]);\nint main() {\n  int a[32];\n  uses(a);\n  return 0;\n}\n'


def day(folder: Path, *, broken: bool, wait_ms: int) -> subprocess.CompletedProcess[str]:
    """The sixty steps, in a repository with the examples, a faulty file, a header, and a test bench."""
    work = workspace(folder).parent
    for name in ("fir.cpp", "gemm.cpp"):
        shutil.copy(ROOT / "examples" / name, work / name)
    for name, text in {"kernel.h": KERNEL_H, "uses.cpp": USES, "window.cpp": WINDOW, "tb.cpp": BENCH}.items():
        (work / name).write_text(text, encoding="utf-8")
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *arguments], cwd=work, check=True, capture_output=True)
    init = folder / "init.lua"
    init.write_text(f"vim.opt.swapfile = false\nvim.opt.hidden = true\n{manual_lines('lua')}", encoding="utf-8")
    return subprocess.run(
        [str(NVIM), "--headless", "-u", str(init), "-c", f"luafile {HERE / 'neovim_day.lua'}"],
        env={**environment(folder, broken=broken), "HWML_WAIT_MS": str(wait_ms)},
        capture_output=True, text=True, timeout=580, cwd=work, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_day_of_sixty_steps(tmp_path: Path) -> None:
    done = day(tmp_path, broken=False, wait_ms=30_000)
    assert done.returncode == 0, done.stderr
    steps = int(done.stderr.rpartition("OK ")[2].split()[0])
    assert steps >= 60


@pytest.mark.slow
def test_the_day_fails_without_a_server(tmp_path: Path) -> None:
    done = day(tmp_path, broken=True, wait_ms=3_000)
    assert done.returncode == 1
    assert "FAIL" in done.stderr


def test_neovim_shows_everything(tmp_path: Path) -> None:
    done = check(tmp_path, broken=False, wait_ms=40_000)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    done = check(tmp_path, broken=True, wait_ms=3_000)
    assert done.returncode == 1
    assert "FAIL" in done.stderr
    assert "timeout: " in done.stderr


@pytest.mark.slow
def test_neovim_shows_what_a_chisel_module_costs(tmp_path: Path) -> None:
    """In a trusted folder; with the tool chain that lies in this user's cache."""
    source = tmp_path / "work" / "Times.scala"
    source.parent.mkdir()
    source.write_text(CHISEL, encoding="utf-8")
    surroundings = environment(tmp_path, broken=False)
    surroundings["XDG_CACHE_HOME"] = str(Path.home() / ".cache")
    trust = [sys.executable, "-m", "hwml_sdk.cli", "trust", str(source.parent)]
    subprocess.run(trust, env=surroundings, check=True, capture_output=True)
    done = run(tmp_path, source, "neovim_chisel_check.lua", surroundings, 60_000)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr
