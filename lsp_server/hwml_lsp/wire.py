"""What the server and its worker say to each other: one JSON object a line, analyses as lists of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwml_sdk.document import Annotation, Diagnostic, Edit, Figures, Fix, Related, Span, Symbol


def span_out(span: Span) -> list[int]:
    """A span as four numbers."""
    return [span.start_line, span.start_character, span.end_line, span.end_character]


def annotation_out(item: Annotation) -> list[Any]:
    """An annotation without its data, which stays in the worker."""
    extent = None if item.extent is None else span_out(item.extent)
    return [item.kind, item.name, span_out(item.span), item.label, item.summary, item.detail, extent, item.is_design,
            item.figures.latency_cycles]  # fmt: skip


def annotation_in(raw: Sequence[Any]) -> Annotation:
    """The annotation again."""
    kind, name, span, label, summary, detail, extent, is_design, cycles = raw
    whole = None if extent is None else Span(*extent)
    figures = Figures(latency_cycles=cycles)
    return Annotation(
        kind, name, Span(*span), label, detail, summary=summary, figures=figures, extent=whole, is_design=is_design
    )


def symbol_out(item: Symbol) -> list[Any]:
    """A part of a document with the parts inside it."""
    children = [symbol_out(child) for child in item.children]
    return [item.name, item.kind, span_out(item.span), span_out(item.extent), item.detail, children]


def symbol_in(raw: Sequence[Any]) -> Symbol:
    """The part again."""
    name, kind, span, extent, detail, children = raw
    return Symbol(name, kind, Span(*span), Span(*extent), detail, tuple(map(symbol_in, children)))


def fix_out(fix: Fix) -> list[Any]:
    """A fix with its edits."""
    return [fix.title, fix.verified, fix.safe, [[span_out(e.span), e.new_text] for e in fix.edits]]


def fix_in(raw: Sequence[Any]) -> Fix:
    """The fix again."""
    title, verified, safe, edits = raw
    return Fix(title, tuple(Edit(Span(*span), text) for span, text in edits), verified, safe)


def diagnostic_out(item: Diagnostic) -> dict[str, Any]:
    """A diagnostic with its fixes."""
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "span": span_out(item.span),
        "source": item.source,
        "fixes": [fix_out(fix) for fix in item.fixes],
        "related": [[r.message, span_out(r.span), r.path] for r in item.related],
    }


def diagnostic_in(raw: dict[str, Any]) -> Diagnostic:
    """The diagnostic again."""
    fixes = tuple(fix_in(fix) for fix in raw["fixes"])
    related = tuple(Related(message, Span(*span), path) for message, span, path in raw["related"])
    return Diagnostic(raw["code"], raw["severity"], raw["message"], Span(*raw["span"]), fixes, related, raw["source"])
