"""Read CHIRRTL line by line: what each module declares and connects, and which source line that comes from.

The grammar is that of FIRRTL 3 and later as Chisel 6 and 7 write it: a statement a line, nesting by indent, and the
source position last (`connect io.q, op @[Alu.scala 24:8]`). Expressions stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_MODULE = re.compile(r"  (?:public )?module (?P<name>\w+)")
_HEAD = re.compile(
    r"(?P<indent> {4,})(?P<kind>input|output|wire|regreset|reg|node|connect|invalidate|when|else|inst|(?:s|c)?mem)\b"
    r" ?(?P<rest>.*)"
)
_PLACE = re.compile(r" ?@\[(?P<file>[^\]\s:]+)[ :](?P<line>\d+)(?::(?P<column>\d+))?[^\]]*\]\s*$")
_SPLIT = {"connect": ",", "node": " =", "wire": " :", "input": " :", "output": " :", "reg": " :", "regreset": " :"}


@dataclass(frozen=True, slots=True)
class Statement:
    """One line. target: what it declares or drives; value: type, source or condition, as text.

    path: the `when` branches it stands in, outermost first, each with a number of its own.
    line: in `file`, from 1; 0 where the circuit does not say.
    """

    kind: str
    target: str
    value: str
    path: tuple[int, ...]
    file: str = ""
    line: int = 0
    column: int = 0


def read_circuit(chirrtl: str) -> dict[str, list[Statement]]:
    """Statements of each module of a circuit."""
    found: dict[str, list[Statement]] = {}
    current: list[Statement] = []
    branches: list[tuple[int, int]] = []  # indent of the statements inside, number
    for line in chirrtl.splitlines():
        module = _MODULE.match(line)
        if module:
            current, branches = found.setdefault(module["name"], []), []
            continue
        head = _HEAD.match(line)
        if head is None:
            continue
        indent = len(head["indent"])
        while branches and branches[-1][0] > indent:
            branches.pop()
        current.append(_statement(head, tuple(number for _, number in branches)))
        if head["kind"] in ("when", "else"):
            branches.append((indent + 2, len(current)))
    return found


def _statement(head: re.Match[str], path: tuple[int, ...]) -> Statement:
    rest, place = head["rest"], _PLACE.search(head["rest"])
    if place:
        rest = rest[: place.start()]
    kind = head["kind"]
    target, value = ("", rest.rstrip(" :")) if kind in ("when", "else") else _split(rest, _SPLIT.get(kind, " "))
    where = (place["file"], int(place["line"]), int(place["column"] or 0)) if place else ("", 0, 0)
    return Statement(kind, target, value, path, *where)


def _split(text: str, mark: str) -> tuple[str, str]:
    """At the first mark outside of brackets."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{<") - (character in ")]}>")
        if depth == 0 and text.startswith(mark, at):
            return text[:at].strip(), text[at + len(mark) :].strip()
    return text.strip(), ""


def read_circuits(chirrtl: Mapping[str, str]) -> dict[str, list[Statement]]:
    """Modules of several circuits; of one that is in several, the first."""
    found: dict[str, list[Statement]] = {}
    for text in chirrtl.values():
        found = {**read_circuit(text), **found}
    return found


_WHOLE_MODULE = re.compile(r"^  (?:public )?module (\w+)[^\n]*\n", re.MULTILINE)
_NUMBERED = re.compile(r"_\d+$")


def top(chirrtl: str) -> str:
    """The top module's name."""
    match = re.search(r"^circuit (\w+) :", chirrtl, re.MULTILINE)
    return match.group(1) if match else ""


def modules_of(chirrtl: str) -> list[str]:
    """Names of a circuit's modules."""
    return _WHOLE_MODULE.findall(chirrtl)


def inner_modules(circuits: Iterable[str]) -> set[str]:
    """Names of modules that stand inside another one; `Half_1`, a second Half, is a Half.

    Judged there, they are not judged alone: a child may lean on its parent (the kind of its reset, a signal that is
    bored through, values of its parameters), and alone it has a reset of another type, so that its text differs.
    """
    found: set[str] = set()
    for text in circuits:
        inside = {name for name in modules_of(text) if name != top(text)}
        found |= inside | {_NUMBERED.sub("", name) for name in inside}
    return found


def roots(circuits: Mapping[str, str]) -> dict[str, str]:
    """Circuits whose top is inside no other: lowering the outer one covers them."""
    inner = {target: inner_modules(text for other, text in circuits.items() if other != target) for target in circuits}
    return {target: text for target, text in circuits.items() if top(text) not in inner[target]}
