"""Kinds of loops that loop tables of real projects showed otherwise than the closed form: each with its derivation."""

from __future__ import annotations

import pytest

from .kit import closed, iis, loops

VIVADO: dict[str, object] = {"tool": "vivado_hls", "version": "2019.2", "clock": 10.0}

ROWS = """
void top(int in[480], int out[480], int p[480], int q[480]) {{
  int v[33][480];
#pragma HLS ARRAY_PARTITION variable=v dim=1 {split}
  L: for (int y = 0; y < 479; y++) {{
#pragma HLS PIPELINE
    int a = v[p[y]][y];
    int b = v[q[y]][y{ahead}];
    v[q[y]][y] = a + in[y];
    out[y] = a + b;
  }}
}}"""


@pytest.mark.parametrize(
    ("split", "ahead", "right"),
    [
        # Which row is data's to say: every row is read at column y, once for both loads, and one of them is written.
        ("complete", "", 1),
        # Two columns of every row and a store: three accesses on two ports.
        ("complete", " + 1", 2),
        # Where rows share banks a bank has one address a port: three accesses.
        ("cyclic factor=4", "", 2),
    ],
)
def test_rows_that_data_names(split: str, ahead: str, right: int) -> None:
    assert iis(closed(ROWS.format(split=split, ahead=ahead), **VIVADO)) == {"L": right}  # type: ignore[arg-type]


BANKS = """
void top(int out[50], int n) {{
  int w[200];
#pragma HLS ARRAY_PARTITION variable=w {kind} factor={factor}
  L: for (int i = 0; i < 50; i++) {{
#pragma HLS PIPELINE
    w[4 * i] = w[n] + w[n + 1] + w[n + 7] + w[i] + w[i + 1];
  }}
  out[0] = w[n];
}}"""


@pytest.mark.parametrize(("kind", "factor", "registers"), [("cyclic", 200, True), ("block", 256, True),
                                                           ("cyclic", 100, False)])  # fmt: skip
def test_as_many_banks_as_elements_are_registers(kind: str, factor: int, registers: bool) -> None:
    """Registers have no ports: only the sums between a store and the next load are left, which fit in a cycle."""
    (found,) = iis(closed(BANKS.format(kind=kind, factor=factor), **VIVADO)).values()  # type: ignore[arg-type]
    assert found is not None
    assert (found == 1) == registers


@pytest.mark.parametrize(("interface", "right"), [("ap_memory", 4), ("bram", 4), ("m_axi", 8)])
def test_a_pointer_whose_port_is_a_memory(interface: str, right: int) -> None:
    """Eight bytes a round: on two ports four rounds, as in the loop table of a hash (2024.2); on a bus eight."""
    code = f"""
void top(const unsigned char *in, unsigned long out[16]) {{
#pragma HLS INTERFACE {interface} port=in depth=128
  L: for (int i = 0; i < 16; i++) {{
#pragma HLS PIPELINE
    unsigned long r = 0;
    for (int k = 0; k < 8; k++) r |= (unsigned long)in[8 * i + k] << (8 * k);
    out[i] = r;
  }}
}}"""
    assert iis(closed(code, clock=10.0)) == {"L": right}


WINDOW = """
void top(int a[270][480], int *o, int row, int col) {{
  int n = 0;
  O: for (int y = row; y < row + 50; y++) {{
#pragma HLS LOOP_TRIPCOUNT max=50
    L: for (int x = {start}; x < {end}; x++) {{
#pragma HLS LOOP_TRIPCOUNT max=50
#pragma HLS PIPELINE
      if (a[y][x] != 0) n++;
    }}
  }}
  *o = n;
}}"""


@pytest.mark.parametrize(
    ("start", "end", "flat"),
    [("col", "col + 50", True), ("col - 1", "49 + col", True), ("0", "col", False), ("col", "row", False)],
)
def test_a_window_that_starts_anywhere_is_one_loop(start: str, end: str, flat: bool) -> None:
    """Its rounds are constant, whatever `col` is; a bound that is data keeps the loops of Vivado HLS apart."""
    found = loops(closed(WINDOW.format(start=start, end=end), **VIVADO))  # type: ignore[arg-type]
    assert set(found) == ({"O+L"} if flat else {"O", "L"})
    assert found.get("O+L", found.get("O")) is not None
    if flat:
        assert found["O+L"].trips == 2500


CALLED = """
void scale(int *a, int n, int *out) {{
  S: for (int i = 0; i < n; i++) {{
#pragma HLS LOOP_TRIPCOUNT max=5
    out[i] = a[i] * 2;
  }}
}}
void top(int a[64], int out[64]) {{
  L: for (int i = 0; i < 10; i++) {{
#pragma HLS PIPELINE
    scale(a, {n}, out);
  }}
}}"""


@pytest.mark.parametrize(("n", "ii"), [("i + 1", None), ("4", 2)])
def test_a_pipeline_around_a_called_loop_with_a_variable_bound_is_refused(n: str, ii: int | None) -> None:
    """With four rounds it is unrolled: four loads and four stores, each on two ports."""
    assert loops(closed(CALLED.format(n=n), clock=10.0))["L"].ii == ii


HEADS = """
void top(int x[64], int w[256], int o) {{
  {before}
  L: for (int i = 0{first}; i < 32; i++{step}) {{
#pragma HLS PIPELINE
{unroll}
    w[j] = w[j] * 3 + x[i];
    {after}
  }}
}}"""


@pytest.mark.parametrize(("unroll", "right"), [("", 1), ("#pragma HLS UNROLL factor=8", 8)])
def test_a_second_counter_in_the_head(unroll: str, right: int) -> None:
    """It moves on as one in the body does: no element comes twice; eight loads and eight stores on two ports."""
    in_head = HEADS.format(before="", first=", j = o", step=", j++", after="", unroll=unroll)
    in_body = HEADS.format(before="int j = o;", first="", step="", after="j++;", unroll=unroll)
    assert iis(closed(in_head)) == iis(closed(in_body)) == {"L": right}


def test_a_second_counter_leaves_a_nest_perfect() -> None:
    """It is a function of the first one: loop tables of nests with two counters a head (2022.2) have one loop."""
    code = """
void top(int x[64], int w[2048]) {
  O: for (int i = 0, j = 0; i < 32; i++, j += 64)
    L: for (int k = 0; k < 64; k++)
      w[j + k] = x[k] + w[j + k];
}"""
    found = loops(closed(code))
    assert found["O+L"].trips == 2048
    assert found["O+L"].ii == 1


def test_a_second_counter_of_copies_starts_where_the_head_says() -> None:
    """Copies of the inner loop touch k, k + 8, k + 16 and k + 24: four loads and four stores on two ports."""
    code = """
void top(int x[64], int w[256]) {
#pragma HLS ARRAY_PARTITION variable=x complete
  L: for (int k = 0; k < 64; k++) {
#pragma HLS PIPELINE
    for (int i = 0, j = k; i < 4; i++, j += 8) w[j] = w[j] + x[i];
  }
}"""
    region = loops(closed(code))["L"].region
    assert iis(closed(code)) == {"L": 4}
    assert region is not None
    assert sum(access.copies for access in region.accesses if access.array.name == "w") == 8


STRUCTS = """
struct Big {{ unsigned top; unsigned d[32]; }};
void copy(Big {by}x, Big {by}w) {{
#pragma HLS INLINE off
  C: for (int i = 0; i < 32; i++) w{dot}d[i] = x{dot}d[i];
  w{dot}top = x{dot}top;
}}
void top(unsigned a[32], unsigned b[32]) {{
  Big x, w;
  I: for (int i = 0; i < 32; i++) x.d[i] = a[i];
  x.top = 0;
  copy({give}x, {give}w);
  O: for (int i = 0; i < 32; i++) b[i] = w.d[i];
}}"""


@pytest.mark.parametrize(("by", "dot", "give"), [("*", "->", "&"), ("&", ".", "")])
def test_arrays_of_a_struct_behind_a_pointer_are_memories(by: str, dot: str, give: str) -> None:
    """Address and data take a state each, and the store fits into the second: 2 states a round, as between arrays."""
    found = loops(closed(STRUCTS.format(by=by, dot=dot, give=give), **VIVADO))  # type: ignore[arg-type]
    assert [found[name].depth for name in "ICO"] == [2, 2, 2]


CARRY = """
#include <ap_int.h>
void top(ap_uint<64> x[32], ap_uint<64> w[64]) {{
  ap_uint<128> carry = {start};
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS PIPELINE
    carry += (ap_uint<128>)x[i];
    carry += (ap_uint<128>)w[i];
    w[i] = (ap_uint<64>)carry;
    carry >>= {by};
  }}
}}"""


@pytest.mark.parametrize(
    ("start", "by", "right"),
    [
        # What is carried has 64 bits: one adder of 66, as x and w are added first.
        ("0", 64, 1),
        # 127 bits are left: an adder as long as the type, more than a cycle.
        ("0", 1, 2),
    ],
)  # fmt: skip
def test_a_carry_that_is_shifted_out(start: str, by: int, right: int) -> None:
    settings: dict[str, object] = {**VIVADO, "clock": 3.0, "part": "xcvu095-ffva2104-2-e"}
    assert iis(closed(CARRY.format(start=start, by=by), **settings)) == {"L": right}  # type: ignore[arg-type]


EXITS = """
void top(int a[128], double d[128], int b[128], int n, int m[4]) {{
#pragma HLS ARRAY_PARTITION variable=m complete
  int i = 0{before};
  L: while ({test}) {{
#pragma HLS PIPELINE
#pragma HLS LOOP_TRIPCOUNT max=100
    b[i] = i;
    i++;{body}
  }}
}}"""


@pytest.mark.parametrize(
    ("before", "test", "body", "right"),
    [
        # UG1448, HLS 200-878: the test is made in the first II cycles. A load takes an address and a data state.
        ("", "a[i] != 0", "", 2), ("", "i < 100 && a[i] > n", "", 2),
        # Two loads, one after the other: the address of the second in the state of the first one's data.
        ("", "a[a[i]] != 0", "", 3),
        # Load 2, product of doubles 3 from its second state on, comparison 2.
        ("", "s > 0.5", " s = d[i] * d[i];", 6),
        # What is known at once holds nothing up: counters, registers, what the loop does not change.
        ("", "i < n", "", 1), ("", "i < m[2]", "", 1), ("", "i < a[3]", "", 1), ("", "!done", " done = i > n;", 1),
    ],
)  # fmt: skip
def test_the_test_that_ends_a_loop(before: str, test: str, body: str, right: int) -> None:
    before = ", done = 0" if "done" in test else before
    code = EXITS.format(before=before, test=test, body=body).replace("int i = 0;", "int i = 0; double s = 1;")
    found = loops(closed(code, clock=10.0))["L"]
    assert found.ii == right
