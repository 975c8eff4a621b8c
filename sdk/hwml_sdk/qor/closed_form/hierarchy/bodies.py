"""The region of a loop's body: what it hands to its next iteration is marked before it is walked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...program import ir
from ...program.constants import evaluate
from ...program.expressions import assigned_variables, calls
from ...program.expressions import inside as everything_inside
from ...program.flow import variables_in
from ...tool.operators import Target
from ..design_cache import written_by_calls
from ..plan import UNPLANNED
from ..results import LoopResult
from ..schedule.accesses import Alias, root
from ..schedule.region import Region
from ..schedule.statements import open_region, unroll, walk
from ..schedule.values import NO_LOOPS, NO_SOURCES, Value
from .frame import Frame


def body_region(
    frame: Frame, loop: ir.Loop, copies: float, *, unroll_all: bool, target: Target | None = None
) -> Region:
    """Walk a loop's body (`copies` of it) as one region. target: another one than the frame's."""
    automatic = unroll_all and frame.plans.get(loop, UNPLANNED).automatic
    aliases = frame.aliases_now()
    region = open_region(frame, target or frame.target, aliases, unroll_all=unroll_all, automatic=automatic)
    region.in_loop = True
    around = frame.regions[-1].stored if frame.regions else {}
    region.settled = frozenset(key for key, access in around.items() if not access.guarded)
    assigned = assigned_variables(loop.body)
    declared = {item.var for item in loop.body.items if isinstance(item, ir.Declare)}
    # What the body declares starts anew in each iteration; the counter is known without waiting for anything.
    changed = assigned | frame.design.changed_by_calls(loop.body)
    region.carried = {v for v in changed if not v.dims and v not in declared and v.type.kind != "stream"}
    region.written = {frame.root(v) for v in changed} | written_by_calls(loop.body)
    if loop.var is not None:
        frame.strides[loop.var] = abs(frame.step(loop))
        frame.reaches[loop.var] = _reach(frame, loop)
        region.carried.discard(loop.var)
    region.narrow = _shifted_out(frame, loop, region)
    _keep_pointers(frame, region, assigned)
    with inside(frame, loop, region):
        if copies > 1:
            unroll(region, loop, copies)
        else:
            with moving(frame, loop, region):
                walk(region, loop.body)
                if unroll_all:
                    region.leaves = _test_time(loop, region)
    # Only what the next iteration reads can bound the II; a temporary that is set before use binds nothing.
    region.final = {
        k: v
        for k, v in region.env.items()
        if k in region.carried or (type(k) is ir.Variable and k.part_of is not None and root(k) in region.carried)
    }
    return region


def _reach(frame: Frame, loop: ir.Loop) -> tuple[int, int] | None:
    """Least and greatest number in a loop's counter, the one that ends it among them."""
    count, start = frame.counts.get(loop), frame.start(loop)
    if count is None or count.source != "bounds" or count.most is None or start is None or loop.condition is None:
        return None
    # `for (i = 100; i-- > 0;)` steps in its test.
    down = loop.step is None and any(
        isinstance(part, ir.Unary) and part.op in ("--", "p--") for part in everything_inside((loop.condition,))
    )
    end = int(start + (-1 if down else frame.step(loop)) * count.most)
    return min(int(start), end), max(int(start), end)


def _test_time(loop: ir.Loop, region: Region) -> float:
    """Cycles from the start of a round until it is known whether another one follows, where data says so; else 0.

    The tool tests at the end of a round (LLVM, loop-rotate). Only the time is found: what is loaded for the test is
    what the next round works on.
    """
    if loop.condition is None:
        return 0.0
    parts = everything_inside((loop.condition,))
    if any(isinstance(part, ir.Call | ir.Assign | ir.Many) or _steps(part) for part in parts):
        return 0.0
    moving_ones = {loop.var, *assigned_variables(loop.body)}
    loaded = [not moving_ones.isdisjoint(variables_in(part)) for part in parts if isinstance(part, ir.Index)]
    changed = moving_ones - {loop.var} - region.inductions.keys()
    # What stays the same is loaded before the loop.
    if not all(loaded) or not (loaded or any(isinstance(part, ir.Ref) and part.var in changed for part in parts)):
        return 0.0
    accesses, counts, bits, end = len(region.accesses), dict(region.counts), region.live_bits, region.end
    value = region.value(loop.condition)
    del region.accesses[accesses:]
    region.counts.clear()
    region.counts.update(counts)
    region.live_bits, region.end = bits, end
    return value.time


def _steps(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--")


def _shifted_out(frame: Frame, loop: ir.Loop, region: Region) -> dict[ir.Variable, int]:
    """Bits that a variable starts a round with whose upper ones the last statement on it shifts out: `carry >>= 64`.

    LLVM, known bits of a phi: of an unsigned number shifted by c the upper c bits are nothing.
    """
    found: dict[ir.Variable, int] = {}
    for item in loop.body.items:
        expr = item.expr if isinstance(item, ir.Evaluate) else None
        var = expr.target.var if isinstance(expr, ir.Assign) and isinstance(expr.target, ir.Ref) else None
        by = evaluate(expr.value, frame.known) if isinstance(expr, ir.Assign) and expr.op == ">>=" else None
        for changed in assigned_variables(ir.Block([item])) if found else ():
            found.pop(changed, None)
        if var is None or not isinstance(by, int) or var not in region.carried or var.type.kind != "uint":
            continue
        before = frame.regions[-1].env.get(var) if frame.regions else None
        if before is not None and before.constant is not None and 0 < by < var.type.width:
            found[var] = max(var.type.width - by, before.width)
    return found


def _keep_pointers(frame: Frame, region: Region, assigned: frozenset[ir.Variable]) -> None:
    """A pointer that the loop does not move stands where the code before the loop has put it."""
    for var, alias in region.aliases.items():
        before = frame.regions[-1].env.get(var) if alias.walks and var not in assigned and frame.regions else None
        if before is not None and before.form is not None:
            region.env[var] = Value(0.0, before.deps, var.type, NO_SOURCES, before.form)


@contextmanager
def moving(frame: Frame, loop: ir.Loop, region: Region) -> Iterator[None]:
    """While a body is walked: counters and pointers that it moves on by constants are affine, as loops' own are."""
    # Where nothing is carried on nothing is found; calls are followed all the same, as that takes steps.
    looked = region.carried or calls(loop.body)
    found = {var: step for var, step in frame.advances(loop).items() if var in region.carried} if looked else {}
    for var, step in found.items():
        region.env[var] = Value(0.0, NO_LOOPS, var.type, NO_SOURCES, {var: 1.0})
        frame.strides[var] = abs(step)
        if var.type.pointer:
            region.aliases[var] = replace(region.aliases.get(var) or Alias(var), walks=True)
    region.inductions = found
    added = found.keys() - frame.active
    frame.active.update(added)
    yield
    frame.active.difference_update(added)


@contextmanager
def inside(frame: Frame, loop: ir.Loop, region: Region) -> Iterator[None]:
    """While a loop's body is walked: its counter moves, and what is met belongs to its region."""
    if loop.var is not None:
        frame.active.add(loop.var)
    frame.regions.append(region)
    yield
    frame.regions.pop()
    if loop.var is not None:
        frame.active.discard(loop.var)


@contextmanager
def collecting(frame: Frame, result: LoopResult) -> Iterator[None]:
    """While a loop's body is walked: the loops in it become its children."""
    saved = frame.sink, frame.owner
    frame.sink, frame.owner = result.children, result
    yield
    frame.sink, frame.owner = saved
