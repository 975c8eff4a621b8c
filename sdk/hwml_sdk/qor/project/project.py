"""Finding and reading project files: `hls_config.cfg`, Tcl scripts, CMakeLists, command lines of Makefiles, scripts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from ...config import PROJECT_FILE, find_upwards, trusted_folders
from ...errors import ConfigError
from ...files import read_head, real_path
from ...languages import HLS
from ...reach import WORDS, may_read
from .cfg import read_hls_config
from .places import project_root
from .types import Directive, HlsProject

MAX_HEAD = 1 << 20
MAX_UP = 4  # folders above a source whose project files may name it
MAX_SIDE = 48  # folders beside one of those that are looked into
MAX_KNOWN = 64  # project files whose designs are kept

# What a file says that states a design, by its kind; all others are not read any further.
_SIGNS = {
    "tcl": re.compile(rb"\b(?:set_top|add_files?)\b"),
    "cfg": re.compile(rb"^\s*syn\.(?:top|file)\s*=", re.MULTILINE),
    # A Makefile may leave the command to a file that it includes.
    "make": re.compile(
        rb"v\+\+|vitis-run|sds\+\+|sdscc|\$[({](?:VPP|VXX|XOCC|SDSXX|SDSCC)[)}]|^-?include\s", re.MULTILINE
    ),
    "cmake": re.compile(rb"\badd_(?:vitis_kernel|vitis_ip|library|executable)\b", re.IGNORECASE),
}
_CMAKE = "cmakelists.txt"  # its reader, like that of each kind, is imported where there is such a file
ORDER = ("cfg", "tcl", "make", "cmake")  # kinds, the newest form of the tools first


def kind_of(path: Path) -> str:
    """`tcl`, `cfg`, `make`, `cmake`, or "" for what is no project file by its name."""
    name, suffix = path.name.lower(), path.suffix.lower()
    if suffix in (".tcl", ".cfg"):
        return suffix[1:]
    if name == _CMAKE:
        return "cmake"
    return "make" if name in ("makefile", "gnumakefile") or suffix in (".mk", ".sh") else ""


def read_project(path: str | Path) -> HlsProject:
    """Read a project file by its name: its first design, or the settings and directives it holds alone.

    Raises ConfigError, with file and line, for a missing file, a broken clock or broken quotes.
    """
    kind = kind_of(Path(path))
    if kind in ("make", "cmake"):
        found = _of_makefile(path) if kind == "make" else _of_cmake(path, builds=True)
        return next(iter(found), HlsProject(Path(path)))
    return _of_tcl(path)[0] if kind == "tcl" else read_hls_config(path)


def _of_makefile(path: str | Path) -> list[HlsProject]:
    from .makefile import read_makefile

    return read_makefile(path)


def _of_cmake(path: str | Path, *, builds: bool) -> list[HlsProject]:
    """builds: what is no kernel, too."""
    from .cmake import read_builds, read_cmake

    return read_builds(path) if builds else read_cmake(path)


def _of_tcl(path: str | Path) -> list[HlsProject]:
    from .tcl import read_tcl_designs

    return read_tcl_designs(path)


def read_designs(path: str | Path) -> list[HlsProject]:
    """Every design a project file states, each with settings of its own. Raises ConfigError as `read_project`."""
    kind = kind_of(Path(path))
    if kind in ("make", "cmake"):
        return _of_makefile(path) if kind == "make" else _of_cmake(path, builds=False)
    found = _of_tcl(path) if kind == "tcl" else [read_hls_config(path)]
    return [project for project in found if project.top or project.files]


def read_directives(path: str | Path) -> tuple[Directive, ...]:
    """The directives of a Tcl file or an `hls_config.cfg`. Raises ConfigError as `read_project`."""
    return tuple(read_project(path).directives)


def covers(project: HlsProject, path: Path) -> bool:
    """Whether the source is one of the project's, or a header that any of them may include."""
    if not project.files or path.suffix.lower() in HLS.headers:
        return True
    wanted = real_path(path)
    return any(real_path(name) == wanted for name in project.files)


def project_of(document: Path) -> HlsProject | None:
    """The project that speaks for a source: the nearest `hls_config.cfg` above it that names it (or no file at all).

    Else the nearest project file that names it, in its folder, in one above within the project, or in one beside
    those. Raises ConfigError for an `hls_config.cfg` that cannot be read; other files that cannot are passed over.
    """
    folder = document.absolute().parent
    project = _config_above(folder)
    if project is not None and covers(project, document):
        return project
    return next(projects_naming(document), None)


def projects_naming(document: Path) -> Iterator[HlsProject]:
    """Every design near a source that names it, the nearest project file first; then what compiles it for a host."""
    for_host = []
    name = os.fsencode(document.name)
    header = document.suffix.lower() in HLS.headers
    for path in _near(document.absolute().parent):
        if not _may_name(path, _mark(path), b"" if header else name):
            continue
        try:
            found = _designs_of(path)
        except (ConfigError, OSError):
            continue
        naming = [project for project in found if project.files and covers(project, document)]
        yield from (project for project in naming if not project.for_host)
        for_host += [project for project in naming if project.for_host]
    yield from for_host


def _near(folder: Path) -> Iterator[Path]:
    """Project files by their names, the nearest folders first."""
    root = project_root(folder)
    seen: set[Path] = set()
    for place in (folder, *folder.parents)[: MAX_UP + 1]:
        if place != root and root not in place.parents:
            return
        files, folders = _listed(place)
        yield from files
        for beside in folders[:MAX_SIDE]:
            if beside not in seen and beside != folder:
                yield from _listed(beside)[0]
        seen.add(place)


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """Project files and folders in a folder, in order."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:
        return [], []
    files = [folder / name for name, is_dir in found if not is_dir and kind_of(Path(name))]
    files.sort(key=lambda path: (ORDER.index(kind_of(path)), path.name != PROJECT_FILE, path.name))
    return files, [folder / name for name, is_dir in found if is_dir and name[0] != "."]


@lru_cache(maxsize=4096)
def _may_name(path: Path, _mark: tuple[int, int] | None, name: bytes) -> bool:
    """Whether a project file states a design and may name a source in words or by a variable or pattern."""
    head = stating(path)
    return head is not None and (name in head or b"glob" in head or b"$" in head)


def stating(path: Path) -> bytes | None:
    """The text of a file that states a design; None for any other."""
    kind = kind_of(path)
    try:
        head = read_head(path, MAX_HEAD) if kind else b""
    except OSError:
        return None
    return head if kind and _SIGNS[kind].search(head) else None


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells a file or folder from itself before it was changed; None for one that cannot be looked at."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read, and the state of all it was read from."""

    designs: tuple[HlsProject, ...]
    trusted: tuple[Path, ...]
    marks: Mapping[Path, tuple[int, int] | None]

    def holds(self) -> bool:
        """Whether reading it again would give the same."""
        return self.trusted == trusted_folders() and all(_mark(path) == mark for path, mark in self.marks.items())


_known: dict[Path, _Known] = {}
_known_gate = Lock()


def _designs_of(path: Path) -> tuple[HlsProject, ...]:
    """As `read_designs` (of an `hls_config.cfg` whatever it states), kept while it holds: an editor asks at every key.

    Who asks must not change what he gets.
    """
    if not may_read(path):  # what was kept may have been read when more was open
        raise ConfigError(WORDS, path=path)
    kept = _known.get(path)
    if kept is not None and kept.holds():
        return kept.designs
    marks, trusted = {path: _mark(path)}, trusted_folders()
    kind = kind_of(path)
    read = {"cfg": lambda: [read_hls_config(path)], "cmake": lambda: _of_cmake(path, builds=True)}
    designs = tuple(read.get(kind, lambda: read_designs(path))())
    marks |= {place: _mark(place) for design in designs for place in design.read_from if place not in marks}
    with _known_gate:
        while len(_known) >= MAX_KNOWN:
            del _known[next(iter(_known))]
        _known[path] = _Known(designs, trusted, marks)
    return designs


def _config_above(folder: Path) -> HlsProject | None:
    """The nearest `hls_config.cfg` in a folder or above it. Raises ConfigError for one that cannot be read."""
    config = find_upwards(folder, PROJECT_FILE)
    return None if config is None else _designs_of(config)[0]


def stated_settings(document: Path) -> tuple[Path, dict[str, Any]] | None:
    """The project file that speaks for a document (or folder), and what it states as sections of `hwml.toml`.

    A top is stated for the sources of the project alone. Raises ConfigError as `project_of`.
    """
    if document.suffix.lower() not in HLS.suffixes and not document.is_dir():
        return None
    if document.is_dir():
        project = _config_above(document)
    else:
        project = project_of(document)
        if project is None and (config := _config_above(document.absolute().parent)) is not None:
            project = replace(config, top="")
    return None if project is None else (project.path, {"hls": project.settings()})
