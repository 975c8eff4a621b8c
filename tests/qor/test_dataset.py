"""Reading labelled designs, good and broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.errors import DataError
from hwml_sdk.qor.learned.dataset import group_fold, read_designs, render, split_files

ROW: dict[str, Any] = {
    "id": "a/1",
    "source": "a",
    "licence": "MIT",
    "kernel": "mac",
    "algo_group": "mac",
    "tool": "merlin",
    "tool_version": "2020.2",
    "part": "xcvu9p",
    "clock_period_ns": 4.0,
    "top": "mac",
    "code_ref": "k",
    "pragmas": {"__PIPE__L0": None, "__PARA__L0": 4},
    "label_stage": "csynth",
    "lut": 10,
    "dsp": None,
    "ff": 20,
    "bram_18k": 0,
    "latency_cycles": 100,
    "censored": {"dsp": 68},
    "fits_device": True,
}
CODE = """void mac(int a[8]) {
#pragma ACCEL PIPELINE auto{__PIPE__L0}
#pragma ACCEL PARALLEL FACTOR=auto{ __PARA__L0 }
  for (int i = 0; i < 8; i++) a[i] += i;
}"""


def write(folder: Path, rows: list[dict[str, Any]], code: str = CODE) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "designs.jsonl.gz").write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    kernels = json.dumps({"code_ref": "k", "code": code}) + "\n"
    (folder / "kernels.jsonl.gz").write_bytes(gzip.compress(kernels.encode()))
    return folder


def test_design_is_read_and_rendered(tmp_path: Path) -> None:
    (design,) = read_designs(write(tmp_path / "d", [ROW]))
    assert design.labels == (10.0, None, 20.0, 100.0, 0.0)
    assert design.bounds == (None, 68.0, None, None, None)
    assert design.key == "a/2020.2/csynth/mac"
    assert "PIPELINE" not in design.code()
    assert "#pragma ACCEL PARALLEL FACTOR=4\n" in design.code()


def test_empty_value_keeps_its_line_and_loses_the_blank_at_its_end() -> None:
    assert render("#pragma ACCEL PIPELINE auto{__P}\nx", {"__P": ""}) == "#pragma ACCEL PIPELINE\nx"


def test_files_are_parted_and_the_one_with_the_top_comes_first() -> None:
    code = (
        "//==== file: a.h ====\nint f(int);\n//==== file: a.c ====\nint f(int x) {\n}\n//==== file: b.c ====\nint g;\n"
    )
    main, others = split_files(code, "f")
    assert main == "int f(int x) {\n}\n"
    assert others == {"a.h": "int f(int);\n", "b.c": "int g;\n"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lut": -1}, "lut is negative"),
        ({"lut": "many"}, "lut must be a number"),
        ({"lut": True}, "lut must be a number"),
        ({"censored": {"ff": -3}}, "ff is negative"),
        ({"lut": None, "ff": None, "bram_18k": None, "latency_cycles": None, "censored": {}}, "no label at all"),
        ({"clock_period_ns": 0}, "clock_period_ns"),
        ({"code_ref": "gone"}, "'gone' is not in kernels.jsonl.gz"),
        ({"label_stage": "cosim"}, "cosim"),
        ({"part": None}, "part is missing"),
        ({"pragmas": 3}, "must be objects"),
    ],
)
def test_broken_row_names_file_and_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = write(tmp_path / "d", [ROW, ROW | change])
    with pytest.raises(DataError) as caught:
        read_designs(folder)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{folder / 'designs.jsonl.gz'}:2: ")
    assert caught.value.line == 2


def test_row_without_a_label_column_is_refused(tmp_path: Path) -> None:
    row = {name: value for name, value in ROW.items() if name != "ff"}
    with pytest.raises(DataError, match="label 'ff' is missing"):
        read_designs(write(tmp_path / "d", [row]))


def test_truncated_file_and_missing_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", [ROW])
    whole = (folder / "designs.jsonl.gz").read_bytes()
    (folder / "designs.jsonl.gz").write_bytes(whole[:-12])
    with pytest.raises(DataError, match="is the file whole"):
        read_designs(folder)
    (folder / "designs.jsonl.gz").unlink()
    with pytest.raises(DataError, match="holds no"):
        read_designs(folder)
    with pytest.raises(DataError, match="no such file"):
        read_designs(tmp_path / "gone")


def test_csv_rows_and_their_errors(tmp_path: Path) -> None:
    (tmp_path / "mac.c").write_text(CODE)
    table = tmp_path / "own.csv"
    head = "file,part,clock_period_ns,top,lut,dsp,ff,latency_cycles\n"
    table.write_text(head + "mac.c,xcu280,10,mac,5,,7,9\n")
    (design,) = read_designs(table)
    assert (design.kernel, design.group, design.source) == ("mac", "mac", "own")
    assert design.labels == (5.0, None, 7.0, 9.0, None)
    assert design.code() == CODE
    table.write_text(head + "mac.c,xcu280,10,mac,5,1,7,9\ngone.c,xcu280,10,mac,5,1,7,9\n")
    with pytest.raises(DataError, match=r"own\.csv:3: gone\.c: no such source file"):
        read_designs(table)
    table.write_text(head + "mac.c,xcu280,10,mac,-5,1,7,9\n")
    with pytest.raises(DataError, match=r"own\.csv:2: lut is negative"):
        read_designs(table)
    table.write_text("file,part\nmac.c,xcu280\n")
    with pytest.raises(DataError, match="column 'clock_period_ns' is missing"):
        read_designs(table)


def test_fold_is_the_hash_of_the_group() -> None:
    # sha256("gemm") = ...f mod 5, worked out with sha256sum and bc.
    import hashlib

    number = int.from_bytes(hashlib.sha256(b"gemm").digest(), "big")
    assert group_fold("gemm") == number % 5
    assert {group_fold(f"g{index}") for index in range(50)} == {0, 1, 2, 3, 4}


@pytest.mark.skipif(
    not (Path(__file__).resolve().parents[3] / "shared" / "data" / "qor").is_dir(), reason="shared data are not here"
)
def test_shared_data_are_read_whole() -> None:
    designs = read_designs(Path(__file__).resolve().parents[3] / "shared" / "data" / "qor")
    assert len(designs) == 33363 + 9524 + 7537
    assert len({design.group for design in designs}) == 789
