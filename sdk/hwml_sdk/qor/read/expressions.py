"""Expressions other than calls: literals, names, operators, elements, fields."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..program import ir
from ..program.numbers import Number, literal
from ..program.sizes import Dims, place_of
from ..program.typenames import BOOL, DOUBLE, FLOAT, INT, LONG, UINT, ULONG, UNKNOWN
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def number(reader: Reader, node: Node) -> ir.Expr:
    """A number or a character."""
    return ir.Const(*_number(reader.text[node.start_byte : node.end_byte]))


@lru_cache(maxsize=4096)
def _number(text: str) -> tuple[Number | None, ir.CType]:
    """Value and type of a literal."""
    value = literal(text)
    if isinstance(value, float):
        return value, FLOAT if text[-1] in "fF" else DOUBLE
    return value, _literal_type(text, value)


def _literal_type(text: str, value: Number | None) -> ir.CType:
    """The type of an integer literal: by its suffix, or the narrowest that holds it (C++17, 5.13.2)."""
    suffix = text[len(text.rstrip("uUlLzZ")) :].lower() if text[:1].isdigit() else ""
    if text[:2].lower() == "0x":
        suffix = text[len(text.rstrip("uUlL")) :].lower()
    size = abs(int(value)) if value is not None else 0
    unsigned = "u" in suffix or (text[:1] == "0" and size >> 31 == 1)  # octal and hex ones may be unsigned
    wide = "l" in suffix or "z" in suffix or size >> (32 if unsigned else 31) > 0
    if wide:
        return ULONG if unsigned else LONG
    return UINT if unsigned else INT


def boolean(reader: Reader, node: Node) -> ir.Expr:
    """`true` or `false`."""
    return ir.Const(int(node.type == "true"), BOOL)


def identifier(reader: Reader, node: Node) -> ir.Expr:
    """A name, plain or qualified: a variable, a constant, or nothing that was read."""
    name = reader.text[node.start_byte : node.end_byte]
    names = reader.names
    var = names.meant(name)
    if var is None and "::" in name:
        var = names.meant(name.rpartition("::")[2])
    if isinstance(var, int | float):
        return ir.Const(var, INT)
    if var in reader.standing_for:
        return reader.standing_for[var]
    return ir.Ref(name, var)


def first_child(reader: Reader, node: Node) -> ir.Expr:
    """What stands in parentheses, in a condition, or in an expression statement."""
    inner = node.child_by_field_name("value")
    if inner is None and node.named_child_count:
        inner = node.named_child(0)
    return reader.expression(inner)


def _two(reader: Reader, node: Node) -> tuple[ir.Expr, ir.Expr]:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    return reader.expression(left), reader.expression(right)


def binary(reader: Reader, node: Node, op: str) -> ir.Binary:
    """`left op right`."""
    left, right = _two(reader, node)
    return ir.Binary(op, left, right)


def operator_of(node: Node) -> str:
    """What stands between two operands."""
    operator = node.child(1)
    assert operator is not None
    return operator.type


def assignment(reader: Reader, node: Node) -> ir.Assign:
    """`target op= value`."""
    left, right = _two(reader, node)
    return ir.Assign(operator_of(node), left, right)


def comma(reader: Reader, node: Node) -> ir.Expr:
    """`a, b, c` as one list."""
    items: list[ir.Expr] = []
    left, right = _two(reader, node)
    first = node.child_by_field_name("left")
    wrong = next((child for child in node.children if child.type == "ERROR"), None)
    if first is not None and wrong is not None and reader.src(wrong).startswith("="):
        # The parser knows no assignment before a comma in brackets: `(x = a, x + 1)`.
        whole = reader.text[first.start_byte : wrong.end_byte]
        left = reader.expression_of(whole, reader.start(first)) or left
    for side in (left, right):
        items.extend(side.items if isinstance(side, ir.Many) and side.comma else (side,))
    return ir.Many(tuple(items), comma=True)


def update(reader: Reader, node: Node) -> ir.Expr:
    """`++i`, `i--`."""
    operator = node.child_by_field_name("operator")
    argument = node.child_by_field_name("argument")
    op = operator.type if operator is not None else "++"
    postfix = operator is not None and argument is not None and argument.start_byte < operator.start_byte
    return ir.Unary(f"p{op}" if postfix else op, reader.expression(argument))


def unary(reader: Reader, node: Node) -> ir.Expr:
    """`-a`, `!a`, `~a`, `*a`, `&a`; the sign of a number goes into the number."""
    operand = reader.expression(node.child_by_field_name("argument"))
    op = node.children[0].type
    if op == "-" and isinstance(operand, ir.Const) and operand.value is not None:
        return ir.Const(-operand.value, operand.type)
    return ir.Unary(op, operand)


def subscript(reader: Reader, node: Node) -> ir.Expr:
    """`a[i][j]` as one access; each subscript is read before the array."""
    subscripts: list[ir.Expr] = []
    current: Node | None = node
    while current is not None and current.type == "subscript_expression":
        listed = current.child_by_field_name("indices") or current.child_by_field_name("index")
        children = listed.named_children if listed is not None else []
        subscripts.insert(0, reader.expression(children[0]) if children else ir.Const(None, INT))
        current = current.child_by_field_name("argument")
    whole = element(reader.expression(current), *subscripts)
    whole.span = reader.span(node)
    return whole


def element(base: ir.Expr, *subscripts: ir.Expr) -> ir.Index:
    """An element of `base`; of an element one with more subscripts."""
    if isinstance(base, ir.Index):  # (*a)[i] and the like
        return ir.Index(base.base, (*base.subscripts, *subscripts))
    return ir.Index(base, subscripts)


def extents(expr: ir.Expr) -> Dims:
    """Extents of an array, also of an array parameter."""
    if isinstance(expr, ir.Ref):
        return expr.var.dims if expr.var is not None else ()
    place = place_of(expr)
    return place[1] if place is not None else ()


def field(reader: Reader, node: Node) -> ir.Expr:
    """`a.x` and `a->x`."""
    name = node.child_by_field_name("field")
    argument = node.child_by_field_name("argument")
    if name is not None and argument is not None and argument.type == "this":
        own = reader.names.variable(reader.src(name))
        if own is not None:
            return ir.Ref(own.name, own)
    base = reader.expression(argument)
    label = reader.src(name) if name is not None else ""
    owner = reader.type_of_value(base)
    shared = reader.names.constant(f"{owner.name}::{label}") if owner.kind == "struct" else None
    if shared is not None:
        return ir.Const(shared, INT)  # a static constant, named through an object
    return ir.Member(base, label)


def conditional(reader: Reader, node: Node) -> ir.Expr:
    """`c ? a : b`."""
    parts = [node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")]
    return ir.Ternary(*(reader.expression(part) for part in parts))


def many(reader: Reader, node: Node) -> ir.Expr:
    """`{a, b, c}`."""
    return ir.Many(tuple(reader.expression(child) for child in node.named_children))


def assembly(reader: Reader, node: Node) -> ir.Expr:
    """`asm("..." : "=r"(a) : "r"(b))`: the call of something that may change what it names; alone it does nothing."""
    lists = [child for child in node.named_children if child.type.endswith("operand_list")]
    values = [item.child_by_field_name("value") for child in lists for item in child.named_children]
    given = tuple(reader.expression(value) for value in values if value is not None)
    return ir.Call("asm", given, span=reader.span(node)) if given else ir.Const(None, UNKNOWN)
