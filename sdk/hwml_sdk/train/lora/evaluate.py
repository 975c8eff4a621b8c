"""What generated adapters do on tasks, beside adapters that no prompt has shaped and prompts that mean something else.

Conditions, each scored on the same test examples:

    none       the frozen base alone
    mean       the mean of all training adapters
    nearest    the training adapter whose task's prompts are most like these
    generated  from the task's own prompts, in wordings that training never saw
    wrong      the generator, prompts of a seen task that shares no concept; the mean over some such tasks
    shuffled   the generator, prompts exchanged among the tasks of the same role, none that shares a concept if possible
    trained    an adapter really trained on the task

Chance is .5 for `wrong` and `shuffled` only where no negative example shows what their prompts describe: an adapter
that works for something else rightly fires there, and would score less. Such examples are left out of their negatives.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError, MissingDependencyError
from ...files import new_file
from ...interrupt import checkpoint as heed
from ...lora.adapter import LoraAdapter
from ...lora.checkpoint import find_checkpoints
from ...lora.generate import LoraGenerator
from ...tensors import Floats, from_float32, to_float32
from .bases import Base, load_base
from .document import ORDER
from .tasks import CHECKPOINTS, Task, TaskData, load_tasks

Report = Callable[[str], None]
GENERATED = ("generated", "wrong", "shuffled")
ROLES = ("seen", "union", "new")
_PROMPTS = 8  # of a seen task, for how near it is: their mean hardly moves with more
_WRONG = 8  # other tasks whose prompts a task is judged by


@dataclass(frozen=True, slots=True)
class Row:
    """Mean figures over the tasks of a role; `spread`: over generators of one kind (several seeds), else 0."""

    role: str
    condition: str
    generator: str
    """kind of network, "" where none is used"""
    n_tasks: int
    n_models: int
    figures: dict[str, float]
    spread: dict[str, float]


class Bench:
    """The tasks of a folder, their base, and the adapters that need no generator."""

    def __init__(self, data: TaskData, base: Base, *, tasks_of_seen: int = 4) -> None:
        self.data, self.base = data, base
        self._seen: Floats | None = None
        self.tasks = {role: data.of_role(role) for role in ROLES}
        self.tasks["seen"] = self.tasks["seen"][:: max(1, len(self.tasks["seen"]) // tasks_of_seen)][:tasks_of_seen]

    def score(self, adapter: LoraAdapter, task: Task, *, without: Sequence[str] = ()) -> dict[str, float]:
        """Figures of an adapter on a task, against negatives that show nothing of `without`."""
        heed()
        return self.base.score(adapter.to_torch(), task, without=without)

    def mean_adapter(self) -> LoraAdapter:
        """The mean over all training checkpoints, tensor by tensor."""
        total: dict[str, Any] = {}
        paths = find_checkpoints(self.data.folder / CHECKPOINTS)
        for path in paths:
            heed()
            for name, tensor in LoraAdapter.load(path).tensors.items():
                total[name] = total.get(name, 0) + to_float32(tensor, name) / len(paths)
        return LoraAdapter({name: from_float32(value, "float32") for name, value in total.items()})

    def none(self) -> LoraAdapter:
        """An adapter that changes nothing: B is zero."""
        tensors = {name: from_float32(value.numpy(), "float32") for name, value in self.base.initial().items()}
        return LoraAdapter(tensors)

    def nearest(self, generator: LoraGenerator, task: Task) -> LoraAdapter:
        """The adapter of the seen task whose prompts lie nearest (cosine of centred embeddings)."""
        seen = self.data.of_role("seen")
        if self._seen is None:
            self._seen = np.stack([generator.condition(other.train_prompts[:_PROMPTS]) for other in seen])
        likeness = self._seen @ generator.condition(task.test_prompts) / np.linalg.norm(self._seen, axis=1)
        likeness[[index for index, other in enumerate(seen) if other.name == task.name]] = -np.inf
        return LoraAdapter.load(self.data.adapter(seen[int(likeness.argmax())]))


def evaluate(
    models: Sequence[str | Path], folder: str | Path, *, report: Report | None = None, seed: int = 0
) -> list[Row]:
    """Score all conditions; several models of one kind (seeds) are averaged.

    Raises DataError where a generator's adapters are not of the folder's base, ArtifactError for a broken generator.
    """
    say = report or (lambda _: None)
    data = load_tasks(folder)
    generators = [LoraGenerator.load(model) for model in models]
    bench = Bench(data, load_base(data))
    names = set(bench.none().tensors)
    for generator, model in zip(generators, models, strict=True):
        if set(generator.generate(["x"]).tensors) != names:
            raise DataError(f"{model} makes adapters of another base than that of {folder}", path=folder)
    rows: list[Row] = []
    mean, none = bench.mean_adapter(), bench.none()
    for role, tasks in bench.tasks.items():
        if not tasks:
            continue
        fixed: dict[str, Callable[[Task], LoraAdapter]] = {
            "none": lambda _: none,
            "mean": lambda _: mean,
            "nearest": lambda task: bench.nearest(generators[0], task),
            "trained": lambda task: LoraAdapter.load(data.adapter(task)),
        }
        for condition, adapter in fixed.items():
            rows.append(_row(role, condition, "", [[bench.score(adapter(task), task) for task in tasks]]))
            say(_line(rows[-1]))
        for kind in dict.fromkeys(str(g.artifact.config["generator"]) for g in generators):
            own = [g for g in generators if g.artifact.config["generator"] == kind]
            for condition in GENERATED:
                asked = _asked(condition, tasks, data, random.Random(f"{seed} {role}"))
                scored = [_generated(bench, generator, tasks, asked) for generator in own]
                rows.append(_row(role, condition, kind, scored))
                say(_line(rows[-1]))
    return rows


def _generated(
    bench: Bench, generator: LoraGenerator, tasks: Sequence[Task], asked: Sequence[Sequence[Task]]
) -> list[dict[str, float]]:
    """Figures of each task, the mean over those whose prompts it is judged by."""
    found = []
    for task, others in zip(tasks, asked, strict=True):
        made = generator.generate_many([other.test_prompts for other in others])
        scored = [
            bench.score(adapter, task, without=() if other is task else other.concepts)
            for adapter, other in zip(made, others, strict=True)
        ]
        found.append({name: float(np.mean([one[name] for one in scored])) for name in scored[0]})
    return found


def _asked(condition: str, tasks: Sequence[Task], data: TaskData, draw: random.Random) -> list[list[Task]]:
    """For each task those whose prompts the generator is given."""
    if condition == "generated":
        return [[task] for task in tasks]
    if condition == "shuffled":
        return [[other] for other in exchanged(tasks)]
    found = []
    for task in tasks:
        others = [other for other in data.of_role("seen") if not set(other.concepts) & set(task.concepts)]
        found.append(draw.sample(others, min(_WRONG, len(others))))
    return found


def exchanged(tasks: Sequence[Task]) -> list[Task]:
    """Each task gets another one's place, so that as few as can be get one that shares a concept.

    Prompts that describe half of a task would not be another's: what they score says nothing of chance.
    """
    given = [*tasks[1:], *tasks[:1]]

    def shared(task: Task, other: Task) -> int:
        return len(tasks) * len(task.concepts) if task is other else len(set(task.concepts) & set(other.concepts))

    better = True
    while better:  # exchange two as long as that helps
        better = False
        for i, j in itertools.combinations(range(len(tasks)), 2):
            now = shared(tasks[i], given[i]) + shared(tasks[j], given[j])
            if shared(tasks[i], given[j]) + shared(tasks[j], given[i]) < now:
                given[i], given[j] = given[j], given[i]
                better = True
    return given


def _row(role: str, condition: str, kind: str, scored: Sequence[Sequence[Mapping[str, float]]]) -> Row:
    means = [{name: float(np.mean([one[name] for one in model])) for name in model[0]} for model in scored]
    figures = {name: float(np.mean([mean[name] for mean in means])) for name in means[0]}
    spread = {name: float(np.std([mean[name] for mean in means])) for name in means[0]}
    return Row(role, condition, kind, len(scored[0]), len(scored), figures, spread)


def gap_closed(rows: Sequence[Row], role: str, kind: str, metric: str) -> float:
    """Share of the way from the nearest training adapter to really trained ones that generated adapters go."""
    found = {row.condition: row.figures[metric] for row in rows if row.role == role and row.generator in ("", kind)}
    way = found["trained"] - found["nearest"]
    return float((found["generated"] - found["nearest"]) / way) if way else float("nan")


def to_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows, and the share of the gap that is closed on unions and new concepts."""
    listed = [
        {
            "role": r.role,
            "condition": r.condition,
            "generator": r.generator,
            "n_tasks": r.n_tasks,
            "n_models": r.n_models,
        }
        | {"figures": r.figures, "spread": r.spread}
        for r in rows
    ]
    kinds = list(dict.fromkeys(row.generator for row in rows if row.generator))
    roles = [role for role in ("union", "new") if any(row.role == role for row in rows)]
    closed = {
        role: {kind: {name: gap_closed(rows, role, kind, name) for name in rows[0].figures} for kind in kinds}
        for role in roles
    }
    return {"rows": listed, "gap_closed": closed}


def table(rows: Sequence[Row]) -> str:
    """The table that people read: a line a condition, a column a role."""
    roles = list(dict.fromkeys(row.role for row in rows))
    names = list(rows[0].figures)
    head = f"{'':<24}" + "".join(f"{role:>22}" for role in roles)
    lines = [f"{' / '.join(names):<24}" + "".join(f"{'':>22}" for _ in roles).rstrip(), head]
    seen: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        seen.setdefault((row.condition, row.generator), {})[row.role] = row
    for (condition, kind), cells in sorted(seen.items(), key=lambda item: (ORDER.index(item[0][0]), item[0][1])):
        words = [
            " / ".join(f"{cells[role].figures[name]:.3g}" for name in names) if role in cells else "" for role in roles
        ]
        lines.append(f"{f'{condition} {kind}'.strip():<24}" + "".join(f"{word:>22}" for word in words))
    return "\n".join(lines)


def _line(row: Row) -> str:
    figures = ", ".join(f"{name} {value:.3f}" for name, value in row.figures.items())
    return f"{row.role} {row.condition} {row.generator}".strip() + f": {figures}"


def plot(rows: Sequence[Row], path: str | Path) -> None:
    """Bars of the last figure (AUC, or perplexity), a group a role. Raises MissingDependencyError."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", "lora") from error
    metric = list(rows[0].figures)[-1]
    roles = list(dict.fromkeys(row.role for row in rows))
    figure = Figure(figsize=(4 * len(roles), 4), layout="constrained")
    for axes, role in zip(np.atleast_1d(figure.subplots(1, len(roles), sharey=True)), roles, strict=True):
        own = sorted((row for row in rows if row.role == role), key=lambda row: ORDER.index(row.condition))
        labels = [f"{row.condition} {row.generator}".strip() for row in own]
        axes.barh(labels, [row.figures[metric] for row in own], xerr=[row.spread[metric] for row in own])
        axes.set_title(f"{role}: {metric}")
        axes.invert_yaxis()
    with new_file(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix.removeprefix(".") or "png")
