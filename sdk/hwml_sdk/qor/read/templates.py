"""Templates: kept when they are met, read once for each list of arguments when something asks for an instance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..program import ir
from ..program.budget import MAX_DEPTH
from ..program.typenames import split_template
from .declarators import declared_name, extent_texts, function_declarator
from .functions import FUNCTION_STEPS, function_definition
from .reader import MAX_INSTANCES, MAX_OPEN_CLASSES, Reader
from .records import record_body

if TYPE_CHECKING:
    from tree_sitter import Node

_CLASSES = ("struct_specifier", "class_specifier")


def template(reader: Reader, node: Node) -> None:
    """Keep a template of a function or a class; alias templates and full specialisations are read at once."""
    parameters = node.child_by_field_name("parameters")
    inner = next((c for c in node.named_children if c.type == "function_definition"), None)
    if inner is not None and parameters is not None:
        name = declared_name(reader, inner.child_by_field_name("declarator"))
        reader.templates[name.rpartition("::")[2]] = (inner, parameters)
        return
    for child in node.named_children:
        if child.type in _CLASSES and parameters is not None:
            name_node = child.child_by_field_name("name")
            if parameters.named_child_count and name_node is not None and name_node.type == "type_identifier":
                reader.class_templates[reader.src(name_node)] = (child, parameters)
                continue
        if child.type in (*_CLASSES, "alias_declaration"):
            reader.item(child)


def instantiate_unused(reader: Reader) -> None:
    """Templates nobody calls are read with unknown parameters, so that they are seen at all."""
    called = {name.partition("<")[0] for name in reader.program.functions}
    for name in list(reader.templates):
        if name not in called:
            instantiate(reader, name, [], [])


def instantiate(reader: Reader, name: str, given: list[str], arguments: Sequence[ir.Expr]) -> str:
    """Read a function template with the given arguments; returns the name of the function made of it."""
    inner, parameters = reader.templates[name]
    reader.program.work.take(FUNCTION_STEPS)
    labels = [_label(reader, parameter) for parameter in parameters.named_children]
    bound = _bound(reader, parameters, given)
    _deduce(reader, inner, labels, bound, arguments)
    key = f"{name}<{', '.join(bound.get(label, '?') for label in labels)}>" if labels else name
    if key not in reader.program.functions and reader.instances < MAX_INSTANCES:
        with _instance(reader, bound):
            function_definition(reader, inner, key=key, template_params=tuple(labels))
    elif key not in reader.program.functions:
        reader.program.work.leave_out(f"more than {MAX_INSTANCES} instances of templates: the rest is left out")
    return key


def class_instance(reader: Reader, text: str) -> ir.CType | None:
    """The type `Fir<T, 16>` stands for, read with these arguments; None when it is no class template here."""
    head, given = split_template(text)
    name = head.rpartition("::")[2]
    if name not in reader.class_templates:
        return None
    inner, parameters = reader.class_templates[name]
    bound = _bound(reader, parameters, given)
    key = f"{name}<{', '.join(_settled(reader, value) for value in bound.values())}>"
    types = reader.names.types
    if key in types or reader.instances >= MAX_INSTANCES or reader.depth > MAX_DEPTH:
        return types.get(key)
    if key in reader.open_classes or len(reader.open_classes) >= MAX_OPEN_CLASSES:
        return None  # a list's node points at nodes: inside itself a class is not known yet
    reader.open_classes.add(key)
    with _instance(reader, bound):
        made = record_body(reader, inner, key)
    reader.open_classes.discard(key)
    reader.names.types[key] = made
    return made


@contextmanager
def _instance(reader: Reader, bound: dict[str, str]) -> Iterator[None]:
    """Stand at file level, template parameters standing for their arguments; afterwards all is as before."""
    names = reader.names
    reader.instances += 1
    place = reader.function, reader.loop, reader.anonymous
    known = dict(names.types), dict(names.constants), names.scopes
    _bind(reader, bound)
    names.scopes = [reader.program.globals]
    yield
    names.types, names.constants, names.scopes = known
    reader.function, reader.loop, reader.anonymous = place


# -- arguments -----------------------------------------------------------------------------------------------


def _label(reader: Reader, parameter: Node) -> str:
    return declared_name(reader, parameter) or reader.src(parameter).split()[-1]


def _bound(reader: Reader, parameters: Node, given: Sequence[str]) -> dict[str, str]:
    """Template parameters by name -> the text of their argument or default; those with neither are left out."""
    bound: dict[str, str] = {}
    for index, parameter in enumerate(parameters.named_children):
        label = _label(reader, parameter)
        default = parameter.child_by_field_name("default_type") or parameter.child_by_field_name("default_value")
        if index < len(given):
            bound[label] = given[index]
        elif default is not None:
            bound[label] = reader.src(default)
    return bound


def _settled(reader: Reader, text: str) -> str:
    """A template argument as its value or as the name of its type."""
    value = reader.names.value(text)
    if value is not None:
        return str(value)
    kind = reader.names.types.get(text)
    return (kind.name or text) if kind is not None else text


def _bind(reader: Reader, bound: dict[str, str]) -> None:
    """Make template parameters stand for their arguments, all of them read before the first one counts."""
    names = reader.names
    values = {label: names.value(text) for label, text in bound.items()}
    kinds = {label: names.parse(bound[label]) for label, value in values.items() if value is None}
    names.constants.update({label: value for label, value in values.items() if value is not None})
    names.types.update(kinds)


def _deduce(
    reader: Reader, inner: Node, labels: Sequence[str], bound: dict[str, str], arguments: Sequence[ir.Expr]
) -> None:
    """`template <typename T> f(T a)` and `template <int N> f(int a[N])`: bind what the arguments tell."""
    head = function_declarator(inner.child_by_field_name("declarator"))
    parameters = head.child_by_field_name("parameters") if head is not None else None
    if parameters is None:
        return
    listed = [p for p in parameters.named_children if p.type.endswith("parameter_declaration")]
    for parameter, argument in zip(listed, arguments, strict=False):
        kind = parameter.child_by_field_name("type")
        text = reader.src(kind) if kind is not None else ""
        actual = reader.type_of_value(argument)
        if text in labels and text not in bound and actual.name:
            bound[text] = actual.name
        extents = extent_texts(reader, parameter.child_by_field_name("declarator"))
        if isinstance(argument, ir.Ref) and argument.var is not None:
            for extent, size in zip(extents, argument.var.dims, strict=False):
                if extent in labels and extent not in bound and size is not None:
                    bound[extent] = str(size)
