"""Sources of the workspace that are not open: analysed one after the other beside all else, for overviews of it.

Nothing is looked at before a client asks for an overview. Bounded: so many files of so many bytes each, and no language
that has to run a compiler; what is left out is counted and said.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path

from hwml_sdk.document import Symbol
from hwml_sdk.errors import HwmlError
from hwml_sdk.files import read_source
from hwml_sdk.languages import language_of

from .documents import Document
from .settings import ClientSettings

log = logging.getLogger("hwml_lsp.workspace")
MAX_BYTES = 400_000  # of one file
MAX_ENTRIES = 50_000  # of folders that are looked through
FILE_S = 60.0
TOLD_EVERY_S = 0.5
_PASSED_OVER = frozenset(("node_modules", "build", "dist", "target", "out", "__pycache__", "venv"))


class Workspace:
    """What is known of files that are not open. `analyse` runs one document; whether that came to its end.

    complete: every file was looked at; problem: what was not, where the look is over all the same.
    """

    def __init__(self, analyse: Callable[[Document], Awaitable[bool]], is_open: Callable[[str], bool]) -> None:
        self.documents: dict[str, Document] = {}
        self.outlines: dict[str, list[Symbol]] = {}
        self.left_out = 0
        self.complete = False
        self.problem = ""
        self.on_change: Callable[[], None] = lambda: None
        self.settings_for: Callable[[str], ClientSettings] = lambda _: ClientSettings()
        self._analyse = analyse
        self._is_open = is_open
        self._roots: list[str] = []
        self._limit = 0
        self._stamps: dict[str, tuple[int, int]] = {}
        self._failed: dict[str, str] = {}  # files that could not be looked at, and why
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._changed = asyncio.Event()
        self._told = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be known before something changes."""
        return self.complete or self.problem != ""

    def start(self, roots: list[str], limit: int) -> None:
        """Look at the workspace, unless that is done or under way."""
        if self._task is None or (roots, limit) != (self._roots, self._limit):
            self._roots, self._limit = list(roots), limit
            self.refresh()

    def refresh(self) -> None:
        """Look again at what has changed on disk; only once a client has asked for an overview."""
        if not self._roots and self._task is None:
            return
        if self._task is not None and not self._task.done():
            self._again = True
            return
        self.complete, self.problem = False, ""
        self._task = asyncio.ensure_future(self._run())

    async def wait(self, timeout_s: float) -> None:
        """Wait until more is known."""
        changed = self._changed
        try:
            await asyncio.wait_for(changed.wait(), timeout_s)
        except TimeoutError:
            return

    def end(self) -> None:
        """The client is leaving."""
        if self._task is not None:
            self._task.cancel()

    # -- inside --

    async def _run(self) -> None:
        try:
            while True:
                self._again = False
                await self._look()
                if not self._again:
                    break
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whoever waits has to hear that no more will come
            log.exception("the workspace was not looked at to its end")
            self.problem = f"the workspace was not looked at to its end: {type(error).__name__}: {error}"
        else:
            self.problem = _said(self._failed)
            self.complete = not self.problem
        self._tell(last=True)

    async def _look(self) -> None:
        found, self.left_out = await asyncio.to_thread(sources, self._roots, self._limit)
        present = {path.as_uri() for path in found}
        for uri in [uri for uri in (*self.documents, *self._failed) if uri not in present]:
            self.documents.pop(uri, None)
            self._stamps.pop(uri, None)
            self._failed.pop(uri, None)
            self.outlines.pop(uri, None)
        for path in found:
            uri = path.as_uri()
            if self._is_open(uri):
                self._failed.pop(uri, None)
                continue
            stamp = _stamp(path)
            if stamp is None or self._stamps.get(uri) == stamp:
                continue
            self._stamps[uri] = stamp
            self._failed.pop(uri, None)
            failed = await self._take(path, uri)
            if failed:
                log.warning("%s", failed)
                self._failed[uri] = failed
            self._tell()

    async def _take(self, path: Path, uri: str) -> str:
        """Look at one file; why that failed, which keeps no other from being looked at."""
        try:
            text = await asyncio.to_thread(read_source, path)
            document = Document(uri, 0, text, "utf-16")
            document.settings = self.settings_for(uri)
            ended = await self._analyse(document)
        except (HwmlError, OSError) as error:
            return str(error)
        except Exception as error:  # a fault of ours with one file
            log.exception("%s", path)
            return f"{path}: {type(error).__name__}: {error}"
        self.documents[uri] = document
        return "" if ended else f"{path}: {document.error or 'the analysis was given up'}"

    def _tell(self, *, last: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        if last or now - self._told > TOLD_EVERY_S:
            self._told = now
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
            self.on_change()


MAX_NAMED = 3


def _said(failed: Mapping[str, str]) -> str:
    """Files that could not be looked at, in one line; "" for none."""
    if not failed:
        return ""
    more = f" and {len(failed) - MAX_NAMED} more" if len(failed) > MAX_NAMED else ""
    named = "; ".join(list(failed.values())[:MAX_NAMED])
    return f"{len(failed)} file{'s' if len(failed) > 1 else ''} could not be looked at: {named}{more}"


def sources(roots: Iterable[str], limit: int) -> tuple[list[Path], int]:
    """Files of hwml's languages below some folders, the nearest to a root first; how many more there are."""
    found: dict[Path, None] = {}
    for root in roots:
        found.update(dict.fromkeys(_below(Path(root))))
    nearest = sorted(found, key=lambda path: (len(path.parts), str(path)))
    return nearest[:limit], max(len(nearest) - limit, 0)


def _below(root: Path) -> Iterator[Path]:
    seen = 0
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _PASSED_OVER)
        seen += len(folders) + len(names)
        if seen > MAX_ENTRIES:
            return
        for name in names:
            path = Path(place, name)
            language = language_of(path)
            if language is not None and path.suffix.lower() in language.sources and _is_small(path):
                yield path


def _is_small(path: Path) -> bool:
    stamp = _stamp(path)
    return stamp is not None and stamp[1] <= MAX_BYTES and not path.is_symlink()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
