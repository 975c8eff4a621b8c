"""Structs, classes, unions and enumerations: fields, static constants, nested types, methods, enumerators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..program import ir
from ..program.budget import MAX_DEPTH
from ..program.numbers import Number
from ..program.sizes import Dims
from ..program.typenames import INT, UNKNOWN
from .declarations import alias, typedef
from .declarators import declarator, declared_name, unpacked
from .functions import function_definition
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_BITS = 1 << 30


def record(reader: Reader, node: Node) -> ir.CType:
    """The type a `struct`, `class` or `union` specifier declares or names."""
    reader.depth += 1
    found = record_body(reader, node) if reader.depth <= MAX_DEPTH else UNKNOWN
    reader.depth -= 1
    return found


def record_item(reader: Reader, node: Node) -> None:
    """A struct, class, union or enumeration at file or namespace level."""
    reader.type_of(node)


def record_statement(reader: Reader, node: Node, block: ir.Block, label: str) -> None:
    """A struct or an enumeration in a body."""
    reader.type_of(node)


def record_body(reader: Reader, node: Node, name: str = "") -> ir.CType:
    """The type of a struct with a body, its methods read as functions; name: of an instance of a class template."""
    names = reader.names
    name_node = node.child_by_field_name("name")
    name = name or (reader.src(name_node) if name_node is not None else "")
    body = node.child_by_field_name("body")
    if body is None:
        return names.types.get(name) or ir.CType("unknown", 32, name=name)
    outer, names.owner = names.owner, name
    names.bases[name] = _bases(reader, node)
    fields: list[tuple[str, ir.CType, Dims]] = []
    methods = []
    for child in body.named_children:
        if child.type == "field_declaration":
            fields += _fields(reader, child)
        elif child.type == "function_definition":
            methods.append(child)
        elif child.type in ("type_definition", "alias_declaration"):
            _nested_type(reader, child, name)
    width = sum(kind.width for _, kind, _ in fields)
    made = ir.CType("struct", min(width, MAX_BITS), fields=tuple(fields), name=name)
    if name:
        names.types[name] = made
    for method in methods:
        _method(reader, name, method, made)
    names.owner = outer
    return made


def _bases(reader: Reader, node: Node) -> list[str]:
    return [
        reader.src(base)
        for clause in node.children
        if clause.type == "base_class_clause"
        for base in clause.named_children
        if base.type != "access_specifier"
    ]


def _nested_type(reader: Reader, node: Node, owner: str) -> None:
    """`typedef` and `using` inside a struct: known by their qualified name only."""
    names = reader.names
    outside = dict(names.types)
    (typedef if node.type == "type_definition" else alias)(reader, node)
    made = {name: kind for name, kind in names.types.items() if outside.get(name) is not kind}
    names.types = {**outside, **{f"{owner}::{name}": kind for name, kind in made.items()}}


def _fields(reader: Reader, node: Node) -> list[tuple[str, ir.CType, Dims]]:
    """Fields of one declaration; static constants are kept by their qualified name instead."""
    base, base_dims = unpacked(reader, reader.type_of(node.child_by_field_name("type")))
    static = any(reader.src(c) == "static" for c in node.children if c.type == "storage_class_specifier")
    given = node.child_by_field_name("default_value")
    found = []
    for item in node.children_by_field_name("declarator"):
        label, dims, _ = declarator(reader, item)
        if static and label and given is not None:
            value = reader.names.value(reader.src(given).strip("{} "))
            if value is not None and reader.names.owner:
                reader.names.constants[f"{reader.names.owner}::{label}"] = value
        elif label and not static and item.type != "function_declarator":
            found.append((label, base, (*dims, *base_dims)))
    return found


def _method(reader: Reader, owner: str, node: Node, kind: ir.CType) -> None:
    """A method as a function that sees the fields; constructors, destructors and operators are left out."""
    label = declared_name(reader, node.child_by_field_name("declarator"))
    if label and label != owner and not label.startswith(("operator", "~")):
        own = reader.program.fields.setdefault(owner, {})
        for field, type_, dims in kind.fields:
            if field not in own:
                own[field] = ir.Variable(field, type_, dims, "local", reader.span(node), "")
        reader.names.scopes.append(dict(own))
        function_definition(reader, node, key=f"{owner}::{label}")
        reader.names.scopes.pop()


def enumeration(reader: Reader, node: Node) -> ir.CType:
    """The type an `enum` specifier declares or names; its enumerators become constants."""
    name_node = node.child_by_field_name("name")
    if name_node is not None:
        reader.names.types[reader.src(name_node)] = INT
    value: Number = -1
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        if child.type == "enumerator":
            given = child.child_by_field_name("value")
            found = reader.names.value(reader.src(given)) if given is not None else None
            value = found if found is not None else value + 1
            label = child.child_by_field_name("name")
            if label is not None:
                reader.names.constants[reader.src(label)] = value
    return INT
