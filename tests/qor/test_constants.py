"""`qor constants` finds the constant that labels were made with, and leaves everything as it was."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.errors import DataError, HwmlError
from hwml_sdk.qor.closed_form.costs import COSTS
from hwml_sdk.qor.learned.features import extract
from hwml_sdk.qor.tool import releases
from hwml_sdk.qor.tool.cores import CORES
from hwml_sdk.qor.tool.operators import operator
from hwml_sdk.qor.tool.releases import behaviour_of
from hwml_sdk.train.qor.recipe import main

PART, CLOCK = "xcvu9p-flga2104-2-i", 10.0


def kernel(trips: int, op: str) -> str:
    return f"""void k(float x[{trips}], float y[{trips}], float c) {{ for (int i = 0; i < {trips}; i++) {{
#pragma HLS pipeline
y[i] = x[i] {op} c; }} }}"""


# Reports of Merlin count states of loops; csynth lists entries that no constant is fitted for.
MERLIN = {"tool": "merlin", "tool_version": "2021.1"}


def merlin_kernel(trips: int, op: str) -> str:
    return kernel(trips, op).replace("HLS", "ACCEL")


def labels(code: str, tool: str = "vitis_hls", version: str = "2022.2") -> dict[str, float | None]:
    """The closed form as the labels of a design."""
    row = extract(code, top="k", part=PART, clock_period_ns=CLOCK, tool=tool, tool_version=version, stage="csynth")
    return dict(row.closed_form)


def write(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Designs as `read_designs` reads them; of each: code, group, labels and what differs from the defaults."""
    folder.mkdir(exist_ok=True)
    designs, kernels = [], []
    for number, row in enumerate(rows):
        fields = {name: value for name, value in row.items() if name not in ("code", "group", "labels")}
        designs.append({
            "id": f"d{number}", "code_ref": f"c{number}", "kernel": row["group"], "algo_group": row["group"],
            "tool": "vitis_hls", "tool_version": "2022.2", "part": PART, "clock_period_ns": CLOCK, "top": "k",
            **row["labels"], **fields,
        })  # fmt: skip
        kernels.append({"code_ref": f"c{number}", "code": row["code"]})
    for name, items in (("designs", designs), ("kernels", kernels)):
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as stream:
            stream.writelines(json.dumps(item) + "\n" for item in items)
    return folder


def fitted(folder: Path, only: str, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, dict[str, Any]]:
    assert main(["constants", "--data", str(folder), "--only", only, "--json", *more]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)["constants"]}


def test_recovers_the_constant_behind_the_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [merlin_kernel(trips, op) for trips in (16, 100, 900) for op in "+*"]
    with monkeypatch.context() as patch:
        patch.setattr(COSTS, "loop_lut_state", 9.0)
        rows: list[dict[str, Any]] = [
            {"code": code, "group": f"g{n}", "labels": labels(code, "merlin", "2021.1"), **MERLIN}
            for n, code in enumerate(codes)
        ]
    assert COSTS.loop_lut_state == 2.0
    rows[0]["labels"]["lut"] *= 50  # one that the closed form misreads altogether
    found = fitted(write(tmp_path / "data", rows), "costs.loop_lut_*", capsys)["costs.loop_lut_state"]
    assert found["value"] == 2.0
    assert found["fitted"] == pytest.approx(9.0, rel=0.01)
    # Five of six designs are met exactly, the error of the sixth is cut at 1.5.
    assert found["fitted_error"] == pytest.approx(1.5 / 6, abs=2e-3)
    assert found["error"] > found["fitted_error"]
    assert (found["designs"], found["groups"]) == (6, 6)
    assert "fit" in found["source"]
    assert COSTS.loop_lut_state == 2.0


def test_groups_weigh_equally(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = []
    with monkeypatch.context() as patch:
        for value, group, number in ((8.0, "large", 9), (5.0, "a", 1), (5.0, "b", 1)):
            patch.setattr(COSTS, "loop_lut_state", value)
            codes = [merlin_kernel(20 + 3 * turn + ord(group[0]), "*") for turn in range(number)]
            rows += [
                {"code": code, "group": group, "labels": labels(code, "merlin", "2021.1"), **MERLIN} for code in codes
            ]
    folder = write(tmp_path / "data", rows)
    # Nine designs of one group say 8, one each of two others 5: two groups against one.
    found = fitted(folder, "costs.loop_lut_state", capsys)["costs.loop_lut_state"]
    assert found["fitted"] == pytest.approx(5.0, rel=0.02)
    assert (found["designs"], found["groups"]) == (11, 3)
    # Fewer designs are taken from the groups in turn.
    few = fitted(folder, "costs.loop_lut_state", capsys, "--designs", "3")["costs.loop_lut_state"]
    assert (few["designs"], few["groups"]) == (3, 3)


def test_cores_and_releases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, merlin = kernel(50, "*"), kernel(60, "*").replace("HLS", "ACCEL")
    with monkeypatch.context() as patch:
        patch.setattr(CORES["mul", "float"], "lut", 300.0)
        patch.setattr(CORES["mul", "float"], "cycles", (4, 4, 5, 5))
        operator.cache_clear()
        rows: list[dict[str, Any]] = [
            {"code": old, "group": "old", "tool_version": "2019.2", "labels": labels(old, version="2019.2")},
            {"code": old, "group": "new", "labels": labels(old)},
            {"code": merlin, "group": "merlin", "tool": "merlin", "tool_version": "2021.1",
             "labels": labels(merlin, "merlin", "2021.1")},
        ]  # fmt: skip
    operator.cache_clear()
    rows[2]["labels"]["lut"] += 2 * 1600  # two ports that take 7000 LUTs rather than 5400
    folder = write(tmp_path / "data", rows)
    before = releases.RELEASES, behaviour_of("merlin", 2021.1)
    cores = fitted(folder, "core.*.float.*", capsys)
    # Reports list nothing for the two states of a pipeline that it lacks.
    assert cores["core.mul.float.lut"]["fitted"] == pytest.approx(300, rel=0.002)
    assert cores["core.mul.float.cycles"]["fitted"] == [4, 4, 5, 5]
    assert cores["core.mul.float.cycles"]["designs"] == 3
    assert cores["core.div.float.lut"]["designs"] == 0
    assert cores["core.div.float.lut"]["fitted"] == cores["core.div.float.lut"]["value"]
    ports = fitted(folder, "release.merlin.*port_lut", capsys)
    # 165 LUTs of the multiplier and 4 of the states it lacks, beside 1600 for each of two ports.
    assert ports["release.merlin.2021.port_lut"]["fitted"] == pytest.approx(7000 + 169 / 2, rel=0.002)
    assert ports["release.merlin.2020.port_lut"]["designs"] == 0
    extra = fitted(folder, "release.hls.*.float_more_cycles", capsys)
    # Two cycles are missing in the core of every release, beside the one of 2020; the row holds for one design of the
    # line.
    assert extra["release.hls.2020.float_more_cycles"]["fitted"] == 3
    assert extra["release.hls.2020.float_more_cycles"]["designs"] == 1
    assert (releases.RELEASES, behaviour_of("merlin", 2021.1)) == before
    assert CORES["mul", "float"].lut == 135


def test_every_constant_has_a_source_and_is_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = kernel(30, "*")
    folder = write(tmp_path / "data", [{"code": code, "group": "g", "labels": labels(code)}])
    rows = fitted(folder, "*", capsys)
    assert all(row["source"] for row in rows.values())
    rooms = {name.partition(".")[0] for name in rows}
    assert rooms == {"integer", "memory", "costs", "logic", "csynth", "impl", "merlin", "core", "release"}
    # The labels are the closed form itself: nothing fits better than what is in use.
    assert all(row["fitted"] == row["value"] for row in rows.values())
    assert main(["constants", "--data", str(folder), "--only", "costs.slave_*"]) == 0
    assert "no design" in capsys.readouterr().out


def test_wrong_use(tmp_path: Path) -> None:
    code = kernel(30, "*")
    folder = write(tmp_path / "data", [{"code": "int", "group": "g", "labels": labels(code)}])
    with pytest.raises(HwmlError, match=r"no constant matches 'speed\.\*'"):
        main(["constants", "--data", str(folder), "--only", "speed.*"])
    with pytest.raises(DataError, match="no design that can be estimated"):
        main(["constants", "--data", str(folder)])
