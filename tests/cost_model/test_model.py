"""One formula, four ways to compute it; and Halide's own programs as judges."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import PIPELINES, as_any, made_up, shared
from tests.waiting import PATIENCE_S

from hwml_sdk.artifact import Artifact, shipped, write
from hwml_sdk.cli import main
from hwml_sdk.cost_model import CostModel, Sample, Weights, load_a_sample
from hwml_sdk.cost_model.data.samples import load_from_dir, save_a_sample
from hwml_sdk.cost_model.model import OtherMachineWarning
from hwml_sdk.cost_model.net.terms import term_table
from hwml_sdk.errors import ArtifactError, DataError

TOLERANCE = 3e-6


Way = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


def _ways(weights: Weights) -> dict[str, Way]:
    """Each implementation that is installed, as a function of pipeline, schedule and cores."""
    made: dict[str, Way] = {"numpy": CostModel.from_weights(weights).predict}
    if find_spec("onnx") is not None:
        from hwml_sdk.cost_model.net.onnx import OnnxPredictor, to_onnx

        onnx = OnnxPredictor(to_onnx(weights))
        made["onnx"] = lambda pipeline, schedule, cores: onnx.predict(
            pipeline.reshape(len(pipeline), -1), schedule, cores
        )
    try:
        import torch

        from hwml_sdk.cost_model.net.network import Net
    except ImportError:
        return made
    torch.set_num_threads(1)
    net = Net(weights)

    def by_net(pipeline: np.ndarray, schedule: np.ndarray, cores: int) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(net(torch.from_numpy(pipeline), torch.from_numpy(schedule), cores).numpy())

    def by_terms(pipeline: np.ndarray, schedule: np.ndarray, cores: int) -> np.ndarray:
        with torch.no_grad():
            coefficients = net.network(torch.from_numpy(pipeline), torch.from_numpy(schedule))
        return np.asarray((torch.relu(coefficients).numpy() * term_table(schedule, cores)).sum((1, 2)) * 1e-9)

    return made | {"torch": by_net, "terms": by_terms}


def _all_ways(weights: Weights, pipeline: np.ndarray, schedule: np.ndarray, cores: int) -> dict[str, np.ndarray]:
    return {name: way(pipeline, schedule, cores) for name, way in _ways(weights).items()}


@pytest.mark.torch
@pytest.mark.parametrize("cores", [1, 2, 7, 32])
@pytest.mark.parametrize("stages", [1, 2, 9])
def test_all_ways_agree_on_every_branch(cores: int, stages: int) -> None:
    samples = made_up(stages, 40, stages)
    schedule = np.stack([sample.schedule_features for sample in samples])
    pipeline = np.ascontiguousarray(samples[0].model_pipeline_features)
    made = _all_ways(Weights.random(stages), pipeline, schedule, cores)
    for name, values in made.items():
        # Random weights on random features cancel more digits of a float32 than real ones do.
        np.testing.assert_allclose(values, made["numpy"], rtol=5e-5, err_msg=name)


@pytest.mark.torch
def test_one_stage_by_hand() -> None:
    # Zero weights but for the trunk's bias: every coefficient is 1, so the cost is the sum of the terms.
    zero = {name: np.zeros_like(value) for name, value in Weights.random(0).arrays().items()}
    weights = Weights.from_arrays(zero | {"conv1_bias": np.ones(32)})
    f = dict.fromkeys(range(39), 0.0)
    f.update({0: 2, 1: 3, 9: 4, 10: 5, 11: 7, 12: 11, 19: 13, 18: 17, 21: 19, 22: 8, 24: 23, 25: 29, 26: 0.5, 27: 1.5,
              28: 2.5, 29: 64, 30: 16, 31: 32, 32: 3, 33: 6, 34: 9})  # fmt: skip
    cores = 3
    tasks = 4 * 5
    compute = (8 * 23 + 29) * np.ceil(tasks / cores) / (tasks / cores)
    load = 2 * (13 + 17) + 23 * 0.5 + 29 * 2.5 + 23 * 1.5 + (29 + 23) * 32 + (29 + 23) * 3 + tasks * (6 + 9)
    store = 2 * (4 * (64 / 16) + 7) + (23 + 29) / 16 + 11 * min(4, 4096 / 16) * 20
    rest = 2 + 3 + 3 * 3 + 19
    schedule = np.asarray([[list(f.values())]], dtype=np.float32)
    pipeline = np.zeros((1, 40, 7), dtype=np.float32)
    for name, values in _all_ways(weights, pipeline, schedule, cores).items():
        assert values[0] == pytest.approx((compute + load + 2 * store + rest) * 1e-9, rel=1e-6), name


@pytest.mark.torch
@pytest.mark.parametrize("cores", [2, 32])
def test_reference_predictions(cores: int) -> None:
    table = shared(f"ref_dev_baseline_cores{cores}.csv")
    weights = Weights.load_from_file(table.parent / "baseline.weights")
    worst: dict[str, float] = {}
    ways = _ways(weights)
    for path, *_, reference in csv.reader(table.open()):
        sample = load_a_sample(table.parent / path)
        pipeline = np.ascontiguousarray(sample.model_pipeline_features)
        for name, way in ways.items():
            values = way(pipeline, sample.schedule_features[None], cores)
            error = abs(float(values[0]) - float(reference)) / float(reference)
            worst[name] = max(worst.get(name, 0), error)
    print(worst)
    assert max(worst.values()) <= TOLERANCE


def _trainer_prediction(sample: Sample, others: list[Sample], weights: Path, folder: Path) -> float:
    """What Halide's trainer predicts: at rate 0 its 'Worst' line is measured over predicted of the slowest sample."""
    from hwml_sdk.cost_model.toolkit import program

    folder.mkdir()
    boosted = Sample(sample.schedule_features, sample.pipeline_features, 90000.0, 1, 0)
    paths = []
    for index, item in enumerate([boosted, *others]):
        path = folder / f"s{index}.sample"
        save_a_sample(Sample(item.schedule_features, item.pipeline_features, item.runtime_ms, 1, index), path)
        paths.append(str(path))
    command: list[str | Path] = [program("adams2019_retrain_cost_model"), "--epochs=1", "--rates=0", "--num_cores=32",
               f"--initial_weights={weights}", f"--weights_out={folder / 'o.weights'}",
               f"--best_benchmark={folder / 'b'}", f"--best_schedule={folder / 's'}"]  # fmt: skip
    done = subprocess.run(
        command, input="\n".join(paths), capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    found = re.search(r"Worst: (\S+) s0\.sample", done.stdout + done.stderr)
    assert found, done.stdout[-300:]
    return 90000.0 / float(found.group(1))


@pytest.mark.slow
def test_halides_trainer_predicts_the_same(measured: Path, tmp_path: Path) -> None:
    weights = Weights.random(5)
    weights.save_to_file(tmp_path / "w.weights")
    model = CostModel.from_weights(weights)
    samples = list(load_from_dir(measured / "pipeline"))
    assert len(samples) >= 8
    for index in range(3):
        others = samples[:index] + samples[index + 1 :]
        sample = samples[index]
        oracle = _trainer_prediction(sample, others, tmp_path / "w.weights", tmp_path / str(index))
        ours = float(model.predict(sample.pipeline_features, sample.schedule_features, 32)[0])
        # The trainer prints measured over predicted with 4 decimals.
        assert ours == pytest.approx(oracle, rel=1e-6 + 0.5e-4 * oracle / 90000)


@pytest.mark.parametrize("cores", [1, 3, 32])
def test_the_autoscheduler_prints_the_same_cost(cores: int, tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    weights = Weights.random(cores)
    weights.save_to_file(tmp_path / "w.weights")
    # In a process of its own, because the plug-in writes to the process's stderr.
    script = (
        "import base64, sys, pathlib\n"
        "from hwml_sdk.cost_model.sample.measure import Search, schedule\n"
        "from hwml_sdk.cost_model.sample.targets import build_pipeline, parse_target\n"
        f"weights = base64.b64encode(pathlib.Path({str(tmp_path / 'w.weights')!r}).read_bytes()).decode()\n"
        f"pipeline = build_pipeline(parse_target({str(PIPELINES)!r}))\n"
        f"made = schedule(pipeline, Search(parallelism={cores}, beam_size=4, random_dropout=100, weights=weights))\n"
        f"pathlib.Path({str(tmp_path / 'f.featurization')!r}).write_bytes(made.featurization)\n"
    )
    environment = dict(os.environ) | {"HL_DEBUG_AUTOSCHEDULE": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE_S, env=environment
    )
    printed = float(re.findall(r"Best cost: (\S+)", done.stdout + done.stderr)[-1])
    data = (tmp_path / "f.featurization").read_bytes()
    from hwml_sdk.cost_model.data.samples import parse_featurization

    schedule, pipeline = parse_featurization(data)
    ours = float(CostModel.from_weights(weights).predict(pipeline, schedule, cores)[0])
    assert ours == pytest.approx(printed, rel=5e-6)


def test_embedded_weights_are_those_of_the_package() -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    assert Weights.named("embedded").to_bytes() == shared("baseline.weights").read_bytes()


def test_scaling_is_exact(weights: Weights) -> None:
    samples = made_up(1, 5, 3)
    schedule = np.stack([sample.schedule_features for sample in samples])
    before = CostModel.from_weights(weights).predict(samples[0].pipeline_features, schedule, 4)
    after = CostModel.from_weights(weights.scaled(3.7)).predict(samples[0].pipeline_features, schedule, 4)
    np.testing.assert_allclose(after, before * 3.7, rtol=1e-6)
    with pytest.raises(DataError):
        weights.scaled(-1)


def test_more_cores_never_cost_more(weights: Weights) -> None:
    sample = made_up(2, 1, 4)[0]
    model = CostModel.from_weights(weights)
    times = [model.predict(sample.pipeline_features, sample.schedule_features, cores)[0] for cores in (1, 2, 4, 128)]
    assert all(a >= b * (1 - 1e-6) for a, b in pairwise(times))


def test_shapes_that_predict_takes(weights: Weights) -> None:
    sample = made_up(3, 1, 3)[0]
    model = CostModel.from_weights(weights)
    first = model.predict(sample.pipeline_features, sample.schedule_features, 2)
    assert first.shape == (1,)
    others = [
        (sample.model_pipeline_features, sample.schedule_features[None]),
        (sample.pipeline_features.reshape(3, 287), sample.schedule_features.tolist()),
        (sample.model_pipeline_features.reshape(3, 280), sample.schedule_features.astype(np.float64)),
    ]
    for pipeline, schedule in others:
        np.testing.assert_array_equal(model.predict(pipeline, schedule, 2), first)
    many = model.predict(sample.pipeline_features, np.repeat(sample.schedule_features[None], 3000, 0), 2)
    np.testing.assert_allclose(many, np.repeat(first, 3000), rtol=1e-6)
    assert model.predict(sample.pipeline_features, np.zeros((0, 3, 39)), 2).shape == (0,)


def test_wrong_inputs_of_predict(weights: Weights) -> None:
    sample = made_up(3, 1, 3)[0]
    model = CostModel.from_weights(weights)
    bad = np.full((3, 39), np.nan)
    for pipeline, schedule, cores in (
        (sample.pipeline_features[:2], sample.schedule_features, 2),
        (sample.pipeline_features[..., :3], sample.schedule_features, 2),
        (sample.pipeline_features, sample.schedule_features[:, :5], 2),
        (sample.pipeline_features, bad, 2),
        (sample.pipeline_features, -sample.schedule_features, 2),
        (sample.pipeline_features, sample.schedule_features, 0),
        (sample.pipeline_features, sample.schedule_features, float("nan")),
    ):
        with pytest.raises(DataError):
            model.predict(as_any(pipeline), schedule, cores)


def test_export_and_load_onnx(weights: Weights, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    weights.save_to_file(tmp_path / "w.weights")
    assert main(["halide", "export", "--weights", str(tmp_path / "w.weights"), "--onnx", str(tmp_path / "m.onnx")]) == 0
    samples = made_up(4, 6, 5)
    schedule = np.stack([sample.schedule_features for sample in samples])
    from_onnx = CostModel.load(tmp_path / "m.onnx")
    expected = CostModel.load(tmp_path / "w.weights").predict(samples[0].pipeline_features, schedule, 3)
    np.testing.assert_allclose(from_onnx.predict(samples[0].pipeline_features, schedule, 3), expected, rtol=TOLERANCE)
    with pytest.raises(DataError):
        from_onnx.export_onnx(tmp_path / "again.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ArtifactError, match=r"bad\.onnx: it cannot be read"):
        CostModel.load(tmp_path / "bad.onnx")
    with pytest.raises(DataError, match="cannot read"):
        CostModel.load(tmp_path / "none.onnx")


def test_prediction_imports_neither_torch_nor_halide(weights: Weights, tmp_path: Path) -> None:
    weights.save_to_file(tmp_path / "w.weights")
    script = (
        "import sys, numpy\n"
        "from hwml_sdk import CostModel\n"
        f"model = CostModel.load({str(tmp_path / 'w.weights')!r})\n"
        "assert model.predict(numpy.ones((2, 40, 7)), numpy.ones((4, 2, 39)), 2).shape == (4,)\n"
        "assert not {'torch', 'halide', 'onnx', 'ray', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=PATIENCE_S)


def test_training_without_torch_says_what_is_needed(tmp_path: Path) -> None:
    for sample in made_up(1, 9, 2):
        save_a_sample(sample, tmp_path / f"{sample.schedule_id}.sample")
    script = (
        "import sys\nsys.modules['torch'] = None\n"
        "from hwml_sdk.cli import main\n"
        f"raise SystemExit(main(['train', 'cost_model', '--samples', {str(tmp_path)!r}, '--weights', 'x']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 2
    assert "hwml[halide]" in done.stderr
    assert "Traceback" not in done.stderr


def test_shipped_artefact_predicts_alike_in_both_forms() -> None:
    folder = shipped("cost_model")
    assert folder is not None
    with warnings.catch_warnings():
        # It was not trained on a machine that is known: nothing to warn of.
        warnings.simplefilter("error", OtherMachineWarning)
        model = CostModel.load("cost_model")
    onnx = CostModel.load(folder / "model.onnx")
    samples = made_up(8, 10, 6)
    schedule = np.stack([sample.schedule_features for sample in samples])
    np.testing.assert_allclose(
        onnx.predict(samples[0].pipeline_features, schedule, 2),
        model.predict(samples[0].pipeline_features, schedule, 2),
        rtol=TOLERANCE,
    )


def test_the_weights_inside_halide_are_what_ships() -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    assert Weights.named("cost_model").to_bytes() == Weights.named("embedded").to_bytes()
    folder = shipped("cost_model")
    assert folder is not None
    licence = (folder / "LICENSE.halide.txt").read_text()
    assert "Permission is hereby granted" in licence
    assert "apps/" not in licence


def test_making_the_artefact_of_the_weights_inside_halide(tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    assert main(["train", "cost_model", "--embedded", "--artifact", str(tmp_path / "made")]) == 0
    assert Weights.of_artifact(Artifact.load(tmp_path / "made", kind="cost_model")).to_bytes() == (
        Weights.named("embedded").to_bytes()
    )


def test_loading_on_another_machine_warns(tmp_path: Path) -> None:
    made = Artifact.load("cost_model", kind="cost_model")
    trained = {"machine": {"cpu": "another cpu", "cores": 96}}
    write(
        tmp_path / "own", kind="cost_model", files={name: made.file(name).read_bytes() for name in made.files},
        config=made.config, metrics={}, provenance=trained,
    )  # fmt: skip
    with pytest.warns(OtherMachineWarning, match="96 cores"):
        CostModel.load(tmp_path / "own")
