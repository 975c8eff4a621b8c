"""Sums that are addresses: stepped with a loop's counter, so that they take a narrow adder and no time."""

from __future__ import annotations

from ...program import ir
from . import forms
from .forms import Form
from .operations import copies
from .region import Region
from .tables import ELEMENTS_A_STEP, counted
from .values import Value, constant_bits

# Addresses are narrow whatever the type of the counter: the tool cuts them to what the array needs. 12 bits reach 4096
# elements.
ADDRESS = ir.CType("uint", 12, name="address")


def count_adder(region: Region, op: str, left: Value, right: Value) -> None:
    """Note the adder of an address; wires take none: a multiple of a power of two, or what fits in its low bits."""
    if not _is_wired(region, op, left, right):
        region.counts[("add", ADDRESS)] += copies(region, left.deps | right.deps)


def _is_wired(region: Region, op: str, left: Value, right: Value) -> bool:
    if op in ("*", "<<"):
        return op == "<<" or forms.is_power_of_two(left.form) or forms.is_power_of_two(right.form)
    if forms.is_constant(left.form) and forms.is_constant(right.form):
        return True
    if op != "+":
        return _is_nothing(right.form)
    return _fits(region, left.form, right.form) or _fits(region, right.form, left.form)


def form_bits(region: Region, form: Form, type_: ir.CType) -> int:
    """Bits that a sum of counters needs; 0 for all of its type."""
    low = high = form.get(None, 0.0)
    for var, factor in form.items():
        if var is None:
            continue
        reach = region.host.reach(var)
        if reach is None:
            return 0
        first, last = factor * reach[0], factor * reach[1]
        low, high = (low + last, high + first) if last < first else (low + first, high + last)
    bits = constant_bits(int(low))
    if high != low:
        bits = max(bits, constant_bits(int(high)))
    return min(bits, type_.width or 1)


def _is_nothing(form: Form | None) -> bool:
    return forms.is_constant(form) and form is not None and not form[None]


def _fits(region: Region, low: Form | None, high: Form | None) -> bool:
    """Whether a sum is no more than bits put together: `4 * i + 1`, which compilers write as an or."""
    if _is_nothing(low):
        return True
    values = counted(region, low)
    if not values or high is None or any(factor != int(factor) for factor in high.values()):
        return False
    units = [int(abs(factor)) & -int(abs(factor)) for factor in high.values() if factor]
    region.work.left -= len(values) // ELEMENTS_A_STEP
    return min(values) >= 0 and max(values) < min(units, default=0)
