"""What a memory takes: tables as memory where it is read at once, block memories where its read is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .flat import Node

_BRAM_FROM = 4096  # bits: up to half of it yosys takes tables as memory
_BRAM_BITS = 18 * 1024  # of one RAMB18E1 (UG473)
_BRAM_WIDTH = 36
# Cells of tables as memory (UG474, RAM32M and RAM64M): words of one, and its bits a word with one port to read.
_CELLS = ((32, 6), (64, 3))
# Tables a bit that choose between banks (yosys, by number of banks); beyond, one for each bank but four.
_CHOICE = {1: 0, 2: 1, 4: 1, 8: 3, 16: 9}


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
    words, bits = _CELLS[0] if depth <= _CELLS[0][0] else _CELLS[1]
    banks = -(-depth // words)
    choose = width * reads * _CHOICE.get(1 << (banks - 1).bit_length(), banks - 4) + banks * (banks > 1)
    address = (depth - 1).bit_length() * reads if registered else 0
    return MemoryCost(node, lut=choose, lutram=-(-width // bits) * reads * banks, ff=address)
