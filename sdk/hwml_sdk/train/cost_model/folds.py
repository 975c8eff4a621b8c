"""Judge the settings on every part of the pipelines in turn, each time trained without it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context

from ...cost_model.data.dataset import PipelineData, split
from ...cost_model.net.metrics import Metrics, evaluate_each, summarize
from ...cost_model.net.weights import Weights
from ...processes import protect_children
from .config import TrainConfig
from .fit import fit, read_samples
from .procedure import Report


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
