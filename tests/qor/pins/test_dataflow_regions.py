"""Processes of a dataflow region overlap: a stream's consumer starts with the first element, a ping-pong buffer's when
its producer is done; the region starts anew when its slowest process is free (UG1399, pragma dataflow)."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.estimate import Estimate

from .kit import closed
from .loops_kit import COPY, TEST, figures, function, module, pipeline, plain

REGION = 2  # states of a region's own: it starts its processes and gathers that they are done

ARRAYS = """
static void load(int a[{n}], int t[{n}]) {{
#pragma HLS inline off
  P: for (int i = 0; i < {n}; i++) {{
#pragma HLS pipeline
    t[i] = a[i] + 1;
  }}
}}
static void store(int t[{n}], int b[{n}]) {{
#pragma HLS inline off
  C: for (int i = 0; i < {n}; i++) {{
#pragma HLS pipeline II={ii}
    b[i] = t[i] + 1;
  }}
}}
void top(int a[{n}], int b[{n}], int c[{n}], int d[{n}]) {{
{pragma}
  int t[{n}];
{calls}
}}"""


def region(calls: str, *, n: int = 100, ii: int = 1, pragma: str = "#pragma HLS dataflow") -> Estimate:
    return closed(ARRAYS.format(n=n, ii=ii, pragma=pragma, calls=calls))


CALL = module(pipeline(100, 1, COPY))
SLOW = module(pipeline(100, 3, COPY))


def test_a_buffer_is_handed_over_when_it_is_full() -> None:
    """The latency is the sum, the interval the longer of the two and the state that starts anew."""
    found = region("  load(a, t); store(t, b);", ii=3)
    assert found.latency_cycles == CALL + SLOW + REGION
    assert found.top.interval == SLOW + 1


def test_without_the_pragma_nothing_overlaps() -> None:
    found = region("  load(a, t); store(t, b);", ii=3, pragma="")
    assert found.latency_cycles == function(CALL, SLOW)
    assert found.top.interval == found.latency_cycles + 1


def test_processes_that_share_nothing_start_together() -> None:
    found = region("  load(a, b); store(c, d);", ii=3)
    assert found.latency_cycles == SLOW + REGION
    assert found.top.interval == SLOW + 1


def test_two_that_only_read_the_same_array_start_together() -> None:
    """What a process reads and another one reads is no order between them."""
    assert region("  load(a, b); store(a, d);", ii=3).latency_cycles == SLOW + REGION


def test_three_in_a_row() -> None:
    found = region("  int u[100]; load(a, t); load(t, u); store(u, b);")
    assert found.latency_cycles == 3 * CALL + REGION
    assert found.top.interval == CALL + 1


def test_a_fork_and_a_join() -> None:
    """t goes to two processes, of which the slower counts: load, then store beside load."""
    assert region("  load(a, t); load(t, c); store(t, d);", ii=3).latency_cycles == CALL + SLOW + REGION


STREAMS = """
#include <hls_stream.h>
static void produce(int a[100], hls::stream<int> &s) {{
  P: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline II={first}
    s.write(a[i]);
  }}
}}
static void consume(hls::stream<int> &s, int b[100]) {{
  C: for (int i = 0; i < 100; i++) {{
#pragma HLS pipeline II={second}
    b[i] = s.read() + 1;
  }}
}}
void top(int a[100], int b[100]) {{
{pragma}
  hls::stream<int> s;
  produce(a, s);
  consume(s, b);
}}"""


@pytest.mark.parametrize(("first", "second"), [(1, 1), (4, 1), (1, 4)])
def test_a_stream_is_handed_over_element_by_element(first: int, second: int) -> None:
    """The consumer starts 2 states after the producer, and ends 2 after it at the earliest.

    Producer: load 2 + write 1; consumer: read 1, sum and store 1.
    """
    found = closed(STREAMS.format(first=first, second=second, pragma="#pragma HLS dataflow"))
    producer, consumer = module(pipeline(100, first, 3)), module(pipeline(100, second, 2))
    assert found.latency_cycles == max(2 + consumer, producer + 2) + REGION
    assert found.top.interval == max(producer, consumer) + 1


def test_a_stream_without_dataflow() -> None:
    found = closed(STREAMS.format(first=1, second=1, pragma=""))
    assert found.latency_cycles == function(module(pipeline(100, 1, 3)), module(pipeline(100, 1, 2)))


def test_a_sum_before_the_write_of_a_stream() -> None:
    """Load 2, the sum in the state of the data, write 1, as with a memory: 3 states, not 4."""
    code = STREAMS.format(first=1, second=1, pragma="").replace("s.write(a[i])", "s.write(a[i] + 1)")
    assert figures(closed(code))["P"] == (1, 100, pipeline(100, 1, 3))


def test_loops_as_processes() -> None:
    """Loops of the region are processes as calls are."""
    code = """
void top(int a[100], int b[100]) {
#pragma HLS dataflow
  int t[100];
  P: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    t[i] = a[i] + 1;
  }
  C: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    b[i] = t[i] + 1;
  }
}"""
    one = pipeline(100, 1, COPY)
    found = closed(code)
    assert figures(found) == {"P": (1, 100, one), "C": (1, 100, one)}
    assert found.latency_cycles == 2 * module(one) + REGION
    assert found.top.interval == module(one) + 1


def test_a_region_inside_a_loop() -> None:
    """Rounds start one interval apart: 9 * (longest + 1), and the last takes the whole region."""
    code = """
void top(int a[10][100], int b[10][100]) {
  R: for (int r = 0; r < 10; r++) {
#pragma HLS dataflow
    int t[100];
    P: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
      t[i] = a[r][i] + 1;
    }
    C: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
      b[r][i] = t[i] + 1;
    }
  }
}"""
    one = pipeline(100, 1, COPY)
    assert figures(closed(code))["R"] == (None, 10, 9 * (module(one) + 1) + 2 * module(one) + REGION + 1)
    assert figures(closed(code.replace("#pragma HLS dataflow\n", "")))["R"] == (
        None,
        10,
        plain(10, TEST + 2 * module(one)),
    )


def test_a_region_takes_logic_for_each_process() -> None:
    """Start, done and idle of one process more: 20 LUT and 10 FF of control, before they are weighted by stage.

    Beside them stands the block of the process, which is the same in plain code.
    """
    two, three = region("  load(a, t); store(t, b);"), region("  load(a, t); store(t, b); store(t, c);")
    one, plain = (region(calls, pragma="").area for calls in ("load(a, t);", "load(a, t); store(t, b);"))
    block_ff, block_lut = plain.control_ff - one.control_ff, plain.control_lut - one.control_lut
    assert three.area.control_ff - two.area.control_ff == pytest.approx(10 + block_ff)
    assert three.area.control_lut - two.area.control_lut == pytest.approx(20 + block_lut)
