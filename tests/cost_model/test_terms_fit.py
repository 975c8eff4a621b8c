"""One factor for each cost term: what a few dozen samples can tell, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import made_up

from hwml_sdk.cli import main
from hwml_sdk.cost_model.data.dataset import PipelineData, load_pipelines
from hwml_sdk.cost_model.data.samples import load_a_sample, sample_paths, save_a_sample
from hwml_sdk.cost_model.net.metrics import evaluate
from hwml_sdk.cost_model.net.terms import Predictor
from hwml_sdk.cost_model.net.terms_fit import fit_terms
from hwml_sdk.cost_model.net.weights import Weights
from hwml_sdk.train.cost_model.config import TrainConfig
from hwml_sdk.train.cost_model.recipe import train_cost_model


def _predicted(weights: Weights, data: PipelineData) -> np.ndarray:
    return Predictor(weights).predict(data.pipeline.reshape(data.n_stages, -1), data.schedule, 2)


def _on_a_machine(weights: Weights, count: int, seed: int = 1) -> PipelineData:
    """Schedules with the run times that these weights predict."""
    data = load_pipelines("made up", samples=made_up(seed, count, 4))[0]
    return replace(data, runtime_ms=_predicted(weights, data), num_cores=2)


def test_costs_of_terms_are_the_prediction_and_are_scaled_one_by_one() -> None:
    weights = Weights.random(3)
    data = _on_a_machine(weights, 20)
    flat = data.pipeline.reshape(data.n_stages, -1)
    costs = Predictor(weights).term_costs(flat, data.schedule, 2)
    assert np.allclose(costs.sum(axis=1), _predicted(weights, data), rtol=1e-5)
    factors = np.exp(np.linspace(-2, 2, 32))
    assert np.allclose(
        Predictor(weights.scaled(factors)).term_costs(flat, data.schedule, 2), costs * factors, rtol=1e-4
    )


def test_factors_of_a_machine_are_found_from_few_samples() -> None:
    """A machine whose loads cost eight times and whose arithmetic costs a third of what the weights think."""
    weights = Weights.random(3)
    truth = np.ones(32)
    truth[:4], truth[5:16] = 1 / 3, 8
    data = _on_a_machine(weights.scaled(truth), 400)
    few = replace(data, schedule=data.schedule[:32], runtime_ms=data.runtime_ms[:32], noise=data.noise[:32])
    rest = replace(data, schedule=data.schedule[32:], runtime_ms=data.runtime_ms[32:], noise=data.noise[32:])
    before, after = evaluate(weights, [rest]), evaluate(fit_terms(weights, [few]), [rest])
    assert after.log_error < before.log_error / 4
    assert after.pairwise_accuracy > before.pairwise_accuracy
    assert after.pairwise_accuracy > 0.97
    assert 0.9 < after.scale < 1.1


def test_what_samples_do_not_tell_stays_as_it_was() -> None:
    """A machine of another speed only: the order of all schedules is kept, the size of run times follows."""
    weights = Weights.random(3)
    data = _on_a_machine(weights.scaled(7.0), 40)
    few = replace(data, schedule=data.schedule[:12], runtime_ms=data.runtime_ms[:12], noise=data.noise[:12])
    assert np.allclose(_predicted(fit_terms(weights, [few]), data), data.runtime_ms, rtol=1e-2)


def test_terms_are_trained_by_command(
    sample_folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = sample_folder(pipelines=1, n=24), tmp_path / "my.weights"
    start = Weights.random(5)
    for path in sample_paths(folder):
        save_a_sample(replace(load_a_sample(path), runtime_ms=load_a_sample(path).runtime_ms * 3), path)
    start.save_to_file(tmp_path / "start.weights")
    given = ["--samples", str(folder), "--initial", str(tmp_path / "start.weights"), "--weights", str(out)]
    assert main(["train", "cost_model", "--terms", *given]) == 0
    data = load_pipelines(folder)
    made = Weights.load_from_file(out)
    assert evaluate(made, data).log_error < evaluate(start, data).log_error
    # The network itself is what it was: only the last layer's columns differ, each by one factor.
    assert np.array_equal(made.head2_filter, start.head2_filter)
    with np.errstate(invalid="ignore"):
        ratios = made.conv1_filter / start.conv1_filter
    assert np.nanmax(np.nanstd(ratios, axis=0) / np.nanmean(ratios, axis=0)) < 1e-4
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(["train", "cost_model", "--terms", "--parity", *given])
    assert stopped.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_terms_are_held_to_other_pipelines(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    """With pipelines enough, some are held out, as in any other training."""
    folder = sample_folder(pipelines=6, n=12)
    config = TrainConfig(samples=str(folder), weights=str(tmp_path / "w.weights"), terms=True, seed=2)
    assert train_cost_model(config).held_out
