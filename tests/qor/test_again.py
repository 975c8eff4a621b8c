"""After an edit of one function only what it may have changed is read: the answer is that of reading everything."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis, Step
from hwml_sdk.qor.provider import analyze, steps
from hwml_sdk.qor.read.again import Whole

PATH = "/nowhere/design.cpp"
# Six designs beside one another: two share a function, two a variable, one has a finding, one no pragma.
TEXT = """#include <ap_int.h>
#define LIMIT 32
static int total;
const int TABLE[4] = {1, 2, 3, 4};
int shared_by_two(int x);

int shared_by_two(int x) {
  return x * 3 + 1;
}

void first(const int a[64], int b[64]) {
  for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = shared_by_two(a[i]);
  }
}

void second(const int a[16], int b[16]) {
  for (int i = 0; i < 16; i++) {
#pragma HLS UNROLL factor=4
    b[i] = shared_by_two(a[i]) + TABLE[i % 4];
  }
}

void third(const int a[LIMIT]) {
  for (int i = 0; i < LIMIT; i++) {
#pragma HLS PIPELINE II=2
    total += a[i];
  }
}

void fourth(int out[1]) {
#pragma HLS INTERFACE mode=m_axi port=outt
  out[0] = total;
}

void fifth(float a[128], float b[128]) {
  for (int i = 0; i < 128; i++) {
#pragma HLS PIPELINE
    b[i] = a[i] * 0.5f;
  }
}

void sixth(int a[8]) {
  for (int i = 0; i < 8; i++) a[i] += i;
}
"""


def last(text: str, kept: dict[str, Whole] | None = None) -> Step:
    *_, step = steps(PATH, text, Settings(), kept=kept)
    return step


def as_shown(analysis: Analysis) -> Analysis:
    """Without the digits of floats that nobody sees: sums over larger batches differ in the last ones."""
    return replace(
        analysis,
        annotations=tuple(
            replace(item, subject=None, figures=replace(item.figures, changes={})) for item in analysis.annotations
        ),
    )


def after(text: str) -> tuple[Step, dict[str, Whole]]:
    """The answer about a text where `TEXT` was read before."""
    kept: dict[str, Whole] = {}
    last(TEXT, kept)
    return last(text, kept), kept


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [
        ("0.5f", "0.25f", {"fifth"}),
        ("PIPELINE\n", "PIPELINE II=3\n", {"fifth"}),
        ("x * 3 + 1", "x * 5 + 1", {"shared_by_two", "first", "second"}),
        ("factor=4", "factor=2", {"shared_by_two", "first", "second"}),
        ("total += a[i];", "total += 2 * a[i];", {"third", "fourth"}),
        ("port=outt", "port=out", {"third", "fourth"}),
        ("a[i] += i;", "a[i] += 7;", {"sixth"}),
        ("a[i] += i;", "a[i] += shared_by_two(i);", {"sixth", "shared_by_two", "first", "second"}),
    ],
)
def test_what_is_read_again_and_that_the_answer_is_the_same(old: str, new: str, read: set[str]) -> None:
    text = TEXT.replace(old, new, 1)
    step, _ = after(text)
    assert step.again is not None
    named = {item.name for item in step.again.annotations if item.kind == "function"}
    assert read <= named
    assert len(named) < 7, "not everything"
    assert as_shown(step.analysis) == as_shown(analyze(PATH, text, Settings()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{1, 2, 3, 4}", "{1, 2, 3, 5}"),  # outside all functions
        ("LIMIT 32", "LIMIT 16"),
        ("void fifth(", "void fifty("),
        ("  for (int i = 0; i < 128", "#define LIMIT 8\n  for (int i = 0; i < 128"),
        ("b[i] = a[i] * 0.5f;\n", "b[i] = a[i] * 0.5f;\n}\n"),
    ],
)
def test_what_may_change_everything_has_all_read(old: str, new: str) -> None:
    text = TEXT.replace(old, new, 1)
    step, _ = after(text)
    assert step.again is None
    assert as_shown(step.analysis) == as_shown(analyze(PATH, text, Settings()))


def test_a_line_more_has_all_below_read_too() -> None:
    text = TEXT.replace("    b[i] = a[i] * 0.5f;\n", "    b[i] = a[i];\n    b[i] *= 0.5f;\n")
    step, _ = after(text)
    assert step.again is not None
    named = {item.name for item in step.again.annotations}
    assert named >= {"fifth", "sixth"}
    assert named.isdisjoint({"third", "fourth"})
    assert as_shown(step.analysis) == as_shown(analyze(PATH, text, Settings()))


def test_a_half_typed_function_leaves_the_others_as_they_are() -> None:
    text = TEXT.replace("b[i] = a[i] * 0.5f;", "b[i] = a[i] * ;")
    step, kept = after(text)
    assert step.again is not None
    assert step.analysis.faults
    whole = {item.name: item.summary for item in analyze(PATH, TEXT, Settings()).annotations}
    found = {item.name: item.summary for item in step.analysis.annotations}
    assert all(found[name] == whole[name] for name in ("first", "second", "third", "fourth", "sixth"))
    back = last(TEXT.replace("0.5f", "2.0f"), kept)
    assert back.again is not None
    assert as_shown(back.analysis) == as_shown(analyze(PATH, TEXT.replace("0.5f", "2.0f"), Settings()))


def test_other_settings_have_all_read() -> None:
    kept: dict[str, Whole] = {}
    last(TEXT, kept)
    other = replace(Settings(), hls=replace(Settings().hls, clock_period_ns=5.0))
    *_, step = steps(PATH, TEXT.replace("0.5f", "2.0f"), other, kept=kept)
    assert step.again is None


@pytest.mark.parametrize(("declared", "name"), [("static int mode = 5;", "mode"), ("int mode[2] = {5, 3};", "mode[0]")])
def test_what_was_constant_is_found_anew_where_something_begins_to_write_it(declared: str, name: str) -> None:
    """`fifth` counts to it, and was not edited."""
    text = TEXT.replace("static int total;", f"static int total;\n{declared}").replace("i < 128", f"i < {name}")
    kept: dict[str, Whole] = {}
    last(text, kept)
    edit = text.replace("a[i] += i;", f"{name} = a[i];")
    assert as_shown(last(edit, kept).analysis) == as_shown(analyze(PATH, edit, Settings()))
    assert as_shown(last(text, kept).analysis) == as_shown(analyze(PATH, text, Settings()))


def edited(text: str, chance: random.Random) -> str:
    """A text with one line changed as somebody types."""
    lines = text.split("\n")
    row = chance.randrange(len(lines))
    line = lines[row]
    numbers, words = list(re.finditer(r"\d+", line)), list(re.finditer(r"[A-Za-z_]\w*", line))
    kind = chance.randrange(6)
    if kind == 0 and numbers:
        found = chance.choice(numbers)
        lines[row] = f"{line[: found.start()]}{chance.randrange(1, 40)}{line[found.end() :]}"
    elif kind == 1 and words:
        found = chance.choice(words)
        lines[row] = line[: found.start()] + chance.choice(re.findall(r"[A-Za-z_]\w*", text)) + line[found.end() :]
    elif kind == 2:
        lines.insert(
            row, chance.choice(("#pragma HLS PIPELINE II=1", "  int z = 3;", "// note", "#pragma HLS PIPLINE"))
        )
    elif kind == 3:
        del lines[row]
    elif kind == 4:
        lines[row] = re.sub(r"[+*]", lambda _: chance.choice("+-*/"), line, count=1)
    else:
        place = chance.randrange(len(line) + 1)
        lines[row] = line[:place] + chance.choice("ai1 ;(){}=") + line[place:]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_answer_after_random_edits_is_the_one_of_a_fresh_start(seed: int) -> None:
    chance = random.Random(seed)
    start = TEXT
    kept: dict[str, Whole] = {}
    sound = start
    last(start, kept)
    reused = 0
    for _ in range(60):
        text = edited(sound, chance)
        step = last(text, kept)
        if step.again is not None and not step.analysis.faults:
            reused += 1
            assert as_shown(step.analysis) == as_shown(analyze(PATH, text, Settings())), text
        if not step.analysis.faults:
            sound = text if chance.random() < 0.8 else start
    assert reused >= 4
