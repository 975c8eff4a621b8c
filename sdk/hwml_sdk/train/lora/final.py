"""The trained generator as an artefact folder."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ... import artifact
from ...lora.generate import KIND, MANIFEST_FILE, ONNX_FILE, PROMPTS_FILE, WEIGHTS_FILE
from ...lora.graph import generator_to_onnx
from ...lora.hyperconv import FIRST
from ...safetensors import to_safetensors
from ...tensors import from_float32
from .config import LoraTrainConfig
from .module import GeneratorModule, network_shape


def write_generator(
    folder: Path, module: GeneratorModule, metrics: dict[str, Any], config: LoraTrainConfig
) -> artifact.Artifact:
    """Write the artefact whole: ONNX, token form, prompt statistics, weights, card."""
    data, shape = module.data_, network_shape(config, module.data_)
    state = folded(module)
    weights = {name: value.numpy() for name, value in state.items()}
    stats = {
        "center": from_float32(data.prompt_center, "float32"),
        "scale": from_float32(np.asarray(data.prompt_scale, dtype=np.float32), "float32"),
    }
    manifest = json.dumps(data.manifest.to_json(), ensure_ascii=False)
    onnx = generator_to_onnx(module.kind, shape, weights, data.center, data.scale)
    described = {
        "generator": module.kind, "shape": shape, "encoder": config.model.text_encoder_name,
        "encoder_revision": data.encoder.revision, "adapter_config": data.adapter_config,
    }  # fmt: skip
    provenance = {
        "checkpoints": len(data.tasks), "tasks": len(set(data.tasks)), "seed": config.training.seed,
        "supervised": bool(module.supervised_epochs), "trained": datetime.now(UTC).date().isoformat(),
        "config": config.to_json(),
    }  # fmt: skip
    files = {
        ONNX_FILE: onnx,
        MANIFEST_FILE: manifest.encode(),
        PROMPTS_FILE: to_safetensors(stats),
        WEIGHTS_FILE: _weights(module.kind, shape, state),
        "README.md": _card(module, metrics).encode(),
    }
    return artifact.write(folder, kind=KIND, files=files, config=described, metrics=metrics, provenance=provenance)


def folded(module: GeneratorModule) -> dict[str, torch.Tensor]:
    """Weights of the network alone that takes whole conditioning vectors: what it is shown of them is folded in."""
    state = {name: value.detach().float().cpu() for name, value in module.network.state_dict().items()}
    first = FIRST[module.kind]
    return state | {first: state[first] @ module.shown.projection.cpu()}


def _weights(kind: str, shape: dict[str, Any], state: dict[str, torch.Tensor]) -> bytes:
    stream = io.BytesIO()
    torch.save({"kind": kind, "shape": shape, "state_dict": state}, stream)
    return stream.getvalue()


def _card(module: GeneratorModule, metrics: dict[str, Any]) -> str:
    data = module.data_
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in metrics.items() if isinstance(value, int | float))
    stage = "reconstruction, then supervised through the frozen base" if module.supervised_epochs else (
        "reconstruction only: such generators were measured to be of no use on tasks"
    )  # fmt: skip
    return f"""# LoRA generator ({module.kind})

Prompts in, a LoRA adapter of {data.manifest.n_values} values ({data.manifest.n_tokens} tokens of
{data.manifest.width}) out. Trained on {len(data.tasks)} checkpoints of {len(set(data.tasks))} tasks: {stage}.

| figure | value |
|---|---|
{rows}

It recombines what its tasks taught and does not reach concepts that none of them had: `hwml lora evaluate` says how
well it does on yours, beside adapters that no prompt has shaped.
"""
