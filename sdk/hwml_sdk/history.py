"""What a document was at the last commit, and how far its predicted figures have moved since.

Nothing that a repository configures is run (see `git`).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from .document import Analysis, Figures
from .errors import HwmlError
from .git import Repository, find_repository
from .git_state import State, place_of, state_of

GIT_TIMEOUT_S = 5.0
RETRY_S = 30.0  # git may have refused, or lacked what it has by now: what was not found is asked for again
MAX_KEPT = 64  # files
# Field of Figures -> what people read.
_SHOWN = (("lut", "LUT"), ("dsp", "DSP"), ("ff", "FF"), ("latency_cycles", "cyc"))
_SMALLEST = 0.01  # changes below one percent are noise to a reader


@dataclass(frozen=True, slots=True)
class Committed:
    """A file at HEAD: its text, and the name of the object that holds it."""

    blob: str
    text: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """What git said of a file, when, and of which state of its repository."""

    found: Committed | None
    repository: Repository | None
    place: State
    state: State | None
    at: float

    def holds(self, place: State) -> bool:
        """Whether git would say the same now."""
        if self.place != place or (self.found is None and time.monotonic() - self.at > RETRY_S):
            return False
        return self.repository is None or (self.state is not None and state_of(self.repository) == self.state)


_kept: dict[str, _Kept] = {}
_gate = threading.Lock()


def committed(path: str | Path) -> Committed | None:
    """The file at HEAD; None outside a repository, without git, for new files, and where git refuses.

    A repository in the middle of a rebase has a HEAD like any other. Git is started only where HEAD may name something
    else than the last time: an editor asks at every key.
    """
    name = str(Path(path).absolute())
    place = place_of(Path(name))
    kept = _kept.get(name)
    if kept is None or not kept.holds(place):
        kept = _asked(Path(name), place)
        with _gate:
            _kept.pop(name, None)
            while len(_kept) >= MAX_KEPT:
                del _kept[next(iter(_kept))]
            _kept[name] = kept
    return kept.found


def _asked(path: Path, place: State) -> _Kept:
    at = time.monotonic()
    repository, state, blob = None, None, None
    try:
        repository = find_repository(path, timeout_s=GIT_TIMEOUT_S)
        if repository is not None:
            state = state_of(repository)  # before HEAD is looked up: what changes meanwhile is noticed the next time
            blob = replace(repository, head=None).committed(path, timeout_s=GIT_TIMEOUT_S)
    except HwmlError:
        blob = None
    found = None if blob is None or blob.data is None else Committed(blob.name, blob.data.decode("utf-8", "replace"))
    return _Kept(found, repository, place, state, at)


def figures(analysis: Analysis) -> dict[str, Figures]:
    """Figures of each function or module of which any is known, by name."""
    return {i.name: i.figures for i in analysis.annotations if i.kind != "loop" and i.figures.are_known}


def change(old: Figures, new: Figures) -> str:
    """`LUT +12 %, cyc -50 %`: what moved by a percent or more, largest first, two at most; "" when nothing did."""
    moved = []
    for key, name in _SHOWN:
        before, after = getattr(old, key), getattr(new, key)
        if before is None or after is None or before == after:
            continue
        if not before:
            moved.append((float("inf"), f"{name} 0 → {after}"))
            continue
        share = (after - before) / before
        if abs(share) >= _SMALLEST:
            moved.append((abs(share), f"{name} {_percent(share)}"))
    moved.sort(key=lambda item: -item[0])
    return ", ".join(text for _, text in moved[:2])


def _percent(share: float) -> str:
    if share >= 9.995:
        return f"x{share + 1:.0f}"
    return f"{'+' if share > 0 else '−'}{abs(share) * 100:.0f} %"
