"""What the correction is told about a design, counted by hand. Counts stand there as log2(1 + x)."""

from __future__ import annotations

import math

import pytest

from hwml_sdk.qor.learned.features import FEATURE_NAMES, extract

ZU9EG = "xczu9eg-ffvb1156-2-i"

DESIGN = """
#include <hls_stream.h>
float square(float x) { return x * x; }
void fill(float m[1024], float k) {
  F: for (int i = 0; i < 1024; i++) {
#pragma HLS pipeline
    m[i] = k;
  }
}
void top(float a[64], double *b, int n, hls::stream<int> &t) {
#pragma HLS array_partition variable=a cyclic factor=4
#pragma HLS interface m_axi port=b bundle=g latency=64
  float m[1024];
  int r[4];
  fill(m, 1.5f);
  O: for (int i = 0; i < 8; i++) {
#pragma HLS pipeline off
    r[i & 3] = n;
    I: for (int j = 0; j < 64; j++) {
#pragma HLS pipeline II=4
#pragma HLS unroll factor=2
      if (n > j) m[j] = square(a[j]) + m[j];
      else b[j] = b[j] / 3.0;
    }
  }
}
"""
# F: store 1: depth 1, reports count 1023 * 1 + 1 = 1024 cycles, once.
# I: 32 rounds of two iterations at II 4. The condition 1, b: load 70 (m_axi), division 30, store 1; two loads on a
# channel: 1 more: depth 103, 31 * 4 + 103 - 1 = 226 cycles, 8 times.
CYCLES = {"F": 1024, "I": 8 * 226}
ALL = 1024 + 8 * 226


def features(code: str, **settings: object) -> dict[str, float]:
    """By name, as stored."""
    wanted: dict[str, object] = {
        "part": ZU9EG, "clock_period_ns": 3.33, "tool": "vitis_hls", "tool_version": "2021.2", "stage": "csynth",
        "top": "top", **settings,
    }  # fmt: skip
    values = extract(code, **wanted).values  # type: ignore[arg-type]
    return dict(zip(FEATURE_NAMES, map(float, values), strict=True))


def counted(code: str, **settings: object) -> dict[str, float]:
    """By name, the logarithm undone."""
    return {name: 2**value - 1 for name, value in features(code, **settings).items()}


COUNTS = {
    # loops: F, O, I
    "loops": 3, "loops_pipelined": 2, "loops_plain": 1, "loops_unknown": 0, "loops_parallel": 0, "flattened": 0,
    "automatic": 0, "refused": 0, "unroll_max": 2, "main_copies": 2,
    "trips_total": 1024 + 8 * 32, "max_ii": 4, "mean_ii": (1 * CYCLES["F"] + 4 * CYCLES["I"]) / ALL, "max_depth": 103,
    "latency_innermost": ALL, "latency_ii1": (1024 + 1) + 8 * (32 + 103), "entries_overhead": 1 + 8,
    "main_trips": 32, "main_ii": 4, "main_depth": 103,
    # memory: m 1024 x 32 bits (2 block RAMs), r four registers, the adapter of b (64 bits wide: 3 each way)
    "local_arrays": 3, "local_bits": 1024 * 32 + 4 * 32, "local_largest_bits": 1024 * 32, "local_banks": 2 + 6,
    "register_arrays": 1, "memory_ff": 128 + 487 + 0.77 * 64, "memory_lut": 128 * 0.3 + 550 + 0.98 * 64,
    # arguments: a, b, t; of b and t the size is not known, they count one element
    "param_arrays": 3, "param_bits": 64 * 32 + 64 + 32, "m_axi_ports": 1, "fifos": 1, "scalar_params": 1,
    # cores: two sums, products and divisions an iteration in 4 cycles: one of each, shared or not
    "shared_fadd": 1, "shared_fmul": 1, "shared_ddiv": 1, "unshared_fadd": 1, "unshared_fmul": 1, "unshared_ddiv": 1,
    "shared_dadd": 0, "shared_fdiv": 0, "cf_dsp": 2 + 3, "un_dsp": 2 + 3, "cf_bram_18k": 8,
    # code: `fill` is an instance, `square` part of its caller; statements of top 9, of fill 2
    "functions": 2, "calls": 1, "branches": 1, "stmts": 11,
    # twice a, m and b read in I; twice m and b written in I, r in O, m in F
    "accesses": 6, "accesses_written": 6,
    # i & 3 is wiring; twice in I: compare, product, sum, division, and two addresses of a bus; bits: 1, 32, 32, 64
    "static_ops": 2 * 4 + 2, "live_bits": 1 + 32 + 32 + 64,
    # pragmas
    "pragma_pipeline": 2, "pragma_pipeline_off": 1, "pragma_unroll": 1, "pragma_partition": 1, "pragma_cyclic": 1,
    "pragma_interface": 1, "pragma_block": 0, "pragma_complete": 0, "pragma_reshape": 0, "pragma_inline": 0,
}  # fmt: skip
AS_THEY_ARE = {
    "nest_depth": 2, "main_share": CYCLES["I"] / ALL, "plain_share": 0, "bound_ports_share": 0,
    "bound_recurrence_share": 0, "unroll_log_sum": 1, "partition_log_sum": 2, "reshape_log_sum": 0, "dataflow": 0,
    "float_share": 4 / 10, "double_share": 2 / 10, "clock_ns": 3.33, "year": 21.2, "family_7series": 0, "merlin": 0,
    "impl": 0, "unsafe_math": 0, "vivado_old": 0,
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_a_count(name: str) -> None:
    assert counted(DESIGN)[name] == pytest.approx(COUNTS[name], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_a_share_or_a_setting(name: str) -> None:
    assert features(DESIGN)[name] == pytest.approx(AS_THEY_ARE[name], rel=1e-5)


def test_the_closed_form_stands_in_front() -> None:
    """What the correction starts from is what is shown."""
    row = extract(
        DESIGN, part=ZU9EG, clock_period_ns=3.33, tool="vitis_hls", tool_version="2021.2", stage="csynth", top="top"
    )
    for name, value in row.closed_form.items():
        assert value is not None
        assert row.values[FEATURE_NAMES.index(f"cf_{name}")] == pytest.approx(math.log2(1 + value), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"part": "xc7z020clg484-1"}, {"family_7series": 1, "merlin": 0}),
        ({"part": "xcku040-ffva1156-2-e"}, {"family_7series": 0}),
        ({"stage": "impl"}, {"impl": 1}),
        ({"unsafe_math": True}, {"unsafe_math": 1}),
        ({"tool": "vivado_hls", "tool_version": "2019.2"}, {"vivado_old": 1, "year": 19.2}),
        ({"tool_version": "2020.1"}, {"vivado_old": 0, "year": 20.1}),
        ({"tool": "merlin", "tool_version": "2021.1"}, {"merlin": 1, "year": 21.1}),
        ({"clock_period_ns": 10.0}, {"clock_ns": 10.0}),
    ],
)
def test_settings(settings: dict[str, object], expected: dict[str, float]) -> None:
    found = features(DESIGN, **settings)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


PRAGMAS = [
    ("#pragma HLS array_partition variable=m complete", {"pragma_partition": 1, "pragma_complete": 1}),
    ("#pragma HLS array_partition variable=m block factor=8", {"pragma_block": 1, "partition_log_sum": 3}),
    ("#pragma HLS array_reshape variable=m type=cyclic factor=4", {"pragma_reshape": 1, "reshape_log_sum": 2}),
    ("#pragma HLS bind_op variable=x op=mul impl=fabric", {"pragma_bind_op": 1, "bind_fabric": 1, "bind_dsp": 0}),
    ("#pragma HLS bind_op variable=x op=mul impl=dsp", {"pragma_bind_op": 1, "bind_fabric": 0, "bind_dsp": 1}),
    ("#pragma HLS bind_storage variable=m type=ram_2p", {"pragma_bind_storage": 1}),
    ("#pragma HLS expression_balance off", {"pragma_balance_off": 1}),
    ("#pragma HLS expression_balance", {"pragma_balance_off": 0}),
    ("#pragma HLS dependence variable=m inter false", {"pragma_dependence": 1}),
    ("#pragma HLS stream variable=m", {"pragma_stream": 1}),
    ("#pragma HLS inline off", {"pragma_inline": 1}),
    ("#pragma HLS dataflow", {"pragma_dataflow": 1, "dataflow": 1}),
]


@pytest.mark.parametrize(("pragma", "expected"), PRAGMAS, ids=[pragma for pragma, _ in PRAGMAS])
def test_pragmas_are_counted(pragma: str, expected: dict[str, float]) -> None:
    """Once where they stand; those of a kernel beside this one do not count."""
    code = f"""
void other(int *q) {{
{pragma}
  *q = 1;
}}
void top(int *q) {{
{pragma}
  int m[256], x = *q;
  for (int i = 0; i < 256; i++) m[i] = x * i;
  *q = m[x];
}}
"""
    logs = [name for name in expected if name.endswith("_log_sum") or name == "dataflow"]
    found, counts = features(code), counted(code)
    assert {name: found[name] if name in logs else counts[name] for name in expected} == pytest.approx(expected)


def test_what_is_done_within_a_state_takes_no_cycle() -> None:
    """`a + b` at 10 ns: csynth reports a latency of 0, and the features say so."""
    code = "int top(int a, int b) { return a + b; }"
    row = extract(code, part=ZU9EG, clock_period_ns=10, tool="vitis_hls", tool_version="2021.2", stage="csynth")
    assert row.values[FEATURE_NAMES.index("cf_latency_cycles")] == 0 == row.closed_form["latency_cycles"]


def test_an_unknown_trip_count_leaves_the_nominal_latency() -> None:
    """32 rounds are assumed in the feature; the closed form says nothing."""
    code = "void top(int n, int a[64]) { L: for (int i = 0; i < n; i++) {\n#pragma HLS pipeline\n a[i] = i; } }"
    row = extract(code, part=ZU9EG, clock_period_ns=3.33, tool="vitis_hls", tool_version="2021.2", stage="csynth")
    assert row.closed_form["latency_cycles"] is None
    assert 2 ** float(row.values[FEATURE_NAMES.index("cf_latency_cycles")]) - 1 == pytest.approx(33, abs=2)
    assert counted(code)["loops_unknown"] == pytest.approx(1)


def test_what_bounds_the_ii() -> None:
    """Shares of the cycles of loops that ports, recurrences and guesses bound, and that are not pipelined."""
    ports = "q[i] = m[3 * i] ^ m[3 * i + 1] ^ m[3 * i + 2];"
    recurrence = "m[0] = m[0] / (q[i] + 1);"
    guess = "m[q[i]] = m[q[i]] / 3;"
    code = "void top(int m[256], int q[64]) {{ L: for (int i = 0; i < 64; i++) {{\n#pragma HLS pipeline{}\n {} }} }}"
    assert features(code.format("", ports))["bound_ports_share"] == 1
    found = features(code.format("", recurrence))
    assert (found["bound_recurrence_share"], found["bound_ports_share"], found["guess_share"]) == (1, 0, 0)
    assert features(code.format("", guess))["guess_share"] == 1
    assert features(code.format(" off", ports))["plain_share"] == 1


def test_pragmas_of_merlin() -> None:
    """Factors as sums of log2; a factor of 1 asks for nothing."""
    code = """
void top(int q[256], int m[256]) {
#pragma ACCEL PIPELINE flatten
#pragma ACCEL TILE FACTOR=8
  A: for (int i = 0; i < 256; i++) {
#pragma ACCEL PARALLEL FACTOR=4
    B: for (int j = 0; j < 8; j++) q[i] = q[i] ^ m[j];
  }
#pragma ACCEL TILE FACTOR=1
#pragma ACCEL PARALLEL FACTOR=1
  C: for (int i = 0; i < 256; i++) m[i] = q[i];
}
"""
    settings = {"tool": "merlin", "tool_version": "2021.1", "part": "xcvu9p", "clock_period_ns": 4.0}
    found, counts = features(code, **settings), counted(code, **settings)
    assert (found["tile_log_sum"], found["parallel_log_sum"]) == (3, 2)
    names = ("pragma_pipeline", "pragma_flatten", "pragma_tile", "pragma_parallel")
    assert [counts[name] for name in names] == pytest.approx([1, 1, 1, 1])


def test_what_the_tool_did_by_itself_or_refused() -> None:
    """An innermost loop of 100 pipelined by itself; a flattened nest; a pipeline around a loop of unknown length."""
    code = """
void top(int q[100], int n) {{
  O: for (int k = 0; k < 7; k++) {{
{}
    I: for (int i = 0; i < {}; i++) q[i] = q[i] ^ k;
  }}
}}
"""
    assert counted(code.format("", "100"))["automatic"] == pytest.approx(1)
    assert counted(code.format("", "100"))["flattened"] == pytest.approx(1)
    refused = counted(code.format("#pragma HLS pipeline", "n"))
    assert (refused["refused"], refused["loops_unknown"]) == pytest.approx((1, 2))


def test_loops_and_functions_are_counted_once() -> None:
    """Two calls of one function with the same arrays are one instance."""
    code = """
void f(int q[64]) { A: for (int i = 0; i < 64; i++) q[i] = q[i] ^ 1; }
void top(int q[64]) { f(q); f(q); }
"""
    counts = counted(code)
    assert (counts["functions"], counts["calls"], counts["stmts"]) == pytest.approx((2, 2, 4))


UNSURE = """
void unread(int x[64]);
void top(int a[64], int b[64], int n) {
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j <= i; j++) a[i * 8 + j] = b[j];
  }
  T: for (int i = 0; i < n; i++) {
#pragma HLS loop_tripcount min=1 max=16
    a[i] = b[i];
  }
  U: for (int i = 0; i < 4; i++) {
#pragma HLS unroll
    a[i] = b[i + 4];
  }
  G: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline II=1
    a[b[i] * n] = a[b[i] * i] + 1;
  }
  unread(a);
}
"""


def test_what_makes_an_estimate_unsure_is_counted() -> None:
    """One triangle, one count that is only told, one loop of copies, one II that hangs on addresses, one call."""
    found = counted(UNSURE)
    names = ("trips_vary", "trips_told", "loops_unrolled", "loops_guessed", "unread")
    assert {name: round(found[name]) for name in names} == dict.fromkeys(names, 1)
    assert all(counted(DESIGN)[name] == 0 for name in names)
