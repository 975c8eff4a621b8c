"""Fit weights to the samples of a configuration, without reading or writing weights."""

from __future__ import annotations

from dataclasses import replace

from ...cost_model.data.dataset import HALIDE_NUM_CORES, PipelineData, load_pipelines, split
from ...cost_model.net.weights import Weights
from ...errors import DataError
from .config import TrainConfig
from .procedure import Board, Found, Report, Run, run_procedure

MIN_PIPELINES_TO_HOLD_OUT = 5


def fit(config: TrainConfig, pipelines: list[PipelineData], say: Report) -> Found:
    """The default procedure on these pipelines, without reading or writing files."""
    start = Weights.named(config.initial) if config.initial else Weights.random(config.seed)
    trained, held = hold_out(pipelines, config, say)
    run = Run(replace(config, weights=""), start, trained, held, say, Board(""))
    return run_procedure(run)


def read_samples(config: TrainConfig, say: Report) -> list[PipelineData]:
    """The samples of a configuration, grouped. Raises DataError."""
    skipped: list[DataError] = []
    pipelines = load_pipelines(config.samples, skipped=skipped if config.skip_broken else None, report=say)
    for error in skipped:
        say(f"left out: {error}")
    count = sum(len(data) for data in pipelines)
    say(f"{len(pipelines)} pipelines, {count} different schedules")
    if not config.num_cores and not config.parity and any(not data.num_cores for data in pipelines):
        say(f"samples without metadata: {HALIDE_NUM_CORES} cores assumed, as in Halide; --num-cores says otherwise")
    return pipelines


def hold_out(
    pipelines: list[PipelineData], config: TrainConfig, say: Report
) -> tuple[list[PipelineData], list[PipelineData]]:
    """(trained on, held out): parity and few pipelines hold nothing out."""
    if config.parity:
        return pipelines, []
    if len({data.digest for data in pipelines}) < MIN_PIPELINES_TO_HOLD_OUT:
        say(f"fewer than {MIN_PIPELINES_TO_HOLD_OUT} pipelines: none held out, nothing tells whether this generalises")
        return pipelines, []
    trained, held = split(pipelines, folds=config.folds, seed=config.seed)
    say(f"held out: {', '.join(data.name for data in held)}")
    return trained, held
