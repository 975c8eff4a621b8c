"""II and cycles of small kernels, each derived by hand from the tool's documented rules; the comment is the derivation.

Settings unless a case says otherwise: xcu280 at 3.33 ns, Vitis HLS 2023.2. Latencies in cycles there (operators.py):
float add 4, mul 3, div 11; double add 6, mul 6; 32-bit integer add 0 (combinational), mul 2; memory load 2 (address,
data), store 1. Rules: recurrence II = ceil(latency around the cycle / distance), resource II = ceil(accesses / ports)
(Rau 1994); two ports a memory bank, partitioning, unrolling, flattening, automatic pipelining, dataflow as in UG1399.

A pipelined loop takes (trips - 1) * II + depth cycles. The tool's reports differ from one another by a few states at
entry and exit, so cycles are compared with a slack of 4 a loop entry; II and trips exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, FunctionResult, LoopResult

SLACK = 4.0


@dataclass(frozen=True)
class Case:
    """A kernel and what was derived: II of each loop that stays (None: not pipelined), cycles of loops and in all."""

    name: str
    code: str
    ii: Mapping[str, int | None]
    cycles: Mapping[str, float] = field(default_factory=dict)
    total: float | None = None
    slack: float = SLACK
    part: str = "xcu280-fsvh2892-2L-e"
    clock: float = 3.33
    tool: str = "vitis_hls"
    version: str = "2023.2"


def estimate(case: Case) -> Estimate:
    target = make_target(case.part, case.clock, case.tool, case.version)
    return estimate_source(case.code, path="k.cpp", top="k", target=target, options=make_options(target))


def loops(result: FunctionResult) -> Iterator[LoopResult]:
    """Loops that stay loops; of a flattened nest the outermost, which stands for all."""
    pending = list(result.loops)
    while pending:
        loop = pending.pop(0)
        yield loop
        pending += [child for child in loop.children if not child.flattened]
    for call in result.calls:
        yield from loops(call.callee)


def check(case: Case) -> None:
    found = estimate(case)
    kept = {"+".join(item.name for item in loop.members): loop for loop in loops(found.top)}
    assert {name: loop.ii for name, loop in kept.items()} == dict(case.ii)
    for name, cycles in case.cycles.items():
        assert kept[name].cycles == pytest.approx(cycles, abs=case.slack), name
    if case.total is not None:
        assert found.latency_cycles == pytest.approx(case.total, abs=case.slack)


RECURRENCES = [
    # s = s + a[i]: an integer adder is combinational, the register closes the cycle in one clock: II 1.
    # 99 * 1 + load 2 + add 1.
    Case("int sum", """
int k(int a[100]) {
  int s = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    s += a[i];
  }
  return s;
}""", {"L": 1}, {"L": 102}),
    # The float adder takes 4 cycles from operand to register, distance 1: II 4 (as 3.33 ns reports show).
    # 99 * 4 + load 2 + add 4.
    Case("float sum", """
float k(float a[100]) {
  float s = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=1
    s += a[i];
  }
  return s;
}""", {"L": 4}, {"L": 402}),
    # The same at 4 ns: 3 cycles. 99 * 3 + 2 + 3.
    Case("float sum at 4 ns", """
float k(float a[100]) {
  float s = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    s += a[i];
  }
  return s;
}""", {"L": 3}, {"L": 302}, clock=4.0),
    # Double adder: 6. 49 * 6 + 2 + 6.
    Case("double sum", """
double k(double a[50]) {
  double s = 0;
  L: for (int i = 0; i < 50; i++) {
#pragma HLS pipeline
    s += a[i];
  }
  return s;
}""", {"L": 6}, {"L": 302}),
    # Product: float multiplier 3. 63 * 3 + 2 + 3.
    Case("float product", """
float k(float a[64]) {
  float p = 1;
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    p *= a[i];
  }
  return p;
}""", {"L": 3}, {"L": 194}),
    # The multiplication stands before the recurrence: only the adder is in the cycle: II 4. 99 * 4 + 2 + 3 + 4.
    Case("float multiply-accumulate", """
float k(float a[100], float b[100]) {
  float s = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    s += a[i] * b[i];
  }
  return s;
}""", {"L": 4}, {"L": 405}),
    # Horner: multiplier and adder are both in the cycle: 3 + 4 = 7. 31 * 7 + 2 + 7 at most (the load overlaps).
    Case("Horner", """
float k(float a[32], float x) {
  float s = 0;
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    s = s * x + a[i];
  }
  return s;
}""", {"L": 7}, {"L": 225}),
    # Two float additions to one accumulator, one after the other, may not be reordered: 4 + 4 = 8.
    Case("two dependent additions", """
float k(float a[40], float b[40]) {
  float s = 0;
  L: for (int i = 0; i < 40; i++) {
#pragma HLS pipeline
    s += a[i];
    s += b[i];
  }
  return s;
}""", {"L": 8}, {"L": 328}),
    # s + (a + b): the programmer's parentheses leave one addition in the cycle: II 4.
    Case("parentheses shorten the cycle", """
float k(float a[40], float b[40]) {
  float s = 0;
  L: for (int i = 0; i < 40; i++) {
#pragma HLS pipeline
    s += (a[i] + b[i]);
  }
  return s;
}""", {"L": 4}, {"L": 172}),
    # Element four iterations back: load 2 + add 4 + store 1 = 7 cycles over distance 4: ceil(7 / 4) = 2.
    Case("distance 4", """
void k(float y[104], float a[104]) {
  L: for (int i = 4; i < 104; i++) {
#pragma HLS pipeline
    y[i] = y[i - 4] + a[i];
  }
}""", {"L": 2}, {"L": 205}),
    # Eight back: ceil(7 / 8) = 1.
    Case("distance 8", """
void k(float y[108], float a[108]) {
  L: for (int i = 8; i < 108; i++) {
#pragma HLS pipeline
    y[i] = y[i - 8] + a[i];
  }
}""", {"L": 1}, {"L": 106}),
    # Reading ahead (y[i + 1], written later) is no recurrence: II 1.
    Case("anti-dependence", """
void k(float y[101], float a[101]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    y[i] = y[i + 1] + a[i];
  }
}""", {"L": 1}, {"L": 106}),
    # Comparison and selection are combinational: a running maximum of integers has II 1.
    Case("running maximum", """
int k(int a[100]) {
  int m = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    m = a[i] > m ? a[i] : m;
  }
  return m;
}""", {"L": 1}, {"L": 102}),
    # Division in the cycle: 11. 15 * 11 + 2 + 11.
    Case("float division", """
float k(float a[16]) {
  float x = 1;
  L: for (int i = 0; i < 16; i++) {
#pragma HLS pipeline
    x = a[i] / x;
  }
  return x;
}""", {"L": 11}, {"L": 178}),
    # Shift register of bits: logic only, II 1.
    Case("shift register", """
unsigned k(unsigned seed) {
  unsigned s = seed;
  L: for (int i = 0; i < 200; i++) {
#pragma HLS pipeline
    s = (s >> 1) ^ ((s & 1) << 31);
  }
  return s;
}""", {"L": 1}, {"L": 201}),
    # c[j] is met again after the 64 iterations of j: in the flattened nest load 2 + add 4 + store 1 fit: II 1.
    # 8 * 64 trips, depth 2 + mul 3 + add 4 + store 1.
    Case("accumulation with the reduction outside", """
void k(float c[64], float a[8], float b[8][64]) {
  K: for (int i = 0; i < 8; i++)
    J: for (int j = 0; j < 64; j++) {
#pragma HLS pipeline
      c[j] += a[i] * b[i][j];
    }
}""", {"K+J": 1}, {"K+J": 521}),
    # The textbook matrix product: c[i][j] is met again in the next iteration of k: II 4; one nest of 4096 trips.
    Case("matrix product, reduction inside", """
void k(float a[16][16], float b[16][16], float c[16][16]) {
  I: for (int i = 0; i < 16; i++)
    J: for (int j = 0; j < 16; j++)
      K: for (int k = 0; k < 16; k++) {
#pragma HLS pipeline
        c[i][j] += a[i][k] * b[k][j];
      }
}""", {"I+J+K": 4}, {"I+J+K": 4095 * 4 + 10}),
]  # fmt: skip

PORTS = [
    # Four loads of one memory with two ports: ceil(4 / 2) = 2. 24 * 2 + load 2 + (second pair one later) + adds.
    Case("four loads", """
void k(int a[100], int b[25]) {
  L: for (int i = 0; i < 25; i++) {
#pragma HLS pipeline
    b[i] = a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3];
  }
}""", {"L": 2}, {"L": 53}),
    # Three loads: ceil(3 / 2) = 2.
    Case("three-point stencil", """
void k(int a[102], int b[102]) {
  L: for (int i = 1; i < 101; i++) {
#pragma HLS pipeline
    b[i] = a[i - 1] + a[i] + a[i + 1];
  }
}""", {"L": 2}, {"L": 203}),
    # One load and one store of the same element: two ports, no recurrence: II 1.
    Case("increment in place", """
void k(int a[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    a[i] = a[i] + 1;
  }
}""", {"L": 1}, {"L": 102}),
    # Two loads and a store on one memory: ceil(3 / 2) = 2.
    Case("two loads and a store", """
void k(int a[64]) {
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    a[i] = a[i] + a[i + 32];
  }
}""", {"L": 2}, {"L": 65}),
    # Unrolled by 8 without partition: 8 loads and 8 stores on a memory each: 8 / 2 = 4; 16 trips.
    Case("unrolled, not partitioned", """
void k(int a[128], int b[128]) {
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
    b[i] = a[i] * 3;
  }
}""", {"L": 4}, {"L": 15 * 4 + 5}, slack=6),
    # Cyclic by 4: copies 0 and 4 of 8 share a bank: 2 accesses a bank, 2 ports: II 1.
    Case("cyclic by 4, unrolled by 8", """
void k(int a[128], int b[128]) {
#pragma HLS array_partition variable=a cyclic factor=4
#pragma HLS array_partition variable=b cyclic factor=4
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
    b[i] = a[i] + 3;
  }
}""", {"L": 1}, {"L": 18}),
    # Cyclic by 2: 4 accesses a bank: II 2.
    Case("cyclic by 2, unrolled by 8", """
void k(int a[128], int b[128]) {
#pragma HLS array_partition variable=a cyclic factor=2
#pragma HLS array_partition variable=b cyclic factor=2
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
    b[i] = a[i] + 3;
  }
}""", {"L": 2}, {"L": 33}),
    # Block: eight neighbours lie in one block of 32: 8 / 2 = 4, as without partition.
    Case("block partition does not part neighbours", """
void k(int a[128], int b[128]) {
#pragma HLS array_partition variable=a block factor=4
#pragma HLS array_partition variable=b block factor=4
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
    b[i] = a[i] + 3;
  }
}""", {"L": 4}, {"L": 63}, slack=6),
    # Block by 4 of 128, accesses 32 apart: each in a block of its own: II 1.
    Case("block partition parts distant elements", """
void k(int a[128], int b[32]) {
#pragma HLS array_partition variable=a block factor=4
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    b[i] = a[i] + a[i + 32] + a[i + 64] + a[i + 96];
  }
}""", {"L": 1}, {"L": 35}),
    # Complete: registers; nothing binds.
    Case("complete partition", """
void k(int a[64], int b[8]) {
#pragma HLS array_partition variable=a complete
  L: for (int i = 0; i < 8; i++) {
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 8; j++) s += a[8 * i + j];
    b[i] = s;
  }
}""", {"L": 1}, {"L": 10}),
    # Reshaped by 4: one wide word holds the four elements of an iteration: II 1.
    Case("reshape", """
void k(int a[128], int b[128]) {
#pragma HLS array_reshape variable=a cyclic factor=4
#pragma HLS array_reshape variable=b cyclic factor=4
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
    b[i] = a[i] + 3;
  }
}""", {"L": 1}, {"L": 34}),
    # Partition of the second dimension, which the unrolled loop runs along: 16 banks, one access each: II 1.
    Case("partition of the right dimension", """
void k(int a[32][16], int b[32]) {
#pragma HLS array_partition variable=a complete dim=2
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 16; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"L": 1}, {"L": 36}),
    # Of the first dimension: all 16 accesses are in row i, one bank: 16 / 2 = 8.
    Case("partition of the wrong dimension", """
void k(int a[32][16], int b[32]) {
#pragma HLS array_partition variable=a cyclic factor=16 dim=1
  L: for (int i = 0; i < 32; i++) {
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 16; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"L": 8}, {"L": 31 * 8 + 11}, slack=6),
    # A stream gives one element a cycle: two reads an iteration: II 2.
    Case("two reads of one stream", """
#include "hls_stream.h"
void k(hls::stream<int> &in, hls::stream<int> &out) {
  L: for (int i = 0; i < 50; i++) {
#pragma HLS pipeline
    int x = in.read();
    int y = in.read();
    out.write(x + y);
  }
}""", {"L": 2}, {"L": 101}),
    # One read, one write of different streams: II 1.
    Case("stream to stream", """
#include "hls_stream.h"
void k(hls::stream<int> &in, hls::stream<int> &out) {
  L: for (int i = 0; i < 50; i++) {
#pragma HLS pipeline
    out.write(in.read() + 1);
  }
}""", {"L": 1}, {"L": 51}),
    # m_axi arrays of one bundle share one read channel (UG1399, INTERFACE bundle): two reads an iteration: II 2.
    Case("two m_axi arrays in one bundle", """
void k(int *a, int *b, int *c) {
#pragma HLS interface m_axi port=a bundle=one
#pragma HLS interface m_axi port=b bundle=one
#pragma HLS interface m_axi port=c bundle=two
  L: for (int i = 0; i < 1000; i++) {
#pragma HLS pipeline
    c[i] = a[i] + b[i];
  }
}""", {"L": 2}, {"L": 2008}, slack=4),
    # Bundles of their own: II 1; depth: a request takes 7 states in the Vivado flow (latency 0).
    Case("two m_axi arrays in two bundles", """
void k(int *a, int *b, int *c) {
#pragma HLS interface m_axi port=a bundle=one
#pragma HLS interface m_axi port=b bundle=two
#pragma HLS interface m_axi port=c bundle=three
  L: for (int i = 0; i < 1000; i++) {
#pragma HLS pipeline
    c[i] = a[i] + b[i];
  }
}""", {"L": 1}, {"L": 1008}, slack=4),
]  # fmt: skip

NESTS = [
    # A perfect nest is flattened: 200 trips, II 1: 199 + load 2 + store 1.
    Case("flattened nest", """
void k(int a[10][20], int b[10][20]) {
  I: for (int i = 0; i < 10; i++)
    J: for (int j = 0; j < 20; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
}""", {"I+J": 1}, {"I+J": 202}),
    # Sizes that come with the call stay what they are in the nest: one loop in a loop table of Vitis HLS 2024.2.
    Case("flattened nest of given sizes", """
void k(int a[16][16], int b[16][16], int rows, int columns) {
  I: for (int i = 0; i < rows; i++) {
#pragma HLS loop_tripcount min=16 max=16
    J: for (int j = 0; j < columns; j++) {
#pragma HLS loop_tripcount min=16 max=16
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
  }
}""", {"I+J": 1}, {"I+J": 258}),
    # The inner bound is another one in every round: two loops, and each round fills the pipeline. Whether another round
    # follows hangs on what this one loads: a load of two states, then two comparisons and a choice: II 3.
    Case("a bound that the nest changes", """
void k(int a[16][16], int b[16][16], int rows, int columns) {
  I: for (int i = 0; i < rows; i++) {
#pragma HLS loop_tripcount min=16 max=16
    J: for (int j = 0; j < columns; j++) {
#pragma HLS loop_tripcount min=16 max=16
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
      if (a[i][j] == 7) columns = 4;
    }
  }
}""", {"I": None, "J": 3}, {"I": 16 * (15 * 3 + 5), "J": 15 * 3 + 3}, slack=44),
    # A triangle: two loops.
    Case("a bound that is the outer counter", """
void k(int a[16][16], int b[16][16], int rows) {
  I: for (int i = 0; i < rows; i++) {
#pragma HLS loop_tripcount min=16 max=16
    J: for (int j = 0; j < i; j++) {
#pragma HLS loop_tripcount min=16 max=16
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
  }
}""", {"I": None, "J": 1}, {"I": 16 * 20, "J": 18}, slack=44),
    # loop_flatten off: the pipeline drains after each row: 10 * (19 + 3 + two states to enter and leave); 11 entries.
    Case("flattening switched off", """
void k(int a[10][20], int b[10][20]) {
  I: for (int i = 0; i < 10; i++)
    J: for (int j = 0; j < 20; j++) {
#pragma HLS loop_flatten off
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
}""", {"I": None, "J": 1}, {"I": 10 * 24, "J": 22}, slack=44),
    # Code beside the inner loop is done in its first and last round: 2,000 trips, drain and the store of the product.
    Case("imperfect nest", """
void k(int a[10][200], int b[10]) {
  I: for (int i = 0; i < 10; i++) {
    int s = 0;
    J: for (int j = 0; j < 200; j++) {
#pragma HLS pipeline
      s += a[i][j];
    }
    b[i] = s * s;
  }
}""", {"I+J": 1}, {"I+J": 2000 + 5}),
    # Pipelining the outer loop unrolls the inner: 4 loads of one memory: II 2; 100 trips.
    Case("pipelined outer loop", """
void k(int a[100][4], int b[100]) {
  I: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 4; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"I": 2}, {"I": 203}),
    # The requested II is a lower limit: 49 * 3 + 3.
    Case("requested II", """
void k(int a[50], int b[50]) {
  L: for (int i = 0; i < 50; i++) {
#pragma HLS pipeline II=3
    b[i] = a[i] + 1;
  }
}""", {"L": 3}, {"L": 150}),
    # UG1399, pipeline_loops: an innermost loop of more than 64 trips is pipelined without being asked.
    Case("automatic pipelining over 64 trips", """
void k(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
}""", {"L": 1}, {"L": 102}),
    # No parent: pipelined whatever its length.
    Case("automatic pipelining of a lone short loop", """
void k(int a[16], int b[16]) {
  L: for (int i = 0; i < 16; i++) b[i] = a[i] + 1;
}""", {"L": 1}, {"L": 18}),
    # Inner of 4 trips (<= 64), parent of 100: the parent is pipelined and the inner unrolled: 4 loads / 2 ports: II 2.
    Case("automatic pipelining of the parent", """
void k(int a[100][4], int b[100]) {
  I: for (int i = 0; i < 100; i++) {
    int s = 0;
    J: for (int j = 0; j < 4; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"I": 2}, {"I": 203}),
    # Both short, perfect: the innermost is pipelined and the nest flattened: 160 trips.
    Case("automatic pipelining of a short nest", """
void k(int a[10][16], int b[10][16]) {
  I: for (int i = 0; i < 10; i++)
    J: for (int j = 0; j < 16; j++) b[i][j] = a[i][j] + 1;
}""", {"I+J": 1}, {"I+J": 162}),
    # pipeline off: one iteration after the other: load 2 + store 1, and no less than 2 states: 100 * 2 to 100 * 4.
    Case("pipelining switched off", """
void k(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline off
    b[i] = a[i] + 1;
  }
}""", {"L": None}, {"L": 300}, slack=101),
    # Vivado HLS pipelines nothing by itself.
    Case("no automatic pipelining in 2019.2", """
void k(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
}""", {"L": None}, {"L": 300}, tool="vivado_hls", version="2019.2", slack=101),
    # Fully unrolled: no loop is left; 8 loads and stores over 2 ports each: 4 cycles and the latency of one.
    Case("full unroll", """
void k(int a[8], int b[8]) {
  for (int i = 0; i < 8; i++) {
#pragma HLS unroll
    b[i] = a[i] + 1;
  }
}""", {}, total=7),
    # Unrolled by 4 in a pipeline: ceil(30 / 4) = 8 trips; integer tree, 4 loads / 2 ports: II 2.
    Case("unroll that does not divide", """
int k(int a[30]) {
  int s = 0;
  L: for (int i = 0; i < 30; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
    s += a[i];
  }
  return s;
}""", {"L": 2}, {"L": 17}),
    # A pipelined function has no loops left.
    Case("pipelined function", """
int k(int a[8]) {
#pragma HLS pipeline
#pragma HLS array_partition variable=a complete
  int s = 0;
  for (int i = 0; i < 8; i++) s += a[i];
  return s;
}""", {}, total=3),
    # An inner bound that depends on the outer variable: sum of i for i < 64 = 2016 iterations in 64 entries.
    Case("triangular nest", """
void k(int a[64][64], int b[64]) {
  I: for (int i = 0; i < 64; i++) {
    int s = 0;
    J: for (int j = 0; j < i; j++) {
#pragma HLS pipeline
      s += a[i][j];
    }
    b[i] = s;
  }
}""", {"I": None, "J": 1}, {"I": 64 * (63 + 5)}, slack=64),
    # Both arms of an `if` are built and selected between: II stays 1.
    Case("if-conversion", """
void k(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    if (a[i] > 3) b[i] = a[i] + 1;
    else b[i] = a[i] - 1;
  }
}""", {"L": 1}, {"L": 102}),
    # A called function without loops is inlined: like writing its body. 99 + 2 + 3 + 4 + 1.
    Case("inlined call", """
float f(float x, float y) { return x * y + 1.0f; }
void k(float a[100], float b[100], float c[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    c[i] = f(a[i], b[i]);
  }
}""", {"L": 1}, {"L": 109}),
    # A function with a loop, called in a loop: each of 10 calls runs its 100 iterations: 10 * (102 + call).
    Case("call of a function with a loop", """
void f(int a[100], int b[100]) {
  L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
    b[j] = a[j] + 1;
  }
}
void k(int a[100], int b[100]) {
  I: for (int i = 0; i < 10; i++) f(a, b);
}""", {"I": None, "L": 1}, {"I": 10 * 105}, slack=30),
    # Two loops one after the other, as the second needs what the first wrote: 102 + 52.
    Case("sequence", """
void k(int a[100], int b[100], int d[50]) {
  A: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
  B: for (int i = 0; i < 50; i++) d[i] = b[i] + 1;
}""", {"A": 1, "B": 1}, {"A": 102, "B": 52}, total=156, slack=6),
    # Pipelined loops are functions from 2022.1 on; these share nothing and start together: the longer one, 102.
    Case("side by side", """
void k(int a[100], int b[100], int c[50], int d[50]) {
  A: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
  B: for (int i = 0; i < 50; i++) d[i] = c[i] + 1;
}""", {"A": 1, "B": 1}, {"A": 102, "B": 52}, total=104, slack=6),
    # Vitis HLS 2021.1 left them in one state machine, one after the other: 102 + 52.
    Case("one after the other", """
void k(int a[100], int b[100], int c[50], int d[50]) {
  A: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
  B: for (int i = 0; i < 50; i++) d[i] = c[i] + 1;
}""", {"A": 1, "B": 1}, {"A": 102, "B": 52}, total=156, slack=6, version="2021.1"),
    # C waits for A and B (102), not for their sum; D reads the memory that C reads, which has no ports to spare: 52.
    Case("joins", """
void k(int a[100], int b[100], int c[50], int d[50], int e[50], int f[50]) {
  A: for (int i = 0; i < 100; i++) b[i] = a[i] + 1;
  B: for (int i = 0; i < 50; i++) d[i] = c[i] + 1;
  C: for (int i = 0; i < 50; i++) e[i] = b[i] + d[i];
  D: for (int i = 0; i < 50; i++) f[i] = b[i];
}""", {"A": 1, "B": 1, "C": 1, "D": 1}, {"A": 102, "B": 52, "C": 52, "D": 52}, total=206, slack=8),
    # A sum that both loops add to keeps their order, and so does one bundle of m_axi: 4 * 100 + 4 * 50.
    Case("shared sum", """
float k(float a[100], float b[50]) {
  float s = 0;
  A: for (int i = 0; i < 100; i++) s += a[i];
  B: for (int i = 0; i < 50; i++) s += b[i];
  return s;
}""", {"A": 4, "B": 4}, {"A": 405, "B": 205}, total=612, slack=8),
    # Copies into buffers of their own run side by side, 1,000 elements each; the loop waits for both: 1,000 + 1,002.
    Case("copies", """
#include <string.h>
void k(int a[1000], int b[1000], int c[1000]) {
  int x[1000], y[1000];
  memcpy(x, a, 4000);
  memcpy(y, b, 4000);
  L: for (int i = 0; i < 1000; i++) c[i] = x[i] + y[i];
}""", {"L": 1}, {"L": 1002}, total=2006, slack=8),
    # Eight lanes a cycle into ten cyclic banks. The tool pipelines J by itself and unrolls the inner loop after b was
    # split: the bank, (j + l) % 10, is found at run time, each lane takes a port of each bank: 8 / 2.
    Case("late lanes, ten banks", """
void k(int a[1000], int b[50][160]) {
#pragma HLS array_partition variable=b cyclic factor=10 dim=2
  I: for (int i = 0; i < 50; i++)
    J: for (int j = 0; j < 160; j += 8) {
      int v = a[i * 20 + j / 8];
      for (int l = 0; l < 8; l++) b[i][j + l] = v + l;
    }
}""", {"I+J": 4}),
    # j moves in steps of 8, so that the lane alone says which of eight banks: 1.
    Case("late lanes, eight banks", """
void k(int a[1000], int b[50][160]) {
#pragma HLS array_partition variable=b cyclic factor=8 dim=2
  I: for (int i = 0; i < 50; i++)
    J: for (int j = 0; j < 160; j += 8) {
      int v = a[i * 20 + j / 8];
      for (int l = 0; l < 8; l++) b[i][j + l] = v + l;
    }
}""", {"I+J": 1}),
    # Of sixteen banks two are possible for each lane, no two lanes share one: 1.
    Case("late lanes, sixteen banks", """
void k(int a[1000], int b[50][160]) {
#pragma HLS array_partition variable=b cyclic factor=16 dim=2
  I: for (int i = 0; i < 50; i++)
    J: for (int j = 0; j < 160; j += 8) {
      int v = a[i * 20 + j / 8];
      for (int l = 0; l < 8; l++) b[i][j + l] = v + l;
    }
}""", {"I+J": 1}),
    # A pipeline pragma unrolls before arrays are split: neighbours are told apart, one lane a bank: 1.
    Case("early lanes, ten banks", """
void k(int a[1000], int b[50][160]) {
#pragma HLS array_partition variable=b cyclic factor=10 dim=2
  I: for (int i = 0; i < 50; i++)
    J: for (int j = 0; j < 160; j += 8) {
#pragma HLS pipeline
      int v = a[i * 20 + j / 8];
      for (int l = 0; l < 8; l++) b[i][j + l] = v + l;
    }
}""", {"I+J": 1}),
    # A 3 x 3 window: flattened it has 9 iterations, under 64, so that J is pipelined and the window unrolled. 9 loads
    # of a (and of w) on 2 ports: II 5; I holds nothing but J and is flattened: 2,479 * 5 + load, mul, sums, store.
    Case("window", """
void k(int a[42][64], int w[3][3], int b[40][62]) {
  I: for (int i = 0; i < 40; i++)
    J: for (int j = 0; j < 62; j++) {
      int s = 0;
      for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++) s += a[i + y][j + x] * w[y][x];
      b[i][j] = s;
    }
}""", {"I+J": 5}, {"I+J": 2479 * 5 + 12}, slack=8),
    # 10 x 10 is 100 iterations, over 64: the nest stays a loop, and takes in what J around it does.
    Case("window over the threshold", """
void k(int a[64], int w[10][10], int b[64]) {
  J: for (int j = 0; j < 54; j++) {
    int s = 0;
    Y: for (int y = 0; y < 10; y++)
      X: for (int x = 0; x < 10; x++) s += a[j + x] * w[y][x];
    b[j] = s;
  }
}""", {"J+Y+X": 1}),
    # Y is unrolled by its pragma, so that the parent of the short X is J: all of it unrolled, 16 loads on 2 ports: 8.
    Case("short loop in an unrolled one", """
void k(int a[64][16], int b[64]) {
  J: for (int j = 0; j < 64; j++) {
    int s = j;
    for (int y = 0; y < 4; y++) {
#pragma HLS unroll
      int t = y * j;
      for (int x = 0; x < 4; x++) s += a[j][4 * y + x] ^ t;
    }
    b[j] = s;
  }
}""", {"J": 8}),
    # Eight copies read a[i..i+9] three at a time: 24 loads as written, of 10 elements. 10 loads on 2 ports: 5 (the
    # eight stores to b: 4). 16 rounds.
    Case("overlapping windows", """
void k(int a[130], int b[128]) {
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=8
    b[i] = a[i] ^ a[i + 1] ^ a[i + 2];
  }
}""", {"L": 5}, {"L": 15 * 5 + 5 + 2}),
    # Each copy needs what the one before has just computed, not what is in the memory: of a there is one load and four
    # stores, of b four loads. 5 accesses on 2 ports: 3.
    Case("forwarded between copies", """
void k(int a[129], int b[128]) {
  L: for (int i = 0; i < 128; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
    a[i + 1] = a[i] ^ b[i];
  }
}""", {"L": 3}),
    # The same element read on both ways of a condition is loaded once: 2 loads a cycle, II 1.
    Case("loaded once on two ways", """
void k(int a[64], int c[64], int b[64]) {
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    if (c[i]) b[i] = a[i] + 1;
    else b[i] = a[i] - c[i];
  }
}""", {"L": 1}),
    # max(x, y, m) of integers may be taken in any order, so that the chain through m is one comparison and selection:
    # 2.2 ns at 4 ns: II 1 (in the order written it would be two, 3.5 ns of the 2.9 that are usable: II 2).
    Case("maximum of three", """
void k(int a[64], int b[64], int c[64], int out[1]) {
  int m = 0;
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
    int x = a[i], y = b[i];
    int last = m - c[i];
    m = x > (y > last ? y : last) ? x : (y > last ? y : last);
  }
  out[0] = m;
}""", {"L": 1}, clock=4.0),
    # One look-up a cycle: two ports are enough.
    Case("look-up", """
void k(int at[256], int v[64], int b[256]) {
  int x[64];
  C: for (int i = 0; i < 64; i++) x[i] = v[i];
  L: for (int i = 0; i < 256; i++) {
#pragma HLS pipeline
    b[i] = x[at[i]] + 1;
  }
}""", {"C": 1, "L": 1}),
    # Four look-ups a cycle in a buffer: it has the ports that one needs, four take turns: II 4 for 64 rounds.
    Case("look-ups in turn", """
void k(int at[256], int v[64], int b[256]) {
  int x[64];
  C: for (int i = 0; i < 64; i++) x[i] = v[i];
  L: for (int i = 0; i < 256; i++) {
#pragma HLS pipeline
#pragma HLS unroll factor=4
#pragma HLS array_partition variable=b cyclic factor=4
    b[i] = x[at[i]] + 1;
  }
}""", {"C": 1, "L": 4}, {"L": 63 * 4 + 9}),
    # A step in time is two multiplications in registers, 3 + 3 cycles, and needs the step before: II 6.
    Case("sweeps", """
void k(float out[8]) {
  float a[8], b[8];
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  T: for (int t = 0; t < 40; t++) {
#pragma HLS pipeline
    for (int i = 1; i < 8; i++) b[i] = a[i - 1] * 0.3f;
    for (int i = 1; i < 8; i++) a[i] = b[i] * 0.3f;
  }
  out[0] = a[7];
}""", {"T": 6}),
    # Two steps in one iteration follow one another: II 12 for 20 rounds, no gain.
    Case("sweeps in an unrolled loop", """
void k(float out[8]) {
  float a[8], b[8];
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  T: for (int t = 0; t < 40; t++) {
#pragma HLS pipeline
#pragma HLS unroll factor=2
    for (int i = 1; i < 8; i++) b[i] = a[i - 1] * 0.3f;
    for (int i = 1; i < 8; i++) a[i] = b[i] * 0.3f;
  }
  out[0] = a[7];
}""", {"T": 12}, {"T": 240}),
    # The pragma asks for an II of 2; the nest of three is flattened and keeps it: 2 * 999 + 3.
    Case("flattened with an II", """
void k(int a[10][10][10], int b[10][10][10]) {
  X: for (int i = 0; i < 10; i++)
    Y: for (int j = 0; j < 10; j++)
      Z: for (int l = 0; l < 10; l++) {
#pragma HLS pipeline II=2
        b[i][j][l] = a[i][j][l] + 1;
      }
}""", {"X+Y+Z": 2}, {"X+Y+Z": 2001}),
    # A float expression in a chain: load 2, mul 3, add 4, mul 3, store 1: 99 + 13.
    Case("depth of a chain", """
void k(float a[100], float b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = (a[i] * a[i] + 1.0f) * a[i];
  }
}""", {"L": 1}, {"L": 112}),
]  # fmt: skip

DATAFLOW = [
    # Processes joined by a stream run together: the slower one's 1000 iterations, and the start of the first.
    Case("producer and consumer over a stream", """
#include "hls_stream.h"
void p(int a[1000], hls::stream<int> &s) { P: for (int i = 0; i < 1000; i++) s.write(a[i]); }
void c(hls::stream<int> &s, int b[1000]) { C: for (int i = 0; i < 1000; i++) b[i] = s.read(); }
void k(int a[1000], int b[1000]) {
#pragma HLS dataflow
  hls::stream<int> s;
  p(a, s);
  c(s, b);
}""", {"P": 1, "C": 1}, total=1005, slack=8),
    # The slowest of three stages decides: 500 float additions in a row at II 4.
    Case("slowest stage", """
#include "hls_stream.h"
void p(float a[500], hls::stream<float> &s) { P: for (int i = 0; i < 500; i++) s.write(a[i]); }
void m(hls::stream<float> &s, hls::stream<float> &t) {
  float x = 0;
  M: for (int i = 0; i < 500; i++) { x += s.read(); t.write(x); }
}
void c(hls::stream<float> &t, float b[500]) { C: for (int i = 0; i < 500; i++) b[i] = t.read(); }
void k(float a[500], float b[500]) {
#pragma HLS dataflow
  hls::stream<float> s, t;
  p(a, s);
  m(s, t);
  c(t, b);
}""", {"P": 1, "M": 4, "C": 1}, total=500 * 4 + 8, slack=12),
    # Through an array (ping-pong buffer) the consumer starts when the producer is done: one run takes the sum.
    Case("dataflow through an array", """
void p(int a[1000], int t[1000]) { P: for (int i = 0; i < 1000; i++) t[i] = a[i]; }
void c(int t[1000], int b[1000]) { C: for (int i = 0; i < 1000; i++) b[i] = t[i]; }
void k(int a[1000], int b[1000]) {
#pragma HLS dataflow
  int t[1000];
  p(a, t);
  c(t, b);
}""", {"P": 1, "C": 1}, total=2008, slack=8),
    # The same without dataflow: the sum as well.
    Case("without dataflow", """
void p(int a[1000], int t[1000]) { P: for (int i = 0; i < 1000; i++) t[i] = a[i]; }
void c(int t[1000], int b[1000]) { C: for (int i = 0; i < 1000; i++) b[i] = t[i]; }
void k(int a[1000], int b[1000]) {
  int t[1000];
  p(a, t);
  c(t, b);
}""", {"P": 1, "C": 1}, total=2008, slack=8),
    # Two processes that do not meet run side by side: the longer one.
    Case("independent processes", """
void p(int a[1000], int b[1000]) { P: for (int i = 0; i < 1000; i++) b[i] = a[i]; }
void q(int c[300], int d[300]) { Q: for (int i = 0; i < 300; i++) d[i] = c[i]; }
void k(int a[1000], int b[1000], int c[300], int d[300]) {
#pragma HLS dataflow
  p(a, b);
  q(c, d);
}""", {"P": 1, "Q": 1}, total=1005, slack=8),
]  # fmt: skip

_MERLIN = {"part": "xcvu9p-flgb2104-2-i", "clock": 4.0, "tool": "merlin", "version": "2021.1"}
MERLIN = [
    # `pipeline` on an innermost loop: II 1, as in Vitis HLS: 127 + load 2 + store 1.
    Case("fine-grained pipeline", """
#pragma ACCEL kernel
void k(int a[128], int b[128]) {
#pragma ACCEL PIPELINE
  L: for (int i = 0; i < 128; i++) b[i] = a[i] + 1;
}""", {"L": 1}, {"L": 130}, **_MERLIN),  # type: ignore[arg-type]
    # `parallel` of an innermost loop: copies of the body, memories parted to match: 128 / 4 = 32 trips, II 1.
    Case("parallel innermost loop", """
#pragma ACCEL kernel
void k(int a[128], int b[128]) {
#pragma ACCEL PIPELINE
#pragma ACCEL PARALLEL FACTOR=4
  L: for (int i = 0; i < 128; i++) b[i] = a[i] + 1;
}""", {"L": 1}, {"L": 34}, **_MERLIN),  # type: ignore[arg-type]
    # `pipeline flatten`: everything inside is unrolled, memories parted to match: 64 trips, II 1.
    Case("pipeline flatten", """
#pragma ACCEL kernel
void k(int a[64][8], int b[64]) {
#pragma ACCEL PIPELINE FLATTEN
  I: for (int i = 0; i < 64; i++) {
    int s = 0;
    J: for (int j = 0; j < 8; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"I": 1}, {"I": 68}, **_MERLIN),  # type: ignore[arg-type]
    # A float sum in a parallel loop becomes a tree; the accumulator alone is in the cycle: float add 3 at 4 ns: II 3.
    Case("parallel reduction", """
#pragma ACCEL kernel
float k(float a[128]) {
  float s = 0;
#pragma ACCEL PIPELINE
#pragma ACCEL PARALLEL FACTOR=8
  L: for (int i = 0; i < 128; i++) s += a[i];
  return s;
}""", {"L": 3}, {"L": 15 * 3 + 2 + 12}, slack=8, **_MERLIN),  # type: ignore[arg-type]
    # An innermost loop is pipelined by Merlin without being asked.
    Case("automatic pipelining in Merlin", """
#pragma ACCEL kernel
void k(int a[32], int b[32]) {
#pragma ACCEL PARALLEL FACTOR=1
  L: for (int i = 0; i < 32; i++) b[i] = a[i] + 1;
}""", {"L": 1}, {"L": 34}, **_MERLIN),  # type: ignore[arg-type]
    # Coarse-grained pipeline around two inner loops: nothing overlaps in the reports, 20 rounds of 102 + 52 and change.
    Case("coarse-grained pipeline", """
#pragma ACCEL kernel
void k(int a[20][100], int b[20][100], int c[20][50], int d[20][50]) {
#pragma ACCEL PIPELINE
  I: for (int i = 0; i < 20; i++) {
    A: for (int j = 0; j < 100; j++) b[i][j] = a[i][j] + 1;
    B: for (int j = 0; j < 50; j++) d[i][j] = c[i][j] + 1;
  }
}""", {"I": None, "A": 1, "B": 1}, {"I": 20 * 156}, slack=84, **_MERLIN),  # type: ignore[arg-type]
    # Nor does it keep a perfect nest from becoming one loop: 16 * 100 trips at II 1.
    Case("coarse-grained pipeline of a perfect nest", """
#pragma ACCEL kernel
void k(int a[16][100], int b[16][100]) {
#pragma ACCEL PIPELINE
  I: for (int i = 0; i < 16; i++) {
    J: for (int j = 0; j < 100; j++) b[i][j] = a[i][j] + 1;
  }
}""", {"I+J": 1}, {"I+J": 1602}, **_MERLIN),  # type: ignore[arg-type]
    # Merlin pipelines the innermost loop, however short, not its parent: 100 * (8 trips at II 1, 4 cycles of load, add
    # and exit, 2 to enter the loop and store).
    Case("short innermost loop in Merlin", """
#pragma ACCEL kernel
void k(int a[100][8], int b[100]) {
  I: for (int i = 0; i < 100; i++) {
    int s = 0;
    J: for (int j = 0; j < 8; j++) s += a[i][j];
    b[i] = s;
  }
}""", {"I": None, "J": 1}, {"I": 100 * 11}, slack=100, **{**_MERLIN, "version": "2020.2"}),  # type: ignore[arg-type]
    # Loops one after the other add up when `flatten` unrolls them: 150 copies, not 50^3, which would be refused.
    Case("flatten of loops that follow one another", """
#pragma ACCEL kernel
void k(int a[64][50], int b[64][50], int c[64], int d[64]) {
#pragma ACCEL PIPELINE FLATTEN
  I: for (int i = 0; i < 64; i++) {
    A: for (int j = 0; j < 50; j++) b[i][j] = a[i][j] + c[i];
    B: for (int j = 0; j < 50; j++) a[i][j] = b[i][j] * d[i];
    C: for (int j = 0; j < 50; j++) b[i][j] = a[i][j] + d[i];
  }
}""", {"I": 1}, {"I": 72}, slack=12, **_MERLIN),  # type: ignore[arg-type]
]  # fmt: skip

NESTED_RECURRENCES = [
    # y[7][j] may be what was written 64 trips of the flattened nest ago, never sooner: j comes round then. II 1 holds.
    Case("a subscript that tells nothing beside one that does", """
void k(float y[32][64]) {
  I: for (int i = 0; i < 32; i++) {
    J: for (int j = 0; j < 64; j++) {
#pragma HLS pipeline
      y[i][j] = y[7][j] + 1.0f;
    }
  }
}""", {"I+J": 1}),
]  # fmt: skip

CASES = [*NESTED_RECURRENCES, *RECURRENCES, *PORTS, *NESTS, *DATAFLOW, *MERLIN]


def test_there_are_enough() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_derived_by_hand(case: Case) -> None:
    check(case)


UNKNOWN = """
void k(int a[1000], int n) {
  L: for (int i = 0; i < n; i++) {
#pragma HLS pipeline
    a[i] = a[i] + 1;
  }
}"""


def test_an_unknown_trip_count_gives_no_latency() -> None:
    found = estimate(Case("", UNKNOWN, {}))
    assert found.latency_cycles is None
    assert "L" in found.top.reasons[0]


def test_loop_tripcount_is_taken() -> None:
    code = UNKNOWN.replace("pipeline\n", "pipeline\n#pragma HLS loop_tripcount min=500 max=500\n")
    found = estimate(Case("", code, {}))
    assert found.latency_cycles == pytest.approx(503, abs=4)  # 499 + load 2 + store 1, start and end


def test_an_index_nobody_knows_is_a_guess() -> None:
    """A histogram: two neighbours may name the same bin, so the II is bound by the memory, and that is assumed."""
    code = """
void k(unsigned char in[1000], int bins[256]) {
  L: for (int i = 0; i < 1000; i++) {
#pragma HLS pipeline
    bins[in[i]] += 1;
  }
}"""
    (loop,) = loops(estimate(Case("", code, {})).top)
    assert loop.ii is not None
    # Load 2, add, store 1 when nothing is forwarded: at most 3; never less than the one port pair allows.
    assert 1 <= loop.ii <= 3
    assert loop.bound.guess or loop.ii == 1


def test_dependence_false_lifts_the_recurrence() -> None:
    """UG1399, pragma HLS dependence: `false` tells the tool that no iteration needs another's result."""
    code = """
void k(float a[64], int at[64]) {
  L: for (int i = 0; i < 64; i++) {
#pragma HLS pipeline
#pragma HLS dependence variable=a type=inter dependent=false
    a[at[i]] = a[at[i]] + 1.0f;
  }
}"""
    (loop,) = loops(estimate(Case("", code, {})).top)
    assert loop.ii == 1


@pytest.mark.parametrize(("mode", "ii"), [("bram", 4), ("ap_memory", 4), ("mode=ap_memory", 4), ("ap_fifo", 8)])
def test_a_pointer_with_a_memory_interface_has_its_ports(mode: str, ii: int) -> None:
    """8 reads a round over two ports of a memory, or over the one of a FIFO."""
    code = f"""
void k(int *a, int b[32]) {{
#pragma HLS interface {mode} port=a
  L: for (int i = 0; i < 32; i++) {{
#pragma HLS pipeline
    int s = 0;
    for (int j = 0; j < 8; j++) s += a[8 * i + j];
    b[i] = s;
  }}
}}"""
    (loop,) = loops(estimate(Case("", code, {})).top)
    assert loop.ii == ii


@pytest.mark.parametrize("call", ["memcpy(a, b, n * 4)", "memset(a, 0, n)", "std::copy(b, b + n, a)"])
def test_nobody_knows_how_long_a_copy_behind_pointers_takes(call: str) -> None:
    found = estimate(Case("", f"void k(int *a, int *b, int n) {{ {call}; }}", {}))
    assert found.latency_cycles is None
    assert any("copies is unknown" in cause for cause in found.unknown.of("latency_cycles"))
    assert not found.unknown.of("lut")


def test_a_copy_of_a_number_that_is_known_is_counted() -> None:
    """48 elements, one a cycle, and what starts and ends the loop."""
    found = estimate(Case("", "void k(int a[64], int b[64]) { int n = 3; n *= 16; memcpy(a, b, n * 4); }", {}))
    assert found.latency_cycles is not None
    assert 48 <= found.latency_cycles <= 48 + SLACK


@pytest.mark.parametrize("call", ["std::fill_n(a, -5, 0)", "std::fill(a + 64, a, 0)", "memcpy(a, b, -64)"])
def test_a_copy_of_less_than_nothing_takes_no_rounds(call: str) -> None:
    found = estimate(Case("", f"void k(int a[64], int b[64]) {{ {call}; }}", {}))
    assert found.latency_cycles is not None
    assert found.latency_cycles <= SLACK


@pytest.mark.parametrize("kind", ["ap_uint<12>", "ap_uint<24>", "ap_fixed<20, 4>", "char", "double"])
@pytest.mark.parametrize("call", ["std::fill(a, a + 64, 0)", "memcpy(a, b, 64 * sizeof({}))"])
def test_a_copy_counts_elements_of_any_width(kind: str, call: str) -> None:
    found = estimate(Case("", f"void k({kind} a[64], {kind} b[64]) {{ {call.format(kind)}; }}", {}))
    assert found.latency_cycles is not None
    assert 64 <= found.latency_cycles <= 64 + SLACK


def test_what_is_copied_into_an_array_is_computed() -> None:
    """A product of 32 bits takes 3 DSPs."""
    assert estimate(Case("", "void k(int a[64], int x, int y) { std::fill(a, a + 64, x * y); }", {})).dsp == 3


def test_rounds_with_a_copy_in_them_follow_one_another() -> None:
    code = "void k(int a[6400], int b[64]) { for (int i = 0; i < 100; i++) memcpy(b, a + i * 64, 256); }"
    found = estimate(Case("", code, {}))
    assert found.latency_cycles is not None
    assert found.latency_cycles >= 100 * 64
