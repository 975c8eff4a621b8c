"""Level 4: parameters, Valid and Decoupled, a Vec of modules, Bundles with direction."""

from __future__ import annotations

from collections.abc import Callable

from ..draft import Draft
from ..expressions import BOOL, Drawer, Expr, Grammar, apply, fit, uint

_VALUES = {"add": 3, "sub": 2, "xor": 2, "and": 2, "or": 1, "not": 1}


def _drawn(draft: Draft, leaves: list[Expr], depth: int = 2) -> Expr:
    return Drawer(draft.rng, Grammar({**_VALUES, "mux": 1, "lt": 1, "eq": 1, "bit": 1}, depth, 0.15), leaves).draw("U")


def parameterised(draft: Draft) -> None:
    """A module with a width parameter; its default is elaborated."""
    rng = draft.rng
    width = rng.choice((4, 6, 8, 8, 12, 16, 24, 32))
    word = rng.choice(("width", "w", "n", "dataWidth"))
    draft.parameters = f"({word}: Int = {width})"
    count = rng.choice((2, 3))
    names = [draft.name("data") for _ in range(count)]
    result = draft.name("output")
    for name in names:
        draft.raw_ports.append(f"val {name} = Input(UInt({word}.W))")
    draft.raw_ports.append(f"val {result} = Output(UInt({word}.W))")
    leaves = [Expr(draft.place(name), f"`{name}`", name, uint(width), atom=True) for name in names]
    value = fit(_drawn(draft, leaves, 3), uint(width))
    stages = rng.choice((0, 0, 1, 2))
    text = value.text if value.type.width <= width else f"({value.text})"
    for stage in range(stages):
        draft.line(f"val stage{stage} = RegNext({text})")
        text = f"stage{stage}"
    draft.line(f"{draft.place(result)} := {text}")
    late = f", {stages} cycles late" if stages else ""
    draft.say(f"with the parameter `{word}` (default {width}), `{result}` is {{0}}{late}", value)


def _stream(draft: Draft, name: str, kind: str, width: int, *, is_input: bool) -> None:
    made = f"{kind}(UInt({width}.W))"
    draft.raw_ports.append(f"val {name} = {f'Flipped({made})' if is_input else made}")


def valid_pipe(draft: Draft) -> None:
    """Valid in, some stages, Valid out."""
    rng = draft.rng
    width, stages = rng.choice((4, 8, 8, 12, 16, 32)), rng.choice((1, 2, 3))
    source, sink = ("in", "out") if draft.style.names != "camel" else ("request", "response")
    _stream(draft, source, "Valid", width, is_input=True)
    _stream(draft, sink, "Valid", width, is_input=False)
    leaves = [Expr(f"{draft.place(source)}.bits", f"`{source}.bits`", f"{source}.bits", uint(width), atom=True)]
    leaves += [draft.input("data", uint(width)) for _ in range(rng.choice((0, 1, 1)))]
    valid = f"{draft.place(source)}.valid"
    gate = draft.input("enable", BOOL) if rng.random() < 0.4 else None
    text, shown = (f"{valid} && {gate.text}" if gate else valid), []
    value = _drawn(draft, leaves)
    for stage in range(stages):
        shown.append(value)
        draft.line(f"val bits{stage} = Reg(UInt({width}.W))")
        draft.line(f"bits{stage} := {fit(value, uint(width)).text}")
        draft.line(f"val valid{stage} = RegNext({text}, false.B)")
        text = f"valid{stage}"
        leaves = [Expr(f"bits{stage}", f"the value of stage {stage + 1}", f"stage{stage + 1}", uint(width), atom=True)]
        value = _drawn(draft, leaves, 1)
    draft.line(f"{draft.place(sink)}.valid := {text}")
    draft.line(f"{draft.place(sink)}.bits := bits{stages - 1}")
    for stage, value in enumerate(shown, start=1):
        draft.say(f"stage {stage} of {stages} registers {{0}}", value)
    tail = (" when {0} holds",) if gate else ("",)
    draft.say(f"the valid flag travels along with it{tail[0]}", *((gate,) if gate else ()))


def decoupled_stage(draft: Draft) -> None:
    """A register between two ready/valid ports."""
    rng = draft.rng
    width = rng.choice((4, 8, 8, 12, 16, 32))
    _stream(draft, "in", "Decoupled", width, is_input=True)
    _stream(draft, "out", "Decoupled", width, is_input=False)
    source, sink = draft.place("in"), draft.place("out")
    leaves = [Expr(f"{source}.bits", "`in.bits`", "in.bits", uint(width), atom=True)]
    leaves += [draft.input("data", uint(width)) for _ in range(rng.choice((0, 0, 1)))]
    value = _drawn(draft, leaves)
    draft.line(f"val full = RegInit({'false.B'})")
    draft.line(f"val held = Reg(UInt({width}.W))")
    hold = draft.input("flag", BOOL) if rng.random() < 0.4 else None
    flow = rng.random() < 0.5
    ready = f"!full || {sink}.ready" if flow else "!full"
    draft.line(f"{source}.ready := {f'({ready}) && !{hold.text}' if hold else ready}")
    draft.line(f"{sink}.valid := full")
    draft.line(f"{sink}.bits := {'held' if rng.random() < 0.6 else fit(_kept(draft, width), uint(width)).text}")
    draft.line(f"when({source}.ready && {source}.valid) {{")
    draft.line("full := true.B", deep=1)
    draft.line(f"held := {fit(value, uint(width)).text}", deep=1)
    draft.line(f"}} .elsewhen({sink}.ready) {{")
    draft.line("full := false.B", deep=1)
    draft.line("}")
    draft.say("one register between a Decoupled input and a Decoupled output takes {0}", value)
    draft.say("a new word is taken " + ("while the register is empty or read" if flow else "only while it is empty"))
    if hold:
        draft.say("while {0} holds nothing is taken", hold)


def _kept(draft: Draft, width: int) -> Expr:
    held = Expr("held", "the held word", "held", uint(width), atom=True)
    value = _drawn(draft, [held], 1)
    draft.say("what is offered is {0}", value)
    return value


def vec_of_modules(draft: Draft) -> None:
    """Several instances of a small module, side by side or in a chain."""
    rng = draft.rng
    width, count = rng.choice((4, 6, 8, 8, 12, 16)), rng.choice((2, 3, 4))
    cell = f"{draft.top}Cell"
    tab = " " * draft.style.indent
    a = Expr("io.x", "x", "x", uint(width), atom=True)
    b = Expr("io.y", "y", "y", uint(width), atom=True)
    value = fit(_drawn(draft, [a, b]), uint(width))
    stored = rng.random() < 0.5
    body = f"io.z := {f'RegNext({value.text})' if stored else value.text}"
    ports = [f"{tab}{tab}val {n} = {d}(UInt({width}.W))" for n, d in (("x", "Input"), ("y", "Input"), ("z", "Output"))]
    draft.before = [
        f"class {cell} extends Module {{",
        f"{tab}val io = IO(new Bundle {{",
        *ports,
        f"{tab}}})",
        f"{tab}{body}",
        "}",
    ]
    inputs = [draft.input("data", uint(width)) for _ in range(rng.choice((2, 3)))]
    draft.line(f"val cells = Seq.fill({count})(Module(new {cell}))")
    last = inputs[0].text
    for index in range(count):
        draft.line(f"cells({index}).io.x := {last}")
        draft.line(f"cells({index}).io.y := {inputs[(index + 1) % len(inputs)].text}")
        last = f"cells({index}).io.z" if rng.random() < 0.8 else rng.choice(inputs).text
    port = draft.output(uint(width))
    sign = rng.choice(("^", "|", "&", "+"))
    draft.line(f"{port.text} := cells.map(_.io.z).reduce(_ {sign} _)")
    late = " one cycle late" if stored else ""
    draft.say(
        f"{count} instances of `{cell}` give z, {{0}} of their inputs x and y{late}; they stand in a chain", value
    )
    draft.say(f"{{0}} is the results of all cells joined by {sign}", port)


def bundles(draft: Draft) -> None:
    """A Bundle class used in both directions."""
    rng = draft.rng
    width = rng.choice((4, 6, 8, 12, 16))
    kind, tab = f"{draft.top}Pair", " " * draft.style.indent
    draft.before = [
        f"class {kind} extends Bundle {{",
        f"{tab}val low = UInt({width}.W)",
        f"{tab}val high = UInt({width}.W)",
        "}",
    ]
    draft.raw_ports += [f"val source = Input(new {kind})", f"val target = Output(new {kind})"]
    place = draft.place("source")
    leaves = [Expr(f"{place}.{f}", f"`source.{f}`", f"source.{f}", uint(width), atom=True) for f in ("low", "high")]
    leaves += [draft.input("data", uint(width)) for _ in range(rng.choice((0, 1)))]
    swap = draft.input("flag", BOOL) if rng.random() < 0.5 else None
    name = "made"
    draft.line(f"val {name} = Wire(new {kind})")
    for part in ("low", "high"):
        value = fit(_drawn(draft, leaves), uint(width))
        draft.line(f"{name}.{part} := {value.text}")
        draft.say(f"`target.{part}` is {{0}}", value)
    late = rng.random() < 0.5
    draft.line(f"{draft.place('target')} := {f'RegNext({name})' if late else name}")
    if late:
        draft.say("both parts are registered")
    if swap:
        draft.result(apply("land", swap, apply("lt", leaves[0], leaves[1])))


STRUCTURAL: dict[str, tuple[str, Callable[[Draft], None]]] = {
    "parameterised": ("Module with a width parameter", parameterised),
    "valid_pipe": ("Pipeline with Valid", valid_pipe),
    "decoupled_stage": ("Ready/valid register stage", decoupled_stage),
    "vec_of_modules": ("Chain of instances", vec_of_modules),
    "bundles": ("Bundle transformer", bundles),
}
