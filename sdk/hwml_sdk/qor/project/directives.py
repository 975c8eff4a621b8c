"""Directives of project files: put together from their words, and given to the loops and functions they name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..program import ir
from ..program.constant_text import evaluate_text
from ..program.constants import evaluate
from ..program.numbers import Number
from ..program.options import evaluate_options
from .types import Directive, HlsProject, Place, is_true, skip

# Directives whose second word names a variable, and the option a pragma uses for it.
_SUBJECT = {
    "INTERFACE": "port", "ALLOCATION": "instances", "FUNCTION_INSTANTIATE": "variable",
    **dict.fromkeys(
        ("ARRAY_PARTITION", "ARRAY_RESHAPE", "ARRAY_MAP", "ARRAY_STENCIL", "STREAM", "BIND_STORAGE", "BIND_OP",
         "RESOURCE", "DEPENDENCE", "AGGREGATE", "DISAGGREGATE", "DATA_PACK", "STABLE", "CACHE", "ALIAS"),
        "variable",
    ),
}  # fmt: skip
# Options that take no value; every other `-option` of Tcl is followed by its value.
FLAGS = {
    "off", "recursive", "rewind", "enable_flush", "region", "skip_exit_check", "force", "register", "disable",
    "complete", "block", "cyclic", "intra", "inter",
}  # fmt: skip


def add_directive(project: HlsProject, kind: str, words: list[str], options: dict[str, str], place: Place) -> None:
    """Add a directive to a project: `words` are its location and what stands without a name behind it."""
    kind = kind.upper()
    if not words:
        skip(project, place, "the location (function or function/label) is missing")
        return
    function, _, label = words[0].partition("/")
    subject = _SUBJECT.get(kind)
    rest = words[1:]
    if subject and rest:
        options.setdefault(subject, rest.pop(0))
    options.update(dict.fromkeys((word.lower() for word in rest), ""))
    if is_true(options.get("off")) and options.get("off"):
        options["off"] = ""
    said = place.raw.strip()
    project.directives.append(
        Directive(kind, function, label.rpartition("/")[2], options, said, place.path, place.span)
    )  # fmt: skip


def apply_directives(program: ir.Program, directives: Iterable[Directive]) -> tuple[ir.Pragma, ...]:
    """Attach directives as pragmas to the functions and loops they name, as `set_directive_*` does.

    Returns those that fit nothing; they are in `program.pragmas` too, with owner None, for lint to report.
    """
    unplaced: list[ir.Pragma] = []
    for directive in directives:
        owners: list[ir.Loop | ir.Function | None] = [*_owners(program, directive)] or [None]
        for owner in owners:
            pragma = _pragma(directive, owner)
            evaluate_options(pragma, partial(_value, program))
            program.pragmas.append(pragma)
            if owner is None:
                unplaced.append(pragma)
            else:
                owner.pragmas.append(pragma)
    return tuple(unplaced)


def _value(program: ir.Program, text: str) -> Number | None:
    """Value of an option: a number, or an expression of the constants at file level."""

    def lookup(name: str) -> Number | None:
        var = program.globals.get(name)
        return evaluate(ir.Ref(name, var), {}) if var is not None else None

    return evaluate_text(text, lookup)


def _pragma(directive: Directive, owner: ir.Loop | ir.Function | None) -> ir.Pragma:
    options = dict(directive.options)
    words = " ".join(f"{name}={value}" if value else name for name, value in options.items())
    text = f"HLS {directive.kind} {words}".strip()
    return ir.Pragma(
        "HLS", directive.kind, options, text, directive.path, directive.span, owner, from_file=directive.path
    )  # fmt: skip


def _owners(program: ir.Program, directive: Directive) -> list[ir.Loop | ir.Function]:
    functions = matching_functions(program, directive.function)
    if not directive.label:
        return list(functions)
    found: list[ir.Loop | ir.Function] = []
    for function in functions:
        loops = [loop for loop in program.loops(function.name) if directive.label in (loop.label, loop.name)]
        found += loops
    return found


def matching_functions(program: ir.Program, name: str) -> list[ir.Function]:
    """Functions a location names: by full name, or by the last part of it; every instance of a template."""
    wanted = name.partition("<")[0].rpartition("::")[2]
    return [
        function
        for key, function in program.functions.items()
        if key == name or key.partition("<")[0].rpartition("::")[2] == wanted
    ]
