"""The frozen base with an adapter put on it as plain tensors, so that gradients reach whatever made them.

An adapter is a dict of tensors by their names on PEFT's disk. PEFT puts its layers into the model once; each call then
runs with the given tensors in their place (`torch.func.functional_call`).
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call

from ...config import user_cache_dir
from ...encoders import encoder_folder, revision_of
from ...errors import DataError, MissingDependencyError
from ...files import new_file
from ...lora.checkpoint import peft_name
from .tasks import BaseSettings, Task, TaskData, indices

Adapter = Mapping[str, Any]  # of torch.Tensor
_EMBED_BATCH = 64


class Base(Protocol):
    """A frozen model that tasks are asked of."""

    def initial(self) -> dict[str, torch.Tensor]:
        """The adapter every training begins with: seeded A, B zero."""
        ...

    def loss(
        self, adapter: Adapter, task: Task, draw: random.Random, size: int, margin: float = 0.0, *, split: str = "train"
    ) -> torch.Tensor:
        """Loss on `size` drawn examples of a split; `margin`: logits that decide lie so far over 0 (classify)."""
        ...

    def score(self, adapter: Adapter, task: Task, *, without: Sequence[str] = ()) -> dict[str, float]:
        """Figures on all test examples of the task; none of its negatives shows a concept of `without`."""
        ...

    def adapter_config(self) -> dict[str, Any]:
        """adapter_config.json."""
        ...


def load_base(data: TaskData) -> Base:
    """The base of task data. Raises ArtifactError where it cannot be found."""
    return ClassifyBase(data) if data.kind == "classify" else CausalBase(data)


def with_adapters(folder: Path, settings: BaseSettings, kind: str) -> tuple[Any, dict[str, Any]]:
    """The model with PEFT's layers in it, and the adapter's configuration. Raises MissingDependencyError."""
    try:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel, AutoModelForCausalLM
    except ImportError as error:
        raise MissingDependencyError("peft", "lora") from error
    causal = kind == "causal"
    auto = AutoModelForCausalLM if causal else AutoModel
    model = auto.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, target_modules=list(settings.targets),
        layers_to_transform=list(settings.layers) or None, lora_dropout=0.0,
        task_type="CAUSAL_LM" if causal else "FEATURE_EXTRACTION",
    )  # fmt: skip
    state = torch.random.get_rng_state()
    torch.manual_seed(settings.init_seed)
    wrapped = get_peft_model(model, config).eval().requires_grad_(False)
    torch.random.set_rng_state(state)
    described = {
        key: sorted(value) if isinstance(value, set) else value
        for key, value in config.to_dict().items()
        if isinstance(value, str | int | float | bool | list | set) or value is None
    }
    return wrapped, described | {"base_model_name_or_path": settings.name}


def initial_of(model: Any) -> dict[str, torch.Tensor]:
    """The LoRA tensors of a wrapped model by their names on disk."""
    return {peft_name(name): value.detach().clone() for name, value in model.named_parameters() if "lora_" in name}


class _Suffix(nn.Module):
    """The layers from the first adapted one on."""

    def __init__(self, layers: nn.ModuleList) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Hidden states [B, L, width] through the layers; mask [B, L]."""
        far = torch.finfo(hidden.dtype).min
        shut = (1.0 - mask[:, None, None, :].to(hidden.dtype)) * far
        for layer in self.layers:
            out = layer(hidden, attention_mask=shut)
            hidden = out[0] if isinstance(out, tuple) else out
        return hidden


class ClassifyBase:
    """A BERT-like encoder with a fixed random readout: logit = scale * (e - mean e) @ direction.

    e is the normalised mean of the last hidden states. Without an adapter the readout says nothing of any task
    (accuracy about .5): all that a score shows, an adapter has done. What comes before the first adapted layer never
    changes: it is computed once for each text.
    """

    def __init__(self, data: TaskData) -> None:
        self._examples, settings = data.examples, data.base
        folder = encoder_folder(settings.name)
        self._model, self._config = with_adapters(folder, settings, data.kind)
        inner = self._model.base_model.model
        self._first = min(settings.layers) if settings.layers else 0
        self._suffix = _Suffix(inner.encoder.layer[self._first :])
        self._hidden, self._mask = self._prefix(folder, settings)
        made = np.random.default_rng(settings.readout_seed).normal(size=inner.config.hidden_size)
        self._direction = torch.from_numpy((made / np.linalg.norm(made)).astype(np.float32))
        self._scale = settings.readout_scale
        with torch.no_grad():
            known = [number for number, example in enumerate(data.examples) if example.split == "train"]
            some = (known or list(range(len(data.examples))))[:: max(1, len(known or data.examples) // 256)]
            self._mean = self._pooled(self.initial(), some).mean(0)

    def _prefix(self, folder: Path, settings: BaseSettings) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states before the first adapted layer, kept in the cache by all that decides them, and the mask."""
        texts = [example.text for example in self._examples]
        ids, mask = token_ids(folder, texts, settings.max_length)
        said = repr((texts, settings.max_length, self._first)).encode()
        key = hashlib.sha256(revision_of(folder).encode() + said).hexdigest()
        place = user_cache_dir() / "lora-hidden" / f"{key}.npy"
        if not place.is_file():
            with new_file(place) as temporary, temporary.open("wb") as stream:
                np.save(stream, self._hidden_states(ids, mask))
        return torch.from_numpy(np.load(place)), mask

    def _hidden_states(self, ids: torch.Tensor, mask: torch.Tensor) -> NDArray[np.float32]:
        parts = []
        with torch.no_grad():
            for at in range(0, len(ids), _EMBED_BATCH):
                rows = slice(at, at + _EMBED_BATCH)
                out = self._model.base_model.model(
                    input_ids=ids[rows], attention_mask=mask[rows], output_hidden_states=True
                )
                parts.append(out.hidden_states[self._first])
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def _inner(self, name: str) -> str:
        """The name inside the suffix of a tensor's name on disk."""
        found = re.fullmatch(r"base_model\.model\.encoder\.layer\.(\d+)\.(.*)\.(lora_[AB])\.weight", name)
        if found is None or int(found[1]) < self._first:
            raise DataError(f"{name} is no tensor of this base: train the adapters on the base the tasks name")
        return f"layers.{int(found[1]) - self._first}.{found[2]}.{found[3]}.default.weight"

    def _pooled(self, adapter: Adapter, rows: Sequence[int]) -> torch.Tensor:
        longest = int(self._mask[list(rows)].sum(1).max())
        hidden, mask = self._hidden[list(rows), :longest], self._mask[list(rows), :longest]
        tensors = {self._inner(name): value for name, value in adapter.items()}
        out = functional_call(self._suffix, tensors, (hidden, mask))
        weights = mask[..., None].to(out.dtype)
        return nn.functional.normalize((out * weights).sum(1) / weights.sum(1), dim=-1)

    def vectors(self, adapter: Adapter) -> NDArray[np.float32]:
        """[n, width] of all examples: what the readout reads."""
        count = len(self._examples)
        with torch.no_grad():
            parts = [
                self._pooled(adapter, range(at, min(at + _EMBED_BATCH, count))) for at in range(0, count, _EMBED_BATCH)
            ]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def logits(self, adapter: Adapter, rows: Sequence[int]) -> torch.Tensor:
        """[n] of the examples of these numbers."""
        made: torch.Tensor = self._scale * ((self._pooled(adapter, rows) - self._mean) @ self._direction)
        return made

    def initial(self) -> dict[str, torch.Tensor]:
        """See Base."""
        return initial_of(self._model)

    def adapter_config(self) -> dict[str, Any]:
        """See Base."""
        return self._config

    def loss(
        self, adapter: Adapter, task: Task, draw: random.Random, size: int, margin: float = 0.0, *, split: str = "train"
    ) -> torch.Tensor:
        """Binary cross-entropy on as many positive as negative examples."""
        sides = [indices(self._examples, split, task.concepts, inside=inside) for inside in (True, False)]
        rows = [draw.choice(side) for side in sides for _ in range(size // 2)]
        labels = torch.tensor([1.0] * (size // 2) + [0.0] * (size // 2))
        over = self.logits(adapter, rows) - margin
        found: torch.Tensor = nn.functional.binary_cross_entropy_with_logits(over, labels)
        return found

    def score(self, adapter: Adapter, task: Task, *, without: Sequence[str] = ()) -> dict[str, float]:
        """Accuracy and area under the ROC curve on test snippets, whose templates no training snippet has.

        All snippets of the task's concepts, and as many others, always the same.
        """
        positives = indices(self._examples, "test", task.concepts, inside=True)
        others = indices(self._examples, "test", (*task.concepts, *without), inside=False)
        others = others or indices(self._examples, "test", task.concepts, inside=False)
        negatives = random.Random(task.name).sample(others, min(len(positives), len(others)))
        found = []
        with torch.no_grad():
            for side in (positives, negatives):
                rows = sorted(side, key=lambda row: int(self._mask[row].sum()))
                parts = [self.logits(adapter, rows[at : at + _EMBED_BATCH]) for at in range(0, len(rows), _EMBED_BATCH)]
                found.append(torch.cat(parts).numpy())
        positive, negative = found
        accuracy = ((positive > 0).mean() + (negative <= 0).mean()) / 2
        return {"accuracy": float(accuracy), "auc": area(positive, negative)}


class CausalBase:
    """A small causal language model: the loss is the mean negative log-likelihood of texts of the task's domains."""

    def __init__(self, data: TaskData) -> None:
        self._examples = data.examples
        folder = data.folder / data.base.name
        self._model, self._config = with_adapters(folder, data.base, data.kind)
        self._ids, self._mask = token_ids(folder, [example.text for example in self._examples], data.base.max_length)

    def initial(self) -> dict[str, torch.Tensor]:
        """See Base."""
        return initial_of(self._model)

    def adapter_config(self) -> dict[str, Any]:
        """See Base."""
        return self._config

    def _likelihood(self, adapter: Adapter, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Sum of -log p of the tokens after the first, and how many there are."""
        ids, mask = self._ids[list(rows)], self._mask[list(rows)]
        names = {
            re.sub(r"\.(lora_[AB])\.weight$", r".\1.default.weight", name): value for name, value in adapter.items()
        }
        out = functional_call(self._model, names, (), {"input_ids": ids, "attention_mask": mask, "use_cache": False})
        scores = nn.functional.cross_entropy(out.logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none")
        weights = mask[:, 1:].to(scores.dtype)
        return (scores * weights).sum(), weights.sum()

    def loss(
        self, adapter: Adapter, task: Task, draw: random.Random, size: int, margin: float = 0.0, *, split: str = "train"
    ) -> torch.Tensor:
        """Mean -log p of a token; there is nothing to decide."""
        side = indices(self._examples, split, task.concepts, inside=True)
        total, count = self._likelihood(adapter, [draw.choice(side) for _ in range(size)])
        return total / count

    def score(self, adapter: Adapter, task: Task, *, without: Sequence[str] = ()) -> dict[str, float]:
        """Perplexity of a token on the test texts of the task's domains."""
        with torch.no_grad():
            total, count = self._likelihood(adapter, indices(self._examples, "test", task.concepts, inside=True))
        return {"perplexity": float(torch.exp(total / count))}


def token_ids(folder: Path, texts: Sequence[str], max_length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask [n, L], filled on the right, at most `max_length` long."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_length)
    tokenizer.enable_padding()
    rows = tokenizer.encode_batch(list(texts))
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


def area(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """Share of pairs whose positive scores higher; ties count half."""
    above = (positive[:, None] > negative[None, :]).mean()
    return float(above + 0.5 * (positive[:, None] == negative[None, :]).mean())
