"""What goes into the multipliers' blocks with them: registers on both sides, the addition behind, and its register.

A DSP48E1 has a register behind each operand, behind the product and behind the sum, and adds a third number of up to
48 bits (UG479); yosys' `xilinx_dsp` fills these where nothing else reads what would be inside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .flat import Flat, Node, Register, behind_extension
from .words import Logic

_SUM_BITS = 48


@dataclass(slots=True)
class Packed:
    """blocks: of each product; sums and registers: values that are made inside a block."""

    blocks: list[tuple[Node, int]] = field(default_factory=list)
    sums: set[int] = field(default_factory=set)
    registers: set[int] = field(default_factory=set)


def pack(flat: Flat, registers: list[Register], logic: Logic, needed: list[int]) -> Packed:
    """Fill the blocks, products in the order of the source."""
    packed = Packed()
    uses = uses_of(flat, registers, needed)
    by_out = {item.node.out: item for item in registers if item.node.word != "async"}
    by_data: dict[int, list[Register]] = defaultdict(list)
    sums: dict[int, list[int]] = defaultdict(list)
    for item in by_out.values():
        by_data[flat.origin(item.data)].append(item)
    for value, found in logic.sums.items():
        for operand in found.node.ins:
            sums[behind_extension(flat, operand)].append(value)
    for value, multiplier in logic.multipliers.items():
        node = flat.nodes[flat.source[value]]
        packed.blocks.append((node, multiplier.blocks))
        if multiplier.blocks != 1:
            continue
        for operand in node.ins:
            if (source := behind_extension(flat, operand)) in by_out:
                packed.registers.add(source)
        at = _through_register(value, by_data, uses, packed)
        added = [item for item in sums[at] if item not in packed.sums and len(flat.nodes[flat.source[item]].ins) == 2]
        if len(added) == 1 and uses[at] == 1 and flat.widths[added[0]] <= _SUM_BITS:
            packed.sums.add(added[0])
            _through_register(added[0], by_data, uses, packed)
    return packed


def _through_register(value: int, by_data: dict[int, list[Register]], uses: Counter[int], packed: Packed) -> int:
    """The value behind a register that alone reads this one; the register is inside then."""
    behind = by_data.get(value, [])
    if len(behind) != 1 or uses[value] > 1 or behind[0].node.out in packed.registers:
        return value
    packed.registers.add(behind[0].node.out)
    return behind[0].node.out


def uses_of(flat: Flat, registers: list[Register], needed: list[int]) -> Counter[int]:
    """How many live operations read each value; signs that widen it are no further use."""
    found: Counter[int] = Counter()
    next_of = {item.node.out: item for item in registers}
    for node in flat.nodes:
        if node.out >= 0 and not needed[node.out]:
            continue
        if node.kind in ("wire", "extract") or node.kind == "register":
            continue
        for value in {behind_extension(flat, item) for item in node.ins if item >= 0}:
            if node.kind != "concat":
                found[value] += 1
    for register in next_of.values():
        if needed[register.node.out] and register.data >= 0:
            found[behind_extension(flat, register.data)] += 1
    for driver in flat.outputs.values():
        if driver >= 0:
            found[behind_extension(flat, driver)] += 1
    return found
