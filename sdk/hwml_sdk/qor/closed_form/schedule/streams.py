"""Streams: methods and operators of FIFOs, each transfer in a cycle of its own."""

from __future__ import annotations

import math

from ...program import ir
from ...program.type_of import type_of_expression
from ...program.typenames import INT, UNKNOWN
from ...tool.library import LOCKS, READ_REQUESTS, RESPONSE, STREAM_STATES, TRANSFERS, WRITE_REQUESTS
from ...tool.memories import MEMORY
from . import fields
from .accesses import Access
from .loads import spread
from .memory_cycles import fifo_part, state_of
from .operations import copies, looked_at
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Hold, Value, all_deps


def method(region: Region, receiver: ir.Expr, expr: ir.Call, owner: ir.CType) -> Value:
    """A method of a stream: a transfer takes a cycle, and the stream gives or takes one element in each."""
    if expr.name in LOCKS:
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    args = [region.whole(argument) for argument in expr.args]
    root = receiver
    which: list[Value] = []  # subscripts that choose among the streams of an array
    while isinstance(root, ir.Index | ir.Member):
        if isinstance(root, ir.Index):
            which = [*(region.whole(sub) for sub in root.subscripts), *which]
        root = root.base
    deps = all_deps([*args, *which])
    own = fields.array_in(region, receiver)
    var = own[0] if own is not None else root.var if isinstance(root, ir.Ref) else None
    kind = owner.element or UNKNOWN
    if var is not None and expr.name in (*READ_REQUESTS, *WRITE_REQUESTS, RESPONSE):
        return _burst(region, var, expr.name)
    if var is None or expr.name not in (*TRANSFERS, *STREAM_STATES):
        region.unknown.because(f"{expr.name} of a stream is not read")
        return Value(region.base, deps, kind, NO_SOURCES)
    alias = region.aliases.get(var)
    array = alias.array if alias is not None else var
    if expr.name in TRANSFERS:
        write = expr.name.startswith("write")
        # No two transfers are one: reading a stream twice gives two elements, and so do copies of a loop.
        key = ("fifo", array, write, len(region.accesses))
        deps = deps | frozenset(region.unrolled)
        chosen = (*(alias.prefix if alias is not None else ()), *(value.form for value in which))
        made = Access(array, chosen, write, deps, copies(region, deps), key, spread(region, chosen))
        made.arms = region.arms
        region.accesses.append(made)
    start = max([region.base, *(a.time for a in args), *(guard.time for guard in region.guards)])
    # Data that is written, or read, is there within the state; what is left of it can be used.
    part = fifo_part(region.target)
    state = state_of(start, part)
    time = state + part
    # What is written to AXI4-Stream is taken over by its register slice in the state after.
    # The first round of a loop tests whether there is one, so that the state after is the third.
    sliced = expr.name.startswith("write") and region.host.layout(array).axis
    region.end = max(region.end, time + sliced, 2 + part if sliced and region.in_loop else 0.0)
    for argument in (*args, *region.guards):
        looked_at(argument, state)
    hold = Hold(state, state, max(kind.width, 1), copies(region, deps))
    region.holds.append(hold)
    return Value(time, deps, kind if expr.name in TRANSFERS else INT, NO_SOURCES, hold=hold)


def _burst(region: Region, var: ir.Variable, name: str) -> Value:
    """A burst is asked for, or its end is waited for: what comes starts when the bus has answered."""
    alias = region.aliases.get(var)
    layout = region.host.layout(alias.array if alias is not None else var)
    answer = max(layout.bus_latency, 1)
    waits = {RESPONSE: MEMORY.axi_response_cycles + answer} | dict.fromkeys(WRITE_REQUESTS, 1.0)
    cycles = waits.get(name, MEMORY.axi_read_cycles + answer)
    region.base = math.ceil(max(region.end, region.base) - 1e-6) + cycles
    region.end = max(region.end, region.base)
    return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def operator(region: Region, expr: ir.Binary) -> Value | None:
    """`stream << a << b` and `stream >> x >> y` (UG1399, "HLS Stream Library"); None where no stream is on the left."""
    others = [expr.right]
    root = expr.left
    while isinstance(root, ir.Binary) and root.op == expr.op:
        others.insert(0, root.right)
        root = root.left
    owner = type_of_expression(root, region.host.program)
    if owner.kind != "stream":
        return None
    value = Value(region.base, NO_LOOPS, owner, NO_SOURCES)
    for other in others:
        if expr.op == "<<":
            value = method(region, root, ir.Call("write", (other,), root), owner)
        else:
            value = region.value(ir.Assign("=", other, ir.Call("read", (), root)))
    return value
