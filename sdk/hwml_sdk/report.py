"""The same findings as text for people, and as JSON, GitHub commands and SARIF 2.1.0 for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import HwmlError
from .explain import page
from .printable import json_text, printable

if TYPE_CHECKING:
    from .document import Analysis, Annotation, Diagnostic, Fix, Severity, Span

SCHEMA_VERSION = 2  # 2: `bram_18k` in `intervals`, `closed_form` and `explain`, where 1 had `BRAM_18K`
FORMATS = ("text", "json", "github", "sarif")

_SARIF_LEVEL: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note", "hint": "note"}
_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2, "hint": 3}
_GITHUB_LEVEL: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice", "hint": "notice"}


def render(analyses: Iterable[Analysis], style: str) -> str:
    """Render findings in one of FORMATS. ValueError for an unknown one."""
    items = list(analyses)
    if style == "text":
        return as_text(items)
    if style == "json":
        return json_text(as_json(items))
    if style == "github":
        return as_github(items)
    if style == "sarif":
        return json_text(as_sarif(items))
    raise ValueError(f"unknown format {style!r}; there are {', '.join(FORMATS)}")


def has_findings(analyses: Iterable[Analysis]) -> bool:
    """Whether a check should end with exit code 1: any error or warning."""
    return any(d.severity in ("error", "warning") for a in analyses for d in a.diagnostics)


def as_text(analyses: Sequence[Analysis]) -> str:
    """`file:line:column: severity CODE: message`, one line a finding, with what could be done below it."""
    lines: list[str] = []
    for analysis in analyses:
        for item in sorted(analysis.diagnostics, key=lambda d: d.span):
            place = f"{printable(analysis.path)}:{item.span.start_line + 1}:{item.span.start_character + 1}"
            lines.append(f"{place}: {item.severity} {item.code}: {printable(item.message)}")
            for related in item.related:
                where = printable(related.path or analysis.path)
                lines.append(f"  {where}:{related.span.start_line + 1}: {printable(related.message)}")
            lines += [f"  fix: {printable(fix.title)}{' (verified)' if fix.verified else ''}" for fix in item.fixes]
        lines += [f"{printable(analysis.path)}: note: {printable(note)}" for note in analysis.notes]
    return "\n".join(lines)


def as_json(analyses: Sequence[Analysis]) -> dict[str, Any]:
    """The findings as plain data; described in docs/json.md."""
    return {"schema_version": SCHEMA_VERSION, "files": [_analysis(analysis) for analysis in analyses]}


def _analysis(analysis: Analysis) -> dict[str, Any]:
    return {
        "path": analysis.path,
        "language": analysis.language,
        "diagnostics": [_diagnostic(item) for item in analysis.diagnostics],
        "annotations": [_annotation(item) for item in analysis.annotations],
        "notes": list(analysis.notes),
    }


def span_json(span: Span) -> dict[str, dict[str, int]]:
    """A span as nested start and end, lines and characters from 0."""
    return {
        "start": {"line": span.start_line, "character": span.start_character},
        "end": {"line": span.end_line, "character": span.end_character},
    }


def _diagnostic(item: Diagnostic) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "range": span_json(item.span),
        "source": item.source,
        "fixes": [_fix(fix) for fix in item.fixes],
        "related": [{"message": r.message, "path": r.path, "range": span_json(r.span)} for r in item.related],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "verified": fix.verified,
        "safe": fix.safe,
        "edits": [{"range": span_json(edit.span), "new_text": edit.new_text} for edit in fix.edits],
    }


def _annotation(item: Annotation) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "name": item.name,
        "range": span_json(item.span),
        "label": item.label,
        "summary": item.summary,
        "detail": item.detail,
        "data": item.data,
    }


# A step shows so many annotations of a level, and drops the others without a word (GitHub Docs, "Workflow commands").
MAX_ANNOTATIONS = 10


def as_github(analyses: Sequence[Analysis]) -> str:
    """Workflow commands that GitHub Actions shows on the changed lines; what it would drop follows as plain lines."""
    found = [(analysis.path, item) for analysis in analyses for item in analysis.diagnostics]
    shown: Counter[str] = Counter()
    lines, rest = [], []
    for path, item in found:
        level = _GITHUB_LEVEL[item.severity]
        shown[level] += 1
        if shown[level] > MAX_ANNOTATIONS:
            rest.append(
                f"{printable(path)}:{item.span.start_line + 1}: {item.severity} {item.code}: {_message(item.message)}"
            )
            continue
        place = (
            f"file={_property(path)},line={item.span.start_line + 1},"
            f"endLine={item.span.end_line + 1},col={item.span.start_character + 1},title={_property(item.code)}"
        )
        lines.append(f"::{level} {place}::{_message(item.message)}")
    said = [f"{len(rest)} more, of which GitHub shows no annotation:"] if rest else []
    return "\n".join([*lines, *said, *rest])


def _message(text: str) -> str:
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


# What code scanning takes of one run, and of one result (GitHub Docs, "SARIF support for code scanning").
MAX_RESULTS = 5000
MAX_LOCATIONS = 100


def as_sarif(analyses: Sequence[Analysis]) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS), as code scanning services read it; columns count code points from 1.

    Of more findings than they take, the gravest; the others are counted in a notification.
    """
    from . import __version__

    found = [(analysis.path, item) for analysis in analyses for item in analysis.diagnostics]
    kept = (
        sorted(found, key=lambda entry: _ORDER[entry[1].severity])[:MAX_RESULTS] if len(found) > MAX_RESULTS else found
    )
    codes = sorted({item.code for _, item in kept})
    driver = {"name": "hwml", "version": __version__, "rules": [_sarif_rule(code) for code in codes]}
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(path, item, codes.index(item.code)) for path, item in kept],
    }
    if len(kept) < len(found):
        words = f"{len(found) - len(kept)} more findings are left out: code scanning takes {MAX_RESULTS} of a run"
        note = {"level": "warning", "message": {"text": words}}
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": [note]}]
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _sarif_rule(code: str) -> dict[str, Any]:
    """A code with its page, where it has one."""
    try:
        text = page(code)
    except HwmlError:
        return {"id": code, "help": {"text": f"hwml explain {code}"}}
    head, _, body = text.partition("\n")
    title = head.partition(": ")[2]
    return {
        "id": code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": f"hwml explain {code}", "markdown": body.strip()},
    }


def _sarif_result(path: str, item: Diagnostic, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": _SARIF_LEVEL[item.severity],
        "message": {"text": item.message},
        "locations": [_sarif_place(path, item.span)],
    }
    if item.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": r.message}, **_sarif_place(r.path or path, r.span)}
            for number, r in enumerate(item.related[:MAX_LOCATIONS], 1)
        ]
    if item.fixes:
        result["fixes"] = [_sarif_fix(path, fix) for fix in item.fixes]
    return result


def _sarif_place(path: str, span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _sarif_uri(path), "region": _sarif_region(span)}}


def _sarif_uri(path: str) -> dict[str, str]:
    return {"uri": quote(Path(path).as_posix())}


def _sarif_region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.start_line + 1,
        "startColumn": span.start_character + 1,
        "endLine": span.end_line + 1,
        "endColumn": span.end_character + 1,
    }


def _sarif_fix(path: str, fix: Fix) -> dict[str, Any]:
    """A change of one file; a region without length is a place to insert at (SARIF 2.1.0, 3.57.3)."""
    replacements = [
        {"deletedRegion": _sarif_region(edit.span), "insertedContent": {"text": edit.new_text}} for edit in fix.edits
    ]
    title = f"{fix.title} (verified)" if fix.verified else fix.title
    change = {"artifactLocation": _sarif_uri(path), "replacements": replacements}
    return {"description": {"text": title}, "artifactChanges": [change]}
