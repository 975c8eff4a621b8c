"""Operators placed as soon as their operands are ready, chained within a cycle as far as the clock allows."""

from __future__ import annotations

import math

from ...program import ir
from ...tool.binding import operation_name
from ...tool.operators import Operator, operator
from .memory_cycles import state_of
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
    start = max((v.time for v in operands), default=region.base)
    # A core with registers starts at a clock edge; times are sums of parts of cycles, so allow for their rounding.
    if op.latency_cycles:
        usable = region.target.usable_ns
        begun = state_of(start, op.input_ns / usable) if op.input_ns else math.ceil(start - _EDGE)
        return begun + (op.states or op.latency_cycles) + op.output_ns / usable, float(op.latency_cycles)
    share = op.delay_ns / region.target.usable_ns
    left = math.floor(start) + 1 - start
    # What is slower than a cycle and has no registers of its own cannot be helped: it takes what it takes.
    if share <= left + 1e-9 or share >= 1:
        return start + share, share
    return math.floor(start) + 1 + share, share


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
    region.end = max(region.end, time + (OUTPUT if op.latency_cycles and not op.output_ns else 0))
    kept = (result or type_).width
    region.live_bits += kept
    begun = int(time - (op.states or latency) + _EDGE)
    joined = sum(operand.hold is not None and not operand.hold.given for operand in operands) > 1
    for operand in operands:
        looked_at(operand, begun)
        if joined and operand.hold is not None:
            operand.hold.joined = True
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
