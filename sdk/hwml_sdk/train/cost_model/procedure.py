"""How the cost model is trained: Halide's procedure, or batches of pipelines from one or several starts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...cost_model.data.dataset import HALIDE_NUM_CORES, PipelineData
from ...cost_model.net.metrics import evaluate
from ...cost_model.net.parity import ParityFit
from ...cost_model.net.terms_fit import fit_terms
from ...cost_model.net.weights import BUFFERS, Weights
from ...errors import DataError, HwmlError, MissingDependencyError
from ...files import read_bytes, write_atomic
from .config import TrainConfig

if TYPE_CHECKING:
    from ...cost_model.net.fitting import BatchedFit

Report = Callable[[str], None]


@dataclass(slots=True)
class Found:
    """What a procedure ended with."""

    weights: Weights
    best_epoch: int
    epochs: int
    loss: float
    held_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """What both procedures need."""

    config: TrainConfig
    start: Weights
    trained: list[PipelineData]
    held: list[PipelineData]
    say: Report
    writer: Board

    @property
    def num_cores(self) -> int | None:
        """The override, if any."""
        return self.config.num_cores or None

    @property
    def judged(self) -> list[PipelineData]:
        """Pipelines that decide which epoch is best."""
        return self.held or self.trained


def _parity(run: Run) -> Found:
    config, say, trained = run.config, run.say, run.trained
    fit = ParityFit(run.start)
    last = 0.0
    count = 0
    # Halide's trainer knows no number of cores but 32, whatever its flag says.
    cores = config.num_cores or HALIDE_NUM_CORES
    for epoch in fit.run(trained, rates=config.rates, epochs=config.epochs, num_cores=cores, seed=config.seed):
        last, count = epoch.loss, epoch.epoch
        say(f"Loss: {epoch.loss:.4f}  (epoch {epoch.epoch}, rate {epoch.rate:g})")
        run.writer.add("loss/train", epoch.loss, epoch.epoch)
    return Found(fit.weights(), count, count, last)


def _terms(run: Run) -> Found:
    made = fit_terms(run.start, run.trained, run.num_cores)
    metrics = evaluate(made, run.trained, num_cores=run.num_cores)
    run.say(f"one factor for each cost term: pairwise accuracy {metrics.pairwise_accuracy:.4f}")
    return Found(made, 1, 1, metrics.log_error)


@dataclass(slots=True)
class _Best:
    """The best weights so far: lowest held-out loss among those that order at least as well as the start."""

    weights: Weights
    loss: float
    epoch: int = 0


def _batched(run: Run) -> Found:
    config, say, trained, judged, cores = run.config, run.say, run.trained, run.judged, run.num_cores
    from ...cost_model.net.fitting import BatchedFit, batch_loss, calibrate

    calibrated = calibrate(run.start, trained, cores)
    fit = BatchedFit(
        calibrated, trained, rate=config.rates[0], loss=config.loss, batch_pipelines=config.batch_pipelines,
        num_cores=cores, seed=config.seed,
    )  # fmt: skip
    best = _Best(calibrated, batch_loss(calibrated, judged, config.loss, cores))
    floor = evaluate(calibrated, judged, num_cores=cores).pairwise_accuracy
    say(f"start: {config.loss} loss {best.loss:.4f}, pairwise accuracy {floor:.4f}")
    if config.resume:
        best = _restore(config, fit, best, say)
    loss = float("nan")
    for index, rate in enumerate(config.rates):
        fit.set_rate(rate)
        worse = 0
        while fit.epoch < (index + 1) * config.epochs:
            loss = fit.run_epoch()
            if fit.epoch % config.evaluate_every and fit.epoch != (index + 1) * config.epochs:
                continue
            worse = 0 if _judge(run, fit, best, floor, loss) else worse + 1
            if config.weights:
                _save_state(config, fit, best)
            if worse >= config.patience:
                fit.epoch = (index + 1) * config.epochs
    return Found(calibrate(best.weights, trained, cores), best.epoch, fit.epoch, loss, best.loss)


def _judge(run: Run, fit: BatchedFit, best: _Best, floor: float, loss: float) -> bool:
    """Evaluate an epoch and keep it when it is the best; returns whether it was."""
    from ...cost_model.net.fitting import batch_loss

    weights = fit.weights()
    held_loss = batch_loss(weights, run.judged, run.config.loss, run.num_cores)
    metrics = evaluate(weights, run.judged, num_cores=run.num_cores)
    better = held_loss < best.loss and not metrics.pairwise_accuracy < floor
    if better:
        best.weights, best.loss, best.epoch = weights, held_loss, fit.epoch
    run.say(
        f"epoch {fit.epoch}: loss {loss:.4f}, held out {held_loss:.4f}, pairwise {metrics.pairwise_accuracy:.4f}, "
        f"top-1 regret {metrics.top1_regret:.3f}{'  best' if better else ''}"
    )
    for name, value in {"loss/train": loss, "loss/held_out": held_loss, **asdict(metrics)}.items():
        run.writer.add(name, value, fit.epoch)
    return better


def run_procedure(run: Run) -> Found:
    """Parity, or the best of a few batched runs by held-out loss."""
    if run.config.parity:
        return _parity(run)
    if run.config.terms:
        return _terms(run)
    from ...cost_model.net import fitting  # noqa: F401 - says what is missing where torch is

    with _one_thread():
        return _best_of_starts(run)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The network is tiny: more threads cost more than they give, most of all on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _best_of_starts(run: Run) -> Found:
    config = run.config
    if config.restarts == 1 or config.initial:
        return _batched(run)
    if config.resume:
        raise HwmlError("--resume takes up one run: it does not go with --restarts")
    runs = []
    for index in range(config.restarts):
        run.say(f"start {index + 1} of {config.restarts}")
        # Without a name of weights to write, no state is saved on the way.
        start = Weights.random(config.seed + index)
        runs.append(_batched(replace(run, config=replace(config, weights=""), start=start)))
    return min(runs, key=lambda found: found.held_loss)


def state_path(config: TrainConfig) -> Path:
    """Where the state of an interrupted run is kept, beside the weights."""
    return Path(f"{config.weights}.resume.npz")


def _save_state(config: TrainConfig, fit: BatchedFit, best: _Best) -> None:
    state = fit.state() | {f"best.{name}": value for name, value in best.weights.arrays().items()}
    state |= {"best_loss": np.asarray(best.loss), "best_epoch": np.asarray(best.epoch)}
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **state)
    write_atomic(state_path(config), stream.getvalue())


def _restore(config: TrainConfig, fit: BatchedFit, best: _Best, say: Report) -> _Best:
    path = state_path(config)
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as data:
            state = {name: data[name] for name in data.files}
        fit.restore(state)
        weights = Weights.from_arrays({name: state[f"best.{name}"] for name, _, _ in BUFFERS}, path=path)
        found = _Best(weights, float(state["best_loss"]), int(state["best_epoch"]))
    except FileNotFoundError:
        say(f"{path}: no state to resume from; starting afresh")
        return best
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise DataError(f"is no training state: {error}; remove it to start afresh", path=path) from error
    say(f"resumed after epoch {fit.epoch}")
    return found


class Board:
    """TensorBoard, when a folder is named."""

    def __init__(self, folder: str) -> None:
        self._writer: Any = None
        if not folder:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingDependencyError("tensorboard", "halide") from error
        self._writer = SummaryWriter(folder)

    def add(self, name: str, value: float, epoch: int) -> None:
        """One point of a curve."""
        if self._writer is not None:
            self._writer.add_scalar(name, value, epoch)

    def close(self) -> None:
        """Flush."""
        if self._writer is not None:
            self._writer.close()
