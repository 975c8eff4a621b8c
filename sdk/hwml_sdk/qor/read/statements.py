"""Statements other than loops and declarations: blocks, branches, jumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..program import ir
from ..program.budget import MAX_BRANCHES
from ..program.constants import evaluate
from ..program.expressions import root_variable
from ..program.flow import target_of
from ..program.typenames import BOOL, INT, UNKNOWN
from .declarations import declared_value
from .members import constructor, converted, temporary
from .placing import place
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_LOOPS = ("for_statement", "while_statement", "do_statement")


def compound(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`{ ... }`."""
    inner = ir.Block()
    reader.names.scopes.append({})
    reader.statements(node.named_children, inner)
    place(reader, reader.start(node), reader.end(node), reader.loop or reader.function)  # while the names here count
    reader.names.scopes.pop()
    block.items.append(inner)


def expression_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`a = b;`."""
    for child in node.named_children:
        expr = reader.expression(child)
        value = expr.value if isinstance(expr, ir.Assign) else None
        if isinstance(expr, ir.Assign) and isinstance(value, ir.Many) and _changes_first(value):
            block.items += [ir.Evaluate(part) for part in value.items[:-1]]  # `b = (x = a, x + 1)`
            expr = ir.Assign(expr.op, expr.target, value.items[-1])
        block.items.append(ir.Evaluate(expr))


def _changes_first(value: ir.Many) -> bool:
    """Whether a comma expression is `x = a, y`, and no object that is made in place, whose variable has no name."""
    if not value.comma:
        return False
    targets = [target_of(part) for part in value.items[:-1]]
    roots = [root_variable(target) if target is not None else None for target in targets]
    return all(root is not None and root.name for root in roots)


def labeled(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`rows: for (...)`."""
    name, *rest = node.named_children or (None,)
    for child in rest:
        assert child is not None
        reader.statement(child, block, "" if name is None else reader.src(name))


def if_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`if (c) ... else if (d) ... else ...`: the chain is read link by link, however long it is."""
    scopes = reader.names.scopes
    outside, outer, current = len(scopes), block, block
    link: Node | None = node
    count = 0
    while link is not None:
        condition = link.child_by_field_name("condition")
        if condition is not None and _declares(condition):
            scopes.append({})
        chosen = _decided(reader, link)
        if chosen is not None:
            _leave_out_others(reader, link, chosen)
            reader.statements(chosen, current)
            break
        asked = (
            ir.Const(None, BOOL)
            if condition is None
            else converted(reader, BOOL, asked_for(reader, condition, current))
        )
        item = ir.If(asked, ir.Block())
        if len(scopes) == outside or scopes[-1]:  # a chain of many links without names is looked through for each name
            scopes.append({})
        then = link.child_by_field_name("consequence")
        if then is not None:
            reader.statement(then, item.then)
        current.items.append(item)
        count += 1
        other = link.child_by_field_name("alternative")
        link = _next_link(other)
        if link is not None:
            current = _beneath(item, outer, count)
        elif other is not None:
            item.otherwise = ir.Block()
            reader.statements(other.named_children if other.type == "else_clause" else [other], item.otherwise)
    del scopes[outside:]


def _declares(condition: Node) -> bool:
    """Whether a condition declares a variable, or has a statement before it."""
    value = condition.child_by_field_name("value")
    has_statement = condition.child_by_field_name("initializer") is not None
    return has_statement or (value is not None and value.type == "declaration")


def asked_for(reader: Reader, condition: Node, into: ir.Block, *, each_time: bool = False) -> ir.Expr:
    """The value of a condition; into: where what it declares, and the statement before it, stand."""
    before, value = condition.child_by_field_name("initializer"), condition.child_by_field_name("value")
    if before is not None:
        reader.statements(before.named_children if before.type == "init_statement" else [before], into)
    if value is not None and value.type == "declaration":
        return declared_value(reader, value, into, each_time=each_time)
    return reader.expression(condition)


def _decided(reader: Reader, link: Node) -> list[Node] | None:
    """What is left of an `if constexpr` whose condition is known; None of any other `if`."""
    condition = link.child_by_field_name("condition")
    if condition is None or all(child.type != "constexpr" for child in link.children):
        return None
    value = evaluate(reader.expression(condition), {})
    if value is None:
        return None
    taken = link.child_by_field_name("consequence" if value else "alternative")
    if taken is None:
        return []
    return taken.named_children if taken.type == "else_clause" else [taken]


def _leave_out_others(reader: Reader, link: Node, chosen: list[Node]) -> None:
    """The branch of an `if constexpr` that is not taken is not read."""
    for name in ("consequence", "alternative"):
        branch = link.child_by_field_name(name)
        if branch is not None and not any(branch.start_byte <= node.start_byte < branch.end_byte for node in chosen):
            reader.leave_out(branch)


def _next_link(other: Node | None) -> Node | None:
    """The `if` of an `else if`; None where there is no such thing."""
    if other is None or other.type != "else_clause" or other.named_child_count != 1:
        return None
    inner = other.named_children[0]
    return inner if inner.type == "if_statement" else None


def _beneath(item: ir.If, outer: ir.Block, count: int) -> ir.Block:
    """Where the next branch of a chain goes: into the one before, or beside the first where that grows too deep."""
    if count % MAX_BRANCHES == 0:
        return outer
    item.otherwise = ir.Block()
    return item.otherwise


def switch(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """A chain of `if`, one for each case."""
    condition = node.child_by_field_name("condition")
    reader.names.scopes.append({})
    subject = asked_for(reader, condition, block) if condition is not None else ir.Const(None, INT)
    body = node.child_by_field_name("body")
    current = block
    count = 0
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
        item = ir.If(ir.Binary("==", subject, reader.expression(value)), arm, ir.Block())
        current.items.append(item)
        count += 1
        current = _beneath(item, block, count)
    reader.names.scopes.pop()


def return_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`return a;`, which leaves every loop around it."""
    value = reader.expression(node.named_children[0]) if node.named_children else None
    returns = reader.function.returns if reader.function is not None else UNKNOWN
    if isinstance(value, ir.Many) and not value.comma and constructor(reader, returns, value.items) is not None:
        value = temporary(reader, returns, value.items, node)  # `return {a, b};` calls it
    block.items.append(ir.Return(value))
    _mark_break(reader.loop, all_loops=True, jumps=False)


def continue_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`continue;`."""
    if reader.loop is not None:
        reader.loop.has_continue = True


def break_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`break;` of a loop; one that leaves a `switch` leaves no loop."""
    if not _leaves_switch(node):
        _mark_break(reader.loop, all_loops=False)


def goto_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`goto done;`, which may leave every loop around it, out of a `switch` too.

    A label above it makes a loop of what stands between, and nobody counts its rounds.
    """
    _mark_break(reader.loop, all_loops=True)
    label_node = node.child_by_field_name("label")
    if label_node is not None and _stands_above(node, reader.src(label_node), reader):
        unread(reader, node, block, label)


def _stands_above(node: Node, label: str, reader: Reader) -> bool:
    """Whether a label of the function stands before a node."""
    function: Node = node
    while function.parent is not None and function.type != "function_definition":
        function = function.parent
    key = function.id, function.start_byte
    if key not in reader.labels:
        reader.labels[key] = dict(_labels(function, reader))
    return reader.labels[key].get(label, node.start_byte) < node.start_byte


def _labels(function: Node, reader: Reader) -> Iterator[tuple[str, int]]:
    """The labels of a function, and where each stands; found once, as a function may have as many jumps as labels."""
    pending = [function]
    while pending:
        one = pending.pop()
        if one.type == "labeled_statement":
            yield reader.src(one.named_children[0]), one.start_byte
        pending += one.named_children


def attempt(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`try { ... } catch ...`: what is tried; nothing is thrown in hardware, so that nothing is caught."""
    for child in node.named_children:
        if child.type == "catch_clause":
            reader.leave_out(child)
    body = node.child_by_field_name("body")
    if body is not None:
        reader.statement(body, block)


def unread(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """A statement that no rule reads, kept as a call of what it is."""
    block.items.append(ir.Evaluate(ir.Call(node.type.replace("_", " "), (), span=reader.span(node))))


def _leaves_switch(node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.type not in _LOOPS:
        if parent.type in ("switch_statement", "case_statement"):
            return True
        parent = parent.parent
    return False


def _mark_break(loop: ir.Loop | None, *, all_loops: bool, jumps: bool = True) -> None:
    while loop is not None:
        loop.has_break = True
        loop.jumps |= jumps
        loop = loop.parent if all_loops else None
