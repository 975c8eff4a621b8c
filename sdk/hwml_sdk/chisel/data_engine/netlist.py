"""A circuit's netlist as one number: the same for any names, order of statements and order of equal ports.

Read from firtool's HW IR (`--output-hw-mlir`). Each value is coloured by its operator and the colours of its operands,
again and again, so that registers in loops are told apart too (colour refinement, Weisfeiler and Leman 1968). The
abstract number leaves out widths, constants and where bits are cut.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_HEADER = re.compile(r"^  hw\.module (?:private |public )?@([\w$.]+)\((.*)\)(?: attributes .*)? \{$")
_LINE = re.compile(r"^\s+(?:(%[^=]*?) = )?([a-z_]+\.[\w.]+)\s*(.*)$")
_VALUE = re.compile(r"%[\w$.#-]+")
_LOCATION = re.compile(r"\s*loc\((?:#loc\d*|[^()]*)\)")
_NAMES = re.compile(r"^bin (?=%)|\{[^{}]*\}|\"[^\"]*\"| sym @[\w$.]+|<@[\w$.]+>")
# An input's value may have another name than its port: `in %a_0 a : i1`.
_PORT = re.compile(r"\b(in|out) (%[\w$.#-]+)?(?: ?[\w$.#-]+)? : (\S+?)(?:,|$)")
_NUMBER = re.compile(r"-?\d+|\btrue\b|\bfalse\b")
_COMMUTES = ("comb.add", "comb.and", "comb.or", "comb.xor", "comb.mul")
_ROUNDS_MOST = 24
# A memory in the HW IR is a value that its ports name: the ports are what uses it.
_USES = re.compile(r"seq\.(?:firmem\.\w+_port)")


@dataclass(slots=True)
class _Node:
    label: str
    operands: tuple[str, ...]
    commutes: bool


@dataclass(slots=True)
class _Module:
    inputs: dict[str, str] = field(default_factory=dict)  # value: type
    nodes: dict[str, _Node] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    sinks: list[_Node] = field(default_factory=list)  # what gives no value: writes of memories, assertions
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Netlist:
    """exact, abstract: the two numbers; unused: input ports that reach no output; constant: outputs fed by none."""

    exact: str
    abstract: str
    unused: tuple[str, ...]
    constant: int


def read_modules(hw_ir: str) -> dict[str, _Module]:
    """Modules of the text by name."""
    found: dict[str, _Module] = {}
    current: _Module | None = None
    for raw in hw_ir.splitlines():
        line = _LOCATION.sub("", raw)
        header = _HEADER.match(line)
        if header:
            current = found[header[1]] = _Module()
            _ports(current, header[2])
        elif current is not None and line.startswith("  }"):
            current = None
        elif current is not None:
            _read(current, line)
    return found


def _ports(module: _Module, text: str) -> None:
    types = []
    for direction, value, kind in _PORT.findall(text):
        if direction == "in":
            module.inputs[value] = kind
        else:
            types.append(kind)
    module.types = tuple(types)


def _read(module: _Module, line: str) -> None:
    match = _LINE.match(line)
    if match is None:
        return
    results, word, rest = match[1], match[2], match[3]
    instance = re.search(r"@([\w$.]+)\(", rest) if word == "hw.instance" else None
    if instance:
        label, operands = f"{word}@{instance[1]}", tuple(_VALUE.findall(rest.partition("(")[2]))
    else:
        plain = " ".join(_NAMES.sub("", rest).split())
        label, operands = f"{word} {_VALUE.sub('%', plain)}", tuple(_VALUE.findall(plain))
    node = _Node(label, operands, word in _COMMUTES)
    if word == "hw.output":
        module.outputs = operands
    elif results is None or _USES.match(word):
        module.sinks.append(node)
        if results:
            module.nodes[results.strip()] = node
    else:
        names = [name.strip() for name in results.split(",")]
        base, _, count = names[0].partition(":")
        if count:  # several results: %a:2 is used as %a#0 and %a#1
            for index in range(int(count)):
                module.nodes[f"{base}#{index}"] = _Node(f"{label} #{index}", operands, False)
        elif len(names) > 1:
            for index, name in enumerate(names):
                module.nodes[name] = _Node(f"{label} #{index}", operands, False)
        else:
            module.nodes[base] = node


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def _labels(module: _Module, inside: Mapping[str, str], abstract: bool) -> dict[str, str]:
    """First colours: operator and type, an instance by the number of its module."""

    def label(text: str) -> str:
        name = re.match(r"hw\.instance@([\w$.]+)(.*)", text)
        if name:
            return f"instance {inside.get(name[1], 'outside')}{name[2]}"
        return _NUMBER.sub("", text) if abstract else text

    colours = {
        name: _digest("in " + (kind if not abstract else re.sub(r"\d+", "", kind)))
        for name, kind in module.inputs.items()
    }
    colours.update({name: _digest(label(node.label)) for name, node in module.nodes.items()})
    return colours


def _refined(module: _Module, colours: dict[str, str]) -> dict[str, str]:
    first = dict(colours)
    kinds = len(set(colours.values()))
    for _ in range(_ROUNDS_MOST):
        new = dict(colours)
        for name, node in module.nodes.items():
            new[name] = _digest(first[name] + " " + _below(node, colours))
        colours = new
        count = len(set(colours.values()))
        if count == kinds:
            return colours
        kinds = count
    return colours


def _below(node: _Node, colours: Mapping[str, str]) -> str:
    below = [colours.get(operand, "?") for operand in node.operands]
    return " ".join(sorted(below) if node.commutes else below)


def _with_uses(module: _Module, colours: dict[str, str], first: Mapping[str, str]) -> dict[str, str]:
    """Tell inputs apart by what uses them: equal ports that are used alike may be exchanged, others not."""
    uses: dict[str, list[str]] = {name: [] for name in module.inputs}
    for name, node in module.nodes.items():
        for place, operand in enumerate(node.operands):
            if operand in uses:
                uses[operand].append(f"{colours[name]}{'' if node.commutes else place}")
    for place, output in enumerate(module.outputs):
        if output in uses:
            uses[output].append("out" + module.types[place] if place < len(module.types) else "out")
    return {name: _digest(first[name] + " ".join(sorted(found))) for name, found in uses.items()}


def _number(module: _Module, inside: Mapping[str, str], abstract: bool) -> str:
    first = _labels(module, inside, abstract)
    colours = _refined(module, dict(first))
    for _ in range(2):
        first = {**first, **_with_uses(module, colours, first)}
        colours = _refined(module, dict(first))
    seen = sorted(colours.get(output, "?") for output in module.outputs)
    sinks = sorted(_NUMBER.sub("", node.label) + _below(node, colours) for node in module.sinks)
    return _digest(" ".join([*seen, "|", *sinks, "|", *sorted(colours[name] for name in module.inputs)]))


def _padding_removed(module: _Module) -> _Module:
    """Constants that only widen a value are widths, too: the value stands for what widens it."""
    same: dict[str, str] = {}
    for name, node in module.nodes.items():
        if node.label.startswith("comb.concat"):
            left = [
                operand
                for operand in node.operands
                if not (operand in module.nodes and module.nodes[operand].label.startswith("hw.constant"))
            ]
            if len(left) == 1:
                same[name] = left[0]

    def real(name: str) -> str:
        while name in same:
            name = same[name]
        return name

    nodes = {
        name: _Node(node.label, tuple(real(operand) for operand in node.operands), node.commutes)
        for name, node in module.nodes.items()
        if name not in same
    }
    sinks = [_Node(node.label, tuple(real(o) for o in node.operands), node.commutes) for node in module.sinks]
    outputs = tuple(real(output) for output in module.outputs)
    return _Module(module.inputs, nodes, outputs, sinks, module.types)


def _reached(module: _Module) -> set[str]:
    waiting = [*module.outputs, *(operand for node in module.sinks for operand in node.operands)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += module.nodes[name].operands if name in module.nodes else ()
    return seen


def _instances_first(modules: Mapping[str, _Module]) -> list[str]:
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in modules:
            return
        for node in [*modules[name].nodes.values(), *modules[name].sinks]:
            match = re.match(r"hw\.instance@([\w$.]+)", node.label)
            if match:
                visit(match[1])
        order.append(name)

    for name in modules:
        visit(name)
    return order


def netlist(modules: Mapping[str, _Module], top: str) -> Netlist:
    """The numbers of one top module. Raises KeyError for a name that is not there."""
    exact: dict[str, str] = {}
    abstract: dict[str, str] = {}
    wanted = _below_top(modules, top)
    for name in _instances_first({name: modules[name] for name in wanted}):
        exact[name] = _number(modules[name], exact, False)
        abstract[name] = _number(_padding_removed(modules[name]), abstract, True)
    module = modules[top]
    reached = _reached(module)
    unused = tuple(
        name[1:] for name, kind in module.inputs.items() if name not in reached and name not in ("%clock", "%reset")
    )
    constant = sum(1 for output in module.outputs if _constant(module, output))
    return Netlist(exact[top], abstract[top], unused, constant)


def _constant(module: _Module, output: str) -> bool:
    node = module.nodes.get(output)
    return node is not None and node.label.startswith("hw.constant")


def _below_top(modules: Mapping[str, _Module], top: str) -> Sequence[str]:
    found = [top]
    for name in found:
        for node in [*modules[name].nodes.values(), *modules[name].sinks]:
            match = re.match(r"hw\.instance@([\w$.]+)", node.label)
            if match and match[1] in modules and match[1] not in found:
                found.append(match[1])
    return found
