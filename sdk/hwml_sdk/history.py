"""What a document was at the last commit, and how far its predicted figures have moved since.

Nothing that a repository configures is run (see `git`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .document import Analysis, Figures
from .errors import HwmlError
from .git import find_repository

GIT_TIMEOUT_S = 5.0
# Field of Figures -> what people read.
_SHOWN = (("lut", "LUT"), ("dsp", "DSP"), ("ff", "FF"), ("latency_cycles", "cyc"))
_SMALLEST = 0.01  # changes below one percent are noise to a reader


@dataclass(frozen=True, slots=True)
class Committed:
    """A file at HEAD: its text, and the name of the object that holds it."""

    blob: str
    text: str


def committed(path: str | Path) -> Committed | None:
    """The file at HEAD; None outside a repository, without git, for new files, and where git refuses.

    A repository in the middle of a rebase has a HEAD like any other.
    """
    place = Path(path)
    try:
        repository = find_repository(place, timeout_s=GIT_TIMEOUT_S)
        blob = repository.committed(place, timeout_s=GIT_TIMEOUT_S) if repository is not None else None
    except HwmlError:
        return None
    if blob is None or blob.data is None:
        return None
    return Committed(blob.name, blob.data.decode("utf-8", "replace"))


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
