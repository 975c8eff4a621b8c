"""Which function is meant: methods, also of bases, functors, operators of structs, overloads, constructors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..program import ir
from ..program.typenames import INT, UNKNOWN, class_name
from .names import MAX_BASES
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

FITS_A_STEP = 2  # overloads that are held against the arguments in the time that a node takes


def find_method(
    reader: Reader, owner: str, label: str, args: Sequence[ir.Expr] = (), given: Sequence[str] = ()
) -> str | None:
    """The function behind a member of a struct or of its bases; None where they have none of that name."""
    pending, seen = [owner], set[str]()
    while pending and len(seen) < MAX_BASES:
        current = pending.pop(0)
        if not current or current in seen:
            continue
        seen.add(current)
        full = f"{current}::{label}"
        if full in reader.templates:
            return reader.grammar.function_instance(reader, full, list(given), args)
        if full in reader.program.functions or full in reader.methods:
            return overloaded(reader, full, args)
        pending += reader.names.bases.get(current, ())
    return None


def overloaded(reader: Reader, name: str, args: Sequence[ir.Expr]) -> str:
    """Of functions of one name the one whose parameters fit best; the first of those alike."""
    choices = [name, *reader.program.overloads.get(name, ())]
    if len(choices) == 1:
        return name
    reader.program.work.take(len(choices) // FITS_A_STEP)
    kinds = [reader.type_of_value(argument) for argument in args]
    found = {choice: reader.program.functions.get(choice) for choice in choices}
    best: str = max(choices, key=lambda choice: _fit(found[choice], kinds))
    return best


def _fit(function: ir.Function | None, kinds: Sequence[ir.CType]) -> tuple[bool, int]:
    """Whether a function takes so many arguments, and how much their types are those of its parameters."""
    if function is None:
        return False, 0
    params = [param.type for param in function.params]
    alike = sum(_alike(param, kind) for param, kind in zip(params, kinds, strict=False))
    return len(params) == len(kinds), alike


def _alike(param: ir.CType, kind: ir.CType) -> int:
    if param.kind == kind.kind and param.name == kind.name:
        return 4
    same = param.kind == kind.kind and param.width == kind.width
    return 3 if same else 2 if param.kind == kind.kind else 1 if param.is_float == kind.is_float else 0


# -- operators -----------------------------------------------------------------------------------------------


def operator_call(reader: Reader, op: str, operands: Sequence[ir.Expr], node: Node) -> ir.Expr | None:
    """An operator of a struct's own, as a method or beside it; None where the operands are no structs.

    One that nobody wrote here is a call of a function that was not read.
    """
    # A sum of sums is no struct, or it would be a call: nobody walks down a chain of them once for each link.
    kinds, own = [], False
    for operand in operands:
        if type(operand) is ir.Ref and operand.var is not None:
            kind = operand.var.type
        else:
            kind = UNKNOWN if isinstance(operand, (ir.Binary, ir.Const)) else reader.type_of_value(operand)
        kinds.append(kind)
        own = own or (kind.kind == "struct" and bool(kind.name) and not kind.pointer)
    if not own:
        return None
    if kinds[0].kind == "stream" and op in ("<<", ">>"):
        return None  # a struct is put into a FIFO or taken from it
    span = reader.span(node)
    first, label = operands[0], f"operator{op}"
    if kinds[0].kind == "struct":
        name = find_method(reader, kinds[0].name, label, operands[1:])
        if name is not None:
            return ir.Call(name, tuple(operands[1:]), receiver=first)
    if label in reader.program.functions:
        return ir.Call(overloaded(reader, label, operands), tuple(operands), span=span)
    if label in reader.templates:
        return ir.Call(reader.grammar.function_instance(reader, label, [], operands), tuple(operands), span=span)
    numbers = [converted(reader, INT, operand) for operand in operands]
    pairs = zip(operands, numbers, strict=True)
    if all(kind.kind != "struct" or one is not number for kind, (one, number) in zip(kinds, pairs, strict=True)):
        return ir.Binary(op, *numbers) if len(numbers) == 2 else ir.Unary(op, *numbers)  # of what they convert to
    owner = next(kind.name for kind in kinds if kind.kind == "struct")
    return ir.Call(f"{label} of {owner}", tuple(operands), span=span)


def called_object(reader: Reader, receiver: ir.Expr, args: tuple[ir.Expr, ...]) -> ir.Expr | None:
    """`f(a)` of a functor; None where `f` is none."""
    owner = reader.type_of_value(receiver)
    if owner.kind != "struct" or not owner.name:
        return None
    name = find_method(reader, owner.name, "operator()", args)
    return None if name is None else ir.Call(name, args, receiver=receiver)


def converted(reader: Reader, kind: ir.CType, value: ir.Expr) -> ir.Expr:
    """A value where one of type `kind` is asked for: what a struct's own conversion makes of it."""
    owner = reader.type_of_value(value)
    if owner.kind != "struct" or kind.kind in ("struct", "unknown") or kind.pointer or not owner.name:
        return value
    names = [f"operator {text}" for text in (kind.name, "bool", "int", "float", "double") if text]
    found = next((name for text in names if (name := find_method(reader, owner.name, text)) is not None), None)
    if found is None:  # `operator T() const`: to what stands for T here
        prefix = f"{owner.name}::operator "
        other = [name for name in reader.methods if name.startswith(prefix)]
        found = other[0] if len(other) == 1 else None
    return value if found is None else ir.Call(found, (), receiver=value)


# -- constructors --------------------------------------------------------------------------------------------


def constructor(reader: Reader, kind: ir.CType, args: Sequence[ir.Expr]) -> str | None:
    """The constructor of a struct that takes these arguments; None where it has none that was written."""
    if kind.kind != "struct" or not kind.name or kind.pointer:
        return None
    name = f"{kind.name}::{class_name(kind.name)}"
    if name not in reader.program.functions and name not in reader.methods:
        # `using Base::Base`: nothing else lets a struct without a constructor take arguments for one.
        bases = reader.names.bases.get(kind.name, ()) if args else ()
        names = [f"{base}::{class_name(base)}" for base in bases]
        name = next((one for one in names if one in reader.program.functions or one in reader.methods), "")
    if not name:
        return None
    chosen = overloaded(reader, name, args)
    function = reader.program.functions.get(chosen)
    # A copy, and members that are only put in place, take nothing.
    return chosen if function is None or len(function.params) >= len(args) else None


def constructed(reader: Reader, var: ir.Variable, args: Sequence[ir.Expr]) -> ir.Call | None:
    """The call that a declaration of `var` with arguments makes; None where nothing is called."""
    if len(args) == 1 and reader.type_of_value(args[0]).name == var.type.name:
        return None
    name = constructor(reader, var.type, args)
    return None if name is None else ir.Call(name, tuple(args), receiver=ir.Ref(var.name, var))


def temporary(reader: Reader, kind: ir.CType, args: tuple[ir.Expr, ...], node: Node) -> ir.Expr:
    """`q(a, b)` and `q{a, b}`: a variable without a name, and what its constructor does."""
    held = reader.function.name if reader.function is not None else ""
    var = ir.Variable("", kind, (), "local", reader.span(node), reader.path(node), function=held)
    made = constructed(reader, var, args)
    if made is not None:
        return ir.Many((made, ir.Ref("", var)), comma=True)
    if len(args) == 1 and (not kind.fields or reader.type_of_value(args[0]).kind in ("struct", "unknown")):
        return ir.Cast(kind, args[0])
    given = {field: value for (field, _, _), value in zip(kind.fields, args, strict=False)}
    return ir.Many((*field_values(reader, var, given), ir.Ref("", var)), comma=True)


def field_values(reader: Reader, var: ir.Variable, given: Mapping[str, ir.Expr]) -> list[ir.Expr]:
    """Assignments to the fields of a variable: what is given, else what the struct itself says."""
    values = {**reader.initial_fields.get(var.type.name, {}), **given}
    return [ir.Assign("=", ir.Member(ir.Ref(var.name, var), field), value) for field, value in values.items()]
