"""Numbers for people: two or three digits, the same on every machine.

How sure a figure is shows in how it is written: `3.1k`, `~3.1k` where the interval is wider than `ABOUT_FROM`, `~3k?`
where it is wider than `ROUGH_FROM`. `?` alone stands only for what nobody can compute. Ranges have places of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from .config import ABOUT_FROM, ROUGH_FROM

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_EXACT = 2.0**53
_LARGEST = Decimal(10) ** 15  # shown with a unit


@dataclass(frozen=True, slots=True)
class Interval:
    """80 % interval: the true value of unseen code lies inside in about four cases of five (measured, see the card)."""

    low: float
    high: float


def whole(value: float | None) -> int | None:
    """The nearest integer, halves up; None stays None, and so does what is no number."""
    if value is None or not math.isfinite(value):
        return None
    if abs(value) >= _EXACT:
        return int(value)  # every float up there is an integer
    return int(Decimal(repr(float(value))).quantize(Decimal(1), ROUND_HALF_UP))


def short_number(value: float) -> str:
    """`67`, `850`, `1.2k`, `12k`, `123k`, `1.0M`: two to three digits, as integers below a thousand.

    Beyond the last unit as a power of ten: `5e+38`.
    """
    amount = _settled(value)
    if amount >= _LARGEST:
        return f"{amount:.0e}"
    if amount < 999.5:
        return str(whole(float(amount)))
    fitting = [(amount / Decimal(size), unit) for size, unit in reversed(_UNITS)]
    scaled, unit = next((choice for choice in fitting if choice[0] < Decimal("999.5")), fitting[-1])
    return f"{_digits(scaled)}{unit}"


def _settled(value: float) -> Decimal:
    """Six significant digits: differences of the last float bits between machines end here."""
    return Decimal(f"{max(value, 0.0):.6g}")


def _digits(scaled: Decimal) -> str:
    places = Decimal("0.1") if scaled < Decimal("9.95") else Decimal(1)
    return str(scaled.quantize(places, ROUND_HALF_UP))


def figure(value: float | None, interval: Interval | None = None) -> str:
    """`307k`, `~3.1k`, `~3k?`: a number as sure as its interval (`sureness`); `?` where it is not known."""
    if value is None or not math.isfinite(value):
        return "?"
    if interval is None:
        return short_number(value)
    shown = {"sure": short_number(value), "about": f"~{short_number(value)}", "rough": f"~{one_digit(value)}?"}
    return shown[sureness(value, interval)]


def sureness(value: float, interval: Interval) -> Literal["sure", "about", "rough"]:
    """By the width of the interval, which is stretched to its own value; the thresholds stand in `config`."""
    low, high = max(min(interval.low, value), 0.0), max(interval.high, value)
    # One more of each, so that 0 to 3 DSP is a factor of four and no infinite one.
    spread = (high + 1) / (low + 1)
    return "rough" if spread > ROUGH_FROM else "about" if spread > ABOUT_FROM else "sure"


# Added to a predicted change (of the logarithm) before its interval is taken: small changes are as unsure as this.
CHANGE_FLOOR = 0.2


def change_of(before: float, now: float, factor: float) -> tuple[float, Interval]:
    """(change in percent, its 80 % interval) of two predictions of one kernel, whose errors largely go the same way.

    factor: measured on pairs of designs of the same kernel. No predicted change is none. Of 0, as of 1.
    """
    change = math.log(max(now, 1.0) / max(before, 1.0))
    half = factor * (abs(change) + CHANGE_FLOOR) if change else 0.0
    low, middle, high = ((math.exp(min(c, 50.0)) - 1) * 100 for c in (change - half, change, change + half))
    return middle, Interval(low, high)


def one_digit(value: float) -> str:
    """`3k`, `30k`, `800`, `1M`: the first digit, where the others would be made up."""
    amount = _settled(value)
    if not 0 < amount < _LARGEST:
        return short_number(value)
    rounded = amount.quantize(Decimal(1).scaleb(max(amount.adjusted(), 0)), ROUND_HALF_UP)
    size, unit = next(((Decimal(s), u) for s, u in _UNITS if rounded >= Decimal(s)), (Decimal(1), ""))
    return f"{whole(float(rounded / size))}{unit}"


def range_of(low: float, high: float) -> str:
    """Both ends in the unit of the upper one: `0.8–2.0k`, `12–40k`, `30–75`; `1.0–1.1k`, since 1 might be one."""
    bottom, top = _settled(low), _settled(high)
    if top >= _LARGEST:
        return f"{short_number(low)}–{short_number(high)}"
    size, unit = next(((Decimal(s), u) for s, u in _UNITS if top >= Decimal(s) * Decimal("0.9995")), (Decimal(1), ""))
    if not unit:
        return f"{whole(float(bottom))}–{whole(float(top))}"
    ends = [_digits(amount / size) for amount in (bottom, top)]
    if all(end.endswith(".0") or "." not in end for end in ends):
        ends = [end.removesuffix(".0") for end in ends]
    return f"{ends[0]}–{ends[1]}{unit}"


def percent(share: float) -> str:
    """A share of the latency as whole percents; `<1 %` where it would round to nothing."""
    value = whole(float(_settled(share * 100))) or 0
    return "<1 %" if value == 0 and share > 0 else f"{value} %"
