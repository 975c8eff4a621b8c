"""The tools that say what to change: moves that lift a bound, and sets of pragmas that are worth their area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..document import Fix, apply_edits
from ..errors import SourceError
from ..languages import HLS
from ..qor.advice.types import Move, edits_json
from ..qor.advice.what_if import Option, what_if_given
from ..qor.advice.why import why_given
from ..qor.model import Given
from ..report import SCHEMA_VERSION
from .findings import diff
from .hls import Opened
from .sources import Folders, source_of
from .work import Tell

MOST_VARIANTS = 300  # an agent that waits
SECONDS = 20.0


def given_of(opened: Opened) -> Given:
    """A source as the advice takes it."""
    source = opened.source
    return Given(source.path, source.text, opened.inputs, source.settings.hls, source.settings.origins)


def moves_of(opened: Opened, loop: str | None) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Moves of each loop of the source, best first, by its name and line from 0."""
    text, path = opened.source.text, opened.source.path
    try:
        found = why_given(given_of(opened), loop=loop)
    except SourceError:
        return {}  # nothing holds that loop back
    return {
        (item.name, item.span.start_line): [_move(move, text, path) for move in item.moves]
        for item in found
        if item.path == path
    }


def _move(move: Move, text: str, path: str) -> dict[str, Any]:
    return {"title": move.fix.title, "gain": move.gain, "ii": move.ii, **_change(move.fix, text, path)}


def _change(fix: Fix, text: str, path: str) -> dict[str, Any]:
    return {"edits": edits_json(fix), "diff": diff(text, apply_edits(text, fix.edits), path)}


def what_if(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`what_if`: the front of latency against area, of sets of pragmas that were predicted."""
    opened = Opened.of(source_of(arguments, folders, HLS))
    count = int(arguments.get("count", MOST_VARIANTS))

    def told(done: int, total: int) -> None:
        tell(done, max(done, total), "sets of pragmas predicted")

    found = what_if_given(
        given_of(opened), budget=arguments.get("budget"), count=count, seconds=SECONDS, tell=told
    )  # fmt: skip
    return {
        "schema_version": SCHEMA_VERSION,
        "path": opened.source.path,
        "present": found.present.to_dict(),
        "options": [_option(option, opened) for option in found.options],
        "tried": found.tried,
        "size": found.size,
        "complete": found.complete,
        "unmet": found.unmet,
    }


def _option(option: Option, opened: Opened) -> dict[str, Any]:
    told = {key: value for key, value in option.to_dict().items() if key not in ("before", "edits")}
    return {**told, **_change(option.fix, opened.source.text, opened.source.path)}
