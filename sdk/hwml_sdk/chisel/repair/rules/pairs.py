"""Choices between pairs: Mux, MuxLookup and MuxCase take signals, and give one each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, Span2, rule

_PAIRED = (
    r"\bval\s*(?P<names>\(\s*\w+(?:\s*,\s*\w+)+\s*\))\s*=\s*(?P<maker>MuxLookup|MuxCase|Mux1H|PriorityMux|Mux)\s*(?=\()"
)
Pieces = list[tuple[int, int, list[str]]]


@rule(r"overloaded method|type mismatch|inferred type arguments|cannot be applied")
def _one_choice_each(c: Context) -> Iterator[Candidate]:
    """val (a, b) = MuxLookup(key, (x, y))(Seq(k -> (v, w))): one MuxLookup for a, one for b."""
    edits = []
    for match in c.matches(_PAIRED, c.home):
        start, end = c.scala.statement(match.start())
        names = re.findall(r"\w+", match["names"])
        pieces = _tuples(c, (match.end(), end), len(names))
        if not pieces:
            continue
        lines = []
        for index, name in enumerate(names):
            text, at = "", match.start("maker")
            for first, last, values in pieces:
                text += c.text[at:first] + values[index]
                at = last
            lines.append(f"val {name} = {text}{c.text[at:end]}")
        edits.append((start, end, f"{c.line_end}{c.indent_at(start)}".join(lines)))
    if edits:
        yield Candidate("a choice for each of the signals", tuple(edits), safe=True)


def _tuples(c: Context, where: Span2, size: int) -> Pieces:
    """Outermost groups of `size` values: (start, end, values); [] when one of them has another size."""
    found: Pieces = []
    at = where[0]
    for opener in sorted(c.scala.partners):
        if not at <= opener < where[1] or c.scala.code[opener] != "(":
            continue
        before = c.scala.code[: c.scala.skip_space_back(opener, lines=True)]
        if not before.endswith((",", "->", "(")):  # a call
            continue
        values = [c.text[slice(*a)] for a in c.scala.arguments(opener)]
        if len(values) == size:
            closer = c.scala.partners[opener]
            found.append((opener, closer + 1, values))
            at = closer
    return found
