"""Neovim with the four lines of the manual. With a server that does not run, the same check must fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.editors.editor_kit import HERE, environment, find_program, manual_lines, workspace

NVIM = find_program("HWML_NVIM", "nvim")
pytestmark = pytest.mark.skipif(NVIM is None, reason="needs nvim: pip install 'hwml[test]' brings it, or set HWML_NVIM")


def check(folder: Path, *, broken: bool, wait_ms: int) -> subprocess.CompletedProcess[str]:
    source = workspace(folder)
    init = folder / "init.lua"
    init.write_text(f"vim.opt.swapfile = false\n{manual_lines('lua')}", encoding="utf-8")
    return subprocess.run(
        [str(NVIM), "--headless", "-u", str(init), str(source), "-c", f"luafile {HERE / 'neovim_check.lua'}"],
        env={**environment(folder, broken=broken), "HWML_WAIT_MS": str(wait_ms)},
        capture_output=True, text=True, timeout=280, cwd=source.parent, check=False,
    )  # fmt: skip


def test_neovim_shows_everything(tmp_path: Path) -> None:
    done = check(tmp_path, broken=False, wait_ms=40_000)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    done = check(tmp_path, broken=True, wait_ms=3_000)
    assert done.returncode == 1
    assert "FAIL" in done.stderr
    assert "timeout: " in done.stderr
