"""Hover: figures of functions and loops, and what a language says of its own words; as Markdown or plain text."""

from __future__ import annotations

import re

from lsprotocol import types as lsp

from hwml_sdk.document import Annotation, Hover, Span

from .client import Client
from .diagnostics import to_range
from .documents import Document
from .hints import tooltip

LOADING = "Loading model …"


def annotated(document: Document, line: int, character: int) -> Hover | None:
    """The annotation at a place (code points)."""
    item = annotation_at(document, line, character)
    return None if item is None else Hover(tooltip(document, item).value, item.span)


def waiting(document: Document, line: int) -> Hover | None:
    """What is said of a document that nothing is known of yet."""
    if document.is_ours and not document.analysed and not document.error:
        return Hover(LOADING, Span(line, 0, line, 0))
    return None


def annotation_at(document: Document, line: int, character: int) -> Annotation | None:
    """The annotation whose own words stand at a place, else the loop whose head does."""
    around = [a for a in document.results.annotations if a.span.start_line <= line <= a.span.end_line]
    exact = [a for a in around if _holds(a.span, line, character)]
    loops = [a for a in around if a.kind == "loop"]
    return next(iter([*exact, *loops]), None)


def _holds(span: Span, line: int, character: int) -> bool:
    return (span.start_line, span.start_character) <= (line, character) <= (span.end_line, span.end_character)


def to_lsp(document: Document, client: Client, found: Hover) -> lsp.Hover:
    """In the client's units, and as Markdown where it shows that."""
    place = to_range(document, found.span)
    if client.markdown:
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), place)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.PlainText, plain(found.text)), place)


def plain(markdown: str) -> str:
    """The Markdown that hwml writes as plain text: no fences, no stars."""
    lines = [line for line in markdown.splitlines() if not line.startswith("```")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).replace("**", "")).strip()
