"""What Vitis HLS adds around a kernel for `#pragma HLS interface`: m_axi adapters, s_axilite registers.

What they take stands in `costs`, from the utilisation tables of csynth reports.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..program import ir
from .costs import ADDRESS_BITS, BRAM_BITS_WIDE, COSTS
from .directions import Directions
from .memory import Layout, Storage

_NOTHING = Storage(0, 0, 0, 0)


def m_axi_adapter(width: int, *, directions: int) -> Storage:
    """The adapter of one bundle. width: bits of its data. directions: 1 for read or write only, else 2."""
    buffers = directions * max(math.ceil(width / BRAM_BITS_WIDE) + 1, 2)
    lut = COSTS.adapter_lut + COSTS.adapter_lut_bit * width
    return Storage(buffers, lut, COSTS.adapter_ff + COSTS.adapter_ff_bit * width, 0)


def control_registers(bits: int) -> Storage:
    """The s_axilite slave of one kernel with `bits` of arguments."""
    lut = COSTS.slave_lut + COSTS.slave_lut_bit * bits
    return Storage(0, lut, COSTS.slave_ff + COSTS.slave_ff_bit * bits, 0)


def add_interfaces(
    directions: Directions,
    top: ir.Function,
    memory: dict[ir.Variable, Storage],
    layouts: Mapping[ir.Variable, Layout],
) -> None:
    """Add the adapters of a top function to its memories, each under the first argument that uses it."""
    params = top.params
    read, written = directions.of(top)
    # What nobody is seen to use is read: its pointer may have gone where it is not followed.
    read = read | {var for var in params if var not in written}
    bundles: dict[str, list[ir.Variable]] = {}
    for var in params:
        layout = layouts.get(var)
        if layout is not None and layout.interface == "m_axi":
            bundles.setdefault(layout.bundle or "gmem", []).append(var)
    for users in bundles.values():
        # One adapter serves all arrays of a bundle; its bus is as wide as the widest of them.
        width = max(max(var.type.width, 8) for var in users)
        ways = int(any(var in written for var in users)) + int(any(var in read for var in users))
        _add(memory, users[0], m_axi_adapter(width, directions=max(ways, 1)))
    _add_control(top, memory, {var for users in bundles.values() for var in users})


def _add_control(top: ir.Function, memory: dict[ir.Variable, Storage], on_bus: set[ir.Variable]) -> None:
    named: dict[str, ir.Pragma] = {}
    for pragma in top.pragmas:
        slave = "s_axilite" in (pragma.options.get("mode", ""), *pragma.options) or (
            pragma.options.get("offset") == "slave"
        )
        if pragma.kind == "INTERFACE" and slave:
            named[pragma.options.get("port", "return")] = pragma
    if not named:
        return
    arguments = [var for var in top.params if var.name in named]
    bits = sum(ADDRESS_BITS if var in on_bus or var.type.pointer or var.dims else var.type.width for var in arguments)
    # Under some argument, so that the explanation has a line of the source to point at.
    owner = arguments[0] if arguments else next(iter(top.params), None)
    if owner is not None:
        _add(memory, owner, control_registers(bits))


def _add(memory: dict[ir.Variable, Storage], var: ir.Variable, cost: Storage) -> None:
    old = memory.get(var, _NOTHING)
    memory[var] = Storage(old.bram_18k + cost.bram_18k, old.lut + cost.lut, old.ff + cost.ff, old.bits)
