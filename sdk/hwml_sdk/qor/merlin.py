"""What the Merlin compiler adds by itself: on-chip copies of the interface arrays and the bursts that fill them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ir
from .memory import Layout, element_count, storage
from .trip_counts import assigned_variables

if TYPE_CHECKING:
    from .estimate import Design, FunctionResult

BUS_BYTES = 64.0  # 512-bit m_axi port
BURST_OVERHEAD_CYCLES = 80.0


def add_transfers(design: Design, result: FunctionResult) -> None:
    """Cycles and memories of the copies in and out."""
    written = assigned_variables(result.function.body)
    cycles = 0.0
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
        result.memory[var] = storage(local, Layout())
    result.cycles += cycles
