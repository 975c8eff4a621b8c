"""Names, arguments and defaults as an author of training loops uses them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import made_up

from hwml_sdk.cli import main
from hwml_sdk.cost_model import TrainConfig, Weights, load_from_dir
from hwml_sdk.cost_model.data.csvdata import write_csv
from hwml_sdk.cost_model.data.dataset import load_pipelines
from hwml_sdk.cost_model.data.samples import save_a_sample
from hwml_sdk.errors import TooFewSamplesError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "halide"


def test_weights_objects_are_filled_by_their_loaders(weights: Weights, tmp_path: Path) -> None:
    weights.save_to_file(tmp_path / "w.weights")
    weights.save_to_json(tmp_path / "w.json")
    for load, file in (("load_from_file", "w.weights"), ("load_from_json", "w.json")):
        empty = Weights()
        assert not any(array.any() for array in empty.arrays().values())
        assert getattr(empty, load)(tmp_path / file) is empty
        assert empty.to_bytes() == weights.to_bytes() == getattr(Weights, load)(tmp_path / file).to_bytes()


@pytest.mark.torch
def test_net_has_three_layers_and_the_old_name(weights: Weights) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    from hwml_sdk.cost_model import Net

    net = Net(weights)
    assert [name for name, _ in net.named_children()] == ["head1", "head2", "conv1"]
    filled = Weights()
    assert filled.load_from_model(net) is filled
    assert filled.to_bytes() == weights.to_bytes()
    sample = made_up(3, 1, 4)[0]
    pipeline = torch.from_numpy(sample.model_pipeline_features.copy())
    schedule = torch.from_numpy(sample.schedule_features)[None]
    by_hand = net.conv1(net.head1(pipeline), net.head2(schedule))
    assert torch.equal(by_hand, net.network(pipeline, schedule))
    with pytest.warns(DeprecationWarning, match="misspelling of forward"):
        assert torch.equal(net.forword(pipeline, schedule, 4), net(pipeline, schedule, 4))


@pytest.mark.torch
def test_csv_is_a_dataset_for_a_data_loader(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    from hwml_sdk.cost_model import CSVDataset

    write_csv(load_from_dir(sample_folder(2, 4)), tmp_path / "s.csv")
    save_a_sample(made_up(9, 1, 5, 9)[0], tmp_path / "samples" / "other.sample")
    dataset = CSVDataset(tmp_path / "s.csv")
    assert isinstance(dataset, torch.utils.data.Dataset)
    pipelines, schedules, times = next(iter(torch.utils.data.DataLoader(dataset, batch_size=3)))
    assert (pipelines.shape, schedules.shape, times.shape) == ((3, 3, 40, 7), (3, 3, 39), (3,))
    assert times.tolist() == [sample.runtime_ms for sample in dataset.samples()[:3]]
    assert torch.is_tensor(dataset.Xp[0]) and torch.is_tensor(dataset.y)
    write_csv(load_from_dir(tmp_path / "samples"), tmp_path / "mixed.csv")
    mixed = torch.utils.data.DataLoader(CSVDataset(tmp_path / "mixed.csv"), 9, collate_fn=CSVDataset.collate)
    rows = next(iter(mixed))
    assert sorted(len(item) for item in rows.Xs) == [3] * 8 + [5]
    assert rows.y.shape == (9,)


def test_training_data_come_from_csv_too(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = sample_folder(3, 9)
    write_csv(load_from_dir(folder), tmp_path / "s.csv")
    lines = (tmp_path / "s.csv").read_text().splitlines()
    # Without ids (the last two columns) pipelines are told apart by content.
    (tmp_path / "bare.csv").write_text("\n".join(line.rsplit(",", 2)[0] for line in lines) + "\n")
    wanted = {data.digest: np.sort(data.runtime_ms) for data in load_pipelines(folder)}
    for name in ("s.csv", "bare.csv"):
        found = {data.digest: np.sort(data.runtime_ms) for data in load_pipelines(tmp_path / name)}
        assert found.keys() == wanted.keys()
        assert all((found[key] == wanted[key]).all() for key in wanted)
    assert TrainConfig(str(tmp_path / "s.csv"), "out.weights").samples.endswith(".csv")


def test_what_is_left_out_and_kept_apart_is_said(
    sample_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_folder(2, 16)
    for index, path in enumerate(sorted(folder.rglob("*.sample"))):
        if path.parent.name == "p0":
            path.with_suffix(".json").write_text(f'{{"name": "p0", "halide": "2{index % 2}.0.0"}}')
        elif index % 16 > 4:
            path.unlink()
    said: list[str] = []
    found = load_pipelines(folder, report=said.append)
    assert [len(data) for data in found] == [8, 8]
    assert any("2 Halide versions (20.0.0, 21.0.0): kept apart" in line for line in said)
    assert "left out: p1: 5 different schedules, 8 are needed" in said
    assert main(["halide", "eval", "--weights", "random:1", "--samples", str(folder)]) == 0
    assert capsys.readouterr().err.splitlines() == said


def test_the_loop_has_the_arguments_and_defaults_that_its_authors_expect() -> None:
    from hwml_sdk import cost_model
    from hwml_sdk.cost_model import autosampler

    assert autosampler.retrain_cost_model is cost_model.retrain_cost_model
    bound = inspect.signature(autosampler.retrain_cost_model).bind("gen.cpp", "name", 2)
    bound.apply_defaults()
    assert bound.arguments == {
        "gen_path": "gen.cpp", "demo_name": "name", "batch_num": 2, "batch_size": 16,
        "samples_dir": "./default_samples", "weight_path": "./random_init.weights", "learning_rate": 1e-3,
        "train_iters": 200, "generator_args": None, "options": None, "report": None,
    }  # fmt: skip


@pytest.mark.torch
def test_a_training_loop_of_ones_own(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    from hwml_sdk import CostModel
    from hwml_sdk.cost_model import CSVDataset, Net

    write_csv(load_from_dir(sample_folder(1, 12)), tmp_path / "s.csv")
    dataset = CSVDataset(tmp_path / "s.csv")
    net = Net()
    Weights.random(3).load_in_model(net)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-5)
    losses = []
    for _ in range(30):
        for pipelines, schedules, times in torch.utils.data.DataLoader(dataset, batch_size=12):
            coefficients = net.network(pipelines[0], schedules)
            loss = net.loss_func(net.cost(coefficients, schedules, 4), times, coefficients)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0]
    Weights().load_from_model(net).save_to_file(tmp_path / "own.weights")
    sample = dataset.samples()[0]
    predicted = CostModel.load(tmp_path / "own.weights").predict(
        sample.pipeline_features, sample.schedule_features, num_cores=4
    )
    with torch.no_grad():
        assert float(predicted[0]) == pytest.approx(float(net(dataset.Xp[0], dataset.Xs[0][None], 4)[0]), rel=1e-4)


@pytest.mark.torch
@pytest.mark.timeout(1800)  # building a generator takes minutes on a busy machine
def test_the_documented_loop_with_every_argument(tmp_path: Path) -> None:
    """Halide's name of a generator with a seed: each batch is another pipeline, of the arguments that were named."""
    pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    from hwml_sdk.cost_model import autosampler
    from hwml_sdk.cost_model.sample.build import check_compiler

    if not check_compiler():
        pytest.skip("no C++ compiler (c++)")
    said: list[str] = []
    found = autosampler.retrain_cost_model(
        str(EXAMPLES / "random_pipeline_generator.cpp"), "random_pipeline", 2, 12, str(tmp_path / "samples"),
        str(tmp_path / "own.weights"), 1e-4, 4, generator_args={"stages": 4}, report=said.append,
    )  # fmt: skip
    assert [batch.generator_args for batch in found.batches] == [("stages=4", "seed=1"), ("stages=4", "seed=2")]
    samples = list(load_from_dir(tmp_path / "samples" / "random_pipeline"))
    assert len(samples) == sum(batch.written for batch in found.batches)
    assert len({sample.pipeline_id for sample in samples}) == len({sample.pipeline_digest() for sample in samples}) == 2
    assert Weights.load_from_file(tmp_path / "own.weights").to_bytes() == found.weights.to_bytes()
    assert sum(line.startswith("Loss:") for line in said) == 4 * sum(batch.trained for batch in found.batches)


def test_too_few_schedules_are_told_from_pipelines_that_have_no_more(sample_folder: Callable[..., Path]) -> None:
    with pytest.raises(TooFewSamplesError, match=r"most: 1\); sample more \(a pipeline of one or two stages may have"):
        load_pipelines(sample_folder(2, 1))
    with pytest.raises(TooFewSamplesError, match=r"most: 5\); sample more$"):
        load_pipelines(sample_folder(2, 5))
