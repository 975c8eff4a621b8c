"""Constants wherever a number is expected: options of pragmas, bounds, extents, widths, arguments of templates.

Each value is worked out in the head from the rules of C++17 (N4659) and the types of ap_int.h; figures of designs are
compared with those of the same design written with plain numbers.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.read.pragmas import parse_pragma
from hwml_sdk.qor.read.source import read_program

from .kit import closed, iis, loops, standing

# What stands before the design, how the number is written there, what it is.
NUMBERS = [
    # Names.
    ("const int K = 6;", "K", 6),
    ("static const unsigned K = 6u;", "K", 6),
    ("constexpr unsigned long long K = 6ULL;", "K", 6),
    ("enum { A = 3, K };", "K + 2", 6),
    ("enum class mode : unsigned char { SLOW = 2, FAST = 6 };", "static_cast<int>(mode::FAST)", 6),
    ("enum left { A = 6 }; enum class right { A = 2 };", "left::A", 6),
    ("enum class left { A = 6 }; enum class right { A = 2 };", "(int)left::A", 6),
    ("namespace cfg { constexpr int k = 6; }", "cfg::k", 6),
    ("namespace a { namespace b { const int k = 3; } }", "a::b::k * 2", 6),
    ("#define N 3\n#define TWICE(x) ((x) + (x))", "TWICE(N)", 6),
    ("#define N 12\nconst int HALF = N / 2;", "HALF", 6),
    ("#define STEP(x) x * 2\n#define GROW STEP", "GROW(3)", 6),
    ("const int A = 2; const int B = A + 1; const int K = A * B;", "K", 6),
    ("struct cfg { static const int rows = 9, cols = 6; };", "cfg::cols", 6),
    ("struct cfg { static constexpr int k{6}; };", "cfg::k", 6),
    ("struct cfg { enum { K = 6 }; };", "cfg::K", 6),
    ("struct base { static const int k = 6; }; struct cfg : base { };", "cfg::k", 6),
    ("struct cfg { static const int a = 3; static const int k = a * 2; };", "cfg::k", 6),
    ("struct cfg { static const int a[3]; }; const int cfg::a[3] = {4, 5, 6};", "cfg::a[2]", 6),
    ("struct cfg { static constexpr int a[3] = {4, 5, 6}; };", "cfg::a[2]", 6),
    ("const int table[4] = {1, 6, 2, 3};", "table[1]", 6),
    ("struct cfg_t { int n; int m; }; constexpr cfg_t cfg = {2, 6};", "cfg.m", 6),
    ("namespace a { const int k = 6; }\nnamespace b { const int k = 2; }", "a::k", 6),
    ("namespace a { const int k = 2; }\nnamespace b { const int k = 6; }", "b::k", 6),
    ("namespace a { struct c { static const int k = 6; }; }\nnamespace b { struct c { static const int k = 2; }; }",
     "a::c::k", 6),
    ("namespace a { enum { k = 6 }; }\nnamespace b { enum { k = 2 }; }", "a::k", 6),
    ("namespace a { const int k = 6; }\nnamespace c = a;", "c::k", 6), ("inline constexpr auto K = 6;", "K", 6),
    ("template <bool W> struct sel { static const int f = W ? 6 : 2; };", "sel<(3 > 2)>::f", 6),
    ("template <int A, int B = A * 2, int C = B + A> struct s { static const int v = C; };", "s<2>::v", 6),
    ("template <typename T, typename A = ap_uint<T::w * 3> > struct s { static const int v = sizeof(A) - 2; };\n"
     "struct t { static const int w = 16; };", "s<t>::v", 6),
    ("typedef ap_fixed<12, 6> word;", "word::iwidth", 6), ("typedef ap_int<18> word;", "word::width / 3", 6),
    # Templates.
    ("template <int A, int B> struct sum { static const int value = A + B; };", "sum<2, 4>::value", 6),
    ("template <int N> struct fact { static const int v = N * fact<N - 1>::v; };\n"
     "template <> struct fact<0> { static const int v = 1; };", "fact<3>::v", 6),
    ("template <int N> struct bits { enum { v = 1 + bits<N / 2>::v }; };\n"
     "template <> struct bits<1> { enum { v = 1 }; };", "bits<32>::v", 6),
    ("template <typename T> struct lanes { static const int n = 2; };\n"
     "template <> struct lanes<short> { static const int n = 6; };", "lanes<short>::n", 6),
    ("template <typename T, int N> struct pair { static const int n = 1; };\n"
     "template <int N> struct pair<float, N> { static const int n = N + 1; };", "pair<float, 5>::n", 6),
    ("template <typename T> struct holder { static const int n = T::k * 2; }; struct cfg { static const int k = 3; };",
     "holder<cfg>::n", 6),
    ("template <int A> struct outer { template <int B> struct inner { static const int v = A * B; }; };",
     "outer<2>::inner<3>::v", 6),
    ("template <int N> constexpr int twice() { return 2 * N; }", "twice<3>()", 6),
    ("template <typename T> constexpr T most(T a, T b) { return a > b ? a : b; }", "most(6, 2)", 6),
    ("template <int N> using half = ap_uint<N / 2>;", "sizeof(half<96>)", 8),
    # Functions.
    ("constexpr int up(int a, int b) { return (a + b - 1) / b; }", "up(17, 3)", 6),
    ("constexpr int log2c(int n) { return n <= 1 ? 0 : 1 + log2c(n / 2); }", "log2c(64)", 6),
    ("constexpr int f(int n) { int r = 0; for (int i = 0; i < n; i++) { r += i; } return r; }", "f(4)", 6),
    ("constexpr int f(int n) { int r = 0; while (true) { if (r * r > n) return r; ++r; } }", "f(30)", 6),
    # Operators, casts, sizes.
    ("", "1 ? 6 : 4", 6), ("", "(3 > 2) * 6", 6), ("", "0x6", 6), ("", "0b110", 6), ("", "06", 6), ("", "6'0 / 10", 6),
    ("", "static_cast<int>(6.9)", 6), ("", "int(6.9f)", 6), ("", "(unsigned char)262", 6), ("", "'\\x06' + 0 * 2", 6),
    ("", "13 >> 1", 6), ("", "3 << 1", 6), ("", "~-7", 6), ("", "7 & ~1", 6), ("", "-(-6)", 6), ("", "13 % 7", 6),
    ("", "sizeof(int) + 2", 6), ("", "sizeof(short *) - 2", 6), ("", "sizeof(ap_uint<40>) - 2", 6),
    ("typedef short lane[3];", "sizeof(lane)", 6), ("struct p { short a, b, c; };", "sizeof(p)", 6),
    ("#include <ap_int.h>\nconst ap_uint<8> K = 6;", "K", 6), ("const ap_uint<3> K = 14;", "K", 6),
    ("const bool WIDE = true;", "WIDE ? 6 : 1", 6), ("", "(2, 6)", 6), ("const float F = 2.5f;", "(int)(F * 2.4f)", 6),
    ("", "ap_uint<4>(22)", 6),
]  # fmt: skip

FILL = "{before}\nvoid top(int a[4096]) {{\n  L: for (int i = 0; i < 60; i++) {{\n{pragma}\n    a[i] = 1;\n  }}\n}}"


@pytest.mark.parametrize(("before", "text", "right"), NUMBERS)
def test_a_bound(before: str, text: str, right: int) -> None:
    code = f"{before}\nvoid top(int a[4096]) {{ L: for (int i = 0; i < ({text}); i++) a[i] = 1; }}"
    assert loops(closed(code))["L"].trips == right


@pytest.mark.parametrize(("before", "text", "right"), NUMBERS)
def test_an_extent(before: str, text: str, right: int) -> None:
    program = read_program(f"{before}\nvoid top() {{ int a[{text}]; }}")
    assert program.functions["top"].variables["a"].dims == (right,)


@pytest.mark.parametrize(("before", "text", "right"), NUMBERS)
def test_an_option(before: str, text: str, right: int) -> None:
    (loop,) = read_program(FILL.format(before=before, pragma=f"#pragma HLS PIPELINE II={text}")).loops("top")
    assert loop.pragmas[0].whole("ii") == right


@pytest.mark.parametrize(("before", "text", "right"), NUMBERS)
def test_a_width(before: str, text: str, right: int) -> None:
    kind = read_program(f"{before}\nvoid top(ap_uint<({text})> a) {{ }}").functions["top"].params[0].type
    assert (kind.kind, kind.width) == ("uint", right)


@pytest.mark.parametrize(("before", "text", "right"), NUMBERS)
def test_an_argument_of_a_template(before: str, text: str, right: int) -> None:
    code = f"{before}\ntemplate <int ROUNDS> void run(int *a) {{ for (int i = 0; i < ROUNDS; i++) a[i] = 1; }}\n"
    program = read_program(code + f"void top(int a[4096]) {{ run<({text})>(a); }}")
    assert f"run<{right}>" in program.functions


def test_a_bound_that_looks_like_a_template() -> None:
    """`i < sum<4, 5>::value`: i is a variable, so that the first `<` compares."""
    before = "template <int A, int B> struct sum { static const int value = A + B; };\n"
    before += "template <int N> constexpr int f() { return N; }"
    code = f"{before}\nvoid top(int a[64]) {{ A: for (int i = 0; i < sum<4, 5>::value; i++) a[i] = 1;\n"
    code += "B: for (int i = 0; i < f<7>(); i++) a[i] = 2; C: for (int i = 0; i < f<7>() * 2; i++) a[i] = 3; }"
    assert {name: loop.trips for name, loop in loops(closed(code)).items()} == {"A": 9, "B": 7, "C": 14}


# -- options end where the next one begins -------------------------------------------------------------------

OPTIONS = {
    "depth=N rewind": {"depth": "N", "rewind": ""},
    "depth = N * 2 rewind": {"depth": "N * 2", "rewind": ""},
    "depth=A<B ? 3 : 4 off": {"depth": "A<B ? 3 : 4", "off": ""},
    "depth=N>>1 dim=2": {"depth": "N>>1", "dim": "2"},
    "depth=pair<int, 3>::n dim=2": {"depth": "pair<int, 3>::n", "dim": "2"},
    "depth=f<3>() dim=2": {"depth": "f<3>()", "dim": "2"},
    "depth=(int)x off": {"depth": "(int)x", "off": ""},
    "depth=(N) off": {"depth": "(N)", "off": ""},
    "depth=sizeof(int) off": {"depth": "sizeof(int)", "off": ""},
    "depth=static_cast<int>(N) off": {"depth": "static_cast<int>(N)", "off": ""},
    "depth=C::k port=a": {"depth": "C::k", "port": "a"},
    "variable=&a off": {"variable": "&a", "off": ""},
    "variable=a.b[2].c off": {"variable": "a.b[2].c", "off": ""},
    "variable=this->line off": {"variable": "this->line", "off": ""},
    "depth=7&~1 dim=1": {"depth": "7&~1", "dim": "1"},
    "depth= dim=1": {"depth": "", "dim": "1"},
    "depth=(N dim=1": {"depth": "", "n": "", "dim": "1"},
}


@pytest.mark.parametrize("text", OPTIONS)
def test_where_options_end(text: str) -> None:
    assert parse_pragma(f"HLS X {text}") == ("HLS", "X", OPTIONS[text])


# -- designs: as the same one with plain numbers -------------------------------------------------------------


def figures(code: str) -> tuple[object, ...]:
    """Latency, area and loops of a design, and why anything is unknown."""
    found = closed(code, pipeline_loops=0)
    said = [(name, loop.trips, loop.ii) for name, loop in loops(found).items()]
    return found.latency_cycles, found.lut, found.dsp, found.ff, found.bram_18k, said, found.top.reasons


SPLIT = """{before}
{template}void {name}(const short in[144], short out[144]) {{
#pragma HLS INLINE off
#pragma HLS ARRAY_PARTITION variable=in type=cyclic factor={wide}
#pragma HLS ARRAY_PARTITION variable=out type=cyclic factor={wide}
  step: for (int i = 0; i < 144; i++) {{
#pragma HLS PIPELINE II=1
#pragma HLS UNROLL factor={wide}
    out[i] = in[i] + 3;
  }}
}}
void top(const short in[144], short out[144]) {{ {call}(in, out); }}"""
WIDE = [
    # Before, template, the factor, the call: six copies at a time, 24 rounds.
    ("const int WIDE = 6;", "", "WIDE", "add"), ("#define WIDE (2 * 3)", "", "WIDE", "add"),
    ("", "template <int WIDE> ", "WIDE", "add<6>"), ("", "template <int WIDE = 6> ", "WIDE", "add"),
    ("", "template <int HALF, int WIDE = 2 * HALF> ", "WIDE", "add<3>"),
    ("struct cfg { static const unsigned wide = 6, narrow = 2; };", "template <typename C> ", "C::wide", "add<cfg>"),
    ("struct cfg { struct inner { enum { wide = 6 }; }; };", "template <typename C> ", "C::inner::wide", "add<cfg>"),
    ("struct cfg { typedef ap_uint<6> word; };", "template <typename C> ", "C::word::width", "add<cfg>"),
    ("enum class lanes { two = 2, six = 6 };", "template <lanes L> ", "static_cast<int>(L)", "add<lanes::six>"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "template", "wide", "call"), WIDE)
def test_copies_by_a_constant(before: str, template: str, wide: str, call: str) -> None:
    plain = figures(SPLIT.format(before="", template="", name="add", wide="6", call="add"))
    assert plain[5] == [("step", 24, 1)] and plain[2] == 0
    assert figures(SPLIT.format(before=before, template=template, name="add", wide=wide, call=call)) == plain


def test_a_distance_by_a_constant() -> None:
    """Each element needs that of three rounds before: with a plain number the bound is the same."""
    code = """{before}
void top(int a[64]) {{ L: for (int i = 3; i < 64; i++) {{
#pragma HLS PIPELINE
#pragma HLS DEPENDENCE variable=a type=inter direction=RAW distance={far} true
  a[i] = a[i - 3] / 7; }} }}"""
    plain = figures(code.format(before="", far="6"))
    assert figures(code.format(before="constexpr int FAR = 3;", far="2 * FAR")) == plain
    assert plain != figures(code.format(before="", far="1"))


def test_an_interval_by_a_constant() -> None:
    code = """const int EVERY = 3;
void top(const int in[96], int out[96]) {
  first: for (int i = 0; i < 96; i++) {
#pragma HLS PIPELINE II=EVERY
    out[i] = in[i] ^ 5;
  }
  second: for (int i = 0; i < 96; i++) {
#pragma HLS PIPELINE II = EVERY + 1
    out[i] = in[95 - i] ^ 9;
  }
}"""
    assert iis(closed(code)) == {"first": 3, "second": 4}


COUNTS = [
    ("#define MOST 300\nconst unsigned most = MOST;", "min = most max = most", (300, 300, 300)),
    ("#define MOST 300\nconst unsigned most = MOST;", "min = 1 max = most * most", (45000.5, 1, 90000)),
    ("constexpr int LOW = 8, HIGH = LOW << 3;", "min=LOW max=HIGH avg=(LOW + HIGH) / 4", (18, 8, 64)),
    ("struct cfg { static const int rows = 12; };", "max=cfg::rows", (6, 0, 12)),
]


@pytest.mark.parametrize(("before", "options", "right"), COUNTS)
def test_trip_counts_by_constants(before: str, options: str, right: tuple[float, float, float]) -> None:
    code = f"{before}\nvoid top(int *a, int n) {{ rows: for (int i = 0; i < n; i++) {{\n"
    code += f"#pragma HLS LOOP_TRIPCOUNT {options}\n a[i] = a[i] * 5; }} }}"
    trip = loops(closed(code))["rows"].trip
    assert (trip.average, trip.least, trip.most, trip.source) == (*right, "loop_tripcount")


def test_trip_counts_of_a_nest_by_a_constant() -> None:
    """The inner loop of 24 is unrolled in the pipelined one of 24 by 24 rounds."""
    code = """#define SIDE 24
const unsigned most = SIDE;
void top(int a[SIDE], int b[SIDE][SIDE], int n) {
#pragma HLS ARRAY_PARTITION variable=b dim=2 complete
  rows: for (int i = 0; i < n; i++) {
#pragma HLS LOOP_TRIPCOUNT min=most max=most
    cols: for (int k = 0; k < n; k++) {
#pragma HLS LOOP_TRIPCOUNT min=most max=most
#pragma HLS PIPELINE II=1
      for (int j = 0; j < SIDE; j++) b[k][j] += a[i];
    }
  }
}"""
    found = closed(code)
    assert found.latency_cycles is not None and found.latency_cycles >= 24 * 24
    assert {loop.trip.most for loop in loops(found).values()} == {24}


TWO = """{head}
#pragma HLS INLINE off
  body: for (int k = 0; k < 40; k++) {{
#pragma HLS PIPELINE II={every}
    out[k] = in[k] + {every};
  }}
}}{tail}
void top(const int a[40], int b[40], int c[40]) {{ {first}(a, b); {second}(a, c); }}"""
INSTANCES = [
    ("template <int ID> static void work(const int in[40], int out[40]) {", "ID + 3", "", "work<1>", "work<2>", [4, 5]),
    ("template <int ID> static void work(const int in[40], int out[40]) {", "4", "", "work<1>", "work<2>", [4, 4]),
    ("template <int ID> struct unit { static void work(const int in[40], int out[40]) {", "ID * 2", "};",
     "unit<2>::work", "unit<3>::work", [4, 6]),
    ("template <typename C> void work(const int in[40], int out[40]) {", "C::every", "", "work<slow>", "work<fast>",
     [6, 3]),
]  # fmt: skip


@pytest.mark.parametrize(("head", "every", "tail", "first", "second", "right"), INSTANCES)
def test_each_instance_has_its_own(head: str, every: str, tail: str, first: str, second: str, right: list[int]) -> None:
    before = "struct fast { static const int every = 3; }; struct slow { static const int every = 6; };\n"
    found = closed(before + TWO.format(head=head, every=every, tail=tail, first=first, second=second))
    assert [loop.ii for call in found.top.calls for loop in call.callee.loops] == right


SCOPES = [
    # Where the pragma stands, the innermost name counts.
    ("const int K = 2;", "const int K = 5;", "", 5),
    ("const int K = 2;", "", "const int K = 7;", 7),
    ("const int K = 2;", "enum { K = 4 };", "", 4),
    ("constexpr int K = 9;", "", "", 9),
    ("enum { K = 4 };", "const int K = 8;", "", 8),
    ("enum { K = 4 };", "", "const int K = 7;", 7),
    ("const int K = 8;", "", "enum { K = 3 };", 3),
    ("void other(int a[64]) { enum { K = 4 }; a[0] = K; }\nconst int K = 6;", "", "", 6),
    ("const int K = 6;\nvoid other(int a[64]) { enum { K = 4 }; a[0] = K; }", "", "", 6),
    ("const int K = 6;\nstruct cfg { enum { K = 4 }; };", "", "", 6),
    ("struct cfg { enum { K = 4 }; };\nconst int K = 6;", "", "", 6),
    ("namespace a { enum { K = 4 }; }\nconst int K = 6;", "", "", 6),
]


@pytest.mark.parametrize(("outside", "inside", "nearest", "right"), SCOPES)
def test_the_nearest_constant_counts(outside: str, inside: str, nearest: str, right: int) -> None:
    code = f"{outside}\nvoid top(int a[64]) {{ {inside}\n  L: for (int i = 0; i < 64; i++) {{ {nearest}\n"
    code += "#pragma HLS PIPELINE II=K\n a[i] = i; } }"
    assert iis(closed(code)) == {"L": right}
    if not nearest:  # a bound, an extent and an option ask the same
        code = f"{outside}\nvoid top(int a[64]) {{ {inside}\n  int b[K];\n  L: for (int i = 0; i < K; i++) {{\n"
        code += "#pragma HLS UNROLL factor=K\n    b[i] = a[i];\n  }\n  a[0] = b[1]; }"
        program = read_program(code)
        (loop,) = program.loops("top")
        assert program.functions["top"].variables["b"].dims == (right,)
        assert [pragma.numbers for pragma in loop.pragmas] == [{"factor": right}]
        code = code.replace("#pragma HLS UNROLL factor=K", "")
        assert loops(closed(code, pipeline_loops=0))["L"].trips == right


def test_an_enumerator_of_a_body_ends_with_it() -> None:
    code = "void other(int a[64]) { enum { K = 4 }; a[0] = K; }\n"
    code += "void top(int a[64]) { L: for (int i = 0; i < K; i++) a[i] = 1; }"
    assert loops(closed(code, pipeline_loops=0))["L"].trip.source == "unknown"


def test_a_parameter_of_a_template_hides_a_constant_of_the_file() -> None:
    code = "const int K = 9;\ntemplate <int K> void fill(int a[64]) { L: for (int i = 0; i < K; i++) a[i] = 1; }\n"
    code += "void top(int a[64]) { fill<5>(a); }"
    assert loops(closed(code, pipeline_loops=0))["L"].trips == 5


@pytest.mark.parametrize(("name", "right"), [("A", None), ("B", None), ("C", 3), ("D", 4), ("E", None)])
def test_enumerators_that_count_on_from_an_unknown_one(name: str, right: int | None) -> None:
    """B is one more than A, which nobody knows; C is told, and D one more; E is said again with a value unknown."""
    code = "enum { E = 7 };\nnamespace q { enum { A = FOO, B, C = 3, D, E = BAR };\n"
    code += f"void top(int a[64]) {{ L: for (int i = 0; i < {name}; i++) a[i] = 1; }} }}"
    trip = loops(closed(code, pipeline_loops=0))["L"].trip
    assert trip.most == right and (trip.source == "bounds") == (right is not None)


def test_types_of_the_same_name_in_two_namespaces() -> None:
    """Both enumerations are `int`; each has its name in its own namespace, and constants as well."""
    code = "namespace a { enum mode { k = 2 }; }\nnamespace b { enum mode { k = 2 }; }\n"
    code += "void top(int a[64], b::mode m) { L: for (int i = 0; i < b::k + (int)sizeof(b::mode); i++) a[i] = m; }"
    found = closed(code, pipeline_loops=0)
    assert found.top.reasons == () and loops(found)["L"].trips == 6


def test_a_lambda_and_a_block_keep_their_pragmas() -> None:
    code = """constexpr int K = 3;
void top(int a[64], int b[64]) {
  auto fill = [&](int *p) { A: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=K
    p[i] = i; } };
  fill(a);
  { constexpr int K = 5;
    B: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=K
      b[i] = i; } }
}"""
    program = read_program(code)
    assert {loop.name: [p.numbers for p in loop.pragmas] for loop in program.loops()} == {
        "A": [{"ii": 3}], "B": [{"ii": 5}],
    }  # fmt: skip
    assert len(program.pragmas) == 2


def test_recursion_of_templates_ends_where_they_say() -> None:
    """Five levels by a specialisation, five by `if constexpr`; one that never ends is cut off and said."""
    special = """template <int N> void fill(int a[64]) { L: for (int i = 0; i < N; i++) a[i] = N; fill<N - 1>(a); }
template <> void fill<0>(int a[64]) { a[0] = 1; }
void top(int a[64]) { fill<5>(a); }"""
    assert sorted(read_program(special).functions) == ["fill<0>", *(f"fill<{n}>" for n in range(1, 6)), "top"]
    chosen = """template <int N> void fill(int a[64]) {
  if constexpr (N > 0) { a[N] = N; fill<N - 1>(a); } else a[0] = 9; }
void top(int a[64]) { fill<5>(a); }"""
    assert sorted(read_program(chosen).functions) == [*(f"fill<{n}>" for n in range(6)), "top"]
    endless = "template <int N> void f(int *a) { a[0] = N; f<N + 1>(a); }\nvoid top(int a[64]) { f<0>(a); }"
    assert read_program(endless).work.reason
    self = "template <typename T> struct node { T value; node<T> *next; node<node<T>> *up; };"
    total = "void top(int a[16], int *out) { node<int> n; n.value = 0;\n"
    total += "for (int i = 0; i < 16; i++) n.value += a[i]; *out = n.value; }"
    assert closed(f"{self}\n{total}").top.loops[0].trips == 16


# -- what cannot be told is said -----------------------------------------------------------------------------

UNTOLD = [
    "UNROLL factor=n", "PIPELINE II=n", "UNROLL factor=later<3>::v", "PIPELINE II=MISSING", "UNROLL factor=table[n]",
    "PIPELINE II=1/0", "PIPELINE II=grow(4)", "ARRAY_PARTITION factor=n variable=a cyclic",
    "ARRAY_RESHAPE dim=n variable=a", "ALLOCATION limit=n operation instances=mul",
    "BIND_OP latency=n variable=x op=mul", "BIND_STORAGE latency=n variable=a type=ram_1p",
    "DEPENDENCE distance=n variable=a true", "LATENCY max=n", "STREAM depth=n variable=a",
    "RESOURCE latency=n variable=x core=Mul",
]  # fmt: skip


@pytest.mark.parametrize("pragma", UNTOLD)
def test_an_option_nobody_can_evaluate(pragma: str) -> None:
    """No full unrolling, no II of 1, no figure at all: the answer names the option."""
    code = "const int table[2] = {1, 2};\nint grow(int x) { return x; }\nvoid top(int a[64], int n) {\n"
    code += f"L: for (int i = 0; i < 64; i++) {{\n#pragma HLS {pragma}\n a[i] = i; }} }}"
    found = closed(code)
    kind, option = pragma.replace("II", "ii").split()[:2]
    assert found.top.reasons == (f"{option} of {kind} is no constant that is known here",)
    assert (found.latency_cycles, found.unknown.known("lut")) == (None, False)


def test_an_option_of_the_interface_hides_no_figure() -> None:
    """The depth of a port is about simulation (UG1399)."""
    code = "void top(int *a) {\n#pragma HLS INTERFACE m_axi port=a depth=SOMEWHERE\n a[0] = 1; }"
    found = closed(code)
    assert found.latency_cycles is not None and found.top.function.pragmas[0].untold == ("depth=SOMEWHERE",)


def test_the_largest_and_least_count_of_a_sampled_nest() -> None:
    """200 x 200 x (0 to 398) rounds: too many entries to count one by one, the ends are met all the same."""
    code = """void top(int a[4096]) {
  for (int i = 0; i < 200; i++) for (int j = 0; j < 200; j++) L: for (int k = 0; k < i + j; k++) a[k] = 1; }"""
    trip = next(loop for loop in standing(closed(code, pipeline_loops=0).top) if loop.loop.name == "L").trip
    assert (trip.least, trip.most) == (0, 398)


# -- members and objects that are called ---------------------------------------------------------------------

ROUNDS = "{ int s = x; W: for (int i = 0; i < ROUNDS; i++) s += i * x; return s; }"
FIXED = ROUNDS.replace("ROUNDS", "12")
CALLED = [
    # What is declared, the call: its loop of 12 rounds is met, whatever stands between.
    (f"struct op {{ template <int ROUNDS> static int run(int x) {ROUNDS} }};", "op::run<12>(a[1])"),
    (f"struct op {{ template <int ROUNDS> int run(int x) {ROUNDS} }}; op o;", "o.run<12>(a[1])"),
    (f"struct op {{ template <int ROUNDS> int run(int x, int y) {ROUNDS} }}; op o;", "o.run<12>(a[1], 3)"),
    (f"struct op {{ template <typename T> T run(T x) {FIXED} }}; op o;", "o.run(a[1])"),
    (f"struct op {{ template <int ROUNDS> static int run(int x) {ROUNDS} }};\n"
     "template <class C> int call(int x) { return C::template run<12>(x); }", "call<op>(a[1])"),
    (f"template <int ROUNDS> struct op {{ template <typename T> static T run(T x) {ROUNDS} }};", "op<12>::run(a[1])"),
    (f"struct base {{ static int run(int x) {FIXED} }}; struct op : base {{ }};", "op::run(a[1])"),
    (f"struct op {{ int inner(int x) {FIXED} int run(int x) {{ return inner(x); }} }}; op o;", "o.run(a[1])"),
    (f"struct op {{ int inner(int x) {FIXED} int run(int x) {{ return this->inner(x); }} }}; op o;", "o.run(a[1])"),
    (f"struct op {{ int run(int x); }}; int op::run(int x) {FIXED}\nop o;", "o.run(a[1])"),
    (f"struct op {{ int operator()(int x) {FIXED} }}; op o;", "o(a[1])"),
    (f"template <int ROUNDS> struct op {{ int operator()(int x) {ROUNDS} }};", "op<12>()(a[1])"),
    (f"struct op {{ int operator()(int x) const {FIXED} }};\n"
     "template <class F> int call(int x, F f) { return f(x); }", "call(a[1], op())"),
    (f"int run(int x) {FIXED}\ntemplate <int (*F)(int)> int call(int x) {{ return F(x); }}", "call<run>(a[1])"),
    (f"struct num {{ int v; int operator*(int x) const {FIXED} }}; num n;", "n * a[1]"),
    (f"struct num {{ int v; }}; int operator*(num n, int x) {FIXED}\nnum n;", "n * a[1]"),
    (f"namespace lib {{ struct op {{ static int run(int x) {FIXED} }}; }}\n"
     "struct cfg { template <class T> using kernel = lib::op; };\n"
     "template <class C> int call(int x) { return C::template kernel<int>::run(x); }", "call<cfg>(a[1])"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "call"), CALLED)
def test_what_is_called_is_met(before: str, call: str) -> None:
    found = closed(f"{before}\nvoid top(int a[64]) {{ a[0] = {call}; }}", pipeline_loops=0)
    assert found.top.reasons == ()
    assert [(loop.loop.label, loop.trips) for loop in standing(found.top)] == [("W", 12)]


def test_a_trip_count_nobody_can_evaluate() -> None:
    code = (
        "void top(int *a, int n) { L: for (int i = 0; i < n; i++) {\n#pragma HLS LOOP_TRIPCOUNT max=n\n a[i] = i; } }"
    )
    found = closed(code)
    why = "max=n of LOOP_TRIPCOUNT is no constant that is known here"
    assert found.top.reasons == (f"the trip count of loop L is unknown: {why}",)
    assert found.unknown.known("lut")
