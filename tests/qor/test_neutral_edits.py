"""Edits that change no hardware change no figure and no interval, one by one and in any mixture."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from hwml_sdk import predict_qor
from hwml_sdk.artifact import shipped

pytestmark = pytest.mark.skipif(shipped("qor") is None, reason="the trained artefact qor is not in the repository")

KERNELS = {
    "fir": """static int scaled(int v, int k) { return v * k; }
static int divided(int v) { return v / 7; }
void top(const int x[256], int y[256], const int c[8]) {
  int s[8];
  for (int i = 0; i < 256; i++) {
#pragma HLS PIPELINE II=4
    int acc = 0;
    for (int j = 7; j > 0; j--) { s[j] = s[j - 1]; acc += scaled(s[j], c[j]); }
    s[0] = x[i];
    y[i] = acc + divided(x[i]);
  }
}
""",
    "sum": """static float twice(float v) { return v + v; }
static float third(float v) { return v / 3.0f; }
void top(const float x[512], float y[1], const float c[8]) {
  float s = 0;
  for (int i = 0; i < 512; i++) {
#pragma HLS PIPELINE
    s += twice(x[i]) * c[i & 7];
  }
  y[0] = third(s);
}
""",
    "plain": """static int first(int v) { return v + 1; }
static int second(int v) { return v ^ 5; }
void top(const int x[64], int y[64], const int c[8]) {
  for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE off
    if (x[i] > 3) y[i] = first(x[i]) * c[i % 8];
    else y[i] = second(x[i]);
  }
}
""",
}
Edit = Callable[[str, random.Random], str]


def _into_top(text: str, line: str) -> str:
    return re.sub(r"(void top\([^)]*\) \{\n)", lambda match: match[1] + line + "\n", text, count=1)


def _comment(text: str, at: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(at.randrange(len(lines)), at.choice(["// words", "", "/* more\n words */", "   "]))
    return "\n".join(lines)


def _port(text: str, at: random.Random) -> str:
    option = at.choice(["ap_memory port={}", "mode=ap_memory port={}", "ap_memory port={} storage_type=ram_2p"])
    return _into_top(text, "#pragma HLS INTERFACE " + option.format(at.choice("xyc")))


def _control(text: str, at: random.Random) -> str:
    return _into_top(text, "#pragma HLS INTERFACE mode=ap_ctrl_hs port=return")


def _again(text: str, at: random.Random) -> str:
    return re.sub(r"(#pragma HLS PIPELINE[^\n]*\n)", r"\1\1", text, count=1)


def _renamed(text: str, at: random.Random) -> str:
    return re.sub(r"\bi\b", at.choice(["idx", "a", "zz", "loop_variable"]), text)


def _labelled(text: str, at: random.Random) -> str:
    return re.sub(r"^  for ", "  L: for ", text, count=1, flags=re.MULTILINE)


def _swapped(text: str, at: random.Random) -> str:
    helpers = re.findall(r"^static [^\n]*\n", text, flags=re.MULTILINE)
    return text.replace(helpers[0], "\0", 1).replace(helpers[1], helpers[0], 1).replace("\0", helpers[1], 1)


def _unused(text: str, at: random.Random) -> str:
    return "static int nobody(int v) { return v * v * v; }\n" + text


def _counted(text: str, at: random.Random) -> str:
    return re.sub(r"(#pragma HLS PIPELINE[^\n]*\n)", r"\1#pragma HLS LOOP_TRIPCOUNT min=1 max=9\n", text, count=1)


def _not_unrolled(text: str, at: random.Random) -> str:
    return re.sub(r"(#pragma HLS PIPELINE[^\n]*\n)", r"\1#pragma HLS UNROLL factor=1\n", text, count=1)


EDITS: tuple[Edit, ...] = (
    _comment, _port, _control, _again, _renamed, _labelled, _swapped, _unused, _counted, _not_unrolled,
)  # fmt: skip


def said(text: str) -> dict[str, Any]:
    """All figures and intervals."""
    found = predict_qor(text, top="top", clock_period_ns=5.0).to_dict()
    return {
        key: found[key] for key in ("LUT", "DSP", "FF", "bram_18k", "latency_cycles", "interval_cycles", "intervals")
    }


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__.strip("_"))
def test_one_edit(kernel: str, edit: Edit) -> None:
    assert said(edit(KERNELS[kernel], random.Random(1))) == said(KERNELS[kernel])


def _mixture(text: str, at: random.Random) -> str:
    for edit in at.sample(EDITS, at.randint(2, 6)):
        text = edit(text, at)
    return text


def check_mixtures(count: int, seed: int) -> None:
    at = random.Random(seed)
    plain = {name: said(text) for name, text in KERNELS.items()}
    for _ in range(count):
        name = at.choice(sorted(KERNELS))
        text = _mixture(KERNELS[name], at)
        assert said(text) == plain[name], text


def test_mixtures() -> None:
    check_mixtures(30, 7)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_many_mixtures() -> None:
    check_mixtures(3333, 11)  # some 10,000 edits
