"""RecMII: what a later iteration needs of an earlier one bounds the initiation interval (Rau 1994).

Latency of the way from a value to its own next self, over the iterations that lie between the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...program import ir
from .accesses import Access
from .bounds import Bound, NestLoop, larger
from .forms import Form
from .memory_cycles import in_registers, load_cycles
from .region import Region

# Delays are estimates: a way that ends this little past a clock edge is taken to fit before it.
SLACK_CYCLES = 0.25


def recurrence_bound(region: Region, nest: Sequence[NestLoop]) -> Bound:
    """Largest latency over distance of a value that a later iteration needs (RecMII; Rau 1994)."""
    best = Bound(1, "")
    for key, value in region.final.items():
        latency = value.since.get(key)
        if latency and isinstance(key, ir.Variable):
            best = larger(best, Bound(max(math.ceil(latency - SLACK_CYCLES), 1), f"recurrence through {key.name}"))
    # A load that was left out of the region's accesses (another copy has the element) feeds nothing any more.
    reads = {access for access in region.accesses if not access.write}
    for write in region.accesses:
        if not write.write:
            continue
        for mark, latency in write.since.items():
            if isinstance(mark, Access) and mark in reads and mark.array is write.array:
                chained = mark in write.chained
                best = larger(best, _array_recurrence(region, write, mark, latency, nest, chained=chained))
    return best


def _array_recurrence(
    region: Region, write: Access, read: Access, latency: float, nest: Sequence[NestLoop], *, chained: bool
) -> Bound:
    distance, sure = _stated_distance(region, write.array) or dependence_distance(write.forms, read.forms, nest)
    if distance is None:
        return Bound(1, "")
    if chained:
        distance = max(distance, 1.0)
    load = load_cycles(region.host, read.array)
    if region.target.behaviour.through_memory:
        latency += 1
    elif write.key == read.key or (sure and distance <= 1):
        latency -= load  # the element stays in a register, or is forwarded past the memory
    elif not in_registers(region.host, write.array):
        latency += 1
    ii = max(math.ceil((latency - SLACK_CYCLES) / distance), 1)
    return Bound(ii, f"recurrence through {write.array.name}", not sure)


def _stated_distance(region: Region, array: ir.Variable) -> tuple[float | None, bool] | None:
    """What `pragma HLS dependence` says of an array: no recurrence, or its distance (UG1399); None: nothing."""
    for pragma in region.host.program.dependences():
        options = pragma.options
        if options.get("variable", array.name) != array.name:
            continue
        if "intra" in (options.get("type"), *options):
            continue
        if options.get("dependent") == "false" or "false" in options:
            return None, True
        distance = options.get("distance", "")
        if distance.isdigit() and int(distance) > 0:
            return float(distance), True
    return None


def dependence_distance(
    write: Sequence[Form | None], read: Sequence[Form | None], nest: Sequence[NestLoop]
) -> tuple[float | None, bool]:
    """Iterations from a write to the read of the same element, at least one; None when there is no such read.

    A subscript of other variables on the two sides tells nothing, but the rest has to meet all the same. The second
    value tells whether the distance is certain (affine subscripts) or assumed.
    """
    moves: dict[ir.Variable, float] = {}
    seen: set[ir.Variable] = set()
    mine = {level.var: level for level in nest if level.var is not None}
    sure = True
    for left, right in zip(write, read, strict=False):
        if left is None or right is None:
            return 1.0, False
        if any(left.get(v, 0.0) != right.get(v, 0.0) for v in {*left, *right} if v is not None):
            sure = False  # any move of the loops may make these two meet; the other subscripts still have to
            continue
        used = {v for v in (*left, *right) if v in mine}
        seen |= {v for v in used if v is not None}
        delta = left.get(None, 0.0) - right.get(None, 0.0)
        solved = _solve(delta, left, [level for level in nest if level.var in used])
        if solved is None:
            return None, True
        for var, move in solved.items():
            if moves.setdefault(var, move) != move:
                return None, True
    distance, known = _iterations(moves, seen, nest)
    return distance, known and sure


def _solve(delta: float, form: Form, levels: Sequence[NestLoop]) -> dict[ir.Variable, float] | None:
    """Moves of the loop variables that make up `delta` in one subscript, innermost first; None when there are none."""
    if not levels:
        return {} if delta == 0 else None
    found: dict[ir.Variable, float] = {}
    rest = delta
    ordered = sorted(levels, key=lambda level: -abs(form.get(level.var, 0.0) * level.stride))
    for index, level in enumerate(ordered):
        assert level.var is not None
        factor = form.get(level.var, 0.0) * level.stride
        steps = rest / factor if index == len(ordered) - 1 else float(round(rest / factor))
        if abs(steps) >= max(level.trip, 1) and steps != 0:
            return None
        found[level.var] = steps
        rest -= steps * factor
    if abs(rest) > 1e-9 or any(step != int(step) for step in found.values()):
        return None
    return found


def _iterations(
    moves: dict[ir.Variable, float], seen: set[ir.Variable], nest: Sequence[NestLoop]
) -> tuple[float | None, bool]:
    """Distance in iterations of the flattened nest; variables in no subscript are free to move by one."""
    total = 0.0
    inner = 1.0
    free: float | None = None
    for level in reversed(nest):
        if level.var is not None and level.var in seen:
            total += moves.get(level.var, 0.0) * inner
        elif free is None and level.trip > level.copies:
            free = inner * level.copies
        inner *= max(level.trip, 1.0)
    # From iterations of the source to those of the hardware, which take several of them at once.
    copies = math.prod(level.copies for level in nest)
    if total > 0:
        return total / copies, True
    if free is None:
        return None, True
    distance = total + free
    while distance <= 0 and free < inner:
        distance += free
    return (distance / copies, True) if distance > 0 else (None, True)
