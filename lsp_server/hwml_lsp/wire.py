"""What the server and its worker say to each other: one JSON object a line, analyses as lists of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwml_sdk.document import Annotation, Diagnostic, Edit, Fix, Related, Span


def span_out(span: Span) -> list[int]:
    """A span as four numbers."""
    return [span.start_line, span.start_character, span.end_line, span.end_character]


def annotation_out(item: Annotation) -> list[Any]:
    """An annotation without its data, which stays in the worker."""
    return [item.kind, item.name, span_out(item.span), item.label, item.summary, item.detail]


def annotation_in(raw: Sequence[Any]) -> Annotation:
    """The annotation again."""
    kind, name, span, label, summary, detail = raw
    return Annotation(kind, name, Span(*span), label, detail, summary=summary)


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
