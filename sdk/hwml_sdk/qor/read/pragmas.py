"""Pragmas: their text to names and options, and the loop or function each one applies to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from ...document import Span
from ..program import ir
from .preprocess import RawPragma, Unit

# A value is a quoted text or an expression, whose operators may have blanks around them: `max = N * (M - 1)`.
_GROUP = r"\((?:[^()]|\([^()]*\))*\)"
_ATOM = rf"(?:{_GROUP}|[^\s,()*/+]+(?:{_GROUP})?)"
_OPTION = re.compile(rf"([A-Za-z_]\w*)\s*(?:=\s*(\"[^\"]*\"|[&*]?{_ATOM}(?:\s*[-+*/]\s*{_ATOM})*))?")


def parse_pragma(text: str) -> tuple[str, str, dict[str, str]] | None:
    """("HLS", "UNROLL", {"factor": "4"}) of `HLS unroll factor=4`; None for pragmas of others."""
    head, _, rest = text.strip().partition(" ")
    dialect = head.upper()
    if dialect not in ("HLS", "ACCEL"):
        return None
    words = rest.strip().split(None, 1)
    if not words:
        return dialect, "", {}
    kind = words[0].split("=")[0].upper()
    options = {}
    for match in _OPTION.finditer(words[1] if len(words) > 1 else ""):
        options[match.group(1).lower()] = (match.group(2) or "").strip('"')
    return dialect, kind, options


def collect(unit: Unit) -> list[tuple[ir.Pragma, int]]:
    """All HLS and ACCEL pragmas of a unit with their offsets in its text."""
    found = []
    for raw in unit.pragmas:
        parsed = parse_pragma(raw.text)
        if parsed is not None:
            dialect, kind, options = parsed
            span, path = _place(unit, raw)
            found.append((ir.Pragma(dialect, kind, options, raw.text.strip(), path, span), raw.offset))
    return found


def _place(unit: Unit, raw: RawPragma) -> tuple[Span, str]:
    source = unit.files[raw.file]
    line, character = source.places.place(raw.source_offset)
    text = source.text[raw.source_offset : raw.source_offset + raw.length]
    lead = len(text) - len(text.lstrip())
    end_line, end = source.places.place(raw.source_offset + len(text))
    return Span(line, character + lead, end_line, end), source.path


def attach(
    found: Iterable[tuple[ir.Pragma, int]],
    regions: list[tuple[int, int, ir.Loop | ir.Function]],
    loop_starts: list[tuple[int, ir.Loop]],
) -> None:
    """Give each pragma to its owner.

    HLS: the innermost loop or function body around it (UG1399: a pragma stands inside the scope it applies to).
    ACCEL: the next loop below it, when nothing but pragmas stands between (Merlin places them before the loop).
    """
    ordered = sorted(regions, key=lambda region: (region[0], -region[1]))
    begins = [region[0] for region in ordered]
    starts = sorted(loop_starts, key=lambda item: item[0])
    for pragma, offset in found:
        owner: ir.Loop | ir.Function | None = _innermost(ordered, begins, offset)
        if pragma.dialect == "ACCEL":
            owner = _next_loop(starts, offset, owner) or (owner if isinstance(owner, ir.Function) else None)
        pragma.owner = owner
        if owner is not None:
            owner.pragmas.append(pragma)


def _innermost(
    regions: list[tuple[int, int, ir.Loop | ir.Function]], begins: list[int], offset: int
) -> ir.Loop | ir.Function | None:
    """The last region that begins before `offset` and holds it; regions nest, so the nearest ones come first."""
    for index in range(bisect_right(begins, offset) - 1, -1, -1):
        _, end, owner = regions[index]
        if offset <= end:
            return owner
    return None


def _next_loop(starts: list[tuple[int, ir.Loop]], offset: int, scope: ir.Loop | ir.Function | None) -> ir.Loop | None:
    index = bisect_left(starts, offset, key=lambda item: item[0])
    if index == len(starts):
        return None
    loop = starts[index][1]
    expected = scope if isinstance(scope, ir.Loop) else None
    return loop if loop.parent is expected else None
