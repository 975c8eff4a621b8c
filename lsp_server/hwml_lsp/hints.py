"""Inlay hints: loops always, functions where no lens shows them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from lsprotocol import types as lsp

from hwml_sdk.document import Annotation

from .client import Client
from .documents import Document
from .settings import ClientSettings


def shows_functions(settings: ClientSettings, client: Client) -> bool:
    """Whether functions get hints: `auto` means where the client has no lenses, or they are off."""
    if settings.hints_functions == "auto":
        return not (client.shows_lenses and settings.lenses)
    return settings.hints_functions == "always"


OLD = " (old)"
OLD_WORDS = "_Figures of the text as it was: what changed since is not read yet, or cannot be read as it stands._"


def marked(item: Annotation, words: str) -> str:
    """Words about an annotation, with a mark where they are of an older text."""
    return f"{words}{OLD}" if item.stale else words


def hints(document: Document, client: Client, first: int, last: int) -> list[lsp.InlayHint]:
    """Hints of the lines from `first` to `last`, one for each annotation: at the end of its line, or at its label."""
    settings = document.settings
    if not settings.hints:
        return []
    functions = shows_functions(settings, client)
    found = []
    items = document.results.annotations
    # A label above its loop has the loop's hint.
    begin, end = bisect_left(items, first, key=_line), bisect_right(items, last + 1, key=_line)
    for item in items[begin:end]:
        wanted = settings.hints_loops if item.kind == "loop" else functions
        if not wanted or item.span.start_line >= document.text.lines:
            continue
        place = place_of(document, client, item)
        if place is not None and first <= place[0] <= last:
            found.append(_hint(document, client, item, place))
    return found


def _line(item: Annotation) -> int:
    return item.span.start_line


LONG = 100  # characters: the end of a longer line is out of sight in a window of half a screen
_LABEL = re.compile(r"(?:^|[;{}\s])(?!(?:default|public|private|protected)\b)[A-Za-z_]\w*\s*:\s*$")


def place_of(document: Document, client: Client, item: Annotation) -> tuple[int, int] | None:
    """Where the hint of an annotation goes: the end of its line; of a long line, the end of the loop's label.

    None where a long line has no label and a lens above it can say the same.
    """
    text, line = document.text, item.span.start_line
    end = len(text.line(line))
    if item.kind != "loop" or end <= LONG:
        return line, end
    before = text.line(line)[: item.span.start_character]
    if _LABEL.search(before):
        return line, len(before.rstrip())
    above = text.line(line - 1).rstrip() if line > 0 and not before.strip() else ""
    if _LABEL.search(above):
        return line - 1, len(above)
    return None if client.shows_lenses and document.settings.lenses else (line, end)


def _hint(document: Document, client: Client, item: Annotation, place: tuple[int, int]) -> lsp.InlayHint:
    line = item.span.start_line
    hint = lsp.InlayHint(
        position=lsp.Position(*document.text.to_units(*place)),
        label=marked(item, item.label),
        padding_left=True,
        data={"uri": document.uri, "kind": item.kind, "name": item.name, "line": line, "version": document.version},
    )
    if not client.resolves_hints:
        hint.tooltip = tooltip(document, item)
    return hint


def tooltip(document: Document, item: Annotation) -> lsp.MarkupContent:
    """Everything known about an annotation."""
    moved = document.results.changes.get(item.name) if item.kind != "loop" else None
    text = item.detail + (f"\n\n{moved}" if moved else "") + (f"\n\n{OLD_WORDS}" if item.stale else "")
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, text)


def find(document: Document, kind: str, name: str, line: int) -> Annotation | None:
    """The annotation a hint stands for; None when it has gone."""
    for item in document.results.annotations:
        if (item.kind, item.name, item.span.start_line) == (kind, name, line):
            return item
    return None
