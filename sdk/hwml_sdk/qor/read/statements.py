"""Statements other than loops and declarations: blocks, branches, jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.typenames import BOOL, INT
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_LOOPS = ("for_statement", "while_statement", "do_statement")


def compound(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`{ ... }`."""
    inner = ir.Block()
    reader.names.scopes.append({})
    reader.statements(node.named_children, inner)
    reader.names.scopes.pop()
    block.items.append(inner)


def expression_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`a = b;`."""
    for child in node.named_children:
        block.items.append(ir.Evaluate(reader.expression(child)))


def labeled(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`rows: for (...)`."""
    name = reader.src(node.named_children[0]) if node.named_children else ""
    for child in node.named_children[1:]:
        reader.statement(child, block, name)


def if_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`if (c) ... else ...`."""
    condition = node.child_by_field_name("condition")
    item = ir.If(reader.expression(condition) if condition is not None else ir.Const(None, BOOL), ir.Block())
    reader.names.scopes.append({})
    then = node.child_by_field_name("consequence")
    if then is not None:
        reader.statement(then, item.then)
    other = node.child_by_field_name("alternative")
    if other is not None:
        item.otherwise = ir.Block()
        reader.statements(other.named_children if other.type == "else_clause" else [other], item.otherwise)
    reader.names.scopes.pop()
    block.items.append(item)


def switch(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """A chain of `if`, one for each case."""
    condition = node.child_by_field_name("condition")
    subject = reader.expression(condition) if condition is not None else ir.Const(None, INT)
    body = node.child_by_field_name("body")
    current = block
    for child in body.named_children if body is not None else ():
        if child.type != "case_statement":
            continue
        value = child.child_by_field_name("value")
        arm = ir.Block()
        reader.names.scopes.append({})
        reader.statements([c for c in child.named_children if value is None or c.id != value.id], arm)
        reader.names.scopes.pop()
        if value is None:
            current.items.append(arm)
            continue
        rest = ir.Block()
        current.items.append(ir.If(ir.Binary("==", subject, reader.expression(value)), arm, rest))
        current = rest


def return_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`return a;`, which leaves every loop around it."""
    value = reader.expression(node.named_children[0]) if node.named_children else None
    block.items.append(ir.Return(value))
    _mark_break(reader.loop, all_loops=True)


def continue_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`continue;`."""
    if reader.loop is not None:
        reader.loop.has_continue = True


def break_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`break;` of a loop; one that leaves a `switch` leaves no loop."""
    if not _leaves_switch(node):
        _mark_break(reader.loop, all_loops=False)


def goto_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`goto done;`, which may leave every loop around it, out of a `switch` too."""
    _mark_break(reader.loop, all_loops=True)


def _leaves_switch(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type not in _LOOPS:
        if parent.type in ("switch_statement", "case_statement"):
            return True
        parent = parent.parent
    return False


def _mark_break(loop: ir.Loop | None, *, all_loops: bool) -> None:
    while loop is not None:
        loop.has_break = True
        loop = loop.parent if all_loops else None
