"""Checkpoints made by hand for the tests: bytes laid out from the formats' descriptions, not by the code under test."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CODES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}


def write_safetensors(path: Path, arrays: dict[str, tuple[NDArray[Any], str]]) -> None:
    """`arrays`: name -> (raw values, dtype name); bfloat16 as uint16."""
    header, body = {}, b""
    for name, (raw, dtype) in arrays.items():
        data = raw.tobytes()
        header[name] = {
            "dtype": CODES[dtype],
            "shape": list(raw.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def adapter_arrays(
    seed: int = 0, *, rank: int = 2, width: int = 8, layers: int = 2, start: int | None = None
) -> dict[str, tuple[NDArray[Any], str]]:
    """A small adapter; `start` seeds lora_A apart, as the random initialisation of a training run is."""
    draw = np.random.default_rng(seed)
    first = np.random.default_rng(seed if start is None else start)
    found: dict[str, tuple[NDArray[Any], str]] = {}
    for layer in range(layers):
        stem = f"base_model.model.encoder.layer.{layer}.query"
        a = first.normal(size=(rank, width)).astype(np.float32)
        found[f"{stem}.lora_A.weight"] = ((a + 0.1 * draw.normal(size=a.shape)).astype(np.float32), "float32")
        found[f"{stem}.lora_B.weight"] = (0.01 * draw.normal(size=(width, rank)).astype(np.float32), "float32")
    return found


def write_adapter(folder: Path, arrays: dict[str, tuple[NDArray[Any], str]]) -> Path:
    """A PEFT folder."""
    write_safetensors(folder / "adapter_model.safetensors", arrays)
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["query"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder
