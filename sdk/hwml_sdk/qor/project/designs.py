"""The designs of a folder: every kernel that its project files state, and the sources that none of them names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import ConfigError, SourceError
from ...files import read_head, read_source, real_path
from ...languages import HLS
from .benches import looks_like_bench, looks_like_hardware
from .project import ORDER, kind_of, read_designs, stating
from .types import HlsProject

MAX_FOLDERS = 20_000
MAX_FILES = 20_000


@dataclass(frozen=True, slots=True)
class StatedDesign:
    """A design by the source that holds its top. project: what states it; None for a source by itself."""

    path: Path
    project: HlsProject | None = None


def designs_below(folder: Path) -> tuple[list[StatedDesign], list[str]]:
    """The designs of a folder, and notes on what could not be read.

    Designs that say the same of the same source count once: as a configuration says it, else a script, else a Makefile.
    Of other sources those count that show a sign of hardware (where no project file speaks: all but test benches).
    """
    found: list[StatedDesign] = []
    named: set[Path] = set()
    seen: set[tuple[object, ...]] = set()
    files, sources, notes = _files_below(folder)
    for path in sorted(files, key=lambda path: ORDER.index(kind_of(path))):
        try:
            projects = read_designs(path)
        except ConfigError as error:
            notes.append(str(error))
            continue
        for project in projects:
            named.update(map(real_path, (*project.files, *project.benches)))
            design = design_of(project)
            if design is None:
                notes.append(f"{path}: none of its sources is there")
            elif (same := mark_of(design)) not in seen:
                seen.add(same)
                found.append(design)
    others = [path for path in sources if real_path(path) not in named]
    return found + [StatedDesign(path) for path in _own(others, bool(found))], notes


def design_of(project: HlsProject) -> StatedDesign | None:
    """The design a project states, by the source that defines its top; None when no source of it is there."""
    sources = [path for path in project.files if path.suffix.lower() in HLS.sources and path.is_file()]
    if not sources:
        return None
    return StatedDesign(next((path for path in sources if _defines(path, project.top)), sources[0]), project)


def _defines(path: Path, top: str) -> bool:
    if not top:
        return False
    try:
        text = read_source(path)
    except SourceError:
        return False
    name = re.escape(top.rpartition("::")[2])
    return re.search(rf"\b{name}\s*\([^;{{}}]*\)\s*(?:noexcept\s*)?\{{", text) is not None


def mark_of(design: StatedDesign) -> tuple[object, ...]:
    """What makes two statements of one design the same."""
    project = design.project
    if project is None:
        return (real_path(design.path),)
    said = tuple((d.kind, d.function, d.label, *sorted(d.options.items())) for d in project.directives)
    return (
        real_path(design.path), project.top, project.part, project.clock_period_ns, said,
        tuple(sorted(project.defines.items())), frozenset(map(real_path, project.files)),
    )  # fmt: skip


def _own(paths: Iterable[Path], beside_projects: bool) -> list[Path]:
    """Sources that are designs by their text; all of them where every one looks like a test bench."""
    paths = list(paths)
    texts = {path: _text(path) for path in paths}
    if beside_projects:
        return [path for path in paths if looks_like_hardware(texts[path]) and not looks_like_bench(texts[path])]
    return [path for path in paths if not looks_like_bench(texts[path])] or paths


def _text(path: Path) -> str:
    try:
        return read_head(path, 1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _files_below(folder: Path) -> tuple[list[Path], list[Path], list[str]]:
    """Files that state designs and sources below a folder, in order; links to folders are not followed.

    The last: a note where a folder holds more than is looked through.
    """
    files: list[Path] = []
    sources: list[Path] = []
    for number, (place, folders, names) in enumerate(os.walk(folder)):
        if number >= MAX_FOLDERS or len(sources) > MAX_FILES:
            return files, sources, [f"{folder} holds too much: {place} and what comes after it is not looked into"]
        folders[:] = sorted(name for name in folders if name[0] != ".")
        paths = [Path(place, name) for name in sorted(names)]
        files += [path for path in paths if stating(path) is not None]
        sources += [path for path in paths if path.name.lower().endswith(HLS.sources) and path.name[0] != "."]
    return files, sources, []
