"""One piece of hardware written in two ways has one set of figures, and what is not read is said.

`written_otherwise.txt` holds the pairs: with the means of C++ that real code uses, and plainly, with arrays, loops and
scalars alone, whose figures the other tests and the reports of data/qor hold to the truth.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.qor.pins.kit import closed

from hwml_sdk.qor.closed_form.estimate import Estimate

TEXT = Path(__file__).with_suffix("").with_name("written_otherwise.txt").read_text(encoding="utf-8")
PAIRS = {
    name: tuple(rest.split("-- plainly\n"))
    for name, rest in (section.split("\n", 1) for section in TEXT.split("== ")[1:])
}
LOOP = "void top(int a[100], int b[100]) {{ for (int i = 0; i < 100; i++) {{\n#pragma HLS PIPELINE II=1\n{} }} }}"
UNREAD = {
    "the size of a parameter pack": (
        "template <typename... T> int n(T... t) { return sizeof...(T); }", "b[i] = a[i] * n(1, 2);",
        "a parameter pack is not read"),
    "a parameter pack that goes on": (
        "int sum(int v) { return v; } template <typename... A> int sum(int v, A... r) { return v + sum(r...); }",
        "b[i] = sum(a[i], b[i], a[i]);", "a parameter pack is not read"),
    "an assignment to a choice": (
        "", "int x = 0, y = 0; (i & 1 ? x : y) = a[i]; b[i] = x + y;",
        "an assignment to a conditional expression is not read"),
    "a name that nobody declares": ("", "b[i] = a[i] * SCALE;", "SCALE is not declared here"),
    "an assignment to what a function returns": (
        "static int tab[100]; int &at(int i) { return tab[i]; }", "at(i) = a[i]; b[i] = at(i);",
        "what is assigned to at(...) is not read"),
    "a jump backwards": ("", "int j = 0; again: b[j] = a[j]; j++; if (j < 100) goto again;",
                         "goto statement is not read"),
    "a copy whose conversions nobody reads": ("", "short t[8]; std::copy(a, a + 8, t); b[i] = t[0];",
                                             "std::copy is not read"),
    "a copy from one array to the end of another": ("", "int t[8]; std::copy(a, b + 8, t); b[i] = t[0];",
                                                    "std::copy is not read"),
    "a forward declaration alone": (
        "template <typename T> struct op;", "b[i] = op<int>::f(a[i]);", "op is not read"),
}  # fmt: skip


# Another order of sums or choices lets another value of 32 bits wait; a field that a constructor sets is not followed.
WAITS_OTHERWISE = {
    "a recursive template", "the least of a list", "a template's own name for a result and a constructor",
}  # fmt: skip


def figures(found: Estimate) -> dict[str, float | None]:
    return {
        "cycles": found.latency_cycles, "lut": found.lut, "dsp": found.dsp, "ff": found.ff, "bram": found.bram_18k,
    }  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_hardware_has_the_same_figures(name: str) -> None:
    otherwise, plainly = (closed(code, part="xc7z020clg400-1", clock=10.0) for code in PAIRS[name])
    assert not otherwise.unknown.of("lut")
    told, wanted = figures(otherwise), figures(plainly)
    if name in WAITS_OTHERWISE:
        assert told.pop("ff") == pytest.approx(wanted.pop("ff"), abs=40)
    assert told == pytest.approx(wanted, rel=0.03, abs=1)
    assert told["cycles"] == wanted["cycles"]


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_said(name: str) -> None:
    before, statement, cause = UNREAD[name]
    found = closed(f"{before}\n{LOOP.format(statement)}")
    assert cause in found.unknown.of("lut")
    assert cause in found.unknown.of("latency_cycles")
