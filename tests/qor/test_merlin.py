"""What Merlin makes of its pragmas, as ratios between designs that differ in one of them."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate

SUMS = """
#pragma ACCEL kernel
void k(double a[64][80], double y[{shape}]) {{
#pragma ACCEL PIPELINE {pipeline}
#pragma ACCEL TILE FACTOR={tile}
#pragma ACCEL PARALLEL FACTOR={factor}
  for (int i = 0; i < 64; i++) {{
    {first}
#pragma ACCEL PARALLEL FACTOR=1
    for (int j = 0; j < 80; j++) {guard}{element} += a[i][j];
  }}
}}"""


def estimate(version: str, **changes: object) -> Estimate:
    values = {"shape": "80", "element": "y[j]", "pipeline": "off", "factor": 1, "tile": 1, "guard": "", "first": ""}
    target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", version)
    return estimate_source(SUMS.format(**{**values, **changes}), target=target)


def cycles(version: str, **changes: object) -> float:
    """Cycles of the outer loop, without what moves data in and out."""
    (loop,) = estimate(version, **changes).top.loops
    return loop.cycles


@pytest.mark.parametrize("pipeline", ["off", "flatten"])
def test_parallel_sums_into_the_same_elements_gain_nothing(pipeline: str) -> None:
    """Rows of a added to one row y: each row waits for the one before, however many are in flight."""
    one = cycles("2020.2", pipeline=pipeline)
    assert cycles("2020.2", pipeline=pipeline, factor=4) == pytest.approx(one, rel=0.1)


def test_parallel_sums_into_elements_of_their_own_are_faster() -> None:
    own = {"shape": "64][80", "element": "y[i][j]"}
    assert cycles("2020.2", factor=4, **own) < 0.5 * cycles("2020.2", **own)


def test_from_2021_sums_are_reordered_unless_a_condition_holds_them() -> None:
    plain = [cycles("2021.1", pipeline="flatten", factor=factor) for factor in (1, 8)]
    held = [cycles("2021.1", pipeline="flatten", factor=factor, guard="if (j <= i) ") for factor in (1, 8)]
    assert plain[1] < 0.5 * plain[0]
    assert held[1] == pytest.approx(held[0], rel=0.2)


@pytest.mark.parametrize("version", ["2018.3", "2020.2"])
def test_copies_that_share_a_scalar_of_the_function_are_not_made(version: str) -> None:
    """gemm-ncubed of data/qor, whose `mult` is the function's, keeps one copy of its outer loop."""
    own = {"shape": "64][80", "element": "y[i][j]", "first": "double m = a[i][0]; y[i][0] = m;"}
    shared = {"shape": "64][80", "element": "y[i][j]", "first": "m = a[i][0]; y[i][0] = m;"}

    def dsp(parts: dict[str, str], factor: int) -> float:
        code = SUMS.replace("{{\n#pragma ACCEL PIPELINE", "{{\n  double m;\n#pragma ACCEL PIPELINE", 1)
        values = {"shape": "", "pipeline": "off", "tile": 1, "guard": "", "factor": factor, **parts}
        target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", version)
        return estimate_source(code.format(**values), target=target).dsp

    assert dsp(own, 8) > 2 * dsp(own, 1)
    assert dsp(shared, 8) == dsp(shared, 1)


def test_the_scalar_that_holds_an_offset_counts_as_the_loops_own() -> None:
    offset = {"shape": "5120", "element": "y[at + j]", "first": "int at = i * 80;"}
    assert cycles("2020.2", factor=4, **offset) < 0.5 * cycles("2020.2", **offset)


@pytest.mark.parametrize("version", ["2018.3", "2020.2", "2021.1"])
@pytest.mark.parametrize("pipeline", ["off", "flatten"])
def test_small_tiles_cost_and_one_tile_of_all_does_not(version: str, pipeline: str) -> None:
    """Each tile fetches its rows of a and fills the pipeline anew: n tiles cost n times as much."""
    untiled = cycles(version, pipeline=pipeline)
    assert cycles(version, pipeline=pipeline, tile=64) == untiled
    extra = [cycles(version, pipeline=pipeline, tile=tile) - untiled for tile in (2, 8, 32)]
    assert extra[0] > extra[1] > extra[2] > 0
    assert extra[0] == pytest.approx(4 * extra[1], rel=0.2)


def test_a_tiled_loop_is_not_flattened_with_the_loop_around_it() -> None:
    code = """
#pragma ACCEL kernel
void k(int a[16][100], int b[16][100]) {{
  for (int i = 0; i < 16; i++) {{
#pragma ACCEL TILE FACTOR={tile}
    for (int j = 0; j < 100; j++) b[i][j] = a[i][j] + 1;
  }}
}}"""
    target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", "2021.1")
    whole, parts = (estimate_source(code.format(tile=tile), target=target).top.loops[0] for tile in (1, 10))
    assert whole.ii == 1
    assert parts.ii is None
    assert parts.cycles > whole.cycles + 15 * 10  # nine more starts in each of 16 rounds


def copies(factor: int, kind: str = "int") -> Estimate:
    code = f"""
#pragma ACCEL kernel
void k({kind} a[1024], {kind} b[1024]) {{
#pragma ACCEL PARALLEL FACTOR={factor}
  for (int i = 0; i < 1024; i++) b[i] = a[i];
}}"""
    return estimate_source(code, target=make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", "2021.1"))


def test_elements_moved_at_once_cost_logic_by_their_bits() -> None:
    """Each bit has its bank, its way from the bus and its selection, also where nothing is computed."""
    one, four, sixteen = copies(1), copies(4), copies(16)
    assert sixteen.lut - four.lut == pytest.approx(4 * (four.lut - one.lut), rel=0.25)
    assert sixteen.ff - four.ff == pytest.approx(4 * (four.ff - one.ff), rel=0.25)
    wide = copies(16, "long").lut - copies(4, "long").lut
    assert wide == pytest.approx(2 * (sixteen.lut - four.lut), rel=0.25)
    assert sixteen.dsp == one.dsp == 0


def test_copies_that_read_what_others_write_take_room_and_no_time_off() -> None:
    code = """
#pragma ACCEL kernel
void k(double a[4096]) {{
#pragma ACCEL PARALLEL FACTOR={factor}
  for (int i = 1; i < 4097; i++) a[i] = a[i] + a[i - 1];
}}"""
    target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", "2021.1")
    one, eight = (estimate_source(code.format(factor=factor), target=target) for factor in (1, 8))
    assert eight.top.loops[0].cycles == pytest.approx(one.top.loops[0].cycles, rel=0.1)
    assert eight.lut > 1.2 * one.lut


def test_an_outermost_loop_with_all_its_iterations_parallel() -> None:
    own = {"shape": "64][80", "element": "y[i][j]"}
    one, all_of_it = (estimate("2021.1", factor=factor, **own) for factor in (1, 64))
    assert all_of_it.top.loops[0].cycles < 0.05 * one.top.loops[0].cycles
    assert all_of_it.dsp == pytest.approx(64 * one.dsp)


@pytest.mark.parametrize("version", ["2018.3", "2020.2", "2021.1"])
def test_factors_multiply_where_the_inner_loop_is_unrolled_whole(version: str) -> None:
    code = """
#pragma ACCEL kernel
void k(double a[16][64][8], double b[16][64][8]) {{
  for (int h = 0; h < 16; h++) {{
#pragma ACCEL PARALLEL FACTOR={outer}
    for (int i = 0; i < 64; i++) {{
#pragma ACCEL PARALLEL FACTOR=8
      for (int j = 0; j < 8; j++) b[h][i][j] = a[h][i][j] * 3.5;
    }}
  }}
}}"""
    target = make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", version)
    one, four = (estimate_source(code.format(outer=outer), target=target) for outer in (1, 4))
    assert four.dsp == pytest.approx(4 * one.dsp)
    assert four.top.loops[0].cycles < 0.5 * one.top.loops[0].cycles
