"""A module from outside: its parameters, clock, reset and ports, and the tree of instances inside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..types import ChiselModule, Port

_MODULE = re.compile(r"^ *(?:public |private )?(?P<kind>module|extmodule|intmodule) (?P<name>\w+)")
_INSTANCE = re.compile(r"^ *inst (?P<name>\w+) of (?P<module>\w+)")
_CIRCUIT = re.compile(r"^circuit (?P<name>\w+) :")
_SHOWN = 40
MAX_NODES = 5000  # of a tree: a circuit's instances can be far more than its modules


@dataclass(frozen=True, slots=True)
class Node:
    """A module of a circuit and the name of its instance ("" for the top); external: nothing is known inside it."""

    name: str
    module: str
    external: bool = False
    children: tuple[Node, ...] = ()


def described(module: ChiselModule, text: str) -> str:
    """Markdown about a module whose source is `text`: parameters, clock, reset, ports with their widths in bits."""
    parameters = parameters_of(module.name, text)
    lines = [f"**{module.name}**" + (f"({parameters})" if parameters else "")]
    clocks = [port for port in module.ports if port.direction == "input" and port.width == 1 and port.name == "clock"]
    resets = [port for port in module.ports if port.direction == "input" and port.width == 1 and port.name == "reset"]
    said = [f"{kind} `{port.name}`" for kind, ports in (("clock", clocks), ("reset", resets)) for port in ports]
    if said:
        lines.append(", ".join(said))
    others = [port for port in module.ports if port not in (*clocks, *resets)]
    if others:
        lines += ["```text", *_table(others[:_SHOWN]), "```"]
    if len(others) > _SHOWN:
        lines.append(f"and {len(others) - _SHOWN} more ports")
    return "\n\n".join(lines[:2]) + ("\n\n" + "\n".join(lines[2:]) if lines[2:] else "")


def _table(ports: list[Port]) -> Iterator[str]:
    width = max(len(str(port.width)) for port in ports)
    for port in ports:
        yield f"{port.direction:<6} {port.width:>{width}} bit  {port.name}"


def parameters_of(name: str, text: str) -> str:
    """The parameters of a class as they stand in the source, on one line; "" for none."""
    match = re.search(rf"\bclass\s+{re.escape(name)}\b(?:\s*\[[^\]]*\])?\s*(?:private\s*)?\(", text)
    if match is None:
        return ""
    depth = 1
    for offset in range(match.end(), len(text)):
        depth += {"(": 1, ")": -1}.get(text[offset], 0)
        if depth == 0:
            return " ".join(re.sub(r"//[^\n]*|\b(?:val|override|private)\s+", "", text[match.end() : offset]).split())
    return ""


def tree_of(chirrtl: str) -> Node | None:
    """The tree of instances of a CHIRRTL circuit; None for a text that is none.

    At most MAX_NODES nodes; a module inside itself ends there (firtool refuses it anyhow).
    """
    top, inside, external = _modules(chirrtl)
    if not top:
        return None
    left = [MAX_NODES]

    def node(name: str, module: str, above: tuple[str, ...]) -> Node:
        left[0] -= 1
        children = () if module in above else inside.get(module, ())
        made = []
        for child, of in children:
            if left[0] <= 0:
                break
            made.append(node(child, of, (*above, module)))
        return Node(name, module, module in external, tuple(made))

    return node("", top, ())


def _modules(chirrtl: str) -> tuple[str, Mapping[str, list[tuple[str, str]]], set[str]]:
    top, current = "", ""
    inside: dict[str, list[tuple[str, str]]] = {}
    external: set[str] = set()
    for line in chirrtl.splitlines():
        if found := _MODULE.match(line):
            current = found["name"]
            inside[current] = []
            if found["kind"] != "module":
                external.add(current)
        elif found := _INSTANCE.match(line):
            inside.setdefault(current, []).append((found["name"], found["module"]))
        elif found := _CIRCUIT.match(line):
            top = found["name"]
    return top, inside, external


def drawn(tree: Node) -> list[str]:
    """One line a node: `Top`, `├─ fifo: Queue8_UInt8`, `└─ pll: Pll (outside)`."""
    return [_said(tree), *_branches(tree, "")]


def _branches(node: Node, before: str) -> Iterator[str]:
    for number, child in enumerate(node.children):
        last = number == len(node.children) - 1
        yield f"{before}{'└─ ' if last else '├─ '}{_said(child)}"
        yield from _branches(child, before + ("   " if last else "│  "))


def _said(node: Node) -> str:
    return (f"{node.name}: " if node.name else "") + node.module + (" (outside)" if node.external else "")
