"""What a project file says outside the source, and the place where it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import ConfigError, SourceError
from ...files import read_source
from ...text import Span
from ..tool.memories import KERNEL_BUS_LATENCY

MAX_PROJECT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Directive:
    """One `set_directive_*` or `syn.directive.*`: kind in capitals, where it applies, and its options (lower case)."""

    kind: str
    function: str
    label: str
    options: Mapping[str, str]
    text: str
    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was not understood, and why; nothing is lost in silence."""

    text: str
    path: str
    line: int
    reason: str


@dataclass(slots=True)
class HlsProject:
    """What one project file says. Paths are absolute or relative to the working directory, as found from the file.

    config: settings such as {"compile.pipeline_loops": "64"}, named as in `hls_config.cfg` without `syn.`.
    clock_period_ns: None when the file does not say it. skipped: lines that were not understood.
    benches: what the file calls a test bench. name: of this design, where a file states several. for_host: it says how
    sources are compiled to run on the host, and of no design.
    read_from: other files that some of it comes from, and folders whose files a pattern names.
    """

    path: Path
    top: str = ""
    part: str = ""
    clock_period_ns: float | None = None
    name: str = ""
    files: list[Path] = field(default_factory=list)
    benches: list[Path] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    include_dirs: list[Path] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    directives: list[Directive] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    read_from: list[Path] = field(default_factory=list)
    for_host: bool = False

    def settings(self) -> dict[str, Any]:
        """The values of `config.HlsSettings` this file states."""
        stated: dict[str, Any] = {"part": self.part, "clock_period_ns": self.clock_period_ns, "top": self.top}
        return {key: value for key, value in stated.items() if value}

    @property
    def pipeline_loops(self) -> int | None:
        """Trip count from which loops are pipelined without a pragma (0: never); None when not stated."""
        value = self.config.get("compile.pipeline_loops", "")
        return int(value) if value.isdigit() else None

    @property
    def bus_latency(self) -> int | None:
        """Cycles that m_axi ports are expected to take (UG1399, config_interface -m_axi_latency); None: not stated."""
        value = self.config.get("interface.m_axi_latency", "")
        flows = {"vitis": KERNEL_BUS_LATENCY, "vivado": 0}
        return int(value) if value.isdigit() else flows.get(self.config.get("flow_target", "").lower())

    @property
    def unsafe_math(self) -> bool:
        """Whether floating-point operations may be reordered."""
        return is_true(self.config.get("compile.unsafe_math_optimizations"))


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a project file; line 0 for what is no file."""

    path: str
    line: int
    raw: str

    @property
    def span(self) -> Span:
        """The line without the blanks around it."""
        lead = len(self.raw) - len(self.raw.lstrip())
        return Span(self.line - 1, lead, self.line - 1, len(self.raw.rstrip()))

    def error(self, message: str) -> ConfigError:
        """The error to raise about this line."""
        return ConfigError(message, path=self.path, line=self.line or None)


def skip(project: HlsProject, place: Place, reason: str) -> None:
    """Note a line that was not understood."""
    project.skipped.append(Skipped(place.raw.strip(), place.path, place.line, reason))


def read_text(path: str | Path) -> str:
    """Text of a project file. Raises ConfigError for one that cannot be read or is too long."""
    try:
        return read_source(path, max_bytes=MAX_PROJECT_BYTES)
    except SourceError as error:
        raise ConfigError(str(error)) from error


def is_true(value: str | None) -> bool:
    """Whether an option is on; one without a value is."""
    return value is not None and value.strip().lower() in ("", "1", "true", "yes", "on")
