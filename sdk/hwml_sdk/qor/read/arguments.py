"""Arguments of templates: what parameters stand for, told by the call, by defaults, or by the types of arguments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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

_OF_SIGN = ("ap_int", "ap_uint", "ap_fixed", "ap_ufixed")
_WIDTHS = ("ap_int", "ap_uint", "ac_int", "ap_fixed", "ap_ufixed", "ac_fixed")


def settle(reader: Reader, text: str) -> Argument:
    """What a text stands for here."""
    value = reader.names.value(text)
    if value is not None:
        return Argument(text, value)
    kind = reader.names.parse(text)
    plain = text.rstrip("* ")
    if len(plain) < len(text) and kind.kind != "unknown":
        kind = replace(kind, pointer=kind.pointer + text.count("*", len(plain)))
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


def bind_defaults(reader: Reader, parameters: Node, bound: Bound, declared: Node | None = None) -> None:
    """Bind parameters that nothing told to their defaults, which may name those before them.

    declared: the parameters of another declaration of the template, which has the defaults.
    """
    told = (declared or parameters).named_children
    for parameter, telling in zip(parameters.named_children, told, strict=False):
        label = label_of(reader, parameter)
        default = telling.child_by_field_name("default_type") or telling.child_by_field_name("default_value")
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
    fit = all(_fits(reader, *pair, labels, found) for pair in zip(patterns, arguments, strict=True))
    return found if fit else None


def _fits(reader: Reader, pattern: str, argument: Argument, labels: Sequence[str], found: Bound) -> bool:
    """Whether a pattern is this argument with the labels standing for what `found` says, and more from now on."""
    if pattern in labels:
        return found.setdefault(pattern, argument).name == argument.name
    kind = argument.kind
    if kind is not None and kind.pointer and pattern[-1:] == "*":
        inner = replace(kind, pointer=kind.pointer - 1)
        return _fits(reader, pattern[:-1].rstrip(), Argument(argument.text, None, inner), labels, found)
    head, wanted = split_template(pattern)
    head = head.rpartition("::")[2]
    told = head in _OF_SIGN or (kind is not None and kind.kind == "vector")  # by more than the parts
    alike = not told or split_template(argument.name)[0].rpartition("::")[2] == head
    if kind is not None and not kind.pointer and alike:
        parts = [
            Argument(part.name, None, part) if isinstance(part, ir.CType) else Argument(str(part), part)
            for part in (_parts(reader, head, kind) if wanted else ())
        ]
        if parts:
            return all(_fits(reader, *pair, labels, found) for pair in zip(wanted, parts, strict=False))
    return settle(reader, pattern).name == argument.name


def covers(general: Sequence[str], special: Sequence[str], labels: Collection[str]) -> bool:
    """Whether the patterns of one specialisation, whose parameters `labels` are, fit whatever those of another fit.

    The other's parameters stand for something that only they name: so C++ orders specialisations (C++17, 17.5.5.2).
    """
    found: dict[str, str] = {}
    return len(general) == len(special) and all(
        _covers(one, other, labels, found) for one, other in zip(general, special, strict=True)
    )


def _covers(general: str, special: str, labels: Collection[str], found: dict[str, str]) -> bool:
    general, special = "".join(general.split()), "".join(special.split())
    while general[-1:] == special[-1:] == "*":
        general, special = general[:-1], special[:-1]
    if general in labels:
        return found.setdefault(general, special) == special
    head, inner = split_template(general)
    other, given = split_template(special)
    if not inner or head != other or len(inner) != len(given):
        return general == special
    ends_alike = general.rpartition(">")[2] == special.rpartition(">")[2]
    return ends_alike and all(_covers(one, two, labels, found) for one, two in zip(inner, given, strict=True))


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
