"""Nothing that was shown vanishes while someone types elsewhere, letter by letter, with brackets an editor closes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import PLAIN, Client, at, running
from tests.lsp.sources import FIR

from hwml_lsp.kept import merged
from hwml_sdk.document import Annotation
from hwml_sdk.text import Span

TRIO = """#include <ap_int.h>

static int tripled(int x) {
  return x * 3 + 1;
}

void apply(const int a[64], int b[64]) {
each:
  for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = tripled(a[i]);
  }
}

/* Two loops, one in the other. */
void nested(const int a[32], int b[32]) {
  for (int i = 0; i < 32; i++) {
    for (int j = 0; j < 4; j++) {
      b[i] += a[i] * j;
    }
  }
}

void halves(const float x[16], float y[16]) {
  for (int k = 0; k < 16; k++)
    y[k] = x[k] * 0.5f;
}
"""
MACROS = """#define SIZE 24
typedef int word;
template <int N> void shift(word v[N]) {
  for (int i = N - 1; i > 0; i--) v[i] = v[i - 1];
}

void top(word v[SIZE]) {
#pragma HLS TOP
  shift<SIZE>(v);
}

void sums(const word v[SIZE], word *out) {
  word s = 0;
add:
  for (int i = 0; i < SIZE; i++) s += v[i];
  *out = s;
}
"""
# (file, its text, behind which lines something is typed)
FILES = [
    ("trio.cpp", TRIO, ("    b[i] = tripled", "#include <ap_int.h>")),
    ("macros.cpp", MACROS, ("  word s = 0;", "typedef int word;")),
    ("fir.cpp", FIR, ("    acc_t acc = 0;", "const int LENGTH")),
]
CONSTRUCTS = [
    "for (int q = 0; q < 8; q++) {\nw[q] = 0;", "if (w[0] > 3) {\nw[1] = 2;", "while (w[0] > 1) {\nw[0]--;",
    "do {\nw[0]--;", "else {", "switch (w[0]) {\ncase 1:", "return;", "break;", "goto out;", "out:",
    "int t[16];", "const int c[4] = {1, 2, 3};", "ap_int<12> v = 0;", "static int n = 0;", "char c = 'a';",
    "w[2] = w[3] * (w[1] + 2);", "w[0] = w[1] ? 1 : 0;", "other(w, 3);", "auto f = [&](int z) {\nreturn z;",
    "hls::stream<int> s(\"s\");", "struct P {\nint x;", "class Q {\npublic:", "enum E { A, B", "union U {\nint i;",
    "namespace n {\nint z;", "extern \"C\" {\nvoid e();", "template <typename T>\nT id(T x) {\nreturn x;",
    "using W = int;", "typedef ap_int<8> w_t;", "static int g(int q) {\nreturn q;", "#define WIDTH 8", "#if 0",
    "#ifdef LATER", "#include \"later.h\"", "#pragma HLS UNROLL factor=2", "#pragma HLS PIPELINE", "/* not yet",
    "// a note", "a[", "\"text",
]  # fmt: skip
CLOSING = {"(": ")", "{": "}", "[": "]", '"': '"'}


def typed(client: Client, uri: str, row: int, construct: str) -> Iterator[int]:
    """Type a construct into a fresh line `row` as an editor does; after each key how many lines were added."""
    client.change(uri, 2, at(row, 0, row, 0, "\n"))
    column, added, version = 0, 1, 2
    waiting: list[str] = []
    line = ""
    for key in construct:
        version += 1
        if waiting and key == waiting[-1] and line[column : column + 1] == key:
            waiting.pop()
            column += 1
            continue
        if key == "\n":
            inside = line[column : column + 1] == "}"
            new = "\n\n" if inside else "\n"
            client.change(uri, version, at(row, column, row, column, new))
            added, row, column, line = added + len(new), row + 1, 0, "" if inside else line[column:]
        else:
            close = CLOSING.get(key, "")
            client.change(uri, version, at(row, column, row, column, key + close))
            line = line[:column] + key + close + line[column:]
            waiting += [close] if close else []
            column += 1
        yield added


def shown(client: Client, uri: str, row: int, added: int) -> set[tuple[str, int]]:
    """What is shown, with its line as it was before anything was typed at `row`."""
    items = [("hint", hint["position"]["line"]) for hint in client.hints(uri)]
    items += [("lens", lens["range"]["start"]["line"]) for lens in client.lenses(uri)]
    return {(kind, line if line < row else line - added) for kind, line in items}


def vanished(
    client: Client, folder: Path, construct: str, number: int, source: tuple[str, str, tuple[str, ...]]
) -> Any:
    """Everything that was not shown after some key, as (what is missing, keys typed)."""
    name, text, heads = source
    found = []
    for place, head in enumerate(heads):
        uri = client.open((folder / f"{number}_{place}_{name}").as_uri(), text)
        row = next(n for n, line in enumerate(text.split("\n")) if line.startswith(head)) + 1
        client.pull(uri)
        before = shown(client, uri, row, 0)
        assert before
        for keys, added in enumerate(typed(client, uri, row, construct), start=1):
            client.pull(uri)  # the analysis of this very text is in
            missing = before - shown(client, uri, row, added)
            if missing:
                found.append((construct[:keys], sorted(missing)))
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return found


@pytest.mark.parametrize("source", FILES, ids=[name for name, _, _ in FILES])
def test_some_constructs_make_nothing_vanish(source: Any, tmp_path: Path) -> None:
    chance = random.Random(source[0])
    with running(tmp_path) as client:
        client.settings = {"debounceMs": 0}
        client.initialize(folder=tmp_path)
        for number, construct in enumerate(["for (int q", *chance.sample(CONSTRUCTS[1:], 1)]):
            assert vanished(client, tmp_path, construct, number, source) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("source", FILES, ids=[name for name, _, _ in FILES])
def test_forty_constructs_make_nothing_vanish(source: Any, tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.settings = {"debounceMs": 0}
        client.initialize(folder=tmp_path)
        for number, construct in enumerate(CONSTRUCTS):
            assert vanished(client, tmp_path, construct, number, source) == []


def test_a_figure_of_an_older_text_is_marked_until_it_is_read_again(tmp_path: Path) -> None:
    """`halves` is half-typed and says so; the others say nothing of the kind; closed again, all are as before."""
    head = next(n for n, line in enumerate(TRIO.split("\n")) if line.startswith("void halves"))
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "t.cpp").as_uri(), TRIO)
        client.pull(uri)
        fresh = [lens["command"]["title"] for lens in client.lenses(uri)]
        assert not any("(old)" in title for title in fresh)
        with client.at_once():  # before the analysis begins
            client.change(uri, 2, at(head + 1, 2, head + 1, 2, "if (("))
            asked = client.start("textDocument/codeLens", {"textDocument": {"uri": uri}})
            hints = client.ask_hints(uri)
        lenses = [lens["command"]["title"] for lens in client.wait(asked)]
        assert [title.endswith("(old)") for title in lenses] == [False, False, False, True]
        marks = {hint["position"]["line"]: hint["label"].endswith("(old)") for hint in client.wait(hints)}
        assert marks.pop(head + 1)
        assert not any(marks.values())
        assert "as it was" in client.hover(uri, head, 6)
        client.pull(uri)
        assert len(client.lenses(uri)) == 4
        client.change(uri, 3, at(head + 1, 2, head + 1, 7, ""))
        client.pull(uri)
        assert [lens["command"]["title"] for lens in client.lenses(uri)] == fresh


def test_a_whole_text_sent_again_keeps_what_stands_on_lines_that_are_in_both(tmp_path: Path) -> None:
    """Clients that send no ranges (or format a document): two lines change far apart, the loop between them stays."""
    changed = TRIO.replace("x * 3 + 1", "x * 3 + (").replace("0.5f;", "0.5f")
    with running(tmp_path) as client:
        client.initialize({**PLAIN, "workspace": {"inlayHint": {"refreshSupport": True}}}, tmp_path)
        uri = client.open((tmp_path / "t.cpp").as_uri(), TRIO)
        before = {hint["position"]["line"] for hint in client.hints(uri)}
        with client.at_once():
            client.change(uri, 2, {"text": changed})
            asked = client.ask_hints(uri)
        assert {hint["position"]["line"] for hint in client.wait(asked)} == before


def test_a_function_that_reached_over_another_one_does_not_hide_it() -> None:
    """`top` was read to the end of the file while a bracket was open; closed again, `sums` stands for itself."""
    reached = replace(figure("top", 6), extent=Span(6, 0, 17, 1))
    fresh = [replace(figure("top", 6), extent=Span(6, 0, 9, 1)), replace(figure("sums", 11), extent=Span(11, 0, 17, 1))]
    assert [(a.name, a.span.start_line) for a in merged([reached], fresh, final=True)] == [("top", 6), ("sums", 11)]


def figure(name: str, line: int) -> Annotation:
    return Annotation("function", name, Span(line, 0, line, 9), "~88 LUT", "")
