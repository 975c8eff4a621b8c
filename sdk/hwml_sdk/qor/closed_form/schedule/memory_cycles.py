"""Cycles between an address and its data, by where an array lies."""

from __future__ import annotations

from ...program import ir
from ...tool.memories import MEMORY
from .region import Host


def load_cycles(host: Host, array: ir.Variable) -> float:
    """Cycles from address to data."""
    layout = host.layout(array)
    if layout.interface == "register":
        return 0.0
    if layout.interface == "m_axi":
        return MEMORY.axi_read_cycles
    return MEMORY.load_cycles


def store_cycles(host: Host, array: ir.Variable) -> float:
    """Cycles from a value to a memory that has it; a register takes it over at once."""
    return 0.0 if in_registers(host, array) else MEMORY.store_cycles


def in_registers(host: Host, array: ir.Variable) -> bool:
    """Whether every element is a register."""
    return host.layout(array).interface == "register"
