"""Shift registers in tables: bits of registers without reset that are handed on, three or more times, and read nowhere
else (UG474, SRL16E and SRLC32E; yosys `shregmap -minlen 3`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .flat import Flat, Node, Register

_SHIFTS_FROM = 3  # stages: shorter chains stay flip-flops
_SRL_BITS = 32  # of one table
Bit = tuple[int, int]  # value, bit


@dataclass(frozen=True, slots=True)
class Chain:
    """One bit's way through registers: the first register, its bit, and how many tables it takes."""

    first: Register
    bit: int
    bits: tuple[Bit, ...]

    @property
    def tables(self) -> int:
        """Of 32 bits each."""
        return -(-len(self.bits) // _SRL_BITS)


def shift_registers(flat: Flat, registers: list[Register], needed: list[int], packed: set[int]) -> list[Chain]:
    """All chains; their bits are no flip-flops."""
    plain = {
        item.node.out: item
        for item in registers
        if needed[item.node.out] and not item.node.word and not item.clears and item.node.out not in packed
    }
    before = _sources(flat, plain, needed)
    if not before:
        return []
    readers = _readers(flat, registers, needed)
    outputs = {flat.origin(value) for value in flat.outputs.values() if value >= 0}
    following: dict[Bit, Bit] = {}
    for bit, source in before.items():
        if _reads(flat, readers, outputs, needed, source) == 1:
            following[source] = bit
    starts = following.keys() - set(following.values())
    found = []
    for start in sorted(starts):
        bits = [start]
        while bits[-1] in following:
            bits.append(following[bits[-1]])
        if len(bits) >= _SHIFTS_FROM:
            found.append(Chain(plain[start[0]], start[1], tuple(bits)))
    return found


def _sources(flat: Flat, plain: Mapping[int, Register], needed: list[int]) -> dict[Bit, Bit]:
    """For each bit of a register that takes over another register's bit, that bit."""
    found: dict[Bit, Bit] = {}
    for out, register in plain.items():
        maker = flat.maker(register.data) if register.data >= 0 else None
        if maker is None or maker.kind not in ("concat", "extract", "register"):
            continue
        for at in range(register.node.width):
            source = _origin(flat, register.data, at) if needed[out] >> at & 1 else None
            if source is None or source == (out, at):
                continue
            if (other := plain.get(source[0])) is not None and other.enables == register.enables:
                found[out, at] = source
    return found


def _origin(flat: Flat, value: int, bit: int) -> Bit | None:
    """Where a bit comes from, wiring looked through."""
    while value >= 0:
        node = flat.maker(value)
        if node is None:
            return None
        if node.kind == "extract":
            value, bit = node.ins[0], node.number + bit
        elif node.kind == "concat":
            value, bit = _part(flat, node, bit)
        else:
            return node.out, bit
    return None


def _part(flat: Flat, node: Node, bit: int) -> Bit:
    """The operand of a joint that holds a bit, and its bit there."""
    for value in reversed(node.ins):  # the first operand lies highest
        width = flat.widths[value] if value >= 0 else 0
        if bit < width:
            return value, bit
        bit -= width
    return -1, 0


def _readers(flat: Flat, registers: Sequence[Register], needed: list[int]) -> Mapping[int, list[Node]]:
    """Live operations that read each value; a register reads its next value, controls taken out."""
    found: dict[int, list[Node]] = defaultdict(list)
    for node in flat.nodes:
        if node.kind in ("wire", "register") or (node.out >= 0 and not needed[node.out]):
            continue
        for value in {flat.origin(item) for item in node.ins if item >= 0}:
            found[value].append(node)
    for register in registers:
        if needed[register.node.out]:
            for value in {flat.origin(item) for item in _ins(register) if item >= 0}:
                found[value].append(register.node)
    return found


def _ins(register: Register) -> tuple[int, ...]:
    return (register.data, *register.enables, *register.clears, *register.node.ins[1:2])


def _reads(flat: Flat, readers: Mapping[int, list[Node]], outputs: set[int], needed: list[int], bit: Bit) -> int:
    """How often a bit is read, wiring looked through; two stand for two and more."""
    count = 0
    waiting = [bit]
    while waiting and count < 2:
        value, at = waiting.pop()
        count += value in outputs
        for node in readers.get(value, ()):
            if node.kind == "extract":
                here = at - node.number
                if 0 <= here < node.width and needed[node.out] >> here & 1:
                    waiting.append((node.out, here))
            elif node.kind == "concat":
                waiting += _places(flat, node, value, at, needed)
            else:
                count += 1
    return count


def _places(flat: Flat, node: Node, value: int, bit: int, needed: list[int]) -> list[Bit]:
    """Where a bit of an operand stands in a joint."""
    found = []
    base = node.width
    for item in node.ins:
        base -= flat.widths[item] if item >= 0 else 0
        if item >= 0 and flat.origin(item) == value and needed[node.out] >> (base + bit) & 1:
            found.append((node.out, base + bit))
    return found
