"""Emacs with eglot and the lines of the manual. With a server that does not run, the same check must fail."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.editors.editor_kit import HERE, environment, find_program, manual_lines, workspace

EMACS = find_program("HWML_EMACS", "emacs30")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(EMACS is None, reason="needs Emacs 30: run tests/editors/set_up.sh and set HWML_EMACS"),
]


GRAMMARS = os.environ.get("HWML_GRAMMARS", "")  # folder of libtree-sitter-cpp.so
SCALA_MODE = os.environ.get("HWML_SCALA_MODE", "")  # folder of scala-mode.el
MODULE = "import chisel3._\nclass Leaf extends Module {\n  val io = IO(new Bundle { val x = Input(Bool()) })\n}\n"


def check(folder: Path, *, broken: bool, wait_ms: int, mode: str = "c++-mode") -> subprocess.CompletedProcess[str]:
    source = workspace(folder)
    if mode == "scala-mode":
        source = source.with_name("Leaf.scala")
        source.write_text(MODULE, encoding="utf-8")
    init = folder / "init.el"
    init.write_text(manual_lines("elisp"), encoding="utf-8")
    return subprocess.run(
        [str(EMACS), "-Q", "--batch", "-l", str(init), "-l", str(HERE / "emacs_check.el")],
        env={**environment(folder, broken=broken), "HWML_WAIT_MS": str(wait_ms), "HWML_FILE": str(source),
             "HWML_MODE": mode, "HWML_GRAMMARS": GRAMMARS, "HWML_SCALA_MODE": SCALA_MODE},
        capture_output=True, text=True, timeout=280, cwd=source.parent, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["c++-mode", "c++-ts-mode", "scala-mode"])
def test_emacs_shows_everything(tmp_path: Path, mode: str) -> None:
    needs = {"c++-ts-mode": GRAMMARS, "scala-mode": SCALA_MODE}
    if not needs.get(mode, "here"):
        pytest.skip(f"needs what {mode} stands on: run tests/editors/set_up.sh and set what it prints")
    done = check(tmp_path, broken=False, wait_ms=60_000, mode=mode)
    assert done.returncode == 0, done.stderr
    assert done.stderr.rstrip().endswith("OK")


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    done = check(tmp_path, broken=True, wait_ms=3_000)
    assert done.returncode != 0
    assert "OK" not in done.stderr
