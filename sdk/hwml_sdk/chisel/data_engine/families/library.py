"""Samples of chisel3.util: each family is about one construct, with other logic around it."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..expressions import BOOL, Drawer, Expr, Grammar, Type, apply, as_kind, bits, fit, literal, shift, uint
from .sequential import machine

_AROUND = {"and": 3, "or": 2, "xor": 3, "add": 2, "sub": 1, "not": 1}


def call(name: str, a: Expr, words: str, kind: Type) -> Expr:
    """A function of chisel3.util of one value."""
    return Expr(f"{name}({a.text})", words.format(a.words), f"{name}({a.formula})", kind, atom=True)


def _value(draft: Draft, widths: tuple[int, ...] = (4, 6, 8, 8, 12, 16, 20, 24, 32)) -> Expr:
    """A value of one to three inputs."""
    width = draft.rng.choice(widths)
    leaves = [draft.input("data", uint(width)) for _ in range(draft.rng.choice((1, 1, 2, 3)))]
    if len(leaves) == 1 and draft.rng.random() < 0.4:
        return leaves[0]
    value = Drawer(draft.rng, Grammar(_AROUND, 2, 0.15), leaves).draw("U", draft.rng.choice((1, 2)))
    value = fit(value, uint(width))
    name = draft.name("wire")
    draft.line(f"val {name} = Wire(UInt({width}.W))")
    draft.line(f"{name} := {value.text}")
    return Expr(name, value.words, value.formula, uint(width), atom=True)


def _used(draft: Draft, value: Expr) -> None:
    """What becomes of the construct's result."""
    rng = draft.rng
    use = rng.choice(("plain", "compare", "delay", "enable", "sum", "two", "choice"))
    if value.type.kind == "B" and use in ("compare", "sum"):
        use = "delay"
    if use == "compare":
        other = literal(rng.randrange(1, 2 ** min(value.type.width, 12)), value.type)
        other = other if rng.random() < 0.5 else draft.input("data", value.type)
        draft.result(apply(rng.choice(("eq", "gt", "ge", "lt", "ne")), value, other), widest=64)
    elif use == "delay":
        draft.result(draft.delayed(value, rng.choice((None, 0))), widest=64)
    elif use == "enable":
        draft.result(draft.kept(value, draft.input("enable", BOOL), rng.choice((None, 0))), widest=64)
    elif use == "sum":
        draft.result(
            apply(rng.choice(("add", "sub", "xor", "addx")), value, draft.input("data", value.type)), widest=64
        )
    elif use == "choice":
        port = draft.output(value.type)
        condition, rest = draft.input("flag", BOOL), draft.input("data", value.type)
        rest = rest if value.type.kind == "U" else as_kind(rest, "B")
        draft.choose(port, [(condition, value)], rest)
        draft.say("{0} is {1} where {2} holds, else {3}", port, value, condition, rest)
    else:
        draft.result(value, widest=64)
        if use == "two" and value.type.kind == "U" and value.type.width > 1:
            draft.result(bits(value, value.type.width - 1, value.type.width - 1))


def pop_count(draft: Draft) -> None:
    """PopCount."""
    a = _value(draft)
    _used(draft, call("PopCount", a, "the number of bits set in {0}", uint(a.type.width.bit_length())))


def reverse(draft: Draft) -> None:
    """Reverse."""
    a = _value(draft)
    _used(draft, call("Reverse", a, "{0} with its bits in reverse order", a.type))


def fill(draft: Draft) -> None:
    """Fill."""
    count = draft.rng.choice((2, 3, 4, 5, 8))
    a = _value(draft, (1, 2, 3, 4, 6, 8) if count < 5 else (1, 2, 3, 4))
    words = f"{a.words} repeated {count} times"
    _used(
        draft,
        Expr(f"Fill({count}, {a.text})", words, f"{{{count}{{{a.formula}}}}}", uint(count * a.type.width), atom=True),
    )


def log2(draft: Draft) -> None:
    """Log2."""
    a = _value(draft)
    _used(draft, call("Log2", a, "the position of the highest bit set in {0}", uint((a.type.width - 1).bit_length())))


def priority_encoder(draft: Draft) -> None:
    """PriorityEncoder."""
    a = _value(draft)
    _used(
        draft,
        call("PriorityEncoder", a, "the position of the lowest bit set in {0}", uint((a.type.width - 1).bit_length())),
    )


def from_one_hot(draft: Draft) -> None:
    """OHToUInt."""
    a = _value(draft)
    _used(
        draft, call("OHToUInt", a, "the position of the single bit set in {0}", uint((a.type.width - 1).bit_length()))
    )


def to_one_hot(draft: Draft) -> None:
    """UIntToOH."""
    a = _value(draft, (2, 3, 3, 4, 4, 5))
    _used(draft, call("UIntToOH", a, "a one-hot word with the bit of number {0} set", uint(2**a.type.width)))


def mux_lookup(draft: Draft) -> None:
    """MuxLookup over a code, MuxCase over conditions."""
    rng = draft.rng
    width = rng.choice((4, 6, 8, 8, 12, 16))
    leaves = [draft.input("data", uint(width)) for _ in range(rng.choice((2, 3)))]
    source = Drawer(rng, Grammar(_AROUND, 2, 0.2), leaves)
    count = rng.choice((2, 3, 4, 5))
    values = [source.draw("U", rng.choice((1, 2))) for _ in range(count)]
    rest = rng.choice(leaves)
    if rng.random() < 0.5:
        select = draft.input("select", uint(max(2, count.bit_length())))
        codes = rng.sample(range(2**select.type.width), count)
        rows = ", ".join(f"{code}.U -> ({value.text})" for code, value in zip(codes, values, strict=True))
        text, tests = (
            f"MuxLookup({select.text}, {rest.text})(Seq({rows}))",
            [f"`{select.formula}` is {code}" for code in codes],
        )
    else:
        flags = [draft.input("flag", BOOL) for _ in range(count)]
        rows = ", ".join(f"{flag.text} -> ({value.text})" for flag, value in zip(flags, values, strict=True))
        text, tests = f"MuxCase({rest.text}, Seq({rows}))", [f"`{flag.formula}` holds" for flag in flags]
    choices = "; ".join(f"{value.words} where {test}" for test, value in zip(tests, values, strict=True))
    kind = uint(max(value.type.width for value in [rest, *values]))
    words = f"the first of: {choices}; else {rest.words}"
    _used(draft, Expr(text, words, words, kind, atom=True))


def cat_shifts(draft: Draft) -> None:
    """Cat of several parts, with shifts and parts taken out."""
    rng = draft.rng
    leaves = [draft.input("data", uint(rng.choice((4, 5, 6, 8, 8)))) for _ in range(rng.choice((1, 2, 3)))]
    source = Drawer(rng, Grammar({"bits": 3, "xor": 1, "not": 1, "and": 1}, 2, 0.0), leaves)
    parts = [source.draw("U", rng.choice((0, 1, 1, 2))) for _ in range(rng.choice((2, 3, 4)))]
    width = sum(part.type.width for part in parts)
    listed = ", ".join(part.text for part in parts)
    words = f"the concatenation, highest first, of {' and '.join(part.words for part in parts)}"
    joined = Expr(
        f"Cat({listed})", words, "{" + ", ".join(part.formula for part in parts) + "}", uint(width), atom=True
    )
    if rng.random() < 0.6:
        joined = shift(joined, rng.random() < 0.5, rng.randint(1, 3))
    _used(draft, joined)


def enum_switch(draft: Draft) -> None:
    """Enum, switch and is."""
    machine(draft, choices=(2, 3, 3, 4, 5, 6, 7))


LIBRARY: dict[str, tuple[str, int, Callable[[Draft], None]]] = {
    "enum_switch": ("State machine with Enum and switch", 100, enum_switch),
    "pop_count": ("Population count", 50, pop_count),
    "reverse": ("Bit reversal", 50, reverse),
    "fill": ("Repeated bits", 50, fill),
    "log2": ("Integer logarithm", 50, log2),
    "priority_encoder": ("Priority encoder", 50, priority_encoder),
    "from_one_hot": ("One-hot to binary", 50, from_one_hot),
    "to_one_hot": ("Binary to one-hot", 50, to_one_hot),
    "mux_lookup": ("Table by MuxLookup or MuxCase", 50, mux_lookup),
    "cat_shifts": ("Concatenation and shifts", 50, cat_shifts),
}
