"""Sampling real pipelines with Halide: what is written, what a bad pipeline costs, and how a run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cost_model.conftest import DATA, PIPELINES

from hwml_sdk.cli import main
from hwml_sdk.cost_model import Weights, load_a_sample, load_from_dir
from hwml_sdk.cost_model.data.samples import check_groups
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
from hwml_sdk.cost_model.sample.jobs import JobOptions
from hwml_sdk.cost_model.sample.targets import parse_target
from hwml_sdk.errors import HwmlError, TooFewSamplesError, ToolFailedError, ToolNotFoundError
from hwml_sdk.train.cost_model.retrain import retrain_cost_model

pytest.importorskip("halide", reason="halide is not installed (extra halide)")
GENERATOR = DATA / "two_stage_generator.cpp"


def _settings(function: str, **options: Any) -> SampleSettings:
    return SampleSettings(parse_target(f"{PIPELINES}:{function}"), function, **options)


def test_samples_are_real_and_documented(measured: Path) -> None:
    samples = list(load_from_dir(measured))
    check_groups(samples)
    assert len(samples) >= 10
    assert len({item.pipeline_id for item in samples}) == 2
    assert len({item.schedule_digest() for item in samples}) == len(samples)
    for item in samples:
        path = Path(item.path)
        data = json.loads(path.with_suffix(".json").read_text())
        assert data["timing"]["runtime_ms"] == pytest.approx(item.runtime_ms, rel=1e-6)
        assert data["timing"]["runtime_ms"] <= data["timing"]["median_ms"]
        assert data["num_cores"] == 1
        assert data["machine"]["cores"] == os.cpu_count()
        assert ".compute_root()" in path.with_suffix("").with_suffix(".schedule.h").read_text()
        # 256 x 256 pixels or 64^3 multiply-adds: no honest run time is outside these.
        assert 1e-3 < item.runtime_ms < 1000


def test_numbering_goes_on_and_known_schedules_are_dropped(tmp_path: Path) -> None:
    first = sample(_settings("pipeline", batch_size=3), batches=1, samples_dir=tmp_path)
    before = {path: path.read_bytes() for path in first.written}
    second = sample(_settings("pipeline", batch_size=3), batches=1, samples_dir=tmp_path)
    assert {path.parent.name for path in first.written} == {"batch_0001"}
    assert {path.parent.name for path in second.written} <= {"batch_0002"}
    # The search's best effort is the same in each batch.
    assert second.duplicates >= 1
    assert {path: path.read_bytes() for path in before} == before
    digests = [load_a_sample(path).schedule_digest() for path in [*first.written, *second.written]]
    assert len(set(digests)) == len(digests)


@pytest.mark.slow
def test_equal_seeds_give_equal_schedules(tmp_path: Path) -> None:
    def schedules(folder: Path, workers: int) -> list[str]:
        done = sample(_settings("pipeline", batch_size=4, seed=5), batches=1, samples_dir=folder, workers=workers)
        return [load_a_sample(path).schedule_digest() for path in done.written]

    assert schedules(tmp_path / "a", 1) == schedules(tmp_path / "b", 3)


@pytest.mark.slow
def test_ray_samples_the_same_schedules(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed (extra ray)")
    found = []
    for name, options in (("serial", {"workers": 1}), ("cluster", {"backend": "ray", "workers": 2})):
        done = sample(_settings("pipeline", batch_size=5, seed=6), batches=1, samples_dir=tmp_path / name, **options)
        found.append({(path.name, load_a_sample(path).schedule_digest()) for path in done.written})
    assert found[0] == found[1]
    assert len(found[0]) >= 2


def test_an_interrupted_batch_is_finished(tmp_path: Path) -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(_settings("product", batch_size=3), batches=1, samples_dir=tmp_path, workers=1, report=stop)
    said: list[str] = []
    done = sample(_settings("product", batch_size=3), batches=1, samples_dir=tmp_path, workers=1, report=said.append)
    assert {path.parent.name for path in done.written} >= {"batch_0001"}
    assert [line.split(":")[0] for line in said] == ["product batch 1"] * 3 + ["product batch 2"] * 3
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("without_estimates", "cannot schedule"),
        ("raises", r"ValueError: no such kernel \(.*pipelines\.py:\d+\)"),
        ("no_pipeline", "returned int"),
        ("missing", "has no function"),
        ("crashes", "signal 6"),
        ("hangs", "took too long"),
        ("eats_memory", "ran out of memory"),
        ("works_for_ever", "took too long: scheduling and compiling, limit 1 s of processor time"),
    ],
)
def test_bad_pipelines_say_what_is_wrong(function: str, words: str, tmp_path: Path) -> None:
    # Sleeping takes no processor time: the clock's bound, four times as long, ends it.
    settings = _settings(
        function, batch_size=1, options=JobOptions(compile_limit_s=1 if function in ("hangs", "works_for_ever") else 20)
    )
    with pytest.raises(HwmlError, match=words) as caught:
        sample(settings, batches=1, samples_dir=tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.sample"))


def test_bad_targets_and_names(tmp_path: Path) -> None:
    for text in ("", "no target", "random:x", str(tmp_path / "none.py"), str(tmp_path / "none.cpp")):
        with pytest.raises(HwmlError):
            parse_target(text)
    for name in ("", "a/b", "../x", "x" * 200):
        with pytest.raises(HwmlError, match="name"):
            sample(SampleSettings(parse_target("random:1"), name), batches=1, samples_dir=tmp_path)
    assert main(["halide", "sample", "suite:none", "--samples-dir", str(tmp_path), "--batch-size", "1"]) == 2


@pytest.mark.slow
def test_random_pipelines_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["halide", "sample", "random", "--pipelines", "2", "--batch-size", "2", "--samples-dir", str(tmp_path)]
    assert main([*command, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 2
    assert [item["name"] for item in data["pipelines"]] == ["random_0", "random_1"]
    assert all(Path(path).is_file() for item in data["pipelines"] for path in item["written"])
    check_groups(load_from_dir(tmp_path))


def test_random_pipelines_are_repeatable_and_differ() -> None:
    from hwml_sdk.cost_model.sample.measure import Search, describe, schedule
    from hwml_sdk.cost_model.sample.targets import build_pipeline

    def digest(seed: int) -> str:
        made = schedule(build_pipeline(parse_target(f"random:{seed}")), Search(random_dropout=100))
        return str(describe(made.featurization)["pipeline_digest"])

    found = [digest(seed) for seed in range(6)]
    assert [digest(seed) for seed in range(6)] == found
    assert len(set(found)) >= 5


def test_unwritable_samples_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(HwmlError, match="cannot write"):
        sample(_settings("product", batch_size=1), batches=1, samples_dir=tmp_path / "file")


@pytest.mark.slow
def test_autoschedule_measures_against_default_and_none(
    weights: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights.save_to_file(tmp_path / "w.weights")
    command = ["halide", "autoschedule", f"{PIPELINES}:pipeline", "--weights", str(tmp_path / "w.weights"), "--try",
               "3", "--measure", "2", "--out", str(tmp_path / "best.h"), "--json"]  # fmt: skip
    assert main(command) == 0
    data = json.loads(capsys.readouterr().out)
    labels = [row["label"] for row in data["rows"]]
    assert labels[-5:] == ["Halide's weights", "as written (no schedule)", "Mullapudi2016", "Li2018", "Anderson2021"]
    assert data["best"]["runtime_ms"] == min(row["runtime_ms"] for row in data["rows"][:-5])
    assert all(row["runtime_ms"] > 0 for row in data["rows"][:-1])
    assert data["rows"][-1]["runtime_ms"] is None
    assert "schedules for GPUs only" in data["rows"][-1]["error"]
    assert ".compute_root()" in (tmp_path / "best.h").read_text()


def test_eval_by_command(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["halide", "eval", "--weights", "embedded", "random:1", "--samples", str(measured), "--json"]
    assert main(command) == 0
    data = json.loads(capsys.readouterr().out)["weights"]
    assert set(data) == {"embedded", "random:1"}
    for values in data.values():
        assert 0 <= values["pairwise_accuracy"] <= 1 <= values["top1_regret"]
        assert values["top5_regret"] <= values["top1_regret"]


@pytest.mark.slow
def test_other_schedules_are_timed_once_beside_the_samples(tmp_path: Path) -> None:
    for _ in range(2):
        sample(_settings("product", batch_size=1, others=True), batches=1, samples_dir=tmp_path)
    (kept,) = tmp_path.glob("product/*/others.json")
    (rows,) = json.loads(kept.read_text())["pipelines"].values()
    assert [row["label"] for row in rows] == ["as written (no schedule)", "Mullapudi2016", "Li2018", "Anderson2021"]
    assert all(row["runtime_ms"] > 0 for row in rows[:-1])
    assert "GPUs only" in rows[-1]["error"]


def _needs_compiler() -> None:
    from hwml_sdk.cost_model.sample.build import check_compiler

    if not check_compiler():
        pytest.skip("no C++ compiler (c++)")


def test_a_generator_is_sampled(tmp_path: Path) -> None:
    _needs_compiler()
    done = sample(
        SampleSettings(parse_target(str(GENERATOR)), "two_stage", batch_size=3), batches=1, samples_dir=tmp_path
    )
    assert not done.failures
    assert len({load_a_sample(path).schedule_digest() for path in done.written}) == len(done.written) >= 1
    for path in done.written:
        assert load_a_sample(path).runtime_ms > 0
        assert ".compute_root()" in path.with_suffix("").with_suffix(".schedule.h").read_text()


@pytest.mark.torch
def test_retraining_a_generator_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _needs_compiler()
    pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    first = retrain_cost_model(str(GENERATOR), "blur", 1, batch_size=16, train_iters=5, report=said.append)
    assert first.trained
    assert first.batches[0].written >= 8
    assert any(line.startswith("batch 1:") and line.endswith("; trained") for line in said)
    folder = tmp_path / "default_samples" / "blur"
    samples = list(load_from_dir(folder))
    assert len(samples) == first.batches[0].written
    assert Weights.load_from_file("random_init.weights").to_bytes() == first.weights.to_bytes()
    # A batch of under 8 by itself is trained on together with those before it.
    again = retrain_cost_model(str(GENERATOR), "blur", 1, batch_size=3, train_iters=5, report=said.append)
    assert again.trained
    assert (
        again.training.after.n_schedules == len(list(load_from_dir(folder))) == len(samples) + again.batches[0].written
    )
    assert again.weights.to_bytes() != first.weights.to_bytes()
    assert all(np.isfinite(array).all() for array in again.weights.arrays().values())


@pytest.mark.torch
def test_retraining_says_what_it_could_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    monkeypatch.chdir(tmp_path)
    # Two samples cannot be trained on: no random weights are left behind that look like a result.
    with pytest.raises(
        TooFewSamplesError, match=r"not trained, .*batch 1: \d samples kept.*no pipeline with at least 8"
    ):
        retrain_cost_model(f"{PIPELINES}:product", "product", 1, batch_size=2)
    assert not Path("random_init.weights").exists()
    assert list(Path("default_samples").rglob("*.sample"))
    said = capsys.readouterr().err
    assert "product batch 1: 2/2" in said
    assert "left out: product: " in said
    with pytest.raises(HwmlError, match="at least 1"):
        retrain_cost_model(f"{PIPELINES}:product", "product", 0)


@pytest.mark.torch
def test_each_batch_of_a_random_target_is_another_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TooFewSamplesError):
        retrain_cost_model("random:4", "r", 2, batch_size=1, report=lambda _: None)
    kept = [
        json.loads(path.read_text())
        for path in sorted(Path("default_samples").rglob("*.json"))
        if "sample_" in path.name
    ]
    assert [item["target"] for item in kept] == ["random:4", "random:5"]


def test_broken_generator_keeps_the_compilers_words(tmp_path: Path) -> None:
    _needs_compiler()
    source = tmp_path / "bad.cpp"
    source.write_text('#include "Halide.h"\nint main() { return undefined_name; }\n')
    settings = SampleSettings(parse_target(str(source)), "bad")
    with pytest.raises(HwmlError, match=r"registers no generator .* --name"):
        sample(settings, batches=1, samples_dir=tmp_path / "s")
    with source.open("a") as more:
        more.write("#ifdef LATER\nHALIDE_REGISTER_GENERATOR(Bad, bad)\n#endif\n")
    with pytest.raises(ToolFailedError, match=r"bad\.cpp: does not compile: .*undefined_name"):
        sample(settings, batches=1, samples_dir=tmp_path / "s")
    both = tmp_path / "both.cpp"
    both.write_text(
        "// HALIDE_REGISTER_GENERATOR(Zero, zero)\nHALIDE_REGISTER_GENERATOR(One, one)\n"
        "HALIDE_REGISTER_GENERATOR(Two, two)\n"
    )
    with pytest.raises(HwmlError, match="registers one, two; give one"):
        sample(SampleSettings(parse_target(str(both)), "other"), batches=1, samples_dir=tmp_path / "s")


def test_without_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ToolNotFoundError, match="Python pipelines work without"):
        sample(SampleSettings(parse_target(str(GENERATOR)), "two_stage"), batches=1, samples_dir=tmp_path / "s")


def test_doctor_lists_what_the_cost_model_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hwml_sdk.cli", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    names = {check["name"] for check in json.loads(done.stdout)["sections"]["halide"]}
    assert names == {"halide", "torch", "onnx", "ray", "model cost_model", "c++"}
