"""Processes of a dataflow region: when they overlap, and that whatever stands in them is counted."""

from __future__ import annotations

from tests.qor.pins.kit import closed

from hwml_sdk import predict_qor


def test_arrays_that_stream_let_processes_overlap() -> None:
    """UG1399, pragma HLS stream: of an array it makes a FIFO, whose reader starts with the first element."""
    code = """
void put(int a[1000], int t[1000]) { for (int i = 0; i < 1000; i++) t[i] = a[i] + 1; }
void get(int t[1000], int b[1000]) { for (int i = 0; i < 1000; i++) b[i] = t[i] * 3; }
void top(int a[1000], int b[1000]) {
#pragma HLS DATAFLOW
  int t[1000];
%s
  put(a, t);
  get(t, b);
}
"""
    streaming = predict_qor(code % "#pragma HLS STREAM variable=t depth=16").latency_cycles
    waiting = predict_qor(code % "").latency_cycles
    assert streaming is not None
    assert waiting is not None
    assert 1000 < streaming < 1100
    assert 2000 < waiting < 2100


def test_an_unrolled_loop_in_a_region_is_a_process() -> None:
    """64 elements over the two ports of a memory: 32 cycles, in each of which two products of 32 bits (3 DSP) begin."""
    loop = "  for (int i = 0; i < 64; i++) {\n#pragma HLS UNROLL\n    b[i] = a[i] * a[i];\n  }\n"
    code = "void top(int a[64], int b[64]) {\n%s" + loop + "}"
    found = closed(code % "#pragma HLS DATAFLOW\n")
    assert found.dsp == closed(code % "").dsp == 6
    assert found.latency_cycles is not None
    assert 32 <= found.latency_cycles <= 45


def test_calls_without_loops_in_a_region_are_processes() -> None:
    """Each has a core of its own: processes run at once."""
    calls = "#pragma HLS DATAFLOW\n  b[0] = g(a[0]);\n  b[1] = g(a[1]);\n"
    code = "int g(int v) { return v * v; }\nvoid top(int a[2], int b[2]) {\n" + calls + "}"
    assert closed(code).dsp == 6


STAGE = """#include <hls_stream.h>
void stage(hls::stream<int> &in, hls::stream<int> &out, int x) {
  int kept[2048];
  for (int i = 0; i < 64; i++) kept[i * 32] = in.read() * x;
  for (int i = 0; i < 64; i++) out.write(kept[i * 31]);
}
"""
THREE = "hls::stream<int> s[2]; stage(in, s[0], x); stage(s[0], s[1], x); stage(s[1], out, x);"


def test_processes_of_one_function_are_built_each() -> None:
    """UG1399: a call in a region is a process: 3 products (3 DSP each), 3 memories of 64 Kib (4 BRAM each)."""
    code = STAGE + "void top(hls::stream<int> &in, hls::stream<int> &out, int x) {\n#pragma HLS DATAFLOW\n%s }"
    found = closed(code % THREE)
    assert (found.dsp, found.bram_18k) == (9, 12)
    loop = f"for (int k = 0; k < 8; k++) {{\n#pragma HLS DATAFLOW\n{THREE} }}"
    inside = closed(code.replace("#pragma HLS DATAFLOW\n", "") % loop)
    assert (inside.dsp, inside.bram_18k) == (9, 12)


def test_calls_one_after_another_share_a_block() -> None:
    code = STAGE + "void top(hls::stream<int> &in, hls::stream<int> &out, int x) {\n%s }"
    found = closed(code % THREE)
    assert (found.dsp, found.bram_18k) == (3, 4)
