"""What was computed before and is at hand: the tool's compiler builds an expression once, however often it is written.

LLVM, EarlyCSE and GVN: equal operations on equal operands are one, where the first is on every way to the second. A
macro `MAX(a + b, c)` adds once.
"""

from __future__ import annotations

from collections.abc import Callable

from ...program import ir
from .accesses import Arms
from .region import Region
from .values import Value

_COMMUTES = frozenset(("+", "*", "&", "|", "^", "==", "!=", "&&", "||"))


def once(
    region: Region, op: str, operands: tuple[Value, ...], kind: ir.CType | None, make: Callable[[], Value]
) -> Value:
    """The result of an operation, made where no equal one is at hand. kind: of the result, where the operation says."""
    names = tuple(map(_name, operands))
    if op in _COMMUTES:
        names = tuple(sorted(names, key=hash))
    key = (op, names, kind, tuple(region.binding.items()) if region.binding else ())
    known = region.made.found.get(key)
    if known is not None and _is_here(region, *known[:3]):
        return known[0]
    value = make()
    if known is None or not region.demand:
        region.made.found[key] = value, region.arms, region.demand, operands
    return value


def _is_here(region: Region, value: Value, arms: Arms, demand: int) -> bool:
    """Whether a result has all bits that are asked for, on this way and in the copies of unrolled loops around."""
    # C computes with 32 bits at least: what is cut off a word beyond that was never there.
    all_there = demand >= max(value.type.width, 32) and value.type.kind in ("int", "uint")
    all_there = all_there and not value.type.name.startswith(("ap_", "ac_"))
    wide = not demand or 0 < region.demand <= demand or all_there
    return wide and region.arms[: len(arms)] == arms and all(loop in region.unrolled for loop in value.deps)


def _name(value: Value) -> object:
    """What two values have in common only if they are equal."""
    form = value.form
    if form is not None:
        return (frozenset(form.items()), value.type.kind, value.type.width)
    number = value.number
    return ("number", number, value.type.kind) if number is not None else id(value)
