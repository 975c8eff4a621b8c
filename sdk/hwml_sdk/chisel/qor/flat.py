"""A circuit without its hierarchy: operations on numbered values, each with the instance that it stands in.

Values are numbers, so that the passes behind this one need no names. Controls of registers are taken out of their
multiplexers here, once for all that count: a register whose next value is its own value under some condition has an
enable, one that is set to a constant has a synchronous reset (what yosys' `opt_dff` finds, and every FPGA tool).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .circuit import Circuit, Kind, Module, Operation, Place

MAX_OPERATIONS = 100_000  # of the flat circuit: they take half a minute
EDITOR_OPERATIONS = 20_000  # where somebody waits for the answer of a check
_MAX_DEPTH = 200  # of the hierarchy, and of the multiplexers before one register


class TooLargeError(ValueError):
    """More operations than are looked at; the message says how many."""


@dataclass(slots=True)
class Node:
    """One operation: `out` is its value (-1: none), `ins` those it reads (-1: absent), `owner` its instance."""

    kind: Kind
    ins: tuple[int, ...]
    out: int
    width: int
    number: int = 0
    word: str = ""
    place: Place = ("", 0)
    owner: int = 0


@dataclass(slots=True)
class Register:
    """A register with its controls: next value without them, enables and resets that are not the module's own.

    enables: selects of the multiplexers whose other way keeps the value. clears: selects that set a constant.
    """

    node: Node
    data: int
    enables: tuple[int, ...] = ()
    clears: tuple[int, ...] = ()


@dataclass(slots=True)
class Flat:
    """The flat circuit. owners: path and module of each instance, the top one first."""

    widths: list[int] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    owners: list[tuple[str, str]] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)
    source: list[int] = field(default_factory=list)  # value -> index of the node that makes it, -1 for ports

    def value(self, width: int) -> int:
        """A new value."""
        self.widths.append(width)
        self.source.append(-1)
        return len(self.widths) - 1

    def add(self, node: Node) -> None:
        """Put in an operation."""
        if node.out >= 0:
            self.source[node.out] = len(self.nodes)
        self.nodes.append(node)

    def maker(self, value: int) -> Node | None:
        """The operation that a value comes from, wires looked through; None for an input."""
        while value >= 0 and self.source[value] >= 0:
            node = self.nodes[self.source[value]]
            if node.kind != "wire" or not node.ins:
                return node
            value = node.ins[0]
        return None

    def origin(self, value: int) -> int:
        """The value behind wires."""
        while value >= 0 and self.source[value] >= 0:
            node = self.nodes[self.source[value]]
            if node.kind != "wire" or not node.ins:
                break
            value = node.ins[0]
        return value


def flatten(circuit: Circuit, top: str | None = None, *, most: int = MAX_OPERATIONS) -> Flat:
    """Lay one module flat with everything below it. Raises TooLargeError, and ValueError for instances without end.

    most: operations that are looked at.
    """
    root = circuit.modules[top or circuit.top]
    count = _count(circuit, root, {}, ())
    if count > most:
        raise TooLargeError(_too_large(count, most))
    flat = Flat()
    ports = {name: flat.value(width) for name, width in root.inputs.items()}
    flat.inputs = dict(ports)
    flat.outputs = _place_module(flat, circuit, root, ports, "")
    return flat


def _too_large(count: int, most: int) -> str:
    more = f"; hwml chisel qor looks at up to {MAX_OPERATIONS:,}" if most < count <= MAX_OPERATIONS else ""
    return f"{count:,} operations; up to {most:,} are looked at here{more}"


def _count(circuit: Circuit, module: Module, known: dict[str, int], above: tuple[str, ...]) -> int:
    if module.name in above or len(above) > _MAX_DEPTH:
        raise ValueError(f"{module.name} is inside itself")
    if module.name not in known:
        inner = (circuit.modules.get(item.word) for item in module.operations if item.kind == "instance")
        known[module.name] = len(module.operations) + sum(
            _count(circuit, child, known, (*above, module.name)) for child in inner if child is not None
        )
    return known[module.name]


def _place_module(flat: Flat, circuit: Circuit, module: Module, ports: Mapping[str, int], path: str) -> dict[str, int]:
    owner = len(flat.owners)
    flat.owners.append((path, module.name))
    names = dict(ports)
    for item in module.operations:
        widths = item.widths or (item.width,) * len(item.results)
        names.update((result, flat.value(width)) for result, width in zip(item.results, widths, strict=False))
    for item in module.operations:
        if item.kind == "instance":
            _place_instance(flat, circuit, item, names, path)
            continue
        ins = tuple(names.get(name, -1) for name in item.operands)
        if item.kind == "unknown":
            flat.unknown[item.word] = None
        out = names[item.results[0]] if item.results else -1
        flat.add(Node(item.kind, ins, out, item.width, item.number, item.word, item.place, owner))
    return {name: names.get(module.drivers.get(name, ""), -1) for name in module.outputs}


def _place_instance(flat: Flat, circuit: Circuit, item: Operation, names: Mapping[str, int], path: str) -> None:
    child = circuit.modules.get(item.word)
    below = f"{path}.{_instance_name(item)}".lstrip(".")
    results = [names[name] for name in item.results]
    if child is None or child.black_box:
        flat.unknown[f"black box {item.word}"] = None
        for result in results:
            ins = tuple(names.get(name, -1) for name in item.operands)
            flat.add(Node("unknown", ins, result, flat.widths[result], word=item.word, place=item.place))
        return
    ports = dict(zip(child.inputs, (names.get(name, -1) for name in item.operands), strict=False))
    for name, width in child.inputs.items():
        if ports.get(name, -1) < 0:
            ports[name] = flat.value(width)
    made = _place_module(flat, circuit, child, ports, below)
    for result, name in zip(results, child.outputs, strict=False):
        flat.add(Node("wire", (made[name],) if made[name] >= 0 else (), result, flat.widths[result], place=item.place))


def _instance_name(item: Operation) -> str:
    """Results of an instance are named `instance.port`; one without results goes by its module."""
    return item.results[0].rpartition(".")[0] or item.word if item.results else item.word


def registers(flat: Flat) -> list[Register]:
    """All registers, with enables and clears taken out of their next values; new multiplexers may be added."""
    found = [_controlled(flat, node) for node in list(flat.nodes) if node.kind == "register"]
    while len(kept := merge_registers(flat, found)) < len(found):
        found = kept
    return found


def _controlled(flat: Flat, node: Node) -> Register:
    enables: list[int] = []
    clears: list[int] = []
    data = _without_hold(flat, node.ins[0], node.out, enables, 0)
    reset_value = _constant(flat, node.ins[2]) if len(node.ins) > 2 else None
    while node.word != "async" and (choice := flat.maker(data)) is not None and choice.kind == "mux":
        at = next((at for at in (1, 2) if _constant(flat, choice.ins[at]) is not None), 0)
        value = _constant(flat, choice.ins[at]) if at else None
        if value is None or (reset_value is not None and value != reset_value):
            break
        reset_value = value
        clears.append(choice.ins[0])
        data = _without_hold(flat, choice.ins[3 - at], node.out, enables, 0)
    return Register(node, data, tuple(dict.fromkeys(enables)), tuple(clears))


def _constant(flat: Flat, value: int) -> int | None:
    node = flat.maker(value)
    return node.number if node is not None and node.kind == "constant" else None


def behind_extension(flat: Flat, value: int) -> int:
    """The value that is widened by copies of its sign or by zeros."""
    node = flat.maker(value)
    if node is not None and node.kind == "concat" and node.ins:
        return flat.origin(node.ins[-1])
    return flat.origin(value)


def merge_registers(flat: Flat, found: list[Register]) -> list[Register]:
    """Make registers that always hold the same one register; what read the others reads it through a wire."""
    known: dict[tuple[object, ...], int] = {}
    kept: list[Register] = []
    for item in found:
        node = item.node
        reset = (
            node.word,
            *(flat.origin(value) for value in node.ins[1:2]),
            *(_constant(flat, v) for v in node.ins[2:3]),
        )
        controls = tuple(map(flat.origin, item.enables)), tuple(map(flat.origin, item.clears))
        key = (flat.origin(item.data), node.width, reset, *controls)
        if item.data < 0 or key not in known:
            known[key] = node.out
            kept.append(item)
        else:
            node.kind, node.ins = "wire", (known[key],)
    return kept


def _without_hold(flat: Flat, value: int, held: int, enables: list[int], depth: int) -> int:
    """The next value where the register does not keep its own; -1 where it always does."""
    if flat.origin(value) == held:
        return -1
    node = flat.maker(value)
    if node is None or node.kind != "mux" or depth > _MAX_DEPTH:
        return value
    ways = [_without_hold(flat, item, held, enables, depth + 1) for item in node.ins[1:3]]
    if ways == list(node.ins[1:3]):
        return value
    if -1 in ways:
        enables.append(node.ins[0])
        return max(ways)  # the way that is not the register itself; -1 where both are
    out = flat.value(node.width)
    flat.add(Node("mux", (node.ins[0], *ways), out, node.width, place=node.place, owner=node.owner))
    return out


def order(nodes: Sequence[Node], flat: Flat) -> list[Node]:
    """Operations without state, each behind those it reads; a circle of logic comes last, in any order."""
    waiting: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    ready: list[int] = []
    logic = {at for at, node in enumerate(nodes) if node.kind not in ("register", "memory")}
    for at in logic:
        made = {flat.source[value] for value in nodes[at].ins if value >= 0 and flat.source[value] in logic}
        waiting[at] = len(made)
        for maker in made:
            readers.setdefault(maker, []).append(at)
        if not made:
            ready.append(at)
    found: list[Node] = []
    while ready:
        at = ready.pop()
        found.append(nodes[at])
        waiting.pop(at)
        for reader in readers.get(at, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    return found + [nodes[at] for at in waiting]
