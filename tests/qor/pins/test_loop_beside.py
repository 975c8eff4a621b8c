"""Loops and calls of one function: in order, or beside one another where they share nothing (Vitis HLS 2022.1 on).

Pipelined loops become functions of their own there (the `_Pipeline_` modules of its reports), and functions that share
no variable and no port start at the same time (UG1399, "Functions").
"""

from __future__ import annotations

import pytest

from .kit import closed
from .loops_kit import COPY, LEAVE, TEST, figures, function, module, pipeline, plain

ONE, TWO = module(pipeline(100, 1, COPY)), module(pipeline(200, 1, COPY))

PAIR = """
int top(int a[200], int b[200], int c[200], int d[200], float x) {{
{pragmas}
  int s = 0, t = 0;
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {first}
  }}
{between}
  M: for (int i = 0; i < 200; i++) {{
#pragma HLS pipeline
    {second}
  }}
  return s + t;
}}"""


def pair(first: str, second: str, *, pragmas: str = "", between: str = "", version: str = "2023.2") -> float | None:
    """Cycles of a function with two pipelined loops, of 100 and of 200 iterations."""
    code = PAIR.format(first=first, second=second, pragmas=pragmas, between=between)
    return closed(code, version=version).latency_cycles


def on_bundles(names: str) -> str:
    return "\n".join(
        f"#pragma HLS interface m_axi port={name} bundle=g{bundle} latency=64"
        for name, bundle in zip("abcd", names, strict=True)
    )


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [
        # Nothing shared: the longer one.
        ("b[i] = a[i] + 1;", "d[i] = c[i] + 1;", TWO),
        # The second reads what the first writes; writes what the first reads; writes what the first writes.
        ("b[i] = a[i] + 1;", "d[i] = b[i] + 1;", ONE + TWO),
        ("b[i] = a[i] + 1;", "a[i] = c[i] + 1;", ONE + TWO),
        ("b[i] = a[i] + 1;", "b[i] = c[i] + 1;", ONE + TWO),
        # Both read one memory: its ports are one loop's at a time.
        ("b[i] = a[i] + 1;", "d[i] = a[i] + 1;", ONE + TWO),
    ],
)
def test_arrays(first: str, second: str, right: float) -> None:
    assert pair(first, second) == function(right)


@pytest.mark.parametrize(
    ("first", "second", "beside"),
    [
        # A sum each; one sum for both; a sum that the other reads; a variable that both set.
        ("s += a[i];", "t += c[i];", True),
        ("s += a[i];", "s += c[i];", False),
        ("s += a[i];", "d[i] = c[i] + s;", False),
        ("s = a[i];", "s = c[i];", False),
        # Reading the same scalar hinders nobody.
        ("b[i] = a[i] + (x > 1.5f);", "d[i] = c[i] + (x > 1.5f);", True),
    ],
)
def test_scalars(first: str, second: str, beside: bool) -> None:
    found = pair(first, second)
    assert found is not None
    assert (found < 250) == beside  # 200 iterations and some states, or 300


def test_not_before_2022() -> None:
    """Before, loops are no modules: a state before, the states of each (one more than reports count), one to leave."""
    before = TEST + (99 + COPY) + LEAVE + (199 + COPY) + LEAVE
    for version, right in {"2021.2": before, "2022.1": TWO}.items():
        assert pair("b[i] = a[i] + 1;", "d[i] = c[i] + 1;", version=version) == function(right)


@pytest.mark.parametrize(("names", "beside"), [("1234", True), ("1122", True), ("1212", False), ("1112", False)])
def test_bundles_are_one_loops_at_a_time(names: str, beside: bool) -> None:
    """Arrays a, b of the first and c, d of the second loop on bundles of these numbers; a read takes 70 cycles."""
    found = pair("b[i] = a[i] + 1;", "d[i] = c[i] + 1;", pragmas=on_bundles(names))
    one, two = module(pipeline(100, 1, 71)), module(pipeline(200, 1, 71))
    assert found == function(two if beside else one + two)


def test_code_that_takes_time_stands_between() -> None:
    """A division of 11 cycles between the loops: the second starts after it."""
    found = pair("b[i] = a[i] + 1;", "d[i] = c[i] + 1;", between="  float y = x / 3.5f; t = y > 1.5f;")
    assert found is not None
    assert found >= ONE + 11 + TWO


def test_a_loop_under_a_condition_waits() -> None:
    found = pair("b[i] = a[i] + 1;", "d[i] = c[i] + 1;", between="  if (x > 1.5f)")
    assert found is not None
    assert found >= ONE + TWO


def test_a_third_loop_waits_for_those_it_shares_with_only() -> None:
    """L 100 and M 200 run beside each other; N follows L and not M: both are done at max(L + N, M)."""
    code = """
void top(int a[300], int b[300], int c[300], int d[300], int e[300]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = a[i] + 1;
  }
  M: for (int i = 0; i < 300; i++) {
#pragma HLS pipeline
    d[i] = c[i] + 1;
  }
  N: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    e[i] = b[i] + 1;
  }
}"""
    long = module(pipeline(300, 1, COPY))
    assert closed(code).latency_cycles == function(long)
    assert closed(code.replace("e[i] = b[i]", "e[i] = d[i]")).latency_cycles == function(long, ONE)


# -- calls -----------------------------------------------------------------------------------------------------

CALLS = """
static void work(int a[100], int b[100]) {{
#pragma HLS inline off
  W: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    b[i] = a[i] + 1;
  }}
}}
void top(int a[100], int b[100], int c[100]) {{
{body}
}}"""


@pytest.mark.parametrize(
    ("body", "right"),
    [
        # A call takes one state more than the function's latency, which is one less than its states.
        ("work(a, b);", ONE),
        ("work(a, b); work(b, c);", 2 * ONE),
        # In a loop: once a round, after its test.
        ("for (int t = 0; t < 7; t++) work(a, b);", TEST + plain(7, TEST + ONE) + LEAVE),
    ],
)
def test_calls_of_a_function_with_a_loop(body: str, right: float) -> None:
    assert closed(CALLS.format(body=body)).latency_cycles == function(right)


def test_a_function_without_loops_is_walked_in_place() -> None:
    """Load 2, mul 4, add 7, store 1: no states for the call."""
    code = """
static float axpy(float a, float x, float y) { return a * x + y; }
void top(float a[100], float b[100], float x) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = axpy(a[i], x, 1.5f);
  }
}"""
    assert figures(closed(code)) == {"L": (1, 100, pipeline(100, 1, 2 + 4 + 7 + 1))}


def test_a_call_in_a_pipelined_loop_unrolls_what_is_inside() -> None:
    """Eight elements of a row, in registers: the zero and they are the 9 leaves of a tree of 4 float additions."""
    code = """
static float sum(float row[8]) {
  float s = 0;
  W: for (int j = 0; j < 8; j++) s += row[j];
  return s;
}
void top(float a[100][8], float b[100]) {
#pragma HLS array_partition variable=a complete dim=2
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = sum(a[i]);
  }
}"""
    assert figures(closed(code)) == {"L": (1, 100, pipeline(100, 1, 2 + 4 * 7 + 1))}


def test_constants_given_to_a_function_are_its_trip_counts() -> None:
    code = """
static void fill(int b[100], int n) {
#pragma HLS inline off
  W: for (int i = 0; i < n; i++) {
#pragma HLS pipeline
    b[i] = i;
  }
}
void top(int b[100]) {
  fill(b, 40);
  fill(b, 90);
}"""
    assert closed(code).latency_cycles == function(module(pipeline(40, 1, 1)), module(pipeline(90, 1, 1)))


def test_a_pipelined_function_has_no_loops() -> None:
    """Eight loads on two ports take 4 turns, a tree of nine operands 2 states: load 2 + tree 2 + 3 turns; no loop."""
    code = """
int top(int a[8]) {
#pragma HLS pipeline
  int s = 0;
  W: for (int j = 0; j < 8; j++) s += a[j];
  return s;
}"""
    found = closed(code)
    assert figures(found) == {}
    assert found.latency_cycles == function(2 + 2 + 3)


def test_a_function_that_calls_itself_ends() -> None:
    """HLS has no recursion; the estimate ends all the same, with what is not recursive."""
    code = "int top(int n, int a[10]) { L: for (int i = 0; i < 10; i++) a[i] = i; return n ? top(n - 1, a) : 0; }"
    assert figures(closed(code))["L"][1] == 10


# -- memcpy ----------------------------------------------------------------------------------------------------

COPIES = """
#include <string.h>
void top({kind} a[256], {kind} b[256]) {{
{pragmas}
  {kind} t[256];
  {statements}
}}"""


def copies(statements: str, *, kind: str = "int", pragmas: str = "", version: str = "2023.2") -> float | None:
    return closed(COPIES.format(kind=kind, pragmas=pragmas, statements=statements), version=version).latency_cycles


@pytest.mark.parametrize(
    ("kind", "size", "elements"),
    [
        # Bytes over the size of an element; sizeof of the array, of a type; a number.
        ("int", "256 * sizeof(int)", 256), ("int", "400", 100), ("short", "400", 200), ("double", "400", 50),
        ("int", "sizeof(a[0]) * 64", 64),
    ],
)  # fmt: skip
def test_memcpy_moves_an_element_a_cycle(kind: str, size: str, elements: int) -> None:
    assert copies(f"memcpy(b, a, {size});", kind=kind) == function(elements + 2)


def test_memcpy_over_the_bus() -> None:
    """The first element takes the way over the bus, 70 cycles and a state on both sides."""
    bus = "#pragma HLS interface m_axi port=a bundle=g latency=64"
    assert copies("memcpy(t, a, 1024);", pragmas=bus) == function(256 + 2 + 72)
    assert copies("memcpy(t, b, 1024);", pragmas=bus) == function(256 + 2)


def test_memcpy_of_an_unknown_size_takes_the_whole_array() -> None:
    code = COPIES.format(kind="int", pragmas="", statements="memcpy(t, a, n);").replace("b[256]", "b[256], int n")
    assert closed(code).latency_cycles == function(256 + 2)


def test_memcpy_beside_memcpy() -> None:
    """Of other arrays at the same time from 2022.1 on; from one array one after the other."""
    both = "int u[256]; memcpy(t, a, 1024); memcpy(b, u, 1024);"
    assert copies(both) == function(256 + 2)
    assert copies(both, version="2021.2") == function(2 * (256 + 2))
    assert copies("memcpy(t, a, 1024); memcpy(b, t, 1024);") == function(2 * (256 + 2))


def test_what_a_copy_overwrites_is_loaded_again() -> None:
    """Load 2, store 1, the copy, and then load 2 and store 1 of the new value; or the store of the old one."""
    code = """
#include <string.h>
void top(int a[256], int b[256], int d[256], int c[2]) {{
  c[0] = a[0];
  memcpy({to}, b, 1024);
  c[1] = a[0];
}}"""
    assert closed(code.format(to="a")).latency_cycles == function(3 + 258 + 3)
    assert closed(code.format(to="d")).latency_cycles == function(3 + 258 + 1)


def test_memset() -> None:
    assert copies("memset(b, 0, 400);") == function(100 + 2)
    assert copies("memmove(b, a, 400);") == function(100 + 2)
