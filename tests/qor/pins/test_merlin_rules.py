"""What the Merlin compiler makes of its pragmas, by version, in cycles derived from its rules and those of loops.

Part xcvu9p at 4 ns: float add 3, mul 3. Merlin keeps interface arrays on the chip, in as many banks
as its copies need, and copies them in over a bus of 64 bytes a cycle, and out what is written.
"""

from __future__ import annotations

import pytest

from hwml_sdk.qor.closed_form.estimate import Estimate

from .kit import closed, iis
from .loops_kit import COPY, LEAVE, TEST, figures, function, pipeline, plain

VERSIONS = ["2018.3", "2020.2", "2021.1"]


def merlin(code: str, version: str = "2021.1") -> Estimate:
    return closed(code, part="xcvu9p-flgb2104-2-i", clock=4.0, tool="merlin", version=version)


def one_loop(*pragmas: str, trips: int = 1024, statement: str = "b[i] = a[i] + 1;") -> str:
    lines = "\n".join(f"#pragma ACCEL {pragma}" for pragma in pragmas)
    return f"""
#pragma ACCEL kernel
void top(int a[1024], int b[1024]) {{
{lines}
  L: for (int i = 0; i < {trips}; i++) {{
    {statement}
  }}
}}"""


def nest(*pragmas: str, inner: str = "", rows: int = 64, columns: int = 80, statement: str = "") -> str:
    lines = "\n".join(f"#pragma ACCEL {pragma}" for pragma in pragmas)
    return f"""
#pragma ACCEL kernel
void top(int a[{rows}][{columns}], int b[{rows}][{columns}], int n) {{
{lines}
  O: for (int i = 0; i < {rows}; i++) {{
{f"#pragma ACCEL {inner}" if inner else ""}
    L: for (int j = 0; j < {columns}; j++) {{
      {statement or "b[i][j] = a[i][j] + 1;"}
    }}
  }}
}}"""


@pytest.mark.parametrize("version", VERSIONS)
def test_copies_in_and_out(version: str) -> None:
    """4,096 bytes of a in: 64 + 80 cycles; b in and out: twice that. The loop: pipelined."""
    found = merlin(one_loop(), version)
    assert figures(found) == {"L": (1, 1024, pipeline(1024, 1, COPY))}
    assert found.latency_cycles == function(TEST, pipeline(1024, 1, COPY) + 1, LEAVE) + 3 * (4096 / 64 + 80)


@pytest.mark.parametrize(
    ("version", "lut", "ff"), [("2018.3", 3400, 6200), ("2020.2", 12000, 11800), ("2021.1", 5400, 4800)]
)
def test_what_a_port_takes(version: str, lut: float, ff: float) -> None:
    """An adapter of 15 BRAM18 (docs/qor-model.md), and the copy: 1024 x 32 bits are two of 512 x 36."""
    memory = merlin(one_loop(), version).top.memory
    assert {var.name: (cost.bram_18k, cost.lut, cost.ff) for var, cost in memory.items()} == {
        "a": (15 + 2, lut, ff), "b": (15 + 2, lut, ff),
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("factor", "rounds"), [(4, 256), (3, 342), (512, 2)])
def test_parallel_innermost_loop(version: str, factor: int, rounds: int) -> None:
    """So many copies a round, from banks of their own: ceil(1024 / factor) rounds."""
    found = figures(merlin(one_loop(f"parallel factor={factor}"), version))
    assert found == {"L": (1, rounds, pipeline(rounds, 1, COPY))}


def test_parallel_without_a_factor_is_all() -> None:
    assert figures(merlin(one_loop("parallel"))) == {}
    assert figures(merlin(one_loop("parallel factor=2000"))) == {}


@pytest.mark.parametrize(("version", "burst"), [("2018.3", 90), ("2020.2", 175), ("2021.1", 175)])
@pytest.mark.parametrize(("trips", "tiles"), [(1024, 16), (1000, 16), (960, 15)])
def test_tiles(version: str, burst: int, trips: int, tiles: int) -> None:
    """Each tile of 64 fills the pipeline anew (depth 3) and fetches its slices of a and b."""
    found = figures(merlin(one_loop("tile factor=64", trips=trips), version))
    assert found["L"][2] == pipeline(trips, 1, COPY) + (tiles - 1) * COPY + tiles * 2 * burst


@pytest.mark.parametrize("factor", [1, 1024, 5000])
def test_no_tiles(factor: int) -> None:
    """Of one iteration, or of all: no tile."""
    assert figures(merlin(one_loop(f"tile factor={factor}")))["L"][2] == pipeline(1024, 1, COPY)


def test_tiles_of_an_inner_loop_fetch_nothing() -> None:
    """The arrays are on the chip by then: only the pipeline is filled anew, 9 times a row of 10 tiles."""
    found = figures(merlin(nest(inner="tile factor=8")))
    row = pipeline(80, 1, COPY) + 9 * COPY
    assert found == {"O": (None, 64, plain(64, TEST + row + 1 + LEAVE)), "L": (1, 80, row)}


def test_tiles_do_not_fetch_what_the_loop_does_not_name() -> None:
    """c[j] does not move with the tiled loop: only a and b are fetched; 2 states restart a loop without pipeline."""
    code = """
#pragma ACCEL kernel
void top(int a[64][80], int b[64][80], int c[80]) {
#pragma ACCEL tile factor=16
  O: for (int i = 0; i < 64; i++) {
    int t = i;
    L: for (int j = 0; j < 80; j++) {
      b[i][j] = a[t][j] + c[j];
    }
  }
}"""
    assert figures(merlin(code))["O"][2] == plain(64, TEST + pipeline(80, 1, COPY) + 1 + LEAVE) + 3 * 2 + 4 * 2 * 175


@pytest.mark.parametrize("version", VERSIONS)
def test_pipeline_flatten_unrolls_what_is_inside(version: str) -> None:
    """64 iterations, II 1: each array has banks enough for 80 copies."""
    assert figures(merlin(nest("pipeline flatten"), version)) == {"O": (1, 64, pipeline(64, 1, COPY))}


@pytest.mark.parametrize(("columns", "ii"), [(8192, 1), (8193, None)])
def test_flatten_is_refused_beyond_8192_iterations(columns: int, ii: int | None) -> None:
    assert iis(merlin(nest("pipeline flatten", rows=4, columns=columns)))["O"] == ii


def test_flatten_counts_loops_inside_one_another_and_after_one_another() -> None:
    """64 * 128 = 8192 are unrolled; with one loop more of one iteration they are not."""
    code = """
#pragma ACCEL kernel
void top(int a[4][64][128], int b[4][64][128], int c[4][8]) {{
#pragma ACCEL pipeline flatten
  O: for (int h = 0; h < 4; h++) {{
    for (int i = 0; i < 64; i++)
      for (int j = 0; j < 128; j++) b[h][i][j] = a[h][i][j] + 1;
    {more}
  }}
}}"""
    assert iis(merlin(code.format(more="")))["O"] == 1
    assert iis(merlin(code.format(more="for (int l = 0; l < 1; l++) c[h][l] = 0;")))["O"] is None


def test_flatten_is_refused_where_bounds_vary() -> None:
    """A triangular loop inside: Merlin leaves both loops as they are."""
    code = nest("pipeline flatten").replace("j < 80", "j < i")
    assert iis(merlin(code))["O"] is None


@pytest.mark.parametrize("pragma", ["pipeline", "pipeline off", "parallel factor=1"])
def test_what_changes_nothing_around_other_loops(pragma: str) -> None:
    """A coarse pipeline, none, one copy: the nest is one pipelined loop of 64 * 80, as without the pragma."""
    found = figures(merlin(nest(pragma, inner="pipeline")))
    assert found == {"O+L": (1, 5120, pipeline(5120, 1, COPY))}


@pytest.mark.parametrize(
    ("version", "factor", "passes"),
    [
        # Copies of an outermost loop that divides evenly: 2018.3 and 2020.2, and not 2021.1.
        ("2018.3", 8, 8), ("2020.2", 8, 8), ("2021.1", 8, 64),
        # 7 does not divide 64.
        ("2020.2", 7, 64),
        # All of them: every version.
        ("2018.3", 64, 1), ("2020.2", 64, 1), ("2021.1", 64, 1),
    ],
)  # fmt: skip
def test_parallel_outermost_loop(version: str, factor: int, passes: int) -> None:
    """Passes of the inner loop, not flattened with it as the copies stand side by side."""
    found = figures(merlin(nest(f"parallel factor={factor}", inner="pipeline"), version))
    outer = next(iter(found.values()))
    one = TEST + pipeline(80, 1, COPY) + 1 + LEAVE
    assert outer[2] == (pipeline(64 * 80, 1, COPY) if passes == 64 else plain(passes, one))


@pytest.mark.parametrize(("rows", "copied"), [(100, True), (101, False)])
def test_all_of_an_outermost_loop_up_to_a_hundred(rows: int, copied: bool) -> None:
    found = figures(merlin(nest("parallel", inner="pipeline", rows=rows)))
    assert (next(iter(found.values()))[2] == plain(1, TEST + pipeline(80, 1, COPY) + 1 + LEAVE)) == copied


def test_parallel_of_a_loop_inside_another_has_no_effect() -> None:
    """Only outermost loops are copied: 4 * 64 rows of 80 each."""
    code = """
#pragma ACCEL kernel
void top(int a[4][64][80], int b[4][64][80]) {{
  T: for (int h = 0; h < 4; h++) {{
#pragma ACCEL parallel factor={factor}
    O: for (int i = 0; i < 64; i++) {{
#pragma ACCEL pipeline
      L: for (int j = 0; j < 80; j++) b[h][i][j] = a[h][i][j] + 1;
    }}
  }}
}}"""
    one, eight = (merlin(code.format(factor=factor), "2020.2").latency_cycles for factor in (1, 8))
    assert one == eight


@pytest.mark.parametrize(
    ("version", "outer", "inner"),
    [
        # Merlin itself pipelines the innermost loop, however short, before 2021; later Vitis HLS takes the parent.
        ("2018.3", None, 1), ("2020.2", None, 1), ("2021.1", 1, None),
    ],
)  # fmt: skip
def test_automatic_pipelining_of_short_loops(version: str, outer: int | None, inner: int | None) -> None:
    code = """
#pragma ACCEL kernel
void top(int a[100][8], int b[100][8], int c[100]) {
  O: for (int i = 0; i < 100; i++) {
    c[i] = 0;
    L: for (int j = 0; j < 8; j++) b[i][j] = a[i][j] + 1;
  }
}"""
    found = iis(merlin(code, version))
    assert (found["O"], found.get("L")) == (outer, inner)


@pytest.mark.parametrize("version", VERSIONS)
def test_sums_are_reordered(version: str) -> None:
    """A reduction in 8 copies: a tree, whose root alone takes the old sum: II of one float addition.

    3 at 4 ns, and 4 more in Vivado HLS, which Merlin 2018.3 drives.
    """
    code = """
#pragma ACCEL kernel
void top(float a[1024], float out[1]) {
  float s = 0;
#pragma ACCEL parallel reduction=s factor=8
  L: for (int i = 0; i < 1024; i++) s += a[i];
  out[0] = s;
}"""
    assert figures(merlin(code, version))["L"][:2] == (7 if version == "2018.3" else 3, 128)


def test_iterations_that_need_each_other_are_not_copied() -> None:
    """a[i] from a[i - 1]: four copies take four times as long a round: as many cycles as one."""
    statement = "a[i] = a[i - 1] + b[i];"
    one, four = (
        figures(merlin(one_loop(p, statement=statement)))["L"] for p in ("parallel factor=1", "parallel factor=4")
    )
    assert four[1] == 256
    assert four[0] == 4 * (one[0] or 0)


def test_loads_are_not_merged() -> None:
    """Labels of Merlin designs show no saving where one element is read twice; banks for each."""
    found = merlin(one_loop("pipeline", statement="b[i] = a[i] * a[i] + a[i];"))
    assert figures(found)["L"][0] == 1
