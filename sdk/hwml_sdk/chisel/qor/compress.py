"""Sums of many numbers down to two: full adders over the bits of a column, as yosys' `maccmap` sets them."""

from __future__ import annotations

from collections.abc import Sequence

from .gates import ZERO, Gates, Operand, Run, bits, cut, joined

_BITS_A_NUMBER = 2  # signals in each number up to which columns are packed one by one; wider ones go word by word


def compressed(gates: Gates, numbers: Sequence[list[Run]], width: int) -> list[list[Run]]:
    """Two numbers of `width` bits with the same sum."""
    if max(sum(run[2] for run in number if run[0] >= 0) for number in numbers) <= _BITS_A_NUMBER:
        return _by_columns(gates, numbers, width)
    return _by_words(gates, list(numbers), width)


def _by_words(gates: Gates, numbers: list[list[Run]], width: int) -> list[list[Run]]:
    while len(numbers) > 2:
        a, b, c = numbers[:3]
        total = gates.two("xor", gates.two("xor", a, b), c)
        carry = gates.majority(a, b, c)
        numbers = [*numbers[3:], total, joined([(ZERO, 0, 1, 0), *cut(carry, 0, width - 1)])]
    return numbers


def _by_columns(gates: Gates, numbers: Sequence[list[Run]], width: int) -> list[list[Run]]:
    """Columns of bits; constants of one are kept as bits of a number of their own at the end."""
    columns: list[list[Operand]] = [[] for _ in range(width + 1)]
    for number in numbers:
        for at, bit in enumerate(bits(number)):
            if bit[0] != ZERO:
                columns[at].append(bit)
    for at in range(width):
        column = columns[at]
        while len(column) > 2:
            three = [[(gate, offset, 1, 0)] for gate, offset, _ in column[:3]]
            del column[:3]
            total = gates.two("xor", gates.two("xor", three[0], three[1]), three[2])[0]
            carry = gates.majority(*three)[0]
            if total[0] != ZERO:
                column.append((total[0], total[1], 0))
            if carry[0] != ZERO:
                columns[at + 1].append((carry[0], carry[1], 0))
    found: list[list[Run]] = []
    for row in range(2):
        picked = [column[row] if len(column) > row else (ZERO, 0, 0) for column in columns[:width]]
        found.append(joined([(gate, offset, 1, 0) for gate, offset, _ in picked]))
    return found
