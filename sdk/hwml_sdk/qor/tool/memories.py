"""What memories are made of: shapes of block RAM, where LUTs take over, ports, cycles of an access."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .constant import constant

AXI_BITS = 1024  # widest data bus of an m_axi port (UG1399)


@dataclass(frozen=True, slots=True)
class Ports:
    """Accesses that one bank serves in a cycle."""

    reads: int = 2
    writes: int = 2
    total: int = 2


# UG1399, pragma HLS bind_storage; UG473, UG573: a block RAM is true dual-port, which is what the tool takes by itself.
DUAL = Ports()
MANY = 1 << 20
_PORTS = {
    "ram_1p": Ports(1, 1, 1), "rom_1p": Ports(1, 1, 1), "ram_2p": Ports(2, 1, 2), "ram_s2p": Ports(1, 1, 2),
    "ram_t2p": DUAL, "rom_2p": DUAL, "rom_np": Ports(MANY, 1, MANY), "ram_1wnr": Ports(MANY, 1, MANY),
}  # fmt: skip


def ports_of(kind: str) -> Ports:
    """Ports of a memory by its `type=`, `storage_type=` or RESOURCE core (`RAM_1P_BRAM`); else the tool's own."""
    parts = kind.lower().split("_")
    return _PORTS.get("_".join(parts[:2]), _PORTS.get(parts[0], DUAL))


def impl_of(kind: str) -> str:
    """What a RESOURCE core or a storage type is made of, "" where it does not say: `RAM_1P_LUTRAM` is lutram."""
    return next((what for what in ("lutram", "uram", "bram", "srl") if what in kind.lower()), "")


# UG1399, config_array_partition -complete_threshold: arrays of at most this many elements become registers.
COMPLETE_THRESHOLD = 4
FIFO_DEPTH = 2  # of a stream nobody says more about (UG1399, pragma HLS stream)
# Below this many bits a memory is built of LUTs rather than of a block RAM (what Vitis HLS chooses by itself).
LUTRAM_BITS = 1024
# UG1399, config_interface -m_axi_latency: what the Vitis flow expects of the bus; the Vivado flow 0.
KERNEL_BUS_LATENCY = 64
# (words, bits) of one 18 Kbit block RAM (UG473, UG573), or 512x36 as Vitis HLS counts them.
_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))


@dataclass(slots=True)
class MemoryCosts:
    """LUT and FF of memories that are no block RAM; cycles of an access."""

    load_cycles: float = constant(2.0, "schedules of Vitis HLS: address in one state, data in the next")
    store_cycles: float = constant(1.0, "schedules of Vitis HLS: taken over at the end of the state")
    access_ns: float = constant(1.23, "schedules of Vitis HLS on UltraScale+: block RAM, address or data to its port")
    access_7series_ns: float = constant(3.25, "schedules of Vivado HLS on 7 series: the same")
    fifo_ns: float = constant(1.83, "schedules of Vitis HLS on UltraScale+: a FIFO's data")
    fifo_7series_ns: float = constant(3.63, "schedules of Vivado HLS on 7 series: the same")
    axi_read_cycles: float = constant(6.0, "schedules of Vitis HLS: a request takes 70 states at a latency of 64")
    axi_response_cycles: float = constant(4.0, "the same: a response of a write takes 68 states")
    axi_copy_cycles: float = constant(8.0, "the same, and the first beat of the burst")
    register_lut_bit: float = constant(0.3)
    register_ff_bit: float = constant(1.0, "one flip-flop a bit")
    fifo_lut: float = constant(20.0)
    fifo_lut_bit: float = constant(1.0)
    fifo_ff: float = constant(99.0, "csynth reports: FIFOs of 2 to 8 words of 2 to 512 bits 99 FF each")
    fifo_ff_bit: float = constant(0.0, "csynth reports: FIFOs of 2 to 8 words of 2 to 512 bits 99 FF each")
    lutram_lut_bit: float = constant(1.0, "UG474, UG574: a LUT holds 64 words of one bit")
    lutram_ff_bit: float = constant(1.0, "one output register a bit")


MEMORY = MemoryCosts()


def bram_18k(deep: int, wide: int) -> int:
    """18 Kbit block RAMs of one true dual-port memory (shapes 16Kx1 to 1Kx18, or 512x36 as Vitis HLS counts them)."""
    return min(math.ceil(deep / depth) * math.ceil(wide / width) for depth, width in _SHAPES)


def uram_blocks(deep: int, wide: int) -> int:
    """UltraRAM blocks of one memory: 4096 words of 72 bits each (UG573)."""
    return math.ceil(deep / 4096) * math.ceil(wide / 72)
