"""Areas against utilisation tables of reports and against what the tool was seen to share."""

from __future__ import annotations

import pytest

from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate

ZU9EG = "xczu9eg-ffvb1156-2-i"

TWO_LOOPS = """
#define N 64
void one(float A[N][N], float s[N], float r[N]) {
  for (int i = 0; i < N; i++) {
#pragma HLS pipeline off
    for (int j = 0; j < N; j++) {
#pragma HLS pipeline off
      s[j] += r[i] * A[i][j];
    }
  }
}
void two(float A[N][N], float q[N], float p[N]) {
  for (int i = 0; i < N; i++) {
#pragma HLS pipeline off
    for (int j = 0; j < N; j++) {
#pragma HLS pipeline off
      q[i] += A[i][j] * p[j];
    }
  }
}
void top(float A[N][N], float s[N], float r[N], float q[N], float p[N]) {
  one(A, s, r);
  two(A, q, p);
}
"""


def estimate(code: str, version: str = "2022.1", stage: str = "csynth", clock_period_ns: float = 10.0) -> Estimate:
    target = make_target(ZU9EG, clock_period_ns, "vitis_hls", version, stage=stage)
    return estimate_source(code, top="top", target=target)


def test_functions_called_one_after_another_share_their_cores() -> None:
    """Two loops in two functions: one fadd (2 DSP) and one fmul (3), as the placed bicg designs of 2022.1 have."""
    assert estimate(TWO_LOOPS).dsp == 5


def test_later_releases_and_dataflow_give_each_function_its_own() -> None:
    assert estimate(TWO_LOOPS, "2023.2").dsp == 10
    overlapping = TWO_LOOPS.replace("  one(A", "#pragma HLS dataflow\n  one(A")
    assert estimate(overlapping).dsp == 10


@pytest.mark.parametrize(("factor", "multipliers"), [(1, 1), (2, 2), (4, 4), (8, 5), (16, 5)])
def test_a_chain_of_sums_needs_few_multipliers(factor: int, multipliers: int) -> None:
    """atax of 2022.1 took 5, 8, 14, 14 or 17, 14 or 17 DSP with these factors: one fadd and 1, 2, 4, 4 or 5 fmul."""
    code = f"""
void top(float A[64][64], float x[64], float t[64]) {{
#pragma HLS array_partition variable=A cyclic factor={factor} dim=2
#pragma HLS array_partition variable=x cyclic factor={factor}
  for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline off
    for (int j = 0; j < 64; j++) {{
#pragma HLS pipeline off
#pragma HLS unroll factor={factor}
      t[i] += A[i][j] * x[j];
    }}
  }}
}}
"""
    assert estimate(code).dsp == 2 + 3 * multipliers


def with_interfaces(pragmas: str, kind: str = "int") -> str:
    return f"""
#include <ap_int.h>
void top({kind} *a, {kind} *b, {kind} *c) {{
{pragmas}
  for (int i = 0; i < 64; i++) c[i] = a[i] + b[i];
}}
"""


def test_an_adapter_costs_what_reports_show() -> None:
    """One 32-bit bundle for both directions: 4 BRAM18, 512 FF, 580 LUT; three 64-bit offsets: 291 FF, 490 LUT."""
    bare = estimate(with_interfaces(""))
    bus = "".join(f"#pragma HLS interface m_axi port={name} bundle=gmem\n" for name in "abc")
    with_bus = estimate(with_interfaces(bus))
    assert with_bus.bram_18k - bare.bram_18k == 4
    slave = bus.replace("bundle=gmem", "bundle=gmem offset=slave")
    control = estimate(with_interfaces(slave))
    assert control.lut - with_bus.lut == pytest.approx(490, abs=1)
    assert control.ff - with_bus.ff == pytest.approx(291, abs=2)


def test_a_wide_adapter_costs_more() -> None:
    """512 bits, read only: 16 BRAM18."""
    bus = "#pragma HLS interface m_axi port=a bundle=gmem\n"
    narrow, wide = (estimate(with_interfaces(bus, kind)) for kind in ("int", "ap_uint<512>"))
    assert wide.bram_18k == 16
    assert narrow.bram_18k == 2


def test_place_and_route_needs_fewer_luts_than_csynth_says() -> None:
    """Most of a design's logic is merged: placed hgbo-dse designs have a third of what csynth says (data/qor)."""
    code = """
void top(int a[32], int b[32]) {
#pragma HLS array_partition variable=a complete
#pragma HLS array_partition variable=b complete
  for (int i = 0; i < 32; i++) {
#pragma HLS unroll
    b[i] = (a[i] + a[31 - i]) ^ (a[i] < 0 ? a[i] : 7 - a[i]);
  }
}
"""
    csynth, placed = estimate(code), estimate(code, stage="impl")
    assert placed.lut < csynth.lut / 2
    assert placed.dsp == csynth.dsp


def test_a_shorter_clock_takes_more_registers() -> None:
    assert estimate(TWO_LOOPS, clock_period_ns=3.33).ff > estimate(TWO_LOOPS, clock_period_ns=10.0).ff


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ConfigError, match="csynth, impl"):
        make_target(ZU9EG, 10.0, "vitis_hls", "2022.1", stage="route")
