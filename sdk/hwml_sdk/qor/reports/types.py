"""What a synthesis report says: plain frozen data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


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
    """One synthesis report. latency_cycles: (best, worst) case; interval_cycles: (min, max).

    loops: of the top; modules: the functions it was built from. tool: "vitis_hls" or "vivado_hls", "" where nothing
    says it. sources: the C++ files that the tool names, where they were when it ran.
    """

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
    tool: str = ""
    sources: tuple[str, ...] = ()

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
