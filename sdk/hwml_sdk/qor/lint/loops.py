"""Pragmas of loops against how often the loops run."""

from __future__ import annotations

from ...document import Related
from ..program import ir
from ..program.facts import walk
from .code import Code
from .context import Context, is_on, loop_name, owner_name
from .remedies import divisors, trip_counts
from .rule import rule

UNROLL_OVER = Code("HLS101", "warning", "unroll factor over the trip count")
UNROLL_UNEVEN = Code("HLS102", "info", "unroll factor does not divide the trip count")
NESTED_PIPELINE = Code("HLS103", "warning", "pipeline inside a pipeline")
PIPELINE_BLOCKED = Code("HLS104", "warning", "pipeline around a loop that cannot be unrolled")
UNBOUNDED = Code("HLS120", "info", "loop that nothing bounds")
TRIPCOUNT_UNUSED = Code("HLS121", "info", "loop_tripcount of a loop with constant bounds")


@rule(UNROLL_OVER, UNROLL_UNEVEN)
def unroll(context: Context) -> None:
    """More copies than iterations, and copies that do not divide the iterations."""
    for loop in context.loops():
        pragma = loop.pragma("HLS", "UNROLL")
        if not is_on(pragma) or context.is_template(loop):
            continue
        assert pragma is not None
        factor = pragma.whole("factor")
        trips = context.facts.trip_count(loop)
        if not factor or factor < 1 or not trips or loop.has_break:
            continue
        text = context.text(pragma)
        span = text.value_span("factor")
        if factor > trips:
            plain = text.value_text("factor").isdigit()
            fixes = text.replace(span, str(trips), f"unroll by {trips}", safe=True) if plain else None
            message = f"unroll factor {factor} is over the {trips} iterations of {loop_name(loop)}: all are unrolled"
            context.report(UNROLL_OVER, message, pragma.path, span, fixes=fixes or ())
        elif trips % factor:
            message = (
                f"unroll factor {factor} does not divide the {trips} iterations of {loop_name(loop)}: "
                f"the last round is partial, so exit checks are added"
            )
            plain = text.value_text("factor").isdigit()
            even = divisors(trips, factor) if plain else []
            fixes = tuple(f for n in even for f in text.replace(span, str(n), f"unroll by {n}", safe=False))
            context.report(UNROLL_UNEVEN, message, pragma.path, span, fixes=fixes)


@rule(NESTED_PIPELINE, PIPELINE_BLOCKED)
def nested_pipeline(context: Context) -> None:
    """A pipeline inside a pipeline, and one around a loop that cannot be unrolled."""
    for loop in context.loops():
        outer = _pipelined_around(context, loop)
        if outer is None:
            continue
        owner, pragma = outer
        blocking = _blocking(context, loop, owner)
        own = loop.pragma("HLS", "PIPELINE")
        if blocking:
            related = (Related(f"{loop_name(loop)} runs a varying number of times", loop.head, loop.path),)
            message = (
                f"{owner_name(owner)} cannot be pipelined: {loop_name(loop)} inside it depends on {blocking}, "
                f"so it cannot be unrolled"
            )
            context.report(PIPELINE_BLOCKED, message, pragma.path, pragma.span, related=related)
        elif own is not None and is_on(own) and _unrolled_up_to(context, loop, owner):
            fixes = context.text(own).remove("remove the pipeline pragma", safe=True)
            related = (Related(f"{owner_name(owner)} is pipelined here", pragma.span, pragma.path),)
            message = (
                f"pipeline of {loop_name(loop)} has no effect: {owner_name(owner)} around it is pipelined, "
                f"which unrolls this loop completely"
            )
            context.report(NESTED_PIPELINE, message, own.path, own.span, fixes=fixes, related=related)


def _pipelined_around(context: Context, loop: ir.Loop) -> tuple[ir.Loop | ir.Function, ir.Pragma] | None:
    """The outermost loop, or the function, around `loop` that a pragma pipelines."""
    function = context.program.functions.get(loop.function)
    chain: list[ir.Loop | ir.Function] = []
    outer = loop.parent
    while outer is not None:
        chain.append(outer)
        outer = outer.parent
    if function is not None:
        chain.append(function)
    for owner in reversed(chain):
        pragma = owner.pragma("HLS", "PIPELINE")
        if pragma is not None and is_on(pragma):
            return owner, pragma
    return None


def _unrolled_up_to(context: Context, loop: ir.Loop, owner: ir.Loop | ir.Function) -> bool:
    """Whether `loop` and all loops between it and `owner` have constant trip counts."""
    current: ir.Loop | None = loop
    while current is not None and current is not owner:
        if context.facts.trip_count(current) is None:
            return False
        current = current.parent
    return True


def _blocking(context: Context, loop: ir.Loop, owner: ir.Loop | ir.Function) -> str:
    """What keeps a loop inside a pipeline from being unrolled: a counter of a rolled loop, or a scalar argument."""
    if loop.kind != "for" or loop.condition is None or context.facts.trip_count(loop) is not None:
        return ""
    counters = set()
    outer = owner if isinstance(owner, ir.Loop) else None
    while outer is not None:
        counters.add(outer.var)
        outer = outer.parent
    function = context.program.functions[loop.function]
    entered = context.is_called(function.name)
    for expr in (*walk(loop.start), *walk(loop.condition)):
        var = expr.var if isinstance(expr, ir.Ref) else None
        if var is None or var is loop.var:
            continue
        if var in counters:
            return f"the counter {var.name}"
        if var.scope == "param" and not var.dims and not var.type.pointer and not entered:
            return f"the argument {var.name}"
    return ""


@rule(UNBOUNDED, TRIPCOUNT_UNUSED)
def trip_count(context: Context) -> None:
    """A loop that nothing bounds, and a tripcount where the bound is known."""
    for loop in context.loops():
        pragma = loop.pragma("HLS", "LOOP_TRIPCOUNT")
        if pragma is None:
            if not context.is_template(loop) and not _assumed(context) and not context.facts.is_bounded(loop):
                message = f"nothing bounds {loop_name(loop)}: latency stays unknown without a loop_tripcount pragma"
                context.report(UNBOUNDED, message, loop.path, loop.head, fixes=trip_counts(context, loop))
            continue
        trips = context.facts.trip_count(loop)
        if trips is not None and not loop.has_break and not context.is_template(loop):
            fixes = context.text(pragma).remove("remove the pragma", safe=True)
            message = f"{loop_name(loop)} always runs {trips} times: loop_tripcount is ignored here"
            context.report(TRIPCOUNT_UNUSED, message, pragma.path, pragma.span, fixes=fixes)


def _assumed(context: Context) -> bool:
    return context.settings is not None and context.settings.hls.trip_count > 0
