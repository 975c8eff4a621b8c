"""Tables that code fills with constants cost what the same tables cost when they are declared with their values.

UG1399, "Initializing and Mapping Arrays to ROMs"; reports of Vitis HLS 2022.2 show no row of a loop that fills one.
"""

from __future__ import annotations

import math

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.constants import evaluate
from hwml_sdk.qor.program.typenames import DOUBLE
from hwml_sdk.qor.read.source import read_program

TARGET = make_target("xcu280-fsvh2892-2L-e", 10.0, "vitis_hls", "2023.2")
READ = "unsigned c = 0; for (int i = 0; i < 64; i++) { c = t[(c ^ in[i]) & 255] ^ (c >> 8); } out[0] = c;"
HEAD = "void k(const unsigned char in[64], unsigned out[1]) {"
FILL = """for (int i = 0; i < 256; i++) {
    unsigned v = i;
    for (int j = 0; j < 8; j++) v = (v & 1) ? (v >> 1) ^ 0xEDB88320 : v >> 1;
    t[i] = v;
  }"""


def figures(code: str) -> tuple[float | None, float, float, float, float]:
    """Latency, LUT, DSP, FF, BRAM of `k`."""
    found = estimate_source(code, path="k.cpp", top="k", target=TARGET)
    return found.latency_cycles, found.lut, found.dsp, found.ff, found.bram_18k


def crc(value: int) -> int:
    """An entry of the table of CRC-32."""
    for _ in range(8):
        value = value >> 1 ^ 0xEDB88320 if value & 1 else value >> 1
    return value


DECLARED = figures(f"{HEAD} static const unsigned t[256] = {{{','.join(map(str, map(crc, range(256))))}}}; {READ} }}")


@pytest.mark.parametrize(
    "code",
    [
        f"{HEAD} unsigned t[256]; {FILL} {READ} }}",
        f"void fill(unsigned t[256]) {{ {FILL} }}\n{HEAD} unsigned t[256]; fill(t); {READ} }}",
        f"void fill(unsigned u[256]) {{ {FILL.replace('t[', 'u[')} }}\n{HEAD} unsigned t[256]; fill(t); {READ} }}",
        f"unsigned look(unsigned t[256], unsigned i) {{ return t[i]; }}\n{HEAD} unsigned t[256]; {FILL} "
        f"{READ.replace('t[(c ^ in[i]) & 255]', 'look(t, (c ^ in[i]) & 255)')} }}",
    ],
)
def test_as_if_it_were_declared(code: str) -> None:
    assert figures(code) == DECLARED


def test_functions_of_the_library() -> None:
    values = ",".join(str(math.sin(2 * 3.14159 * i / 64)) for i in range(64))
    read = "for (int i = 0; i < 64; i++) out[i] = s[i] * in[i];"
    head = "void k(const float in[64], float out[64]) {"
    declared = figures(f"{head} const float s[64] = {{{values}}}; {read} }}")
    assert figures(
        f"{head} float s[64]; for (int i = 0; i < 64; i++) s[i] = sinf(2 * 3.14159 * i / 64); {read} }}"
    ) == (declared)


@pytest.mark.parametrize(
    ("fill", "read"),
    [
        ("h[i] = i * n;", "out[i] = h[i & 15];"),  # n comes with the call
        ("h[i] = 0;", "h[in[i] & 15] += 1;"),  # written later
        ("h[i] = in[i];", "out[i] = h[i & 15];"),  # data
        ("h[i] = i; out[i] = i;", "out[i] = h[i & 15];"),  # does more
        ("h[i] = i ? h[i - 1] * 3 : 1;", "out[i] = h[i & 15];"),  # reads what it fills: not told
        ("h[i + 8] = i;", "out[i] = h[i & 15];"),  # beyond its end
    ],
)
def test_what_is_no_table_stays_a_loop(fill: str, read: str) -> None:
    head = "void k(const int in[64], int n, int out[64]) { int h[16];"
    loops = f"{head} for (int i = 0; i < 16; i++) {{ {fill} }} for (int i = 0; i < 64; i++) {{ {read} }} }}"
    found = estimate_source(loops, path="k.cpp", top="k", target=TARGET)
    alone = estimate_source(loops.replace(f"for (int i = 0; i < 16; i++) {{ {fill} }}", ""), path="k.cpp", top="k",
                            target=TARGET)  # fmt: skip
    assert found.latency_cycles is not None and alone.latency_cycles is not None
    assert found.latency_cycles >= alone.latency_cycles + 15


def test_a_large_table_is_not_run() -> None:
    """Work is bounded: what takes more steps than that stays the loop it is."""
    code = "void k(int out[64]) { int t[4096]; for (int j = 0; j < 8; j++) for (int i = 0; i < 4096; i++) t[i] = i * j;"
    code += " for (int i = 0; i < 64; i++) out[i] = t[i * 61]; }"
    found = figures(code)[0]
    assert found is not None and found > 8 * 4096


ZERO = "int t[4], u[4]; for (int i = 0; i < 4; i++) t[i] = 0;"
STREAM = "#include <hls_stream.h>\n"


def read(code: str) -> tuple[ir.Program, list[bool]]:
    """A program, and which variables named `t` or `g` are constant."""
    program = read_program(code)
    found = [v for f in program.functions.values() for v in f.variables.values() if v.scope == "local"]
    return program, [v.const for v in found if v.name in ("t", "g")]


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ("void f(int &k) { k++; }", f"{ZERO} f(t[a[0] & 3]);"),
        ("void f(int &k, int *p) { k++; }", f"{ZERO} f(t[a[0] & 3], t);"),
        ("", f"{ZERO} f(t[a[0] & 3]);"),
        ("", f"{ZERO} int &p = t[a[0] & 3]; p += 1;"),
        ("void f(int v[4], int j) { int *p = &v[j & 3]; *p += 1; }", f"{ZERO} f(t, a[0]);"),
        ("void f(int v[4], int j) { int &p = v[j & 3]; p += 1; }", f"{ZERO} f(t, a[0]);"),
        (STREAM, f"{ZERO} hls::stream<int> s; s >> t[a[0] & 3];"),
        (STREAM, f"{ZERO} hls::stream<int> s; s.read(t[a[0] & 3]);"),
        (
            f"{STREAM} void f(int v[4], hls::stream<int> &s) {{ s >> v[1]; }}",
            f"{ZERO} hls::stream<int> s; f(t, s);",
        ),
        ("#include <ap_int.h>", f"{ZERO.replace('int t', 'ap_uint<8> t')} t[a[0] & 3].set(2);"),
        ("", f"{ZERO} (a[0] ? t[1] : u[1]) = a[1];"),
        ("", f"{ZERO} (u[1], t[1]) = a[1];"),
        ("", f"{ZERO} auto f = [&](int v) {{ t[v & 3] += v; }}; f(a[0]);"),
        ("", f"{ZERO} memcpy(&t[0], a, 16);"),
        ("", f"int t[4] = {{9, 9, 9, 9}}; b[1] = t[0]; {ZERO.partition(';')[2]}"),
        ("", "int t[4] = {50, 50, 50, 50}; for (int i = 0; i < 2; i++) t[i] = 5;"),
        ("void f(int t[2]) { for (int i = 0; i < 2; i++) t[i] = 5; }", "int t[4] = {50, 50, 50, 50}; f(t);"),
        ("", "static int t[4]; for (int i = 0; i < 4; i++) t[i] = i;"),
        ("", "volatile int t[4]; for (int i = 0; i < 4; i++) t[i] = i;"),
        (
            "void f(int t[4]) { static int s = 1; for (int i = 0; i < 4; i++) { s = s * 5 + 1; t[i] = s; } }",
            "int t[4]; f(t);",
        ),
        ("", "int t[4]; int i; for (i = 0; i < 4; i++) t[i] = i; b[2] = i;"),
        ("int log(int x);", "int t[4]; for (int i = 0; i < 4; i++) t[i] = log(i + 9);"),
        ("int s; int f(int x) { s = x; return x; }", "int t[4]; for (int i = 0; i < 4; i++) t[i] = f(i + 9);"),
        ("int f(int x) { static int s; s += x; return s; }", "int t[4]; for (int i = 0; i < 4; i++) t[i] = f(i);"),
        ("int f(int &x) { x += 2; return x; }", "int t[4]; for (int i = 0; i < 4; i++) t[i] = f(i);"),
        ("", "int t[4] = {[0] = 5, [a[0]] = 46};"),
        # Numbers that are static.
        ("#include <ap_int.h>", "static ap_uint<8> g = 0; g.set(3); b[1] = g;"),
        ("#include <ap_int.h>", "static ap_uint<8> g = 0; g.set_bit(3, a[0]); b[1] = g;"),
        ("#include <ap_int.h>", "static ap_uint<8> g = 0; ap_uint<8> h; (h, g) = a[0]; b[1] = g;"),
        ("", "static int g = 0; int h; (a[0] ? g : h) = a[0]; b[1] = g;"),
        ("", "static volatile int g = 0; b[1] = g;"),
    ],
)
def test_what_may_be_written_unseen_is_no_constant(before: str, code: str) -> None:
    array = "" if " g = " in code else "b[0] = t[a[2] & 3];"
    program, found = read(f"{before}\nvoid k(int a[64], int b[64]) {{ {code} {array} }}")
    assert found and not any(found), program.functions.keys()


def test_a_function_of_its_own_is_run_and_not_the_one_of_the_library() -> None:
    code = "int log(int x) { return x + 7; }\nvoid k(int a[4], int b[4]) { int t[4];"
    code += " for (int i = 0; i < 4; i++) t[i] = log(i + 9); b[0] = t[a[0] & 3]; }"
    table = read_program(code).functions["k"].variables["t"]
    assert isinstance(table.init, ir.Many)
    assert [evaluate(item, {}) for item in table.init.items] == [16, 17, 18, 19]


def test_what_is_read_plainly_stays_a_constant() -> None:
    code = f"{ZERO} b[0] = t[a[0] & 3] + abs(t[a[1] & 3]); b[1] = (a[2] ? t[1] : u[1]) >> t[2];"
    assert read(f"void k(int a[64], int b[64]) {{ {code} static int g = 3; b[2] = a[0] >> g; }}")[1] == [True, True]


FIELD = "for (int i = 0; i < c.n; i++) b[i] = a[i];"


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ("struct C { int n; void s(int v) { C &r = *this; r.n = v; } };", "C c; c.n = 8; c.s(a[0]);"),
        ("struct C { int n; void s(C d) { *this = d; } };", "C c, d; d.n = a[0]; c.n = 8; c.s(d);"),
        (
            "struct C { int n; void s(int v); }; void put(C *c, int v) { c->n = v; }"
            " void C::s(int v) { put(this, v); }",
            "C c; c.n = 8; c.s(a[0]);",
        ),
        ("struct C { int n; void s(int v) { int &r = n; r = v; } };", "C c; c.n = 8; c.s(a[0]);"),
        (
            STREAM + "struct C { int n; void s(hls::stream<int> &q) { q >> n; } };",
            "hls::stream<int> q; C c; c.n = 8; c.s(q);",
        ),
        (
            "struct D { int n; }; struct C { D &d; C(D &e) : d(e) {} void s(int v) { d.n = v; } };",
            "D c; c.n = 8; C e(c); e.s(a[0]);",
        ),
        ("struct C { int n; };", "C c, d; c.n = 8; (a[0] ? c.n : d.n) = a[1];"),
        ("struct C { int n; };", "C c, d; c.n = 8; C &e = a[0] ? c : d; e.n = a[1];"),
        ("union C { int n; float f; };", "C c; c.n = 8; c.f = a[0];"),
        ("struct C { volatile int n; };", "C c; c.n = 8;"),
    ],
)
def test_fields_that_change_unseen(before: str, code: str) -> None:
    assert figures(f"{before}\nvoid k(int a[64], int b[64]) {{ {code} {FIELD} }}")[0] is None


@pytest.mark.parametrize("change", ["memcpy(c.n, a, 16);", "memset(c.n, 0, 16);", "c.s(a);"])
def test_arrays_in_objects_that_the_library_writes(change: str) -> None:
    struct = "struct C { int n[4]; void s(int *a) { memcpy(n, a, 16); } };"
    code = f"C c = {{{{8, 8, 8, 8}}}}; {change} {FIELD.replace('c.n', 'c.n[0]')}"
    assert figures(f"{struct}\nvoid k(int a[64], int b[64]) {{ {code} }}")[0] is None


@pytest.mark.parametrize(
    "code",
    [
        "int exp(int a) { return a * 4; } void k(int a[64], int b[64]) { for (int i = 0; i < exp(5); i++) b[i] = 1; }",
        "int round(int a) { return a * 4; } void k(int b[64]) { for (int i = 0; i < round(5); i++) b[i] = 1; }",
        "int pow(int a, int b); void k(int a[64], int b[64]) { for (int i = 0; i < pow(2, 3); i++) b[i] = 1; }",
        "void k(int a[64], int b[64]) { int *q = a; for (int *p = q; p < q + 16; p++) { b[0] += *p; q--; } }",
    ],
)
def test_rounds_that_are_not_told(code: str) -> None:
    assert figures(code)[0] is None


def test_half_away_from_zero() -> None:
    assert evaluate(ir.Call("round", (ir.Const(-2.5, DOUBLE),)), {}) == -3
