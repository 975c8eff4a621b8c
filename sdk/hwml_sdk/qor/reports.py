"""Read C synthesis reports (`csynth.xml`) of Vivado HLS and Vitis HLS, 2017 to 2025, into typed data.

Layouts: classic `solutionN/syn/report/csynth.xml`, and unified `<component>/hls/hls_data.json`, whose `Files.CsynthXml`
names the report. Loops stand at the top level up to 2020.2 and inside `ModuleInformation/Module` from 2022 on; the
element names are the loops' labels. What a release leaves out, or writes as `undef`, `-`, `?` or `~0`, is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ReportError
from ..files import parse_json, read_bytes

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 60
Element = Any  # xml.etree.ElementTree.Element, parsed by defusedxml
_LOOP_FIELDS = ("TripCount", "Latency", "IterationLatency", "PipelineII", "PipelineDepth")


@dataclass(frozen=True, slots=True)
class ReportedLoop:
    """One loop of a report. trip_count, latency: (least, most) where the report has a range, both None if unknown."""

    name: str
    trip_count: tuple[int | None, int | None]
    latency_cycles: tuple[int | None, int | None]
    iteration_latency_cycles: int | None
    ii: int | None
    pipelined: bool
    source: str = ""
    loops: tuple[ReportedLoop, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources:
    """Absolute counts; None where the report does not say."""

    lut: int | None
    dsp: int | None
    ff: int | None
    bram_18k: int | None
    uram: int | None


@dataclass(frozen=True, slots=True)
class ReportedModule:
    """One function of the design as it was built."""

    name: str
    resources: Resources
    latency_cycles: tuple[int | None, int | None]
    loops: tuple[ReportedLoop, ...]


@dataclass(frozen=True, slots=True)
class ReportedPragma:
    """One line of the pragma report (from 2022.1): status is valid, warning, ...; messages are the tool's."""

    kind: str
    source: str
    status: str
    function: str
    variable: str
    options: str
    from_directive: bool
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsynthReport:
    """One synthesis report. latency_cycles: (best, worst) case; interval_cycles: (min, max)."""

    path: str
    tool_version: str
    top: str
    part: str
    clock_period_ns: float | None
    clock_uncertainty_ns: float | None
    clock_estimated_ns: float | None
    resources: Resources
    available: Resources
    latency_cycles: tuple[int | None, int | None]
    interval_cycles: tuple[int | None, int | None]
    loops: tuple[ReportedLoop, ...]
    modules: tuple[ReportedModule, ...]
    pragmas: tuple[ReportedPragma, ...]

    def all_loops(self) -> Iterator[tuple[str, ReportedLoop]]:
        """(function, loop) for every loop, outer before inner, each once."""
        seen: set[tuple[str, ReportedLoop]] = set()
        pending = [(m.name, loop) for m in reversed(self.modules) for loop in reversed(m.loops)]
        pending += [(self.top, loop) for loop in reversed(self.loops)]
        while pending:
            item = pending.pop()
            if item in seen:  # some releases list the top's loops at the top level and in its module
                continue
            seen.add(item)
            yield item
            pending += [(item[0], inner) for inner in reversed(item[1].loops)]


def find_report(place: str | Path) -> Path:
    """The `csynth.xml` of a report file, an `hls_data.json`, a component, a project or a solution folder.

    Raises ReportError when there is none, naming where it looked.
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


def _from_data(data: Path) -> Path:
    try:
        content = parse_json(read_bytes(data, max_bytes=MAX_BYTES))
        name = content["Files"]["CsynthXml"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"names no report (Files.CsynthXml): {error}", path=data) from error
    report = data.parent / str(name)
    if not report.is_file():
        raise ReportError(f"names {name}, which is not there; run C synthesis again", path=data)
    return report


def read_csynth(place: str | Path) -> CsynthReport:
    """Read the report at `place` (see `find_report`).

    Raises ReportError for a missing, oversize or broken file, and for XML that is no synthesis report.
    """
    path = find_report(place)
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
        _decimal(_text(user, "TargetClockPeriod")),
        _decimal(_text(user, "ClockUncertainty")),
        _decimal(_text(root, timing)),
        _resources(root.find("AreaEstimates/Resources")),
        _resources(root.find("AreaEstimates/AvailableResources")),
        (_number(summary, "Best-caseLatency"), _number(summary, "Worst-caseLatency")),
        (_number(summary, "Interval-min"), _number(summary, "Interval-max")),
        _loops(root.find("PerformanceEstimates")),
        modules,
        tuple(_pragma(item) for item in root.findall("PragmaReport/Pragma")),
    )


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


def _whole(text: str) -> int | None:
    try:
        value = int(text)
    except ValueError:
        return None
    return value if value >= 0 else None


def _decimal(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _number(parent: Element | None, name: str) -> int | None:
    return _whole(_text(parent, name))


def _span(parent: Element | None, name: str) -> tuple[int | None, int | None]:
    """A number, `a ~ b`, or `<range><min/><max/></range>`."""
    element = parent.find(name) if parent is not None else None
    if element is None:
        return None, None
    inner = element.find("range")
    inner = inner if inner is not None else element
    if inner.find("min") is not None or inner.find("max") is not None:
        return _number(inner, "min"), _number(inner, "max")
    low, tilde, high = (element.text or "").partition("~")
    if tilde and not low.strip():  # `~0`: all ones, the tool's own mark for "unknown"
        return None, None
    first = _whole(low.strip())
    return first, _whole(high.strip()) if tilde else first


def _resources(element: Element | None) -> Resources:
    def first(*names: str) -> int | None:
        return next((v for v in (_number(element, name) for name in names) if v is not None), None)

    return Resources(
        first("LUT"), first("DSP", "DSP48E", "DSP48"), first("FF"), first("BRAM_18K", "BRAM"), first("URAM")
    )  # fmt: skip


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
