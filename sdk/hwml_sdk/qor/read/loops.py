"""Loops: their heads as variable, start, condition and step, their bodies, and the names the tool gives them."""

from __future__ import annotations

import re
from bisect import insort
from operator import itemgetter
from typing import TYPE_CHECKING

from ..program import ir
from ..program.expressions import look_anew
from ..program.flow import variables_in
from ..program.typenames import INT, UNKNOWN
from .declarations import declaration
from .declarators import declared_name
from .exits import settle_exit
from .expressions import element, extents
from .placing import place
from .reader import Reader
from .statements import asked_for

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_OPEN_LOOPS = 32
_COMPARED = re.compile(r"([A-Za-z_]\w*)\s*<\s*([^<=].*)", re.DOTALL)


def new_loop(reader: Reader, kind: str, label: str, start: Node, head_end: Node) -> ir.Loop:
    """A loop whose head reaches from `start` to `head_end`, still empty, named as Vitis HLS names it."""
    assert reader.function is not None
    head = reader.unit.span(reader.start(start), reader.end(head_end))
    if not label:
        reader.anonymous += 1
    name = label or f"VITIS_LOOP_{head.start_line + 1}_{reader.anonymous}"
    loop = ir.Loop(
        kind, label, name, head, head, reader.path(start), ir.Block(), function=reader.function.name, parent=reader.loop
    )  # fmt: skip
    insort(reader.loop_starts, (reader.start(start), loop), key=itemgetter(0))
    return loop


def leave(reader: Reader, loop: ir.Loop, start: int, end: int) -> None:
    """Stand outside a loop again, whose body reaches over these offsets, and outside the scope of its head."""
    place(reader, start, end, loop)
    reader.names.scopes.pop()
    reader.loop = loop.parent


def _body(reader: Reader, loop: ir.Loop, node: Node, head_end: int) -> None:
    """Read a loop's body; the scope of its head is the innermost one."""
    reader.loop = loop
    body = node.child_by_field_name("body")
    reader.open_loops += 1
    if reader.open_loops > MAX_OPEN_LOOPS:
        message = f"more than {MAX_OPEN_LOOPS} loops inside one another: what is further inside is left out"
        reader.program.problems.append(ir.Problem(message, loop.path, loop.head))
        for child in body.named_children if body is not None else ():
            reader.leave_out(child)
    elif body is not None:
        if body.type == "compound_statement":
            reader.statements(body.named_children, loop.body)
        else:
            reader.statement(body, loop.body)
        settle_exit(loop, body)
    reader.open_loops -= 1
    loop.span = reader.span(node)
    leave(reader, loop, head_end, reader.end(node))


def _head_end(node: Node) -> Node:
    return next((c for c in node.children if c.type == ")"), node)


def for_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`for (int i = 0; i < n; i++)`."""
    close = _head_end(node)
    loop = new_loop(reader, "for", label, node, close)
    reader.names.scopes.append({})
    initializer = node.child_by_field_name("initializer")
    if initializer is not None and initializer.type == "declaration":
        declaration(reader, initializer, ir.Block())
    counting(reader, loop, initializer, node.child_by_field_name("condition"), node.child_by_field_name("update"))
    _body(reader, loop, node, reader.end(close))
    _step_in_body(loop)
    block.items.append(loop)


def _step_in_body(loop: ir.Loop) -> None:
    """`i++, j++`: what the head steps beside the counter is stepped at the end of each round, as if it stood there."""
    if not isinstance(loop.step, ir.Many) or loop.has_continue:
        return
    # A variable that the head tests is counted with.
    counted = {loop.var, *variables_in(loop.condition)}
    moved = [item for item in loop.step.items if (var := _stepped(item)) is not None and var not in counted]
    kept = tuple(item for item in loop.step.items if item not in moved)
    if not moved or not kept:
        return
    loop.step = kept[0] if len(kept) == 1 else ir.Many(kept, loop.step.comma)
    loop.body.items += [ir.Evaluate(item) for item in moved]
    look_anew(loop.body)


def counting(reader: Reader, loop: ir.Loop, init: Node | None, condition: Node | None, update: Node | None) -> None:
    """Fill in variable, start, condition and step of a counting loop."""
    loop.condition = _condition(reader, condition)
    loop.step = reader.expression(update) if update is not None else None
    stepped = _stepped(loop.step)
    starts = _starts(reader, init)
    if stepped is None and starts:
        stepped = next(iter(starts))
    loop.var = stepped
    loop.start = starts.get(stepped) if stepped is not None else None
    loop.others = tuple((var, value) for var, value in starts.items() if var is not stepped)


def _condition(reader: Reader, node: Node | None) -> ir.Expr | None:
    """A head's condition. The parser takes `i < sum<4>::value` for a member of a template `i`: here `i` is known."""
    if node is None:
        return None
    first, inner = node, node.named_children
    while inner and first.type not in ("template_type", "template_function"):
        first, inner = inner[0], inner[0].named_children
    match = _COMPARED.match(reader.src(node)) if inner else None
    if match is None or reader.names.variable(match.group(1)) is None:
        return reader.expression(node)
    at = reader.start(node)
    left, right = (reader.expression_of(match.group(side), at + match.start(side)) for side in (1, 2))
    return reader.expression(node) if left is None or right is None else ir.Binary("<", left, right)


def _starts(reader: Reader, init: Node | None) -> dict[ir.Variable, ir.Expr]:
    """What the first part of a head sets variables to."""
    if init is None:
        return {}
    if init.type == "declaration":
        return {var: var.init for var in reader.names.scopes[-1].values() if var.init is not None}
    expr = reader.expression(init)
    found: dict[ir.Variable, ir.Expr] = {}
    for item in expr.items if isinstance(expr, ir.Many) else (expr,):
        if isinstance(item, ir.Assign) and isinstance(item.target, ir.Ref) and item.target.var is not None:
            found[item.target.var] = item.value
    return found


def _stepped(step: ir.Expr | None) -> ir.Variable | None:
    """The first variable that the last part of a head changes."""
    for item in step.items if isinstance(step, ir.Many) else (step,):
        target = item.target if isinstance(item, ir.Assign) else item.operand if isinstance(item, ir.Unary) else None
        if isinstance(target, ir.Ref) and target.var is not None:
            return target.var
    return None


def range_loop(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`for (auto &v : a)`: a hidden counter, and `v` the element it points at."""
    close = _head_end(node)
    loop = new_loop(reader, "range", label, node, close)
    reader.names.scopes.append({})
    right = node.child_by_field_name("right")
    loop.condition = reader.expression(right) if right is not None else None
    declarator = node.child_by_field_name("declarator")
    name = declared_name(reader, declarator)
    if name and declarator is not None:
        kind = reader.type_of(node.child_by_field_name("type"))
        by_reference = declarator.type == "reference_declarator"
        reader.names.scopes[-1][name] = _element_variable(reader, loop, name, kind, by_reference=by_reference)
    _body(reader, loop, node, reader.end(close))
    block.items.append(loop)


def _element_variable(reader: Reader, loop: ir.Loop, name: str, kind: ir.CType, *, by_reference: bool) -> ir.Variable:
    """The variable of a range loop: it stands for the element, or starts each round as a copy of it."""
    var = ir.Variable(name, kind, (), "local", loop.head, loop.path)
    over = loop.condition
    dims = extents(over) if over is not None else ()
    if over is None or not dims:
        return var
    loop.var = ir.Variable("", INT, (), "local", loop.head, loop.path)
    loop.start, loop.step = ir.Const(0, INT), ir.Unary("p++", ir.Ref("", loop.var))
    item = element(over, ir.Ref("", loop.var))
    var.type, var.dims = (reader.type_of_value(over) if kind is UNKNOWN else kind), dims[1:]
    if by_reference or var.dims:
        reader.standing_for[var] = item
    else:
        var.init = item
        loop.body.items.append(ir.Declare(var))
    return var


def while_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`while (c) ...`."""
    condition = node.child_by_field_name("condition")
    _conditional_loop(
        reader, "while", node, block, label, reader.start(node) if condition is None else reader.end(condition)
    )


def do_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """`do ... while (c)`; one that a macro puts around its statements, `while (0)`, is no loop."""
    condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
    once = condition is not None and reader.src(condition).strip("() ") in ("0", "false")
    if once and body is not None and not _leaves(body):
        reader.statement(body, block, label)
        return
    _conditional_loop(reader, "do", node, block, label, reader.start(node))


def _leaves(node: Node) -> bool:
    """Whether a body holds a `break` or `continue`, of its own or of a loop inside."""
    pending = [node]
    while pending:
        current = pending.pop()
        if current.type in ("break_statement", "continue_statement"):
            return True
        pending += current.named_children
    return False


def _conditional_loop(reader: Reader, kind: str, node: Node, block: ir.Block, label: str, body_start: int) -> None:
    condition = node.child_by_field_name("condition")
    loop = new_loop(reader, kind, label, node, condition or node)
    reader.names.scopes.append({})
    loop.condition = asked_for(reader, condition, loop.body, each_time=True) if condition is not None else None
    _body(reader, loop, node, body_start)
    block.items.append(loop)
