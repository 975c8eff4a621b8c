"""Training: Halide's trainer step for step, and the default procedure on held-out pipelines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import made_up, shared
from tests.waiting import PATIENCE_S

from hwml_sdk.cli import main
from hwml_sdk.cost_model import Weights
from hwml_sdk.cost_model.data.dataset import load_pipelines, split
from hwml_sdk.cost_model.data.samples import save_a_sample
from hwml_sdk.cost_model.net.metrics import evaluate
from hwml_sdk.errors import DataError, HwmlError, RefusedError

torch = pytest.importorskip("torch", reason="torch is not installed (extra halide)")
pytestmark = pytest.mark.torch

from hwml_sdk.cost_model.net.fitting import BatchedFit, batch_loss, calibrate  # noqa: E402
from hwml_sdk.cost_model.net.network import Net  # noqa: E402
from hwml_sdk.cost_model.net.parity import ParityFit  # noqa: E402
from hwml_sdk.train.cost_model.config import TrainConfig  # noqa: E402
from hwml_sdk.train.cost_model.fit import fit  # noqa: E402
from hwml_sdk.train.cost_model.folds import cross_validate  # noqa: E402
from hwml_sdk.train.cost_model.recipe import main as recipe  # noqa: E402
from hwml_sdk.train.cost_model.recipe import train_cost_model  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _halide_trainer(samples: Path, weights: Path, out: Path, epochs: int) -> list[float]:
    """The losses that the trainer inside the halide package prints."""
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    from hwml_sdk.cost_model.toolkit import program

    command = [str(program("adams2019_retrain_cost_model")), f"--epochs={epochs}", "--rates=0.001", "--num_cores=32",
               f"--initial_weights={weights}", f"--weights_out={out}", f"--best_benchmark={out}.txt",
               f"--best_schedule={out}.h"]  # fmt: skip
    paths = "\n".join(map(str, sorted(samples.rglob("*.sample"))))
    done = subprocess.run(command, input=paths, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    lines = (done.stdout + done.stderr).splitlines()
    return [float(line.split()[1]) for line in lines if line.startswith("Loss:")]


def _follow(samples: Path, start: Weights, folder: Path, epochs: int = 50) -> tuple[list[float], list[float], float]:
    start.save_to_file(folder / "start.weights")
    theirs = _halide_trainer(samples, folder / "start.weights", folder / "out.weights", epochs)
    pipelines = load_pipelines(samples)
    fit = ParityFit(start)
    ours = [e.loss for e in fit.run(pipelines, rates=[0.001], epochs=epochs, num_cores=32)]
    mine, reference = fit.weights(), Weights.load_from_file(folder / "out.weights")
    losses = [sum(batch_loss(w, [data], "halide", 32) for data in pipelines) for w in (mine, reference)]
    return ours, theirs, losses[0] / losses[1]


def test_parity_follows_halides_trainer(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    ours, theirs, end = _follow(sample_folder(5, 14, 4), Weights.random(3), tmp_path)
    assert len(theirs) == 50
    np.testing.assert_allclose(ours[:10], theirs[:10], rtol=1e-3)
    assert abs(end - 1) <= 0.01


def test_parity_on_reference_samples(tmp_path: Path) -> None:
    samples = shared("samples")
    ours, theirs, end = _follow(samples, Weights.load_from_file(shared("baseline.weights")), tmp_path)
    print(f"loss after 50 epochs: ours {ours[-1]}, Halide's {theirs[-1]}, end point ratio {end}")
    assert abs(end - 1) <= 0.01
    assert ours[-1] == pytest.approx(theirs[-1], rel=0.01)


def test_gradients_of_parity_are_those_of_torch(sample_folder: Callable[..., Path], weights: Weights) -> None:
    """One step of both from the same weights; Adam's first step follows from the gradient alone."""
    from hwml_sdk.cost_model.net.fitting import collate_one, halide_loss

    (data, *_) = load_pipelines(sample_folder(1, 9, 3))
    net, fit = Net(weights), ParityFit(weights)
    loss = halide_loss(net, collate_one(data, 32))
    loss.backward()
    (epoch,) = fit.run([data], rates=[1e-3], epochs=1, num_cores=32)
    assert epoch.loss == pytest.approx(loss.item(), rel=1e-5)
    for name, moved in fit.weights().arrays().items():
        gradient = getattr(net, name).grad.numpy()
        step = gradient / (np.abs(gradient) + 1e-5) * 1e-3
        np.testing.assert_allclose(getattr(weights, name) - moved, step, atol=2e-6, err_msg=name)


def test_batched_loss_is_the_sum_of_single_ones(sample_folder: Callable[..., Path], weights: Weights) -> None:
    from hwml_sdk.cost_model.net.fitting import Collated, collate_one, halide_loss, merge, ranking_loss

    pipelines = load_pipelines(sample_folder(3, 9, 2))
    pipelines[1] = replace(
        pipelines[1], schedule=pipelines[1].schedule[:8], runtime_ms=pipelines[1].runtime_ms[:8],
        noise=pipelines[1].noise[:8],
    )  # fmt: skip
    net = Net(weights)
    parts = [collate_one(data, 4) for data in pipelines]
    together = halide_loss(net, merge(parts)).item()
    assert together == pytest.approx(sum(halide_loss(net, part).item() for part in parts), rel=1e-5)
    taken = Collated(parts).take([2, 0, 1])
    assert halide_loss(net, taken).item() == pytest.approx(together, rel=1e-5)
    ranking = ranking_loss(net, taken).item()
    assert ranking == pytest.approx(np.mean([ranking_loss(net, part).item() for part in parts]), rel=1e-3)


def test_default_training_beats_its_start(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out.weights"
    code = main(["train", "cost_model", "--samples", str(sample_folder(8, 16)), "--weights", str(out), "--epochs", "40",
                 "--batch-pipelines", "1",
                 "--rates", "0.003", "--seed", "2", "--num-cores", "2", "--plot", str(tmp_path / "p.png"),
                 "--tensorboard", str(tmp_path / "board"), "--quiet"])  # fmt: skip
    assert code == 0
    pipelines = load_pipelines(tmp_path / "samples")
    _, held = split(pipelines, seed=2)
    before, after = (evaluate(w, held, num_cores=2) for w in (Weights.random(2), Weights.load_from_file(out)))
    assert after.pairwise_accuracy > before.pairwise_accuracy
    assert 0.2 < after.scale < 5
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert any((tmp_path / "board").iterdir())
    assert not (tmp_path / "out.weights.resume.npz").exists()


def test_of_several_starts_the_best_is_kept(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    config = TrainConfig(str(sample_folder(6, 12)), str(tmp_path / "o.weights"), rates=(3e-3,), epochs=10, seed=1)
    pipelines = load_pipelines(config.samples)
    one, several = (fit(replace(config, restarts=count), pipelines, lambda _: None) for count in (1, 4))
    assert several.held_loss < one.held_loss
    with pytest.raises(HwmlError, match="--restarts"):
        train_cost_model(replace(config, restarts=2, resume=True))


def test_cross_validation_judges_each_pipeline_once(sample_folder: Callable[..., Path]) -> None:
    config = TrainConfig(str(sample_folder(10, 10)), "", rates=(3e-3,), epochs=5)
    folds = cross_validate(config)
    assert sorted(name for fold in folds for name in fold.names) == sorted(f"p{number}" for number in range(10))
    assert [fold.metrics for fold in cross_validate(config, workers=2)] == [fold.metrics for fold in folds]
    for fold in folds:
        assert {"trained", "random"} <= set(fold.metrics)
        assert fold.metrics["trained"].n_pipelines == len(fold.names)


def test_worse_weights_are_refused(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    samples = sample_folder(6, 12)
    out = tmp_path / "out.weights"
    arguments = ["train", "cost_model", "--samples", str(samples), "--weights", str(out), "--epochs", "1", "--quiet"]
    # A rate of 0 learns nothing, so nothing can be better than the start.
    assert main([*arguments, "--rates", "0"]) == 3
    assert not out.exists()
    out.write_bytes(Weights.random(1).to_bytes())
    with pytest.raises(RefusedError, match="--force"):
        train_cost_model(TrainConfig(str(samples), str(out), rates=(0.0,), epochs=1))
    assert out.read_bytes() == Weights.random(1).to_bytes()
    assert main([*arguments, "--rates", "0", "--force"]) == 0
    assert out.read_bytes() != Weights.random(1).to_bytes()


def test_resumed_training_ends_where_the_whole_one_does(sample_folder: Callable[..., Path]) -> None:
    pipelines = load_pipelines(sample_folder(5, 10))
    start = Weights.random(4)

    def fresh() -> BatchedFit:
        return BatchedFit(start, pipelines, rate=1e-3, num_cores=2, seed=9, batch_pipelines=2)

    whole = fresh()
    for _ in range(6):
        whole.run_epoch()
    first, second = fresh(), fresh()
    for _ in range(3):
        first.run_epoch()
    second.restore(first.state())
    for _ in range(3):
        second.run_epoch()
    assert second.weights().to_bytes() == whole.weights().to_bytes()


def test_interrupted_training_keeps_weights_and_resumes(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    samples, out = sample_folder(6, 12), tmp_path / "out.weights"
    out.write_bytes(b"what was there")
    config = TrainConfig(str(samples), str(out), rates=(3e-3,), epochs=20, num_cores=2, force=True)

    def stop(text: str) -> None:
        if text.startswith("epoch 10"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_cost_model(config, report=stop)
    assert out.read_bytes() == b"what was there"
    said: list[str] = []
    train_cost_model(replace(config, resume=True), report=said.append)
    assert "resumed after epoch 5" in said
    assert Weights.load_from_file(out)
    Path(f"{out}.resume.npz").write_bytes(b"no state")
    with pytest.raises(DataError, match="no training state"):
        train_cost_model(replace(config, resume=True))


def test_calibration_keeps_the_order(sample_folder: Callable[..., Path], weights: Weights) -> None:
    pipelines = load_pipelines(sample_folder(3, 10))
    calibrated = calibrate(weights.scaled(1000), pipelines, 2)
    before, after = (evaluate(w, pipelines, num_cores=2) for w in (weights, calibrated))
    assert after.scale == pytest.approx(1, rel=1e-3)
    assert after.pairwise_accuracy == pytest.approx(before.pairwise_accuracy)


def test_bad_training_input(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = sample_folder(2, 9)
    out = str(tmp_path / "o.weights")
    for change, words in (
        (TrainConfig(str(tmp_path / "none"), out), "no such folder"),
        (TrainConfig(str(folder), out, initial=str(tmp_path / "none.weights")), "cannot read"),
    ):
        with pytest.raises(DataError, match=words):
            train_cost_model(change)
    save_a_sample(made_up(77, 1, 3, 1)[0], folder / "p0" / "other.sample")
    with pytest.raises(DataError, match=r"two different pipelines: .*s000\.sample and .*other\.sample|two different"):
        train_cost_model(TrainConfig(str(folder), out))
    (folder / "p0" / "other.sample").write_bytes(b"x")
    with pytest.raises(DataError, match=r"other\.sample"):
        train_cost_model(TrainConfig(str(folder), out))
    with pytest.raises(HwmlError, match="--rates"):
        recipe(["--samples", str(folder), "--weights", out, "--rates", "fast"])
    assert not Path(out).exists()
    for path in folder.rglob("s00[2-9].sample"):
        path.unlink()
    (folder / "p0" / "other.sample").unlink()
    with pytest.raises(DataError, match="at least 8 different schedules"):
        train_cost_model(TrainConfig(str(folder), out))


def test_training_writes_nothing_when_the_destination_cannot_be_written(sample_folder: Callable[..., Path]) -> None:
    if sys.platform != "linux":
        pytest.skip("needs /proc")
    with pytest.raises(HwmlError, match="cannot write"):
        train_cost_model(TrainConfig(str(sample_folder(2, 9)), "/proc/o.weights", epochs=1, rates=(1e-3,)))
