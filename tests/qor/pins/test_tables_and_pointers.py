"""Constant tables that fold or are ROMs, arrays behind pointers, floating-point cores of Vivado HLS by clock."""

from __future__ import annotations

import pytest

from .kit import ZYNQ, closed, cores, iis, loops

TAPS = """
const int taps[4] = {{{taps}}};
void top(int a[128], int b[64]) {{
#pragma HLS array_partition variable=a complete
  L: for (int i = 0; i < 60; i++) {{
#pragma HLS pipeline
    int s = 0;
    for (int k = 0; k < 4; k++) s += a[i + k] * taps[k];
    b[i] = s;
  }}
}}"""


@pytest.mark.parametrize(
    ("taps", "products"),
    [
        ("1, 2, 4, 8", 0),  # shifts
        ("1, -2, 0, 16", 0),
        ("3, 5, 6, 7", 0),  # two digits each: a sum
        ("1, 11, 2, 1", 1),  # 11 = 8 + 4 - 1
        ("1, 11, 13, 19", 3),
        ("100, 200, 300, 400", 4),
        ("45", 1),  # what is not listed is zero
    ],
)
def test_tables_at_known_indices_are_constants(taps: str, products: int) -> None:
    found = closed(TAPS.format(taps=taps))
    assert iis(found) == {"L": 1}
    assert sum(cores(found).values()) == products
    assert found.bram_18k == 0


@pytest.mark.parametrize(
    ("declaration", "products"),
    [
        # None of them is known at compile time: four products in two cycles of two loads
        ("extern int K; const int taps[4] = {K, K + 1, K + 2, K + 3};", {"mul int32": 2.0}),
        # Parts of one are not their whole part 0; fixed-point products are full ones
        ("typedef ap_fixed<16, 4> T; const T taps[4] = {0.3, 0.77, -0.11, 0.9};", {"mul fixed16": 2.0}),
        ("typedef ap_fixed<16, 4> T; const T taps[4] = {1, 2, 3, 4};", {"mul fixed16": 2.0}),
        # Stored as C converts them: 1, 2, 3, 4 and 256 + 4
        ("typedef int T; const int taps[4] = {1.9, 2.5, 3.1, 4.0};", {}),
        ("typedef int T; const unsigned char taps[4] = {260, 257, 258, 256};", {}),
    ],
)
def test_only_integers_that_are_known_fold(declaration: str, products: dict[str, float]) -> None:
    kind = "T" if "typedef" in declaration else "int"
    code = f"""
{declaration}
void top({kind} a[128], {kind} b[64]) {{
  L: for (int i = 0; i < 60; i++) {{
#pragma HLS pipeline
    {kind} s = 0;
    for (int k = 0; k < 4; k++) s += a[i + k] * taps[k];
    b[i] = s;
  }}
}}"""
    found = closed(code)
    assert (cores(found), iis(found)) == (products, {"L": 2})


@pytest.mark.parametrize(("rows", "products"), [(64, 64), (65, 2)])
def test_tables_are_folded_whole_or_not_at_all(rows: int, products: int) -> None:
    """64 x 64 elements are looked up: the 64 that are not zero ask for a product each. 65 x 64 are a memory of two
    ports, which two products keep up with; the last row is not cut off.
    """
    zeros = ", ".join("{" + ", ".join(["0"] * 64) + "}" for _ in range(rows - 1))
    last = ", ".join(str(12345 + 2 * k) for k in range(64))
    code = f"""
const int w[{rows}][64] = {{{zeros}, {{{last}}}}};
void top(int x[{rows}][64], int *y) {{
#pragma HLS array_partition variable=x complete dim=0
#pragma HLS pipeline
  int s = 0;
  for (int k = 0; k < {rows}; k++) for (int j = 0; j < 64; j++) s += x[k][j] * w[k][j];
  *y = s;
}}"""
    assert sum(cores(closed(code)).values()) == products


def test_a_constant_of_two_dimensions_in_a_called_function() -> None:
    code = """
static const short mask[2][2] = {{1, 2}, {4, 1}};
int weigh(int p, int q, int r, int s) { return p * mask[0][0] + q * mask[0][1] + r * mask[1][0] + s * mask[1][1]; }
void top(int a[64], int b[64]) {
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    b[i] = weigh(a[2 * i], a[2 * i + 1], i, 3);
  }
}"""
    found = closed(code)
    assert (found.dsp, iis(found)) == (0, {"L": 1})


TABLE = """
{scope}void top(int q[64], int b[64], int n) {{
  {local}
  L: for (int i = 0; i < 60; i++) {{
#pragma HLS pipeline
    b[i] = {read};
  }}
}}"""
SINES = ", ".join(str(k * 37 % 251) for k in range(512))


@pytest.mark.parametrize(
    ("declaration", "read", "bram", "right"),
    [
        # 512 x 32 bits: one block RAM of 512 x 36
        ("int sines[512]", "sines[q[i] & 511]", 1, 1),
        ("unsigned char sines[512]", "sines[q[i] & 511]", 1, 1),
        ("int sines[512]", "sines[i]", 1, 1),
        ("int sines[512]", "sines[n]", 1, 1),
        # three lookups on two ports
        ("int sines[512]", "sines[q[i] & 511] + sines[(q[i] + n) & 511] + sines[n & 511]", 1, 2),
        ("int sines[512]", "sines[7] + sines[9] + sines[300] + i", 0, 1),
        # never looked up
        ("int sines[512]", "q[i]", 0, 1),
    ],
)
def test_tables_that_are_looked_up_are_roms(declaration: str, read: str, bram: int, right: int) -> None:
    table = f"const {declaration} = {{{SINES}}};\n"
    for scope, local in ((table, ""), ("", f"static {table}")):
        found = closed(TABLE.format(scope=scope, local=local, read=read), version="2021.2")
        assert (found.bram_18k, iis(found)) == (bram, {"L": right})


def test_a_rom_of_two_callers_is_there_once() -> None:
    code = f"""
const int sines[512] = {{{SINES}}};
int f(int x) {{ return sines[x & 511]; }}
void top(int q[64], int b[64]) {{
  L: for (int i = 0; i < 64; i++) b[i] = f(q[i]);
  M: for (int i = 0; i < 64; i++) q[i] = f(b[i]) + 1;
}}"""
    assert closed(code).bram_18k == 1


WALK = """
void top(const int a[1024], const int c[1024], int b[64], int n) {{
  {before}
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS pipeline
    {body}
  }}
}}"""


@pytest.mark.parametrize(
    ("before", "body", "right"),
    [
        ("const int *p = a;", "b[i] = *p++;", 1),
        ("const int *p = a;", "int s = 0; for (int k = 0; k < 6; k++) s += *p++; b[i] = s;", 3),
        ("const int *p = &a[8];", "int s = 0; for (int k = 0; k < 4; k++) s ^= *p++; b[i] = s;", 2),
        ("const int *p = a, *r = c;", "int s = 0; for (int k = 0; k < 8; k++) s += *p++ - *r++; b[i] = s;", 4),
        ("const int *p = a;", "b[i] = *p + *(p + 1); p += 2;", 1),
        ("const int *p = a;", "b[i] = p[0] + p[1] + p[2]; p += 3;", 2),
        ("const int *p = a + 64;", "b[i] = p[i] + p[i + 1] + p[i + 9];", 2),
        # known places: the same element twice is loaded once
        ("const int *p = a + 64;", "b[i] = p[i] + a[i + 64];", 1),
        ("const int *p = a;", "b[i] = p[i] + p[i + 1] + a[i];", 1),
        # a pointer that is set anew in each round
        ("", "const int *p = &a[4 * i]; b[i] = p[0] + p[1] + p[2] + p[3];", 2),
        # one in each of two arrays
        ("const int *p = a, *r = c;", "b[i] = p[0] + p[1] - r[0] - r[1]; p += 2; r += 2;", 1),
    ],
)
def test_reads_through_pointers_use_the_ports_of_their_array(before: str, body: str, right: int) -> None:
    """Two ports a memory, as if the array had been named."""
    assert iis(closed(WALK.format(before=before, body=body))) == {"L": right}


def test_a_partition_helps_a_pointer_that_does_not_walk() -> None:
    body = "const int *p = &a[4 * i]; b[i] = p[0] + p[1] + p[2] + p[3];"
    split = "#pragma HLS array_partition variable=a cyclic factor=4"
    assert iis(closed(WALK.format(before=split, body=body))) == {"L": 1}


DOT = """
void top(const {t} x[32][64], const {t} w[64], {t} y[32]) {{
  A: for (int r = 0; r < 32; r++) {{
    {t} s = 0;
    B: for (int k = 0; k < 64; k++) s += x[r][k] * w[k];
    y[r] = s;
  }}
}}"""


@pytest.mark.parametrize(
    ("tool", "version", "part", "clock", "states"),
    [
        # fmul of 4 stages and fadd of 5 (3 + 4 cycles on 7 series) at 10 ns, behind the loads, and the state of
        # the register: 2 + 3 + 4 + 1
        ("vivado_hls", "2019.2", ZYNQ, 10.0, 10),
        ("vivado_hls", "2018.3", ZYNQ, 10.0, 10),
        ("vivado_hls", "2019.2", ZYNQ, 20.0, 10),
        # each four more at 4 ns and below: 2 + (3 + 1 + 4) + (3 + 1 + 4) + 1
        ("vivado_hls", "2019.2", ZYNQ, 4.0, 19),
        # at 8 ns a third of them: two; at 10 ns cores of UltraScale+ have one stage less
        ("vivado_hls", "2019.2", ZYNQ, 8.0, 2 + 3 + 2 + 4 + 2 + 1),
        ("vivado_hls", "2019.2", "xczu9eg-ffvb1156-2-i", 10.0, 8),
    ],
)
def test_float_cores_of_vivado_hls_by_clock(tool: str, version: str, part: str, clock: float, states: int) -> None:
    """A multiply-add without pragmas: a published loop has 10 to 11 states on a Zynq at 10 ns."""
    found = loops(closed(DOT.format(t="float"), tool=tool, version=version, part=part, clock=clock))
    assert found["B"].depth == states
