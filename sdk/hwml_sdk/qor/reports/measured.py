"""How often loops run when the user's own test bench runs: counters put at loop heads, and what they counted.

The text of a design is given a counter at each loop's entry and at each of its rounds, on the same lines; a small
runtime (`RUNTIME`) keeps entries and the least, most and sum of rounds, and writes them when the program ends.
Compiling and running is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...text import LineIndex, Span
from ..answer.types import LoopQor, QorPrediction
from ..program import ir
from ..project.types import Directive

MARK = "HWML-LOOP"
MAX_LOOPS = 2000

PRELUDE = """\
#ifndef HWML_COUNTERS
#define HWML_COUNTERS
struct HwmlCount { unsigned long long entries, least, most, total; };
extern "C" HwmlCount hwml_counts[];
struct HwmlEntry {
  unsigned number; unsigned long long rounds;
  explicit HwmlEntry(unsigned n) : number(n), rounds(0) {}
  ~HwmlEntry() {
    HwmlCount &c = hwml_counts[number];
    if (!c.entries || rounds < c.least) c.least = rounds;
    if (rounds > c.most) c.most = rounds;
    c.total += rounds; c.entries++;
  }
};
#endif
"""
RUNTIME = """\
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <unistd.h>
#include "hwml_counters.h"
extern "C" HwmlCount hwml_counts[@COUNT@] = {};
static void hwml_tell() {
  static bool told = false;
  if (told) return;
  told = true;
  char line[160];
  for (unsigned n = 0; n < @COUNT@; n++) {
    HwmlCount &c = hwml_counts[n];
    int size = snprintf(
      line, sizeof line, "\\n@MARK@ %u %llu %llu %llu %llu\\n", n, c.entries, c.least, c.most, c.total);
    if (c.entries && size > 0 && write(2, line, size) != size) return;
  }
}
static void hwml_ends(int number) { hwml_tell(); _exit(128 + number); }
static struct HwmlStart {
  HwmlStart() {
    if (chdir("@FOLDER@")) {}
    for (int number : {SIGSEGV, SIGFPE, SIGABRT, SIGILL, SIGBUS, SIGXCPU}) signal(number, hwml_ends);
    atexit(hwml_tell);
  }
} hwml_start;
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """One loop of the source: entries, and its rounds an entry."""

    function: str
    name: str
    path: str
    head: Span
    entries: int
    least: int
    most: int
    average: float

    def said(self) -> str:
        """`3/17.5/64 rounds (min/avg/max of 12 entries)`."""
        times = "entry" if self.entries == 1 else "entries"
        return f"{self.least}/{self.average:g}/{self.most} rounds (min/avg/max of {self.entries} {times})"


@dataclass(frozen=True, slots=True)
class Instrumented:
    """Text with counters, and the loops they count by their number. left_out: loops without one, and why."""

    text: str
    loops: tuple[ir.Loop, ...]
    left_out: tuple[str, ...]


def instrument(program: ir.Program, text: str) -> Instrumented:
    """Put counters into the text of a program's own file; no line moves."""
    index = LineIndex(text)
    loops: dict[Span, ir.Loop] = {}
    left_out = []
    for function in program.functions.values():
        for loop in program.loops(function.name):
            if loop.path != program.path or loop.span in loops:
                continue
            if loop.kind == "do" or function.constexpr or len(loops) >= MAX_LOOPS:
                left_out.append(f"loop {loop.name} is not counted: {_why(loop, function)}")
            else:
                loops[loop.span] = loop
    inserts: list[tuple[int, int, str]] = []  # offset, order at the same offset, text
    for number, loop in enumerate(loops.values()):
        inserts += _counters(index, loop, number)
    pieces, last = [], 0
    for offset, _, added in sorted(inserts, key=lambda item: item[:2]):
        pieces += [text[last:offset], added]
        last = offset
    return Instrumented("".join([*pieces, text[last:]]), tuple(loops.values()), tuple(left_out))


def _why(loop: ir.Loop, function: ir.Function) -> str:
    return "a do loop" if loop.kind == "do" else "a constexpr function" if function.constexpr else "too many loops"


def _counters(index: LineIndex, loop: ir.Loop, number: int) -> list[tuple[int, int, str]]:
    """A block around the loop that makes its counter, and a count at the head of its body."""
    start = index.index(loop.span.start_line, loop.span.start_character)
    end = index.index(loop.span.end_line, loop.span.end_character)
    body = index.index(loop.head.end_line, loop.head.end_character)
    brace = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*\{", re.DOTALL).match(index.text, body)
    entry = f"{{ HwmlEntry hwml_entry_{number}({number}); "
    count = f" ++hwml_entry_{number}.rounds; "
    if brace is not None:
        return [(start, number, entry), (brace.end(), -number, count), (end, -number, " }")]
    return [(start, number, entry), (body, -number, f" {{{count}"), (end, -number, " } }")]


def runtime(count: int, folder: str) -> str:
    """The runtime for so many loops, in whose folder the program is to run."""
    quoted = folder.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return RUNTIME.replace("@COUNT@", str(max(count, 1))).replace("@MARK@", MARK).replace("@FOLDER@", quoted)


def counted(loops: Sequence[ir.Loop], written: str) -> list[Counted]:
    """What a run wrote of its loops; those that were never reached are left out."""
    found = []
    for match in re.finditer(rf"^{MARK} (\d+) (\d+) (\d+) (\d+) (\d+)$", written, re.MULTILINE):
        number, entries, least, most, total = map(int, match.groups())
        if number < len(loops) and entries:
            loop = loops[number]
            average = round(total / entries, 3)
            found.append(Counted(loop.function, loop.name, loop.path, loop.head, entries, least, most, average))
    return found


def said_by_the_bench(written: str) -> str:
    """What the program itself wrote."""
    return re.sub(rf"^{MARK} [\d ]+$\n?", "", written, flags=re.MULTILINE)


def as_directives(found: Iterable[Counted], wanted: set[tuple[str, str]], bench: str) -> tuple[Directive, ...]:
    """`loop_tripcount` for the loops (function, name) whose rounds nothing else tells."""
    made = []
    for item in found:
        if (item.function, item.name) in wanted:
            options = {"min": str(item.least), "max": str(item.most), "avg": str(round(item.average))}
            text = f"measured by {bench}: {item.said()}"
            made.append(Directive("LOOP_TRIPCOUNT", item.function, item.name, options, text, bench, Span(0, 0, 0, 0)))
    return tuple(made)


def unsure_loops(prediction: QorPrediction, program: ir.Program) -> set[tuple[str, str]]:
    """(function, name) of loops whose bound hangs on data: not known, or told by a pragma only."""
    told = {(loop.function, loop.name) for loop in program.loops() if loop.pragma("HLS", "LOOP_TRIPCOUNT") is not None}
    return told | {(loop.function, loop.name) for loop in _every(prediction.loops) if loop.trip_count is None}


def _every(loops: Iterable[LoopQor]) -> Iterable[LoopQor]:
    for loop in loops:
        yield loop
        yield from _every(loop.loops)


def marked(prediction: QorPrediction, found: Iterable[Counted], bench: str) -> QorPrediction:
    """A prediction whose loops say what was measured of them."""
    said = {(item.path, item.head, item.name): item.said() for item in found}

    def mark(loops: tuple[LoopQor, ...]) -> tuple[LoopQor, ...]:
        return tuple(_marked(loop, said, bench, mark(loop.loops)) for loop in loops)

    functions = tuple(replace(function, loops=mark(function.loops)) for function in prediction.functions)
    return replace(prediction, loops=mark(prediction.loops), functions=functions)


def _marked(
    loop: LoopQor, said: Mapping[tuple[str, Span, str], str], bench: str, inner: tuple[LoopQor, ...]
) -> LoopQor:
    measured = said.get((loop.path, loop.span, loop.name))
    notes = loop.notes if measured is None else (*loop.notes, f"measured by {bench}: {measured}")
    return replace(loop, notes=notes, loops=inner)
