"""LUTs in front of memories, entry by entry as the table of multiplexers lists them: who drives a port, who is picked.

A port that one place of one block drives has none; several of them are an entry of one input more.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..program import ir
from .area import unresolved
from .costs import LOGIC, MAX_PORT_LUT
from .logic import multiplexer
from .memory import Layout, element_count
from .results import FunctionResult
from .schedule.accesses import Access
from .schedule.ports import busiest_cycles
from .schedule.region import Region


def ports(region: Region, slots: float) -> float:
    """Addresses and data in front of memory ports that take turns over `slots` states."""
    total = 0.0
    for array, accesses in region.arrays().items():
        layout = region.host.layout(array)
        if layout.interface == "memory":
            total += _port(array, layout, accesses, slots)
    return min(total, MAX_PORT_LUT)


def _port(array: ir.Variable, layout: Layout, accesses: Iterable[Access], slots: float) -> float:
    listed = _distinct(accesses)
    banks = _banks(array, layout)
    found = 0.0
    for kind in (listed, [access for access in listed if access.write]):
        each = _per_bank(layout, kind, banks)
        many = min(max(math.ceil(each / max(slots, 1)), 1), layout.ports.total)
        if each > many:
            found += banks * many * multiplexer(each / many + 1)
    return found


def _banks(array: ir.Variable, layout: Layout) -> int:
    return max(min(layout.bank_count(), element_count(array) or 1), 1)


def _per_bank(layout: Layout, accesses: Iterable[Access], banks: int) -> float:
    """Accesses that each bank is given: what is not told apart from the others by its place goes to all of them."""
    return sum([access.copies * min(unresolved(access, layout.banks), banks) for access in accesses]) / banks


def _distinct(accesses: Iterable[Access]) -> list[Access]:
    """What both arms of a branch store in one place is one store of a value that is chosen."""
    found: dict[object, Access] = {}
    for access in accesses:
        found.setdefault((access.key, access.write), access)
    return list(found.values())


@dataclass(slots=True)
class _Users:
    """Who drives the ports of one array in a function: blocks, and places of the function's own code."""

    all: float = 0.0
    second: float = 0.0
    writers: float = 0.0


def shared_ports(result: FunctionResult, region: Region, slots: float) -> float:
    """Address, enable, data of memory ports that several blocks of a function drive, or its own code in many states.

    One entry each: `temp_address0`, `temp_ce0`, `temp_d0`, `temp_we0`.
    """
    if result.dataflow:
        return 0.0
    users: dict[ir.Variable, _Users] = defaultdict(_Users)
    _own_uses(users, region, slots)
    pending = list(result.loops)
    while pending:
        loop = pending.pop()
        if loop.ii is None:
            pending += loop.children
        if loop.region is None:
            continue
        if loop.ii is None or not region.target.behaviour.outlined_loops:
            _own_uses(users, loop.region, float(loop.ii or memory_slots(loop.region)))
        else:
            _block_uses(users, region, loop.region.arrays(), float(loop.ii), loop.replicas)
    for array, write in result.copied:
        users[array].all += 1
        users[array].writers += write
    return min(sum(_driven(region, array, found) for array, found in users.items()), MAX_PORT_LUT)


def memory_slots(region: Region) -> float:
    """States that the busiest array's ports take."""
    return float(busiest_cycles(region))


def _own_uses(users: dict[ir.Variable, _Users], region: Region, slots: float) -> None:
    for array, accesses in region.arrays().items():
        listed = _distinct(accesses)
        layout = region.host.layout(array)
        banks = _banks(array, layout)
        each = _per_bank(layout, listed, banks)
        many = min(max(math.ceil(each / max(slots, 1)), 1), 2)
        found = users[array]
        found.all += max(each / many, 1.0)
        found.second += each / many if many > 1 else 0.0
        writes = [access for access in listed if access.write]
        found.writers += max(_per_bank(layout, writes, banks) / many, 1.0) if writes else 0.0


def _block_uses(
    users: dict[ir.Variable, _Users],
    region: Region,
    arrays: Mapping[ir.Variable, Sequence[Access]],
    ii: float,
    times: float,
) -> None:
    for array, listed in arrays.items():
        found = users[array]
        found.all += times
        layout = region.host.layout(array)
        found.second += times if _per_bank(layout, _distinct(listed), _banks(array, layout)) > ii else 0.0
        found.writers += times if any(access.write for access in listed) else 0.0


def _driven(region: Region, array: ir.Variable, users: _Users) -> float:
    layout = region.host.layout(array)
    if layout.interface != "memory" or users.all < 2:
        return 0.0
    found = 2 * multiplexer(users.all + 1)
    found += 2 * multiplexer(users.second + 1) if users.second >= 2 else 0.0
    if users.writers >= 2:
        found += 2 * multiplexer(users.writers + 1)
    elif users.writers:
        found += multiplexer(2)
    return _banks(array, layout) * found


def selected(region: Region) -> float:
    """What picks a register, bank or lane that is known at run time only: `mux_42_32_1_1`, whatever its width.

    A word of lanes is shifted, as `lshr` in the table of expressions.
    """
    total = 0.0
    for array, accesses in region.arrays().items():
        layout = region.host.layout(array)
        if layout.interface == "register":
            count = element_count(array) or 1
            moving = [access for access in accesses if any(step != 0 for step in access.moving)]
            total += sum(access.copies * multiplexer(count) for access in moving)
        elif layout.reshaped or layout.banks:
            total += sum(access.copies * _selector(array, layout, access) for access in accesses)
    return min(total, MAX_PORT_LUT)


def _selector(array: ir.Variable, layout: Layout, access: Access) -> float:
    lanes, banks = unresolved(access, layout.reshaped), unresolved(access, layout.banks)
    word = max(array.type.width, 1) * math.prod(factor for _, factor in layout.reshaped.values())
    each = LOGIC.lane_write if access.write else LOGIC.lane_read
    found = word * math.log2(word) * each if lanes > 1 else 0.0
    return found + (LOGIC.bank_write * banks if access.write else multiplexer(banks)) * (banks > 1)
