"""Train a LoRA generator: prompts in, an adapter out.

First reconstruction of the checkpoints' tokens (MSE and L1), then, where the folder holds task data (`hwml lora
collect` makes it), the supervised stage through the frozen base, which is what makes generated adapters work.

`lora ship --model M --data DIR` writes the generator that ships with hwml, `lora document` the tables of docs/lora.md.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MissingDependencyError
from ...lora.generate import FINAL
from .config import LoraTrainConfig, load_config

if TYPE_CHECKING:
    from .data import TrainingData
    from .module import GeneratorModule
    from .supervise import Judge

Report = Callable[[str], None]


def train_lora(config: LoraTrainConfig, *, report: Report | None = None, resume: str | None = None) -> Path:
    """Train as `config` says and give the experiment folder. `resume`: a folder, or "" for the newest.

    Raises ConfigError, DataError, ArtifactError, MissingDependencyError; KeyboardInterrupt after keeping last.ckpt.
    """
    say = report or (lambda _: None)
    check_packages()
    from .experiment import new_folder, resumed_folder, run_trainer
    from .final import write_generator
    from .module import GeneratorModule

    folder = None
    if resume is not None:
        folder, config = resumed_folder(config, resume)
    data, judge = _load(config, say)
    folder = folder or new_folder(config)
    say(f"{folder}: {'resumed' if resume is not None else 'begun'}")
    trained: list[tuple[float, GeneratorModule, dict[str, Any]]] = []
    for number, kind in enumerate(kinds(config)):
        module = GeneratorModule(config, data, kind, judge)
        checkpoints = folder / "checkpoints" / ("" if number == 0 else kind)
        began = time.monotonic()
        figures = run_trainer(module, folder, checkpoints, say, resume=resume is not None)
        figures["train_seconds"] = round(time.monotonic() - began, 1)
        trained.append((figures.get("task_loss", figures["val_loss"]), module, figures))
        say(f"{kind}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    for score, module, figures in trained:
        if len(trained) > 1:
            write_generator(folder / "results" / module.kind, module, figures, config)
        if score == min(one[0] for one in trained):
            write_generator(folder / FINAL, module, figures, config)
            say(f"{folder / FINAL}: {module.kind}")
    return folder


def kinds(config: LoraTrainConfig) -> tuple[str, ...]:
    """The generators to train."""
    chosen = config.model.generator
    return ("hyperconv", "linear") if chosen == "auto" else (chosen,)


def _load(config: LoraTrainConfig, say: Report) -> tuple[TrainingData, Judge | None]:
    from .data import load_data
    from .supervise import Judge
    from .tasks import has_tasks, load_tasks

    data = load_data(config, say)
    if config.training.reconstruction_only or not config.training.supervised_steps:
        return data, None
    if not has_tasks(config.data.checkpoint_dir):
        say("warning: no task data beside the checkpoints: reconstruction only, measured to be of no use on tasks")
        return data, None
    return data, Judge(load_tasks(config.data.checkpoint_dir), data)


def dry_run(config: LoraTrainConfig, report: Report) -> list[dict[str, Any]]:
    """Build everything, run one batch of each stage, and say sizes, memory and time to expect. Writes nothing."""
    check_packages()
    import torch

    from .module import STEPS_AN_EPOCH, GeneratorModule

    data, judge = _load(config, report)
    found = []
    for kind in kinds(config):
        module = GeneratorModule(config, data, kind, judge)
        parameters = sum(value.numel() for value in module.network.parameters())
        optimizer = torch.optim.AdamW(module.network.parameters())
        batch = next(iter(torch.utils.data.DataLoader(module.train_dataloader().dataset, config.data.batch_size)))
        mse, l1, _ = module.reconstruction(batch)
        seconds = {"reconstruction": _timed(lambda m=mse, a=l1, o=optimizer: _step(m + a, o))}  # type: ignore[misc]
        steps = {"reconstruction": config.training.max_epochs * -(-len(data.tasks) // config.data.batch_size)}
        if module.supervised_epochs:
            seconds["supervised"] = _timed(lambda m=module, o=optimizer: _step(m.task_loss(), o))  # type: ignore[misc]
            steps["supervised"] = module.supervised_epochs * STEPS_AN_EPOCH
        total = sum(seconds[stage] * steps[stage] for stage in seconds)
        row = {"generator": kind, "parameters": parameters, "tokens": data.manifest.n_tokens}
        row |= {"width": data.manifest.width, "checkpoints": len(data.tasks), "steps": steps, "step_seconds": seconds}
        found.append(row | {"expected_seconds": round(total, 1), "process_mb": _memory_mb()})
    return found


def _step(loss: Any, optimizer: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return round(time.monotonic() - began, 4)


def _memory_mb() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss >> 20)


def check_packages() -> None:
    """Raise MissingDependencyError for the first package of the extra that is missing; make the others quiet."""
    for name in ("torch", "lightning", "peft", "transformers", "tokenizers", "onnx"):
        try:
            __import__(name)
        except ImportError as error:
            raise MissingDependencyError(name, "lora") from error
    import os

    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="transformers")
    from transformers.utils import logging as words

    words.set_verbosity_error()
    words.disable_progress_bar()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the recipe."""
    parser.add_argument("--config", required=True, metavar="F.yaml")
    parser.add_argument("--checkpoint-dir", "--checkpoint_dir", default="", metavar="DIR", help="over the file's")
    parser.add_argument("--dry-run", "--dry_run", action="store_true", help="one batch; sizes, memory, time to expect")
    parser.add_argument("--resume", nargs="?", const="", metavar="FOLDER", help="go on: the newest run, or this one")
    parser.add_argument("--reconstruction-only", "--reconstruction_only", action="store_true")
    parser.add_argument("--quiet", action="store_true")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m sdk.train lora ...`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["document"]:
        from .document import main as document

        return document(arguments[1:])
    if arguments[:1] == ["ship"]:
        check_packages()
        from .ship import main as ship

        return ship(arguments[1:], _say)
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train lora", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    config = load_config(options.config)
    if options.checkpoint_dir:
        config = replace(config, data=replace(config.data, checkpoint_dir=options.checkpoint_dir))
    if options.reconstruction_only:
        config = replace(config, training=replace(config.training, reconstruction_only=True))

    def report(text: str) -> None:
        if not options.quiet or text.startswith("warning"):
            _say(text)

    if options.dry_run:
        for row in dry_run(config, report):
            print(
                f"{row['generator']}: {row['parameters']:,} parameters, {row['checkpoints']} checkpoints of "
                f"{row['tokens']} tokens, {row['steps']} steps of {row['step_seconds']} s: about "
                f"{row['expected_seconds']:.0f} s, {row['process_mb']} MB"
            )
        return 0
    print(train_lora(config, report=report, resume=options.resume))
    return 0
