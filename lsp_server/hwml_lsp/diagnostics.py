"""Diagnostics in LSP terms."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path

from lsprotocol import types as lsp

from hwml_sdk.document import Diagnostic, Span
from hwml_sdk.languages import Rival

from .client import Client
from .documents import Document

_SEVERITY = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
    "hint": lsp.DiagnosticSeverity.Hint,
}


def to_range(document: Document, span: Span) -> lsp.Range:
    """A span in the client's units, held inside the text."""
    text = document.text
    return lsp.Range(
        lsp.Position(*text.to_units(span.start_line, span.start_character)),
        lsp.Position(*text.to_units(span.end_line, span.end_character)),
    )


def shown(document: Document) -> list[Diagnostic]:
    """The findings to show; where another server is at work that tells the same, they are left to it."""
    if not document.settings.diagnostics:
        return []
    found, language = document.results.diagnostics, document.language
    if language is None or language.rival is None:
        return found
    wanted = document.settings.analysis.get(language.name, {}).get("diagnostics", "auto")
    if wanted == "auto" and _serves(language.rival, document.path or ""):
        return [item for item in found if item.source not in language.rival.sources]
    return found


def to_lsp(document: Document, item: Diagnostic, client: Client) -> lsp.Diagnostic:
    """One finding with its page and the places that belong to it."""
    out = lsp.Diagnostic(
        to_range(document, item.span),
        item.message,
        severity=_SEVERITY[item.severity],
        code=item.code,
        source=item.source,
    )
    page = page_uri(item.code) if client.descriptions else None
    if page is not None:
        out.code_description = lsp.CodeDescription(page)
    if client.related and item.related:
        out.related_information = [_related(document, r.path, r.span, r.message) for r in item.related]
    return out


def _related(document: Document, path: str | None, span: Span, message: str) -> lsp.DiagnosticRelatedInformation:
    if path is None or path == document.path:
        return lsp.DiagnosticRelatedInformation(lsp.Location(document.uri, to_range(document, span)), message)
    # Of a file that is not open here: code points are the best that is known.
    start, end = lsp.Position(span.start_line, span.start_character), lsp.Position(span.end_line, span.end_character)
    return lsp.DiagnosticRelatedInformation(
        lsp.Location(Path(path).absolute().as_uri(), lsp.Range(start, end)), message
    )


@lru_cache(maxsize=256)
def page_uri(code: str) -> str | None:
    """Address of the page that `hwml explain CODE` prints; None when there is none on disk."""
    page = Path(str(resources.files("hwml_sdk").joinpath("pages", f"{code}.md")))
    return page.absolute().as_uri() if page.is_file() else None


def _serves(rival: Rival, path: str) -> bool:
    """Whether another server keeps a folder of its own in the file's project."""
    return any((folder / rival.folder).is_dir() for folder in Path(path).absolute().parents)
