"""What belongs to a file: its Chisel version, and the files that it is compiled with.

Build files are read for a version number and for nothing else; a line `//> using` is never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...config import DEFAULT_CHISEL_VERSION, Settings
from ...files import MAX_SOURCE_BYTES, read_bytes
from ..install.toolchain import installed, locked_versions, version_key

BUILD_FILES = ("build.sbt", "build.mill", "build.sc", "project.scala")
_MAX_BUILD_BYTES = 1 << 20
_MAX_SOURCES = 2000
_SOURCE_ROOTS = (("src", "main", "scala"), ("src", "test", "scala"), ("src",))
_VERSION = r"(?P<version>\d+\.\d+\.\d+(?:[-.][\w.]+)?)"
_PLACES = (
    re.compile(rf'"org\.chipsalliance"\s*%%?%?\s*"chisel(?:-plugin)?"\s*%\s*"{_VERSION}"'),
    re.compile(rf'"edu\.berkeley\.cs"\s*%%?%?\s*"chisel3?(?:-plugin)?"\s*%\s*"{_VERSION}"'),
    re.compile(rf"//>\s*using\s+(?:dep|lib|plugin)s?\s+[\"']?org\.chipsalliance::+chisel(?:-plugin)?:{_VERSION}"),
    re.compile(rf"org\.chipsalliance::+chisel(?:-plugin)?:{_VERSION}"),
    re.compile(rf'\bchiselVersion\s*(?::\s*String\s*)?=\s*"{_VERSION}"'),
)


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


_DEFINITION = re.compile(r"^[ \t]*(?:[\w@\[\]()]+[ \t]+)*?(?:class|object|trait)[ \t]+(?P<name>\w+)", re.MULTILINE)
_NESTED = re.compile(r"^[ \t]+")


@lru_cache(maxsize=4096)
def _definitions(path: Path, mtime_ns: int, size: int) -> frozenset[str]:
    """Names of classes, objects and traits that a file defines outermost (or nearly so: an outline is enough)."""
    if size > MAX_SOURCE_BYTES:
        return frozenset()
    text = _read_small(path)
    names = {m["name"] for m in _DEFINITION.finditer(text) if not _NESTED.match(m.group(0))}
    return frozenset(names or {m["name"] for m in _DEFINITION.finditer(text)})


def siblings_defining(path: Path, names: frozenset[str], roots: Sequence[Path] = ()) -> list[Path]:
    """Other files under the same source root (or `roots`) that define one of `names`; nearest first."""
    here = path.absolute()
    found = []
    for count, other in enumerate(file for root in roots or [source_root(path)] for file in scala_files(root)):
        if count >= _MAX_SOURCES:
            break
        if other == here:
            continue
        try:
            state = other.stat()
        except OSError:
            continue
        if names & _definitions(other, state.st_mtime_ns, state.st_size):
            found.append(other)
    return sorted(found, key=lambda other: (other.parent != here.parent, str(other)))


def scala_files(root: Path) -> Iterator[Path]:
    """Scala files of a source root; of a plain folder those directly in it."""
    if root.suffix == ".scala":
        yield root
    elif root.name in {"scala", "src"}:
        yield from sorted(root.rglob("*.scala"))
    else:  # a plain folder: its own files, not what lies below it
        yield from sorted(root.glob("*.scala"))
