"""Completion where a language has proposals, as the worker makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lsprotocol import types as lsp

from hwml_sdk.document import CompletionKind
from hwml_sdk.languages import languages

from .client import Client
from .documents import Document

_KIND: dict[CompletionKind, lsp.CompletionItemKind] = {
    "module": lsp.CompletionItemKind.Module,
    "keyword": lsp.CompletionItemKind.Keyword,
    "property": lsp.CompletionItemKind.Property,
    "variable": lsp.CompletionItemKind.Variable,
    "value": lsp.CompletionItemKind.EnumMember,
    "function": lsp.CompletionItemKind.Function,
}


def triggers() -> list[str]:
    """Characters after which clients ask by themselves."""
    return list(dict.fromkeys(sign for language in languages() for sign in language.triggers))


def items(document: Document, client: Client, line: int, raw: Sequence[Sequence[Any]]) -> list[lsp.CompletionItem]:
    """The worker's proposals in LSP terms; a word of the client's own choice is never longer than its line."""
    found = []
    for order, (label, kind, new_text, start, end, documentation, detail, deprecated) in enumerate(raw):
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
                tags=[lsp.CompletionItemTag.Deprecated] if deprecated and client.shows_tags else None,
                deprecated=True if deprecated and not client.shows_tags else None,
            )
        )
    return found


def signature(raw: Sequence[Any]) -> lsp.SignatureHelp:
    """How what is being typed is written."""
    label, parts, active, documentation = raw
    parameters = [lsp.ParameterInformation(part, said or None) for part, said in parts]
    shown = lsp.SignatureInformation(label, documentation or None, parameters, active)
    return lsp.SignatureHelp([shown], 0, active)
