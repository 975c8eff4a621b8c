"""One LoRA checkpoint, whatever wrote it: PEFT folder, .safetensors, .bin/.pt, Lightning's .ckpt.

Only tensors of an adapter are taken (names with `lora_`: lora_A, lora_B, lora_embedding_A, magnitude vectors); base
weights, optimiser states and metrics that a training checkpoint carries are counted and left where they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..files import parse_json, read_bytes
from ..interrupt import checkpoint as heed
from ..pickles import read_pickled
from ..safetensors import read_safetensors
from ..tensors import Tensor, Tensors, to_float32

CONFIG_FILE = "adapter_config.json"
WEIGHT_FILES = ("adapter_model.safetensors", "adapter_model.bin")
PICKLED = (".bin", ".pt", ".pth", ".ckpt")
SUFFIXES = (".safetensors", *PICKLED)
_MARK = "lora_"
_MAX_CONFIG_BYTES = 1 << 20
# Adapters of two tasks from one initialisation keep a cosine of about .5 in lora_A, of two initialisations about 0.
SAME_INIT_COSINE = 0.25


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The adapter of one checkpoint."""

    path: Path
    tensors: dict[str, Tensor]
    config: dict[str, Any]
    """adapter_config.json, or {} where there is none"""
    left_out: int
    """tensors in the file that belong to no adapter"""


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a PEFT folder or one file; nothing in it is executed, values are mapped.

    Raises DataError where it is broken, holds no LoRA tensors, or values that are no numbers (NaN, infinite);
    RefusedError for a pickle with names that tensors do not need.
    """
    path = Path(path)
    file = _weights_file(path)
    found = _tensors_of(file)
    tensors = {name: tensor for name, tensor in found.items() if _MARK in name}
    if not tensors:
        raise DataError(f"holds no LoRA tensors ({len(found)} others): save the adapter, not the base model", path=file)
    for name, tensor in tensors.items():
        heed()
        if not np.isfinite(to_float32(tensor, name)).all():
            raise DataError(f"{name} holds NaN or infinite values: the run diverged, leave this one out", path=file)
    config = _config(path / CONFIG_FILE) if path.is_dir() else _config(path.with_name(CONFIG_FILE))
    return Checkpoint(path, tensors, config, len(found) - len(tensors))


def _weights_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in WEIGHT_FILES:
        if (path / name).is_file():
            return path / name
    raise DataError(f"is no PEFT folder: it has neither {' nor '.join(WEIGHT_FILES)}", path=path)


def _tensors_of(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        return read_safetensors(file)[0]
    if file.suffix not in PICKLED:
        raise DataError(f"is none of {', '.join(SUFFIXES)} and no PEFT folder", path=file)
    loaded = read_pickled(file)
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]  # Lightning's
    return dict(_walk(loaded, ""))


def _walk(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Tensors below a value, with their dotted names."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield from _walk(below, f"{name}.{key}" if name else str(key))


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = parse_json(read_bytes(path, max_bytes=_MAX_CONFIG_BYTES))
    except (OSError, ValueError) as error:
        raise DataError(f"is no adapter configuration: {error}", path=path) from error
    if not isinstance(config, dict):
        raise DataError("is no adapter configuration: a JSON object was expected", path=path)
    return config


def find_checkpoints(folder: str | Path, limit: int = 0) -> list[Path]:
    """PEFT folders and loose files below `folder` in natural order (step-9 before step-10); with a limit spread evenly.

    Raises DataError when there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("no such folder of checkpoints", path=folder)
    found: set[Path] = set()
    for place in sorted(folder.rglob("*")):
        if place.suffix in SUFFIXES and place.is_file() and not any(part.startswith(".") for part in place.parts):
            found.add(place.parent if place.name in WEIGHT_FILES else place)
    if not found:
        raise DataError(f"holds no LoRA checkpoints (PEFT folders or {', '.join(SUFFIXES)})", path=folder)
    ordered = sorted(found, key=_natural)
    if limit and len(ordered) > limit:
        ordered = [ordered[index * len(ordered) // limit] for index in range(limit)]
    return ordered


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", str(path))]


def peft_name(name: str) -> str:
    """The name on PEFT's disk: without the wrapper's prefix of a Lightning module and the adapter's name in memory.

    `model.base_model.model.encoder.x.lora_A.default.weight` -> `base_model.model.encoder.x.lora_A.weight`.
    """
    _, found, tail = name.partition("base_model.model.")
    path = tail if found else name
    path = re.sub(r"\.(lora_[A-Za-z_]+)\.[^.]+\.(weight|bias)$", r".\1.\2", path)
    path = re.sub(r"\.(lora_embedding_[AB])\.[^.]+$", r".\1", path)
    return f"base_model.model.{path}"


def half_of(name: str) -> str:
    """ "A" or "B" for a tensor of the pair, "" for others (magnitudes)."""
    found = re.search(r"lora_(?:embedding_)?([AB])\b", name)
    return found[1] if found else ""


def content_key(paths: Sequence[Path], *words: Any) -> str:
    """sha256 over the bytes of checkpoints and some words: what is cached under it never belongs to something else."""
    digest = hashlib.sha256(repr(words).encode())
    for path in paths:
        file = _weights_file(path)
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def differences(first: Tensors, other: Tensors) -> str:
    """What keeps two checkpoints from sharing one token form, in words; "" when nothing does."""
    missing, extra = sorted(set(first) - set(other)), sorted(set(other) - set(first))
    if missing or extra:
        return f"other targets: {_some(missing) or 'nothing'} missing, {_some(extra) or 'nothing'} more"
    for name in first:
        if first[name].shape != other[name].shape:
            return f"{name} is {list(other[name].shape)}, in the first {list(first[name].shape)} (another rank?)"
        if first[name].dtype != other[name].dtype:
            return f"{name} is {other[name].dtype}, in the first {first[name].dtype}"
    return ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} others" if len(names) > 2 else "")


def initialisations(checkpoints: Sequence[Tensors]) -> list[int]:
    """A number for each checkpoint, equal for those that began at the same random lora_A.

    Two adapters of different initialisations say the same in incomparable coordinates (spec of the generator: cosine
    about 0 for the same task), so that a generator learns from one initialisation only.
    """
    heads: list[Any] = []
    groups: list[int] = []
    for tensors in checkpoints:
        parts = [to_float32(t, name).ravel() for name, t in sorted(tensors.items()) if half_of(name) == "A"]
        vector = np.concatenate(parts) if parts else np.zeros(1, np.float32)
        vector = vector / (float(np.linalg.norm(vector)) or 1.0)
        close = [float(vector @ head) if head.shape == vector.shape else 0.0 for head in heads]
        if close and max(close) >= SAME_INIT_COSINE:
            groups.append(int(np.argmax(close)))
        else:
            heads.append(vector)
            groups.append(len(heads) - 1)
    return groups
