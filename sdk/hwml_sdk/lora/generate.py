"""Generate adapters from prompts with a trained generator: onnxruntime and a text encoder, no torch.

A generator is an artefact folder of kind "lora": `generator.onnx`, `manifest.json` (token form), `prompts.safetensors`
(what centres the sentence embeddings), `generator_model.pt` (weights to train on), `README.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..artifact import Artifact, resolve
from ..encoders import TextEncoder
from ..errors import ArtifactError, DataError
from ..files import parse_json, read_bytes
from ..inference import open_session, run_session
from ..safetensors import read_safetensors
from ..tensors import Floats, to_float32
from .adapter import LoraAdapter
from .checkpoint import peft_name
from .tokens import Manifest, detokenize

KIND = "lora"
ONNX_FILE, MANIFEST_FILE, PROMPTS_FILE, WEIGHTS_FILE = (
    "generator.onnx", "manifest.json", "prompts.safetensors", "generator_model.pt",
)  # fmt: skip
FINAL = Path("results") / "final_model"  # of an experiment folder


def model_folder(path: str | Path) -> Path:
    """The artefact folder that a name means: itself, an experiment's final model, or that of a generator_model.pt."""
    place = Path(path)
    if place.is_file() and place.name == WEIGHTS_FILE:
        return place.parent
    if (place / FINAL).is_dir():
        return place / FINAL
    return resolve(path)


class LoraGenerator:
    """Prompts in, an adapter out.

    >>> generator = LoraGenerator.load("experiments/lora_generator_20260101_120000")
    >>> generator.generate(["Tell pipelined loops from others."]).save("adapter")
    """

    def __init__(self, artifact: Artifact, *, encoder: TextEncoder | None = None) -> None:
        self.artifact = artifact
        self.manifest = Manifest.from_json(_json(artifact.file(MANIFEST_FILE)))
        stats, _ = read_safetensors(artifact.file(PROMPTS_FILE))
        try:
            self._center = to_float32(stats["center"], "center")
            self._scale = float(to_float32(stats["scale"], "scale"))
            self._adapter_config = dict(artifact.config["adapter_config"])
            name, revision = str(artifact.config["encoder"]), str(artifact.config["encoder_revision"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{artifact.path}: is no LoRA generator ({error!r}); train it again") from error
        self.encoder = encoder or TextEncoder.load(name)
        if self.encoder.revision != revision:
            raise ArtifactError(
                f"{artifact.path}: was trained on another version of the encoder {name!r}, whose vectors differ; "
                "install that version, or train again"
            )
        self._session = open_session(artifact.file(ONNX_FILE))

    @classmethod
    def load(cls, path: str | Path = KIND, *, encoder: TextEncoder | None = None) -> LoraGenerator:
        """A generator by folder, experiment folder, generator_model.pt or name of a shipped artefact.

        Raises ArtifactError for anything else or where the encoder is missing or another one, DataError for a manifest
        that is broken.
        """
        return cls(Artifact.load(model_folder(path), kind=KIND), encoder=encoder)

    def condition(self, prompts: Sequence[str]) -> Floats:
        """What the network is fed for a group of prompts, [P]. Raises DataError for none or empty ones."""
        if not prompts:
            raise DataError("no prompts: one at least describes the adapter")
        vector = self.encoder.encode(prompts).vectors.mean(axis=0)
        standard: Floats = ((vector - self._center) / self._scale).astype(np.float32)
        return standard

    def generate(self, prompts: Sequence[str]) -> LoraAdapter:
        """The adapter that the prompts together describe. Raises DataError."""
        return self.generate_many([prompts])[0]

    def generate_many(self, groups: Sequence[Sequence[str]]) -> list[LoraAdapter]:
        """One adapter for each group of prompts. Raises DataError."""
        inputs = np.stack([self.condition(group) for group in groups])
        made = []
        for group, tokens in zip(groups, run_session(self._session, inputs), strict=True):
            tensors = detokenize(tokens, self.manifest)
            named = {peft_name(name): tensor for name, tensor in tensors.items()}
            made.append(LoraAdapter(named, self._adapter_config, tuple(group)))
        return made

    def truncated(self, prompts: Sequence[str]) -> list[tuple[int, int]]:
        """(index, tokens) of prompts that are longer than the encoder reads."""
        counts = self.encoder.count(prompts)
        return [(index, count) for index, count in enumerate(counts) if count > self.encoder.max_tokens]


def _json(path: Path) -> Any:
    try:
        return parse_json(read_bytes(path))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
