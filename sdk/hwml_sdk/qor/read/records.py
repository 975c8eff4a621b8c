"""Structs, classes, unions and enumerations: fields, static constants, nested types, methods, enumerators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ..program import ir
from ..program.budget import MAX_DEPTH
from ..program.constants import evaluate, held
from ..program.numbers import Number
from ..program.sizes import Dims
from ..program.typenames import INT, UNKNOWN, split_scope, split_template
from .declarations import alias, typedef
from .declarators import declarator, declared_name, function_declarator, unpacked, with_pointer, words_of
from .defaults import note_defaults
from .functions import function_definition
from .names import Table
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_BITS = 1 << 30
_OPERATOR = re.compile(r"(?:^|::)\s*(operator\b.*)$", re.DOTALL)  # `operator[]` of `Pack<T, N>::operator[]`
FIELDS_A_STEP = 16  # of base classes that are taken over in the time that a node takes


def record(reader: Reader, node: Node) -> ir.CType:
    """The type a `struct`, `class` or `union` specifier declares or names."""
    reader.depth += 1
    found = UNKNOWN
    if reader.depth <= MAX_DEPTH:
        found = record_body(reader, node)
    else:
        reader.leave_out(node)
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
    name = name or _own_name(reader, name_node)
    body = node.child_by_field_name("body")
    if body is None:
        # `struct ap_uint<8> t;`: the word may stand before any class.
        if name_node is not None and name_node.type == "template_type":
            return names.parse(reader.src(name_node))
        return names.types.get(name) or ir.CType("unknown", 32, name=name)
    names.bases[name] = reader.program.bases[name] = _bases(reader, node)
    outer, names.owner = names.owner, name
    fields = [item for base in names.bases[name] if base in names.types for item in names.types[base].fields]
    reader.program.work.take(len(fields) // FIELDS_A_STEP)
    methods: list[Node] = []
    friends: list[Node] = []
    late = _nested_that_look_back(reader, body, name)
    for child in [child for child in body.named_children if child not in late] if late else body.named_children:
        if child.type == "field_declaration":
            fields += _fields(reader, child)
        elif child.type == "function_definition":
            methods.append(child)
        elif child.type == "declaration":  # a constructor whose body is elsewhere
            reader.methods.add(f"{name}::{_label(reader, child)}")
        elif child.type == "template_declaration":
            reader.item(child)
        elif child.type == "friend_declaration":
            friends += [inner for inner in child.named_children if inner.type == "function_definition"]
        elif child.type in ("type_definition", "alias_declaration"):
            _nested_type(reader, child, name)
    width = sum(kind.width for _, kind, _ in fields)
    made = ir.CType(
        "struct", min(width, MAX_BITS), fields=tuple(fields), name=name, unsettled=node.type == "union_specifier"
    )
    if name:
        names.types[name] = made
    reader.items(late)
    reader.methods.update(f"{name}::{_label(reader, inner)}" for inner in methods)  # one may call a later one
    for inner in methods:
        method(reader, name, inner, made)
    for inner in friends:
        function_definition(reader, inner)
    names.owner = outer
    return made


def _nested_that_look_back(reader: Reader, body: Node, name: str) -> list[Node]:
    """Classes inside a class that hold references or pointers to it, and that none of its fields is made of.

    They are read when its fields are known (C++17, 12.2: a class is complete within what is nested in it).
    """
    label = split_template(split_scope(name)[1])[0]
    members = [child for child in body.named_children if child.type == "field_declaration"]
    nested = {child: _nested_name(reader, child) for child in members}
    found = [
        child
        for child, inner in nested.items()
        if inner and label and re.search(rf"\b{re.escape(label)}\b[\w\s:<>,]*[&*]", reader.src(child))
    ]
    others = " ".join(reader.src(child) for child in members if child not in found) if found else ""
    return [child for child in found if not re.search(rf"\b{re.escape(nested[child])}\b", others)]


def _nested_name(reader: Reader, node: Node) -> str:
    """The name of a class that a declaration defines without a variable of it; "" for all others."""
    kind = node.child_by_field_name("type")
    if kind is None or node.child_by_field_name("declarator") is not None:
        return ""
    if kind.type not in ("class_specifier", "struct_specifier") or kind.child_by_field_name("body") is None:
        return ""
    held = kind.child_by_field_name("name")
    return reader.src(held) if held is not None else ""


def _own_name(reader: Reader, node: Node | None) -> str:
    """A nested struct of an instance of a template is one of its own; other structs go by their plain name."""
    name = reader.src(node) if node is not None else ""
    return f"{reader.names.owner}::{name}" if name and "<" in reader.names.owner else name


def _bases(reader: Reader, node: Node) -> list[str]:
    """Names of the base classes, instances of templates by their arguments."""
    found = []
    for clause in node.children:
        for base in clause.named_children if clause.type == "base_class_clause" else ():
            if base.type != "access_specifier":
                kind = reader.names.named_type(reader.src(base))
                found.append(kind.name if kind is not None and kind.name else reader.src(base).rpartition("::")[2])
    return found


def _nested_type(reader: Reader, node: Node, owner: str) -> None:
    """`typedef` and `using` inside a struct: known by their qualified name only."""
    types = reader.names.types
    before = len(types.made)
    outside = {name: types.get(name) for name in _named_by(reader, node)}
    (typedef if node.type == "type_definition" else alias)(reader, node)
    made = types.since(before)
    for name, kind in outside.items():
        if name in made:
            types[f"{owner}::{name}"] = types.pop(name)
        if name in made and kind is not None:
            types[name] = kind


def _named_by(reader: Reader, node: Node) -> list[str]:
    """The names that a `typedef` or `using` gives."""
    if node.type == "alias_declaration":
        name = node.child_by_field_name("name")
        return [reader.src(name)] if name is not None else []
    return [declared_name(reader, item) for item in node.children_by_field_name("declarator")]


def _fields(reader: Reader, node: Node) -> list[tuple[str, ir.CType, Dims]]:
    """Fields of one declaration; static constants are kept by their qualified name instead."""
    declared = _declared(node)
    # What a method returns is asked for when its body is read: it may need this struct, whose fields are not known yet.
    methods_alone = bool(declared) and all(function_declarator(item) is not None for item, _ in declared)
    kind_node = node.child_by_field_name("type")
    base, base_dims = (UNKNOWN, ()) if methods_alone else unpacked(reader, reader.type_of(kind_node))
    words = words_of(reader, node)
    if "volatile" in words and base is not UNKNOWN:
        base = replace(base, unsettled=True)
    owner = reader.names.owner
    found = []
    for item, given in declared:
        label, dims, pointer = declarator(reader, item)
        if label and function_declarator(item) is not None:
            reader.methods.add(f"{owner}::{label}")
            note_defaults(reader, f"{owner}::{label}", function_declarator(item))
        elif "static" in words and label:
            _static(reader, f"{owner}::{label}", (base, (*dims, *base_dims)), given)
        elif label:
            kind = with_pointer(base, pointer) if pointer else _narrowed(reader, base, item)
            found.append((label, kind, (*dims, *base_dims)))
            if given is not None:
                reader.initial_fields.setdefault(owner, {})[label] = reader.expression(given)
    return found


def _narrowed(reader: Reader, kind: ir.CType, declared: Node) -> ir.CType:
    """The type of a bit-field: as many bits as it says."""
    clause = declared.next_named_sibling
    bits = clause.named_children[0] if clause is not None and clause.type == "bitfield_clause" else None
    width = reader.names.value(reader.src(bits)) if bits is not None else None
    whole = width is not None and kind.kind in ("int", "uint", "bool") and 0 < width <= kind.width
    return ir.CType("int" if kind.kind == "int" else "uint", int(width)) if whole and width is not None else kind


def _declared(node: Node) -> list[tuple[Node, Node | None]]:
    """The declarators of a declaration of fields, each with its own initial value."""
    found: list[tuple[Node, Node | None]] = []
    for index, child in enumerate(node.children):
        role = node.field_name_for_child(index)
        if role == "declarator":
            found.append((child, None))
        elif role == "default_value" and found:
            found[-1] = found[-1][0], child
    return found


def static_outside(reader: Reader, owner: str, node: Node) -> None:
    """`const T Fir<T>::c[N] = {...}`: a constant that a class declares and that has its values outside."""
    item = node.child_by_field_name("declarator")
    if item is None or not {"const", "constexpr"} & set(words_of(reader, node)):
        return
    base, base_dims = unpacked(reader, reader.type_of(node.child_by_field_name("type")))
    label, dims, _ = declarator(reader, item.child_by_field_name("declarator"))
    name = f"{owner}::{split_scope(label)[1]}"
    _static(reader, name, (base, (*dims, *base_dims)), item.child_by_field_name("value"))


def _static(reader: Reader, name: str, typed: tuple[ir.CType, Dims], given: Node | None) -> None:
    """A static member: a number where it is one, a constant array otherwise."""
    init = reader.expression(given) if given is not None else None
    kind, dims = typed
    if dims and isinstance(init, ir.Many):
        assert given is not None
        extents = (len(init.items), *dims[1:]) if dims[0] is None else dims
        place = reader.span(given), reader.path(given)
        var = ir.Variable(name, kind, extents, "global", *place, const=True, static=True, init=init)
        reader.names.scopes[0][name] = var
        reader.names.variables_made.append(name)
    elif init is not None:
        value = evaluate(init, {})
        if value is not None:
            reader.names.constants[name] = held(kind, value)


def method(reader: Reader, owner: str, node: Node, kind: ir.CType) -> None:
    """A method as a function that sees the fields; destructors are left out."""
    label = _label(reader, node)
    if label and not label.startswith("~"):
        with member_scope(reader, owner, kind, node):
            function_definition(reader, node, key=f"{owner}::{label}")


@contextmanager
def member_scope(reader: Reader, owner: str, kind: ir.CType, node: Node) -> Iterator[None]:
    """Stand inside a struct, its fields known as variables that all its methods share."""
    own = reader.program.fields.setdefault(owner, {})
    for field, type_, dims in kind.fields:
        if field not in own:
            own[field] = ir.Variable(field, type_, dims, "local", reader.span(node), "")
    outer, reader.names.owner = reader.names.owner, owner
    reader.names.scopes.append(dict(own))
    yield
    reader.names.scopes.pop()
    reader.names.owner = outer


def _label(reader: Reader, node: Node) -> str:
    """The name of a method, of operators and conversions as in `operator+` and `operator float`."""
    declared = node.child_by_field_name("declarator")
    while declared is not None and declared.type in ("pointer_declarator", "reference_declarator"):
        declared = next((c for c in declared.named_children if "declarator" in c.type or "cast" in c.type), None)
    if declared is not None and declared.type == "operator_cast":
        target = declared.child_by_field_name("type")
        return f"operator {reader.src(target)}" if target is not None else ""
    target = declared.child_by_field_name("declarator") if declared is not None else None
    text = reader.src(target) if target is not None else ""
    operator = _OPERATOR.search(text)
    return operator[1].replace("operator ", "operator") if operator is not None else text.rpartition("::")[2]


def function_item(reader: Reader, node: Node) -> None:
    """A function at file or namespace level, which may be the body of a method."""
    head = function_declarator(node.child_by_field_name("declarator"))
    target = head.child_by_field_name("declarator") if head is not None else None
    scope = reader.src(target).rpartition("::")[0] if target is not None else ""
    kind = reader.names.named_type(scope) or reader.names.named_type(scope.rpartition("::")[2]) if scope else None
    if kind is not None and kind.kind == "struct" and kind.name:
        method(reader, kind.name, node, kind)
    else:
        function_definition(reader, node)


_WORD = re.compile(r"(?<![\w:])[A-Za-z_]\w*(?!\s*::)")


def enumeration(reader: Reader, node: Node) -> ir.CType:
    """The type an `enum` specifier declares or names; its enumerators become constants."""
    names = reader.names
    name_node = node.child_by_field_name("name")
    own = reader.src(name_node) if name_node is not None else ""
    under = node.child_by_field_name("base")
    kind = reader.type_of(under) if under is not None else names.types.get(own, INT)
    kind = kind if kind.kind in ("int", "uint", "bool") else INT
    if own and (under is not None or node.child_by_field_name("body") is not None or own not in names.types):
        names.types[own] = kind
    scoped = any(child.type in ("class", "struct") for child in node.children)
    local = reader.function is not None and _in_a_body(node)
    value: Number | None = -1  # where one is unknown, those that count on from it are too
    seen: dict[str, str] = {}
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        label = child.child_by_field_name("name") if child.type == "enumerator" else None
        if label is None:
            continue
        given = child.child_by_field_name("value")
        if given is not None:
            text = reader.src(given)
            # Names in it may be those of the enumeration itself, which are known without its own only in here.
            value = names.value(_WORD.sub(lambda word: seen.get(word.group(), word.group()), text) if scoped else text)
        elif value is not None:
            value += 1
        for place in ("", own) if own and not scoped else (own,):
            name = f"{place}::{reader.src(label)}" if place else reader.src(label)
            if local:
                names.declare(name, _enumerator(reader, name, value, label))
            else:
                _keep(names.constants, f"{names.owner}::{name}" if names.owner else name, value)
        short = reader.src(label)
        seen[short] = f"{own}::{short}"
        plain = bool(names.owner) and "<" not in names.owner and not scoped and not local  # in C a struct is no scope
        if plain and short not in names.constants and short not in names.scopes[0]:
            _keep(names.constants, short, value)
    return kind


def _in_a_body(node: Node) -> bool:
    """Whether a declaration stands in a function's body itself, in no struct there."""
    around = node.parent
    while around is not None and around.type not in ("compound_statement", "field_declaration_list"):
        around = around.parent
    return around is not None and around.type == "compound_statement"


def _enumerator(reader: Reader, name: str, value: Number | None, node: Node) -> ir.Variable:
    return ir.Variable(
        name, INT, (), "enumerator", reader.span(node), reader.path(node), const=True, value=value, evaluated=True
    )


def _keep(constants: Table[Number], name: str, value: Number | None) -> None:
    """A constant of that name from now on; of one that nobody can evaluate, none."""
    if value is None:
        constants.pop(name, None)
    else:
        constants[name] = value
