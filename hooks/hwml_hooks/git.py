"""What hooks ask git: where a repository is, what is staged, what was committed, what is ignored.

Git sets GIT_DIR and GIT_INDEX_FILE for its hooks; they are obeyed in the repository they belong to (a partial commit
has an index of its own), and left out when a file lies in another one, such as a submodule.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hwml_sdk.errors import HwmlError, ToolNotFoundError
from hwml_sdk.tools import ToolResult, find_tool, run_tool

TIMEOUT_S = 60.0
# Variables by which git tells its hooks where they are (git rev-parse --local-env-vars).
_PLACES = {
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree; env: the environment git is called with."""

    top: Path
    env: dict[str, str]

    def git(self, *arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> ToolResult:
        """Run git at the top of the work tree."""
        return _git(arguments, self.top, {**self.env, **(env or {})}, stdin)

    def out(self, *arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> str:
        """The same, for what must succeed. Raises HwmlError with git's own first line."""
        done = self.git(*arguments, stdin=stdin, env=env)
        if not done.ok:
            said = (done.stderr.strip() or "took too long").splitlines()[0]
            raise HwmlError(f"git {arguments[0]} in {self.top}: {said}")
        return done.stdout

    def has_head(self) -> bool:
        """Whether there is a commit yet."""
        return self.git("rev-parse", "--verify", "-q", "HEAD^{commit}").ok

    def staged(self) -> list[Path]:
        """Files that differ between HEAD and the index, without those that are deleted there."""
        names = self.out("diff", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=AMT")
        return [self.top / name for name in names.split("\0") if name]

    def renamed(self) -> dict[Path, Path]:
        """New place -> place at HEAD, for files that were renamed since."""
        done = self.out("diff", "--cached", "-M", "--diff-filter=R", "--name-status", "-z", "HEAD").split("\0")
        return {self.top / new: self.top / old for _, old, new in zip(*[iter(done)] * 3, strict=False)}

    def ignored(self, paths: Sequence[Path]) -> set[Path]:
        """Those of `paths` that git ignores."""
        by_name = {str(path): path for path in paths}
        done = self.git("check-ignore", "-z", "--stdin", stdin="\0".join(by_name) + "\0")
        return {by_name[name] for name in done.stdout.split("\0") if name in by_name}

    def listed(self, folder: Path, patterns: Sequence[str]) -> list[Path]:
        """Files below `folder` that are tracked, or new and not ignored."""
        specs = [f":(glob){_relative(folder, self.top)}**/{pattern}" for pattern in patterns]
        names = self.out("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *specs)
        return [self.top / name for name in dict.fromkeys(names.split("\0")) if name]

    @contextmanager
    def checked_out(self, tree: str, patterns: Sequence[str]) -> Iterator[Path]:
        """The files of `tree` ("" for the index, else a commit) that match, in a temporary folder."""
        with tempfile.TemporaryDirectory(prefix="hwml-") as name:
            folder = Path(name).resolve()
            (folder / ".git").mkdir()  # settings and projects are not looked for above it
            env = {}
            if tree:
                env = {"GIT_INDEX_FILE": str(folder / ".git" / "index")}
                self.out("read-tree", tree, env=env)
            names = self.out("ls-files", "-z", "--", *patterns, env=env)
            self.out("checkout-index", "-q", "-z", "--stdin", f"--prefix={folder}/", stdin=names, env=env)
            yield folder


def _relative(folder: Path, top: Path) -> str:
    inside = folder.resolve().relative_to(top).as_posix()
    return "" if inside == "." else f"{inside}/"


def _git(arguments: Iterable[str], cwd: Path, env: dict[str, str], stdin: str | None = None) -> ToolResult:
    program = find_tool("git")
    return run_tool([program, *arguments], timeout_s=TIMEOUT_S, cwd=cwd, env=env, stdin=stdin)


def _without_git_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _PLACES}


def repository_of(path: str | Path) -> Repository | None:
    """The repository (or submodule) whose work tree holds `path`; None outside of any."""
    place = Path(path).absolute()
    folder = place if place.is_dir() else place.parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return _repository(folder.resolve())


@lru_cache(maxsize=256)
def _repository(folder: Path) -> Repository | None:
    own = _without_git_variables()
    top = _toplevel(folder, own)
    if top is None:
        return None
    given = dict(os.environ)
    if "GIT_INDEX_FILE" in given or "GIT_DIR" in given:
        called_in = _toplevel(Path.cwd(), given)
        return Repository(top, given if called_in == top else own)
    return Repository(top, own)


def _toplevel(folder: Path, env: dict[str, str]) -> Path | None:
    try:
        done = _git(("rev-parse", "--show-toplevel"), folder, env)
    except ToolNotFoundError:
        return None  # without git there is no repository to speak of
    name = done.stdout.strip("\n")
    return Path(name).resolve() if done.ok and name else None


def root_of(path: Path) -> Path:
    """The folder that links must not lead out of: the nearest with a `.git` above `path`, else the file's own."""
    folder = path.absolute().parent
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    return folder
