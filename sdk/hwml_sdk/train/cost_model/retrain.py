"""Sample a pipeline and retrain in turn, each search steered by the weights so far."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...cost_model.net.weights import Weights
from ...cost_model.sample.autosampler import SampleReport, SampleSettings, sample
from ...cost_model.sample.jobs import JobOptions
from ...cost_model.sample.targets import Target, generator_parameters, parse_target
from ...errors import HwmlError, TooFewSamplesError
from .config import TrainConfig
from .recipe import TrainResult, train_cost_model

_FIRST_SEED = 20190713  # of the weights that steer the first batch; any number would do
_SEED = "seed"
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one batch."""

    batch: int
    written: int
    """new samples that were kept"""
    duplicates: int
    """schedules that were known or equal to another of the batch"""
    failures: tuple[str, ...]
    """why others were not kept"""
    trained: bool
    why_not: str
    """why the weights were not trained after it; empty when they were"""
    generator_args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetrainResult:
    """What `retrain_cost_model` did."""

    weights: Weights
    """the last weights, as they stand in `weight_path`"""
    batches: tuple[BatchResult, ...]
    training: TrainResult
    """figures of the last training"""

    @property
    def trained(self) -> bool:
        """Whether the weights follow from all samples: the last batch was trained on, too."""
        return self.batches[-1].trained


def retrain_cost_model(
    gen_path: str,
    demo_name: str,
    batch_num: int,
    batch_size: int = 16,
    samples_dir: str = "./default_samples",
    weight_path: str = "./random_init.weights",
    learning_rate: float = 1e-3,
    train_iters: int = 200,
    *,
    generator_args: Mapping[str, object] | None = None,
    options: JobOptions | None = None,
    report: Report | None = None,
) -> RetrainResult:
    """Sample `batch_num` batches of a generator (or Python pipeline) and retrain after each.

    The search of each batch is steered by the weights so far: those in `weight_path`, where it is there, else random
    ones. It is written after every batch that could be trained on, with `train_iters` epochs of Halide's own procedure
    (one pipeline leaves nothing to hold out) over all samples in `samples_dir`, on the number of cores they were
    measured with. A source that registers one generator only is sampled under whatever `demo_name` says. Each batch of
    `random` and of a generator with a parameter `seed` that `generator_args` does not name is another pipeline.

    `report` is told what goes on; without it, that is printed to stderr. Raises HwmlError as `sample` does, and
    TooFewSamplesError ("not trained", with the reason of every batch) when no batch could be trained on: `weight_path`
    is then as it was. Samples are kept in any case.
    """
    say = report or _print
    if batch_num < 1:
        raise HwmlError("batch_num must be at least 1")
    target, path = parse_target(gen_path), Path(weight_path)
    arguments = tuple(f"{name}={value}" for name, value in (generator_args or {}).items())
    base = replace(options or JobOptions(), generator_arguments=arguments)
    batches: list[BatchResult] = []
    training: TrainResult | None = None
    for number in range(batch_num):
        settings = _settings(target, base, number, demo_name)
        settings = replace(settings, batch_size=batch_size, weights=_steering(path))
        say(f"batch {number + 1} of {batch_num}: {settings.target} {' '.join(settings.options.generator_arguments)}")
        done = sample(settings, batches=1, samples_dir=samples_dir, report=say)
        trained = _train(settings, samples_dir, path, learning_rate, train_iters, say)
        training = trained if isinstance(trained, TrainResult) else training
        batches.append(_batch_result(number + 1, done, trained, settings))
        say(_words(batches[-1]))
    if training is None:
        raise TooFewSamplesError(f"not trained, {path} is as it was: {'; '.join(map(_words, batches))}")
    return RetrainResult(Weights.load_from_file(path), tuple(batches), training)


def _steering(path: Path) -> str:
    return str(path) if path.exists() else f"random:{_FIRST_SEED}"


def _settings(target: Target, base: JobOptions, number: int, name: str) -> SampleSettings:
    """What batch `number` samples: another pipeline of a random target, the same one of any other."""
    if target.kind == "random":
        return SampleSettings(replace(target, place=str(int(target.place) + number)), name, options=base)
    named = {argument.partition("=")[0] for argument in base.generator_arguments}
    if target.kind == "cpp" and _SEED in generator_parameters(target.place) and _SEED not in named:
        arguments = (*base.generator_arguments, f"{_SEED}={number + 1}")
        return SampleSettings(target, name, options=replace(base, generator_arguments=arguments))
    return SampleSettings(target, name, options=base)


def _train(
    settings: SampleSettings, samples_dir: str, path: Path, rate: float, epochs: int, say: Report
) -> TrainResult | str:
    """Train on all samples of the folder; the reason when there are too few."""
    config = TrainConfig(
        samples=str(samples_dir), weights=str(path), initial=_steering(path), parity=True, rates=(rate,), epochs=epochs,
        num_cores=settings.num_cores,
    )  # fmt: skip
    try:
        return train_cost_model(config, report=_every(max(1, epochs // 10), say))
    except TooFewSamplesError as error:
        return str(error)


def _every(count: int, say: Report) -> Report:
    """Pass on one of `count` lines about epochs, and all others."""
    seen = 0

    def report(text: str) -> None:
        nonlocal seen
        if not text.startswith("Loss:"):
            say(text)
            return
        seen += 1
        if seen % count == 0:
            say(text)

    return report


def _batch_result(number: int, done: SampleReport, trained: TrainResult | str, settings: SampleSettings) -> BatchResult:
    return BatchResult(
        number, len(done.written), done.duplicates, tuple(done.failures), isinstance(trained, TrainResult),
        trained if isinstance(trained, str) else "", settings.options.generator_arguments,
    )  # fmt: skip


def _words(batch: BatchResult) -> str:
    kept = f"batch {batch.batch}: {batch.written} samples kept, {batch.duplicates} known, {len(batch.failures)} failed"
    failed = f" (first: {batch.failures[0]})" if batch.failures else ""
    end = "trained" if batch.trained else f"not trained: {batch.why_not}"
    return f"{kept}{failed}; {end}"


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
