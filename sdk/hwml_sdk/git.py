"""The one git: where a file's repository is, what was committed and staged, what is ignored.

A repository may come from a stranger, and git runs much of what one configures: filters, hooks, watchers, textconv,
helpers, the `uploadpack` of a promisor remote from which objects are fetched on sight. So the configuration of a
repository is read by one call only, `git rev-parse`, which starts no program; all others work in a repository of ours
without any, to which theirs gives its objects and its index. That holds for every key and every release of git; the
guards in `_GUARDS` stand behind it, and keep the user's own configuration from starting programs as well. Contents are
read as stored (`git cat-file --batch`), so no filter is asked.

Git sets GIT_DIR and GIT_INDEX_FILE for its hooks; they are obeyed in the repository they belong to (a partial commit
has an index of its own), and left out when a file lies in another one, such as a submodule.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from subprocess import DEVNULL, PIPE

from .errors import HwmlError, SourceError, ToolNotFoundError
from .files import MAX_SOURCE_BYTES, real_path
from .framing import Reader, Writer
from .leftovers import scratch_folder
from .processes import Child, Finished, finish, start
from .tools import find_tool

TIMEOUT_S = 60.0
# Variables by which git tells its hooks where they are (git rev-parse --local-env-vars).
_PLACES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
)  # fmt: skip
# What else of a user's GIT_* variables is kept: where git itself and the user's configuration are.
_KEPT = (
    "GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
)  # fmt: skip
# Configuration that stands over all files (git 2.31 on). safe.bareRepository: git 2.38; a folder that merely looks
# like a repository (a plain clone can hold one) is none.
_GUARDS = {
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.gitProxy": "false",
    "core.askPass": "false",
    "core.editor": "false",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "gc.auto": "0",
    "gpg.program": "false",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
}
_GUARDED_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",  # no transport at all, also for a fetch that git starts by itself
    "GIT_NO_LAZY_FETCH": "1",  # git 2.39.4, 2.45
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": str(len(_GUARDS)),
    **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_GUARDS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_GUARDS.values())},
}
_ASKED = ("--show-toplevel", "--absolute-git-dir", "--git-path", "objects", "--git-path", "index", "--git-path",
          "info/exclude", "--show-object-format", "HEAD")  # fmt: skip
_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MAX_EXCLUDES = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """An object as stored. data: None when it is no file or over 16 MiB."""

    name: str
    size: int
    data: bytes | None


class _Batch:
    """The framing of `git cat-file --batch`: names of objects there, objects back (b"" for what is not there)."""

    def read(self, stream: Reader) -> bytes | Blob | None:
        """The next object."""
        head = stream.readline(1 << 16).split()
        if not head:
            return None
        if len(head) != 3 or not head[2].isdigit():
            return b""
        name, size, file = head[0].decode(), int(head[2]), head[1] == b"blob"
        data = stream.read(size) if size <= MAX_SOURCE_BYTES else None
        left = 1 if data is not None else size + 1
        while left > 0 and (piece := stream.read(min(left, 1 << 20))):
            left -= len(piece)
        if left or (data is not None and len(data) != size):
            raise EOFError("git ended in the middle of an object")
        return Blob(name, size, data if file else None)

    def write(self, stream: Writer, message: bytes | Blob) -> None:
        """Ask for an object by its name."""
        assert isinstance(message, bytes)
        stream.write(message + b"\n")
        stream.flush()


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree. head: the commit that HEAD names, "" before the first one; None: ask when it is needed."""

    top: Path
    folder: Path
    objects: Path
    index: Path
    excludes: Path
    format: str
    head: str | None
    alternates: str = ""

    def has_head(self) -> bool:
        """Whether there is a commit yet."""
        return bool(self._head())

    def _head(self) -> str:
        return self._named("HEAD") if self.head is None else self.head

    def _named(self, revision: str) -> str:
        """The object that a name stands for, "" for none."""
        if "\0" in revision or revision.startswith("-"):
            return ""
        env = _environment() | {"GIT_DIR": str(self.folder)}
        done = _git(("rev-parse", "-q", "--verify", revision), self.top, env)
        said = done.stdout.decode("ascii", "replace").strip()
        return said if _NAME.fullmatch(said) else ""

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag or other name means. Raises SourceError for what is none."""
        said = self._named(f"{revision}^{{commit}}") if revision else ""
        if not said:
            raise SourceError(f"{revision!r} is no commit here; git fetch it, or name another", path=self.top)
        return said

    def staged(self) -> list[Path]:
        """Files that differ between HEAD and the index, without those that are deleted there."""
        names = self._out(*_DIFF, "--name-only", "-z", "--no-renames", "--diff-filter=AMT")
        return [self.top / name for name in _names(names)]

    def renamed(self) -> dict[Path, Path]:
        """New place -> place at HEAD, for files that were renamed since."""
        done = _names(self._out(*_DIFF, "-M", "--diff-filter=R", "--name-status", "-z", "HEAD"))
        return {self.top / new: self.top / old for _, old, new in zip(*[iter(done)] * 3, strict=False)}

    def ignored(self, paths: Sequence[Path]) -> set[Path]:
        """Those of `paths` that git ignores."""
        by_name = {str(path): path for path in paths}
        asked = os.fsencode("\0".join(by_name) + "\0")
        with self._stand_in() as env:
            done = _git(("check-ignore", "-z", "--stdin"), self.top, env, asked)
        return {by_name[name] for name in _names(done.stdout) if name in by_name}

    def listed(self, folder: Path, patterns: Sequence[str]) -> list[Path]:
        """Files below `folder` that are tracked, or new and not ignored."""
        specs = [f":(glob){_relative(folder, self.top)}**/{pattern}" for pattern in patterns]
        names = self._out("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *specs)
        return [self.top / name for name in dict.fromkeys(_names(names))]

    def committed(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> Blob | None:
        """A file of the work tree at HEAD; None when there is none. Raises HwmlError."""
        return self._stored("HEAD", path, timeout_s)

    def at(self, revision: str, path: Path, *, timeout_s: float = TIMEOUT_S) -> Blob | None:
        """The same at any commit. Raises SourceError for a name of none, HwmlError."""
        return self._stored(self.resolve(revision), path, timeout_s)

    def _stored(self, commit: str, path: Path, timeout_s: float) -> Blob | None:
        place = (real_path(path.parent) / path.name).relative_to(self.top).as_posix()
        if "\n" in place:  # a name with a line break cannot be asked for
            return None
        with self._objects(timeout_s) as ask:
            return ask(os.fsencode(f"{commit}:{place}"))

    @contextmanager
    def checked_out(self, tree: str, patterns: Sequence[str]) -> Iterator[Path]:
        """The files of `tree` ("" for the index, else "HEAD") that match, as stored, in a temporary folder."""
        with scratch_folder() as place:
            folder = real_path(place)
            (folder / ".git").mkdir()  # settings and projects are not looked for above it
            with self._stand_in() as here:
                env = here | ({"GIT_INDEX_FILE": str(folder / ".git" / "index")} if tree else {})
                if tree:
                    self._checked(("read-tree", tree), env)
                listed = self._checked(("ls-files", "-z", "--stage", "--", *patterns), env)
            self._write(folder, [entry for line in _names(listed) if (entry := _entry(line)) is not None])
            yield folder

    def _write(self, folder: Path, entries: Sequence[tuple[str, str, str]]) -> None:
        """Write (mode, object, path) below `folder`, links last, and only those that stay inside."""
        links = []
        with self._objects(TIMEOUT_S) as ask:
            for mode, name, path in entries:
                blob = ask(name.encode())
                if blob is None:
                    continue  # of a partial clone, say
                place = folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                if mode == "120000":
                    links.append((place, os.fsdecode(blob.data or b"")))
                    continue
                with suppress(FileExistsError), place.open("xb") as stream:
                    stream.write(blob.data or b"")
                    if blob.data is None:
                        stream.truncate(blob.size)  # whoever reads it says that it is over the limit
        for place, target in links:
            with suppress(OSError, ValueError):
                place.symlink_to(target)
        for place, _ in links:
            if place.is_symlink() and not _stays(place, folder):
                place.unlink()

    @contextmanager
    def _objects(self, timeout_s: float) -> Iterator[_Ask]:
        """Ask for objects one after the other, all within `timeout_s`. Raises HwmlError when git gives up."""
        with self._stand_in() as env:
            argv: list[str | Path] = [find_tool("git"), "cat-file", "--batch"]
            child: Child[bytes | Blob] = Child(argv, _Batch(), cwd=self.top, env=env, log=Path(os.devnull))
            try:
                with child.within(timeout_s):
                    yield _Ask(child, self.top)
            finally:
                child.kill()

    def _out(self, *arguments: str) -> bytes:
        with self._stand_in() as env:
            return self._checked(arguments, env)

    def _checked(self, arguments: Sequence[str], env: dict[str, str]) -> bytes:
        """Output of what must succeed. Raises HwmlError with git's own first line."""
        done = _git(arguments, self.top, env)
        if done.returncode or done.timed_out:
            said = (done.stderr.decode("utf-8", "replace").strip() or "took too long").splitlines()[0]
            raise HwmlError(f"git {arguments[0]} in {self.top}: {said}")
        return done.stdout

    @contextmanager
    def _stand_in(self) -> Iterator[dict[str, str]]:
        """An environment in which git works on this repository's objects and index, without its configuration.

        Raises HwmlError where the index is a pipe or a device, which git would read without end.
        """
        if self.index.exists() and not self.index.is_file():
            raise HwmlError(f"{self.index}: is no regular file; git reset restores it")
        with scratch_folder() as folder:
            for part in ("refs", "objects", "info"):
                (folder / part).mkdir()
            (folder / "HEAD").write_text(f"{self._head() or 'ref: refs/heads/none'}\n")
            version, more = (0, "") if self.format == "sha1" else (1, f"[extensions]\n\tobjectFormat = {self.format}\n")
            (folder / "config").write_text(f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = false\n{more}")
            (folder / "info" / "exclude").write_bytes(_excludes(self.excludes))
            with suppress(OSError):
                for shared in self.folder.glob("sharedindex.*"):  # the larger part of a split index
                    (folder / shared.name).symlink_to(shared)
            places = {
                "GIT_DIR": str(folder),
                "GIT_WORK_TREE": str(self.top),
                "GIT_INDEX_FILE": str(self.index),
                "GIT_OBJECT_DIRECTORY": str(self.objects),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": self.alternates,
            }
            yield _environment() | places


class _Ask:
    """Asks a running `git cat-file --batch`."""

    def __init__(self, child: Child[bytes | Blob], top: Path) -> None:
        self._child, self._top = child, top

    def __call__(self, name: bytes) -> Blob | None:
        """The object of that name, or None. Raises HwmlError."""
        try:
            self._child.send(name)
            answer = self._child.receive()
        except (OSError, EOFError, ValueError) as error:
            raise HwmlError(f"git cat-file in {self._top}: ended or took too long") from error
        if answer is None:
            raise HwmlError(f"git cat-file in {self._top}: ended; is the repository whole? (git fsck tells)")
        return answer if isinstance(answer, Blob) else None


_DIFF = ("diff", "--cached", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _entry(line: str) -> tuple[str, str, str] | None:
    """Mode, object and path of a line of `ls-files --stage`; None for what is not written to a folder."""
    mode, name, stage, path = re.split(r"[ \t]", line, maxsplit=3)
    parts = PurePosixPath(path).parts
    outside = not parts or path.startswith("/") or ".." in parts or parts[0].lower() == ".git"
    return None if stage != "0" or mode == "160000" or outside else (mode, name, path)


def _stays(link: Path, folder: Path) -> bool:
    return real_path(link).is_relative_to(folder)


def _excludes(path: Path) -> bytes:
    """What the repository itself says is ignored; nothing where that is no plain file of a sane size."""
    with suppress(OSError):
        state = path.stat()
        if stat.S_ISREG(state.st_mode) and state.st_size <= _MAX_EXCLUDES:
            return path.read_bytes()
    return b""


def _relative(folder: Path, top: Path) -> str:
    inside = real_path(folder).relative_to(top).as_posix()
    return "" if inside == "." else f"{inside}/"


def _environment(*, places: bool = False) -> dict[str, str]:
    """The environment git is called with. places: with the variables that git sets for its hooks."""
    kept = (*_KEPT, *_PLACES) if places else _KEPT
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in kept}
    return own | _GUARDED_ENVIRONMENT


def _git(
    arguments: Sequence[str], cwd: Path, env: dict[str, str], stdin: bytes | None = None, timeout_s: float = TIMEOUT_S
) -> Finished:
    process = start([find_tool("git"), *arguments], cwd=cwd, env=env, stdin=DEVNULL if stdin is None else PIPE)
    return finish(process, stdin, timeout_s=timeout_s)


def find_repository(path: str | Path, *, timeout_s: float = TIMEOUT_S) -> Repository | None:
    """The repository (or submodule) whose work tree holds `path`, as it is now; None outside of any.

    None also without git, and where git refuses: a folder of somebody else, a repository inside another's files.
    """
    place = Path(path).absolute()
    folder = place if place.is_dir() else place.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    folder = real_path(folder)
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        return None  # an editor asks at every key, and git would say the same
    return _found(folder, timeout_s)


def repository_of(path: str | Path) -> Repository | None:
    """The same for a program that ends soon: each folder is asked about once."""
    place = Path(path).absolute()
    folder = place if place.is_dir() else place.parent
    found = _known(folder)
    return None if found is None else replace(found, head=None)


@lru_cache(maxsize=256)
def _known(folder: Path) -> Repository | None:
    return find_repository(folder)


def _found(folder: Path, timeout_s: float) -> Repository | None:
    own = _look(folder, _environment(), timeout_s)
    if own is None or not ("GIT_INDEX_FILE" in os.environ or "GIT_DIR" in os.environ):
        return own
    called_in = _look(Path.cwd(), _environment(places=True), timeout_s)
    return called_in if called_in is not None and called_in.top == own.top else own


def _look(folder: Path, env: dict[str, str], timeout_s: float) -> Repository | None:
    """Ask git where things are. Its status is 128 when HEAD names no commit yet, so the lines are counted instead."""
    try:
        done = _git(("rev-parse", *_ASKED), folder, env, timeout_s=timeout_s)
    except ToolNotFoundError:
        return None  # without git there is no repository to speak of
    lines = os.fsdecode(done.stdout).splitlines()
    if done.timed_out or len(lines) != 7 or lines[5] not in ("sha1", "sha256"):
        return None
    top, git_dir, objects, index, excludes = (folder / line for line in lines[:5])
    head = lines[6] if _NAME.fullmatch(lines[6]) else ""
    alternates = env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
    return Repository(real_path(top), git_dir, objects, index, excludes, lines[5], head, alternates)


def root_of(path: Path) -> Path:
    """The folder that links must not lead out of: the nearest with a `.git` above `path`, else the file's own."""
    folder = path.absolute().parent
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    return folder
