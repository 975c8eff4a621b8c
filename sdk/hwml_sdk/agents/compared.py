"""`compare`: two texts, two files, or a file and what a commit holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..amounts import change_of, whole
from ..errors import RefusedError, SourceError
from ..git import find_repository
from ..history import change
from ..languages import HLS
from ..qor.answer.shown import design_figures
from ..qor.answer.types import LoopQor, QorPrediction, plain_number
from ..reach import Reach
from ..report import SCHEMA_VERSION
from .hls import Opened, all_loops, figures
from .sources import Folders, Source, source_of
from .work import Tell

_CHANGED = {"LUT": "lut", "DSP": "dsp", "FF": "ff", "latency_cycles": "latency_cycles"}


def compare(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """Figures of both, what changed and how sure that is, and the loops that are others."""
    now = Opened.of(source_of(arguments, folders, HLS))
    before = _before(arguments, folders, now)
    tell(1, 3, "read")
    old = before.predict()
    tell(2, 3, "predicted the text before")
    new = now.predict()
    return {
        "schema_version": SCHEMA_VERSION,
        "before": {**figures(old), "top": old.top, "path": before.source.path},
        "after": {**figures(new), "top": new.top, "path": now.source.path},
        "changes": _changes(old, new),
        "loops": _loops(old, new),
        "summary": change(design_figures(old), design_figures(new)) or "no change",
        "notes": list(dict.fromkeys((*old.warnings, *new.warnings))),
    }


def _before(arguments: Mapping[str, Any], folders: Folders, now: Opened) -> Opened:
    """The other side. Raises SourceError where the arguments name none, or more than one."""
    given = [key for key in ("before_text", "before_path", "revision") if arguments.get(key) is not None]
    if len(given) != 1:
        raise SourceError("give one of `before_text`, `before_path` and `revision`")
    if given == ["revision"]:
        text = _committed(now.source, str(arguments["revision"]), folders)
        source = Source(now.source.path, text, now.source.settings, now.source.is_file)
        return Opened(source, now.inputs)
    other = source_of(arguments, folders, HLS, path="before_path", text="before_text")
    if other.is_file or not now.source.is_file:
        return Opened.of(other)
    # A text before that has no place of its own stands where the one after it does.
    return Opened(Source(now.source.path, other.text, now.source.settings, is_file=True), now.inputs)


def _committed(source: Source, revision: str, folders: Folders) -> str:
    """The file at a commit. Raises RefusedError for a repository that is not wholly open, SourceError for no text."""
    if not source.is_file:
        raise SourceError("`revision` needs `path`: a text by itself was never committed")
    place = Path(source.path)
    repository = find_repository(place)
    if repository is None:
        raise SourceError("is in no git repository, so there is no revision of it", path=place)
    reach = Reach(folders.readable)
    if not all(map(reach.holds, (repository.top, repository.folder, repository.objects))):
        raise RefusedError(
            f"{place}: its repository ({repository.top}) lies outside the open folders: open that folder"
        )
    blob = repository.at(revision, place)
    if blob is None or blob.data is None:
        raise SourceError(f"there is no text of it at {revision!r}", path=place)
    return blob.data.decode("utf-8-sig", "replace")


def _changes(old: QorPrediction, new: QorPrediction) -> dict[str, Any]:
    found = {}
    for key, name in _CHANGED.items():
        before, after = getattr(old, name), getattr(new, name)
        if before is not None and after is not None:
            sure = new.certainty.get(name)
            percent, interval = change_of(before, after, 1.0 if sure is None else sure.change)
            ends = (percent, interval.low, interval.high)
            found[key] = dict(zip(("percent", "low", "high"), (plain_number(end, 1) for end in ends), strict=True))
    return found


def _loops(old: QorPrediction, new: QorPrediction) -> list[dict[str, Any]]:
    """Loops of both that have another II or take other cycles, by function and name."""
    before = {(loop.function, loop.name): loop for loop in all_loops(old)}
    found = []
    for loop in all_loops(new):
        other = before.get((loop.function, loop.name))
        row = {
            "name": loop.name,
            "function": loop.function,
            "ii_before": None if other is None else _ii(other),
            "ii_after": _ii(loop),
            "cycles_before": None if other is None else whole(other.total_cycles),
            "cycles_after": whole(loop.total_cycles),
        }
        if row["ii_before"] != row["ii_after"] or row["cycles_before"] != row["cycles_after"]:
            found.append(row)
    return found


def _ii(loop: LoopQor) -> int | None:
    return None if loop.ii_is_guess else loop.ii
