"""Latency as csynth prints it: the largest and the least, the interval, designs of one state; shares of what is called.

Settings are those of the kit (ZU9EG, 3.33 ns, 2023.2). A pipelined loop alone takes (rounds - 1) II + states + 1.
"""

from __future__ import annotations

import random

import pytest

from hwml_sdk import predict_qor
from hwml_sdk.qor.answer.answer import all_loops, contributions, dominant, whole_of

from .kit import closed
from .loops_kit import COPY, LEAVE, TEST, function, module, pipeline, plain

# -- designs without loops: one cycle less than states -----------------------------------------------------------

STATES = [
    # Wires, logic, an adder of 1.07 ns: all within a state of 2.43 ns.
    ("int top(int a, int b) { return a; }", 0),
    ("int top(int a, int b) { return a ^ b; }", 0),
    ("int top(int a, int b, int c) { return (a & 255) + (b ^ c); }", 0),
    ("void top(int a, int b, int *c) { *c = a > b ? a : b; }", 0),
    # A float product takes 4 states, and its result the state that follows; a sum behind it 7 more.
    ("float top(float a, float b) { return a * b; }", 4),
    ("float top(float a, float b) { return a * b + 1.5f; }", 4 + 7),
    # The arms of a condition are built side by side: the longer one.
    ("float top(float a, float b, bool w) { if (w) return a / b; return a * b; }", 12),
    # A load has its data in the second of two states, a store in the same state is too slow: three.
    ("void top(int a[8], int b[8], int i) { b[i] = a[i]; }", 2),
    ("int top(int a[8], int i) { return a[i] ^ 1; }", 1),
    # Four loads on two ports take turns.
    ("int top(int a[8]) { return a[0] ^ a[1] ^ a[2] ^ a[3]; }", 2),
    # Registers are read and written within the state.
    ("int top(int i) { int a[4] = {1, 2, 3, 4}; return a[i & 3]; }", 0),
]


@pytest.mark.parametrize(("code", "cycles"), STATES)
def test_a_function_without_loops(code: str, cycles: int) -> None:
    found = closed(code)
    assert found.latency_cycles == found.latency_min_cycles == cycles
    assert found.interval_cycles == cycles + 1


# -- rounds that vary --------------------------------------------------------------------------------------------

NEST = """
void top(int a[64][64], int b[64][64], int n) {{
  O: for (int i = 0; i < {rows}; i++)
    L: for (int j = {start}; j < {stop}; j++) {{
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }}
}}"""

VARYING = [
    # rows, start, stop, least and most rounds of the inner loop
    (16, "0", "i", 0, 15), (16, "0", "i + 1", 1, 16), (16, "i", "16", 1, 16), (32, "i + 1", "32", 0, 31),
    (8, "0", "2 * i + 3", 3, 17), (10, "i", "i + i", 0, 9), (12, "0", "12 - i", 1, 12), (20, "i", "40", 21, 40),
    (5, "i * i", "30", 14, 30), (7, "i > 3 ? 10 : 0", "20", 10, 20),
]  # fmt: skip


def entered(rounds: float) -> float:
    """A pipelined loop inside another: the module, of no rounds as of one (its state is there all the same)."""
    return module(pipeline(max(rounds, 1), 1, COPY))


@pytest.mark.parametrize(("rows", "start", "stop", "least", "most"), VARYING)
def test_each_level_at_its_largest_and_least(rows: int, start: str, stop: str, least: int, most: int) -> None:
    """O: the test of each round, then the module; a state before and one to leave, less the first."""
    found = closed(NEST.format(rows=rows, start=start, stop=stop))
    longest = function(TEST, plain(rows, TEST + entered(most)), LEAVE)
    shortest = function(TEST, plain(rows, TEST + entered(least)), LEAVE)
    assert (found.latency_min_cycles, found.latency_cycles) == (shortest, longest)
    assert found.interval_cycles == longest + 1
    loop = all_loops(found)[0].loops[0]
    assert (loop.trip_count_min, loop.trip_count_max) == (least, most)


@pytest.mark.parametrize(("least", "most"), [(1, 1024), (10, 20), (7, 7), (64, 65)])
def test_tripcount_gives_both_ends(least: int, most: int) -> None:
    code = f"""
void top(int a[1024], int b[1024], int n) {{
  L: for (int i = 0; i < n; i++) {{
#pragma HLS loop_tripcount min={least} max={most}
#pragma HLS pipeline
    b[i] = a[i] + 1;
  }}
}}"""
    found = closed(code)
    ends = [function(module(pipeline(rounds, 1, COPY))) for rounds in (least, most)]
    assert [found.latency_min_cycles, found.latency_cycles] == ends


@pytest.mark.parametrize("around", [2, 5, 30])
def test_a_pipeline_around_a_variable_bound_is_refused(around: int) -> None:
    """The inner loop is pipelined instead, with a note at the outer one; copies of a known length are made as ever."""
    code = """
void top(int a[64][64], int b[64]) {{
  O: for (int i = 0; i < {rows}; i++) {{
#pragma HLS pipeline
    int s = 0;
    L: for (int j = 0; j < {stop}; j++) s ^= a[i][j];
    b[i] = s;
  }}
}}"""
    refused = closed(code.format(rows=around, stop="i + 1")).top.loops[0]
    assert (refused.ii, refused.children[0].ii) == (None, 1)
    assert refused.notes == ["not pipelined: loop L inside has a variable bound"]
    assert closed(code.format(rows=around, stop="4")).top.loops[0].ii == 2


def test_what_varies_with_a_copy_is_known_in_it() -> None:
    """Eight copies of a loop over i are unrolled: in each of them the loop up to i has a length of its own."""
    code = """
void top(int a[100][8], int b[100]) {
#pragma HLS array_partition variable=a complete dim=2
  T: for (int t = 0; t < 100; t++) {
#pragma HLS pipeline
    int s = 0;
    for (int i = 0; i < 8; i++) for (int j = 0; j < i; j++) s ^= a[t][j];
    b[t] = s;
  }
}"""
    assert closed(code).top.loops[0].ii == 1


# -- intervals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ii", [1, 2, 5, 9])
def test_a_pipelined_function_takes_arguments_every_ii(ii: int) -> None:
    code = f"float top(float a, float b) {{\n#pragma HLS pipeline II={ii}\n return a * b + 1.5f; }}"
    found = closed(code)
    assert (found.latency_cycles, found.interval_cycles) == (4 + 7, ii)


def test_memory_ports_bound_the_interval() -> None:
    """Eight loads on two ports: 4 turns."""
    code = "int top(int a[8]) {\n#pragma HLS pipeline\n int s = 0; for (int i = 0; i < 8; i++) s ^= a[i]; return s; }"
    assert closed(code).interval_cycles == 4


# -- shares ------------------------------------------------------------------------------------------------------

CALLED = """
static void work(int a[100], int b[100]) {{
#pragma HLS inline off
  W: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline
    b[i] = a[i] + 1;
  }}
}}
void top(int a[100], int b[100], int c[100]) {{
{body}
}}"""


@pytest.mark.parametrize(
    ("body", "times"),
    [
        ("work(a, b);", 1), ("work(a, b); work(b, c);", 2), ("T: for (int t = 0; t < 7; t++) work(a, b);", 7),
        ("T: for (int t = 0; t < 7; t++) U: for (int u = 0; u < 3; u++) work(a, b);", 21),
        ("T: for (int t = 0; t < 7; t++) { work(a, b); work(b, c); } work(a, c);", 15),
    ],
)  # fmt: skip
def test_loops_of_a_function_count_as_often_as_it_runs(body: str, times: int) -> None:
    found = closed(CALLED.format(body=body))
    loop = next(loop for loop in all_loops(found) if loop.name == "W")
    assert loop.cycles == pipeline(100, 1, COPY)
    assert loop.total_cycles == times * pipeline(100, 1, COPY)
    assert loop.share == pytest.approx(loop.total_cycles / (found.latency_cycles or 1))


def test_contributions_without_invented_names() -> None:
    """A call inside a loop is part of the loop; nothing overlaps, and what is left is positive."""
    found = closed(CALLED.format(body="T: for (int t = 0; t < 7; t++) work(a, b); work(b, c);"))
    parts = [item for item in contributions(found, {}, whole_of(found)) if item.target == "latency_cycles"]
    assert [item.what for item in parts] == ["loop T", "call of work", "code between the loops, start and end"]
    assert sum(item.amount for item in parts) == found.latency_cycles


def test_the_bound_named_is_that_of_the_loop_named() -> None:
    """L is long and bound by nothing; S is short and bound by its sum."""
    code = """
float top(int a[4096], int b[4096], float c[16]) {
  float s = 0;
  L: for (int i = 0; i < 4096; i++) {
#pragma HLS pipeline
    b[i] = a[i] + 1;
  }
  S: for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
    s += c[i];
  }
  return s;
}"""
    assert dominant(closed(code)).startswith("loop L:")
    assert "bound by" not in dominant(closed(code))


# -- no answer below what arithmetic allows ------------------------------------------------------------------------


def _nest(rng: random.Random) -> tuple[str, int]:
    """A nest of plain loops and the rounds that it surely takes, an II apart."""
    depth, ii = rng.randint(1, 3), rng.choice([1, 1, 2, 3, 7])
    trips = [rng.choice([1, 2, 3, 8, 17, 64, 200]) for _ in range(depth)]
    code = "".join(f"for (int i{n} = 0; i{n} < {trip}; i{n}++) {{\n" for n, trip in enumerate(trips))
    total = ii
    for trip in trips:
        total *= trip
    store = f"b[i{depth - 1}] = a[i{depth - 1}] + 1;" if rng.random() < 0.5 else f"b[i{depth - 1}] = 5;"
    return f"void top(int a[200], int b[200]) {{\n{code}#pragma HLS pipeline II={ii}\n{store}{'}' * depth}\n}}", total


@pytest.mark.parametrize("seed", range(24))
def test_no_answer_below_the_rounds_of_a_nest(seed: int) -> None:
    code, rounds = _nest(random.Random(seed))
    answer = predict_qor(code, part="xczu9eg-ffvb1156-2-i", clock_period_ns=3.33)
    assert answer.latency_cycles is not None
    ends = answer.intervals["latency_cycles"]
    assert min(answer.latency_cycles, ends.low, ends.high) >= rounds
