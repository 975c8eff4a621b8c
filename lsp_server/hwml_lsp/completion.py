"""Completion inside pragmas, as the worker proposes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lsprotocol import types as lsp

from .documents import Document

TRIGGERS = (" ", "=")
_IN_PRAGMA = re.compile(r"^\s*#\s*pragma\s", re.IGNORECASE)
_KIND = {
    "dialect": lsp.CompletionItemKind.Module,
    "pragma": lsp.CompletionItemKind.Keyword,
    "option": lsp.CompletionItemKind.Property,
    "variable": lsp.CompletionItemKind.Variable,
    "value": lsp.CompletionItemKind.EnumMember,
}


def in_pragma(document: Document, line: int, character: int) -> bool:
    """Whether a place (code points) is inside a pragma; elsewhere completion is others' business."""
    return bool(_IN_PRAGMA.match(document.text.line(line)[:character]))


def items(document: Document, line: int, raw: Sequence[Sequence[Any]]) -> list[lsp.CompletionItem]:
    """The worker's proposals in LSP terms; a word of the client's own choice is never longer than its line."""
    found = []
    for order, (label, kind, new_text, start, end, documentation, detail) in enumerate(raw):
        place = lsp.Range(
            lsp.Position(*document.text.to_units(line, start)), lsp.Position(*document.text.to_units(line, end))
        )
        found.append(
            lsp.CompletionItem(
                label,
                kind=_KIND.get(kind),
                detail=detail or None,
                documentation=documentation or None,
                text_edit=lsp.TextEdit(place, new_text),
                filter_text=label,
                sort_text=f"{order:04d}",
            )
        )
    return found
