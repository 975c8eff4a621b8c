"""What names stand for at a place: variables by scope, types, constants; and the values of constant expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ..program import ir
from ..program.constants import evaluate
from ..program.numbers import Number, literal
from ..program.sizes import Dims
from ..program.typenames import UNKNOWN, parse_type, split_scope, split_template
from .traits import limit_of, type_of_trait, value_of

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_NUMBER = re.compile(r"\d[\w.]*\Z")
_OF_TYPES = ("::width", "::iwidth", "::size")
MAX_BASES = 64  # structs that a member is looked for in
MAX_ARGUMENT_LISTS = 24  # of templates, inside one another in the name of a type


def _too_deep(text: str) -> bool:
    """Whether a type's name holds lists of arguments further inside one another than anybody writes."""
    if text.count("<") <= MAX_ARGUMENT_LISTS:
        return False
    depth = 0
    for character in text:
        depth += (character == "<") - (character == ">")
        if depth > MAX_ARGUMENT_LISTS:
            return True
    return False


class Table(dict[str, T]):
    """What names stand for, and which of them were given something, in that order: a namespace asks for its own."""

    __slots__ = ("made",)

    def __init__(self, known: Mapping[str, T] | None = None) -> None:
        super().__init__(known or {})
        self.made: list[str] = []

    def __setitem__(self, name: str, value: T) -> None:
        super().__setitem__(name, value)
        self.made.append(name)

    def since(self, before: int) -> dict[str, T]:
        """What the names given since then stand for."""
        return {name: self[name] for name in self.made[before:] if name in self}


@dataclass(slots=True)
class Names:
    """Names known where the reader stands.

    scopes: variables by name, the innermost last. types, constants: by plain or qualified name (`Fir::taps`).
    A constant of a template (its parameters too) or of an enumeration stands nearer than a variable of the file, which
    is in `scopes[0]`; one of an enumeration in a body is a variable of its scope (of scope "enumerator").
    qualified: variables of namespaces, by full name. variables_made: those of the file, as they come. type_dims:
    extents of a `typedef int row_t[8]`. bases: base classes of a struct. owner: the struct whose body is read, ""
    outside. class_instance: what makes the type `Fir<T, 16>` stands for, None where there is no such template.
    computed: the value of an expression that is more than a number or a name.
    """

    scopes: list[dict[str, ir.Variable]]
    class_instance: Callable[[str], ir.CType | None]
    computed: Callable[[str], Number | None]
    types: Table[ir.CType] = field(default_factory=Table)
    type_dims: dict[str, Dims] = field(default_factory=dict)
    constants: Table[Number] = field(default_factory=Table)
    bases: dict[str, list[str]] = field(default_factory=dict)
    qualified: Table[ir.Variable] = field(default_factory=Table)
    variables_made: list[str] = field(default_factory=list)
    owner: str = ""

    def variable(self, name: str) -> ir.Variable | None:
        """The variable of that name in the innermost scope that has one; a qualified one is of its namespace."""
        if "::" in name and name in self.qualified:
            return self.qualified[name]
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return self.member(name, self.scopes[0]) if "::" in name or self.owner else None

    def meant(self, name: str) -> ir.Variable | Number | None:
        """What a name stands for here, from the innermost scope outwards; a number where it is a constant's name."""
        if "::" not in name or name not in self.qualified:
            for scope in reversed(self.scopes[1:]):
                if name in scope:
                    var = scope[name]
                    return var if var.scope != "enumerator" else _folded(var)
            known = self.constant(name)
            if known is not None:
                return known
        return _folded(self.variable(name))

    def declare(self, name: str, var: ir.Variable) -> None:
        """A variable in the innermost scope; at file level it hides a constant of another namespace."""
        self.scopes[-1][name] = var
        if len(self.scopes) == 1:
            self.constants.pop(name, None)
            self.variables_made.append(name)

    def constant(self, name: str) -> Number | None:
        """An enumerator, a template's value, or a static constant of a struct, its bases or what stands for it."""
        found = self.member(name, self.constants)
        if found is not None or ("::" not in name and "<" not in name and "numeric_limits" not in name):
            return found
        if name.endswith(_OF_TYPES):
            return self._of_type(name)
        if "<" in name:
            found = value_of(name, self.parse, self.value)
        return limit_of(name, self.parse) if found is None and "numeric_limits" in name else found

    def _of_type(self, name: str) -> Number | None:
        """What ap_int.h, ap_fixed.h and hls_vector.h say of their types: `T::width`, `T::iwidth`, `T::size`."""
        head, tail = split_scope(name)
        kind = self.named_type(head) if head else None
        if kind is None or not kind.name.startswith(("ap_", "hls::")):
            return None
        if tail == "size":
            return kind.lanes if kind.kind == "vector" else None
        if kind.kind not in ("int", "uint", "fixed", "ufixed"):
            return None
        return kind.int_bits if tail == "iwidth" and "fixed" in kind.kind else kind.width

    def named_type(self, name: str) -> ir.CType | None:
        """A typedef, struct or template parameter, or the instance of a class template that the name asks for."""
        found = self.member(name, self.types) or self._injected(name)
        if found is None and name.endswith(">"):
            found = self.class_instance(name)
        trait = found is None and name.endswith((">", "::type")) and "<" in name
        return type_of_trait(name, self.parse, self.value) if trait else found

    def _injected(self, name: str) -> ir.CType | None:
        """The instance that a class template's own name stands for inside it (C++17, 13.7.1.1), or around it."""
        if "<" not in self.owner:
            return None
        owner = self.owner if _NAME.match(name) else ""
        while owner:
            outer, last = split_scope(owner)
            if split_template(last)[0] == name:
                return self.types.get(owner)
            owner = outer
        return None

    def member(self, name: str, table: Mapping[str, T]) -> T | None:
        """What `table` has for a name as it stands, or for a member of the struct it names, or of a base of that."""
        if name in table:
            return table[name]
        if not self.owner and "::" not in name and "" not in self.types:
            return None  # a plain name outside all structs is a member of none
        head, tail = split_scope(name)
        stands_for = self.named_type(head) if head else None
        short = split_scope(head)[1]
        pending, seen = [short or self.owner, stands_for.name if stands_for is not None else ""], set[str]()
        while pending and len(seen) < MAX_BASES:
            owner = pending.pop()
            kind = self.types.get(owner)
            for known in (owner, kind.name if kind is not None else ""):
                if known and known not in seen:
                    seen.add(known)
                    if f"{known}::{tail}" in table:
                        return table[f"{known}::{tail}"]
                    pending += self.bases.get(known, ())
        return None

    def made(self) -> tuple[int, int, int, int]:
        """How much was declared at file level until now."""
        return len(self.variables_made), len(self.qualified.made), len(self.types.made), len(self.constants.made)

    def qualify(self, namespace: str, before: tuple[int, int, int, int]) -> None:
        """Give what was declared since `before` the name of its namespace too: others may declare the same."""
        variables = {name: self.scopes[0][name] for name in self.variables_made[before[0] :]}
        variables |= self.qualified.since(before[1])
        for name, var in variables.items():
            self.qualified[f"{namespace}::{name}"] = var
        for name, kind in self.types.since(before[2]).items():
            if "<" not in name:
                self.types[f"{namespace}::{name}"] = kind
        for name, value in self.constants.since(before[3]).items():
            if "<" not in name:
                self.constants[f"{namespace}::{name}"] = value

    # -- texts ------------------------------------------------------------------------------------------------

    def parse(self, text: str) -> ir.CType:
        """The type a text stands for; kind "unknown" where it stands for none."""
        return UNKNOWN if _too_deep(text) else parse_type(text, self.named_type, self.value)

    def is_type(self, text: str) -> bool:
        """Whether a text names a type that is known."""
        return text in self.types or self.parse(text).kind not in ("unknown", "void")

    def value(self, text: str) -> Number | None:
        """Value of a constant expression given as text; None where a part of it is not known."""
        text = text.strip()
        if _NUMBER.match(text):
            return literal(text)
        if _NAME.match(text):
            return self.lookup(text)
        return self.computed(text) if text else None

    def lookup(self, name: str) -> Number | None:
        """Value of a name in a constant expression."""
        found = self.meant(name)
        if isinstance(found, ir.Variable):
            return evaluate(ir.Ref(name, found), {})
        return int(name == "true") if found is None and name in ("true", "false") else found


def _folded(var: ir.Variable | None) -> ir.Variable | Number | None:
    """The number that an enumerator of a body stands for; any other variable as it is."""
    return var.value if var is not None and var.scope == "enumerator" and var.value is not None else var
