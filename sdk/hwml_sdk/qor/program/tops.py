"""Which function is the design: the one named, or the likely one."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import SourceError
from ...languages import HLS
from . import ir
from .expressions import everything_in

_ARGUMENTS = re.compile(r"<.*>")  # of a template


def choose_top(program: ir.Program, top: str | None) -> ir.Function:
    """The function `top`, or the likely one: called by nobody, in the source or a header rather than in another source,
    visible outside, in the source itself, with interface pragmas, named like its file, largest.

    Raises SourceError when there is no function, or none of that name (the message lists those there are).
    """
    if not program.functions:
        raise SourceError("no function with a body was found", path=program.path)
    if top:
        named = _named(program, {top, top.rpartition("::")[2]})
        if named is not None:
            return named
        listed = ", ".join(list(program.functions)[:12])
        unread = f" ({program.work.reason})" if program.work.reason else ""
        raise SourceError(f"no function {top!r}; there are: {listed}{unread}", path=program.path)
    free = _free(program)
    candidates = free or [f for f in program.functions.values() if f.name != "main"] or [*program.functions.values()]
    return max(candidates, key=lambda function: _likelihood(function, program.path))


def _named(program: ir.Program, names: set[str]) -> ir.Function | None:
    """The function of one of these names, else an instance of a template of that name; no method of such a class."""
    exact = next((function for name, function in program.functions.items() if name in names), None)
    if exact is not None:
        return exact
    instances = (f for name, f in program.functions.items() if "<" in name and _ARGUMENTS.sub("", name) in names)
    return next(instances, None)


def likely_tops(program: ir.Program) -> dict[str, Likelihood]:
    """How likely each function that nothing calls is to be the design; the first of the largest is."""
    return {function.name: _likelihood(function, program.path) for function in _free(program)}


def _free(program: ir.Program) -> list[ir.Function]:
    called = called_functions(program)
    return [f for f in program.functions.values() if f.name not in called and f.name != "main"]


Likelihood = tuple[bool, bool, bool, bool, bool, bool, int, int]


def _likelihood(function: ir.Function, path: str) -> Likelihood:
    kernel = any(p.kind in ("INTERFACE", "KERNEL", "DATAFLOW") for p in function.pragmas)
    loops = sum(1 for _ in ir.loops_of(function.body))
    method = "::" in _ARGUMENTS.sub("", function.name.partition("(")[0])  # an overload's name holds its parameters
    hidden = function.static or function.constexpr or method
    named = function.name == Path(path).stem
    own = function.path == path
    here = not _is_elsewhere(function, path)
    return here, not hidden, own, kernel, named, not function.template_params, loops, -function.span.start_line


def _is_elsewhere(function: ir.Function, path: str) -> bool:
    """Whether a function stands in another source than `path`, not in a header."""
    return function.unit != path and function.path.lower().endswith(HLS.sources)


def called_functions(program: ir.Program) -> set[str]:
    """Names of functions that some function calls or hands on: `hls::task t(f, in, out)`, `apply(f, a)`.

    A test bench calls designs without being one, so `main` does not count; nor do other sources of the program.
    """
    found: set[str] = set()
    for function in program.functions.values():
        counts = function.name != "main" and not _is_elsewhere(function, program.path)
        for expr in everything_in(function.body) if counts else ():
            if type(expr) is ir.Ref:
                if expr.var is None and expr.name in program.functions:
                    found.add(expr.name)
            elif type(expr) is ir.Call and expr.name != function.name:
                found.update((expr.name, expr.name.rpartition("::")[2]))
    return found
