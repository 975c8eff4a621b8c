"""Code that cannot be followed or cannot become hardware: heap, operating system, recursion."""

from __future__ import annotations

import re

from ..program import ir
from ..program.expressions import calls
from .code import Code
from .context import Context, SourceText
from .rule import rule

UNREADABLE = Code("HLS100", "warning", "a source that cannot be followed")
RECURSION = Code("HLS123", "error", "recursion")
NO_HEAP = Code("HLS124", "error", "dynamic memory")
SYSTEM_CALL = Code("HLS125", "error", "call into the operating system")


_ALLOCATION = {"malloc", "calloc", "realloc", "free", "new", "delete", "aligned_alloc", "alloca"}
_DYNAMIC_TYPE = re.compile(
    r"^std::(?:vector|map|unordered_map|set|unordered_set|list|deque|queue|stack|string|shared_ptr|unique_ptr|function)\b"
)
# Calls into the operating system (UG1399, "System Calls"); printf and cout are left out by the tool itself.
_SYSTEM = {
    "fopen", "fclose", "fread", "fwrite", "fscanf", "fgets", "fputs", "scanf", "getchar", "getenv", "system", "rand",
    "srand", "random", "time", "clock", "gettimeofday", "sleep", "usleep", "nanosleep", "fork", "pthread_create",
}  # fmt: skip


@rule(UNREADABLE)
def unreadable(context: Context) -> None:
    """What the reader could not follow."""
    for problem in context.program.problems:
        if problem.severity == "warning":
            context.report(UNREADABLE, problem.message, problem.path, problem.span)


@rule(NO_HEAP, SYSTEM_CALL)
def foreign_calls(context: Context) -> None:
    """Dynamic memory and calls into the operating system."""
    for function in context.functions():
        for call in calls(function.body):
            name = call.name.rpartition("::")[2]
            if call.name in context.program.functions or call.receiver is not None or call.span is None:
                continue
            if name in _ALLOCATION:
                message = f"{name} in {function.name}: there is no heap in hardware; use an array of fixed size"
                context.report(NO_HEAP, message, function.path, call.span)
            elif name in _SYSTEM:
                message = f"{name} in {function.name} cannot be synthesised; keep it in the test bench"
                context.report(SYSTEM_CALL, message, function.path, call.span)
        for var in function.variables.values():
            name = var.type.name
            own = name.startswith("std::") or bool(var.type.fields)
            bare = not own and _names_std(context.source(var.path))
            name = f"std::{name}" if bare else name
            if _DYNAMIC_TYPE.match(name):
                short = name.partition("<")[0]
                message = f"{var.name} is a {short}: it grows on a heap, which hardware has not; use an array"
                context.report(NO_HEAP, message, var.path, var.span)
        _containers(context, function)


# `std::vector<int> v(n);` reads as the declaration of a function.
_CONTAINER = re.compile(
    r"(?<![\w:])(std\s*::\s*)?(vector|map|unordered_map|set|list|deque|queue|stack|string)\b"
    r"\s*(?:<[^;{}()]*>)?\s+(\w+)\s*\("
)


def _names_std(source: SourceText | None) -> bool:
    return source is not None and "using namespace std" in source.text and "using namespace std" in source.blanked


def _containers(context: Context, function: ir.Function) -> None:
    source = context.source(function.path)
    if source is None or "std" not in source.text:
        return
    start = source.index(function.span.start_line, function.span.start_character)
    end = source.index(function.span.end_line, function.span.end_character)
    bare = _names_std(source)
    for match in _CONTAINER.finditer(source.blanked, start, end):
        written, kind, name = match.groups()
        if (bare or written) and name not in function.variables and name != function.name:
            message = f"{name} is a std::{kind}: it grows on a heap, which hardware has not; use an array"
            span = source.span(match.start(3), match.end(3))
            context.report(NO_HEAP, message, function.path, span)


@rule(RECURSION)
def recursion(context: Context) -> None:
    """A function that calls itself, directly or through others."""
    functions = {f.name: f for f in context.functions() if not f.template_params and not _at_compile_time(f)}
    targets = {name: _callees(context, function, functions) for name, function in functions.items()}
    targets = _with_ways_on(targets)
    for name, function in functions.items():
        path = _path_back(name, targets) if name in targets else ()
        if path:
            way = " -> ".join((name, *path))
            message = f"{name} calls itself ({way}): recursion cannot be synthesised; rewrite it as a loop"
            context.report(RECURSION, message, function.path, function.name_span)


def _at_compile_time(function: ir.Function) -> bool:
    """Whether recursion ends while the source is read: `constexpr`, or an instance whose arguments count down."""
    arguments = function.name.partition("<")[2].rpartition(">")[0]
    return function.constexpr or re.search(r"[-+/]", arguments) is not None


def _callees(context: Context, function: ir.Function, known: dict[str, ir.Function]) -> set[str]:
    return {
        call.name
        for call in calls(function.body)
        if call.receiver is None
        and call.name in known
        and len(call.args) == len(known[call.name].params)
        and not context.is_overloaded(call.name)
    }


def _with_ways_on(targets: dict[str, set[str]]) -> dict[str, set[str]]:
    """Only the functions from which calls go on for ever: all others cannot be part of a recursion."""
    left = {name: set(called) for name, called in targets.items()}
    callers: dict[str, list[str]] = {}
    for name, called in targets.items():
        for other in called:
            callers.setdefault(other, []).append(name)
    done = [name for name, called in left.items() if not called]
    while done:
        name = done.pop()
        del left[name]
        for caller in callers.get(name, ()):
            left[caller].discard(name)
            if not left[caller]:
                done.append(caller)
    return left


def _path_back(start: str, targets: dict[str, set[str]]) -> tuple[str, ...]:
    """The shortest way of calls from `start` back to itself; empty when there is none."""
    pending: list[tuple[str, ...]] = [(name,) for name in sorted(targets[start])]
    seen: set[str] = set()
    while pending:
        path = pending.pop(0)
        if path[-1] == start:
            return path
        if path[-1] not in seen:
            seen.add(path[-1])
            pending += [(*path, name) for name in sorted(targets.get(path[-1], ()))]
    return ()
