"""Plain facts about a program: calls, declarations, what is assigned how often, what a function reaches."""

from __future__ import annotations

from collections.abc import Iterator

from . import ir
from .expressions import calls, children, everything_in, root_variable


def walk(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """`expr` and everything inside it."""
    pending = [expr] if expr is not None else []
    while pending:
        item = pending.pop()
        yield item
        pending.extend(reversed(children(item)))


def reached(program: ir.Program, top: ir.Function) -> dict[str, ir.Function]:
    """`top` and every function with a body that it calls, directly or through others, by name."""
    found, pending = {top.name: top}, [top]
    while pending:
        for call in calls(pending.pop().body):
            for name in (call.name, call.name.rpartition("::")[2]):
                function = program.functions.get(name)
                if function is not None and name not in found:
                    found[name] = function
                    pending.append(function)
    return found


def declarations(block: ir.Block) -> Iterator[ir.Declare]:
    """Every local declaration inside `block`; counters of `for` heads are none."""
    for item in block.items:
        if isinstance(item, ir.Declare):
            yield item
        elif isinstance(item, ir.Block):
            yield from declarations(item)
        elif isinstance(item, ir.Loop):
            yield from declarations(item.body)
        elif isinstance(item, ir.If):
            yield from declarations(item.then)
            if item.otherwise is not None:
                yield from declarations(item.otherwise)


def assigned(block: ir.Block) -> dict[ir.Variable, int]:
    """How often each variable is assigned, stepped, or has its address or a reference handed out inside `block`."""
    found: dict[ir.Variable, int] = {}

    def note(expr: ir.Expr) -> None:
        var = root_variable(expr)
        if var is not None:
            found[var] = found.get(var, 0) + 1

    for expr in everything_in(block):
        if isinstance(expr, ir.Assign):
            note(expr.target)
        elif isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--", "&"):
            note(expr.operand)
        elif isinstance(expr, ir.Call):
            for argument in expr.args:
                if isinstance(argument, ir.Ref | ir.Index | ir.Member):
                    note(argument)  # may be taken by reference
            if expr.receiver is not None:
                note(expr.receiver)
    return found


def function_of(program: ir.Program, owner: ir.Loop | ir.Function | None) -> ir.Function | None:
    """The function a pragma's owner stands in."""
    return program.functions.get(owner.function) if isinstance(owner, ir.Loop) else owner
