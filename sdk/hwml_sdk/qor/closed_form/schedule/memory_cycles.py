"""Cycles between an address and its data, by where an array lies; where in a state a memory takes part of it."""

from __future__ import annotations

import math

from ...program import ir
from ...tool.memories import MEMORY
from ...tool.operators import Target
from .region import Host

_EDGE = 1e-6  # times are sums of parts of cycles: what is this close to a clock edge is on it


def load_cycles(host: Host, array: ir.Variable) -> float:
    """States from address to data, both counted."""
    layout = host.layout(array)
    if layout.interface == "register":
        return 0.0
    if layout.interface == "m_axi":
        return MEMORY.axi_read_cycles + max(layout.bus_latency, 1)
    return MEMORY.load_cycles


def store_cycles(host: Host, array: ir.Variable) -> float:
    """Cycles from a value to a memory that has it; a register takes it over at once."""
    return 0.0 if in_registers(host, array) else MEMORY.store_cycles


def in_registers(host: Host, array: ir.Variable) -> bool:
    """Whether every element is a register."""
    return host.layout(array).interface == "register"


def data_time(host: Host, target: Target, array: ir.Variable, address: float) -> float:
    """When the data of a load is there whose address is known at `address`; in cycles from the region's start."""
    latency = load_cycles(host, array)
    if not latency:
        return address
    if host.layout(array).interface == "m_axi":
        return math.ceil(address - _EDGE) + latency
    part = memory_part(target)
    # The last of its states has the data after the memory's own delay, and what is quick enough follows in it.
    return state_of(address, part) + latency - 1 + part


def stored_time(target: Target, ready: float) -> float:
    """The end of the state in which a value that is there at `ready` is stored."""
    return state_of(ready, memory_part(target)) + MEMORY.store_cycles


def state_of(time: float, part: float) -> int:
    """The state in which what takes `part` of a cycle is done, with operands from `time` on: this one or the next."""
    state = math.floor(time + _EDGE)
    return state if time - state + part <= 1 + _EDGE else state + 1


def memory_part(target: Target) -> float:
    """Part of a state that a block RAM takes for an address, or until its data is there."""
    return _part(target, MEMORY.access_7series_ns if target.family == "7series" else MEMORY.access_ns)


def fifo_part(target: Target) -> float:
    """The same of a FIFO."""
    return _part(target, MEMORY.fifo_7series_ns if target.family == "7series" else MEMORY.fifo_ns)


def _part(target: Target, delay_ns: float) -> float:
    # What is slower than a cycle is built all the same: the tool says that the clock is missed.
    return min(delay_ns / target.usable_ns, 1.0)
