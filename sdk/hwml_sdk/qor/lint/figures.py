"""What a prediction tells: II and the limits of the part."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from ...document import Fix, Related, Severity
from ...errors import ConfigError
from ..answer.types import LoopQor
from ..program import ir
from ..tool.labels import RESOURCES
from ..tool.memories import ports_of
from ..tool.parts import find_part
from .code import Code
from .context import Context, loop_name
from .counts import accesses_of
from .remedies import bundles, own_ii, partitions
from .rule import rule

II_OF_PORTS = Code("HLS118", "warning", "II bound by memory ports", needs_estimate=True)
II_OF_RECURRENCE = Code("HLS119", "warning", "II bound by a recurrence", needs_estimate=True)
OVER_LIMITS = Code("HLS126", "warning", "over the part's limits", needs_estimate=True)


@rule(II_OF_PORTS, II_OF_RECURRENCE)
def initiation(context: Context) -> None:
    """An II bound by memory ports or by a recurrence: only where the estimate is no guess; once for a nest."""
    if context.estimate is None:
        return
    asked = {(loop.path, loop.head.start_line): loop for loop in context.loops()}
    listed = [*context.estimate.loops, *(loop for f in context.estimate.functions for loop in f.loops)]
    reported: set[tuple[str, int]] = set()
    for loop_qor in _once_for_a_nest(listed, asked):
        loop = asked.get((loop_qor.path, loop_qor.span.start_line))
        if loop is None or loop_qor.ii is None or not loop_qor.ii_bound_by or _is_unclear(context, loop, loop_qor):
            continue
        pragma = loop.pragma("HLS", "PIPELINE")
        target = _target(pragma)
        mark = (loop.path, loop.head.start_line)
        if loop_qor.ii > target and mark not in reported:
            reported.add(mark)
            _report(context, loop, loop_qor, pragma, target)


def _once_for_a_nest(loops: Iterable[LoopQor], asked: Mapping[tuple[str, int], ir.Loop]) -> Iterator[LoopQor]:
    """Pipelined loops; of a nest that became one loop the one with the pragma, or else the innermost."""
    for loop in loops:
        inside = [inner for inner in _all_loops(loop.loops) if inner.pipelined and inner.ii == loop.ii]
        same = [inner for inner in inside if inner.ii_bound_by == loop.ii_bound_by]
        with_pragma = next((one for one in (loop, *same) if _has_pipeline(asked, one)), None)
        if not same:
            if loop.pipelined and not loop.ii_is_guess:
                yield loop
            yield from _once_for_a_nest(loop.loops, asked)
        elif with_pragma is not None:
            yield with_pragma
        else:
            yield from _once_for_a_nest(loop.loops, asked)


def _has_pipeline(asked: Mapping[tuple[str, int], ir.Loop], loop_qor: LoopQor) -> bool:
    loop = asked.get((loop_qor.path, loop_qor.span.start_line))
    return loop is not None and loop.pragma("HLS", "PIPELINE") is not None and not loop_qor.ii_is_guess


_PORTS_OF = re.compile(r"(?:memory|fifo|m_axi) ports? of (?!bundle)(\w+)$")
_BUNDLE = re.compile(r"m_axi port of bundle (\w+)$")


def _is_unclear(context: Context, loop: ir.Loop, loop_qor: LoopQor) -> bool:
    """Whether pragmas or jumps that the estimate does not follow may do away with the bound."""
    function = context.program.functions.get(loop.function)
    named = _PORTS_OF.search(loop_qor.ii_bound_by)
    pragmas = [*loop.pragmas, *(function.pragmas if function is not None else ())]
    if any(pragma.kind.startswith("IF") for pragma in pragmas):
        return True  # `#pragma HLS if (condition) ...`
    if _only_moves(function, loop_qor):
        return True
    if named is None:
        return False
    unread = [p for p in pragmas if p.kind in ("CACHE", "DISAGGREGATE", "ARRAY_STENCIL")]
    if any(named.group(1) in (p.options.get("port"), p.options.get("variable")) for p in unread):
        return True
    return loop.has_break or loop.has_continue  # of accesses on two sides of a jump one runs


SMALL_ARRAY = 64  # elements: a window that the tool may keep in registers by itself


def _only_moves(function: ir.Function | None, loop_qor: LoopQor) -> bool:
    """Whether a recurrence is nothing but moves within a small array: `w[0] = w[1]; w[1] = w[2];`."""
    circuit = loop_qor.circuit
    if circuit is None or function is None or any(step.cycles is not None for step in circuit.steps):
        return False
    var = function.variables.get(circuit.steps[0].name)
    known = [extent for extent in var.dims if extent is not None] if var is not None else []
    return var is not None and bool(var.dims) and len(known) == len(var.dims) and math.prod(known) <= SMALL_ARRAY


def _report(context: Context, loop: ir.Loop, loop_qor: LoopQor, pragma: ir.Pragma | None, target: int) -> None:
    bound = loop_qor.ii_bound_by
    recurrence = bound.startswith("recurrence")
    head = f"{loop_name(loop)}: II {loop_qor.ii} instead of {target}, bound by {bound}"
    severity: Severity | None = None if pragma is not None else "info"
    place, path = (pragma.span, pragma.path) if pragma is not None else (loop.head, loop.path)
    if recurrence:
        message, related = f"{head}{_way(loop_qor)}", _steps(context, loop_qor)
        fixes = own_ii(context, pragma, loop_qor.ii or 1)
    else:
        message, related, fixes = _of_ports(context, loop, loop_qor, head)
    code = II_OF_RECURRENCE if recurrence else II_OF_PORTS
    context.report(code, message, path, place, severity=severity, related=related, fixes=fixes)


def _way(loop_qor: LoopQor) -> str:
    circuit = loop_qor.circuit
    if circuit is None:
        return ""
    rounds = "the next round" if circuit.distance == 1 else f"the round {circuit.distance:g} later"
    return f": {' -> '.join(map(str, circuit.steps))}, which {rounds} needs"


def _steps(context: Context, loop_qor: LoopQor) -> tuple[Related, ...]:
    steps = loop_qor.circuit.steps if loop_qor.circuit is not None else ()
    seen = {(step.path, step.span): step for step in steps if step.span is not None}
    return tuple(
        Related(f"{step.name} is part of the recurrence", step.span, step.path)
        for step in seen.values()
        if step.span is not None
    )


def _of_ports(
    context: Context, loop: ir.Loop, loop_qor: LoopQor, head: str
) -> tuple[str, tuple[Related, ...], tuple[Fix, ...]]:
    """Message, places of the accesses and remedies for a bound by the ports of an array or a bundle."""
    function = context.program.functions.get(loop.function)
    bundle, named = _BUNDLE.search(loop_qor.ii_bound_by), _PORTS_OF.search(loop_qor.ii_bound_by)
    if function is None or (bundle is None and named is None):
        return head, (), ()
    if bundle is not None:
        return head, (), bundles(context, function, bundle.group(1))
    assert named is not None
    var = function.variables.get(named.group(1)) or context.program.globals.get(named.group(1))
    if var is None:
        return head, (), ()
    found = accesses_of(context, loop, var, loop_qor.unroll_factor)
    memory = loop_qor.ii_bound_by.startswith("memory")
    ii = loop_qor.ii or 1
    remedies = partitions(context, function, var, ii, loop_qor.unroll_factor) if memory else ()
    ports = _ports(function, var)
    served = ports if memory else 1
    explained = math.ceil((found.reads + found.writes) / served) >= ii  # else banks or calls make it more than is seen
    what = f"{ports} port{'s' if ports != 1 else ''} of each memory" if memory else "one port"
    counted = f": {found} a round on {what}" if explained else ""
    return f"{head}{counted}", tuple(found.places), remedies


def _ports(function: ir.Function, var: ir.Variable) -> int:
    """How many accesses a memory of the array serves in a cycle."""
    kind = ""
    for pragma in function.pragmas:
        if var.name in (pragma.options.get("variable"), pragma.options.get("port")):
            said = pragma.options.get("type" if pragma.kind == "BIND_STORAGE" else "storage_type")
            kind = said or pragma.options.get("core") or kind
    return ports_of(kind).total


def _all_loops(loops: Iterable[LoopQor]) -> Iterable[LoopQor]:
    for loop in loops:
        yield loop
        yield from _all_loops(loop.loops)


def _target(pragma: ir.Pragma | None) -> int:
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
