"""LUTs of control and shared cores, entry by entry as the tables of csynth reports list them.

What an adder or a comparison takes stands in `tool.operators`; here are the multiplexers and the gates around them. An
entry of the table of multiplexers counts by its inputs, whatever its width.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from ..program import ir
from ..tool.operators import Target, operator
from .costs import LOGIC
from .results import FunctionResult
from .schedule.bounds import NestLoop
from .schedule.region import Kind

# LUTs by inputs, from none on, and of larger ones: in reports of 2020.2 to 2024.1. Between and beyond a straight line.
_MULTIPLEXERS = (0, 0, 9, 14, 20, 26, 31, 37, 43, 49, 54, 59, 65, 65)
_LARGE = ((13, 65), (17, 81), (25, 125), (32, 148), (118, 609))
MAX_COUNTER_BITS = 64


def multiplexer(inputs: float) -> float:
    """An entry of the table of multiplexers."""
    if inputs < len(_MULTIPLEXERS) - 1:
        low = int(inputs) if inputs > 0 else 0
        first, last = _MULTIPLEXERS[low], _MULTIPLEXERS[low + 1]
        return first + (inputs - low) * (last - first) / 1
    above = next((at for at, (most, _) in enumerate(_LARGE) if at > 0 and inputs <= most), len(_LARGE) - 1)
    (low, first), (high, last) = _LARGE[above - 1], _LARGE[above]
    return first + (inputs - low) * (last - first) / (high - low)


def counter_bits(loop: NestLoop) -> int:
    """Bits of a counter: it holds the first value that is no round any more."""
    first = loop.start or 0.0
    last = first + loop.trip * loop.stride
    largest = min(max(abs(first), abs(last)), 2.0**MAX_COUNTER_BITS)
    return min(max(int(largest).bit_length(), 1), MAX_COUNTER_BITS)


def _counter(target: Target, bits: int) -> float:
    """The sum and the comparison of a counter."""
    kind = _unsigned(bits)
    return operator("add", kind, target).lut + operator("cmp", kind, target).lut


@cache
def _unsigned(bits: int) -> ir.CType:
    return ir.CType("uint", bits)


def of_pipeline(
    target: Target, loop: NestLoop, depth: float, ii: int, *, carried: float = 0, handed: float = 0
) -> float:
    """A pipelined loop: counter, `ap_done_int`, `ap_enable_reg_pp0_iter1`.

    carried: scalars that rounds hand on, handed: those of them that are looked at behind the loop.
    """
    two = multiplexer(2)
    # `i_fu`, and `ap_sig_allocacmp_i` for what starts anew with the loop and is read in the first state.
    found = _counter(target, counter_bits(loop)) + 2 * two
    found += carried * (two if depth > 1 else 2 * two) + handed * multiplexer(3)
    if target.behaviour.outlined_loops:
        found += two  # ap_done_int
    if depth > ii:
        found += two
    if depth > 1:
        found += LOGIC.gate
    if ii > 1:
        found += multiplexer(ii + 1) + two
    return found


def of_level(target: Target, nest: Sequence[NestLoop]) -> float:
    """What the outermost loop of a flattened nest adds to those inside: its counter, and one of all rounds."""
    outer, inner = nest[0], nest[1]
    rounds = NestLoop(None, math.prod(max(loop.trip, 1.0) for loop in nest), 1.0)
    bits = counter_bits(outer)
    found = operator("add", _unsigned(bits), target).lut + _counter(target, counter_bits(rounds))
    # Each counter goes on, or the one inside starts anew.
    return found + 4 * multiplexer(2) + bits + counter_bits(inner) + target.behaviour.nest_lut


def of_plain_loop(target: Target, loop: NestLoop, states: float) -> float:
    """A loop whose rounds follow one another: counter and states."""
    counter = _counter(target, counter_bits(loop)) + multiplexer(2) if loop.var is not None else 0.0
    return counter + of_states(states)


def of_states(states: float) -> float:
    """States of `ap_NS_fsm`."""
    return states * LOGIC.state


def of_function(target: Target, states: float, result: FunctionResult) -> float:
    """States of a function's own code, and two for each block that it starts and waits for.

    A function that is one pipelined loop is that loop's block, and starts it by a gate. Before loops were blocks, their
    states were the function's.
    """
    blocks = float(len(result.calls))
    if target.behaviour.outlined_loops:
        blocks += sum(loop.replicas for loop in result.loops if loop.ii is not None)
    else:
        states += sum(loop.replicas * loop.ii for loop in result.loops if loop.ii is not None)
    if blocks <= 1 and states <= 1 and not result.calls:
        return blocks * LOGIC.gate
    return multiplexer(states + 2 * blocks + 1)


def shared_cores(units: float, cores: float) -> float:
    """Operands of cores that take turns: `grp_fu_p0` and `grp_fu_p1`, each of as many inputs as operations and one."""
    if cores <= 0 or units <= cores:
        return 0.0
    return 2 * cores * multiplexer(units / cores + 1)


def lent_cores(result: FunctionResult) -> float:
    """Cores of a function that several of its loops use: `grp_fu_p_din0`, `grp_fu_p_din1` and `grp_fu_p_ce` of each."""
    users: dict[Kind, float] = defaultdict(float)
    pending = [(loop, loop.replicas) for loop in result.loops]
    while pending:
        loop, times = pending.pop()
        if loop.ii is None:
            pending += [(child, times * child.replicas) for child in loop.children]
            continue
        for kind, units in loop.area.shared.items():
            users[kind] += units * times
    found = 0.0
    for kind, units in users.items():
        cores = result.area.shared.get(kind, 0.0)
        if units > cores > 0:
            found += 3 * cores * multiplexer(units / cores + 1)
    return found
