"""Level 1: wires, registers, UInt, SInt, Bool and ports, each family with operators and structure of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..draft import Draft
from ..expressions import BOOL, Drawer, Expr, Grammar, Type, as_kind, literal, mux, sint, uint

_LOGIC = {"and": 3, "or": 3, "xor": 3, "not": 2}
_SUMS = {"add": 4, "addx": 2, "sub": 3, "mul": 1}
_BOOLS = {"land": 3, "lor": 3, "lxor": 1, "lnot": 2}
_SIGNED = {"sadd": 3, "ssub": 3, "saddx": 1, "smul": 1, "neg": 1, "sshr": 1}
_SLICES = {"bits": 4, "cat": 4, "shl": 1, "shr": 1}
_TESTS = {"eq": 2, "ne": 2, "lt": 2, "ge": 2, "gt": 1, "le": 1}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a level 1 family draws.

    inputs: kinds of the inputs to choose from; gives: kinds of the results; after: what is done with a result
    ("", "delay", "enable", "reset", "wire", "pair"); outputs: how many results.
    """

    title: str
    inputs: tuple[str, ...]
    gives: str
    ops: Mapping[str, float]
    depth: int = 3
    lits: float = 0.15
    after: tuple[str, ...] = ("",)
    outputs: tuple[int, ...] = (1,)
    counts: tuple[int, ...] = (2, 3)


SHAPES: dict[str, Shape] = {
    "bitwise": Shape("Bitwise logic", ("U",), "U", _LOGIC, counts=(2, 3, 4)),
    "bool_logic": Shape("Boolean function", ("B",), "B", _BOOLS, depth=4, counts=(3, 4, 5)),
    "uint_arith": Shape("Unsigned arithmetic", ("U",), "U", _SUMS),
    "sint_arith": Shape("Signed arithmetic", ("S",), "S", _SIGNED),
    "slices": Shape("Bits cut and joined", ("U",), "U", _SLICES, counts=(1, 2, 3)),
    "casts": Shape(
        "Reading bits as other types",
        ("U", "S", "B"),
        "S",
        {"toS": 3, "sadd": 2, "ssub": 2, "toU": 1, "xor": 1, "add": 1},
    ),
    "constants": Shape("Masks and constants", ("U",), "U", {**_LOGIC, "add": 1, "sub": 1}, lits=0.5, counts=(1, 2)),
    "wires": Shape("Named intermediate wires", ("U",), "U", {**_LOGIC, **_SUMS}, depth=2, after=("wire",)),
    "bool_wires": Shape(
        "Boolean function with named terms", ("B",), "B", _BOOLS, depth=2, after=("wire",), counts=(3, 4)
    ),
    "reductions": Shape(
        "Reductions and tests", ("U",), "B", {"orR": 2, "andR": 2, "xorR": 2, **_BOOLS, "eq": 1, "and": 1, "xor": 1}
    ),
    "compares": Shape("Flags from comparisons", ("U", "U", "B"), "B", {**_TESTS, **_BOOLS, "add": 1, "sub": 1}),
    "outputs": Shape("Several functions of the same inputs", ("U",), "U", {**_LOGIC, **_SUMS}, depth=2, outputs=(2, 3)),
    "mixed_outputs": Shape(
        "Results and flags", ("U", "B"), "UB", {**_LOGIC, **_TESTS, **_BOOLS, "add": 2}, depth=2, outputs=(2, 3)
    ),
    "delays": Shape("Registered result", ("U",), "U", {**_LOGIC, **_SUMS}, depth=2, after=("delay", "delay2")),
    "enables": Shape("Register with enable", ("U",), "U", {**_LOGIC, **_SUMS, **_SLICES}, depth=2, after=("enable",)),
    "resets": Shape("Register with reset value", ("U",), "U", {**_LOGIC, **_SUMS}, depth=2, after=("reset",)),
    "signed_registers": Shape("Signed register", ("S",), "S", _SIGNED, depth=2, after=("delay", "enable", "reset")),
    "bool_registers": Shape(
        "Registered flag", ("B",), "B", _BOOLS, after=("delay", "enable", "reset"), counts=(2, 3, 4)
    ),
    "bundled_pairs": Shape("Value beside its past", ("U",), "U", {**_LOGIC, **_SUMS}, depth=2, after=("pair",)),
    "shifts": Shape("Shifts by constants", ("U",), "U", {"shl": 3, "shr": 3, "or": 2, "xor": 2, "add": 1, "not": 1}),
    "signed_tests": Shape(
        "Flags of signed numbers", ("S", "S", "B"), "B", {"slt": 2, "sge": 2, "seq": 1, **_BOOLS, "sadd": 1, "ssub": 1}
    ),
    "register_chains": Shape(
        "Chain of registers with logic between", ("U",), "U", {**_LOGIC, "add": 2}, depth=1, after=("chain",)
    ),
}


def title_of(name: str) -> str:
    """What a module of the family is called in words."""
    return SHAPES[name].title


def drawer(shape: Shape, draft: Draft) -> tuple[Drawer, list[Expr]]:
    """Inputs, and what draws expressions over them."""
    rng = draft.rng
    width = rng.choice((2, 3, 4, 5, 6, 7, 8, 8, 10, 12, 16, 16, 20, 24))
    narrow = max(2, width - rng.choice((0, 0, 0, 1, 2, 4)))
    leaves = []
    for _ in range(rng.choice(shape.counts)):
        kind = rng.choice(shape.inputs)
        bits = width if rng.random() < 0.7 else narrow
        leaves.append(draft.input("flag" if kind == "B" else "data", Type(kind, 1 if kind == "B" else bits)))
    return Drawer(rng, Grammar(shape.ops, shape.depth, shape.lits), leaves), leaves


def basic(name: str) -> Callable[[Draft], None]:
    """The family's writer."""
    shape = SHAPES[name]

    def write(draft: Draft) -> None:
        source, leaves = drawer(shape, draft)
        for _ in range(draft.rng.choice(shape.outputs)):
            value = source.draw(draft.rng.choice(shape.gives))
            finish(draft, source, leaves, value, draft.rng.choice(shape.after))

    return write


def finish(draft: Draft, source: Drawer, leaves: list[Expr], value: Expr, after: str) -> None:
    """What becomes of a drawn value."""
    rng = draft.rng
    if after == "":
        draft.result(value)
    elif after == "wire":
        first = draft.wire(value)
        source.leaves.append(first)
        second = draft.wire(source.draw(value.type.kind, 2))
        source.leaves.append(second)
        kind = value.type.kind
        draft.result(source.draw(kind, 1) if rng.random() < 0.5 else _joined(first, second, rng.choice((0, 1))))
    elif after in ("delay", "delay2"):
        stored = draft.delayed(value)
        draft.result(draft.delayed(stored) if after == "delay2" else stored)
    elif after == "reset":
        top = 2 ** min(value.type.width - (value.type.kind == "S"), 6)
        start = rng.randrange(top)
        port = draft.output(value.type)
        draft.drive(port, draft.delayed(value, start))
        draft.say("{0} is {1} of the cycle before; reset sets it to " + str(start), port, value)
    elif after == "enable":
        enable = draft.input("enable", BOOL)
        draft.result(draft.kept(value, enable, rng.choice((None, 0))))
    elif after == "pair":
        draft.result(value)
        stored = draft.delayed(value, 0)
        draft.result(stored if rng.random() < 0.5 else _joined(stored, rng.choice(leaves), rng.choice((0, 1))))
    else:
        stored = value
        for _ in range(rng.randint(2, 4)):
            source.leaves.append(draft.delayed(stored))
            stored = source.draw(value.type.kind, 2)
        draft.result(stored)


def _joined(a: Expr, b: Expr, which: int) -> Expr:
    kind = "B" if a.type.kind == b.type.kind == "B" else "U"
    a, b = as_kind(a, kind), as_kind(b, kind)
    sign, words = (("^", "XORed with"), ("|", "ORed with"))[which]
    width = max(a.type.width, b.type.width)
    return Expr(
        f"{a.inner} {sign} {b.inner}",
        f"{a.words} {words} {b.words}",
        f"{a.inside} {sign} {b.inside}",
        Type(kind, width),
    )


__all__ = ["SHAPES", "Shape", "basic", "drawer", "finish", "literal", "mux", "sint", "title_of", "uint"]
