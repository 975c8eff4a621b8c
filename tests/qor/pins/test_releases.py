"""How the tool behaves by release: UG902 (Vivado HLS, to 2020.1), UG1399 (Vitis HLS, from 2020.1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.qor.pins.kit import OFF, VERSAL, ZYNQ, closed, iis, loops

from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.closed_form.estimate import Estimate
from hwml_sdk.qor.tool.parts import all_parts, find_part

VIVADO = {"tool": "vivado_hls", "version": "2019.2", "clock": 10.0}


# -- automatic pipelining: UG1399, config_compile -pipeline_loops (64)


def nest(outer: int, inner: int) -> str:
    """An imperfect nest: the outer loop has work of its own."""
    return f"""
void top(int a[4096], int q[256]) {{
  O: for (int i = 0; i < {outer}; i++) {{
    q[i] = i;
    I: for (int j = 0; j < {inner}; j++) {{
      q[i] = q[i] ^ a[j + i];
    }}
  }}
}}
"""


def pipelined(code: str, **settings: Any) -> set[str]:
    """Names of loops that are pipelined; a loop unrolled into another is none any more."""
    return {name for name, ii in iis(closed(code, **settings)).items() if ii is not None}


@pytest.mark.parametrize(
    ("inner", "threshold", "expected"),
    [
        (65, None, {"O+I"}),  # more than 64 iterations: the innermost loop itself, flattened with the one around it
        (64, None, {"O"}),  # as many or fewer: the loop around it, with the inner one unrolled
        (8, None, {"O"}),
        (64, 63, {"O+I"}),
        (65, 65, {"O"}),
        (200, 256, {"O"}),
        (8, 0, set()),  # pipeline_loops=0 switches it off
    ],
)
def test_the_threshold_of_automatic_pipelining(inner: int, threshold: int | None, expected: set[str]) -> None:
    assert pipelined(nest(100, inner), pipeline_loops=threshold) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"tool": "vivado_hls", "version": "2018.3"}, set()),
        ({"tool": "vivado_hls", "version": "2019.2"}, set()),
        ({"version": "2020.1"}, {"O"}),
        ({"version": "2021.2"}, {"O"}),
        ({"version": "2025.1"}, {"O"}),
        ({"version": "next"}, {"O"}),  # a release nobody can read counts as 2022.1
    ],
)
def test_which_releases_pipeline_by_themselves(settings: dict[str, Any], expected: set[str]) -> None:
    assert pipelined(nest(100, 8), **settings) == expected


def test_what_automatic_pipelining_leaves_alone() -> None:
    """Somebody decided: `off`, a pipeline around or inside; a short loop beside a long one; calls with loops."""
    assert pipelined(nest(100, 8).replace("q[i] = i;", f"\n{OFF}\n q[i] = i;")) == set()
    assert pipelined(nest(100, 100).replace("q[i] = q[i] ^", f"\n{OFF}\n q[i] = q[i] ^")) == set()
    assert pipelined(nest(100, 100).replace("q[i] = i;", "\n#pragma HLS pipeline\n q[i] = i;")) == {"O"}
    beside = """
void top(int a[4096], int q[256]) {
  O: for (int i = 0; i < 100; i++) {
    A: for (int j = 0; j < 8; j++) q[j] = a[j + i];
    B: for (int j = 0; j < 80; j++) a[j + i] = q[j] ^ 1;
  }
}
"""
    assert pipelined(beside) == {"A", "B"}
    assert pipelined(beside.replace("80", "64")) == {"O"}
    calling = """
void f(int q[256]) { F: for (int k = 0; k < 80; k++) q[k] = q[k] ^ 1; }
void top(int a[4096], int q[256]) { O: for (int i = 0; i < 100; i++) { f(q); } }
"""
    assert pipelined(calling) == {"F"}


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (100, 100, {"O+I"}),  # flattened, one loop of 10,000
        (8, 9, {"O+I"}),  # 72 > 64 iterations of the flattened nest: its innermost loop
        (8, 8, {"O+I"}),  # nothing around it
    ],
)
def test_a_perfect_nest_counts_as_one_loop(outer: int, inner: int, expected: set[str]) -> None:
    code = f"""
void top(int a[4096], int q[4096]) {{
  O: for (int i = 0; i < {outer}; i++)
    I: for (int j = 0; j < {inner}; j++)
      q[{inner} * i + j] = a[{inner} * i + j] ^ 1;
}}
"""
    found = loops(closed(code))
    assert set(found) == expected
    assert {name: loop.trips for name, loop in found.items()} == {"O+I": outer * inner}
    assert {loop.ii for loop in found.values()} == {1}


@pytest.mark.parametrize(("middle", "expected"), [(8, {"T"}), (9, {"T+O+I"})])
def test_a_loop_around_a_short_nest(middle: int, expected: set[str]) -> None:
    """Around 8 x 8 = 64 iterations with work beside: pipelined, all inside unrolled; around 9 x 8 = 72 one loop."""
    code = f"""
void top(int a[4096], int q[4096]) {{
  T: for (int t = 0; t < 100; t++) {{
    q[t] = t;
    O: for (int i = 0; i < {middle}; i++)
      I: for (int j = 0; j < 8; j++)
        q[8 * i + j] = a[8 * i + j] ^ 1;
  }}
}}
"""
    assert set(iis(closed(code))) == expected
    # A release before 2023 leaves the outer one as it is.
    assert set(iis(closed(code, version="2022.2"))) == ({"T"} if middle == 8 else {"T", "O+I"})


# -- accumulators


@pytest.mark.parametrize(
    ("settings", "in_memory", "in_register"),
    [
        # Vitis HLS: fadd 4 at 10 ns, 3 from 2023 on, a sum alone one less; the element stays in a register: the same II
        # either way.
        ({"version": "2020.1", "clock": 10.0}, 4, 4),
        ({"version": "2023.2", "clock": 10.0}, 2, 2),
        ({"version": "2023.2", "clock": 3.33}, 4, 4),
        # Vivado HLS goes through the memory every time: load 2, store 1; fadd 3 as well, at 4 ns 7 (4 more).
        (VIVADO, 6, 3),
        ({"tool": "vivado_hls", "version": "2018.3", "clock": 10.0}, 6, 3),
        ({"tool": "vivado_hls", "version": "2018.3", "clock": 4.0}, 10, 7),
    ],
)
def test_accumulators_by_release(settings: dict[str, Any], in_memory: int, in_register: int) -> None:
    memory = """
void top(float a[100], float s[4]) {
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    s[0] += a[i];
  }
}
"""
    register = """
void top(float a[100], float s[4]) {
  float t = 0;
  L: for (int i = 0; i < 100; i++) {
#pragma HLS pipeline
    t += a[i];
  }
  s[0] = t;
}
"""
    assert iis(closed(memory, **settings)) == {"L": in_memory}
    assert iis(closed(register, **settings)) == {"L": in_register}


# -- loops beside one another


APART = """
void top(int a[500], int b[500], int c[300], int d[300]) {
  A: for (int i = 0; i < 500; i++) {
#pragma HLS pipeline
    b[i] = a[i] ^ 1;
  }
  B: for (int i = 0; i < 300; i++) {
#pragma HLS pipeline
    d[i] = c[i] ^ 1;
  }
}
"""


@pytest.mark.parametrize(
    ("version", "together"), [("2020.2", False), ("2021.2", False), ("2022.1", True), ("2023.2", True)]
)
def test_from_2022_loops_that_share_nothing_run_beside_each_other(version: str, together: bool) -> None:
    """`_Pipeline_` modules of reports from 2022.1 on: 500 and 300 iterations take 500 and some, not 800."""
    assert closed(APART, version=version).nominal_cycles == pytest.approx(500 if together else 800, abs=14)
    shared = APART.replace("d[i] = c[i] ^ 1", "d[i] = b[i] ^ 1")
    assert closed(shared, version=version).nominal_cycles == pytest.approx(800, abs=14)
    plain = APART.replace("#pragma HLS pipeline", OFF)
    assert closed(plain, version=version).nominal_cycles > 800 * 3


# -- memcpy


def copying(size: str, pragmas: str = "", declaration: str = "int a[256]", version: str = "2021.2") -> Estimate:
    """A memcpy into a local array, and a store that needs it."""
    return closed(
        f"""
#include <string.h>
void top({declaration}, int q[4]) {{
{pragmas}
  int m[256];
  memcpy(m, a, {size});
  q[0] = m[3];
}}
""",
        version=version,
    )


def test_memcpy_is_a_pipelined_loop() -> None:
    """An element a cycle and 2 to start; bursts on m_axi wait 72 more for the first (read latency 64, adapter)."""
    small, large = copying("4 * sizeof(int)"), copying("256 * sizeof(int)")
    assert large.nominal_cycles - small.nominal_cycles == 252
    assert copying("100 * 4").nominal_cycles - small.nominal_cycles == 96
    axi = "#pragma HLS interface m_axi port=a bundle=gmem latency=64"
    assert copying("256 * sizeof(int)", axi).nominal_cycles - large.nominal_cycles == 72
    # 256 + 2, then load 2, store 1, less the first state
    assert large.nominal_cycles == 260
    # Nobody knows how much: the whole array.
    assert copying("q[1]").nominal_cycles == large.nominal_cycles


def test_memcpy_takes_control() -> None:
    """60 LUT and 40 FF, beside a function's 12 and 6."""
    found = copying("64 * sizeof(int)")
    for area in (found.area, found.unshared):
        assert (area.control_lut, area.control_ff) == (72, 46)


@pytest.mark.parametrize(("version", "cycles"), [("2021.2", 512 + 4), ("2022.1", 256 + 2)])
def test_from_2022_copies_run_beside_each_other(version: str, cycles: int) -> None:
    code = """
#include <string.h>
void top(int a[256], int b[256]) {
  int m[256], n[256];
  memcpy(m, a, 1024);
  memcpy(n, b, 1024);
}
"""
    assert closed(code, version=version).nominal_cycles == pytest.approx(cycles, abs=1)
    meeting = code.replace("memcpy(n, b", "memcpy(n, m")
    assert closed(meeting, version=version).nominal_cycles == pytest.approx(512 + 4, abs=1)


# -- interfaces


def with_ports(pragmas: str, kind: str = "int", body: str = "b[i] = a[i];") -> Estimate:
    """A loop over two pointers, and a scalar nobody uses."""
    return closed(f"""
#include <ap_int.h>
void top({kind} *a, {kind} *b, int n) {{
{pragmas}
  for (int i = 0; i < 64; i++) {{ {body} }}
}}
""")


def adapters(estimate: Estimate) -> tuple[float, float, float]:
    """(BRAM18, LUT, FF) of all that stands at the interface."""
    costs = estimate.top.memory.values()
    return sum(c.bram_18k for c in costs), sum(c.lut for c in costs), sum(c.ff for c in costs)


@pytest.mark.parametrize(
    ("kind", "bram", "lut", "ff"),
    [
        # A buffer of data a direction: width / 36 block RAMs and one, 2 at least. Reports: 32 bits, read and written:
        # 4 BRAM18, 580 LUT, 512 FF; 512 bits, read only: 16, 1052, 881. Between them .98 LUT and .77 FF a bit.
        ("int", 2, 550 + 0.98 * 32, 487 + 0.77 * 32),
        ("char", 2, 550 + 0.98 * 8, 487 + 0.77 * 8),
        ("ap_uint<36>", 2, 550 + 0.98 * 36, 487 + 0.77 * 36),
        ("long long", 3, 550 + 0.98 * 64, 487 + 0.77 * 64),
        ("ap_uint<512>", 16, 550 + 0.98 * 512, 487 + 0.77 * 512),
    ],
)
def test_an_adapter_by_width(kind: str, bram: int, lut: float, ff: float) -> None:
    one = adapters(with_ports("#pragma HLS interface m_axi port=a bundle=g", kind))
    assert one == pytest.approx((bram, lut, ff))
    both = adapters(with_ports("#pragma HLS interface m_axi port=a\n#pragma HLS interface m_axi port=b", kind))
    assert both == pytest.approx((2 * bram, lut, ff))  # one bundle, read and written
    apart = "#pragma HLS interface m_axi port=a bundle=g\n#pragma HLS interface m_axi port=b bundle=h"
    assert adapters(with_ports(apart, kind)) == pytest.approx((2 * bram, 2 * lut, 2 * ff))


def test_an_argument_that_is_read_and_written_has_both_directions() -> None:
    """Load and store units each have their buffer: 4 BRAM18, as where two arguments of a bundle do it."""
    pragma = "#pragma HLS interface m_axi port=a bundle=g"
    assert adapters(with_ports(pragma, body="a[i] = a[i] ^ 1;"))[0] == 4


@pytest.mark.parametrize(
    ("body", "directions"),
    [("a[i] = 1;", 1), ("a[i] += 1;", 2), ("*a = i;", 1), ("*a = *a + i;", 2), ("a[i] = a[i + 1];", 2)],
)
def test_directions_of_one_argument(body: str, directions: int) -> None:
    """Two BRAM18 for each direction of 32 bits."""
    pragma = "#pragma HLS interface m_axi port=a bundle=g"
    assert adapters(with_ports(pragma, body=body))[0] == 2 * directions


def test_reports_of_adapters() -> None:
    """The two reports themselves, within 1 %: 580 LUT and 512 FF; 1052 and 881."""
    _, lut, ff = adapters(with_ports("#pragma HLS interface m_axi port=a bundle=g"))
    assert (lut, ff) == pytest.approx((580, 512), rel=0.01)
    _, lut, ff = adapters(with_ports("#pragma HLS interface m_axi port=a bundle=g", "ap_uint<512>"))
    assert (lut, ff) == pytest.approx((1052, 881), rel=0.01)


@pytest.mark.parametrize(
    ("pragmas", "bits"),
    [
        ("#pragma HLS interface s_axilite port=return", 0),
        ("#pragma HLS interface s_axilite port=n", 32),
        ("#pragma HLS interface mode=s_axilite port=n", 32),
        ("#pragma HLS interface s_axilite port=a", 64),  # the address of a pointer
        ("#pragma HLS interface s_axilite port=a\n#pragma HLS interface s_axilite port=n", 96),
    ],
)
def test_control_registers(pragmas: str, bits: int) -> None:
    """106 LUT and 2 a bit, 100 FF and 1 a bit of argument: three 64-bit offsets take 490 LUT and 291 FF in reports."""
    assert adapters(with_ports(pragmas)) == (0, 106 + 2 * bits, 100 + bits)


def test_an_offset_is_a_control_register() -> None:
    """m_axi with offset=slave: adapter, and 64 bits of address."""
    with_offset = adapters(with_ports("#pragma HLS interface m_axi port=a bundle=g offset=slave"))
    without = adapters(with_ports("#pragma HLS interface m_axi port=a bundle=g"))
    assert with_offset[1] - without[1] == pytest.approx(106 + 2 * 64)
    assert with_offset[2] - without[2] == pytest.approx(100 + 64)
    assert with_offset[0] == without[0]


def test_a_plain_memory_port_costs_nothing() -> None:
    assert adapters(with_ports("#pragma HLS interface ap_memory port=a")) == (0, 0, 0)
    assert adapters(with_ports("")) == (0, 0, 0)


def test_a_bus_answers_after_70_cycles() -> None:
    """Read latency 64 in the Vitis flow (UG1399), 6 in the adapter; a block RAM takes 2."""
    bus = loops(with_ports("#pragma HLS interface m_axi port=a bundle=g latency=64"))
    code = "void top(int a[64], int b[64]) { for (int i = 0; i < 64; i++) { b[i] = a[i]; } }"
    memory = loops(closed(code))
    depths = [next(iter(found.values())).depth for found in (bus, memory)]
    assert depths[0] - depths[1] == pytest.approx(68, abs=1)


# -- settings


def test_settings_outside_what_there_is() -> None:
    code = "void top(int *a) { *a = 1; }"
    wrong: list[dict[str, Any]] = [
        {"tool": "catapult"}, {"clock": 0.4}, {"clock": 1001.0}, {"stage": "route"}, {"part": "xc9z1"},
    ]  # fmt: skip
    for settings in wrong:
        with pytest.raises(ConfigError):
            closed(code, **settings)
    for clock in (0.5, 1000.0):
        assert closed(code, clock=clock).nominal_cycles == 1


# -- parts: data sheets DS180, DS190, DS890, DS891, DS950; block RAM stands there in 36 Kbit


@pytest.mark.parametrize(
    ("name", "family", "lut", "dsp", "bram36", "uram"),
    [
        ("xc7a35tcpg236-1", "7series", 20800, 90, 50, 0),
        ("xc7a100tcsg324-1", "7series", 63400, 240, 135, 0),
        ("xc7a200tfbg676-2", "7series", 134600, 740, 365, 0),
        ("xc7k325tffg900-2", "7series", 203800, 840, 445, 0),
        ("xc7vx690tffg1761-2", "7series", 433200, 3600, 1470, 0),
        ("xc7z045ffg900-2", "7series", 218600, 900, 545, 0),
        ("xcku040-ffva1156-2-e", "ultrascale", 242400, 1920, 600, 0),
        ("xcku060-ffva1156-2-e", "ultrascale", 331680, 2760, 1080, 0),
        ("xcvu095-ffva2104-2-e", "ultrascale", 537600, 768, 1728, 0),
        ("xczu3eg-sbva484-1-e", "ultrascaleplus", 70560, 360, 216, 0),
        ("xczu9eg-ffvb1156-2-e", "ultrascaleplus", 274080, 2520, 912, 0),
        ("xczu28dr-ffvg1517-2-e", "ultrascaleplus", 425280, 4272, 1080, 80),
        ("xcvu9p-flga2104-2L-e", "ultrascaleplus", 1182240, 6840, 2160, 960),
        ("xcvu13p-fhgb2104-2-i", "ultrascaleplus", 1728000, 12288, 2688, 1280),
        ("xcu250-figd2104-2L-e", "ultrascaleplus", 1728000, 12288, 2688, 1280),
        ("xcu50-fsvh2104-2-e", "ultrascaleplus", 871680, 5952, 1344, 640),
        (VERSAL, "versal", 899840, 1968, 967, 463),
    ],
)
def test_parts_of_data_sheets(name: str, family: str, lut: int, dsp: int, bram36: int, uram: int) -> None:
    part = find_part(name)
    assert (part.family, part.lut, part.ff, part.dsp, part.bram_18k, part.uram) == (
        family, lut, 2 * lut, dsp, 2 * bram36, uram,
    )  # fmt: skip
    assert [part.limit(what) for what in ("lut", "ff", "dsp", "bram_18k", "uram")] == [
        lut, 2 * lut, dsp, 2 * bram36, uram,
    ]  # fmt: skip
    assert part.checked


def test_every_part_is_built_of_the_same_slices() -> None:
    """A slice has two flip-flops a LUT in every family (UG474, UG574, AM005); block RAM comes in pairs of 18 Kbit."""
    parts = all_parts().values()
    assert {part.ff / part.lut for part in parts} == {2.0}
    assert all(part.bram_18k % 2 == 0 and part.dsp > 0 and part.lut > 0 for part in parts)
    assert {part.family for part in parts} == {"7series", "ultrascale", "ultrascaleplus", "versal"}
    assert all(part.uram == 0 for part in parts if part.family in ("7series", "ultrascale"))
    with pytest.raises(KeyError):
        find_part(ZYNQ).limit("latency")


def test_an_unknown_part_is_told_three_near_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        find_part("xczu9g")
    near = str(caught.value).partition("did you mean ")[2].rstrip("?").split(", ")
    assert len(near) == 3
    assert "xczu9" in near
