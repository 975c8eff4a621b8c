"""What of a call is known only once all is read: overloads and functions further down, and default arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.expressions import everything_in, look_anew
from ..program.type_of import type_of_expression
from ..program.typenames import UNKNOWN, split_scope
from .names import MAX_BASES
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def note_defaults(reader: Reader, name: str, head: Node | None) -> None:
    """Keep the defaults of a function's parameters; head: its declarator. The first declaration has them."""
    parameters = head.child_by_field_name("parameters") if head is not None else None
    listed = parameters.named_children if parameters is not None else []
    if any(child.type == "optional_parameter_declaration" for child in listed):
        given = [child.child_by_field_name("default_value") for child in listed]
        read = tuple(reader.expression(child) if child is not None else None for child in given)
        reader.program.defaults.setdefault(name, read)


def complete_calls(program: ir.Program) -> None:
    """Give each call the function that it means, and the arguments that it leaves to the function's defaults."""
    for call, name in program.elsewhere:
        if name in program.functions:
            call.name = name
    scoped = any("::" in name for name in program.functions)
    if not program.defaults and not program.overloads and not scoped:
        return
    for function in program.functions.values():
        scope = split_scope(function.name.partition("(")[0])[0]
        grown = False
        for expr in everything_in(function.body):
            if isinstance(expr, ir.Call):
                if expr.receiver is not None:
                    expr.name = _method(program, expr.receiver, expr.name)
                elif scope and expr.name not in program.functions:
                    expr.name = _in_scope(program, scope, expr.name)
                grown |= _complete(program, expr)
        if grown:
            look_anew(function.body)


def _in_scope(program: ir.Program, scope: str, name: str) -> str:
    """The function of a namespace that one of its functions calls by its plain name."""
    while scope:
        if f"{scope}::{name}" in program.functions:
            return f"{scope}::{name}"
        scope = split_scope(scope)[0]
    return name


def _method(program: ir.Program, receiver: ir.Expr, name: str) -> str:
    """The method behind a name that was read before its class was: `static_cast<D *>(this)->f()` in a base of D."""
    owner = type_of_expression(receiver, program) if "::" not in name else UNKNOWN
    # A class that was not known yet is a type of its name and no more.
    pending, seen = [owner.name] if owner.kind in ("struct", "unknown") else [], set[str]()
    while pending and len(seen) < MAX_BASES:
        current = pending.pop(0)
        if current not in seen:
            seen.add(current)
            if f"{current}::{name}" in program.functions:
                return f"{current}::{name}"
            pending += program.bases.get(current, ())
    return name


def _complete(program: ir.Program, call: ir.Call) -> bool:
    """Whether a call has got arguments."""
    if call.receiver is not None and "::" not in call.name:
        return False  # a method of a type of the tool's: a function of that name is another
    function = program.functions.get(call.name) or program.functions.get(call.name.rpartition("::")[2])
    if function is None or len(call.args) == len(function.params):
        return False
    head, functor, _ = function.name.partition("operator()")
    plain = head + functor if functor else head.partition("(")[0]
    for other in (plain, *program.overloads.get(plain, ())):
        found = program.functions.get(other)
        if found is not None and len(found.params) == len(call.args):
            call.name = other
            return False
    if len(call.args) > len(function.params):
        return False
    given = program.defaults.get(function.name, ())[len(call.args) : len(function.params)]
    told = [default for default in given if default is not None]
    if not told or len(call.args) + len(told) != len(function.params):
        return False
    call.args = (*call.args, *told)
    return True
