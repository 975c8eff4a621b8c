"""Products of integers: which are wiring or adders, and how many DSPs the others take, by operand widths and family.

A DSP multiplies 25 x 18 bits on 7 series (UG479) and 27 x 18 from UltraScale on (UG579), signed; unsigned parts of a
longer number have one bit less. Longer products are sums of such parts, those above the result's width left out.
"""

from __future__ import annotations

import math

LUT_PRODUCT_BITS2 = 30  # 5 x 5 bits: up to here a product of two variables is built of LUTs
NARROW_BITS, _NARROW_PART = 18, 17
_LONG = 34  # both operands longer than two narrow parts: csynth reports square parts of 17 bits (mul_64s_64s_64: 16)


def signed_digits(value: int) -> int:
    """Digits other than zero of a constant in canonical signed form: 7 = 8 - 1 has two, so that x * 7 is one adder."""
    digits, rest = 0, abs(value)
    while rest:
        if rest & 1:
            digits += 1
            rest = rest - 1 if rest & 3 == 1 else rest + 1
        rest >>= 1
    return digits


def dsps(one: int, other: int, result: int, family: str) -> int:
    """DSPs of a product of operands of so many bits of which `result` bits are kept."""
    wide_part = 24 if family == "7series" else 26
    if min(one, other) > _LONG:
        return math.ceil(one / _NARROW_PART) * math.ceil(other / _NARROW_PART)
    return min(_tiles(one, other, result, wide_part), _tiles(other, one, result, wide_part))


def _tiles(wide: int, narrow: int, result: int, wide_part: int) -> int:
    columns = math.ceil(wide / wide_part)
    rows = 1 if narrow <= NARROW_BITS else math.ceil(narrow / _NARROW_PART)
    # A part whose lowest bit lies above what is kept of the result is not built.
    places = (column * wide_part + row * _NARROW_PART for column in range(columns) for row in range(rows))
    return sum(place < result for place in places)
