"""LUTs of control, ports and selection, entry by entry as tables of csynth reports list them.

Entries of multiplexers by inputs, whatever their width (2020.2 to 2024.1): 2 9, 3 14, 4 20, 5 26, 6 31, 7 37. A sum of
w bits takes w + 7 (12 at 4 and 5 bits, 10 at 3), and since 2023 a comparison does. Each design is added up by hand.
"""

from __future__ import annotations

import pytest
from tests.qor.pins.kit import OFF, closed, multiplexer

# A loop over 1024: `i` has 11 bits; `i_fu`, `ap_sig_allocacmp_i`, `ap_done_int`, and what depends on its depth.
COUNTER = 18 + 18 + 2 * 9
DEEP = 9 + 2  # `ap_enable_reg_pp0_iter1`, `ap_enable_pp0`
START = 2


def loop(body: str, params: str, before: str = "", after: str = "", **settings: object) -> float:
    """LUTs of a pipelined loop over 1024."""
    code = f"""#include <ap_int.h>
void top({params}) {{
{before}
  L: for (int i = 0; i < 1024; i++) {{
#pragma HLS pipeline
    {body}
  }}
{after}
}}"""
    return closed(code, part="xcu280-fsvh2892-2L-e", clock=10.0, **settings).lut  # type: ignore[arg-type]


def test_a_copy_is_control_alone() -> None:
    """Labels of ForgeHLS: 77 for a copy of 1024 elements of any width, from and to any number of arrays."""
    once = loop("b[i] = a[i];", "ap_int<8> a[1024], ap_int<8> b[1024]")
    assert once == COUNTER + 9 + DEEP + START == 76
    wide = "ap_int<64> a[1024], ap_int<64> b[1024], ap_int<64> c[1024], ap_int<64> d[1024]"
    assert loop("b[i] = a[i]; d[i] = c[i];", wide) == once


def test_a_loop_of_one_state_has_no_stages() -> None:
    """Reports of 2022.1, 4 rounds: `add_ln60` 10, `icmp_ln60` 9, three entries of 9 and nothing else; labels: 64."""
    assert loop("b[i] = x;", "int b[1024], int x") == COUNTER + 9 + START == 65


def test_comparisons_by_release() -> None:
    """icmp of 11 bits: 11 in 2022.2 (7.5 + .36 w), 18 since 2023; of 32 bits 20 and 39."""
    new = loop("b[i] = a[i];", "int a[1024], int b[1024]", version="2023.2")
    old = loop("b[i] = a[i];", "int a[1024], int b[1024]", version="2022.2")
    assert new - old == pytest.approx(18 - (7.5 + 0.36 * 11))


def test_an_older_release_keeps_the_loop_in_the_function() -> None:
    """No `ap_done_int` and no start of a block before 2022, but three states: before, in and behind the loop (20)."""
    new = loop("b[i] = a[i];", "int a[1024], int b[1024]", version="2022.1")
    old = loop("b[i] = a[i];", "int a[1024], int b[1024]", version="2021.2")
    assert new - old == pytest.approx(9 + START - 20)


def test_the_counter_by_the_rounds() -> None:
    """Labels: 79 for 2048 rounds where 1024 have 77: a bit more of the sum and of the comparison."""
    code = "void top(int a[4096], int b[4096]) {{ for (int i = 0; i < {}; i++) b[i] = a[i]; }}"
    luts = [closed(code.format(rounds)).lut for rounds in (1024, 2047, 2048)]
    assert luts[1] == luts[0]
    assert luts[2] - luts[0] == 2


def test_scalars_that_rounds_hand_on() -> None:
    """`sum_fu` 9, and 14 for `sum_out` where it is looked at behind the loop (labels: 125 and 139 where a copy has 77).

    A sum of 32 bits takes 39. In a loop of one state there is an `ap_sig_allocacmp_x` too (labels: 88 of 64).
    """
    plain = loop("b[i] = a[i];", "int a[1024], int b[1024]")
    inside = loop("s += a[i]; b[i] = s;", "int a[1024], int b[1024]", "int s = 0;")
    assert inside - plain == 39 + 9
    behind = loop("s += a[i]; b[i] = s;", "int a[1024], int b[1024], int *c", "int s = 0;", "*c = s;")
    assert behind - inside == 14
    short = loop("b[i] = s; s = x - s;", "int b[1024], int x", "int s = x;")
    assert short - loop("b[i] = x;", "int b[1024], int x") == 39 + 2 * 9


def test_a_nest_adds_a_counter_of_all_rounds() -> None:
    """Labels: 245 for 1024 x 1024 pixels with a sum of 8 bits (15); ours 243.

    `indvar_flatten` of 21 bits (28 and 28), the outer sum of 11 (18), both with `_fu` and `allocacmp`, two selections
    of 11 bits, and the test of the inner loop that is carried on (22).
    """
    code = """#include <ap_int.h>
void top(ap_uint<8> a[1024][1024], ap_uint<8> b[1024][1024]) {
  for (int i = 0; i < 1024; i++)
    for (int j = 0; j < 1024; j++) b[i][j] = 255 - a[i][j];
}"""
    inside = COUNTER + 9 + DEEP + START
    assert closed(code, clock=10.0).lut == inside + 15 + 2 * 28 + 18 + 4 * 9 + 2 * 11 + 22
    old = closed(code, clock=10.0, version="2022.2").lut
    assert old == pytest.approx(inside + 15 + 28 + 18 + 4 * 9 + 2 * 11 + 4 - 18 + 2 * 7.5 + 0.36 * (11 + 21))


def test_an_initiation_interval_takes_states() -> None:
    """II 2: `ap_NS_fsm` of 3 inputs, `ap_enable_reg_pp0_iter0`; three loads on two ports: an address of 3 inputs."""
    one = loop("b[i] = a[i];", "int a[1024], int b[1024]")
    two = loop("b[i] = a[i] ^ a[i + 1] ^ a[i + 2];", "int a[1026], int b[1024]")
    # Sums of 12 bits; three loads are 1.5 a port, between 2 and 3 inputs on each of both.
    extra = two - one - 2 * 32
    assert extra == pytest.approx(2 * 19 + 14 + 9 + 2 * multiplexer(2.5))


def test_two_loops_share_a_memory() -> None:
    """Labels: 251 of `bus_controller`: two loops, a sum of 39, and 62 for `ap_NS_fsm` and the ports of the memory."""
    code = """
void top(int a[1024], int b[1024]) {
  int temp[1024];
  for (int i = 0; i < 1024; i++) temp[i] = a[i] + 1;
  for (int i = 0; i < 1024; i++) b[i] = temp[i] * 2;
}"""
    found = closed(code, clock=10.0)
    block = COUNTER + 9 + DEEP
    # address0 and ce0 of 3 inputs, we0 of 2; two states for each block and one of the function: 6 inputs.
    assert found.area.listed == 2 * block + 2 * 14 + 9 + 31
    assert found.lut == found.area.listed + 39


@pytest.mark.parametrize(("banks", "lut"), [(2, 9), (4, 20), (8, 43)])
def test_a_bank_that_is_chosen_at_run_time(banks: int, lut: float) -> None:
    """`mux_21_32_1_1` 9, `mux_42_32_1_1` and `mux_42_64_1_1` 20 whatever the width, `mux_83_32` 43."""
    params = "int at[1024], int b[1024], {} t[1024]"
    split = f"#pragma HLS array_partition variable=t cyclic factor={banks} dim=1"
    for kind in ("int", "long long"):
        whole = loop("b[i] = t[at[i]];", params.format(kind))
        assert loop("b[i] = t[at[i]];", params.format(kind), split) - whole == lut, kind


def test_a_lane_that_is_chosen_at_run_time() -> None:
    """`lshr` of 256 bits 950 LUT (2022.2): .464 w log2(w); a store reads, masks and shifts the word: 1.85 of it."""
    params = "ap_uint<32> t[1024], ap_uint<10> at[1024], ap_uint<32> b[1024]"
    split = "#pragma HLS array_reshape variable=t cyclic factor=8 dim=1"
    loaded = loop("b[i] = t[at[i]];", params, split) - loop("b[i] = t[at[i]];", params)
    assert loaded == pytest.approx(950, rel=1e-3)
    stored = loop("t[at[i]] = b[i];", params, split) - loop("t[at[i]] = b[i];", params)
    assert stored == pytest.approx(1.85 * 256 * 8)


def test_bits_that_are_turned_over() -> None:
    """Labels: 85 for 8 bits with a key where a copy has 77, and 82 for a product of one DSP; nothing for a mask."""
    params = "ap_uint<16> a[1024], ap_uint<16> b[1024]"
    copied = loop("b[i] = a[i];", params)
    assert loop("b[i] = a[i] ^ 0xAB;", params) - copied == 16
    assert loop("b[i] = a[i] & 0xAB;", params) == copied
    assert loop("b[i] = a[i] * a[i];", params) - copied == 5
    assert loop("b[i] = a[i] * a[i];", params, version="2022.2") == loop("b[i] = a[i];", params, version="2022.2")


def test_what_waits_long_is_shifted_in_luts() -> None:
    """A shift register is an entry of 64 FF and 32 LUT (2020.2, 2024.1); labels: 109 for a quotient where 77 copy."""
    divided = loop("b[i] = a[i] / x;", "float a[1024], float b[1024], float x")
    assert divided - loop("b[i] = a[i];", "float a[1024], float b[1024]") == 32


def test_states_of_a_function() -> None:
    """`ap_NS_fsm` of 17 inputs 81 for a division of 16 states (2022.1); nothing where all is done at once."""
    assert closed("void top(int a, int b, int *c) { *c = a ^ b; }").area.listed == 0
    code = "void top(float a, float b, float *c) { *c = a / b; }"
    found = closed(code)
    assert found.area.listed == multiplexer(found.top.cycles + 2)


def test_cores_that_take_turns_choose_their_operands() -> None:
    """2022.1: `grp_fu_249_p0` and `_p1` of 4 inputs, 20 each, on a core that serves three sums of a round at II 3."""
    code = """
void top(float a[3][64], float b[3][64]) {{
#pragma HLS array_partition variable=a complete dim=1
#pragma HLS array_partition variable=b complete dim=1
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline II=3
    {}
  }}
}}"""
    body = [f"b[{k}][i] = a[{k}][i] + 1.5f;" for k in range(3)]
    one, three = (closed(code.format("\n".join(body[:count]))) for count in (1, 3))
    assert three.dsp == one.dsp
    assert three.area.listed - one.area.listed == 2 * 20 + 2 * 32  # and the addresses of two more stores wait


def test_place_and_route_lists_nothing() -> None:
    """What reports list is theirs alone."""
    code = "void top(int a[1024], int b[1024]) { for (int i = 0; i < 1024; i++) b[i] = a[i]; }"
    placed = closed(code, stage="impl")
    area = placed.area
    assert area.listed > 0
    assert placed.lut == pytest.approx(1.5 * area.control_lut + 0.5 * area.mux_lut + 0.3 * area.plain_lut)


def test_a_plain_loop_has_states_and_a_counter() -> None:
    """The counter of 7 bits (14 and 14), its entry 9; 5 a state, as `ap_NS_fsm` of 10 inputs 54 and of 92 476."""
    code = f"""
void top(int a[64], int b[64]) {{
  L: for (int i = 0; i < 64; i++) {{
{OFF}
    b[i] = a[i];
  }}
}}"""
    found = closed(code)
    assert found.area.listed == 2 * 14 + 9 + 5 * found.top.loops[0].depth + 14
