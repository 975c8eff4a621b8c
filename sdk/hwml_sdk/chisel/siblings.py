"""Check a file with the files of its project that it needs: found from the index, compiled at once.

What is remembered of a check only spares compiles: it counts while every file that it was learnt from is as it was, so
that a check says the same whatever was checked before it.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .build.index import Index, Needed, index_of, text_of
from .build.outline import names_declared, outline, users_of, words_of
from .build.project import Neighbourhood, neighbourhood
from .check import Check
from .types import CheckRequest, ChiselDiagnostic, CompileResult

_MAX_ROUNDS = 4
_REMEMBERED = 256
_MISSING = re.compile(
    r"not found: (?:value|type|object) (\w+)|(?:object|class|type|value) (\w+) is not a member of package"
)
_IMPLICIT = re.compile(r"\bimplicit\b")
File = tuple[str, str]
Stamps = frozenset[tuple[Path, int]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A result, the other files that took part, and what is to be known about them.

    left_out: more files were needed than one check takes; index: what the project defines; broken: files with errors of
    their own that the document was checked without.
    """

    result: CompileResult
    files: tuple[File, ...]
    left_out: bool
    index: Index
    broken: tuple[Path, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files took no part though something here seems to use them."""
        if not self.broken:
            return ()
        names = sorted({path.name for path in self.broken})
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return (f"left out, as {'it does' if len(names) == 1 else 'they do'} not compile: {shown}",)


@dataclass(frozen=True, slots=True)
class _Decision:
    """Which files with errors a document could do without (none: it needs them).

    stamps: of every file that took part before; used: names of the broken files that the document uses.
    """

    dropped: frozenset[Path]
    stamps: Stamps
    used: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Extra:
    """A file that joined because `user` needed `name`."""

    name: str
    user: Path
    file: Path


@dataclass
class _Memory:
    """What earlier checks of a document taught; extra: files that only a compiler's complaint led to."""

    extra: tuple[_Extra, ...] = ()
    decision: _Decision | None = None


_Key = tuple[Path, tuple[str, ...], tuple[str, ...]]  # a document, and what it is compiled against
_memories: OrderedDict[_Key, _Memory] = OrderedDict()
_memories_lock = threading.Lock()


def _memory_of(path: Path, request: CheckRequest) -> _Memory:
    key = (path, request.class_path, request.options)
    with _memories_lock:
        memory = _memories.pop(key, None) or _Memory()
        _memories[key] = memory
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
    where the compiler complains: files with errors of their own that the document can do without are left out, which
    a note says, and names that it does not know are looked up wherever they are defined. Both are remembered for the
    next check of the document. A file that has nothing to do with it never takes part, so that a folder may hold many
    modules of the same name.
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
        self.memory = _memory_of(self.path, self.request)
        self.extra = [item for item in self.memory.extra if item.name in words_of(self._text_of(item.user))]
        self.dropped: frozenset[Path] = frozenset()
        decision = self._decision_that_holds()
        if decision is not None and decision.dropped:
            self.dropped = decision.dropped
            done = self._once()
        else:
            done = self._once()
            if decision is None:
                done = self._without_broken(done)
        names = _unknown(done.result.errors)
        for _ in range(_MAX_ROUNDS):
            again = self._once(sorted(names)) if names else None
            if again is None or len(again.files) == len(done.files):
                break
            fresh = {Path(file) for file, _ in again.files} - {Path(file) for file, _ in done.files}
            self.extra += [
                _Extra(name, user, file.path)
                for name, user in names.items()
                for file in self.index.by_name.get(name, ())
                if file.path in fresh
            ]
            done, names = again, _unknown(again.result.errors)
        self.memory.extra = tuple(dict.fromkeys(self.extra))
        return replace(done, broken=tuple(sorted(self.dropped)))

    def _text_of(self, path: Path) -> str:
        return self.text if path == self.path else text_of(path)

    def _once(self, names: Sequence[str] = ()) -> Checked:
        needed = self._needed(names)
        files = tuple((str(file), text_of(file)) for file in needed.files)
        asked = replace(self.request, files=(*self.request.files[:1], *files))
        return Checked(self.check(asked), files, needed.left_out, self.index)

    def _needed(self, names: Sequence[str] = ()) -> Needed:
        def without(other: Path) -> bool:
            barred = self.may_join is not None and not self.may_join(other)
            return barred or other in self.dropped or not self.around.holds(other)

        homes, extra = self.around.homes, [item.file for item in self.extra]
        tried = "\n".join(expression for expression, _ in self.request.guesses)
        return self.index.needed(
            self.path, self.text, homes=homes, extra=extra, names=names, more=tried, without=without
        )

    def _decision_that_holds(self) -> _Decision | None:
        """What was decided about broken files, where all are as they were and the document uses the same of them."""
        known = self.memory.decision
        if known is None:
            return None
        now = _stamps(self._needed().files)
        holds = known.stamps == now and known.used == self._used(path for path, _ in now)
        return known if holds else None

    def _used(self, paths: Iterable[Path]) -> frozenset[str]:
        """Names declared in some files that the document uses."""
        declared: frozenset[str] = frozenset().union(*(names_declared(text_of(path)) for path in paths))
        return declared & words_of(self.text)

    def _without_broken(self, done: Checked) -> Checked:
        """The check without files that have errors, where the document has no error more without them.

        What needed a broken file is broken without it and goes as well. Files that build upon the document may be
        broken by what is being typed there, so that nothing is remembered of them.
        """
        first = self._broken(done)
        if not first:
            return done
        stamps = _stamps(Path(name) for name, _ in done.files)
        again, broken = done, first
        for _ in range(_MAX_ROUNDS):
            self.dropped |= broken
            again = self._once()
            broken = self._broken(again)
            if not broken or self._suffers(done, again):
                break
        if broken or self._suffers(done, again):
            self.dropped = frozenset()
            again = done
        self._remember(stamps, first)
        return again

    def _remember(self, stamps: Stamps, broken: frozenset[Path]) -> None:
        texts = {path: text_of(path) for path in broken | self.dropped}
        document = outline(self.text)
        if not document.package_objects and not users_of(document.visible, texts):
            self.memory.decision = _Decision(self.dropped, stamps, self._used(path for path, _ in stamps))

    def _suffers(self, before: Checked, after: Checked) -> bool:
        """Whether the document has errors that come from what was left out.

        Where all was typed before, each new one does. Where a broken file ended in the parser, nothing was: then it is
        one that names something of the files that are left out, or any where these may convert types.
        """
        known = {(item.span, item.message) for item in self._own_errors(before)}
        new = [item for item in self._own_errors(after) if (item.span, item.message) not in known]
        if not new or all(item.stage != "parse" for item in before.result.errors):
            return bool(new)
        texts = [text_of(path) for path in self.dropped]
        names: frozenset[str] = frozenset().union(*map(names_declared, texts))
        converts = any(_IMPLICIT.search(text) for text in texts)
        return converts or any(names & words_of(item.message) for item in new)

    def _broken(self, done: Checked) -> frozenset[Path]:
        own = self.request.files[0][0]
        return frozenset(Path(item.path) for item in _compile_errors(done) if item.path != own)

    def _own_errors(self, done: Checked) -> list[ChiselDiagnostic]:
        own = self.request.files[0][0]
        return [item for item in _compile_errors(done) if item.path == own]


def lacks_names(result: CompileResult) -> bool:
    """Whether a name is used that is not known."""
    return bool(_unknown(result.errors))


def _compile_errors(done: Checked) -> list[ChiselDiagnostic]:
    """Those that keep a file from being compiled; what a constructor throws in another file is this check's."""
    return [item for item in done.result.errors if item.stage in ("parse", "type")]


def _stamps(paths: Iterable[Path]) -> Stamps:
    return frozenset((path, _mtime_ns(path)) for path in paths)


def _mtime_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _unknown(errors: Sequence[ChiselDiagnostic]) -> dict[str, Path]:
    """Names that are not known, with the file that says so of each."""
    found = [(name, item.path) for item in errors for pair in _MISSING.findall(item.message) for name in pair if name]
    return {name: Path(path).absolute() for name, path in reversed(found)}
