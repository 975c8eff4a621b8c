"""Check a file with the files of its project that it needs: found from the index, compiled at once."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .build.index import Index, Needed, index_of, text_of
from .build.project import Neighbourhood, neighbourhood
from .check import Check
from .types import CheckRequest, ChiselDiagnostic, CompileResult

_MAX_ROUNDS = 4
_REMEMBERED = 256
_MISSING = re.compile(
    r"not found: (?:value|type|object) (\w+)|(?:object|class|type|value) (\w+) is not a member of package"
)
Stamps = frozenset[tuple[Path, int]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A result, the other files that took part, and what is to be known about them.

    left_out: more files were needed than one check takes; index: what the project defines.
    """

    result: CompileResult
    files: tuple[tuple[str, str], ...]
    left_out: bool
    index: Index


@dataclass
class _Memory:
    """What earlier checks of a document taught.

    extra: files that only a compiler's complaint led to; dropped: broken files that it can do without; kept: broken
    files that it cannot do without.
    """

    extra: tuple[Path, ...] = ()
    dropped: Stamps = frozenset()
    kept: set[Stamps] = field(default_factory=set)


_memories: OrderedDict[str, _Memory] = OrderedDict()
_memories_lock = threading.Lock()


def _memory_of(path: Path) -> _Memory:
    with _memories_lock:
        memory = _memories.pop(str(path), None) or _Memory()
        _memories[str(path)] = memory
        while len(_memories) > _REMEMBERED:
            _memories.popitem(last=False)
        return memory


def check_with_siblings(
    path: Path,
    text: str,
    request: CheckRequest,
    check: Check,
    sources: Sequence[Path] = (),
    may_join: Callable[[Path], bool] | None = None,
) -> Checked:
    """Check a document together with the files that define what it uses, and what these use, in one compile.

    The files are found in the outlines of the project's files by Scala's rules of sight. Two more things are tried
    where the compiler complains: files with errors of their own that the document can do without are left out, and
    names that it does not know are looked up wherever they are defined. Both are remembered for the next check of the
    document. A file that has nothing to do with it never takes part, so that a folder may hold many modules of the same
    name.
    sources: where neighbours are, when a build says so; may_join: whether a neighbour may take part (None: any).
    """
    around = neighbourhood(path, sources)
    index = index_of(around.roots, deep=around.deep)
    return _Siblings(path.absolute(), text, request, check, around, index, may_join).run()


@dataclass
class _Siblings:
    path: Path
    text: str
    request: CheckRequest
    check: Check
    around: Neighbourhood
    index: Index
    may_join: Callable[[Path], bool] | None

    def run(self) -> Checked:
        self.memory = _memory_of(self.path)
        self.dropped = {path for path, mtime_ns in self.memory.dropped if _mtime_ns(path) == mtime_ns}
        self.extra = list(self.memory.extra)
        done = self._once()
        if self._misses_dropped(done):
            self.dropped = set()
            done = self._once()
        done = self._without_broken(done)
        names = _unknown(done.result.diagnostics)
        for _ in range(_MAX_ROUNDS):
            again = self._once(names) if names else None
            if again is None or len(again.files) == len(done.files):
                break
            self.extra += [Path(name) for name, _ in again.files if (name, _) not in done.files]
            done, names = again, _unknown(again.result.diagnostics)
        self.memory.extra = tuple(dict.fromkeys(self.extra))
        return done

    def _once(self, names: Sequence[str] = ()) -> Checked:
        needed = self._needed(names)
        files = tuple((str(file), text_of(file)) for file in needed.files)
        asked = replace(self.request, files=(*self.request.files[:1], *files))
        return Checked(self.check(asked), files, needed.left_out, self.index)

    def _needed(self, names: Sequence[str]) -> Needed:
        def without(other: Path) -> bool:
            barred = self.may_join is not None and not self.may_join(other)
            return barred or other in self.dropped or not self.around.holds(other)

        homes, extra = self.around.homes, self.extra
        return self.index.needed(self.path, self.text, homes=homes, extra=extra, names=names, without=without)

    def _without_broken(self, done: Checked) -> Checked:
        """The check without files that have errors, where the document knows all its names without them.

        What needed a broken file is broken without it and goes as well, as long as the document itself misses nothing.
        """
        first = self._broken(done)
        stamps = frozenset((path, _mtime_ns(path)) for path in first)
        if not first or stamps in self.memory.kept:
            return done
        before, known = set(self.dropped), set(_unknown(self._own_errors(done)))
        again, broken = done, first
        for _ in range(_MAX_ROUNDS):
            self.dropped |= broken
            again = self._once()
            broken = self._broken(again)
            missed = set(_unknown(self._own_errors(again))) - known
            if missed or not broken:
                break
        if missed or broken:
            self.dropped = before
            self.memory.kept = {stamps}
            return done
        self.memory.dropped = frozenset((path, _mtime_ns(path)) for path in self.dropped)
        return again

    def _misses_dropped(self, done: Checked) -> bool:
        """Whether a name is missing that a file has which earlier checks could do without."""
        names = _unknown(done.result.diagnostics)
        return any(file.path in self.dropped for name in names for file in self.index.by_name.get(name, ()))

    def _broken(self, done: Checked) -> set[Path]:
        own = self.request.files[0][0]
        return {Path(item.path) for item in done.result.errors if item.path != own}

    def _own_errors(self, done: Checked) -> list[ChiselDiagnostic]:
        own = self.request.files[0][0]
        return [item for item in done.result.errors if item.path == own]


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _unknown(diagnostics: Sequence[ChiselDiagnostic]) -> tuple[str, ...]:
    found = [match for item in diagnostics if item.severity == "error" for match in _MISSING.findall(item.message)]
    return tuple(sorted({name for pair in found for name in pair if name}))
