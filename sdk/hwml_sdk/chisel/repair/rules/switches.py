"""switch and is: branches of other shapes, and defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, Span2, rule

Edits = list[tuple[int, int, str]]
_TARGET = re.compile(r"(?<![\w.])(?P<name>[\w.]+)(?:\([^()]*\))?\s*:=")


def case_edits(c: Context, block: Span2, head: int) -> Edits:
    """What turns `case pattern => body` of a block into `is(pattern) { body }`; [] when it cannot be said so.

    head: start of the switch; a default goes in front of it when every other branch gives the same signals.
    """
    cases = _cases(c, block)
    default = next((body for pattern, body in cases if c.text[slice(*pattern)].strip() == "_"), None)
    edits: Edits = []
    given = [always_given(c, body) for pattern, body in cases if body != default]
    for pattern, body in cases:
        if body == default:
            if not all(targets(c, body) <= always for always in given):
                return []
            edits += move_in_front(c, _case_start(c, pattern[0]), body, head)
            continue
        words = re.sub(r"\s*\|\s*", ", ", c.text[slice(*pattern)].strip())
        start, arrow = _case_start(c, pattern[0]), c.scala.code.index("=>", pattern[1]) + 2
        own = c.scala.group(body[0], "{") if body[1] > body[0] else None
        if re.search(r"\bif\b", words):
            return []
        if own is not None and own[1] + 1 == body[1]:
            edits.append((start, body[0], f"is({words}) "))
        else:
            edits += [(start, arrow, f"is({words}) {{"), (body[1], body[1], " }")]
    return edits


def _case_start(c: Context, pattern: int) -> int:
    return c.scala.code.rindex("case", 0, pattern)


def _cases(c: Context, block: Span2) -> list[tuple[Span2, Span2]]:
    """(pattern, body) of each case at the top level of a block."""
    code = c.scala.code
    heads = [m for m in re.compile(r"\bcase\b").finditer(code, *block) if c.scala.enclosing_block(m.start()) == block]
    found = []
    for index, head in enumerate(heads):
        arrow = code.find("=>", head.end(), block[1])
        if arrow < 0:
            return []
        stop = heads[index + 1].start() if index + 1 < len(heads) else block[1]
        start = c.scala.skip_space(arrow + 2, lines=True)
        end = c.scala.skip_space_back(stop, lines=True)
        found.append(((head.end(), arrow), (min(start, end), end)))
    return found


def targets(c: Context, body: Span2) -> frozenset[str]:
    """Signals that a branch connects, whatever it decides inside."""
    return frozenset(m["name"] for m in _TARGET.finditer(c.scala.code, *body))


def always_given(c: Context, body: Span2) -> frozenset[str]:
    """Signals that a branch connects in any case."""
    own = c.scala.group(body[0], "{")
    block = own if own is not None and own[1] + 1 >= body[1] else c.scala.enclosing_block(body[0])
    found = _TARGET.finditer(c.scala.code, *body)
    return frozenset(m["name"] for m in found if c.scala.enclosing_block(m.start()) == block)


def default_may_precede(c: Context, default: Span2, switch: Span2) -> bool:
    """Whether a default in front of a switch means the same as one inside: every branch gives the same signals."""
    return all(targets(c, default) <= always_given(c, branch) for _, branch in branches(c, switch))


def move_in_front(c: Context, start: int, body: Span2, head: int) -> Edits:
    """The statements of `body` in front of `head`, and what stood there from `start` gone."""
    inner = _without_braces(c, body)
    gap = f"{c.line_end}{c.indent_at(head)}"
    lines = [line.strip() for line in c.text[slice(*inner)].splitlines() if line.strip()]
    begin, end = c.whole_lines(start, body[1])
    return [(head, head, gap.join(lines) + gap), (begin, end, "")]


def _without_braces(c: Context, body: Span2) -> Span2:
    own = c.scala.group(body[0], "{")
    return (own[0] + 1, own[1]) if own is not None and own[1] + 1 >= body[1] else body


@rule(r"value (?:otherwise|default|elsewhen) is not a member of Unit")
def _otherwise_after_switch(c: Context) -> Iterator[Candidate]:
    """switch(x) { ... }.otherwise { ... }: in front when every branch gives the same signals, else a chain of when."""
    for match in c.matches(r"\bswitch\s*(?=\()", c.whole):
        key = c.scala.group(match.end(), "(")
        block = c.scala.group(key[1] + 1, "{") if key else None
        follow = (
            re.compile(r"\s*\.?\s*(?:otherwise|default)\s*(?=\{)").match(c.scala.code, block[1] + 1) if block else None
        )
        last = c.scala.group(follow.end(), "{") if follow else None
        if key is None or block is None or last is None:
            continue
        body = (last[0], last[1] + 1)
        others = branches(c, block)
        if others and default_may_precede(c, body, block):
            inner = _without_braces(c, body)
            lines = [line.strip() for line in c.text[slice(*inner)].splitlines() if line.strip()]
            gap = f"{c.line_end}{c.indent_at(match.start())}"
            edits = ((match.start(), match.start(), gap.join(lines) + gap), (block[1] + 1, body[1], ""))
            yield Candidate("the default in front of the switch", edits, safe=True)
        elif others:
            subject = c.text[key[0] + 1 : key[1]]
            pieces = []
            for values, branch in others:
                asked = " || ".join(f"{subject} === {value}" for value in values)
                pieces.append(f"({asked}) {c.text[slice(*branch)]}")
            new = f"when{'.elsewhen'.join(pieces)}.otherwise {c.text[slice(*body)]}"
            yield Candidate("when instead of switch", ((match.start(), body[1], new),), safe=True)


def branches(c: Context, block: Span2) -> list[tuple[list[str], Span2]]:
    """(values, body with its braces) of each is(...) of a switch."""
    found = []
    for match in re.compile(r"\bis\s*(?=\()").finditer(c.scala.code, *block):
        if c.scala.enclosing_block(match.start()) != block:
            continue
        values = c.scala.group(match.end(), "(")
        body = c.scala.group(values[1] + 1, "{") if values else None
        if values is None or body is None:
            return []
        found.append(([c.text[slice(*a)] for a in c.scala.arguments(values[0])], (body[0], body[1] + 1)))
    return found
