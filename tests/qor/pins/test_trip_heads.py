"""How often loops run, as a reader counts: heads of every form, bounds from constants, nests whose bounds vary.

`tests/qor/test_trip_counts.py` compares with compiled and executed programs; these pins need no compiler and say for
each rule what is expected.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.program.trip_counts import TripCount

from .kit import OFF, closed, loops

BODY = f"{{\n{OFF}\n    a[0] += 1; }}"


def trips(loop: str, *, before: str = "", params: str = "int a[4096]", **settings: object) -> list[float]:
    """Average iterations of the loops of a function, outer first."""
    code = f"{before}\nvoid top({params}) {{\n{loop}\n}}"
    found = closed(code, pipeline_loops=0, **settings)  # type: ignore[arg-type]
    return [item.trip.average if item.trip.average is not None else -1 for item in loops(found).values()]


HEADS = {
    "int i = 0; i < 10; i++": 10,
    "int i = 3; i < 10; i++": 7,
    "int i = 0; i <= 10; i++": 11,
    "int i = 0; i != 10; i++": 10,
    "int i = 0; 10 > i; ++i": 10,
    "int i = 0; 10 >= i; ++i": 11,
    "int i = 0; i < 10; i += 3": 4,  # 0 3 6 9
    "int i = 0; i < 9; i += 3": 3,
    "int i = 0; i <= 9; i += 3": 4,
    "int i = 0; i < 10; i = i + 4": 3,  # 0 4 8
    "int i = 0; i < 10; i = 4 + i": 3,
    "int i = 10; i > 0; i--": 10,
    "int i = 10; i >= 0; i--": 11,
    "int i = 10; i > 0; i -= 4": 3,  # 10 6 2
    "int i = 10; i >= 2; i -= 4": 3,
    "int i = 10; i > 2; i -= 4": 2,
    "int i = 10; i != 0; i = i - 2": 5,
    "int i = -5; i < 5; i++": 10,
    "int i = 5; i < 5; i++": 0,
    "int i = 0; i > 5; i++": 0,
    "int i = 1; i < 100; i *= 2": 7,  # 1 2 4 ... 64
    "int i = 1; i < 64; i <<= 1": 6,
    "int i = 64; i > 0; i >>= 1": 7,  # 64 ... 1
    "int i = 100; i > 1; i /= 3": 4,  # 100 33 11 3
    "int i = 0; i + 2 < 10; i++": 8,
    "int i = 0; i - 2 < 10; i++": 12,
    "int i = 0; i < 2 * 5 + (1 << 3); i++": 18,
    "int i = 0; i < 17 / 4; i++": 4,
    "int i = 0; i < 17 % 4; i++": 1,
    "int i = 0; i < sizeof(double); i++": 8,
    "int i = 0; i < (7 > 3 ? 12 : 20); i++": 12,
    "int i = 0, j = 9; i < 10; i++, j--": 10,
    "unsigned char i = 250; i < 255; i++": 5,
    "int i = 0; i < 0x10; i++": 16,
    "int i = 0; i < 010; i++": 8,
    "int i = 0; i < 'd'; i += 50": 2,
    "int i = 0; i < 10u; i++": 10,
    "int i = 0; i < 1'000; i++": 1000,
}


@pytest.mark.parametrize("head", HEADS)
def test_heads(head: str) -> None:
    assert trips(f"L: for ({head}) {BODY}") == [HEADS[head]]


OTHER_LOOPS = [
    ("int i = 0; while (i < 12) { a[i] = 1; i++; }", 12),
    ("int i = 12; while (i > 0) { a[i] = 1; i -= 5; }", 3),
    ("int i = 6; while (i--) { a[i] = 1; }", 6),
    ("int i = 0; do { a[i] = 1; i++; } while (i < 9);", 9),
    # The body of do runs before the first test.
    ("int i = 20; do { a[i] = 1; i++; } while (i < 9);", 1),
    ("int i = 5; do { a[i] = 1; } while (--i);", 5),
    ("int t[13]; for (int v : t) { a[v] = 1; }", 13),
    ("for (int v : {5, 6, 7, 8}) { a[v] = 1; }", 4),
]


@pytest.mark.parametrize(("loop", "right"), OTHER_LOOPS)
def test_other_loops(loop: str, right: int) -> None:
    assert trips(loop) == [right]


CONSTANTS = [
    ("#define N 24", "N", 24),
    ("#define M 6\n#define N (M * 4 + 1)", "N", 25),
    ("#define SQUARE(x) ((x) * (x))", "SQUARE(3 + 1)", 16),
    ("const int N = 31;", "N", 31),
    ("static const unsigned N = 8 * 4;", "N", 32),
    ("constexpr int M = 5; constexpr int N = M * 3;", "N", 15),
    ("enum { M = 7, N };", "N", 8),
    ("enum class size { small = 3 };", "(int)size::small", 3),
    ("struct config { static const int n = 14; };", "config::n", 14),
    ("namespace sizes { constexpr int n = 19; }", "sizes::n", 19),
    ("constexpr int cube(int n) { return n * n * n; }", "cube(3)", 27),
    ("const int table[3] = {4, 9, 25};", "table[1]", 9),
    ("typedef short word; ", "sizeof(word) * 8", 16),
    ("struct pair { int a; char b; };", "(int)sizeof(pair)", 8),  # 4 + 1, to a multiple of 4
    ("struct three { char a; double b; char c; };", "(int)sizeof(three)", 24),  # 1 + 7 + 8 + 1 + 7
]


@pytest.mark.parametrize(("before", "bound", "right"), CONSTANTS)
def test_constants(before: str, bound: str, right: int) -> None:
    assert trips(f"L: for (int i = 0; i < {bound}; i++) {BODY}", before=before) == [right]


@pytest.mark.parametrize(("name", "right"), [("a", 16), ("b", 8)])
def test_two_constants_of_one_struct(name: str, right: int) -> None:
    before = "struct config { static const unsigned a = 16, b = 8; };"
    assert trips(f"L: for (int i = 0; i < config::{name}; i++) {BODY}", before=before) == [right]


def test_a_constant_of_a_class_template() -> None:
    before = "template <int A, int B> struct sum { static const int value = A + B; };"
    assert trips(f"L: for (int i = 0; i < sum<4, 5>::value; i++) {BODY}", before=before) == [9]


LOCALS = [
    ("int n = 12;", "n", 12),
    ("int n = 12; n += 3;", "n", 15),
    ("int n = 1; if (n) n = 4; else n = 4;", "n", 4),
    ("int n = 2; n <<= 3;", "n", 16),
    ("const int n = 3; int m = n * n;", "m", 9),
]


@pytest.mark.parametrize(("before", "bound", "right"), LOCALS)
def test_locals(before: str, bound: str, right: int) -> None:
    assert trips(f"{before} L: for (int i = 0; i < {bound}; i++) {BODY}") == [right]


UNTOLD = [
    "L: for (int i = 0; i < n; i++)", "L: for (int i = n; i < 10; i++)", "L: for (int i = 0; i < 10; i += n)",
    "L: for (int i = 0; i < a[3]; i++)", "int m = n + 1; L: for (int i = 0; i < m; i++)",
    "int m = 4; if (n) m = 5; L: for (int i = 0; i < m; i++)", "static int m = 4; m++; L: for (int i = 0; i < m; i++)",
    "L: while (a[0])", "L: for (int i = 0; i < 10; i--)", "L: for (int i = 0; i != 9; i += 2)",
]  # fmt: skip


@pytest.mark.parametrize("loop", UNTOLD)
def test_what_nobody_knows(loop: str) -> None:
    """Unknown is said: no latency; a setting may stand in."""
    code = f"void top(int a[4096], int n) {{ {loop} {BODY} }}"
    assert closed(code).latency_cycles is None
    assert closed(code, default_trip_count=25).top.loops[0].trips == 25


TRIPCOUNTS = [
    # The average where it is said, else the middle of min and max; min is 0 where it is not said.
    ("min=10 max=30", 20),
    ("min=10 max=30 avg=12", 12),
    ("max=30", 15),
    ("min=7 max=7", 7),
    ("avg=9 max=90", 9),
]


@pytest.mark.parametrize(("options", "right"), TRIPCOUNTS)
def test_loop_tripcount(options: str, right: float) -> None:
    pragma = f"#pragma HLS loop_tripcount {options}\n"
    body = BODY.replace(OFF, pragma + OFF)
    assert trips(f"L: for (int i = 0; i < n; i++) {body}", params="int a[4096], int n") == [right]


def test_bounds_come_before_loop_tripcount() -> None:
    """UG1399: the pragma is for loops whose bounds the tool cannot tell."""
    body = BODY.replace(OFF, f"#pragma HLS loop_tripcount min=500 max=500\n{OFF}")
    assert trips(f"L: for (int i = 0; i < 10; i++) {body}") == [10]


def test_least_and_most() -> None:
    """j < i for i from 2 to 9: 2 to 9 iterations, 5.5 on average."""
    code = f"void top(int a[4096]) {{ O: for (int i = 2; i < 10; i++) L: for (int j = 0; j < i; j++) {BODY} }}"
    trip = loops(closed(code, pipeline_loops=0))["L"].trip
    assert (trip.least, trip.average, trip.most, trip.source) == (2, 5.5, 9, "bounds")


NESTS = [
    # j > i: 9 + 8 + ... + 0 in 10 rounds; j <= i: 1 + ... + 10.
    ("int j = i + 1; j < 10; j++", 4.5),
    ("int j = 0; j <= i; j++", 5.5),
    ("int j = i; j < 10; j++", 5.5),
    ("int j = i; j >= 0; j--", 5.5),
    # Bands: i - 1 .. i + 1 inside 0 .. 9: 2 + 8 * 3 + 2 of ten.
    ("int j = (i > 0 ? i - 1 : 0); j < (i < 9 ? i + 2 : 10); j++", 2.8),
    # Tiles: always 4.
    ("int j = 4 * i; j < 4 * i + 4; j++", 4),
]


@pytest.mark.parametrize(("head", "right"), NESTS)
def test_bounds_that_vary(head: str, right: float) -> None:
    assert trips(f"O: for (int i = 0; i < 10; i++) {{ L: for ({head}) {BODY} }}") == [10, pytest.approx(right)]


def test_the_entries_of_a_loop_weigh_as_often_as_they_happen() -> None:
    """j < i < 10, l < j: sum of j over all (i, j) is 120 in 45 entries."""
    nest = f"O: for (int i = 0; i < 10; i++) M: for (int j = 0; j < i; j++) L: for (int l = 0; l < j; l++) {BODY}"
    assert trips(nest) == [10, 4.5, pytest.approx(120 / 45)]


def test_template_parameters_are_bounds_of_each_instance() -> None:
    code = f"""
template <int N> void fill(int a[4096]) {{
  L: for (int i = 0; i < N; i++) {BODY}
}}
void top(int a[4096]) {{ fill<9>(a); fill<31>(a); }}"""
    found = closed(code, pipeline_loops=0)
    assert sorted(loop.trips for call in found.top.calls for loop in call.callee.loops) == [9, 31]


def test_defines_of_the_command_line() -> None:
    code = f"#ifndef N\n#define N 5\n#endif\nvoid top(int a[4096]) {{ L: for (int i = 0; i < N; i++) {BODY} }}"
    assert closed(code).top.loops[0].trips == 5
    assert closed(code, defines={"N": "44"}).top.loops[0].trips == 44


def test_a_counter_changed_in_the_body_is_not_trusted() -> None:
    code = "void top(int a[64]) { L: for (int i = 0; i < 10; i++) { if (a[i]) i += 2; } }"
    assert closed(code).latency_cycles is None


def test_a_loop_left_early_takes_all_its_iterations_at_most() -> None:
    code = f"void top(int a[64]) {{ L: for (int i = 0; i < 10; i++) {{\n{OFF}\n if (a[i]) break; a[i] = 2; }} }}"
    assert closed(code).top.loops[0].trips == 10


def counted(code: str) -> TripCount:
    """The count of the only loop."""
    (loop,) = loops(closed(code, pipeline_loops=0)).values()
    return loop.trip


@pytest.mark.parametrize(
    ("parameter", "head", "least", "most"),
    [
        ("ap_uint<8> n", "int i = 0; i < n; i++", 0, 255),  # 2^8 - 1
        ("unsigned char n", "int i = 0; i <= n; i++", 1, 256),  # n = 0 still makes one round
        ("unsigned short n", "int i = 0; i < n; i += 4", 0, 16384),  # ceil(65535 / 4)
        ("short n", "int i = 4; i <= n; i += 2", 0, 16382),  # (32767 - 4) // 2 + 1; none for a negative n
        ("ap_uint<4> n", "int i = 0; i != n; i++", 0, 15),
        ("ap_uint<4> n", "int i = 20; i > n; i--", 5, 20),  # 20 - 15 and 20 - 0
        ("ap_uint<4> n", "int i = 0; i < 3 * n + 1; i++", 1, 46),  # 3 * 15 + 1
        ("ap_uint<4> n", "int i = 0; i < 20 - n; i++", 5, 20),
        ("ap_uint<4> n", "int i = 0; i < ((int)n << 1) - 2; i++", 0, 28),  # 2 * 15 - 2
        ("unsigned char n", "int i = 0; i < n >> 2; i++", 0, 63),  # 255 >> 2
        ("unsigned char n", "int i = 0; i < 64 && i < n; i++", 0, 64),
    ],
)
def test_a_bound_of_a_narrow_type(parameter: str, head: str, least: int, most: int) -> None:
    """What the type can hold bounds the rounds; reports print that range and count its upper end."""
    loop = counted(f"#include <ap_int.h>\nvoid top({parameter}, int a[256]) {{ for ({head}) a[i & 255] = 1; }}")
    assert (loop.least, loop.most, loop.average, loop.source) == (least, most, most, "type")


@pytest.mark.parametrize(
    ("parameters", "head"),
    [
        ("int n", "int i = 0; i < n; i++"),  # 32 bits say nothing
        ("unsigned char n, unsigned char m", "int i = 0; i < n + m; i++"),  # two of them
        ("unsigned char *n", "int i = 0; i < *n; i++"),  # an address
        ("float n", "int i = 0; i < n; i++"),
        # The most rounds are made somewhere inside the range: n = 9, 5, 127, and -128 with 16384 rounds.
        ("unsigned char n", "int i = 0; i < n % 10; i++"),
        ("unsigned char n", "int i = 0; i < (n == 5 ? 100 : 1); i++"),
        ("unsigned char n", "int i = 0; i < (n ^ 0x80); i++"),
        ("signed char n", "int i = 0; i < n * n; i++"),
        ("unsigned char n", "int i = 0; i < (signed char)n; i++"),
        ("unsigned char n", "int i = 0; i > n - 9 && i < n; i++"),
        ("unsigned char n", "int i = 0; i < n; i += n"),
    ],
)
def test_a_bound_that_no_type_gives(parameters: str, head: str) -> None:
    assert counted(f"void top({parameters}, int a[256]) {{ for ({head}) a[i & 255] = 1; }}").source == "unknown"


@pytest.mark.parametrize(
    ("before", "body"),
    [("", "n = a[i];"), ("", "if (a[i]) n--;"), ("void next(unsigned char &n) { n += 3; }", "next(n);")],
)
def test_a_bound_that_the_body_changes(before: str, body: str) -> None:
    """The range of the type is that of one value, and here there is one a round."""
    head = "void top(unsigned char n, int a[256]) { for (int i = 0; i < n; i++)"
    code = f"{before}\n{head} {{ a[i & 255] = 1; {body} }} }}"
    assert counted(code).source == "unknown"
