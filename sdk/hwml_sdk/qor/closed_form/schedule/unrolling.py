"""Loops that become copies: what has to be known before their body is walked, and what is left of it afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ...program import ir
from ...program.expressions import assigned_in_order, assigned_variables
from . import fields
from .accesses import Element, mentions, root
from .chains import close, link_copies
from .forms import linear
from .region import Region
from .values import NO_SOURCES, Value

KNOWN_A_STEP = 40  # values that are looked through before and after a loop in the time that an expression takes


@dataclass(slots=True)
class Unrolled:
    """What was there before the body of an unrolled loop. starts: marked values of what its copies hand on.

    advanced: counters and pointers that each copy moves on by a constant.
    """

    starts: dict[object, Value]
    accesses: int
    advanced: dict[ir.Variable, Value]


def enter(region: Region, loop: ir.Loop, trip: float) -> Unrolled:
    """Prepare the walk over the body of a loop that is unrolled `trip` times."""
    region.unrolled[loop] = trip
    # Copies that no pragma asks for are made after arrays have been split (`ports._known_split`).
    if region.automatic and loop.pragma("HLS", "UNROLL") is None:
        region.late = region.late | {loop}
    region.copies_made = max(region.copies_made, math.prod(region.unrolled.values()) * region.expanded)
    mine = frozenset((loop,))
    assigned = assigned_variables(loop.body)
    if loop.var is not None:
        region.env[loop.var] = Value(region.base, mine, loop.var.type, NO_SOURCES, {loop.var: 1.0})
    declared = {item.var for item in loop.body.items if isinstance(item, ir.Declare)}
    # In order of the source: of recurrences alike the first one is named, and a set's order changes between runs.
    for var in assigned_in_order(loop.body):
        # A scalar that was never named has to stand here as well, or its chain would have no start.
        if not var.dims and var not in declared and var not in region.env and var.type.kind != "stream":
            region.value(ir.Ref(var.name, var))
        if var.type.kind == "struct" and var not in declared and not (var.dims or var.type.pointer):
            for field, _, _ in var.type.fields:
                fields.read(region, var, field)
    advanced = _advance(region, loop, mine)
    starts: dict[object, Value] = {}
    region.work.left -= len(region.env) // KNOWN_A_STEP
    for key, value in list(region.env.items()):
        # Without a call for plain variables: this is asked of all that is known, at each loop.
        held = key if type(key) is ir.Variable and key.part_of is None else root(key)
        if held in assigned and key is not loop.var and key not in advanced:
            # What a copy hands on is another value in each of them.
            marked = Value(value.time, value.deps | mine, value.type, {**value.since, (loop, key): 0.0}, None)
            starts[key] = region.env[key] = marked
    return Unrolled(starts, len(region.accesses), advanced)


def _advance(region: Region, loop: ir.Loop, mine: frozenset[ir.Loop]) -> dict[ir.Variable, Value]:
    """Let counters and pointers that each copy moves on by a constant be affine in the loop's own counter."""
    found: dict[ir.Variable, Value] = {}
    start = region.host.start(loop)
    if loop.var is None or start is None:
        return found
    for var, step in region.host.advances(loop).items():
        before = region.env.get(var)
        if before is None or before.form is None:
            continue
        found[var] = before
        a_copy = step / region.host.step(loop)
        form = linear(before.form, {loop.var: a_copy, None: -a_copy * start}, 1.0)
        region.env[var] = replace(before, deps=before.deps | mine, form=form)
    return found


def leave(region: Region, loop: ir.Loop, trip: float, before: Unrolled) -> None:
    """Make of one walk over the body what all copies do, one behind the other where they hang on each other."""
    link_copies(region, loop, trip, region.accesses[before.accesses :])
    for var, value in before.advanced.items():
        form = linear(value.form, {None: region.host.advances(loop)[var] * trip}, 1.0)
        region.env[var] = replace(value, form=form)
    counted = loop.var if loop.var in assigned_variables(loop.body) else None
    for key, value in list(region.env.items()):
        if key in before.advanced:
            continue
        if key in before.starts or (counted is not None and key is counted):
            region.env[key] = close(region, loop, key, value, trip)
        elif loop in value.deps or (type(key) is Element and loop.var is not None and mentions(key, loop.var)):
            # Only the last copy's value is left, and nobody asks for it by this name.
            region.env.forget(key)
    region.env.forget(loop.var)
    del region.unrolled[loop]
