"""Functions that are built as blocks of their own: when each runs, and how many of them there are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...program import ir
from ...program.expressions import root_variable
from ...program.flow import variables_in
from ..results import CallResult, FunctionResult
from ..schedule.accesses import Alias
from ..schedule.beside import LoopUses
from ..schedule.region import Region, Stay
from ..schedule.statements import occupy
from .frame import Busy, Frame


def place(
    frame: Frame,
    region: Region,
    result: FunctionResult,
    uses: LoopUses | None,
    aliases: Mapping[ir.Variable, Alias],
) -> None:
    """Give a call its time and its block. uses: None where it waits for all that was before."""
    apart = frozenset() if uses is None else _apart(frame, region, uses, aliases)
    turns = math.prod(trip for loop, trip in region.unrolled.items() if loop not in apart)
    # Copies that run one after another are one block, those of a dataflow region and of Merlin one each.
    kept = frame.overlaps or frame.design.options.behaviour.merlin
    copies = math.prod(trip for loop, trip in region.unrolled.items() if kept or loop in apart)
    # From the state that starts it to the one that sees it done.
    start = occupy(region, Stay((result.cycles + 1) * turns, True), uses)
    _build(frame, result, copies, Busy(region, start, region.base, region.arms))
    frame.result.calls.append(CallResult(result, math.prod(region.unrolled.values()), frame.owner))


def _apart(frame: Frame, region: Region, uses: LoopUses, aliases: Mapping[ir.Variable, Alias]) -> frozenset[ir.Loop]:
    """Unrolled loops whose copies of a call share nothing: each has rows of its own, in memories of their own."""
    arrays = {alias.array: alias for alias in aliases.values()}
    ports = {frame.port(array) for array in arrays}
    if uses.ports - ports or (uses.writes - arrays.keys()):
        return frozenset()

    def moves(loop: ir.Loop, alias: Alias) -> bool:
        layout = frame.layout(alias.array)
        return any(
            form is not None and form.get(loop.var) and layout.split(dim)[0] == "complete"
            for dim, form in enumerate(alias.prefix)
        )

    return frozenset(loop for loop in region.unrolled if all(moves(loop, alias) for alias in arrays.values()))


def names_news(region: Region, expr: ir.Call) -> bool:
    """Whether arguments of a call name what was computed since the last of the blocks before it began."""
    known = [region.env.get(var) for var in variables_in(*expr.args)]
    return any(value is not None and value.time > region.beside.floor for value in known)


def uses_of(
    frame: Frame, function: ir.Function, expr: ir.Call, aliases: Mapping[ir.Variable, Alias]
) -> LoopUses | None:
    """What a block needs to itself, so that others run beside it; None where it waits for all that was before.

    UG1399, "Loop Parallelism": functions are scheduled as early as possible, two calls of `sub_func` on other arrays
    take half the latency of the two loops.
    """
    if expr.receiver is not None or function.returns.kind != "void" or frame.design.keeps_state(function):
        return None
    named = set(variables_in(*expr.args))
    given = [
        argument
        for param, argument in zip(function.params, expr.args, strict=False)
        if (param.dims or param.type.pointer)
    ]
    handed = {var for var in map(root_variable, given) if var is not None}
    reads, writes = frame.design.outside(function.name)
    ports = {frame.port(alias.array) for param, alias in aliases.items() if _is_address(param)}
    ports |= {frame.port(var) for var in reads | writes | handed if var.dims or var.type.pointer}
    return LoopUses(frozenset(named | reads), frozenset(handed | writes), frozenset(ports))


def _build(frame: Frame, result: FunctionResult, copies: float, busy: Busy) -> None:
    """Note a block; calls one after another share it, those that run beside one another do not.

    Processes share none either: `dataflow`. busy: when it runs.
    """
    own = frame.result
    instances = frame.callees.setdefault(result.function.name, [])
    free = next((index for index, before in enumerate(instances) if not before.meets(busy)), None)
    if free is not None and copies == 1:
        instances[free] = busy
        return
    beside = any(other.meets(busy) for others in frame.callees.values() for other in others)
    instances.append(busy)
    if copies == 1 and not beside and _shares_with_callees(frame):
        own.area.after(result.area)
    else:
        own.area.beside(result.area, copies)
    own.unshared.beside(result.unshared, copies)
    for var, stored in result.memory.items():
        before = own.memory.get(var) if not var.static else None
        built = stored if var.static else stored.times(copies)
        own.memory[var] = built if before is None else built.beside(before)


def _shares_with_callees(frame: Frame) -> bool:
    """Whether cores of functions called one after another become the caller's, which lends them out.

    Measured: with Vitis HLS 2022.1 bicg of data/qor, two loops in two functions, takes the DSPs of one; the tasks
    of Prometheus' 3mm take the sum with 2023.2. The processes of a dataflow region run at once.
    """
    return frame.target.behaviour.callees_lend_cores and not frame.overlaps


def _is_address(param: ir.Variable) -> bool:
    return bool(param.dims or param.type.pointer)
