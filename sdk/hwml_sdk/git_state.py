"""Whether a file at HEAD may be another one than before, told by what lies in `.git` alone: git is not started.

An editor asks at every key. What HEAD names is decided by a handful of small files: HEAD, the ref it names (loose,
packed, or in a table of refs) and the configuration. Each is taken as it is (object, size, times), and git puts a new
file in the place of the old one whenever it changes one.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import HwmlError
from .files import read_head
from .git import Repository

_MAX_REF = 4096
_MAX_LINKS = 5  # from one symbolic ref to the next; git follows as many
_SYMBOLIC = "ref:"
State = tuple[object, ...]


def state_of(repository: Repository) -> State | None:
    """What has to be as it was for HEAD to name the same commit; None where HEAD cannot be read."""
    folders = tuple(dict.fromkeys((repository.folder, _common(repository.folder))))
    refs, name = [], "HEAD"
    for _ in range(_MAX_LINKS):
        refs.append(tuple(_mark(folder / name) for folder in folders))
        text = next((text for folder in folders if (text := _text(folder / name))), "")
        if name == "HEAD" and not text:
            return None
        if not text.startswith(_SYMBOLIC):
            break
        name = text.removeprefix(_SYMBOLIC).strip()
        if not name.startswith("refs/") or ".." in name:
            break
    beside = ("packed-refs", "reftable/tables.list", "config", "config.worktree")
    return (*refs, *(_mark(folder / name) for folder in folders for name in beside))


def place_of(path: Path) -> State:
    """What has to be as it was for the file to lie in the same repository: its folder, and each `.git` above it."""
    folder = path.absolute().parent
    real = Path(os.path.realpath(folder))
    return (str(real), *((str(place), _kind(place / ".git")) for place in (real, *real.parents)))


def _common(folder: Path) -> Path:
    """Where the refs are that all work trees of a repository share."""
    said = _text(folder / "commondir").strip()
    return folder / said if said else folder


def _text(path: Path) -> str:
    """The beginning of a small file, "" where there is none; never waits for a pipe or a device."""
    try:
        return read_head(path, _MAX_REF).decode("utf-8", "replace")
    except (OSError, HwmlError):
        return ""


def _mark(path: Path) -> State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _kind(path: Path) -> State | None:
    """Which file or folder it is. A folder changes with everything that happens in it, a file says where to look."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else _mark(path)
