"""Flip-flops of pipelines, states and counters, entry by entry as the tables of registers of csynth reports list them.

What is kept from one state to a later one is a register. What an entry counts is the same in all reports that were
read (Vivado HLS 2019.2, Vitis HLS 2020.2 to 2024.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..program import ir
from ..tool.operators import Target
from .costs import MAX_KEPT, REGISTERS
from .memory import element_count
from .schedule.forms import Form, frozen, is_constant
from .schedule.memory_cycles import in_registers
from .schedule.operations import looked_at
from .schedule.ports import cycles_of
from .schedule.region import Region
from .schedule.values import Hold


def stored(region: Region) -> list[Hold]:
    """Places of stores that are kept until the value is there; values are looked at when they are stored."""
    return list(_stored(region))


def kept(
    region: Region,
    ii: int = 0,
    *,
    places: Sequence[Hold] | None = None,
    rounds: Sequence[ir.Variable] | None = None,
) -> float:
    """Results that are looked at in a later state than they come in. ii: of a pipeline, 0 for plain states.

    places, rounds: what `stored` and `carried` say, where it is known.

    In a pipeline a register takes a new value each II, so that what is kept longer has one for every II; from the third
    on they are a shift register, which counts the same for all lengths and widths.
    """
    found = 0.0
    places = stored(region) if places is None else places
    cycles: dict[ir.Variable | None, int] = {array: cycles_of(region, array)[0] for array in region.arrays()}
    for hold in (*region.holds, *places):
        states, copies = hold.last - hold.made, hold.copies
        # Loads that queue for a port come one after another, and wait for the last of them; in a pipeline what is added
        # up waits as the sum, and those that come last wait for nothing.
        queue = cycles.get(hold.array, 1)
        if states < 1 and queue > 1 and (hold.waits or not ii):
            states, copies = 1, copies * (queue - 1) / queue if ii else copies
        found += _bits(hold, states, ii) * copies
    # Past this a design is larger than any device, and sums stay finite.
    found = min(found, MAX_KEPT)
    rounds = carried(region) if rounds is None else rounds
    return found + sum([region.final[var].type.width for var in rounds])


def carried(region: Region) -> list[ir.Variable]:
    """Scalars that rounds hand on."""
    marks = {mark for value in region.final.values() for mark in value.since}
    # What has no name is an object of one expression, made anew in each round.
    named = (var for var in region.final if isinstance(var, ir.Variable) and var.name and var.type.kind != "struct")
    return [var for var in named if var in marks]


def shifted(region: Region, ii: int, places: Sequence[Hold]) -> float:
    """Shift registers among what a pipeline keeps: values that wait for more than two IIs. places: of `stored`."""
    holds = (*region.holds, *places)
    return min(sum(hold.copies for hold in holds if hold.last - hold.made > REGISTERS.plain_stages * ii), MAX_KEPT)


def _bits(hold: Hold, states: int, ii: int) -> float:
    """Registers of one copy of what is kept for so many states."""
    if states < 1:
        return 0.0
    many = math.ceil(states / ii) if ii else 1
    return many * hold.bits if many <= REGISTERS.plain_stages else hold.bits + REGISTERS.shift


def _stored(region: Region) -> Iterator[Hold]:
    """Values are kept until the state in which they are stored, and so are the places that change with the rounds."""
    seen: set[object] = set()
    loaded = {access.key for access in region.accesses if not access.write}
    for access in region.accesses:
        if not access.write or access.value is None or in_registers(region.host, access.array):
            continue
        state = int(access.time) - 1
        looked_at(access.value, state)
        count = element_count(access.array) or 1
        if count < 2 or all(map(is_constant, access.forms)):
            continue
        # An address that a load has is kept itself (`a_addr_reg`), else what it is made of, which arrays have in
        # common (`zext_ln9_reg`).
        shared = access.key not in loaded and access.bits > 0 and None not in access.forms
        form, low = _without_low_bits(access.forms[0]) if shared else (None, 0)
        key = frozen(form) if shared else access.key
        if key not in seen:
            seen.add(key)
            bits = access.bits - low if shared else max(math.ceil(math.log2(count)), 1)
            yield Hold(math.floor(access.begun + 1e-6), state, bits, 1.0)


def _without_low_bits(form: Form | None) -> tuple[Form | None, int]:
    """`2 * i + 1` is `i` with a bit put behind it: what that is of, and how many bits are put there."""
    counters = [var for var in form or () if var is not None]
    if form is None or len(counters) != 1:
        return form, 0
    factor, rest = int(form[counters[0]]), form.get(None, 0.0)
    wired = factor > 1 and factor & (factor - 1) == 0 and 0 <= rest < factor and factor == form[counters[0]]
    return ({counters[0]: 1.0}, factor.bit_length() - 1) if wired else (form, 0)


def of_pipeline(target: Target, trips: float, depth: float, ii: int) -> float:
    """Counter, states and stages of a pipelined loop.

    One that is a function of its own has `ap_CS_fsm`, `ap_done_reg`, `ap_enable_reg_pp0_iter1` on, and
    `ap_loop_exit_ready_pp0_iter1_reg` on but for the last stage. In the state machine of its function it has
    `ap_enable_reg_pp0_iter0` as well, and nothing else.
    """
    stages = math.ceil(depth / ii)
    if not target.behaviour.outlined_loops:
        return counter_bits(trips) + ii + stages
    return counter_bits(trips) + ii + (stages - 1) + max(stages - 2, 0) + REGISTERS.pipeline


def of_plain_loop(trips: float, states: float) -> float:
    """Counter, its next value and states of a loop whose rounds follow one another."""
    return 2 * counter_bits(trips) + states


def of_nest(rounds: float, trips: float) -> float:
    """Counters of a loop that is flattened with the one inside: its own, and `indvar_flatten` of all rounds."""
    return counter_bits(rounds) + counter_bits(trips)


def given_to_pipeline(region: Region | None, ii: int) -> float:
    """Numbers that a function is given which is one pipeline: read in its first stage of each round, `n_read_reg`."""
    return 0.0 if region is None else sum(_bits(hold, hold.last - hold.made, ii) for hold in region.given.values())


def of_calls(region: Region) -> float:
    """Of what runs as a function of its own: `grp_..._ap_start_reg`, a state that starts it and one that waits."""
    return region.called + len(region.turns)


def counter_bits(trips: float) -> int:
    """Of a counter that goes from 0 to `trips` and is held against it."""
    return math.ceil(math.log2(trips + 1))
