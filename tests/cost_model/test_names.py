"""Names, arguments and defaults as an author of training loops uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import made_up

from hwml_sdk.cost_model import TrainConfig, Weights, load_from_dir
from hwml_sdk.cost_model.data.csvdata import write_csv
from hwml_sdk.cost_model.data.dataset import load_pipelines
from hwml_sdk.cost_model.data.samples import save_a_sample


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


def test_what_is_left_out_and_kept_apart_is_said(sample_folder: Callable[..., Path]) -> None:
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
