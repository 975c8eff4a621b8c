"""What the editor checks share: a workspace, a `hwml-lsp` on PATH (real or broken), the lines of the manual."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
MANUAL = ROOT / "docs" / "editors.md"

# HLS109 on line 4 with one safe fix; two loops, the second pipelined.
SOURCE = """#include <ap_int.h>

void scale(const int a[64], int b[64]) {
#pragma HLS ARRAY_PARTITION variable=aa type=complete
  for (int i = 0; i < 8; i++) {
#pragma HLS UNROLL factor=2
    b[i] = a[i] * 3;
  }
sum:
  for (int i = 8; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] * 5;
  }
}
"""


def manual_lines(language: str, number: int = 0) -> str:
    """The configuration that the manual gives in a code block of this language, letter by letter."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    return blocks[number]


def workspace(folder: Path) -> Path:
    """A folder with one source; its path."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    source = work / "scale.cpp"
    source.write_text(SOURCE, encoding="utf-8")
    (work / "hwml.toml").write_text('[hls]\npart = "xczu9eg-ffvb1156-2-e"\nclock_period_ns = 10\n', encoding="utf-8")
    return source


def server_on_path(folder: Path, *, broken: bool) -> str:
    """A PATH on which `hwml-lsp` is this tree's server, or a program that fails at once."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "hwml-lsp"
    run = "exit 1" if broken else f'exec {shlex.quote(sys.executable)} -m hwml_lsp "$@"'
    program.write_text(f"#!/bin/sh\n{run}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{programs}{os.pathsep}{os.environ['PATH']}"


def environment(folder: Path, *, broken: bool) -> dict[str, str]:
    """Surroundings with a home of their own, so that nobody's configuration of an editor takes part."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    roots = os.pathsep.join(str(ROOT / name) for name in ("sdk", "lsp_server", "exports"))
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "NVIM"))},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".state"),
        "XDG_DATA_HOME": str(home / ".data"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "HWML_CONFIG_DIR": str(home / "hwml"),
        "PATH": server_on_path(folder, broken=broken),
        "PYTHONPATH": roots,
    }


def find_program(variable: str, *names: str) -> str | None:
    """A program: the variable, the folder of this interpreter, then PATH; None when there is none."""
    chosen = os.environ.get(variable)
    if chosen:
        return shutil.which(chosen)
    beside = str(Path(sys.executable).parent)
    for name in names:
        found = shutil.which(name, path=beside) or shutil.which(name)
        if found:
            return found
    return None
