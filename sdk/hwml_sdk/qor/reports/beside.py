"""Find the report of a source: in its folder, in its project, and that of another design never."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ReportError, SourceError
from ...files import read_source, real_path
from ...languages import HLS
from ...reach import may_read
from ..project.places import MAX_ABOVE, project_root

if TYPE_CHECKING:
    from .types import CsynthReport

MAX_FOLDERS = 300  # looked into for one source
MAX_DEPTH = 5  # `_x/f/f/f/solution` of v++ is the deepest place that a tool writes to
MAX_REPORTS = 64
MAX_BYTES = 32 << 20  # of all reports read for one source; those of real tools have some hundred kB
REMEMBER_S = 5  # an editor asks at every key; a synthesis takes minutes
REPORT = Path("syn", "report", "csynth.xml")
DATA = "hls_data.json"
# What the tool writes beside its reports, and what holds none.
_CLOSED = frozenset(("syn", "impl", "verilog", "vhdl", "csim", "cosim", "sim", "node_modules", "__pycache__", "build"))


def folders_below(top: Path, *, max_folders: int, max_depth: int) -> Iterator[Path]:
    """`top` and the folders in it that may hold solutions, the nearer first; links are not followed, nothing hidden."""
    level = [top]
    seen = 0
    for depth in range(max_depth + 1):
        following: list[Path] = []
        for folder in level:
            seen += 1
            if seen > max_folders:
                return
            yield folder
            if depth < max_depth:
                following += _inside(folder)
        level = following


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if name not in _CLOSED]


def report_in(folder: Path) -> Path | None:
    """The report that a solution folder (or the `hls` of a component) itself holds."""
    place = folder / REPORT
    if place.is_file() and not place.is_symlink():
        return place
    data = folder / DATA
    return data if data.is_file() and not data.is_symlink() else None


def _near(path: Path) -> list[Path]:
    """Reports around a source, those in its own folder first."""
    folder = path.absolute().parent
    root = project_root(folder)
    starts = [folder]
    while starts[-1] != root and len(starts) <= MAX_ABOVE and root in starts[-1].parents:
        starts.append(starts[-1].parent)
    found: dict[Path, None] = {}
    for start in starts:
        for place in folders_below(start, max_folders=MAX_FOLDERS, max_depth=MAX_DEPTH):
            report = report_in(place)
            if report is not None:
                found[report] = None
            if len(found) >= MAX_REPORTS:
                return list(found)
    return list(found)


@lru_cache(maxsize=64)
def _remembered(path: Path, _now: int) -> tuple[Path, ...]:
    return tuple(_near(path))


@lru_cache(maxsize=128)
def _read(path: Path, _changed: int, _size: int) -> CsynthReport | None:
    from .csynth import read_csynth  # most sources have no report

    try:
        return read_csynth(path)
    except ReportError:
        return None


def read_cached(path: Path) -> CsynthReport | None:
    """The report at `path`, read again when it changes; None for one that cannot be read."""
    try:
        state = path.stat()
    except OSError:
        return None
    return _read(path, state.st_mtime_ns, state.st_size)


def reports_seen(path: Path) -> tuple[tuple[Path, int, int], ...]:
    """Reports around a source as they stand now (or some seconds ago): where, when changed, how large."""
    places = _remembered(path, int(time.monotonic() / REMEMBER_S))
    states = ((place, place.stat()) for place in places if place.is_file())
    return tuple((place, state.st_mtime_ns, state.st_size) for place, state in states)


def reports_of(path: Path, top: str, *, project: Path | None = None, remember: bool = False) -> list[CsynthReport]:
    """Reports of the design whose top `top` stands in the source at `path`, the newest first.

    project: the file that states the design. A report counts that names this source; one that names no sources counts
    where it lies below the source's folder or the project's. remember: what was found some seconds ago will do.
    """
    places = _remembered(path, int(time.monotonic() / REMEMBER_S)) if remember else _near(path)
    homes = [path.absolute().parent, *([project.absolute().parent] if project is not None else [])]
    found = []
    left = MAX_BYTES
    for place in places:
        left -= _size(place)
        report = read_cached(place) if may_read(place) and left >= 0 else None
        if report is not None and report.top == top.rpartition("::")[2] and _is_of(report, place, path, homes):
            found.append((_made(place), report))
    return [report for _, report in sorted(found, key=lambda item: -item[0])]


def _is_of(report: CsynthReport, place: Path, source: Path, homes: list[Path]) -> bool:
    there = [name for name in map(Path, report.sources) if name.is_file()]
    if there:
        real = real_path(source)
        return any(real_path(name) == real for name in there)
    names = names_of(report)
    return _below(place, homes) and (not names or source.name in names)


def _below(place: Path, homes: list[Path]) -> bool:
    return any(home in place.absolute().parents for home in homes)


def names_of(report: CsynthReport) -> set[str]:
    """Names of the C and C++ files of a report: those that the tool's data names, else those its pragmas stand in."""
    lines = (pragma.source.rpartition(":")[0] for pragma in report.pragmas if not pragma.from_directive)
    names = report.sources or tuple(name for name in lines if name.lower().endswith(HLS.sources))
    return {Path(name).name for name in names}


def _made(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    try:
        return place.stat().st_size
    except OSError:
        return 0


def is_stale(report: CsynthReport, path: Path, text: str | None = None) -> bool:
    """Whether a report is older than its source on the disk, or the text is another than that."""
    try:
        older = Path(report.path).stat().st_mtime < path.stat().st_mtime
        if older or text is None:
            return older
        return read_source(path) != text
    except (OSError, SourceError):
        return True
