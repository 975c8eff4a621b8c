"""Arguments of templates: what parameters stand for, told by the call, by defaults, or by the types of arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..program import ir
from ..program.arguments import Argument, Bound
from ..program.numbers import Number
from ..program.typenames import split_template
from .declarators import declared_name, extent_texts, function_declarator
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_WIDTHS = ("ap_int", "ap_uint", "ac_int", "ap_fixed", "ap_ufixed", "ac_fixed")


def settle(reader: Reader, text: str) -> Argument:
    """What a text stands for here."""
    value = reader.names.value(text)
    if value is not None:
        return Argument(text, value)
    kind = reader.names.parse(text)
    return Argument(text, None, kind)


def label_of(reader: Reader, parameter: Node) -> str:
    """The name of a template parameter; a name that no code can write where it has none."""
    held = parameter.child_by_field_name("name") or next(
        (c for c in parameter.named_children if c.type == "type_identifier"), None
    )
    if parameter.type.endswith("type_parameter_declaration") and held is not None:
        return reader.src(held)
    return declared_name(reader, parameter) or f"#{parameter.start_byte}"


def bind(reader: Reader, bound: Mapping[str, Argument]) -> None:
    """Make template parameters stand for their arguments."""
    names = reader.names
    for label, argument in bound.items():
        names.constants.pop(label, None)
        names.types.pop(label, None)
        if argument.value is not None:
            names.constants[label] = argument.value
        elif argument.kind is not None:
            names.types[label] = argument.kind


def bind_defaults(reader: Reader, parameters: Node, bound: Bound) -> None:
    """Bind parameters that nothing told to their defaults, which may name those before them."""
    for parameter in parameters.named_children:
        label = label_of(reader, parameter)
        default = parameter.child_by_field_name("default_type") or parameter.child_by_field_name("default_value")
        if label not in bound and default is not None:
            bound[label] = settle(reader, reader.src(default))
            bind(reader, {label: bound[label]})


def match(
    reader: Reader, patterns: Sequence[str], arguments: Sequence[Argument], labels: Sequence[str]
) -> Bound | None:
    """What `labels` stand for where the patterns of a specialisation are these arguments; None where they are not."""
    if len(patterns) != len(arguments):
        return None
    found: Bound = {}
    for pattern, argument in zip(patterns, arguments, strict=True):
        if pattern in labels:
            if found.setdefault(pattern, argument).name != argument.name:
                return None
        elif argument.kind is not None and split_template(pattern)[1]:
            inner: Bound = {}
            _types(reader, pattern, argument.kind, labels, inner)
            if not inner and settle(reader, pattern).name != argument.name:
                return None
            found.update(inner)
        elif settle(reader, pattern).name != argument.name:
            return None
    return found


# -- from the arguments of a call ----------------------------------------------------------------------------


def deduce(reader: Reader, inner: Node, template: Node, bound: Bound, arguments: Sequence[ir.Expr]) -> None:
    """`template <typename T, int N> f(ap_int<N> a, T b[N])`: bind what the arguments tell; template: its parameters."""
    head = function_declarator(inner.child_by_field_name("declarator"))
    parameters = head.child_by_field_name("parameters") if head is not None else None
    if parameters is None:
        return
    labels = [label_of(reader, given) for given in template.named_children]
    defaults = [label_of(reader, given) for given in template.named_children if given.type.startswith("optional")]
    listed = [p for p in parameters.named_children if p.type.endswith("parameter_declaration")]
    for parameter, argument in zip(listed, arguments, strict=False):
        kind = parameter.child_by_field_name("type")
        actual = reader.type_of_value(argument)
        if kind is not None and actual.kind not in ("unknown", "void"):
            _types(reader, reader.src(kind), replace(actual, pointer=0), labels, bound)
        declarator = parameter.child_by_field_name("declarator")
        if declarator is not None and isinstance(argument, ir.Ref) and argument.var is not None:
            # Of `a[N]` nothing is left but a pointer: C++ takes N from `(&a)[N]` only, and else a default.
            wanted = labels if "&" in reader.src(declarator) else [label for label in labels if label not in defaults]
            for extent, size in zip(extent_texts(reader, declarator), argument.var.dims, strict=False):
                if extent in wanted and extent not in bound and size is not None:
                    bound[extent] = Argument(str(size), size)


def _types(reader: Reader, pattern: str, actual: ir.CType, labels: Sequence[str], bound: Bound) -> None:
    """Bind labels of a type's pattern by the type that is there."""
    pattern = pattern.replace("const ", "").strip("&* ")
    if pattern in labels:
        bound.setdefault(pattern, Argument(pattern, None, actual))
        return
    head, wanted = split_template(pattern)
    for item, found in zip(wanted, _parts(reader, head.rpartition("::")[2], actual), strict=False):
        if isinstance(found, ir.CType):
            _types(reader, item, found, labels, bound)
        elif item in labels:
            bound.setdefault(item, Argument(item, found))


def _parts(reader: Reader, head: str, actual: ir.CType) -> list[Number | ir.CType]:
    """The arguments of a type that is an instance of the template `head`."""
    if head in _WIDTHS and actual.kind in ("int", "uint", "fixed", "ufixed"):
        return [actual.width, actual.int_bits] if "fixed" in actual.kind else [actual.width]
    if actual.kind == "stream" and head == "stream" and actual.element is not None:
        return [actual.element]
    if actual.kind == "vector" and actual.element is not None:
        return [actual.element, actual.lanes]
    name, given = split_template(actual.name)
    if name.rpartition("::")[2] != head:
        return []
    settled = [settle(reader, text) for text in given]
    return [item.value if item.value is not None else item.kind or ir.CType("unknown", 32) for item in settled]
