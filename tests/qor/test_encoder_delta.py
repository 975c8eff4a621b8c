"""The delta task and the held-out folds of the encoder path, on numbers whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession

from hwml_sdk.config import HlsSettings
from hwml_sdk.document import Span
from hwml_sdk.errors import DataError
from hwml_sdk.qor.closed_form.estimate import Estimate
from hwml_sdk.qor.learned.dataset import Design, Rows, group_fold
from hwml_sdk.qor.learned.encoder.bare import without_pragmas
from hwml_sdk.qor.learned.encoder.template import sample_of
from hwml_sdk.qor.model import open_design
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.qor.project.types import Directive
from hwml_sdk.train.qor.encoder.config import EncoderConfig
from hwml_sdk.train.qor.encoder.delta import fit_delta, kernel_levels
from hwml_sdk.train.qor.encoder.document import rewritten
from hwml_sdk.train.qor.encoder.folds import fold_splits
from hwml_sdk.train.qor.encoder.judgement import COLUMNS, Help
from hwml_sdk.train.qor.encoder.onnx import to_onnx
from hwml_sdk.train.qor.encoder.recipe_rows import Split, chosen

CONFIG = EncoderConfig("x", Path("d"), Path("o"), epochs=40, head_batch=32, patience=40)


def design(kernel: str, number: int, label: float) -> Design:
    return Design(
        f"{kernel}{number}", "s", "l", kernel, kernel, "vitis_hls", "2023.2", "p", 3.0, "csynth", "f",
        (label, label, label, label, None), (None,) * 5, "",
    )  # fmt: skip


def test_pragmas_fall_away_and_nothing_else() -> None:
    source = "int f() {\n  #pragma HLS unroll \\\n    factor=2\n# pragma ACCEL pipeline\n  return 1; // #pragma\n}\n"
    assert without_pragmas(source) == "int f() {\n  return 1; // #pragma\n}\n"


def test_the_level_of_a_kernel_is_its_bare_design_or_its_median() -> None:
    """Kernel a: a training row without pragmas says 7. Kernel b: the median of 1, 2 and 6 is 2. Kernel c: none."""
    z = np.array([[7], [9], [1], [2], [6], [3]], dtype=np.float32)
    key = np.array(["a", "a", "b", "b", "b", "c"])
    plain = np.array([True, False, False, False, False, True])
    train = np.array([True, True, True, True, True, False])
    found = kernel_levels(z, key, plain, train)[:, 0]
    assert found[:5].tolist() == [7, 7, 2, 2, 2]
    assert np.isnan(found[5])


def test_the_difference_is_learned_from_what_pragmas_change() -> None:
    """Each kernel has a level of its own, its designs differ along one direction of the vectors: on kernels that were
    never seen the order within a kernel comes out right."""
    random = np.random.default_rng(0)
    rows, bare, x = [], [], []
    for kernel in range(30):
        own = random.normal(size=8)
        for number in range(8):
            rows.append(design(f"k{kernel}", number, float(np.expm1(8 + own[1] - number / 2))))
            bare.append(own)
            x.append(own + number * np.eye(8)[0])
    table, vectors = Rows.of(rows), (np.array(bare, dtype=np.float32), np.array(x, dtype=np.float32))
    train = np.arange(len(rows)) < 160
    split = Split(train, ~train, np.zeros_like(train), np.zeros_like(train))
    fitted = fit_delta(*vectors, table, split, CONFIG, plain=np.arange(len(rows)) % 8 == 0)
    found = fitted.predict(*vectors)[~train, 0].reshape(-1, 8)
    assert (np.diff(found, axis=1) < 0).mean() > 0.9
    session = InferenceSession(to_onnx(fitted), providers=["CPUExecutionProvider"])
    (said,) = session.run(None, {"bare": vectors[0], "embedding": vectors[1]})
    assert said == pytest.approx(fitted.predict(*vectors), rel=1e-4)


def test_a_design_is_read_again_without_what_its_pragmas_and_directives_say() -> None:
    """Pragmas of the source, of a header and of a Tcl file: without them the design reads as one that never had any."""
    loop = "{\n  L: for (int i = 0; i < 16; i++) {\n%s    out[i] = twice(in[i]);\n  }\n}\n"
    kernel = '#include "h.h"\nvoid k(int in[16], int out[16]) ' + loop
    header = "inline int twice(int x) {\n%s  return 2 * x;\n}\n"
    directive = Directive(
        "UNROLL", "k", "L", {"factor": "4"}, "set_directive_unroll -factor 4 k/L", "d.tcl", Span(0, 0, 0, 1)
    )
    written = open_design(
        kernel % "#pragma HLS PIPELINE II=2\n", path="k.cpp", settings=HlsSettings(),
        inputs=Inputs(files={"h.h": header % "#pragma HLS INLINE\n"}, directives=(directive,)),
    )  # fmt: skip
    never = open_design(kernel % "", path="k.cpp", inputs=Inputs(files={"h.h": header % ""}), settings=HlsSettings())
    own, (bare,) = written.estimate(written.top()), written.bare([written.estimate(written.top())])
    assert len(own.program.pragmas) > 1
    assert not bare.program.pragmas
    assert _text(bare) == _text(never.estimate(never.top())) != _text(own)


def _text(estimate: Estimate) -> str:
    return sample_of(estimate, part="p", tool="t", tool_version="1", stage="csynth", clock_ns=3.0).text()


def test_no_group_is_judged_by_what_it_taught() -> None:
    rows = Rows.of([design(f"k{n % 23}", n, 5.0) for n in range(230)])
    judged = np.zeros(len(rows), dtype=int)
    for number, split in fold_splits(rows):
        assert (rows.fold()[split.ood] == number).all()
        judged += split.ood
        parts = [set(rows.group[mask].tolist()) for mask in (split.train, split.val, split.ood)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert (judged == 1).all()


def test_one_group_in_three_is_whole_groups() -> None:
    designs = [design(f"k{n % 12}", n, 5.0) for n in range(48)]
    found = chosen(designs, replace(CONFIG, one_group_in=3))
    assert {item.group for item in found} == {f"k{n}" for n in range(12) if group_fold(f"part/k{n}", 3) == 0}
    assert len(found) == 4 * len({item.group for item in found})


@pytest.mark.parametrize(
    ("ranks", "apes", "said"),
    [
        ((0.9, 0.91, 0.92), (0.3, 0.3, 0.3), "helps"),
        ((0.81, 0.79, 0.85), (0.3, 0.3, 0.3), "no difference"),
        ((0.8, 0.8, 0.8), (0.4, 0.41, 0.42), "hurts"),
        ((0.9, 0.9, 0.9), (0.4, 0.4, 0.4), "mixed"),
    ],
)
def test_help_is_more_than_the_spread_of_the_seeds(
    ranks: tuple[float, ...], apes: tuple[float, ...], said: str
) -> None:
    assert Help("s", "lut", (0.8,), ranks, (0.3,), apes).verdict == said


def test_the_tables_of_the_page_are_what_was_measured() -> None:
    """Means by target, and by source what the encoder gives and whether it is its vectors that give it."""
    figure = {"n": 9, "spearman": 0.5, "ape": 0.25, "within": None}
    targets = dict.fromkeys(("latency_cycles", "lut", "dsp", "ff"), figure)
    slices = {"mean over sources": targets, "s": {**targets, "lut": {**figure, "spearman": 0.75, "within": 0.4}}}
    said = {"slice": "s", "target": "lut", "spearman": [0.8, 0.9], "ape": [0.2, 0.1], "verdict": "helps",
            "spearman_without": 0.7, "ape_without": 0.3}  # fmt: skip
    figures = {
        "rows": 1234, "groups": 5, "layers": [4, 5], "lengths": {"cut_share": 0.5, "max_length": 256.0},
        "leave_group_out": {name: {"0": slices} for name in COLUMNS},
        "help": [said], "vectors": [{**said, "verdict": "no difference"}],
    }  # fmt: skip
    names = ("data", "alone", "beside", "help", "sources")
    page = "".join(f"<!-- figures: encoder-{name} -->\nold\n<!-- end -->\n" for name in names)
    found = rewritten(page, figures)
    assert "\nold\n" not in found
    assert "1,234 designs of 5 algorithm groups; 50 % of the texts are over 256 tokens" in found
    assert "| latency | 0.50 / 25 | 0.50 / 25 | 0.50 / 25 |" in found
    assert "| s | - | 0.700 / 30 to 0.850 / 15: helps; no difference | - | - |" in found
    assert "| s | LUT | 0.75 / 25 (0.40) |" in found
    with pytest.raises(DataError, match="hold nothing for the table 'encoder-help'"):
        rewritten(page, {**figures, "vectors": []})
