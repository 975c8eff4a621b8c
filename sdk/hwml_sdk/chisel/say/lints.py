"""What no tool complains about and is hardly ever meant: read off the circuit, each place once.

A lint speaks only where the circuit leaves no doubt, since code that is right must stay without a word: a place that
builds several statements (a loop, a module with other parameters) is named when all of them show the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...document import Severity, Span
from ..compile.circuit import Statement, read_circuits
from ..compile.widths import Widths, literal_width, operands
from ..types import ChiselDiagnostic
from .findings import Sources

_GROWING = {"add", "sub"}
_COMPARED = {"eq", "neq", "lt", "leq", "gt", "geq"}
_UNSIZED = re.compile(r"[US]Int(?=,)")


@dataclass(frozen=True, slots=True)
class _Lint:
    code: str
    line: int
    column: int
    message: str
    hint: str


def circuit_lints(circuits: Mapping[str, str], sources: Sources) -> list[ChiselDiagnostic]:
    """Warnings about the document, from circuits that firtool accepts."""
    name = sources.main_name
    found: dict[tuple[str, int, int], ChiselDiagnostic] = {}
    for statements in read_circuits(circuits).values():
        here = [s for s in statements if s.file == name]
        if here:
            for lint in (*_narrow_counters(statements, name), *_overruled(here), *_emptied(statements, name)):
                found.setdefault((lint.code, lint.line, lint.column), _diagnostic(lint, sources))
    return list(found.values()) + _fed_vectors(sources)


def _diagnostic(lint: _Lint, sources: Sources) -> ChiselDiagnostic:
    text, line = sources.main_text, lint.line - 1
    span = text.line_span(line) if line == 0 or lint.column < 1 else text.token_span(line, lint.column - 1)
    return _warning(lint.code, span, sources.main_path, lint.message, lint.hint)


def _warning(code: str, span: Span, path: str, message: str, hint: str) -> ChiselDiagnostic:
    severity: Severity = "warning"
    return ChiselDiagnostic(code, severity, "elaborate", path, span, message, message, hint)


# -- registers whose width comes from their own start value -------------------------------------------------------


def _narrow_counters(statements: list[Statement], name: str) -> Iterator[_Lint]:
    nodes = {s.target: s.value for s in statements if s.kind == "node"}
    for register in statements:
        if register.kind not in ("reg", "regreset") or register.file != name or not _UNSIZED.match(register.value):
            continue
        start = literal_width(register.value.rpartition(", ")[2]) if register.kind == "regreset" else 1
        sources = [s.value for s in statements if s.kind == "connect" and s.target == register.target]
        drivers = [part for value in sources for part in _drivers(value, nodes)]
        widths = [literal_width(driver) for driver in drivers]
        counting = [
            d for d, width in zip(drivers, widths, strict=True) if width is None and _counts(d, register.target, nodes)
        ]
        known = [width for width in widths if width is not None]
        if start is None or not counting or len(counting) + len(known) != len(drivers):
            continue
        bits = max([start, *known])
        asked = max(_compared_with(register.target, nodes, statements), default=0)
        upwards = any(_is_sum(driver, nodes) for driver in counting)
        if (bits == 1 and upwards) or asked > bits:
            yield _Lint("CH401", register.line, 0, *_narrow(register.target, bits, asked))


def _narrow(name: str, bits: int, asked: int) -> tuple[str, str]:
    most = (1 << bits) - 1
    beyond = f" and is compared with a value of {asked} bits" if asked > bits else ""
    size = f"{bits} bit{'s' if bits > 1 else ''}"
    words = f"{name} counts in {size}: its width comes from its start value, so that it never passes {most}{beyond}"
    return words, f"give the start value a width, such as ({max(asked, 8)}.W)"


def _drivers(value: str, nodes: Mapping[str, str], depth: int = 8) -> list[str]:
    """What a source chooses between, with names of nodes resolved."""
    value = nodes.get(value, value)
    call = operands(value)
    if call and call[0] == "mux" and depth:
        return [part for branch in call[1][1:] for part in _drivers(branch, nodes, depth - 1)]
    return [value]


def _counts(value: str, register: str, nodes: Mapping[str, str]) -> bool:
    """Whether a source is the register plus or minus a constant."""
    call = operands(value)
    if call and call[0] == "tail":
        call = operands(nodes.get(call[1][0], call[1][0]))
    if not call or call[0] not in _GROWING:
        return False
    sides = call[1]
    return register in sides and any(literal_width(side) is not None for side in sides)


def _is_sum(value: str, nodes: Mapping[str, str]) -> bool:
    call = operands(value)
    return "add(" in value or (call is not None and any("add(" in nodes.get(part, "") for part in call[1]))


def _compared_with(register: str, nodes: Mapping[str, str], statements: list[Statement]) -> Iterator[int]:
    """Bits of the constants with which a register is compared."""
    for value in (*nodes.values(), *(s.value for s in statements if s.kind == "when")):
        call = operands(value)
        if call and call[0] in _COMPARED and register in call[1]:
            yield from (width for side in call[1] if (width := literal_width(side)) is not None)


# -- connections without effect -----------------------------------------------------------------------------------


def _overruled(statements: list[Statement]) -> Iterator[_Lint]:
    """A connection in a branch, and behind it the only other one of that signal, in any case.

    Where there is a default in front, or more behind, somebody overrules on purpose.
    """
    drivers: dict[str, list[Statement]] = {}
    for statement in statements:
        if statement.kind in ("connect", "invalidate"):
            drivers.setdefault(statement.target, []).append(statement)
    places: dict[tuple[int, int], list[Statement | None]] = {}
    for same in drivers.values():
        *early, late = same
        plain = all(e.path and _covers(late.path, e.path) and late.line > e.line for e in early)
        for statement in early:
            places.setdefault((statement.line, statement.column), []).append(late if plain else None)
        places.setdefault((late.line, late.column), []).append(None)
    for (line, column), lates in places.items():
        last = lates[0]
        if line and last is not None and all(lates):
            words = f"{last.target} is given another value in line {last.line} in any case: this one never takes effect"
            hint = "the last connection wins: put the unconditional one first, or into .otherwise"
            yield _Lint("CH402", line, column, words, hint)


def _covers(outer: tuple[int, ...], inner: tuple[int, ...]) -> bool:
    return len(outer) < len(inner) and inner[: len(outer)] == outer


# -- shifts that leave nothing ------------------------------------------------------------------------------------


def _emptied(statements: list[Statement], name: str) -> Iterator[_Lint]:
    """x >> n of n bits or less; x << n into n bits or less."""
    widths = Widths(statements)
    places: dict[tuple[int, int], list[str]] = {}
    for statement in statements:
        if statement.file != name or not statement.line or statement.kind not in ("node", "connect"):
            continue
        value = widths.resolved(statement.value)
        call = operands(value)
        if not call or call[0] != ("shr" if statement.kind == "node" else "shl"):
            continue
        words = _nothing_left(statement, call[1], widths)
        places.setdefault((statement.line, statement.column), []).append(words)
    for (line, column), said in places.items():
        if all(said):
            yield _Lint("CH403", line, column, said[0], "check the distance; ## or Cat puts words side by side")


def _nothing_left(statement: Statement, arguments: list[str], widths: Widths) -> str:
    distance = int(arguments[1])
    if statement.kind == "node":
        bits = widths.of(arguments[0])
        if bits is None or not 0 < bits <= distance or widths.signed(arguments[0]):
            return ""
        return f"all {bits} bits are shifted out by >> {distance}: the result is always 0"
    bits = widths.of(statement.target)
    if bits is None or not 0 < bits <= distance:
        return ""
    return f"<< {distance} moves every bit past the {bits} bits of {statement.target}: it is always 0"


# -- vectors that registers only feed -----------------------------------------------------------------------------

_FED = re.compile(
    r"\bval\s+(?P<name>\w+)\s*=\s*VecInit\s*\(\s*(?:Seq|List|Vector)\.fill\s*\([^()]*\)\s*"
    r"[({]\s*Reg(?:Init)?\s*\("
)


def _fed_vectors(sources: Sources) -> list[ChiselDiagnostic]:
    """VecInit(Seq.fill(n)(RegInit(v))) whose elements are driven: the registers never hear of it."""
    text = sources.main_text
    found = []
    for match in _FED.finditer(text.text):
        name = match["name"]
        if re.search(rf"(?<![\w.]){name}\([^=\n]*\)\s*:=", text.text):
            words = (
                f"{name} is a wire that registers only feed: what is connected to its elements never reaches a register"
            )
            span = text.span(match.start("name"), match.end("name"))
            found.append(
                _warning("CH404", span, sources.main_path, words, "hold the vector: RegInit(VecInit(Seq.fill(n)(v)))")
            )
    return found
