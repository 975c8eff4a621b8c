"""Code that is still being typed: what is open stands as loose pieces in an ERROR node, and is read all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..program import ir
from ..program.typenames import VOID
from .functions import inside, new_function
from .loops import counting, leave, new_loop
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def error_item(reader: Reader, node: Node) -> None:
    """At file level: a function whose brace is still open takes the rest as its body."""
    children = node.children
    for at, child in enumerate(children):
        if child.type == "function_declarator" and any(c.type == "{" for c in children[at + 1 : at + 2]):
            result = reader.type_of(children[at - 1]) if at and children[at - 1].type != "{" else VOID
            _open_function(reader, child, result, children[at + 2 :], node)
            return
        reader.item(child)


def error_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """In a body."""
    _loose_statements(reader, node.children, block)


def _open_function(reader: Reader, head: Node, result: ir.CType, rest: list[Node], whole: Node) -> None:
    function = new_function(reader, head, result, whole)
    if function is not None:
        with inside(reader, function, head, (head.end_byte, whole.end_byte)):
            _loose_statements(reader, rest, function.body)
            if _goes_on(reader, head, rest[-1].end_byte if rest else head.end_byte):
                left = ir.Call(f"the rest of {function.name}", (), span=function.name_span)
                function.body.items.append(ir.Evaluate(left))


def _goes_on(reader: Reader, head: Node, end: int) -> bool:
    """Whether a function's body goes on behind what stands with its head: elsewhere, as no part of any function."""
    depth = 0
    for sign in _BRACES.finditer(reader.text, head.end_byte):
        if sign.start() >= end and depth and sign.group() != "}":
            return True
        depth += {"{": 1, "}": -1}.get(sign.group(), 0)
        if not depth and sign.group() == "}":
            return False
    return False


# What it takes to find the end of a body: its braces, and anything else that stands in it.
_BRACES = re.compile(r"[{}]|[^{}\s]+")


def _loose_statements(reader: Reader, nodes: list[Node], block: ir.Block) -> None:
    """Statements; an open loop head takes what follows as its body."""
    for index, node in enumerate(nodes):
        if node.type == "for" and index + 1 < len(nodes):
            rest = nodes[index + 1 :]
            brace = next((i for i, n in enumerate(rest) if n.type == "{"), None)
            if brace is not None:
                inner = ir.Block()
                _open_loop(reader, node, rest[:brace], rest[brace:], inner)
                block.items.extend(inner.items)
                return
        if node.is_named:
            reader.statement(node, block)


def _open_loop(reader: Reader, start: Node, head: list[Node], body: list[Node], block: ir.Block) -> None:
    """A `for` whose body starts with a brace that nothing closes."""
    loop = new_loop(reader, "for", "", start, head[-1] if head else start)
    reader.names.scopes.append({})
    parts = [node for node in head if node.is_named]
    for part in parts[:1]:
        reader.statement(part, ir.Block())
    init, condition, update = [*parts[:3], None, None, None][:3]
    counting(reader, loop, init, condition, update)
    reader.loop = loop
    _loose_statements(reader, body[1:], loop.body)
    leave(reader, loop, body[0].start_byte, body[-1].end_byte)
    block.items.append(loop)
