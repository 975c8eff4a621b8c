"""The initiation interval of a pipelined loop: bound by recurrences and by memory ports, and which of them it is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from ..program import ir
from ..tool.memories import PORTS_PER_BANK
from .memory import Layout
from .region import Access, Form, Region

MAX_ENUMERATED = 4096

# An element: per subscript what varies in it, and its constant.
Place = tuple[tuple[object, float], ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound of the II and what sets it; guess: the accesses could not be told apart."""

    ii: int
    by: str
    guess: bool = False


@dataclass(frozen=True, slots=True)
class NestLoop:
    """One loop of a flattened nest, outermost first.

    trip, stride: of the source's loop. copies: how often its body is unrolled in one iteration of the hardware.
    """

    var: ir.Variable | None
    trip: float
    stride: float = 1.0
    copies: float = 1.0


def recurrence_bound(region: Region, nest: Sequence[NestLoop]) -> Bound:
    """Largest latency over distance of a value that a later iteration needs (RecMII; Rau 1994)."""
    best = Bound(1, "")
    for key, value in region.final.items():
        latency = value.since.get(key)
        if latency and isinstance(key, ir.Variable):
            best = _larger(best, Bound(max(math.ceil(latency - 0.25), 1), f"recurrence through {key.name}"))
    reads = {("R", access): access for access in region.accesses if not access.write}
    for write in region.accesses:
        if not write.write:
            continue
        for mark, latency in write.since.items():
            read = reads.get(mark)  # type: ignore[call-overload]
            if read is None or read.array is not write.array:
                continue
            best = _larger(best, _array_recurrence(region, write, read, latency, nest, chained=mark in write.chained))
    return best


def _array_recurrence(
    region: Region, write: Access, read: Access, latency: float, nest: Sequence[NestLoop], *, chained: bool
) -> Bound:
    distance, sure = _stated_distance(region, write.array) or dependence_distance(write.forms, read.forms, nest)
    if distance is None:
        return Bound(1, "")
    if chained:
        distance = max(distance, 1.0)
    load = region.host.load_cycles(read.array)
    if region.target.behaviour.through_memory:
        latency += 1
    elif write.key == read.key or (sure and distance <= 1):
        latency -= load  # the element stays in a register, or is forwarded past the memory
    elif not region.host.in_registers(write.array):
        latency += 1
    ii = max(math.ceil((latency - 0.25) / distance), 1)
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


def port_bound(region: Region) -> Bound:
    """Accesses of each array in one iteration over what its banks serve in a cycle (ResMII)."""
    if region.ports is not None:
        return region.ports
    best = Bound(1, "")
    for array, accesses in by_array(region.accesses).items():
        layout = region.host.layout(array)
        cycles, what = access_cycles(array, layout, accesses)
        if cycles > best.ii:
            best = Bound(cycles, f"{what} of {array.name}")
    region.ports = _larger(best, _bundle_bound(region))
    return region.ports


def _bundle_bound(region: Region) -> Bound:
    """Arrays of one m_axi bundle share its read and its write channel (UG1399, pragma HLS interface)."""
    channels: dict[tuple[str, bool], float] = defaultdict(float)
    for access in region.accesses:
        layout = region.host.layout(access.array)
        if layout.interface == "m_axi":
            channels[(layout.bundle or "gmem", access.write)] += access.copies
    if not channels:
        return Bound(1, "")
    (bundle, _), load = max(channels.items(), key=lambda item: item[1])
    return Bound(max(math.ceil(load), 1), f"m_axi port of bundle {bundle}")


def by_array(accesses: Sequence[Access]) -> dict[ir.Variable, list[Access]]:
    """Accesses by array, in order of appearance."""
    found: dict[ir.Variable, list[Access]] = defaultdict(list)
    for access in accesses:
        found[access.array].append(access)
    return found


def access_cycles(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> tuple[int, str]:
    """Cycles that all accesses of one iteration take on the array's ports, and the name of the bottleneck."""
    reads = sum(a.copies for a in accesses if not a.write)
    writes = sum(a.copies for a in accesses if a.write)
    if layout.interface == "register":
        return 1, ""
    if layout.interface in ("fifo", "m_axi"):
        name = "fifo port" if layout.interface == "fifo" else "m_axi port"
        return max(math.ceil(max(reads, writes)), 1), name
    load = bank_load(array, layout, accesses)
    if layout.automatic:
        # config_array_partition -throughput_driven auto (UG1399): split until the loop's accesses fit.
        layout.automatic_banks = max(layout.automatic_banks, math.ceil(load / PORTS_PER_BANK))
        # Indices nobody knows are served as one iteration of the source needs; copies that an unroll pragma makes of it
        # take turns (seen in labels of sparse and neighbour-list kernels, Vitis HLS 2025.1).
        return max((math.ceil(a.asked) for a in accesses if not a.write), default=1), "memory ports"
    return max(math.ceil(load / PORTS_PER_BANK), 1), "memory ports"


def bank_load(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> float:
    """Accesses of one iteration that fall on the fullest bank."""
    splits = [layout.split(d) for d in range(max(len(array.dims), 1))]
    if sum(a.copies for a in accesses) > MAX_ENUMERATED:
        return sum(_spread_load(access, array, splits) for access in accesses)
    load: Counter[tuple[object, ...]] = Counter()
    known = layout.merged and all(None not in access.forms for access in accesses if access.write)
    stored = _stored(accesses) if known else {}
    loaded: set[object] = set()
    for access in accesses:
        places, banks = _enumerate(access, array, splits)
        for copy, (place, bank) in enumerate(zip(places, banks, strict=True)):
            if not access.write and known and None not in access.forms:
                shape, first = stored.get(place, (None, 0))
                if place in loaded or (shape == _shape(access) and first < copy):
                    continue  # another copy has loaded it already, or an earlier one has just computed it
                loaded.add(place)
            load[bank] += 1
        # Copies whose addresses differ in ways that cannot be told (indirect) may all hit one bank.
        extra = access.copies / max(len(banks), 1) - 1
        if extra > 0:
            load[banks[0]] += round(extra)
    return max(load.values(), default=0)


def _stored(accesses: Sequence[Access]) -> dict[object, tuple[object, int]]:
    """Place -> (loops its copies come from, the first copy that surely writes it)."""
    found: dict[object, tuple[object, int]] = {}
    for access in accesses:
        if access.write and not access.guarded:
            for copy, place in enumerate(_places(access)):
                found.setdefault(place, (_shape(access), copy))
    return found


def _shape(access: Access) -> object:
    """What unrolled loops the copies of an access count through, in order."""
    return tuple(tuple(trip for _, trip in spread) for spread in access.spread)


def _offsets(spread: Sequence[tuple[float, float]]) -> list[float]:
    offsets = [0.0]
    for stride, trip in spread:
        offsets = [o + stride * i for o in offsets for i in range(int(trip))]
    return offsets


def _places(access: Access) -> list[Place]:
    """The elements that the copies of an access touch: per subscript what it consists of, and its constant."""
    columns: list[list[tuple[object, float]]] = []
    for dim, form in enumerate(access.forms):
        spread = access.spread[dim] if dim < len(access.spread) else ()
        base = 0.0 if form is None else form.get(None, 0.0)
        others = None if form is None else _others(form)
        columns.append([(others, base + offset) for offset in _offsets(spread)])
    return list(product(*columns))


def _others(form: Form) -> frozenset[tuple[ir.Variable | None, float]]:
    return frozenset((v, c) for v, c in form.items() if v is not None and c)


def _enumerate(
    access: Access, array: ir.Variable, splits: Sequence[tuple[str, int]]
) -> tuple[list[Place], list[tuple[object, ...]]]:
    """The elements that the copies of one access touch, and their banks relative to the array's other accesses."""
    places = _places(access)
    banks: list[tuple[object, ...]] = []
    known = [_known_split(split, access, d) if access.late else split for d, split in enumerate(splits)]
    for place in places:
        bank: list[object] = []
        for dim, split in enumerate(known):
            others, index = place[dim] if dim < len(place) else (None, 0.0)
            bank.append(_bank(index, others, split, array, dim))
        banks.append(tuple(bank))
    return places, banks


def _known_split(split: tuple[str, int], access: Access, dim: int) -> tuple[str, int]:
    """What is known of the bank of `a[j + k]` where k is unrolled after the array was split, as a split of its own.

    By then the bank is code, `(j + k) % factor`, and folds away only as far as address bits are known: where the number
    of banks is a power of two and j moves in steps of one. Otherwise every copy takes a port of every bank. Seen in
    reports of Vitis HLS 2023.2 on automatically pipelined loops; a pipeline pragma unrolls before arrays are split.
    """
    kind, factor = split
    moving = access.moving[dim] if dim < len(access.moving) else 0.0
    if kind != "cyclic" or factor <= 1 or moving is None or moving == 0:
        return split
    return kind, math.gcd(factor, int(moving)) if factor & (factor - 1) == 0 else 1


def _bank(index: float, others: object, split: tuple[str, int], array: ir.Variable, dim: int) -> object:
    kind, factor = split
    if kind == "complete":
        return (index, others)
    if factor <= 1:
        return 0
    extent = array.dims[dim] if dim < len(array.dims) else None
    if kind == "block" and extent:
        return int(index // math.ceil(extent / factor))
    return int(index) % factor


def _spread_load(access: Access, array: ir.Variable, splits: Sequence[tuple[str, int]]) -> float:
    load = 1.0
    spread_copies = 1.0
    for dim, (kind, factor) in enumerate(splits):
        spread = access.spread[dim] if dim < len(access.spread) else ()
        copies = math.prod(trip for _, trip in spread)
        spread_copies *= copies
        if kind == "complete":
            continue
        banks = 1.0
        if factor > 1 and spread:
            if kind == "block":
                extent = (array.dims[dim] if dim < len(array.dims) else None) or factor
                reach = sum(abs(stride) * (trip - 1) for stride, trip in spread)
                banks = min(factor, reach // math.ceil(extent / factor) + 1)
            else:
                common = math.gcd(factor, *(int(abs(stride)) for stride, _ in spread))
                banks = factor / max(common, 1)
        load *= max(math.ceil(copies / max(banks, 1)), 1)
    return load * max(access.copies / max(spread_copies, 1.0), 1.0)


def _larger(one: Bound, other: Bound) -> Bound:
    return other if other.ii > one.ii else one
