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
    assert [of_type(variables[name].type) for name in "ghk"] == ["int16", "int16", "struct48 C{s int16, z int32[4]}"]
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


def test_an_open_head_has_a_scope_of_its_own() -> None:
    """Without a step the counter is what the head declares, not what stands before it."""
    lines = shown("void top(int a[9]) {\n  int n = 4;\n  for (int i = 0; i < 8; ) {\n    a[i] = n;\n").split("\n")
    assert lines[-2:] == ["    (i@3 int32: 0; (i@3 < 8); -)", "    a@p1[i@3] = n@2"]


# Expression -> as it is read, in `void top(P p, int i, ap_uint<8> u, int a[4])`.
READ = {
    "p.get(1)": "p@p2.P::get(1)", "p.unheard(1)": "p@p2.unheard(1)", "u.get(1)": "u@p2.get(1)", "sizeof()": "?",
    "f()": "f()^2:0",
    "P(i)": "{@3.x = i@p2, @3}", "P(i, 2)": "{@3.x = i@p2, @3}", "u(3, 1)": "u@p2.range(3, 1)",
    "i(3, 1)": "i(3, 1)^2:0",
    "int(i)": "<int32>i@p2",
    "static_cast<short>(i)": "<int16>i@p2", "reinterpret_cast<P>(i)": "<struct32 P{x int32}>i@p2",
    "const_cast<int>(i)": "<int32>i@p2",
    "dynamic_cast<long>(i)": "<int64>i@p2", "other_cast<int>(i)": "other_cast<int>(i@p2)^2:0",
    "std::max<int>(i, 2)": "std::max<int>(i@p2, 2)^2:0",
    "ap_int<5>(i)": "<int5>i@p2", "(ap_uint<3>)i": "<uint3>i@p2", "a.size()": "4", "a.at(2)": "a@p2[2]",
    "a.size(1)": "a@p2.size(1)",
    "a.at(1, 2)": "a@p2.at(1, 2)", "i.size()": "i@p2.size()", "p->x": "p@p2.x", "(&p)->x": "(& p@p2).x",
    "a[i][2]": "a@p2[i@p2][2]",
    "(*a)[1]": "(* a@p2)[1]", "- 5": "-5", "-(5)": "-5", "-i": "(- i@p2)", "+5": "5", "~5": "(~ 5)",
    "-2.5f": "-2.5:float32", "2.5F": "2.5:float32",
    "2.5": "2.5:double64", "true": "1:bool1", "false": "0:bool1", "'a'": "97",
    "nullptr": "?:unknown32", '"text"': "?:unknown32",
    "i, a[1], 3": "{i@p2, a@p2[1], 3}", "Color::RED": "3", "RED": "3", "n::RED": "3", "P::K": "7", "x::P::K": "7",
    "N": "N@g1", "n::N": "n::N@g1",
    "unheard": "unheard?", "i++": "(p++ i@p2)", "++i": "(++ i@p2)", "i--": "(p-- i@p2)", "--i": "(-- i@p2)",
    "new int": "new()^2:0",
    "delete a": "delete()^2:0", "delete[] a": "delete()^2:0", "twice(i)": "twice(i@p2)^2:0$",
    "n::twice(i)": "n::twice(i@p2)^2:0$", "plain(i)": "plain(i@p2)^2:0",
    "i = 2": "i@p2 = 2", "i >>= a[0]": "i@p2 >>= a@p2[0]", "i ? 1 : 2": "(i@p2 ? 1 : 2)", "(((i)))": "i@p2",
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_expressions(text: str) -> None:
    program = read_program(
        "enum Color { RED = 3 }; const int N = 2; "
        "struct P { int x; static const int K = 7; int get(int k) { return k; } }; "
        "constexpr int twice(int n) { return 2 * n; } int plain(int n) { return n; }\n"
        f"void top(P p, int i, ap_uint<8> u, int a[4]) {{\n{text}; }}"
    )
    (item,) = [item for item in program.functions["top"].body.items if isinstance(item, ir.Evaluate)]
    assert of_expr(item.expr).replace("^3:", "^2:") == READ[text]


# Expression -> bytes (LP64, System V ABI); None: what a parameter or pointer stands for the text does not tell.
SIZES = {
    "sizeof(x)": 4, "sizeof x": 4, "sizeof(row)": 24, "sizeof row": 24, "sizeof(row[0])": 8, "sizeof(row[0][1])": 4,
    "sizeof(*row)": 8,
    "sizeof(row) / sizeof(row[0])": 3, "sizeof(row[0][1][2])": None, "sizeof(**row)": 4, "sizeof(p)": 12,
    "sizeof(p.b)": 6, "sizeof(p.b[1])": 2,
    "sizeof(p.c)": 4, "sizeof(p.none)": None, "sizeof(ps)": 24, "sizeof(ps[1])": 12, "sizeof(ps[1].b)": 6,
    "sizeof(ps[0].b[2])": 2,
    "sizeof(q)": None, "sizeof(*q)": 8, "sizeof(q[0])": 8, "sizeof(q[0][1])": None, "sizeof(a)": None,
    "sizeof(a[0])": 4, "sizeof(*a)": 4,
    "sizeof(m[0])": 12, "sizeof(m[0][1])": 4, "sizeof(i)": 4, "sizeof(int)": 4, "sizeof(long)": 8,
    "sizeof(char *)": 8, "sizeof(P *)": 8,
    "sizeof(P)": 12, "sizeof(struct P)": 12, "sizeof(row_t)": 20, "sizeof(unheard)": None, "sizeof(ap_int<24>)": 4,
    "sizeof((x))": 4,
    "sizeof(ap_uint<72>)": 16, "sizeof(x + 1)": None, "sizeof(*x)": None, "sizeof(arr)": 24, "sizeof(void)": None,
    "sizeof(hs)": None,
}  # fmt: skip


@pytest.mark.parametrize("text", SIZES)
def test_sizes(text: str) -> None:
    program = read_program(
        "struct P { int c; short b[3]; }; typedef int row_t[5];\n"
        "void top(double *q, int a[9], int m[2][3], int i, hls::stream<int> &hs) {"
        f" int x; int row[3][2]; P p; P ps[2]; std::array<int, 6> arr; auto own = {text}; }}"
    )
    assert evaluate(program.functions["top"].variables["own"].init, {}) == SIZES[text]


LEAVES = {
    # Body of the inner one of two loops -> (outer is left early, inner is, inner skips).
    "a[0]++;": (False, False, False), "break;": (False, True, False), "continue;": (False, False, True),
    "return;": (True, True, False),
    "goto out;": (True, True, False), "if (a[0]) { break; }": (False, True, False),
    "if (a[0]) ; else { { continue; } }": (False, False, True),
    "switch (a[0]) { case 1: break; }": (False, False, False),
    "switch (a[0]) { case 1: continue; }": (False, False, True),
    "switch (a[0]) { case 1: return; }": (True, True, False),
    "switch (a[0]) { case 1: goto out; }": (True, True, False),
    "switch (a[0]) { default: if (a[1]) { break; } }": (False, False, False),
    "switch (a[0]) { case 1: a[1]++; } break;": (False, True, False),
    "switch (a[0]) { case 1: for (;;) { break; } }": (False, False, False),
    "switch (a[0]) { case 1: while (1) { break; } }": (False, False, False),
    "switch (a[0]) { case 1: do { break; } while (1); }": (False, False, False),
    "auto f = [&]() { return 1; };": (False, False, False),
    "for (;;) { return; }": (True, True, False), "for (;;) { break; }": (False, False, False),
    "for (;;) { continue; }": (False, False, False),
    "for (auto v : a) { break; }": (False, False, False),
}  # fmt: skip


@pytest.mark.parametrize("body", LEAVES)
def test_what_leaves_loops(body: str) -> None:
    program = read_program(f"void top(int a[4]) {{ A: for (;;) {{ B: while (a[0]) {{ {body} }} }} out: ; }}")
    outer, inner, *rest = program.loops("top")
    assert (outer.has_break, inner.has_break, inner.has_continue) == LEAVES[body]
    assert not outer.has_continue
    for loop in rest:
        assert loop.has_break == ("break" in body or "return" in body) and loop.has_continue == ("continue" in body)


def test_functions_that_return_pointers() -> None:
    program = read_program(
        "int *f(int x) { return 0; }\nint &g(int y) { return y; }\nint **h(int *z, int w) { return 0; }"
    )
    assert [[name, *function.variables] for name, function in program.functions.items()] == [
        ["f", "x"], ["g", "y"], ["h", "z", "w"]
    ]  # fmt: skip


def test_templates_whose_parameters_have_no_names() -> None:
    """What the arguments tell is taken from those that have."""
    program = read_program(
        "template <int N> void f(int, int a[N], char *, int (&b)[N]) { }\ntemplate <typename T> void g(T, T &y) { }\n"
        "void top(int a[7], short s) { f(1, a, 0, a); g(s, s); }"
    )
    assert list(program.functions) == ["f<7>", "g<short>", "top"]
