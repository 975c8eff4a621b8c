"""What is said first of a long source, before all of it is read, is what is said of it in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis, provider_of
from hwml_sdk.qor.read.focus import focused

ROOT = Path(__file__).resolve().parents[2]
SHARED = """#include <ap_int.h>
#define SIZE 24
#define TWICE(x) \\
  ((x) * 2)
typedef ap_int<12> word;
const word table[4] = {1, 2, 3, 4};
static int scaled(int x) {
  return TWICE(x) + table[x & 3];
}
template <int N> void shift(word v[N]) {
  for (int i = N - 1; i > 0; i--) v[i] = v[i - 1];
}
#ifdef LATER
void never(int a[4]) {
  for (int i = 0; i < 4; i++) a[i] = 0;
}
#else
void always(int a[4]) {
  for (int i = 0; i < 4; i++) a[i] = i;
}
#endif
"""


def kernel(n: int) -> str:
    """Every third one calls `scaled`, every fourth is called by the one behind it."""
    value = f"scaled(a[i] + {n})" if n % 3 == 0 else f"a[i] * {n}"
    call = f"  k{n - 1}(a, b);\n" if n % 4 == 1 else ""
    return f"""void k{n}(const int a[SIZE], int b[SIZE]) {{
{call}  for (int i = 0; i < SIZE; i++) {{
#pragma HLS PIPELINE II={n % 3 + 1}
    b[i] += {value};
  }}
}}
"""


def said(analysis: Analysis) -> dict[tuple[object, ...], tuple[str, ...]]:
    return {(a.kind, a.name, a.span, a.extent): (a.label, a.summary, a.detail) for a in analysis.annotations}


@pytest.mark.parametrize("near", [0, 25, 180, 400])
def test_the_first_look_is_right_and_stands_where_one_looks(near: int) -> None:
    text = SHARED + "\n".join(kernel(n) for n in range(50))
    found = [step.analysis for step in provider_of("k.cpp").steps("/none/k.cpp", text, Settings(), near=near)]
    first, last = said(found[0]), said(found[-1])
    assert first.items() <= last.items()
    lines = {span.start_line for _, _, span, _ in last if abs(span.start_line - near) <= 20}  # type: ignore[attr-defined]
    assert lines <= {span.start_line for _, _, span, _ in first}  # type: ignore[attr-defined]
    assert len(first) < len(last) / 2


def test_what_is_left_out_leaves_its_lines_and_every_directive() -> None:
    text = SHARED + "\n".join(kernel(n) for n in range(50))
    some = focused(text, 400)
    assert some is not None
    assert some.count("\n") == text.count("\n")
    for number, (old, new) in enumerate(zip(text.split("\n"), some.split("\n"), strict=True)):
        assert new in (old, ""), number
        if old.startswith(("#", "typedef", "const", "template")) and "pragma" not in old:
            assert new == old


@pytest.mark.parametrize("text", ["", "int x;\n" * 500, SHARED, "void f() {\n" * 300, "}\n" * 400])
def test_there_is_no_first_look_where_it_is_no_gain(text: str) -> None:
    assert focused(text, 10) is None or "void" not in text


def test_a_file_that_calls_everything_from_one_top_is_read_at_once() -> None:
    calls = "".join(f"  k{n}(a, b);\n" for n in range(50))
    text = (
        SHARED + "\n".join(kernel(n) for n in range(50)) + f"void top(const int a[SIZE], int b[SIZE]) {{\n{calls}}}\n"
    )
    assert focused(text, 200) is None


def test_who_writes_a_table_is_looked_at_with_who_reads_it() -> None:
    """What nobody writes is a table of constants; whether the last function does decides on the first one's figures."""
    reads = "void first(int a[SIZE]) {\n  for (int i = 0; i < SIZE; i++) a[i] *= weights[1];\n}\n"
    writes = "void last_one(int v) {\n#pragma HLS INLINE off\n  weights[1] = v;\n}\n"
    kernels = "\n".join(kernel(n) for n in range(50))
    text = SHARED + "static int weights[2] = {5, 6};\n" + reads + kernels + writes
    some = focused(text, 22)
    assert some is not None
    assert "weights[1] = v;" in some
    assert "void k30(" not in some
