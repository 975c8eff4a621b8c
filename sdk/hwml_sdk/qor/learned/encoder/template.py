"""A design as one fixed text, the same in training and inference.

    [HLS_QOR_SAMPLE]
    device: ...
    tool: ...
    clock: ...
    context:
    ...
    code:
    ...
    [/HLS_QOR_SAMPLE]

`context` sums up what matters: pragmas (kind, place, factor), loops with nesting and trip counts, arrays. `code` is the
source without comments and blank lines. Where the text is longer than the encoder reads, lines of code fall out by
how little they say: first what stands outside loops, then bodies, last declarations; pragmas and loop heads stay.
Whoever changes what is written here raises TEMPLATE_VERSION: vectors of other versions are never used again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ...closed_form.results import Estimate, FunctionResult, LoopResult
from ...program import ir
from ...program.facts import reached

TEMPLATE_VERSION = 1
OPEN, CLOSE = "[HLS_QOR_SAMPLE]", "[/HLS_QOR_SAMPLE]"
CONTEXT_SHARE = 0.4  # of the tokens: the summary never crowds the code out
# From the lexical grammar of C++: comments, and the literals that may hold what looks like one.
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_LOOP = re.compile(r"\b(?:for|while|do)\b")
_SPACES = re.compile(r"[ \t]+")
Count = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The fields of a design, not yet cut to a length."""

    device: str
    tool: str
    clock: str
    context: tuple[str, ...]
    code: tuple[str, ...]

    def text(self) -> str:
        """All of it."""
        return self._with(self.context, self.code)

    def fitted(self, count: Count, max_tokens: int) -> str:
        """The text within `max_tokens`. count: tokens of each of some texts."""
        text = self.text()
        over = count([text])[0] - max_tokens
        if over <= 0:
            return text
        empty = count([self._with((), ())])[0]
        context = _first(self.context, count(self.context), int(CONTEXT_SHARE * (max_tokens - empty)))
        costs = [cost + 1 for cost in count(self.code)]  # a line's end may be a token of its own
        room = max_tokens - count([self._with(context, ())])[0]
        while True:
            text = self._with(context, _chosen(self.code, costs, room))
            over = count([text])[0] - max_tokens
            if over <= 0 or room <= 0:
                return text
            room -= over

    def _with(self, context: Sequence[str], code: Sequence[str]) -> str:
        head = (OPEN, f"device: {self.device}", f"tool: {self.tool}", f"clock: {self.clock}")
        return "\n".join((*head, "context:", *context, "code:", *code, CLOSE))


def sample_of(estimate: Estimate, *, part: str, tool: str, tool_version: str, stage: str, clock_ns: float) -> Sample:
    """The sample of a design that was read. Of its closed form only trip counts are used, no predicted figure."""
    program = estimate.program
    texts = [program.sources.get(program.path, "")]
    texts += [text for path, text in sorted(program.sources.items()) if path != program.path]
    return Sample(
        device=part,
        tool=" ".join(filter(None, (tool, tool_version, stage))),
        clock=f"{clock_ns:g} ns",
        context=tuple(_context(estimate)),
        code=tuple(line for text in texts for line in code_lines(text)),
    )


def code_lines(text: str) -> list[str]:
    """Lines of a source without comments, blank lines and the width of its indentation."""
    kept = _COMMENT.sub(lambda found: " " if found.group().startswith(("//", "/*")) else found.group(), text)
    lines = (_SPACES.sub(" ", line).rstrip() for line in kept.splitlines())
    return [line for line in lines if line.strip()]


def _context(estimate: Estimate) -> Iterator[str]:
    top, program = estimate.top.function, estimate.program
    yield f"top {top.name}"
    names = reached(program, top)
    counted: Counter[str] = Counter()
    for pragma in program.pragmas:
        owner = pragma.owner
        if owner is not None and (owner.function if isinstance(owner, ir.Loop) else owner.name) not in names:
            continue
        options = " ".join(f"{name}={value}" if value else name for name, value in sorted(pragma.options.items()))
        place = "" if owner is None else f" @{owner.name}"
        counted[f"pragma {pragma.kind.lower()} {options}".rstrip() + place] += 1
    for text, number in counted.items():
        yield text if number == 1 else f"{text} x{number}"
    for function in _functions(estimate.top):
        for loop, depth in _loops(function.loops, 1):
            trips = loop.trip.average
            yield f"loop {loop.loop.name} depth {depth} trips {'?' if trips is None else f'{trips:g}'}"
        for gone, copies in function.unrolled.items():
            yield f"loop {gone.name} unrolled trips {'?' if copies is None else f'{copies:g}'}"
        variables = {variable.name: variable for variable in function.function.params} | function.function.variables
        for variable in variables.values():
            if variable.dims:
                sizes = "".join(f"[{'?' if size is None else size}]" for size in variable.dims)
                yield f"array {variable.name}{sizes} {variable.type.kind}{variable.type.width}"


def _functions(top: FunctionResult) -> Iterator[FunctionResult]:
    seen: set[str] = set()
    pending = [top]
    while pending:
        current = pending.pop(0)
        if current.function.name not in seen:
            seen.add(current.function.name)
            yield current
            pending += [call.callee for call in current.calls]


def _loops(loops: Sequence[LoopResult], depth: int) -> Iterator[tuple[LoopResult, int]]:
    for loop in loops:
        yield loop, depth
        yield from _loops(loop.children, depth + 1)


def _first(lines: Sequence[str], costs: Sequence[int], room: int) -> list[str]:
    kept = []
    for line, cost in zip(lines, costs, strict=True):
        room -= cost + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _chosen(lines: Sequence[str], costs: Sequence[int], room: int) -> list[str]:
    """Lines within `room` tokens, in their order; those that say most are taken first."""
    kept = set()
    for index in sorted(range(len(lines)), key=_ranks(lines).__getitem__):
        if costs[index] <= room:
            room -= costs[index]
            kept.add(index)
    return [lines[index] for index in sorted(kept)]


def _ranks(lines: Sequence[str]) -> list[int]:
    """0: pragmas and loop heads; 1: arrays; 2: what stands in loops; 3: all else."""
    ranks: list[int] = []
    loops: list[int] = []  # depth of braces at which each loop around begins
    depth = 0
    for line in lines:
        head = _LOOP.search(line) is not None
        if line.lstrip().startswith("#pragma") or head:
            ranks.append(0)
        elif "[" in line and line.rstrip().endswith((";", ",", ")", "{")) and not loops:
            ranks.append(1)
        else:
            ranks.append(2 if loops else 3)
        if head:
            loops.append(depth)
        depth += line.count("{") - line.count("}")
        while loops and depth <= loops[-1] and "}" in line:
            loops.pop()
    return ranks
