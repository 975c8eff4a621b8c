"""ResMII: accesses over what the ports of banks, streams and m_axi bundles serve in a cycle, operators over limits."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from ...program import ir
from ...program.sizes import byte_size
from ...tool.binding import operation_name
from ...tool.memories import AXI_BITS, Ports
from ..memory import Layout
from .accesses import Access, Element
from .banks import Load, busiest, loads, places_of
from .bounds import FREE, Bound, larger
from .region import Region


def port_bound(region: Region) -> Bound:
    """Accesses of each array in one iteration over what its banks serve in a cycle, and operators over their limits."""
    if region.ports is not None:
        return region.ports
    best = FREE
    for array in region.arrays():
        cycles, what = cycles_of(region, array)
        if cycles > best.ii:
            best = Bound(cycles, f"{what} of {array.name}")
    region.ports = larger(larger(best, _bundle_bound(region)), _operator_bound(region))
    return region.ports


def cycles_of(region: Region, array: ir.Variable) -> tuple[int, str]:
    """`access_cycles` of one of a region's arrays, found once."""
    accesses, layout = region.arrays()[array], region.host.layout(array)
    known = region.cycles.get(array)
    if known is None or known[0] is not layout:
        known = region.cycles[array] = layout, *_served(array, layout, accesses)
    return known[1], known[2]


def banks_of(region: Region, array: ir.Variable) -> Sequence[Load]:
    """What comes to each bank of one of a region's arrays in an iteration; none of what is no memory."""
    cycles_of(region, array)
    return region.cycles[array][3]


def busiest_cycles(region: Region) -> int:
    """Cycles that the busiest array's ports take."""
    return max((cycles_of(region, array)[0] for array in region.arrays()), default=1)


def _operator_bound(region: Region) -> Bound:
    """ALLOCATION: operators of a kind in one iteration over the instances that there may be (UG1399)."""
    best = FREE
    for what, limit in region.host.limits().items():
        units = sum(n for kind, n in region.counts.items() if operation_name(*kind) == what)
        best = larger(best, Bound(max(math.ceil(units / limit), 1), f"limit of {limit} {what.removeprefix('call ')}"))
    return best


def _bundle_bound(region: Region) -> Bound:
    """Arrays of one m_axi bundle share its read and its write channel (UG1399, pragma HLS interface)."""
    channels: dict[str, Load] = defaultdict(Load)
    for array, accesses in region.arrays().items():
        layout = region.host.layout(array)
        if layout.interface == "m_axi":
            for access, beats in _beats(array, layout, accesses):
                channels[layout.bundle or "gmem"].add(access, beats)
    best = FREE
    for bundle, load in channels.items():
        cycles = max(busiest(load.reads), busiest(load.writes))
        best = larger(best, Bound(max(math.ceil(cycles), 1), f"m_axi port of bundle {bundle}"))
    return best


def _beats(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> list[tuple[Access, float]]:
    """Beats on the bus that each access of one iteration takes.

    A struct whose size is no power of two lies across the boundary of bus words (UG1399, aggregate: it is padded to the
    next power of two only where `alignas` says so), so that one element takes two beats.
    """
    if layout.stencil:
        # A new element each iteration, whatever the window reaches (UG1399, pragma HLS array_stencil).
        return [(access, 1.0 if access.write or access is accesses[0] else 0.0) for access in accesses]
    size = byte_size(array.type) or 1
    words = max(math.ceil(size * 8 / AXI_BITS), 2 if size & (size - 1) else 1)
    found: list[tuple[Access, float]] = []
    seen: set[object] = set()
    for access in accesses:
        beats = access.copies
        together = layout.widen // (size * 8)
        if together > 1 and access.forms and None not in access.forms and _aligned(access, together):
            beats = 0.0
            for cell in places_of(access):
                word = (access.write, *cell[:-1], cell[-1][0], cell[-1][1] // together)
                beats += word not in seen
                seen.add(word)
        found.append((access, beats * words))
    return found


def _aligned(access: Access, together: int) -> bool:
    """Whether the last subscript moves in whole words of the bus, without which the tool does not widen the port."""
    step = access.moving[-1] if access.moving else None
    return step is not None and step % together == 0


def access_cycles(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> tuple[int, str]:
    """Cycles that all accesses of one iteration take on the array's ports, and the name of the bottleneck."""
    cycles, what, _ = _served(array, layout, accesses)
    return cycles, what


def _served(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> tuple[int, str, Sequence[Load]]:
    """The same, with what comes to each bank of a memory."""
    if layout.interface == "register":
        return 1, "", ()
    if layout.interface == "m_axi":
        one = Load()
        for access, beats in _beats(array, layout, accesses):
            one.add(access, beats)
        return max(math.ceil(max(busiest(one.reads), busiest(one.writes))), 1), "m_axi port", ()
    if layout.stencil:
        return 1, "", ()
    if layout.interface == "fifo":
        return _fifo_cycles(array, layout, accesses), "fifo port", ()
    found = loads(array, layout, accesses)
    if layout.automatic:
        # config_array_partition -throughput_driven auto (UG1399): split until the loop's accesses fit.
        most = max((busiest([*load.reads, *load.writes]) for load in found), default=0.0)
        layout.automatic_banks = max(layout.automatic_banks, math.ceil(most / layout.ports.total))
        # Indices nobody knows are served as one iteration of the source needs; copies that an unroll pragma makes of it
        # take turns (seen in labels of sparse and neighbour-list kernels, Vitis HLS 2025.1).
        return max((math.ceil(a.asked) for a in accesses if not a.write), default=1), "memory ports", found
    return max([_cycles(load, layout.ports) for load in found], default=1), "memory ports", found


def _cycles(load: Load, ports: Ports) -> int:
    """Cycles of one bank: reads and writes over the ports that serve them, both over all ports."""
    reads, writes = busiest(load.reads), busiest(load.writes)
    together = busiest([*load.reads, *load.writes]) if load.reads and load.writes else max(reads, writes)
    return max(
        math.ceil(reads / ports.reads), math.ceil(writes / ports.writes), math.ceil(together / ports.total), 1
    )  # fmt: skip


def _fifo_cycles(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> int:
    """A FIFO gives one element and takes one in a cycle; elements of an array of streams are FIFOs of their own."""
    if array.type.kind == "stream" and array.dims:
        found = loads(array, Layout(dict.fromkeys(range(len(array.dims)), ("complete", 1)), merged=False), accesses)
    else:
        # Of a struct that is taken apart each field has a port of its own (UG1399, pragma HLS disaggregate).
        ports: dict[str, Load] = {}
        for access in accesses:
            field = access.key.field if layout.parted and isinstance(access.key, Element) else ""
            ports.setdefault(field, Load()).add(access, access.copies)
        found = list(ports.values())
    return max((math.ceil(max(busiest(load.reads), busiest(load.writes), 1.0)) for load in found), default=1)
