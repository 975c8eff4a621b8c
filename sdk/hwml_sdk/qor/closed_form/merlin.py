"""What the Merlin compiler adds by itself: on-chip copies of the interface arrays and the bursts that fill them."""

from __future__ import annotations

from collections.abc import Iterable

from ..program import ir
from ..program.expressions import assigned_variables
from .design_cache import Design
from .memory import Layout, Storage, element_count, storage
from .merlin_loops import computed_from, subscripts_of
from .results import FunctionResult

BUS_BYTES = 64.0  # 512-bit m_axi port
BURST_OVERHEAD_CYCLES = 80.0
# A tile's slice of one array: time of the bursts, from designs of data/qor that differ in `tile` only (atax, bicg).
TILE_BURST_CYCLES, TILE_BURST_CYCLES_2018 = 175.0, 90.0
# One m_axi adapter with its burst buffers and Merlin's copy loop, by the first year a value holds for, and what one bit
# that is read or written at once takes: the bank it lies in, its way from the 512-bit bus and back, and the selection.
# Least squares in log space over half of the Merlin kernels of data/qor; 2020.2 is the odd one in the labels too.
PORT_LUT = ((2021, 5400.0), (2020, 12000.0), (0, 3400.0))
PORT_FF = ((2021, 4800.0), (2020, 11800.0), (0, 6200.0))
PORT_BRAM_18K = 15.0
BANK_LUT, BANK_FF = 6.4, 8.4


def _by_year(values: tuple[tuple[int, float], ...], year: float) -> float:
    return next(value for first, value in values if year >= first)


def add_transfers(design: Design, result: FunctionResult) -> None:
    """Cycles and memories of the copies in and out."""
    written = assigned_variables(result.function.body)
    cycles = 0.0
    year = design.target.year
    add_banks(result, design.functions.values())
    for var in result.function.params:
        if not var.dims:
            continue
        count = element_count(var)
        if count is None:
            continue
        size = count * max(var.type.width, 8) / 8
        ways = 2 if var in written else 1
        cycles += ways * (size / BUS_BYTES + BURST_OVERHEAD_CYCLES)
        local = ir.Variable(var.name, var.type, var.dims, "local", var.span, var.path)
        copy = storage(local, Layout())
        lut, ff = copy.lut + _by_year(PORT_LUT, year), copy.ff + _by_year(PORT_FF, year)
        result.memory[var] = Storage(copy.bram_18k + PORT_BRAM_18K, lut, ff, copy.bits)
    result.cycles += cycles


def add_banks(result: FunctionResult, functions: Iterable[FunctionResult]) -> None:
    """Logic of the banks that Merlin parts arrays into, so that the copies of an access are served at once."""
    copies: dict[ir.Variable, float] = {}
    pending = [loop for function in {id(f): f for f in (result, *functions)}.values() for loop in function.loops]
    while pending:
        loop = pending.pop()
        pending += loop.children
        for access in loop.region.accesses if loop.region is not None else ():
            copies[access.array] = max(copies.get(access.array, 1.0), access.copies)
    bits = sum(
        min(count, element_count(array) or count) * max(array.type.width, 8)
        for array, count in copies.items()
        if array.dims
    )
    result.area.mux_lut += BANK_LUT * bits
    result.area.registers += BANK_FF * bits
    result.unshared.mux_lut += BANK_LUT * bits
    result.unshared.registers += BANK_FF * bits


def reload_cycles(loop: ir.Loop, year: float) -> float:
    """What one tile of a tiled loop costs beside its work: bursts for the slices of interface arrays it names.

    Only around the outermost loop; further in, the arrays are on the chip already.
    """
    if loop.parent is not None or loop.var is None:
        return 0.0
    accesses, _ = subscripts_of(loop)
    own = computed_from(loop)
    burst = TILE_BURST_CYCLES if year >= 2020 else TILE_BURST_CYCLES_2018
    total = 0.0
    for array, keys in accesses.items():
        if array.scope == "param" and any(name in sub for key in keys for sub in key for name in own):
            total += burst
    return total
