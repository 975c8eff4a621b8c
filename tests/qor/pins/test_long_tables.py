"""Long tables of numbers are left without their values: what stands around them stays in place, sizes are counted."""

from __future__ import annotations

import pytest

from hwml_sdk.qor.learned.features import extract
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.constants import evaluate
from hwml_sdk.qor.program.expressions import leaves
from hwml_sdk.qor.read.source import read_program

MARK = "int mark(int a) { return a; }\n"


def table(sizes: str, values: str, name: str = "t") -> str:
    """A table, and a function in the second line."""
    return f"static const int {name}{sizes} = {{{values}}};\n{MARK}"


def read(text: str) -> tuple[ir.Variable, ir.Program]:
    """The table and the whole."""
    program = read_program(text)
    return program.globals["t"], program


def given(var: ir.Variable) -> int:
    """How many values are known of it."""
    return len(var.init.items) if isinstance(var.init, ir.Many) else 0


def values_of(var: ir.Variable) -> list[object]:
    """What is known of its values; None for one that is not."""
    return [evaluate(item, {}) for item in leaves(var.init)] if var.init is not None else []


@pytest.mark.parametrize("count", [4000, 20000])
def test_values_that_were_left_out_are_not_zero(count: int) -> None:
    """64 products with elements of a table take operators, whether their values are known or not."""
    values = ",".join(str(at % 9 * 1001 + 77) for at in range(count))
    code = (
        f"static const int t[{count}] = {{{values}}};\nvoid f(int a[64], int b[64]) {{\n"
        "for (int i = 0; i < 64; i++) {\n#pragma HLS unroll\nb[i] = a[i] * t[i]; } }\n"
    )
    figures = extract(code, part="xcu280", clock_period_ns=10, tool="vitis_hls", tool_version="2023.2", stage="csynth")
    assert (figures.closed_form["lut"] or 0) > 2000 or (figures.closed_form["dsp"] or 0) > 0


@pytest.mark.parametrize(
    ("sizes", "values", "dims"),
    [
        ("[20000]", ",".join(["77"] * 20000), (20000,)),
        ("[]", ",".join(["77"] * 20000), (20000,)),
        ("[]", ",".join(["77"] * 20000) + ",", (20000,)),
        ("[ ]", ", ".join(["-7.5e-3f"] * 17000), (17000,)),
        ("[][2]", ",".join(["{77,88}"] * 9000), (9000, 2)),
        ("[][2]", ",".join(["{77,88}"] * 9000) + ", ", (9000, 2)),
        ("[][1][2]", ",".join(["{{77,88}}"] * 9000), (9000, 1, 2)),
        ("[]", ",".join(["MIX(1,22)"] * 9000), (9000,)),
    ],
)
def test_the_size_of_a_long_table(sizes: str, values: str, dims: tuple[int, ...]) -> None:
    var, program = read(table(sizes, values))
    assert var.dims == dims and values_of(var) == [None]
    assert program.functions["mark"].span.start_line == 1 and program.functions["mark"].span.start_character == 0
    assert program.work.used < 200 and not program.work.reason


@pytest.mark.parametrize("count", [700, 4096])
def test_a_table_that_is_not_so_long_keeps_its_values(count: int) -> None:
    var, program = read(table("[]", ",".join(["777"] * count)))
    assert (var.dims, given(var)) == ((count,), count) and "mark" in program.functions


def test_tables_that_are_long_together_have_none() -> None:
    """Four of 4,000 values keep them, five do not; one of less than 2,000 characters always does."""
    values = ",".join(["7"] * 4000)
    for others, kept in ((3, 4000), (4, 0)):
        more = "".join(table("[4000]", values, f"u{n}") for n in range(others)).replace(MARK, "")
        var, program = read(more + "static const int few[3] = {1, 2, 3};\n" + table("[4000]", values))
        assert given(var) == (kept or 1) and given(program.globals["few"]) == 3
        assert "mark" in program.functions


@pytest.mark.parametrize("values", ["{" + ",".join(["7"] * 20000), ",".join(["7"] * 20000) + "}"])
def test_braces_that_do_not_close_are_left_alone(values: str) -> None:
    """Half-typed code is read as it stands: nothing is made of a table whose end nobody knows."""
    program = read_program(f"static const int t[] = {{{values}}};\n{MARK}")
    assert program.globals["t"].dims != (20000,) or given(program.globals["t"]) == 20000
