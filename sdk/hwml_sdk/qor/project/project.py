"""Finding and reading the project file that a source belongs to: a Tcl script or an `hls_config.cfg`."""

from __future__ import annotations

from pathlib import Path

from ...config import PROJECT_FILE, find_upwards
from .cfg import read_hls_config
from .tcl import read_tcl, read_tcl_designs
from .types import Directive, HlsProject


def read_project(path: str | Path) -> HlsProject:
    """Read a project file by its suffix: `.tcl` as a script, all else as `hls_config.cfg`.

    Raises ConfigError, with file and line, for a missing file, a broken clock or broken quotes.
    """
    return read_tcl(path) if Path(path).suffix.lower() == ".tcl" else read_hls_config(path)


def read_designs(path: str | Path) -> list[HlsProject]:
    """Every design a project file states, each with settings of its own. Raises ConfigError as `read_project`."""
    return read_tcl_designs(path) if Path(path).suffix.lower() == ".tcl" else [read_hls_config(path)]


def read_directives(path: str | Path) -> tuple[Directive, ...]:
    """The directives of a Tcl file or an `hls_config.cfg`. Raises ConfigError as `read_project`."""
    return tuple(read_project(path).directives)


def find_project(folder: Path) -> Path | None:
    """The `hls_config.cfg` that governs `folder`: there, or above it within the repository."""
    return find_upwards(folder, PROJECT_FILE)
