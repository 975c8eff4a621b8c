"""Pointers into arrays: `p = &a[3]`, `*p++`, `p[k]`. What is read through one is read of the array's ports.

A pointer that walks stands somewhere in its array: nobody follows where, so that each access is one of its own.
"""

from __future__ import annotations

from ...program import ir
from ...program.expressions import assigned_variables, everything_in
from .accesses import Alias
from .forms import Form, linear
from .region import Region

_STEPS = ("++", "--", "p++", "p--")


def is_pointer(var: ir.Variable) -> bool:
    """Whether a variable of the design itself points at something."""
    return bool(var.type.pointer) and not var.dims and var.scope != "param"


def walking_in(block: ir.Block) -> set[ir.Variable]:
    """Pointers that some statement of a block makes point elsewhere."""
    if not any(var.type.pointer and not var.dims for var in assigned_variables(block)):
        return set()
    found: set[ir.Variable] = set()
    for expr in everything_in(block):
        target = expr.target if isinstance(expr, ir.Assign) else expr.operand if isinstance(expr, ir.Unary) else None
        moves = isinstance(expr, ir.Assign) or (isinstance(expr, ir.Unary) and expr.op in _STEPS)
        if moves and isinstance(target, ir.Ref) and target.var is not None and target.var.type.pointer:
            found.add(target.var)
    return found


def stepped(expr: ir.Expr) -> ir.Expr:
    """The pointer in `p++`, where an access steps it on its way."""
    while isinstance(expr, ir.Cast) or (isinstance(expr, ir.Unary) and expr.op in _STEPS):
        expr = expr.operand
    return expr


def point(region: Region, var: ir.Variable, target: ir.Expr) -> bool:
    """Let a pointer stand for what it is given; False where that is no place in an array."""
    found = _place(region, target)
    if found is None:
        return False
    region.aliases[var] = found
    region.walking.discard(var)
    return True


def _place(region: Region, target: ir.Expr) -> Alias | None:
    while isinstance(target, ir.Cast):
        target = target.operand
    if isinstance(target, ir.Unary) and target.op == "&" and isinstance(target.operand, ir.Index):
        index = target.operand
        base = _place(region, index.base)
        if base is None:
            return None
        forms = tuple(region.whole(sub).form for sub in index.subscripts)
        first = linear(base.offset, forms[0], 1.0)
        if len(forms) == 1:
            return Alias(base.array, base.prefix, base.prefix_deps, first)
        return Alias(base.array, (*base.prefix, first, *forms[1:-1]), base.prefix_deps, forms[-1])
    if isinstance(target, ir.Binary) and target.op in ("+", "-"):
        base = _place(region, target.left)
        if base is None:
            return None
        moved = linear(base.offset, region.whole(target.right).form, 1.0 if target.op == "+" else -1.0)
        return Alias(base.array, base.prefix, base.prefix_deps, moved)
    if not isinstance(target, ir.Ref) or target.var is None:
        return None
    var = target.var
    known = region.aliases.get(var)
    if known is not None:
        return Alias(known.array, known.prefix, known.prefix_deps, None if var in region.walking else known.offset)
    return Alias(var, offset={None: 0.0}) if var.dims or (var.type.pointer and var.scope == "param") else None


def offset_of(region: Region, var: ir.Variable, alias: Alias) -> Form | None:
    """What is added to the first subscript of an access through `var`; None where it walks."""
    return None if var in region.walking else alias.offset
