"""Move results of an older text through the edits since: figures stay, marked; findings that an edit touched go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hwml_sdk.document import Annotation, Diagnostic, Edit, Fix, Related, Span

from .text import Change


def touched(change: Change) -> tuple[int, int]:
    """First and last line whose content changed; last < first when whole lines came or went between others."""
    span = change.span
    first, last = span.start_line, span.end_line
    whole = change.new_text == "" or change.new_text.endswith(("\n", "\r"))
    if span.end_character == 0 and whole and span.start_character == 0:
        last -= 1
    return first, last


def move_span(span: Span, change: Change) -> Span | None:
    """`span` in the text after `change`; None when the change touched one of its lines."""
    first, last = touched(change)
    if span.end_line < first:
        return span
    if span.start_line <= last:
        return None
    shift = change.added - (change.span.end_line - change.span.start_line)
    return Span(span.start_line + shift, span.start_character, span.end_line + shift, span.end_character)


def move_place(line: int, character: int, change: Change) -> tuple[int, int]:
    """A place in the text after `change`; one inside what was replaced is where the new text ends, at the latest."""
    span = change.span
    if (line, character) < (span.start_line, span.start_character):
        return line, character
    added = change.added
    end_line, end = span.start_line + added, change.last + (0 if added else span.start_character)
    if (line, character) < (span.end_line, span.end_character):
        return min((line, character), (end_line, end))
    if line == span.end_line:
        return end_line, end + character - span.end_character
    return line + added - (span.end_line - span.start_line), character


def move_annotations(items: Iterable[Annotation], change: Change) -> list[Annotation]:
    """Annotations at their new places, without those whose heads went; all that an edit is far from stay themselves."""
    begin, end = change.span.start_line, change.span.end_line
    stays = change.added == end - begin  # what stands below keeps its lines
    found = []
    for item in items:
        whole = item.extent or item.span
        if max(whole.end_line, item.span.end_line) < begin or (
            stays and min(whole.start_line, item.span.start_line) > end
        ):
            found.append(item)
        elif (moved := move_annotation(item, change)) is not None:
            found.append(moved)
    return found


def move_annotation(item: Annotation, change: Change) -> Annotation | None:
    """The annotation at its new place, and stale where the change touched what it is about; None when its head went."""
    head, cut = (item.span.start_line, item.span.start_character), change.span
    begin, end = (cut.start_line, cut.start_character), (cut.end_line, cut.end_character)
    if begin <= head < end and begin[0] != end[0]:
        return None
    span = _moved(item.span, change)
    extent = None if item.extent is None else _moved(item.extent, change)
    whole, (first, last) = item.extent or item.span, touched(change)
    stale = item.stale or _meets(whole, first, last, cut)
    if (span, extent, stale) == (item.span, item.extent, item.stale):
        return item
    return replace(item, span=span, extent=extent, stale=stale)


def _meets(whole: Span, first: int, last: int, cut: Span) -> bool:
    """Whether lines that changed, or came between others, are among those of a function or loop."""
    if last < first:  # at the start of line `first`, which is itself as before
        return whole.start_line < first <= whole.end_line
    return cut.start_line <= whole.end_line and whole.start_line <= last


def _moved(span: Span, change: Change) -> Span:
    start = move_place(span.start_line, span.start_character, change)
    end = move_place(span.end_line, span.end_character, change)
    return Span(*start, *max(start, end))


def move_diagnostic(item: Diagnostic, change: Change, path: str) -> Diagnostic | None:
    """The diagnostic at its new place, with what belongs to it; None when its lines were touched."""
    span = move_span(item.span, change)
    if span is None:
        return None
    fixes = tuple(fix for fix in (_move_fix(fix, change) for fix in item.fixes) if fix is not None)
    related = tuple(other for other in (_move_related(r, change, path) for r in item.related) if other is not None)
    return replace(item, span=span, fixes=fixes, related=related)


def _move_fix(fix: Fix, change: Change) -> Fix | None:
    edits = []
    for edit in fix.edits:
        span = move_span(edit.span, change)
        if span is None:
            return None
        edits.append(Edit(span, edit.new_text))
    return replace(fix, edits=tuple(edits))


def _move_related(item: Related, change: Change, path: str) -> Related | None:
    if item.path is not None and item.path != path:
        return item
    span = move_span(item.span, change)
    return None if span is None else replace(item, span=span)
