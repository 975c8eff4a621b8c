"""Reading labelled designs, good and broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwml_sdk.errors import DataError
from hwml_sdk.qor.learned.dataset import Rows, group_fold, read_designs, render, split_files

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
        ({"censored": [1]}, "must be objects"),
        ({"kernel": 3}, "kernel must be a string, not 3"),
        ({"top": 7}, "top must be a string, not 7"),
        ({"id": ["x"]}, "id must be a string"),
        ({"kernel": ""}, "kernel is missing"),
        ({"kernel": None}, "kernel is missing"),
        ({"latency_cycles": float("inf")}, "latency_cycles must be a number"),
        ({"latency_cycles": float("nan")}, "latency_cycles must be a number"),
        ({"bram_18k": -0.5}, "bram_18k is negative"),
        ({"clock_period_ns": None}, "clock_period_ns must be over 0"),
        ({"clock_period_ns": "4"}, "clock_period_ns must be a number"),
    ],
)
def test_broken_row_names_file_and_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = write(tmp_path / "d", [ROW, ROW | change])
    with pytest.raises(DataError) as caught:
        read_designs(folder)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{folder / 'designs.jsonl.gz'}:2: ")
    assert caught.value.line == 2


def test_what_a_row_may_leave_out(tmp_path: Path) -> None:
    """Names default to those of the file and the kernel, the tool to Vitis HLS, flags to a design that fits."""
    short = {name: ROW[name] for name in ("kernel", "part", "clock_period_ns", "code_ref", "lut", "dsp", "ff")}
    (design,) = read_designs(write(tmp_path / "d", [short | {"latency_cycles": 0}]))
    assert (design.id, design.source, design.licence) == ("designs.jsonl.gz:1", "designs.jsonl", "unknown")
    assert (design.kernel, design.group, design.top) == ("mac", "mac", "")
    assert (design.tool, design.tool_version, design.stage) == ("vitis_hls", "", "csynth")
    assert (design.fits_device, design.unsafe_math, design.line) == (True, False, 1)
    assert design.labels == (10.0, None, 20.0, 0.0, None)  # no cycles are a label, too
    assert design.bounds == (None,) * 5
    assert design.pragmas == {}
    assert design.code() == CODE  # nothing to fill in: placeholders stay


@pytest.mark.parametrize(("said", "expected"), [(False, False), (True, True), (None, True), (0, True)])
def test_a_design_fits_unless_said(tmp_path: Path, said: object, expected: bool) -> None:
    (design,) = read_designs(write(tmp_path / "d", [ROW | {"fits_device": said, "unsafe_math": said}]))
    assert design.fits_device is expected
    assert design.unsafe_math is (said is True)


def test_tables_of_a_folder_follow_one_another(tmp_path: Path) -> None:
    """Empty lines count as lines but hold nothing; what is wrong with the texts beside a table names their file."""
    folder = write(tmp_path / "d", [ROW | {"id": "second"}])
    (folder / "a_kernels.jsonl").write_text(json.dumps({"code_ref": "k", "code": CODE}) + "\n")
    (folder / "a_designs.jsonl").write_text("\n" + json.dumps(ROW | {"id": "first"}) + "\n\n")
    assert [(design.id, design.line) for design in read_designs(folder)] == [("first", 2), ("second", 1)]
    for text, message in (
        (json.dumps({"code_ref": "k", "code": 3}), r"a_kernels\.jsonl:1: code_ref and code must be strings"),
        (json.dumps({"code_ref": 3, "code": ""}), r"a_kernels\.jsonl:1: code_ref and code must be strings"),
        ("[]", "a JSON object was expected"),
        ("{", r"a_kernels\.jsonl:1: not JSON"),
    ):
        (folder / "a_kernels.jsonl").write_text(text + "\n")
        with pytest.raises(DataError, match=message):
            read_designs(folder)
    (folder / "a_kernels.jsonl").unlink()
    with pytest.raises(DataError, match="is missing beside its designs file"):
        read_designs(folder)


def test_neither_folder_nor_table(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match="neither a folder"):
        read_designs(tmp_path / "x.json")


def test_the_last_file_that_defines_the_top_is_the_main_one() -> None:
    mark = "//==== file: {} ====\n{}\n".format
    code = mark("a.cpp", "int f() {}") + mark("b.CPP", "void f(int x)\n{ }") + mark("c.h", "int f() { }")
    assert split_files(code, "f")[0] == "void f(int x)\n{ }\n"
    assert split_files(code, "g")[0] == "void f(int x)\n{ }\n"  # nobody defines it: the last C or C++ file
    assert split_files(code, "")[0] == "void f(int x)\n{ }\n"
    assert split_files(mark("a.h", "1") + mark("b.h", "2"), "f") == ("2\n", {"a.h": "1\n"})
    assert split_files("int f() {}", "f") == ("int f() {}", {})
    assert split_files(mark("a.c++", "void f(int x)\n{ }") + mark("b.h", "2"), "g")[0] == "void f(int x)\n{ }\n"


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


def test_columns_of_a_table_that_may_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "mac.c").write_text(CODE)
    table = tmp_path / "own.csv"
    head = "file,part,clock_period_ns,lut,dsp,ff,latency_cycles,stage,group,kernel,label_stage,bram_18k\n"
    table.write_text(head + "mac.c, xcu280 ,10,5,1,7,9,impl,sums,,,2\nmac.c,xcu280,10,5,1,7,9,impl,,own,csynth,\n")
    one, two = read_designs(table)
    assert (one.stage, one.group, one.kernel, one.part) == ("impl", "sums", "mac", "xcu280")
    assert (two.stage, two.group, two.kernel) == ("csynth", "own", "own")
    assert (one.labels[4], two.labels[4]) == (2.0, None)
    table.write_text(head + "mac.c,xcu280,10,many,1,7,9,,,,,\n")
    with pytest.raises(DataError, match=r"own\.csv:2: lut must be a number, not 'many'"):
        read_designs(table)
    table.write_text(head + ",xcu280,10,5,1,7,9,,,,,\n")
    with pytest.raises(DataError, match=r"own\.csv:2: file is empty"):
        read_designs(table)


def test_columns_of_designs(tmp_path: Path) -> None:
    """What evaluation reads: unknown labels become NaN, keys are joined, rows can be taken, groups fold together."""
    rows = Rows.of(read_designs(write(tmp_path / "d", [ROW, ROW | {"kernel": "b", "algo_group": "g1", "dsp": 3}])))
    assert len(rows) == 2
    assert rows.key.tolist() == ["a/2020.2/csynth/mac", "a/2020.2/csynth/b"]
    assert [np.isnan(line).tolist() for line in rows.labels] == [[False, True] + [False] * 3, [False] * 5]
    assert rows.bounds[:, 1].tolist() == [68.0, 68.0]
    assert rows.fold().tolist() == [group_fold("mac"), group_fold("g1")]
    assert rows.fold(3).tolist() == [group_fold("mac", 3), group_fold("g1", 3)]
    assert rows.take(np.array([False, True])).kernel.tolist() == ["b"]
    assert rows.clock_period_ns.tolist() == [4.0, 4.0]
    assert rows.fits_device.tolist() == [True, True]


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
