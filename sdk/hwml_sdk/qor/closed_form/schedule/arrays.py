"""Copies of whole arrays: by assignment, in structs, and where they are declared."""

from __future__ import annotations

from ...program import ir
from ...program.expressions import root_variable
from . import fields
from .memory_cycles import in_registers
from .region import Region


def copy_array(region: Region, target: ir.Expr, source: ir.Expr) -> bool:
    """Copy a whole array, as `std::array` and arrays in structs are; whether they are arrays."""
    to, since = fields.array_in(region, target), fields.array_in(region, source)
    parts = to is not None and since is not None and not to[1] and not since[1]
    if not parts and not (_whole_array(target) and _whole_array(source)):
        return False
    _copy(region, target, source)
    return True


def copy_fields(region: Region, target: ir.Expr, source: ir.Expr) -> None:
    """Copy the arrays in a struct, when it is copied as a whole."""
    owner, other = fields.struct_of(region, target), fields.struct_of(region, source)
    for name, kind, dims in owner.type.fields if owner is not None and other is not None else ():
        if dims and kind.kind != "stream":
            _copy(region, ir.Member(target, name), ir.Member(source, name))


def _copy(region: Region, target: ir.Expr, source: ir.Expr) -> None:
    """A loop over the elements, as the tool makes one; of registers, and in a pipeline, wires."""
    found = fields.array_in(region, target)
    var = found[0] if found is not None else root_variable(target)
    if var is not None and not region.unroll_all and not in_registers(region.host, var):
        region.host.copy(region, ir.Call("memcpy", (target, source)))


def _whole_array(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Ref) and expr.var is not None and bool(expr.var.dims) and expr.var.scope != "param"
