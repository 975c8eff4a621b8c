"""Inlay hints: loops always, functions where no lens shows them."""

from __future__ import annotations

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
    """Hints of the lines from `first` to `last`, at the ends of lines, one for each annotation."""
    settings = document.settings
    if not settings.hints:
        return []
    functions = shows_functions(settings, client)
    found = []
    for item in document.results.annotations:
        line = item.span.start_line
        wanted = settings.hints_loops if item.kind == "loop" else functions
        if wanted and first <= line <= last and line < document.text.lines:
            found.append(_hint(document, client, item))
    return found


def _hint(document: Document, client: Client, item: Annotation) -> lsp.InlayHint:
    line = item.span.start_line
    end = len(document.text.line(line))
    hint = lsp.InlayHint(
        position=lsp.Position(*document.text.to_units(line, end)),
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
