"""Reading, linting and estimating whatever is typed: nothing but HwmlError comes out, in a bounded number of steps."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.qor.qor_data import designs, kernels, needs_data
from tests.steps import counted

from hwml_sdk import predict_qor
from hwml_sdk.config import Settings
from hwml_sdk.document import Span, analyze
from hwml_sdk.errors import HwmlError
from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target
from hwml_sdk.qor.learned.features import features_of
from hwml_sdk.qor.lint.run import apply_safe_fixes, lint_source
from hwml_sdk.qor.read.source import read_program
from hwml_sdk.text import LINE_END

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.cpp"))]
MAX_CALLS = 5_000_000  # for a file of ordinary size, 20,000 characters; proportionally more for a longer one
TARGETS = [
    make_target("xcu280-fsvh2892-2L-e", 3.33, "vitis_hls", "2023.2"),
    make_target("xcvu9p-flgb2104-2-i", 4.0, "merlin", "2021.1"),
]
# What people type at the wrong place, and what parsers trip over.
PIECES = [
    "{", "}", "(", ")", "[", "]", ";", "#", "\\", '"', "'", "<", ">", "/*", "*/", "//", "\\\n", "\0", "\r", "\x1a", "é",
    "for", "for (", "#pragma HLS ", "#pragma HLS unroll factor=", "#pragma HLS array_partition variable=a dim=9",
    "#define N N+1\n", "#define F(x) F(F(x))\n", '#include "kernel.cpp"\n', "#if 1\n", "#else\n", "#endif\n",
    "template <int N> ", "hls::stream<", "ap_int<99999999>", "a[a[a[0]]]", "1e999", "0x", "99999999999999999999", "-1",
    "i++", "struct S {", "operator", "::", "while (1)", "do", "goto x;", "return", "?", "...", "int a[1<<40];",
    "L: L: L:", "ap_int<1e999>", "1e200 * 1e200", '_Pragma("HLS pipeline")', "i /= 0",
]  # fmt: skip
OPEN = st.text(st.characters(codec="utf-8"), max_size=200)


def swallow(text: str, path: str = "kernel.cpp") -> None:
    """Everything that may be done with a text; HwmlError is an answer, all else is a fault."""
    said: list[str] = []
    for target in TARGETS[:1] if "ACCEL" not in text else TARGETS:
        try:
            found = estimate_source(text, path=path, target=target, options=make_options(target))
            features_of(found)
        except HwmlError as error:
            said.append(str(error))
    try:
        lint_source(text, path=path)
    except HwmlError as error:
        said.append(str(error))
    assert not [line for line in said if "\n" in line]


def swallow_soon(text: str) -> None:
    """The same in a bounded number of steps. Counting doubles the time, so where texts are many nobody counts."""
    with counted() as steps:
        swallow(text)
    if steps.calls > MAX_CALLS * max(1.0, len(text) / 20_000):
        raise AssertionError(f"{steps.calls:,} calls for {len(text)} characters:\n{text[:4000]}")


def is_inside(span: Span, lines: list[str]) -> bool:
    """Whether a range starts and ends in the text, in this order; columns count characters."""
    places = ((span.start_line, span.start_character), (span.end_line, span.end_character))
    within = all(0 <= line < len(lines) and 0 <= column <= len(lines[line]) for line, column in places)
    return within and places[0] <= places[1]


def examine(text: str, path: str = "kernel.cpp") -> None:
    """All that is said about a text points into it, fixes settle it, and amounts add up to the figures."""
    if "\0" in text:
        return
    shown = text if "#pragma HLS" in text else "#pragma HLS top\n" + text  # else it is none of an editor's business
    lines = LINE_END.split(shown)  # as editors count them: a return by itself ends one, too
    analysis = analyze(path, shown, Settings())
    spans = [annotation.span for annotation in analysis.annotations] + [item.span for item in analysis.diagnostics]
    spans += [edit.span for item in analysis.diagnostics for fix in item.fixes for edit in fix.edits]
    spans += [related.span for item in analysis.diagnostics for related in item.related if related.path is None]
    assert [span for span in spans if not is_inside(span, lines)] == []
    for annotation in analysis.annotations:
        assert len(annotation.label) <= 25
        json.dumps(dict(annotation.data), allow_nan=False)
    fixed = apply_safe_fixes(text, lambda changed: lint_source(changed, path=path)[0].diagnostics)
    if fixed != text:
        read_program(fixed, path=path)
        again = apply_safe_fixes(fixed, lambda changed: lint_source(changed, path=path)[0].diagnostics)
        assert again == fixed
    if find_spec("hwml_exports") is None:
        return
    try:
        prediction = predict_qor("\n" + text)  # a line break says that it is text, no path
    except HwmlError:
        return
    json.dumps(prediction.to_dict(), allow_nan=False)
    for target in ("lut", "dsp", "ff", "latency_cycles"):
        value = getattr(prediction, target)
        amounts = [item.amount for item in prediction.explain if item.target == target]
        if value is not None and amounts:  # those under half a unit are left out, each
            assert abs(sum(amounts) - value) <= max(0.5 * (len(amounts) + 200), 1e-6 * value)
    shifted = ["", *LINE_END.split(text)]
    assert [i for i in prediction.explain if i.span is not None and not is_inside(i.span, shifted)] == []


def mutated(text: str, random_: random.Random) -> str:
    """The text as bytes with a few bytes or pieces lost, doubled, swapped or put in."""
    raw = bytearray(text.encode("utf-8"))
    for _ in range(random_.randint(1, 6)):
        at = random_.randrange(len(raw) + 1)
        end = min(len(raw), at + random_.choice((1, 1, 2, 5, 40, 400)))
        kind = random_.randrange(5)
        if kind == 0:
            del raw[at:end]
        elif kind == 1:
            raw[at:at] = raw[at:end]
        elif kind == 2:
            raw[at:at] = random_.choice(PIECES).encode("utf-8")
        elif kind == 3 and at < len(raw):
            raw[at] = random_.randrange(256)
        else:
            other = random_.randrange(len(raw) + 1)
            raw[at:end], raw[other:other] = b"", raw[at:end]
    return raw.decode("utf-8", errors="replace")


_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[-+*/%<>=!&|^]=?|[(){}\[\];,]")
NUMBERS = ["0", "1", "2", "-1", "3", "7", "64", "1000000007", "4294967296", "0.5", "1e30", "0x7fffffff", "N"]
OPERATORS = ["+", "-", "*", "/", "%", "<<", ">>", "<", ">=", "==", "!=", "&", "|", "^", "=", "+=", "/=", "&&"]
LINES = [
    "#pragma HLS unroll", "#pragma HLS unroll factor=3", "#pragma HLS pipeline II=2", "#pragma HLS pipeline off",
    "#pragma HLS dataflow", "#pragma HLS inline", "#pragma HLS inline off", "#pragma HLS loop_flatten", "break;",
    "#pragma HLS array_partition variable=a type=cyclic factor=3 dim=2", "#pragma HLS dependence variable=a false",
    "#pragma HLS loop_tripcount min=9 max=3", "#pragma HLS stream variable=a depth=0", "continue;", "return;", "{", "}",
    "#pragma HLS bind_op variable=a op=mul impl=dsp", "#pragma ACCEL parallel factor=4",
    "#pragma ACCEL pipeline flatten", "auto f = [&](int q) { return q + i; };",
    "while (i < 9) i++;", "do { i--; } while (i);", "for (auto &v : a) v = 1;",
    "switch (i) { case 1: i = 2; break; case 2: case 3: i++; default: ; }", "int a[i], *p = &i, &r = i;",
    "static std::array<int, 4> s{};", "hls::stream<int> q; q.write(q.read());",
    "struct { int x[4]; } t[3]; t[1].x[2]++;",
]  # fmt: skip


def reworded(text: str, random_: random.Random) -> str:
    """The text with words, operators and lines changed: it often still parses, so that more than the parser runs."""
    lines = text.split("\n")
    for _ in range(random_.randint(1, 5)):
        at = random_.randrange(len(lines))
        kind = random_.randrange(6)
        if kind == 0:
            lines.insert(at, random_.choice(LINES))
        elif kind == 1:
            lines.insert(random_.randrange(len(lines)), lines[at])
        elif kind == 2:
            lines.insert(random_.randrange(len(lines)), lines.pop(at))
            lines = lines or [""]
        else:
            lines[at] = _reworded_line(lines[at], text, random_)
    return "\n".join(lines)


def _reworded_line(line: str, text: str, random_: random.Random) -> str:
    found = list(_TOKEN.finditer(line))
    if not found:
        return line
    match = random_.choice(found)
    word = match.group()
    if word[0].isdigit():
        new = random_.choice(NUMBERS)
    elif word[0].isalpha() or word[0] == "_":
        start = random_.randrange(len(text) + 1)
        new = next((m.group() for m in re.finditer(r"[A-Za-z_]\w*", text[start : start + 200])), "int")
    else:
        new = random_.choice(OPERATORS) if word not in "(){}[];," else random_.choice(("", word + word, "(", "]", ";"))
    return line[: match.start()] + new + line[match.end() :]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.sampled_from(EXAMPLES), seed=st.integers(0, 2**32))
def test_mutated_examples(text: str, seed: int) -> None:
    swallow(mutated(text, random.Random(seed)))


@settings(max_examples=100, deadline=None)
@given(text=OPEN)
def test_any_text(text: str) -> None:
    swallow(text)


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_pieces(pieces: list[str]) -> None:
    swallow("void kernel(int a[8]) {" + " ".join(pieces))


@pytest.mark.parametrize("seed", range(30))
def test_all_that_is_said_holds_together(seed: int) -> None:
    random_ = random.Random(seed)
    text = random_.choice(EXAMPLES)
    examine(text if seed == 0 else random_.choice((mutated, reworded))(text, random_))


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: re.findall(r"void (\w+)\(", text)[-1])
def test_half_typed(text: str) -> None:
    """Every eleventh prefix, as if somebody were typing it from the start."""
    for end in range(0, len(text), 11):
        swallow(text[:end])


# -- texts that grow: twice the text takes about twice the time -------------------------------------------------------


def deep(n: int) -> Iterator[str]:
    """Nested constructs, n deep."""
    yield "void k(int a[8]) {" + "{" * n + "}" * n + "}"
    yield "void k(int a[8]) { a[0] = " + "(" * n + "1" + ")" * n + "; }"
    yield "void k(int a[8]) { a[0] = " + "-" * n + "1; }"
    yield "void k(int a[8]) { a[0] = " + "a[" * n + "0" + "]" * n + "; }"
    yield "void k(int a[8]) {" + "for (int i = 0; i < 4; i++) " * n + "a[0]++; }"
    yield "void k(int a[8]) {" + "if (a[0]) " * n + "a[0]++; }"
    yield "void k(int a[8]) { a[0] = " + "a[1] ? a[2] : " * n + "1; }"
    yield "void k(int a[8]) { a[0] = " + "f(" * n + "1" + ")" * n + "; }"
    yield "#define M0 1\n" + "".join(f"#define M{i} M{i - 1} + M{i - 1}\n" for i in range(1, n)) + f"int x = M{n - 1};"
    yield "#if 1\n" * n + "void k() {}\n" + "#endif\n" * n
    yield (
        "".join(f"void f{i}(int a[8]) {{ f{i + 1}(a); f{i + 1}(a); }}\n" for i in range(n))
        + f"void f{n}(int a[8]) {{}}"
    )
    yield "void k(int a[8]) { a[0] = 1" + " + a[1]" * n + "; }"
    yield "template <int N> void t(int a[8]) { t<N + 1>(a); }\nvoid k(int a[8]) { t<0>(a); }" + "\n" * n
    yield "struct S {" * n + "int x;" + "};" * n
    yield "void k(int a[8]) { for (int i = 0; i < 1000000000; i *= 1) a[0]++; }" + "\n" * n
    yield "void k() { int " + ", ".join(f"x{i} = {i}" for i in range(n)) + "; }"
    yield "namespace n {" * n + "void k(int a[8]) { a[0] = 1; }" + "}" * n


@pytest.mark.parametrize("index", range(len(list(deep(1)))))
@pytest.mark.timeout(1200)  # whatever the machine does beside
def test_deep_nesting(index: int) -> None:
    for n in (3, 30, 300, 3000):
        swallow_soon(list(deep(n))[index])


@pytest.mark.parametrize(
    "width", ["1e999", "1e200*1e200", "-1e400", "0", "-5", "99999999999", "8 / 0", "1 << 200", "1e25", "'a'"]
)
def test_odd_widths_and_bounds(width: str) -> None:
    loop = f"for (int i = 0; i < {width}; i++) a[i] = b[i];"
    swallow_soon(f"#include <ap_int.h>\nvoid k(ap_int<{width}> a[4], int b[{width}]) {{ {loop} }}")
    swallow_soon(
        f"void k(int a[4]) {{ for (int i = (int)({width}); i > {width}; i -= {width}) a[0] = (int)({width}); }}"
    )


def test_quadruple_triangular_nest() -> None:
    for n in (10, 2500, 100_000):
        heads = f"for (int i = 0; i < {n}; i++) for (int j = i; j < {n}; j++) for (int l = j; l < {n}; l++) "
        swallow_soon(f"void k(int a[8]) {{ {heads} for (int m = i; m < j + l; m++) a[m & 7]++; }}")


def long_file(functions: int) -> str:
    """Functions of 20 lines with loops, pragmas and calls, and a top that calls them all."""
    parts = [
        f"""
static void stage{i}(int a[64], int b[64]) {{
#pragma HLS inline off
  int buffer[64];
#pragma HLS array_partition variable=buffer cyclic factor=4
  load{i}: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline II=1
    buffer[i] = a[i] * {i + 3};
  }}
  work{i}: for (int i = 0; i < 64; i++) {{
    int sum = 0;
    for (int j = 0; j < 4; j++) {{
#pragma HLS unroll
      sum += buffer[(i + j) % 64];
    }}
    b[i] = sum > 100 ? sum : b[i];
  }}
}}
"""
        for i in range(functions)
    ]
    calls = "".join(f"  stage{i}(a, b);\n" for i in range(functions))
    return "".join(parts) + f"void top(int a[64], int b[64]) {{\n{calls}}}\n"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_work_is_linear_in_length() -> None:
    """1,000 to 10,000 lines: ten times the text takes at most fifteen times the calls."""

    def calls(functions: int) -> int:
        with counted() as steps:
            text = long_file(functions)
            found = estimate_source(text, top="top", target=TARGETS[0], options=make_options(TARGETS[0]))
            features_of(found)
            lint_source(text, path="k.cpp")
        return steps.calls

    calls(5)  # what is made once for all
    assert calls(480) < 15 * calls(48)


@needs_data
def test_mutated_real_kernels() -> None:
    chosen = random.Random(5).sample([k for k in kernels() if len(k.files[k.main]) < 20_000], 25)
    for index, kernel in enumerate(chosen):
        text = kernel.files[kernel.main]
        swallow_soon(mutated(text, random.Random(index)))
        swallow_soon(text[: random.Random(index).randrange(len(text))])


@needs_data
@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("change", [mutated, reworded], ids=lambda change: change.__name__)
def test_many_changed_real_kernels(change: Callable[[str, random.Random], str]) -> None:
    """Every kernel without its pragmas, and a design of each source's with them."""
    texts = [kernel.files[kernel.main] for kernel in kernels()]
    texts += [design.parts()[0] for design in random.Random(7).sample(designs(), 500)]
    for index, text in enumerate(texts):
        swallow(change(text, random.Random(index)))
        swallow(change(change(text, random.Random(-index)), random.Random(index)))
        swallow(text[: random.Random(index).randrange(len(text))])
        examine(change(text, random.Random(10_000 + index)))
