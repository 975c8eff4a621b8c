"""Move results of an older text through the edits since: what an edit touched is dropped, the rest keeps its place."""

from __future__ import annotations

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


def move_annotation(item: Annotation, change: Change) -> Annotation | None:
    """The annotation at its new place; None when its lines were touched."""
    span = move_span(item.span, change)
    return None if span is None else item if span == item.span else replace(item, span=span)


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
