"""Operators placed as soon as their operands are ready, chained within a cycle as far as the clock allows."""

from __future__ import annotations

import math

from ...program import ir
from ...tool.binding import operation_name
from ...tool.cores import FIRST_STAGE_NS
from ...tool.operators import Operator, Target, operator
from .region import Region
from .values import NO_LOOPS, Hold, Value, later

_EDGE = 1e-6  # times are sums of parts of cycles: what is this close to a clock edge is on it
OUTPUT = 0.01  # part of a cycle until the output register of a core shows its value


def copies(region: Region, deps: frozenset[ir.Loop]) -> float:
    """How many of an operator there are when its operands differ in `deps`."""
    total = 1.0
    # Not over `deps`: average trips are no whole numbers, and their product would change with the order of a set.
    for loop, trip in region.unrolled.items():
        # What stands under `if (j == 3)` is there once, however often the loop over j is copied.
        if loop in deps and loop not in region.pinned:
            total *= trip
    return total


def count(region: Region, kind: str, type_: ir.CType, made: float = 1.0) -> Operator:
    """Note `made` copies of an operator and return what one is like."""
    if kind in region.binding:
        kind = f"{kind}@{region.binding[kind]}"
    region.counts[(kind, type_)] += made
    return operator(kind, type_, region.target)


def after(region: Region, op: Operator, *operands: Value) -> tuple[float, float]:
    """(time, own latency in cycles towards a later round) of an operator whose operands are ready."""
    start = max([v.time for v in operands], default=region.base)
    if op.latency_cycles:
        return _begun(region.target, start, op) + (op.states or op.latency_cycles), float(op.latency_cycles)
    share = op.delay_ns / region.target.usable_ns
    left = math.floor(start) + 1 - start
    # What is slower than a cycle and has no registers of its own cannot be helped: it takes what it takes.
    if share <= left + 1e-9 or share >= 1:
        return start + share, share
    return math.floor(start) + 1 + share, share


def _begun(target: Target, ready: float, op: Operator) -> int:
    """The state in which a core with registers takes operands that are ready then.

    That one where its first stage still fits behind them, else the next; times are sums of parts of cycles, so that
    their rounding is allowed for.
    """
    state = math.floor(ready + _EDGE)
    quick = op.joins and target.behaviour.slow_cores and target.family != "7series"
    left = 1.0 - FIRST_STAGE_NS / target.usable_ns if quick else 0.0
    return state if ready - state <= max(left, _EDGE) else state + 1


def make(region: Region, kind: str, type_: ir.CType, *operands: Value, result: ir.CType | None = None) -> Value:
    """An operator applied to values. result: the type that comes of it where that is another."""
    deps = operands[0].deps if operands else NO_LOOPS
    for other in operands[1:]:
        # Most operands differ in the very same loops: no set has to be made for them.
        if other.deps is not deps:
            deps = deps | other.deps
    many = copies(region, deps) if deps else 1.0
    op = count(region, kind, type_, many)
    time, latency = after(region, op, *operands)
    # What a core gives at a clock edge is used, or kept, in the state that begins there.
    region.end = max(region.end, time + (OUTPUT if op.latency_cycles else 0))
    kept = (result or type_).width
    region.live_bits += kept
    begun = int(time - (op.states or latency) + _EDGE)
    summed = kind == "add" and not type_.is_float
    for operand in operands:
        looked_at(operand, begun)
        if operand.hold is not None and not summed:
            operand.hold.waits = True
    made = begun + min(op.states or op.latency_cycles, op.latency_cycles)
    if op.shareable:
        bound = region.binding.get(kind)
        region.begun.setdefault((kind if bound is None else f"{kind}@{bound}", type_), []).append((begun, many))
    hold = None if not op.latency_cycles and _waits_well(region, operands) else Hold(made, made, kept, many)
    if hold is not None:
        region.holds.append(hold)
    since = later(latency, *operands)
    if not since:  # nothing that a later iteration needs: nobody will ask for its way
        return Value(time, deps, result or type_, since, hold=hold)
    return Value(
        time, deps, result or type_, since, parts=operands, operation=operation_name(kind, type_), cycles=latency,
        hold=hold,
    )  # fmt: skip


def _waits_well(region: Region, operands: tuple[Value, ...]) -> bool:
    """Whether a pipeline makes a result when it is asked for: what the last round has left stands in registers."""
    return region.unroll_all and bool(operands) and all(
        value.constant is not None
        or (value.hold is None and bool(value.since) and value.since.keys() <= region.carried)
        for value in operands
    )  # fmt: skip


def looked_at(value: Value, state: int) -> None:
    """Note that a value is looked at in a state."""
    if value.hold is not None and value.hold.last < state:
        value.hold.last = state
