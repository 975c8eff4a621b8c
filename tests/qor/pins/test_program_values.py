"""What constants and `constexpr` functions are worth, and what a variable holds where straight code has come to.

Right is what C++ computes; None where the text alone does not tell, or where the limits of the search are reached.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.program.constants import evaluate
from hwml_sdk.qor.program.trip_counts import TripCounter, stable_bindings
from hwml_sdk.qor.read.source import read_program

CONSTANTS = """
const int N = 6; static const double HALF = 0.5; const int CUT = 7.9; const unsigned TWICE = 2 * N;
const bool ANY = 3; const double EVEN = 6; int free_ = 3;
const int row[3] = {4, 5, 6}; const int grid[2][3] = {{1, 2, 3}, {4, 5, 6}}; int loose[2] = {7, 8};
int kept[2] = {7, 8}; void change() { loose[0] = 1; }
struct P { int a; int b[2]; }; struct Q { int k; P p; P two[2]; };
const P p = {3, {8, 9}}; const Q q = {1, {2, {5, 6}}, {{10, {11, 12}}, {13, {14, 15}}}};
const P some = {3}; P var = {3};
const P ps[2] = {{1, {2, 3}}, {4, {5, 6}}};
constexpr int twice(int n) { return 2 * n; }
int once(int n) { return n; }
"""
VALUES = {
    "N": 6, "HALF": 0.5, "CUT": 7, "ANY": 1, "EVEN / 4": 1.5, "TWICE": 12, "free_": None, "unheard": None,
    "row[2]": 6, "row[0]": 4,
    "row[3]": None,
    "row[-1]": None, "row[free_]": None, "row": None, "grid[1][2]": 6, "grid[0][1]": 2, "grid[1]": None,
    "grid[2][0]": None, "grid[1][3]": None, "loose[1]": None, "kept[1]": 8,
    "row[row[0] - 3]": 5, "p.a": 3, "p.b[1]": 9, "p.b": None,
    "p.c": None, "q.k": 1, "q.p.a": 2, "q.p.b[1]": 6, "q.two[1].a": 13, "q.two[0].b[1]": 12, "q.two[1].b[0]": 14,
    "some.a": 3, "some.b[0]": None, "var.a": None, "ps[1].a": 4, "ps[0].b[1]": 3, "ps[1].b[0]": 5, "N[row]": None,
    "(int)3.9": 3, "(int)-3.9": -3, "(float)3.9": 3.9, "(short)N": 6, "(int)free_": None, "(double)N": 6,
    "N > 5 ? 1 : 2": 1, "N > 6 ? 1 : 2": 2, "free_ ? 1 : 1": None, "N ? free_ : 2": None, "N ? 2 : free_": 2,
    "N - HALF": 5.5, "!N": 0, "~N": -7, "-N": -6, "N * free_": None, "0 * free_": 0,
    "min(N, 4)": 4, "max(N, 4)": 6, "std::min(N, 9)": 6, "std::max(N, 9)": 9, "MIN(3, 2)": 2, "MAX(3, 2)": 3,
    "fmin(3, 2)": 2, "fmax(3, 2)": 3, "abs(-4)": 4, "ceil(2.1)": 3, "floor(-2.1)": -3, "abs(1, 2)": None,
    "min()": None,
    "min(N, free_)": None, "other(3)": None, "twice(N)": 12, "twice(twice(2))": 8, "twice(free_)": None,
    "once(2)": None,
    "twice(1, 2)": None, "twice()": None,
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_values_of_constants(text: str) -> None:
    program = read_program(f"{CONSTANTS}void top() {{ auto own = {text}; }}")
    assert evaluate(program.functions["top"].variables["own"].init, {}) == VALUES[text]


@pytest.mark.parametrize(("operators", "known"), [(1, True), (2, True), (60, True), (61, False), (150, False)])
def test_values_of_deep_expressions(operators: int, known: bool) -> None:
    """Sixty operators inside one another are followed."""
    program = read_program(f"void top() {{ const int n = 5; auto own = {'~ ' * operators}n; }}")
    expr = program.functions["top"].variables["own"].init
    (n,) = [var for var in program.functions["top"].variables.values() if var.name == "n"]
    assert evaluate(expr, {n: 5}) == ((5 if operators % 2 == 0 else -6) if known else None)


@pytest.mark.parametrize(
    "around",
    ["(int){}", "{} + 1", "1 + {}", "{} ? 1 : 2", "1 ? {} : 2", "0 ? 1 : {}", "abs({})", "min(1, {})", "row[{}]",
     "twice({})", "grid[1][{}]", "grid[{}][1]", "ps[{}].a", "q.two[{}].a", "ps[1].b[{}]"],
)  # fmt: skip
def test_depth_in_every_kind_of_expression(around: str) -> None:
    """Each is a level of its own; a field is one too, and what it is a field of the next."""
    levels = 1 + around.count("].")
    for operators, known in ((60 - levels, True), (62 - levels, False)):
        inner = "~ " * operators + ("one" if operators % 2 == 0 else "other")
        program = read_program(
            f"{CONSTANTS}void top() {{ const int one = 1, other = -2; auto own = {around.format(inner)}; }}"
        )
        variables = program.functions["top"].variables
        found = evaluate(variables["own"].init, {variables["one"]: 1, variables["other"]: -2})
        assert (found is not None) == known


# Body of `constexpr int f(int n)`, arguments, value.
BODIES = [
    ("return n - 1;", "5", 4), ("double a = n; return 2 * (a / 2);", "5", 5),
    ("return f2(n) + f2(6.9);", "5", 8), ("{ return 3; } return 4;", "5", 3),
    ("{ { if (n) return 3; } } return 4;", "5", 3),
    ("if (n > 2) { n = 7; } return n;", "2", 2), ("if (n > 2) { n = 7; } return n;", "3", 7),
    ("if (n > 2) n = 7; else { n = 8; } return n;", "2", 8), ("int a; a = 2; return a + n;", "5", 7),
    ("int a; return a + n;", "5", None), ("int a = n / 2.0; return 2 * a;", "5", 4),
    ("double a = n / 2.0; return 2 * a;", "5", 5),
    ("bool a = n; return a + 1;", "5", 2), ("float a = 1.5; a += 1; return 2 * a;", "5", 5),
    ("n = 2.9; return n;", "5", 2),
    ("n += 2, n *= 3; return n;", "5", 21), ("int a = 1, b = 2; a = b = 7; return a;", "5", None),
    ("n++; ++n; return n;", "5", 7), ("n--; --n; n--; return n;", "5", 2), ("n -= 7; return n;", "5", -2),
    ("n /= 2; n <<= 3; n |= 1; n &= 21; n ^= 2; n >>= 1; n %= 7; return n;", "5", 2),  # 2 16 17 17 19 9 2
    ("int a[2] = {1, 2}; return n;", "5", None), ("int a[2]; a[0] = n; return 2;", "5", None),
    ("g(n); return n;", "5", None),
    ("n / 0; return n;", "5", None), ("n /= 0; return n;", "5", None), ("return n / 0;", "5", None),
    ("return;", "5", None),
    ("n = 3;", "5", None), ("return n + m;", "5", None), ("return 2.9;", "5", 2), ("return n > 4;", "5", 1),
    ("int s = 0; for (int i = 0; i < n; i++) { s += i; } return s;", "5", 10),
    ("int s = 0; for (int i = n; i; i--) s += i; return s;", "5", 15),
    ("int s = 0, i = 0; for (; i < n; i += 2) s++; return 10 * s + i;", "5", 36),
    ("int s = 0, i; for (i = 1; i < n; i *= 2) s++; return 10 * s + i;", "5", 38),
    ("int s = 0; for (int i = 0, j = 5; i < j; i++, j--) s++; return s;", "5", None),
    ("int s = 0; while (n > 0) { n -= 2; s++; } return s;", "5", 3), ("int s = 0; while (0) s++; return s;", "5", 0),
    ("int s = 0; do { s++; } while (s < n); return s;", "5", 5),
    ("int s = 0; do { s++; } while (0); return s;", "5", 1),
    ("for (int i = 0; i < n; i++) { for (int j = 0; j < i; j++) n--; } return n;", "5", 2),
    ("int s = 0; for (int i = 0; i < n; i++) { if (i == 3) break; s++; } return s;", "5", None),
    ("int s = 0; for (int i = 0; i < n; i++) { if (i == 3) continue; s++; } return s;", "5", None),
    ("int s = 0; for (int i : {1, 2}) s++; return s;", "5", None), ("while (1) { n = 2; } return n;", "5", None),
    ("while (1); return n;", "5", None), ("for (int i = 0; i < m; i++) ; return n;", "5", None),
    ("return n < 1 ? 0 : 1 + f(n - 1);", "4", 4), ("return n < 2 ? n : f(n - 1) + f(n - 2);", "7", 13),
    ("return f(n);", "5", None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "arguments", "right"), BODIES)
def test_constexpr_functions(body: str, arguments: str, right: int | None) -> None:
    program = read_program(
        "int m; constexpr int f2(int n) { return n == 6 ? 4 : n - 1; }\n"
        f"constexpr int f(int n) {{ {body} }}\nvoid top() {{ auto own = f({arguments}); }}"
    )
    assert evaluate(program.functions["top"].variables["own"].init, {}) == right


def test_what_a_constexpr_function_returns() -> None:
    """A whole number becomes a fraction nowhere, a fraction is cut to a whole number where the type says so."""
    for kind, right in [("double", 2.5), ("float", 2.5), ("int", 2), ("unsigned", 2), ("bool", 1)]:
        program = read_program(f"constexpr {kind} f(double n) {{ return n / 2; }}\nvoid top() {{ auto own = f(5); }}")
        found = evaluate(program.functions["top"].variables["own"].init, {})
        assert (found, type(found)) == (right, type(right))


# (function, the largest argument that is still worked out): 2,000 statements and rounds, 40 calls inside one another.
LIMITS = [
    # Before the loop 2 steps, a round 2 (its statement and itself), the return 1: 3 + 2 n <= 2000.
    ("int s = 0; for (int i = 0; i < n; i++) s += 1; return s;", 998),
    # An empty round is one step: 1 + n + 1 <= 2000.
    ("for (int i = 0; i < n; i++) ; return n;", 1998),
    # A call stands at two levels of expressions: the n-th call at 1 + 2 n <= 40.
    ("return n < 1 ? 0 : f(n - 1);", 19),
]


@pytest.mark.parametrize(("body", "last"), LIMITS)
def test_limits_of_constexpr_functions(body: str, last: int) -> None:
    for n, known in ((last, True), (last + 1, False)):
        program = read_program(f"constexpr int f(int n) {{ {body} }}\nvoid top() {{ auto own = f({n}); }}")
        assert (evaluate(program.functions["top"].variables["own"].init, {}) is not None) == known


# -- flow ----------------------------------------------------------------------------------------------------


def holds(before: str, expr: str, *, params: str = "int a[64], int m", outside: str = "") -> float | None:
    """The value of a (whole, not negative) expression behind statements: as often a loop up to it runs."""
    program = read_program(
        f"{outside}\nvoid top({params}) {{ {before}\n  L: for (int z_ = 0; z_ < ({expr}); z_++) a[z_] = 1; }}"
    )
    function = program.functions["top"]
    counter = TripCounter(stable_bindings(function, {}))
    counter.block(function.body)
    return next(counter.counts[loop].average for loop in program.loops("top") if loop.label == "L")


FLOW = [
    # What a variable of the type holds: C's conversion.
    ("unsigned char n = 300;", "n", 44), ("signed char n = 200;", "n + 100", 44), ("char n = 127;", "n", 127),
    ("char n = 128;", "n + 200", 72), ("bool n = 5;", "n", 1), ("bool n = 0;", "n", 0), ("ap_uint<3> n = 9;", "n", 1),
    ("ap_int<4> n = 9;", "n + 10", 3), ("ap_int<4> n = 7;", "n", 7), ("int n = 3.7;", "n", 3),
    ("float n = 2.5;", "2 * n", 5),
    ("ap_uint<70> n = 5;", "n", 5), ("short n = 65537;", "n", 1), ("ap_uint<64> n = 0 - 1;", "n & 7", 7),
    ("ap_uint<60> n = 0 - 1;", "n > 5", 1), ("ap_uint<64> n = 0 - 1;", "n > 5", 1),
    ("ap_int<64> n = 0 - 1;", "n + 3", 2),
    ("int n = 4; for (n = 2; m < 1; ) m++;", "n", None), ("ap_uint<1> n = 3;", "n", 1),
    ("short n; n = 65540;", "n", 4),
    # Assignments and steps.
    ("int n = 4; n = n + 1;", "n", 5), ("int n = 4; n += 3; n -= 1; n *= 2;", "n", 12), ("int n = 9; n /= 2;", "n", 4),
    ("int n = 9; n %= 5; n <<= 2; n >>= 1; n |= 1; n &= 13; n ^= 3;", "n", 10), ("int n = 4; n++; ++n;", "n", 6),
    ("int n = 4; n--; --n;", "n", 2), ("int n = 4, k = 5; n = k, k = 7;", "10 * n + k", 57), ("int n; n = 4;", "n", 4),
    ("int n = 4; int k = n; n = 9;", "k", 4), ("int n;", "n", None), ("int n = m; n = 3;", "n", 3),
    ("int n = 3; n = m;", "n", None),
    ("int n = 4; n += m;", "n", None), ("int n = 4; n += m; n = 6;", "n", 6), ("int n = 4; a[0] = n = 7;", "n", None),
    ("int n = 4; a[n++] = 1;", "n", None), ("int n = 4; a[0] = 1;", "n", 4), ("int n = 4, k; k = n++;", "n", None),
    ("int n = 4, k = 1; k = n++;", "k", None), ("int n = 4; int k = n++;", "n", 5), ("int n = 4; (void)n;", "n", 4),
    ("int n = 4; m ? n++ : 1;", "n", None), ("int n = 4; a[1] += n;", "n", 4),
    ("int n = 4; n = 5 + 0 * unheard++;", "n", 5),
    ("int n[1] = {4}; n[0] = 5;", "n[0]", None),
    # A definition by something unknown counts as long as that does not change.
    ("int n = m; int k = n - n;", "k + 3", None), ("int n = m * 2; n = n + 1;", "n", None),
    ("int n = m * 0;", "n + 2", 2),
    ("m = 3; int n = m;", "n", 3), ("m = 3; int n = m; m = 4;", "10 * n + m", 34), ("int n = m; m = 2;", "n", None),
    # Branches: what holds whichever way was taken.
    ("int n = 4; if (m) n = 4; else n = 4;", "n", 4), ("int n = 4; if (m) n = 5; else n = 5;", "n", 5),
    ("int n = 4; if (m) { n = 5; } else { n = 6; }", "n", None), ("int n = 4; if (m) { a[0] = 1; }", "n", 4),
    ("int n = 4; if (m) { n = 4; }", "n", 4), ("int n = 4; if (m) { n = m; }", "n", None),
    ("int n; if (m) n = 4;", "n", None),
    ("int n = 4; if (n++) { }", "n", None), ("int n = 4; if (m) { int n = 9; }", "n", 4),
    ("int n = 4; if (m) ; else n = 3;", "n", None),
    ("int n = 4; switch (m) { case 0: n = 5; break; case 1: n = 5; break; default: n = 5; }", "n", 5),
    ("int n = 4; switch (m) { case 0: n = 5; break; case 1: n = 6; break; default: n = 5; }", "n", None),
    ("int n = 4; if (m) { if (m > 2) n = 3; else n = 3; } else n = 3;", "n", 3),
    ("int n = 4; { n = 7; { n++; } }", "n", 8),
    # Loops: what they change is not known behind them, and in them only if they do not change it.
    ("int n = 4; for (int i = 0; i < m; i++) n = 5;", "n", None),
    ("int n = 4; for (int i = 0; i < 3; i++) a[i] = n;", "n", 4),
    ("int n = 4; while (n > m) n--;", "n", None), ("int n = 4; for (n = 0; n < 3; n++) ;", "n", None),
    ("int n = 4; for (int i = 0; i < 3; i++) { n = 5; } n = 6;", "n", 6), ("int n = 4; while (a[n++]) ;", "n", None),
    ("int n = 4; for (int i = 0; i < 3; i++, n++) ;", "n", None), ("int n = 4; do { n = 2; } while (m);", "n", None),
    # Changed unseen.
    ("static int n = 4; n = a[0];", "n", None), ("static int n = 4;", "n", 4),
    ("int n = 4; int *q = &n;", "n", None), ("int n = 4; int &q = n;", "n", None),
    ("int n = 4; set(n);", "n", None), ("int n = 4; look(n);", "n", 4), ("int n = 4; unheard(n);", "n", None),
    ("int n = 4; abs(n);", "n", 4), ("int n = 4; auto f = [&]() { n = 5; }; f();", "n", None),
    ("int n = 4; auto f = [&]() { a[0] = n; }; f();", "n", 4), ("int n = 4; s >> n;", "n", None),
    ("int n = 4; s << n;", "n", 4),
    ("int n = 4; s.read(n);", "n", None), ("int n = 4; s.write(n);", "n", 4), ("int n = 4; m >> n;", "n", 4),
    ("int n = 4; std::swap(n, m);", "n", None), ("int n = 4; n = a[0];", "n", None), ("g = 4;", "g", None),
    ("int n = 4; int *q = &a[n];", "n", 4), ("int n = 4; set(n + 1);", "n", 4), ("int n = 4; std::max(n, m);", "n", 4),
]  # fmt: skip


@pytest.mark.parametrize(("before", "expr", "right"), FLOW)
def test_values_behind_statements(before: str, expr: str, right: float | None) -> None:
    found = holds(
        before, expr, params="int a[64], int m, hls::stream<int> &s",
        outside="int g; void set(int &x) { x = 9; } void look(int x) { }",
    )  # fmt: skip
    assert found == right
