"""Which of several modules that were lowered to use: the reference decides, else agreement, then predicted area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import MissingDependencyError, ToolNotFoundError
from ..evaluate.behaviour import Pair, Verdict, as_model, compare, passed
from .types import Attempt

_MOST_COMPARED = 8  # different circuits; all pairs of them are 28 questions at most


@dataclass(frozen=True, slots=True)
class Reference:
    """Verilog that was written apart from the candidates: what they are to do."""

    verilog: str
    top: str


def judged(attempts: Sequence[Attempt], reference: Reference) -> list[Attempt]:
    """The attempts with verdicts; texts of the same circuit and ports share one. Raises what `find_yosys` raises."""
    pairs: dict[str, Pair] = {}
    for item in attempts:
        if item.ok and item.verdict is None:
            pairs.setdefault(
                _circuit(item), Pair(item.verilog, item.module, item.ports, reference.verilog, reference.top)
            )
    verdicts = compare(pairs) if pairs else {}
    return [
        replace(item, verdict=verdicts[_circuit(item)]) if item.ok and item.verdict is None else item
        for item in attempts
    ]


def _circuit(item: Attempt) -> str:
    return f"{item.netlist} {sorted((port.name, port.width) for port in item.ports)}"


def grouped(attempts: Sequence[Attempt]) -> tuple[list[Attempt], str]:
    """The attempts with groups that agree in behaviour, and what to know of that.

    The same circuit agrees without a question; different ones are compared by yosys where it is there.
    """
    circuits: dict[str, Attempt] = {}
    for item in attempts:
        if item.ok:
            circuits.setdefault(_circuit(item), item)
    groups = {name: number for number, name in enumerate(circuits)}
    note = ""
    firsts = list(circuits.items())[:_MOST_COMPARED]
    pairs = {
        f"{a} | {b}": _pair(left, right)
        for at, (a, left) in enumerate(firsts)
        for b, right in firsts[at + 1 :]
        if _names(left) == _names(right)
    }
    try:
        verdicts: Mapping[str, Verdict] = compare(pairs) if pairs else {}
    except (MissingDependencyError, ToolNotFoundError) as error:
        verdicts, note = {}, f"candidates were compared by their circuits alone: {error}"
    for key, verdict in verdicts.items():
        if passed(verdict):
            a, _, b = key.partition(" | ")
            old, new = groups[b], groups[a]
            groups = {name: new if number == old else number for name, number in groups.items()}
    return [replace(item, group=groups[_circuit(item)]) if item.ok else item for item in attempts], note


def _names(item: Attempt) -> list[tuple[str, str, int]]:
    return sorted((port.name, port.direction, port.width) for port in item.ports)


def _pair(left: Attempt, right: Attempt) -> Pair:
    """The right one as the model: its modules get names of their own."""
    text = right.verilog.replace(f"{right.module.partition('_')[0]}_", "other_")
    model, top = as_model(text, "other_" + right.module.partition("_")[2], right.ports)
    return Pair(left.verilog, left.module, left.ports, model, top)


def best_of(attempts: Sequence[Attempt]) -> Attempt | None:
    """What behaves as the reference, else is of the largest group; of these the smallest area; None without one."""
    there = [item for item in attempts if item.ok]
    if any(item.verdict is not None for item in there):
        there = [item for item in there if item.verdict is not None and passed(item.verdict)]
    sizes = Counter(item.group for item in there)
    return max(there, key=lambda item: (sizes[item.group], -(item.area or 0), -item.index), default=None)
