"""Adapters (LoRA, Hu et al. 2021) for a model that is there: few steps, and kept only where tasks say that it helped.

The loss counts answers only. A share of each batch are the model's own answers that were right Chisel, against
forgetting. Every few steps the validation tasks are asked; the state that passes most is kept, and training ends once
that no longer rises. Then the evaluation's tasks, which had no part in any of this, decide.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ...chisel.evaluate.answers import code_of
from ...chisel.evaluate.metrics import mean
from ...chisel.evaluate.tasks import Task
from ...chisel.generate.checks import Checker, Place
from ...chisel.generate.knowledge import Knowledge
from ...chisel.generate.local import LocalBackend, LocalConfig
from ...chisel.generate.prompt import first
from ...chisel.generate.types import Message
from ...errors import DataError, HwmlError
from ...files import replace_folder
from ...interrupt import checkpoint as heed
from ...printable import json_text
from .compare import Comparison, compared, rates
from .rows import Row
from .scratch import CARD, padded

Say = Callable[[str], None]
Sample = tuple[list[int], int]


@dataclass(frozen=True, slots=True)
class TuneConfig:
    """One run. batch_tokens: of a step, filling included; longest: tokens of a sample at most, longer are left out.

    replay: share of a batch that are the model's own right answers; every: steps between two looks at the validation
    tasks; patience: looks without a rise after which it ends; samples: answers a task.
    """

    model: str
    steps: int = 200
    rate: float = 1e-4
    rank: int = 16
    batch_tokens: int = 4096
    longest: int = 2048
    replay: float = 0.25
    every: int = 25
    patience: int = 3
    samples: int = 4
    most_tokens: int = 1024
    minutes: float = 120.0
    four_bit: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it. validation: (step, pass rate) of each look; replayed: own answers that were mixed in."""

    comparison: Comparison
    validation: tuple[tuple[int, float], ...]
    losses: tuple[float, ...]
    replayed: int
    left_out: int
    seconds: float


def tune(
    rows: Sequence[Row],
    validation: Sequence[Task],
    tasks: Sequence[Task],
    out: str | Path,
    config: TuneConfig,
    say: Say,
) -> Tuned:
    """Train, compare, and write the adapter's folder when the tasks say that the model has become better.

    Otherwise nothing is written. Raises what LocalBackend and the checks raise, DataError without a fitting row.
    """
    began = time.monotonic()
    torch.manual_seed(config.seed)
    backend = LocalBackend(LocalConfig(config.model, four_bit=config.four_bit, seed=config.seed))
    say(f"{backend.name}: {len(tasks)} tasks before")
    before = rates(backend, tasks, config.samples, config.most_tokens, say)
    run = _Run(backend, config, validation, say, began)
    own = run.own_answers(rows)
    run.train(rows, own)
    say(f"{backend.name}: {len(tasks)} tasks after")
    after = rates(backend, tasks, config.samples, config.most_tokens, say)
    found = compared(before, after, config.seed)
    seconds = round(time.monotonic() - began, 1)
    told = Tuned(found, tuple(run.looks), tuple(run.losses), len(own), run.left_out, seconds)
    if found.better:
        _write(run.adapter, out, config, told)
    return told


def _write(adapter: Any, out: str | Path, config: TuneConfig, told: Tuned) -> None:
    card = {
        "kind": "adapter",
        "base": Path(config.model).name,
        "config": {name: value for name, value in asdict(config).items() if name != "model"},
        "comparison": told.comparison.as_json(),
        "validation": told.validation,
    }
    with replace_folder(out) as folder:
        adapter.save_pretrained(folder, safe_serialization=True)
        (folder / CARD).write_text(json_text(card) + "\n", encoding="utf-8")


class _Run:
    """A tuning while it goes on."""

    def __init__(
        self, backend: LocalBackend, config: TuneConfig, validation: Sequence[Task], say: Say, began: float
    ) -> None:
        self.backend, self.config, self.validation, self.say, self.began = backend, config, validation, say, began
        self.knowledge = None if backend.bare else Knowledge("bm25")
        self.rng = random.Random(config.seed)
        self.looks: list[tuple[int, float]] = []
        self.losses: list[float] = []
        self.left_out = 0
        self.adapter: Any = None

    def own_answers(self, rows: Sequence[Row]) -> list[Row]:
        """What the untouched model answers to some of the prompts, where that is right Chisel."""
        if not self.config.replay:
            return []
        asked = self.rng.sample(list(rows), min(len(rows), 64))
        chats = [self._chat(row.prompt) for row in asked]
        checker, found = Checker(), []
        for at, answer in self.backend.ask(chats, most_tokens=self.config.most_tokens, stop=lambda: False):
            heed()
            if code_of(answer.text) and checker.sample(asked[at].prompt, answer, Place(0, 0)).ok:
                found.append(Row(asked[at].prompt, answer.text))
        self.say(f"{len(found)} of {len(asked)} own answers are right Chisel and are mixed in")
        return found

    def train(self, rows: Sequence[Row], own: Sequence[Row]) -> None:
        """Steps, with looks at the validation tasks; ends with the state that passed most, if more than before."""
        learned, replayed = self._samples(rows), self._samples(own)
        if not learned:
            raise DataError(f"none of {len(rows)} rows fits into {self.config.longest} tokens: raise --longest")
        weights = self._adapted()
        optimizer = torch.optim.AdamW(weights, lr=self.config.rate, weight_decay=0.0)
        best, kept = self._look(0), []
        for step in range(1, self.config.steps + 1):
            heed()
            self._step(optimizer, weights, self._batch(learned, replayed), step)
            over = step == self.config.steps or self._late()
            if step % self.config.every == 0 or over:
                rate = self._look(step)
                if rate > best:
                    best, kept = rate, self._state(weights)
                if over or self._stale(best):
                    break
        if kept:  # else nothing rose: what was made of it is left as it is, and is judged so
            for weight, value in zip(weights, kept, strict=True):
                weight.data.copy_(value)

    def _adapted(self) -> list[Any]:
        from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

        model = self.backend.model
        if self.config.four_bit:
            model = prepare_model_for_kbit_training(model)
        config = LoraConfig(
            r=self.config.rank,
            lora_alpha=2 * self.config.rank,
            lora_dropout=0.05,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        # The layers are put into the model that the backend holds: what it answers from here on is the tuned one's.
        self.adapter = get_peft_model(model, config)
        return [value for value in self.adapter.parameters() if value.requires_grad]

    @staticmethod
    def _state(weights: Sequence[Any]) -> list[Any]:
        return [value.detach().clone() for value in weights]

    def _look(self, step: int) -> float:
        self.adapter.eval()
        found = rates(self.backend, self.validation, self.config.samples, self.config.most_tokens, lambda _: None)
        rate = mean(found.values())
        self.looks.append((step, round(rate, 4)))
        self.say(f"step {step}: {rate:.1%} of the answers to {len(self.validation)} validation tasks behave")
        return rate

    def _stale(self, best: float) -> bool:
        recent = self.looks[-self.config.patience :]
        return len(self.looks) > self.config.patience and all(rate < best for _, rate in recent)

    def _late(self) -> bool:
        return (time.monotonic() - self.began) / 60 > self.config.minutes

    def _chat(self, prompt: str) -> list[Message]:
        return first(prompt, self.knowledge)

    def _samples(self, rows: Sequence[Row]) -> list[Sample]:
        """As the generator asks, and as the model is to answer: bare code, or a fence for one that chats."""
        found = []
        for row in rows:
            opening = self.backend.opening(self._chat(row.prompt))
            fenced = self.backend.bare or "```" in row.answer
            answer = row.answer if fenced else f"```scala\n{row.answer.strip()}\n```"
            tokenizer = self.backend.tokenizer
            asked = tokenizer(opening, add_special_tokens=False)["input_ids"]
            said = tokenizer(f"{answer}{tokenizer.eos_token}", add_special_tokens=False)["input_ids"]
            if len(asked) + len(said) <= self.config.longest:
                found.append(([*asked, *said], len(asked)))
        self.left_out += len(rows) - len(found)
        return found

    def _batch(self, learned: Sequence[Sample], replayed: Sequence[Sample]) -> list[Sample]:
        chosen: list[Sample] = []
        while True:
            pool = replayed if replayed and self.rng.random() < self.config.replay else learned
            chosen.append(self.rng.choice(pool))
            longest = max(len(ids) for ids, _ in chosen)
            if longest * len(chosen) > self.config.batch_tokens:
                return chosen[:-1] or chosen

    def _step(self, optimizer: Any, weights: Sequence[Any], samples: Sequence[Sample], step: int) -> None:
        done = step / self.config.steps
        for group in optimizer.param_groups:
            group["lr"] = self.config.rate * min(1.0, step / 10) * 0.5 * (1 + math.cos(math.pi * done))
        self.adapter.train()
        device = self.backend.model.device
        ids, mask, labels = (value.to(device) for value in padded(samples, self.backend.tokenizer.pad_token_id))
        loss = self.adapter(input_ids=ids, attention_mask=mask, labels=labels).loss
        if not torch.isfinite(loss):
            raise HwmlError(f"the loss is no number at step {step}: lower --rate")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        self.losses.append(round(float(loss.detach()), 4))
