"""Copies of an unrolled loop that wait for one another: accumulators, neighbours, guarded updates, sweeps over time.

The body was walked once, for all copies together. What one copy hands to the next is found here afterwards, and the
time of `trip` copies one behind the other (or in a tree) is added to what was found for one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...program import ir
from ...tool.operators import log2_ceil, operator
from .accesses import Access, Element, meets
from .bounds import NestLoop
from .meeting import next_meeting
from .memory_cycles import in_registers, load_cycles, store_cycles
from .operations import OUTPUT
from .region import Region
from .values import Mark, Value


def is_balanced(region: Region, type_: ir.CType) -> bool:
    """Whether the tool may reorder sums of this type: integers; floating point under unsafe math and in Merlin."""
    return not type_.is_float or region.target.unsafe_math or region.target.behaviour.reductions


def chain(region: Region, step: float, trip: float, type_: ir.CType) -> float:
    """Cycles that `trip` dependent updates take beyond one; integers (and unsafe math) are balanced into a tree.

    So are floating-point sums of a pipeline in newer releases, but there the old value goes through the whole tree.
    """
    if not is_balanced(region, type_):
        if region.unroll_all and region.target.behaviour.balanced_sums:
            return _tree(_whole(step), trip)
        region.chained = True
        return _whole(step) * (trip - 1)
    return _tree(step, trip)


def _tree(step: float, trip: float) -> float:
    """What a balanced tree of `trip` updates and the old value takes beyond one update."""
    return step * max(log2_ceil(trip + 1) - 1, 0)


def _output(value: Value) -> float:
    """What a core gives at a clock edge is kept in the state that begins there."""
    return OUTPUT if value.type.is_float else 0.0


def _whole(step: float) -> float:
    """One update of a chain: a core starts at a clock edge, what is left of a cycle is not carried on."""
    return step if step < 1 else math.ceil(step - 0.25)


def pace(region: Region, type_: ir.CType) -> float:
    """States that a chain of updates takes for each of its cycles: cores that no later round waits for are slower."""
    if not type_.is_float:
        return 1.0
    core = operator("add", type_, region.target)
    return max(core.states / core.latency_cycles, 1.0) if core.latency_cycles else 1.0


def close(region: Region, loop: ir.Loop, key: object, value: Value, trip: float) -> Value:
    """The value a variable has after an unrolled loop: its chain of updates is `trip` long."""
    since = dict(value.since)
    step = since.pop((loop, key), None)
    extra = 0.0
    # Updates that depend on conditions stay in their order, whatever the type.
    serially = value.guarded and value.type.is_float and not region.target.behaviour.reductions
    if step:
        extra = _whole(step) * (trip - 1) if serially else chain(region, step, trip, value.type)
    # A balanced tree adds to the depth, but the old value enters at its root: one update from the last iteration.
    serial = 0.0 if is_balanced(region, value.type) and not serially else extra
    done = value.time + extra * pace(region, value.type)
    made = Value(done, value.deps - {loop}, value.type, {m: t + serial for m, t in since.items()})
    region.end = max(region.end, made.time + _output(made))
    return made


def link_copies(region: Region, loop: ir.Loop, trip: float, fresh: list[Access]) -> None:
    """Let the copies of an unrolled loop wait for each other where they meet in arrays. fresh: its own accesses."""
    _accumulators(region, loop, trip, fresh)
    _neighbours(region, loop, trip, fresh)
    # Merlin makes reductions of such loops: their updates become a tree, whatever the order in the source.
    if region.target.behaviour.reductions:
        return
    _guarded(region, loop, trip, fresh)
    _sweeps(region, loop, trip, fresh)
    for access in fresh:
        if access.write and access.since and loop in access.deps:
            region.swept[access.array] = max(region.swept.get(access.array, 0.0), access.time)


def _accumulators(region: Region, loop: ir.Loop, trip: float, fresh: list[Access]) -> None:
    """`a[j] += x[i]` first touched inside the unrolled loop: the copies of the update follow one another."""
    reads = {a for a in fresh if not a.write and loop not in a.deps}
    if not reads:
        return
    for key, value in list(region.env.items()):
        if not isinstance(key, Element):
            continue
        for read in [m for m in value.since if isinstance(m, Access) and m in reads and m.key == key]:
            step = value.since[read] - load_cycles(region.host, read.array)
            if step > 0:
                _lengthen(region, key, value, chain(region, step, trip, value.type), fresh)
                value.deps = value.deps - {loop}
    for write in fresh:
        # Elements of a loop inside have no name any more; what is stored in them is one sum longer in each copy.
        if write.write and not write.guarded and loop not in write.deps and write.key not in region.env:
            for read in [m for m in _feeding(write, reads) if m.key == write.key and m not in write.chained]:
                _repeat(region, write, read, trip)


def _repeat(region: Region, write: Access, read: Access, trip: float) -> None:
    """Let `trip` updates of one element follow one another, or make a tree of them."""
    assert write.value is not None
    step = write.since[read] - load_cycles(region.host, read.array)
    # Of memories the reports of StreamHLS's nests (2023.2) show trees: 49 such sums take 51 cycles, 4 of them 22.
    if not in_registers(region.host, write.array):
        region.end = max(region.end, write.time + _tree(step, trip) * pace(region, write.value.type))
        return
    extra = chain(region, step, trip, write.value.type)
    if is_balanced(region, write.value.type):
        region.end = max(region.end, write.time + extra * pace(region, write.value.type))
    else:
        _postpone(region, write, extra, (read,))


def _lengthen(region: Region, key: Element, value: Value, extra: float, fresh: list[Access]) -> None:
    """Put the chain's time behind an accumulated value, and before what is stored of it."""
    value.time += extra * pace(region, value.type)
    # Into a tree the old value enters at the root, so that its way to the next iteration stays as short as one update.
    if not is_balanced(region, value.type):
        value.since = {m: t + extra for m, t in value.since.items()}
        for access in fresh:
            if access.write and access.key == key:
                access.since = value.since
    region.end = max(region.end, value.time + _output(value))


def _neighbours(region: Region, loop: ir.Loop, trip: float, fresh: list[Access]) -> None:
    """`a[j] = f(a[j - 1])` inside a loop over j that is unrolled: each copy waits for the one before."""
    reads = {access for access in fresh if not access.write and loop in access.deps}
    for write in fresh if reads else ():
        for read in _feeding(write, reads) if write.write else ():
            if read.key == write.key:
                continue
            meeting = next_meeting(write.forms, read.forms, (_level(region, loop, trip),), region.work)
            if meeting is not None and meeting.sure and meeting.distance < trip:
                step = write.since[read] - load_cycles(region.host, read.array)
                _postpone(region, write, step * (trip / meeting.distance - 1), (read,))


def _guarded(region: Region, loop: ir.Loop, trip: float, fresh: list[Access]) -> None:
    """`if (...) a[j] += x[i]` in an unrolled loop over i: copies write one element, each under its condition."""
    reads = {access for access in fresh if not access.write}
    for write in fresh:
        if not (write.write and write.guarded) or loop in write.deps or write.chained:
            continue
        marks = _feeding(write, reads)
        if marks:
            step = max(write.since[mark] for mark in marks) - load_cycles(region.host, write.array)
            _postpone(region, write, max(step, 0.0) * (trip - 1), marks)


def _sweeps(region: Region, loop: ir.Loop, trip: float, fresh: list[Access]) -> None:
    """Sweeps over arrays in an unrolled loop over time: each copy reads what the one before has written.

    `for t: { for i: b[i] = f(a[i - 1], a[i]); for i: a[i] = g(b[i]); }`, whose subscripts do not hold t.
    """
    reads = {access for access in fresh if not access.write and loop not in access.deps}
    # Counters of loops that are unrolled, around or inside: another copy has another value of them.
    copied = {inner for access in fresh for inner in access.deps}
    moved = {inner.var: NestLoop(inner.var, 1.0, region.host.step(inner)) for inner in copied if inner.var is not None}
    for write in fresh if reads else ():
        if not write.write or loop in write.deps or write.chained:
            continue
        marks = _feeding(write, reads)
        if not any(meets(read, write, moved) for read in marks):
            continue
        # All operands are late, so that no other order of a sum helps: the whole way from the loads counts.
        states = write.time - store_cycles(region.host, write.array) - min(read.time for read in marks)
        step = max(states / pace(region, write.array.type), *(write.since[m] - m.load_cycles for m in marks))
        around = step + load_cycles(region.host, write.array)
        _postpone(region, write, max(step, 0.0) * (trip - 1), marks, around, max(states, 0.0) * (trip - 1))


def _level(region: Region, loop: ir.Loop, trip: float) -> NestLoop:
    return NestLoop(loop.var, trip, region.host.step(loop), start=region.host.start(loop))


def _feeding(write: Access, reads: set[Access]) -> list[Access]:
    """The reads of its own array that a store hangs on."""
    return [m for m in write.since if isinstance(m, Access) and m in reads and m.array is write.array]


def _postpone(
    region: Region, write: Access, extra: float, marks: Iterable[Mark], around: float = 0.0, states: float = 0.0
) -> None:
    """A store waits for `extra` cycles of earlier copies; from each mark to it are at least `around` cycles more.

    states: those that the earlier copies take in the schedule; 0: as many as a chain of sums.
    """
    states = states or extra * pace(region, write.array.type)
    kept = OUTPUT if write.array.type.is_float and in_registers(region.host, write.array) else 0.0
    region.end = max(region.end, write.time + states + kept)
    write.since = {m: max(t, around) + extra for m, t in write.since.items()}
    write.chained.update(marks)
