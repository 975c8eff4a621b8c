"""What each row of the table of releases does to a design, derived by hand, at the releases on both sides of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hwml_sdk import predict_qor
from hwml_sdk.qor.answer.types import LoopQor, QorPrediction
from hwml_sdk.qor.learned.features import FEATURE_NAMES, extract
from hwml_sdk.qor.tool.releases import RELEASES, Behaviour, Change, Release, behaviour_of, compose, faults, tool_year

# UltraScale+ at 10 ns: an adder of 32 bits takes 0.85 * (0.55 + 0.022 * 32) = 1.066 ns, a load 2 cycles, a store 1.
PART, CLOCK = "xcvu9p-flga2104-2-i", 10.0

At = Callable[..., QorPrediction]


@pytest.fixture
def at(tmp_path: Path) -> At:
    """A prediction of code by a tool's release, as settings in hwml.toml say it."""

    def predict(code: str, version: str, tool: str = "vitis_hls", clock: float = CLOCK) -> QorPrediction:
        (tmp_path / "k.cpp").write_text(code)
        (tmp_path / "hwml.toml").write_text(
            f'[hls]\npart = "{PART}"\nclock_period_ns = {clock}\ntool = "{tool}"\ntool_version = "{version}"\n'
        )
        return predict_qor(tmp_path / "k.cpp", top="k")

    return predict


def only(prediction: QorPrediction) -> LoopQor:
    (loop,) = prediction.loops
    return loop


def closed(prediction: QorPrediction, name: str) -> float:
    """What the closed form says, before the learned correction."""
    found = prediction.closed_form[name]
    assert found is not None
    return found


def cycles(prediction: QorPrediction) -> float:
    return closed(prediction, "latency_cycles")


def test_the_table_is_whole() -> None:
    assert list(faults()) == []
    # Every field but the constant of the first row changes somewhere: nothing in it is dead.
    changed = {change.name for release in RELEASES for change in release.changes}
    assert changed == set(Behaviour.__dataclass_fields__)


def test_rows_lie_one_over_the_other() -> None:
    table = (
        Release("hls", 0, (Change("float_extra_cycles", 7, "a"),)),
        Release("merlin", 2020, (Change("port_lut", 5.0, "a"),)),
        Release("hls", 2021, (Change("float_extra_cycles", 3, "a"), Change("auto_pipeline", True, "a"))),
        Release("hls", 2024, (Change("float_extra_cycles", 1, "a"),)),
    )
    first = Behaviour()
    assert compose(table, "vivado_hls", 2019.2) == replace(first, float_extra_cycles=7)
    assert compose(table, "vitis_hls", 2021.1) == replace(first, float_extra_cycles=3, auto_pipeline=True)
    assert compose(table, "vitis_hls+vivado", 2025.1) == replace(first, float_extra_cycles=1, auto_pipeline=True)
    assert compose(table, "merlin", 2019.2) == first
    assert compose(table, "merlin", 2020.2) == replace(first, port_lut=5.0)
    with pytest.raises(KeyError):
        behaviour_of("quartus", 2021.1)


def test_faults_of_a_table() -> None:
    table = (
        Release("hls", 2022, ()),
        Release("hls", 2020, (Change("speed", 1.0, "a"),)),
        Release("legup", 2023, (Change("auto_pipeline", 1.0, "a"),)),
        Release("hls", 2024, (Change("port_lut", True, "a"), Change("port_ff", 1.0, ""))),
    )
    assert list(faults(table)) == [
        "hls 2020: stands after a later release",
        "hls 2020: speed is no field of Behaviour",
        "legup 2023: no tool has this line",
        "legup 2023: auto_pipeline is to be a bool",
        "hls 2024: port_lut is to be a float",
        "hls 2024: port_ff names no source",
    ]


@pytest.mark.parametrize(("version", "year"), [("2022.2", 2022.2), ("2018.3.1", 2018.3), ("", 2023.2), ("v1", 2023.2)])
def test_versions_as_numbers(version: str, year: float) -> None:
    assert tool_year(version) == year


# -- Vivado HLS to Vitis HLS, 2020 ---------------------------------------------------------------------------------


def test_automatic_pipelining_comes_with_2020(at: At) -> None:
    code = "void k(int x[100], int y[100]) { for (int i = 0; i < 100; i++) y[i] = x[i] + 1; }"
    assert not only(at(code, "2019.2")).pipelined
    assert only(at(code, "2020.1")).pipelined


def test_sums_leave_the_memory_in_2020(at: At) -> None:
    code = """void k(int x[100], int a[8]) { for (int i = 0; i < 100; i++) {
    #pragma HLS pipeline
    a[0] += x[i]; } }"""
    # Data after 1.23 ns of the second state of the load, 1.066 ns for the sum and 1.23 ns for the store, which fit into
    # that state of 8.75 ns: II 2; then the element stays in a register.
    assert only(at(code, "2019.2")).ii == 2
    assert only(at(code, "2020.1")).ii == 1


def test_less_of_the_clock_is_left_from_2020_on(at: At) -> None:
    code = """void k(int x[100], int y[100], int a, int b, int c, int d, int e) {
    for (int i = 0; i < 100; i++) {
    #pragma HLS pipeline
    y[i] = ((((((x[i] + a) & b) + c) & d) + e) & a) + b; } }"""
    # Data after 1.23 ns of the second state of the load, four adders in 4.26 ns and three gates in .89 ns that keep
    # them in order, 1.23 ns for the store: 7.6 ns are within the 8.75 ns of Vivado HLS, and over Vitis HLS's 7.3 ns.
    assert only(at(code, "2019.2")).depth == 2
    assert only(at(code, "2020.1")).depth == 3


@pytest.mark.parametrize(
    ("op", "clock", "new", "old"),
    [("*", 10, 3, 2), ("+", 10, 4, 3), ("/", 10, 8, 8), ("*", 4, 4, 7), ("+", 4, 4, 7), ("/", 4, 10, 10)],
)
def test_fast_float_cores_are_shorter_from_2020_on(at: At, op: str, clock: int, new: int, old: int) -> None:
    code = f"""void k(float x[100], float y[100], float c) {{ for (int i = 0; i < 100; i++) {{
    #pragma HLS pipeline
    y[i] = x[i] {op} c; }} }}"""
    # Load 2, the core (sums and products only, and not at 10 ns), store 1.
    assert only(at(code, "2019.2", clock=clock)).depth == 2 + old + 1
    assert only(at(code, "2020.1", clock=clock)).depth == 2 + new + 1


SCHEDULERS = [
    ("vivado_hls", "2019.2", 1),
    ("vivado_hls", "2020.1", 0),
    ("merlin", "2018.3", 1),
    ("merlin", "2020.2", 0),
]


def test_the_correction_tells_the_schedulers_apart() -> None:
    code = "void k(int x[4]) { x[0] = 1; }"
    flag = FEATURE_NAMES.index("vivado_old")
    for tool, version, old in SCHEDULERS:
        row = extract(code, top="k", part=PART, clock_period_ns=CLOCK, tool=tool, tool_version=version, stage="csynth")
        assert row.values[flag] == old


# -- Vitis HLS 2022 and 2023 ---------------------------------------------------------------------------------------


def test_arrays_are_split_by_the_tool_from_2022_on(at: At) -> None:
    code = """void k(int x[64], int y[16]) { int t[64];
    for (int i = 0; i < 64; i++) { t[i] = x[i]; }
    for (int i = 0; i < 16; i++) {
    #pragma HLS pipeline
    y[i] = t[4 * i] + t[4 * i + 1] + t[4 * i + 2] + t[4 * i + 3]; } }"""
    # Four loads an iteration from a memory of two ports.
    assert [loop.ii for loop in at(code, "2021.2").loops] == [1, 2]
    assert [loop.ii for loop in at(code, "2022.1").loops] == [1, 1]


def test_loops_run_beside_one_another_from_2022_on(at: At) -> None:
    code = """void k(int x[200], int y[200], int u[100], int v[100]) {
    for (int i = 0; i < 200; i++) {
    #pragma HLS pipeline
    y[i] = x[i] + 1; }
    for (int i = 0; i < 100; i++) {
    #pragma HLS pipeline
    v[i] = u[i] + 1; } }"""
    one, two = (loop.cycles for loop in at(code, "2021.2").loops)
    # Load with its sum and store: two states, 199 + 1 and 99 + 1 cycles. A state before, one more than the report
    # counts
    # and one that leaves each loop, less the first; as modules of their own three more, and the longer one counts.
    assert (one, two) == (200, 100)
    assert cycles(at(code, "2021.2")) == 1 + (200 + 1) + 1 + (100 + 1) + 1 - 1
    assert cycles(at(code, "2022.1")) == 200 + 3 - 1


def test_cores_are_lent_by_callees_in_2022_only(at: At) -> None:
    loop = "for (int i = 0; i < 100; i++) {\n#pragma HLS pipeline\ny[i] = x[i] * 3.0f; }"
    code = f"""void f(float x[100], float y[100]) {{ {loop} }}
    void g(float x[100], float y[100]) {{ {loop} }}
    void k(float x[100], float y[100], float z[100]) {{ f(x, y); g(y, z); }}"""
    # One float multiplier (3 DSP) in each function.
    found = {version: closed(at(code, version), "dsp") for version in ("2021.2", "2022.2", "2023.1")}
    assert found == {"2021.2": 6, "2022.2": 3, "2023.1": 6}


# -- Merlin --------------------------------------------------------------------------------------------------------


def test_ports_of_merlin(at: At) -> None:
    code = """void k(int x[100], int y[100]) {
    #pragma ACCEL pipeline
    for (int i = 0; i < 100; i++) { y[i] = x[i] + 1; } }"""
    old, odd, new = (at(code, version, "merlin") for version in ("2018.3", "2020.2", "2021.1"))
    # Two arrays, one port each; nothing else of this design differs between the releases.
    assert closed(odd, "lut") - closed(old, "lut") == pytest.approx(2 * (12000 - 3400))
    assert closed(new, "lut") - closed(odd, "lut") == pytest.approx(2 * (5400 - 12000))
    assert closed(odd, "ff") - closed(old, "ff") == pytest.approx(2 * (11800 - 6200))
    assert closed(new, "ff") - closed(odd, "ff") == pytest.approx(2 * (4800 - 11800))


def test_bursts_of_tiles(at: At) -> None:
    code = """void k(int x[64], int y[64]) {
    #pragma ACCEL pipeline
    #pragma ACCEL tile factor=16
    for (int i = 0; i < 64; i++) { y[i] = x[i] + 1; } }"""
    # Four tiles, slices of two arrays in each: 90 cycles a burst, 175 from 2020 on.
    assert cycles(at(code, "2020.2", "merlin")) - cycles(at(code, "2018.3", "merlin")) == 4 * 2 * (175 - 90)
    assert cycles(at(code, "2021.1", "merlin")) == cycles(at(code, "2020.2", "merlin"))


def test_short_innermost_loops_are_left_to_hls_from_2021_on(at: At) -> None:
    code = """void k(int x[100][8], int y[100]) {
    for (int i = 0; i < 100; i++) { int s = 0; for (int j = 0; j < 8; j++) { s += x[i][j]; } y[i] = s; } }"""
    before, after = only(at(code, "2020.2", "merlin")), only(at(code, "2021.1", "merlin"))
    assert (before.pipelined, [inner.pipelined for inner in before.loops]) == (False, [True])
    # Vitis HLS pipelines the loop around 8 iterations and unrolls them.
    assert (after.pipelined, after.loops[0].pipelined, after.loops[0].unroll_factor) == (True, False, 8)


def test_outer_copies_end_with_2021(at: At) -> None:
    code = """void k(int x[64][100], int y[64][100]) {
    #pragma ACCEL parallel factor=4
    for (int i = 0; i < 64; i++) {
    #pragma ACCEL pipeline
    for (int j = 0; j < 100; j++) { y[i][j] = x[i][j] + 1; } } }"""
    # Two states: 99 + 1 cycles of the inner loop, one more than the report counts, and one state before and after it.
    # Four copies side by side: 16 rounds of it. Without them the two loops become one of 6400 iterations.
    assert only(at(code, "2020.2", "merlin")).cycles == 16 * (100 + 1 + 2)
    assert only(at(code, "2021.1", "merlin")).cycles == 6399 + 1


def test_sums_into_the_same_elements(at: At) -> None:
    def code(guard: str) -> str:
        return f"""void k(int x[64][8], int y[8]) {{
        #pragma ACCEL parallel factor=4
        for (int i = 0; i < 64; i++) {{
        #pragma ACCEL parallel
        for (int j = 0; j < 8; j++) {{ {guard} y[j] += x[i][j]; }} }} }}"""

    # Four copies that wait for each other take four cycles, or four times the 3 cycles through the memory before 2020;
    # since 2021 only where a condition stands before the sum.
    plain, guarded = code(""), code("if (x[i][j] > 0)")
    assert [only(at(plain, version, "merlin")).ii for version in ("2018.3", "2020.2", "2021.1")] == [12, 4, 1]
    assert [only(at(guarded, version, "merlin")).ii for version in ("2020.2", "2021.1")] == [4, 4]


def test_merlin_makes_trees_of_float_sums(at: At) -> None:
    code = """void k(float x[64][8], float y[1]) {{ float s = 0; {outside}
    for (int i = 0; i < 64; i++) {{ {inside}
    for (int j = 0; j < 8; j++) {{ s += x[i][j]; }} }} y[0] = s; }}"""
    # A sum takes 3 cycles on UltraScale+ at 10 ns, and 4 in Vitis HLS of 2021: one carried sum against eight in order.
    merlin = code.format(outside="\n#pragma ACCEL pipeline flatten", inside="")
    vitis = code.format(outside="", inside="\n#pragma HLS pipeline")
    assert only(at(merlin, "2021.1", "merlin")).ii == 3
    assert only(at(vitis, "2021.1")).ii == 8 * 4
