"""What an array takes: block RAM shapes, LUTRAM, registers, streams; by partition and by BIND_STORAGE.

A block RAM of 18 Kbit is 16K x 1, 8K x 2, 4K x 4, 2K x 9, 1K x 18 or (one port each way) 512 x 36 (UG473, UG573).
"""

from __future__ import annotations

import pytest
from tests.qor.pins.kit import closed, memories

from hwml_sdk.qor.closed_form.estimate import Estimate

HEADERS = "#include <ap_int.h>\n#include <hls_stream.h>\n"


def with_array(declaration: str, pragmas: str = "", version: str = "2021.2") -> Estimate:
    """A function with a local array `m` that is filled and read, one access a cycle."""
    code = f"""{HEADERS}
struct Pair {{ int x; short y[2]; }};
void top(int p[8], int q[8]) {{
  {declaration};
{pragmas}
  for (int i = 0; i < 8; i++) {{
#pragma HLS pipeline off
    p[i] = q[i];
  }}
}}
"""
    return closed(code, version=version)


def storage_of(declaration: str, pragmas: str = "") -> tuple[float, float, float]:
    """(BRAM18, LUT, FF) of `m`."""
    return memories(with_array(declaration, pragmas))["m"]


SHAPES = [
    ("int m[512]", 1),  # 512 x 36
    ("int m[513]", 2),  # two deep, or 1K x 18 two wide
    ("int m[1024]", 2),
    ("int m[1025]", 3),  # three 512 x 36; by shapes with 18 bits or less it would be 4
    ("int m[2048]", 4),
    ("int m[16384]", 32),  # 16K x 1, thirty-two wide
    ("ap_uint<36> m[512]", 1),
    ("ap_uint<37> m[512]", 2),
    ("ap_uint<72> m[512]", 2),
    ("ap_uint<18> m[1024]", 1),
    ("ap_uint<19> m[1024]", 2),
    ("ap_uint<9> m[2048]", 1),
    ("ap_uint<9> m[2049]", 2),
    ("ap_uint<10> m[2048]", 2),
    ("ap_uint<4> m[4096]", 1),
    ("ap_uint<5> m[4096]", 2),
    ("ap_uint<4> m[4097]", 2),
    ("ap_uint<2> m[8192]", 1),
    ("ap_uint<2> m[8193]", 2),
    ("ap_uint<3> m[8192]", 2),
    ("bool m[16384]", 1),
    ("bool m[16385]", 2),
    ("char m[2048]", 1),
    ("double m[1024]", 4),  # two deep, two wide
    ("int m[32][32]", 2),  # 1024 words
    ("Pair m[512]", 2),  # 32 + 2 * 16 = 64 bits a word
]


@pytest.mark.parametrize(("declaration", "bram"), SHAPES)
def test_block_ram_shapes(declaration: str, bram: int) -> None:
    assert storage_of(declaration) == (bram, 0, 0)


@pytest.mark.parametrize(
    ("declaration", "lut", "ff"),
    [
        # Up to 1024 bits, or two words, the tool takes LUTs: one LUT a bit for each 64 words (a LUT6 is 64 x 1, UG574),
        # and a register at the port.
        ("int m[32]", 32, 32),
        ("ap_uint<8> m[128]", 16, 8),
        ("ap_uint<15> m[65]", 30, 15),
        ("bool m[1024]", 16, 1),
        ("short m[64]", 16, 16),
    ],
)
def test_small_arrays_are_lutram(declaration: str, lut: float, ff: float) -> None:
    assert storage_of(declaration) == (0, lut, ff)


def test_beyond_1024_bits_it_is_a_block_ram() -> None:
    assert storage_of("int m[33]") == (1, 0, 0)
    assert storage_of("bool m[1025]") == (1, 0, 0)


def test_two_words_are_no_block_ram_however_wide() -> None:
    """After a partition into 8 of 16 words: 8 memories of 2 x 1024 bits, in LUTs."""
    assert storage_of("ap_uint<1024> m[16]", "#pragma HLS array_partition variable=m cyclic factor=8") == (
        0,
        8192,
        8192,
    )
    three = storage_of("ap_uint<1024> m[24]", "#pragma HLS array_partition variable=m cyclic factor=8")
    assert three == (8 * 29, 0, 0)  # 1024 / 36 = 28.4


@pytest.mark.parametrize(("count", "registers"), [(1, True), (3, True), (4, True), (5, False)])
def test_up_to_four_elements_become_registers(count: int, registers: bool) -> None:
    """config_array_partition -complete_threshold is 4 (UG1399): each bit is a flip-flop, with .3 LUT to choose it."""
    wanted = pytest.approx((0, 32 * count * 0.3, 32 * count) if registers else (0, 32, 32))
    assert storage_of(f"int m[{count}]") == wanted
    if registers:
        assert storage_of(f"int m[{count}][1]") == wanted


PARTITIONS = [
    # declaration, pragma, BRAM18: banks times one bank's shape
    ("int m[4096]", "cyclic factor=2", 2 * 4),
    ("int m[4096]", "block factor=4", 4 * 2),
    ("int m[4096]", "cyclic factor=8", 8),  # 512 words each
    ("int m[4096]", "type=cyclic factor=16", 16),  # 256 words, still a whole one
    ("int m[4096]", "type=block factor=3", 3 * 3),  # 1366 words: three 512 x 36
    ("int m[64][512]", "dim=1 cyclic factor=2", 2 * 32),  # 32 x 512 words: 16K x 1, 32 wide
    ("int m[64][512]", "dim=1 complete", 64),
    ("int m[64][512]", "complete dim=2", 512),  # 64 words of 32 bits: 2048 bits each
    ("int m[8][8][64]", "dim=3 complete", 64),
    ("int m[4096]", "cyclic factor=1", 8),  # no partition
    ("int m[4096]", "cyclic", 8),  # no factor given: nothing
    ("int m[4][2048]", "dim=1 block factor=8", 4 * 4),  # no more banks than there are elements along the dimension
]


@pytest.mark.parametrize(("declaration", "how", "bram"), PARTITIONS)
def test_partitions(declaration: str, how: str, bram: int) -> None:
    assert storage_of(declaration, f"#pragma HLS array_partition variable=m {how}")[0] == bram


def test_a_partition_into_small_banks_is_lutram() -> None:
    """128 words by 4 are 4 x 1024 bits: 4 times 32 LUTs."""
    assert storage_of("int m[128]", "#pragma HLS array_partition variable=m cyclic factor=4") == (0, 128, 128)
    assert storage_of("int m[132]", "#pragma HLS array_partition variable=m cyclic factor=4") == (4, 0, 0)


@pytest.mark.parametrize(
    ("declaration", "how"),
    [
        ("int m[64]", "complete"),
        ("int m[64]", ""),  # without a type it is complete
        ("int m[64]", "complete dim=1"),
        ("int m[64]", "complete dim=0"),
        ("int m[8][8]", "complete dim=0"),
        ("int m[64]", "type=complete"),
    ],
)
def test_complete_in_every_dimension_is_registers(declaration: str, how: str) -> None:
    found = storage_of(declaration, f"#pragma HLS array_partition variable=m {how}")
    assert found == pytest.approx((0, 2048 * 0.3, 2048))


def test_two_pragmas_for_two_dimensions() -> None:
    """4 x 2 banks of 1024 words; both complete: every element a register."""
    pragma = "#pragma HLS array_partition variable=m "
    assert storage_of("int m[4][2048]", f"{pragma}complete dim=1\n{pragma}cyclic factor=2 dim=2") == (4 * 2 * 2, 0, 0)
    assert storage_of("int m[4][16]", f"{pragma}complete dim=1\n{pragma}complete dim=2")[2] == 4 * 16 * 32


@pytest.mark.parametrize(
    ("declaration", "how", "bram"),
    [
        # A reshape makes words wider and fewer (UG1399): 512 words of 64 bits are two 512 x 36.
        ("int m[1024]", "cyclic factor=2", 2),
        ("int m[1024]", "cyclic factor=4", 4),  # 256 x 128 bits: four wide
        ("int m[1024]", "block factor=8", 8),  # 128 x 256 bits: 7.1, so eight wide
        ("int m[64][512]", "complete dim=1", 57),  # 512 x 2048 bits: 56.9
        ("char m[4096]", "cyclic factor=4", 2),  # 1024 x 32: 1K x 18, two wide
    ],
)
def test_reshapes(declaration: str, how: str, bram: int) -> None:
    assert storage_of(declaration, f"#pragma HLS array_reshape variable=m {how}")[0] == bram


def test_a_pragma_that_names_a_field_splits_the_array_of_structs() -> None:
    """4096 structs of 64 bits: 512 x 36, 8 deep and 2 wide; 128 banks of 32 words take 2 each."""
    assert storage_of("Pair m[4096]")[0] == 16
    for named in ("m.x", "m", "&m", "this->m", "m[0].x"):
        assert storage_of("Pair m[4096]", f"#pragma HLS array_partition variable={named} cyclic factor=128")[0] == 256
    assert storage_of("Pair m[4096]", "#pragma HLS array_partition variable=p cyclic factor=128")[0] == 16


def test_reshaped_and_partitioned() -> None:
    """4096 words in 2 banks, each word of 2 elements: 2 x (1024 x 64 bits) = 2 x 4."""
    both = "#pragma HLS array_partition variable=m block factor=2\n#pragma HLS array_reshape variable=m cyclic factor=2"
    assert storage_of("int m[4096]", both) == (8, 0, 0)


@pytest.mark.parametrize(
    "pragma",
    [
        "#pragma HLS bind_storage variable=m type=ram_2p impl=lutram",
        "#pragma HLS bind_storage variable=m type=ram_2p impl=LUTRAM",
        "#pragma HLS resource variable=m core=RAM_1P_LUTRAM",
        "#pragma HLS bind_storage variable=m type=fifo impl=srl",
    ],
)
def test_bound_to_luts(pragma: str) -> None:
    """1000 words of 32 bits: 16 LUTs a bit (1000 / 64 = 15.6)."""
    assert storage_of("int m[1000]", pragma) == (0, 32 * 16, 32)


def test_bound_to_a_block_ram() -> None:
    assert storage_of("int m[16]", "#pragma HLS bind_storage variable=m type=ram_2p impl=bram")[0] == 1


def test_bound_to_ultraram() -> None:
    assert storage_of("int m[16384]", "#pragma HLS bind_storage variable=m type=ram_2p impl=uram")[0] == 0


@pytest.mark.parametrize(
    ("declaration", "pragmas", "blocks"),
    [
        # 4096 words of 72 bits a block (UG573)
        ("ap_uint<72> m[4096]", "type=ram_2p impl=uram", 1),
        ("ap_uint<73> m[4096]", "type=ram_2p impl=uram", 2),
        ("ap_uint<72> m[4097]", "type=ram_2p impl=uram", 2),
        ("int m[100]", "type=ram_1p impl=URAM", 1),
        ("ap_uint<512> m[16384]", "impl=uram", 8 * 4),
        ("int m[16384]", "type=ram_2p impl=bram", 0),
    ],
)
def test_ultraram_blocks(declaration: str, pragmas: str, blocks: int) -> None:
    found = with_array(declaration, f"#pragma HLS bind_storage variable=m {pragmas}")
    assert found.uram == blocks
    assert (found.bram_18k == 0) == (blocks > 0)


def test_ultraram_of_banks_and_cores() -> None:
    split = "#pragma HLS array_partition variable=m cyclic factor=4\n"
    assert with_array("long m[8192]", split + "#pragma HLS bind_storage variable=m type=ram_s2p impl=uram").uram == 4
    assert with_array("long m[8192]", "#pragma HLS resource variable=m core=XPM_MEMORY uram").uram == 0
    assert with_array("long m[8192]", "#pragma HLS resource variable=m core=RAM_2P_URAM").uram == 2


def test_a_stream_is_a_short_fifo() -> None:
    """20 LUTs and one a bit, 99 FF as in reports; an array with STREAM is one too."""
    assert storage_of("hls::stream<int> m") == (0, 20 + 32, 99)
    assert storage_of("hls::stream<ap_uint<512>> m") == (0, 20 + 512, 99)
    assert storage_of("int m[1024]", "#pragma HLS stream variable=m depth=4") == (0, 52, 99)


@pytest.mark.parametrize(
    ("declaration", "depth", "bram", "uram"),
    [
        ("hls::stream<int> m", 65536, 128, 16),  # 128 times 512 x 36, 16 times 4096 x 72
        ("hls::stream<int> m", 512, 1, 1),
        ("hls::stream<int> m", 0, 1, 1),  # two elements, where nobody says more
        ("hls::stream<int> m[4]", 1024, 4 * 2, 4),
        ("int m[65536]", 512, 1, 1),  # an array that streams keeps what its FIFO holds
    ],
)
def test_streams_in_block_ram_hold_their_depth(declaration: str, depth: int, bram: float, uram: float) -> None:
    said = f"#pragma HLS stream variable=m depth={depth}\n" if depth else ""
    found = with_array(declaration, f"{said}#pragma HLS bind_storage variable=m type=fifo impl=bram")
    assert (found.bram_18k, found.uram) == (bram, 0)
    found = with_array(declaration, f"{said}#pragma HLS bind_storage variable=m type=fifo impl=uram")
    assert (found.bram_18k, found.uram) == (0, uram)


@pytest.mark.parametrize(("impl", "blocks"), [("uram_ecc", (0, 4)), ("URAM_ECC", (0, 4)), ("bram_ecc", (32, 0))])
def test_memories_with_error_correction(impl: str, blocks: tuple[float, float]) -> None:
    """16384 x 32 bits: 4 blocks of 4096 x 72, or 32 times 512 x 36."""
    found = with_array("int m[16384]", f"#pragma HLS bind_storage variable=m type=ram_2p impl={impl}")
    assert (found.uram, found.bram_18k) == (blocks[1], blocks[0])


def test_which_arrays_count() -> None:
    """Arguments lie outside; arrays of the file that the design names are memories of it, and no others."""
    code = "int table[1024];\nvoid top(int p[1024], int q[1024]) {{ for (int i = 0; i < 1024; i++) {} }}"
    assert closed(code.format("p[i] = q[i];")).bram_18k == 0
    assert closed(code.format("{ table[i] = q[i]; p[i] = table[i] ^ 1; }")).bram_18k == 2
    alone = closed("void top(int p[1024], int q[1024]) { for (int i = 0; i < 1024; i++) p[i] = q[i]; }")
    assert alone.bram_18k == 0


def test_a_table_is_a_rom() -> None:
    """1024 words of 32 bits, read at an index known at run time only: two block RAMs."""
    values = ", ".join(str(i * i % 977) for i in range(1024))
    loop = "for (int i = 0; i < 64; i++) p[i] = table[q[i]];"
    loop = "for (int i = 0; i < 64; i++) p[i] = table[q[i]];"
    code = f"const int table[1024] = {{{values}}};\nvoid top(int p[64], int q[64]) {{ {loop} }}"
    assert closed(code).bram_18k == 2


def test_arrays_of_a_called_function_count_once() -> None:
    """Two calls one after another are one instance, with one memory."""
    code = """
void f(int p[64]) {
  int m[1024];
  A: for (int i = 0; i < 64; i++) { m[p[i] & 1023] = i; }
  B: for (int i = 0; i < 64; i++) { p[i] = m[p[i] & 1023]; }
}
void top(int p[64], int q[64]) { f(p); f(q); }
"""
    assert closed(code, version="2021.2").bram_18k == 2


AUTOMATIC = """
void top(float p[256], float q[256]) {
  float m[1024];
  W: for (int i = 0; i < 1024; i++) {
#pragma HLS pipeline
    m[i] = p[i & 255];
  }
  R: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
    q[i] = m[8 * i] + m[8 * i + 1] + m[8 * i + 2] + m[8 * i + 3] + m[8 * i + 4] + m[8 * i + 5] + m[8 * i + 6];
  }
}
"""


@pytest.mark.parametrize(("version", "bram", "ii"), [("2021.2", 2, 4), ("2022.1", 4, 1), ("2023.2", 4, 1)])
def test_from_2022_local_arrays_are_split_until_the_ports_do(version: str, bram: int, ii: int) -> None:
    """config_array_partition -throughput_driven auto: 7 loads on 2 ports need ceil(7 / 2) = 4 banks of 256 words."""
    found = closed(AUTOMATIC, version=version)
    assert found.bram_18k == bram
    assert {loop.loop.name: loop.ii for loop in found.top.loops}["R"] == ii


@pytest.mark.parametrize(("declaration", "ii"), [("static float m[1024];", 1), ("const float m[1024] = {1.0f};", 4)])
def test_written_globals_are_split_like_local_arrays_and_tables_are_not(declaration: str, ii: int) -> None:
    store = "m[i] = p[i & 255];" if "static" in declaration else "q[i & 255] = p[i & 255];"
    code = AUTOMATIC.replace("  float m[1024];", "").replace("m[i] = p[i & 255];", store)
    found = closed(f"{declaration}\n{code}")
    assert {loop.loop.name: loop.ii for loop in found.top.loops}["R"] == ii


def test_a_stated_partition_is_left_alone() -> None:
    """Who partitions by hand gets that: 2 banks, 4 of the 7 loads on the even one: II 2."""
    by_hand = AUTOMATIC.replace(
        "float m[1024];", "float m[1024];\n#pragma HLS array_partition variable=m cyclic factor=2"
    )
    found = closed(by_hand)
    assert found.bram_18k == 2
    assert {loop.loop.name: loop.ii for loop in found.top.loops}["R"] == 2


BUSES = """
void fill(int *d, int n) {{ for (int i = 0; i < n; i++) d[i] = i; }}
int sum(const int *d, int n) {{ int s = 0; for (int i = 0; i < n; i++) s += d[i]; return s; }}
void both(int *d, int n) {{ fill(d, n); for (int i = 0; i < n; i++) d[i] = d[i] + 1; }}
void top(int *p, int *q) {{
#pragma HLS interface m_axi port=p bundle=one
  int m[64];
  {body}
}}"""


@pytest.mark.parametrize(
    ("body", "directions"),
    [
        ("*q = p[3];", 1),
        ("p[3] = *q;", 1),
        ("p[3] = p[2];", 2),
        ("fill(p, 64);", 1),
        ("fill(&p[8], 64);", 1),
        ("*q = sum(p, 64);", 1),
        ("fill(p, 64); *q = sum(p, 64);", 2),
        ("both(p, 64);", 2),
        ("memcpy(m, p, 256); *q = m[3];", 1),
        ("m[3] = *q; memcpy(p, m, 256);", 1),
        ("memcpy(m, p, 256); m[3] = 1; memcpy(p, m, 256);", 2),
        ("memset(p, 0, 256); *q = p[3];", 2),
    ],
)
def test_buffers_of_a_bus_are_for_the_directions_it_is_used_in(body: str, directions: int) -> None:
    """Two block RAMs of 36 bits each way for 32 bits of data, wherever the access is made."""
    assert memories(closed(BUSES.format(body=body)))["p"][0] == 2 * directions
