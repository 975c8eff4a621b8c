"""Loops without a condition of their own, `while (true)` and `for (;;)`, that one `if (c) break;` leaves.

Where it is the first statement the loop is `while (!c)`, where it is the last `do ... while (!c)`: LLVM's analysis of
exits, which counts rounds for the tool, sees no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import evaluate
from ..program.typenames import BOOL

if TYPE_CHECKING:
    from tree_sitter import Node

_LOOPS = ("for_statement", "while_statement", "do_statement", "for_range_loop")
_JUMPS = ("return_statement", "goto_statement", "labeled_statement")
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def settle_exit(loop: ir.Loop, body: Node) -> None:
    """Give such a loop the condition that its one exit says."""
    if not loop.has_break or loop.has_continue or not _runs_for_ever(loop) or body.type != "compound_statement":
        return
    listed = [child for child in body.named_children if child.type != "comment"]
    places = [at for at in (0, -1) if listed and _is_exit(listed[at])]
    if not places or _ways_out(body) != 1:
        return
    item = loop.body.items[places[0]] if loop.body.items else None
    if not isinstance(item, ir.If) or not _is_empty(item.then) or (places[0] and loop.step is not None):
        return
    loop.body.items.remove(item)
    loop.condition = _not(item.condition)
    loop.has_break = loop.jumps = False
    if places[0]:
        loop.kind = "do"


def _runs_for_ever(loop: ir.Loop) -> bool:
    return loop.kind in ("for", "while") and (loop.condition is None or bool(evaluate(loop.condition, {})))


def _is_exit(node: Node) -> bool:
    """Whether a statement is `if (c) break;` and no more."""
    if node.type != "if_statement" or node.child_by_field_name("alternative") is not None:
        return False
    then = node.child_by_field_name("consequence")
    if then is not None and then.type == "compound_statement" and then.named_child_count == 1:
        then = then.named_children[0]
    return then is not None and then.type == "break_statement"


def _is_empty(block: ir.Block) -> bool:
    return all(isinstance(item, ir.Block) for item in ir.statements_of(block))


def _ways_out(body: Node) -> int:
    """How many statements may leave a loop."""
    found, pending = 0, [(body, False)]
    while pending:
        node, inner = pending.pop()
        found += node.type in _JUMPS or (node.type == "break_statement" and not inner)
        within = inner or node.type in (*_LOOPS, "switch_statement")
        pending += [(child, within) for child in node.named_children]
    return found


def _not(expr: ir.Expr) -> ir.Expr:
    while isinstance(expr, ir.Many) and len(expr.items) == 1:
        expr = expr.items[0]
    if isinstance(expr, ir.Binary) and expr.op in _OPPOSITE:
        return ir.Binary(_OPPOSITE[expr.op], expr.left, expr.right)
    if isinstance(expr, ir.Unary) and expr.op == "!":
        return expr.operand
    return ir.Binary("==", expr, ir.Const(0, BOOL))
