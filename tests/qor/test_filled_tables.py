"""Tables that code fills with constants cost what the same tables cost when they are declared with their values.

UG1399, "Initializing and Mapping Arrays to ROMs"; reports of Vitis HLS 2022.2 show no row of a loop that fills one.
"""

from __future__ import annotations

import math

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_target

TARGET = make_target("xcu280-fsvh2892-2L-e", 10.0, "vitis_hls", "2023.2")
READ = "unsigned c = 0; for (int i = 0; i < 64; i++) { c = t[(c ^ in[i]) & 255] ^ (c >> 8); } out[0] = c;"
HEAD = "void k(const unsigned char in[64], unsigned out[1]) {"
FILL = """for (int i = 0; i < 256; i++) {
    unsigned v = i;
    for (int j = 0; j < 8; j++) v = (v & 1) ? (v >> 1) ^ 0xEDB88320 : v >> 1;
    t[i] = v;
  }"""


def figures(code: str) -> tuple[float | None, float, float, float, float]:
    """Latency, LUT, DSP, FF, BRAM of `k`."""
    found = estimate_source(code, path="k.cpp", top="k", target=TARGET)
    return found.latency_cycles, found.lut, found.dsp, found.ff, found.bram_18k


def crc(value: int) -> int:
    """An entry of the table of CRC-32."""
    for _ in range(8):
        value = value >> 1 ^ 0xEDB88320 if value & 1 else value >> 1
    return value


DECLARED = figures(f"{HEAD} static const unsigned t[256] = {{{','.join(map(str, map(crc, range(256))))}}}; {READ} }}")


@pytest.mark.parametrize(
    "code",
    [
        f"{HEAD} unsigned t[256]; {FILL} {READ} }}",
        f"void fill(unsigned t[256]) {{ {FILL} }}\n{HEAD} unsigned t[256]; fill(t); {READ} }}",
        f"void fill(unsigned u[256]) {{ {FILL.replace('t[', 'u[')} }}\n{HEAD} unsigned t[256]; fill(t); {READ} }}",
        f"unsigned look(unsigned t[256], unsigned i) {{ return t[i]; }}\n{HEAD} unsigned t[256]; {FILL} "
        f"{READ.replace('t[(c ^ in[i]) & 255]', 'look(t, (c ^ in[i]) & 255)')} }}",
    ],
)
def test_as_if_it_were_declared(code: str) -> None:
    assert figures(code) == DECLARED


def test_functions_of_the_library() -> None:
    values = ",".join(str(math.sin(2 * 3.14159 * i / 64)) for i in range(64))
    read = "for (int i = 0; i < 64; i++) out[i] = s[i] * in[i];"
    head = "void k(const float in[64], float out[64]) {"
    declared = figures(f"{head} const float s[64] = {{{values}}}; {read} }}")
    assert figures(
        f"{head} float s[64]; for (int i = 0; i < 64; i++) s[i] = sinf(2 * 3.14159 * i / 64); {read} }}"
    ) == (declared)


@pytest.mark.parametrize(
    ("fill", "read"),
    [
        ("h[i] = i * n;", "out[i] = h[i & 15];"),  # n comes with the call
        ("h[i] = 0;", "h[in[i] & 15] += 1;"),  # written later
        ("h[i] = in[i];", "out[i] = h[i & 15];"),  # data
        ("h[i] = i; out[i] = i;", "out[i] = h[i & 15];"),  # does more
        ("h[i] = i ? h[i - 1] * 3 : 1;", "out[i] = h[i & 15];"),  # reads what it fills: not told
        ("h[i + 8] = i;", "out[i] = h[i & 15];"),  # beyond its end
    ],
)
def test_what_is_no_table_stays_a_loop(fill: str, read: str) -> None:
    head = "void k(const int in[64], int n, int out[64]) { int h[16];"
    loops = f"{head} for (int i = 0; i < 16; i++) {{ {fill} }} for (int i = 0; i < 64; i++) {{ {read} }} }}"
    found = estimate_source(loops, path="k.cpp", top="k", target=TARGET)
    alone = estimate_source(loops.replace(f"for (int i = 0; i < 16; i++) {{ {fill} }}", ""), path="k.cpp", top="k",
                            target=TARGET)  # fmt: skip
    assert found.latency_cycles is not None and alone.latency_cycles is not None
    assert found.latency_cycles >= alone.latency_cycles + 15


def test_a_large_table_is_not_run() -> None:
    """Work is bounded: what takes more steps than that stays the loop it is."""
    code = "void k(int out[64]) { int t[4096]; for (int j = 0; j < 8; j++) for (int i = 0; i < 4096; i++) t[i] = i * j;"
    code += " for (int i = 0; i < 64; i++) out[i] = t[i * 61]; }"
    found = figures(code)[0]
    assert found is not None and found > 8 * 4096
