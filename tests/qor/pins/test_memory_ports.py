"""II that memory ports allow: accesses of one iteration on the fullest bank, two a cycle (UG1399, array_partition)."""

from __future__ import annotations

import pytest
from tests.qor.pins.kit import closed, iis

AHEAD = ["m[8 * i]", "m[8 * i + 1]", "m[8 * i + 2]", "m[8 * i + 3]", "m[8 * i + 4]", "m[8 * i + 5]", "m[8 * i + 6]"]
FAR = ["m[i]", "m[i + 64]", "m[i + 128]", "m[i + 192]", "m[i + 1]", "m[i + 65]"]
EVEN = ["m[8 * i]", "m[8 * i + 2]", "m[8 * i + 4]", "m[8 * i + 6]"]


def ii_of(
    reads: list[str], pragmas: str, declaration: str = "int m[256]", writes: list[str] | None = None
) -> int | None:
    """II of a loop of 32 iterations that reads (xor of all) and writes."""
    stores = "".join(f"    {target} = i;\n" for target in writes or [])
    code = f"""
void top({declaration}, int q[64]) {{
{pragmas}
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS pipeline
{stores}    q[i] = {" ^ ".join(reads)};
  }}
}}
"""
    return iis(closed(code))["L"]


P = "#pragma HLS array_partition variable=m "
R = "#pragma HLS array_reshape variable=m "


@pytest.mark.parametrize(
    ("reads", "pragma", "ii"),
    [
        (AHEAD[:1], "", 1),
        (AHEAD[:2], "", 1),  # two ports
        (AHEAD[:3], "", 2),
        (AHEAD, "", 4),  # 7 / 2
        (AHEAD, P + "cyclic factor=2", 2),  # 0, 2, 4, 6 on one bank
        (AHEAD, P + "cyclic factor=3", 2),  # 0, 3, 6 on one
        (AHEAD, P + "cyclic factor=4", 1),  # 0, 4 on one
        (AHEAD, P + "block factor=4", 4),  # neighbours are in one block of 64
        (AHEAD, P + "complete", 1),
        (FAR, P + "block factor=4", 1),  # two in each of two blocks, one in each of two
        (FAR, P + "block factor=2", 2),  # 0, 64, 1, 65 in the first block of 128: 4 on 2 ports
        (FAR, P + "cyclic factor=4", 2),  # 64, 128, 192 are multiples of 4: four accesses on bank 0, two on bank 1
        (EVEN, P + "cyclic factor=2", 2),  # all on the even bank
        (EVEN, P + "cyclic factor=3", 1),  # 0, 2, 4, 6 modulo 3: 0, 2, 1, 0
        (AHEAD[:4], R + "cyclic factor=4", 1),  # one word holds four
        (AHEAD, R + "cyclic factor=2", 2),
        (["m[8 * i]", "m[8 * i]", "m[8 * i]"], "", 1),  # one element is loaded once
    ],
)
def test_reads_on_banks(reads: list[str], pragma: str, ii: int) -> None:
    assert ii_of(reads, pragma) == ii


@pytest.mark.parametrize(
    ("pragma", "ii"),
    [
        ("", 2),  # four elements of a row or column
        (P + "cyclic factor=2 dim=1", 2),  # the row is one bank
        (P + "cyclic factor=2 dim=2", 1),  # two of four on each
        (P + "cyclic factor=4 dim=2", 1),
        (P + "complete dim=2", 1),
        (P + "complete dim=1", 2),
        (P + "block factor=4 dim=2", 1),
        (P + "block factor=2 dim=2", 1),  # columns 0, 3 | 4, 7
        (P + "block factor=1 dim=2", 2),
        (P + "complete dim=0", 1),
        (P + "cyclic factor=2", 2),  # without dim it is the first
        (P + "cyclic factor=2 dim=0", 1),  # every dimension: of columns 0, 3, 4, 7 two are even
        (P + "cyclic factor=2 dim=3", 2),  # there is no third dimension
    ],
)
def test_banks_by_dimension(pragma: str, ii: int) -> None:
    reads = ["m[i][0]", "m[i][3]", "m[i][4]", "m[i][7]"]
    assert ii_of(reads, pragma, "int m[32][8]") == ii


def test_loads_and_stores_share_the_ports() -> None:
    """Two loads and a store: 3 on 2 ports, II 2; with two banks each has two at most."""
    reads, writes = ["m[8 * i + 1]", "m[8 * i + 2]"], ["m[8 * i]"]
    assert ii_of(reads, "", writes=writes) == 2
    assert ii_of(reads, P + "cyclic factor=2", writes=writes) == 1
    assert ii_of(reads[:1], "", writes=writes) == 1


def test_a_partition_said_in_a_loop_or_of_a_parameter_of_a_callee_holds() -> None:
    inside = """
void f(int m[256], int q[64]) {
#pragma HLS array_partition variable=m cyclic factor=4
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    q[i] = m[8 * i] ^ m[8 * i + 1] ^ m[8 * i + 2] ^ m[8 * i + 3];
  }
}
void top(int m[256], int q[64]) { f(m, q); }
"""
    assert iis(closed(inside)) == {"L": 1}
    assert iis(closed(inside.replace("#pragma HLS array_partition variable=m cyclic factor=4", ""))) == {"L": 2}


@pytest.mark.parametrize(
    ("factor", "partition", "ii"), [(2, 1, 1), (4, 1, 2), (4, 2, 1), (8, 2, 2), (8, 4, 1), (16, 4, 2)]
)
def test_copies_of_an_unrolled_loop_are_accesses(factor: int, partition: int, ii: int) -> None:
    """`unroll factor=8` loads 8 neighbours an iteration: 8 / (2 ports * banks)."""
    code = f"""
void top(int m[256], int q[256]) {{
#pragma HLS array_partition variable=m cyclic factor={partition}
#pragma HLS array_partition variable=q complete
  L: for (int i = 0; i < 256; i++) {{
#pragma HLS pipeline
#pragma HLS unroll factor={factor}
    q[i] = m[i] ^ 1;
  }}
}}
"""
    assert iis(closed(code)) == {"L": ii}


def test_fifos_and_buses_serve_one_access_a_cycle_each_way() -> None:
    """A stream is read once a cycle; a bus has one read and one write channel, which its arrays share (UG1399)."""

    def bus(pragmas: str, body: str) -> int | None:
        code = f"""
void top(int *a, int *b, int *c, int q[64]) {{
{pragmas}
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    {body}
  }}
}}
"""
        return iis(closed(code))["L"]

    one = "".join(f"#pragma HLS interface m_axi port={name} bundle=one\n" for name in "abc")
    apart = "".join(f"#pragma HLS interface m_axi port={name} bundle={name}\n" for name in "abc")
    unnamed = one.replace("bundle=one", "")
    assert bus(apart, "c[i] = a[i] ^ b[i];") == 1
    assert bus(one, "c[i] = a[i] ^ b[i];") == 2  # two reads on the one read channel, the write on its own
    assert bus(unnamed, "c[i] = a[i] ^ b[i];") == 2  # all go to gmem
    assert bus(one, "c[i] = a[i];") == 1
    assert bus(one, "a[i] = i; b[i] = i; c[i] = i;") == 3
    assert bus(apart, "q[i] = a[3 * i] ^ a[3 * i + 1] ^ a[3 * i + 2];") == 3

    streams = """
#include <hls_stream.h>
void top(hls::stream<int> &s, int q[64]) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    int x = s.read();
    {}
    q[i] = x;
  }}
}}
"""
    assert iis(closed(streams.format(""))) == {"L": 1}
    assert iis(closed(streams.format("x ^= s.read();"))) == {"L": 2}
    for pragma in ("axis port=m", "ap_fifo port=m", "mode=axis port=m"):
        assert ii_of(["m[2 * i]", "m[2 * i + 1]"], f"#pragma HLS interface {pragma}") == 2
    assert ii_of(["m[2 * i]", "m[2 * i + 1]"], "#pragma HLS interface ap_memory port=m") == 1
    assert ii_of(["m[2 * i]", "m[2 * i + 1]"], "#pragma HLS stream variable=m") == 2
