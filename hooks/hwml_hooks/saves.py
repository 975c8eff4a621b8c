"""Saved files of a folder, each once it has been quiet for a moment; build output and what git ignores left out."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from hwml_sdk.errors import HwmlError
from hwml_sdk.git import Repository, repository_of
from hwml_sdk.languages import includer_of, language_of, languages

# What build systems and package managers write whatever the language is.
_BUILD = ("build", "out", "target", "dist", "node_modules", "__pycache__", "venv", r"cmake-build-[^/]*", r"\.[^/]+")
_EVENTS: list[type[FileSystemEvent]] = [
    FileClosedEvent, FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent,
]  # fmt: skip
_TOO_MANY = {errno.ENOSPC, errno.EMFILE}


def is_build_output(path: Path, root: Path) -> bool:
    """Whether a folder between `root` and the file is one that tools write."""
    try:
        folders = path.relative_to(root).parts[:-1]
    except ValueError:
        return True
    return _outputs().search(f"/{'/'.join(folders)}/") is not None


@cache
def _outputs() -> re.Pattern[str]:
    """Finds a folder that tools write in a path of folders: `/src/hls/syn/`."""
    found = dict.fromkeys([*_BUILD, *(folder for language in languages() for folder in language.outputs)])
    return re.compile(rf"/(?:{'|'.join(found)})(?=/)")


def is_source(path: Path, root: Path) -> bool:
    """Whether hwml has anything to say about such a file, by its name and place."""
    return language_of(path) is not None and not _is_hidden(path, root)


def _is_part(path: Path, root: Path) -> bool:
    """Whether it is nothing by itself, but sources may include it."""
    return includer_of(path) is not None and not _is_hidden(path, root)


def _is_hidden(path: Path, root: Path) -> bool:
    return path.name.startswith(".") or is_build_output(path, root)


def sources_below(root: Path) -> list[Path]:
    """All sources of a folder: as git lists them in a repository, else as they lie there."""
    repository = repository_of(root)
    if repository is not None:
        return sorted(path for path in repository.listed(root, ["*"]) if is_source(path, root))
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not is_build_output(Path(folder, name, "x"), root)]
        found += [path for name in files if is_source(path := Path(folder, name), root)]
    return sorted(found)


class Saves(FileSystemEventHandler):
    """Collects events; `settled` hands out the files that have been quiet for `debounce_s`."""

    def __init__(self, root: Path, *, debounce_s: float) -> None:
        self.root, self.debounce_s = root, debounce_s
        self._quiet_at: dict[Path, float] = {}
        self._changed = threading.Condition()
        self._observer = Observer()
        self._repository: Repository | None = repository_of(root)
        self._ignored: dict[Path, bool] = {}

    def start(self) -> None:
        """Begin to watch. Raises HwmlError when the system allows no further watches."""
        try:
            self._observer.schedule(self, str(self.root), recursive=True, event_filter=_EVENTS)
            self._observer.start()
        except OSError as error:
            hint = "watch a smaller folder"
            if error.errno in _TOO_MANY:
                hint = "raise fs.inotify.max_user_watches and max_user_instances (sysctl), or watch a smaller folder"
            raise HwmlError(f"{self.root}: cannot be watched: {error.strerror or error}; {hint}") from error

    def stop(self) -> None:
        """End watching."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(5)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note every place that an event names (watchdog's own thread calls this)."""
        places = [Path(os.fsdecode(name)) for name in (event.src_path, event.dest_path) if name]
        if event.is_directory:
            # A folder that comes with its files: their own events may have been before it was watched.
            places = [p for place in places[-1:] for p in _files_in(place, self.root)]
        if any(place.name == ".gitignore" for place in places):
            self._ignored.clear()
        found = [place for place in places if is_source(place, self.root) or _is_part(place, self.root)]
        if found:
            now = time.monotonic()
            with self._changed:
                self._quiet_at.update(dict.fromkeys(found, now + self.debounce_s))
                self._changed.notify()

    def settled(self, *, wait: bool) -> list[Path]:
        """Files that are quiet by now, oldest first. wait: until there is one, or the folder is gone."""
        with self._changed:
            while True:
                now = time.monotonic()
                ready = sorted((at, path) for path, at in self._quiet_at.items() if at <= now)
                for _, path in ready:
                    del self._quiet_at[path]
                if ready or not wait:
                    break
                # The time limit only matters when the folder itself goes away: its events have no file.
                pause = min((at - now for at in self._quiet_at.values()), default=5.0)
                self._changed.wait(pause)
                if not self.root.is_dir():
                    raise HwmlError(f"{self.root}: is gone; nothing is left to watch")
        return self._kept([path for _, path in ready])

    def _kept(self, paths: Sequence[Path]) -> list[Path]:
        """Without what git ignores; it is asked once about each file."""
        if self._repository is None:
            return list(paths)
        known = dict(self._ignored)
        fresh = [path for path in paths if path not in known]
        if fresh:
            ignored = self._repository.ignored(fresh)
            known.update({path: path in ignored for path in fresh})
            self._ignored = known
        return [path for path in paths if not known[path]]


def _files_in(folder: Path, root: Path) -> Iterator[Path]:
    if is_build_output(folder / "x", root):
        return
    for place, names, files in os.walk(folder):
        names[:] = [name for name in names if not is_build_output(Path(place, name, "x"), root)]
        yield from (Path(place, name) for name in files)
