"""Cover gates with look-up tables of six inputs: cuts by area flow, then the cheapest that keeps the depth.

Cong & Ding (FlowMap, 1994) for depth; area flow and the choice under required times after Mishchenko, Chatterjee and
Brayton (Improvements to technology mapping for LUT-based FPGAs, 2007). A gate stands for all of its bits, so the work
grows with the operations of a circuit, not with their widths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .circuit import Place
from .gates import INPUTS, Gates, Operand, Run

# Cost of a table by its inputs, as yosys gives them to its mapper for these parts (synth_xilinx: 2:2,3,6:5).
_COST = (0.0, 0.4, 0.4, 0.6, 1.0, 1.0, 1.0)
_KEPT = 6  # cuts a gate
_OPTIONS = 4  # of them a gate above looks at

_Leaves = frozenset[Operand]


@dataclass(frozen=True, slots=True)
class _Cut:
    leaves: _Leaves
    flow: float
    depth: int


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
    cuts = _all_cuts(network, uses)
    depth_of = [min((item.depth for item in found), default=0) for found in cuts]
    deepest = max((depth_of[gate] for gate in wanted), default=0)
    required: dict[int, int] = dict.fromkeys(wanted, deepest)
    tables: list[Table] = []
    for number in range(len(network.gates) - 1, -1, -1):
        if number not in required or not cuts[number]:
            continue
        fitting = [item for item in cuts[number] if item.depth <= required[number]] or cuts[number]
        best = min(fitting, key=lambda item: (item.flow, item.depth))
        gate = network.gates[number]
        tables.append(Table(gate.count, len(best.leaves), gate.place, gate.owner))
        for leaf, _, _ in best.leaves:
            required[leaf] = min(required.get(leaf, deepest), required[number] - 1)
    return tables, deepest


def _uses(network: Gates, wanted: set[int]) -> list[float]:
    """How many gates read a bit of each gate, on the average."""
    uses: dict[int, float] = defaultdict(float)
    for number in wanted:
        uses[number] += 1
    live = set(wanted)
    for number in range(len(network.gates) - 1, -1, -1):
        if number not in live:
            continue
        gate = network.gates[number]
        for operand, _, step in gate.operands:
            live.add(operand)
            uses[operand] += 1 if step else gate.count / network.gates[operand].count
    return [max(1.0, uses[number]) for number in range(len(network.gates))]


def _all_cuts(network: Gates, uses: list[float]) -> list[list[_Cut]]:
    cuts: list[list[_Cut]] = []
    shared_flow: list[float] = []  # of each gate's best cut, by its readers
    best_depth: list[int] = []
    seen: dict[Operand, list[_Leaves]] = {}  # many gates read the same bits
    for number, gate in enumerate(network.gates):
        if not gate.operands:
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
        found = []
        for leaves in sets:
            flow, depth = _COST[len(leaves)], 0
            for leaf, _, _ in leaves:  # the innermost loop of all: no generator, no call
                flow += shared_flow[leaf]
                depth = max(depth, best_depth[leaf])
            found.append(_Cut(leaves, round(flow, 6), depth + 1))
        found.sort(key=lambda item: (item.flow, item.depth, len(item.leaves)))
        shallow = min(found, key=lambda item: (item.depth, item.flow))
        kept = found[:_KEPT]
        if shallow not in kept:
            kept[-1] = shallow
        cuts.append(kept)
        shared_flow.append(min(item.flow for item in kept) / uses[number])
        best_depth.append(shallow.depth)
    return cuts


def _options(operand: Operand, cuts: list[list[_Cut]]) -> list[_Leaves]:
    """The operand itself, and the leaves of its cuts as they are seen from above."""
    gate, offset, step = operand
    found: list[_Leaves] = [frozenset((operand,))]
    for item in cuts[gate][:_OPTIONS]:
        if offset or not step:
            moved = [(leaf, low + offset, step) if inner else (leaf, low, 0) for leaf, low, inner in item.leaves]
            found.append(frozenset(moved))
        else:  # the same bits
            found.append(item.leaves)
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
