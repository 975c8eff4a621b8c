"""What the Merlin compiler adds by itself: on-chip copies of the interface arrays and the bursts that fill them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ir
from .memory import Layout, Storage, element_count, storage
from .trip_counts import assigned_variables, children, expressions_of, root_variable

if TYPE_CHECKING:
    from .estimate import Design, FunctionResult

BUS_BYTES = 64.0  # 512-bit m_axi port
BURST_OVERHEAD_CYCLES = 80.0
# One m_axi adapter with its burst buffers, as the labelled designs without any parallelism show it.
PORT_LUT, PORT_FF, PORT_BRAM_18K = 2600.0, 2200.0, 15.0


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
        copy = storage(local, Layout())
        result.memory[var] = Storage(copy.bram_18k + PORT_BRAM_18K, copy.lut + PORT_LUT, copy.ff + PORT_FF, copy.bits)
    result.cycles += cycles


def conflicting(loop: ir.Loop) -> bool:
    """Whether iterations of a loop touch elements that others write, so that Merlin neither unrolls nor pipelines it.

    An array is harmless when it is only read, when one subscript is the same function of the loop's variable in every
    access (iterations keep to slices of their own), or when every access is the same element (a reduction).
    """
    accesses: dict[ir.Variable, list[tuple[str, ...]]] = {}
    written: set[ir.Variable] = set()
    for expr in expressions_of(loop.body):
        _collect(expr, accesses, written, False)
    for array in written:
        keys = accesses.get(array, [])
        if len(set(keys)) <= 1 or loop.var is None:
            continue
        rank = min(len(key) for key in keys)
        name = f"v{id(loop.var)}"
        if not any(name in keys[0][dim] and len({key[dim] for key in keys}) == 1 for dim in range(rank)):
            return True
    return False


def _collect(
    expr: ir.Expr, accesses: dict[ir.Variable, list[tuple[str, ...]]], written: set[ir.Variable], write: bool
) -> None:
    if isinstance(expr, ir.Index):
        var = root_variable(expr)
        if var is not None:
            accesses.setdefault(var, []).append(tuple(_text(sub) for sub in expr.subscripts))
            if write:
                written.add(var)
        for sub in expr.subscripts:
            _collect(sub, accesses, written, False)
        return
    if isinstance(expr, ir.Assign):
        _collect(expr.target, accesses, written, True)
        _collect(expr.value, accesses, written, False)
        return
    for child in children(expr):
        _collect(child, accesses, written, False)


def _text(expr: ir.Expr) -> str:
    """A subscript as text in which names stand for variables, so that equal text means equal value."""
    if isinstance(expr, ir.Ref):
        return f"v{id(expr.var)}"
    if isinstance(expr, ir.Const):
        return str(expr.value)
    if isinstance(expr, ir.Cast):
        return _text(expr.operand)
    if isinstance(expr, ir.Binary):
        return f"({_text(expr.left)}{expr.op}{_text(expr.right)})"
    return f"{type(expr).__name__}({','.join(_text(child) for child in children(expr))})"
