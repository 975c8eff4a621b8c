"""Read the data files that the tool writes: `hls_data.json` (unified layout), `solutionN_data.json` (classic layout).

They name what csynth.xml does not: the sources, the tool and its release (csynth.xml of 2024.1 has an empty version);
and they hold area, latency and loops of every module once more, for where the XML files were not kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ReportError
from ...files import parse_json, read_bytes
from .types import CsynthReport, ReportedLoop, ReportedModule, Resources

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 60
MAX_NAMED = 1000


@dataclass(frozen=True, slots=True)
class HlsData:
    """One data file. report: the csynth.xml it names ("" where it names none); sources: as it names them."""

    path: str
    top: str
    part: str
    clock_period_ns: float | None
    clock_uncertainty_ns: float | None
    tool: str
    tool_version: str
    report: str
    sources: tuple[str, ...]
    modules: tuple[ReportedModule, ...]

    def as_report(self) -> CsynthReport | None:
        """What it says as a report by itself; None where it has no figures of its top."""
        own = next((module for module in self.modules if module.name == self.top), None)
        if own is None:
            return None
        nothing = Resources(None, None, None, None, None)
        return CsynthReport(
            self.path, self.tool_version, self.top, self.part, self.clock_period_ns, self.clock_uncertainty_ns, None,
            own.resources, nothing, own.latency_cycles, (None, None), own.loops, self.modules, (), self.tool,
            self.sources,
        )  # fmt: skip


def read_data(path: Path) -> HlsData:
    """Read one data file. Raises ReportError for what is no such file, or over 64 MiB."""
    try:
        content = parse_json(read_bytes(path, max_bytes=MAX_BYTES))
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise ReportError(f"cannot read: {said}; run C synthesis again", path=path) from error
    if not isinstance(content, dict):
        raise ReportError("is no data of an HLS run: Top, Files, CsynthXml, ... were expected", path=path)
    target, clock = _table(content, "Target"), _table(content, "ClockInfo")
    made, files = _table(content, "GenData"), _table(content, "Files")
    metrics = _table(_table(content, "ModuleInfo"), "Metrics")
    sources = files.get("CSource")
    return HlsData(
        str(path),
        _word(content, "Top"),
        "".join(_word(target, name) for name in ("Device", "Package", "Speed")),
        decimal(_word(clock, "ClockPeriod")),
        decimal(_word(clock, "Uncertainty")),
        _word(made, "ToolName"),
        _word(made, "ToolVersion"),
        _word(files, "CsynthXml"),
        tuple(os.path.normpath(path.parent / name) for name in _words(sources)),
        tuple(_module(name, item) for name, item in list(metrics.items())[:MAX_NAMED] if isinstance(item, Mapping)),
    )


def whole(text: str) -> int | None:
    """A count; None for `undef`, `-`, `~0`, an empty text."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if value >= 0 else None


def decimal(text: str) -> float | None:
    """A time of 0 or more; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def resources(said: Mapping[str, str]) -> Resources:
    """Counts under the names of every release (DSP48E up to Vivado HLS, DSP since Vitis HLS)."""

    def first(*names: str) -> int | None:
        return next((v for v in (whole(said.get(name, "")) for name in names) if v is not None), None)

    return Resources(
        first("LUT"), first("DSP", "DSP48E", "DSP48"), first("FF"), first("BRAM_18K", "BRAM"), first("URAM")
    )  # fmt: skip


def span_of(text: str) -> tuple[int | None, int | None]:
    """(least, most) of `12`, `3 ~ 12`; (None, None) of `~0`, all ones: the tool's own mark for "unknown"."""
    low, tilde, high = text.partition("~")
    if tilde and not low.strip():
        return None, None
    first = whole(low.strip())
    return first, whole(high.strip()) if tilde else first


def _module(name: str, said: Mapping[str, Any]) -> ReportedModule:
    latency, area = _table(said, "Latency"), _table(said, "Area")
    return ReportedModule(
        name,
        resources({key: str(value).strip() for key, value in area.items()}),
        (whole(_word(latency, "LatencyBest")), whole(_word(latency, "LatencyWorst"))),
        _loops(said.get("Loops"), 0),
    )


def _loops(said: Any, depth: int) -> tuple[ReportedLoop, ...]:
    if not isinstance(said, list) or depth > MAX_DEPTH:
        return ()
    return tuple(_loop(item, depth) for item in said[:MAX_NAMED] if isinstance(item, Mapping))


def _loop(said: Mapping[str, Any], depth: int) -> ReportedLoop:
    ii = whole(_word(said, "PipelineII"))
    iteration = whole(_word(said, "IterationLatency"))
    return ReportedLoop(
        _word(said, "Name"),
        _range(said, "TripCount"),
        _range(said, "Latency"),
        iteration if iteration is not None else whole(_word(said, "PipelineDepth")),
        ii,
        ii is not None,
        "",
        _loops(said.get("Loops"), depth + 1),
    )


def _range(said: Mapping[str, Any], name: str) -> tuple[int | None, int | None]:
    least, most = _word(said, f"{name}Min"), _word(said, f"{name}Max")
    return (whole(least), whole(most)) if least or most else span_of(_word(said, name))


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, Mapping) else {}


def _word(said: Mapping[str, Any], name: str) -> str:
    found = said.get(name)
    return str(found).strip() if isinstance(found, str | int | float) else ""


def _words(said: Any) -> list[str]:
    if isinstance(said, str):
        return said.split()[:MAX_NAMED]
    return [str(word) for word in said[:MAX_NAMED] if isinstance(word, str)] if isinstance(said, list) else []
