"""What is shown of a text that is half-typed: what could be read anew, and the figures of before for all the rest.

One bracket that is open makes a parser lose its way for many functions. Those that nobody touched keep the figures they
had; a touched one shows what can be read of it now, and keeps a loop that cannot. Whatever is of an older text says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hwml_sdk.document import Annotation, Span

UNKNOWN = "?"


def merged(old: Sequence[Annotation], fresh: Sequence[Annotation], *, final: bool) -> list[Annotation]:
    """Fresh results of a text that could not be read as a whole, and older ones (moved) where they are missing.

    final: no more of them will come, so that what is missing now is of an older text.
    """
    known = {(str(item.kind), item.name): item for item in fresh if item.kind != "loop"}
    shown: list[Annotation] = []
    kept: list[Span] = []  # of functions that stand as they were, with their loops
    for function in (item for item in old if item.kind != "loop"):
        found = known.get((function.kind, function.name))
        if found is None or not (function.stale or _is_read_whole(function, found)):
            shown.append(replace(function, stale=final or function.stale))
            kept.append(_extent(function))
    # A function that a broken text made longer than it is may reach over others: these have a line of their own.
    names = {(str(item.kind), item.name) for item in shown}
    own = [item for item in fresh if item.kind != "loop" and (str(item.kind), item.name) not in names]
    shown += own
    shown += [item for item in fresh if item not in own and not any(_holds(span, item) for span in kept)]
    places = {item.span.start_line for item in shown}
    shown += [
        replace(item, stale=final or item.stale)
        for item in old
        if item.kind == "loop" and item.span.start_line not in places
    ]
    return sorted(shown, key=lambda item: (item.span, item.kind))


def _is_read_whole(before: Annotation, now: Annotation) -> bool:
    """Whether a function that nobody touched was read to its end again, and no figure of it was lost."""
    old, new = _extent(before), _extent(now)
    as_long = old.end_line - old.start_line == new.end_line - new.start_line
    return as_long and _unknown(now) <= _unknown(before)


def _unknown(item: Annotation) -> int:
    return item.summary.split().count(UNKNOWN)


def _extent(item: Annotation) -> Span:
    return item.extent or item.span


def _holds(whole: Span, item: Annotation) -> bool:
    return whole.start_line <= item.span.start_line <= whole.end_line
