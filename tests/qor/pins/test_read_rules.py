"""Reading: what each rule of C++ makes of a source, told by programs small enough to work out by hand."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.expressions import everything_in
from hwml_sdk.qor.program.trip_counts import TripCounter, stable_bindings
from hwml_sdk.qor.read.source import read_program


def test_methods_of_a_struct_inside_a_function() -> None:
    """The loop below the struct belongs to `top` again, and is its first loop without a label (line 4)."""
    program = read_program(
        "void top(int a[8]) {\n"
        "  struct Pair { int x; int get() { for (int j = 0; j < 2; j++) x += j; return x; } };\n"
        "  Pair p;\n"
        "  for (int i = 0; i < 8; i++) a[i] += p.get();\n"
        "}\n"
    )
    assert [(loop.function, loop.name) for loop in program.loops()] == [
        ("Pair::get", "VITIS_LOOP_2_1"),
        ("top", "VITIS_LOOP_4_1"),
    ]


@pytest.mark.parametrize("inside", ["Node<T> *", "Node<Node<T> > *", "typename Node<T>::Node<T *> *"])
def test_class_templates_that_refer_to_themselves_end(inside: str) -> None:
    """The value is read all the same: an int, whatever the pointer beside it points at."""
    program = read_program(
        f"template <typename T> struct Node {{ {inside}next; T value; }};\n"
        "void top(int a[8]) { Node<int> n; for (int i = 0; i < 8; i++) a[i] += n.value; }\n"
    )
    kind = program.functions["top"].variables["n"].type
    assert [(name, field.kind, field.width) for name, field, _ in kind.fields if name == "value"] == [
        ("value", "int", 32)
    ]


# -- types ---------------------------------------------------------------------------------------------------


def top(text: str, **options: object) -> ir.Function:
    """The function `top` of a source."""
    return read_program(text, **options).functions["top"]  # type: ignore[arg-type]


# Declared type -> (kind, bits, extents). LP64, as Vitis HLS compiles (UG1399, "Data Types"): char 8, short 16, int 32,
# long 64. ap types carry their width; a stream is as wide as its payload, a vector as all its lanes.
TYPES = {
    "char": ("int", 8, ()), "unsigned char": ("uint", 8, ()), "short": ("int", 16, ()), "unsigned": ("uint", 32, ()),
    "int": ("int", 32, ()), "long": ("int", 64, ()), "unsigned long long": ("uint", 64, ()), "bool": ("bool", 1, ()),
    "size_t": ("uint", 64, ()), "int8_t": ("int", 8, ()), "uint16_t": ("uint", 16, ()),
    "uint_fast32_t": ("uint", 32, ()),
    "half": ("half", 16, ()), "float": ("float", 32, ()), "double": ("double", 64, ()),
    "const volatile int": ("int", 32, ()), "ap_int<7>": ("int", 7, ()), "ap_uint<12>": ("uint", 12, ()),
    "ap_fixed<18, 4>": ("fixed", 18, ()), "ap_ufixed<9, 9>": ("ufixed", 9, ()), "ap_uint<4 * WIDE>": ("uint", 20, ()),
    "ac_int<6, true>": ("int", 6, ()), "ac_int<6, false>": ("uint", 6, ()), "std::complex<float>": ("vector", 64, ()),
    "hls::stream<ap_uint<24> >": ("stream", 24, ()), "hls::vector<short, 8>": ("vector", 128, ()),
    "std::array<int, 6>": ("int", 32, (6,)), "std::array<std::array<short, 3>, 2>": ("int", 16, (2, 3)),
    "word_t": ("uint", 11, ()), "row_t": ("int", 32, (5,)), "alias_t": ("int", 8, ()), "Color": ("int", 32, ()),
    "Pair": ("struct", 24, ()), "Box<int, 3>": ("struct", 35, ()), "Unheard": ("unknown", 32, ()),
}  # fmt: skip
DECLARED = """
enum Color { RED, BLUE = 7, GREEN };
const int WIDE = 5;
typedef ap_uint<11> word_t;
typedef int row_t[5];
using alias_t = signed char;
struct Pair { short a; char b; static const int K = 3; };
template <typename T, int N> struct Box { T value; ap_uint<N> tag; };
"""


@pytest.mark.parametrize("written", TYPES)
def test_types(written: str) -> None:
    """As a local and as a parameter."""
    kind, width, dims = TYPES[written]
    function = top(f"{DECLARED}void top({written} given) {{ {written} own; }}")
    for name in ("own", "given"):
        var = function.variables[name]
        assert (var.type.kind, var.type.width, var.dims) == (kind, width, dims), name
    assert function.variables["given"].scope == "param"
    assert function.variables["own"].scope == "local"


def test_whole_bits_of_fixed_point_types() -> None:
    """The second argument is the number of whole bits; without it all are."""
    variables = top("void top(ap_fixed<18, 4> a, ap_ufixed<9, 9> b) { ap_fixed<12> c; }").variables
    assert [variables[name].type.int_bits for name in "abc"] == [4, 9, 12]


def test_parts_of_streams_and_vectors() -> None:
    variables = top("void top(hls::stream<ap_int<9> > &s, hls::vector<float, 4> v) {}").variables
    assert (variables["s"].type.element, variables["s"].type.pointer) != (None, 0)
    assert variables["s"].type.element.width == 9  # type: ignore[union-attr]
    assert (variables["v"].type.lanes, variables["v"].type.element.kind) == (4, "float")  # type: ignore[union-attr]


# Expression -> type of `auto own = ...`: floating point wins, then the wider side; a shift keeps its left side's type.
VALUES = {
    "i + f": ("float", 32), "f + d": ("double", 64), "h * f": ("float", 32), "h + i": ("half", 16),
    "s + l": ("int", 64), "l - s": ("int", 64), "s << l": ("int", 16), "i < s": ("bool", 1), "!l": ("bool", 1),
    "-s": ("int", 16), "i ? s : l": ("int", 64), "x * x": ("fixed", 18),
    "(short)l": ("int", 16),
    "q.read()": ("uint", 9), "v[0]": ("float", 32), "p.a": ("int", 16), "short(l)": ("int", 16),
    "static_cast<double>(i)": ("double", 64), "1": ("int", 32), "2.0f": ("float", 32), "2.0": ("double", 64),
    "true": ("bool", 1), "half_of(i)": ("half", 16), "u[3]": ("bool", 1), "row[1]": ("int", 16),
}  # fmt: skip


@pytest.mark.parametrize("written", VALUES)
def test_types_of_values(written: str) -> None:
    function = top(
        "struct Pair { short a; char b; };\n"
        "half half_of(int a) { return a; }\n"
        "void top(int i, short s, long l, half h, float f, double d, ap_fixed<18, 4> x, ap_uint<9> u, Pair p,\n"
        f"         short row[4], hls::stream<ap_uint<9> > &q, hls::vector<float, 4> v) {{ auto own = {written}; }}\n"
    )
    kind = function.variables["own"].type
    assert (kind.kind, kind.width) == VALUES[written]


# -- declarators ---------------------------------------------------------------------------------------------

# Declarator -> (extents, depth of pointers and references). Extents are outermost first; None where nothing tells.
DECLARATORS = {
    "x": ((), 0), "x[4]": ((4,), 0), "x[4][8]": ((4, 8), 0), "*x": ((), 1), "**x": ((), 2), "&x": ((), 1),
    "(&x)[3][2]": ((3, 2), 1), "x[]": ((None,), 0), "x[N][2 * N + 1]": ((6, 13), 0), "x[sizeof(int) * 2]": ((8,), 0),
    "x[twice(N)]": ((12,), 0), "x[N > 5 ? 3 : 4]": ((3,), 0), "x[unheard]": ((None,), 0), "x[sizes[1]]": ((9,), 0),
    "x[LAST]": ((2,), 0), "x[Pair::K]": ((3,), 0), "x[(int)2.5]": ((2,), 0), "x[1 << 4 | 1]": ((17,), 0),
    "x[-7 / 2 + 5]": ((2,), 0), "x[0x10]": ((16,), 0), "x[010]": ((8,), 0), "x[0b101]": ((5,), 0), "x['a']": ((97,), 0),
    "x[7 % 4]": ((3,), 0), "x[!0 + ~0 + 2]": ((2,), 0), "x[(2 && 0) + (2 || 0)]": ((1,), 0), "x[6 ^ 3]": ((5,), 0),
    "x[(3 <= 3) + (3 < 3)]": ((1,), 0), "x[(3 >= 4) + (4 != 3)]": ((1,), 0), "x[6 & 3]": ((2,), 0),
    "x[N > 5 ? N > 7 ? 1 : 2 : 3]": ((2,), 0), "x[N > 6 ? 1 : N > 5 ? 2 : 3]": ((2,), 0),
}  # fmt: skip
CONSTANTS = """
const int N = 6;
static const int sizes[3] = {4, 9, 2};
enum { FIRST, SECOND, LAST };
struct Pair { static const int K = 3; int a; };
constexpr int twice(int n) { int sum = 0; for (int i = 0; i < n; i++) sum += 2; return sum; }
"""


@pytest.mark.parametrize("written", DECLARATORS)
def test_declarators(written: str) -> None:
    dims, pointer = DECLARATORS[written]
    var = top(f"{CONSTANTS}void top(int {written}) {{}}").variables["x"]
    assert (var.name, var.dims, var.type.pointer) == ("x", dims, pointer)


def test_declarations() -> None:
    """Words of a declaration, several names in one, extents from the initial values, shadowing."""
    function = top(
        "int total;\n"
        "void top(const int n) {\n"
        "  static int count = 0, *at, row[] = {1, 2, 3};\n"
        "  constexpr int size = 4;\n"
        "  auto wide = 2.5;\n"
        "  { short total; total = 1; }\n"
        "  total = 2;\n"
        "}\n"
    )
    variables = function.variables
    assert list(variables) == ["n", "count", "at", "row", "size", "wide", "total"]
    assert [name for name, var in variables.items() if var.static] == ["count", "at", "row"]
    # Nothing writes `count` and `row`; a parameter is no constant.
    assert [name for name, var in variables.items() if var.const] == ["count", "row", "size"]
    assert variables["row"].dims == (3,)
    assert variables["wide"].type.kind == "double"
    inner, outer = (item for item in everything_in(function.body) if isinstance(item, ir.Assign))
    assert isinstance(inner.target, ir.Ref) and isinstance(outer.target, ir.Ref)
    assert (inner.target.var, inner.target.var.type.width) == (variables["total"], 16)  # type: ignore[union-attr]
    assert outer.target.var is not None
    assert (outer.target.var.scope, outer.target.var.type.width) == ("global", 32)


# -- templates -----------------------------------------------------------------------------------------------


def test_instances_of_function_templates() -> None:
    """Arguments given, deduced from extents and from types, defaults; once for each list of arguments."""
    program = read_program(
        "template <int N> int sum(int a[N]) { int s = 0; for (int i = 0; i < N; i++) s += a[i]; return s; }\n"
        "template <typename T> T twice(T a) { T own = a; return own + a; }\n"
        "template <typename T, int N = 4> void clear(T a[N]) { for (int i = 0; i < N; i++) a[i] = 0; }\n"
        "template <int N> void unused() {}\n"
        "void top(int a[8], int b[5]) {\n"
        "  int x = sum(a) + sum<8>(a) + sum(b);\n"
        "  short y = 1;\n"
        "  twice<double>(x); clear<int>(a);\n"
        "}\n"
    )
    assert list(program.functions) == ["sum<8>", "sum<5>", "twice<double>", "clear<int, 4>", "top", "unused<?>"]
    loops = {name: [counted(program, name)] for name in ("sum<8>", "sum<5>", "clear<int, 4>")}
    assert loops == {"sum<8>": [[8]], "sum<5>": [[5]], "clear<int, 4>": [[4]]}
    assert program.functions["twice<double>"].variables["own"].type.kind == "double"
    assert program.functions["sum<5>"].template_params == ("N",)


def test_instances_of_class_templates() -> None:
    """Fields and methods with the arguments put in; a static constant counts as an extent."""
    program = read_program(
        "template <typename T, int N> struct Fir {\n"
        "  static const int TAPS = 2 * N;\n"
        "  T line[N];\n"
        "  T run(T in) { for (int i = 0; i < N; i++) line[i] = in; return line[0]; }\n"
        "};\n"
        "void top(int a[8]) { Fir<short, 6> fir; a[0] = fir.run(a[1]); }\n"
    )
    kind = program.functions["top"].variables["fir"].type
    assert [(name, field.width, dims) for name, field, dims in kind.fields] == [("line", 16, (6,))]
    assert counted(program, f"{kind.name}::run") == [6]
    calls = [item.name for item in everything_in(program.functions["top"].body) if isinstance(item, ir.Call)]
    assert calls == [f"{kind.name}::run"]


# -- loops ---------------------------------------------------------------------------------------------------


def counted(program: ir.Program, name: str) -> list[float | None]:
    """Iterations of each loop of a function, in source order."""
    function = program.functions[name]
    counter = TripCounter(stable_bindings(function, {}))
    counter.block(function.body)
    return [counter.counts[loop].average for loop in program.loops(name)]


# Head -> iterations, counted by hand.
HEADS = {
    "for (int i = 0; i < 10; i++)": 10, "for (int i = 0; i <= 10; i++)": 11, "for (int i = 10; i > 0; i--)": 10,
    "for (int i = 10; i >= 0; i -= 3)": 4, "for (int i = 1; i < 10; i = i + 4)": 3, "for (int i = 0; 10 > i; ++i)": 10,
    "for (int i = 0; i != 12; i += 3)": 4, "for (int i = 1; i < 100; i *= 2)": 7, "for (int i = 64; i > 0; i >>= 1)": 7,
    "for (int i = 0; i + 2 < 10; i++)": 8, "for (int i = 5; i < 5; i++)": 0, "for (int i = 0; i < n; i++)": 6,
    "for (int i = 0; i < unheard; i++)": None, "for (int i = 9; i--;)": 9, "for (int i = 9; --i;)": 8,
    "for (i = 2; i < 9; i++)": 7, "for (int i = 0, j = 9; j > 0; i++, j -= 2)": 5, "for (auto &v : a)": 8,
    "for (int v : {3, 1, 4})": 3, "while (n > 0) { n--; }": 6, "do { n--; } while (n > 0);": 6,
    "while (n-- > 2) { }": 4, "for (int i = 0; i < (n > 3 ? 4 : 5); i++)": 4, "for (int i = 0; i < 2.5; i++)": 3,
}  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_heads_of_loops(head: str) -> None:
    text = head if "}" in head and "{3" not in head else f"{head} {{ a[0]++; }}"
    program = read_program(f"void top(int a[8], int unheard) {{ int i; int n = 6; {text} }}")
    (count,) = counted(program, "top")
    assert count == HEADS[head]


def test_names_and_ends_of_loops() -> None:
    """Labels name loops; others are named after their line, counted in their function; what leaves them is kept."""
    program = read_program(
        "void top(int a[8]) {\n"
        "  rows: for (int i = 0; i < 8; i++) {\n"
        "    for (int j = 0; j < 8; j++) { if (a[j]) break; }\n"
        "    for (int j = 0; j < 8; j++) { if (a[j]) continue; a[i]++; }\n"
        "    for (int j = 0; j < 8; j++) { switch (a[j]) { case 1: a[i]++; break; default: a[i]--; } }\n"
        "  }\n"
        "  while (a[0]) { for (int k = 0; k < 2; k++) { if (a[k]) return; } }\n"
        "}\n"
    )
    loops = list(program.loops("top"))
    assert [loop.name for loop in loops] == [
        "rows", "VITIS_LOOP_3_1", "VITIS_LOOP_4_2", "VITIS_LOOP_5_3", "VITIS_LOOP_7_4", "VITIS_LOOP_7_5"
    ]  # fmt: skip
    assert [loop.has_break for loop in loops] == [False, True, False, False, True, True]
    assert [loop.has_continue for loop in loops] == [False, False, True, False, False, False]
    assert [loop.parent.name if loop.parent else "" for loop in loops] == [
        "", "rows", "rows", "rows", "", "VITIS_LOOP_7_4"
    ]  # fmt: skip


# -- preprocessing -------------------------------------------------------------------------------------------

# Lines above `int x[SIZE];` -> the extent.
MACROS = {
    "#define SIZE 4": 4, "#define A 3\n#define SIZE (A + 1)": 4, "#define F(a, b) ((a) * (b))\n#define SIZE F(2, 3)": 6,
    "#define SIZE 4\n#undef SIZE\n#define SIZE 5": 5,
    "#ifdef __SYNTHESIS__\n#define SIZE 6\n#else\n#define SIZE 7\n#endif": 6,
    "#if 0\n#define SIZE 1\n#elif defined(NOT) || 2 > 1\n#define SIZE 2\n#else\n#define SIZE 3\n#endif": 2,
    "#ifndef NOT\n#define SIZE 8\n#endif": 8, "#define JOIN(a, b) a##b\n#define SIZE JOIN(1, 2)": 12,
    "#define JOIN(a) N ## a\n#define N2 5\n#define SIZE JOIN(2)": 5,
    "#define SIZE \\\n 9": 9, "#define A /* not 1 */ 2 // nor 3\n#define SIZE A": 2, '#include "size.h"': 21,
    "#define V(...) sizeof(int) * (__VA_ARGS__)\n#define SIZE V(2)": 8, "#define SIZE GIVEN": 17,
    "#if 1\n#if 0\n#define SIZE 1\n#else\n#define SIZE 2\n#endif\n#else\n#define SIZE 3\n#endif": 2,
}  # fmt: skip


@pytest.mark.parametrize("lines", MACROS)
def test_macros(lines: str) -> None:
    files = {"include/size.h": "#pragma once\n#define SIZE 21\n"}
    function = top(f"{lines}\nvoid top() {{ int x[SIZE]; }}", files=files, defines={"GIVEN": "17"})
    assert function.variables["x"].dims == (MACROS[lines],)


def test_places_are_those_of_the_source() -> None:
    """Behind macros, comments and continued lines, in the file where the code stands."""
    header = "void low(int a[4]) {\n  a[0] = 1;\n}\n"
    program = read_program(
        '#include "low.h"\n#define LONG(a) a + \\\n a\n'
        "/* a\n comment */ void top(int a[4]) {\n  int b = LONG(1); int c;\n}\n",
        path="top.cpp",
        files={"low.h": header},
    )
    low, high = program.functions["low"], program.functions["top"]
    assert (low.path, low.name_span.start_line, low.name_span.start_character) == ("low.h", 0, 5)
    assert (high.path, high.name_span.start_line, high.name_span.start_character) == ("top.cpp", 4, 17)
    assert (high.variables["c"].span.start_line, high.variables["c"].span.start_character) == (5, 23)


def test_headers_that_are_not_there() -> None:
    assert read_program('#include <ap_int.h>\n#include "mine.h"\nvoid top() {}').missing_headers == (
        "ap_int.h",
        "mine.h",
    )


# -- pragmas -------------------------------------------------------------------------------------------------


def test_owners_of_pragmas() -> None:
    """HLS: the innermost body around (UG1399); ACCEL: the loop right below, none when it is no loop of that level."""
    program = read_program(
        "#define FACTOR 4\n"
        "void top(int a[8]) {\n"
        "#pragma HLS INTERFACE m_axi port=a\n"
        "  rows: for (int i = 0; i < 8; i++) {\n"
        "#pragma HLS unroll factor = FACTOR * (1 + 1)\n"
        "#pragma ACCEL PARALLEL FACTOR=2\n"
        "    cols: for (int j = 0; j < 8; j++) a[i]++;\n"
        "  }\n"
        "}\n"
        "#pragma HLS PIPELINE\n"
    )
    owners = [(p.kind, p.owner.name if p.owner is not None else None) for p in program.pragmas]
    assert owners == [("INTERFACE", "top"), ("UNROLL", "rows"), ("PARALLEL", "cols"), ("PIPELINE", None)]
    assert program.pragmas[0].options == {"m_axi": "", "port": "a"}
    assert program.pragmas[1].options == {"factor": "4 * (1 + 1)"}
    assert program.dialect == "ACCEL"


def test_pragmas_out_of_macros() -> None:
    """`#` quotes the argument, and _Pragma takes the quotes off again."""
    program = read_program(
        "#define DO(x) _Pragma(#x)\n#define UNROLL(n) DO(HLS unroll factor=n)\n"
        "void top(int a[8]) { for (int i = 0; i < 8; i++) { UNROLL(2) a[i]++; } }\n"
    )
    (loop,) = program.loops("top")
    assert [(pragma.kind, pragma.options) for pragma in loop.pragmas] == [("UNROLL", {"factor": "2"})]
