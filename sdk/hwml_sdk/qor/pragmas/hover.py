"""What the pragma or option under a cursor means."""

from __future__ import annotations

import re

from ...document import Hover, Span
from .docs import option_doc, pragma_doc
from .table import HLS_OPTIONS

_PRAGMA = re.compile(r"^\s*#\s*pragma\s+(HLS|ACCEL)\s+(\w+)(.*)$", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def hover(text: str, line: int, character: int) -> Hover | None:
    """The sentence on the pragma or option at a place of an HLS source; None where nothing is written."""
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return None
    match = _PRAGMA.match(lines[line].rstrip("\r"))
    if match is None:
        return None
    dialect, kind = match.group(1).upper(), match.group(2).upper()
    for word in _WORD.finditer(match.string, match.start(2)):
        if word.start() <= character <= word.end():
            said = _pragma(dialect, kind) if word.start() == match.start(2) else _option(dialect, kind, word.group())
            return Hover(said, Span(line, word.start(), line, word.end())) if said else None
    return None


def _pragma(dialect: str, kind: str) -> str:
    text = pragma_doc(dialect, kind)
    options = ", ".join(sorted(HLS_OPTIONS.get(kind, ()))) if dialect == "HLS" else ""
    tail = f"\n\nOptions: {options}" if options else ""
    return f"**{dialect} {kind}**: {text}{tail}" if text else ""


def _option(dialect: str, kind: str, word: str) -> str:
    text = option_doc(kind, word) if dialect == "HLS" else ""
    return f"**{word}** ({kind}): {text}" if text else ""
