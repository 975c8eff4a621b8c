"""Constants as C++ computes them: precedence, constexpr functions, templates, macros; each is a loop's trip count."""

from __future__ import annotations

import pytest

from .kit import closed, loops


def trips(bound: str, before: str = "", **settings: object) -> float:
    code = f"{before}\nvoid top(int a[4096]) {{\n  L: for (int i = 0; i < {bound}; i++) {{\n    a[i] = 1;\n  }}\n}}"
    found = closed(code, **settings)  # type: ignore[arg-type]
    assert found.latency_cycles is not None, "the bound is not known"
    return loops(found)["L"].trips


# C++ precedence and integer arithmetic (division towards zero), by hand.
EXPRESSIONS = {
    "1 + 2 * 3": 7, "(1 + 2) * 3": 9, "7 - 3 - 2": 2, "100 / 5 / 2": 10, "17 % 5": 2, "20 - 7 % 4": 17,
    "1 << 2 + 1": 8, "64 >> 1 + 1": 16, "2 << 1 << 1": 8, "12 & 10": 8, "12 | 3": 15, "12 ^ 10": 6,
    "8 | 6 & 3": 10, "8 ^ 6 & 3": 10, "1 | 2 ^ 2": 1, "9 & 8 | 4": 12, "3 > 2": 1, "(3 < 2) + 5": 5,
    "(3 >= 3) + (3 <= 3)": 2,
    "(2 == 2) + (2 != 2)": 1, "1 + (4 & 4 == 4)": 1, "(0 || 3) + (2 && 1)": 2, "(1 || 0 && 0) + 4": 5,
    "!0 + !7 + 2": 3, "~(-9)": 8, "-(-6)": 6, "+7": 7, "-7 / 2 + 10": 7, "-7 % 3 + 10": 9, "1 ? 6 : 7": 6,
    "0 ? 6 : 1 ? 8 : 9": 8, "5 - 5 ? 6 : 7": 7, "0x1F": 31, "017": 15, "0b101": 5, "1u + 2ul": 3, "'A' - '0'": 17,
    "(3 + 4) * (5 - 3)": 14, "(int)3.9": 3, "int(7.2) + 1": 8, "(3 < 4) * 6": 6, "2 * 3 % 4": 2, "1 == 1 == 1": 1,
    "7 / 1": 7, "7 % 1 + 3": 3, "(5 == 3 < 1) + 4": 4, "(2 == 2 & 5) + 3": 4, "(1 | 0 ^ 1) + 2": 3,
}  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_precedence(expression: str) -> None:
    assert trips(f"({expression})") == EXPRESSIONS[expression]


@pytest.mark.parametrize("expression", [text for text in EXPRESSIONS if "int" not in text])
def test_precedence_in_conditionals(expression: str) -> None:
    """The preprocessor has an arithmetic of its own."""
    before = f"#if ({expression}) == {EXPRESSIONS[expression]}\n#define N 5\n#else\n#define N 6\n#endif"
    assert trips("N", before) == 5


@pytest.mark.parametrize("expression", [text for text in EXPRESSIONS if ">" not in text and "int" not in text])
def test_precedence_in_template_arguments(expression: str) -> None:
    """Values are brought to 4, so that the type has 32 bits: 4 bytes."""
    before = f"typedef ap_int<8 * (({expression}) - {EXPRESSIONS[expression]} + 4)> word;"
    assert trips("sizeof(word)", before) == 4


FUNCTIONS = [
    ("constexpr int f(int n) { return n * (n + 1) / 2; }", "f(6)", 21),
    ("constexpr int f(int n) { int s = 0; for (int i = 1; i <= n; i++) s += i; return s; }", "f(6)", 21),
    ("constexpr int f(int n) { int k = 0; while (n > 1) { n /= 2; k++; } return k; }", "f(100)", 6),
    ("constexpr int f(int n) { int k = 0; do { n -= 3; ++k; } while (n > 0); return k; }", "f(10)", 4),
    ("constexpr int f(int n) { int k = 0; do k++; while (k < n); return k; }", "f(0)", 1),
    ("constexpr int f(int n) { return n <= 1 ? 1 : n * f(n - 1); }", "f(5)", 120),
    ("constexpr int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }", "f(9)", 34),
    ("constexpr int f(int n) { if (n > 4) return 3; else return 9; }", "f(5) + f(4)", 12),
    ("constexpr int f(int n) { if (n > 4) { return 3; } return 9; }", "f(5) + f(4)", 12),
    ("constexpr int f(int n) { int s = 0; for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) s++; return s; }",
     "f(5)", 10),
    ("constexpr int f(int n) { int s = 1; s <<= n; s |= 1; s ^= 2; s -= 1; s *= 3; s %= 50; return s; }", "f(4)", 4),
    ("constexpr int f(int n) { int s = 0; for (int i = n; i > 0; i -= 2) s += i; return s; }", "f(7)", 16),
    ("constexpr int f(int a, int b) { return a > b ? a : b; }", "f(f(3, 8), 5)", 8),
    ("constexpr int g(int n) { return n + 1; } constexpr int f(int n) { return g(g(n)); }", "f(5)", 7),
    ("constexpr int f(int n) { const int t = n * 2; int u = t; u++; return u; }", "f(5)", 11),
    ("constexpr int log2(int n) { return n <= 1 ? 0 : 1 + log2((n + 1) / 2); }", "log2(37)", 6),
    ("struct math { static constexpr int f(int n) { return n + 2; } };", "math::f(4)", 6),
    ("constexpr double f(double x) { return x * 1.5; }", "(int)f(5.0)", 7),
]  # fmt: skip


@pytest.mark.parametrize(("before", "bound", "right"), FUNCTIONS)
def test_constexpr_functions(before: str, bound: str, right: int) -> None:
    assert trips(bound, before) == right


MACROS = [
    ("#define LAST(...) LAST_(__VA_ARGS__)\n#define LAST_(a, b) b", "LAST(3, 9)", 9),
    ("#define SUM(a, ...) (a + FIRST(__VA_ARGS__))\n#define FIRST(x, y) x", "SUM(2, 5, 7)", 7),
    ("#define F(x) x * 2", "F(3 + 1)", 5),  # 3 + 1 * 2: text, no value
    ("#define A B\n#define B 7", "A", 7), ("#define F() 11", "F()", 11), ("#define F(a,b) a-b", "F((9),(2))", 7),
    ("#define N N1\n#define N1 (N2 + 1)\n#define N2 4", "N", 5),
    ("#define F(x) (x)\n#define COMMA(x, y) F(x) + F(y)", "COMMA(F(2), F(3))", 5),
    ("#define EMPTY\n#define F(x) x EMPTY", "F(6)", 6),
]  # fmt: skip


@pytest.mark.parametrize(("before", "bound", "right"), MACROS)
def test_macros(before: str, bound: str, right: int) -> None:
    assert trips(bound, before) == right


TEMPLATES = [
    # (definition, call) of a function that holds the loop, and the iterations an instance has.
    ("template <int N> void work(int a[4096])", "N", "work<13>(a);", 13),
    ("template <int N, int M = 5> void work(int a[4096])", "N + M", "work<13, 1>(a);", 14),
    ("template <int N, int M = 5> void work(int a[4096])", "N + M", "work<13>(a);", 18),
    ("template <typename T> void work(int a[4096])", "sizeof(T)", "work<double>(a);", 8),
    ("template <typename T, int N> void work(T a[N])", "N", "int t[33]; work(t);", 33),
    ("template <class C> void work(int a[4096])", "C::n", "work<conf>(a);", 17),
    ("template <unsigned N> void work(int a[4096])", "N / 2", "work<SIZE>(a);", 20),
]


@pytest.mark.parametrize(("head", "bound", "call", "right"), TEMPLATES)
def test_templates(head: str, bound: str, call: str, right: int) -> None:
    code = f"""
#define SIZE 40
struct conf {{ static const int n = 17; }};
{head} {{
#pragma HLS inline off
  W: for (int i = 0; i < {bound}; i++) {{ a[i] = 1; }}
}}
void top(int a[4096]) {{ {call} }}"""
    assert [loop.trips for loop in loops(closed(code)).values()] == [right]


CLASSES = [
    ("struct box { static const int n = 6; void run(int a[4096]) { W: for (int i = 0; i < n; i++) a[i] = 1; } };",
     "box b; b.run(a);", 6),
    ("template <int N> struct box { void run(int a[4096]) { W: for (int i = 0; i < N; i++) a[i] = 1; } };",
     "box<19> b; b.run(a);", 19),
    ("struct box { int d[23]; void run(int a[4096]) { W: for (int i = 0; i < sizeof(d) / 4; i++) a[i] = 1; } };",
     "box b; b.run(a);", 23),
    ("namespace n { static void run(int a[4096]) { W: for (int i = 0; i < 8; i++) a[i] = 1; } }", "n::run(a);", 8),
    ("namespace n { static void run(int a[4096]) { W: for (int i = 0; i < 8; i++) a[i] = 1; } } using namespace n;",
     "run(a);", 8),
    ("", "auto run = [&](int n) { W: for (int i = 0; i < 14; i++) a[i] = n; }; run(1);", 14),
    ("", "switch (3) { case 3: W: for (int i = 0; i < 14; i++) a[i] = 1; break; default: a[0] = 3; }", 14),
    ("enum { SLOW, FAST }; const int mode = FAST;",
     "if (mode == SLOW) { for (int i = 0; i < 99; i++) a[i] = 1; } else { W: for (int i = 0; i < 14; i++) a[i] = 1; }",
     14),
]  # fmt: skip


@pytest.mark.parametrize(("before", "body", "right"), CLASSES)
def test_where_loops_stand(before: str, body: str, right: int) -> None:
    code = f"{before}\nvoid top(int a[4096]) {{ {body} }}"
    assert [loop.trips for loop in loops(closed(code)).values()] == [right]


FLOW = [
    # What a variable holds where a loop is reached.
    ("int n = 4; { n = 9; }", "n", 9),
    ("int n = 4; if (a[0]) n = 9; n = 6;", "n", 6),
    ("int n = 4, m; m = n; n = 2;", "m", 4),
    ("int n = 4; n++; ++n; n--;", "n", 5),
    ("int n = 4; for (int i = 0; i < 3; i++) { a[i] = n; }", "n", 4),
    ("int n; n = 3; n = n * n - 1;", "n", 8),
    ("const int sizes[3] = {5, 6, 7};", "sizes[2]", 7),
    ("bool wide = true; int n = wide ? 12 : 3;", "n", 12),
]


@pytest.mark.parametrize(("before", "bound", "right"), FLOW)
def test_values_at_a_place(before: str, bound: str, right: int) -> None:
    code = f"void top(int a[4096]) {{ {before}\n  L: for (int i = 0; i < {bound}; i++) {{ a[i] = 1; }} }}"
    assert loops(closed(code))["L"].trips == right


UNTOLD = [
    # A value that something else may change, or that differs between the ways to a place, is not counted on.
    "int n = 4; for (int i = 0; i < 3; i++) { n += a[i]; }", "int n = 4; if (a[0]) n = 9;",
    "int n = 4; if (a[0]) { n = 9; } else { a[1] = 2; }", "int n = 4; while (a[n]) n++;",
    "int n = 4; int *p = &n; *p = a[0];", "int n = 4; int &r = n; r = a[0];", "int n = 4; set(n);", "int n = a[0] + 1;",
    "int n = 4; do { n *= 2; } while (a[n]);", "int n = 4; a[0] = n += a[1];",
]  # fmt: skip


@pytest.mark.parametrize("before", UNTOLD)
def test_values_nobody_knows(before: str) -> None:
    code = f"""
static void set(int &n) {{ n = 9; }}
void top(int a[4096]) {{ {before}
  L: for (int i = 0; i < n; i++) {{ a[i] = 1; }}
}}"""
    found = closed(code)
    trip = loops(found)["L"].trip
    assert trip.average is None or ("set(n)" in before and trip.average == 9)


COMPUTED = [
    ("constexpr int f(int n) { int i = 0; for (;;) { if (i * i >= n) return i; i++; } }", "", "f(17)", 5),
    ("", "int n = (2, 7);", "n", 7),
    ("template <int N> constexpr int f() { return N * 3; }", "", "f<7>()", 21),
    ("#define F(x) x + 1\n#define G F", "", "G(4)", 5),
    ("", "int n = 4; int m = n++;", "m", 4),
    ("", "int n = 4; int m = ++n;", "m", 5),
    ("#include <ap_int.h>", "", "sizeof(ap_int<8 * ((3) + 1)>)", 4),
]  # fmt: skip


@pytest.mark.parametrize(("before", "inside", "bound", "right"), COMPUTED)
def test_what_is_computed(before: str, inside: str, bound: str, right: int) -> None:
    code = f"{before}\nvoid top(int a[4096]) {{ {inside}\n  L: for (int i = 0; i < {bound}; i++) {{ a[i] = 1; }} }}"
    assert loops(closed(code))["L"].trips == right


def test_a_default_from_another_parameter() -> None:
    code = """
template <int N, int M = N * 2> void work(int a[4096]) {
#pragma HLS inline off
  W: for (int i = 0; i < M; i++) { a[i] = 1; }
}
void top(int a[4096]) { work<13>(a); }"""
    assert [loop.trips for loop in loops(closed(code)).values()] == [26]


def test_a_member_of_a_template_with_its_body_outside() -> None:
    code = """
template <int N> class box { public: void run(int a[4096]); };
template <int N> void box<N>::run(int a[4096]) { W: for (int i = 0; i < N; i++) a[i] = 1; }
void top(int a[4096]) { box<19> b; b.run(a); }"""
    assert [loop.trips for loop in loops(closed(code)).values()] == [19]
