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


WORDS = ("a", "pipelined", "loop", "loops", "stream", "find", "detect", "register", "with", "reset")
ENCODER_TOKENS = 12  # at most


def write_encoder(folder: Path, seed: int = 0, width: int = 16) -> Path:
    """A BERT of two layers with random weights, as the hub's folders hold one; its tokeniser knows `WORDS`."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    draw = np.random.default_rng(seed)
    arrays: dict[str, tuple[NDArray[Any], str]] = {}

    def put(name: str, *shape: int) -> None:
        arrays[name] = (draw.normal(scale=0.3, size=shape).astype(np.float32), "float32")

    def norm(name: str) -> None:
        arrays[f"{name}.weight"] = (np.ones(width, np.float32), "float32")
        arrays[f"{name}.bias"] = (np.zeros(width, np.float32), "float32")

    def linear(name: str, fan_out: int, fan_in: int) -> None:
        put(f"{name}.weight", fan_out, fan_in)
        put(f"{name}.bias", fan_out)

    put("embeddings.word_embeddings.weight", len(WORDS) + 1, width)
    put("embeddings.position_embeddings.weight", ENCODER_TOKENS, width)
    put("embeddings.token_type_embeddings.weight", 2, width)
    norm("embeddings.LayerNorm")
    for layer in range(2):
        stem = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{stem}.attention.{part}", width, width)
        norm(f"{stem}.attention.output.LayerNorm")
        linear(f"{stem}.intermediate.dense", 2 * width, width)
        linear(f"{stem}.output.dense", width, 2 * width)
        norm(f"{stem}.output.LayerNorm")
    write_safetensors(folder / "model.safetensors", arrays)
    config = {
        "model_type": "bert", "hidden_size": width, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 2 * width, "max_position_embeddings": ENCODER_TOKENS, "vocab_size": len(WORDS) + 1,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    vocabulary = {word: index for index, word in enumerate(("<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
