"""The II by what serves accesses: ports of bound memories, branches of which one runs, streams in arrays, buses.

UG1399: pragmas bind_storage, interface (storage_type, max_widen_bitwidth), allocation, array_stencil, aggregate,
disaggregate; UG902 for RESOURCE cores.
"""

from __future__ import annotations

import pytest

from .kit import closed, iis
from .test_loop_ports import gather, ii

LOADS = {n: " + ".join(f"a[{n} * i + {k}]" for k in range(n)) for n in range(1, 9)}


@pytest.mark.parametrize(
    ("options", "loads", "right"),
    [
        # one port: a load a cycle
        ("bind_storage variable=a type=ram_1p", 3, 3),
        ("bind_storage variable=a type=RAM_1P impl=LUTRAM", 2, 2),
        ("bind_storage variable=a type=rom_1p", 4, 4),
        # one port reads, the other writes
        ("bind_storage variable=a type=ram_s2p impl=bram", 3, 3),
        # both read
        ("bind_storage variable=a type=ram_2p", 4, 2),
        ("bind_storage variable=a type=ram_t2p", 5, 3),
        ("bind_storage variable=a type=rom_2p", 5, 3),
        # copies for as many reads as there are
        ("bind_storage variable=a type=rom_np", 8, 1),
        ("bind_storage variable=a type=ram_1wnr", 7, 1),
        # what only says of what it is made changes no port
        ("bind_storage variable=a impl=bram", 4, 2),
        ("resource variable=a core=RAM_1P_BRAM", 3, 3),
        ("resource variable=a core=RAM_2P_LUTRAM", 3, 2),
        ("resource variable=a core=ROM_nP_BRAM", 6, 1),
        ("interface mode=ap_memory port=a storage_type=ram_1p", 2, 2),
        ("interface bram port=a storage_type=ram_t2p", 4, 2),
        # an operator's core is no memory
        ("resource variable=a core=Mul_LUT", 4, 2),
    ],
)
def test_ports_of_a_bound_memory(options: str, loads: int, right: int) -> None:
    assert ii(gather(LOADS[loads], f"#pragma HLS {options}")) == right


UPDATES = """
void top(int q[64], int p[64]) {{
  int a[256];
#pragma HLS bind_storage variable=a type={kind}
  F: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""


@pytest.mark.parametrize(
    ("kind", "statement", "right"),
    [
        ("ram_1p", "a[i] = p[i]; q[i] = a[i + 64];", 2),
        ("ram_2p", "a[i] = p[i]; q[i] = a[i + 64];", 1),
        ("ram_s2p", "a[i] = p[i]; q[i] = a[i + 64];", 1),
        # one port writes, whatever the other does
        ("ram_2p", "a[2 * i] = p[i]; a[2 * i + 1] = q[i];", 2),
        ("ram_s2p", "a[2 * i] = p[i]; a[2 * i + 1] = q[i];", 2),
        ("ram_t2p", "a[2 * i] = p[i]; a[2 * i + 1] = q[i];", 1),
    ],
)
def test_loads_beside_stores(kind: str, statement: str, right: int) -> None:
    assert ii(UPDATES.format(kind=kind, statement=statement), version="2021.2") == right


WAYS = """
void top(int a[1024], int b[256], int w, bool u) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    int s = 0;
    {}
    b[i] = s;
  }}
}}"""


@pytest.mark.parametrize(
    ("ways", "right"),
    [
        # of either way two loads
        ("if (u) s = a[i] + a[i + 9]; else s = a[i + 200] + a[i + 300];", 1),
        # the busier one has four
        ("if (u) s = a[i]; else s = a[i + 1] + a[i + 20] + a[i + 300] + a[i + 400];", 2),
        # what stands before them is loaded either way: 1 + 2
        ("s = a[i + 500]; if (u) s += a[i] + a[i + 9]; else s -= a[i + 200] + a[i + 300];", 2),
        # the same element on both ways is one on each
        ("if (u) s = a[i] + a[i + 9]; else s = a[i] - a[i + 7];", 1),
        # two conditions, both may hold: 2 + 2
        ("if (u) s = a[i] + a[i + 9]; if (w > 3) s -= a[i + 200] + a[i + 300];", 2),
        # one inside the other: 1 + max(1, 2)
        ("if (u) { s = a[i]; if (w) s += a[i + 50]; else s += a[i + 60] + a[i + 70]; } else s = a[i + 80];", 2),
        # three cases, each with two
        (
            "switch (w) { case 0: s = a[i] + a[i + 1]; break; case 1: s = a[i + 8] + a[i + 9]; break;"
            " default: s = a[i + 90] + a[i + 91]; }",
            1,
        ),
        ("s = u ? a[i] + a[i + 3] : a[i + 50] + a[i + 60];", 1),
        ("s = (u ? a[i] : a[i + 50]) + a[i + 100];", 1),
        ("s = (u ? a[i] : a[i + 50]) + (w ? a[i + 100] : a[i + 200]) + a[i + 300];", 2),
        # a store each way
        ("if (u) { a[i] = w; a[i + 100] = w; } else { a[i + 200] = w; a[i + 300] = w; }", 1),
    ],
)
def test_of_two_ways_one_is_taken(ways: str, right: int) -> None:
    assert ii(WAYS.format(ways)) == right


FIFOS = """
#include <hls_stream.h>
void top(hls::stream<int> {params}, int w) {{
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""


@pytest.mark.parametrize(
    ("params", "statement", "right"),
    [
        ("s[2], hls::stream<int> &in", "int v = in.read(); s[0].write(v); s[1].write(v);", 1),
        ("s[2], hls::stream<int> &in", "int v = in.read(); s[1].write(v); s[1].write(v);", 2),
        # a read and a write of every one, by copies of a loop
        ("s[4], hls::stream<int> t[4]", "for (int k = 0; k < 4; k++) t[k].write(s[k].read());", 1),
        ("s[4], hls::stream<int> &o", "int v = 0; for (int k = 0; k < 4; k++) v += s[k].read(); o.write(v);", 1),
        ("s[4], hls::stream<int> &o", "for (int k = 0; k < 4; k++) o.write(s[k].read());", 4),
        # two a round of each
        ("s[4], hls::stream<int> t[2]", "for (int k = 0; k < 4; k++) t[k & 1].write(s[k].read());", 2),
        ("&s, hls::stream<int> &o", "if (w == 0) o.write(s.read()); else if (w == 1) o.write(1); else o.write(2);", 1),
        ("&s, hls::stream<int> &o", "o.write(w ? s.read() : 7);", 1),
        ("&s, hls::stream<int> &o", "if (w) { o.write(1); o.write(2); } else o.write(3);", 2),
    ],
)
def test_streams_that_are_not_all_used(params: str, statement: str, right: int) -> None:
    assert ii(FIFOS.format(params=params, statement=statement)) == right


RECORDS = """
struct {name} {{ {fields} }};
void top({name} *src, {name} *dst) {{
#pragma HLS interface m_axi port=src bundle=x
#pragma HLS interface m_axi port=dst bundle=y
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    dst[i] = src[i];
  }}
}}"""


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        # 8, 16 and 64 bytes lie within words of the bus; 12, 20, 24 and 48 cross their ends
        ("int x; int y;", 1), ("int x, y, z, t;", 1), ("double v[8];", 1),
        ("int x; int y; int z;", 2), ("int v[5];", 2), ("double v[3];", 2), ("double v[6];", 2),
        # 1 + 2 bytes, aligned: 4
        ("char c; short s;", 1),
        # 256 bytes on a bus of 128
        ("double v[32];", 2),
    ],
)  # fmt: skip
def test_structs_across_words_of_the_bus(fields: str, right: int) -> None:
    assert ii(RECORDS.format(name="Rec", fields=fields)) == right


WIDE = """
void top(int *a, int *b) {{
#pragma HLS interface m_axi port=a bundle=x {option}
#pragma HLS interface m_axi port=b bundle=y
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    b[i] = {reads};
  }}
}}"""


@pytest.mark.parametrize(
    ("option", "reads", "right"),
    [
        ("", "a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]", 4),
        ("max_widen_bitwidth=128", "a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]", 1),
        ("max_widen_bitwidth=64", "a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]", 2),
        # three at a time are never whole words
        ("max_widen_bitwidth=64", "a[3 * i] + a[3 * i + 1] + a[3 * i + 2]", 3),
        ("max_widen_bitwidth=0", "a[2 * i] + a[2 * i + 1]", 2),
    ],
)
def test_a_widened_bus(option: str, reads: str, right: int) -> None:
    assert ii(WIDE.format(option=option, reads=reads)) == right


def test_ways_on_a_bus() -> None:
    """One bundle, of each way one read."""
    ways = "int v; if (i & 1) v = a[i]; else v = a[i + 512]; b[i] = v;"
    code = WIDE.format(option="", reads="0").replace("b[i] = 0;", ways)
    assert ii(code) == 1


def test_a_stencil_reads_one_new_element_a_round() -> None:
    code = """
void top(const float a[64][66], float b[64][64]) {
#pragma HLS interface m_axi port=a bundle=x
#pragma HLS interface m_axi port=b bundle=y
  R: for (int r = 0; r < 64; r++)
    C: for (int c = 0; c < 64; c++) {
#pragma HLS pipeline
#pragma HLS array_stencil variable=a
      b[r][c] = a[r][c] + a[r][c + 1] - a[r][c + 2];
    }
}"""
    assert iis(closed(code)) == {"R+C": 1}
    assert iis(closed(code.replace("array_stencil variable=a", "array_stencil off variable=a"))) == {"R+C": 3}


PAIRS = """
struct Pair {{ int re; int im; }};
void top({param}int q[64], int p[64]) {{
  {local}
{pragma}
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    q[i] = z[4 * i].re + z[4 * i + 1].re + z[4 * i + 2].im + z[4 * i + 3].im;
  }}
}}"""


@pytest.mark.parametrize(
    ("param", "local", "pragma", "right"),
    [
        # Aggregated: four words on two ports. Apart: two of each field.
        ("Pair z[256], ", "", "", 2),
        ("Pair z[256], ", "", "#pragma HLS disaggregate variable=z", 1),
        ("", "Pair z[256];", "", 1),
        ("", "Pair z[256];", "#pragma HLS aggregate variable=z", 2),
        ("", "Pair z[256];", "#pragma HLS data_pack variable=z", 2),
    ],
)
def test_fields_of_structs(param: str, local: str, pragma: str, right: int) -> None:
    assert ii(PAIRS.format(param=param, local=local, pragma=pragma), version="2021.2") == right


LIMITED = """
int twice(int v) {{ return v * v; }}
void top(int a[256], int b[64], float f[256], float g[64]) {{
#pragma HLS array_partition variable=a cyclic factor=8
#pragma HLS array_partition variable=f cyclic factor=8
#pragma HLS allocation {limit}
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS pipeline
    {statement}
  }}
}}"""
FOUR = f"b[i] = {' + '.join(f'a[8 * i + {k}] * a[8 * i + {k + 1}]' for k in (0, 2, 4, 6))};"
THREE = "b[i] = twice(a[8 * i]) + twice(a[8 * i + 1]) + twice(a[8 * i + 2]);"
FLOATS = "g[i] = f[8 * i] * f[8 * i + 1] + f[8 * i + 2] * f[8 * i + 3];"


@pytest.mark.parametrize(
    ("limit", "statement", "right", "dsp"),
    [
        ("operation instances=mul limit=1", FOUR, 4, 3),
        ("operation instances=mul limit=2", FOUR, 2, 6),
        ("operation instances=mul limit=3", FOUR, 2, 6),
        ("operation instances=mul limit=4", FOUR, 1, 12),
        ("instances=mul limit=1 operation", FOUR, 4, 3),
        # limits of what there is none of
        ("operation instances=fmul limit=1", FOUR, 1, 12),
        ("operation instances=fmul limit=1", FLOATS, 2, 3 + 2),
        ("operation instances=fmul,fadd limit=2", FLOATS, 1, 6 + 2),
        # a function called three times, two of it
        (
            "function instances=twice limit=2",
            "b[i] = twice(a[8 * i]) + twice(a[8 * i + 1]) + twice(a[8 * i + 2]);",
            2,
            6,
        ),
        (
            "function instances=twice limit=1",
            "b[i] = twice(a[8 * i]) + twice(a[8 * i + 1]) + twice(a[8 * i + 2]);",
            3,
            3,
        ),
    ],
)
def test_limits_of_operators(limit: str, statement: str, right: int, dsp: float) -> None:
    found = closed(LIMITED.format(limit=limit, statement=statement))
    assert (iis(found), found.dsp) == ({"L": right}, dsp)


@pytest.mark.parametrize(("limit", "right", "dsp"), [(1, 2, 3.0), (2, 1, 4.0)])
def test_a_limit_is_for_all_widths_of_an_operation(limit: int, right: int, dsp: float) -> None:
    """A product of 32 bits (3 DSPs) and one of 16 (1 DSP): the one core that is left is the wide one, taking turns."""
    code = f"""
void top(int a[64], short c[64], int b[64], int d[64]) {{
#pragma HLS allocation operation instances=mul limit={limit}
#pragma HLS array_partition variable=a cyclic factor=2
#pragma HLS array_partition variable=c cyclic factor=2
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS pipeline
    b[i] = a[2 * i] * a[2 * i + 1];
    d[i] = c[2 * i] * c[2 * i + 1];
  }}
}}"""
    found = closed(code)
    assert (iis(found), found.dsp) == ({"L": right}, dsp)


@pytest.mark.parametrize(("asked", "dsp"), [(1, 12), (2, 6), (3, 4), (4, 3), (12, 1)])
def test_a_pipelined_function_shares_over_its_ii(asked: int, dsp: int) -> None:
    """Twelve products of 16 bits, one DSP each."""
    code = f"""
void top(const short u[12], const short v[12], int *s) {{
#pragma HLS pipeline II={asked}
#pragma HLS array_partition variable=u complete
#pragma HLS array_partition variable=v complete
  int t = 0;
  for (int k = 0; k < 12; k++) t += u[k] * v[k];
  *s = t;
}}"""
    assert closed(code).dsp == dsp


AXIS = """
#include "hls_stream.h"
#include "ap_axi_sdata.h"
typedef {beat} beat_t;
void top(hls::stream<beat_t>& A, hls::stream<beat_t>& B) {{
#pragma HLS INTERFACE axis port = A
#pragma HLS INTERFACE axis port = B
  beat_t tmp = A.read();
  {use}
  B.write(tmp);
}}
"""
AXIS_ARRAY = """
void top(int A[50], int B[50]) {
#pragma HLS INTERFACE axis port = A
#pragma HLS INTERFACE axis port = B
  for (int i = 0; i < 50; i++) B[i] = A[i] + 5;
}
"""


@pytest.mark.parametrize(
    ("beat", "use"),
    [
        ("ap_axiu<32, 1, 1, 1>", "tmp.data = tmp.data.to_int() + 5;"),
        ("hls::axis_data<int, AXIS_ENABLE_LAST>", "tmp.data = tmp.data + 5;"),
        ("hls::axis_user<13, (AXIS_ENABLE_USER | AXIS_ENABLE_LAST)>", "tmp.set_user(tmp.get_user() + 5);"),
    ],
)
def test_what_is_written_to_an_axis_port_is_taken_over_a_state_later(beat: str, use: str) -> None:
    """Reports of Vitis HLS at 10 ns: one cycle and two states for each of these, with a FIFO none."""
    found = closed(AXIS.format(beat=beat, use=use), clock=10)
    assert (found.latency_cycles, found.ff) == (1, 2)
    plain = "\n".join(line for line in AXIS.format(beat=beat, use=use).split("\n") if "axis port" not in line)
    assert closed(plain, clock=10).latency_cycles == 0


def test_an_array_that_is_an_axis_port_is_written_a_state_later() -> None:
    """A report of Vitis HLS at 10 ns: 53 cycles of 50 elements, where a memory takes 52."""
    plain = "\n".join(line for line in AXIS_ARRAY.split("\n") if "axis" not in line)
    assert closed(AXIS_ARRAY, clock=10).latency_cycles == 53
    assert closed(plain, clock=10).latency_cycles == 52


def test_fields_of_a_port_that_is_taken_apart_have_ports_of_their_own() -> None:
    """A report of Vitis HLS at 10 ns: 13 cycles of ten structs of two fields, one of each in a cycle."""
    found = closed(
        """
struct A { char c; int i; };
void top(A in[10], A out[10]) {
#pragma HLS interface axis port = in
#pragma HLS interface axis port = out
#pragma HLS disaggregate variable = in
#pragma HLS disaggregate variable = out
  for (int i = 0; i < 10; i++) { out[i].c = in[i].c; out[i].i = in[i].i; }
}
""",
        clock=10,
    )
    assert (list(iis(found).values()), found.latency_cycles) == ([1], 13)


def test_a_loop_that_writes_to_axis_ports_ends_a_state_later() -> None:
    """A report of Vitis HLS at 10 ns: 33 cycles of three times ten elements; FIFOs take 32."""
    code = """
#include "hls_stream.h"
int top(hls::stream<int> s_in[3], hls::stream<int> s_out[3]) {
#pragma HLS INTERFACE axis port = s_in
#pragma HLS INTERFACE axis port = s_out
  int sum = 0;
  for (unsigned j = 0; j < 3; j++) {
    for (unsigned i = 0; i < 10; i++) {
      int val = s_in[j].read();
      s_out[j].write(val + 2);
      sum += val;
    }
  }
  return sum;
}
"""
    assert closed(code, clock=10).latency_cycles == 33
    assert closed("\n".join(line for line in code.split("\n") if "axis" not in line), clock=10).latency_cycles == 32
