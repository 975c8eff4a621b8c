"""Functions that are built as blocks of their own: when each runs, and how many of them there are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...program import ir
from ...program.expressions import assigned_variables, root_variable
from ...program.flow import variables_in
from ...program.typenames import split_scope
from ..results import CallResult, FunctionResult
from ..schedule.accesses import Alias
from ..schedule.beside import LoopUses
from ..schedule.region import Region, Stay
from ..schedule.statements import occupy
from .frame import Busy, Frame

NAMES_A_STEP = 4  # names of the file that a function reaches, looked at in the time that an expression takes


def place(
    frame: Frame,
    region: Region,
    result: FunctionResult,
    expr: ir.Call,
    uses: LoopUses | None,
    aliases: Mapping[ir.Variable, Alias],
) -> None:
    """Give a call its time and its block. uses: None where it waits for all that was before."""
    apart = frozenset() if uses is None else _apart(frame, region, expr, uses, aliases)
    turns = math.prod(trip for loop, trip in region.unrolled.items() if loop not in apart)
    # Copies that run one after another are one block, those of a dataflow region and of Merlin one each.
    kept = frame.overlaps or frame.design.options.behaviour.merlin
    copies = math.prod(trip for loop, trip in region.unrolled.items() if kept or loop in apart)
    # From the state that starts it to the one that sees it done.
    cycles = (result.cycles + 1) * turns
    start = occupy(region, Stay(cycles, True), uses)
    _build(frame, result, copies, Busy(region, start, start + cycles, region.arms))
    frame.result.calls.append(CallResult(result, math.prod(region.unrolled.values()), frame.owner))


def _apart(
    frame: Frame, region: Region, expr: ir.Call, uses: LoopUses, aliases: Mapping[ir.Variable, Alias]
) -> frozenset[ir.Loop]:
    """Unrolled loops whose copies of a call share nothing: each has rows of its own, in memories of their own."""
    arrays = [alias.array for alias in aliases.values()]
    ports = {frame.port(array) for array in arrays}
    # Two parameters in one array may meet in other copies, and what a copy is given may come from the one before.
    if len(set(arrays)) < len(arrays) or uses.ports - ports or uses.writes - set(arrays):
        return frozenset()
    changed = {var for loop in region.unrolled for var in assigned_variables(loop.body)} - set(arrays)
    if changed.intersection(variables_in(*expr.args)):
        return frozenset()

    def moves(loop: ir.Loop, alias: Alias) -> bool:
        layout = frame.layout(alias.array)
        others = {other.var for other in region.unrolled if other is not loop}
        return any(
            form is not None and form.get(loop.var) and not others & form.keys()
            for dim, form in enumerate(alias.prefix)
            if layout.split(dim)[0] == "complete"
        )

    return frozenset(loop for loop in region.unrolled if all(moves(loop, alias) for alias in aliases.values()))


def names_news(region: Region, expr: ir.Call) -> bool:
    """Whether arguments of a call name what was computed since the last of the blocks before it began.

    Arrays and streams are no such news: their ports keep the order of those who use them.
    """
    named = (var for var in variables_in(*expr.args) if not var.dims and var.type.kind != "stream")
    known = [region.env.get(var) for var in named if var not in region.aliases]
    return any(value is not None and value.time > region.beside.floor for value in known)


def uses_of(
    frame: Frame, region: Region, function: ir.Function, expr: ir.Call, aliases: Mapping[ir.Variable, Alias]
) -> LoopUses | None:
    """What a block needs to itself, so that others run beside it; None where it waits for all that was before.

    UG1399, "Loop Parallelism": functions are scheduled as early as possible, two calls of `sub_func` on other arrays
    take half the latency of the two loops. What may share more than it names (a method its object, a pointer or a
    reference what it leads to) waits.
    """
    if expr.receiver is not None or function.returns.kind != "void" or frame.design.keeps_state(function):
        return None
    if frame.program.fields.get(split_scope(function.name.partition("(")[0])[0]):
        return None
    pairs = list(zip(function.params, expr.args, strict=False))
    if not all(_is_plain(frame, region, param, argument, aliases.get(param)) for param, argument in pairs):
        return None
    handed = {var for param, argument in pairs if is_address(param) and (var := root_variable(argument)) is not None}
    reads, writes = frame.design.outside(function.name)
    frame.work.left -= (len(reads) + len(writes)) // NAMES_A_STEP
    ports = {frame.port(alias.array) for param, alias in aliases.items() if is_address(param)}
    ports |= {frame.port(var) for var in reads | writes | handed if var.dims or var.type.pointer}
    named = set(variables_in(*expr.args))
    return LoopUses(frozenset(named | reads), frozenset(handed | writes), frozenset(ports))


def _is_plain(frame: Frame, region: Region, param: ir.Variable, argument: ir.Expr, alias: Alias | None) -> bool:
    """Whether an argument is what it names: an array, a stream, a number or a variable with a number."""
    if param.type.kind in ("struct", "unknown"):
        return False
    if not is_address(param) and param.type.kind != "stream":
        return not any(_leads_on(frame, region, var) for var in variables_in(argument))
    inner = argument
    while isinstance(inner, ir.Cast) or (isinstance(inner, ir.Unary) and inner.op == "&"):
        inner = inner.operand
    if alias is not None:
        return not alias.walks and isinstance(inner, ir.Ref | ir.Index) and not _leads_on(frame, region, alias.array)
    return isinstance(inner, ir.Ref) and inner.var is not None and not _leads_on(frame, region, inner.var)


def _leads_on(frame: Frame, region: Region, var: ir.Variable) -> bool:
    """Whether a name stands for something else that others may name, too: a pointer of unknown target, a reference."""
    if var in region.behind or var.type.kind in ("struct", "unknown"):
        return True
    alias = region.aliases.get(var)
    if alias is not None:
        return alias.walks
    # Pointers given to the design are ports of their own; two of a function inside may lead to one place.
    return bool(var.type.pointer) and not var.dims and (var.scope != "param" or len(frame.stack) > 1)


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


def is_address(param: ir.Variable) -> bool:
    """Whether a parameter is given an array or a place."""
    return bool(param.dims or param.type.pointer)
