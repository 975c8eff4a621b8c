"""What the files of a project define, kept between checks, and from it the files that one of them needs.

The folders are listed anew when their time says so, a file is read again when its own does. Which files belong to a
check is found from outlines by Scala's rules of sight (own packages, imports, dotted paths), so that one compile does.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...files import MAX_SOURCE_BYTES, read_bytes
from ..say.literal_calls import made_names
from .outline import Outline, Uses, outline, uses

MAX_FILES = 4000
MAX_FOLDERS = 10_000
MAX_NEEDED = 150  # files that one check compiles
_SKIPPED = {"target", "out", "node_modules", "__pycache__"}


@dataclass
class SourceFile:
    """A file as it stood at a time: its outline, classes that it makes; its uses once somebody asked."""

    path: Path
    stamp: tuple[int, int]
    outline: Outline
    made: frozenset[str] = frozenset()
    _uses: Uses | None = None

    def uses(self) -> Uses:
        """Words and dotted paths of its text."""
        if self._uses is None:
            self._uses = uses(text_of(self.path))
        return self._uses


@dataclass(frozen=True, slots=True)
class Needed:
    """Files that a document is to be compiled with, nearest first; `left_out`: there were more than fit."""

    files: tuple[Path, ...] = ()
    left_out: bool = False


def text_of(path: Path) -> str:
    """A file's text, or "" where it cannot be read."""
    try:
        return read_bytes(path).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


@dataclass
class _Folder:
    mtime_ns: int
    files: list[str]
    folders: list[str]


class Index:
    """The definitions below some roots, the nearest first: folders (with what lies below, or without) and files."""

    def __init__(self, roots: Sequence[Path], *, deep: bool = True) -> None:
        self._roots = roots
        self._deep = deep
        self._folders: dict[str, _Folder] = {}
        self._files: dict[str, SourceFile] = {}
        self._lock = threading.Lock()
        self.by_owner: dict[str, dict[str, list[SourceFile]]] = {}
        self.by_name: dict[str, list[SourceFile]] = {}
        self.packages: dict[str, list[SourceFile]] = {}

    def refresh(self) -> Index:
        """Look at the times of folders and files, and read what is new."""
        with self._lock:
            found = dict(self._listed())
            changed = found.keys() != self._files.keys()
            for name, (size, mtime_ns) in found.items():
                known = self._files.get(name)
                if known is None or known.stamp != (size, mtime_ns):
                    text = text_of(Path(name)) if size <= MAX_SOURCE_BYTES else ""
                    self._files[name] = SourceFile(Path(name), (size, mtime_ns), outline(text), made_names(text))
                    changed = True
            if changed:
                self._files = {name: self._files[name] for name in sorted(found)}
                self._tables()
        return self

    def _listed(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Files with size and time; one that several names lead to is there once."""
        seen: set[tuple[int, int]] = set()
        waiting = [str(root) for root in reversed(self._roots)]
        count = 0
        while waiting and count < MAX_FILES and len(seen) < MAX_FILES + MAX_FOLDERS:
            place = waiting.pop()
            try:
                state = Path(place).stat()
            except OSError:
                continue
            if (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            if stat.S_ISDIR(state.st_mode):
                folder = self._folder(place, state.st_mtime_ns)
                waiting += [*(folder.folders if self._deep else ()), *folder.files]
            elif place.endswith(".scala") and stat.S_ISREG(state.st_mode):
                count += 1
                yield place, (state.st_size, state.st_mtime_ns)

    def _folder(self, place: str, mtime_ns: int) -> _Folder:
        known = self._folders.get(place)
        if known is not None and known.mtime_ns == mtime_ns:
            return known
        files, folders = [], []
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.endswith(".scala"):
                        files.append(entry.path)
                    elif entry.is_dir() and entry.name not in _SKIPPED and not entry.name.startswith("."):
                        folders.append(entry.path)
        except OSError:
            pass
        known = self._folders[place] = _Folder(mtime_ns, files, folders)
        return known

    def _tables(self) -> None:
        owners: defaultdict[str, defaultdict[str, list[SourceFile]]] = defaultdict(lambda: defaultdict(list))
        names: defaultdict[str, list[SourceFile]] = defaultdict(list)
        packages: defaultdict[str, list[SourceFile]] = defaultdict(list)
        for file in self._files.values():
            for owner, members in file.outline.members.items():
                held = owners[owner]
                for name in members:
                    held[name].append(file)
                    names[name].append(file)
            for package in file.outline.all_packages:
                packages[package].append(file)
        self.by_owner = {owner: dict(held) for owner, held in owners.items()}
        self.by_name, self.packages = dict(names), dict(packages)

    def makers(self, path: Path, names: frozenset[str]) -> list[SourceFile]:
        """Files other than `path` that make one of some classes, the nearest first."""
        here = SourceFile(path, (0, 0), outline(""))
        return _by_distance(here, (file for file in self.files() if names & file.made and file.path != path))

    def sees(self, text: str, name: str) -> bool:
        """Whether a text's own packages and imports lead to a name of the project."""
        here = outline(text)
        owners = [*here.packages, *here.all_packages]
        for item in here.imports:
            if item.name in ("_", name):
                owners += owners_of(self, item.path, here.packages)
        return any(name in self.by_owner.get(owner, {}) for owner in owners)

    def files(self) -> list[SourceFile]:
        """All of them, by name."""
        return list(self._files.values())

    def __len__(self) -> int:
        return len(self._files)

    def needed(
        self,
        path: Path,
        text: str,
        *,
        homes: Sequence[Path] = (),
        extra: Iterable[Path] = (),
        names: Iterable[str] = (),
        more: str = "",
        without: Callable[[Path], bool] = lambda _: False,
    ) -> Needed:
        """The files that `text` (the document `path` as it stands in the editor) and what it needs refer to.

        homes: folders whose files share the package without a name (none: all do); extra: files to begin with;
        names: plain names that a compiler did not know, looked up wherever they are; more: code that is compiled behind
        the document; without: files left out.
        """
        search = _Search(self, path, text, more, tuple(f"{home}{os.sep}" for home in homes), without)
        return search.run([*extra, *self._defining(path, names)])

    def _defining(self, path: Path, names: Iterable[str]) -> list[Path]:
        """Files that define one of some plain names, the nearest first."""
        here = SourceFile(path.absolute(), (0, 0), outline(""))
        return [file.path for name in sorted(names) for file in _by_distance(here, self.by_name.get(name, ()))]


@dataclass
class _Search:
    """From a document to what it needs, breadth first."""

    index: Index
    path: Path
    text: str
    more: str
    homes: tuple[str, ...]
    without: Callable[[Path], bool]
    chosen: dict[str, SourceFile] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    left_out: bool = False
    identity: tuple[int, int] | str = ""

    def run(self, extra: Iterable[Path]) -> Needed:
        here = self.path.absolute()
        self.identity = _identity(here)
        main = SourceFile(here, (0, 0), outline(self.text), _uses=uses(f"{self.text}\n{self.more}"))
        self.defined |= main.outline.definitions
        known = {file.path: file for file in self.index.files()}
        waiting = [main, *(known[path] for path in extra if path in known and self._take(known[path]))]
        while waiting:
            file = waiting.pop(0)
            for fresh in self._wanted(file):
                if self._take(fresh):
                    waiting.append(fresh)
        return Needed(tuple(file.path for file in self.chosen.values()), self.left_out)

    def _take(self, file: SourceFile) -> bool:
        """Whether a file joins: not when what it defines is there already, in another file of the same names."""
        name = str(file.path)
        if name in self.chosen or _identity(file.path) == self.identity or self.without(file.path):
            return False
        if file.outline.definitions & self.defined:
            return False
        if len(self.chosen) >= MAX_NEEDED:
            self.left_out = True
            return False
        self.chosen[name] = file
        self.defined |= file.outline.definitions
        return True

    def _wanted(self, file: SourceFile) -> Iterator[SourceFile]:
        used = file.uses()
        owners = dict.fromkeys(sorted(file.outline.packages))
        imported: list[tuple[str, str]] = []
        for item in file.outline.imports:
            for owner in self._owners_of(item.path, owners):
                imported.append((owner, item.name))
                if item.name == "_":
                    owners.setdefault(owner)
        for owner, name in imported:
            yield from self._imported(file, owner, name)
        for owner in owners:
            held = self.index.by_owner.get(owner, {})
            for name in sorted(used.words & held.keys()):
                yield from self._nearest(file, owner, name)
            yield from self._package_object(file, owner)
        for path in sorted(used.references):
            yield from self._referred(file, path.split("."), owners)
        for owner, _ in imported:  # at last, when most packages are there
            yield from self._package(file, owner)

    def _owners_of(self, path: str, owners: Iterable[str]) -> list[str]:
        return owners_of(self.index, path, owners)

    def _imported(self, file: SourceFile, owner: str, name: str) -> Iterator[SourceFile]:
        if owner not in self.index.packages:
            yield from self._nearest(file, *_split(owner))
        elif name in self.index.by_owner.get(owner, {}):
            yield from self._nearest(file, owner, name)
        yield from self._package(file, f"{owner}.{name}")

    def _package(self, file: SourceFile, owner: str) -> Iterator[SourceFile]:
        """A file that makes a package exist, where none of the chosen ones does."""
        if owner not in self.index.packages:
            return
        yield from self._package_object(file, owner)
        inside = [*self.chosen.values(), file]
        if not any(p == owner or p.startswith(f"{owner}.") for f in inside for p in f.outline.packages):
            yield from _by_distance(file, self.index.packages[owner])[:1]

    def _package_object(self, file: SourceFile, owner: str) -> Iterator[SourceFile]:
        """Package objects always join: what they inherit and extend is not in the outline."""
        holders = [f for f in self.index.packages.get(owner, ()) if owner in f.outline.package_objects]
        yield from _by_distance(file, holders)[:1]

    def _nearest(self, file: SourceFile, owner: str, name: str) -> Iterator[SourceFile]:
        full = f"{owner}.{name}" if owner else name
        if full in self.defined:
            return
        holders = self.index.by_owner.get(owner, {}).get(name, ())
        if not owner and self.homes:  # nobody sees the package without a name from outside
            holders = [other for other in holders if str(other.path).startswith(self.homes)]
        for other in _by_distance(file, holders):
            yield other
            if full in self.defined:
                return

    def _referred(self, file: SourceFile, parts: list[str], owners: Iterable[str]) -> Iterator[SourceFile]:
        """The file of `core.Ops` in `core.Ops.double(x)`, or of `Ops` where core is imported as a name."""
        named = [i.path for i in file.outline.imports if i.name == parts[0]]
        for first in self._owners_of(parts[0], [*owners, *named]):
            owner = first
            for part in parts[1:]:
                if part in self.index.by_owner.get(owner, {}):
                    yield from self._nearest(file, owner, part)
                owner = f"{owner}.{part}"
                if owner not in self.index.packages:
                    break


def owners_of(index: Index, path: str, owners: Iterable[str]) -> list[str]:
    """Packages and objects of an index that a path may mean, seen from some owners."""
    path = path.removeprefix("_root_.")
    full = [f"{owner}.{path}" if owner else path for owner in ("", *owners)]
    return [name for name in dict.fromkeys(full) if name in index.by_owner or name in index.packages]


def _split(name: str) -> tuple[str, str]:
    before, _, last = name.rpartition(".")
    return before, last


def _identity(path: Path) -> tuple[int, int] | str:
    try:
        state = path.stat()
    except OSError:
        return str(path)
    return state.st_dev, state.st_ino


def _by_distance(file: SourceFile, others: Iterable[SourceFile]) -> list[SourceFile]:
    """Those in the same folder first, then those that share most of the way."""
    here = file.path.parts

    def distance(other: SourceFile) -> tuple[int, str]:
        shared = sum(1 for _ in _common(here, other.path.parts))
        return len(here) + len(other.path.parts) - 2 * shared, str(other.path)

    listed = list(others)
    return listed if len(listed) < 2 else sorted(listed, key=distance)


def _common(one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    for a, b in zip(one, other, strict=False):
        if a != b:
            return
        yield a


_indices: dict[tuple[str, ...], Index] = {}
_indices_lock = threading.Lock()
_MAX_INDICES = 16


def index_of(roots: Sequence[Path], *, deep: bool = True) -> Index:
    """The index of some roots, as fresh as their files."""
    key = (str(deep), *map(str, roots))
    with _indices_lock:
        index = _indices.pop(key, None) or Index(tuple(roots), deep=deep)
        _indices[key] = index
        while len(_indices) > _MAX_INDICES:
            del _indices[next(iter(_indices))]
    return index.refresh()
