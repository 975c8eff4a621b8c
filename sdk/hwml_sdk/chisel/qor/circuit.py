"""A lowered circuit as plain data: modules of operations on bit vectors, arrays and structures laid flat.

Bits count from 0, the least significant one. Element 0 of an array lies lowest, the first field of a structure highest,
as CIRCT's `hw` dialect packs them (CIRCT, rationale of the HW dialect).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Place = tuple[str, int]  # file as its locator names it, line from 1
NOWHERE: Place = ("", 0)

# Kinds of operations. Wiring: constant concat extract wire. Logic: and or xor mux. Words: add sub mul divu divs modu
# mods, shl shru shrs, compare, get (element of an array by a signal), inject. State: register, memory and its ports.
Kind = Literal[
    "constant", "concat", "extract", "wire", "and", "or", "xor", "mux", "add", "sub", "mul", "divu", "divs", "modu",
    "mods", "shl", "shru", "shrs", "compare", "get", "inject", "parity", "register", "memory", "read", "write",
    "read_write", "instance", "unknown",
]  # fmt: skip


class Operation(NamedTuple):
    """One operation; a tuple, since thousands are made for each answer of a check.

    results, operands: names of values, an operand that is absent (a memory port without mask) is "".
    width: bits of the (first) result; widths: of all results of an instance.
    number: value of a constant, low bit of an extract, depth of a memory, element width of `get` and `inject`.
    word: predicate of a comparison, module of an instance, name of what is unknown, reset kind of a register.
    names: port names of an instance, operands first.
    clock: the value that clocks a register or a port of a memory.
    """

    kind: Kind
    results: tuple[str, ...]
    operands: tuple[str, ...]
    width: int
    number: int = 0
    word: str = ""
    names: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    place: Place = NOWHERE
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its ports with widths, its operations in no order, and what drives its outputs."""

    name: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    operations: tuple[Operation, ...]
    drivers: Mapping[str, str]
    place: Place = NOWHERE
    black_box: bool = False


@dataclass(frozen=True, slots=True)
class Circuit:
    """Modules by name; `top` is the one that no other instantiates."""

    top: str
    modules: Mapping[str, Module]
    unread: tuple[str, ...] = field(default=())
