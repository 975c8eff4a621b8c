"""Read C synthesis reports (`csynth.xml`) of Vivado HLS and Vitis HLS, 2017 to 2025, into typed data.

Layouts: classic `solutionN/syn/report/csynth.xml`, and unified `<component>/hls/hls_data.json`, whose `Files.CsynthXml`
names the report. Loops stand at the top level up to 2020.2 and inside `ModuleInformation/Module` from 2022 on; the
element names are the loops' labels. What a release leaves out, or writes as `undef`, `-`, `?` or `~0`, is None.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import ReportError
from ...files import read_bytes
from .data import MAX_BYTES, MAX_DEPTH, decimal, read_data, resources, span_of, whole
from .types import CsynthReport, ReportedLoop, ReportedModule, ReportedPragma, Resources

MAX_FUNCTIONS = 512
Element = Any  # xml.etree.ElementTree.Element, parsed by defusedxml
_LOOP_FIELDS = ("TripCount", "Latency", "IterationLatency", "PipelineII", "PipelineDepth")


def find_report(place: str | Path) -> Path:
    """The `csynth.xml` of a report file, an `hls_data.json`, a component, a project or a solution folder.

    A data file whose csynth.xml was not kept is its own report where it has figures. Raises ReportError when there is
    none, naming where it looked.
    """
    path = Path(place)
    if path.suffix == ".json":
        return _from_data(path)
    if path.is_file():
        return path
    for data in (path / "hls_data.json", path / "hls" / "hls_data.json"):
        if data.is_file():
            return _from_data(data)
    patterns = ("csynth.xml", "syn/report/csynth.xml", "*/syn/report/csynth.xml", "*/*/syn/report/csynth.xml")
    found = [report for pattern in patterns for report in sorted(path.glob(pattern))]
    if not found:
        raise ReportError("no csynth.xml here (looked for solution*/syn/report and hls_data.json)", path=path)
    return max(found, key=lambda report: report.stat().st_mtime)


def _from_data(path: Path) -> Path:
    data = read_data(path)
    if not data.report and not data.modules:
        raise ReportError("names no report (Files.CsynthXml), and holds no figures of its own", path=path)
    report = path.parent / data.report
    if data.report and report.is_file():
        return report
    if data.as_report() is None:
        raise ReportError(f"names {data.report or 'no report'}, which is not there; run C synthesis again", path=path)
    return path


def read_csynth(place: str | Path) -> CsynthReport:
    """Read the report at `place` (see `find_report`), with what the files beside it add.

    These are the reports of single functions (`<function>_csynth.xml`, which up to 2021 hold what `csynth.xml` leaves
    out) and the tool's data file (release, sources). Raises ReportError for a missing, oversize or broken file, and for
    XML that is no synthesis report.
    """
    path = find_report(place)
    if path.suffix == ".json":
        alone = read_data(path).as_report()
        if alone is None:
            raise ReportError("holds no figures of its top; run C synthesis again", path=path)
        return alone
    report = _report(path)
    return _with_data(_with_functions(report, path), path)


def read_alone(path: Path) -> CsynthReport:
    """One XML file by itself. Raises ReportError as `read_csynth`."""
    return _report(path)


def _report(path: Path) -> CsynthReport:
    root = _parse(path)
    user = root.find("UserAssignments")
    if root.tag != "profile" or user is None:
        raise ReportError("is no csynth report: the elements profile/UserAssignments are missing", path=path)
    timing = "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"
    summary = root.find("PerformanceEstimates/SummaryOfOverallLatency")
    modules = tuple(_module(item) for item in root.findall("ModuleInformation/Module"))
    return CsynthReport(
        str(path),
        _text(root, "ReportVersion/Version"),
        _text(user, "TopModelName"),
        _text(user, "Part"),
        decimal(_text(user, "TargetClockPeriod")),
        decimal(_text(user, "ClockUncertainty")),
        decimal(_text(root, timing)),
        _resources(root.find("AreaEstimates/Resources")),
        _resources(root.find("AreaEstimates/AvailableResources")),
        (_number(summary, "Best-caseLatency"), _number(summary, "Worst-caseLatency")),
        (_number(summary, "Interval-min"), _number(summary, "Interval-max")),
        _loops(root.find("PerformanceEstimates")),
        modules,
        tuple(_pragma(item) for item in root.findall("PragmaReport/Pragma")),
    )


def _with_functions(report: CsynthReport, path: Path) -> CsynthReport:
    """With the functions whose own reports lie beside it; what is broken or not of this run is left out."""
    if path.name != "csynth.xml":
        return report
    known = {module.name for module in report.modules} | {report.top}
    added: list[ReportedModule] = []
    size = 0
    for place in islice(sorted(path.parent.glob("*_csynth.xml")), MAX_FUNCTIONS):
        name = place.name.removesuffix("_csynth.xml")
        try:
            size += place.stat().st_size
            if name in known or size > MAX_BYTES:
                continue
            own = _report(place)
        except (ReportError, OSError):
            continue
        added.append(ReportedModule(name, own.resources, own.latency_cycles, own.loops))
    return replace(report, modules=(*report.modules, *added)) if added else report


def _with_data(report: CsynthReport, path: Path) -> CsynthReport:
    """With tool, release and sources of the data file of the same run, where there is one."""
    folder = path.parent.parent.parent  # of `<solution>/syn/report/csynth.xml`
    for name in ("hls_data.json", f"{folder.name}_data.json"):
        try:
            data = read_data(folder / name)
        except ReportError:
            continue
        if data.top == report.top:
            version = report.tool_version or data.tool_version
            return replace(report, tool=data.tool, tool_version=version, sources=data.sources)
    return report


def _parse(path: Path) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReportError(f"is over {MAX_BYTES >> 20} MiB; reports are smaller", path=path)
        return fromstring(read_bytes(path, max_bytes=MAX_BYTES))
    except OSError as error:
        raise ReportError(f"cannot read: {error.strerror or error}", path=path) from error
    except ParseError as error:
        raise ReportError(f"not XML: {error}; run C synthesis again", path=path, line=error.position[0]) from error
    except (DefusedXmlException, ValueError, RecursionError) as error:
        raise ReportError(f"refused: {type(error).__name__}; reports need no entities", path=path) from error


def _text(parent: Element | None, place: str) -> str:
    if parent is None:
        return ""
    return (parent.findtext(place) or "").strip()


def _number(parent: Element | None, name: str) -> int | None:
    return whole(_text(parent, name))


def _span(parent: Element | None, name: str) -> tuple[int | None, int | None]:
    """A number, `a ~ b`, or `<range><min/><max/></range>`."""
    element = parent.find(name) if parent is not None else None
    if element is None:
        return None, None
    inner = element.find("range")
    inner = inner if inner is not None else element
    if inner.find("min") is not None or inner.find("max") is not None:
        return _number(inner, "min"), _number(inner, "max")
    return span_of(element.text or "")


def _resources(element: Element | None) -> Resources:
    return resources({} if element is None else {item.tag: (item.text or "").strip() for item in element})


def _module(element: Element) -> ReportedModule:
    performance = element.find("PerformanceEstimates")
    summary = performance.find("SummaryOfOverallLatency") if performance is not None else None
    return ReportedModule(
        _text(element, "Name"),
        _resources(element.find("AreaEstimates/Resources")),
        (_number(summary, "Best-caseLatency"), _number(summary, "Worst-caseLatency")),
        _loops(performance),
    )


def _loops(performance: Element | None) -> tuple[ReportedLoop, ...]:
    summary = performance.find("SummaryOfLoopLatency") if performance is not None else None
    if summary is None or performance is None:
        return ()
    sources = {}
    for violations in performance.iter("SummaryOfLoopViolations"):
        sources.update({item.tag: _text(item, "SourceLocation") for item in violations.iter() if len(item)})
    return tuple(_loop(item, sources, 0) for item in summary if _is_loop(item))


def _is_loop(element: Element) -> bool:
    return any(element.find(name) is not None for name in _LOOP_FIELDS)


def _loop(element: Element, sources: dict[str, str], depth: int) -> ReportedLoop:
    inner = [item for item in element if _is_loop(item)] if depth < MAX_DEPTH else []
    ii = _number(element, "PipelineII")
    iteration = _number(element, "IterationLatency")
    stated = _text(element, "PipelineType").lower()
    return ReportedLoop(
        _text(element, "Name") or element.tag,
        _span(element, "TripCount"),
        _span(element, "Latency"),
        iteration if iteration is not None else _number(element, "PipelineDepth"),
        ii,
        ii is not None and stated not in ("no", "none"),
        sources.get(element.tag, ""),
        tuple(_loop(item, sources, depth + 1) for item in inner),
    )


def _pragma(element: Element) -> ReportedPragma:
    return ReportedPragma(
        element.get("type", ""),
        element.get("location", ""),
        element.get("status", ""),
        element.get("parentFunction", ""),
        element.get("variable", ""),
        element.get("options", ""),
        element.get("isDirective", "0") == "1",
        tuple(message.get("msg_body", "") for message in element.findall("Msg")),
    )
