"""The second stage: the generated adapter is put on the frozen base and judged by what it does there.

Reconstruction alone was measured to be of no use (its errors are small, its adapters do nothing); the gradient of the
tasks' own loss through the frozen base is what makes a generator work (T2L calls this SFT).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import torch

from ...encoders import TextEncoder
from ...errors import DataError
from ...lora.checkpoint import peft_name
from ...tensors import Floats
from .bases import Base, load_base
from .data import TrainingData
from .tasks import VALIDATION, Task, TaskData

_VALIDATION_EXAMPLES = 64


class Judge:
    """Losses of generated tokens on tasks."""

    def __init__(self, tasks: TaskData, data: TrainingData, base: Base | None = None) -> None:
        self.tasks, self.data = tasks, data
        self.base = base or load_base(tasks)
        self.seen = [task for task in tasks.of_role("seen") if task.name in data.prompts]
        if not self.seen:
            raise DataError("none of the tasks has prompts and checkpoints", path=tasks.folder)
        names = {peft_name(entry.name) for entry in data.manifest.entries}
        missing = set(self.base.initial()) ^ names
        if missing:
            raise DataError(f"the checkpoints are not of the tasks' base: {sorted(missing)[0]}", path=tasks.folder)

    def adapter(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        """Tensors of one adapter from raw tokens [T, width], so that gradients pass."""
        flat = tokens.reshape(-1)
        found = {}
        for entry in self.data.manifest.entries:
            begin = entry.start * self.data.manifest.width
            values = flat[begin : begin + entry.n_values].reshape(entry.shape)
            found[peft_name(entry.name)] = values * 2.0**entry.exponent
        return found

    def draw_tasks(self, count: int, draw: random.Random) -> list[Task]:
        """Tasks of one step."""
        return draw.sample(self.seen, min(count, len(self.seen)))

    def validation_loss(self, tokens: Callable[[torch.Tensor], torch.Tensor]) -> float:
        """Mean loss over the validation tasks, always on the same prompts and examples; over seen ones without them.

        tokens: conditioning vectors [B, P] -> raw tokens [B, T, width].
        """
        chosen = self.tasks.of_role("validation") or self.seen
        split = VALIDATION if any(example.split == VALIDATION for example in self.tasks.examples) else "train"
        conditions = conditionings(self.data.encoder, chosen, self.data)
        losses = []
        with torch.no_grad():
            for task, vector in zip(chosen, conditions, strict=True):
                adapter = self.adapter(tokens(torch.from_numpy(vector)[None])[0])
                draw = random.Random(task.name)
                losses.append(float(self.base.loss(adapter, task, draw, _VALIDATION_EXAMPLES, split=split)))
        return float(np.mean(losses))


def conditionings(encoder: TextEncoder, tasks: Sequence[Task], data: TrainingData) -> list[Floats]:
    """What the network is fed for the test prompts of tasks."""
    return [
        ((encoder.encode(task.test_prompts).vectors.mean(0) - data.prompt_center) / data.prompt_scale).astype(
            np.float32
        )
        for task in tasks
    ]
