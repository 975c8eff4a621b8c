"""What may be read while somebody else chooses the names, such as a program that writes code.

with reading_below(Reach((root,), own=(cache,))):
    text = read_source(name)      # raises SourceError for what lies elsewhere

Every file that hwml reads is opened by `files.open_regular`, which asks here. A name counts by where its links lead.
Without `reading_below` and `close` all may be read, as the user may.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

WORDS = "lies outside the folders that may be read"


@dataclass(frozen=True, slots=True)
class Reach:
    """folders: what lies below them may be read. own: hwml's own places (models, caches), for hwml's own needs."""

    folders: tuple[Path, ...] = ()
    own: tuple[Path, ...] = ()

    def holds(self, path: str | Path) -> bool:
        """Whether a path lies below one of the folders, wherever links above and in it lead."""
        return _below(os.path.realpath(path), self.folders)

    def is_own(self, path: str | Path) -> bool:
        """Whether hwml itself names this file: a link from elsewhere to it, or a way round to it, is not that."""
        if ".." in Path(path).parts:
            return False
        return _below(os.path.abspath(path), self.own) and _below(os.path.realpath(path), self.own)  # noqa: PTH100


_EVERYWHERE: Reach | None = None
_inside: ContextVar[Reach | None] = ContextVar("hwml_reach", default=None)


def _below(path: str, folders: tuple[Path, ...]) -> bool:
    for folder in folders:
        for form in {str(folder), os.path.realpath(folder)}:
            if path == form or path.startswith(form.rstrip(os.sep) + os.sep):
                return True
    return False


@contextmanager
def reading_below(reach: Reach) -> Iterator[None]:
    """Inside the block, this thread reads what `reach` holds, and nothing else."""
    token = _inside.set(reach)
    try:
        yield
    finally:
        _inside.reset(token)


@contextmanager
def reading_freely() -> Iterator[None]:
    """Inside the block, this thread reads as the user may: for files that hwml itself names, wherever they are."""
    token = _inside.set(Reach((Path(os.sep),)))
    try:
        yield
    finally:
        _inside.reset(token)


def close(own: tuple[Path, ...]) -> None:
    """From now on this process reads its own places only, but where `reading_below` says more: threads, too."""
    global _EVERYWHERE  # noqa: PLW0603
    _EVERYWHERE = Reach((), own)


def may_read(path: str | Path, *, named: bool = False) -> bool:
    """Whether a file may be opened. named: its name comes from a source or a project, so hwml's own places are closed.

    Names that no file can have (a NUL byte) are left to whoever opens them.
    """
    reach = _inside.get() or _EVERYWHERE
    if reach is None:
        return True
    try:
        return reach.holds(path) or (not named and reach.is_own(path))
    except ValueError:
        return False
