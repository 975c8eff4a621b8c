"""What a prediction tells: II and the limits of the part."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import ConfigError
from ..answer.types import LoopQor
from ..program import ir
from ..tool.labels import RESOURCES
from ..tool.parts import find_part
from .code import Code
from .context import Context, loop_name
from .rule import rule

II_OF_PORTS = Code("HLS118", "warning", "II bound by memory ports", needs_estimate=True)
II_OF_RECURRENCE = Code("HLS119", "warning", "II bound by a recurrence", needs_estimate=True)
OVER_LIMITS = Code("HLS126", "warning", "over the part's limits", needs_estimate=True)


@rule(II_OF_PORTS, II_OF_RECURRENCE)
def initiation(context: Context) -> None:
    """An II bound by memory ports or by a recurrence: only where the estimate is no guess."""
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
        code = II_OF_RECURRENCE if loop_qor.ii_bound_by.startswith("recurrence") else II_OF_PORTS
        place, path = (pragma.span, pragma.path) if pragma is not None else (loop.head, loop.path)
        message = f"{loop_name(loop)}: II {loop_qor.ii} instead of {target}, bound by {loop_qor.ii_bound_by}"
        severity = None if pragma is not None else "info"
        context.report(code, message, path, place, severity=severity)  # type: ignore[arg-type]


def _all_loops(loops: Iterable[LoopQor]) -> Iterable[LoopQor]:
    for loop in loops:
        yield loop
        yield from _all_loops(loop.loops)


def _target(context: Context, pragma: ir.Pragma | None) -> int:
    value = pragma.whole("ii") if pragma is not None else None
    return value or 1


@rule(OVER_LIMITS)
def limits(context: Context) -> None:
    """Over the part's limits even at the low end of the interval."""
    estimate = context.estimate
    function = context.program.functions.get(estimate.top) if estimate is not None else None
    if estimate is None or function is None:
        return
    try:
        part = find_part(estimate.part)
    except ConfigError:
        return
    for resource in RESOURCES:
        value: float | None = getattr(estimate, resource)
        if value is None:
            continue
        interval = estimate.intervals.get(resource)
        low = interval.low if interval is not None else value
        limit = part.limit(resource)
        if low > limit:
            name = resource.upper().replace("_18K", " (18K)")
            message = f"{function.name} needs about {value:,.0f} {name}; {part.device} has {limit:,}"
            context.report(OVER_LIMITS, message, function.path, function.name_span)
