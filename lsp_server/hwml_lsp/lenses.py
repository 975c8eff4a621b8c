"""Code lenses: a line above each function and module, with what moved since the last commit or the pinned baseline."""

from __future__ import annotations

from lsprotocol import types as lsp

from .client import Client
from .documents import Document
from .hints import marked

COMMAND = "hwml.details"


def lenses(document: Document, client: Client) -> list[lsp.CodeLens]:
    """One lens for each function and module that has figures, and for each loop where the client has no hints."""
    if not document.settings.lenses:
        return []
    found = []
    loops = not client.shows_hints and document.settings.hints_loops
    for item in document.results.annotations:
        if (item.kind == "loop" and not loops) or item.span.start_line >= document.text.lines:
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
