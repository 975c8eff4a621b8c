"""Findings for agents: with lines from 1, as they count, and each fix as a diff as well."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from ..document import Diagnostic, Fix, apply_edits
from ..report import span_json

MAX_DIFF_LINES = 400


def findings(diagnostics: Iterable[Diagnostic], text: str | None, path: str) -> list[dict[str, Any]]:
    """Findings of one file; text: what it holds, None where its fixes are not shown."""
    return [_finding(item, text, path) for item in diagnostics]


def _finding(item: Diagnostic, text: str | None, path: str) -> dict[str, Any]:
    related = [{"message": r.message, "path": r.path, "line": r.span.start_line + 1} for r in item.related]
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "line": item.span.start_line + 1,
        "range": span_json(item.span),
        "fixes": [_fix(fix, text, path) for fix in item.fixes] if text is not None else [],
        "related": related,
    }


def _fix(fix: Fix, text: str, path: str) -> dict[str, Any]:
    return {
        "title": fix.title,
        "verified": fix.verified,
        "safe": fix.safe,
        "edits": [{"range": span_json(edit.span), "new_text": edit.new_text} for edit in fix.edits],
        "diff": diff(text, apply_edits(text, fix.edits), path),
    }


def diff(before: str, after: str, path: str) -> str:
    """A unified diff; of a change without end its first lines."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), path, path, n=1)
    shown = [
        line if line.endswith("\n") else f"{line}\n" for line, _ in zip(lines, range(MAX_DIFF_LINES), strict=False)
    ]
    return "".join(shown)
