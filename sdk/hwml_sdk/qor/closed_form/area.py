"""What code takes: shareable operators, the rest of the logic, registers, control, multiplexers and selectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..tool.operators import Target, operator
from .costs import COSTS, MAX_HELD_STAGES, MAX_PORT_LUT, MAX_SELECTED, MAX_STATES, counting
from .memory import Layout, element_count
from .schedule.accesses import Access
from .schedule.region import Kind, Region


@dataclass(slots=True)
class Area:
    """Area of some code. shared: units of shareable operators; plain: LUT of the rest; registers: pipeline bits.

    kept: flip-flops of what waits from state to state, of states and counters. listed: LUT of control and
    multiplexers, as tables of csynth reports list them.
    """

    shared: dict[Kind, float] = field(default_factory=dict)
    plain_lut: float = 0.0
    plain_dsp: float = 0.0
    registers: float = 0.0
    control_lut: float = 0.0
    control_ff: float = 0.0
    mux_lut: float = 0.0
    kept: float = 0.0
    listed: float = 0.0

    def beside(self, other: Area, copies: float = 1.0) -> None:
        """Add code that runs at the same time, or cannot share."""
        if not self.shared and copies == 1:
            self.shared = dict(other.shared)
        else:
            for kind, units in other.shared.items():
                self.shared[kind] = self.shared.get(kind, 0.0) + units * copies
        self._add_plain(other, copies)

    def after(self, other: Area, copies: float = 1.0) -> None:
        """Add code that runs before or after: shareable operators are used again."""
        for kind, units in other.shared.items():
            self.shared[kind] = max(self.shared.get(kind, 0.0), units)
        self._add_plain(other, copies)

    def _add_plain(self, other: Area, copies: float) -> None:
        self.plain_lut += other.plain_lut * copies
        self.plain_dsp += other.plain_dsp * copies
        self.registers += other.registers * copies
        self.control_lut += other.control_lut * copies
        self.control_ff += other.control_ff * copies
        self.mux_lut += other.mux_lut * copies
        self.kept += other.kept * copies
        self.listed += other.listed * copies


@dataclass(frozen=True, slots=True)
class Cost:
    """LUT, FF and DSP."""

    lut: float
    ff: float
    dsp: float


def area_cost(area: Area, target: Target) -> Cost:
    """What an area takes on the target's family, as the report of its tool and stage counts it."""
    rule = counting(target)
    lut = area.plain_lut * rule.plain_lut + area.control_lut * rule.control_lut + area.mux_lut * rule.mux_lut
    lut += area.listed * rule.listed
    ff = area.registers * rule.registers + area.control_ff * rule.control_ff + area.kept * rule.kept
    dsp = area.plain_dsp
    # Only now, not while walking: what several loops share is known when all of them have been added.
    for kind, units in area.shared.items():
        op = operator(*kind, target)
        lut += op.lut * units
        ff += (op.ff + min(rule.held / target.clock_period_ns, MAX_HELD_STAGES) * kind[1].width) * units
        dsp += op.dsp * units
    return Cost(lut, ff, dsp)


def loop_control(area: Area, trips: float, depth: float) -> None:
    """Counter, comparison, state machine of one loop."""
    # A counter to the bound and one more; the logarithm unrounded, so that the model sees no steps.
    bits = math.log2(trips + 2)
    states = min(depth, MAX_STATES)
    area.control_lut += COSTS.loop_lut + COSTS.loop_lut_bit * bits + COSTS.loop_lut_state * states
    area.control_ff += COSTS.loop_ff + COSTS.loop_ff_bit * bits + COSTS.loop_ff_state * states


def copied_bits(region: Region) -> float:
    """Bits that loads bring in."""
    return sum(access.copies * access.array.type.width for access in region.accesses if not access.write)


def ports_lut(region: Region) -> float:
    """Address and data multiplexers in front of memory ports, and selection among registers, banks and lanes."""
    total = selected_lut(region)
    for array, accesses in region.arrays().items():
        layout = region.host.layout(array)
        width = max(array.type.width, 1)
        uses = sum(access.copies for access in accesses)
        total += uses * COSTS.port_lut_access
        # Two accesses have a port of the memory each; more of them need selecting. Registers have no ports.
        if uses > 2 and layout.interface != "register":
            total += (uses - 2) * width * COSTS.port_lut_bit
    return min(total, MAX_PORT_LUT)


def selected_lut(region: Region) -> float:
    """Selection among registers, banks and lanes by what is known at run time only."""
    total = 0.0
    for array, accesses in region.arrays().items():
        layout = region.host.layout(array)
        width = max(array.type.width, 1)
        if layout.interface == "register":
            count = element_count(array) or 1
            chosen = [access for access in accesses if any(step != 0 for step in access.moving)]
            copies = sum(access.copies for access in chosen)
            total += copies * width * min(count, MAX_SELECTED) * COSTS.register_lut_bit
        elif layout.reshaped or layout.banks:
            total += sum(access.copies * selection_lut(access, layout, width) for access in accesses)
    return min(total, MAX_PORT_LUT)


def selection_lut(access: Access, layout: Layout, width: int) -> float:
    """LUTs that pick the bank and the lane of one access whose place is known at run time only.

    A reshaped array is read and written in whole words: an element is shifted out of its word or into it, and a barrel
    shifter of w bits takes about w log2(w) / 2 LUTs. Banks are chosen by a multiplexer, as `mux_42_32` (20 LUTs) and
    `mux_83_32` (43 LUTs) of Vitis HLS reports.
    """
    lanes = unresolved(access, layout.reshaped)
    banks = unresolved(access, layout.banks)
    if lanes <= 1 and banks <= 1:
        return 0.0
    word = width * math.prod(factor for _, factor in layout.reshaped.values())
    total = 0.0
    if lanes > 1:
        total += word * math.log2(word) * COSTS.lane_lut_bit
    if banks > 1:
        writing, reading = banks * COSTS.bank_lut_write, word * min(banks, MAX_SELECTED) * COSTS.bank_lut_bit
        total += writing if access.write else reading
    return total


def unresolved(access: Access, splits: Mapping[int, tuple[str, int]]) -> int:
    """Among how many parts an access has to choose at run time."""
    if not splits:
        return 1
    total = 1
    for dim, (kind, factor) in splits.items():
        moving = access.moving[dim] if dim < len(access.moving) else None
        # Banks dealt out in turn are told apart by the constant part of a subscript that moves in whole rounds.
        fixed = moving is not None and (moving == 0 or (kind == "cyclic" and moving % factor == 0))
        if not fixed:
            total *= factor
    return total
