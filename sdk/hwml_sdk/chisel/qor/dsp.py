"""Multipliers: how many DSP48E1 blocks one takes, and what it takes where it is too small for one.

A block multiplies 25 by 18 bits with sign (UG479); a number without sign takes a bit more. Wider operands are cut into
pieces of 17 bits (24 for the wider port of a single row), as yosys' `mul2dsp` does for xc7: at least 2 bits each and 9
in the product, else the product is made of tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .gates import ONE, ZERO, Run

_LONG, _SHORT = 25, 18
_LEAST_PRODUCT = 9


@dataclass(frozen=True, slots=True)
class Multiplier:
    """blocks of DSP48E1, or look-up tables; shift: the product is the other operand shifted, and costs nothing."""

    blocks: int
    tables: int
    shift: int | None = None


def multiplier_of(operands: Sequence[Sequence[Run]], product: int) -> Multiplier:
    """What a product of two operands takes of which the lowest `product` bits are needed."""
    for value in operands:
        if all(run[0] < 0 for run in value):
            number = sum(1 << at for at, run in enumerate(_spread(value)) if run == ONE)
            if number & (number - 1) == 0:
                return Multiplier(0, 0, number.bit_length() - 1 if number else 0)
    left, right = (min(_signed_width(value), product) for value in operands)
    long, short = max(left, right), min(left, right)
    if product < _LEAST_PRODUCT or short < 3:
        return Multiplier(0, max(1, (left - 1) * (right - 1) * 4 // 3))  # yosys: 8 tables at 3 x 3 bits, 21 at 4 x 4
    rows = -(-(short - 1) // (_SHORT - 1))
    if long <= _LONG:
        return Multiplier(rows, 0)  # rows are added inside the blocks
    columns = -(-(long - 1) // (_SHORT - 1))
    return Multiplier(rows * columns, sum(max(0, long + short - 2 - (_SHORT - 1) * at) for at in range(1, columns)))


def _signed_width(value: Sequence[Run]) -> int:
    """Bits of a number with its sign: copies of the top bit and zeros above are no part of it."""
    gate, offset, count, step = value[-1]
    width = sum(run[2] for run in value)
    if gate == ZERO:
        return width - count + 1
    if step == 0 and count > 1:
        width -= count - 1
    before = value[-2] if len(value) > 1 else None
    copies = step == 0 and before is not None and (before[0], before[1] + (before[2] - 1) * before[3]) == (gate, offset)
    if copies:  # they stand above the sign itself
        return width - 1
    return width if step == 0 and count > 1 else width + 1


def _spread(value: Sequence[Run]) -> list[int]:
    return [run[0] for run in value for _ in range(run[2])]
