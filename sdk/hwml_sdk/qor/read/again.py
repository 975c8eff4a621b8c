"""What an edit inside one function leaves as it was, so that only what it may have changed is read again.

Whoever types changes one function. Its figures, those of all that it calls or is called by, and of all that share a
variable with it, are found anew, from the text without the others (`focus`); what is kept of the others is what a
reading of the whole text would say, letter for letter. Wherever that is not certain, everything is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ...document import Again, Analysis, Annotation, Diagnostic, Span
from ...text import common_start
from ..program.budget import FILL_STEPS, READ_STEPS, VERIFY_STEPS
from ..program.tops import Likelihood, likely_tops
from .focus import Part, blank, connected, directives_in, functions_in, numbers_of, reduced, without_directives

if TYPE_CHECKING:
    from ..program import ir

Stands = TypeVar("Stands", Annotation, Diagnostic)

MAX_VERIFIED_FIXES = 24
MAX_SHARE = 0.9  # of the text that may be read again for the rest to be worth keeping
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_PRAGMA = re.compile(r"#[ \t]*pragma[ \t]+HLS\b", re.IGNORECASE)
_PROTOTYPE = re.compile(r"\b([A-Za-z_]\w*)\s*\([^(){};]*\)\s*;")


@dataclass(frozen=True, slots=True)
class Whole:
    """An analysis of a text as a whole, and what it stands on.

    about: settings and surroundings, compared by ==. sources: the other files that were read. parts, lines: functions,
    and the first line of each with the one behind it. shared: variables that a function may change for another.
    with_pragmas: functions that have some. tops: how likely each function is to be the design. fixes: that were tried.
    steps, work, fill_steps: to read and lint it, to read it, and to run code that fills tables. ports: pragmas of bus
    ports with the functions they stand in; the model counts those of a whole file. arrays: that every design of the
    file has, and any function may partition. numbers: of the functions of a name. blanks: what stands
    for each function where it is left out.
    """

    text: str
    analysis: Analysis
    about: object
    sources: Mapping[str, str]
    parts: tuple[Part, ...]
    lines: tuple[tuple[int, int], ...]
    shared: frozenset[str]
    with_pragmas: frozenset[str]
    tops: Mapping[str, Likelihood]
    top: str
    fixes: int
    steps: int
    work: int
    fill_steps: int
    ports: tuple[tuple[int, ir.Pragma], ...]
    arrays: frozenset[str]
    numbers: Mapping[str, Sequence[int]]
    blanks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """What to read again of a text. text: without the functions that stay. read: the others' numbers, in `parts`.

    number: of the function that was edited. lines: as in `Whole`, now. moved: whether what stands below it has others.
    """

    whole: Whole
    full: str
    text: str
    parts: tuple[Part, ...]
    read: frozenset[int]
    number: int
    lines: tuple[tuple[int, int], ...]
    moved: bool


def remembered(
    text: str, analysis: Analysis, program: ir.Program, about: object, *, top: str, fixes: int, steps: int
) -> Whole | None:
    """What a complete analysis leaves for the next one; None where functions cannot be told apart safely."""
    if analysis.faults or analysis.notes or analysis.problem or program.work.reason or program.problems:
        return None
    if "ACCEL" in text or program.fill_steps > FILL_STEPS:
        return None
    parts = functions_in(text)
    lines = _lines(text, parts)
    own = [function for function in program.functions.values() if function.path == program.path]
    owners = {name for name in (_holder(lines, f.span.start_line) for f in own) if name is not None}
    if len(owners) != len(own) or len(own) != len(parts):
        return None  # functions inside others, in classes or namespaces, templates
    places = [item.span.start_line for item in analysis.annotations]
    places += [item.span.start_line for item in analysis.diagnostics]
    if any(_holder(lines, line) is None for line in places):
        return None
    names = {part.name for part in parts}
    shared = frozenset(
        name for name, var in program.globals.items()
        if not var.const or var.unwritten or var.dims or var.type.pointer
    )  # fmt: skip
    outside = [text[a:b] for a, b in _gaps(text, parts)]
    others = [content for path, content in program.sources.items() if path != program.path]
    if _hidden(text, outside, others, shared) & (names | shared):
        return None
    return Whole(
        text, analysis, about, {path: content for path, content in program.sources.items() if path != program.path},
        tuple(parts), lines, shared, functions_with_pragmas(program), likely_tops(program), top, fixes, steps,
        program.work.used, program.fill_steps, _ports(program, lines),
        frozenset(name for name, var in program.globals.items() if var.dims and (var.unwritten or not var.const)),
        numbers_of(parts), tuple(blank(text[part.start : part.end]) for part in parts),
    )  # fmt: skip


def _ports(program: ir.Program, lines: Sequence[tuple[int, int]]) -> tuple[tuple[int, ir.Pragma], ...]:
    found = []
    for pragma in program.pragmas:
        if pragma.kind == "INTERFACE" and "m_axi" in pragma.text and pragma.path == program.path:
            number = _holder(lines, pragma.span.start_line)
            found += [(number, pragma)] if number is not None else []
    return tuple(found)


def _hidden(text: str, outside: Sequence[str], others: Sequence[str], shared: frozenset[str]) -> set[str]:
    """Words that tie functions to one another out of sight: in macros, in code outside them and in other files."""
    named: Counter[str] = Counter()
    for content in (*outside, *others):
        named.update(_WORD.findall(_PROTOTYPE.sub(" ", without_directives(_COMMENT.sub(" ", content)))))
    # A variable is named once where it is declared; more than that may make another one stand for it.
    found = {word for word, times in named.items() if times > (1 if word in shared else 0)}
    for content in (text, *others):
        found |= {word for line in directives_in(content) if "include" not in line for word in _WORD.findall(line)}
    return found


def _lines(text: str, parts: Sequence[Part]) -> tuple[tuple[int, int], ...]:
    found, line, at = [], 0, 0
    for part in parts:
        line += text.count("\n", at, part.start)
        end = line + text.count("\n", part.start, part.end)
        found.append((line, end))
        line, at = end, part.end
    return tuple(found)


def _gaps(text: str, parts: Sequence[Part]) -> list[tuple[int, int]]:
    ends = [0, *(part.end for part in parts)]
    return list(zip(ends, [*(part.start for part in parts), len(text)], strict=True))


def _holder(lines: Sequence[tuple[int, int]], line: int) -> int | None:
    """The number of the function that holds a line."""
    index = bisect_right(lines, (line, len(lines) + line + (1 << 40))) - 1
    return index if index >= 0 and line < lines[index][1] else None


def edit_of(whole: Whole, text: str, about: object) -> Edit | None:
    """What an edit of one function asks to be read again; None where that is everything."""
    if text == whole.text or about != whole.about or "ACCEL" in text:
        return None
    start, tail = _common(whole.text, text)
    number = _part_at(whole.parts, start, len(whole.text) - tail)
    if number is None:
        return None
    part, grown = whole.parts[number], len(text) - len(whole.text)
    before, now = whole.text[part.start : part.end], text[part.start : part.end + grown]
    if whole.arrays & {*_WORD.findall(before), *_WORD.findall(now)}:
        return None
    if directives_in(before) != directives_in(now) or [p.name for p in functions_in(now)] != [part.name]:
        return None
    parts = (
        *whole.parts[:number],
        Part(part.name, part.start, part.end + grown),
        *(Part(p.name, p.start + grown, p.end + grown) for p in whole.parts[number + 1 :]),
    )
    moved = now.count("\n") - before.count("\n")
    begin = {number, *(range(number, len(parts)) if moved else ())}
    read = connected(text, parts, begin, whole.shared, whole.numbers)
    read |= connected(whole.text, whole.parts, begin, whole.shared, whole.numbers)
    read |= _witness(whole, text, parts, read)
    left = reduced(text, parts, read, MAX_SHARE, whole.blanks)
    lines = _moved(whole.lines, number, moved)
    return None if left is None else Edit(whole, text, left, parts, frozenset(read), number, lines, bool(moved))


def _moved(lines: tuple[tuple[int, int], ...], number: int, by: int) -> tuple[tuple[int, int], ...]:
    """The lines of functions of which one has so many more."""
    if not by:
        return lines
    first, end = lines[number]
    return (*lines[:number], (first, end + by), *((a + by, b + by) for a, b in lines[number + 1 :]))


def _common(old: str, new: str) -> tuple[int, int]:
    """How many characters are the same at the start and, of the rest, at the end."""
    end = min(len(old), len(new))
    start = common_start(old, new)
    rest = end - start
    return start, common_start(old[len(old) - rest :][::-1], new[len(new) - rest :][::-1], rest)


def _part_at(parts: Sequence[Part], start: int, end: int) -> int | None:
    """The function that holds a range, without its head's first and its end's last character."""
    index = bisect_right(parts, start, key=lambda part: part.start) - 1
    return index if index >= 0 and parts[index].start < start and end < parts[index].end else None


def _witness(whole: Whole, text: str, parts: Sequence[Part], read: set[int]) -> set[int]:
    """A function with pragmas and what belongs to it: where some are, functions without any are no hardware.

    None where those that are read anyway have had some, and have words of a pragma still.
    """
    if any(parts[n].name in whole.with_pragmas and _PRAGMA.search(text, parts[n].start, parts[n].end) for n in read):
        return set()
    for number, part in enumerate(parts):
        if number not in read and part.name in whole.with_pragmas:
            return connected(text, parts, [number], whole.shared, whole.numbers)
    return set()


def agrees(edit: Edit, program: ir.Program) -> bool:
    """Whether the functions that were read are those that were asked for, and nothing around them is another.

    Of a text that is half-typed some may be missing.
    """
    whole = edit.whole
    if program.work.reason or whole.work + program.work.used > READ_STEPS:
        return False
    if whole.fill_steps + program.fill_steps > FILL_STEPS:
        return False
    others = {path: content for path, content in program.sources.items() if path != program.path}
    own = sorted(function.name for function in program.functions.values() if function.path == program.path)
    wanted = sorted(edit.parts[number].name for number in edit.read)
    if others != whole.sources or not (set(own) <= set(wanted) if program.faults else own == wanted):
        return False
    if program.problems and not program.faults:
        return False
    ports = [number for number, _ in _ports(program, edit.lines)]
    if sorted(ports) != sorted(number for number, _ in whole.ports if number in edit.read):
        return False
    return bool(whole.with_pragmas and functions_with_pragmas(program))  # where none has any, one is chosen of all


def functions_with_pragmas(program: ir.Program) -> frozenset[str]:
    """Names of the functions that have pragmas, themselves or in a loop."""
    return frozenset(
        name
        for name, function in program.functions.items()
        if function.pragmas or any(loop.pragmas for loop in program.loops(name))
    )


def top_of(edit: Edit, program: ir.Program) -> str | None:
    """The name of the design's top in the whole text; None where it was read before, and is another one now."""
    names = {edit.parts[number].name for number in edit.read}
    likely = {name: rank for name, rank in edit.whole.tops.items() if name not in names} | likely_tops(program)
    best = max(likely, key=lambda name: likely[name], default=None)
    return best if best in names or best == edit.whole.top else None


def together(edit: Edit, part: Analysis, *, fixes: int) -> tuple[Analysis, Again] | None:
    """The analysis of the whole text: of what was read, and of what stays. None where they do not fit together."""
    whole = edit.whole
    if fixes and whole.fixes + fixes > min(MAX_VERIFIED_FIXES, VERIFY_STEPS // max(whole.steps, 1)):
        return None  # of so many not all are tried, and which ones depends on all
    old = [whole.lines[number] for number in sorted(edit.read)]
    new = [edit.lines[number] for number in sorted(edit.read)]
    places = [*(item.span for item in part.annotations), *(item.span for item in part.diagnostics)]
    if (
        (part.notes and not part.faults)
        or part.problem
        or any(_holder(new, span.start_line) is None for span in places)
    ):
        return None
    labels, findings = _outside(old, whole.analysis.annotations), _outside(old, whole.analysis.diagnostics)
    if edit.moved and any(_last_line(item) >= whole.lines[edit.number][0] for item in findings):
        return None
    analysis = replace(
        part,
        annotations=tuple(sorted((*labels, *part.annotations), key=_by_place)),
        diagnostics=tuple(sorted((*findings, *part.diagnostics), key=lambda item: (*_numbers(item.span), item.code))),
    )
    names = frozenset(edit.parts[number].name for number in edit.read)
    return analysis, Again(whole.analysis, tuple(old), names, part.annotations, part.diagnostics)


def _outside(lines: Sequence[tuple[int, int]], items: Iterable[Stands]) -> list[Stands]:
    """What begins on none of these lines."""
    starts = [first for first, _ in lines]
    ends = [-1, *(end for _, end in lines)]
    return [item for item in items if (line := item.span.start_line) >= ends[bisect_right(starts, line)]]


def _numbers(span: Span) -> tuple[int, int, int, int]:
    """To sort by: compared more quickly than the spans themselves, of which there are thousands at every key."""
    return span.start_line, span.start_character, span.end_line, span.end_character


def _by_place(item: Annotation) -> tuple[int, int, int, int, str]:
    return *_numbers(item.span), item.kind


def _last_line(item: Diagnostic) -> int:
    spans = [item.span, *(other.span for other in item.related), *(e.span for fix in item.fixes for e in fix.edits)]
    return max(span.end_line for span in spans)


def with_all_ports(edit: Edit, program: ir.Program) -> list[ir.Pragma]:
    """The pragmas of what was read, and those of bus ports of all else."""
    return [*program.pragmas, *(pragma for number, pragma in edit.whole.ports if number not in edit.read)]


def followed(edit: Edit, analysis: Analysis, program: ir.Program, *, top: str, fixes: int) -> Whole:
    """What the analysis of an edit leaves for the next one: of one that is half-typed, what was there before."""
    whole = edit.whole
    if analysis.faults:
        return whole
    kept = {part.name for number, part in enumerate(edit.parts) if number not in edit.read}
    part, number = edit.parts[edit.number], edit.number
    return replace(
        whole,
        text=edit.full,
        analysis=analysis,
        parts=edit.parts,
        lines=edit.lines,
        blanks=(*whole.blanks[:number], blank(edit.full[part.start : part.end]), *whole.blanks[number + 1 :]),
        with_pragmas=whole.with_pragmas & kept | functions_with_pragmas(program),
        tops={name: rank for name, rank in whole.tops.items() if name in kept} | likely_tops(program),
        top=top,
        fixes=whole.fixes + fixes,
        ports=tuple(item for item in whole.ports if item[0] not in edit.read) + _ports(program, edit.lines),
        work=whole.work if not edit.moved else max(whole.work, program.work.used),
        fill_steps=whole.fill_steps + program.fill_steps,
    )
