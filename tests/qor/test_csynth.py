"""Synthesis reports: small ones written here in the tools' formats, and real ones where they are at hand."""

from __future__ import annotations

import re
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


def test_a_real_report_of_vivado_2018() -> None:
    """skkwan+phase2_bjets_hls, read off its csynth.xml and solution1_data.json by hand."""
    report = _real("skkwan+phase2_bjets_hls")
    assert (report.tool, report.tool_version, report.top) == ("vivado_hls", "2018.2", "get_discriminant")
    assert (report.part, report.clock_period_ns, report.clock_uncertainty_ns) == ("xcvu9p-flgc2104-2-i", 3.12, 0.39)
    assert report.clock_estimated_ns == 0.0
    assert report.resources == Resources(0, 0, 0, 0, 0)
    assert report.available == Resources(1182240, 6840, 2364480, 4320, 960)
    assert (report.latency_cycles, report.interval_cycles) == ((0, 0), (1, 1))
    assert list(report.all_loops()) == []
    assert [Path(name).name for name in report.sources] == ["discr_array_exercise.cc"]


def test_a_real_report_of_vivado_2019() -> None:
    """Achilisnard+Fibonacci: everything that hangs on the rounds is `undef`; resources are called DSP48E."""
    report = _real("Achilisnard+Fibonacci")
    assert (report.tool, report.tool_version, report.top) == ("vivado_hls", "2019.2", "fibonacci")
    assert (report.part, report.clock_period_ns, report.clock_estimated_ns) == ("xc7z020-clg484-1", 10.0, 4.242)
    assert report.resources == Resources(351, 0, 269, 0, 0)
    assert report.available == Resources(53200, 220, 106400, 280, 0)
    assert (report.latency_cycles, report.interval_cycles) == ((None, None), (None, None))
    assert list(report.all_loops()) == [
        ("fibonacci", ReportedLoop("Loop1", (None, None), (None, None), 1, None, False))
    ]


def test_a_real_report_of_vitis_2020() -> None:
    """hashi0203+Vitis_HLS_Gaussian: loops at the top level, two of them flattened nests."""
    report = _real("hashi0203+Vitis_HLS_Gaussian")
    assert (report.tool_version, report.top, report.part) == ("2020.2", "gaussian", "xczu7ev-ffvc1156-2-e")
    assert (report.clock_uncertainty_ns, report.clock_estimated_ns) == (2.7, 6.427)
    assert report.resources == Resources(1870, 0, 973, 3, 0)
    assert report.available == Resources(230400, 1728, 460800, 624, 96)
    assert (report.latency_cycles, report.interval_cycles) == ((262673, 262673), (262674, 262674))
    assert list(report.all_loops()) == [
        ("gaussian", ReportedLoop("buf_x1", (2, 2), (2, 2), 1, 1, True)),
        ("gaussian", ReportedLoop("buf_x2", (512, 512), (512, 512), 1, 1, True)),
        ("gaussian", ReportedLoop("win_y_win_x", (4, 4), (5, 5), 2, 1, True)),
        ("gaussian", ReportedLoop("for_y_for_x", (262144, 262144), (262146, 262146), 4, 1, True)),
    ]


def test_a_real_report_of_vitis_2022() -> None:
    """Taise228+topk_sort: a dataflow region of three processes, each a module with a loop."""
    report = _real("Taise228+topk_sort")
    assert (report.tool_version, report.top, report.part) == ("2022.1", "topk_sort", "xck26-sfvc784-2LV-c")
    assert report.resources == Resources(60979, 0, 52110, 0, 0)
    assert report.available == Resources(117120, 1248, 234240, 288, 64)
    assert (report.latency_cycles, report.interval_cycles) == ((1208, 1208), (1003, 1003))
    names = ("Loop_VITIS_LOOP_35_2_proc3", "Loop_VITIS_LOOP_68_5_proc", "Loop_VITIS_LOOP_90_8_proc")
    assert [(m.name, m.resources, m.latency_cycles) for m in report.modules] == [
        (names[0], Resources(15600, 0, 12748, 0, 0), (1002, 1002)),
        (names[1], Resources(20903, 0, 9481, 0, 0), (101, 101)),
        (names[2], Resources(588, 0, 45, 0, 0), (103, 103)),
        ("topk_sort", Resources(60981, 0, 52110, 0, 0), (1208, 1208)),
    ]
    assert list(report.all_loops()) == [
        (names[0], ReportedLoop("VITIS_LOOP_35_2", (1000, 1000), (1000, 1000), 1, 1, True)),
        (names[1], ReportedLoop("VITIS_LOOP_68_5", (99, 99), (99, 99), 1, 1, True)),
        (names[2], ReportedLoop("VITIS_LOOP_90_8", (100, 100), (101, 101), 3, 1, True)),
    ]
    assert [(p.kind, p.source, p.status) for p in report.pragmas][3] == (
        "dataflow", "topk_sort/topk_sort.cpp:13", "warning",
    )  # fmt: skip


def test_a_real_report_of_vitis_2024() -> None:
    """drkbldwn208+RedPitayaPSDMonitor: the layout of components; `undef` latency, a loop of depth 9 and II 1."""
    report = _real("drkbldwn208+RedPitayaPSDMonitor")
    assert (report.tool, report.tool_version, report.top) == ("vitis_hls", "2024.1", "PSDMonitorTop")
    assert (report.part, report.clock_period_ns, report.clock_estimated_ns) == ("xc7z010-clg400-1", 8.0, 5.84)
    assert report.resources == Resources(1509, 0, 1400, 1, 0)
    assert report.available == Resources(17600, 80, 35200, 120, 0)
    assert (report.latency_cycles, report.interval_cycles) == ((None, None), (None, None))
    inner = "PSDMonitorTop_Pipeline_VITIS_LOOP_27_1"
    assert [(m.name, m.resources.lut, m.resources.ff) for m in report.modules] == [
        (inner, 473, 432), ("PSDMonitorTop", 1509, 1400),
    ]  # fmt: skip
    loop = ReportedLoop("VITIS_LOOP_27_1", (None, None), (None, None), 9, 1, True, "PSDMonitor.cpp:48")
    assert list(report.all_loops()) == [(inner, loop)]
    assert Path(report.sources[0]).name == "PSDMonitor.cpp"
    assert [p.kind for p in report.pragmas] == [*["interface"] * 5, "pipeline"]


# -- reports as they should not be ---------------------------------------------------------------------------------


def _unified() -> str:
    return (DATA / "unified" / "mac" / "hls" / "syn" / "report" / "csynth.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", ["AreaEstimates", "PerformanceEstimates", "ModuleInformation", "PragmaReport", "Part"])
def test_without_a_part_of_it_the_rest_is_read(tmp_path: Path, tag: str) -> None:
    """Each element taken out, everywhere: no crash, and what does not hang on it stays."""
    cut = re.sub(rf"<{tag}>.*?</{tag}>", "", _unified(), flags=re.DOTALL)
    assert cut != _unified()
    report = read_csynth(_write(tmp_path, cut))
    assert report.top == "mac"
    assert (report.resources.lut is None) == (tag == "AreaEstimates")
    assert (report.latency_cycles[1] is None) == (tag == "PerformanceEstimates")
    assert (report.part == "") == (tag == "Part")
    assert bool(report.modules) == (tag != "ModuleInformation")


@pytest.mark.parametrize("word", ["undef", "-", "~0", "?", "", "-1", "1e9999", "NaN"])
def test_what_is_no_number_is_unknown(tmp_path: Path, word: str) -> None:
    """Every number of the report replaced: all figures are None, none is 0."""
    text = re.sub(r">\s*[\d.]+\s*</(?!Version)", f">{word}</", _unified())
    report = read_csynth(_write(tmp_path, text))
    assert report.resources == Resources(None, None, None, None, None)
    assert (report.latency_cycles, report.clock_period_ns) == ((None, None), None)
    for _, loop in report.all_loops():
        assert (loop.trip_count, loop.latency_cycles, loop.ii) == ((None, None), (None, None), None)


def test_the_order_of_elements_means_nothing(tmp_path: Path) -> None:
    """Children of every element reversed, but for lists whose order is that of the design."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(_unified())
    lists = {"ModuleInformation", "SummaryOfLoopLatency", "PragmaReport", "Pragma"}
    for element in root.iter():
        if element.tag not in lists:
            element[:] = element[::-1]
    report = read_csynth(_write(tmp_path, ElementTree.tostring(root)))
    straight = read_csynth(_write(tmp_path, _unified()))
    assert report == straight and report.resources.lut == 1509


def test_entities_and_size_are_bounded(tmp_path: Path) -> None:
    """A billion laughs, an external entity, 200 MB: one line each, at once."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE p [<!ENTITY e0 "ha">{lines}]><profile><UserAssignments>&e9;</UserAssignments></profile>'
    with pytest.raises(ReportError, match="refused"):
        read_csynth(_write(tmp_path, bomb))
    outside = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><profile><UserAssignments>&x;</UserAssignments></profile>'
    with pytest.raises(ReportError, match="refused"):
        read_csynth(_write(tmp_path, outside))
    place = tmp_path / "csynth.xml"
    with place.open("wb") as stream:
        stream.truncate(200 << 20)
    with pytest.raises(ReportError, match="is over 64 MiB"):
        read_csynth(place)
    data = tmp_path / "hls_data.json"
    with data.open("wb") as stream:
        stream.truncate(200 << 20)
    with pytest.raises(ReportError, match="over the limit of 64 MB"):
        read_csynth(data)


def test_a_deep_nest_and_many_loops_are_read(tmp_path: Path) -> None:
    """500 loops inside one another are cut at a depth, 20,000 side by side are all there."""
    head = "<profile><UserAssignments><TopModelName>f</TopModelName></UserAssignments><PerformanceEstimates>"
    deep = "<l><TripCount>2</TripCount>" * 500 + "</l>" * 500
    tail = "</PerformanceEstimates></profile>"
    report = read_csynth(_write(tmp_path, f"{head}<SummaryOfLoopLatency>{deep}</SummaryOfLoopLatency>{tail}"))
    assert len(list(report.all_loops())) == 61
    wide = "".join(f"<l{n}><TripCount>{n}</TripCount></l{n}>" for n in range(20_000))
    report = read_csynth(_write(tmp_path, f"{head}<SummaryOfLoopLatency>{wide}</SummaryOfLoopLatency>{tail}"))
    assert len(list(report.all_loops())) == 20_000
