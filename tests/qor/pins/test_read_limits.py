"""Where reading ends, what is read of several files, and what is said of text that is no C++."""

from __future__ import annotations

import pytest

from hwml_sdk.errors import SourceError
from hwml_sdk.files import MAX_SOURCE_BYTES
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.constants import evaluate
from hwml_sdk.qor.program.expressions import everything_in
from hwml_sdk.qor.read.source import read_program

from .shown import of_expr, of_type, shown


def last_words(text: str) -> list[str]:
    """Names that the function `top` reads, and `?` for expressions that are not known."""
    found = []
    for expr in everything_in(read_program(text).functions["top"].body):
        if isinstance(expr, ir.Ref):
            found.append(expr.name)
        elif isinstance(expr, ir.Const):
            found.append("?" if expr.value is None else str(expr.value))
    return found


@pytest.mark.parametrize(
    ("blocks", "right"),
    [(1, ["x"]), (197, ["x"]), (198, ["?"]), (199, []), (300, [])],
)
def test_depth_of_statements(blocks: int, right: list[str]) -> None:
    """200 levels: the function, the blocks, the statement, its expression."""
    assert last_words(f"void top(int x) {{ {'{' * blocks} x; {'}' * blocks} }}") == right


@pytest.mark.parametrize(("brackets", "right"), [(1, ["y"]), (196, ["y"]), (197, ["?"]), (400, ["?"])])
def test_depth_of_expressions(brackets: int, right: list[str]) -> None:
    """200 levels: the function, the statement, the assignment, the brackets, the name; beside them all is read."""
    text = f"void top(int x, int y) {{ x = {'(' * brackets}y{')' * brackets}; x = 1; }}"
    assert last_words(text) == ["x", *right, "x", "1"]


@pytest.mark.parametrize(("spaces", "seen"), [(1, True), (199, True), (200, False), (400, False)])
def test_depth_of_namespaces(spaces: int, seen: bool) -> None:
    text = f"{'namespace n { ' * spaces}void f() {{ }}{' }' * spaces}\nvoid g() {{ }}"
    assert list(read_program(text).functions) == (["f", "g"] if seen else ["g"])


def test_depth_of_structs() -> None:
    """A struct inside a struct takes a level too; too far inside it is of no known kind, those outside still stand."""
    for levels in (50, 150, 400):
        opened = "".join(f"struct S{n} {{ int a{n}; " for n in range(levels))
        closed = "".join(f"}} m{n}; " for n in range(levels - 1, 0, -1))
        (function,) = read_program(f"{opened}{closed}}};\nvoid top(S0 x) {{ }}").functions.values()
        kind, depth = function.variables["x"].type, 0
        while kind.kind == "struct":
            depth, kind = depth + 1, kind.fields[-1][1] if len(kind.fields) > 1 else kind.fields[0][1]
        assert depth == min(levels, 199 if levels > 199 else levels), levels


def nest(loops: int) -> str:
    heads = "".join(f"for (int i{n} = 0; i{n} < 2; i{n}++) {{ " for n in range(loops))
    return f"void top(int a[4]) {{\n{heads}a[0]++; {'}' * loops}\na[1]++; for (int j = 0; j < 2; j++) a[2]++; }}"


def test_loops_inside_one_another() -> None:
    """32 are read; the body of one more is left out, and that is said once for each."""
    program = read_program(nest(32))
    assert (len(list(program.loops())), program.problems) == (33, [])
    program = read_program(nest(34))
    assert len(list(program.loops())) == 34  # the 33rd is there, empty
    (problem,) = program.problems
    assert problem.message == "more than 32 loops inside one another: what is further inside is left out"
    assert (problem.path, problem.severity, problem.span.start_line) == ("<text>", "warning", 1)
    assert problem.span == list(program.loops())[32].head


def test_instances_of_templates() -> None:
    """200 of functions and classes together; what is beyond is called by its name all the same."""
    calls = "".join(f"f<{n}>();" for n in range(205))
    program = read_program(f"template <int N> void f() {{ }}\nvoid top() {{ {calls} }}")
    assert list(program.functions) == [*(f"f<{n}>" for n in range(200)), "top"]
    assert [expr.name for expr in everything_in(program.functions["top"].body) if isinstance(expr, ir.Call)] == [
        f"f<{n}>" for n in range(205)
    ]  # fmt: skip
    objects = "".join(f"C<{n}> c{n};" for n in range(150))
    program = read_program(
        "template <int N> void f() { }\ntemplate <int N> struct C { int x[N]; };\n"
        f"void top() {{ {objects}{calls} }}"
    )
    assert list(program.functions) == [*(f"f<{n}>" for n in range(50)), "top"]
    objects = "".join(f"C<{n}> c{n};" for n in range(203)) + "C<7> again;"
    variables = (
        read_program(f"template <int N> struct C {{ int x; }};\nvoid top() {{ {objects} }}").functions["top"].variables
    )
    assert [var.type.kind for var in variables.values()] == ["struct"] * 200 + ["unknown"] * 3 + ["struct"]


def test_classes_that_grow_in_themselves() -> None:
    """`G<1>` asks for `G<2>`, that for `G<3>`: after 32 inside one another it is not known."""
    text = "template <int N> struct G { G<N + 1> next; int v; };\nvoid top() { G<1> g; }"
    kind, depth = read_program(text).functions["top"].variables["g"].type, 0
    while kind.kind == "struct":
        depth, kind = depth + 1, kind.fields[0][1]
    assert (depth, kind.kind) == (32, "unknown")


def test_long_initial_values() -> None:
    """Values of up to 4,096 are kept, of longer lists the length."""
    for count, right in ((4096, 7), (4097, None)):
        values = ", ".join("7" for _ in range(count))
        variables = read_program(f"const int t[] = {{{values}}};\nvoid top() {{ int x = t[5]; int y[sizeof(t)]; }}")
        function = variables.functions["top"]
        assert evaluate(function.variables["x"].init, {}) == right
        assert function.variables["y"].dims == (4 * count,)


def test_wide_structs() -> None:
    inner = "struct S0 { long a, b; };\n" + "".join(f"struct S{n} {{ S{n - 1} a, b, c, d; }};\n" for n in range(1, 16))
    variables = read_program(f"{inner}void top(S10 small, S15 large) {{ }}").functions["top"].variables
    assert (variables["small"].type.width, variables["large"].type.width) == (2**27, 2**30)


def test_text_that_is_refused() -> None:
    with pytest.raises(SourceError, match="17 MB is over the limit of 16 MB"):
        read_program(" " * (MAX_SOURCE_BYTES + 1))
    assert MAX_SOURCE_BYTES == 16 * 2**20
    with pytest.raises(SourceError, match="NUL bytes") as caught:
        read_program("int a;\nint b;\0\n", path="k.cpp")
    assert (caught.value.path, caught.value.line) == ("k.cpp", 2)
    with pytest.raises(SourceError, match="NUL bytes") as caught:
        read_program("int a;", path="k.cpp", files={"b.cpp": "\0"})
    assert (caught.value.path, caught.value.line) == ("b.cpp", 1)


# -- files ---------------------------------------------------------------------------------------------------


def test_several_files() -> None:
    """Each source is a unit; headers are read where they are included only; the first unit is the design's."""
    files = {
        "k.cpp": "not this one", "b.cpp": '#include "h.h"\n#include <far.h>\nint b(int x) { return x + H; }',
    "h.h": "const int H = 2;",
        "c.hpp": "int c() { return 1; }", "d.hh": "int d() { return 1; }", "e.hxx": "int e() { return 1; }",
    "f.inc": "int f() { return 1; }",
        "g.c": "#pragma ACCEL kernel\nint g() { return 1; }",
    }  # fmt: skip
    program = read_program('#include "near.h"\n#include <far.h>\nint a() { return b(1); }', path="k.cpp", files=files)
    assert list(program.functions) == ["a", "b", "g"]
    assert (program.missing_headers, program.dialect, program.path) == (("near.h", "far.h"), "ACCEL", "k.cpp")
    assert {name: function.path for name, function in program.functions.items()} == {
        "a": "k.cpp",
        "b": "b.cpp",
        "g": "g.c",
    }
    assert sorted(program.sources) == ["b.cpp", "g.c", "h.h", "k.cpp"]
    assert program.sources["h.h"] == files["h.h"]


BROKEN = {
    # Text -> where it stops being C++ (line, character), None where it does not.
    "void top() { }": None, "void top() { int a = ; }": (0, 19), "void top() {\n  int a;\n": (1, 8),
    "int a;\nvoid top( { }\n": (1, 0), "": None, "int a\n": (0, 5),
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_where_text_is_no_code(text: str) -> None:
    problems = read_program(text, path="k.cpp").problems
    if BROKEN[text] is None:
        assert problems == []
        return
    (problem,) = problems
    assert (problem.path, problem.severity) == ("k.cpp", "info")
    assert (problem.span.start_line, problem.span.start_character) == BROKEN[text]
    assert problem.message == "code is incomplete or not C++ here; what can be read is used"


OPERANDS = {
    # A name in brackets before a sign is an operand, unless it is a type.
    "(i) + 16 * j": "(i@p2 + (16 * j@p2))", "(i) - j": "(i@p2 - j@p2)", "( i ) + (j)": "(i@p2 + j@p2)",
    "2 * (i) + j": "((2 * i@p2) + j@p2)",
    "(int) + j": "<int32>(+ j@p2)", "(float) - j": "<float32>(- j@p2)",
    "(i) * j": "(i@p2 * j@p2)",
    "f(i) + j": "(f(i@p2)^2:{} + j@p2)", "(uint8_t) - j": "<uint8>(- j@p2)",

}  # fmt: skip


@pytest.mark.parametrize("text", OPERANDS)
def test_operands_in_brackets(text: str) -> None:
    program = read_program(
        f"typedef short word; struct tag {{ char a; }};\nvoid top(int i, int j) {{ auto x = {text}; }}"
    )
    init = program.functions["top"].variables["x"].init
    assert init is not None
    assert of_expr(init) == OPERANDS[text].format(34)


def test_members_of_bases_and_what_a_name_stands_for() -> None:
    """Static constants through a base, a typedef and the struct itself; types inside structs by their full names."""
    text = """
struct A { static const int K = 3; typedef short small; enum { E = 4 }; };
struct B : A { static const int L = K + 1; small s; void f(int x[L + K]) { int y[K]; } };
struct C : public B { int z[L]; };
typedef C alias;
template <int N> struct D { static const int M = 2 * N; int w[M]; };
void top(int a[A::K], int b[B::K], int c[C::L], int d[alias::K], int e[E],
         A::small g, B::small h, C k, int m[n::A::K]) {
  D<5> five; int over[Unheard::K];
}
"""
    program = read_program(text)
    variables = program.functions["top"].variables
    assert [variables[name].dims for name in "abcdem"] == [(3,), (3,), (4,), (3,), (4,), (3,)]
    assert [of_type(variables[name].type) for name in "ghk"] == ["int16", "int16", "struct32 C{z int32[4]}"]
    assert of_type(variables["five"].type) == "struct32 D<5>{w int32[10]}"
    assert variables["over"].dims == (None,)
    method = program.functions["B::f"].variables
    assert (method["x"].dims, method["y"].dims) == ((7,), (3,))


def test_what_is_left_of_half_a_head() -> None:
    """Each piece of an open loop head that is there counts."""
    for head, right in [
        ("for (int i = 0; i < 9; i++) {", "(i@2 int32: 0; (i@2 < 9); (p++ i@2))"),
    ("for (int i = 0; i < 9; i++) { a[i] = 1;", ""),
    ]:  # fmt: skip
        lines = shown(f"void top(int a[9]) {{\n  {head}\n").split("\n")
        assert lines[2] == "  for VITIS_LOOP_2_1 2:2-2:29 head 2:2-2:29"
        assert not right or lines[3] == f"    {right}"
        assert right or lines[4] == "    a@p1[i@2] = 1"
