"""What <type_traits> and <limits> say of types, as far as designs use them (C++17, 23.15 and 21.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..program import ir
from ..program.numbers import Number
from ..program.typenames import split_scope, split_template

Parse = Callable[[str], ir.CType]
Value = Callable[[str], Number | None]

MAX_BITS = 64  # of types whose limits are numbers that C has

_WHOLE = ("int", "uint", "bool")
_OF_ONE: dict[str, Callable[[ir.CType], bool]] = {
    "is_integral": lambda kind: kind.kind in _WHOLE and not kind.pointer,
    "is_floating_point": lambda kind: kind.is_float and not kind.pointer,
    "is_arithmetic": lambda kind: (kind.kind in _WHOLE or kind.is_float) and not kind.pointer,
    "is_signed": lambda kind: kind.kind in ("int", "fixed") or kind.is_float,
    "is_unsigned": lambda kind: kind.kind in ("uint", "ufixed", "bool"),
    "is_void": lambda kind: kind.kind == "void",
    "is_pointer": lambda kind: kind.pointer > 0,
    "is_class": lambda kind: kind.kind == "struct",
}
_UNCHANGED = (
    "remove_reference", "remove_const", "remove_volatile", "remove_cv", "remove_cvref", "decay", "type_identity",
)  # fmt: skip


def value_of(name: str, parse: Parse, value: Value) -> Number | None:
    """`std::is_same<A, B>::value`, `std::is_same_v<A, B>` and the like; None for any other name."""
    scope, member = split_scope(name)
    trait, given = split_template(split_scope(scope)[1] if member == "value" else member)
    if member != "value" and not trait.endswith("_v"):
        return None
    trait = trait.removesuffix("_v")
    if trait == "integral_constant" and len(given) == 2:
        return value(given[1])
    kinds = [parse(text) for text in given]
    if not kinds or any(kind.kind == "unknown" for kind in kinds):
        return None
    if trait == "is_same" and len(kinds) == 2:
        return int(_told(kinds[0]) == _told(kinds[1]))
    found = _OF_ONE.get(trait)
    return None if found is None or len(kinds) != 1 else int(found(kinds[0]))


def _told(kind: ir.CType) -> tuple[object, ...]:
    """What tells two types apart: `int` and `ap_int<32>` are two, `int` and `signed` are one."""
    name = kind.name if kind.kind in ("struct", "stream", "vector") else kind.name.startswith(("ap_", "ac_"))
    return kind.kind, kind.width, kind.int_bits, kind.pointer, name


def type_of_trait(name: str, parse: Parse, value: Value) -> ir.CType | None:
    """`std::conditional<c, A, B>::type`, `std::conditional_t<c, A, B>` and the like; None for any other name."""
    scope, member = split_scope(name)
    trait, given = split_template(split_scope(scope)[1] if member == "type" else member)
    if member != "type" and not trait.endswith("_t"):
        return None
    trait = trait.removesuffix("_t")
    chosen = _chosen(trait, given, value)
    if chosen is None:
        return None
    kind = parse(chosen)
    if kind.kind == "unknown":
        return None
    if trait in ("make_signed", "make_unsigned"):
        return replace(kind, kind="int" if trait == "make_signed" else "uint", name="")
    return replace(kind, pointer=0) if trait in ("remove_reference", "remove_pointer", "decay") else kind


def _chosen(trait: str, given: Sequence[str], value: Value) -> str | None:
    """The text of the type that a trait is."""
    if trait in ("conditional", "enable_if") and given:
        condition = value(given[0])
        if condition is None:
            return None
        if trait == "enable_if":
            return (given[1] if len(given) > 1 else "void") if condition else None
        return given[1 if condition else 2] if len(given) == 3 else None
    one = trait in (*_UNCHANGED, "remove_pointer", "make_signed", "make_unsigned") and len(given) == 1
    return given[0] if one else None


def limit_of(name: str, parse: Parse) -> Number | None:
    """`std::numeric_limits<T>::max` and the like, called or named; None for any other name and type."""
    scope, member = split_scope(name)
    head, given = split_template(split_scope(scope)[1])
    if head != "numeric_limits" or len(given) != 1:
        return None
    kind = parse(given[0])
    if kind.kind not in ("int", "uint") or kind.pointer or kind.width > MAX_BITS:
        return None
    digits = kind.width - (kind.kind == "int")
    if member == "digits":
        return digits
    if member == "max":
        return (1 << digits) - 1
    return (-(1 << digits) if kind.kind == "int" else 0) if member in ("min", "lowest") else None
