"""Names in the wrong place: defined in a branch and used outside, defined twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .vectors import outermost

_BOOL = re.compile(r"===|=/=|&&|\|\||[<>]=?(?![<>=])|^!|\b(?:true|false)\.B\b|\.(?:orR|andR|asBool|fire|valid|ready)\b")
_OWN = re.compile(r"\s*(?:Reg|Wire|Module|Mem|SyncReadMem|Queue|new)\w*\s*[\[(]|\s*\w+\.(?:U|S)\b")


@rule(r"not found: value \w+")
def _used_outside(c: Context) -> Iterator[Candidate]:
    """val v in the branches of a when, used behind it: a wire in front, which the branches drive."""
    name = re.search(r"not found: value (\w+)", c.message)
    if name is None:
        return
    places = [
        m
        for m in c.matches(rf"\bval\s+(?P<name>{re.escape(name[1])})\s*(?P<eq>=)(?!=)", c.home)
        if outermost(c, m.start()) != c.scala.statement(m.start())[0]
    ]
    if not places:
        return
    at = min(outermost(c, m.start()) for m in places)
    gap = f"{c.line_end}{c.indent_at(at)}"
    values = [c.text[m.end() : c.scala.statement(m.start())[1]].strip() for m in places]
    if len(places) == 1 and _OWN.match(values[0]):
        start, end = c.scala.statement(places[0].start())
        first, last = c.whole_lines(start, end)
        yield Candidate(
            f"define {name[1]} in front of the branch", ((at, at, c.text[start:end] + gap), (first, last, ""))
        )
        return
    edits = tuple((m.start(), m.end(), f"{name[1]} :=") for m in places)
    boolean = any(_BOOL.search(value) for value in values)
    for kind in ["Bool()"] if boolean else [f"UInt({width})" for width in c.scala.likely_widths(name[1])[:3]]:
        head = (at, at, f"val {name[1]} = Wire({kind}){gap}")
        yield Candidate(f"a wire {name[1]} in front, driven in the branches", (head, *edits))


@rule(r"(?:value|method|variable) (?P<name>\w+) is already defined as|(?P<again>\w+) is already defined as")
def _defined_twice(c: Context) -> Iterator[Candidate]:
    """val r = ...; val r = ...: the second one has a name of its own, connects the first, or goes."""
    said = re.search(r"(\w+) is already defined as", c.message)
    if said is None:
        return
    name = said[1]
    block = c.scala.enclosing_block(c.span[0]) or c.whole
    found = [
        m
        for m in c.matches(rf"\bval\s+(?P<name>{name})\s*(?P<eq>=)(?!=)", block)
        if c.scala.enclosing_block(m.start()) == (block if block != c.whole else None)
    ]
    if len(found) != 2:
        return
    again = found[1]
    start, end = c.scala.statement(again.start())
    other = next(f"{name}{n}" for n in range(2, 100) if not c.scala.declared[f"{name}{n}"])
    later = c.matches(rf"(?<![\w.]){name}\b(?!\s*=(?!=))", (end, block[1]))
    uses = [(m.start(), m.end(), other) for m in later]
    yield Candidate(f"the second one is {other}", ((*again.span("name"), other), *uses))
    yield Candidate(f"{name} := ... instead of a second one", ((again.start(), again.end(), f"{name} :="),))
    first = c.scala.statement(found[0].start())
    if "".join(c.text[slice(*first)].split()) == "".join(c.text[start:end].split()):
        yield Candidate("without the second one", ((*c.whole_lines(start, end), ""),), safe=True)
