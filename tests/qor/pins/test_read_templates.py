"""Which template an instance is made of: of several of one name, and of its specialisations.

Trip counts tell the one that was chosen; the right ones are what C++17 says of these lines.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.program.tops import choose_top
from hwml_sdk.qor.read.source import read_program

from .kit import closed, loops


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_most_special_specialisation_counts(order: tuple[int, ...]) -> None:
    """Whatever order they stand in (C++17, 17.5.5.2)."""
    kinds = [
        "template <> struct s<float, 4> { static const int v = 6; };",
        "template <int N> struct s<float, N> { static const int v = 2 * N; };",
        "template <typename T> struct s<T, 7> { static const int v = 9; };",
    ]
    before = "template <typename T, int N> struct s { static const int v = N; };\n"
    before += "\n".join(kinds[at] for at in order)
    for asked, right in (("float, 4", 6), ("float, 5", 10), ("int, 7", 9), ("int, 4", 4)):
        code = f"{before}\nvoid top(int a[64]) {{ L: for (int i = 0; i < s<{asked}>::v; i++) a[i] = 1; }}"
        assert loops(closed(code, pipeline_loops=0))["L"].trips == right


PARTIAL = [
    (
        "template <typename T, typename U> struct s { static const int v = 1; };",
        ("float, int", "float, int*", "char, hls::vector<int, 4>"),
    ),
    ("template <typename T> struct s<T, T> { static const int v = 2; };", ("float, float", "ap_uint<5>, ap_uint<5>")),
    ("template <int W, int V> struct s<ap_int<W>, ap_int<V>> { static const int v = 3; };", ("ap_int<5>, ap_int<6>",)),
    ("template <int W> struct s<ap_int<W>, ap_int<W>> { static const int v = W; };", ("ap_int<4>, ap_int<4>",)),
    ("template <typename T> struct s<T*, T*> { static const int v = 5; };", ("int*, int*", "ap_int<4>*, ap_int<4>*")),
    (
        "template <typename T> struct s<int, T> { static const int v = 6; };",
        ("int, float", "int, ap_int<3>", "int, std::array<char, 4>"),
    ),
    ("template <typename T, typename U> struct s<int, p<T, U>> { static const int v = 7; };", ("int, p<float, char>",)),
    ("template <typename T> struct s<int, p<T, short>> { static const int v = 8; };", ("int, p<float, short>",)),
    (
        "template <typename T, int N> struct s<int, hls::vector<T, N>> { static const int v = 9; };",
        ("int, hls::vector<char, 4>",),
    ),
    (
        "template <int N> struct s<char, hls::vector<char, N>> { static const int v = 10; };",
        ("char, hls::vector<char, 4>",),
    ),
]


@pytest.mark.parametrize("turn", range(1, len(PARTIAL)))
def test_a_specialisation_that_others_cover_counts(turn: int) -> None:
    """Not the one with the fewest parameters: `p<T, U>` is more special than `T` (C++17, 17.5.5.2)."""
    kinds = [kind for kind, _ in PARTIAL]
    before = "\n".join(["template <typename A, typename B> struct p {};", kinds[0], *kinds[turn:], *kinds[1:turn]])
    head = "void top(int a[64]) {\n"
    asked = {given: right for (_, listed), right in zip(PARTIAL, range(1, 11), strict=True) for given in listed}
    body = "".join(f"L{at}: for (int i = 0; i < s<{given}>::v; i++) a[i] = 1;\n" for at, given in enumerate(asked))
    found = loops(closed(f"{before}\n{head}{body}}}", pipeline_loops=0))
    assert {given: found[f"L{at}"].trips for at, given in enumerate(asked)} == asked


def test_a_member_of_an_unread_template_is_no_type_of_the_file() -> None:
    """`u<int>::word` is whatever u says, not the 4 bits of the typedef."""
    code = "typedef unsigned char word;\ntemplate <typename T> struct u;\n"
    code += "void top(int a[64], u<int>::word n) { L: for (int i = 0; i < n; i++) a[i & 63] = 1; }"
    found = closed(code, pipeline_loops=0)
    assert loops(found)["L"].trip.source == "unknown"
    assert "type u<int>::word is not read" in found.top.reasons


def test_templates_of_one_name_each_have_a_body() -> None:
    """The one with a nest of 4 x 40 rounds is another one than that with a loop of 4."""
    code = """
template <int N> int f(int a[N]) { int s = 0; A: for (int i = 0; i < N; i++) s += a[i]; return s; }
template <int N> int f(int a[N], int b) {
  int s = b;
  B: for (int i = 0; i < N; i++) C: for (int j = 0; j < 10 * N; j++) s += a[i] * j;
  return s;
}
void top(int a[4], int *out) { int x = f<4>(a); int y = f<4>(a, 3); *out = x + y; }"""
    found = closed(code, pipeline_loops=0)
    assert sorted(read_program(code).functions) == ["f<4>", "f<4>(int a[N], int b)", "top"]
    assert {name: loop.trips for name, loop in loops(found).items()} == {"A": 4, "B": 4, "C": 40}


def test_a_long_chain_of_aliases_is_followed_to_its_end() -> None:
    """Each stands for the one before it with its arguments the other way round: 300 of them leave a pair as it is."""
    links = "".join(
        f"template <typename T, typename U> using A{i} = {f'A{i - 1}<U, T>' if i else 'Pair<T, U>'};\n"
        for i in range(301)
    )
    code = (
        "template <typename T, typename U> struct Pair { T first; U second; };\n"
        + links
        + "void top(ap_uint<48> a[4], int n) { A300<ap_uint<9>, ap_uint<33> > p; p.first = n; p.second = n; "
        "a[0] = (p.second, p.first); }"
    )
    program = read_program(code)
    kind = program.functions["top"].variables["p"].type
    assert [(name, inner.width) for name, inner, _ in kind.fields] == [("first", 9), ("second", 33)]


def test_a_design_is_no_method_of_a_class_of_its_name() -> None:
    code = (
        "template <typename T> struct Line { T d; void put(T v) { d = v; } };\n"
        "void use(int *a) { Line<int> l; l.put(a[0]); a[1] = l.d; }\nvoid Line_(int *a) {}\n"
        "namespace k { void Line(int *a) { use(a); } }\n"
    )
    assert choose_top(read_program(code), "Line").name == "Line"
