"""Lint rules about the code itself: what cannot be synthesised, what nothing bounds, what the tool will miss."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..answer.types import LoopQor
from ..program import ir
from ..program.expressions import root_variable
from ..program.facts import calls
from ..tool.labels import RESOURCES
from .context import Context, is_on, loop_name

_ALLOCATION = {"malloc", "calloc", "realloc", "free", "new", "delete", "aligned_alloc", "alloca"}
_DYNAMIC_TYPE = re.compile(
    r"^std::(?:vector|map|unordered_map|set|unordered_set|list|deque|queue|stack|string|shared_ptr|unique_ptr|function)\b"
)
# Calls into the operating system (UG1399, "System Calls"); printf and cout are left out by the tool itself.
_SYSTEM = {
    "fopen", "fclose", "fread", "fwrite", "fscanf", "fgets", "fputs", "scanf", "getchar", "getenv", "system", "rand",
    "srand", "random", "time", "clock", "gettimeofday", "sleep", "usleep", "nanosleep", "fork", "pthread_create",
}  # fmt: skip


def rule_problems(context: Context) -> None:
    """HLS100: what the reader could not follow."""
    for problem in context.program.problems:
        if problem.severity == "warning":
            context.report("HLS100", problem.message, problem.path, problem.span)


def rule_trip_count(context: Context) -> None:
    """HLS120 nothing bounds the loop, HLS121 a tripcount where the bound is known."""
    for loop in context.loops():
        pragma = loop.pragma("HLS", "LOOP_TRIPCOUNT")
        if pragma is None:
            if not context.is_template(loop) and not _assumed(context) and not context.facts.is_bounded(loop):
                message = f"nothing bounds {loop_name(loop)}: latency stays unknown without a loop_tripcount pragma"
                context.report("HLS120", message, loop.path, loop.head)
            continue
        trips = context.facts.trip_count(loop)
        if trips is not None and not loop.has_break and not context.is_template(loop):
            fixes = context.text(pragma).remove("remove the pragma", safe=True)
            message = f"{loop_name(loop)} always runs {trips} times: loop_tripcount is ignored here"
            context.report("HLS121", message, pragma.path, pragma.span, fixes=fixes)


def _assumed(context: Context) -> bool:
    return context.settings is not None and context.settings.hls.trip_count > 0


def rule_calls(context: Context) -> None:
    """HLS124 dynamic memory, HLS125 calls into the operating system."""
    for function in context.functions():
        for call in calls(function.body):
            name = call.name.rpartition("::")[2]
            if call.name in context.program.functions or call.receiver is not None or call.span is None:
                continue
            if name in _ALLOCATION:
                message = f"{name} in {function.name}: there is no heap in hardware; use an array of fixed size"
                context.report("HLS124", message, function.path, call.span)
            elif name in _SYSTEM:
                message = f"{name} in {function.name} cannot be synthesised; keep it in the test bench"
                context.report("HLS125", message, function.path, call.span)
        for var in function.variables.values():
            if _DYNAMIC_TYPE.match(var.type.name):
                short = var.type.name.partition("<")[0]
                message = f"{var.name} is a {short}: it grows on a heap, which hardware has not; use an array"
                context.report("HLS124", message, var.path, var.span)


def rule_recursion(context: Context) -> None:
    """HLS123: a function that calls itself, directly or through others."""
    functions = {f.name: f for f in context.functions() if not f.template_params}
    targets = {name: _callees(context, function, functions) for name, function in functions.items()}
    targets = _with_ways_on(targets)
    for name, function in functions.items():
        path = _path_back(name, targets) if name in targets else ()
        if path:
            way = " -> ".join((name, *path))
            message = f"{name} calls itself ({way}): recursion cannot be synthesised; rewrite it as a loop"
            context.report("HLS123", message, function.path, function.name_span)


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


# -- dataflow ------------------------------------------------------------------------------------------------


def rule_dataflow(context: Context) -> None:
    """HLS122: a channel of a dataflow region with two writers or two readers."""
    for function in context.functions():
        if is_on(function.pragma("HLS", "DATAFLOW")):
            _region(context, function, function.body)
        for loop in context.program.loops(function.name):
            if is_on(loop.pragma("HLS", "DATAFLOW")):
                _region(context, function, loop.body)


def _region(context: Context, function: ir.Function, body: ir.Block) -> None:
    processes = [item for item in _flat(body) if _is_process(context, item)]
    if any(_dissolves(context, item) for item in processes):
        return
    uses = [context.uses.of(item) for item in processes]
    declared = {item.var for item in _flat(body) if isinstance(item, ir.Declare)}
    for var in declared:
        if not _is_channel(context, function, var, processes) or any(var in use.unknown for use in uses):
            continue
        writers = sum(var in use.writes for use in uses)
        readers = sum(var in use.reads and var not in use.writes for use in uses)
        for count, verb in ((writers, "written"), (readers, "read")):
            if count > 1:
                message = (
                    f"{var.name} is {verb} by {count} processes of the dataflow region: a channel has one writer and "
                    f"one reader, so they cannot overlap"
                )
                context.report("HLS122", message, var.path, var.span)
                break


def _flat(block: ir.Block) -> Iterable[ir.Stmt]:
    for item in block.items:
        if isinstance(item, ir.Block):
            yield from _flat(item)
        else:
            yield item


def _is_process(context: Context, item: ir.Stmt) -> bool:
    if isinstance(item, ir.Loop):
        return True
    return isinstance(item, ir.Evaluate) and isinstance(item.expr, ir.Call)


def _dissolves(context: Context, item: ir.Stmt) -> bool:
    """Whether the tool takes the process apart before it looks: inlined functions, unrolled loops."""
    if isinstance(item, ir.Loop):
        return item.pragma("HLS", "UNROLL") is not None
    call = item.expr if isinstance(item, ir.Evaluate) else None
    callee = context.program.functions.get(call.name) if isinstance(call, ir.Call) else None
    return callee is not None and is_on(callee.pragma("HLS", "INLINE"))


def _is_channel(context: Context, function: ir.Function, var: ir.Variable, processes: list[ir.Stmt]) -> bool:
    """Local arrays and single streams, used whole: parts of an array may go to different processes."""
    if var.static or var.const or var.type.pointer or context.declared_twice(function, var.name):
        return False
    if (var.type.kind == "stream") == bool(var.dims):  # neither array nor stream, or an array of streams
        return False
    shared = ("STREAM", "SHARED", "STABLE", "ARRAY_PARTITION", "DISAGGREGATE")
    for pragma in function.pragmas:
        if (
            pragma.kind in shared
            and pragma.options.get("variable") == var.name
            and pragma.options.get("type") != "fifo"
        ):
            return var.type.kind == "stream"
    return not any(_passes_part(item, var) for item in processes)


def _passes_part(item: ir.Stmt, var: ir.Variable) -> bool:
    if not isinstance(item, ir.Evaluate) or not isinstance(item.expr, ir.Call):
        return False
    for argument in item.expr.args:
        plain = isinstance(argument, ir.Ref)
        if not plain and root_variable(argument) is var:
            return True
    return False


# -- what the estimate tells ---------------------------------------------------------------------------------


def rule_initiation(context: Context) -> None:
    """HLS118 II bound by memory ports, HLS119 II bound by a recurrence: only where the estimate is no guess."""
    if context.estimate is None:
        return
    asked = {(loop.path, loop.head.start_line): loop for loop in context.loops()}
    listed = [*context.estimate.loops, *(loop for f in context.estimate.functions for loop in f.loops)]
    for loop_qor in _all_loops(listed):
        loop = asked.get((loop_qor.path, loop_qor.span.start_line))
        if loop is None or loop_qor.ii is None or loop_qor.ii_is_guess or not loop_qor.pipelined:
            continue
        pragma = loop.pragma("HLS", "PIPELINE")
        target = _target(context, pragma)
        if loop_qor.ii <= target or not loop_qor.ii_bound_by:
            continue
        code = "HLS119" if loop_qor.ii_bound_by.startswith("recurrence") else "HLS118"
        place, path = (pragma.span, pragma.path) if pragma is not None else (loop.head, loop.path)
        message = f"{loop_name(loop)}: II {loop_qor.ii} instead of {target}, bound by {loop_qor.ii_bound_by}"
        severity = None if pragma is not None else "info"
        context.report(code, message, path, place, severity=severity)  # type: ignore[arg-type]


def _all_loops(loops: Iterable[LoopQor]) -> Iterable[LoopQor]:
    for loop in loops:
        yield loop
        yield from _all_loops(loop.loops)


def _target(context: Context, pragma: ir.Pragma | None) -> int:
    value = context.facts.number(pragma.options.get("ii", ""), None) if pragma is not None else None
    return value or 1


def rule_limits(context: Context) -> None:
    """HLS126: over the part's limits even at the low end of the interval."""
    from ...errors import ConfigError
    from ..tool.parts import find_part

    estimate = context.estimate
    function = context.program.functions.get(estimate.top) if estimate is not None else None
    if estimate is None or function is None:
        return
    try:
        part = find_part(estimate.part)
    except ConfigError:
        return
    for resource in RESOURCES:
        value = float(getattr(estimate, resource))
        interval = estimate.intervals.get(resource)
        low = interval.low if interval is not None else value
        limit = part.limit(resource)
        if low > limit:
            name = resource.upper().replace("_18K", " (18K)")
            message = f"{function.name} needs about {value:,.0f} {name}; {part.device} has {limit:,}"
            context.report("HLS126", message, function.path, function.name_span)


RULES = (
    rule_problems,
    rule_trip_count,
    rule_calls,
    rule_recursion,
    rule_dataflow,
    rule_initiation,
    rule_limits,
)
