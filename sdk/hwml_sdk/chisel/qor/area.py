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
from .packing import pack, uses_of
from .sums import arrange_sums
from .words import Builder, Logic

_SHIFTS_FROM = 3  # stages: shorter chains stay flip-flops (yosys `shregmap -minlen 3`)
_SRL_BITS = 32  # of one table (UG474, SRLC32E)


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
    shifted = _shift_registers(flat, registers, needed, area, packed.registers)
    for register in registers:
        roots += _register_roots(register, logic, needed, area, packed.registers | shifted)
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


def _register_roots(register: Register, logic: Logic, needed: list[int], area: Area, inside: set[int]) -> list[Run]:
    """Signals that a register needs at its pins; its flip-flops are counted here."""
    out = register.node.out
    mask = needed[out]
    if not mask:
        return []
    gates = logic.gates
    gates.place, gates.owner = register.node.place, register.node.owner
    roots: list[Run] = []
    if out not in inside:
        area.count(register.node, ff=mask.bit_count())
        if register.data >= 0:
            roots += cut(logic.values[register.data], 0, mask.bit_length())
    if len(register.enables) > 1:
        roots += gates.many("or", [logic.values[value] for value in register.enables])
    elif register.enables:
        roots += logic.values[register.enables[0]]
    clears = [logic.values[value] for value in (*register.clears, *register.node.ins[1:2]) if value >= 0]
    if clears:
        roots += gates.many("or", clears)
    return roots


def _shift_registers(
    flat: Flat, registers: list[Register], needed: list[int], area: Area, packed: set[int]
) -> set[int]:
    """Chains of registers without reset whose stages nothing else reads become shift registers of tables."""
    plain = {
        item.node.out: item
        for item in registers
        if needed[item.node.out] and not item.node.word and not item.clears and item.node.out not in packed
    }
    uses = uses_of(flat, registers, needed)
    following: dict[int, int] = {}
    for out, register in plain.items():
        source = flat.origin(register.data)
        if source in plain and uses[source] == 1 and plain[source].enables == register.enables:
            following[source] = out
    found: set[int] = set()
    for start in plain.keys() - set(following.values()):
        chain = [start]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        if len(chain) >= _SHIFTS_FROM:
            bits = needed[chain[-1]].bit_count()
            area.count(plain[start].node, srl=bits * -(-len(chain) // _SRL_BITS))
            found.update(chain)
    return found


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
