"""From text to loops and pragmas: macros, conditionals, includes, and which loop or function a pragma belongs to."""

from __future__ import annotations

import pytest

from .kit import closed, iis, loops


def bound(text: str, **settings: object) -> float:
    """Iterations of the only loop, whose bound is N."""
    code = f"{text}\nvoid top(int a[4096]) {{\n  L: for (int i = 0; i < N; i++) {{\n    a[i] = 1;\n  }}\n}}"
    return loops(closed(code, **settings))["L"].trips  # type: ignore[arg-type]


MACROS = [
    ("#define N 12", 12), ("#  define   N   12  // a dozen", 12), ("#define N /* of them */ 12", 12),
    ("#define N \\\n 12", 12), ("#define N 3\n#undef N\n#define N 4", 4), ("#define A 3\n#define N A * A", 9),
    ("#define MAX(a, b) ((a) > (b) ? (a) : (b))\n#define N MAX(7, 5)", 7),
    ("#define JOIN(a, b) a##b\n#define N JOIN(1, 5)", 15),
    ("#define TWICE(x) (2 * (x))\n#define N TWICE(TWICE(3))", 12),
    ("#define N (int)(8.0 / 2)", 4),
]  # fmt: skip


@pytest.mark.parametrize(("text", "right"), MACROS)
def test_macros(text: str, right: int) -> None:
    assert bound(text) == right


CONDITIONALS = [
    ("#if 1\n#define N 5\n#else\n#define N 6\n#endif", 5),
    ("#if 0\n#define N 5\n#else\n#define N 6\n#endif", 6),
    ("#ifdef A\n#define N 5\n#else\n#define N 6\n#endif", 6),
    ("#define A\n#ifdef A\n#define N 5\n#endif", 5),
    ("#ifndef A\n#define N 5\n#endif", 5),
    ("#ifndef N\n#define N 7\n#endif", 7),
    ("#define A 3\n#if A > 2 && defined(A)\n#define N 5\n#else\n#define N 6\n#endif", 5),
    ("#define A 3\n#if A == 1\n#define N 1\n#elif A == 3\n#define N 33\n#else\n#define N 9\n#endif", 33),
    ("#if 1\n#if 0\n#define N 1\n#else\n#define N 2\n#endif\n#endif", 2),
    ("#if 0\n#if 1\n#define N 1\n#endif\n#else\n#define N 2\n#endif", 2),
    # The HLS compilers define __SYNTHESIS__ (UG1399).
    ("#ifdef __SYNTHESIS__\n#define N 8\n#else\n#define N 9999\n#endif", 8),
    ("#ifndef __SYNTHESIS__\n#define N 9999\n#else\n#define N 8\n#endif", 8),
    ("#if UNKNOWN\n#define N 1\n#else\n#define N 2\n#endif", 2),  # a name that is no macro is 0 there
    ("#if UINT8_MAX == 255\n#define N 2\n#endif", 2),
]


@pytest.mark.parametrize(("text", "right"), CONDITIONALS)
def test_conditionals(text: str, right: int) -> None:
    assert bound(text) == right


def test_includes() -> None:
    files = {
        "size.h": "#pragma once\n#define M 6\n",
        "all.h": '#include "size.h"\n#include "size.h"\n#define N (M + 1)\n',
    }
    assert bound('#include "all.h"', files=files) == 7


def test_pragma_once() -> None:
    """Read a second time the header would say 9."""
    again = "#ifdef SEEN\n#undef N\n#define N 9\n#else\n#define N 4\n#define SEEN\n#endif\n"
    assert bound('#include "n.h"\n#include "n.h"', files={"n.h": "#pragma once\n" + again}) == 4
    assert bound('#include "n.h"\n#include "n.h"', files={"n.h": again}) == 9


CONSTANTS = ["const unsigned N = 21;", "unsigned const N = 21;", "unsigned int const N = 21;", "int const N = 21;",
             "unsigned const int N = 21;", "long long const N = 21;", "static unsigned const N = 21;"]  # fmt: skip


@pytest.mark.parametrize("text", CONSTANTS)
def test_const_stands_before_or_behind_the_words_of_a_type(text: str) -> None:
    """Only a constant can be the argument of a template (GCC and Clang take all of these)."""
    code = (
        "template <int M> void part(int a[64]) { L: for (int i = 0; i < M; i++) a[i] = 1; }\n"
        f"void top(int a[64]) {{ {text} part<N>(a); }}"
    )
    assert loops(closed(code))["L"].trips == 21


def test_include_guards() -> None:
    files = {"n.h": "#ifndef N_H\n#define N_H\nconst int N = 21;\n#endif\n"}
    assert bound('#include "n.h"\n#include "n.h"', files=files) == 21


def test_what_stands_in_comments_and_strings_is_no_code() -> None:
    text = (
        '// #define N 1\n/*\n#define N 2\n*/\nconst char *s = "#define N 3 /* ";\n#define N 4\nconst char *t = " */";'
    )
    assert bound(text) == 4


# -- pragmas ---------------------------------------------------------------------------------------------------

NEST = """
void top(int a[10][100], int b[10][100]) {{
  {function}
  {before_outer}
  O: for (int i = 0; i < 10; i++) {{
    {outer}
    {before_inner}
    L: for (int j = 0; j < 100; j++) {{
      {inner}
      b[i][j] = a[i][j] + 1;
      {last}
    }}
  }}
}}"""
PLACES = ("function", "before_outer", "outer", "before_inner", "inner", "last")


def place(where: str, pragma: str) -> dict[str, int | None]:
    """II by loop of a nest with a pragma at one place; nothing is pipelined by itself."""
    parts = {name: f"\n{pragma}\n" if name == where else "" for name in PLACES}
    return iis(closed(NEST.format(**parts), pipeline_loops=0))


@pytest.mark.parametrize(
    ("where", "right"),
    [
        # Inside a loop's braces, at any line of it, it is that loop's; before a loop it is the scope's around it.
        ("inner", {"O+L": 1}),
        ("last", {"O+L": 1}),
        ("outer", {"O": 50}),
        ("before_inner", {"O": 50}),
        # In the function's body: the function is pipelined, and no loop is left.
        ("function", {}),
        ("before_outer", {}),
    ],
)
def test_the_scope_of_an_hls_pragma(where: str, right: dict[str, int | None]) -> None:
    """Pipelined outside, the hundred loads of a row take 50 turns on two ports."""
    assert place(where, "#pragma HLS pipeline") == right


SPELLINGS = [
    "#pragma HLS PIPELINE II=3", "#pragma HLS pipeline ii=3", "#pragma hls Pipeline II = 3",
    "# pragma HLS pipeline II=3",
    "#pragma HLS pipeline style=flp II=3", "#pragma HLS pipeline II=3 rewind", "#pragma HLS pipeline \\\n II=3",
    '_Pragma("HLS pipeline II=3")', "#pragma HLS pipeline II=0x3", "#pragma HLS pipeline II=3 // of course",
    "#pragma   HLS   pipeline   II=3",
]  # fmt: skip


@pytest.mark.parametrize("pragma", SPELLINGS)
def test_spellings(pragma: str) -> None:
    assert place("inner", pragma) == {"O+L": 3}


@pytest.mark.parametrize(
    "pragma",
    ["#pragma GCC unroll 4", "// #pragma HLS pipeline", "/* #pragma HLS pipeline */", "#pragma HLS",
     "#pragma HLX pipeline", "#pragma HLS pipeline off", "#pragma ACCELERATE pipeline"],
)  # fmt: skip
def test_what_is_no_pragma(pragma: str) -> None:
    assert place("inner", pragma) == {"O": None, "L": None}


def test_a_macro_in_a_pragma() -> None:
    for text in ("#define K 3", "#define THREE 3\n#define K THREE"):
        code = text + NEST.format(**dict.fromkeys(PLACES, "") | {"inner": "\n#pragma HLS pipeline II=K\n"})
        assert iis(closed(code)) == {"O+L": 3}


def test_a_macro_that_is_a_pragma() -> None:
    text = "#define DO_PRAGMA(x) _Pragma(#x)\n#define PIPE(n) DO_PRAGMA(HLS pipeline II=n)"
    code = text + NEST.format(**dict.fromkeys(PLACES, "") | {"inner": "PIPE(3)"})
    assert iis(closed(code)) == {"O+L": 3}


EXPRESSIONS = {
    "a constant": ("const int K = 3;", "II=K"), "constexpr": ("constexpr int K = 3;", "II=K"),
    "an enumerator": ("enum { K = 3 };", "II=K"), "arithmetic": ("#define K 1", "II=K*2+1"),
    "a member": ("struct config { static const int k = 3; };", "II=config::k"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_options_that_are_expressions(name: str) -> None:
    """UG1399 takes integer constant expressions; all of these are 3."""
    before, option = EXPRESSIONS[name]
    code = before + NEST.format(**dict.fromkeys(PLACES, "") | {"inner": f"\n#pragma HLS pipeline {option}\n"})
    assert iis(closed(code)) == {"O+L": 3}


def test_an_option_that_is_a_template_parameter() -> None:
    code = """
template <int U> void scale(int a[100], int b[100]) {
#pragma HLS inline off
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline off
#pragma HLS unroll factor=U
    b[i] = a[i] + 1;
  }
}
void top(int a[100], int b[100]) { scale<5>(a, b); }"""
    assert loops(closed(code))["L"].trips == 20


LABELS = [
    ("for (int i = 0; i < 100; i++)\n#pragma HLS pipeline off\n  b[i] = a[i];", 100),
    ("first: for (int i = 0; i < 100; i++) { b[i] = a[i]; }", 100),
    ("for (int i = 0; i < 100; i++) b[i] = a[i];", 100), ("for (int i = 0; i < 100; i++) { { b[i] = a[i]; } }", 100),
    ("{ { for (int i = 0; i < 100; i++) b[i] = a[i]; } }", 100),
    ("int i; for (i = 0; i < 100; i++) b[i] = a[i];", 100),
    ("if (true) for (int i = 0; i < 100; i++) b[i] = a[i];", 100),
    ("for (int i = 0, n = 50; i < n; i++) b[i] = a[i];", 50),
]  # fmt: skip


@pytest.mark.parametrize(("body", "right"), LABELS)
def test_ways_to_write_a_loop(body: str, right: float) -> None:
    (loop,) = loops(closed(f"void top(int a[100], int b[100]) {{\n{body}\n}}")).values()
    assert loop.trips == right


def test_accel_pragmas_stand_before_their_loop() -> None:
    """Merlin's guide: a pragma is the next loop's; several lines may follow one another."""
    code = """
#pragma ACCEL kernel
void top(int a[1000], int b[1000]) {{
{before}
  L: for (int i = 0; i < 1000; i++) {{
{inside}
    b[i] = a[i] + 1;
  }}
}}"""
    pragmas = "#pragma ACCEL PIPELINE\n#pragma ACCEL PARALLEL FACTOR=4"
    setting = {"part": "xcvu9p-flgb2104-2-i", "clock": 4.0, "tool": "merlin", "version": "2021.1"}
    assert loops(closed(code.format(before=pragmas, inside=""), **setting))["L"].trips == 250  # type: ignore[arg-type]
    assert loops(closed(code.format(before="", inside=pragmas), **setting))["L"].trips == 1000  # type: ignore[arg-type]


def test_pragmas_of_a_template_hold_in_every_instance() -> None:
    code = """
template <int N> void fill(int a[100]) {
#pragma HLS inline off
  L: for (int i = 0; i < N; i++) {
#pragma HLS pipeline II=5
    a[i] = i;
  }
}
void top(int a[100]) { fill<40>(a); fill<90>(a); }"""
    found = closed(code, pipeline_loops=0)
    assert [(loop.trips, loop.ii) for call in found.top.calls for loop in call.callee.loops] == [(40, 5), (90, 5)]


SOURCES = """
int helper(int a[10]) { H: for (int i = 0; i < 7; i++) a[i] = 1; return 1; }
int top(int a[10]) { L: for (int i = 0; i < 9; i++) a[i] = 2; return 2; }
"""


@pytest.mark.parametrize(("top", "name"), [("top", "L"), ("helper", "H")])
def test_the_top_that_is_named(top: str, name: str) -> None:
    assert list(loops(closed(SOURCES, top=top))) == [name]
