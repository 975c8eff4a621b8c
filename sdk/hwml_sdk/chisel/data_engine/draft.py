"""A module while it is written: ports, statements and what is said about them, rendered in one style."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .expressions import Expr, Type, fit, literal
from .styles import Style

_UTIL = re.compile(
    r"\b(Cat|Fill|PopCount|Reverse|Log2|PriorityEncoder|PriorityEncoderOH|OHToUInt|UIntToOH|MuxCase|MuxLookup|Mux1H|"
    r"Enum|switch|is|RegEnable|ShiftRegister|Counter|Valid|Decoupled|DecoupledIO|Queue|log2Ceil|PriorityMux|isPow2)\b(?=[\[(])"
)
# Names that a module has already, or that Scala keeps for itself.
_TAKEN = ("io", "clock", "reset", "val", "type", "name", "new", "class", "match", "is", "switch")


@dataclass(frozen=True, slots=True)
class PortDraft:
    """A port; `direction` is Input or Output."""

    name: str
    direction: str
    type: Type


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence with places for expressions, which a wording shows in words or as formulas."""

    pattern: str
    parts: tuple[Expr, ...]


class Draft:
    """One module. Circuit choices come from `rng` alone, so that every style writes the same circuit."""

    def __init__(self, top: str, title: str, style: Style, rng: random.Random, taste: random.Random) -> None:
        self.top = top
        self.title = title
        self.style = style
        self.rng = rng
        self.taste = taste
        self.ports: list[PortDraft] = []
        self.lines: list[str] = []
        self.sayings: list[Saying] = []
        self.before: list[str] = []  # other classes of the file
        self.raw_ports: list[str] = []  # port declarations that are more than a type
        self.parameters = ""
        self._names: set[str] = set(_TAKEN)

    def name(self, role: str) -> str:
        """A free name for a role."""
        pool = self.style.pool(role)
        found = next((name for name in pool if name not in self._names), "")
        number = len(pool)
        while not found:
            candidate = f"{pool[0]}{number}"
            found = candidate if candidate not in self._names else ""
            number += 1
        self._names.add(found)
        return found

    def input(self, role: str, kind: Type) -> Expr:
        """An input port."""
        return self._port(role, "Input", kind)

    def output(self, kind: Type, role: str = "output") -> Expr:
        """An output port."""
        return self._port(role, "Output", kind)

    def _port(self, role: str, direction: str, kind: Type) -> Expr:
        name = self.name(role)
        self.ports.append(PortDraft(name, direction, kind))
        return Expr(self.place(name), f"`{name}`", name, kind, atom=True)

    def place(self, name: str) -> str:
        """How a port is referred to."""
        return name if self.style.ports == "loose" else f"io.{name}"

    def line(self, text: str, *, deep: int = 0) -> None:
        """A statement of the body."""
        self.lines.append(" " * (self.style.indent * deep) + text)

    def say(self, pattern: str, *parts: Expr) -> None:
        """Add a sentence on what the module does."""
        self.sayings.append(Saying(pattern, parts))

    def drive(self, target: Expr, value: Expr) -> None:
        """Connect an output, cut to its width."""
        self.line(f"{target.text} := {fit(value, target.type).text}{self.style.remark(self.taste)}")

    def result(self, value: Expr, *, widest: int = 24) -> Expr:
        """A new output that shows a value, and the sentence that says so."""
        kind = replace(value.type, width=min(value.type.width, widest))
        port = self.output(kind)
        self.drive(port, value)
        self.say("{0} is {1}", port, value)
        return port

    def wire(self, value: Expr) -> Expr:
        """A named intermediate value."""
        name = self.name("wire")
        if self.style.conditions == "default":
            self.line(f"val {name} = Wire({value.type.chisel})")
            self.line(f"{name} := {value.text}")
        else:
            self.line(f"val {name} = {value.text}{self.style.remark(self.taste)}")
        return Expr(name, value.words, value.inside, value.type, atom=True)

    def register(self, kind: Type, init: int | None) -> Expr:
        """A register that `update` gives its next values."""
        name = self.name("state")
        if init is None:
            self.line(f"val {name} = Reg({kind.chisel})")
        else:
            self.line(f"val {name} = RegInit({literal(init, kind).text})")
        return Expr(name, "the stored value", name, kind, atom=True)

    def update(self, register: Expr, cases: Sequence[tuple[Expr, Expr]], otherwise: Expr | None = None) -> None:
        """Next values by condition, the first that holds; without any the register keeps its value."""
        kind = register.type
        if self.style.conditions == "mux":
            value = register.text if otherwise is None else fit(otherwise, kind).text
            for condition, then in reversed(cases):
                value = f"Mux({condition.text}, {fit(then, kind).text}, {value})"
            self.line(f"{register.text} := {value}")
            return
        self._branches(register, cases, otherwise)

    def _branches(self, target: Expr, cases: Sequence[tuple[Expr, Expr]], otherwise: Expr | None) -> None:
        opening = "when"
        for condition, then in cases:
            self.line(f"{'} .' if opening == 'elsewhen' else ''}{opening}({condition.text}) {{")
            self.line(f"{target.text} := {fit(then, target.type).text}{self.style.remark(self.taste)}", deep=1)
            opening = "elsewhen"
        if not cases:
            if otherwise is not None:
                self.line(f"{target.text} := {fit(otherwise, target.type).text}")
            return
        if otherwise is not None:
            self.line("} .otherwise {")
            self.line(f"{target.text} := {fit(otherwise, target.type).text}", deep=1)
        self.line("}")

    def choose(self, target: Expr, cases: Sequence[tuple[Expr, Expr]], otherwise: Expr) -> None:
        """Drive an output with the first value whose condition holds."""
        if self.style.conditions == "mux":
            self.update(target, cases, otherwise)
        elif self.style.conditions == "default":
            self.line(f"{target.text} := {fit(otherwise, target.type).text}")
            self._branches(target, cases, None)
        else:
            self._branches(target, cases, otherwise)

    def delayed(self, value: Expr, init: int | None = None) -> Expr:
        """The value of the cycle before."""
        name = self.name("state")
        if self.style.registers == "next":
            reset = "" if init is None else f", {literal(init, value.type).text}"
            self.line(f"val {name} = RegNext({value.text}{reset})")
        else:
            start = f"Reg({value.type.chisel})" if init is None else f"RegInit({literal(init, value.type).text})"
            self.line(f"val {name} = {start}")
            self.line(f"{name} := {value.text}")
        return Expr(name, f"{value.words}, one cycle late", f"last({value.formula})", value.type, atom=True)

    def kept(self, value: Expr, enable: Expr, init: int | None = None) -> Expr:
        """The value of the last cycle in which `enable` held."""
        name = self.name("state")
        if self.style.registers == "next":
            reset = "" if init is None else f", {literal(init, value.type).text}"
            self.line(f"val {name} = RegEnable({value.text}{reset}, {enable.text})")
        else:
            start = f"Reg({value.type.chisel})" if init is None else f"RegInit({literal(init, value.type).text})"
            self.line(f"val {name} = {start}")
            self.line(f"when({enable.text}) {{")
            self.line(f"{name} := {value.text}", deep=1)
            self.line("}")
        words = f"{value.words}, captured when {enable.words} holds"
        return Expr(name, words, f"captured({value.formula})", value.type, atom=True)

    def drop_unused(self) -> None:
        """Take inputs away that nothing reads."""
        words = set(re.findall(r"\w+", "\n".join(self.lines)))
        self.ports = [port for port in self.ports if port.direction == "Output" or port.name in words]

    def source(self) -> str:
        """The whole file."""
        tab = " " * self.style.indent
        head = self._ports(tab)
        body = [*head, "", *(tab + line if line else line for line in self.lines)]
        doc = [f"/** {self.title}. */"] if self.style.comments == "doc" else []
        if self.style.comments == "line":
            doc = [f"// {self.title}"]
        classes = [*self.before, *([""] if self.before else [])]
        module = [*doc, f"class {self.top}{self.parameters} extends Module {{", *body, "}"]
        bundle: list[str] = []
        if self.style.ports == "named" and not self.parameters:
            bundle = [f"class {self.top}IO extends Bundle {{", *self._declared(tab), "}", ""]
        text = "\n".join([*classes, *bundle, *module]) + "\n"
        return "\n".join(self._imports(text)) + "\n\n" + text

    def _declared(self, tab: str) -> list[str]:
        plain = [f"{tab}val {port.name} = {port.direction}({port.type.chisel})" for port in self.ports]
        return [*plain, *(f"{tab}{line}" for line in self.raw_ports)]

    def _ports(self, tab: str) -> list[str]:
        if self.style.ports == "loose":
            plain = [f"{tab}val {port.name} = IO({port.direction}({port.type.chisel}))" for port in self.ports]
            raw = (line.partition(" = ") for line in self.raw_ports)
            return [*plain, *(f"{tab}{name} = IO({value})" for name, _, value in raw)]
        if self.style.ports == "named" and not self.parameters:
            return [f"{tab}val io = IO(new {self.top}IO)"]
        return [f"{tab}val io = IO(new Bundle {{", *(tab + line for line in self._declared(tab)), f"{tab}}})"]

    def _imports(self, text: str) -> list[str]:
        used = sorted(set(_UTIL.findall(text)))
        if not used:
            return ["import chisel3._"]
        if self.style.precise_imports:
            chosen = used[0] if len(used) == 1 else "{" + ", ".join(used) + "}"
            return ["import chisel3._", f"import chisel3.util.{chosen}"]
        return ["import chisel3._", "import chisel3.util._"]
