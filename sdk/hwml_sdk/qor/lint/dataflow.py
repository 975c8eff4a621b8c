"""Channels of dataflow regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..program import ir
from ..program.expressions import root_variable
from .code import Code
from .context import Context, is_on
from .rule import rule

SHARED_CHANNEL = Code("HLS122", "warning", "dataflow channel with several writers or readers")


@rule(SHARED_CHANNEL)
def dataflow(context: Context) -> None:
    """A channel of a dataflow region with two writers or two readers."""
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
    parts = _passed_in_parts(processes)
    unknown = {var for use in uses for var in use.unknown}
    written = Counter(var for use in uses for var in use.writes)
    read = Counter(var for use in uses for var in use.reads if var not in use.writes)
    declared = {item.var for item in _flat(body) if isinstance(item, ir.Declare)}
    for var in declared:
        if not _is_channel(context, function, var, parts) or var in unknown:
            continue
        for count, verb in ((written[var], "written"), (read[var], "read")):
            if count > 1:
                message = (
                    f"{var.name} is {verb} by {count} processes of the dataflow region: a channel has one writer and "
                    f"one reader, so they cannot overlap"
                )
                context.report(SHARED_CHANNEL, message, var.path, var.span)
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


def _is_channel(context: Context, function: ir.Function, var: ir.Variable, parts: set[ir.Variable]) -> bool:
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
    return var not in parts


def _passed_in_parts(processes: Iterable[ir.Stmt]) -> set[ir.Variable]:
    """Variables of which some process is given a part only."""
    calls = [item.expr for item in processes if isinstance(item, ir.Evaluate) and isinstance(item.expr, ir.Call)]
    roots = [root_variable(argument) for call in calls for argument in call.args if not isinstance(argument, ir.Ref)]
    return {var for var in roots if var is not None}
