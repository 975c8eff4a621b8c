"""A sum that waits for itself, rewritten as partial sums that take turns.

    acc += a[i];        float acc_0 = 0, acc_1 = 0, acc_2 = 0;   // before the loop
                        acc_next = acc_2 + (a[i]); acc_2 = acc_1; acc_1 = acc_0; acc_0 = acc_next;
                        acc += (acc_0 + acc_1) + acc_2;          // after it

The value comes back to itself after as many rounds as there are parts, so that a sum of `latency` cycles fits into as
many rounds of II 1 (UG1399, "Loop-carried dependencies"). The order of additions changes, as it does with
`unsafe_math_optimizations`: results of floating point may differ in their last bits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ...document import Edit, Fix
from ..answer.types import LoopQor
from ..lint.context import Context, SourceText
from ..program import ir
from .places import line_start

MOST_PARTS = 16
_C_TYPES = {"float": "float", "double": "double", "half": "half"}


def partial_sums(context: Context, loop: ir.Loop, loop_qor: LoopQor) -> tuple[Fix, ...]:
    """The rewriting of a loop whose recurrence is one `target += term;`, with as many parts as its sum has cycles."""
    circuit = loop_qor.circuit
    source = context.source(loop.path)
    function = context.program.functions.get(loop.function)
    if circuit is None or source is None or function is None:
        return ()
    name = circuit.steps[0].name
    var = function.variables.get(name)
    kind = _C_TYPES.get(var.type.kind) if var is not None else None
    parts = math.ceil(circuit.latency / max(circuit.distance, 1.0))
    if var is None or kind is None or not 1 < parts <= MOST_PARTS or loop.has_break or loop.has_continue:
        return ()
    found = _statement(source, loop, name)
    if found is None or _varies(found, loop):
        return ()
    edits = _edits(source, loop, found, kind, name, parts)
    verb = "sum" if found.operator == "+" else "multiply"
    return (Fix(f"{verb} {found.target} in {parts} parts that take turns", edits),) if edits else ()


@dataclass(frozen=True, slots=True)
class _Found:
    """The statement: where it stands, `target operator= term`."""

    begin: int
    end: int
    target: str
    operator: str
    term: str
    line: int


def _statement(source: SourceText, loop: ir.Loop, name: str) -> _Found | None:
    """The one statement that adds to the variable; None where the loop uses it otherwise."""
    begin = source.index(loop.head.end_line, loop.head.end_character)
    end = source.index(loop.span.end_line, loop.span.end_character)
    body = source.blanked[:end]
    target = rf"(?P<target>\b{re.escape(name)}\b(?:\s*\[[^\];]*\])*)"
    plain = re.compile(rf"{target}\s*(?P<op>[+*])=\s*(?P<term>[^;{{}}]+);")
    spelled = re.compile(rf"{target}\s*=\s*(?P=target)\s*(?P<op>[+*])(?![+*])\s*(?P<term>[^;{{}}]+);")
    uses = len(re.findall(rf"\b{re.escape(name)}\b", body[begin:end]))
    for pattern, own in ((plain, 1), (spelled, 2)):
        match = pattern.search(body, begin)
        if match is None or uses != own or (pattern is spelled and not _is_one_term(match["op"], match["term"])):
            continue
        term = source.text[match.start("term") : match.end("term")].strip()
        line = source.place(match.start())[0]
        return _Found(match.start(), match.end(), " ".join(match["target"].split()), match["op"], term, line)
    return None


def _is_one_term(operator: str, term: str) -> bool:
    """Whether `target = target op term` means `target op= (term)`: nothing in the term binds less tightly."""
    outside = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", term))
    return not re.search(r"[?<>=!&|^,]" if operator == "+" else r"[?<>=!&|^,+\-/%]", outside)


def _varies(found: _Found, loop: ir.Loop) -> bool:
    """Whether the target is another element in each round, or stands deeper than in the loop itself."""
    subscript = found.target.partition("[")[2]
    inner = [loop, *ir.loops_of(loop.body)]
    names = {one.var.name for one in inner if one.var is not None}
    if names & set(re.findall(r"\w+", subscript)):
        return True
    return any(one.span.start_line <= found.line <= one.span.end_line for one in inner[1:])


def _edits(source: SourceText, loop: ir.Loop, found: _Found, kind: str, name: str, parts: int) -> tuple[Edit, ...]:
    at = line_start(source, loop)
    end = source.index(loop.span.end_line, loop.span.end_character)
    if at is None or re.search(rf"\b{name}_(?:\d+|next)\b", source.text):
        return ()
    names = [f"{name}_{index}" for index in range(parts)]
    margin = re.match(r"[ \t]*", source.text[at:])
    indent = margin.group() if margin is not None else ""
    neutral = 0 if found.operator == "+" else 1
    declared = f"{indent}{kind} {', '.join(f'{one} = {neutral}' for one in names)};\n"
    shifts = " ".join(f"{new} = {old};" for new, old in reversed(list(zip(names[1:], names[:-1], strict=True))))
    summed = f"{names[-1]} {found.operator} ({found.term})"
    stepped = f"{{ {kind} {name}_next = {summed}; {shifts} {names[0]} = {name}_next; }}"
    total = f"\n{indent}{found.target} {found.operator}= {_tree(names, found.operator)};"
    return (
        Edit(source.span(at, at), declared),
        Edit(source.span(found.begin, found.end), stepped),
        Edit(source.span(end, end), total),
    )


def _tree(names: list[str], operator: str) -> str:
    """A balanced sum, so that it takes as few additions one after another as can be."""
    while len(names) > 1:
        pairs = [names[index : index + 2] for index in range(0, len(names), 2)]
        names = [f"({f' {operator} '.join(pair)})" if len(pair) > 1 else pair[0] for pair in pairs]
    return names[0]
