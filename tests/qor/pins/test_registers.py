"""Registers of pipelines at 10 ns (UltraScale+), entry by entry as tables of csynth reports list them.

A loop of 1,024 rounds has a counter of 11 bits (`i_fu`), one state (`ap_CS_fsm`), `ap_done_reg`, and behind each stage
but the last `ap_enable_reg_pp0_iter1`, behind all but two `ap_loop_exit_ready_pp0_iter1_reg`. What is looked at in a
later state than it comes in is kept; kept for more than two rounds it is a register and a shift register of 64. A load
takes two states, and what is quick enough is stored in the second.
"""

from __future__ import annotations

import pytest

from .kit import U280, closed, iis

COUNTER, STATE, DONE = 11, 1, 1


def pipeline(stages: int) -> int:
    """Of a loop of 1,024 rounds that is all of its function."""
    return COUNTER + STATE + DONE + (stages - 1) + max(stages - 2, 0)


def ff(parameters: str, body: str, before: str = "", after: str = "") -> float:
    """Of a function that is a loop over 1,024 elements."""
    code = f"""#include <ap_int.h>
void top({parameters}) {{
  {before}
  for (int i = 0; i < 1024; i++) {{ {body} }}
  {after}
}}"""
    return closed(code, part=U280, clock=10.0).ff


ARRAYS = "int a[1024], int b[1024], int c[1024], int d[1024]"
FLOATS = "float a[1024], float b[1024], float c[1024]"
SHIFTED = 11 + 64  # an address that waits for more than two states

ENTRIES = [
    # The address of the store waits for the data: the counter as an index, `zext_ln5_reg`.
    (ARRAYS, "b[i] = a[i];", pipeline(2) + 11),
    # Arrays have it in common.
    (ARRAYS, "b[i] = a[i]; c[i] = a[i] + 1;", pipeline(2) + 11),
    # One that is loaded from the same place has its own address, of the 10 bits that 1,024 elements need.
    (ARRAYS, "b[i] += a[i];", pipeline(2) + 10),
    # Bits put together are made where they are needed: what is kept is the counter, not each place.
    ("int a[1024], int b[2048]", "b[2 * i] = a[i]; b[2 * i + 1] = a[i] ^ 1;", pipeline(2) + 11),
    # What is stored at once waits for nothing.
    (ARRAYS, "b[i] = i;", pipeline(1)),
    # A number that the function is given is read in the first stage: `n_read_reg`.
    (f"{ARRAYS}, int n", "b[i] = a[i] > n;", pipeline(2) + 11 + 32),
    (f"{ARRAYS}, short n, short m", "b[i] = a[i] > n && a[i] < m;", pipeline(2) + 11 + 16 + 16),
    # A product of 32 bits takes no register of its own.
    (ARRAYS, "c[i] = a[i] * b[i];", pipeline(2) + 11),
    # A product begins with its data and is stored a state later; 128 FF of the core, the address in two registers.
    (FLOATS, "c[i] = a[i] * b[i];", pipeline(3) + 2 * 11 + 128),
    # A sum takes four states (core 241 FF), and is kept for the store behind them.
    (FLOATS, "c[i] = a[i] + b[i];", pipeline(6) + SHIFTED + 32 + 241),
    # A product goes straight into a sum; the number that is given waits for it in two registers.
    (f"{FLOATS}, float n", "c[i] = a[i] * b[i] + n;", pipeline(7) + SHIFTED + 32 + 2 * 32 + 128 + 241),
    # A quotient begins a state behind its data, which is kept, and takes six states (core 32 FF).
    (FLOATS, "c[i] = a[i] / b[i];", pipeline(9) + SHIFTED + 32 + 32 + 32),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "body", "registers"), ENTRIES)
def test_entries_added_up(parameters: str, body: str, registers: int) -> None:
    assert ff(parameters, body) == registers


def test_a_counter_holds_what_ends_the_loop() -> None:
    """1,023 rounds: 1,023 in it are 10 bits, in counter and index; 1,024 are 11."""
    code = "void top(int a[1023], int b[1023]) { for (int i = 0; i < 1023; i++) { b[i] = a[i]; } }"
    assert closed(code, part=U280, clock=10.0).ff == pipeline(2) - COUNTER + 10 + 10


def test_what_is_carried_round_is_kept_once() -> None:
    """A count that a condition on data steps: its register, and not the next value, which is made when it is needed."""
    counted = ff(ARRAYS, "if (a[i] % 2 == 0) n++; b[i] = n;", "int n = 0;")
    assert counted == pipeline(2) + 11 + 32


def test_bits_wait_for_what_they_are_made_of() -> None:
    """`x[j] = ...` is stored when the last bit is there, so that the address waits as for any other value."""
    bits = "ap_uint<8> x = 0; for (int j = 0; j < 8; j++) x[j] = (a[i] >> j) & 1; b[i] = x;"
    assert ff(ARRAYS, bits) == ff(ARRAYS, "b[i] = a[i];")


def test_loads_that_queue_wait_for_one_another() -> None:
    """Four loads on two ports: two of them come a cycle before the others, and are added to them."""
    code = """void top(int a[4096], int b[1024]) {
  for (int i = 0; i < 1024; i++) { b[i] = a[4 * i] ^ a[4 * i + 1] ^ a[4 * i + 2] ^ a[4 * i + 3]; }
}"""
    found = closed(code, part=U280, clock=10.0)
    assert list(iis(found).values()) == [2]
    # Two states of an II of 2, three stages of a round (two of II 2), and the address for as long.
    assert found.ff == COUNTER + 2 + DONE + 1 + 11 + 2 * 32


def test_two_loops_beside_each_other() -> None:
    """Two functions of 25 each; in the caller a start bit each, a state that starts both and one that waits."""
    code = f"""void top({ARRAYS}) {{
  for (int i = 0; i < 1024; i++) {{ b[i] = a[i]; }}
  for (int i = 0; i < 1024; i++) {{ d[i] = c[i]; }}
}}"""
    assert closed(code, part=U280, clock=10.0).ff == 2 * (pipeline(2) + 11) + 2 + 2


def test_two_loops_one_after_the_other() -> None:
    """Here each has a state that starts it and one that waits for it."""
    code = f"""void top({ARRAYS}) {{
  for (int i = 0; i < 1024; i++) {{ b[i] = a[i]; }}
  for (int i = 0; i < 1024; i++) {{ c[i] = b[i]; }}
}}"""
    assert closed(code, part=U280, clock=10.0).ff == 2 * (pipeline(2) + 11) + 2 + 4


def test_a_nest_has_a_counter_of_all_its_rounds() -> None:
    """`i_fu`, `j_fu` and `indvar_flatten_fu`: 7, 6 and 12 bits for 100 x 40; the address of 4,000 elements has 12."""
    code = """void top(int a[100][40], int b[100][40]) {
  for (int i = 0; i < 100; i++) for (int j = 0; j < 40; j++) { b[i][j] = a[i][j]; }
}"""
    assert closed(code, part=U280, clock=10.0, pipeline_loops=8).ff == 7 + 6 + 12 + STATE + DONE + 1 + 12


SUMS = [
    # At 10 ns a sum of floats that is all that is carried round takes two cycles, of doubles three ...
    ("float", "float s = 0; for (int i = 0; i < 100; i++) { s += a[0][i]; } b[0] = s;", 10.0, 2),
    ("double", "double s = 0; for (int i = 0; i < 100; i++) { s += a[0][i]; } b[0] = s;", 10.0, 3),
    # ... and four where the first round of a nest has to choose where it starts.
    ("double", "for (int k = 0; k < 100; k++) { double s = 0; for (int i = 0; i < 100; i++) { s += a[k][i]; }"
               " b[k] = s; }", 10.0, 4),
    # At 3.33 ns an element that the nest starts goes by the seven states of the core and one more.
    ("float", "for (int k = 0; k < 100; k++) { b[k] = 0; for (int i = 0; i < 100; i++) { b[k] += a[k][i]; } }",
     3.33, 8),
    # What stands in registers does not.
    ("float", "\n#pragma HLS array_partition variable=b complete\n  for (int k = 0; k < 100; k++) { b[k] = 0;"
              " for (int i = 0; i < 100; i++) { b[k] += a[k][i]; } }", 3.33, 4),
    ("float", "for (int k = 0; k < 100; k++) { float s = 0; for (int i = 0; i < 100; i++) { s += a[k][i]; }"
              " b[k] = s; }", 3.33, 4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "clock", "ii"), SUMS)
def test_sums_that_are_carried_round(kind: str, body: str, clock: float, ii: int) -> None:
    code = f"void top({kind} a[100][100], {kind} b[100]) {{ {body} }}"
    assert list(iis(closed(code, part=U280, clock=clock)).values()) == [ii]


def test_a_root_behind_a_loop_keeps_a_nest_apart() -> None:
    """What takes long is not done in the last round of the loop inside."""
    code = """#include <cmath>
void top(float a[100][100], float b[100]) {
  O: for (int k = 0; k < 100; k++) {
    float s = 0;
    I: for (int i = 0; i < 100; i++) { s += a[k][i]; }
    b[k] = %s;
  }
}"""
    assert set(iis(closed(code % "s + 1", part=U280))) == {"O+I"}
    assert set(iis(closed(code % "sqrtf(s)", part=U280))) == {"O", "I"}
