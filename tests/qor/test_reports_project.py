"""Collecting reports, the page of a project, what a branch changes, and the layouts of published data sets."""

from __future__ import annotations

import csv
import enum
import gzip
import json
import os
import pickle
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.cli import main
from hwml_sdk.qor.learned.dataset import read_designs
from hwml_sdk.qor.reports.changes import Change, markdown

DATA = Path(__file__).parents[1] / "data" / "csynth"
MAC = """\
#include "size.h"
void mac(const int a[N], const int b[N], int *out) {
  int acc = 0;
sum: for (int i = 0; i < N; i++) {
    acc += a[i] * b[i];
  }
  *out = acc;
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A component of the unified layout, a classic solution with directives, a report of nobody, a ring of links."""
    root = tmp_path / "tree"
    first = root / "one"
    shutil.copytree(DATA / "unified" / "mac", first / "mac")
    second = root / "two"
    shutil.copytree(first / "mac" / "hls" / "syn", second / "solution1" / "syn")
    (second / "solution1" / "directives.tcl").write_text('set_directive_pipeline -II 16 "mac/sum"\n', encoding="utf-8")
    for folder in (first, second):
        (folder / "mac.cpp").write_text(MAC, encoding="utf-8")
        (folder / "size.h").write_text("#define N 1024\n", encoding="utf-8")
    shutil.copytree(first / "mac" / "hls" / "syn", root / "three" / "solution1" / "syn")
    (root / "ring").symlink_to(root)
    return root


def test_collect_pairs_reports_with_sources(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows"
    assert main(["qor", "collect", str(tree), "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert "2 reports paired, 1 left out" in shown.out
    assert "no source in this tree defines its top mac" in shown.err
    first, second = sorted(read_designs(out), key=lambda design: design.id)
    assert first.labels == (1509, 2, 1400, 1032, 1) == second.labels  # tests/data/csynth/unified
    assert (first.part, first.clock_period_ns, first.tool_version) == ("xck26-sfvc784-2LV-c", 5.0, "2024.1")
    main_text, others = first.parts()
    assert main_text.strip() == MAC.strip() and others == {"size.h": "#define N 1024\n"}
    assert "sum: for (int i = 0; i < N; i++) {\n#pragma HLS pipeline ii=16\n" in second.parts()[0]
    with (out / "designs.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [Path(os.path.normpath(out / row["file"])) for row in rows] == [tree / d / "mac.cpp" for d in ("one", "two")]
    assert "set_directive_pipeline" in rows[1]["directives"]
    with (out / "loops.csv").open(encoding="utf-8") as stream:
        loop = next(csv.DictReader(stream))
    assert (loop["loop"], loop["ii"], loop["iteration_latency_cycles"], loop["latency_cycles_max"]) == (
        "sum", "1", "6", "1028",
    )  # fmt: skip


def test_collect_as_json(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "collect", str(tree), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema_version"] == 2 and len(said["skipped"]) == 1
    assert [(row["top"], row["LUT"], row["latency_cycles"], len(row["directives"])) for row in said["pairs"]] == [
        ("mac", 1509, 1032, 0), ("mac", 1509, 1032, 1),
    ]  # fmt: skip


def test_a_tree_without_reports_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "collect", str(tmp_path)]) == 2
    assert "holds no report" in capsys.readouterr().err
    assert main(["qor", "report", str(tmp_path / "gone")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_the_page_of_a_project(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "four").mkdir()
    (tree / "four" / "add.cpp").write_text(
        "void add(int a[8]) {\n#pragma HLS interface m_axi port=a\nfor (int i = 0; i < 8; i++) a[i] += 1;\n}\n",
        encoding="utf-8",
    )
    page = tmp_path / "page.html"
    assert main(["qor", "report", str(tree), "--html", str(page)]) == 0
    assert "four/add.cpp: add" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    places = [text.index(f"<h2 id=d{index}>") for index in range(3)]
    assert "two/solution1" in text[places[0] : places[1]]  # II 16 by its directive, 1 in the report: furthest off
    assert "four/add.cpp" in text[places[2] :]  # without a report, so last
    assert "http:" not in text and "https:" not in text and "three/" in text
    assert len(text) < 100_000


def run_git(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_diff_tells_what_a_branch_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path)
    for name in ("mac.cpp", "same.cpp", "gone.cpp"):
        text = MAC.replace('#include "size.h"', "#include <hls_stream.h>\n#define N 64").replace("mac", name[:-4])
        (tmp_path / name).write_text(text, encoding="utf-8")
    run_git(tmp_path, "init", "-q")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "one")
    (tmp_path / "gone.cpp").unlink()
    changed = (tmp_path / "mac.cpp").read_text(encoding="utf-8").replace("N 64", "N 1024")
    (tmp_path / "mac.cpp").write_text(changed, encoding="utf-8")
    assert main(["qor", "diff", "HEAD", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["unchanged"] == 1
    kinds = {(row["kind"], row["name"]): row for row in said["changes"]}
    design = kinds["design", "mac.cpp: mac"]
    # 64 rounds of one cycle against 1,024: 960 cycles more, the pipeline's depth stays.
    assert design["after"]["latency_cycles"] - design["before"]["latency_cycles"] == 960
    assert "latency_cycles" in design["changed"]
    loop = kinds["loop", "mac: sum"]
    assert loop["before"]["ii"] == loop["after"]["ii"] == 1
    assert kinds["design", "gone.cpp: gone"]["after"] is None
    assert main(["qor", "diff", "HEAD", "--markdown"]) == 0
    table = capsys.readouterr().out
    assert "| **mac.cpp: mac** |" in table and "| **gone.cpp: gone (gone)** |" in table
    assert "1 more without a change." in table
    assert main(["qor", "diff", "nowhere"]) == 2
    assert "'nowhere' is no commit here" in capsys.readouterr().err
    assert main(["qor", "diff", "--", "--output=x"]) == 2
    assert "'--output=x' is no commit here" in capsys.readouterr().err


def test_the_recipe_of_the_documents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of the recipe that calls hwml, letter by letter, in a repository as the service checks it out."""
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    steps = [line.partition("- run: ")[2] for line in page.splitlines() if "- run: hwml " in line]
    assert len(steps) == 1
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GITHUB_BASE_REF", "main")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "mac.cpp").write_text(MAC.replace('#include "size.h"', "#include <ap_int.h>\n#define N 64"))
    run_git(tmp_path, "init", "-q", "-b", "main")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "one")
    run_git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    done = subprocess.run(["bash", "-euc", steps[0]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "No change in 1 design." in (tmp_path / "hwml.md").read_text(encoding="utf-8")


KERNEL = """\
#pragma ACCEL kernel
void kernel_scale(int a[64]) {
#pragma ACCEL PIPELINE auto{__PIPE__L0}
#pragma ACCEL PARALLEL FACTOR=auto{__PARA__L0}
  for (int i = 0; i < 64; i++)
    a[i] *= 3;
}
"""
POINT = {"__PIPE__L0": "off", "__PARA__L0": 2}
USE = {"total-LUT": 900, "total-FF": 700, "total-DSP": 0, "total-BRAM": 2, "util-LUT": 0.001}


def _import(layout: str, place: Path, out: Path) -> Any:
    assert main(["qor", "import", layout, str(place), "--out", str(out)]) == 0
    return read_designs(out)


def test_the_layout_of_hlsyn(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "sources").mkdir(parents=True)
    (data / "sources" / "scale-medium_kernel.c").write_text(KERNEL, encoding="utf-8")
    (data / "designs" / "v20").mkdir(parents=True)
    points = {
        "lv2:__PARA__L0-2": {"point": POINT, "perf": 77.0, "valid": True, "res_util": USE},
        "lv2:__PARA__L0-64": {"point": POINT, "perf": 0.0, "valid": False, "res_util": {}},
    }
    (data / "designs" / "v20" / "scale-medium.json").write_text(json.dumps(points), encoding="utf-8")
    (design,) = _import("hlsyn", data, tmp_path / "out")
    assert (design.tool, design.tool_version, design.top, design.group) == ("merlin", "2020.2", "kernel_scale", "scale")
    # A use of 0 DSP means under 1 % of 6,840.
    assert design.labels == (900, None, 700, 77, 2) and design.bounds[1] == 68
    assert "#pragma ACCEL PARALLEL FACTOR=2" in design.code()


def test_a_source_whose_name_says_more_than_its_designs(tmp_path: Path) -> None:
    """As published: `stencil.json` beside `stencil_stencil2d_kernel.c`; 1 % of 2,364,480 FF is 23,644.8."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "scale_scale2d_kernel.c").write_text(KERNEL, encoding="utf-8")
    (tmp_path / "designs" / "v18").mkdir(parents=True)
    point = {"point": POINT, "perf": 77.0, "valid": True, "res_util": {**USE, "total-FF": 0}}
    (tmp_path / "designs" / "v18" / "scale.json").write_text(json.dumps({"a": point}), encoding="utf-8")
    (design,) = _import("hlsyn", tmp_path, tmp_path / "out")
    assert (design.top, design.labels[2], design.bounds[2]) == ("kernel_scale", None, 23_644)


def test_the_layout_of_harp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Written with a stand-in of the module whose classes its pickles name."""
    module = types.ModuleType("autodse.result")

    class Result:
        pass

    Result.__module__, Result.__qualname__ = "autodse.result", "Result"
    module.Result = Result  # type: ignore[attr-defined]
    result = Result()

    class Code(enum.Enum):
        PASS = 0

    # As published: of protocol 3, where an enumeration inside a class is `getattr(Result, "RetCode")`.
    Code.__module__, Code.__qualname__, Code.__name__ = "autodse.result", "Result.RetCode", "RetCode"
    Result.RetCode = Code  # type: ignore[attr-defined]
    result.__dict__.update(point=POINT, perf=77.0, res_util=USE, valid=True, ret_code=Code.PASS)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "autodse", types.ModuleType("autodse"))
        patch.setitem(sys.modules, "autodse.result", module)
        one = pickle.dumps(result, protocol=3)
        raw = pickle.dumps({b"lv2:x": one, b"lv1:y": one})
    assert b"cbuiltins\ngetattr" in one
    suite = tmp_path / "dse_database" / "poly"
    (suite / "sources").mkdir(parents=True)
    (suite / "sources" / "scale_kernel.c").write_text(KERNEL, encoding="utf-8")
    database = suite / "databases" / "v18" / "scale_result_updated-0.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(raw)
    (design,) = _import("harp", tmp_path, tmp_path / "out")
    assert (design.tool_version, design.labels[3], design.pragmas) == ("2018.3", 77, POINT)
    database.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR.")
    assert main(["qor", "import", "harp", str(tmp_path), "--out", str(tmp_path / "other")]) == 2
    assert "which is not loaded" in capsys.readouterr().err
    assert not (tmp_path / "run").exists() and not (tmp_path / "other").exists()


def test_the_layout_of_forgehls(tmp_path: Path, capsys: Any) -> None:
    one = {
        "Part": "xcu280-fsvh2892-2L-e", "TargetClockPeriod": 10, "Best-caseLatency": 65, "Worst-caseLatency": 66,
        "BRAM_18K": 0, "LUT": 90, "DSP": 3, "FF": 70, "design_id": "design_1", "algo_name": "scale",
        "source_name": "Own", "top_function_name": "scale", "is_kernel": False,
        "source_code": [{"file_name": "scale.cpp", "file_content": "void scale(int a[64]) { a[0] = 1; }\n"}],
    }  # fmt: skip
    place = tmp_path / "data_of_designs_forgehls.json.gz"
    place.write_bytes(gzip.compress(json.dumps([one, {**one, "source_code": []}]).encode()))
    (design,) = _import("forgehls", place, tmp_path / "out")
    assert design.labels == (90, 3, 70, 66, 0) and design.id == "forgehls/Own/scale/design_1"
    assert "1 left out without source" in capsys.readouterr().out
    place.write_bytes(b"\x1f\x8bno")
    assert main(["qor", "import", "forgehls", str(place), "--out", str(tmp_path / "x")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_a_table_fits_a_comment_and_says_what_does_not() -> None:
    """65,536 characters are what one comment holds."""
    found = [Change(f"design_{n}", "design", f"design_{n}", {"lut": 1000.0}, {"lut": 1500.0}) for n in range(3000)]
    text = markdown(found, 0, "main", failed=["x.cpp: broken"])
    assert len(text) <= 65_536
    (more,) = [line for line in text.splitlines() if "more rows do not fit here" in line]
    listed = sum(line.startswith("| **design") for line in text.splitlines())
    assert int(more.split()[1]) == 3000 - listed > 0
    assert "Not predicted: x.cpp: broken" in text
