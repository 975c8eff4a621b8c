"""Work grows no faster than the text: calls counted at n and at 2n, as these are the same on every machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.qor import growth_more
from tests.qor.growth import FAMILIES as FIRST
from tests.qor.growth import OTHER, kernel, macro_grid

from hwml_sdk.cli import main
from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis
from hwml_sdk.errors import SourceError
from hwml_sdk.qor import kernels
from hwml_sdk.qor.answer.types import QorPrediction
from hwml_sdk.qor.lint.run import lint
from hwml_sdk.qor.model import predict_text
from hwml_sdk.qor.program.budget import TOP_STEPS
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.qor.provider import analyze
from hwml_sdk.qor.read.source import read_program

MOST = 2.3  # twice the text, and room for what is counted in blocks
SIZE = 150
# Every kernel is a design of its own and is answered as one; the rest of the document is what grows here.
PATH = "kernel.cpp"


def _counted(work: Any, text: str) -> int:
    """Calls of functions, in Python and in C, while `work` deals with the text."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work(text)
    except SourceError:
        pass  # of a text that is over a limit, or whose braces nothing closes
    finally:
        sys.setprofile(before)
    return calls


def _predict(text: str) -> QorPrediction:
    return predict_text(text, path=PATH, inputs=Inputs(), settings=replace(Settings().hls, top="f"))


def _analyze(text: str) -> Analysis:
    return analyze(PATH, text, Settings())


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    _analyze(OTHER)
    _predict(kernel(""))


def _lines(text: str) -> int:
    """Lines of Python that run while the text is read: rounds of comprehensions count too."""
    lines = 0

    def count(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        read_program(text)
    finally:
        sys.settrace(before)
    return lines


FAMILIES = {**FIRST, **growth_more.FAMILIES}
# What is inside one another further than the limits of depth is left as it is: up to there the work is square, from
# there on it is linear. And calls are held against all overloads, instances against all special ones, up to the limit.
LARGER = dict.fromkeys(("macro_arguments_nested", "operators_of_a_class", "shift_chain"), 8 * SIZE)
LARGER |= dict.fromkeys(("overloads", "template_specialisations", "scalars_and_unrolled_loops"), 8 * SIZE)
# A struct holds the fields of all its bases, one more in each: square, at 0.4 us a field.
SQUARE = {"bases"}
# Of each kind of text some; the rest take minutes and run with the slow tests.
OFTEN = {
    "blanks", "comments", "continuation_lines", "macro_text", "pasted_tokens", "constants_chained", "declarations",
    "nested_calls", "switch_cases", "macro_arguments_open", "template_recursion", "parentheses", "else_if_chain",
    "ternaries", "macro_grid", "if_nest", "initialiser", "calls_straight", "scalars_and_loops",
    "macro_arguments_doubled", "processes_and_channels", "tables_filled", "tables_too_large_to_fill", "objects",
    "objects_handed_on", "recurrences_in_a_loop",
}  # fmt: skip
NAMES = [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in sorted(set(FAMILIES) - SQUARE)]


@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_is_linear_in_the_text(name: str) -> None:
    once, twice = (_counted(_predict, FAMILIES[name](factor * LARGER.get(name, SIZE))) for factor in (1, 2))
    assert twice <= MOST * once


@pytest.mark.parametrize("name", NAMES)
def test_everything_the_editor_shows_is_linear_in_the_text(name: str) -> None:
    once, twice = (_counted(_analyze, FAMILIES[name](factor * LARGER.get(name, SIZE))) for factor in (1, 2))
    assert twice <= MOST * once


def test_branches_within_branches_are_linear_for_the_lint() -> None:
    """Each stands in the `else` of the one before it, in a loop; what is forgotten behind it is looked for once."""

    def work(n: int) -> int:
        branches = "".join(f" else if (a[i] == {at}) a[i] = {at};\n" for at in range(1, n))
        body = f"  for (int i = 0; i < 64; i++) {{ if (s == 0) a[0] = 1;{branches} }}"
        program = read_program(kernel(body), path=PATH)
        return _counted(lambda _: lint(program), "")

    assert work(80) <= MOST * work(40)


def _spaces(n: int) -> str:
    return "".join(f"namespace n{i} {{ const int k{i} = {i}; enum {{ e{i} }}; }}\n" for i in range(n))


def _merlin(n: int) -> str:
    one = "\n#pragma ACCEL pipeline\n  for (int i = 0; i < 8; i++) a[i] = s;\n"
    return kernel(one * n)


def _merlin_functions(n: int) -> str:
    one = "\n#pragma ACCEL kernel\nvoid f{0}(int a[8]) {{ for (int i = 0; i < 8; i++) a[i] = {0}; }}\n"
    return "".join(one.format(at) for at in range(n))


@pytest.mark.parametrize("family", [_spaces, _merlin, _merlin_functions])
def test_what_a_name_or_a_pragma_is_held_against_does_not_grow(family: Callable[[int], str]) -> None:
    _lines(family(2))
    once, twice = _lines(family(SIZE)), _lines(family(2 * SIZE))
    assert twice <= MOST * once


# -- files that once ended in a traceback, or not at all --------------------------------------------------------------


def _pasted() -> str:
    """An identifier of 2 MB, made by `##` from 600 bytes."""
    levels = "".join(f"#define P{i}(x) P{i - 1}(x##x)\n" for i in range(1, 21))
    return kernel("  a[0] = P20(x);", "#define P0(x) x##x\n" + levels)


FAULTS = {
    "paste": _pasted(),
    "switch": FAMILIES["switch_cases"](500),
    "arguments": FAMILIES["macro_arguments_nested"](3000),
    "lambdas": FAMILIES["lambda_nest"](400),
    "else if": FAMILIES["else_if_chain"](3000),
    "dimensions": FAMILIES["array_dimensions"](1600),
    "table": macro_grid(64),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_file_made_to_grow_is_answered_or_refused_in_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_text(FAULTS[name])
    code = main(["qor", "--top", "f", str(path)])
    said = capsys.readouterr()
    assert code in (0, 2)
    assert "Traceback" not in said.err
    if code == 2:
        assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_the_other_functions_of_such_a_file_are_answered(name: str) -> None:
    shown = {item.name for item in _analyze(FAULTS[name]).annotations if item.kind == "function"}
    assert "other" in shown


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"braces_open", "parentheses_open", "macro_arguments_open"}))
def test_a_kernel_beside_what_grows_has_figures(name: str) -> None:
    # Kernels in front of code that is too much, too deep or broken; unclosed brackets take what follows with them.
    shown = {item.name for item in _analyze(FAMILIES[name](400)).annotations if item.kind == "function"}
    assert "other" in shown or "f" in shown


def test_functions_for_which_no_work_is_left_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes TOP_STEPS and its walk: of 12, a document that may cause work for some 5 answers the first."""
    monkeypatch.setattr(kernels, "DOCUMENT_STEPS", 5 * TOP_STEPS + 50)
    one = "void f{}(int a[4]) {{\n  for (int i = 0; i < 4; i++) a[i] = i;\n}}\n"
    text = "#include <ap_int.h>\n" + "".join(map(one.format, range(12)))
    found = analyze("k.cpp", text, Settings())
    named = [word for note in found.notes for word in re.findall(r"\bf\d+", note)]
    answered = [f"f{n}" for n in range(12 - len(named))]
    assert 1 < len(answered) < 7 and answered + named == [f"f{n}" for n in range(12)]
    assert len(found.notes) == 2, "a line for each batch"
    assert all("took all the work one document may cause" in note for note in found.notes)


def test_a_long_switch_has_a_latency() -> None:
    # 500 arms that store one element each: a choice and a store, which share the only state (0 cycles) or take one.
    prediction = _predict(FAMILIES["switch_cases"](500))
    assert prediction.latency_cycles is not None
    assert prediction.latency_cycles <= 1


def test_what_is_left_out_makes_the_latency_unknown_and_says_why() -> None:
    prediction = _predict(FAMILIES["parentheses_sums"](1000))
    assert prediction.latency_cycles is None
    assert any("nested too deeply" in warning for warning in prediction.warnings)
    text = FAMILIES["assignments_straight"](30_000)
    prediction = _predict(text)
    assert prediction.latency_cycles is None
    assert any("left out" in warning for warning in prediction.warnings)


def test_a_chain_of_constants_has_its_value_however_long_it_is() -> None:
    # c0 = 1 and each one more than the one before: the loop runs 500 times.
    chain = "".join(f"const int c{i} = c{i - 1} + 1;\n" for i in range(1, 500))
    text = kernel("  for (int i = 0; i < c499; i++) a[i % 64] += i;", "const int c0 = 1;\n" + chain)
    loop = next(loop for loop in _predict(text).loops if loop.name)
    assert loop.trip_count == 500


@pytest.mark.parametrize("expression", ["c{0} + c{0}", "c{0} * c{0}", "c{0} && c{0}"])
def test_constants_made_of_two_others_are_evaluated_once_each(expression: str) -> None:
    # Evaluated anew for every use, the last of these takes two to the thirtieth evaluations.
    chain = "".join(f"const int c{i} = {expression.format(i - 1)};\n" for i in range(1, 400))
    for first in ("1", "unknown"):
        text = kernel("  for (int i = 0; i < c399; i++) a[i % 64] += i;", f"const int c0 = {first};\n" + chain)
        assert _counted(_predict, text) < 3_000_000


def test_pragmas_of_loops_that_were_not_read_belong_to_nothing() -> None:
    # 2,400 loops are more than is read; the pragmas of the rest are inside loops all the same.
    assert list(_analyze(FAMILIES["scalars_and_unrolled_loops"](16 * SIZE)).diagnostics) == []


def test_macros_that_call_twice_what_calls_twice_are_left_out() -> None:
    levels = "".join(f"#define D{i} D{i - 1} + D{i - 1}\n" for i in range(1, 40))
    prediction = _predict(kernel("  a[0] = 1;", "#define D0 1\n" + levels + "int g = D39;\n"))
    assert prediction.latency_cycles is None
    assert any("macros grow too large" in warning for warning in prediction.warnings)


def test_macros_in_macros_are_expanded_to_the_depth_that_the_words_say() -> None:
    # 60 levels are expanded: the loop runs 61 times. 80 are not: the latency is unknown, and it is said why.
    def loop(levels: int) -> Any:
        chain = "".join(f"#define M{i} (M{i - 1} + 1)\n" for i in range(1, levels + 1))
        return _predict(kernel(f"  for (int i = 0; i < M{levels}; i++) a[i % 64] += i;", "#define M0 1\n" + chain))

    assert next(item for item in loop(60).loops).trip_count == 61
    deep = loop(80)
    assert deep.latency_cycles is None
    assert any("macros stand inside one another" in warning for warning in deep.warnings)


def test_a_lint_that_did_not_look_at_everything_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file over the limits must not pass for a clean one."""
    path = tmp_path / "large.cpp"
    body = "".join(f"  a[{n % 8}] = a[{n % 7}] + {n};\n" for n in range(30_000))
    path.write_text(f"void f(int a[8]) {{\n#pragma HLS INTERFACE ap_memory port=a\n{body}}}\n")
    assert main(["qor", "lint", "--no-estimate", str(path)]) == 0
    assert "note: " in capsys.readouterr().out


# -- headers -----------------------------------------------------------------------------------------------------------

# 64 iterations of a read and a write of one element on a bus.
USES_HEADER = '#include "data.h"\n' + kernel("  for (int i = 0; i < 64; i++) a[i] += VALUE;")


def _with_header(header: str, value: str, files: dict[str, str] | None = None) -> QorPrediction:
    inputs = Inputs(files={"data.h": header, **(files or {})})
    text = USES_HEADER.replace("VALUE", value)
    return predict_text(text, path=PATH, inputs=inputs, settings=replace(Settings().hls, top="f"))


@pytest.mark.parametrize("size", ["128000", ""])
def test_a_header_of_weights_is_no_reason_to_leave_out_the_kernel(size: str) -> None:
    # 720 KB of numbers, more than is parsed: the kernel does not hang on them; where no size is told they are counted.
    rows = (", ".join(str(value * 37 % 65536) for value in range(at, at + 16)) for at in range(0, 128_000, 16))
    header = f"static const unsigned short table[{size}] = {{\n{','.join(rows)}\n}};\nstatic const int after = 5;\n"
    prediction = _with_header(header, "table[i] + after")
    assert [loop.trip_count for loop in prediction.loops] == [64]
    assert prediction.latency_cycles is not None
    assert prediction.bram_18k == pytest.approx(128_000 * 16 / 18_432, rel=0.2)


@pytest.mark.parametrize("declared", ["const unsigned char {}[256][64]", "const unsigned char {}[][64]"])
@pytest.mark.parametrize("tables", [1, 12])
def test_tables_of_a_network_are_no_code(declared: str, tables: int) -> None:
    """16,384 values each, more than is read of a document: they take eight block RAMs a table (the bus four)."""
    rows = ",\n".join("{" + ",".join(str((row * at) % 7) for at in range(64)) + "}" for row in range(256))
    header = "".join(f"{declared.format(f't{n}')} = {{\n{rows},\n}};\n" for n in range(tables))
    prediction = _with_header(header, " + ".join(f"t{n}[i & 3][i]" for n in range(tables)))
    assert [loop.trip_count for loop in prediction.loops] == [64]
    assert prediction.latency_cycles is not None and not any("left out" in warning for warning in prediction.warnings)
    assert prediction.bram_18k == pytest.approx(4 + 8 * tables, abs=tables)


def test_many_tables_that_are_short_by_themselves_are_no_code_together() -> None:
    """30 layers of 2,000 weights each: the kernel behind them is read, and so are values of one that stands alone."""
    values = ",".join(str(at % 9) for at in range(2000))
    one = f"static const int t0[2000] = {{{values}}};\n"
    header = "".join(one.replace("t0", f"t{n}") for n in range(30))
    assert [loop.trip_count for loop in _with_header(header, "t29[i]").loops] == [64]
    known = _with_header(one + "static const int rounds = t0[7];\n", "rounds")
    assert known.latency_cycles is not None


def test_a_header_that_is_too_long_leaves_work_for_the_kernel_and_is_told() -> None:
    # 12,000 constants, each one more than the one before; the kernel behind them is read and its loop counted.
    chain = "".join(f"static const int c{i} = c{i - 1} + 1;\n" for i in range(1, 12_000))
    prediction = _with_header("static const int c0 = 1;\n" + chain, "c5")
    assert [loop.trip_count for loop in prediction.loops] == [64]
    assert prediction.latency_cycles is None
    assert any("more code in headers" in warning for warning in prediction.warnings)


def test_headers_that_include_each_other_end() -> None:
    # a.h -> b.h -> c.h -> a.h without guards, each named by its name alone; what they hold is known all the same.
    names = ["a.h", "b.h", "c.h"]
    files = {
        f"deep/{name}": f'#include "{after}"\n#define FROM_{name[0].upper()} {4 * at}\n'
        for at, (name, after) in enumerate(zip(names, [*names[1:], names[0]], strict=True))
    }
    prediction = _with_header('#include "a.h"\n', "FROM_A + FROM_B + FROM_C", files)
    assert prediction.latency_cycles is not None
    assert prediction.latency_cycles >= 64
