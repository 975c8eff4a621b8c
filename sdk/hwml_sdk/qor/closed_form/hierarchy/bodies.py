"""The region of a loop's body: what it hands to its next iteration is marked before it is walked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...program import ir
from ...program.expressions import assigned_variables
from ...tool.operators import Target
from ..design_cache import written_by_calls
from ..plan import Plan
from ..results import LoopResult
from ..schedule.pointers import walking_in
from ..schedule.region import Region
from ..schedule.statements import open_region, unroll, walk
from .frame import Frame


def body_region(
    frame: Frame, loop: ir.Loop, copies: float, *, unroll_all: bool, target: Target | None = None
) -> Region:
    """Walk a loop's body (`copies` of it) as one region. target: another one than the frame's."""
    automatic = unroll_all and frame.plans.get(loop, Plan()).automatic
    aliases = frame.aliases_now()
    region = open_region(frame, target or frame.target, aliases, unroll_all=unroll_all, automatic=automatic)
    region.in_loop = True
    assigned = assigned_variables(loop.body)
    region.walking = walking_in(loop.body)
    declared = {item.var for item in loop.body.items if isinstance(item, ir.Declare)}
    # What the body declares starts anew in each iteration; the counter is known without waiting for anything.
    region.carried = {v for v in assigned if not v.dims and v not in declared}
    region.written = {frame.root(v) for v in assigned} | written_by_calls(loop.body)
    if loop.var is not None:
        frame.strides[loop.var] = abs(frame.step(loop))
        region.carried.discard(loop.var)
    with inside(frame, loop, region):
        if copies > 1:
            unroll(region, loop, copies)
        else:
            walk(region, loop.body)
    # Only what the next iteration reads can bound the II; a temporary that is set before use binds nothing.
    region.final = {k: v for k, v in region.env.items() if k in region.carried}
    return region


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
