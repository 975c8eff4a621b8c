"""Area of loops and functions: sharing of cores, state, control and multiplexers, each design added up by hand.

A csynth report counts each LUT of logic and lists control and multiplexers entry by entry (`test_logic`). After place
and route a LUT of logic counts .3, of control 1.5, of multiplexers .5. Registers count whole, of control's .5 (.6
placed). Around each core stand 13 / clock (9 / clock placed) FFs a bit of its width, 6 at most. A loop's control: 10 +
3 log2(trips + 2) + 2 depth LUTs, 8 + 2 log2(trips + 2) + 1.5 depth FFs (depth counts to 60); a function's: 12 and 6.
Each access has 4 LUTs of address.
"""

from __future__ import annotations

from math import log2
from typing import Any

import pytest
from tests.qor.pins.kit import OFF, closed, cores, loops

from hwml_sdk.qor.closed_form.estimate import Estimate

ON = "#pragma HLS pipeline"


def square(pragma: str, **settings: Any) -> Estimate:
    """b[i] = a[i]^2 + 3. At 3.33 ns: load 2, product 2 (48 LUT, 165 FF, 3 DSP), adder .44 (32 LUT), store at 5."""
    code = f"""
void top(int a[64], int b[64]) {{
  L: for (int i = 0; i < 64; i++) {{
{pragma}
    b[i] = a[i] * a[i] + 3;
  }}
}}
"""
    return closed(code, **settings)


def test_a_pipelined_loop_added_up() -> None:
    """Depth 5: load in two states, product in two, sum and store. Reports list what waits from state to state.

    The product begins a state after its operand came, which waits in 32 bits; the sum and the store follow it at once.
    The counter to 64 has 7 bits. As the address of the store it waits longer than two states: a register and a shift
    register of 64. One state, 4 stages behind the first, 3 exits, a done bit; the function is the pipeline itself.

    LUTs beside sum and product: the counter of 7 bits (sum 14, comparison 14), `i_fu`, `ap_sig_allocacmp_i`,
    `ap_done_int`, `ap_enable_reg_pp0_iter1` 9 each, `ap_enable_pp0` 2, its start 2, the shift register 32.
    """
    found = square(ON)
    control_lut, control_ff = 10 + 3 * log2(66) + 2 * 5 + 12, 8 + 2 * log2(66) + 1.5 * 5 + 6
    registers = 64 * 5 * 0.15 + 32 * 0.5
    assert loops(found)["L"].depth == 5
    assert found.lut == pytest.approx(39 + 48 + 2 * 14 + 4 * 9 + 2 + 2 + 32)
    waiting = 32 + (7 + 64)
    assert found.ff == pytest.approx(waiting + 7 + 1 + 4 + 3 + 1 + 165)
    placed = square(ON, stage="impl")
    assert placed.lut == pytest.approx(0.3 * 32 + 1.5 * control_lut + 0.5 * (2 * 4) + 48)
    assert placed.ff == pytest.approx(registers + 0.6 * control_ff + 165 + 9 / 3.33 * 32)


def test_a_plain_loop_added_up() -> None:
    """Depth 5; what was loaded waits in 32 bits, the address of the store in 7; counter, next value and states.

    LUTs: the counter of 7 bits (14 and 14) and `i_fu`; 5 of `ap_NS_fsm` a state of the loop, and one of two states.
    """
    found = square(OFF)
    assert loops(found)["L"].depth == 5
    assert found.lut == pytest.approx(39 + 48 + 2 * 14 + 9 + 5 * 5 + 14)
    assert found.ff == pytest.approx(32 + 7 + 2 * 7 + 5 + 2 + 165)


def test_a_function_without_loops_added_up() -> None:
    """The 32 bits loaded wait for the product; 5 states, an `ap_NS_fsm` of 6 inputs."""
    found = closed("void top(int a[4], int b[4]) { b[0] = a[0] * a[0] + 3; }")
    assert found.lut == pytest.approx(39 + 31 + 48)
    assert found.ff == pytest.approx(32 + 5 + 165)


def test_merlin_counts_its_own_way() -> None:
    """Its reports count everything once and hold no registers around cores; banks follow the copies it makes."""
    code = """
void top(int a[64], int b[64]) {
#pragma ACCEL pipeline off
  for (int i = 0; i < 64; i++) b[i] = a[i] ^ 5;
}
"""
    found = closed(code, tool="merlin", version="2020.2", clock=4.0)
    area = found.area
    memory = [sum(getattr(item, name) for item in found.top.memory.values()) for name in ("lut", "ff")]
    assert not area.shared
    assert found.lut - memory[0] == pytest.approx(area.plain_lut + area.control_lut + area.mux_lut)
    assert found.ff - memory[1] == pytest.approx(area.registers + area.control_ff)


def test_merlin_counts_a_core_bare() -> None:
    """A float division: 761 LUT and 320 FF, nothing around it whatever the clock."""
    code = "void top(float a[4], float b[4]) { b[0] = a[0] / a[1]; }"
    found = closed(code, tool="merlin", version="2020.2", clock=4.0)
    area = found.area
    memory = [sum(getattr(item, name) for item in found.top.memory.values()) for name in ("lut", "ff")]
    assert cores(found) == {"div float32": 1}
    assert found.lut - memory[0] - area.plain_lut - area.control_lut - area.mux_lut == pytest.approx(761)
    assert found.ff - memory[1] - area.registers - area.control_ff == pytest.approx(320)


@pytest.mark.parametrize(("clock", "bits"), [(10.0, 0.9), (5.0, 1.8), (2.5, 3.6), (1.5, 6.0), (1.0, 6.0)])
def test_registers_around_a_core_by_clock(clock: float, bits: float) -> None:
    """Place and route: 9 / clock, but 6 at most: the second core of two in one cycle shares nothing of it."""

    def built(count: int) -> Estimate:
        terms = " ".join(f"c[{k}] = a[{k}] / b[{k}];" for k in range(count))
        code = f"""
void top(short a[4], short b[4], short c[4]) {{
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
#pragma HLS array_partition variable=c complete
{terms}
}}
"""
        return closed(code, clock=clock, stage="impl")

    # A 16-bit divider: 12 FF and 7.5 LUT a bit; its result and two operands: .3 and 2 * .5 a bit; three addresses.
    assert built(3).ff - built(2).ff == pytest.approx(16 * (12 + bits + 0.3 + 1.0))
    assert built(3).lut - built(2).lut == pytest.approx(16 * 7.5 + 0.5 * 3 * 4)


def products(count: int, pragma: str, loads: str = "complete", op: str = "*", **settings: Any) -> Estimate:
    """A loop with `count` independent products of 32 bits an iteration."""
    body = "\n".join(f"    b[{count} * i + {k}] = a[{count} * i + {k}] {op} x;" for k in range(count))
    split = f"#pragma HLS array_partition variable=a {loads}\n#pragma HLS array_partition variable=b {loads}"
    code = f"""
void top(int a[{8 * count}], int b[{8 * count}], int x) {{
{split if loads else ""}
  L: for (int i = 0; i < 8; i++) {{
{pragma}
{body}
  }}
}}
"""
    return closed(code, **settings)


@pytest.mark.parametrize(
    ("ii", "multipliers"), [(1, 8), (2, 4), (3, 3), (4, 2), (5, 2), (7, 2), (8, 1), (12, 1)]
)  # fmt: skip
def test_cores_are_shared_over_the_ii(ii: int, multipliers: int) -> None:
    """8 products in II cycles: ceil(8 / II) multipliers of 3 DSP (a core takes a new pair each cycle)."""
    found = products(8, f"{ON} II={ii}")
    assert loops(found)["L"].ii == ii
    assert cores(found) == {"mul int32": multipliers}
    assert found.dsp == 3 * multipliers


def test_what_ports_make_wait_is_shared_too() -> None:
    """8 loads of a on 2 ports: 4 cycles an iteration; 8 / 4 products at once, pipelined or not."""
    assert products(8, ON, "").dsp == 3 * 2
    assert products(8, OFF, "").dsp == 3 * 2
    assert products(8, OFF).dsp == 3 * 8
    assert products(8, OFF, "cyclic factor=2").dsp == 3 * 4
    assert products(7, OFF, "cyclic factor=3").dsp == 3 * 4  # bank 0 has 3 of 7: 2 cycles, ceil(7 / 2)


def test_adders_of_integers_are_not_shared() -> None:
    """A carry chain is smaller than the multiplexers in front of a shared one.

    The subscripts `8 * i + k` of both arrays take none: k fits in the three low bits that the shift leaves at zero.
    """
    one, two = products(8, f"{ON} II=1", op="+"), products(8, f"{ON} II=2", op="+")
    assert one.area.plain_lut == two.area.plain_lut == 8 * 39


def test_in_a_straight_function() -> None:
    """8 products whose operands come at 2 a cycle need 2 multipliers, pipelined or not; all at once, 8."""
    body = " ".join(f"b[{k}] = a[{k}] * x;" for k in range(8))
    code = f"void top(int a[8], int b[8], int x) {{\n{{}}\n{body} }}"
    split = "#pragma HLS array_partition variable=a complete\n#pragma HLS array_partition variable=b complete"
    assert closed(code.replace("{}", "")).dsp == 3 * 2
    assert closed(code.replace("{}", split)).dsp == 3 * 8
    assert closed(code.replace("{}", "#pragma HLS pipeline")).dsp == 3 * 2
    assert closed(code.replace("{}", f"#pragma HLS pipeline\n{split}")).dsp == 3 * 8
    assert closed(code.replace("{}", f"#pragma HLS pipeline II=3\n{split}")).dsp == 3 * 3  # ceil(8 / 3)


TWO = """
void top(int a[64], int b[64], int c[64]) {{
{}
  A: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    b[i] = a[i] * a[i] * a[i];
  }}
  B: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    c[i] = {};
  }}
}}
"""


def test_loops_one_after_another_use_the_same_cores() -> None:
    """Two products and three: three multipliers; as processes of a dataflow region, which run at once, five."""
    after = closed(TWO.format("", "b[i] * b[i] * b[i] * b[i + 1]"))
    assert cores(after) == {"mul int32": 3}
    beside = closed(TWO.format("#pragma HLS dataflow", "b[i] * b[i] * b[i] * b[i + 1]"))
    assert cores(beside) == {"mul int32": 5}
    # Told to the correction as well: what it would be if nothing were shared.
    assert [sum(found.unshared.shared.values()) for found in (after, beside)] == [5, 5]
    assert after.unshared.control_lut == after.area.control_lut
    assert beside.unshared.plain_lut == beside.area.plain_lut
    # Logic, control and multiplexers of both are there in either case; dataflow adds 20 LUT and 10 FF a process.
    assert beside.area.plain_lut == after.area.plain_lut
    assert beside.area.control_lut - after.area.control_lut == pytest.approx(2 * 20 - 12)
    assert beside.area.control_ff - after.area.control_ff == pytest.approx(2 * 10 - 6)


def test_control_grows_to_a_depth_of_60() -> None:
    """Chains of double divisions, 30 cycles each: at 31 * 1 + ... states the 60 are reached with the second."""

    def control(count: int) -> tuple[float, float, float]:
        quotient = "a[i]" + " / x" * count
        code = f"""
void top(double a[64], double b[64], double x) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    b[i] = {quotient};
  }}
}}
"""
        found = closed(code)
        return loops(found)["L"].depth, found.area.control_lut, found.area.control_ff

    one, two, three = control(1), control(2), control(3)
    assert (one[0], two[0], three[0]) == (33, 63, 93)  # load 2, divisions, store 1
    assert two[1] - one[1] == pytest.approx(2 * (60 - 33))
    assert two[2] - one[2] == pytest.approx(1.5 * (60 - 33))
    assert three[1:] == two[1:]


def test_pipeline_registers_to_40_stages_and_4096_bits() -> None:
    """.15 FF a bit that is alive and a stage; deep pipelines keep values in memories of LUTs."""

    def registers(body: str, kind: str = "double") -> float:
        code = f"""
#include <ap_int.h>
void top({kind} a[64], {kind} b[64], {kind} x) {{
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    b[i] = {body};
  }}
}}
"""
        return closed(code).area.registers

    assert registers("a[i] / x") == pytest.approx(64 * 33 * 0.15 + 32)
    assert registers("a[i] / x / x") == pytest.approx(128 * 40 * 0.15 + 32)  # depth 63
    # 3 stages (a division of 1024 bits takes 1027): 5 * 1024 bits are cut to 4096.
    wide = registers("(((a[i] ^ x) & a[i]) | x) ^ a[i] ^ (x & 255)", "ap_uint<1024>")
    assert wide == pytest.approx(4096 * 3 * 0.15 + 512)


@pytest.mark.parametrize(("trips", "pragma"), [(2, ON), (7, ON), (1000, ON), (30, OFF)])
def test_a_counter_has_the_bits_it_counts(trips: int, pragma: str) -> None:
    code = f"""
void top(int a[1024], int b[1024]) {{
  L: for (int i = 0; i < {trips}; i++) {{
{pragma}
    b[i] = a[i] ^ 1;
  }}
}}
"""
    found = closed(code)
    depth = loops(found)["L"].depth
    assert found.area.control_lut == pytest.approx(10 + 3 * log2(trips + 2) + 2 * depth + 12)
    assert found.area.control_ff == pytest.approx(8 + 2 * log2(trips + 2) + 1.5 * depth + 6)


def chosen(declaration: str, pragma: str, access: str) -> float:
    """LUTs of multiplexers (as built) of a loop that reads or writes m by an index known at run time."""
    statement = access if "=" in access else f"q[i] = {access}"
    code = f"""
#include <ap_int.h>
void top(int q[64], unsigned short x[64]) {{
  {declaration};
{pragma}
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline II=8
    {statement};
  }}
}}
"""
    return closed(code, version="2021.2").area.mux_lut


def test_registers_are_chosen_by_a_multiplexer() -> None:
    """.2 LUT a bit and element, to 64 elements, of a 32-bit array in registers; none where the index is a constant."""
    complete = "#pragma HLS array_partition variable=m complete"
    index = "m[x[i]]"
    base = 3 * 4.0  # q, x and m: the address of each
    assert chosen("int m[16]", complete, index) == pytest.approx(base + 32 * 16 * 0.2)
    assert chosen("int m[64]", complete, index) == pytest.approx(base + 32 * 64 * 0.2)
    assert chosen("int m[128]", complete, index) == pytest.approx(base + 32 * 64 * 0.2)
    assert chosen("ap_uint<8> m[16]", complete, index) == pytest.approx(base + 8 * 16 * 0.2)
    assert chosen("int m[16]", complete, "m[i]") == pytest.approx(2 * 4 + 32 * 16 * 0.2)
    assert chosen("int m[16]", complete, "m[3]") == pytest.approx(2 * 4)
    assert chosen("int m[16]", complete, "m[x[i]] ^ m[3] ^ m[5]") == pytest.approx(base + 2 * 4 + 32 * 16 * 0.2)


def test_more_accesses_than_ports_share_them() -> None:
    """Every access beyond the two ports: .3 LUT a bit of data in front of a port, beside the 4 of each address."""
    two, three, five = (
        "m[i] ^ m[i + 1]",
        "m[i] ^ m[i + 1] ^ m[i + 2]",
        "m[i] ^ m[i + 1] ^ m[i + 2] ^ m[i + 3] ^ m[i + 4]",
    )
    assert chosen("int m[512]", "", two) == pytest.approx(3 * 4)
    assert chosen("int m[512]", "", three) == pytest.approx(4 * 4 + 32 * 0.3)
    assert chosen("int m[512]", "", five) == pytest.approx(6 * 4 + 3 * 32 * 0.3)
    assert chosen("short m[512]", "", five) == pytest.approx(6 * 4 + 3 * 16 * 0.3)


def test_banks_are_chosen_by_a_multiplexer() -> None:
    """mux_42_32 of reports takes 20 LUTs, mux_83_32 43: .17 a bit and bank; writes need 4 LUTs of enable a bank."""

    def split(how: str) -> str:
        return f"#pragma HLS array_partition variable=m {how}"

    base = 3 * 4.0
    assert chosen("int m[512]", split("cyclic factor=4"), "m[x[i]]") == pytest.approx(base + 32 * 4 * 0.17)  # 21.8
    assert chosen("int m[512]", split("cyclic factor=8"), "m[x[i]]") == pytest.approx(base + 32 * 8 * 0.17)  # 43.5
    assert chosen("int m[512]", split("block factor=8"), "m[x[i]]") == pytest.approx(base + 32 * 8 * 0.17)
    assert chosen("int m[1024]", split("cyclic factor=128"), "m[x[i]]") == pytest.approx(base + 32 * 64 * 0.17)
    assert chosen("int m[512]", split("cyclic factor=4"), "m[x[i]] = i") == pytest.approx(2 * 4 + 4 * 4)
    # The index moves by 4 each iteration: always the same one of 4 banks; one of 3 it is not, nor in a block.
    assert chosen("int m[512]", split("cyclic factor=4"), "m[4 * i + 1]") == pytest.approx(2 * 4)
    assert chosen("int m[512]", split("cyclic factor=4"), "m[8 * i]") == pytest.approx(2 * 4)
    assert chosen("int m[512]", split("cyclic factor=4"), "m[2 * i]") == pytest.approx(2 * 4 + 32 * 4 * 0.17)
    assert chosen("int m[512]", split("block factor=4"), "m[4 * i]") == pytest.approx(2 * 4 + 32 * 4 * 0.17)
    assert chosen("int m[512]", split("cyclic factor=4"), "m[5]") == pytest.approx(2 * 4)
    # Two dimensions, both split, only one of them unknown.
    two = split("cyclic factor=2 dim=1") + "\n" + split("cyclic factor=4 dim=2")
    assert chosen("int m[64][64]", two, "m[x[i]][3]") == pytest.approx(base + 32 * 2 * 0.17)
    assert chosen("int m[64][64]", two, "m[3][x[i]]") == pytest.approx(base + 32 * 4 * 0.17)
    assert chosen("int m[64][64]", two, "m[x[i]][x[i]]") == pytest.approx(base + 32 * 8 * 0.17)


def test_an_element_of_a_reshaped_word_is_shifted_out_of_it() -> None:
    """A barrel shifter of w bits: .45 w log2(w); 2 elements of 32 bits: 64 * 6 * .45."""

    def split(factor: int) -> str:
        return f"#pragma HLS array_reshape variable=m cyclic factor={factor}"

    base = 3 * 4.0
    assert chosen("int m[512]", split(2), "m[x[i]]") == pytest.approx(base + 64 * 6 * 0.45)
    assert chosen("int m[512]", split(8), "m[x[i]]") == pytest.approx(base + 256 * 8 * 0.45)
    assert chosen("int m[512]", split(2), "m[x[i]] = i") == pytest.approx(2 * 4 + 64 * 6 * 0.45)
    assert chosen("int m[512]", split(4), "m[4 * i]") == pytest.approx(2 * 4)
    banks = "#pragma HLS array_partition variable=m block factor=2\n" + split(2)
    assert chosen("int m[512]", banks, "m[x[i]]") == pytest.approx(base + 64 * 6 * 0.45 + 64 * 2 * 0.17)


def test_an_if_selects_what_it_writes() -> None:
    """Both arms are built; a selector of w bits takes w LUTs, a comparison of w bits w + 7 (csynth reports)."""
    test, choice = 32 + 7, 32
    code = """
void top(int a[4], int b[4], int *c) {{
#pragma HLS array_partition variable=a complete
  int x = a[0], y = a[1], z = a[2];
  int t = x ^ y;
  {}
  *c = t;
}}
"""
    plain = closed(code.format("")).area.plain_lut
    assert closed(code.format("if (x < y) t = z;")).area.plain_lut - plain == pytest.approx(test + choice)
    assert closed(code.format("t = x == y ? z : t;")).area.plain_lut - plain == pytest.approx(test + choice)
    both = "if (x < y) t = z & y; else t = z | y;"
    assert closed(code.format(both)).area.plain_lut - plain == pytest.approx(test + 2 * 32 + choice)
    # min and max: a comparison and a selector
    assert closed(code.format("t = min(t, z);")).area.plain_lut - plain == pytest.approx(test + choice)


def test_functions_called_in_copies_are_copied() -> None:
    """A callee with a loop inside an unrolled loop of 4: four instances, four times all that it takes."""
    code = """
void f(int p[64], int x) { A: for (int i = 0; i < 64; i++) { p[i] = p[i] * x; } }
void top(int a[4][64], int x) {
#pragma HLS array_partition variable=a complete dim=1
  U: for (int k = 0; k < 4; k++) {
#pragma HLS unroll
    f(a[k], x);
  }
}
"""
    four = closed(code)
    assert four.dsp == 3 * 4
    assert closed(code.replace("#pragma HLS unroll", OFF)).dsp == 3
    alone = closed("void top(int p[64], int x) { A: for (int i = 0; i < 64; i++) { p[i] = p[i] * x; } }")
    # A function's own control stands once more for each instance, and once for the caller.
    assert four.area.control_lut == pytest.approx(4 * alone.area.control_lut + 12)
    assert four.area.control_ff == pytest.approx(4 * alone.area.control_ff + 6)
    assert four.area.registers >= 4 * alone.area.registers
    assert four.area.mux_lut >= 4 * alone.area.mux_lut


def test_handing_over_a_row_loads_nothing() -> None:
    code = """
void f(int p[64], int x) { A: for (int i = 0; i < 64; i++) { p[i] = p[i] * x; } }
void top(int a[4][64], int b[64], int x) { f(%s, x); }
"""
    assert closed(code % "a[2]").area.registers == closed(code % "b").area.registers


def test_small_products_of_copies_are_logic_of_each() -> None:
    """4 x 4 bits are LUTs (.9 * 16): not shared; four instances, four times."""
    code = """
#include <ap_int.h>
void f(ap_int<4> p[64], ap_int<4> x) { A: for (int i = 0; i < 64; i++) { p[i] = p[i] * x; } }
void top(ap_int<4> a[4][64], ap_int<4> x) {
#pragma HLS array_partition variable=a dim=1 complete
  U: for (int k = 0; k < 4; k++) {
#pragma HLS unroll
    f(a[k], x);
  }
}
"""
    four = closed(code)
    assert four.dsp == 0
    assert four.area.plain_lut == pytest.approx(4 * 14.4)


def test_what_nothing_shared_would_take() -> None:
    """Beside the area as built stands the one without sharing between loops and calls: logic and state are the same."""
    for found in (square(ON), square(OFF), closed("void top(int a[4], int b[4]) { b[0] = a[0] * a[0] + 3; }")):
        assert found.unshared == found.area
    nested = closed(
        """
void f(int p[80]) { A: for (int i = 0; i < 80; i++) { p[i] = p[i] * p[i]; } }
void top(int p[80], int q[80], int n) {
  O: for (int k = 0; k < 8; k++) {
    p[k] = q[k] * q[k + 1];
    I: for (int i = 0; i < 80; i++) { q[i] = p[i] * n; }
    J: for (int i = 0; i < 80; i++) { q[i] = q[i] * p[i]; }
  }
  f(p);
}
""",
        version="2022.1",
    )
    # As built one multiplier serves O, I, J and f; else each has its own. The body of O has three in its region.
    assert cores(nested) == {"mul int32": 1}
    assert sum(nested.unshared.shared.values()) == 4
    for name in ("plain_lut", "registers", "control_lut", "control_ff", "mux_lut"):
        assert getattr(nested.unshared, name) == pytest.approx(getattr(nested.area, name)), name


@pytest.mark.parametrize(
    ("body", "products"),
    [
        # Each copy finds what the one before it left behind.
        ("y[n] = prev * k; prev = x[n];", 4),
        ("int t = prev; prev = x[n]; y[n] = t * k + x[n];", 4),
        ("y[n] = tap[1] * k; tap[1] = tap[0]; tap[0] = x[n];", 4),
        ("tap[1] = tap[0]; tap[0] = x[n]; y[n] = tap[1] * k;", 4),
        ("for (int i = 7; i > 0; i--) tap[i] = tap[i - 1]; tap[0] = x[n];"
         " int s = 0; for (int i = 0; i < 8; i++) s += tap[i] * k; y[n] = s;", 4 * 8),
        # What no copy changes is the same in all of them.
        ("y[n] = tap[3] * k + x[n];", 1),
    ],
)  # fmt: skip
def test_copies_hand_on_what_they_change(body: str, products: int) -> None:
    """A loop unrolled by 4 at II 1 has the multipliers of 4 rounds: 3 DSP for each product of 32 bits."""
    found = closed(
        """
void top(int x[1024], int y[1024], int k) {
  int prev = 0, tap[8];
#pragma HLS array_partition variable=tap complete
#pragma HLS array_partition variable=x cyclic factor=8
#pragma HLS array_partition variable=y cyclic factor=8
  N: for (int n = 0; n < 1024; n++) {
#pragma HLS pipeline II=1
#pragma HLS unroll factor=4
    """
        + body
        + "\n  }\n}\n"
    )
    assert found.dsp == 3 * products
