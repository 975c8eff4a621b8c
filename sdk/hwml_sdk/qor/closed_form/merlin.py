"""What the Merlin compiler adds by itself: on-chip copies of the interface arrays and the bursts that fill them."""

from __future__ import annotations

from collections.abc import Iterable

from ..program import ir
from ..program.expressions import assigned_variables
from ..tool.releases import Behaviour
from .area import Area
from .costs import BUS_BYTES, COSTS
from .memory import Layout, Storage, element_count, storage
from .merlin_loops import computed_from, subscripts_of
from .schedule.accesses import Access


def add_transfers(top: ir.Function, memory: dict[ir.Variable, Storage], behaviour: Behaviour) -> float:
    """Cycles of the copies in and out; adds their memories to those of the design."""
    written = assigned_variables(top.body)
    cycles = 0.0
    for var in top.params:
        if not var.dims:
            continue
        count = element_count(var)
        if count is None:
            continue
        size = count * max(var.type.width, 8) / 8
        # What is written is copied in as well as out: elements that no loop writes have to stay.
        ways = 2 if var in written else 1
        cycles += ways * (size / BUS_BYTES + COSTS.transfer_cycles)
        # On the chip the interface array is a local one, whatever its pragmas say of the bus.
        local = ir.Variable(var.name, var.type, var.dims, "local", var.span, var.path)
        copy = storage(local, Layout())
        lut, ff = copy.lut + behaviour.port_lut, copy.ff + behaviour.port_ff
        memory[var] = Storage(copy.bram_18k + COSTS.transfer_bram_18k, lut, ff, copy.bits)
    return cycles


def add_banks(areas: Iterable[Area], accesses: Iterable[Access]) -> None:
    """Logic of the banks that Merlin parts arrays into, so that the copies of an access are served at once."""
    copies: dict[ir.Variable, float] = {}
    for access in accesses:
        # The most parallel access decides: all others use the banks that are there.
        copies[access.array] = max(copies.get(access.array, 1.0), access.copies)
    bits = sum(
        min(count, element_count(array) or count) * max(array.type.width, 8)
        for array, count in copies.items()
        if array.dims
    )
    for area in areas:
        area.mux_lut += COSTS.merlin_bank_lut * bits
        area.registers += COSTS.merlin_bank_ff * bits


def reload_cycles(loop: ir.Loop, burst_cycles: float) -> float:
    """What one tile of a tiled loop costs beside its work: bursts for the slices of interface arrays it names.

    Only around the outermost loop; further in, the arrays are on the chip already.
    """
    if loop.parent is not None or loop.var is None:
        return 0.0
    accesses, _ = subscripts_of(loop)
    own = computed_from(loop)
    total = 0.0
    for array, keys in accesses.items():
        if array.scope == "param" and any(name in sub for key in keys for sub in key for name in own):
            total += burst_cycles
    return total
