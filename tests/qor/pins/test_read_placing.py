"""Pragmas of code that is not read belong to nothing: neither the loop or function around it nor the next loop.

UG1399: a pragma stands inside the scope it applies to. Merlin's guide: ACCEL pragmas stand right above their loop.
"""

from __future__ import annotations

import pytest

from hwml_sdk.document import Span
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.expressions import everything_in
from hwml_sdk.qor.read.source import read_program

HLS = "for (int i = 0; i < 8; i++) {\n#pragma HLS PIPELINE II=2\n  a[i] = 1; }"
MERLIN = "\n#pragma ACCEL parallel factor=4\nfor (int i = 0; i < 8; i++) { a[i] = 1; }"
LONG = "".join(f"a[{at % 8}] = a[{at % 7}] + {at};\n" for at in range(12_000))


def owners(code: str) -> list[str]:
    """The loops and functions that have a pragma, one time for each."""
    program = read_program(code)
    found: list[ir.Loop | ir.Function] = [*program.functions.values(), *program.loops()]
    return [item.name for item in found for _ in item.pragmas]


def in_a_loop(code: str) -> str:
    return (
        f"void top(int a[8]) {{ L: for (int j = 0; j < 3; j++) {{ {code} }}\n M: for (int j = 0; j < 3; j++) a[j]++; }}"
    )


UNREAD = {
    "deep": "{" * 230 + "BODY" + "}" * 230,
    "deep expression": "a[0] = " + "(" * 230 + "[&]() { BODY return 1; }()" + ")" * 230 + ";",
    "over the work": LONG + "BODY",
    "over the work, in a block": LONG + "{ BODY }",
    "catch": "try { a[0] = 1; } catch (int e) { BODY }",
}


@pytest.mark.parametrize("body", [HLS, MERLIN])
@pytest.mark.parametrize("around", UNREAD)
def test_what_is_not_read_keeps_its_pragmas(around: str, body: str) -> None:
    code = UNREAD[around].replace("BODY", body)
    assert owners(in_a_loop(code)) == []
    assert owners(f"void top(int a[8]) {{ {code}\n M: for (int j = 0; j < 3; j++) a[j]++; }}") == []


@pytest.mark.parametrize("body", [HLS, MERLIN])
def test_the_branch_that_is_not_taken(body: str) -> None:
    """Each instance has the pragma of the branch it takes, whichever comes first; Merlin's `factor` too."""
    taken = body if body is MERLIN else f"A: {body}"
    code = f"template <int N> void f(int a[8]) {{ if constexpr (N > 3) {{ {taken} }}\n"
    code += "else { B: for (int j = 0; j < 3; j++) a[j] = 2; } C: for (int j = 0; j < 3; j++) a[j]++; }\n"
    assert owners(code + "void top(int a[8]) { f<1>(a); M: for (int j = 0; j < 3; j++) a[j]++; }") == []
    for calls in ("f<1>(a); f<5>(a);", "f<5>(a); f<1>(a);"):
        program = read_program(code + f"void top(int a[8]) {{ {calls} }}")
        held = {loop.function for loop in program.loops() for _ in loop.pragmas}
        assert held == {"f<5>"} and not any(function.pragmas for function in program.functions.values())


def test_loops_inside_more_loops_than_are_read() -> None:
    """Of 34 loops inside one another 32 bodies are read: the others have their pragmas, the innermost has none."""
    heads = "".join(f"for (int i{n} = 0; i{n} < 2; i{n}++) {{\n#pragma HLS LOOP_FLATTEN off\n" for n in range(34))
    program = read_program(f"void top(int a[8]) {{ {heads} a[0] = 1; {'}' * 34} }}")
    assert [len(loop.pragmas) for loop in program.loops()] == [1] * 33


def test_pragmas_of_merlin_belong_to_the_loop_right_below() -> None:
    """Of loops side by side and inside one another, in a lambda too, each has its own."""
    code = """void top(int a[8]) {
#pragma ACCEL parallel factor=1
  A: for (int i = 0; i < 8; i++) {
#pragma ACCEL parallel factor=2
    B: for (int j = 0; j < 8; j++) a[j] = i;
    auto put = [&](int v) {
#pragma ACCEL parallel factor=3
      C: for (int j = 0; j < 8; j++) a[j] = v; };
    put(i);
  }
#pragma ACCEL parallel factor=4
  D: for (int i = 0; i < 8; i++) a[i] = 1;
}"""
    held = {loop.name: [pragma.whole("factor") for pragma in loop.pragmas] for loop in read_program(code).loops()}
    assert held == {"A": [1], "B": [2], "C": [3], "D": [4]}


# -- where things stand: what the parser takes for a type is read as the expression it is, from its text ---------------

BEFORE = "\n\nstruct image { int r; int c; image(int a, int b) { r = a; c = b; } };\n"
SUM = "template <int N> struct sum { static const int value = N; };\n"
READ_AS_TEXT = {
    "a value given to a variable": ("image img(b[0], n);", "b[0]"),
    "the bound of a loop": ("int i; for (i = 0; i < sum<4>::value + b[2]; i++) a[i] = 1;", "b[2]"),
    "a lambda in a bound": (
        "int i; for (i = 0; i < sum<4>::value + [&](int v) {\n  return b[v]; }(3); i++) a[i] = 1;", "b[v]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", READ_AS_TEXT)
def test_what_is_read_as_text_stands_where_the_text_does(case: str) -> None:
    line, access = READ_AS_TEXT[case]
    code = f"{BEFORE}{SUM}void top(int a[8], int b[8], int n) {{\n  {line}\n}}"
    program = read_program(code)
    at = code.index(access)
    row, column = code.count("\n", 0, at), at - code.rfind("\n", 0, at) - 1
    spans = [
        expr.span for function in program.functions.values() for expr in everything_in(function.body)
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.name == "b"
    ]  # fmt: skip
    assert spans == [Span(row, column, row, column + len(access))]


def test_a_loop_that_is_read_as_text_has_its_own_pragma_alone() -> None:
    code = (
        SUM
        + """void top(int a[8], int n) {
#pragma HLS INLINE off
  int j;
  for (j = 0; j < sum<4>::value + [&](int v) {
    for (int i = 0; i < 4; i++) {
#pragma HLS PIPELINE II=3
      a[i] = v;
    }
    return 1; }(3); j++) a[j]++;
}"""
    )
    program = read_program(code)
    held = {loop.head.start_line: [pragma.kind for pragma in loop.pragmas] for loop in program.loops()}
    assert held == {4: [], 5: ["PIPELINE"]}
    assert [pragma.kind for pragma in program.functions["top"].pragmas] == ["INLINE"]
