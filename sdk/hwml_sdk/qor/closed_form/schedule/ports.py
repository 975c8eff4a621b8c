"""ResMII: accesses over what the ports of banks, streams and m_axi bundles serve in a cycle."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import product

from ...program import ir
from ...tool.memories import PORTS_PER_BANK
from ..memory import Layout
from .accesses import Access, by_array
from .bounds import Bound, larger
from .forms import Form
from .region import Region

# Copies of more accesses than this are counted by strides and banks instead of one by one.
MAX_ENUMERATED = 4096

# An element: per subscript what varies in it, and its constant.
Cell = tuple[tuple[object, float], ...]


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
    region.ports = larger(best, _bundle_bound(region))
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


def _places(access: Access) -> list[Cell]:
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
) -> tuple[list[Cell], list[tuple[object, ...]]]:
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
