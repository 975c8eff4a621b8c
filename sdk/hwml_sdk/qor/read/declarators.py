"""Declarators: the name, the extents and the pointers of `*(&a)[8][4]`, and types that hold extents themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import evaluate
from ..program.sizes import Dims
from ..program.typenames import split_template
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = ("identifier", "field_identifier", "type_identifier", "qualified_identifier")
VARIABLE_STEPS = 2  # nodes that are read in the time that a declared name takes
_ARRAY = re.compile(r"(?:std::)?array\s*<")


def declarator(reader: Reader, node: Node | None) -> tuple[str, Dims, int]:
    """(name, extents, pointer depth) of a declarator; the name is "" where there is none."""
    pointer = 0
    dims: list[int | None] = []
    while node is not None:
        kind = node.type
        if kind in _NAMES:
            return reader.src(node), tuple(dims), pointer
        if kind == "array_declarator":
            dims.insert(0, _extent(reader, node.child_by_field_name("size")))
        elif kind in ("pointer_declarator", "reference_declarator"):
            pointer += 1
        following = node.child_by_field_name("declarator")
        if following is None:
            following = next((c for c in node.named_children if "declarator" in c.type or "identifier" in c.type), None)
        node = following
    return "", tuple(dims), pointer


def _extent(reader: Reader, size: Node | None) -> int | None:
    if size is None:
        return None
    value = reader.names.value(reader.src(size))
    if value is None:
        value = evaluate(reader.expression(size), {})  # constexpr functions, sizeof, elements of constants
    return int(value) if value is not None and value >= 0 else None


def declared_name(reader: Reader, node: Node | None) -> str:
    """The name a declarator declares."""
    return declarator(reader, node)[0]


def words_of(reader: Reader, node: Node) -> set[str]:
    """`const`, `static` and their like of a declaration; the parser puts those of `unsigned const n` into the type."""
    found: set[str] = set()
    for child in node.children:
        kind = child.type
        if kind in ("storage_class_specifier", "type_qualifier"):
            found.add(reader.src(child))
        elif kind == "sized_type_specifier":
            found |= {reader.src(c) for c in child.children if c.type in ("storage_class_specifier", "type_qualifier")}
    return found


def extent_texts(reader: Reader, node: Node | None) -> list[str]:
    """The texts between the brackets of a declarator, outermost first."""
    if node is None:
        return []
    if node.type == "array_declarator":
        size = node.child_by_field_name("size")
        inner = extent_texts(reader, node.child_by_field_name("declarator"))
        return [*inner, reader.src(size) if size is not None else ""]
    for child in node.named_children:
        found = extent_texts(reader, child)
        if found:
            return found
    return []


def function_declarator(node: Node | None) -> Node | None:
    """The part of a declarator that has the parameters."""
    while node is not None and node.type != "function_declarator":
        node = node.child_by_field_name("declarator") or next(
            (c for c in node.named_children if "declarator" in c.type), None
        )
    return node


def unpacked(reader: Reader, kind: ir.CType) -> tuple[ir.CType, Dims]:
    """A `std::array` as what it is, elements and extents; any other type as it stands."""
    dims: list[int | None] = []
    while kind.kind == "vector" and kind.element is not None and _ARRAY.match(kind.name):
        given = split_template(kind.name)[1]
        extent = reader.names.value(given[1]) if len(given) > 1 else None
        dims.append(int(extent) if extent is not None and extent >= 0 else None)
        kind = kind.element
    return kind, tuple(dims)


def with_pointer(kind: ir.CType, depth: int) -> ir.CType:
    """The type with `depth` stars or references."""
    return ir.CType(kind.kind, kind.width, kind.int_bits, kind.element, kind.lanes, kind.fields, depth, kind.name)
