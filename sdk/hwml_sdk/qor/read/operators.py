"""Operators of the language, or of a type's own where the operands are structs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.typenames import INT
from . import expressions
from .members import converted, find_method, operator_call
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def binary(reader: Reader, node: Node) -> ir.Expr:
    """`left op right`; the parser takes `o.run<3>(a)` for two comparisons."""
    op = expressions.operator_of(node)
    if op == ">":
        called = _method_template(reader, node)
        if called is not None:
            return called
    made = expressions.binary(reader, node, op)
    if op in _SIGNS:
        cast = _cast_of_signed(reader, node, made)
        if cast is not None:
            return cast
    return operator_call(reader, op, (made.left, made.right), node) or made


_SIGNS = ("-", "+", "*", "&")


def _cast_of_signed(reader: Reader, node: Node, made: ir.Binary) -> ir.Expr | None:
    """`(T)-a`, which the parser takes for a difference where it does not know that T is a type; None for all else.

    Also within others: `x + (T)-a * b` is a sum of x and a product.
    """
    last: ir.Expr = made.left
    before: ir.Binary | None = None
    while isinstance(last, ir.Binary):
        before, last = last, last.right
    if not isinstance(last, ir.Ref) or last.var is not None or not reader.names.is_type(last.name):
        return None
    kind = reader.names.parse(last.name)
    # The sign belongs to the first operand behind it, as far as no brackets hold more together.
    right, first, parent = node.child_by_field_name("right"), made.right, None
    while right is not None and right.type == "binary_expression" and isinstance(first, ir.Binary):
        right, parent, first = right.child_by_field_name("left"), first, first.left
    signed = first if made.op == "+" else ir.Unary(made.op, first)
    cast = ir.Cast(kind, signed)
    if parent is not None:
        parent.left = cast
    whole = cast if parent is None else made.right
    if before is None:
        return whole
    before.right = whole
    return made.left


def _method_template(reader: Reader, node: Node) -> ir.Expr | None:
    """`(o.run < 3) > (a)` where `run` is a template among the methods of o: a call of it."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None or right.type != "parenthesized_expression":
        return None
    member = left.child_by_field_name("left") if left.type == "binary_expression" else None
    given = left.child_by_field_name("right")
    if member is None or member.type != "field_expression" or left.children[1].type != "<" or given is None:
        return None
    made = expressions.field(reader, member)
    owner = reader.type_of_value(made.base) if isinstance(made, ir.Member) else None
    if owner is None or owner.kind != "struct" or not isinstance(made, ir.Member):
        return None
    inner = reader.expression(right.named_children[0])
    args = inner.items if isinstance(inner, ir.Many) and inner.comma else (inner,)
    name = find_method(reader, owner.name, made.field, args, [reader.src(given)])
    return None if name is None else ir.Call(name, args, receiver=made.base)


def assignment(reader: Reader, node: Node) -> ir.Expr:
    """`target op= value`; a struct is copied where it has no operator of its own."""
    made = expressions.assignment(reader, node)
    kind = reader.type_of_value(made.target)
    if kind.kind != "struct":
        return ir.Assign(made.op, made.target, converted(reader, kind, made.value))
    found = operator_call(reader, made.op, (made.target, made.value), node)
    written = isinstance(found, ir.Call) and (found.receiver is not None or " of " not in found.name)
    if found is None or written:
        return found or made
    if made.op == "=":
        return made
    plain = operator_call(reader, made.op[:-1], (made.target, made.value), node)
    return ir.Assign("=", made.target, plain) if plain is not None else made


def unary(reader: Reader, node: Node) -> ir.Expr:
    """`-a`, `!a`, `~a`."""
    made = expressions.unary(reader, node)
    if isinstance(made, ir.Unary) and made.op != "&":
        return operator_call(reader, made.op, (made.operand,), node) or made
    return made


def update(reader: Reader, node: Node) -> ir.Expr:
    """`++a`, `a--`; the operator behind a value is the one that takes a number which nobody looks at."""
    made = expressions.update(reader, node)
    if not isinstance(made, ir.Unary):
        return made
    operands = (made.operand, ir.Const(0, INT)) if made.op.startswith("p") else (made.operand,)
    return operator_call(reader, made.op.removeprefix("p"), operands, node) or made


def subscript(reader: Reader, node: Node) -> ir.Expr:
    """`a[i]`."""
    made = expressions.subscript(reader, node)
    base = made.base if isinstance(made, ir.Index) else None
    if isinstance(made, ir.Index) and isinstance(base, ir.Ref) and base.var is not None and not base.var.dims:
        return operator_call(reader, "[]", (base, *made.subscripts[:1]), node) or made
    return made


def decltype(reader: Reader, node: Node) -> ir.CType:
    """`decltype(a * b)`: the type of a value."""
    return reader.type_of_value(reader.expression(node.named_children[0] if node.named_children else None))
