"""Objects inside a class that hold a reference to it, against the same table written plainly.

Weights of quantised networks are kept so: `weights.row(i)` makes an object that knows the weights and i, and `[pe]` of
that reads them.
"""

from __future__ import annotations

import pytest

from .kit import closed

CLASS = """
template <unsigned PE, unsigned TILES>
class Weights {
 public:
  ap_uint<8> held[PE][TILES];
 private:
  class Row {
    Weights const &of;
    unsigned const at;
   public:
    Row(Weights const &w, unsigned const i) : of(w), at(i) {
#pragma HLS INLINE
    }
    ap_uint<8> operator[](unsigned const pe) const {
#pragma HLS INLINE
      return of.held[pe][at];
    }
  };
 public:
  Row row(unsigned const i) const {
#pragma HLS INLINE
    return Row(*this, i);
  }
};
"""
VALUES = "{1, 5, 9, 7}, {3, 8, 6, 4}"
TABLES = f"""
namespace param {{
static Weights<2, 4> table = {{{{{VALUES}}}}};
static Weights<2, 4> other = {{{{{VALUES}}}}};
}}
"""
PLAIN = f"static const ap_uint<8> table[2][4] = {{{VALUES}}};\n"
LOOP = """
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    {row}
    b[i] = a[i] * {first} + {second};
  }}
"""
AT_ONCE = LOOP.format(row="", first="table[0][i & 3]", second="table[1][i & 3]")


def top(loop: str) -> str:
    return f"void top(int a[64], int b[64]) {{{loop}}}\n"


def handed(loop: str, params: str = "", args: str = "") -> str:
    """The loop in a function of its own."""
    head = f"void run(int a[64], int b[64]{params})"
    return f"{head} {{\n#pragma HLS INLINE off\n{loop}}}\nvoid top(int a[64], int b[64]) {{ run(a, b{args}); }}\n"


@pytest.mark.parametrize("row", ["auto const w = ", "auto const &w = "])
def test_a_row_is_the_table_it_looks_into(row: str) -> None:
    code = CLASS + TABLES + top(LOOP.format(row=row + "param::table.row(i & 3);", first="w[0]", second="w[1]"))
    assert closed(code, clock=5).figures() == closed(PLAIN + top(AT_ONCE), clock=5).figures()


@pytest.mark.parametrize("row", ["auto const w = ", "auto const &w = "])
def test_a_table_that_is_handed_to_a_function_is_looked_into_there(row: str) -> None:
    loop = LOOP.format(row=row + "weights.row(i & 3);", first="w[0]", second="w[1]")
    run = "template <typename TW> " + handed(loop, ", TW const &weights", ", param::table")
    assert closed(CLASS + TABLES + run, clock=5).figures() == closed(PLAIN + handed(AT_ONCE), clock=5).figures()


def test_of_two_tables_each_row_looks_into_its_own() -> None:
    rows = "auto const w = param::table.row(i & 3); auto const v = param::other.row(i & 3);"
    code = CLASS + TABLES + top(LOOP.format(row=rows, first="w[0]", second="v[1]"))
    other = PLAIN + PLAIN.replace("table", "other")
    plain = other + top(LOOP.format(row="", first="table[0][i & 3]", second="other[1][i & 3]"))
    assert closed(code, clock=5).figures() == closed(plain, clock=5).figures()


PACK = """
template <typename T, int W> class Proxy;
template <typename T, int W> class Pack {{
 public:
  T Get(int i) const {{ return held[i]; }}
  void Set(int i, T const &v) {{ held[i] = v; }}
  {inside}
 private:
  T held[W];
}};
template <typename T, int W> class Proxy {{
 public:
  Proxy(Pack<T, W> &pack, int i) : index(i), data(pack) {{}}
  void operator=(T const &rhs) {{ data.Set(index, rhs); }}
  operator T() const {{ return data.Get(index); }}
 private:
  int index;
  Pack<T, W> &data;
}};
{outside}
void top(int a[64], int b[16]) {{
  for (int i = 0; i < 16; i++) {{
#pragma HLS PIPELINE II=4
    Pack<int, 4> p, q;
    for (int j = 0; j < 4; j++) p[j] = a[4 * i + j];
    for (int j = 0; j < 4; j++) q[j] = p[3 - j] + 1;
    b[i] = q[0] + p[3];
  }}
}}
"""
PLAIN_PACK = """
void top(int a[64], int b[16]) {
  for (int i = 0; i < 16; i++) {
#pragma HLS PIPELINE II=4
    int p[4], q[4];
    for (int j = 0; j < 4; j++) p[j] = a[4 * i + j];
    for (int j = 0; j < 4; j++) q[j] = p[3 - j] + 1;
    b[i] = q[0] + p[3];
  }
}
"""
ELEMENTS = {
    "made where it is declared": ("Proxy<T, W> operator[](int i) { return Proxy<T, W>(*this, i); }", ""),
    "made of a list": ("Proxy<T, W> operator[](int i) { return {*this, i}; }", ""),
    "beside a constant one, its body outside": (
        "T operator[](int i) const { return Get(i); }\n  Proxy<T, W> operator[](int i);",
        "template <typename T, int W> Proxy<T, W> Pack<T, W>::operator[](int i) { return Proxy<T, W>(*this, i); }"),
}  # fmt: skip


@pytest.mark.parametrize("how", ELEMENTS)
def test_what_is_assigned_to_an_element_goes_into_its_pack(how: str) -> None:
    """An element of a pack is an object that knows the pack and the place: what it is assigned is put there."""
    inside, outside = ELEMENTS[how]
    found = closed(PACK.format(inside=inside, outside=outside), clock=5)
    plain = closed(PLAIN_PACK, clock=5)
    assert not found.unknown.causes
    assert found.lut == pytest.approx(plain.lut, rel=0.03)
    assert (found.dsp, found.bram_18k) == (plain.dsp, plain.bram_18k)
    assert found.latency_cycles == pytest.approx(plain.latency_cycles, abs=1)


def test_a_nested_class_that_fields_are_made_of_is_read_before_them() -> None:
    """It may point back as well: what it points at is not known then, what it is made of is."""
    code = """
class Line {
  struct Node { Line *owner; int value; };
  Node nodes[4];
 public:
  int get(int i) const { return nodes[i].value; }
  void set(int i, int v) { nodes[i].value = v; }
};
void top(int a[64]) {
  Line line;
  for (int i = 0; i < 64; i++) { line.set(i & 3, a[i]); a[i] = line.get(0); }
}
"""
    assert None not in closed(code).figures().values()
