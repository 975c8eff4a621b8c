"""Pipelined loops, flattened nests, unrolled loops, automatic pipelining (UG1399, pragmas of these names)."""

from __future__ import annotations

import pytest

from .kit import OFF, U280, closed, loops
from .loops_kit import COPY, LEAVE, TEST, Pin, function, hold, module, pipeline, plain

PIPELINES = [
    # 99 * 1 + 3 states: reports count to the last one; start and end of the module, and the caller sees one more.
    Pin("II 1", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=1
    b[i] = a[i] + 1;
  }
}""", {"L": (1, 100, 99 + 3 - 1)}, 101 + 2),
    # An II that is asked for and more than what is needed is taken: 99 * 3.
    Pin("II 3", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline II=3
    b[i] = a[i] + 1;
  }
}""", {"L": (3, 100, 99 * 3 + 3 - 1)}),
    # One iteration: the depth only.
    Pin("one iteration", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 1; i++) {
#pragma HLS pipeline II=5
    b[i] = a[i] + 1;
  }
}""", {"L": (5, 1, 3 - 1)}),
    # Load 2, float mul 4, add 7, store 1.
    Pin("depth of cores", """
void top(float a[100], float b[100], float x) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = a[i] * x + 1.5f;
  }
}""", {"L": (1, 100, pipeline(100, 1, 2 + 4 + 7 + 1))}),
    # The same at 4 ns, float add 5; and at 10 ns, mul 3, add 4 (states of 2023.2).
    Pin("depth at 4 ns", """
void top(float a[100], float b[100], float x) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = a[i] * x + 1.5f;
  }
}""", {"L": (1, 100, pipeline(100, 1, 2 + 4 + 5 + 1))}, None, {"clock": 4.0}),
    # Labels of data/qor: a product takes its operands in the state that a load ends in.
    Pin("depth at 10 ns", """
void top(float a[100], float b[100], float x) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = a[i] * x + 1.5f;
  }
}""", {"L": (1, 100, pipeline(100, 1, 2 + 1 + 4))}, None, {"clock": 10.0}),
    # Six loads on two ports: ceil(6 / 2) = 3; the last pair comes two cycles after the first. Of the tree's three
    # levels two fit a cycle: load 2, a cycle more for sums, store 1.
    Pin("ports bound II and depth", """
void top(int a[150], int b[25]) {
  L: for (int i = 0; i < 25; i++) {
#pragma HLS pipeline
    b[i] = a[6 * i] + a[6 * i + 1] + a[6 * i + 2] + a[6 * i + 3] + a[6 * i + 4] + a[6 * i + 5];
  }
}""", {"L": (3, 25, pipeline(25, 3, 2 + 1 + 1, turns=3))}),
    # A loop with a bound nobody can unroll inside a pipelined one: the pipeline is refused, the inner loop stays.
    Pin("a variable bound inside", f"""
void top(int a[64], int b[8], int n) {{
  O: for (int i = 0; i < 8; i++) {{
#pragma HLS pipeline
    int s = 0;
    L: for (int j = 0; j < n; j++) {{
#pragma HLS loop_tripcount min=6 max=6
{OFF}
      s += a[j + i];
    }}
    b[i] = s;
  }}
}}""", {"O": (None, 8, plain(8, TEST + plain(6, 2) + LEAVE)), "L": (None, 6, plain(6, 2))}),
]  # fmt: skip

FLATTENING = [
    # Perfect: one loop of 12 * 100, entered once.
    Pin("perfect", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++)
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
}""", {"O+L": (1, 1200, pipeline(1200, 1, COPY))}, function(module(pipeline(1200, 1, COPY)))),
    # Three loops deep.
    Pin("three deep", """
void top(int a[3][4][50], int b[3][4][50]) {
  O: for (int h = 0; h < 3; h++)
    M: for (int i = 0; i < 4; i++)
      L: for (int j = 0; j < 50; j++) {
#pragma HLS pipeline
        b[h][i][j] = a[h][i][j] + 1;
      }
}""", {"O+M+L": (1, 600, pipeline(600, 1, COPY))}),
    # A declaration without a value is no work: still perfect.
    Pin("a declaration between", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++) {
    int t;
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      t = a[i][j] + 1;
      b[i][j] = t;
    }
  }
}""", {"O+L": (1, 1200, pipeline(1200, 1, COPY))}),
    # A store beside the inner loop is made in its last round; before 2023 each round enters the pipeline anew, with a
    # state for a constant's store.
    Pin("a store beside", """
void top(int a[12][100], int b[12][100], int c[12]) {
  O: for (int i = 0; i < 12; i++) {
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
    c[i] = 7;
  }
}""", {"O+L": (1, 1200, pipeline(1200, 1, COPY))}),
    Pin("a store beside before 2023", """
void top(int a[12][100], int b[12][100], int c[12]) {
  O: for (int i = 0; i < 12; i++) {
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
    c[i] = 7;
  }
}""", {
    "O": (None, 12, plain(12, TEST + module(pipeline(100, 1, COPY)) + 1)), "L": (1, 100, pipeline(100, 1, COPY))
    }, None, {"version": "2022.2"}),
    # LOOP_FLATTEN off in the inner loop (where UG1399 wants it) keeps the nest.
    Pin("switched off inside", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++)
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
#pragma HLS loop_flatten off
      b[i][j] = a[i][j] + 1;
    }
}""", {"O": (None, 12, plain(12, TEST + module(pipeline(100, 1, COPY)))), "L": (1, 100, pipeline(100, 1, COPY))}),
    # A triangular nest has no constant number of iterations inside: not flattened; reports count the longest, 16.
    Pin("triangular", """
void top(int a[17][17], int b[17][17]) {
  O: for (int i = 0; i < 17; i++)
    L: for (int j = 0; j < i; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
}""", {"O": (None, 17, plain(17, TEST + module(pipeline(16, 1, COPY)))), "L": (1, 16, pipeline(16, 1, COPY))}),
    # Two loops inside one: no nest. Each is entered 12 times.
    Pin("two loops inside", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++) {
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
    M: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = b[i][j] + 1;
    }
  }
}""", {
        "O": (None, 12, plain(12, TEST + 2 * module(pipeline(100, 1, COPY)))),
        "L": (1, 100, pipeline(100, 1, COPY)), "M": (1, 100, pipeline(100, 1, COPY)),
    }),
    # The II of the nest is that of its innermost loop's pragma.
    Pin("an II of the nest", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++)
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline II=2
      b[i][j] = a[i][j] + 1;
    }
}""", {"O+L": (2, 1200, pipeline(1200, 2, COPY))}),
    # An outer loop that is unrolled by 2 is no perfect nest any more: 6 rounds of two inner loops.
    Pin("an unrolled outer loop", """
void top(int a[12][100], int b[12][100]) {
  O: for (int i = 0; i < 12; i++) {
#pragma HLS unroll factor=2
    L: for (int j = 0; j < 100; j++) {
#pragma HLS pipeline
      b[i][j] = a[i][j] + 1;
    }
  }
}""", {"O": (None, 6, plain(6, TEST + 2 * module(pipeline(100, 1, COPY)))), "L": (1, 100, pipeline(100, 1, COPY))}),
    # A pipelined outer loop: the inner one is gone, its 8 loads and 8 stores take ceil(8 / 2) = 4 turns.
    Pin("pipelined outside", """
void top(int a[30][8], int b[30][8]) {
  O: for (int i = 0; i < 30; i++) {
#pragma HLS pipeline
    L: for (int j = 0; j < 8; j++)
      b[i][j] = a[i][j] + 1;
  }
}""", {"O": (4, 30, pipeline(30, 4, COPY, turns=4))}),
]  # fmt: skip

UNROLLING = [
    # 10 by 4: three rounds (the last one leaves early), not two.
    Pin("not dividing", f"""
void top(int a[10], int b[10]) {{
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  L: for (int i = 0; i < 10; i++) {{
{OFF}
#pragma HLS unroll factor=4
    b[i] = a[i] + 1;
  }}
}}""", {"L": (None, 3, plain(3, 1))}),
    # A factor as large as the trip count, or larger: no loop is left; all in registers: 1 state, no cycle.
    Pin("factor of all", """
void top(int a[10], int b[10]) {
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  L: for (int i = 0; i < 10; i++) {
#pragma HLS unroll factor=10
    b[i] = a[i] + 1;
  }
}""", {}, function(1)),
    Pin("factor of more than all", """
void top(int a[10], int b[10]) {
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  L: for (int i = 0; i < 10; i++) {
#pragma HLS unroll factor=64
    b[i] = a[i] + 1;
  }
}""", {}, function(1)),
    # One below: two rounds of nine.
    Pin("factor of all but one", f"""
void top(int a[10], int b[10]) {{
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  L: for (int i = 0; i < 10; i++) {{
{OFF}
#pragma HLS unroll factor=9
    b[i] = a[i] + 1;
  }}
}}""", {"L": (None, 2, plain(2, 1))}),
    # No factor: all of it.
    Pin("no factor", """
void top(int a[10], int b[10]) {
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  L: for (int i = 0; i < 10; i++) {
#pragma HLS unroll
    b[i] = a[i] + 1;
  }
}""", {}, function(1)),
    # Unrolled whole on whole memories: 10 accesses in five turns on two ports.
    Pin("unrolled on two ports", """
void top(int a[10], int b[10]) {
  L: for (int i = 0; i < 10; i++) {
#pragma HLS unroll
    b[i] = a[i] + 1;
  }
}""", {}, function(COPY + (5 - 1))),
    Pin("factor 1 and off", f"""
void top(int a[10], int b[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
#pragma HLS unroll factor=1
    b[i] = a[i] + 1;
  }}
  M: for (int i = 0; i < 10; i++) {{
{OFF}
#pragma HLS unroll off
    b[i] = a[i] + b[i];
  }}
}}""", {"L": (None, 10, 30), "M": (None, 10, 30)}),
    # A bound nobody knows cannot be unrolled: the loop stays.
    Pin("a bound nobody knows", f"""
void top(int a[10], int b[10], int n) {{
  L: for (int i = 0; i < n; i++) {{
{OFF}
#pragma HLS unroll
#pragma HLS loop_tripcount min=10 max=10
    b[i] = a[i] + 1;
  }}
}}""", {"L": (None, 10, 30)}),
]  # fmt: skip

AUTOMATIC = [
    # 64 iterations are not more than 64, and there is a loop around: that one is pipelined, this one unrolled:
    # 64 loads on two ports: II 32.
    Pin("64: the parent", """
void top(int a[70][64], int b[70]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 64; j++)
      s += a[i][j];
    b[i] = s;
  }
}""", {"O": (32, 70, pipeline(70, 32, 6, turns=32))}),
    # 65 are more: the loop itself, flattened with the one around it.
    Pin("65: the loop itself", """
void top(int a[70][65], int b[70]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 65; j++)
      s += a[i][j];
    b[i] = s;
  }
}""", {"O+L": (1, 70 * 65, pipeline(70 * 65, 1, 2))}),
    # A perfect nest of 8 * 8 = 64 is short as a whole: the loop around it is pipelined, the nest unrolled.
    Pin("a short nest", """
void top(int a[100], int b[8][8]) {
  T: for (int t = 0; t < 100; t++) {
    int s = a[t];
    O: for (int i = 0; i < 8; i++)
      L: for (int j = 0; j < 8; j++)
        s += b[i][j];
    a[t] = s;
  }
}""", {"T": (32, 100, pipeline(100, 32, 6, turns=32))}),
    # 9 * 8 = 72 are more than 64: its innermost loop is pipelined, and all three flattened; what the first round of a
    # nest loads and the last one stores takes a state more.
    Pin("a nest over the threshold", """
void top(int a[100], int b[9][8]) {
  T: for (int t = 0; t < 100; t++) {
    int s = a[t];
    O: for (int i = 0; i < 9; i++)
      L: for (int j = 0; j < 8; j++)
        s += b[i][j];
    a[t] = s;
  }
}""", {"T+O+L": (1, 7200, pipeline(7200, 1, 2 + 1))}),
    # pipeline_loops=5 of hls_config.cfg: six iterations are more, five are not.
    Pin("six over a threshold of five", """
void top(int a[70][6], int b[70]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 6; j++)
      s += a[i][j];
    b[i] = s;
  }
}""", {"O+L": (1, 420, pipeline(420, 1, 2))}, None, {"pipeline_loops": 5}),
    Pin("five at a threshold of five", """
void top(int a[70][5], int b[70]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 5; j++)
      s += a[i][j];
    b[i] = s;
  }
}""", {"O": (3, 70, pipeline(70, 3, COPY + 1, turns=3))}, None, {"pipeline_loops": 5}),
    # pipeline_loops=0 switches it off.
    Pin("switched off in the configuration", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++)
    b[i] = a[i] + 1;
}""", {"L": (None, 100, plain(100, COPY))}, None, {"pipeline_loops": 0}),
    # It came with 2020.1: not in 2019.2 of Vivado HLS.
    Pin("none before 2020.1", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++)
    b[i] = a[i] + 1;
}""", {"L": (None, 100, plain(100, COPY))}, None, {"tool": "vivado_hls", "version": "2019.2"}),
    Pin("there in 2020.1", """
void top(int a[100], int b[100]) {
  L: for (int i = 0; i < 100; i++)
    b[i] = a[i] + 1;
}""", {"L": (1, 100, pipeline(100, 1, COPY))}, None, {"version": "2020.1"}),
    # A pragma on the short inner loop holds it: the parent is not pipelined, the loop is, by itself.
    Pin("a pragma blocks the parent", """
void top(int a[70][8], int b[70]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 8; j++) {
#pragma HLS unroll factor=2
      s += a[i][j];
    }
    b[i] = s;
  }
}""", {"O+L": (1, 280, pipeline(280, 1, 3))}),
    # A second loop beside the short one that stays a loop: both are pipelined by themselves.
    Pin("a loop beside blocks the parent", """
void top(int a[70][8], int b[70], int c[70][100]) {
  O: for (int i = 0; i < 70; i++) {
    int s = 0;
    L: for (int j = 0; j < 8; j++)
      s += a[i][j];
    M: for (int j = 0; j < 100; j++)
      s += c[i][j];
    b[i] = s;
  }
}""", {
        "O": (None, 70, plain(70, TEST + module(pipeline(8, 1, 2)) + module(pipeline(100, 1, 2)) + 1)),
        "L": (1, 8, pipeline(8, 1, 2)), "M": (1, 100, pipeline(100, 1, 2)),
    }),
    # A call of a function with loops inside: no pipeline around it. The call takes a module, the test a state.
    Pin("a call blocks the loop around", """
static void fill(int b[70], int i) {
#pragma HLS inline off
  M: for (int j = 0; j < 70; j++) b[j] = i;
}
void top(int b[70]) {
  O: for (int i = 0; i < 100; i++)
    fill(b, i);
}""", {"O": (None, 100, plain(100, TEST + module(pipeline(70, 1, 1)))), "M": (1, 70, pipeline(70, 1, 1))}),
]  # fmt: skip


@pytest.mark.parametrize("pin", PIPELINES, ids=lambda pin: pin.name)
def test_pipelines(pin: Pin) -> None:
    hold(pin)


@pytest.mark.parametrize("pin", FLATTENING, ids=lambda pin: pin.name)
def test_flattening(pin: Pin) -> None:
    hold(pin)


@pytest.mark.parametrize("pin", UNROLLING, ids=lambda pin: pin.name)
def test_unrolling(pin: Pin) -> None:
    hold(pin)


@pytest.mark.parametrize("pin", AUTOMATIC, ids=lambda pin: pin.name)
def test_automatic_pipelining(pin: Pin) -> None:
    hold(pin)


SIBLINGS = """
void top(int in[512], int out[512]) {
  int w[8];
  R: for (int i = 0; i < 512; i++) {
    A: for (int j = 7; j > 0; j--) w[j] = w[j - 1];
    w[0] = in[i];
    int sum = 0;
    B: for (int j = 0; j < LEAST; j++) sum += w[j & 7];
    out[i] = sum;
  }
}
"""


@pytest.mark.parametrize(("rounds", "pipelined"), [("8", True), ("64", True), ("65", False), ("in[0]", False)])
def test_a_loop_around_short_loops_beside_one_another_is_pipelined_by_itself(rounds: str, pipelined: bool) -> None:
    """As labelled designs show: a window that is moved and added up takes 1,040 cycles for 1,024 elements."""
    code = SIBLINGS.replace("LEAST", rounds)
    assert (loops(closed(code, part=U280, clock=10.0))["R"].ii is not None) == pipelined
