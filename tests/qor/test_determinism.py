"""The same answer in every process, wherever the objects of a program come to lie in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import comb

import pytest

# Twelve sums of one latency in an unrolled loop, so that all of them bound the II alike: of these the one that the
# source writes first is named. Operators five triangular loops deep are counted by averages that are no whole numbers.
SOURCE = """
#define N 23
void top(float a[4096], float out[12], float t[N][N][N][N][N], float p[100]) {
  float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0, s8 = 0, s9 = 0, s10 = 0, s11 = 0;
  sums: for (int i = 0; i < 1024; i++) {
#pragma HLS pipeline
    for (int j = 0; j < 4; j++) {
      float v = a[4 * i + j];
      s7 += v; s2 += v; s11 += v; s5 += v; s0 += v; s9 += v; s3 += v; s10 += v; s1 += v; s8 += v; s4 += v; s6 += v;
    }
  }
  out[0] = s0; out[1] = s1; out[2] = s2; out[3] = s3; out[4] = s4; out[5] = s5;
  out[6] = s6; out[7] = s7; out[8] = s8; out[9] = s9; out[10] = s10; out[11] = s11;
  deep: for (int r = 0; r < 100; r++) {
#pragma HLS pipeline
    for (int i = 0; i < N; i++)
      for (int j = 0; j <= i; j++)
        for (int k = 0; k <= j; k++)
          for (int l = 0; l <= k; l++)
            for (int m = 0; m <= l; m++)
              p[r] += 1.0f / t[i][j][k][l][m];
  }
}
"""

SCRIPT = """
import json, sys
count = int(sys.argv[1])
junk = [object() for _ in range(count)] + [bytearray(16 * (i % 37)) for i in range(count)]
from hwml_sdk.qor.closed_form.design import estimate_source, make_target
kept = junk[::3]
del junk
target = make_target("xczu9eg-ffvb1156-2-i", 10.0, "vitis_hls", "2022.1")
found = estimate_source(sys.stdin.read(), top="top", target=target)
sums, deep = found.top.loops
divisions = [n for (kind, type_), n in deep.region.counts.items() if kind == "div"]
print(json.dumps([sums.bound.by, divisions, [found.lut, found.dsp, found.ff, found.nominal_cycles]]))
"""


@pytest.fixture(scope="module")
def answers() -> list[tuple[str, list[float], list[float]]]:
    """What six processes say that have filled their memory in different ways before."""
    found = []
    for count in (0, 1, 7, 333, 5_000, 100_003):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(count)], input=SOURCE, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": str(count)}, timeout=240,
        )  # fmt: skip
        found.append(tuple(json.loads(done.stdout)))
    return found


def test_of_equal_recurrences_the_first_in_the_source_is_named(
    answers: list[tuple[str, list[float], list[float]]],
) -> None:
    assert {by for by, _, _ in answers} == {"recurrence through s7"}


def test_copies_of_triangular_loops_are_multiplied_in_one_order(
    answers: list[tuple[str, list[float], list[float]]],
) -> None:
    """Innermost rounds: multisets of 5 of 23 values, C(27, 5) = 80,730.

    23 x 12 x 8.333 x 6.5 x 5.4 gives it in double precision; 94 of the 120 orders miss by a last digit.
    """
    assert {tuple(divisions) for _, divisions, _ in answers} == {(float(comb(27, 5)),)}


def test_every_figure_is_the_same_in_every_process(answers: list[tuple[str, list[float], list[float]]]) -> None:
    assert len({tuple(figures) for _, _, figures in answers}) == 1
