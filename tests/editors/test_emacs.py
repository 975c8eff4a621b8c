"""Emacs with eglot and the lines of the manual. With a server that does not run, the same check must fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.editors.editor_kit import HERE, environment, find_program, manual_lines, workspace

EMACS = find_program("HWML_EMACS", "emacs30")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(EMACS is None, reason="needs Emacs 30: run tests/editors/set_up.sh and set HWML_EMACS"),
]


def check(folder: Path, *, broken: bool, wait_ms: int) -> subprocess.CompletedProcess[str]:
    source = workspace(folder)
    init = folder / "init.el"
    init.write_text(manual_lines("elisp"), encoding="utf-8")
    return subprocess.run(
        [str(EMACS), "-Q", "--batch", "-l", str(init), "-l", str(HERE / "emacs_check.el")],
        env={**environment(folder, broken=broken), "HWML_WAIT_MS": str(wait_ms), "HWML_FILE": str(source)},
        capture_output=True, text=True, timeout=280, cwd=source.parent, check=False,
    )  # fmt: skip


def test_emacs_shows_everything(tmp_path: Path) -> None:
    done = check(tmp_path, broken=False, wait_ms=60_000)
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().endswith("OK")


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    done = check(tmp_path, broken=True, wait_ms=3_000)
    assert done.returncode != 0
    assert "OK" not in done.stderr
