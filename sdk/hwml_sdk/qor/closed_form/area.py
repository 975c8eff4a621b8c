"""What code takes: shareable operators, the rest of the logic, registers, control, multiplexers and selectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..program import ir
from ..tool.operators import Target, operator
from .initiation import by_array
from .memory import Layout, element_count
from .region import Access, Region

Kind = tuple[str, ir.CType]


@dataclass(slots=True)
class Area:
    """Area of some code. shared: units of shareable operators; plain: LUT of the rest; registers: pipeline bits."""

    shared: dict[Kind, float] = field(default_factory=dict)
    plain_lut: float = 0.0
    plain_dsp: float = 0.0
    registers: float = 0.0
    control_lut: float = 0.0
    control_ff: float = 0.0
    mux_lut: float = 0.0

    def beside(self, other: Area, copies: float = 1.0) -> None:
        """Add code that runs at the same time, or cannot share."""
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


@dataclass(frozen=True, slots=True)
class Cost:
    """LUT, FF and DSP."""

    lut: float
    ff: float
    dsp: float


@dataclass(frozen=True, slots=True)
class Counting:
    """How many LUTs and FFs a tool's report gives for what `Area` holds.

    held: registers for operands and results of an operator, per bit of its width, times the clock period in ns: the
    shorter the clock, the more stages they pass.
    Measured on the groups of data/qor, every source weighing alike: HLS reports two LUTs where place and route needs
    one for a multiplexer.
    """

    control_lut: float
    mux_lut: float
    plain_lut: float
    registers: float
    control_ff: float
    held: float


_CSYNTH = Counting(control_lut=1.5, mux_lut=2.0, plain_lut=1.0, registers=1.0, control_ff=0.5, held=13.0)
_IMPL = Counting(control_lut=1.5, mux_lut=0.5, plain_lut=0.3, registers=1.0, control_ff=0.6, held=9.0)
_MERLIN = Counting(control_lut=1.0, mux_lut=1.0, plain_lut=1.0, registers=1.0, control_ff=1.0, held=0.0)


def counting(target: Target) -> Counting:
    """How the reports of the target's tool and stage count."""
    if target.behaviour.merlin:
        return _MERLIN
    return _IMPL if target.stage == "impl" else _CSYNTH


def area_cost(area: Area, target: Target) -> Cost:
    """What an area takes on the target's family, as the report of its tool and stage counts it."""
    rule = counting(target)
    lut = area.plain_lut * rule.plain_lut + area.control_lut * rule.control_lut + area.mux_lut * rule.mux_lut
    ff = area.registers * rule.registers + area.control_ff * rule.control_ff
    dsp = area.plain_dsp
    for kind, units in area.shared.items():
        op = operator(*kind, target)
        lut += op.lut * units
        ff += (op.ff + min(rule.held / target.clock_period_ns, 6.0) * kind[1].width) * units
        dsp += op.dsp * units
    return Cost(lut, ff, dsp)


def loop_control(area: Area, trips: float, depth: float) -> None:
    """Counter, comparison, state machine of one loop."""
    bits = math.log2(trips + 2)
    area.control_lut += 10 + 3.0 * bits + 2.0 * min(depth, 60)
    area.control_ff += 8 + 2.0 * bits + 1.5 * min(depth, 60)


def copied_bits(region: Region) -> float:
    """Bits that loads bring in."""
    return sum(access.copies * access.array.type.width for access in region.accesses if not access.write)


def ports_lut(region: Region) -> float:
    """Address and data multiplexers in front of memory ports, and selection among registers, banks and lanes."""
    total = 0.0
    for array, accesses in by_array(region.accesses).items():
        layout = region.host.layout(array)
        width = max(array.type.width, 1)
        uses = sum(access.copies for access in accesses)
        total += uses * 4.0
        if layout.interface == "register":
            count = element_count(array) or 1
            chosen = [access for access in accesses if any(step != 0 for step in access.moving)]
            total += sum(access.copies for access in chosen) * width * min(count, 64) * 0.2
            continue
        if uses > 2:
            total += (uses - 2) * width * 0.3
        total += sum(access.copies * selection_lut(access, layout, width) for access in accesses)
    return min(total, 4e6)


def selection_lut(access: Access, layout: Layout, width: int) -> float:
    """LUTs that pick the bank and the lane of one access whose place is known at run time only.

    A reshaped array is read and written in whole words: an element is shifted out of its word or into it, and a barrel
    shifter of w bits takes about w log2(w) / 2 LUTs. Banks are chosen by a multiplexer, as `mux_42_32` (20 LUTs) and
    `mux_83_32` (43 LUTs) of Vitis HLS reports.
    """
    lanes = _unresolved(access, layout.reshaped)
    banks = _unresolved(access, layout.banks)
    word = width * math.prod(factor for _, factor in layout.reshaped.values())
    total = 0.0
    if lanes > 1:
        total += word * math.log2(word) * 0.45
    if banks > 1:
        total += banks * 4.0 if access.write else word * min(banks, 64) * 0.17
    return total


def _unresolved(access: Access, splits: Mapping[int, tuple[str, int]]) -> int:
    """Among how many parts an access has to choose at run time."""
    total = 1
    for dim, (kind, factor) in splits.items():
        moving = access.moving[dim] if dim < len(access.moving) else None
        fixed = moving is not None and (moving == 0 or (kind == "cyclic" and moving % factor == 0))
        if not fixed:
            total *= factor
    return total
