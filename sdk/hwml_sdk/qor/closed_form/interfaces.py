"""What Vitis HLS adds around a kernel for `#pragma HLS interface`: m_axi adapters, s_axilite registers.

Sources: utilisation tables of csynth reports. m_axi of 32 bits: 4 BRAM18, 512 FF, 580 LUT; of 512 bits, read only: 16,
881, 1052. control_s_axi with three 64-bit offsets: 291 FF, 490 LUT; with 35 of them: 2346 and 4264.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..program import ir
from ..program.expressions import assigned_variables
from .memory import Layout, Storage
from .results import FunctionResult

OFFSET_BITS = 64  # of the address of an m_axi port with offset=slave
_NOTHING = Storage(0, 0, 0, 0)


def m_axi_adapter(width: int, *, directions: int) -> Storage:
    """The adapter of one bundle. width: bits of its data. directions: 1 for read or write only, else 2."""
    return Storage(directions * max(math.ceil(width / 36) + 1, 2), 550 + 0.98 * width, 487 + 0.77 * width, 0)


def control_registers(bits: int) -> Storage:
    """The s_axilite slave of one kernel with `bits` of arguments."""
    return Storage(0, 106 + 2.0 * bits, 100 + bits, 0)


def add_interfaces(result: FunctionResult, layouts: Mapping[ir.Variable, Layout]) -> None:
    """Add the adapters of a top function to its memories, each under the first argument that uses it."""
    params = result.function.params
    written = assigned_variables(result.function.body)
    bundles: dict[str, list[ir.Variable]] = {}
    for var in params:
        layout = layouts.get(var)
        if layout is not None and layout.interface == "m_axi":
            bundles.setdefault(layout.bundle or "gmem", []).append(var)
    for users in bundles.values():
        width = max(max(var.type.width, 8) for var in users)
        some = {var in written for var in users}
        _add(result, users[0], m_axi_adapter(width, directions=len(some)))
    _add_control(result, params, {var for users in bundles.values() for var in users})


def _add_control(result: FunctionResult, params: list[ir.Variable], on_bus: set[ir.Variable]) -> None:
    named: dict[str, ir.Pragma] = {}
    for pragma in result.function.pragmas:
        slave = "s_axilite" in (pragma.options.get("mode", ""), *pragma.options) or (
            pragma.options.get("offset") == "slave"
        )
        if pragma.kind == "INTERFACE" and slave:
            named[pragma.options.get("port", "return")] = pragma
    if not named:
        return
    arguments = [var for var in params if var.name in named]
    bits = sum(OFFSET_BITS if var in on_bus or var.type.pointer or var.dims else var.type.width for var in arguments)
    owner = arguments[0] if arguments else next(iter(params), None)
    if owner is not None:
        _add(result, owner, control_registers(bits))


def _add(result: FunctionResult, var: ir.Variable, cost: Storage) -> None:
    old = result.memory.get(var, _NOTHING)
    result.memory[var] = Storage(old.bram_18k + cost.bram_18k, old.lut + cost.lut, old.ff + cost.ff, old.bits)
