"""Level 2: Mux, when and elsewhen, arithmetic with choices, comparison; each family has a structure of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..draft import Draft
from ..expressions import (
    BOOL,
    Drawer,
    Expr,
    Grammar,
    apply,
    bits,
    fit,
    literal,
    mux,
    uint,
)
from .basic import Shape, drawer

_VALUES = {"add": 3, "sub": 3, "and": 2, "or": 2, "xor": 2, "not": 1}
_TESTS = {"eq": 2, "ne": 1, "lt": 2, "ge": 2, "gt": 1, "land": 2, "lor": 2, "lnot": 1, "orR": 1, "bit": 1}
_BOTH = {**_VALUES, **_TESTS}


def _leaves(draft: Draft, data: int, flags: int) -> list[Expr]:
    width = draft.rng.choice((3, 4, 5, 6, 8, 8, 10, 12, 16, 16, 24))
    values = [draft.input("data", uint(width)) for _ in range(data)]
    return values + [draft.input("flag", BOOL) for _ in range(flags)]


def _drawer(draft: Draft, leaves: list[Expr], ops: Mapping[str, float], depth: int = 2) -> Drawer:
    return Drawer(draft.rng, Grammar(ops, depth, 0.2), leaves)


def _cases(draft: Draft, source: Drawer, count: int) -> list[tuple[Expr, Expr]]:
    return [(source.draw("B", 2), source.draw("U", draft.rng.choice((1, 2)))) for _ in range(count)]


def _tell(draft: Draft, target: Expr, cases: list[tuple[Expr, Expr]], otherwise: str, *more: Expr) -> None:
    """One sentence for a list of cases; `otherwise` may have the places {0} and on for `more`."""
    parts: list[Expr] = [target]
    pieces = []
    for condition, value in cases:
        pieces.append(f"if {{{len(parts)}}}: {{{len(parts) + 1}}}")
        parts += [condition, value]
    shifted = otherwise.format(*(f"{{{len(parts) + place}}}" for place in range(len(more))))
    draft.say("{0} is the first of these that applies: " + "; ".join(pieces) + f"; else {shifted}", *parts, *more)


def mux_tree(draft: Draft) -> None:
    """Multiplexers over expressions."""
    leaves = _leaves(draft, draft.rng.choice((2, 3, 4)), draft.rng.choice((1, 2, 3)))
    source = _drawer(draft, leaves, {"mux": 5, **_VALUES, "lt": 1, "eq": 1, "bit": 1}, 3)
    draft.result(mux(source.draw("B", 1), source.draw("U", 2), source.draw("U", 2)))


def when_chain(draft: Draft) -> None:
    """An output by the first condition that holds."""
    leaves = _leaves(draft, draft.rng.choice((2, 3)), draft.rng.choice((2, 3)))
    source = _drawer(draft, leaves, _BOTH)
    target = draft.output(leaves[0].type)
    cases, otherwise = _cases(draft, source, draft.rng.choice((2, 3, 4))), source.draw("U", 1)
    draft.choose(target, cases, otherwise)
    _tell(draft, target, cases, "{0}", otherwise)


def conditional_register(draft: Draft) -> None:
    """A register by the first condition that holds."""
    leaves = _leaves(draft, draft.rng.choice((1, 2)), draft.rng.choice((1, 2, 3)))
    stored = draft.register(leaves[0].type, draft.rng.choice((None, 0, 1)))
    source = _drawer(draft, [*leaves, stored], _BOTH)
    cases = _cases(draft, source, draft.rng.choice((1, 2, 3)))
    draft.update(stored, cases)
    port = draft.output(stored.type)
    draft.drive(port, stored)
    draft.say("{0} shows a register", port)
    _tell(draft, Expr("", "the register's next value", "next", stored.type), cases, "it keeps its value")


def decision_arith(draft: Draft) -> None:
    """Smaller, distance, sum or difference, clamp."""
    leaves = _leaves(draft, draft.rng.choice((2, 3)), 1)
    source = _drawer(draft, leaves, _BOTH)
    a, b = source.draw("U", 1), source.draw("U", 1)
    test = draft.rng.choice(("lt", "gt", "ge", "le"))
    shape = draft.rng.choice(("smaller", "distance", "conditional", "clamp"))
    if shape == "smaller":
        value = mux(apply(test, a, b), a, b)
    elif shape == "distance":
        value = mux(apply(test, a, b), apply("sub", b, a), apply("sub", a, b))
    elif shape == "conditional":
        value = mux(source.draw("B", 2), apply("add", a, b), apply("sub", a, b))
    else:
        limit = literal(draft.rng.randrange(1, 2 ** min(a.type.width, 6)), uint(min(a.type.width, 6)))
        value = mux(apply("gt", a, limit), limit, apply(draft.rng.choice(("add", "xor", "or")), a, b))
    draft.result(value)


_UNIT = ("add", "sub", "and", "or", "xor", "lt", "eq", "addx", "mul")


def alu(draft: Draft) -> None:
    """Operators chosen by a code, with a flag."""
    count = draft.rng.choice((3, 4, 4, 5, 6, 7))
    width = draft.rng.choice((4, 6, 8, 8, 12, 16))
    a, b = draft.input("data", uint(width)), draft.input("data", uint(width))
    select = draft.input("select", uint(max(2, (count - 1).bit_length())))
    target = draft.output(uint(width))
    cases = []
    for code, op in enumerate(draft.rng.sample(_UNIT, count)):
        value = apply(op, *((a, b) if draft.rng.random() < 0.8 else (b, a)))
        if value.type.kind == "B":
            value = Expr(f"{value.inner}.asUInt", value.words, value.inside, uint(1), atom=True)
        cases.append((apply("eq", select, literal(code, select.type)), value))
    rest = draft.rng.choice((a, b, literal(0, uint(width))))
    draft.choose(target, cases, rest)
    _tell(draft, target, cases, "{0}", rest)
    if draft.rng.random() < 0.5:
        flag = draft.output(BOOL)
        zero = literal(0, uint(width))
        test = draft.rng.choice(("eq", "lt", "ge"))
        left, right = (a, zero) if test == "eq" else (a, b)
        draft.drive(flag, apply(test, left, right))
        draft.say("{0} tells {1}", flag, apply(test, left, right))


def ranges(draft: Draft) -> None:
    """Flags for ranges of a value."""
    leaves = _leaves(draft, draft.rng.choice((1, 2)), draft.rng.choice((0, 1)))
    value, rng = leaves[0], draft.rng
    for _ in range(rng.choice((1, 2, 3))):
        low, high = sorted(rng.sample(range(1, 2 ** min(value.type.width, 10)), 2))
        first = apply(rng.choice(("ge", "gt")), value, literal(low, value.type))
        second = apply(rng.choice(("le", "lt")), value, literal(high, value.type))
        test = apply(rng.choice(("land", "land", "lor", "lxor")), first, second)
        if len(leaves) > 1 and rng.random() < 0.6:
            test = apply(rng.choice(("land", "lor")), test, _drawer(draft, leaves[1:], _TESTS, 1).draw("B", 1))
        draft.result(test)


def priority(draft: Draft) -> None:
    """Requests in an order of priority choose a value."""
    rng = draft.rng
    count = rng.choice((2, 3, 4))
    leaves = _leaves(draft, 2, count)
    data, requests = leaves[:2], leaves[2:]
    rng.shuffle(requests)
    source = _drawer(draft, data, _VALUES, 1)
    cases = [(request, source.draw("U", 1)) for request in requests]
    target = draft.output(data[0].type)
    otherwise = rng.choice((data[0], data[1], literal(0, data[0].type)))
    draft.choose(target, cases, otherwise)
    _tell(draft, target, cases, "{0}", otherwise)
    if rng.random() < 0.6:
        draft.result(_drawer(draft, requests, {"lor": 3, "land": 1, "lxor": 1}, 3).draw("B"))


def nested(draft: Draft) -> None:
    """A choice within a choice, written as nested `when` or `Mux`."""
    leaves = _leaves(draft, draft.rng.choice((2, 3)), 2)
    source = _drawer(draft, leaves, _BOTH)
    outer, inner = source.draw("B", 1), source.draw("B", 2)
    values = [source.draw("U", draft.rng.choice((1, 2))) for _ in range(3)]
    target = draft.output(leaves[0].type)
    if draft.style.conditions == "mux":
        draft.drive(target, mux(outer, mux(inner, values[0], values[1]), values[2]))
    else:
        shown = [fit(value, target.type).text for value in values]
        for deep, text in (
            (0, f"when({outer.text}) {{"),
            (1, f"when({inner.text}) {{"),
            (2, f"{target.text} := {shown[0]}"),
            (1, "} .otherwise {"),
            (2, f"{target.text} := {shown[1]}"),
            (1, "}"),
            (0, "} .otherwise {"),
            (1, f"{target.text} := {shown[2]}"),
            (0, "}"),
        ):
            draft.line(text, deep=deep)
    draft.say("where {1} holds, {0} is {3} if {2} holds, else {4}; otherwise it is {5}", target, outer, inner, *values)


def registered_choice(draft: Draft) -> None:
    """A choice behind a register."""
    leaves = _leaves(draft, draft.rng.choice((2, 3)), draft.rng.choice((1, 2)))
    source = _drawer(draft, leaves, _BOTH)
    value = mux(source.draw("B", 2), source.draw("U", 2), source.draw("U", 1))
    stored = draft.delayed(value) if draft.rng.random() < 0.6 else draft.kept(value, draft.input("enable", BOOL))
    draft.result(stored)


def accumulators(draft: Draft) -> None:
    """A running value with clear and enable."""
    rng = draft.rng
    leaves = _leaves(draft, rng.choice((1, 2)), rng.choice((0, 1)))
    enable, width = draft.input("enable", BOOL), leaves[0].type.width
    stored = draft.register(uint(min(32, width + rng.choice((0, 2, 4)))), 0)
    term = _drawer(draft, leaves, {**_VALUES, "mux": 2, "lt": 1, "bit": 1}, 2).draw("U")
    following = apply(rng.choice(("add", "add", "sub", "xor", "or", "and")), stored, term)
    cases = [(enable, following)]
    if rng.random() < 0.6:
        clear = draft.input("clear", BOOL)
        cases.insert(rng.choice((0, 1)), (clear, rng.choice((literal(0, stored.type), leaves[0]))))
    draft.update(stored, cases)
    port = draft.output(stored.type)
    draft.drive(port, stored)
    draft.say("{0} shows a register that starts at 0", port)
    _tell(draft, Expr("", "its next value", "next", stored.type), cases, "it keeps its value")


def compare_chains(draft: Draft) -> None:
    """Largest, smallest or middle of several values, with a flag."""
    rng = draft.rng
    leaves = _leaves(draft, rng.choice((2, 3, 4)), 0)
    best = leaves[0]
    for other in leaves[1:]:
        test = rng.choice(("lt", "gt"))
        best = draft.wire(mux(apply(test, best, other), best, other))
    draft.result(best)
    if rng.random() < 0.7:
        draft.result(_drawer(draft, leaves, _TESTS, 2).draw("B"))


def decoders(draft: Draft) -> None:
    """A table from a code to constants or values."""
    rng = draft.rng
    select = draft.input("select", uint(rng.choice((2, 3, 4))))
    extra = draft.input("data", uint(rng.choice((4, 8))))
    target = draft.output(uint(rng.choice((4, 7, 8))))
    source = _drawer(draft, [extra], {"add": 2, "xor": 2, "and": 2, "not": 1, "or": 1, "sub": 1}, 1)
    codes = rng.sample(range(2**select.type.width), min(2**select.type.width - 1, rng.randint(3, 6)))
    cases = []
    for code in codes:
        value = literal(rng.randrange(2**target.type.width), target.type) if rng.random() < 0.5 else source.draw("U", 1)
        cases.append((apply("eq", select, literal(code, select.type)), value))
    rest = rng.choice((extra, literal(0, target.type)))
    draft.choose(target, cases, rest)
    _tell(draft, target, cases, "{0}", rest)
    if rng.random() < 0.4:
        draft.result(bits(select, 0, 0))


def wide_mix(draft: Draft) -> None:
    """Arithmetic, logic, comparison and choice in one expression."""
    shape = Shape(
        "", ("U", "U", "B"), "U", {**_BOTH, "mux": 3, "addx": 1, "mul": 1, "cat": 1, "bits": 1}, 4, counts=(3, 4)
    )
    source, _ = drawer(shape, draft)
    for _ in range(draft.rng.choice((1, 1, 2))):
        draft.result(source.draw("U"))


CONTROL: dict[str, tuple[str, Callable[[Draft], None]]] = {
    "mux_tree": ("Choice by multiplexers", mux_tree),
    "when_chain": ("First condition that holds", when_chain),
    "conditional_register": ("Register with conditional updates", conditional_register),
    "decision_arith": ("Arithmetic with a decision", decision_arith),
    "alu": ("Small arithmetic and logic unit", alu),
    "ranges": ("Range detector", ranges),
    "priority": ("Priority selection", priority),
    "nested": ("Choice within a choice", nested),
    "registered_choice": ("Registered choice", registered_choice),
    "accumulators": ("Accumulator", accumulators),
    "compare_chains": ("Comparison of several values", compare_chains),
    "decoders": ("Decoder table", decoders),
    "wide_mix": ("Mixed datapath", wide_mix),
}
