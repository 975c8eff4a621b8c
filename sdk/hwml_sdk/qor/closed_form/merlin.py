"""What the Merlin compiler adds by itself: on-chip copies of the interface arrays and the bursts that fill them."""

from __future__ import annotations

from collections.abc import Iterable

from ..program import ir
from ..program.expressions import assigned_variables, children, expressions_of, root_variable
from ..program.facts import declarations
from ..tool.releases import Behaviour
from .area import Area
from .costs import BUS_BYTES, COSTS
from .memory import Layout, Storage, element_count, storage
from .region import Access


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
    accesses, _ = _accesses(loop)
    own = _computed_from(loop)
    total = 0.0
    for array, keys in accesses.items():
        if array.scope == "param" and any(name in sub for key in keys for sub in key for name in own):
            total += burst_cycles
    return total


def conflicting(loop: ir.Loop) -> bool:
    """Whether iterations of a loop touch elements that others write, so that Merlin neither unrolls nor pipelines it.

    An array is harmless when it is only read, when one subscript is the same function of the loop's variable in every
    access (iterations keep to slices of their own), or when every access is the same element (a reduction).
    """
    accesses, written = _accesses(loop)
    for array in written:
        keys = accesses.get(array, [])
        if len(set(keys)) <= 1 or loop.var is None:
            continue
        # Accesses of a row and of its elements compare in the subscripts that both have.
        rank = min(len(key) for key in keys)
        name = _name(loop.var)
        if not any(name in keys[0][dim] and len({key[dim] for key in keys}) == 1 for dim in range(rank)):
            return True
    return False


def accumulates(loop: ir.Loop, *, guarded: bool = False) -> bool:
    """Whether all iterations of a loop write the same elements of some array, as `y[j] += ...` in a loop over i does.

    guarded: only what is written under a condition counts.

    Copies of such a loop wait for each other. Subscripts count as the loop's own where they hold its variable or a
    scalar that the body computes from it.
    """
    if loop.var is None:
        return False
    own = _computed_from(loop)
    accesses, written = _accesses(loop)
    if guarded:
        written &= _written_under_conditions(loop.body)
    return any(not any(name in sub for key in accesses[array] for sub in key for name in own) for array in written)


def shared_scalars(loop: ir.Loop) -> bool:
    """Whether a loop's body writes a scalar that is declared outside of it, other than the loops' own counters.

    Copies of an outer loop would all write it: gemm-ncubed and stencil of data/qor, whose `mult` and `k_col` belong to
    the function, show one copy whatever `parallel` asks for.
    """
    # Counters are the tool's own in each copy, wherever the source declares them.
    counters = {inner.var for inner in (loop, *ir.loops_of(loop.body))}
    own = {item.var for item in declarations(loop.body)}
    return any(
        not (var.dims or var.type.pointer or var in counters or var in own) and var.scope == "local"
        for var in assigned_variables(loop.body)
    )


def _written_under_conditions(block: ir.Block) -> set[ir.Variable]:
    """What a block writes inside `if`s."""
    found: set[ir.Variable] = set()
    for item in block.items:
        if isinstance(item, ir.If):
            found |= assigned_variables(item.then)
            if item.otherwise is not None:
                found |= assigned_variables(item.otherwise)
        elif isinstance(item, ir.Block | ir.Loop):
            found |= _written_under_conditions(item if isinstance(item, ir.Block) else item.body)
    return found


def _accesses(loop: ir.Loop) -> tuple[dict[ir.Variable, list[tuple[str, ...]]], set[ir.Variable]]:
    """Subscripts, made text, of every access of a loop's body by array; and the arrays that are written."""
    accesses: dict[ir.Variable, list[tuple[str, ...]]] = {}
    written: set[ir.Variable] = set()
    for expr in expressions_of(loop.body):
        _collect(expr, accesses, written, False)
    return accesses, written


def _computed_from(loop: ir.Loop) -> set[str]:
    """Names, as in subscripts made text, of a loop's variable and of the scalars its body computes from it."""
    assert loop.var is not None
    found = {_name(loop.var)}
    made = [(item.var, item.var.init) for item in loop.body.items if isinstance(item, ir.Declare) and item.var.init]
    for expr in expressions_of(loop.body):
        if isinstance(expr, ir.Assign) and isinstance(expr.target, ir.Ref) and expr.target.var is not None:
            made.append((expr.target.var, expr.value))
    for var, value in made:
        text = _text(value)
        if any(name in text for name in found):
            found.add(_name(var))
    return found


def _name(var: ir.Variable) -> str:
    return f"v{id(var)}"


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
        return _name(expr.var) if expr.var is not None else expr.name
    if isinstance(expr, ir.Const):
        return str(expr.value)
    if isinstance(expr, ir.Cast):
        return _text(expr.operand)
    if isinstance(expr, ir.Binary):
        return f"({_text(expr.left)}{expr.op}{_text(expr.right)})"
    return f"{type(expr).__name__}({','.join(_text(child) for child in children(expr))})"
