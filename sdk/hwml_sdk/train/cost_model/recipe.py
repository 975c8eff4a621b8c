"""Train the Halide cost model (adams2019) on measured samples.

`--parity` is Halide's own trainer to the letter (loss, optimiser, one step a pipeline, in order of ids). The default
calibrates the scale, holds pipelines out by content, trains on shuffled batches of pipelines, keeps the best epoch and
refuses (exit 3) to write weights that order held-out schedules worse than those it began with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context

import numpy as np

from ...cost_model.data.dataset import HALIDE_NUM_CORES, PipelineData, load_pipelines, split
from ...cost_model.net.metrics import AVERAGED, Metrics, evaluate, evaluate_each, summarize
from ...cost_model.net.weights import Weights
from ...errors import DataError, HwmlError, RefusedError
from ...processes import protect_children
from .procedure import Board, Found, Report, Run, run_procedure, state_path

MIN_PIPELINES_TO_HOLD_OUT = 5
DEFAULT_RATES = (3e-3, 1e-3, 3e-4)
DEFAULT_EPOCHS = 100


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything a run depends on."""

    samples: str
    weights: str
    """file to write"""
    initial: str = ""
    """weights to start from; empty: random ones drawn with `seed`"""
    num_cores: int = 0
    """0: what the samples say, else Halide's 32"""
    rates: tuple[float, ...] = DEFAULT_RATES
    epochs: int = DEFAULT_EPOCHS
    """for each of the rates"""
    parity: bool = False
    loss: str = "ranking"
    batch_pipelines: int = 8
    folds: int = 5
    """one of so many parts of the pipelines is held out"""
    evaluate_every: int = 5
    patience: int = 20
    """evaluations without a better one after which a rate is given up"""
    seed: int = 0
    restarts: int = 1
    """of so many random starts the one with the lowest held-out loss is kept"""
    force: bool = False
    resume: bool = False
    skip_broken: bool = False
    tensorboard: str = ""
    plot: str = ""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What training did; metrics are of held-out pipelines (of all of them where none could be held out)."""

    weights: Weights
    before: Metrics
    after: Metrics
    held_out: bool
    best_epoch: int
    epochs: int
    seconds: float
    last_loss: float


def train_cost_model(config: TrainConfig, *, report: Report | None = None) -> TrainResult:
    """Train as `config` says and write `config.weights`.

    Raises DataError for bad samples or weights, RefusedError when the result would be worse on held-out pipelines than
    what it began with (`force` writes it all the same).
    """
    say = report or (lambda _: None)
    pipelines = read_samples(config, say)
    start = Weights.load_from_file(config.initial) if config.initial else Weights.random(config.seed)
    trained, held = _hold_out(pipelines, config, say)
    begin = time.monotonic()
    writer = Board(config.tensorboard)
    try:
        run = Run(config, start, trained, held, say, writer)
        found = run_procedure(run)
    finally:
        writer.close()
    judged = held or trained
    cores = config.num_cores or None
    before, after = (evaluate(weights, judged, num_cores=cores) for weights in (start, found.weights))
    result = TrainResult(
        found.weights, before, after, bool(held), found.best_epoch, found.epochs, time.monotonic() - begin, found.loss
    )
    _refuse_worse(result, config)
    found.weights.save_to_file(config.weights)
    state_path(config).unlink(missing_ok=True)
    if config.plot:
        from .plot import plot

        plot(found.weights, trained, held, config.plot, cores)
    return result


@dataclass(frozen=True, slots=True)
class Fold:
    """Out-of-fold metrics of one part of the pipelines, by weights; `trained` never saw them."""

    names: tuple[str, ...]
    metrics: dict[str, Metrics]
    each: dict[str, list[dict[str, float]]]
    """metrics of each pipeline"""


def cross_validate(config: TrainConfig, *, workers: int = 1, report: Report | None = None) -> list[Fold]:
    """Train `config.folds` times, each time without one part of the pipelines, and judge on that part.

    Within each run the best epoch is chosen on a part of the remaining pipelines, never on those judged. Compared with
    the weights inside Halide (where it is installed) and with random ones. `workers` folds are trained at once, in
    processes of their own; the result does not depend on it.
    """
    say = report or (lambda _: None)
    pipelines = read_samples(config, say)
    # No start of the trained ones: starts count up from the seed.
    others = {"random": Weights.random(config.seed + 1_000)}
    if find_spec("halide") is not None:
        others["embedded"] = Weights.named("embedded")
    parts = [split(pipelines, folds=config.folds, fold=fold, seed=config.seed) for fold in range(config.folds)]
    judge = partial(_judge_fold, config, others)
    if workers == 1:
        return _collect(map(judge, parts), say)
    protect_children()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _collect(pool.map(judge, parts), say)


def _judge_fold(
    config: TrainConfig, others: dict[str, Weights], part: tuple[list[PipelineData], list[PipelineData]]
) -> Fold:
    trained, judged = part
    compared = {"trained": fit(config, trained, lambda _: None).weights, **others}
    cores = config.num_cores or None
    each = {name: evaluate_each(weights, judged, num_cores=cores) for name, weights in compared.items()}
    count = sum(len(data) for data in judged)
    metrics = {name: summarize(values, count) for name, values in each.items()}
    return Fold(tuple(data.name for data in judged), metrics, each)


def _collect(folds: Iterable[Fold], say: Report) -> list[Fold]:
    found = []
    for fold in folds:
        found.append(fold)
        accuracies = ", ".join(f"{name} {metrics.pairwise_accuracy:.4f}" for name, metrics in fold.metrics.items())
        say(f"fold {len(found)}: {accuracies}")
    return found


def fit(config: TrainConfig, pipelines: list[PipelineData], say: Report) -> Found:
    """The default procedure on these pipelines, without reading or writing files."""
    start = Weights.load_from_file(config.initial) if config.initial else Weights.random(config.seed)
    trained, held = _hold_out(pipelines, config, say)
    run = Run(replace(config, weights=""), start, trained, held, say, Board(""))
    return run_procedure(run)


def read_samples(config: TrainConfig, say: Report) -> list[PipelineData]:
    """The samples of a configuration, grouped. Raises DataError."""
    skipped: list[DataError] = []
    pipelines = load_pipelines(config.samples, skipped=skipped if config.skip_broken else None)
    for error in skipped:
        say(f"left out: {error}")
    count = sum(len(data) for data in pipelines)
    say(f"{len(pipelines)} pipelines, {count} different schedules")
    if not config.num_cores and not config.parity and any(not data.num_cores for data in pipelines):
        say(f"samples without metadata: {HALIDE_NUM_CORES} cores assumed, as in Halide; --num-cores says otherwise")
    return pipelines


def _hold_out(
    pipelines: list[PipelineData], config: TrainConfig, say: Report
) -> tuple[list[PipelineData], list[PipelineData]]:
    if config.parity:
        return pipelines, []
    if len({data.digest for data in pipelines}) < MIN_PIPELINES_TO_HOLD_OUT:
        say(f"fewer than {MIN_PIPELINES_TO_HOLD_OUT} pipelines: none held out, nothing tells whether this generalises")
        return pipelines, []
    trained, held = split(pipelines, folds=config.folds, seed=config.seed)
    say(f"held out: {', '.join(data.name for data in held)}")
    return trained, held


def _refuse_worse(result: TrainResult, config: TrainConfig) -> None:
    if config.force or not result.held_out:
        return
    if result.best_epoch == 0 or result.after.pairwise_accuracy < result.before.pairwise_accuracy:
        raise RefusedError(
            f"no epoch ordered the held-out pipelines better than the start (pairwise accuracy "
            f"{result.before.pairwise_accuracy:.4f}): {config.weights} is as it was; sample more, or write with --force"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the recipe."""
    parser.add_argument("--samples", required=True, help="folder of .sample files, as hwml halide sample writes it")
    parser.add_argument("--weights", default="", help=".weights file to write")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--initial", default="", help=".weights file to start from")
    begin.add_argument("--random", action="store_true", help="start from random weights (the default)")
    parser.add_argument("--num-cores", type=int, default=0, help="override the samples' number of cores")
    parser.add_argument(
        "--rates", default="", help='learning rates, for example "0.001 0.0001"; each runs --epochs epochs'
    )
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    parser.add_argument(
        "--parity", action="store_true", help="Halide's own procedure to the letter (32 cores unless named)"
    )
    parser.add_argument("--loss", choices=("ranking", "halide"), default="ranking")
    parser.add_argument("--batch-pipelines", type=int, default=8)
    parser.add_argument("--folds", type=int, default=5, help="hold out one part of so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--restarts", type=int, default=1, help="random starts, of which the best on held-out is kept")
    parser.add_argument("--force", action="store_true", help="write the weights also when they are worse")
    parser.add_argument("--resume", action="store_true", help="go on from OUT.resume.npz of an interrupted run")
    parser.add_argument("--skip-broken", action="store_true", help="leave broken samples out instead of stopping")
    parser.add_argument("--tensorboard", default="", metavar="DIR", help="write curves for TensorBoard")
    parser.add_argument("--plot", default="", metavar="PNG", help="draw predicted against measured")
    parser.add_argument(
        "--cross-validate", action="store_true", help="judge the settings on every part in turn; writes nothing"
    )
    parser.add_argument(
        "--artifact", default="", metavar="DIR", help="cross-validate, train, and write an artefact folder"
    )
    parser.add_argument("--workers", type=int, default=1, help="folds to train at once")
    parser.add_argument("--quiet", action="store_true")


def config_from(options: argparse.Namespace) -> TrainConfig:
    """The configuration that arguments name. Raises HwmlError for numbers out of range."""
    try:
        rates = tuple(float(word) for word in options.rates.replace(",", " ").split())
    except ValueError as error:
        raise HwmlError(f"--rates {options.rates!r}: numbers separated by spaces were expected") from error
    if (
        any(not 0 <= rate < 10 for rate in rates)
        or options.epochs < 1
        or options.num_cores < 0
        or options.folds < 2
        or options.restarts < 1
        or options.workers < 1
    ):
        raise HwmlError("rates lie from 0 to 10; epochs, restarts, workers are at least 1, folds 2, cores 0")
    if not rates:
        rates = (1e-3,) if options.parity else DEFAULT_RATES
    names = {item.name for item in fields(TrainConfig)} & set(vars(options)) - {"rates"}
    return TrainConfig(rates=rates, **{name: getattr(options, name) for name in names})


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m sdk.train cost_model ...`."""
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train cost_model", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args(argv)
    report = None if options.quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    if options.cross_validate:
        _print_folds(cross_validate(config_from(options), workers=options.workers, report=report))
        return 0
    if options.artifact:
        return _make_artifact(options.artifact, config_from(options), options.workers, report)
    if not options.weights:
        parser.error("--weights is required")
    result = train_cost_model(config_from(options), report=report)
    what = "held-out" if result.held_out else "training"
    print(f"{options.weights}: {result.epochs} epochs in {result.seconds:.1f} s, best epoch {result.best_epoch}")
    print(f"{'on ' + what + ' pipelines':<28}{'before':>10}{'after':>10}")
    for name, value in result.before.to_json().items():
        print(f"  {name:<26}{value:>10g}{result.after.to_json()[name]:>10g}")
    return 0


def _make_artifact(folder: str, config: TrainConfig, workers: int, report: Report | None) -> int:
    from .artifact import write_artifact

    folds = cross_validate(config, workers=workers, report=report)
    pipelines = read_samples(config, lambda _: None)
    found = fit(config, pipelines, report or (lambda _: None))
    mean = {name: float(np.mean([fold.metrics[name].pairwise_accuracy for fold in folds])) for name in folds[0].metrics}
    if not config.force and mean["trained"] <= max(value for name, value in mean.items() if name != "trained"):
        raise RefusedError(f"{folder}: out of fold these settings are no better than what there is: {mean}")
    write_artifact(folder, found.weights, pipelines, folds, config)
    _print_folds(folds)
    return 0


def _print_folds(folds: list[Fold]) -> None:
    names = list(folds[0].metrics)
    print(f"out of fold, {len(folds)} folds: mean over folds (lowest .. highest fold)")
    print(f"{'':<20}" + "".join(f"{name:>28}" for name in names))
    for metric in AVERAGED:
        cells = []
        for name in names:
            values = [getattr(fold.metrics[name], metric) for fold in folds]
            cells.append(f"{np.mean(values):.4f} ({min(values):.3f} .. {max(values):.3f})")
        print(f"{metric:<20}" + "".join(f"{cell:>28}" for cell in cells))


if __name__ == "__main__":
    raise SystemExit(main())
