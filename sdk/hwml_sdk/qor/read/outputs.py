"""Library functions that write through their arguments, as the assignments they are: std::swap, sincos of math.h."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..program import ir
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_SWAPS = ("swap", "std::swap")
_SINCOS = ("sincos", "sincosf", "hls::sincos", "hls::sincosf")  # UG1399, "HLS Math Library"


def assignments(reader: Reader, target: Node, name: str, args: Sequence[ir.Expr]) -> ir.Expr | None:
    """What a call writes, one assignment after another; None for any other function, and for whole arrays."""
    if name in reader.program.functions or name in reader.program.declared:
        return None
    if name in _SWAPS and len(args) == 2 and all(map(_is_plain, args)):
        first, second = args
        kept = _kept(reader, target, name, first)
        back = ir.Ref(kept.name, kept)
        steps = (back, first), (first, second), (second, back)
        return ir.Many(tuple(ir.Assign("=", to, value) for to, value in steps), comma=True)
    if name in _SINCOS and len(args) == 3 and all(_is_plain(_pointee(argument)) for argument in args[1:]):
        sine, cosine = map(_pointee, args[1:])
        kept = _kept(reader, target, name, args[0])
        both = ir.Ref(kept.name, kept)  # one core computes both
        called = ir.Call(name, (args[0],), span=reader.span(target))
        steps = (both, called), (sine, both), (cosine, both)
        return ir.Many(tuple(ir.Assign("=", to, value) for to, value in steps), comma=True)
    return None


def _kept(reader: Reader, target: Node, name: str, value: ir.Expr) -> ir.Variable:
    """A variable for what has to be kept in between, which takes its name from the function."""
    held = reader.function.name if reader.function is not None else ""
    place = reader.span(target), reader.path(target)
    return ir.Variable(name, reader.type_of_value(value), (), "local", *place, function=held)


def _pointee(argument: ir.Expr) -> ir.Expr:
    """What an argument leads to: `s` of `&s`, `*p` of a pointer."""
    if isinstance(argument, ir.Unary) and argument.op == "&":
        return argument.operand
    pointer = isinstance(argument, ir.Ref) and argument.var is not None and argument.var.type.pointer
    return ir.Unary("*", argument) if pointer else argument


def _is_plain(place: ir.Expr) -> bool:
    """Whether it is a scalar variable or an element, which an assignment copies."""
    if isinstance(place, ir.Ref):
        return place.var is not None and not place.var.dims and place.var.type.kind not in ("stream", "unknown")
    if isinstance(place, ir.Index):
        var = place.base.var if isinstance(place.base, ir.Ref) else None
        return var is not None and len(place.subscripts) >= len(var.dims)
    return isinstance(place, ir.Member) or (isinstance(place, ir.Unary) and place.op == "*")
