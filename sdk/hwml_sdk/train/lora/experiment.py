"""One run on disk and on Lightning's trainer: folders, loggers, checkpoints, interruption.

EXPERIMENTS/lora_generator_YYYYMMDD_HHMMSS/
    config.yaml
    checkpoints/epoch=NN-val_loss=X.ckpt, epoch=NN-task_loss=X.ckpt, last.ckpt
    tensorboard_logs/, swanlab_logs/
    results/final_model/    the artefact, with generator_model.pt
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from ...errors import ArtifactError, ConfigError, HwmlError
from ...files import write_atomic
from .config import LoraTrainConfig, config_of, load_config, swanlab_names
from .module import GeneratorModule

Report = Callable[[str], None]
CONFIG_FILE = "config.yaml"
LAST = "last.ckpt"


def new_folder(config: LoraTrainConfig) -> Path:
    """An experiment folder with its config.yaml; a second run in the same second gets a name of its own."""
    stamp = datetime.now().strftime("%Y%m%d_%H%M%S")
    parent = Path(config.logging.experiments_dir)
    for tail in ("", *(f"_{number}" for number in range(2, 100))):
        folder = parent / f"lora_generator_{stamp}{tail}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        import yaml

        write_atomic(folder / CONFIG_FILE, yaml.safe_dump(config.to_json(), sort_keys=False))
        return folder
    raise ConfigError(f"{parent}: cannot make an experiment folder")


def resumed_folder(config: LoraTrainConfig, place: str) -> tuple[Path, LoraTrainConfig]:
    """The folder to go on in (the newest that holds a last.ckpt where none is named) and its own configuration.

    Raises ConfigError where there is none, or where it was begun with another configuration.
    """
    if place:
        folder = Path(place)
    else:
        parent = Path(config.logging.experiments_dir)
        found = sorted(p for p in parent.glob("lora_generator_*") if any(p.glob(f"checkpoints/**/{LAST}")))
        if not found:
            raise ConfigError(f"{parent}: no interrupted run to resume; train without --resume")
        folder = found[-1]
    begun = load_config(folder / CONFIG_FILE)
    for section in ("model", "training", "data"):
        if getattr(begun, section) != getattr(config, section):
            raise ConfigError(
                f"{folder}: was begun with another configuration (section {section}): resume with its config.yaml, "
                "or begin a new run"
            )
    return folder, config_of(begun.to_json())


class _Notes(Callback):
    """Keeps last.ckpt on Ctrl-C, and tells progress in one line an epoch."""

    def __init__(self, place: Path, report: Report) -> None:
        self.place, self.report = place, report
        self.interrupted = False

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Lightning ends the process on Ctrl-C: the state is saved first."""
        if isinstance(exception, KeyboardInterrupt):
            self.interrupted = True
            trainer.save_checkpoint(self.place)

    def on_train_epoch_end(self, trainer: Any, pl_module: GeneratorModule) -> None:
        """One line an epoch, or every tenth of many."""
        epoch, total = trainer.current_epoch + 1, trainer.max_epochs
        if epoch % max(1, total // 10) and epoch != total:
            return
        names = ("loss_epoch", "loss", "task_loss_train", "val_loss", "task_loss")
        figures = {name: float(trainer.callback_metrics[name]) for name in names if name in trainer.callback_metrics}
        words = ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if math.isfinite(value))
        self.report(f"{pl_module.kind}: epoch {epoch} of {total}: {words}")


def run_trainer(
    module: GeneratorModule, folder: Path, checkpoints: Path, report: Report, *, resume: bool
) -> dict[str, float]:
    """Train; the module then holds the weights of the best epoch. Gives its figures.

    Raises KeyboardInterrupt (last.ckpt is kept), HwmlError where the disk is full (that of the epoch before is kept)
    and ArtifactError for a last.ckpt that cannot be read.
    """
    training = module.config.training
    epochs = training.max_epochs + module.supervised_epochs
    best = {
        name: ModelCheckpoint(
            checkpoints,
            filename=f"{{epoch:02d}}-{{{name}:.4f}}",
            monitor=name,
            mode="min",
            save_last=name == "val_loss",
        )
        for name in ("val_loss", "task_loss")
    }
    notes = _Notes(checkpoints / LAST, report)
    # A quiet trainer: its notes are about itself, and every figure stands in the loggers; stdout is for our answer.
    with warnings.catch_warnings(), redirect_stdout(sys.stderr), _finished():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            default_root_dir=folder, max_epochs=epochs, accelerator="auto", devices=_devices(training.devices),
            strategy=training.strategy, precision=training.precision,
            logger=_loggers(module.config, folder, report),
            accumulate_grad_batches=training.accumulate_grad_batches, gradient_clip_val=1.0,
            callbacks=[*best.values(), notes, LearningRateMonitor("epoch")], enable_progress_bar=False,
            enable_model_summary=False, reload_dataloaders_every_n_epochs=1, log_every_n_steps=1,
            num_sanity_val_steps=0,
        )  # fmt: skip
        last = checkpoints / LAST
        try:
            trainer.fit(module, ckpt_path=last if resume and last.is_file() else None, weights_only=False)
        except SystemExit:
            if notes.interrupted:
                report("warning: last.ckpt is kept: go on with --resume")
                raise KeyboardInterrupt from None
            raise
        except OSError as error:
            what = error.strerror or error
            raise HwmlError(
                f"{error.filename or checkpoints}: cannot write: {what}; checkpoints written before are whole: free "
                "space and go on with --resume"
            ) from error
        except (RuntimeError, KeyError, EOFError) as error:
            if resume:
                raise ArtifactError(f"{last}: cannot be resumed from: {str(error)[:200]}; begin a new run") from error
            raise
    chosen = best["task_loss" if module.supervised_epochs else "val_loss"]
    state = torch.load(chosen.best_model_path, map_location="cpu", weights_only=False)
    module.load_state_dict(state["state_dict"])
    found = {"best_epoch": float(state["epoch"]), "val_loss": float(best["val_loss"].best_model_score or math.nan)}
    if module.supervised_epochs:
        found["task_loss"] = float(best["task_loss"].best_model_score or math.nan)
    return found


@contextmanager
def _finished() -> Iterator[None]:
    """SwanLab's run ends with the block: the next network's run is one of its own."""
    try:
        yield
    finally:
        swanlab = sys.modules.get("swanlab")
        if swanlab is not None:
            with suppress(Exception):  # it was never begun, or cannot reach its server
                swanlab.finish()


def _devices(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _loggers(config: LoraTrainConfig, folder: Path, report: Report) -> list[Any]:
    """TensorBoard always, SwanLab where it is installed; without an account it writes to the folder alone."""
    found: list[Any] = [TensorBoardLogger(folder, name="tensorboard_logs", version="")]
    names = swanlab_names(config.logging.swanlab)
    place = folder / "swanlab_logs"
    place.mkdir(exist_ok=True)
    try:
        from swanlab.integration.pytorch_lightning import SwanLabLogger
    except ImportError:
        report("swanlab is not installed: TensorBoard only")
        return found
    os.environ.setdefault("SWANLAB_LOG_DIR", str(place))
    ctrl_c = signal.getsignal(signal.SIGINT)
    for mode in ("cloud", "offline") if os.environ.get("SWANLAB_API_KEY") else ("offline",):
        try:
            logger = SwanLabLogger(
                project=names.project, workspace=names.workspace or None, log_dir=str(place), mode=mode,
                experiment_name=names.experiment_name or folder.name,
            )  # fmt: skip
            logger.log_metrics({"started": 1.0}, step=0)  # a run that cannot start says so here, not in mid-training
        except Exception as error:  # no network, no account, another version: a logger never ends a training run
            instead = "it writes to the folder alone" if mode == "cloud" else "TensorBoard only"
            report(f"warning: SwanLab, {mode}: {type(error).__name__}: {str(error)[:120]}; {instead}")
        else:
            found.append(logger)
            break
    # SwanLab's handler would end its run first, and the trainer's last notes would find none.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, ctrl_c)
    return found
