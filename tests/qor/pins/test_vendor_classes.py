"""Classes and functions of the tool's headers, each against the same hardware written with what is known already."""

from __future__ import annotations

import pytest

from .kit import closed

ADDER = """
#include "hls_stream.h"
#include "hls_directio.h"
void top(hls::stream<int>& in, hls::stream<int>& out, hls::stream<int>& n) {
  int c = in.read();
  int v = n.read();
  out.write(c + v);
}
"""
BEAT = """
#include "ap_axi_sdata.h"
#include "hls_stream.h"
typedef {type} beat_t;
void top(hls::stream<beat_t>& in, hls::stream<beat_t>& out) {{
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    beat_t beat = in.read();
    {use}
    out.write(beat);
  }}
}}
"""
LOOP = """
void top(int a[64], int b[64]) {{
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    int v = a[i];
    {use}
  }}
}}
"""


def figures(code: str, clock: float = 10) -> dict[str, float]:
    """All figures, none of which is unknown."""
    found = closed(code, clock=clock).figures()
    known = {name: value for name, value in found.items() if value is not None}
    assert known.keys() == found.keys(), found
    return known


@pytest.mark.parametrize("port", ["ap_none<int>& n", "ap_vld<int>& n", "ap_ack<int>& n", "ap_hs<int>& n"])
def test_a_direct_port_is_read_like_a_stream(port: str) -> None:
    """UG1399, "Direct I/O": one value of the port a call, as a stream gives one element."""
    direct, plain = (figures(code) for code in (ADDER.replace("stream<int>& n", port), ADDER))
    assert direct == plain
    assert direct["latency_cycles"] == 0


def test_whether_a_direct_port_holds_a_value_is_asked_for_no_cycle() -> None:
    code = ADDER.replace("hls::stream<int>& n", "hls::ap_hs<int>& n")
    asked = code.replace("int v = n.read();", "int v = 0; if (n.valid()) v = n.read();")
    assert figures(asked)["latency_cycles"] == 0


@pytest.mark.parametrize("kind", ["ap_axiu<32, 1, 1, 1>", "qdma_axis<32, 0, 0, 0>", "hls::axis<ap_uint<32>, 1, 1, 1>"])
def test_methods_of_a_beat_are_its_fields(kind: str) -> None:
    """ap_axi_sdata.h: `get_data()` and `set_data(v)` are what `.data` is, also of a beat of the QDMA's."""
    methods = figures(BEAT.format(type=kind, use="beat.set_data(beat.get_data() + 5); beat.set_last(i == 63);"))
    fields = figures(BEAT.format(type="ap_axiu<32, 1, 1, 1>", use="beat.data = beat.data + 5; beat.last = i == 63;"))
    assert methods == fields


def test_a_beat_of_user_bits_alone_has_so_many() -> None:
    """UG1399, "AXI4-Stream Interfaces with Side-Channels": `hls::axis_user<13>`; a sum of 13 bits is an entry of 20
    LUTs where the one of 32 bits has 39 (width + 7, reports of Vitis HLS)."""
    narrow = BEAT.format(type="hls::axis_user<13, AXIS_ENABLE_USER>", use="beat.set_user(beat.get_user() + 5);")
    wide = BEAT.format(type="hls::axis_data<ap_uint<32>, AXIS_ENABLE_DATA>", use="beat.set_data(beat.get_data() + 5);")
    lut = {code: figures(code)["lut"] for code in (narrow, wide)}
    assert lut[wide] - lut[narrow] == pytest.approx(19)


def test_a_register_takes_a_cycle_and_holds_its_bits() -> None:
    """`reg` as sources define it for simulation: what it is given comes out of a register."""
    plain = figures(LOOP.format(use="b[i] = v;"))
    kept = figures(LOOP.format(use="b[i] = reg(v);"))
    assert kept["latency_cycles"] == plain["latency_cycles"] + 1
    assert kept["ff"] >= plain["ff"] + 32
    assert kept["lut"] == plain["lut"]


def test_a_function_of_the_name_reg_is_its_own() -> None:
    own = "int reg(int x) { return x; }\n" + LOOP.format(use="b[i] = reg(v);")
    assert figures(own) == figures(LOOP.format(use="b[i] = v;"))
    declared = "int reg(int x);\n" + LOOP.format(use="b[i] = reg(v);")
    assert closed(declared).unknown.of("lut") == ("reg is not read",)


@pytest.mark.parametrize(("wait", "cycles"), [("ap_wait();", 1), ("ap_wait_n(3);", 3), ("ap_wait_n(WAIT);", 4)])
def test_a_wait_is_so_many_cycles(wait: str, cycles: int) -> None:
    """UG902, "Using Protocol": ap_wait() is one clock, ap_wait_n(n) n of them."""
    plain = figures(LOOP.format(use="b[i] = v;"))["latency_cycles"]
    code = "const int WAIT = 4;\n" + LOOP.format(use=wait + " b[i] = v;")
    assert figures(code)["latency_cycles"] == plain + cycles


def test_a_wait_for_nobody_knows_how_long_takes_the_latency_alone() -> None:
    code = LOOP.format(use="ap_wait_n(v); b[i] = v;")
    found = closed(code)
    assert found.unknown.of("latency_cycles") == ("how long ap_wait_n waits is not known",)
    assert found.figures()["lut"] is not None


def test_a_fence_keeps_the_order_and_takes_nothing() -> None:
    """UG1399, "HLS Fence Library": what stands behind it starts when what stands in front of it is done."""
    code = """
#include "hls_stream.h"
void top(int a[64], hls::stream<bool>& done) {{
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    a[i] = i;
  }}
  {fence}
  done.write(true);
}}
"""
    plain, fenced = (figures(code.format(fence=fence)) for fence in ("", "hls::fence(a, done);"))
    assert fenced["latency_cycles"] >= plain["latency_cycles"]
    assert fenced["lut"] == plain["lut"]


CHANNELS = """
#include "hls_stream.h"
#include "hls_np_channel.h"
#include "hls_task.h"
void worker(hls::stream<int>& in, hls::stream<int>& out) {{ out.write(in.read() * 2 + 1); }}
void feed(int *in, hls::stream<int>& out) {{
  for (int i = 0; i < 64; i++) out.write(in[i]);
}}
void drain(hls::stream<int>& in, int *out) {{
  for (int i = 0; i < 64; i++) out[i] = in.read();
}}
void top(int in[64], int out[64]) {{
#pragma HLS DATAFLOW
  {channels}
  feed(in, {a});
  {work}
  drain({b}, out);
}}
"""


SHARED = """
#include "hls_stream.h"
#include "hls_np_channel.h"
void pass(hls::stream<int>& to, hls::stream<int>& from) {{
#pragma HLS INLINE off
  for (int i = 0; i < 16; i++) to.write(from.read());
}}
void few(hls::stream<int>& from, hls::stream<int>& to) {{
#pragma HLS INLINE off
  for (int i = 0; i < 4; i++) to.write(from.read());
}}
void many(hls::stream<int>& from, hls::stream<int>& to) {{
#pragma HLS INLINE off
  for (int i = 0; i < 64; i++) to.write(from.read());
}}
void top(hls::stream<int>& a, hls::stream<int>& b, hls::stream<int>& c, hls::stream<int>& d, hls::stream<int>& e) {{
#pragma HLS DATAFLOW
  {body}
}}
"""
MERGE = """hls::merge::KIND s;
  pass(s.in[0], b); pass(s.in[1], c); pass(s.in[2], d); pass(s.in[3], e); many(s.out, a);"""
SPLIT = """hls::split::KIND s;
  pass(s.in, a); few(s.out[0], b); few(s.out[1], c); few(s.out[2], d); few(s.out[3], e);"""


@pytest.mark.parametrize("kind", ["round_robin<int, 4, 5, 100>", "load_balance<int, 4, 20>"])
@pytest.mark.parametrize(("body", "lut", "ff", "cycles"), [(MERGE, 504, 175, 66), (SPLIT, 442, 68, 18)])
def test_split_and_merge_take_what_their_processes_take(body: str, lut: int, ff: int, cycles: int, kind: str) -> None:
    """Reports of Vitis HLS 2023.2 at 10 ns (xcu280) of such processes: the longest one alone is the latency."""
    found = figures(SHARED.format(body=body.replace("KIND", kind)))
    assert found["latency_cycles"] == cycles
    assert found["lut"] == pytest.approx(lut, rel=0.2)
    assert found["ff"] == pytest.approx(ff, rel=0.55)


def test_a_task_of_an_array_is_a_process() -> None:
    """UG1399, "hls::task": four workers between a split and a merge; 64 elements pass one a cycle."""
    work = "hls_thread_local hls::task t[4];\n  for (int i = 0; i < 4; i++) {\n#pragma HLS UNROLL\n"
    work += "    t[i](worker, a.out[i], b.in[i]);\n  }"
    channels = "hls_thread_local hls::split::round_robin<int, 4> a; hls_thread_local hls::merge::round_robin<int, 4> b;"
    found = figures(CHANNELS.format(channels=channels, a="a.in", b="b.out", work=work))
    one = figures(CHANNELS.format(channels="hls::stream<int> a, b;", a="a", b="b", work="worker(a, b);"))
    assert 64 < found["latency_cycles"] <= one["latency_cycles"] < 80
    assert found["lut"] > one["lut"]


BLOCKS = """
#include "hls_streamofblocks.h"
typedef unsigned char block_t[10];
typedef hls::stream_of_blocks<block_t> blocks;
void split(hls::stream<unsigned char>& in, blocks& a, blocks& b) {
#pragma HLS INLINE off
  for (int i = 0; i < 10; i++) {
    hls::write_lock<block_t> to_a(a);
    hls::write_lock<block_t> to_b(b);
    for (int j = 0; j < 10; j++) { unsigned char t = in.read() * 3; to_a[j] = t; to_b[j] = t; }
  }
}
void change(blocks& in, blocks& out) {
#pragma HLS INLINE off
  for (int i = 0; i < 10; i++) {
    hls::read_lock<block_t> from(in);
    hls::write_lock<block_t> to(out);
    for (int j = 0; j < 10; j++) to[j] = from[j] + 25;
  }
}
void join(blocks& a, blocks& b, hls::stream<unsigned char>& out) {
#pragma HLS INLINE off
  for (int i = 0; i < 10; i++) {
    hls::read_lock<block_t> from_a(a);
    hls::read_lock<block_t> from_b(b);
    for (int j = 0; j < 10; j++) out.write(from_a[j] + from_b[j] * 2);
  }
}
void top(hls::stream<unsigned char>& in, hls::stream<unsigned char>& out) {
  hls::stream_of_blocks<unsigned char[10]> a, b, c, d;
#pragma HLS DATAFLOW
  split(in, a, b);
  change(a, c);
  change(b, d);
  join(c, d, out);
}
"""


def test_blocks_are_memories_that_processes_wait_for() -> None:
    """A report of Vitis HLS 2023.2 at 10 ns (xcu280) of four such processes: 1772 LUT, 205 FF, 260 cycles, which is 100
    (ten elements a round), 50 (two ports of a memory of ten elements) and 100 again, one after the other."""
    found = figures(BLOCKS)
    assert found["latency_cycles"] == pytest.approx(260, rel=0.02)
    assert found["lut"] == pytest.approx(1772, rel=0.15)
    assert found["ff"] == pytest.approx(205, rel=0.15)
    assert found["bram_18k"] == 0


def test_a_channel_of_so_many_ways_as_nobody_knows_is_not_read() -> None:
    code = CHANNELS.format(
        channels="hls::split::round_robin<int, WAYS> a; hls::stream<int> b;", a="a.in", b="b", work=""
    )
    assert "type hls::split::round_robin<int, WAYS> is not read" in closed(code).unknown.of("latency_cycles")


SHOWN = """
#include <iostream>
#include <fstream>
template <int D> void show(std::ostream& output, ap_uint<D> data) {{
  output << std::hex << std::setw(2) << data << std::endl;
}}
void top(ap_uint<32> a[64]) {{
  {before}
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE
    {inside}
    a[i] = a[i] + 1;
  }}
  {behind}
}}
"""


def test_what_is_only_shown_is_no_hardware() -> None:
    """UG1399, "System Calls": what displays data is left out, also where the stream is handed on or is a file."""
    plain = figures(SHOWN.format(before="", inside="", behind=""))
    opened = 'std::ofstream log; log.open("x.txt");'
    shown = 'show<32>(std::cout, a[i]); log << "v " << a[i] << "\\n";'
    assert figures(SHOWN.format(before=opened, inside=shown, behind="log.close();")) == plain


BURST = """
#include "hls_burst_maxi.h"
void top(hls::burst_maxi<int> in, hls::burst_maxi<int> out) {{
#pragma HLS INTERFACE m_axi port=in offset=slave latency={latency} bundle=a
#pragma HLS INTERFACE m_axi port=out offset=slave latency={latency} bundle=b
  int kept[1024];
  in.read_request(0, 1024);
  for (int i = 0; i < 1024; i++) {{
#pragma HLS PIPELINE II=1
    kept[i] = in.read();
  }}
  out.write_request(0, 1024);
  for (int i = 0; i < 1024; i++) {{
#pragma HLS PIPELINE II=1
    out.write(kept[i]);
  }}
  out.write_response();
}}
"""


def test_a_burst_waits_for_the_bus_before_its_data_and_after() -> None:
    """UG1399, "Using Manual Burst": a read waits for its request, a write for its response; at a latency of 64 these
    are 70 and 68 states in schedules of Vitis HLS. One element a cycle between them."""
    slow, fast = (figures(BURST.format(latency=latency)) for latency in (64, 32))
    assert slow["latency_cycles"] - fast["latency_cycles"] == 2 * 32
    assert slow["latency_cycles"] == pytest.approx(2 * 1024 + 70 + 68, abs=12)
    assert slow["bram_18k"] == 2 + 2 + 2  # a buffer in each adapter, and 32 Kibit that are kept


def test_a_burst_of_a_size_that_is_written_by_type_is_read_too() -> None:
    code = BURST.format(latency=64).replace("in.read()", "in.read<int>()").replace("write(kept", "write<int>(kept")
    unaligned = code.replace("_request(", "_request_unaligned<int>(")
    assert figures(unaligned) == figures(BURST.format(latency=64))
