"""Train the Halide cost model (adams2019) on measured samples.

`--parity` is Halide's own trainer to the letter (loss, optimiser, one step a pipeline, in order of ids). The default
calibrates the scale, holds pipelines out by content, trains on shuffled batches of pipelines, keeps the best epoch and
refuses (exit 3) to write weights that order held-out schedules worse than those it began with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...cost_model.data.dataset import load_pipelines
from ...cost_model.net.metrics import AVERAGED, Metrics, evaluate
from ...cost_model.net.weights import Weights
from ...errors import HwmlError, RefusedError
from .artifact import write_artifact, write_embedded
from .config import DEFAULT_EPOCHS, DEFAULT_RATES, TrainConfig
from .fit import fit, hold_out, read_samples
from .folds import Fold, cross_validate
from .procedure import Board, Report, Run, run_procedure, state_path


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
    start = Weights.named(config.initial) if config.initial else Weights.random(config.seed)
    trained, held = hold_out(pipelines, config, say)
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
    parser.add_argument("--samples", default="", help="folder of .sample files, as hwml halide sample writes it")
    parser.add_argument("--weights", default="", help=".weights file to write")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--initial", default="", help=".weights file to start from")
    begin.add_argument("--random", action="store_true", help="start from random weights (the default)")
    parser.add_argument("--num-cores", type=int, default=0, help="override the samples' number of cores")
    parser.add_argument(
        "--rates", default="", help='learning rates, for example "0.001 0.0001"; each runs --epochs epochs'
    )
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--parity", action="store_true", help="Halide's own procedure to the letter (32 cores unless named)"
    )
    how.add_argument(
        "--terms", action="store_true", help="only one factor for each cost term: for a few dozen samples; no torch"
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
    parser.add_argument(
        "--embedded", action="store_true", help="with --artifact: of the weights inside Halide, judged on --samples"
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
    if options.embedded:
        if not options.artifact:
            parser.error("--embedded needs --artifact")
        write_embedded(options.artifact, load_pipelines(options.samples) if options.samples else [])
        print(f"{options.artifact}: the weights inside Halide")
        return 0
    if not options.samples:
        parser.error("--samples is required")
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
