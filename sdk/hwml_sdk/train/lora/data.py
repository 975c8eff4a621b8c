"""What a generator learns from: tokens of checkpoints, mapped from a cache, and sentence embeddings of prompts."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from ...config import user_cache_dir
from ...encoders import TextEncoder
from ...errors import ConfigError, DataError
from ...files import new_file
from ...interrupt import checkpoint as heed
from ...lora.analyze import mixed
from ...lora.checkpoint import content_key, differences, find_checkpoints, initialisations, read_checkpoint
from ...lora.prompts import TRAIN_FILE, VALIDATION_FILE, Group, read_groups
from ...lora.tokens import Manifest, build_manifest, check_limit, tokenize
from ...tensors import Floats
from .config import LoraTrainConfig
from .focus import clear_directions, projection
from .tasks import CHECKPOINTS, has_tasks

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingData:
    """All of a run's data. Conditioning vectors are standardised: (mean of a group's embeddings - center) / scale."""

    manifest: Manifest
    tokens: NDArray[np.float32]
    """[n, T, width], mapped where the cache is used"""
    center: Floats
    """[T, width], mean over checkpoints"""
    scale: Floats
    """[T, 1], spread around it, one figure a tensor: a relative error then weighs the same in A and B"""
    tasks: tuple[str, ...]
    """of each checkpoint, "" where nothing names one"""
    prompts: Mapping[str, Floats]
    """task -> standardised embeddings [n, P] of training prompts"""
    validation: tuple[tuple[str, Floats], ...]
    """task and conditioning vector [P] of each validation group"""
    prompt_center: Floats
    prompt_scale: float
    shown: Floats
    """[P, P]: what the network sees of a conditioning vector"""
    adapter_config: dict[str, Any]
    encoder: TextEncoder

    def conditioning(self, task: str, size: int, draw: random.Random) -> Floats:
        """Mean over `size` drawn prompts of a task: other ones every time, so that no wording is learned by heart."""
        rows = self.prompts[task]
        chosen = draw.sample(range(len(rows)), min(size, len(rows)))
        mean: Floats = rows[chosen].mean(axis=0)
        return mean


def load_data(config: LoraTrainConfig, report: Report, *, encoder: TextEncoder | None = None) -> TrainingData:
    """Read checkpoints and prompts. Raises ConfigError or DataError that names what does not fit."""
    folder = Path(config.data.checkpoint_dir)
    if not config.data.checkpoint_dir:
        raise ConfigError(
            "data.checkpoint_dir is not set: name the folder of checkpoints there or with --checkpoint-dir"
        )
    prompt_folder = Path(config.data.prompt_dir or config.data.checkpoint_dir)
    train, validation = (read_groups(prompt_folder / name) for name in (TRAIN_FILE, VALIDATION_FILE))
    paths = find_checkpoints(folder / CHECKPOINTS if has_tasks(folder) else folder, config.data.max_checkpoints)
    manifest, tokens, adapter_config = _tokens(paths, config, report)
    tasks = _tasks_of(paths, {group.task for group in train})
    encoder = encoder or TextEncoder.load(config.model.text_encoder_name)
    vectors, center, scale = _embeddings(train, encoder, report)
    held = tuple(
        (group.task, ((encoder.encode(group.prompts).vectors.mean(0) - center) / scale).astype(np.float32))
        for group in validation
    )
    mean = np.asarray(tokens.mean(axis=0), dtype=np.float32)
    group = config.data.samples_per_prompt
    clear = clear_directions(vectors, group)
    if clear:
        report(f"prompts: tasks differ clearly more than wordings in {clear} directions (model.prompt_components)")
    return TrainingData(
        manifest, tokens, mean, _spread(tokens, mean, manifest), tasks, vectors, held, center, scale,
        projection(vectors, group, config.model.prompt_components), adapter_config, encoder,
    )  # fmt: skip


def _tokens(
    paths: list[Path], config: LoraTrainConfig, report: Report
) -> tuple[Manifest, NDArray[np.float32], dict[str, Any]]:
    first = read_checkpoint(paths[0])
    others = []
    for path in paths:
        heed()
        one = read_checkpoint(path)
        what = differences(first.tensors, one.tensors)
        if what:
            raise DataError(f"does not fit {first.path}: {what}; keep one kind of adapter in a folder", path=path)
        others.append(one.tensors)
    manifest = build_manifest(others, width=config.model.output_dim)
    check_limit(manifest, config.model.max_seq_len)
    warning = mixed(initialisations(others))
    if warning:
        report(f"warning: {warning}")
    shape = (len(paths), manifest.n_tokens, manifest.width)
    report(f"{shape[0]} checkpoints of {shape[1]} tokens of {shape[2]} values")
    if not config.data.cache_tokenized:
        return manifest, np.stack([tokenize(tensors, manifest) for tensors in others]), first.config
    key = content_key(paths, "tokens", 1, manifest.to_json())
    place = user_cache_dir() / "lora-tokens" / f"{key}.npy"
    if not place.is_file():
        with new_file(place) as temporary:
            mapped = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
            for index, tensors in enumerate(others):
                heed()
                mapped[index] = tokenize(tensors, manifest)
            mapped.flush()
            del mapped
    return manifest, np.load(place, mmap_mode="r"), first.config


def _spread(tokens: NDArray[np.float32], mean: Floats, manifest: Manifest) -> Floats:
    spread = np.ones((manifest.n_tokens, 1), dtype=np.float32)
    for entry in manifest.entries:
        rows = slice(entry.start, entry.start + entry.count)
        deviation = np.asarray(tokens[:, rows], dtype=np.float64) - mean[rows]
        size = float(np.sqrt((deviation**2).sum() / max(1, entry.n_values * len(tokens))))
        spread[rows] = size or 1.0
    return spread


def _tasks_of(paths: list[Path], known: set[str]) -> tuple[str, ...]:
    """The task of each checkpoint: the folder above it that bears a task's name. Raises DataError without one."""
    if known == {""}:
        return ("",) * len(paths)
    found = []
    for path in paths:
        name = next((part for part in reversed([*path.parts[:-1], path.stem]) if part in known), None)
        if name is None:
            raise DataError("lies in no folder named like a task of the prompts", path=path)
        found.append(name)
    return tuple(found)


def _embeddings(groups: list[Group], encoder: TextEncoder, report: Report) -> tuple[dict[str, Floats], Floats, float]:
    texts = list(dict.fromkeys(text for group in groups for text in group.prompts))
    found = encoder.encode(texts)
    long = sum(count > encoder.max_tokens for count in found.n_tokens)
    if long:
        report(f"warning: {long} of {len(texts)} prompts are over {encoder.max_tokens} tokens: their end is not read")
    center: Floats = found.vectors.mean(axis=0)
    # Means of groups vary less than single prompts: their spread is what the network sees.
    means = np.stack([found.vectors[[texts.index(text) for text in group.prompts]].mean(0) for group in groups])
    scale = float((means - center).std()) or 1.0
    by_task: dict[str, list[Floats]] = {}
    place = {text: index for index, text in enumerate(texts)}
    for group in groups:
        by_task.setdefault(group.task, []).extend(found.vectors[place[text]] for text in group.prompts)
    standard = {task: ((np.stack(rows) - center) / scale).astype(np.float32) for task, rows in by_task.items()}
    return standard, center, scale


class Checkpoints(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Conditioning [P] and standardised tokens [T, width] of each checkpoint; prompts are drawn anew every time."""

    def __init__(self, data: TrainingData, size: int, seed: int) -> None:
        self._data, self._size, self._draw = data, size, random.Random(seed)

    def __len__(self) -> int:
        return len(self._data.tasks)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        data = self._data
        vector = data.conditioning(data.tasks[index], self._size, self._draw)
        return torch.from_numpy(vector), torch.from_numpy((data.tokens[index] - data.center) / data.scale)


class Validation(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Validation prompts with the last checkpoint of their task."""

    def __init__(self, data: TrainingData) -> None:
        self._data = data
        last = {task: index for index, task in enumerate(data.tasks)}
        self._pairs = [(last[task], vector) for task, vector in data.validation if task in last]
        if not self._pairs:
            raise DataError("no validation prompts belong to a task that has checkpoints")

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        number, vector = self._pairs[index]
        data = self._data
        return torch.from_numpy(vector), torch.from_numpy((data.tokens[number] - data.center) / data.scale)


class Steps(Dataset[int]):
    """Numbers of supervised steps; the tasks of a step are drawn from them."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> int:
        return index
