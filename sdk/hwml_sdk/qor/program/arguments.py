"""What a parameter of a template stands for."""

from __future__ import annotations

from dataclasses import dataclass

from .ir import CType
from .numbers import Number
from .typenames import split_template


@dataclass(frozen=True, slots=True)
class Argument:
    """A number or a type; neither where its text could not be read."""

    text: str
    value: Number | None = None
    kind: CType | None = None

    @property
    def unread(self) -> bool:
        """Whether nothing is known of it but its text."""
        return self.value is None and (self.kind is None or self.kind.kind == "unknown")

    @property
    def name(self) -> str:
        """The same for all spellings of one argument."""
        if self.value is not None:
            return str(int(self.value) if self.value == int(self.value) else self.value)
        return self.text if self.unread or self.kind is None else _named(self.kind)


Bound = dict[str, Argument]


def _named(kind: CType) -> str:
    stars = "*" * kind.pointer
    if kind.kind in ("int", "uint") and (not kind.name or "<" in kind.name):
        return f"ap_{kind.kind}<{kind.width}>{stars}"
    if kind.kind in ("fixed", "ufixed"):
        return f"ap_{kind.kind}<{kind.width}, {kind.int_bits}>{stars}"
    if kind.kind == "stream" and kind.element is not None:
        return f"hls::stream<{_named(kind.element)}>{stars}"
    if kind.kind == "vector" and kind.element is not None:
        return f"{split_template(kind.name)[0] or 'hls::vector'}<{_named(kind.element)}, {kind.lanes}>{stars}"
    return (kind.name or f"{kind.kind}{kind.width}") + stars
