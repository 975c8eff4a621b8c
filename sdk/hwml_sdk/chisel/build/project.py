"""What belongs to a file: its Chisel version, and the files that it is compiled with.

Build files are read for a version number and for nothing else; a line `//> using` is never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config import DEFAULT_CHISEL_VERSION, Settings
from ...files import read_bytes
from ..install.toolchain import installed, locked_versions, version_key

BUILD_FILES = ("build.sbt", "build.mill", "build.sc", "project.scala")
_MAX_BUILD_BYTES = 1 << 20
_DEEP = {"scala", "src"}
_SOURCE_ROOTS = (("src", "main", "scala"), ("src", "test", "scala"), ("src",))
_VERSION = r"(?P<version>\d+\.\d+\.\d+(?:[-.][\w.]+)?)"
_PLACES = (
    re.compile(rf'"org\.chipsalliance"\s*%%?%?\s*"chisel(?:-plugin)?"\s*%\s*"{_VERSION}"'),
    re.compile(rf'"edu\.berkeley\.cs"\s*%%?%?\s*"chisel3?(?:-plugin)?"\s*%\s*"{_VERSION}"'),
    re.compile(rf"//>\s*using\s+(?:dep|lib|plugin)s?\s+[\"']?org\.chipsalliance::+chisel(?:-plugin)?:{_VERSION}"),
    re.compile(rf"org\.chipsalliance::+chisel(?:-plugin)?:{_VERSION}"),
    re.compile(rf'\bchisel3?(?:_?[vV]ersion)?\s*(?::\s*String\s*)?=\s*"{_VERSION}"'),
)
# Libraries that are made for one Chisel, by their own versions; a build may name these alone.
_COMPANION = re.compile(
    r'"edu\.berkeley\.cs"\s*%%?\s*"(?P<library>chiseltest|chisel-iotesters)"\s*%\s*"(?P<series>\d+\.\d+)\.\d'
    r"|edu\.berkeley\.cs::+(?P<mill>chiseltest|chisel-iotesters):(?P<of_mill>\d+\.\d+)\.\d"
)
_MADE_FOR = {
    "chiseltest": {"0.1": "3.2", "0.2": "3.3", "0.3": "3.4", "0.4": "3.4", "0.5": "3.5", "0.6": "3.6", "5.0": "5.0"},
    "chisel-iotesters": {"1.3": "3.2", "1.4": "3.3", "1.5": "3.4", "2.5": "3.5"},
}


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """The Chisel version to check with, who asked for which, and what the reader should know about it."""

    version: str
    asked: str = ""
    origin: str = "default"
    note: str = ""


def choose_version(path: Path, text: str, settings: Settings) -> VersionChoice:
    """Settings first, then the file itself and its build files, then the default.

    A version without a pinned tool chain is taken where it was resolved before and the workspace is trusted; otherwise
    the nearest pinned one answers, and a note says so.
    """
    asked, origin = settings.chisel.version, settings.origin("chisel.version")
    if not asked:
        asked, origin = asked_version(path, text)
    if not asked:
        return VersionChoice(DEFAULT_CHISEL_VERSION)
    known = locked_versions()
    if asked in known or (settings.trusted and installed(asked) is not None):
        return VersionChoice(asked, asked, origin)
    nearest = _nearest(asked, known)
    note = f"{origin} asks for Chisel {asked}; checked with {nearest}, the nearest pinned tool chain"
    if settings.trusted:
        note += f" (hwml chisel setup --trust --version {asked} resolves {asked} itself)"
    return VersionChoice(nearest, asked, origin, note)


def _nearest(asked: str, known: tuple[str, ...]) -> str:
    """The lowest pinned version that is not older, else the newest."""
    newer = [version for version in known if version_key(version) >= version_key(asked)]
    return min(newer, key=version_key) if newer else max(known, key=version_key)


def asked_version(path: Path, text: str) -> tuple[str, str]:
    """Version and origin that a file or the build files above it name; ("", "") when nothing does."""
    version = version_in(text)
    if version:
        return version, path.name
    for build in build_files(path):
        version = version_in(_read_small(build))
        if version:
            return version, build.name
    return "", ""


def version_in(text: str) -> str:
    """The Chisel version that a build file names, or ""."""
    for place in _PLACES:
        match = place.search(text)
        if match:
            return match["version"]
    for match in _COMPANION.finditer(text):
        library, series = match["library"] or match["mill"], match["series"] or match["of_mill"]
        if series in _MADE_FOR[library]:
            return f"{_MADE_FOR[library][series]}.0"
    return ""


def build_files(path: Path) -> Iterator[Path]:
    """Build files beside a file or above it, nearest first, up to the repository's root."""
    for folder in _upwards(path):
        for name in BUILD_FILES:
            if (folder / name).is_file() and (folder / name) != path:
                yield folder / name


def _upwards(path: Path) -> Iterator[Path]:
    place = path.absolute()
    for folder in place.parents:
        yield folder
        if (folder / ".git").exists():
            return


def _read_small(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BUILD_BYTES:
            return ""
        return read_bytes(path, max_bytes=_MAX_BUILD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def source_root(path: Path) -> Path:
    """The folder whose files are compiled together: `src/main/scala` and the like, else the file's own folder."""
    parts = path.absolute().parts
    for root in _SOURCE_ROOTS:
        for start in range(len(parts) - len(root) - 1, -1, -1):
            if parts[start : start + len(root)] == root:
                return Path(*parts[: start + len(root)])
    return path.absolute().parent


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where the files are that a document may be compiled with.

    roots: folders and files, the nearest first; deep: with what lies below; homes: folders whose files share the
    package without a name, none where a build says what belongs together; tests: whether the document is a test itself.
    """

    roots: tuple[Path, ...]
    deep: bool = True
    homes: tuple[Path, ...] = ()
    tests: bool = False

    def holds(self, other: Path) -> bool:
        """Whether a file may take part: what is shipped does not need tests, and a build says what it needs."""
        return not self.homes or self.tests or not _is_test(other)


def neighbourhood(path: Path, sources: Sequence[Path] = ()) -> Neighbourhood:
    """sources: what a build says is compiled together; else the project's source folders, or the file's own folder."""
    if sources:
        return Neighbourhood(tuple(sources))
    own = source_root(path)
    if own.name not in _DEEP:
        return Neighbourhood((own,), deep=False)
    homes = [own]
    if own.parts[-3:] == ("src", "test", "scala"):
        homes.append(own.parents[1] / "main" / "scala")
    elif own.parts[-2:] == ("test", "src"):
        homes.append(own.parents[1] / "src")
    whole = project_folder(path)
    roots = (*homes, whole) if whole is not None else tuple(homes)
    return Neighbourhood(roots, homes=tuple(homes), tests=_is_test(path))


def project_folder(path: Path) -> Path | None:
    """The nearest folder above a file with a build file or a repository in it; None when there is none."""
    for folder in _upwards(path):
        if (folder / ".git").exists() or any((folder / name).is_file() for name in BUILD_FILES):
            return folder
    return None


def _is_test(path: Path) -> bool:
    return "test" in path.absolute().parts[:-1]


def scala_files(root: Path) -> Iterator[Path]:
    """Scala files of a source root; of a plain folder those directly in it."""
    if root.suffix == ".scala":
        yield root
    elif root.name in {"scala", "src"}:
        yield from sorted(root.rglob("*.scala"))
    else:  # a plain folder: its own files, not what lies below it
        yield from sorted(root.glob("*.scala"))
