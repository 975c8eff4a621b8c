"""What objects hold and numbers that are static are constants where nothing that the design runs can change them."""

from __future__ import annotations

import pytest
from tests.qor.growth import kernel
from tests.qor.growth_more import FAMILIES
from tests.qor.pins.kit import closed

C = "struct C { int n; int m; };\n"
LOOP = "for (int i = 0; i < c.n; i++) b[i] = a[i];"
G = f"void g(int a[64], int b[64], const C &c) {{\n#pragma HLS INLINE off\n {LOOP} }}\n"
TOP = f"{C}{G}void top(int a[64], int b[64]) {{ C c = {{8, 1}}; g(a, b, c); }}\n"


def cycles(code: str, top: str = "top") -> float | None:
    return closed(code, top=top).latency_cycles


@pytest.mark.parametrize("kind", ["C", "C &", "const C &", "C *"])
def test_a_top_does_not_get_what_its_callers_give(kind: str) -> None:
    loop = LOOP.replace("c.n", "c->n") if "*" in kind else LOOP
    given = "&c" if "*" in kind else "c"
    bench = f"int main() {{ int a[64], b[64]; C c = {{8, 1}}; top(a, b, {given}); return 0; }}\n"
    code = f"{C}void top(int a[64], int b[64], {kind} c) {{ {loop} }}\n{bench}"
    assert cycles(code) is None
    assert cycles(code.replace("main", "test")) is None


def test_nor_does_what_a_top_hands_on() -> None:
    bench = "void test() { int a[64], b[64]; C c = {8, 1}; top(a, b, c); }\n"
    code = f"{C}{G}void top(int a[64], int b[64], const C &c) {{ g(a, b, c); }}\n{bench}"
    assert cycles(code) is None
    assert cycles(code.replace("g(a, b, c)", "C d = c; g(a, b, d)")) is None


def test_a_function_is_a_top_by_itself_too() -> None:
    assert cycles(TOP) is not None
    assert cycles(TOP, "g") is None
    assert cycles(TOP) is not None


def test_what_a_test_bench_calls_with_other_values_is_none_of_the_design() -> None:
    bench = "int main() { int a[64], b[64]; C c = {40, 1}; g(a, b, c); top(a, b); return 0; }\n"
    assert cycles(TOP + bench) == cycles(TOP)


@pytest.mark.parametrize(
    ("declared", "known"),
    [
        ("static int mode = 5;", True),
        ("static int mode = 5; void other() { mode = 6; }", False),
        ("int mode = 5;", False),  # another source may write it
    ],
)
def test_static_numbers(declared: str, known: bool) -> None:
    code = f"{declared}\nvoid top(int b[64]) {{ for (int i = 0; i < mode; i++) b[i] = 3; }}\n"
    assert (cycles(code) is not None) == known


@pytest.mark.parametrize("declared", ["static int mode = 5;", "int mode[2] = {5, 3};"])
def test_a_port_has_no_value_of_its_own(declared: str) -> None:
    name = "mode[0]" if "[2]" in declared else "mode"
    pragma = "#pragma HLS INTERFACE s_axilite port=mode\n"
    code = f"{declared}\nvoid top(int b[64]) {{\n{pragma} for (int i = 0; i < {name}; i++) b[i] = 3; }}\n"
    assert cycles(code) is None
    assert cycles(code.replace(pragma, "")) is not None


WRITES = {
    "a field that is a reference": ("struct D { int &r; };", "D d = {mode}; d.r = n;"),
    "one in braces": ("struct D { int &r; };", "D d{mode}; d.r = n;"),
    "one that a constructor sets": ("struct D { int &r; D(int &x) : r(x) {} };", "D d(mode); d.r = n;"),
    "one of an object in an object": ("struct D { int &r; }; struct E { D d; };", "E e = {{mode}}; e.d.r = n;"),
    "one of an element": ("struct D { int &r; };", "D d[1] = {{mode}}; d[0].r = n;"),
    "one with a designator": ("struct D { int k; int &r; };", "D d = {.k = 1, .r = mode}; d.r = n;"),
    "a captured reference": ("", "auto f = [&m = mode](int v) { m = v; }; f(n);"),
    "a captured value": ("", "auto f = [k = (mode = n)]() { return k; }; b[0] = f();"),
    "a condition that declares": ("", "if (int t = (mode = n)) b[0] = t;"),
    "a statement before a condition": ("", "if (int t = (mode = n); t > 3) b[0] = t;"),
    "a switch that declares": ("", "switch (int t = (mode = n)) { case 1: b[0] = t; }"),
    "a loop that declares": ("", "while (int t = (mode = n)) { b[0] = t; n--; }"),
    "assembly": ("", 'asm volatile("mov %1, %0" : "=r"(mode) : "r"(n));'),
    "assembly with names": ("", '__asm__("mov %1, %0" : [o] "+r"(mode));'),
    "a designated field": ("struct D { int k, r; };", "D d = {.k = 1, .r = (mode = n)}; b[1] = d.r;"),
    "a designated field inside": ("struct D { int k, r[2]; };", "D d = {.k = 1, .r = {1, (mode = n)}}; b[1] = d.r[1];"),
    "a designated element": ("", "int d[3] = {[1] = (mode = n)}; b[1] = d[1];"),
    "an object made in place": ("struct D { int k; }; int g(D d) { return d.k; }", "b[1] = g(D{.k = (mode = n)});"),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_in_all_places_are_seen(name: str) -> None:
    before, code = WRITES[name]
    text = f"static int mode = 5; {before}\nvoid top(int a[64], int b[64], int n) {{ {code}"
    assert cycles(f"{text} for (int i = 0; i < mode; i++) b[i] = a[i]; }}") is None
    found = cycles(f"{text} for (int i = 0; i < 5; i++) b[i] = a[i]; }}")
    assert found is not None or "asm" in code or "while" in code


def test_assembly_without_operands_does_nothing() -> None:
    assert cycles('void top(int b[4]) { asm volatile("nop"); b[0] = 1; }') is not None


@pytest.mark.parametrize("value", ["{[2][0] = a[0] * b[0], [5] = 1}", "{[n] = a[0] * b[0]}", "{.x = a[0] * b[0]}"])
def test_a_value_that_cannot_be_placed_is_said(value: str) -> None:
    found = closed(f"void top(int a[4], int b[4], int n) {{ int c[3] = {value}; b[0] = c[1]; }}")
    assert "a designated initialiser is not read" in found.unknown.of("dsp")


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_objects_are_looked_at_however_many_there_are() -> None:
    """Each has a loop of its own whose rounds it tells."""
    assert cycles(FAMILIES["objects"](500), "f") is not None


def test_loops_that_take_too_long_to_be_run_stay_and_leave_the_rest_its_figures() -> None:
    found = cycles(FAMILIES["tables_too_large_to_fill"](40), "f")
    assert found is not None
    assert found > 90**3


def test_constexpr_functions_in_such_loops_take_nothing_from_the_document() -> None:
    before = "constexpr int sum(int x) { int y = 0; for (int i = 0; i < 300; i++) y += x; return y; }\n"
    fills = "".join(f"  int t{i}[64]; for (int i = 0; i < 64; i++) t{i}[i] = sum(i);\n" for i in range(9))
    reads = "".join(f"  a[{i}] += t{i}[s & 63];\n" for i in range(9))
    causes = closed(kernel(fills + reads, before), top="f").unknown.of("lut")
    assert not causes


def test_a_method_that_calls_itself_may_change_everything() -> None:
    struct = "struct C { int n; void s(int v) { if (v) t(v - 1); } void t(int v) { n = v; s(v); } };\n"
    code = f"{struct}void top(int a[64], int b[64]) {{ C c; c.n = 8; c.s(a[0]); {LOOP} }}\n"
    assert cycles(code) is None


def test_methods_far_inside_one_another_may_change_everything() -> None:
    chain = "".join(f"void m{i}(int v) {{ {f'm{i - 1}(v);' if i else 'n = v;'} }} " for i in range(20))
    code = f"struct C {{ int n; {chain} }};\nvoid top(int a[64], int b[64]) {{ C c; c.n = 8; c.m19(a[0]); {LOOP} }}\n"
    assert cycles(code) is None
