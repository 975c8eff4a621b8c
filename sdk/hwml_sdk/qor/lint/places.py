"""Where pragmas and directives stand: in the function, loop or file they speak about."""

from __future__ import annotations

import re

from ...document import Edit, Fix
from ..pragmas.table import ACCEL_LOOP_KINDS, FUNCTION_ONLY, HLS_OPTIONS, LOOP_ONLY
from ..program import ir
from .code import Code
from .context import Context, loop_name
from .rule import rule

MISPLACED = Code("HLS108", "warning", "misplaced pragma")
MISPLACED_ACCEL = Code("HLS127", "warning", "misplaced Merlin pragma")
NO_TARGET = Code("HLS128", "warning", "directive without a target")


@rule(MISPLACED, MISPLACED_ACCEL, NO_TARGET)
def place(context: Context) -> None:
    """Pragmas outside what they speak about, of Merlin too, and directives without a target."""
    broken = {problem.path for problem in context.program.problems}
    for pragma in context.program.pragmas:
        if pragma.from_file and pragma.owner is None:
            message = f"{pragma.kind}: there is no such function or loop label in {context.program.path}"
            context.report(NO_TARGET, message, pragma.path, pragma.span)
        elif pragma.dialect == "ACCEL":
            if pragma.kind in ACCEL_LOOP_KINDS and not isinstance(pragma.owner, ir.Loop):
                message = f"ACCEL {pragma.kind} has no loop below it: Merlin ignores it; put it right above the loop"
                context.report(MISPLACED_ACCEL, message, pragma.path, pragma.span)
        elif pragma.owner is None:
            if pragma.path not in broken and pragma.kind in HLS_OPTIONS and _at_file_level(context, pragma):
                message = f"{pragma.kind} stands outside any function: the tool ignores it; put it inside the body"
                context.report(MISPLACED, message, pragma.path, pragma.span, fixes=_into_function(context, pragma))
        else:
            _scope(context, pragma)


def _scope(context: Context, pragma: ir.Pragma) -> None:
    owner = pragma.owner
    if pragma.kind in LOOP_ONLY and isinstance(owner, ir.Function) and "region" not in pragma.options:
        loop = _loop_below(context, pragma, owner)
        where = f"move it into the body of {loop_name(loop)}" if loop is not None else "put it inside the loop's body"
        message = f"{pragma.kind} stands outside any loop and has no effect; {where}"
        fixes = _into_loop(context, pragma, loop) if loop is not None else ()
        context.report(MISPLACED, message, pragma.path, pragma.span, fixes=fixes)
    elif pragma.kind in FUNCTION_ONLY and isinstance(owner, ir.Loop):
        message = f"{pragma.kind} stands inside {loop_name(owner)}; it speaks about the function: put it at its top"
        context.report(MISPLACED, message, pragma.path, pragma.span)


def _at_file_level(context: Context, pragma: ir.Pragma) -> bool:
    """Whether no brace is open above the pragma: inside classes and macros the reader may miss the body."""
    source = context.source(pragma.path)
    if source is None:
        return False
    before = source.blanked[: source.index(pragma.span.start_line, 0)]
    return before.count("{") == before.count("}")


def _into_function(context: Context, pragma: ir.Pragma) -> tuple[Fix, ...]:
    """Move a pragma that stands between a function's head and its `{` to below the brace."""
    source = context.source(pragma.path)
    text = context.text(pragma)
    if source is None or not text.editable:
        return ()
    end = source.index(pragma.span.end_line, pragma.span.end_character)
    match = re.compile(r"\s*\{[ \t]*\n").match(source.text, end)
    before = source.text[: text.begin].rstrip()
    if match is None or not before.endswith(")"):
        return ()
    return _move(context, pragma, match.end())


def _loop_below(context: Context, pragma: ir.Pragma, function: ir.Function) -> ir.Loop | None:
    """The loop that starts right below the pragma, other pragmas aside."""
    source = context.source(pragma.path)
    if source is None or not context.text(pragma).editable:
        return None
    end = source.index(pragma.span.end_line, pragma.span.end_character)
    for loop in context.program.loops(function.name):
        begin = source.index(loop.span.start_line, loop.span.start_character)
        if loop.parent is None and loop.path == pragma.path and begin > end:
            between = re.sub(r"#\s*pragma[^\n]*", "", source.blanked[end:begin])
            return loop if re.fullmatch(r"\s*(?:[A-Za-z_]\w*\s*:)?\s*", between) else None
    return None


def _into_loop(context: Context, pragma: ir.Pragma, loop: ir.Loop) -> tuple[Fix, ...]:
    source = context.source(pragma.path)
    if source is None:
        return ()
    head = source.index(loop.head.end_line, loop.head.end_character)
    match = re.compile(r"\s*\{[ \t]*\n").match(source.text, head)
    return _move(context, pragma, match.end()) if match else ()


def _move(context: Context, pragma: ir.Pragma, target: int) -> tuple[Fix, ...]:
    """Take the pragma's line out and put it at the start of the line at offset `target`."""
    text = context.text(pragma)
    source = text.source
    assert source is not None
    line = source.whole_lines(pragma.span)
    if line == pragma.span:
        return ()
    place = source.span(target, target)
    edits = (Edit(line, ""), Edit(place, f"{text.raw}\n"))
    return (Fix(f"move {pragma.kind} into the body", edits),)
