"""Metrics against counts made by hand, and the split by pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwml_sdk.cli import main
from hwml_sdk.cost_model.data.dataset import PipelineData, split
from hwml_sdk.cost_model.data.samples import load_from_dir
from hwml_sdk.cost_model.net.metrics import pipeline_metrics, summarize


def _data(runtimes: list[float], digest: str = "a", noise: float = 0.0) -> PipelineData:
    count = len(runtimes)
    return PipelineData(
        digest, 1, digest, np.zeros((1, 40, 7), np.float32), np.zeros((count, 1, 39), np.float32),
        np.asarray(runtimes, np.float32), np.full(count, noise, np.float32), 1,
    )  # fmt: skip


def test_metrics_against_hand_counts() -> None:
    measured = np.asarray([1.0, 2.0, 4.0, 1.05], np.float32)
    predicted = np.asarray([3.0, 2.0, 5.0, 4.0], np.float32)
    none = np.zeros(4, np.float32)
    found = pipeline_metrics(predicted, measured, none)
    # Pairs over 10 % apart: (2,1) wrong, (4,1) right, (4,2) right, (4,1.05) right, (2,1.05) wrong.
    assert found["pairwise_accuracy"] == pytest.approx(3 / 5)
    assert found["top1_regret"] == pytest.approx(2.0)
    assert found["top5_regret"] == pytest.approx(1.0)
    # Over 1.3 x the best: 2 and 4; predicted slower than the best's 3: only 5.
    assert found["halide_rate"] == pytest.approx(1 / 2)
    assert found["spearman"] == pytest.approx(np.corrcoef([2, 1, 4, 3], [1, 3, 4, 2])[0, 1])
    noisy = pipeline_metrics(predicted, measured, np.full(4, 0.5, np.float32))
    # Over 3 x 50 % apart: 4 against 1 and 1.05.
    assert noisy["pairwise_accuracy"] == pytest.approx(1.0)
    perfect = pipeline_metrics(measured * 7, measured, none)
    assert perfect["pairwise_accuracy"] == 1.0
    assert perfect["log_error"] == pytest.approx(0.0, abs=1e-6)


def test_split_keeps_equal_pipelines_together() -> None:
    pipelines = [_data([1.0, 2.0], digest) for digest in "aabbccddee"]
    parts = [split(pipelines, folds=5, fold=fold, seed=3) for fold in range(5)]
    for trained, held in parts:
        assert not {data.digest for data in trained} & {data.digest for data in held}
    assert sorted(data.digest for _, held in parts for data in held) == list("aabbccddee")


def test_averages_over_pipelines() -> None:
    none = np.zeros(2, np.float32)
    measured = np.asarray([1.0, 4.0], np.float32)
    each = [pipeline_metrics(measured, measured, none), pipeline_metrics(measured[::-1], measured, none)]
    found = summarize(each, 4)
    # One right choice, and one four times as slow as the best.
    assert found.top1_regret == pytest.approx(2.5)
    assert found.top1_regret_geo == pytest.approx(2.0)
    assert found.top5_regret == pytest.approx(1.0)
    assert found.pairwise_accuracy == pytest.approx(0.5)
    assert (found.n_pipelines, found.n_schedules) == (2, 4)


def test_other_schedules_are_rows_of_eval(
    sample_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Run times that are written by hand, compared by hand."""
    samples = sample_folder(2, 9)
    best = min(item.runtime_ms for item in load_from_dir(samples / "p0"))
    hand = {"label": "hand", "runtime_ms": 3 * best, "noise": 0.0, "error": ""}
    gpu = {"label": "Anderson2021", "runtime_ms": None, "noise": 0.0, "error": "GPUs only"}
    kept = samples / "others.json"
    # Of another number of cores, or of a pipeline without samples: no row.
    kept.write_text(json.dumps({"pipelines": {"1:0": [hand, gpu], "1:2": [hand], "9:0": [hand]}}))
    command = ["halide", "eval", "--weights", "random:1", "--samples", str(samples)]
    assert main([*command, "--json"]) == 0
    others = json.loads(capsys.readouterr().out)["others"]
    assert others["hand"]["top1_regret"] == pytest.approx(3, rel=1e-4)
    assert (others["Anderson2021"]["n_pipelines"], others["Anderson2021"]["why"]) == (0, "GPUs only")
    assert main(command) == 0
    said = capsys.readouterr().out
    assert re.search(r"^hand +3 +3 +1$", said, re.MULTILINE)
    assert re.search(r"^Anderson2021 +could not be run: GPUs only$", said, re.MULTILINE)
    kept.write_text('{"pipelines": {"1:1": [{"label": "hand", "runtime_ms": -1}]}}')
    assert main(command) == 2
    assert "others.json: broken run times" in capsys.readouterr().err
