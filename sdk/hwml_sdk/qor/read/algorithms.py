"""`std::fill`, `fill_n`, `copy` and `copy_n`, which become what `memset` and `memcpy` become: one loop over elements.

ISO C++ [alg.fill], [alg.copy]: they assign to each element from the first place up to, not including, the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..program import ir
from ..program.sizes import byte_size
from ..program.typenames import INT
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = ("fill", "fill_n", "copy", "copy_n")
_BEGINS, _ENDS = ("begin", "cbegin"), ("end", "cend")
_NOTHING = ir.Const(0, INT)


class _Place(NamedTuple):
    """An array or pointer, and how many elements behind its first one."""

    array: ir.Ref
    offset: ir.Expr

    @property
    def var(self) -> ir.Variable | None:
        return self.array.var

    @property
    def address(self) -> ir.Expr:
        if self.offset is _NOTHING:
            return self.array
        return ir.Unary("&", ir.Index(self.array, (self.offset,)))

    @property
    def width(self) -> int | None:
        """Bytes of an element."""
        var = self.array.var
        return byte_size(replace(var.type, pointer=0)) if var is not None else None


def algorithm(reader: Reader, target: Node, name: str, args: Sequence[ir.Expr]) -> ir.Expr | None:
    """The copy that a call of the library stands for; None for other calls, and where the elements are not known.

    What code says without `std::` is taken for it only where two places of one array are given.
    """
    short = name.removeprefix("std::")
    if short not in _NAMES or len(args) != 3 or name in reader.program.functions or name in reader.program.declared:
        return None
    first = _place(args[0])
    width = first.width if first is not None else None
    if first is None or width is None:
        return None
    if not short.endswith("_n"):
        last = _place(args[1])
        if last is None or last.var is not first.var:
            return None
        count: ir.Expr = ir.Binary("-", last.offset, first.offset)
    elif short != name:
        count = args[1]
    else:
        return None
    size = ir.Binary("*", count, ir.Const(width, INT))
    if short.startswith("fill"):
        return ir.Call("memset", (first.address, args[2], size), span=reader.span(target))
    to = _place(args[2])
    if to is None or to.width != width:
        return None  # each element is converted
    return ir.Call("memcpy", (to.address, first.address, size), span=reader.span(target))


def _place(expr: ir.Expr) -> _Place | None:
    """`a`, `a + n`, `&a[n]`, `std::begin(a)`, `a.end()` of an array of one extent or of a pointer."""
    if isinstance(expr, ir.Ref):
        var = expr.var
        held = var is not None and (len(var.dims) == 1 or (not var.dims and var.type.pointer == 1))
        return _Place(expr, _NOTHING) if held else None
    if isinstance(expr, ir.Unary) and expr.op == "&" and isinstance(expr.operand, ir.Index):
        inner, subscripts = _place(expr.operand.base), expr.operand.subscripts
        return _moved(inner, "+", subscripts[0]) if inner is not None and len(subscripts) == 1 else None
    if isinstance(expr, ir.Binary) and expr.op in ("+", "-"):
        inner, by = _place(expr.left), expr.right
        if inner is None and expr.op == "+":
            inner, by = _place(expr.right), expr.left
        return _moved(inner, expr.op, by) if inner is not None else None
    return _end(expr) if isinstance(expr, ir.Call) else None


def _moved(place: _Place, op: str, by: ir.Expr) -> _Place:
    return _Place(place.array, by if place.offset is _NOTHING and op == "+" else ir.Binary(op, place.offset, by))


def _end(call: ir.Call) -> _Place | None:
    """What `begin` and `end` of an array give."""
    short = call.name.rpartition("::")[2]
    given = call.args if call.receiver is None else (call.receiver, *call.args)
    if len(given) != 1 or short not in (*_BEGINS, *_ENDS):
        return None
    place = _place(given[0])
    extent = place.var.dims[0] if place is not None and place.var is not None and place.var.dims else None
    if place is None or extent is None:
        return None
    return place if short in _BEGINS else _moved(place, "+", ir.Const(extent, INT))
