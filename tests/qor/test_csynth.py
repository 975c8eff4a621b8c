"""Synthesis reports: small ones written here in the tools' formats, and real ones where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.errors import ReportError
from hwml_sdk.qor.reports.csynth import find_report, read_csynth
from hwml_sdk.qor.reports.types import CsynthReport, ReportedLoop, Resources

DATA = Path(__file__).parents[1] / "data" / "csynth"
REAL = Path(__file__).parents[3] / "shared" / "data" / "csynth"


def test_classic_report() -> None:
    report = read_csynth(DATA / "classic")
    assert (report.tool_version, report.top, report.part) == ("2019.2", "scale", "xc7z020-clg484-1")
    assert (report.clock_period_ns, report.clock_uncertainty_ns, report.clock_estimated_ns) == (10.0, 1.25, 8.742)
    assert report.resources == Resources(351, 3, 269, None, None)
    assert report.available == Resources(53200, 220, 106400, 280, None)
    assert report.latency_cycles == (17, None)
    assert report.interval_cycles == (17, None)
    cols = ReportedLoop("cols", (4, 4), (12, 12), 7, 2, True)
    rows = ReportedLoop("rows", (1, 8), (16, 128), 16, None, False, loops=(cols,))
    last = ReportedLoop("Loop2", (None, None), (None, None), 1, None, False)
    assert report.loops == (rows, last)
    assert list(report.all_loops()) == [("scale", rows), ("scale", cols), ("scale", last)]
    assert (report.modules, report.pragmas) == ((), ())


def test_unified_report() -> None:
    report = read_csynth(DATA / "unified" / "mac")
    assert report.path == str(DATA / "unified" / "mac" / "hls" / "syn" / "report" / "csynth.xml")
    assert report == read_csynth(DATA / "unified" / "mac" / "hls" / "hls_data.json")
    assert (report.tool, report.tool_version, report.top) == ("vitis_hls", "2024.1", "mac")
    assert report.resources == Resources(1509, 2, 1400, 1, 0)
    assert report.latency_cycles == (1032, 1032)
    loop = ReportedLoop("sum", (1024, 1024), (1028, 1028), 6, 1, True, "mac.cpp:7")
    assert list(report.all_loops()) == [("mac_Pipeline_sum", loop)]
    assert [m.name for m in report.modules] == ["mac_Pipeline_sum", "mac"]
    assert report.modules[0].resources == Resources(611, 2, 432, None, None)
    first, second = report.pragmas
    assert (first.kind, first.source, first.status, first.from_directive) == ("pipeline", "mac.cpp:8", "valid", True)
    assert second.messages == ("not canonical",)


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "csynth.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><profile>&b;</profile>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not XML"),
        ("<profile>", "not XML"),
        ("<profile></profile>", "no csynth report"),
        ("<other><UserAssignments/></other>", "no csynth report"),
        (BOMB, "refused"),
        (b"\x00\x01\x02", "not XML"),
    ],
)
def test_broken_reports(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ReportError, match=rf"csynth\.xml.*{message}"):
        read_csynth(_write(tmp_path, text))


def test_an_empty_report_is_all_unknown(tmp_path: Path) -> None:
    report = read_csynth(_write(tmp_path, "<profile><UserAssignments/></profile>"))
    assert report.resources == Resources(None, None, None, None, None)
    assert report.latency_cycles == (None, None)
    assert list(report.all_loops()) == []


def test_missing_places(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no csynth\.xml"):
        read_csynth(tmp_path)
    (tmp_path / "hls_data.json").write_text('{"Files": {"CsynthXml": "gone.xml"}}', encoding="utf-8")
    with pytest.raises(ReportError, match=r"gone\.xml"):
        find_report(tmp_path)
    (tmp_path / "hls_data.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ReportError, match="CsynthXml"):
        find_report(tmp_path)


def _real(name: str) -> CsynthReport:
    place = REAL / name
    if not place.is_dir():
        pytest.skip("../shared/data/csynth is not here")
    inner = place / "PSDMonitorTop"
    return read_csynth(inner if inner.is_dir() else place)


def test_real_reports() -> None:
    zero = _real("skkwan+phase2_bjets_hls")
    assert zero.resources == Resources(0, 0, 0, 0, 0)
    assert zero.available.dsp == 6840
    unknown = _real("Achilisnard+Fibonacci")
    assert (unknown.latency_cycles, unknown.resources.dsp) == ((None, None), 0)
    gauss = _real("hashi0203+Vitis_HLS_Gaussian")
    loops = {loop.name: (loop.trip_count[0], loop.ii, loop.latency_cycles[0]) for _, loop in gauss.all_loops()}
    assert loops["for_y_for_x"] == (262144, 1, 262146)
    assert gauss.latency_cycles == (262673, 262673)
    topk = _real("Taise228+topk_sort")
    assert (topk.resources.lut, topk.resources.ff) == (60979, 52110)
    assert {p.kind: p.status for p in topk.pragmas}["dataflow"] == "warning"
    assert any(loop.trip_count == (1000, 1000) for _, loop in topk.all_loops())
    psd = _real("drkbldwn208+RedPitayaPSDMonitor")
    assert [(owner, loop.name, loop.ii) for owner, loop in psd.all_loops()] == [
        ("PSDMonitorTop_Pipeline_VITIS_LOOP_27_1", "VITIS_LOOP_27_1", 1)
    ]
    assert next(loop for _, loop in psd.all_loops()).source == "PSDMonitor.cpp:48"
