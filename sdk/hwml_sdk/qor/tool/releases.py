"""How tool releases differ: one table, a row for each release from which something changed.

Adding a release is adding a row to `RELEASES`: its tool, the first version it holds for, and what changed against the
row before it, each with its source. `pytest tests/qor/test_releases.py` checks the table, and
`python -m sdk.train qor constants --data DIR` how well the numbers in it fit labelled designs. Nothing else in `qor/`
compares versions or names of tools: it reads `Target.behaviour`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache

# Tools by name, and whose rows hold for them: Vivado HLS and Vitis HLS are one line of releases (renamed in 2020.1).
_LINES = {"vitis_hls": "hls", "vivado_hls": "hls", "merlin": "merlin", "vitis_hls+vivado": "hls"}
TOOLS = tuple(_LINES)
MERLIN, MERLIN_VERSION = "merlin", "2021.1"  # what ACCEL pragmas stand for; its newest release in the training data
# Of a version that nobody gave: the median of the training data.
UNKNOWN_YEAR = 2023.2

_VERSION = re.compile(r"^(20\d\d)\.(\d)")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """All ways in which releases differ; the defaults are those of the first Vivado HLS.

    clock_uncertainty: share of the clock period that the scheduler keeps free.
    float_extra_cycles: what cores of floating-point sums and products take beyond the table in `operators`.
    float_more_cycles: what they take beyond it at any clock, on families of which the table knows no more.
    slow_cores: where no later round waits for a floating-point core, it has more stages than where one does.
    imperfect_nests: a nest is one loop also where something stands before or behind the inner one.
    balanced_sums: floating-point sums of copies in a pipeline are a tree, with the old value among its leaves.
    auto_pipeline: loops are pipelined without a pragma.
    steady_nests: a nest is one loop also where an inner bound is a variable, as long as the nest leaves it alone.
    through_memory: a sum kept in an array goes through the memory in every iteration.
    throughput_driven: local arrays are split by the tool so that pipelined loops reach their II.
    outlined_loops: pipelined loops become functions, which run beside one another where they share nothing.
    callees_lend_cores: operators of functions called one after another are shared by the caller.
    wide_comparisons: reports list a comparison with as many LUTs as a sum.
    nest_lut: what tests of an inner loop take in a loop that was made of a nest.
    vivado_core: the scheduler of Vivado HLS; the learned correction tells the two apart.

    The rest is Merlin's (`merlin`), a source-to-source compiler in front of HLS.
    reductions: copies of a sum become a tree, also of floating-point numbers.
    innermost_only: automatic pipelining takes the innermost loop, however short it is.
    copies_outer: `parallel` copies outermost loops around others that it divides evenly.
    guarded_sums_serial: of sums into the same elements, only those under a condition keep copies from helping.
    tile_burst_cycles: bursts of a tile's slice of one array.
    port_lut, port_ff: one m_axi adapter with its burst buffers and the loop that copies.
    """

    clock_uncertainty: float = 0.125
    float_extra_cycles: int = 4
    float_more_cycles: int = 0
    slow_cores: bool = False
    imperfect_nests: bool = False
    balanced_sums: bool = False
    auto_pipeline: bool = False
    steady_nests: bool = False
    through_memory: bool = True
    throughput_driven: bool = False
    outlined_loops: bool = False
    callees_lend_cores: bool = False
    wide_comparisons: bool = False
    nest_lut: float = 4.0
    vivado_core: bool = True
    merlin: bool = False
    reductions: bool = False
    innermost_only: bool = False
    copies_outer: bool = False
    guarded_sums_serial: bool = False
    tile_burst_cycles: float = 0.0
    port_lut: float = 0.0
    port_ff: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """One field of `Behaviour`, its value from a release on, and where that is known from."""

    name: str
    value: float | bool
    source: str


@dataclass(frozen=True, slots=True)
class Release:
    """What changed with a release. line: hls or merlin. since: first version; a whole year means its first release."""

    line: str
    since: float
    changes: tuple[Change, ...]


# Merlin hands its code to the HLS of its release, so that both lines change to Vitis HLS alike.
_VITIS_CORE = (
    Change("float_extra_cycles", 0, "labels of data/qor before 2020 against later ones: longer cores at one clock"),
    Change("clock_uncertainty", 0.27, "UG1399, config: clock uncertainty 27 % (UG902: 12.5 %)"),
    Change("through_memory", False, "labels of data/qor before 2020 against later ones: II of sums kept in arrays"),
    Change("vivado_core", False, "UG1399: Vivado HLS became Vitis HLS in 2020.1"),
)
# One port and one bit read or written at once: least squares in log space over half of the Merlin kernels of data/qor;
# 2020.2 is the odd one in the labels too.
_PORTS = "fit: half of the Merlin kernels of data/qor, least squares in log space"
_TILES = "fit: designs of data/qor that differ in `tile` only (atax, bicg)"

RELEASES: tuple[Release, ...] = (
    Release("hls", 0, ()),
    Release("hls", 2020, (
        *_VITIS_CORE,
        Change("float_more_cycles", 1, "latencies of hgnn-date24, 2022.1: fadd 4 and fmul 3 at 10 ns on UltraScale+"),
        Change("auto_pipeline", True, "UG1399, config_compile -pipeline_loops: since Vitis HLS 2020.1"),
        Change("steady_nests", True, "loop table of a matrix product whose size is an argument, 2024.2: one loop"),
    )),
    Release("hls", 2022, (
        Change("throughput_driven", True, "UG1399, config_array_partition -throughput_driven; reports of 2022.1 on"),
        Change("outlined_loops", True, "csynth reports of 2022.1 on: a module `_Pipeline_` for each pipelined loop"),
        Change("callees_lend_cores", True, "bicg of data/qor, 2022.1: two loops in two functions, DSPs of one"),
    )),
    Release("hls", 2023, (
        Change("float_more_cycles", 0, "per-loop tables of Stream-HLS and Prometheus, 2023.2: the table of cores"),
        Change("slow_cores", True, "per-loop tables of Stream-HLS, 2023.2: sums of II 4 and iterations with 7 states"),
        Change("imperfect_nests", True, "latencies of data/qor at 10 ns: nothing between rounds of the outer loop"),
        Change("balanced_sums", True, "per-loop tables of Stream-HLS, 2023.2: II 12 of 4 sums, II 16 of 10 to 16"),
        Change("callees_lend_cores", False, "3mm of Prometheus, 2023.2: its tasks take the sum"),
        Change("wide_comparisons", True, "csynth reports, icmp of 32 bits: 20 LUT in 2022.2, 39 in 2024.1"),
        Change("nest_lut", 22.0, "labels of ForgeHLS: nests of two loops over images, less counters and sums"),
    )),
    Release("merlin", 0, (
        Change("merlin", True, "Merlin compiler guide: ACCEL pragmas, copies of interface arrays"),
        Change("auto_pipeline", True, "labels of 2018.3: innermost loops are pipelined without a pragma"),
        Change("reductions", True, "labels of data/qor: sums in unrolled loops become trees, also of floats"),
        Change("innermost_only", True, "labels of 2018.3 and 2020.2 against 2021.1"),
        Change("copies_outer", True, "labels of 2018.3 and 2020.2 show the copies, those of 2021.1 hardly any"),
        Change("tile_burst_cycles", 90.0, _TILES),
        Change("port_lut", 3400.0, _PORTS),
        Change("port_ff", 6200.0, _PORTS),
    )),
    Release("merlin", 2020, (
        *_VITIS_CORE,
        Change("tile_burst_cycles", 175.0, _TILES),
        Change("port_lut", 12000.0, _PORTS),
        Change("port_ff", 11800.0, _PORTS),
    )),
    Release("merlin", 2021, (
        Change("innermost_only", False, "labels of 2021.1: short innermost loops are left to Vitis HLS"),
        Change("copies_outer", False, "labels of 2018.3 and 2020.2 show the copies, those of 2021.1 hardly any"),
        Change("guarded_sums_serial", True, "labels of 2021.1: plain sums in outer loops no longer keep copies apart"),
        Change("port_lut", 5400.0, _PORTS),
        Change("port_ff", 4800.0, _PORTS),
    )),
)  # fmt: skip


def tool_year(version: str) -> float:
    """2022.2 as a number; `UNKNOWN_YEAR` where a version is not known."""
    match = _VERSION.match(version or "")
    return float(f"{match.group(1)}.{match.group(2)}") if match else UNKNOWN_YEAR


def line_of(tool: str) -> str:
    """Whose rows hold for a tool. KeyError for an unknown one."""
    return _LINES[tool]


@lru_cache(maxsize=256)
def behaviour_of(tool: str, year: float) -> Behaviour:
    """How a release behaves: the rows of its line up to it, one over the other. KeyError for an unknown tool."""
    return compose(RELEASES, tool, year)


def compose(releases: tuple[Release, ...], tool: str, year: float) -> Behaviour:
    """`behaviour_of` over another table. Rows of a line stand in the order of their versions."""
    line, found = _LINES[tool], Behaviour()
    for release in releases:
        if release.line == line and year >= release.since:
            values = {change.name: change.value for change in release.changes}
            found = replace(found, **values)  # type: ignore[arg-type]
    return found


def faults(releases: tuple[Release, ...] = RELEASES) -> Iterator[str]:
    """What is wrong with a table: unknown lines or fields, wrong types, missing sources, rows out of order."""
    kinds = {item.name: type(getattr(Behaviour(), item.name)) for item in fields(Behaviour)}
    newest: dict[str, float] = {}
    for release in releases:
        where = f"{release.line} {release.since:g}"
        if release.line not in _LINES.values():
            yield f"{where}: no tool has this line"
        if release.since <= newest.get(release.line, -1.0):
            yield f"{where}: stands after a later release"
        newest[release.line] = release.since
        for change in release.changes:
            kind = kinds.get(change.name)
            if kind is None:
                yield f"{where}: {change.name} is no field of Behaviour"
            elif isinstance(change.value, bool) != (kind is bool):
                yield f"{where}: {change.name} is to be a {kind.__name__}"
            if not change.source:
                yield f"{where}: {change.name} names no source"
