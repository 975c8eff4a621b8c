"""Make a demonstration data set: tasks of HLS and Chisel constructs, each with really trained adapters.

82 tasks "this snippet shows construct X": 12 single constructs and 46 unions of two to learn from, 12 unions to choose
by, 8 unions and 4 constructs held out. All adapters begin at one initialisation: values of different ones cannot be
compared.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ...encoders import DEFAULT, encoder_folder, read_config
from ...errors import HwmlError
from ...interrupt import checkpoint as heed
from ...lora.adapter import LoraAdapter
from ...tensors import from_float32
from .bases import Adapter, Base, load_base
from .causal import causal_settings, train_base
from .constructs import CONSTRUCTS, Construct, descriptions, snippets
from .tasks import CHECKPOINTS, TASKS_FILE, TRAINED, BaseSettings, Example, Task, TaskData, load_tasks, save_tasks

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """Sizes of the demonstration; the defaults are those of the documentation's table."""

    seed: int = 0
    constructs: int = 16
    new: int = 4
    seen_unions: int = 46
    validation_unions: int = 12
    held_unions: int = 8
    train_snippets: int = 40
    validation_snippets: int = 24
    """of templates of their own, too: what the generator is chosen by"""
    test_snippets: int = 24
    steps: int = 40
    keep: int = 8
    """checkpoints of the last steps that are kept of a seen task"""
    batch_size: int = 12
    learning_rate: float = 2e-3
    new_templates: bool = True
    """test snippets are of templates that no training snippet has, else other snippets of the same ones"""


def demonstration(
    folder: str | Path, settings: CollectSettings, base: BaseSettings, kind: str = "classify"
) -> TaskData:
    """Draw the task set."""
    draw = random.Random(settings.seed)
    chosen = CONSTRUCTS[: settings.constructs]
    names = [construct.name for construct in chosen]
    draw.shuffle(names)
    new, seen = names[: settings.new], sorted(names[settings.new :])
    pairs = list(itertools.combinations(seen, 2))
    draw.shuffle(pairs)
    counts = {"seen": settings.seen_unions, "validation": settings.validation_unions, "union": settings.held_unions}
    if sum(counts.values()) > len(pairs):
        raise HwmlError(f"{len(seen)} constructs make {len(pairs)} unions, {sum(counts.values())} are asked for")
    tasks = [_task((name,), "seen", draw) for name in seen]
    for role, count in counts.items():
        tasks += [_task(pairs.pop(), role, draw) for _ in range(count)]
    tasks += [_task((name,), "new", draw) for name in sorted(new)]
    examples = [example for construct in chosen for example in _examples(construct, settings, draw)]
    if settings.new_templates:
        apart = random.Random(f"{settings.seed} validation")
        examples += [
            Example(text, construct.name, "validation")
            for construct in chosen
            for text in snippets(construct, "validation", settings.validation_snippets, apart)
        ]
    return TaskData(Path(folder), kind, base, tuple(tasks), tuple(examples))


def _examples(construct: Construct, settings: CollectSettings, draw: random.Random) -> list[Example]:
    counts = {"train": settings.train_snippets, "test": settings.test_snippets}
    if settings.new_templates:
        texts = [(split, text) for split, count in counts.items() for text in snippets(construct, split, count, draw)]
    else:  # all different
        drawn = snippets(construct, "train", sum(counts.values()), draw)
        draw.shuffle(drawn)
        splits = [split for split, count in counts.items() for _ in range(count)]
        texts = list(zip(splits, drawn, strict=True))
    return [Example(text, construct.name, split) for split, text in texts]


def _task(concepts: tuple[str, ...], role: str, draw: random.Random) -> Task:
    prompts = [tuple(descriptions(concepts, split, draw, count)) for split, count in (("train", 24), ("test", 4))]
    return Task("-".join(concepts), concepts, role, *prompts)


def settings_for(kind: str, *, seed: int = 0, steps: int = 0, small: bool = False) -> CollectSettings:
    """The sizes of a demonstration of a kind; `small`: a chain that runs in a minute and proves nothing else."""
    found = CollectSettings(seed=seed)
    if kind == "causal":
        found = replace(
            found, constructs=10, new=2, seen_unions=18, validation_unions=4, held_unions=6, steps=60,
            learning_rate=5e-3, new_templates=False,
        )  # fmt: skip
    if small:
        found = replace(
            found, constructs=6, new=1, seen_unions=3, validation_unions=1, held_unions=1, train_snippets=8,
            test_snippets=6, steps=4, keep=2, batch_size=4,
        )  # fmt: skip
    return replace(found, steps=steps) if steps else found


def collect(
    folder: str | Path, kind: str, settings: CollectSettings, *, base: str = DEFAULT, report: Report
) -> tuple[TaskData, int]:
    """Train the adapters of all tasks and write them; goes on where an interrupted run stopped.

    Gives the task data and the number of adapters trained now. Raises HwmlError where the folder holds other tasks.
    """
    shape = _encoder_settings(base) if kind == "classify" else causal_settings()
    data = demonstration(folder, settings, shape, kind)
    if (data.folder / TASKS_FILE).is_file():
        before = load_tasks(data.folder)
        if (before.tasks, before.base, before.examples) != (data.tasks, data.base, data.examples):
            raise HwmlError(f"{data.folder}: holds another task set: choose another folder, or empty it")
    if kind == "causal" and not (data.folder / data.base.name).is_dir():
        train_base(data, report)
    save_tasks(data)
    frozen = load_base(data)
    made = 0
    for number, task in enumerate(data.tasks):
        last = data.folder / CHECKPOINTS / task.name / f"step-{settings.steps}"
        place = last if task.role == "seen" else data.folder / TRAINED / task.name
        if not place.is_dir():
            made += _train(frozen, data, task, settings)
            report(f"{number + 1} of {len(data.tasks)}: {task.name} ({task.role})")
    return data, made


def _encoder_settings(name: str) -> BaseSettings:
    """Adapters on the last layer of an encoder: what comes before it is then computed once for each text."""
    config = read_config(encoder_folder(name))
    return BaseSettings(name, layers=(int(config["num_hidden_layers"]) - 1,))


def _train(base: Base, data: TaskData, task: Task, settings: CollectSettings) -> int:
    """Train one adapter; the folder of the last step is written last, so that its presence means done."""
    draw = random.Random(f"{settings.seed} {task.name}")
    values = {name: value.requires_grad_(True) for name, value in base.initial().items()}
    optimizer = torch.optim.Adam(values.values(), lr=settings.learning_rate)
    made = 0
    for step in range(1, settings.steps + 1):
        heed()
        optimizer.zero_grad()
        base.loss(values, task, draw, settings.batch_size).backward()
        optimizer.step()
        if task.role == "seen" and step > settings.steps - settings.keep:
            _save(base, values, data.folder / CHECKPOINTS / task.name / f"step-{step}")
            made += 1
    if task.role != "seen":
        _save(base, values, data.folder / TRAINED / task.name)
        made += 1
    return made


def _save(base: Base, values: Adapter, place: Path) -> None:
    tensors = {name: from_float32(value.detach().numpy().copy(), "float32") for name, value in values.items()}
    LoraAdapter(tensors, base.adapter_config()).save(place)
