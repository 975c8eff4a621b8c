"""A circuit's netlist as one number: the same for any names, order of statements and order of equal ports.

Of the circuit that `qor.hw_ir` reads: what makes hardware, so that assertions, prints and what a memory holds at first
tell no two circuits apart.
Each value is coloured by its operator and the colours of its operands, again and again, so that registers in loops are
told apart too (colour refinement, Weisfeiler and Leman 1968). The abstract number leaves out widths, constants and
where bits are cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..qor.circuit import Circuit, Module, Operation

_COMMUTES = ("and", "or", "xor", "add", "mul")
_PORTS = ("read", "write", "read_write")  # of a memory, which is a value that they name: they are what uses it
_ROUNDS_MOST = 24


@dataclass(frozen=True, slots=True)
class Netlist:
    """exact, abstract: the two numbers; unused: input ports that reach no output; constant: outputs fed by none."""

    exact: str
    abstract: str
    unused: tuple[str, ...]
    constant: int


@dataclass(frozen=True, slots=True)
class _Node:
    """An operation, or one result of an instance: what it is called at first, and what it reads."""

    label: str
    operands: tuple[str, ...]
    commutes: bool


def netlist(circuit: Circuit, top: str | None = None) -> Netlist:
    """The numbers of one module, by default the top. Raises KeyError for a name that is not there."""
    module = circuit.modules[top or circuit.top]
    exact: dict[str, str] = {}
    abstract: dict[str, str] = {}
    for part in _instances_first(circuit, module):
        exact[part.name] = _Colours(part, exact, abstract=False).number()
        abstract[part.name] = _Colours(_without_padding(part), abstract, abstract=True).number()
    constants = {name for item in module.operations if item.kind == "constant" for name in item.results}
    reached = _reached(module)
    unused = tuple(name for name in module.inputs if name not in reached and name not in ("clock", "reset"))
    fed_by_none = sum(driver in constants for driver in module.drivers.values())
    return Netlist(exact[module.name], abstract[module.name], unused, fed_by_none)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


class _Colours:
    """Colours of the values of one module. inside: numbers of the modules that it instantiates."""

    def __init__(self, module: Module, inside: Mapping[str, str], *, abstract: bool) -> None:
        self.module, self.inside, self.abstract = module, inside, abstract
        self.nodes: dict[str, _Node] = {}
        self.sinks: list[_Node] = []  # what gives no value, and ports of memories
        for item in module.operations:
            self._add(item)

    def _add(self, item: Operation) -> None:
        label, operands = self._label(item), _reads(item)
        for place, name in enumerate(item.results):
            self.nodes[name] = _Node(f"{label} #{place}", operands, item.kind in _COMMUTES)
        if not item.results or item.kind in _PORTS:
            self.sinks.append(_Node(label, operands, commutes=False))

    def _label(self, item: Operation) -> str:
        """Operator, widths and constants; an instance by the number of its module."""
        if item.kind == "instance":
            return f"instance {self.inside.get(item.word, 'outside')}"
        plain = f"{item.kind} {item.word}"
        return plain if self.abstract else f"{plain} {item.number} {item.width}"

    def number(self) -> str:
        """One number of the whole module."""
        first = {name: _digest("in" if self.abstract else f"in {width}") for name, width in self.module.inputs.items()}
        first |= {name: _digest(node.label) for name, node in self.nodes.items()}
        colours = self._refined(first)
        for _ in range(2):
            first = first | self._by_uses(colours, first)
            colours = self._refined(first)
        driven = sorted(colours.get(name, "?") for name in self.module.drivers.values())
        sinks = sorted(node.label + self._below(node, colours) for node in self.sinks)
        return _digest(" ".join([*driven, "|", *sinks, "|", *sorted(colours[name] for name in self.module.inputs)]))

    def _refined(self, first: Mapping[str, str]) -> dict[str, str]:
        colours = dict(first)
        kinds = len(set(colours.values()))
        for _ in range(_ROUNDS_MOST):
            below = {name: _digest(f"{first[name]} {self._below(node, colours)}") for name, node in self.nodes.items()}
            colours = colours | below
            count = len(set(colours.values()))
            if count == kinds:
                break
            kinds = count
        return colours

    def _below(self, node: _Node, colours: Mapping[str, str]) -> str:
        below = [colours.get(operand, "?") for operand in node.operands]
        return " ".join(sorted(below) if node.commutes else below)

    def _by_uses(self, colours: Mapping[str, str], first: Mapping[str, str]) -> dict[str, str]:
        """Tell inputs apart by what uses them: equal ports that are used alike may be exchanged, others not."""
        uses: dict[str, list[str]] = {name: [] for name in self.module.inputs}
        for name, node in self.nodes.items():
            for place, operand in enumerate(node.operands):
                if operand in uses:
                    uses[operand].append(f"{colours[name]}{'' if node.commutes else place}")
        for driver in self.module.drivers.values():
            if driver in uses:
                uses[driver].append("out")
        return {name: _digest(first[name] + " ".join(sorted(found))) for name, found in uses.items()}


def _reads(item: Operation) -> tuple[str, ...]:
    """Values that an operation reads, what clocks it among them; "" holds the place of one that is absent."""
    return (*item.operands, item.clock) if item.clock else item.operands


def _without_padding(module: Module) -> Module:
    """Constants that only widen a value are widths, too: the value stands for what widens it."""
    constants = {name for item in module.operations if item.kind == "constant" for name in item.results}
    same: dict[str, str] = {}
    for item in module.operations:
        left = [name for name in item.operands if name not in constants] if item.kind == "concat" else []
        if len(left) == 1:
            same[item.results[0]] = left[0]

    def real(name: str) -> str:
        while name in same:
            name = same[name]
        return name

    kept = [item for item in module.operations if not item.results or item.results[0] not in same]
    operations = tuple(item._replace(operands=tuple(map(real, item.operands))) for item in kept)
    drivers = {output: real(driver) for output, driver in module.drivers.items()}
    return replace(module, operations=operations, drivers=drivers)


def _reached(module: Module) -> set[str]:
    """Values that reach an output, or what gives no value."""
    readers = {name: _reads(item) for item in module.operations for name in item.results}
    sinks = [item for item in module.operations if not item.results or item.kind in _PORTS]
    waiting = [*module.drivers.values(), *(name for item in sinks for name in _reads(item))]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += readers.get(name, ())
    return seen


def _instances_first(circuit: Circuit, top: Module) -> Iterable[Module]:
    """A module and all that stands inside it, each behind what it instantiates."""
    found: dict[str, Module] = {}

    def visit(module: Module, above: Sequence[str]) -> None:
        for item in module.operations:
            child = circuit.modules.get(item.word) if item.kind == "instance" else None
            if child is not None and child.name not in found and child.name not in above:
                visit(child, (*above, module.name))
        found[module.name] = module

    visit(top, ())
    return found.values()
