"""Loops that are not pipelined: iterations follow one another, the test in the first state of each (UG1399)."""

from __future__ import annotations

import pytest

from .kit import OFF
from .loops_kit import COPY, LEAVE, TEST, Pin, function, hold, module, pipeline, plain

PINS = [
    # Load 2 + store 1 = 3 states, the test in the first of them: 10 * 3; a state before the loop and one that leaves
    # it.
    Pin("a copy", f"""
void top(int a[10], int b[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    b[i] = a[i] + 1;
  }}
}}""", {"L": (None, 10, 10 * 3)}, function(TEST, 30, LEAVE)),
    # Nothing but logic: 1 state with the test.
    Pin("logic only", f"""
unsigned top(unsigned s) {{
  L: for (int i = 0; i < 100; i++) {{
{OFF}
    s = s ^ (s >> 3);
  }}
  return s;
}}""", {"L": (None, 100, 100)}, function(TEST, 100, LEAVE)),
    # No iteration: only the state before, and the one that leaves.
    Pin("never entered", f"""
void top(int a[10], int b[10]) {{
  L: for (int i = 5; i < 5; i++) {{
{OFF}
    b[i] = a[i];
  }}
}}""", {"L": (None, 0, 0)}, function(TEST, LEAVE)),
    # Load 2, float multiplication 3, addition 4, store 1 = 10 states: a plain loop waits for all of them.
    Pin("cores in a chain", f"""
void top(float a[20], float b[20], float x) {{
  L: for (int i = 0; i < 20; i++) {{
{OFF}
    b[i] = a[i] * x + 1.5f;
  }}
}}""", {"L": (None, 20, 20 * (2 + 4 + 7 + 1))}),
    # Four loads from a memory with two ports take turns: one state more than two loads would. An addition of 32 bits
    # takes 1.1 of 2.4 usable ns: both levels of the tree are in the state of the data: 3 states.
    Pin("ports in a plain loop", f"""
void top(int a[40], int b[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    b[i] = a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3];
  }}
}}""", {"L": (None, 10, plain(10, 2 + 1, turns=2))}),
    # A round: the test, 8 * 3 states of the inner loop and the one that leaves it.
    Pin("loop in a loop", f"""
void top(int a[5][8], int b[5][8]) {{
  O: for (int i = 0; i < 5; i++) {{
{OFF}
    L: for (int j = 0; j < 8; j++) {{
{OFF}
      b[i][j] = a[i][j] + 1;
    }}
  }}
}}""", {"O": (None, 5, 5 * (1 + 24 + 1)), "L": (None, 8, 24)}, function(TEST, 130, LEAVE)),
    # One loop after another on one memory: the state that leaves the first one stands before the second.
    Pin("one after the other", f"""
void top(int a[10], int b[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    b[i] = a[i] + 1;
  }}
  M: for (int i = 0; i < 10; i++) {{
{OFF}
    b[i] = a[i] + b[i];
  }}
}}""", {"L": (None, 10, 30), "M": (None, 10, 30)}, function(TEST, 30, LEAVE, 30, LEAVE)),
    # Plain loops that share nothing follow one another all the same: only pipelined ones become functions.
    Pin("plain loops never overlap", f"""
void top(int a[10], int b[10], int c[10], int d[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    b[i] = a[i] + 1;
  }}
  M: for (int i = 0; i < 10; i++) {{
{OFF}
    d[i] = c[i] + 1;
  }}
}}""", {"L": (None, 10, 30), "M": (None, 10, 30)}, function(TEST, 30, LEAVE, 30, LEAVE)),
    # The two arms of an if are never both taken: the longer one, load 2 + float division 11 + store 1.
    Pin("arms of an if do not add up", f"""
void top(float a[10], float b[10], float c[10], bool w) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    if (w) b[i] = a[i] / 3.5f; else c[i] = a[i] + 3.5f;
  }}
}}""", {"L": (None, 10, plain(10, 2 + 12 + 1))}),
    # A condition that is a constant leaves one arm.
    Pin("a constant condition", f"""
void top(float a[10], float b[10]) {{
  L: for (int i = 0; i < 10; i++) {{
{OFF}
    if (sizeof(int) == 3 || 1 > 2) b[i] = a[i] / 3.5f; else b[i] = a[i];
  }}
}}""", {"L": (None, 10, plain(10, COPY))}),
    # Two loops on two arms of an if are not one after the other: the longer one, pipeline(200, 1, 3).
    Pin("loops on two ways", """
void top(int a[200], int b[200], bool w) {
  if (w) {
    L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
      b[i] = a[i] + 1;
    }
  } else {
    M: for (int i = 0; i < 200; i++) {
#pragma HLS pipeline
      b[i] = a[i] + 2;
    }
  }
}""", {"L": (1, 100, pipeline(100, 1, COPY)), "M": (1, 200, pipeline(200, 1, COPY))}, function(module(199 + 2))),
]  # fmt: skip


@pytest.mark.parametrize("pin", PINS, ids=lambda pin: pin.name)
def test_plain_loops(pin: Pin) -> None:
    hold(pin)
