"""Declarations of variables, `typedef` and `using`, at file level and in bodies."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import settle
from ..program.sizes import Dims
from ..program.typenames import INT, UNKNOWN
from .declarators import (
    VARIABLE_STEPS,
    declarator,
    declared_name,
    function_declarator,
    unpacked,
    with_pointer,
    words_of,
)
from .defaults import note_defaults
from .functions import closure
from .initialisers import in_order, stored
from .locks import block_of
from .members import constructed, converted, field_values
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_GIVEN = 32  # arguments of a constructor
_WORD = re.compile(r"[A-Za-z_]\w*")
_TASK = re.compile(r"(?:hls::)?task$")


def typedef(reader: Reader, node: Node) -> None:
    """`typedef int row_t[8];`."""
    base = reader.type_of(node.child_by_field_name("type"))
    for item in node.children_by_field_name("declarator"):
        name, dims, pointer = declarator(reader, item)
        if name:
            plain = not pointer or function_declarator(item) is not None
            reader.names.types[name] = base if plain else with_pointer(base, pointer)
            if dims:
                reader.names.type_dims[name] = dims


def alias(reader: Reader, node: Node) -> None:
    """`using word_t = ap_uint<32>;`."""
    name = node.child_by_field_name("name")
    kind = node.child_by_field_name("type")
    if name is not None and kind is not None:
        text = reader.src(kind).rstrip()
        made = reader.names.parse(text)
        stars = len(text) - len(text.rstrip("* "))
        whole = stars and made.kind != "unknown" and not made.pointer
        reader.names.types[reader.src(name)] = with_pointer(made, text.count("*", -stars)) if whole else made


def global_declaration(reader: Reader, node: Node) -> None:
    """A declaration at file or namespace level."""
    declaration(reader, node, None)


def local_declaration(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """A declaration in a body."""
    declaration(reader, node, block)


def declaration(reader: Reader, node: Node, into: ir.Block | None) -> None:
    """Variables of one declaration; into: the block it stands in, None at file level."""
    kind_node = node.child_by_field_name("type")
    block = block_of(reader, kind_node)
    if block is not None and into is not None:
        _locks(reader, node, block, into)
        return
    base, extents = unpacked(reader, reader.type_of(kind_node))
    words = words_of(reader, node)
    if "volatile" in words and base is not UNKNOWN:
        base = replace(base, unsettled=True)
    base_dims: Dims = ()
    if kind_node is not None:
        base_dims = (*reader.names.type_dims.get(reader.src(kind_node), ()), *extents)
    for item in node.children_by_field_name("declarator"):
        if into is not None and item.type == "function_declarator":
            _task(reader, kind_node, item, into)
        _declare(reader, item, (base, base_dims), words, into)


def _locks(reader: Reader, node: Node, block: tuple[ir.CType, Dims, str], into: ir.Block) -> None:
    """`hls::write_lock<block_t> b(s);`: b is an array, and the stream is waited for."""
    kind, dims, method = block
    for item in node.children_by_field_name("declarator"):
        inner = item.child_by_field_name("declarator") if item.type == "init_declarator" else item
        held = reader.function.name if reader.function is not None else ""
        var = ir.Variable(
            declared_name(reader, inner),
            kind,
            dims,
            "local",
            reader.span(item),
            reader.path(item),
            function=held,
            block=True,
        )
        if inner is None or not var.name or reader.function is None:
            continue
        reader.names.declare(var.name, var)
        reader.function.variables.setdefault(var.name, var)
        into.items.append(ir.Declare(var))
        given = _given(reader, inner, item.child_by_field_name("value") if item is not inner else None)
        into.items += [ir.Evaluate(ir.Call(method, (), stream)) for stream in given[:1]]


def _task(reader: Reader, kind: Node | None, node: Node, into: ir.Block) -> None:
    """`hls::task t(f, a, b);`, which the parser takes for the declaration of a function: it calls f(a, b)."""
    listed = node.child_by_field_name("parameters")
    if kind is None or listed is None or not _TASK.match(reader.src(kind)):
        return
    first, *rest = [reader.src(child) for child in listed.named_children] or [""]
    args = tuple(ir.Ref(text, reader.names.variable(text)) for text in rest)
    into.items.append(ir.Evaluate(ir.Call(first, args, span=reader.span(node))))


def _declare(reader: Reader, node: Node, typed: tuple[ir.CType, Dims], words: set[str], into: ir.Block | None) -> None:
    """One declarator, perhaps with its initial value, of the type and extents `typed`."""
    value = node.child_by_field_name("value") if node.type == "init_declarator" else None
    inner = node.child_by_field_name("declarator") if node.type == "init_declarator" else node
    if inner is None:
        return
    if inner.type == "function_declarator" and (into is None or not _given_values(reader, inner)):
        reader.program.declared.add(declared_name(reader, inner))
        note_defaults(reader, declared_name(reader, inner), inner)
        return
    if inner.type == "structured_binding_declarator" and into is not None:
        _bindings(reader, inner, value, into)
        return
    name, dims, pointer = declarator(reader, inner)
    if not name or not reader.program.work.take(VARIABLE_STEPS):
        return
    if value is not None and value.type == "lambda_expression":
        closure(reader, name, value)
        return
    given = _given(reader, inner, value)
    init = _initial(reader, value, (typed[0], (*dims, *typed[1])))
    if pointer == 1 and inner.type == "reference_declarator" and "const" in words and _is_temporary(reader, init):
        pointer = 0
    var = ir.Variable(
        name, _kind(reader, typed[0], pointer, init), (*dims, *typed[1]), "global" if into is None else "local",
        reader.span(inner), reader.path(inner), const=bool(words & {"const", "constexpr"}), static="static" in words,
        init=init, function=reader.function.name if reader.function else "",
    )  # fmt: skip
    if dims and dims[0] is None and isinstance(init, ir.Many):
        var.dims = (len(init.items), *var.dims[1:])
    if var.init is not None and not var.dims:
        var.init = converted(reader, var.type, var.init)
    settle(var)
    reader.names.declare(name, var)
    if into is not None:
        if reader.function is not None:
            reader.function.variables.setdefault(name, var)
        into.items.append(ir.Declare(var))
        _construct(reader, var, given, into)


def _is_temporary(reader: Reader, init: ir.Expr | None) -> bool:
    """Whether `auto const &w = f(a);` names an object that the call makes, and that lives as long as the name does.

    One that the call only refers to is as good as a copy, which nothing changes, where no array would be copied.
    """
    kind = reader.type_of_value(init) if isinstance(init, ir.Call) else UNKNOWN
    arrays = any(dims for _, _, dims in kind.fields)
    return kind.kind == "struct" and bool(kind.name) and not kind.pointer and not arrays


def declared_value(reader: Reader, node: Node, into: ir.Block, *, each_time: bool) -> ir.Expr:
    """`int t = f()` where a condition is asked for: what it is. each_time: the value is asked for again and again."""
    value = reader.expression(node.child_by_field_name("value"))
    declaration(reader, node, into)
    made = into.items[-1] if into.items else None
    if not isinstance(made, ir.Declare):
        return value
    var = made.var
    var.type = reader.type_of_value(value) if var.type.kind == "unknown" else var.type
    place = ir.Ref(var.name, var)
    if each_time:
        return ir.Assign("=", place, value)
    var.init, var.evaluated = value, False
    settle(var)
    return place


def _bindings(reader: Reader, node: Node, value: Node | None, into: ir.Block) -> None:
    """`auto [l, r] = f(a);`: the value without a name, and its fields (of an array, its elements) by name."""
    held = reader.function.name if reader.function is not None else ""
    init = reader.expression(value)
    place = reader.span(node), reader.path(node)
    whole = ir.Variable("", reader.type_of_value(init), (), "local", *place, init=init, function=held)
    into.items.append(ir.Declare(whole))
    for index, child in enumerate(node.named_children):
        name, source = reader.src(child), ir.Ref("", whole)
        field = whole.type.fields[index] if index < len(whole.type.fields) else None
        part: ir.Expr = ir.Member(source, field[0]) if field is not None else ir.Index(source, (ir.Const(index, INT),))
        kind = field[1] if field is not None else UNKNOWN
        var = ir.Variable(name, kind, (), "local", *place, init=part, function=held)
        reader.names.scopes[-1][name] = var
        into.items.append(ir.Declare(var))


def _given_values(reader: Reader, node: Node) -> bool:
    """Whether `image a(rows, cols)` declares a variable: the parser takes what is in the parentheses for types."""
    listed = node.child_by_field_name("parameters")
    given = [reader.src(child) for child in listed.named_children] if listed is not None else []
    heads = [_WORD.match(text) for text in given]
    return bool(given) and all(head and reader.names.variable(head.group()) is not None for head in heads)


def _given(reader: Reader, declared: Node, value: Node | None) -> list[ir.Expr]:
    """What a variable is constructed from: in parentheses or braces, or behind `=`."""
    if declared.type == "function_declarator":
        listed = declared.child_by_field_name("parameters")
        children = listed.named_children if listed is not None else []
        read = [reader.expression_of(reader.src(child), reader.start(child)) for child in children]
        return [found for found in read if found is not None]
    if value is None:
        return []
    if value.type in ("argument_list", "initializer_list"):
        return [reader.expression(child) for child in value.named_children[:MAX_GIVEN]]
    return [reader.expression(value)]


def _construct(reader: Reader, var: ir.Variable, given: list[ir.Expr], into: ir.Block) -> None:
    if var.type.kind != "struct" or var.type.pointer:
        return
    made = None if var.dims else constructed(reader, var, given)
    told: list[ir.Expr] = []
    if made is not None:
        var.init, told = None, [made]
    elif stores := stored(var):
        told = stores
    elif var.init is None and not var.dims and 1 < len(given) <= len(var.type.fields):
        values = {field: value for (field, _, _), value in zip(var.type.fields, given, strict=False)}
        told = field_values(reader, var, values)
    elif var.init is None and not var.dims and not given:
        told = field_values(reader, var, {})
    into.items += [ir.Evaluate(value) for value in told]


def _kind(reader: Reader, base: ir.CType, pointer: int, init: ir.Expr | None) -> ir.CType:
    """The variable's type: `auto` is that of the initial value; what a pointer starts at may change unseen."""
    kind = reader.type_of_value(init) if base is UNKNOWN and init is not None else base
    if not pointer:
        return kind
    if isinstance(init, ir.Ref) and init.var is not None:
        init.var.handed = True
    return with_pointer(kind, pointer)


def _initial(reader: Reader, value: Node | None, typed: tuple[ir.CType, Dims]) -> ir.Expr | None:
    if value is None:
        return None
    if value.type == "argument_list":
        items = value.named_children
        return reader.expression(items[0]) if len(items) == 1 else None
    if value.type == "initializer_list":
        return in_order(reader, value, *typed)
    return reader.expression(value)
