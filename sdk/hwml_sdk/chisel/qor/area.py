"""LUT, FF, DSP and memories of a flat circuit, as synthesis for Xilinx' series 7 would count them.

LUT counts tables of logic (LUT1 to LUT6); tables that serve as memory or shift register are counted apart. Labels are
yosys' (`synth_xilinx -family xc7`), not Vivado's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .circuit import Place
from .flat import Flat, Node, Register
from .gates import Gates, Run, cut
from .live import live_bits
from .mapping import cover
from .memories import MemoryCost, memory_cost
from .packing import pack
from .shifts import shift_registers
from .sums import arrange_sums
from .words import Builder, Logic


@dataclass(slots=True)
class Area:
    """Counts on the part, and where they come from: (owner, place) -> counts."""

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram_18k: int = 0
    lutram: int = 0
    srl: int = 0
    carry_bits: int = 0
    depth: int = 0
    shares: dict[tuple[int, Place], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, node: Node, **amounts: int) -> None:
        """Add amounts, and note the operation they come from."""
        for name, amount in amounts.items():
            if amount:
                setattr(self, name, getattr(self, name) + amount)
                self.shares[node.owner, node.place][name] += amount


def area_of(flat: Flat, registers: list[Register]) -> Area:
    """The closed form."""
    arrange_sums(flat, registers)
    needed = live_bits(flat, registers)
    logic = Builder(flat, needed).build()
    area = Area()
    roots = list(logic.roots)
    for driver in flat.outputs.values():
        roots += logic.values[driver] if driver >= 0 else []
    packed = pack(flat, registers, logic, needed)
    for node, blocks in packed.blocks:
        area.count(node, dsp=blocks)
    for value, found in logic.sums.items():
        if value not in packed.sums:
            area.carry_bits += found.carry_bits
        roots += found.operands if value in packed.sums else found.roots
    shifted: Counter[int] = Counter()  # masks of bits that are in shift registers, by register
    for chain in shift_registers(flat, registers, needed, packed.registers):
        area.count(chain.first.node, srl=chain.tables)
        roots += cut(logic.values[chain.first.data], chain.bit, 1) if chain.first.data >= 0 else []
        for value, bit in chain.bits:
            shifted[value] |= 1 << bit
    for register in registers:
        inside = -1 if register.node.out in packed.registers else shifted[register.node.out]
        roots += _register_roots(register, logic, needed, area, inside)
    for cost in _memories(flat, logic, needed, roots):
        area.count(cost.node, lut=cost.lut, lutram=cost.lutram, bram_18k=cost.bram_18k, ff=cost.ff)
    for node, tables in logic.tables:
        area.count(node, lut=tables)
    _cover(logic.gates, roots, area)
    return area


def _cover(gates: Gates, roots: list[Run], area: Area) -> None:
    tables, area.depth = cover(gates, roots)
    for table in tables:
        area.lut += table.count
        area.shares[table.owner, table.place]["lut"] += table.count


def _register_roots(register: Register, logic: Logic, needed: list[int], area: Area, inside: int) -> list[Run]:
    """Signals that a register needs at its pins; its flip-flops are counted here.

    inside: mask of the bits that stand in a block of multipliers or in a shift register.
    """
    out = register.node.out
    mask = needed[out]
    if not mask:
        return []
    gates = logic.gates
    gates.place, gates.owner = register.node.place, register.node.owner
    roots: list[Run] = []
    if kept := mask & ~inside:
        area.count(register.node, ff=kept.bit_count())
        if register.data >= 0:
            roots += cut(logic.values[register.data], 0, kept.bit_length())
    if len(register.enables) > 1:
        roots += gates.many("or", [logic.values[value] for value in register.enables])
    elif register.enables:
        roots += logic.values[register.enables[0]]
    clears = [logic.values[value] for value in (*register.clears, *register.node.ins[1:2]) if value >= 0]
    if clears:
        roots += gates.many("or", clears)
    return roots


def _memories(flat: Flat, logic: Logic, needed: list[int], roots: list[Run]) -> list[MemoryCost]:
    ports: dict[int, list[Node]] = defaultdict(list)
    for node in flat.nodes:
        if node.kind in ("read", "write", "read_write") and (memory := flat.maker(node.ins[0])) is not None:
            ports[memory.out].append(node)
    found = []
    for node in flat.nodes:
        if node.kind != "memory":
            continue
        reads = [port for port in ports[node.out] if port.out >= 0 and needed[port.out]]
        if not reads:
            continue
        for port in ports[node.out]:
            for value in port.ins[1:]:
                roots += logic.values[value] if value >= 0 else []
        found.append(memory_cost(node, ports[node.out]))
    return found
