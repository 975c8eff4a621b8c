"""Task data: what the supervised stage and the evaluation ask the frozen base about. One folder, plain files.

    tasks.json       kind, base model, LoRA settings, seeds; each task's name, concepts, role and prompts
    examples.jsonl   {"text", "concept", "split": "train", "validation" or "test"}
    checkpoints/TASK/step-NN/   adapters of the tasks that generators learn from
    trained/TASK/    really trained adapters of the tasks held out, for comparison

Roles: `seen` (learned from), `validation` (chooses), `union` (new combination of concepts of seen tasks), `new` (a
concept that no seen task has).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import parse_json, read_bytes, write_atomic
from ...lora.prompts import TRAIN_FILE, VALIDATION_FILE, Group, read_rows, write_groups

TASKS_FILE, EXAMPLES_FILE = "tasks.json", "examples.jsonl"
CHECKPOINTS, TRAINED = "checkpoints", "trained"
VALIDATION = "validation"  # role of tasks, split of examples: what a generator is chosen by
VERSION = 1
ROLES = ("seen", "validation", "union", "new")
KINDS = ("classify", "causal")


@dataclass(frozen=True, slots=True)
class Task:
    """One task: tell texts of its concepts from others (classify), or expect them (causal)."""

    name: str
    concepts: tuple[str, ...]
    role: str
    train_prompts: tuple[str, ...]
    test_prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One text and the concept it shows."""

    text: str
    concept: str
    split: str


@dataclass(frozen=True, slots=True)
class BaseSettings:
    """The frozen base and the shape of its adapters."""

    name: str
    """an encoder's name or folder; for causal a folder, relative to the data"""
    rank: int = 4
    alpha: int = 8
    targets: tuple[str, ...] = ("query", "key", "value", "dense")
    layers: tuple[int, ...] = (5,)
    init_seed: int = 0
    max_length: int = 28
    readout_seed: int = 0
    readout_scale: float = 20.0


@dataclass(frozen=True, slots=True)
class TaskData:
    """All of a folder."""

    folder: Path
    kind: str
    base: BaseSettings
    tasks: tuple[Task, ...]
    examples: tuple[Example, ...] = field(repr=False)

    def of_role(self, *roles: str) -> list[Task]:
        """Tasks of these roles, in order."""
        return [task for task in self.tasks if task.role in roles]

    def adapter(self, task: Task) -> Path:
        """Folder of the really trained adapter of a task."""
        if task.role != "seen":
            return self.folder / TRAINED / task.name
        steps = sorted((self.folder / CHECKPOINTS / task.name).glob("step-*"), key=lambda p: int(p.name[5:]))
        if not steps:
            raise DataError(f"{task.name} has no checkpoints: run hwml lora collect again", path=self.folder)
        return steps[-1]


def save_tasks(data: TaskData) -> None:
    """Write tasks, examples and the prompt groups of the seen tasks."""
    body = {"version": VERSION, "kind": data.kind, "base": asdict(data.base), "tasks": [asdict(t) for t in data.tasks]}
    rows = [json.dumps(asdict(example), ensure_ascii=False) for example in data.examples]
    write_atomic(data.folder / EXAMPLES_FILE, "".join(f"{row}\n" for row in rows))
    seen = data.of_role("seen")
    write_groups(data.folder / TRAIN_FILE, [Group(task.train_prompts, task.name) for task in seen])
    write_groups(data.folder / VALIDATION_FILE, [Group(task.test_prompts, task.name) for task in seen])
    write_atomic(data.folder / TASKS_FILE, json.dumps(body, indent=1, ensure_ascii=False) + "\n")


def load_tasks(folder: str | Path) -> TaskData:
    """Read what `save_tasks` wrote. Raises DataError."""
    folder = Path(folder)
    place = folder / TASKS_FILE
    try:
        body: Any = parse_json(read_bytes(place))
        if body["version"] != VERSION or body["kind"] not in KINDS:
            raise DataError(
                f"version {body['version']!r}, kind {body['kind']!r} are not known; update hwml", path=place
            )
        settings = dict(body["base"])
        base = BaseSettings(**settings | {key: tuple(settings[key]) for key in ("targets", "layers")})
        tasks = tuple(
            Task(
                str(row["name"]), tuple(row["concepts"]), str(row["role"]), tuple(row["train_prompts"]),
                tuple(row["test_prompts"]),
            )
            for row in body["tasks"]
        )  # fmt: skip
    except OSError as error:
        raise DataError(
            f"cannot read: {error.strerror or error}; hwml lora collect makes such a folder", path=place
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"is no task data: {error!r}", path=place) from error
    examples = []
    for number, row in read_rows(folder / EXAMPLES_FILE):
        try:
            examples.append(Example(str(row["text"]), str(row["concept"]), str(row["split"])))
        except KeyError as error:
            raise DataError(f"has no {error}", path=folder / EXAMPLES_FILE, line=number) from error
    return TaskData(folder, str(body["kind"]), base, tasks, tuple(examples))


def has_tasks(folder: str | Path) -> bool:
    """Whether the folder holds task data, so that the supervised stage can run."""
    return (Path(folder) / TASKS_FILE).is_file()


def indices(examples: Sequence[Example], split: str, concepts: Sequence[str], *, inside: bool) -> list[int]:
    """Numbers of the examples of a split that show one of the concepts (or none of them)."""
    return [
        number
        for number, example in enumerate(examples)
        if example.split == split and (example.concept in concepts) == inside
    ]
