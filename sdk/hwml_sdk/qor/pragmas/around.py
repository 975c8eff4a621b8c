"""Where in a source a pragma is being typed: function and loop around, what is declared there, how often it runs.

Reads that function alone, so that it is quick in a file of any length; macros of elsewhere stay names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...errors import SourceError
from ..program import ir
from ..program.trip_counts import TripCounter
from ..read.source import read_program

MAX_CONTEXT_LINES = 400
_DEFINE = re.compile(
    r"^[ \t]*(?:#[ \t]*define[ \t]+\w+[ \t]+[\w.()+*/<> -]+|(?:static[ \t]+)?const(?:expr)?[ \t][^;{}()]*;)"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable that may be named: its declaration in words, its extents, and whether it is a parameter."""

    name: str
    declaration: str
    dims: tuple[int | None, ...]
    is_param: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What is around a line. trip_count: of the loop around, None where it is not constant."""

    in_function: bool = False
    in_loop: bool = False
    trip_count: int | None = None
    names: tuple[Name, ...] = ()


def look_around(lines: Sequence[str], line: int) -> Around:
    """What is around a line of a source; nothing where it cannot be read."""
    first = _function_start(lines, line)
    # Sizes that the head of the file states are read with it.
    stated = [text for text in lines[:first] if _DEFINE.match(text)][:MAX_CONTEXT_LINES]
    text = "\n".join([*stated, *lines[first : line + MAX_CONTEXT_LINES]]).replace("\0", " ")
    try:
        program = read_program(text)
    except SourceError:
        return Around()
    here = line - first + len(stated)
    functions = [f for f in program.functions.values() if f.span.start_line <= here <= f.span.end_line + 1]
    function = functions[-1] if functions else None
    if function is None:
        return Around(names=_names(program.globals.values(), [], here))
    loops = [loop for loop in program.loops(function.name) if loop.span.start_line <= here <= loop.span.end_line]
    inner = max(loops, key=lambda loop: loop.span.start_line, default=None)
    others = [loop for loop in program.loops(function.name) if loop not in loops]
    known = [*program.globals.values(), *function.variables.values()]
    return Around(
        in_function=True,
        in_loop=inner is not None,
        trip_count=None if inner is None else _trip_count(program, function, inner),
        names=_names(known, others, here),
    )


def _names(variables: Iterable[ir.Variable], others: Sequence[ir.Loop], here: int) -> tuple[Name, ...]:
    """Those that are seen at a line: not what another loop declares; arrays first, what is declared below last."""
    found: dict[str, tuple[bool, Name]] = {}
    for var in variables:
        hidden = any(loop.span.start_line <= var.span.start_line <= loop.span.end_line for loop in others)
        if hidden and var.scope == "local":
            continue
        words = "".join([var.type.name, *(f"[{'' if size is None else size}]" for size in var.dims)])
        below = var.scope == "local" and var.span.start_line > here
        found[var.name] = below, Name(var.name, words, var.dims, var.scope == "param")
    ordered = sorted(found.values(), key=lambda item: (item[0], not item[1].dims, item[1].name))
    return tuple(name for _, name in ordered)


def _trip_count(program: ir.Program, function: ir.Function, loop: ir.Loop) -> int | None:
    known = {var: var.value for var in program.globals.values() if var.value is not None}
    counter = TripCounter(known)
    counter.block(function.body)
    found = counter.counts.get(loop)
    return int(found.average) if found is not None and found.constant and found.average else None


def _function_start(lines: Sequence[str], line: int) -> int:
    """The line after the last `}` in the first column above."""
    for index in range(line - 1, max(line - MAX_CONTEXT_LINES, 0) - 1, -1):
        if lines[index].startswith("}"):
            return index + 1
    return max(line - MAX_CONTEXT_LINES, 0)
