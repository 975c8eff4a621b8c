"""Headers that no folder on the include path holds, found in the project's own folders."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ...errors import SourceError
from ...files import read_source
from ...languages import HLS
from ...reach import may_read
from ..tool.headers import is_modelled
from .places import Places

MAX_FOLDERS = 2000
MAX_ENTRIES = 50_000
MAX_READ = 200
KEPT_S = 10.0  # an index of a project's headers is looked at again after so long

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?:\"([^\"\n]+)\"|<([^>\n]+)>)", re.MULTILINE)
_SKIPPED_FOLDERS = {"node_modules", "__pycache__", "build", "_x"}


@dataclass(frozen=True, slots=True)
class Reached:
    """The project's headers that a source includes, and the folders of those that no include folder has."""

    folders: list[Path]
    headers: list[Path]


def reached_headers(path: Path, text: str, include_dirs: Sequence[Path], files: Mapping[str, str]) -> Reached:
    """Headers that `text`, `files` and their headers include.

    Where no include folder has one, the nearest to the source is taken: that which shares most of its folders with it.
    """
    places = Places.of(path)
    folders: dict[Path, None] = {}
    seen: dict[Path, None] = {}
    pending = [(path.absolute(), text), *((Path(name).absolute(), content) for name, content in files.items())]
    while pending and len(seen) < MAX_READ:
        source, content = pending.pop()
        for match in _INCLUDE.finditer(content):
            name = match.group(1) or match.group(2)
            local = match.group(1) is not None
            found = _given(name, source if local else None, (*include_dirs, *folders))
            if found is None and not is_modelled(name):
                folder = _nearest(name, source, places)
                found = None if folder is None else folder / name
                folders.update({} if folder is None else {folder: None})
            if found is not None and found not in seen and places.may_read(found):
                seen[found] = None
                pending += [(found, known)] if (known := _text(found)) is not None else []
    return Reached(list(folders), list(seen))


def _given(name: str, source: Path | None, include_dirs: Sequence[Path]) -> Path | None:
    folders = [*([source.parent] if source is not None else []), *include_dirs]
    return next((p for p in (folder / name for folder in folders) if may_read(p, named=True) and p.is_file()), None)


def _nearest(name: str, source: Path, places: Places) -> Path | None:
    """The folder from which `name` leads to the nearest header of that name."""
    wanted = PurePosixPath(name.replace("\\", "/"))
    if wanted.is_absolute() or ".." in wanted.parts:
        return None
    index = _index(places.root, int(time.monotonic() / KEPT_S))
    matching = [p for p in index.get(wanted.name, ()) if p.parts[-len(wanted.parts) :] == wanted.parts]
    if not matching:
        return None
    best = min(matching, key=lambda place: (-_shared(place, source), len(place.parts), str(place)))
    return best.parents[len(wanted.parts) - 1]


def _shared(a: Path, b: Path) -> int:
    return len(os.path.commonpath((a, b)))


@lru_cache(maxsize=8)
def _index(root: Path, _moment: int) -> dict[str, tuple[Path, ...]]:
    """The headers below a folder by their file names. _moment: makes an index grow old."""
    found: dict[str, list[Path]] = {}
    for path in headers_below(root):
        found.setdefault(path.name, []).append(path)
    return {name: tuple(paths) for name, paths in found.items()}


def headers_below(root: Path) -> Iterator[Path]:
    """Headers below a folder, as far as MAX_FOLDERS and MAX_ENTRIES reach; links to folders are not followed."""
    entries = 0
    for number, (folder, folders, names) in enumerate(os.walk(root)):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _SKIPPED_FOLDERS)
        entries += len(names) + len(folders)
        if number >= MAX_FOLDERS or entries > MAX_ENTRIES:
            return
        for name in names:
            if name.lower().endswith(HLS.headers):
                yield Path(folder, name)


def _text(path: Path) -> str | None:
    try:
        return read_source(path)
    except SourceError:
        return None
