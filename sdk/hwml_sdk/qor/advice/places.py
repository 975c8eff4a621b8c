"""Where a pragma may be written, as edits of the text."""

from __future__ import annotations

import re

from ...document import Edit
from ..lint.context import Context, SourceText
from ..lint.remedies import body_start
from ..program import ir

_BRACE = re.compile(r"\s*\{")
_REST_OF_LINE = re.compile(r"[ \t]*(?://[^\n]*)?\n")


def into_loop(context: Context, loop: ir.Loop, pragma: str) -> tuple[Edit, ...]:
    """Edits that write `#pragma ...` as the first line of a loop's body; empty where the text has no room for it.

    A body without braces gets them. Loops of macros and templates' headers stay as they are.
    """
    source = context.source(loop.path)
    if source is None or loop.kind == "do":
        return ()
    head = source.index(loop.head.end_line, loop.head.end_character)
    brace = _BRACE.match(source.text, head)
    if brace is not None:
        rest = _REST_OF_LINE.match(source.text, brace.end())
        if rest is not None:
            return (Edit(source.span(rest.end(), rest.end()), f"{pragma}\n"),)
        return (Edit(source.span(brace.end(), brace.end()), f"\n{pragma}\n"),)
    end = source.index(loop.span.end_line, loop.span.end_character)
    if end <= head or source.text[end - 1] not in ";}":
        return ()
    return (
        Edit(source.span(head, head), f" {{\n{pragma}\n"),
        Edit(source.span(end, end), "\n}"),
    )


def above_loop(context: Context, loop: ir.Loop, lines: str) -> tuple[Edit, ...]:
    """Edits that write whole lines before a loop, its label included."""
    source = context.source(loop.path)
    if source is None:
        return ()
    at = line_start(source, loop)
    return () if at is None else (Edit(source.span(at, at), lines),)


def line_start(source: SourceText, loop: ir.Loop) -> int | None:
    """Offset of the line a loop starts on; None where something other than its label stands before it."""
    begin = source.index(loop.span.start_line, loop.span.start_character)
    head = min(begin, source.index(loop.head.start_line, loop.head.start_character))
    start = source.index(loop.head.start_line, 0)
    before = source.text[start:head].strip()
    if not before:
        above = source.text[:start].rstrip()
        if loop.label and above.endswith(f"{loop.label}:"):
            return source.starts[source.place(len(above) - 1)[0]]
        return start
    return start if re.fullmatch(r"\w+\s*:", before) else None


def into_function(context: Context, function: ir.Function, pragma: str) -> tuple[Edit, ...]:
    """Edits that write `#pragma ...` as the first line of a function's body."""
    source = context.source(function.path)
    at = body_start(source, function) if source is not None else None
    return () if source is None or at is None else (Edit(source.span(at, at), f"{pragma}\n"),)
