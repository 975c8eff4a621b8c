"""What is not read is never zero: every figure that hangs on it is unknown, with the cause, wherever it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hwml_sdk import Settings, analyze, predict_qor
from hwml_sdk.document import Figures
from hwml_sdk.qor.answer.render import loop_row

from .kit import closed, loops

ALL = ("lut", "dsp", "ff", "bram_18k", "latency_cycles")
NESTED = """
int helper(int x);
void inner(int a[64]) {
#pragma HLS inline off
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    a[i] = helper(a[i]);
  }
}
void top(int a[64], int b[64]) {
  P: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    b[i] = b[i] + 1;
  }
  O: for (int t = 0; t < 4; t++) {
#pragma HLS pipeline off
    inner(a);
  }
}
"""


def unknown(code: str) -> dict[str, tuple[str, ...]]:
    """Causes by figure; figures that are known are left out."""
    found = closed(code)
    assert {name for name, value in found.figures().items() if value is None} == {
        name for name in ALL if found.unknown.of(name)
    }
    return {name: found.unknown.of(name) for name in ALL if found.unknown.of(name)}


def body(statement: str) -> str:
    return f"void top(int a[64], int n) {{\n{statement}\n}}"


def test_a_call_nobody_has_read_takes_every_figure_of_what_holds_it() -> None:
    """The function inside, the loop around its call and the design; the loop beside has no part in it."""
    found = closed(NESTED)
    cause = ("helper is not read",)
    assert {name: found.unknown.of(name) for name in ALL} == dict.fromkeys(ALL, cause)
    assert {name: found.functions["inner"].unknown.of(name) for name in ALL} == dict.fromkeys(ALL, cause)
    assert {name: loop.known for name, loop in loops(found).items()} == {"P": True, "O": False, "L": False}
    assert loops(found)["P"].cycles >= 64


PLACES = {
    "alone": "a[0] = gone(n);",
    "in a pipelined loop": "for (int i = 0; i < 64; i++) {\n#pragma HLS pipeline\na[i] = gone(i); }",
    "in a plain loop": "for (int i = 0; i < 64; i++) {\n#pragma HLS pipeline off\na[i] = gone(i); }",
    "in an unrolled loop": "for (int i = 0; i < 64; i++) {\n#pragma HLS unroll\na[i] = gone(i); }",
    "in a nest": "for (int i = 0; i < 8; i++) for (int j = 0; j < 8; j++) a[8 * i + j] = gone(j);",
    "in a dataflow loop": "for (int i = 0; i < 8; i++) {\n#pragma HLS dataflow\ngone(a); }",
    "as a subscript": "a[gone(n) & 63] = 1;",
    "as a condition": "if (gone(n)) a[0] = 1;",
    "as an argument": "a[0] = hls::sqrt(gone(n));",
    "as the start of a variable": "int x = gone(n); a[0] = x;",
    "under a condition": "if (n > 3) a[0] = gone(n); else a[1] = 2;",
    "in a return": "return gone(n);",
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_stands(place: str) -> None:
    assert unknown(body(PLACES[place])) == dict.fromkeys(ALL, ("gone is not read",))


UNREAD = {
    "a vendor library": ("xf::cv::Sobel<0, 1>(a, a);", "xf::cv::Sobel is not read"),
    "a method of a type nobody declared": ("Window w; w.shift(n);", "Window::shift is not read"),
    "a type nobody declared": ("pixel_t p = a[0]; a[1] = p + 1;", "type pixel_t is not read"),
    "a method nobody knows": ("ap_uint<8> v = n; a[0] = v.foo();", "ap_uint<8>::foo is not read"),
    "a method of a stream nobody knows": ("hls::stream<int> s; s.foo();", "foo of a stream is not read"),
    "a function that is handed in": ("a[0] = (n > 2 ? f : g)(n);", "n > 2 ? f : g is not read"),
    "a function that calls itself": ("a[0] = down(n);", "down calls itself"),
}


@pytest.mark.parametrize("what", UNREAD)
def test_the_cause_has_a_name(what: str) -> None:
    statement, cause = UNREAD[what]
    found = unknown("int down(int k) { return k ? down(k - 1) + k : 0; }\n" + body(statement))
    assert {name: causes[0] for name, causes in found.items()} == dict.fromkeys(ALL, cause)


def test_a_long_chain_of_calls_is_told_as_deep_and_not_as_recursion() -> None:
    chain = "".join(f"int f{i}(int x) {{ return f{i + 1}(x) * 3; }}\n" for i in reversed(range(79)))
    found = unknown("int f79(int x) { return x + 1; }\n" + chain + body("a[0] = f0(n);"))
    assert found == dict.fromkeys(ALL, ("f40 stands inside more than 40 calls",))


OWN = [
    "add",
    "sub",
    "mul",
    "div",
    "select",
    "mull",
    "get",
    "move",
    "mad",
    "recip",
    "ref",
    "real",
    "max",
    "swap",
    "maxf",
]


@pytest.mark.parametrize("name", OWN)
def test_a_function_without_a_body_is_no_library_function_of_that_name(name: str) -> None:
    """Whatever a library calls so: what the program declares is the program's, and nobody knows what it does."""
    found = unknown(f"int {name}(int, int);\n" + body(f"a[0] = {name}(n, a[1]);"))
    assert found == dict.fromkeys(ALL, (f"{name} is not read",))


@pytest.mark.parametrize(
    "call", ["add(n, 1)", "mine::sqrt(n)", "std::mull(n, n)", "frexp(x, &n)", "std::modf(x, &x)", "get(n)"]
)
def test_a_name_that_no_library_has_is_not_read(call: str) -> None:
    assert unknown(body(f"float x = n; a[0] = {call};")) == dict.fromkeys(
        ALL, (f"{call.partition('(')[0]} is not read",)
    )


@pytest.mark.parametrize(
    ("declared", "call"),
    [
        ("", "hls::mad(n, n, a[1])"), ("", "std::max(n, 3)"), ("float sqrtf(float);", "sqrtf(n)"), ("", "::sin(x)"),
        ("", "hls::sinl(x)"), ("", "std::move(n)"), ("", "max(n, 3)"), ("int max(int, int);", "std::max(n, 3)"),
    ],
)  # fmt: skip
def test_what_a_library_has_is_read(declared: str, call: str) -> None:
    """ISO C keeps the names of math.h for itself: a declaration of one is the library's."""
    assert unknown(f"{declared}\n" + body(f"float x = n; a[0] = {call};")) == {}


KNOWN = [
    'printf("%d", n);', 'std::cout << "n" << n << std::endl;', "assert(n > 3);", 'static_assert(sizeof(int) == 4, "");',
    'fprintf(stderr, "x");', "a[0] = hls::sqrt((float)n);", "a[0] = std::max(n, 3);", "a[0] = std::abs(n);",
    "ap_uint<8> v = n; a[0] = v.range(3, 0) + v.and_reduce();", "a[0] = __builtin_popcount(n);", "a[0] = (short)(n);",
    "hls::stream<int> s; s.write(n); if (!s.empty()) a[0] = s.read();", "memset(a, 0, 64 * sizeof(int));",
    "hls::vector<float, 4> v; a[0] = v.reduce_add();", "a[0] = std::move(n);",
    "a[0] = (int)(n) + int(n) + (ap_int<9>)(n);",
    "ap_uint<32> w[8]; a[0] = w[n & 7](7, 0);", "ap_axiu<32, 1, 1, 1> beat; a[0] = beat.data(7, 0);",
    "hls::axis<float, 0, 0, 0> beat; a[0] = beat.data * 2;", "std::pair<int, int> p(n, 3); a[0] = p.first;",
    "ap_axiu<32, 1, 1, 1> beat; a[0] = beat.data.range(7, 0);",
]  # fmt: skip


@pytest.mark.parametrize("statement", KNOWN)
def test_what_is_ignored_or_modelled_is_known(statement: str) -> None:
    """UG1399, "System Calls": printf and its like are ignored; the rest has a model in `tool.library`."""
    assert unknown(body(statement)) == {}


def test_what_only_shows_data_takes_nothing() -> None:
    plain = closed(body("a[0] = n + 1;"))
    shown = closed(body('std::cout << n << std::endl; printf("%d", n); a[0] = n + 1;'))
    assert shown.figures() == plain.figures()


def test_reductions_and_counts_take_trees_of_luts() -> None:
    """31 bits: (31 - 1) / 5 = 6 LUTs of six inputs; the bits of a word of 32 counted: adders of 32 bits."""
    base = closed(body("ap_uint<31> v = n; a[0] = v[3];")).area.plain_lut
    assert closed(body("ap_uint<31> v = n; a[0] = v.xor_reduce();")).area.plain_lut - base == pytest.approx(6)
    assert closed(body("a[0] = __builtin_popcount(n);")).area.plain_lut - base == pytest.approx(39)


def test_a_vector_is_put_together_by_a_tree() -> None:
    """Eight lanes: seven adders, three levels of an adder of 7 states (3.33 ns), and the store."""
    code = "void top(hls::vector<float, 8> v, float *o) {\n#pragma HLS pipeline\n*o = v.reduce_add();\n}"
    found = closed(code)
    assert found.area.shared == {("add", key): 7.0 for _, key in found.area.shared}
    assert 21 <= found.nominal_cycles <= 23


def test_a_trip_count_nobody_knows_takes_the_latency_only() -> None:
    found = closed(body("L: for (int i = 0; i < n; i++) a[i] = i;"))
    assert {name for name in ALL if found.unknown.of(name)} == {"latency_cycles"}
    assert found.unknown.of("latency_cycles") == ("the trip count of loop L is unknown",)


def test_code_that_is_left_out_leaves_no_figure() -> None:
    """60,000 nodes are read, and no more."""
    found = closed(body("a[0] = n;\n" * 30_000))
    assert set(ALL) == {name for name in ALL if found.unknown.of(name)}


# -- where it is shown ----------------------------------------------------------------------------------------


def test_the_answer_has_no_figure_and_says_why() -> None:
    answer = predict_qor(NESTED, top="top")
    assert [getattr(answer, name) for name in ALL] == [None] * 5
    assert dict(answer.reasons) == dict.fromkeys(ALL, ("helper is not read",))
    assert dict(answer.intervals) == {} and answer.explain == () and answer.dominant == "" and answer.fits_part is None
    assert answer.closed_form == dict.fromkeys(ALL)
    inner = next(item for item in answer.functions if item.name == "inner")
    assert [inner.lut, inner.dsp, inner.ff, inner.bram_18k, inner.cycles] == [None] * 5
    rows = {loop.name: loop_row(0, loop, "top")[4] for loop in answer.loops}
    assert rows["O"] == rows["L"] == "? (helper is not read)"
    assert rows["P"] not in ("?", "0")


def test_labels_and_tooltips_name_the_cause(tmp_path: Path) -> None:
    path = tmp_path / "k.cpp"
    shown = {item.name: item for item in analyze(path, NESTED, Settings()).annotations}
    assert shown["top"].label == shown["inner"].label == "? (helper is not read)"
    assert shown["top"].summary == "? LUT · ? DSP · ? FF · ? cyc (helper is not read)"
    assert all("helper is not read" in shown[name].detail for name in ("top", "inner", "L", "O"))
    assert shown["top"].figures == replace(Figures(), reasons=dict.fromkeys((*ALL, "ii"), ("helper is not read",)))
    assert shown["L"].figures.reasons == {"latency_cycles": ("helper is not read",)}


def test_a_long_name_is_cut_to_a_label(tmp_path: Path) -> None:
    """25 characters at most; namespaces go first."""
    code = NESTED.replace("helper", "xf::cv::bilateralFilterOfTheWholeImage")
    shown = {item.name: item for item in analyze(tmp_path / "k.cpp", code, Settings()).annotations}
    assert shown["top"].label == "? (bilateralFilterOfThe…)"
