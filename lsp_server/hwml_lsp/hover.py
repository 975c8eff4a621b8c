"""Hover: figures of functions and loops, and what pragmas and their options mean; as Markdown or plain text."""

from __future__ import annotations

import re

from lsprotocol import types as lsp

from hwml_sdk.document import Annotation, Span
from hwml_sdk.qor.pragmas.docs import option_doc, pragma_doc
from hwml_sdk.qor.pragmas.table import HLS_OPTIONS

from .client import Client
from .documents import Document
from .hints import tooltip

_PRAGMA = re.compile(r"^\s*#\s*pragma\s+(HLS|ACCEL)\s+(\w+)(.*)$", re.IGNORECASE)
_WORD = re.compile(r"\w+")
LOADING = "Loading model …"


def hover(document: Document, client: Client, line: int, character: int, *, loading: bool) -> lsp.Hover | None:
    """What is known about a place (code points); None when that is nothing."""
    item = annotation_at(document, line, character)
    if item is not None:
        return _hover(document, client, tooltip(document, item).value, item.span)
    found = pragma_at(document.text.line(line), character)
    if found is not None:
        text, start, end = found
        return _hover(document, client, text, Span(line, start, line, end))
    if loading and document.is_ours and not document.analysed and not document.error:
        return _hover(document, client, LOADING, Span(line, 0, line, 0))
    return None


def annotation_at(document: Document, line: int, character: int) -> Annotation | None:
    """The annotation whose own words stand at a place, else the loop whose head does."""
    around = [a for a in document.results.annotations if a.span.start_line <= line <= a.span.end_line]
    exact = [a for a in around if _holds(a.span, line, character)]
    loops = [a for a in around if a.kind == "loop"]
    return next(iter([*exact, *loops]), None)


def _holds(span: Span, line: int, character: int) -> bool:
    return (span.start_line, span.start_character) <= (line, character) <= (span.end_line, span.end_character)


def pragma_at(line: str, character: int) -> tuple[str, int, int] | None:
    """(Markdown, start, end) for the pragma or option that stands at a character of a line."""
    match = _PRAGMA.match(line)
    if match is None:
        return None
    dialect, kind = match.group(1).upper(), match.group(2).upper()
    for word in _WORD.finditer(line, match.start(2)):
        if not word.start() <= character <= word.end():
            continue
        if word.start() == match.start(2):
            text = pragma_doc(dialect, kind)
            options = ", ".join(sorted(HLS_OPTIONS.get(kind, ()))) if dialect == "HLS" else ""
            tail = f"\n\nOptions: {options}" if options else ""
            return (f"**{dialect} {kind}**: {text}{tail}", word.start(), word.end()) if text else None
        text = option_doc(kind, word.group()) if dialect == "HLS" else ""
        return (f"**{word.group()}** ({kind}): {text}", word.start(), word.end()) if text else None
    return None


def _hover(document: Document, client: Client, text: str, span: Span) -> lsp.Hover:
    place = lsp.Range(
        lsp.Position(*document.text.to_units(span.start_line, span.start_character)),
        lsp.Position(*document.text.to_units(span.end_line, span.end_character)),
    )
    if client.markdown:
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), place)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.PlainText, plain(text)), place)


def plain(markdown: str) -> str:
    """The Markdown that hwml writes as plain text: no fences, no stars."""
    lines = [line for line in markdown.splitlines() if not line.startswith("```")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).replace("**", "")).strip()
