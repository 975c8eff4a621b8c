"""Flip-flops of pipelines, states and counters, entry by entry as the tables of registers of csynth reports list them.

What is kept from one state to a later one is a register. What an entry counts is the same in all reports that were
read (Vivado HLS 2019.2, Vitis HLS 2020.2 to 2024.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..program import ir
from ..tool.operators import Target
from .costs import MAX_KEPT, REGISTERS
from .memory import element_count
from .schedule.accesses import by_array
from .schedule.forms import is_constant
from .schedule.memory_cycles import in_registers
from .schedule.operations import looked_at
from .schedule.ports import access_cycles
from .schedule.region import Region
from .schedule.values import Hold


def kept(region: Region, ii: int = 0) -> float:
    """Results that are looked at in a later state than they come in. ii: of a pipeline, 0 for plain states.

    In a pipeline a register takes a new value each II, so that what is kept longer has one for every II; from the third
    on they are a shift register, which counts the same for all lengths and widths.
    """
    found = 0.0
    stored = list(_stored(region))
    waits = {
        array for array, listed in by_array(region.accesses).items()
        if access_cycles(array, region.host.layout(array), listed)[0] > 1
    }  # fmt: skip
    for hold in (*region.holds, *stored):
        states = hold.last - hold.made
        # Loads that queue for a port come one after another, and wait for the last of them; what is added up waits as
        # the sum.
        if states < 1 and hold.array in waits and (hold.waits or not ii):
            states = 1
        if states < 1:
            continue
        many = math.ceil(states / ii) if ii else 1
        each = many * hold.bits if many <= REGISTERS.plain_stages else hold.bits + REGISTERS.shift
        found += each * hold.copies
    # Past this a design is larger than any device, and sums stay finite.
    found = min(found, MAX_KEPT)
    return found + sum(region.final[var].type.width for var in carried(region))


def carried(region: Region) -> list[ir.Variable]:
    """Scalars that rounds hand on."""
    marks = {mark for value in region.final.values() for mark in value.since}
    # What has no name is an object of one expression, made anew in each round.
    named = (var for var in region.final if isinstance(var, ir.Variable) and var.name and var.type.kind != "struct")
    return [var for var in named if var in marks]


def shifted(region: Region, ii: int) -> float:
    """Shift registers among what a pipeline keeps: values that wait for more than two IIs."""
    holds = (*region.holds, *_stored(region))
    return min(sum(hold.copies for hold in holds if hold.last - hold.made > REGISTERS.plain_stages * ii), MAX_KEPT)


def _stored(region: Region) -> Iterator[Hold]:
    """Values are kept until the state in which they are stored, and so are the places that change with the rounds."""
    seen: set[object] = set()
    for access in region.accesses:
        if not access.write or access.value is None or in_registers(region.host, access.array):
            continue
        state = int(access.time) - 1
        looked_at(access.value, state)
        count = element_count(access.array) or 1
        if count > 1 and access.key not in seen and not all(map(is_constant, access.forms)):
            seen.add(access.key)
            yield Hold(math.floor(access.begun + 1e-6), state, max(math.ceil(math.log2(count)), 1), 1.0)


def of_pipeline(target: Target, trips: float, depth: float, ii: int) -> float:
    """Counter, states and stages of a pipelined loop: `ap_enable_reg_pp0_iter3`, `ap_loop_exit_ready_pp0_iter3_reg`."""
    each = 2.0 if target.behaviour.outlined_loops else 1.0
    return _counter(trips) + ii + math.ceil(depth / ii) * each + REGISTERS.pipeline


def of_plain_loop(trips: float, states: float) -> float:
    """Counter, its next value and states of a loop whose rounds follow one another."""
    return 2 * _counter(trips) + states


def _counter(trips: float) -> float:
    # Unrounded, so that the model sees no steps.
    return math.log2(trips + 2)
