"""The II that recurrences ask for: latency around the cycle over its distance in iterations (Rau 1994), rounded up.

Around a float sum at 3.33 ns: add 4; through a memory load 2 + 4 + store 1 = 7; a value that comes back in the next
iteration is forwarded past the memory.
"""

from __future__ import annotations

import pytest

from .kit import closed, iis
from .loops_kit import Pin, figures, hold, pipeline


def ii(code: str, **settings: object) -> int | None:
    """II of the only loop."""
    (found,) = iis(closed(code, **settings)).values()  # type: ignore[arg-type]
    return found


def walk(statement: str, head: str = "int i = 8; i < 100; i++", *, kind: str = "float", pragma: str = "") -> str:
    return f"""
void top({kind} y[128], {kind} a[128], int at[128]) {{
  L: for ({head}) {{
#pragma HLS pipeline
{pragma}
    {statement}
  }}
}}"""


DISTANCES = {
    # The very element that the iteration before wrote: kept in a register, 4.
    "y[0] += a[i];": 4,
    # One back: forwarded, 4.
    "y[i] = y[i - 1] + a[i];": 4,
    # Two back and more go through the memory: ceil(7 / 2), ceil(7 / 3), ceil(7 / 5), ceil(7 / 6), ceil(7 / 7).
    "y[i] = y[i - 2] + a[i];": 4,
    "y[i] = y[i - 3] + a[i];": 3,
    "y[i] = y[i - 5] + a[i];": 2,
    "y[i] = y[i - 6] + a[i];": 2,
    "y[i] = y[i - 7] + a[i];": 1,
    # Multiplication and addition in the cycle, two back: ceil((2 + 3 + 4 + 1) / 2) = 5.
    "y[i] = y[i - 2] * a[i] + 1.5f;": 5,
    # Written where nobody reads later: even elements from odd ones, the upper half from the lower.
    "y[2 * (i - 8)] = y[2 * (i - 8) + 1] + a[i];": 1,
    "y[i] = y[i + 1] + a[i];": 1,
    # Same subscript on both sides: each element once.
    "y[i] = y[i] + a[i];": 1,
    # Another array.
    "y[i] = a[i - 1] + a[i];": 1,
    # Where a subscript is looked up, the next iteration may name the same element, which nobody can forward: 2 + 4 + 1.
    "y[at[i]] += a[i];": 7,
}


@pytest.mark.parametrize("statement", DISTANCES)
def test_distances(statement: str) -> None:
    assert ii(walk(statement)) == DISTANCES[statement]


@pytest.mark.parametrize(
    ("head", "statement", "right"),
    [
        # Steps of 2, elements 4 apart: two iterations, ceil(7 / 2).
        ("int i = 8; i < 100; i += 2", "y[i] = y[i - 4] + a[i];", 4),
        # Steps of 4, the element of one iteration before: forwarded.
        ("int i = 8; i < 100; i += 4", "y[i] = y[i - 4] + a[i];", 4),
        # Steps of 2, an odd distance: never met.
        ("int i = 8; i < 100; i += 2", "y[i] = y[i - 3] + a[i];", 1),
        # Counting down, three back: ceil(7 / 3); three ahead is already read.
        ("int i = 99; i >= 8; i--", "y[i] = y[i + 3] + a[i];", 3),
        ("int i = 99; i >= 8; i--", "y[i] = y[i - 3] + a[i];", 1),
        # 20 back in a loop of 20 iterations: none is left that would read it; in one of 21, ceil(7 / 20) = 1 as well.
        ("int i = 20; i < 40; i++", "y[i] = y[i - 20] + a[i];", 1),
    ],
)
def test_steps_of_the_loop(head: str, statement: str, right: int) -> None:
    assert ii(walk(statement, head)) == right


NEST = """
void top(float y[40][40], float a[40][40]) {{
  O: for (int i = 4; i < 36; i++)
    L: for (int j = 0; j < {trips}; j++) {{
#pragma HLS pipeline
      y[i][j] = y[i - {rows}][j{ahead}] + a[i][j];
    }}
}}"""


@pytest.mark.parametrize(
    ("trips", "rows", "ahead", "right"),
    [
        # One row back is `trips` iterations of the flattened nest back: ceil(7 / 3), ceil(7 / 4), ceil(7 / 8).
        (3, 1, "", 3), (4, 1, "", 2), (8, 1, "", 1),
        # Two rows of two: 4 iterations, ceil(7 / 4).
        (2, 2, "", 2),
        # Two rows of two, read one column further: 4 - 1 = 3, ceil(7 / 3); one column behind: 4 + 1 = 5, ceil(7 / 5).
        (2, 2, " + 1", 3), (2, 2, " - 1", 2),
    ],
)  # fmt: skip
def test_rows_of_a_flattened_nest(trips: int, rows: int, ahead: str, right: int) -> None:
    assert ii(NEST.format(trips=trips, rows=rows, ahead=ahead)) == right


DEPENDENCE = {
    # UG1399, pragma dependence. `inter false`: nothing to wait for, of that array or of all.
    "variable=y type=inter dependent=false": 1,
    "variable=y inter false": 1,
    "inter false": 1,
    # Iterations apart that the pragma states: ceil(7 / 2), ceil(7 / 4).
    "variable=y type=inter distance=2 dependent=true": 4,
    "variable=y type=inter distance=4 dependent=true": 2,
    # Of one and the same iteration, or of another array: says nothing about this cycle.
    "variable=y type=intra dependent=false": 7,
    "variable=a type=inter dependent=false": 7,
}


@pytest.mark.parametrize("options", DEPENDENCE)
def test_dependence(options: str) -> None:
    assert ii(walk("y[at[i]] += a[i];", pragma=f"#pragma HLS dependence {options}")) == DEPENDENCE[options]


@pytest.mark.parametrize(
    ("settings", "statement", "right"),
    [
        # Vivado HLS takes longer cores (add 8) and goes through the memory every time: 2 + 8 + 1 = 11.
        ({"tool": "vivado_hls", "version": "2019.2"}, "y[0] += a[i];", 11),
        ({"tool": "vivado_hls", "version": "2019.2"}, "y[i] = y[i - 2] + a[i];", 6),
        # 7 series cores take a cycle more: 5; at 10 ns add 3 + 1 = 4; UltraScale+ there 3, a sum alone one less.
        ({"part": "xc7z020clg484-1"}, "y[0] += a[i];", 5),
        ({"part": "xc7z020clg484-1", "clock": 10.0}, "y[0] += a[i];", 4),
        ({"clock": 10.0}, "y[0] += a[i];", 2),
        # A condition decides whether it is stored: through the memory, 2 + 3 + 1.
        ({"clock": 10.0}, "if (at[i]) y[0] += a[i];", 6),
        ({"clock": 10.0}, "y[0] -= a[i] * a[i];", 2),
        # Two sums in a row, also with a product of 1 between; a product before the sum: 3 + 3, 2 + 3. A product alone:
        # one less than its 2. Through the memory: 2 + 3 + 1.
        ({"clock": 10.0}, "y[0] = (y[0] + a[i]) * 1.0f + a[i - 1];", 6),
        ({"clock": 10.0}, "y[0] = (y[0] - a[i]) - y[1];", 6),
        ({"clock": 10.0}, "y[0] = y[0] * 0.5f + a[i];", 5),
        ({"clock": 10.0}, "y[0] *= 0.5f;", 1),
        ({"clock": 10.0}, "y[at[i]] += a[i];", 6),
        # At other clocks, before 2023: as the core takes.
        ({"clock": 5.0}, "y[0] += a[i];", 3),
        ({"clock": 10.0, "version": "2022.2"}, "y[0] += a[i];", 4),
        # Half the period of the last entry of the table: 4 * sqrt(2) = 5.66, 6.
        ({"clock": 1.665}, "y[0] += a[i];", 6),
    ],
)  # fmt: skip
def test_tools_parts_and_clocks(settings: dict[str, object], statement: str, right: int) -> None:
    assert ii(walk(statement), **settings) == right


def test_a_register_between_iterations() -> None:
    """An array of registers needs no load and no store: two back, 4 / 2 = 2, and not 7 / 2."""
    code = walk("y[i] = y[i - 2] + a[i];").replace("  L:", "#pragma HLS array_partition variable=y complete\n  L:")
    assert ii(code) == 2


def test_integers_through_a_memory() -> None:
    """Load 2, an addition within the cycle, store 1: 3 cycles and a fraction, two back: 2."""
    assert ii(walk("y[i] = y[i - 2] + a[i];", kind="int")) == 2


@pytest.mark.parametrize(
    ("settings", "statement", "right"),
    [
        # A block RAM of UltraScale+ takes 1.23 ns for its data and as much for what is stored. At 10 ns less 27 % both,
        # and an addition of 32 bits, fit in the state behind the address: 2, as csynth tables of histograms say.
        ({"clock": 10.0}, "y[at[i]] += a[i];", 2), ({"clock": 10.0}, "y[at[i]]++;", 2),
        # A condition on what was loaded holds the store up as what is stored does.
        ({"clock": 10.0}, "if (y[at[i]] > 9) y[at[i]] = a[i];", 2),
        # At 2 ns, 1.46 of them, 1.23 + 1.23 do not fit: a state of its own for the store.
        ({"clock": 2.0}, "y[at[i]] |= a[i];", 3),
        # 7 series, Vivado HLS: 3.25 + 3.25 of the 8.75 ns, and the logic between; also of the element just written.
        ({"clock": 10.0, "part": "xc7z020clg484-1", "tool": "vivado_hls", "version": "2019.2"}, "y[at[i]] |= 1;", 2),
        ({"clock": 10.0, "part": "xc7z020clg484-1", "tool": "vivado_hls", "version": "2019.2"}, "y[0] |= a[i];", 2),
        # Three ways, each of which stores, one of them what was loaded.
        ({"clock": 10.0, "tool": "vivado_hls", "version": "2019.2"},
         "if (a[i] == 0) y[i] = 0; else { int t = y[i - 1]; if (t != 0) y[i] = t; else y[i] = 7; }", 2),
    ],
)  # fmt: skip
def test_a_memory_that_is_read_and_written_in_one_state(
    settings: dict[str, object], statement: str, right: int
) -> None:
    assert ii(walk(statement, kind="int"), **settings) == right


SUMS = """
{kind} top({kind} a[64]) {{
#pragma HLS array_partition variable=a complete
  {kind} s = 0;
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
#pragma HLS unroll factor={factor}
    {guard}s += a[i];
  }}
  return s;
}}"""


@pytest.mark.parametrize(
    ("kind", "factor", "guard", "unsafe", "right"),
    [
        # A tree with the old sum among its leaves (2023.2), levels of 4 cycles: 2 for 2 copies, which are 3 leaves, 3
        # for 4, 4 for 8 and for 10.
        ("float", 2, "", False, 8), ("float", 4, "", False, 12),
        ("float", 8, "", False, 16), ("float", 10, "", False, 16),
        # unsafe_math_optimizations allow a tree whose root alone takes the old sum: 4.
        ("float", 4, "", True, 4),
        # Under conditions the order stays even so: 4 * 4, the selections between are combinational.
        ("float", 4, "if (a[i] > 0.5f) ", True, 16),
        # Integers are summed up in a tree: the old sum enters at its root, within the cycle.
        ("int", 8, "", False, 1),
    ],
)  # fmt: skip
def test_unrolled_sums(kind: str, factor: int, guard: str, unsafe: bool, right: int) -> None:
    assert ii(SUMS.format(kind=kind, factor=factor, guard=guard), unsafe_math=unsafe) == right


ROWS = """
void top({kind} a[100][8], {kind} b[100]) {{
#pragma HLS array_partition variable=a complete dim=2
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {kind} s = 0;
    for (int j = 0; j < 8; j++) s += a[i][j];
    b[i] = s;
  }}
}}"""


@pytest.mark.parametrize(
    ("kind", "unsafe", "body"),
    [
        # Nine operands, the zero and eight elements, in a tree: 4 levels of 0.44 cycles behind the load: 2 + 1.75.
        ("int", False, 3 + 1),
        # Of floats 4 levels of 7 states, with and without unsafe math.
        ("float", False, 2 + 28 + 1), ("float", True, 2 + 28 + 1),
    ],
)  # fmt: skip
def test_depth_of_sums_inside(kind: str, unsafe: bool, body: int) -> None:
    pin = Pin("", ROWS.format(kind=kind), {"L": (1, 100, pipeline(100, 1, body))}, None, {"unsafe_math": unsafe})
    hold(pin)


def test_a_guarded_update() -> None:
    """The selection after the addition is combinational and fits: II 4 with a condition as without."""
    code = """
float top(float a[100]) {
  float s = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    if (i & 1) s += a[i];
  }
  return s;
}"""
    assert ii(code) == 4


def test_an_ii_that_only_unsafe_math_reaches_is_a_guess() -> None:
    """Who asks for an II of 4 of eight float sums a round has the order switched off: 4, not 16, and marked."""
    code = SUMS.format(kind="float", factor=8, guard="").replace("pipeline", "pipeline II=4")
    (loop,) = closed(code).top.loops
    assert (loop.ii, loop.bound.guess) == (4, True)
    assert figures(closed(code))["L"][1] == 8


CIRCUITS = {
    # x and y feed each other: add 4 + mul 3 around, two iterations: ceil(7 / 2) = 4.
    "float t = y; y = x + a[i]; x = t * 1.5f;": 4,
    # Second-order filter: y two rounds back, mul 3 + add 4: ceil(7 / 2) = 4.
    "float t = a[i] + y * 0.5f; y = x; x = t;": 4,
}


@pytest.mark.parametrize("statement", CIRCUITS)
def test_circuits_through_two_variables(statement: str) -> None:
    code = f"""
float top(float a[100]) {{
  float x = 1, y = 2;
  L: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    {statement}
  }}
  return x + y;
}}"""
    assert ii(code) == CIRCUITS[statement]


STATE = """
void top(float x[100], float y[100]) {{
  float a[8], b[8];
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  T: for (int t = 0; t < 100; t++) {{
#pragma HLS pipeline
    {body}
  }}
}}"""


def state(body: str) -> tuple[int | None, float, float]:
    return figures(closed(STATE.format(body=body)))["T"]


@pytest.mark.parametrize(
    ("body", "ii", "states"),
    [
        # One sum a round: 4 cycles, 7 states; eight on one element, a tree of nine leaves: 4 levels. Load 2 before, and
        # the state in which the register takes the sum over.
        ("a[3] += x[t];", 4, 2 + 7 + 1), ("for (int j = 0; j < 8; j++) a[3] += x[t];", 16, 2 + 28 + 1),
        # Eight elements, one sum each.
        ("for (int j = 0; j < 8; j++) a[j] += x[t];", 4, 2 + 7 + 1),
        # Each sum under a condition of its own: in order, from registers, after load 2 and comparison 2.
        ("for (int i = 0; i < 4; i++) if (x[t] > b[i]) a[3] += b[i];", 16, 2 + 2 + 28 + 1),
        # Neighbours: a[0] is never written, so that rounds need nothing of each other; 7 sums in a chain, or 3 of 6.
        ("for (int j = 1; j < 8; j++) a[j] = a[j - 1] + x[t];", 1, 2 + 7 * 7 + 1),
        ("for (int j = 2; j < 8; j++) a[j] = a[j - 2] + x[t];", 1, 2 + 3 * 7 + 1),
        # Two sweeps: a[j] is fed by itself through b[j]: mul 3 + add 4 cycles, 4 + 7 states.
        ("for (int j = 0; j < 8; j++) b[j] = a[j] * 2.5f; for (int j = 0; j < 8; j++) a[j] = b[j] + 1.5f;", 7, 11 + 1),
        # A shift register: elements move on; load 2.
        ("for (int j = 7; j > 0; j--) a[j] = a[j - 1]; a[0] = x[t];", 1, 2),
        # A filter of second order: a[0] is fed by its product, and two sums from left to right: 3 + 4 + 4 cycles.
        ("float v = x[t] + a[0] * 0.5f + a[1] * 0.25f; a[1] = a[0]; a[0] = v;", 11, 4 + 7 + 7 + 1),
    ],
)  # fmt: skip
def test_state_in_registers(body: str, ii: int, states: int) -> None:
    assert state(body) == (ii, 100, pipeline(100, ii, states))


def test_sums_in_two_unrolled_loops() -> None:
    """Each of eight elements gets four sums a round: three levels of a tree with the old value, 4 cycles each."""
    assert state("for (int i = 0; i < 4; i++) for (int j = 0; j < 8; j++) a[j] += x[t] * b[i];")[0] == 12


EXTREMES = """
{kind} top({kind} a[64]) {{
#pragma HLS array_partition variable=a complete
  {kind} m = a[0];
  L: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
#pragma HLS unroll factor=16
    {update}
  }}
  return m;
}}"""


@pytest.mark.parametrize(
    ("kind", "update", "right"),
    [
        # Integers: a tree of comparisons and selections, the old extreme enters at its root.
        ("int", "m = a[i] > m ? a[i] : m;", 1), ("int", "m = a[i] < m ? a[i] : m;", 1),
        # A comparison of floats takes a cycle; sixteen, each with the extreme of the one before.
        ("float", "if (a[i] > m) m = a[i];", 16),
    ],
)  # fmt: skip
def test_unrolled_extremes(kind: str, update: str, right: int) -> None:
    assert ii(EXTREMES.format(kind=kind, update=update)) == right


# What stands between an integer product and the next iteration's, and the II: the product of 32 bits takes 2 cycles;
# of the 2.43 ns that 27 % of uncertainty leave, an addition takes 0.85 x (0.55 + 32 x 0.022) = 1.07 ns: 0.44 cycles,
# a comparison 0.85 x (0.6 + 32 x 0.012) = 0.84: 0.34, logic 0.85 x 0.35 = 0.30: 0.12, a selection 0.85 x 0.4 = 0.34:
# 0.14. A quarter of a cycle is forgiven, so that II = ceil(2 + what it takes - 0.25).
PASSES = {
    "s = s * a[i];": 2,
    # wiring takes nothing
    "s = (s * a[i]) * 4;": 2,
    "s = (s * a[i]) << 4;": 2,
    "s = (s * a[i]) / 8;": 2,
    "s = (s * a[i]) % 16;": 2,
    "s = (int)(s * a[i]);": 2,
    "s = (a[0], s * a[i]);": 2,
    "s = odd(s * a[i]);": 2,
    "s = wrapped(s * a[i]);": 2,
    # 0.12, 0.14: forgiven
    "s = (s * a[i]) ^ 5;": 2,
    "s = ~(s * a[i]);": 2,
    "s = a[i] > 3 ? s * a[i] : 7;": 2,
    "if (a[i] > 3) s = s * a[i];": 2,
    # 0.44: not
    "s = s * a[i] + 1;": 3,
    "s = s * a[i] - a[0];": 3,
    "s = -(s * a[i]);": 3,
    "s = s * a[i]; s++;": 3,
    "s *= a[i]; s -= a[0];": 3,
    "s = s * a[i] > 9 ? 1 : a[0];": 3,  # 0.34 + 0.14
    "s = max(s * a[i], 7);": 3,  # 0.34 + 0.14
    "s = (s * a[i]) * a[0];": 4,
    "s = s * a[i]; s = s * a[0]; s = s * 3;": 5,  # 3 is 2 + 1: an adder
    "s = (s * a[i] + s) * a[0];": 5,  # the second product starts at a clock edge, but its way counts 2 + 0.44 + 2
    # The product stands beside the way round, not on it.
    "s = a[i] * a[0] + s;": 1,
    "s = a[i] * a[0];": 1,
}


def through(statement: str) -> int | None:
    """II of a loop that hands `s` on."""
    return ii(f"""
struct S {{ int x; }};
int odd(int x);
int wrapped(int x) {{ return x; }}
int clip(int x) {{ if (x > 9) return 9; return x; }}
void top(int a[128], int *q) {{
  int s = a[5]; S t;
  L: for (int i = 8; i < 100; i++) {{
#pragma HLS pipeline
    {statement}
  }}
  *q = s;
}}""")


@pytest.mark.parametrize("statement", PASSES)
def test_what_a_recurrence_passes_through(statement: str) -> None:
    assert through(statement) == PASSES[statement]


def test_a_shift_by_three_is_wiring() -> None:
    assert through("s = (s * a[i]) << 3;") == 2


def test_several_returns_are_selected() -> None:
    """A comparison and a selection, 0.34 + 0.14."""
    assert through("s = clip(s * a[i]);") == 3


def test_a_field_hands_on_what_it_was_set_to() -> None:
    assert through("t.x = s * a[i]; s = t.x;") == 2


def test_counters_of_four_loops_in_one_subscript() -> None:
    """The write is found 2 iterations later: one step of i (32 ** 3) less 31 of j, 31 of k and 30 of l; these move the
    subscript by 1 - 92 = -91. Through the memory: ceil(7 / 2).
    """
    code = """
void top(float y[256]) {
  for (int i = 0; i < 32; i++) for (int j = 0; j < 32; j++) for (int k = 0; k < 32; k++) for (int l = 0; l < 32; l++) {
#pragma HLS pipeline
    y[i + j + k + l] = y[i + j + k + l + 91] + 1.0f;
  }
}"""
    assert ii(code) == 4
