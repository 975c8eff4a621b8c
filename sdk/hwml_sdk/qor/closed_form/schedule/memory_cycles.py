"""Cycles between an address and its data, by where an array lies."""

from __future__ import annotations

from ...program import ir
from .region import Host

LOAD_CYCLES = 2.0  # block RAM: address in one state, data in the next
STORE_CYCLES = 1.0
AXI_READ_CYCLES = 70.0  # m_axi read latency that Vitis HLS schedules by default (64) and the adapter


def load_cycles(host: Host, array: ir.Variable) -> float:
    """Cycles from address to data."""
    layout = host.layout(array)
    if layout.interface == "register":
        return 0.0
    if layout.interface == "m_axi":
        return AXI_READ_CYCLES
    return LOAD_CYCLES


def store_cycles(host: Host, array: ir.Variable) -> float:
    """Cycles from a value to a memory that has it; a register takes it over at once."""
    return 0.0 if in_registers(host, array) else STORE_CYCLES


def in_registers(host: Host, array: ir.Variable) -> bool:
    """Whether every element is a register."""
    return host.layout(array).interface == "register"
