"""Lists of initial values: what stands where, by its place or by its designator, and lists with values of run time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import evaluate
from ..program.expressions import leaves
from ..program.sizes import Dims
from ..program.typenames import INT, UNKNOWN
from .long_tables import LEFT_OUT
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_VALUES = 4096  # of an initialiser list: of longer ones the length matters, the values do not
MAX_STORED = 64  # values of a list that are stored one by one
_LISTS = ("initializer_list", "initializer_pair")
_Given = tuple[Sequence["Node"], "Node | None"]  # designators that are left, and the value


class _UnplacedError(Exception):
    """Nobody follows where a value stands."""


def in_order(reader: Reader, node: Node, kind: ir.CType, dims: Dims) -> ir.Expr:
    """`{a, b}`, `{[2] = a}`, `{.x = a, .z = 3}`: the values in the order of elements and fields, the rest zero.

    What cannot be placed is kept as the call of something that nobody reads, so that no figure is built on it.
    """
    if node.named_child_count == 1 and reader.src(node.named_children[0]) == LEFT_OUT:
        return ir.Many((ir.Const(None, UNKNOWN),))
    if not _has_designators(node):
        if node.named_child_count > MAX_VALUES:
            return ir.Many(tuple(ir.Const(None, UNKNOWN) for _ in range(node.named_child_count)))
        return reader.expression(node)
    try:
        return _placed(reader, [_split(child) for child in node.named_children], kind, dims)
    except _UnplacedError:
        return ir.Many((pair(reader, node),))


def pair(reader: Reader, node: Node) -> ir.Expr:
    """A value with a designator whose place is not known."""
    values, pending = [], [node]
    while pending:
        current = pending.pop()
        if current.type == "initializer_list":
            pending += current.named_children[::-1]
        elif current.type == "initializer_pair":
            pending += [value] if (value := current.child_by_field_name("value")) is not None else []
        else:
            values.append(reader.expression(current))
    return ir.Call("a designated initialiser", tuple(values), span=reader.span(node))


def _has_designators(node: Node) -> bool:
    pending = [node]
    while pending:
        for child in pending.pop().named_children:
            if child.type == "initializer_pair":
                return True
            if child.type == "initializer_list":
                pending.append(child)
    return False


def _split(child: Node) -> _Given:
    if child.type != "initializer_pair":
        return (), child
    return child.children_by_field_name("designator"), child.child_by_field_name("value")


def _placed(reader: Reader, given: Sequence[_Given], kind: ir.CType, dims: Dims) -> ir.Expr:
    if dims:
        return _elements(reader, given, kind, dims)
    if kind.kind == "struct":
        return _fields(reader, given, kind)
    raise _UnplacedError


def _elements(reader: Reader, given: Sequence[_Given], kind: ir.CType, dims: Dims) -> ir.Expr:
    at, inner = 0, dict[int, list[_Given]]()
    for names, value in given:
        last = at
        if names:
            ends = [names[0].child_by_field_name("start"), names[0].child_by_field_name("end")]
            ends = ends if all(ends) else [*names[0].named_children[:1]] * 2
            numbers = [evaluate(reader.expression(end), {}) if end is not None else None for end in ends]
            if names[0].type == "field_designator" or len(numbers) != 2 or None in numbers:
                raise _UnplacedError
            at, last = (int(number or 0) for number in numbers)
        if not 0 <= at <= last < MAX_VALUES or (dims[0] is not None and last >= dims[0]):
            raise _UnplacedError
        for place in range(at, last + 1):
            inner.setdefault(place, []).append((names[1:], value))
        at = last + 1
    size = dims[0] if dims[0] is not None else max(inner, default=-1) + 1
    if size > MAX_VALUES or not reader.program.work.take(size // 8):
        raise _UnplacedError
    return ir.Many(tuple(_one(reader, inner.get(place, ()), kind, dims[1:]) for place in range(size)))


def _fields(reader: Reader, given: Sequence[_Given], kind: ir.CType) -> ir.Expr:
    order = {name: number for number, (name, _, _) in enumerate(kind.fields)}
    at, inner = 0, dict[int, list[_Given]]()
    for names, value in given:
        if names:
            found = order.get(reader.src(names[0]).lstrip(". "))
            if names[0].type != "field_designator" or found is None:
                raise _UnplacedError
            at = found
        inner.setdefault(at, []).append((names[1:], value))
        at += 1
    if max(inner, default=0) >= len(kind.fields):
        raise _UnplacedError
    defaults = reader.initial_fields.get(kind.name, {})
    return ir.Many(tuple(
        defaults[name] if number not in inner and name in defaults else _one(reader, inner.get(number, ()), field, dims)
        for number, (name, field, dims) in enumerate(kind.fields)
    ))  # fmt: skip


def _one(reader: Reader, given: Sequence[_Given], kind: ir.CType, dims: Dims) -> ir.Expr:
    """One element or field: of what it is given, the last counts, or all that say where in it they stand."""
    if not given:
        return ir.Many(tuple(_one(reader, (), kind, dims[1:]) for _ in range(dims[0] or 0))) if dims else _zero(kind)
    names, value = given[-1]
    if names:
        if not all(one for one, _ in given):
            raise _UnplacedError
        return _placed(reader, given, kind, dims)
    if value is not None and value.type == "initializer_list" and (dims or kind.kind == "struct"):
        return _placed(reader, [_split(child) for child in value.named_children], kind, dims)
    if dims:
        raise _UnplacedError  # the rows of `{1, 2, 3, 4}` are told by their length alone
    return reader.expression(value)


def _zero(kind: ir.CType) -> ir.Expr:
    return ir.Const(0, kind)


def stored(var: ir.Variable) -> list[ir.Expr]:
    """The values of a struct of structs, or of an array of them, as assignments, where some are known at run time only.

    Where there are any, the list itself is taken from the variable.
    """
    init = var.init
    if var.static or var.type.kind != "struct" or var.type.pointer or not isinstance(init, ir.Many) or init.comma:
        return []
    if not var.dims and not any(isinstance(item, ir.Many) and not item.comma for item in init.items):
        return []
    values = list(leaves(init))
    if len(values) > MAX_STORED or all(evaluate(value, {}) is not None for value in values):
        return []
    found = list(_stored(ir.Ref(var.name, var), var.type, var.dims, init))
    if any(isinstance(e.value, ir.Many) for e in found):
        return []
    var.init, var.const = None, False
    return list(found)


def _stored(place: ir.Expr, kind: ir.CType, dims: Dims, value: ir.Expr) -> Iterator[ir.Assign]:
    if not isinstance(value, ir.Many) or value.comma:
        yield ir.Assign("=", place, value)
    elif dims:
        for number, item in enumerate(value.items):
            at = ir.Const(number, INT)
            base = place if not isinstance(place, ir.Index) else place.base
            before = place.subscripts if isinstance(place, ir.Index) else ()
            yield from _stored(ir.Index(base, (*before, at)), kind, dims[1:], item)
    elif kind.kind == "struct":
        for (name, field, inner), item in zip(kind.fields, value.items, strict=False):
            yield from _stored(ir.Member(place, name), field, inner, item)
    else:
        yield ir.Assign("=", place, value)
