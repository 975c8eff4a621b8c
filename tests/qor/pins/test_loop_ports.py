"""The II that memories and interfaces ask for: accesses of an iteration over ports.

UG1399, pragmas array_partition, array_reshape, interface, bind_storage.
"""

from __future__ import annotations

import pytest

from .kit import U280, closed, iis, loops
from .loops_kit import COPY, Pin, figures, hold, pipeline


def ii(code: str, **settings: object) -> int | None:
    """II of the only loop."""
    (found,) = iis(closed(code, **settings)).values()  # type: ignore[arg-type]
    return found


def gather(reads: str, pragma: str = "", *, size: str = "[1024]") -> str:
    return f"""
void top(int a{size}, int b[100]) {{
{pragma}
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    b[i] = {reads};
  }}
}}"""


CYCLIC2 = "#pragma HLS array_partition variable=a cyclic factor=2"
CYCLIC4 = "#pragma HLS array_partition variable=a cyclic factor=4"
BLOCK4 = "#pragma HLS array_partition variable=a block factor=4"
RESHAPE4 = "#pragma HLS array_reshape variable=a cyclic factor=4"


@pytest.mark.parametrize(
    ("reads", "pragma", "right"),
    [
        # Two ports: 2 a cycle.
        ("a[4 * i] + a[4 * i + 1]", "", 1),
        ("a[8 * i] + a[8 * i + 1] + a[8 * i + 2] + a[8 * i + 3] + a[8 * i + 4]", "", 3),
        # Cyclic by 2 parts odd from even: 4 loads, 2 a bank.
        ("a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]", CYCLIC2, 1),
        # Five: three of them even: ceil(3 / 2).
        ("a[8 * i] + a[8 * i + 1] + a[8 * i + 2] + a[8 * i + 3] + a[8 * i + 4]", CYCLIC2, 2),
        # All multiples of 4: one bank of four serves all four loads: ceil(4 / 2).
        ("a[8 * i] + a[8 * i + 4] + a[8 * i + 8] + a[8 * i + 12]", CYCLIC4, 2),
        # Block by 4 of 1024: blocks of 256. Neighbours share one, elements 256 apart do not; 255 apart meet in one: 3.
        ("a[i] + a[i + 1] + a[i + 2] + a[i + 3]", BLOCK4, 2),
        ("a[i] + a[i + 256] + a[i + 512] + a[i + 768]", BLOCK4, 1),
        ("a[i] + a[i + 100] + a[i + 200] + a[i + 512]", BLOCK4, 2),
        # Reshape by 4: four neighbours are one word.
        ("a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]", RESHAPE4, 1),
        # One element read three times is loaded once.
        ("a[i] * a[i] + a[i]", "", 1),
        # A partition of another array does not help.
        ("a[4 * i] + a[4 * i + 1] + a[4 * i + 2]", CYCLIC4.replace("=a", "=b"), 2),
        # factor=1 splits nothing.
        ("a[4 * i] + a[4 * i + 1] + a[4 * i + 2]", CYCLIC4.replace("=4", "=1"), 2),
        # Complete by name and by default (a partition without a kind).
        ("a[8 * i] + a[8 * i + 1] + a[8 * i + 2]", "#pragma HLS array_partition variable=a complete", 1),
        ("a[8 * i] + a[8 * i + 1] + a[8 * i + 2]", "#pragma HLS array_partition variable=a", 1),
        ("a[8 * i] + a[8 * i + 1] + a[8 * i + 2]", "#pragma HLS array_partition variable=a type=cyclic factor=3", 1),
    ],
)
def test_banks(reads: str, pragma: str, right: int) -> None:
    assert ii(gather(reads, pragma)) == right


@pytest.mark.parametrize(
    ("options", "right"),
    [
        # Six loads of one row, all of one column index: dim=2 parts columns, dim=1 rows; dim=0 all.
        ("complete dim=2", 1), ("complete dim=1", 3), ("complete dim=0", 1),
        # Without dim it is the first.
        ("complete", 3),
        ("cyclic factor=3 dim=2", 1), ("cyclic factor=2 dim=2", 2), ("block factor=2 dim=2", 2),
    ],
)  # fmt: skip
def test_dimensions(options: str, right: int) -> None:
    reads = " + ".join(f"a[i][{j}]" for j in range(6))
    pragma = f"#pragma HLS array_partition variable=a {options}"
    assert ii(gather(reads, pragma, size="[128][6]")) == right


LOCAL = """
void top(int in[64], int b[64]) {
  int a[64];
  F: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    a[i] = in[i];
  }
  L: for (int i = 8; i < 56; i++) {
#pragma HLS pipeline
    b[i] = a[i - 4] + a[i - 3] + a[i - 2] + a[i - 1] + a[i] + a[i + 1] + a[i + 2] + a[i + 3];
  }
}"""


@pytest.mark.parametrize(("version", "right"), [("2021.2", 4), ("2022.1", 1), ("2023.2", 1)])
def test_local_arrays_are_split_by_the_tool_from_2022(version: str, right: int) -> None:
    """config_array_partition -throughput_driven: eight loads on two ports take 4 cycles in 2021.2, 1 from 2022.1 on."""
    assert iis(closed(LOCAL, version=version)) == {"F": 1, "L": right}


def test_small_local_arrays_are_registers() -> None:
    """complete_threshold 4: four elements are registers, their loads and stores are no matter; five are a memory."""
    code = """
void top(int in[100], int b[100]) {{
  int a[{size}];
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    a[i % {size}] = in[i];
    b[i] = a[0] + a[1] + a[2] + a[3];
  }}
}}"""
    assert ii(code.format(size=4), version="2021.2") == 1
    assert ii(code.format(size=5), version="2021.2") == 3  # four loads and a store on two ports


AXI = """
void top({params}) {{
{interfaces}
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""


def axi(statement: str, **bundles: str) -> str:
    params = ", ".join(f"int {name}[1024]" for name in bundles)
    lines = [
        f"#pragma HLS interface m_axi port={name}{f' bundle={bundle}' if bundle else ''}"
        for name, bundle in bundles.items()
    ]
    return AXI.format(params=params, interfaces="\n".join(lines), statement=statement)


@pytest.mark.parametrize(
    ("code", "right"),
    [
        # A bundle has one channel to read and one to write.
        (axi("b[i] = a[i] + 1;", a="g", b="g"), 1),
        (axi("c[i] = a[i] + b[i];", a="g", b="g", c="g"), 2),
        (axi("c[i] = a[i] + b[i];", a="g", b="h", c="g"), 1),
        # Without a name all are of one bundle.
        (axi("c[i] = a[i] + b[i];", a="", b="", c="own"), 2),
        # Three reads of one array; two writes.
        (axi("b[i] = a[3 * i] + a[3 * i + 1] + a[3 * i + 2];", a="g", b="h"), 3),
        (axi("b[i] = a[i]; c[i] = a[i];", a="g", b="h", c="h"), 2),
    ],
)
def test_bundles(code: str, right: int) -> None:
    assert ii(code) == right


def test_the_way_over_the_bus() -> None:
    """A read over m_axi takes what is expected of the bus (config_interface m_axi_latency) and the adapter's 6."""
    kernel = 'extern "C" ' + axi("b[i] = a[i] + 1;", a="g", b="h").lstrip()
    hold(Pin("", kernel, {"L": (1, 100, pipeline(100, 1, 70 + 1))}))


STREAMS = """
#include <hls_stream.h>
void top(hls::stream<int> &in, hls::stream<int> &out, bool w) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""


@pytest.mark.parametrize(
    ("statement", "right"),
    [
        ("out.write(in.read() + 1);", 1),
        ("out.write(in.read() + in.read());", 2),
        ("int x = in.read(); out.write(x); out.write(x + 1); out.write(x + 2);", 3),
        ("int x = in.read(); if (w) out.write(x);", 1),
    ],
)
def test_streams(statement: str, right: int) -> None:
    assert ii(STREAMS.format(statement=statement)) == right


def test_an_array_as_a_fifo() -> None:
    """ap_fifo and axis: one element a cycle, also where a memory would have two ports."""
    for mode, right in {"ap_fifo": 2, "axis": 2, "mode=axis": 2, "ap_memory": 1}.items():
        assert ii(gather("a[2 * i] + a[2 * i + 1]", f"#pragma HLS interface {mode} port=a")) == right


def test_one_of_three_ways() -> None:
    """One state of a merge writes once: the FIFO is used once a round, II 1."""
    ways = "if (i % 3 == 0) out.write(1); else if (i % 3 == 1) out.write(2); else out.write(3);"
    assert ii(STREAMS.format(statement=ways)) == 1


def test_a_memory_with_one_port() -> None:
    """ram_1p: a load and a load take two cycles."""
    code = gather("a[2 * i] + a[2 * i + 1]", "#pragma HLS bind_storage variable=a type=ram_1p impl=bram")
    assert ii(code) == 2


def test_a_load_of_a_register_takes_no_state() -> None:
    """A completely parted array: the sum alone, and the store of b."""
    code = gather("a[i] + 1", "#pragma HLS array_partition variable=a complete")
    assert figures(closed(code))["L"] == (1, 100, pipeline(100, 1, 1))


def test_a_load_takes_two_states() -> None:
    assert figures(closed(gather("a[i] + 1")))["L"] == (1, 100, pipeline(100, 1, COPY))
    (loop,) = loops(closed(gather("a[i] + 1"))).values()
    assert loop.depth == COPY


MANY = """
void top(int a[10][8192], int b[10]) {{
{pragma}
  L: for (int i = 0; i < 10; i++) {{
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 8192; j++) s += a[i][{index}];
    b[i] = s;
  }}
}}"""


@pytest.mark.parametrize(
    ("options", "index", "right"),
    [
        # Too many copies to follow one by one: the same arithmetic. 8192 loads over two ports of each bank.
        ("cyclic factor=1 dim=2", "j", 4096), ("cyclic factor=16 dim=2", "j", 256),
        # ceil(8192 / 3) = 2731 in one of three banks.
        ("cyclic factor=3 dim=2", "j", 1366), ("block factor=4 dim=2", "j", 1024), ("block factor=3 dim=2", "j", 1366),
        ("complete dim=2", "j", 1), ("complete dim=1", "j", 4096),
        # Every fourth element: in 4 of 16 banks, 2048 each; every other of a power of two in one.
        ("cyclic factor=16 dim=2", "4 * j", 1024), ("cyclic factor=16 dim=2", "16 * j", 4096),
    ],
)  # fmt: skip
def test_thousands_of_copies(options: str, index: str, right: int) -> None:
    pragma = f"#pragma HLS array_partition variable=a {options}"
    assert ii(MANY.format(pragma=pragma, index=index)) == right


@pytest.mark.parametrize(
    ("between", "right"),
    [
        # Nothing is written: one load. Another element: one load and one store. The element itself: its value is known.
        ("", 1),
        ("a[2 * i] = 7;", 1),
        ("a[2 * i + 1] = 7;", 1),
        # An element nobody knows: the second load has to look again; two loads and a store on two ports.
        ("a[at[i]] = 7;", 2),
    ],
)
def test_a_load_after_a_store(between: str, right: int) -> None:
    code = f"""
void top(int a[256], int at[100], int b[100], int c[100]) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
#pragma HLS dependence variable=a type=inter dependent=false
    b[i] = a[2 * i + 1];
    {between}
    c[i] = a[2 * i + 1];
  }}
}}"""
    assert ii(code) == right


def test_a_swap_is_the_assignments_it_stands_for() -> None:
    """Two loads and two stores on two ports: 2; what is stored may be what is loaded next, which takes no longer."""
    code = """
void top(int a[64], int n[64]) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    {}
  }}
}}"""
    written = closed(code.format("int t = a[i]; a[i] = a[n[i]]; a[n[i]] = t;"))
    found = closed(code.format("std::swap(a[i], a[n[i]]);"))
    assert iis(found) == iis(written) == {"L": 2}
    assert found.figures() == written.figures()


@pytest.mark.parametrize(
    "call", ["hls::sincos(a[i], &s[i], &c[i])", "float u, v; sincosf(a[i], &u, &v); s[i] = u; c[i] = v"]
)
def test_sincos_writes_what_it_points_at(call: str) -> None:
    """One core of 13 DSPs (as of a sine) and a store into each array."""
    code = f"""
void top(float a[64], float s[64], float c[64]) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    {call};
  }}
}}"""
    found = closed(code)
    region = loops(found)["L"].region
    assert found.dsp == 13
    assert region is not None
    assert sorted(access.array.name for access in region.accesses if access.write) == ["c", "s"]


TAPS = """
void top(unsigned char a[64][1024], int b[64][1024]) {
  KIND k[3][3] = TABLE;
  L: for (int j = 1; j < 1023; j++) {
#pragma HLS pipeline
    int sum = 0;
    for (int x = 0; x < 3; x++)
      for (int y = 0; y < 3; y++) sum += ORDER;
    b[1][j] = sum;
  }
}
"""


@pytest.mark.parametrize(
    ("table", "order", "kind", "right"),
    [
        # Of nine factors five are not zero, eight, none is: ceil(5 / 2), ceil(8 / 2), ceil(9 / 2).
        ("{{0, -1, 0}, {-1, 5, -1}, {0, -1, 0}}", "a[x][j + y - 1] * k[x][y]", "int", 3),
        ("{{0, -1, 0}, {-1, 5, -1}, {0, -1, 0}}", "k[x][y] * a[x][j + y - 1]", "int", 3),
        ("{{-1, -2, -1}, {1, 0, 1}, {1, 2, 1}}", "a[x][j + y - 1] * k[x][y]", "int", 4),
        ("{{-1, -2, -1}, {1, 3, 1}, {1, 2, 1}}", "a[x][j + y - 1] * k[x][y]", "int", 5),
        # 0.0f * x is not 0 where x is infinite, and a table that is left to the caller holds anything.
        ("{{0, -1, 0}, {-1, 5, -1}, {0, -1, 0}}", "a[x][j + y - 1] * k[x][y]", "float", 5),
    ],
)
def test_what_is_multiplied_by_zero_is_not_loaded(table: str, order: str, kind: str, right: int) -> None:
    """Labels of three edge detectors and a sharpening filter, whose nine reads would take an II of 5."""
    assert ii(TAPS.replace("TABLE", table).replace("ORDER", order).replace("KIND", kind), part=U280) == right


@pytest.mark.parametrize(
    ("head", "right"),
    [("ap_uint<8> a[100]", 1), ("ap_uint<8> *a", 1), ("ap_fixed<8, 4> a[100]", 1), ("int a[100][8]", 4)],
)
def test_the_bits_of_an_element_are_one_load(head: str, right: int) -> None:
    """Labels of a parity checker, 1,026 cycles for 1,024 elements of eight bits each."""
    code = f"""
#include <ap_fixed.h>
void top({head}, ap_uint<1> b[100]) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    ap_uint<1> p = 0;
    for (int j = 0; j < 8; j++) p ^= a[i][j];
    b[i] = p;
  }}
}}"""
    assert ii(code) == right


def test_a_bit_that_is_written_writes_the_element() -> None:
    code = """
#include <ap_int.h>
void top(ap_uint<8> a[100], ap_uint<8> b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    for (int j = 0; j < 8; j++) b[i][j] = a[i][7 - j];
  }
}"""
    assert ii(code) == 1
