"""A report beside its source: found, held against the prediction per function and loop, stale when older."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from hwml_sdk.cli import main
from hwml_sdk.config import load_settings
from hwml_sdk.qor.model import predict_qor
from hwml_sdk.qor.provider import analyze
from hwml_sdk.qor.reports.csynth import read_csynth
from hwml_sdk.qor.reports.types import ReportedLoop
from hwml_sdk.reach import Reach, reading_below

DATA = Path(__file__).parents[1] / "data" / "csynth"
MAC = """\
void mac(const int a[1024], const int b[1024], int *out) {
  int acc = 0;
sum: for (int i = 0; i < 1024; i++) {
#pragma HLS pipeline
    acc += a[i] * b[i];
  }
  *out = acc;
}
"""


@pytest.fixture
def mac(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    source = tmp_path / "mac.cpp"
    source.write_text(MAC, encoding="utf-8")
    shutil.copytree(DATA / "unified" / "mac", tmp_path / "mac")
    report = tmp_path / "mac" / "hls" / "syn" / "report" / "csynth.xml"
    state = source.stat()
    os.utime(report, (state.st_atime, state.st_mtime + 10))
    return source


def test_figures_and_loops_stand_beside_the_prediction(mac: Path) -> None:
    """The figures are those written in tests/data/csynth/unified; the error is (predicted - actual) / actual."""
    answer = predict_qor(mac)
    actual = answer.actual
    assert actual is not None and not actual.stale
    assert {name: pair.actual for name, pair in actual.figures.items()} == {
        "lut": 1509, "dsp": 2, "ff": 1400, "bram_18k": 1, "latency_cycles": 1032,
    }  # fmt: skip
    lut = actual.figures["lut"]
    assert lut.predicted is not None and lut.error == pytest.approx((lut.predicted - 1509) / 1509)
    (loop,) = actual.loops
    assert (loop.function, loop.name, loop.loop, loop.line) == ("mac", "sum", "sum", 2)
    assert [p.actual for p in (loop.trip_count, loop.ii, loop.depth, loop.cycles)] == [1024, 1, 6, 1028]
    assert (loop.trip_count.predicted, loop.ii.predicted) == (1024, 1)


def test_the_prediction_beside_a_report_is_made_for_its_settings(mac: Path) -> None:
    answer = predict_qor(mac)
    assert answer.actual is not None
    assert set(answer.actual.assumed) == {"part", "clock_period_ns", "tool_version"}
    report = read_csynth(mac.parent / "mac")
    same = predict_qor(mac, part=report.part, clock_period_ns=report.clock_period_ns, tool_version="2024.1")
    assert same.actual is not None and not same.actual.assumed
    assert same.lut == answer.actual.figures["lut"].predicted
    assert same.actual.figures == answer.actual.figures


def test_stale_when_the_source_is_newer(mac: Path) -> None:
    report = mac.parent / "mac" / "hls" / "syn" / "report" / "csynth.xml"
    os.utime(report, (0, mac.stat().st_mtime - 1))
    answer = predict_qor(mac)
    assert answer.actual is not None and answer.actual.stale


def test_a_report_of_another_top_or_another_source_is_not_taken(mac: Path) -> None:
    other = mac.parent / "other.cpp"
    other.write_text(MAC, encoding="utf-8")  # the data file of the tool names mac.cpp
    assert predict_qor(other).actual is None
    renamed = mac.parent / "mac.cpp"
    renamed.write_text(MAC.replace("mac(", "macs("), encoding="utf-8")
    assert predict_qor(renamed).actual is None


def test_a_broken_report_and_links_in_a_ring_are_passed_over(mac: Path) -> None:
    (mac.parent / "ring").symlink_to(mac.parent)
    report = mac.parent / "mac" / "hls" / "syn" / "report" / "csynth.xml"
    report.write_text("<profile>", encoding="utf-8")
    assert predict_qor(mac).actual is None


def test_the_tooltip_and_the_command_line_show_it(mac: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = mac.read_text(encoding="utf-8").replace("acc = 0", "acc = 1")  # typed since: not what was synthesised
    found = {item.kind: item for item in analyze(str(mac), text, load_settings(mac)).annotations}
    assert "STALE" in found["function"].detail and "1.5k" in found["function"].detail
    assert "Reported as sum" in found["loop"].detail
    assert main(["qor", str(mac)]) == 0
    shown = capsys.readouterr().out
    assert "csynth 2024.1 for xck26-sfvc784-2LV-c, 5 ns" in shown and "off by" in shown
    assert main(["qor", "--json", str(mac)]) == 0
    actual = json.loads(capsys.readouterr().out)["actual"]
    assert actual["figures"]["latency_cycles"]["actual"] == 1032


def test_a_report_outside_of_what_may_be_read_is_not_told(tmp_path: Path) -> None:
    """A component beside the folder of sources, whose data names the source: closed where only that folder is open."""
    (tmp_path / ".git").mkdir()
    shutil.copytree(DATA / "unified" / "mac", tmp_path / "src" / "mac")  # `../../mac.cpp` is src/mac.cpp
    source = tmp_path / "src" / "mac.cpp"
    source.write_text(MAC, encoding="utf-8")
    inner = tmp_path / "src" / "kernel"
    inner.mkdir()
    shutil.move(source, inner / "mac.cpp")
    data = tmp_path / "src" / "mac" / "hls" / "hls_data.json"
    data.write_text(data.read_text(encoding="utf-8").replace("../../mac.cpp", "../../kernel/mac.cpp"), encoding="utf-8")
    assert predict_qor(inner / "mac.cpp").actual is not None
    with reading_below(Reach((inner,))):
        assert predict_qor(inner / "mac.cpp").actual is None


VIVADO = """<profile><ReportVersion><Version>2019.1</Version></ReportVersion>
<UserAssignments><Part>xc7z020-clg484-1</Part><TopModelName>top</TopModelName>
<TargetClockPeriod>10.00</TargetClockPeriod></UserAssignments>
<PerformanceEstimates><SummaryOfOverallLatency><Worst-caseLatency>%s</Worst-caseLatency></SummaryOfOverallLatency>
<SummaryOfLoopLatency>%s</SummaryOfLoopLatency></PerformanceEstimates>
<AreaEstimates><Resources><LUT>%d</LUT><FF>9</FF><DSP48E>1</DSP48E></Resources></AreaEstimates></profile>"""
LOOPS = """<Loop1><TripCount>8</TripCount><Latency>80</Latency><IterationLatency>10</IterationLatency>
<Loop1.1><TripCount>4</TripCount><Latency>8</Latency><IterationLatency>2</IterationLatency></Loop1.1></Loop1>
<tail><TripCount>5</TripCount><Latency>9</Latency><PipelineII>1</PipelineII><PipelineDepth>6</PipelineDepth></tail>"""
TWO = """\
int sub(int x) {
#pragma HLS inline off
  int s = 0;
tail: for (int i = 0; i < 5; i++) {
#pragma HLS pipeline
    s += x / (i + 3);
  }
  return s;
}
void top(int a[8][4], int *out) {
  int s = 0;
  for (int i = 0; i < 8; i++) {
    s = s / 3;
    for (int j = 0; j < 4; j++)
      s += a[i][j];
  }
  *out = sub(s);
}
"""


def test_functions_and_numbered_loops_of_vivado(tmp_path: Path) -> None:
    """Up to 2021 a function's figures stand in a file of its own; `Loop1.1` is the first loop in the first loop."""
    (tmp_path / ".git").mkdir()
    source = tmp_path / "top.cpp"
    source.write_text(TWO, encoding="utf-8")
    folder = tmp_path / "prj" / "solution1" / "syn" / "report"
    folder.mkdir(parents=True)
    (folder / "csynth.xml").write_text(VIVADO % ("90", LOOPS.partition("<tail>")[0], 300), encoding="utf-8")
    own = VIVADO.replace("<TopModelName>top", "<TopModelName>sub")
    (folder / "sub_csynth.xml").write_text(own % ("12", LOOPS.partition("</Loop1>\n")[2], 70), encoding="utf-8")
    actual = predict_qor(source, top="top").actual
    assert actual is not None
    (function,) = actual.functions
    assert (function.name, function.figures["lut"].actual, function.figures["latency_cycles"].actual) == ("sub", 70, 12)
    lines = {item.name: (item.function, item.line, item.trip_count.actual) for item in actual.loops}
    assert lines == {"Loop1": ("top", 11, 8), "Loop1.1": ("top", 13, 4), "tail": ("sub", 3, 5)}


def test_figures_of_the_data_file_alone(tmp_path: Path) -> None:
    """Where only the tool's data file was kept. Written as Vivado HLS 2019.2 writes it."""
    data = {
        "Top": "f", "Target": {"Device": "xc7z020", "Package": "-clg484", "Speed": "-1"},
        "ClockInfo": {"ClockPeriod": "10", "Uncertainty": "1.25"}, "Files": {"CSource": ["../f.cpp"]},
        "GenData": {"ToolName": "vivado_hls", "ToolVersion": "2019.2"},
        "ModuleInfo": {"Metrics": {"f": {
            "Latency": {"LatencyBest": "3", "LatencyWorst": "41"}, "Area": {"LUT": "351", "DSP48E": "~0", "FF": "-"},
            "Loops": [
                {"Name": "Loop 1", "TripCount": "2 ~ 10", "Latency": "", "PipelineII": "2", "PipelineDepth": "4"},
            ],
        }}},
    }  # fmt: skip
    place = tmp_path / "solution1_data.json"
    place.write_text(json.dumps(data), encoding="utf-8")
    report = read_csynth(place)
    assert (report.tool, report.tool_version, report.part) == ("vivado_hls", "2019.2", "xc7z020-clg484-1")
    assert (report.resources.lut, report.resources.dsp, report.resources.ff) == (351, None, None)
    assert report.latency_cycles == (3, 41)
    assert report.loops == (ReportedLoop("Loop 1", (2, 10), (None, None), 4, 2, True),)
    assert report.sources == (str(tmp_path.parent / "f.cpp"),)
