"""Which text of a file a hook looks at: the one on the disk, the staged one, or the committed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hwml_sdk.config import trust_root
from hwml_sdk.errors import HwmlError, SourceError
from hwml_sdk.files import real_path
from hwml_sdk.git import Repository, repository_of
from hwml_sdk.languages import Language, includer_of, language_of, titles


@dataclass(frozen=True, slots=True)
class Target:
    """One file to check. shown: its name as the user knows it; path: where it lies, absolute."""

    shown: str
    path: Path


class Trees:
    """Finds the text a hook is to read; trees are written to temporary folders on first use, once a repository."""

    def __init__(self, stack: ExitStack, patterns: Sequence[str], *, staged: bool) -> None:
        self._stack, self._patterns, self._staged = stack, patterns, staged
        self._folders: dict[tuple[Path, str], Path] = {}
        self._renamed: dict[Path, dict[Path, Path]] = {}

    def place(self, target: Target) -> Path:
        """Where to read a target: as it was named, or its staged text. Raises SourceError outside a repository."""
        if not self._staged:
            return Path(target.shown)
        repository = repository_of(target.path)
        if repository is None:
            raise SourceError("is in no git repository, so nothing is staged; leave --staged out", path=target.shown)
        place = self._folder(repository, "") / _inside(target.path, repository)
        if not place.is_file():
            raise SourceError("is not in the index; git add it, or leave --staged out", path=target.shown)
        return place

    def trust_root(self, target: Target, *, given: bool) -> Path | None:
        """The folder that is trusted around a target, where it is read; None for none. given: the user says so now."""
        root = trust_root(target.path, True if given else None)
        repository = repository_of(target.path) if self._staged else None
        if repository is None or root is None:
            return root
        written = self._folder(repository, "").resolve()
        return written / root.relative_to(repository.top) if root.is_relative_to(repository.top) else written

    def committed(self, target: Target) -> Path | None:
        """A target's text at HEAD, under its old name if it was renamed; None when there was none."""
        repository = repository_of(target.path)
        if repository is None or not repository.has_head():
            return None
        if repository.top not in self._renamed:
            self._renamed[repository.top] = repository.renamed()
        here = repository.top / _inside(target.path, repository)
        old = self._renamed[repository.top].get(here, here)
        place = self._folder(repository, "HEAD") / old.relative_to(repository.top)
        return place if place.is_file() else None

    def shown(self, text: str) -> str:
        """A message without the temporary folders in it."""
        for folder in self._folders.values():
            text = text.replace(f"{folder}/", "")
        return text

    def _folder(self, repository: Repository, tree: str) -> Path:
        key = (repository.top, tree)
        if key not in self._folders:
            self._folders[key] = self._stack.enter_context(repository.checked_out(tree, self._patterns))
        return self._folders[key]


def _inside(path: Path, repository: Repository) -> Path:
    """The path within the repository; links above the file are resolved, the file itself is not."""
    return (real_path(path.parent) / path.name).relative_to(repository.top)


def needs_of(languages: Sequence[Language]) -> list[str]:
    """Patterns of all that reading a source of some languages may need."""
    return list(dict.fromkeys(pattern for language in languages for pattern in language.needs))


def targets_of(
    files: Sequence[str], languages: Sequence[Language], *, staged: bool, failed: Callable[[HwmlError], None]
) -> list[Target]:
    """The files as named; with `staged` and no names: all staged files of these languages, and parts of such files.

    failed: hears of names of other languages, which keep no other file from being checked. Raises SourceError when
    there is nothing to do.
    """
    if files:
        names = dict.fromkeys(files)
        for name in names:
            if not _is_of(name, languages):
                failed(SourceError(f"is no {titles(languages)} file (by its name)", path=name))
        return [Target(name, Path(name).absolute()) for name in names if _is_of(name, languages)]
    if not staged:
        raise SourceError("name a file, or pass --staged")
    here = Path.cwd()
    repository = repository_of(here)
    if repository is None:
        raise SourceError("is in no git repository, so nothing is staged; name files", path=here)
    return [
        Target(_from_here(path, here), path)
        for path in repository.staged()
        if _is_of(path, languages) and not path.is_symlink()
    ]


def _is_of(path: str | Path, languages: Sequence[Language]) -> bool:
    """Whether it is a source of one of them, or a part of such a source."""
    return language_of(path) in languages or includer_of(path) in languages


def _from_here(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
