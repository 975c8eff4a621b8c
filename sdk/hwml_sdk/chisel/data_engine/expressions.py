"""Expressions with their Chisel text, their English words and their formula, and how random ones are drawn.

A circuit is drawn from one generator, its style from another: the same circuit can be written in every style.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

_WIDEST_BITS = 32


@dataclass(frozen=True, slots=True)
class Type:
    """kind: U (UInt), S (SInt) or B (Bool, one bit); width in bits."""

    kind: str
    width: int = 1

    @property
    def chisel(self) -> str:
        """As it is declared."""
        return "Bool()" if self.kind == "B" else f"{'UInt' if self.kind == 'U' else 'SInt'}({self.width}.W)"

    @property
    def words(self) -> str:
        """As a person would say it."""
        if self.kind == "B":
            return "Bool"
        return f"{self.width}-bit {'unsigned' if self.kind == 'U' else 'signed'}"


BOOL = Type("B")


def uint(width: int) -> Type:
    """UInt of so many bits."""
    return Type("U", width)


def sint(width: int) -> Type:
    """SInt of so many bits."""
    return Type("S", width)


@dataclass(frozen=True, slots=True)
class Expr:
    """One value. text: Chisel; words: English; formula: C-like; atom: needs no parentheses."""

    text: str
    words: str
    formula: str
    type: Type
    atom: bool = False

    @property
    def inner(self) -> str:
        """Chisel text that may stand inside another expression."""
        return self.text if self.atom else f"({self.text})"

    @property
    def inside(self) -> str:
        """Formula that may stand inside another one."""
        return self.formula if self.atom else f"({self.formula})"


def literal(value: int, kind: Type) -> Expr:
    """A constant of a type."""
    if kind.kind == "B":
        word = "true" if value else "false"
        return Expr(f"{word}.B", word, str(value), kind, atom=True)
    if kind.kind == "S":
        text = f"{value}.S({kind.width}.W)" if value >= 0 else f"({value}).S({kind.width}.W)"
        return Expr(text, str(value), str(value), kind, atom=True)
    text = f"{value}.U({kind.width}.W)" if value < 16 else f'"h{value:x}".U({kind.width}.W)'
    shown = str(value) if value < 16 else f"0x{value:x}"
    return Expr(text, shown, shown, kind, atom=True)


def binary(sign: str, words: str, formula: str, kind: Type) -> Callable[[Expr, Expr], Expr]:
    """A binary operator; `words` has places {0} and {1}."""

    def make(a: Expr, b: Expr) -> Expr:
        return Expr(
            f"{a.inner} {sign} {b.inner}", words.format(a.words, b.words), f"{a.inside} {formula} {b.inside}", kind
        )

    return make


def _wide(kind: str, rule: Callable[[int, int], int]) -> Callable[[Expr, Expr], Type]:
    return lambda a, b: Type(kind, rule(a.type.width, b.type.width))


_BINARY: dict[str, tuple[str, str, str, Callable[[Expr, Expr], Type]]] = {
    "add": ("+", "the sum of {0} and {1} (carry dropped)", "+", _wide("U", max)),
    "addx": ("+&", "the full sum of {0} and {1}, carry kept,", "+", _wide("U", lambda a, b: max(a, b) + 1)),
    "sub": ("-", "{0} minus {1} (wrapping)", "-", _wide("U", max)),
    "mul": ("*", "the product of {0} and {1}", "*", _wide("U", lambda a, b: a + b)),
    "and": ("&", "{0} ANDed bitwise with {1}", "&", _wide("U", max)),
    "or": ("|", "{0} ORed bitwise with {1}", "|", _wide("U", max)),
    "xor": ("^", "{0} XORed bitwise with {1}", "^", _wide("U", max)),
    "eq": ("===", "whether {0} equals {1}", "==", lambda a, b: BOOL),
    "ne": ("=/=", "whether {0} differs from {1}", "!=", lambda a, b: BOOL),
    "lt": ("<", "whether {0} is less than {1}", "<", lambda a, b: BOOL),
    "le": ("<=", "whether {0} is at most {1}", "<=", lambda a, b: BOOL),
    "gt": (">", "whether {0} is greater than {1}", ">", lambda a, b: BOOL),
    "ge": (">=", "whether {0} is at least {1}", ">=", lambda a, b: BOOL),
    "land": ("&&", "{0} and {1}", "&&", lambda a, b: BOOL),
    "lor": ("||", "{0} or {1}", "||", lambda a, b: BOOL),
    "lxor": ("^", "exactly one of {0} and {1}", "^", lambda a, b: BOOL),
    "sadd": ("+", "the signed sum of {0} and {1} (wrapping)", "+", _wide("S", max)),
    "saddx": ("+&", "the signed sum of {0} and {1}, one bit wider,", "+", _wide("S", lambda a, b: max(a, b) + 1)),
    "ssub": ("-", "the signed difference {0} minus {1} (wrapping)", "-", _wide("S", max)),
    "smul": ("*", "the signed product of {0} and {1}", "*", _wide("S", lambda a, b: a + b)),
    "slt": ("<", "whether {0} is less than {1} as signed numbers", "<", lambda a, b: BOOL),
    "sge": (">=", "whether {0} is at least {1} as signed numbers", ">=", lambda a, b: BOOL),
    "seq": ("===", "whether the signed values {0} and {1} are equal", "==", lambda a, b: BOOL),
}


def apply(name: str, a: Expr, b: Expr) -> Expr:
    """Binary operator `name` of `a` and `b`."""
    sign, words, formula, kind = _BINARY[name]
    return binary(sign, words, formula, kind(a, b))(a, b)


def invert(a: Expr) -> Expr:
    """Bitwise NOT, or NOT of a Bool."""
    sign = "!" if a.type.kind == "B" else "~"
    words = f"not {a.words}" if a.type.kind == "B" else f"{a.words} inverted bit by bit"
    return Expr(f"{sign}{a.inner}", words, f"{sign}{a.inside}", a.type)


def mux(c: Expr, a: Expr, b: Expr) -> Expr:
    """A choice of two values of one kind; the wider width."""
    kind = replace(a.type, width=max(a.type.width, b.type.width))
    words = f"{a.words} where {c.words} holds, else {b.words}"
    return Expr(
        f"Mux({c.text}, {a.text}, {b.text})", words, f"{c.inside} ? {a.inside} : {b.inside}", kind
    )  # a method call: atom only in Chisel


def bits(a: Expr, high: int, low: int) -> Expr:
    """Bits high to low of a named value."""
    base = a.inner
    if high == low:
        return Expr(f"{base}({high})", f"bit {high} of {a.words}", f"{a.inside}[{high}]", BOOL, atom=True)
    words = f"bits {high} down to {low} of {a.words}"
    return Expr(f"{base}({high}, {low})", words, f"{a.inside}[{high}:{low}]", uint(high - low + 1), atom=True)


def cat(a: Expr, b: Expr) -> Expr:
    """a above b."""
    kind = uint(a.type.width + b.type.width)
    return Expr(f"{a.inner} ## {b.inner}", f"{a.words} above {b.words}", f"{{{a.formula}, {b.formula}}}", kind)


def method(a: Expr, name: str, words: str, formula: str, kind: Type) -> Expr:
    """A method without arguments; words and formula have the place {0}."""
    return Expr(f"{a.inner}.{name}", words.format(a.words), formula.format(a.inside), kind, atom=True)


_REDUCTIONS = {
    "orR": ("orR", "whether any bit of {0} is set", "|{0}"),
    "andR": ("andR", "whether all bits of {0} are set", "&{0}"),
    "xorR": ("xorR", "the parity of {0}", "^{0}"),
}


def shift(a: Expr, left: bool, amount: int) -> Expr:
    """A shift by a constant; a left shift widens, a right shift narrows."""
    side, sign = ("left", "<<") if left else ("right", ">>")
    width = a.type.width + amount if left else max(1, a.type.width - amount)
    words = f"{a.words} shifted {side} by {amount}"
    return Expr(f"{a.inner} {sign} {amount}", words, f"{a.inside} {sign} {amount}", replace(a.type, width=width))


def as_kind(a: Expr, kind: str) -> Expr:
    """The same bits as another kind."""
    if a.type.kind == kind:
        return a
    if kind == "B":
        return (
            bits(a, 0, 0)
            if a.type.kind == "U"
            else method(a, "asUInt.orR", "whether {0} is not zero", "{0} != 0", BOOL)
        )
    if kind == "U":
        return method(a, "asUInt", "{0} read as unsigned bits", "{0}", Type("U", a.type.width))
    source = as_kind(a, "U") if a.type.kind == "B" else a
    return method(source, "asSInt", "{0} read as a signed number", "signed({0})", Type("S", a.type.width))


def fit(a: Expr, kind: Type) -> Expr:
    """The value in a type of the same kind, cut to its width where it is wider."""
    if a.type.width <= kind.width or kind.kind == "B":
        return a
    if kind.kind == "S":
        low = Expr(f"{a.inner}({kind.width - 1}, 0).asSInt", a.words, a.formula, kind, atom=True)
    else:
        low = Expr(f"{a.inner}({kind.width - 1}, 0)", a.words, a.formula, kind, atom=True)
    return replace(low, words=f"the low {kind.width} bits of {a.words}", formula=f"{a.inside}[{kind.width - 1}:0]")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a family's expressions are made of. ops by weight; lits: how often a leaf is a constant."""

    ops: Mapping[str, float]
    depth: int = 3
    lits: float = 0.15


# What each operator gives, and what it takes.
SIGNATURES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("add", "addx", "sub", "mul", "and", "or", "xor", "cat"), ("U", "UU")),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), ("B", "UU")),
    **dict.fromkeys(("orR", "andR", "xorR", "bit"), ("B", "U")),
    **dict.fromkeys(("land", "lor", "lxor"), ("B", "BB")),
    **dict.fromkeys(("sadd", "saddx", "ssub", "smul"), ("S", "SS")),
    **dict.fromkeys(("slt", "sge", "seq"), ("B", "SS")),
    **dict.fromkeys(("not", "bits", "shl", "shr"), ("U", "U")),
    "lnot": ("B", "B"),
    "mux": ("U", "BUU"),
    "smux": ("S", "BSS"),
    "bmux": ("B", "BBB"),
    "sshr": ("S", "S"),
    "neg": ("S", "S"),
    "toS": ("S", "U"),
    "toU": ("U", "S"),
    "fromB": ("U", "B"),
}


class Drawer:
    """Draws expressions over some leaves."""

    def __init__(self, rng: random.Random, grammar: Grammar, leaves: Sequence[Expr]) -> None:
        self.rng = rng
        self.grammar = grammar
        self.leaves = list(leaves)
        self._unused = list(leaves)
        rng.shuffle(self._unused)

    def draw(self, kind: str, depth: int | None = None) -> Expr:
        """An expression of a kind, at most `depth` operators deep."""
        depth = self.grammar.depth if depth is None else depth
        fitting = {op: w for op, w in self.grammar.ops.items() if SIGNATURES[op][0] == kind}
        if depth <= 0 or not fitting or (depth < self.grammar.depth and self.rng.random() < 0.2):
            return self._leaf(kind)
        op = self.rng.choices(list(fitting), list(fitting.values()))[0]
        takes = SIGNATURES[op][1]
        arguments = [self.draw(taken, depth - 1) for taken in takes]
        if len(takes) > 1 and arguments[-2].text == arguments[-1].text:  # a < a says nothing
            arguments[-1] = self._another(takes[-1], arguments[-2])
        return self._apply(op, arguments)

    def _another(self, kind: str, than: Expr) -> Expr:
        if kind == "B":
            return invert(than)
        width = than.type.width
        top = 2 ** (width - (kind == "S"))
        return literal(self.rng.randrange(1, top) if top > 1 else 0, than.type)

    def _leaf(self, kind: str) -> Expr:
        if self.rng.random() < self.grammar.lits and kind != "B":
            width = self.rng.choice((2, 3, 4, 6, 8))
            value = (
                self.rng.randrange(1, 2**width)
                if kind == "U"
                else self.rng.randrange(-(2 ** (width - 1)), 2 ** (width - 1))
            )
            return literal(value, Type(kind, width))
        mine = [leaf for leaf in self._unused if leaf.type.kind == kind] or [
            leaf for leaf in self.leaves if leaf.type.kind == kind
        ]
        pool = mine if mine and self.rng.random() < 0.9 else (self._unused or self.leaves)
        leaf = self.rng.choice(pool)
        self._unused = [other for other in self._unused if other is not leaf]
        if kind == "B" and leaf.type.kind == "U" and leaf.type.width > 1:
            at = self.rng.randrange(leaf.type.width)
            return bits(leaf, at, at)
        return as_kind(leaf, kind)

    def _apply(self, op: str, a: list[Expr]) -> Expr:
        rng = self.rng
        if op in ("mul", "smul", "cat") and a[0].type.width + a[1].type.width > _WIDEST_BITS:
            op = {"mul": "add", "smul": "sadd", "cat": "xor"}[op]
        if op in _BINARY:
            return apply(op, a[0], a[1])
        if op in ("not", "lnot") and a[0].text[0] in "!~":
            return a[0]
        if op in _REDUCTIONS:
            name, words, formula = _REDUCTIONS[op]
            return method(a[0], name, words, formula, BOOL)
        if op in ("mux", "smux", "bmux"):
            return mux(a[0], a[1], a[2])
        if op in ("bits", "bit"):
            return self._part(op, a[0])
        if op in ("shl", "shr", "sshr"):
            most = min(4, _WIDEST_BITS - a[0].type.width if op == "shl" else a[0].type.width - 1)
            return shift(a[0], op == "shl", rng.randint(1, most)) if most >= 1 else a[0]
        simple: dict[str, Callable[[], Expr]] = {
            "cat": lambda: cat(a[0], a[1]),
            "not": lambda: invert(a[0]),
            "lnot": lambda: invert(a[0]),
            "neg": lambda: Expr(f"-{a[0].inner}", f"minus {a[0].words}", f"-{a[0].inside}", a[0].type),
            "toS": lambda: as_kind(a[0], "S"),
            "toU": lambda: as_kind(a[0], "U"),
            "fromB": lambda: as_kind(a[0], "U"),
        }
        return simple[op]()

    def _part(self, op: str, a: Expr) -> Expr:
        width = a.type.width
        if width < 2:
            return as_kind(a, "B") if op == "bit" else a
        if op == "bit":
            at = self.rng.randrange(width)
            return bits(a, at, at)
        low = self.rng.randrange(width - 1)
        return bits(a, self.rng.randrange(low + 1, width), low)
