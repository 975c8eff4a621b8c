"""Every constant of area counts: with a larger one no design takes less, and some design takes more.

Only the direction is known of a fitted constant; whoever exchanges, drops or inverts one turns the direction round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hwml_sdk.qor.closed_form import costs
from hwml_sdk.qor.tool import cores, memories
from hwml_sdk.qor.tool.constant import constants_of
from hwml_sdk.qor.tool.operators import operator

from .golden import cases
from .kit import closed

HOLDERS = {
    "INTEGER": cores.INTEGER, "MEMORY": memories.MEMORY, "COSTS": costs.COSTS, "CSYNTH": costs.CSYNTH,
    "IMPL": costs.IMPL, "MERLIN": costs.MERLIN, "LOGIC": costs.LOGIC,
}  # fmt: skip
# Kernels in which a holder's constants show.
SHOWS = {
    "INTEGER": (
        "add_widths", "mul_widths", "mul_wide", "div_mod", "compare_logic", "shifts", "selects", "fixed_functions",
    ),
    "MEMORY": ("streams", "stream_arrays", "sizes", "complete"),
    "COSTS": (
        "copy_off", "selectors", "reshape", "m_axi", "memcpy", "gemm", "dataflow_streams", "short_loop", "late_split",
    ),
    "CSYNTH": ("gemm_scalar", "selectors"),
    "IMPL": ("gemm_scalar", "selectors"),
    "MERLIN": ("gemm", "guarded_sums"),
    "LOGIC": ("copy_off", "selectors", "reshape", "gemm", "dataflow_streams", "sum_float"),
}  # fmt: skip
CASES = cases()
DIVIDED = """
void top(int a[64], int b[64], int c[64]) {
  for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    c[i] = a[i] / b[i];
  }
}"""
SETTINGS = ("2019.2", "2022.1", "2020.2")
AREA = ("lut", "ff", "bram")


def names() -> Iterator[tuple[str, str]]:
    """(holder, constant) of those that count LUTs, FFs or block RAMs."""
    for holder, instance in HOLDERS.items():
        for name, _, _ in constants_of(instance):
            if any(word in name for word in AREA) or holder in ("CSYNTH", "IMPL", "MERLIN", "LOGIC"):
                yield holder, name


def areas(holder: str) -> list[float]:
    """LUT, FF and BRAM18 of the holder's cases."""
    operator.cache_clear()
    found = []
    for case in CASES:
        if case.name in SHOWS[holder]:
            made = [estimate for setting, estimate in case.estimates(SETTINGS)]
            found += [count for each in made for count in (each.lut, each.ff, each.bram_18k)]
    # At 10 ns a long product has no register inside, and a short one is combinational.
    product = DIVIDED.replace("/", "*")
    short = product.replace("int a[64], int b[64]", "short a[64], short b[64]")
    others = [closed(DIVIDED), *(closed(code, clock=10.0) for code in (product, short))]
    return [*found, *(count for each in others for count in (each.lut, each.ff))]


@pytest.mark.parametrize(("holder", "name"), list(names()))
def test_more_is_more(holder: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instance: Any = HOLDERS[holder]
    before = areas(holder)
    monkeypatch.setattr(instance, name, getattr(instance, name) * 2 + 0.25)
    after = areas(holder)
    monkeypatch.undo()
    operator.cache_clear()
    assert all(new >= old - 1e-9 for new, old in zip(after, before, strict=True))
    assert any(new > old + 1e-9 for new, old in zip(after, before, strict=True))
