"""Trip counts against what really runs: g++ with coverage, and counts worked out by hand."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.qor.execution import GCOV, GXX, Count, NotRunnableError, loop_counts
from tests.qor.qor_data import Kernel, kernels, needs_data

from hwml_sdk.qor import ir
from hwml_sdk.qor.source import read_program
from hwml_sdk.qor.trip_counts import TripCount, TripCounter, stable_bindings

needs_gxx = pytest.mark.skipif(GXX is None or GCOV is None, reason="g++ or gcov is not here")

Head = tuple[str, int, int]


@dataclass
class Outcome:
    """What was compared. wrong: one line for each loop that disagrees."""

    kernels: int = 0
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Share of the compared loops that agree."""
        return self.right / max(self.right + len(self.wrong), 1)

    def __str__(self) -> str:
        compared = self.right + len(self.wrong)
        found = f"{self.kernels} kernels, {compared} constant-bound loops, {self.right} as executed ({self.share:.2%})"
        return "\n".join([found, f"left out: {dict(self.left_out)}", *self.wrong[:60]])


def predicted(kernel: Kernel) -> dict[Head, list[tuple[ir.Loop, TripCount]]]:
    """Counted loops of a kernel by the place of their `for`; a template has one entry an instance."""
    program = read_program(kernel.files[kernel.main], path=kernel.main, files=kernel.files)
    found: dict[Head, list[tuple[ir.Loop, TripCount]]] = {}
    for function in program.functions.values():
        counter = TripCounter(stable_bindings(function, {}))
        counter.block(function.body)
        for loop, count in counter.counts.items():
            if loop.kind == "for":
                head = (loop.path, loop.head.start_line, loop.head.start_character)
                found.setdefault(head, []).append((loop, count))
    return found


def compare(kernel: Kernel, outcome: Outcome, *, seconds: int = 10) -> None:
    """Run one kernel and note which loops' counts are as executed."""
    claimed = predicted(kernel)
    try:
        with tempfile.TemporaryDirectory() as folder:
            counts = loop_counts(kernel.files, kernel.main, kernel.top, claimed, Path(folder), seconds=seconds)
    except NotRunnableError as error:
        outcome.left_out[str(error)] += 1
        return
    outcome.kernels += 1
    constants = constant_names(kernel.files)
    for head, versions in claimed.items():
        real = counts.get(head)
        averages = {count.average for _, count in versions if count.source == "bounds"}
        loop = versions[0][0]
        if real is None:
            outcome.left_out["loops never reached, in macros, or without an init part"] += 1
        elif len(averages) > 1:
            outcome.left_out["loops of templates with several instances"] += 1
        elif loop.has_break:
            outcome.left_out["loops that are left early"] += 1
        elif averages or is_constant(loop, kernel.files[head[0]], constants):
            judge(kernel, head, averages.pop() if averages else None, real, outcome)


def judge(kernel: Kernel, head: Head, average: float | None, real: Count, outcome: Outcome) -> None:
    """Right is: iterations of all entries together as executed (a fraction of a sampled average rounds away)."""
    if average is not None and round(average * real.entries) == real.iterations:
        outcome.right += 1
    else:
        outcome.wrong.append(
            f"{kernel.source} {kernel.id} {head[0]}:{head[1] + 1}: predicted {average}, "
            f"executed {real.iterations} in {real.entries} entries = {real.iterations / real.entries:g}"
        )


# -- which loops are constant-bound, told from the text alone --------------------------------------------------------

_WORDS = {"for", "int", "unsigned", "long", "short", "char", "size_t", "signed", "const", "auto", "register", "bool"}
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(.+?)[ \t]*(?://.*|/\*.*)?$", re.MULTILINE)
_CONST = re.compile(r"\b(?:static\s+)?const(?:expr)?\s+(?:static\s+)?(?:unsigned\s+)?\w+\s+(\w+)\s*=\s*([^;{]+);")


def constant_names(files: Mapping[str, str]) -> set[str]:
    """Object-like macros and const variables whose value is made of numbers and other such names."""
    found = [pattern.findall(text) for text in files.values() for pattern in (_DEFINE, _CONST)]
    bodies = {name: body for pairs in found for name, body in pairs}
    known: set[str] = set()
    for _ in range(6):
        known |= {name for name, body in bodies.items() if _words(body) <= known and not re.search(r'["{]', body)}
    return known


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text)) - _WORDS


def is_constant(loop: ir.Loop, text: str, constants: set[str]) -> bool:
    """Whether the head holds nothing but numbers, constants, its own variable and those of the loops around it."""
    lines = text.split("\n")[loop.head.start_line : loop.head.end_line + 1]
    lines[-1] = lines[-1][: loop.head.end_character] if loop.head.end_line > loop.head.start_line else lines[-1]
    head = "\n".join(lines)[loop.head.start_character :] if len(lines) > 1 else lines[0][
        loop.head.start_character : loop.head.end_character
    ]  # fmt: skip
    allowed = set(constants)
    around: ir.Loop | None = loop
    while around is not None:
        allowed |= {around.var.name} if around.var is not None else set()
        around = around.parent
    if "[" in head or re.search(r"\w\s*\(", head.removeprefix("for").lstrip().removeprefix("(")):
        return False
    return _words(head) <= allowed
