"""What a memory takes: tables as memory where it is read at once, block memories where its read is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .flat import Node

_BRAM_FROM = 2048  # bits: below, tables as memory are cheaper (yosys' xilinx memory maps)
_BRAM_BITS = 18 * 1024  # of one RAMB18E1 (UG473)
_BRAM_WIDTH = 36
# Cells of tables as memory (UG474): words of one, and its bits a word with one port to read, and with up to three.
_CELLS = ((32, 6, 2), (64, 3, 1))


@dataclass(frozen=True, slots=True)
class MemoryCost:
    """Counts of one memory, at the operation that declares it; lutram in cells (RAM32M, RAM64M)."""

    node: Node
    lut: int = 0
    lutram: int = 0
    bram_18k: int = 0
    ff: int = 0


def memory_cost(node: Node, ports: Sequence[Node]) -> MemoryCost:
    """Tables or blocks for `node.number` words of `node.width` bits with these ports."""
    depth, width = node.number, node.width
    reads = max(1, sum(port.kind != "write" for port in ports))
    registered = int(node.word or 0) > 0
    if registered and depth * width >= _BRAM_FROM:
        blocks = max(-(-width // _BRAM_WIDTH) * -(-depth // 512), -(-depth * width // _BRAM_BITS))
        # A word that is written while it is read comes from beside the memory: a choice and a register a bit.
        beside = any(port.kind == "write" for port in ports)
        return MemoryCost(node, lut=(width + 8) * beside, bram_18k=max(1, blocks) * reads, ff=(width + 1) * beside)
    words, single, several = _CELLS[0] if depth <= _CELLS[0][0] else _CELLS[1]
    banks = -(-depth // words)
    columns = -(-width // single) if reads == 1 else -(-width // several) * -(-reads // 3)
    choose = width * reads * (banks - 1) // 3 if banks > 1 else 0
    return MemoryCost(node, lut=choose + banks * (banks > 1), lutram=columns * banks, ff=width if registered else 0)
