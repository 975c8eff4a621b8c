"""Cover gates with look-up tables of six inputs: cuts by area flow, then the cheapest that keeps the depth.

Cong & Ding (FlowMap, 1994) for depth; area flow and the choice under required times after Mishchenko, Chatterjee and
Brayton (Improvements to technology mapping for LUT-based FPGAs, 2007). A gate stands for all of its bits, so the work
grows with the operations of a circuit, not with their widths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from .circuit import Place
from .gates import INPUTS, Gates, Operand, Run

# Cost of a table by its inputs, as yosys gives them to its mapper for these parts (synth_xilinx: 2:2,3,6:5).
_COST = (0.0, 0.4, 0.4, 0.6, 1.0, 1.0, 1.0)
_KEPT = 6  # cuts a gate
_OPTIONS = 4  # of them a gate above looks at

_Leaves = frozenset[Operand]


# Area flow, depth, number of leaves, leaves. A plain tuple: thousands of them are made and sorted for one circuit.
_Cut = tuple[float, int, int, _Leaves]
_RANK = itemgetter(0, 1, 2)
_DEPTH = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Table:
    """`count` tables of one shape, at the place of the operation whose result they give."""

    count: int
    inputs: int
    place: Place
    owner: int


def cover(network: Gates, roots: Iterable[Run]) -> tuple[list[Table], int]:
    """Tables that give all roots, and the depth of the deepest path in tables."""
    wanted = {run[0] >> 1 for run in roots if run[0] >= 0}
    uses = _uses(network, wanted)
    cuts, depth_of = _all_cuts(network, uses)
    deepest = max((depth_of[gate] for gate in wanted), default=0)
    required: dict[int, int] = dict.fromkeys(wanted, deepest)
    tables: list[Table] = []
    for number in range(len(network.gates) - 1, -1, -1):
        if number not in required or not cuts[number]:
            continue
        limit = required[number]
        best = next((item for item in cuts[number] if item[1] <= limit), cuts[number][0])  # they are in order
        gate = network.gates[number]
        tables.append(Table(gate.count, best[2], gate.place, gate.owner))
        for leaf, _, _ in best[3]:
            required[leaf] = min(required.get(leaf, limit), limit - 1)
    return tables, deepest


def _uses(network: Gates, wanted: set[int]) -> list[float]:
    """How many gates read a bit of each gate, on the average; 0 for a gate that no root needs."""
    uses: dict[int, float] = defaultdict(float)
    for number in wanted:
        uses[number] += 1
    for number in range(len(network.gates) - 1, -1, -1):
        if number not in uses:
            continue
        gate = network.gates[number]
        for operand, _, step in gate.operands:
            uses[operand] += 1 if step else gate.count / network.gates[operand].count
    return [max(1.0, uses[number]) if number in uses else 0.0 for number in range(len(network.gates))]


def _all_cuts(network: Gates, uses: list[float]) -> tuple[list[list[_Cut]], list[int]]:
    """The best cuts of each gate that is needed, cheapest first, and the least depth of each gate."""
    cuts: list[list[_Cut]] = []
    shared_flow: list[float] = []  # of each gate's best cut, by its readers
    best_depth: list[int] = []
    seen: dict[Operand, list[_Leaves]] = {}  # many gates read the same bits
    for gate, used in zip(network.gates, uses, strict=True):
        if not gate.operands or not used:
            cuts.append([])
            shared_flow.append(0.0)
            best_depth.append(0)
            continue
        options = []
        for operand in gate.operands:
            if operand not in seen:
                seen[operand] = _options(operand, cuts)
            options.append(seen[operand])
        sets = _products(options) if len(options) <= 3 else _greedy(options)
        found = _valued(sets, shared_flow, best_depth)
        shallow = min(found, key=_DEPTH)
        kept = found[:_KEPT]
        if shallow[1] < min(map(_DEPTH, kept)):
            kept[-1] = shallow
        cuts.append(kept)
        shared_flow.append(kept[0][0] / used)
        best_depth.append(shallow[1])
    return cuts, best_depth


def _valued(sets: Iterable[_Leaves], shared_flow: list[float], best_depth: list[int]) -> list[_Cut]:
    """Cuts by their leaves, in order. The innermost loop of all: no generator, no call but one."""
    found = []
    for leaves in sets:
        size = len(leaves)
        flow, depth = _COST[size], 0
        for leaf, _, _ in leaves:
            flow += shared_flow[leaf]
            if best_depth[leaf] > depth:  # noqa: PLR1730 - a call costs more than the rest of the loop
                depth = best_depth[leaf]
        found.append((round(flow, 6), depth + 1, size, leaves))
    found.sort(key=_RANK)
    return found


def _options(operand: Operand, cuts: list[list[_Cut]]) -> list[_Leaves]:
    """The operand itself, and the leaves of its cuts as they are seen from above."""
    gate, offset, step = operand
    found: list[_Leaves] = [frozenset((operand,))]
    for item in cuts[gate][:_OPTIONS]:
        if offset or not step:
            moved = [(leaf, low + offset, step) if inner else (leaf, low, 0) for leaf, low, inner in item[3]]
            found.append(frozenset(moved))
        else:  # the same bits
            found.append(item[3])
    return found


def _products(options: list[list[_Leaves]]) -> set[_Leaves]:
    sets: set[_Leaves] = set(options[0])
    for more in options[1:]:
        sets = {union for left in sets for right in more if len(union := left | right) <= INPUTS}
    return sets


def _greedy(options: list[list[_Leaves]]) -> set[_Leaves]:
    """For wide gates: all operands as they are, and each in turn replaced where it fits."""
    plain = [item[0] for item in options]
    found = {frozenset().union(*plain)}
    for at, more in enumerate(options):
        rest = frozenset().union(*plain[:at], *plain[at + 1 :])
        for choice in more[1:]:
            if len(union := rest | choice) <= INPUTS:
                found.add(union)
    return found
