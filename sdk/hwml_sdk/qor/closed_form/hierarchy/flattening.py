"""Nests that become one loop: perfect and semi-perfect ones around a pipelined loop (UG1399, loop_flatten)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...program import ir
from ...program.facts import assigned
from ...program.flow import variables_in
from ..plan import is_perfect
from ..results import MOST_CYCLES, LoopResult
from ..schedule.bounds import NestLoop
from ..schedule.ports import port_bound
from ..schedule.recurrences import recurrence_bound
from ..schedule.region import Region
from .frame import Frame
from .pipelined import asked_ii, pipeline_cycles

# Operators around a loop that the rounds of a nest may have in them, each under a condition.
_QUICK = ("add", "mul", "div", "mod", "cmp", "logic", "not", "select", "shift", "convert", "reduce")


def flatten(frame: Frame, result: LoopResult, around: Region, rounds: float, calls: int) -> bool:
    """Make one loop of a loop and the pipelined one inside it; False where they stay two.

    around: the code of the outer one, rounds: its iterations. calls: instances the function had before its body was
    walked.
    """
    inner = _flattened(frame, result, around, calls)
    if inner is None:
        return False
    child, region = inner
    loop = result.loop
    nest = [NestLoop(loop.var, rounds, frame.step(loop), start=frame.start(loop)), *child.nest]
    # What the inner loop alone carries round may now be many iterations away, and what the outer one does only a few.
    starts = not all(is_perfect(member) for member in (loop, *child.members[:-1]))
    bound = recurrence_bound(region, nest, starts=starts)
    target = asked_ii(frame.plans[child.members[-1]].target_ii)
    new = max((target, bound, port_bound(region)), key=lambda b: b.ii)
    result.nest, result.region = nest, region
    child.flattened = True
    result.ii = child.ii = new.ii
    result.bound = child.bound = new
    # What stands before the inner loop and behind it is done in its first and last round.
    result.depth = child.depth + max(math.ceil(around.end - around.stayed - 1e-6) - 2, 0)
    result.trips = min(rounds * child.trips, MOST_CYCLES)
    # The pipeline is filled once for the whole nest: that is what flattening is for.
    result.cycles = pipeline_cycles(result.trips, new.ii, result.depth)
    result.members = [result.loop, *child.members]
    return True


def _flattened(frame: Frame, result: LoopResult, around: Region, calls: int) -> tuple[LoopResult, Region] | None:
    """The pipelined loop inside, with its region, where the nest can be flattened; else None."""
    loop = result.loop
    if len(result.children) != 1 or len(frame.result.calls) != calls or result.plan.unroll > 1:
        return None
    child = result.children[0]
    if child.plan.tile > 1:
        return None  # Merlin makes two loops of it
    off = any("off" in p.options for m in [loop, *child.members] for p in m.pragmas if p.kind == "LOOP_FLATTEN")
    if child.ii is None or off or child.region is None or result.plan.parallel > 1:
        return None
    if not child.trip.constant and not _steady(frame, loop, child.members):
        return None
    if loop.kind not in ("for", "range") or not (is_perfect(loop) or _takes_in(frame, child, around)):
        return None
    return child, child.region


def _takes_in(frame: Frame, child: LoopResult, around: Region) -> bool:
    """Whether the rounds of an inner loop take in what stands before and behind it.

    Labels of data/qor at 10 ns: `sum = 0; for (j) sum += ...; y[i] = sum / n;` in a loop of 1,024 takes 1,024 times the
    inner loop and 10 cycles, with a root or an exponential behind it 40 more in each round.
    """
    if not frame.target.behaviour.imperfect_nests or not child.trip.constant or around.branches:
        return False
    block = child.loop.parent.body if child.loop.parent is not None else None
    direct = block is not None and child.loop in block.items
    return direct and all(kind.partition(":")[0].partition("@")[0] in _QUICK for kind, _ in around.counts)


def _steady(frame: Frame, loop: ir.Loop, members: Sequence[ir.Loop]) -> bool:
    """Whether the loops inside run equally often in every round of this one, though only data says how often."""
    if any(item.kind != "for" or item.has_break for item in members):
        return False
    if not (frame.target.behaviour.steady_nests or all(map(_spans_constant, members))):
        return False
    changed = {*assigned(loop.body), *frame.design.changed_by_calls(loop.body), loop.var}
    changed.update(member.var for member in members)
    bounds = [
        var for member in members for var in variables_in(member.start, member.condition, member.step)
        if var is not member.var
    ]  # fmt: skip
    # What has its address or a reference elsewhere may change unseen; what a pointer leads to as well.
    return all(not (var.dims or var.type.pointer or var.handed or var in changed) for var in bounds)


def _spans_constant(loop: ir.Loop) -> bool:
    """`for (n = c; n < c + 50; n++)`: constant rounds, which is what a nest takes (UG1399, loop_flatten).

    So a loop table of Vivado HLS 2019.2 has one loop of 2,500 rounds for a window of 50 x 50 that starts anywhere.
    """
    test = loop.condition
    if loop.start is None or not isinstance(test, ir.Binary) or test.op not in ("<", "<=", ">", ">="):
        return False
    start, end = _terms(loop.start), _terms(test.right)
    return start is not None and start == end


def _terms(expr: ir.Expr) -> frozenset[ir.Variable] | None:
    """The variables that a sum of them and of constants adds up; None for anything else, or one that comes twice."""
    if isinstance(expr, ir.Cast):
        return _terms(expr.operand)
    if isinstance(expr, ir.Const):
        return frozenset()
    if isinstance(expr, ir.Ref):
        return frozenset((expr.var,)) if expr.var is not None else None
    if isinstance(expr, ir.Binary) and expr.op in ("+", "-"):
        left, right = _terms(expr.left), _terms(expr.right)
        if left is None or right is None or left & right or (expr.op == "-" and right):
            return None
        return left | right
    return None
