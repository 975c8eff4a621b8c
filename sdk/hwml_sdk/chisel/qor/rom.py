"""Tables of constants: each bit of a word is a function of the address, which look-up tables hold as it is.

Up to six inputs are one table; beyond, the function is taken apart by the input that leaves the least behind (Shannon).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from .gates import INPUTS, ONE, ZERO, Gates, Run, inverted, joined


def rom(gates: Gates, rows: Sequence[Sequence[int]], index: Sequence[Run], width: int) -> list[Run]:
    """A word of `width` bits out of `rows` (bits of each, lowest first) by the address bits `index`, lowest first.

    Rows that are not there are 0, as firtool fills them.
    """
    found: list[Run] = []
    for bit in range(width):
        truth = sum(row[bit] << at for at, row in enumerate(rows))
        found += _function(gates, truth, tuple(index))
    return joined(found)


def _function(gates: Gates, truth: int, inputs: tuple[Run, ...]) -> list[Run]:
    """One bit: `truth` holds its value for each address, address 0 lowest."""
    for at, run in enumerate(inputs):
        low, high = _halves(truth, len(inputs), at)
        if low == high or run[0] < 0:  # it does not matter, or is known
            return _function(gates, high if run[0] == ONE else low, (*inputs[:at], *inputs[at + 1 :]))
    if not inputs:
        return [(ONE if truth else ZERO, 0, 1, 0)]
    if len(inputs) == 1:
        return [inputs[0]] if truth == 2 else inverted([inputs[0]])
    if len(inputs) <= INPUTS:
        word = f"table {truth}"
        return [gates.gate(word, [(run[0], run[1], 0) for run in inputs], 1)]
    count = len(inputs)
    at = min(range(count), key=lambda at: sum(_inputs(half, count - 1) for half in _halves(truth, count, at)))
    low, high = _halves(truth, count, at)
    rest = (*inputs[:at], *inputs[at + 1 :])
    return gates.mux([inputs[at]], _function(gates, high, rest), _function(gates, low, rest))


@cache
def _mask(count: int, at: int) -> int:
    """The addresses of `count` bits whose bit `at` is 0, as bits of a number."""
    block = (1 << (1 << at)) - 1
    found, size = block, 2 << at
    while size < 1 << count:
        found |= found << size
        size *= 2
    return found


def _halves(truth: int, count: int, at: int) -> tuple[int, int]:
    """The function where input `at` is 0, and where it is 1, of the other inputs."""
    mask = _mask(count, at)
    return _packed(truth & mask, count, at), _packed(truth >> (1 << at) & mask, count, at)


def _packed(truth: int, count: int, at: int) -> int:
    """Close the gaps of `2^at` bits."""
    for step in range(at, count - 1):
        kept = _mask(count, step) & _mask(count, step + 1) if step + 1 < count else _mask(count, step)
        moved = truth & ~kept & ((1 << (1 << count)) - 1)
        truth = (truth & kept) | (moved >> (1 << step))
    return truth


def _inputs(truth: int, count: int) -> int:
    """How many inputs a function depends on."""
    return sum(low != high for low, high in (_halves(truth, count, at) for at in range(count)))
