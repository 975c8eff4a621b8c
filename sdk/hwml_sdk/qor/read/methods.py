"""Calls of methods: of objects, of types, of `this`, of objects that are called themselves, templates among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.typenames import split_scope, split_template
from .expressions import binary
from .names import MAX_BASES
from .reader import Reader
from .templates import instantiate

if TYPE_CHECKING:
    from tree_sitter import Node

Args = tuple[ir.Expr, ...]


def constant_function(reader: Reader, name: str) -> ir.Function | None:
    """A `constexpr` function of that name, which may be the one whose body this is."""
    functions = reader.program.functions
    function = functions.get(name) or functions.get(name.rpartition("::")[2])
    if function is None and reader.function is not None and reader.function.name == name:
        function = reader.function
    return function if function is not None and function.constexpr else None


def known_method(reader: Reader, owner: str, label: str) -> str:
    """The full name of a method of a struct or of one of its bases; "" where nobody declared it."""
    pending, seen = [owner] if owner else [], set[str]()
    while pending and len(seen) < MAX_BASES:
        current = pending.pop()
        full = f"{current}::{label}"
        if full in reader.program.functions or full in reader.methods or full in reader.templates:
            return full
        seen.add(current)
        pending += [base for base in reader.names.bases.get(current, ()) if base not in seen]
    return ""


def call_of(
    reader: Reader, owner: str, label: str, args: Args, receiver: ir.Expr | None, place: Node
) -> ir.Expr | None:
    """A call of a method of that struct, `run` or `run<3>`; None where it has none that is known."""
    plain, given = split_template(label.removeprefix("template ").strip())
    name = known_method(reader, owner, plain)
    if not name:
        return None
    if name in reader.templates and (given or name not in reader.program.functions):
        name = instantiate(reader, name, given, args)
    span = reader.span(place) if receiver is None else None
    return ir.Call(name, args, receiver, tuple(given), span, constant_function(reader, name))


def of_type(reader: Reader, target: Node, args: Args) -> ir.Expr | None:
    """`Fir<16>::run(a)`, also of a template parameter `CFG::run(a)`; None for anything else."""
    if target.type != "qualified_identifier":
        return None
    scope, member = split_scope(reader.src(target))
    owner = reader.names.named_type(scope)
    if owner is None or owner.kind != "struct":
        return None
    return call_of(reader, owner.name, member, args, None, target) or ir.Call(
        f"{owner.name}::{member}", args, span=reader.span(target)
    )


def of_object(reader: Reader, target: Node, args: Args, held: ir.Variable | None) -> ir.Expr | None:
    """`f(a)` where f is an object, or `add<3>()(a)`; None for anything else."""
    if held is not None:
        kind: ir.CType | None = held.type
    elif target.type == "call_expression":
        made = target.child_by_field_name("function")
        kind = reader.names.named_type(reader.src(made)) if made is not None else None
    elif target.type == "compound_literal_expression":
        kind = reader.type_of(target.child_by_field_name("type"))
    else:
        return None
    if kind is None or kind.kind != "struct":
        return None
    receiver = ir.Ref(held.name, held) if held is not None else None
    return call_of(reader, kind.name, "operator()", args, receiver, target)


def comparison(reader: Reader, node: Node) -> ir.Expr:
    """`a op b`. The parser takes `o.run<3>(a)` for two comparisons; operators of structs are calls."""
    return _method_template(reader, node) or _operator(reader, binary(reader, node), node)


def _method_template(reader: Reader, node: Node) -> ir.Expr | None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if node.children[1].type != ">" or left is None or right is None or right.type != "parenthesized_expression":
        return None
    called = left.child_by_field_name("left") if left.type == "binary_expression" else None
    if called is None or called.type != "field_expression" or left.children[1].type != "<":
        return None
    argument, field = called.child_by_field_name("argument"), called.child_by_field_name("field")
    given = left.child_by_field_name("right")
    if argument is None or field is None or given is None:
        return None
    receiver = reader.expression(argument)
    owner = reader.names.owner if argument.type == "this" else reader.type_of_value(receiver).name
    inner = reader.expression(right.named_children[0]) if right.named_child_count else None
    args = inner.items if isinstance(inner, ir.Many) and inner.comma else () if inner is None else (inner,)
    return call_of(reader, owner, f"{reader.src(field)}<{reader.src(given)}>", args, receiver, called)


def _operator(reader: Reader, made: ir.Expr, node: Node) -> ir.Expr:
    if not reader.operators or not isinstance(made, ir.Binary):
        return made
    label = f"operator{made.op}"
    kind = reader.type_of_value(made.left)
    if kind.kind != "struct":
        return made
    found = call_of(reader, kind.name, label, (made.right,), made.left, node)
    if found is None and label in reader.program.functions:
        return ir.Call(label, (made.left, made.right), span=reader.span(node))
    return found or made
