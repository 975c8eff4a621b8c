"""Level 3: counters, shift registers, edge detection, state machines and what is built of them."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..expressions import BOOL, Drawer, Expr, Grammar, apply, as_kind, bits, cat, invert, literal, mux, uint

_GATE = {"land": 3, "lor": 3, "lxor": 1, "lnot": 2}


def _gate(draft: Draft, count: int) -> Expr:
    """A condition over a few new flags."""
    flags = [draft.input("flag", BOOL) for _ in range(count)]
    return Drawer(draft.rng, Grammar(_GATE, 2), flags).draw("B") if count > 1 else flags[0]


def _show(draft: Draft, stored: Expr, words: str) -> None:
    port = draft.output(stored.type)
    draft.drive(port, stored)
    draft.say("{0} shows " + words, port)


def counter(draft: Draft) -> None:
    """Counters: up, down, by steps, to a limit, with load, clear, gates and flags."""
    rng = draft.rng
    width = rng.choice((3, 4, 5, 6, 8, 8, 10, 12, 16))
    kind = uint(width)
    start = rng.choice((0, 0, 0, rng.randrange(2**width)))
    stored = draft.register(kind, start)
    top, one = literal(rng.randrange(2, 2**width), kind), literal(rng.choice((1, 1, 1, 2, 3)), kind)
    zero = literal(0, kind)
    step = apply("add", stored, one) if rng.random() < 0.7 else apply("sub", stored, one)
    end = rng.choice(("wrap", "limit", "saturate", "input"))
    if end == "limit":
        step = mux(apply(rng.choice(("eq", "ge")), stored, top), zero, step)
    elif end == "saturate":
        step = mux(apply("eq", stored, top), stored, step)
    elif end == "input":
        step = mux(apply(rng.choice(("eq", "ge")), stored, draft.input("data", kind)), zero, step)
    cases: list[tuple[Expr, Expr]] = []
    extras = rng.sample(("clear", "load", "down"), rng.choice((0, 1, 1, 2)))
    if "clear" in extras:
        cases.append((draft.input("clear", BOOL), rng.choice((zero, literal(start, kind)))))
    if "load" in extras:
        cases.append((draft.input("load", BOOL), draft.input("data", kind)))
    if "down" in extras:
        cases.append((draft.input("flag", BOOL), apply("sub", stored, one)))
    cases.append((_gate(draft, rng.choice((1, 1, 2, 3))), step))
    draft.update(stored, cases)
    _show(draft, stored, f"a register that starts at {start}")
    for condition, value in cases:
        draft.say("when {0} holds (earlier rules first), it becomes {1}", condition, value)
    if rng.random() < 0.5:
        draft.result(apply(rng.choice(("eq", "ge", "lt")), stored, rng.choice((top, zero if end == "wrap" else top))))


def shift_register(draft: Draft) -> None:
    """Shift registers: serial in, parallel load, feedback."""
    rng = draft.rng
    width = rng.choice((3, 4, 5, 6, 7, 8, 12, 16))
    kind = uint(width)
    feedback = rng.random() < 0.35
    stored = draft.register(kind, 1 if feedback else 0)
    taps = sorted(rng.sample(range(width), min(width, rng.choice((2, 2, 3, 4)))))
    incoming = bits(stored, taps[0], taps[0])
    for tap in taps[1:]:
        incoming = apply("lxor", incoming, bits(stored, tap, tap))
    if rng.random() < 0.3:
        incoming = invert(incoming)
    if not feedback:
        incoming = _gate(draft, rng.choice((1, 1, 2, 3)))
    bit = as_kind(incoming, "U")
    left = rng.random() < 0.5
    moved = cat(bits(stored, width - 2, 0), bit) if left else cat(bit, bits(stored, width - 1, 1))
    cases: list[tuple[Expr, Expr]] = []
    if rng.random() < 0.4:
        cases.append((draft.input("load", BOOL), draft.input("data", kind)))
    if rng.random() < 0.3:
        cases.append((draft.input("clear", BOOL), literal(rng.choice((0, 2**width - 1)), kind)))
    cases.append((_gate(draft, rng.choice((1, 2, 2))), moved))
    draft.update(stored, cases)
    for condition, value in cases:
        draft.say("when {0} holds (earlier rules first), the shift register becomes {1}", condition, value)
    view = rng.choice(("all", "bit", "both", "test"))
    if view in ("all", "both"):
        _show(draft, stored, "the shift register")
    if view in ("bit", "both"):
        draft.result(bits(stored, width - 1 if left else 0, width - 1 if left else 0))
    if view == "test":
        draft.result(apply("eq", stored, literal(rng.randrange(1, 2**width), kind)))


def edges(draft: Draft) -> None:
    """Edge detection: which edge, after how many flip-flops, gated, counted or kept."""
    rng = draft.rng
    source = _gate(draft, rng.choice((1, 1, 2)))
    for _ in range(rng.choice((0, 0, 1, 2))):
        source = draft.delayed(source, rng.choice((None, 0)))
    before = draft.delayed(source, 0)
    edge = {
        "rise": lambda: apply("land", source, invert(before)),
        "fall": lambda: apply("land", invert(source), before),
        "both": lambda: apply("lxor", source, before),
    }[rng.choice(("rise", "fall", "both"))]()
    if rng.random() < 0.4:
        edge = apply(rng.choice(("land", "land", "lor")), edge, _gate(draft, rng.choice((1, 2))))
    use = rng.choice(("plain", "count", "sticky", "toggle", "late", "capture"))
    if use == "plain":
        draft.result(edge)
    elif use == "late":
        draft.result(draft.delayed(edge, 0))
    elif use == "capture":
        draft.result(draft.kept(draft.input("data", uint(rng.choice((4, 8, 16)))), edge, rng.choice((None, 0))))
    else:
        kind = uint(rng.choice((4, 6, 8, 12))) if use == "count" else BOOL
        stored = draft.register(kind, 0)
        value = apply("add", stored, literal(1, kind)) if use == "count" else literal(1, BOOL)
        value = invert(stored) if use == "toggle" else value
        cases = [(edge, value)]
        if use == "sticky" or rng.random() < 0.4:
            cases.insert(rng.choice((0, 1)), (draft.input("clear", BOOL), literal(0, kind)))
        draft.update(stored, cases)
        _show(draft, stored, "a register that starts at 0")
        for condition, becomes in cases:
            draft.say("when {0} holds (earlier rules first), it becomes {1}", condition, becomes)


_STATES = ("Idle", "Load", "Run", "Wait", "Check", "Send", "Done", "Error")


def machine(draft: Draft, *, choices: tuple[int, ...] = (3, 4, 4, 5, 6)) -> None:
    """State machines over an Enum; transitions are drawn so that every state is reached."""
    rng = draft.rng
    count = rng.choice(choices)
    names = [f"s{name}" for name in _STATES[:count]]
    flags = [draft.input("flag", BOOL) for _ in range(rng.choice((1, 2, 2, 3)))]
    source = Drawer(rng, Grammar(_GATE, 1), flags)
    draft.line(f"val {' :: '.join(names)} :: Nil = Enum({count})")
    draft.line(f"val state = RegInit({names[0]})")
    draft.line("switch(state) {")
    for index, name in enumerate(names):
        following = [names[(index + 1) % count]]
        if rng.random() < 0.5:
            following.append(rng.choice([other for other in names if other not in (name, following[0])] or names[:1]))
        draft.line(f"is({name}) {{", deep=1)
        opening = "when"
        for target in following:
            condition = source.draw("B", rng.choice((0, 1)))
            draft.line(f"{'} .' if opening == 'elsewhen' else ''}{opening}({condition.text}) {{", deep=2)
            draft.line(f"state := {target}", deep=3)
            rule = f"from {name} it goes to {target} when {{0}} holds"
            draft.say(rule + (" and no rule before applies" if opening == "elsewhen" else ""), condition)
            opening = "elsewhen"
        draft.line("}", deep=2)
        draft.line("}", deep=1)
    draft.line("}")
    draft.sayings.insert(
        0, type(draft.sayings[0])(f"a state machine with the states {', '.join(names)} starts in {names[0]}", ())
    )
    for _ in range(rng.choice((1, 1, 2, 3))):
        shown = sorted(rng.sample(range(count), rng.choice((1, 1, 2)) if count > 2 else 1))
        port = draft.output(BOOL)
        test = " || ".join(f"state === {names[index]}" for index in shown)
        gate = rng.choice(flags) if rng.random() < 0.3 else None
        draft.line(f"{port.text} := {f'({test}) && {gate.text}' if gate else test}")
        where = " or ".join(names[index] for index in shown)
        extra = (gate,) if gate else ()
        draft.say(f"{{0}} is high in {where}" + (" while {1} holds" if gate else ""), port, *extra)


def timer(draft: Draft) -> None:
    """A counter that is started and says when it is done."""
    rng = draft.rng
    width = rng.choice((4, 6, 8, 10))
    kind = uint(width)
    left, running = draft.register(kind, 0), draft.register(BOOL, 0)
    begin = _gate(draft, rng.choice((1, 2)))
    span = draft.input("data", kind) if rng.random() < 0.5 else literal(rng.randrange(3, 2**width), kind)
    one, zero = literal(1, kind), literal(0, kind)
    final = apply("land", running, apply("eq", left, rng.choice((zero, one))))
    tick = apply("land", running, _gate(draft, 1)) if rng.random() < 0.5 else running
    draft.update(left, [(begin, span), (tick, apply("sub", left, one))])
    cases = [(begin, literal(1, BOOL)), (final, literal(0, BOOL))]
    if rng.random() < 0.5:
        cases.insert(0, (draft.input("clear", BOOL), literal(0, BOOL)))
    draft.update(running, cases)
    draft.say("when {0} holds, a down counter takes {1} and a busy flag is set; while busy it counts down", begin, span)
    draft.say("the busy flag falls when {0}; the counter steps where {1}", final, tick)
    draft.result(final)
    if rng.random() < 0.6:
        _show(draft, running, "the busy flag")
    if rng.random() < 0.4:
        _show(draft, left, "what is left")


def debounce(draft: Draft) -> None:
    """An output that follows once the input was stable, or a pattern in a stream."""
    rng = draft.rng
    length = rng.choice((2, 3, 4, 5, 6))
    source = _gate(draft, rng.choice((1, 2)))
    history = draft.register(uint(length), 0)
    moved = cat(bits(history, length - 2, 0), as_kind(source, "U"))
    cases = [(_gate(draft, 1), moved)] if rng.random() < 0.5 else []
    draft.update(history, cases, None if cases else moved)
    draft.say(f"a register of the last {length} samples of {{0}} is kept", source)
    if rng.random() < 0.5:
        pattern = literal(rng.randrange(1, 2**length), history.type)
        found = apply("eq", history, pattern)
        found = apply("land", found, _gate(draft, 1)) if rng.random() < 0.5 else found
        draft.result(draft.delayed(found, 0) if rng.random() < 0.4 else found)
        return
    stable = draft.register(BOOL, 0)
    ones, none = literal(2**length - 1, history.type), literal(0, history.type)
    cases = [(apply("eq", history, ones), literal(1, BOOL)), (apply("eq", history, none), literal(0, BOOL))]
    if rng.random() < 0.4:
        cases.insert(0, (draft.input("clear", BOOL), literal(0, BOOL)))
    draft.update(stable, cases)
    _show(draft, stable, "a flag that is set once all samples are high, cleared once all are low")


def ring(draft: Draft) -> None:
    """One-hot rotation, Johnson counters and Gray codes."""
    rng = draft.rng
    width = rng.choice((3, 4, 5, 6, 8))
    kind, shape = uint(width), rng.choice(("ring", "johnson", "gray"))
    stored = draft.register(kind, 1 if shape == "ring" else 0)
    last = bits(stored, width - 1, width - 1)
    if shape == "ring":
        following = cat(bits(stored, width - 2, 0), as_kind(last, "U"))
    elif shape == "johnson":
        following = cat(bits(stored, width - 2, 0), as_kind(invert(last), "U"))
    else:
        following = apply("add", stored, literal(1, kind))
    cases = [(_gate(draft, rng.choice((1, 2, 3))), following)]
    if rng.random() < 0.5:
        cases.insert(0, (draft.input("load", BOOL), draft.input("data", kind)))
    draft.update(stored, cases)
    for condition, value in cases:
        draft.say("when {0} holds (earlier rules first), the register becomes {1}", condition, value)
    shown = stored
    if shape == "gray":
        half = Expr(f"{stored.text} >> 1", "the register shifted right by 1", f"{stored.formula} >> 1", uint(width - 1))
        shown = apply("xor", stored, half)
    draft.result(shown)
    if rng.random() < 0.5:
        draft.result(apply("eq", stored, literal(rng.randrange(1, 2**width), kind)))


SEQUENTIAL: dict[str, tuple[str, Callable[[Draft], None]]] = {
    "counter": ("Counter", counter),
    "shift_register": ("Shift register", shift_register),
    "edges": ("Edge detector", edges),
    "machine": ("State machine", machine),
    "timer": ("Timer", timer),
    "debounce": ("Sampled input filter", debounce),
    "ring": ("Ring, Johnson or Gray counter", ring),
}
