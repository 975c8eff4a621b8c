"""Reading, linting and estimating whatever somebody types: nothing but HwmlError comes out, and soon.

A hang is over one second of this process's own time for a file of ordinary size; a faster run is never asked for here.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.qor.qor_data import kernels, needs_data

from hwml_sdk.errors import HwmlError
from hwml_sdk.qor.design import estimate_source, make_options, make_target
from hwml_sdk.qor.features import features_of
from hwml_sdk.qor.lint import lint_source

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.cpp"))]
HANG_SECONDS = 1.0
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
    started = time.process_time()
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
    took = time.process_time() - started
    if took > HANG_SECONDS * max(1.0, len(text) / 20_000):
        raise AssertionError(f"{took:.1f} s for {len(text)} characters:\n{text[:4000]}")


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
def test_deep_nesting(index: int) -> None:
    for n in (3, 30, 300, 3000):
        swallow(list(deep(n))[index])


@pytest.mark.parametrize(
    "width", ["1e999", "1e200*1e200", "-1e400", "0", "-5", "99999999999", "8 / 0", "1 << 200", "1e25", "'a'"]
)
def test_odd_widths_and_bounds(width: str) -> None:
    loop = f"for (int i = 0; i < {width}; i++) a[i] = b[i];"
    swallow(f"#include <ap_int.h>\nvoid k(ap_int<{width}> a[4], int b[{width}]) {{ {loop} }}")
    swallow(f"void k(int a[4]) {{ for (int i = (int)({width}); i > {width}; i -= {width}) a[0] = (int)({width}); }}")


def test_quadruple_triangular_nest() -> None:
    for n in (10, 2500, 100_000):
        heads = f"for (int i = 0; i < {n}; i++) for (int j = i; j < {n}; j++) for (int l = j; l < {n}; l++) "
        swallow(f"void k(int a[8]) {{ {heads} for (int m = i; m < j + l; m++) a[m & 7]++; }}")


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
def test_time_is_linear_in_length() -> None:
    """1,000 to 10,000 lines: ten times the text may take at most twenty times the time of this process."""

    def seconds(functions: int) -> float:
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            text = long_file(functions)
            found = estimate_source(text, top="top", target=TARGETS[0], options=make_options(TARGETS[0]))
            features_of(found)
            lint_source(text, path="k.cpp")
            best = min(best, time.process_time() - started)
        return best

    seconds(5)
    assert seconds(480) < 20 * seconds(48)


@needs_data
def test_mutated_real_kernels() -> None:
    chosen = random.Random(5).sample([k for k in kernels() if len(k.files[k.main]) < 20_000], 25)
    for index, kernel in enumerate(chosen):
        text = kernel.files[kernel.main]
        swallow(mutated(text, random.Random(index)))
        swallow(text[: random.Random(index).randrange(len(text))])


@needs_data
@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_mutated_real_kernels() -> None:
    for index, kernel in enumerate(kernels()):
        text = kernel.files[kernel.main]
        for seed in range(3):
            swallow(mutated(text, random.Random(1000 * index + seed)))
        swallow(text[: random.Random(index).randrange(len(text))])
