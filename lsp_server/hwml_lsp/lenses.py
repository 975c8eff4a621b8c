"""Code lenses: a line above each function and module, with what moved since the last commit or the pinned baseline."""

from __future__ import annotations

from lsprotocol import types as lsp

from hwml_sdk.document import Annotation

from .client import Client
from .documents import Document
from .hints import marked, place_of

COMMAND = "hwml.details"


def lenses(document: Document, client: Client) -> list[lsp.CodeLens]:
    """One lens for each function and module that has figures, and for each loop whose hint has no place."""
    if not document.settings.lenses:
        return []
    found = []
    for item in document.results.annotations:
        if item.span.start_line >= document.text.lines or (item.kind == "loop" and not _wants(document, client, item)):
            continue
        title = marked(item, item.summary or item.label)
        moved = document.results.changes.get(item.name) if item.kind != "loop" else None
        if moved:
            title = f"{title}  ({moved})"
        start = lsp.Position(*document.text.to_units(item.span.start_line, item.span.start_character))
        end = lsp.Position(*document.text.to_units(item.span.end_line, item.span.end_character))
        command = lsp.Command(title, COMMAND, arguments=[document.uri, start.line, start.character])
        found.append(lsp.CodeLens(lsp.Range(start, end), command))
    return found


def _wants(document: Document, client: Client, loop: Annotation) -> bool:
    """Whether a loop has a lens: the client shows no hints, or the loop's line is too long for one."""
    settings = document.settings
    if not settings.hints_loops:
        return False
    return not client.shows_hints or (settings.hints and place_of(document, client, loop) is None)
