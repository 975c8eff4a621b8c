"""BERT-like text encoders as ONNX graphs, built from their safetensors: small encoders then need no torch.

The graph computes what `transformers.BertModel` does (Devlin et al. 2019: post-norm transformer, learned positions,
exact GELU), then the mean over real tokens, of each layer that is asked for. Inputs `input_ids`, `attention_mask` int64
[B, L]; output `embedding` float32 [B, layers * hidden], not normalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ArtifactError
from .onnx_graph import Graph
from .safetensors import read_safetensors
from .tensors import Floats, to_float32

MODEL_TYPES = ("bert",)
_FAR = -1e9  # added to the scores of filling: its share of the softmax is then exactly 0 in float32


def encoder_to_onnx(folder: Path, config: Mapping[str, Any], layers: Sequence[int] = ()) -> bytes:
    """The graph of a model folder; layers count from 1, default: the last.

    Raises ArtifactError where the weights are not those of such a model.
    """
    tensors, _ = read_safetensors(folder / "model.safetensors")
    prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""

    def weight(name: str) -> Floats:
        if prefix + name not in tensors:
            raise ArtifactError(f"{folder}: its weights have no {prefix + name}: no {config.get('model_type')} encoder")
        return to_float32(tensors[prefix + name], name)

    g = Graph()
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    eps = float(config.get("layer_norm_eps", 1e-12))
    length = g.node("Shape", "input_ids", start=1, end=2)
    words = g.node("Gather", g.constant(weight("embeddings.word_embeddings.weight")), "input_ids")
    places = g.node(
        "Slice", g.constant(weight("embeddings.position_embeddings.weight")), g.sizes(0), length, g.sizes(0)
    )
    kind = g.constant(weight("embeddings.token_type_embeddings.weight")[0])
    x = g.node("Add", g.node("Add", words, kind), places)

    def norm(value: str, name: str) -> str:
        scale, shift = g.constant(weight(f"{name}.weight")), g.constant(weight(f"{name}.bias"))
        return g.node("LayerNormalization", value, scale, shift, axis=-1, epsilon=eps)

    def linear(value: str, name: str) -> str:
        return g.linear(value, weight(f"{name}.weight"), weight(f"{name}.bias"))

    x = norm(x, "embeddings.LayerNorm")
    mask = g.node("Cast", "attention_mask", to=1)
    filling = g.node("Mul", g.node("Sub", g.number(1), mask), g.number(_FAR))
    filling = g.node("Unsqueeze", filling, g.sizes(1, 2))
    wanted = tuple(layers) or (int(config["num_hidden_layers"]),)
    hidden: dict[int, str] = {}
    for layer in range(max(wanted)):
        stem = f"encoder.layer.{layer}"
        mixed = _attention(g, x, filling, (width, heads), lambda value, part, s=stem: linear(value, f"{s}.{part}"))
        x = norm(g.node("Add", x, mixed), f"{stem}.attention.output.LayerNorm")
        inner = _gelu(g, linear(x, f"{stem}.intermediate.dense"))
        x = norm(g.node("Add", x, linear(inner, f"{stem}.output.dense")), f"{stem}.output.LayerNorm")
        hidden[layer + 1] = x
    _pool(g, [hidden[layer] for layer in wanted], mask)
    inputs = [(name, np.int64, ("batch", "length")) for name in ("input_ids", "attention_mask")]
    return g.model(inputs, "embedding", ("batch", width * len(wanted)))


def _pool(g: Graph, hidden: Sequence[str], mask: str) -> None:
    """Means over the real tokens, layer after layer."""
    weights = g.node("Unsqueeze", mask, g.sizes(2))
    count = g.node("Max", g.node("ReduceSum", weights, g.sizes(1), keepdims=0), g.number(1))
    totals = [g.node("ReduceSum", g.node("Mul", x, weights), g.sizes(1), keepdims=0) for x in hidden]
    g.node("Concat", *(g.node("Div", total, count) for total in totals), axis=1, output="embedding")


def _attention(g: Graph, x: str, filling: str, shape: tuple[int, int], linear: Any) -> str:
    width, heads = shape
    split = g.sizes(0, 0, heads, width // heads)

    def part(name: str, axes: tuple[int, ...]) -> str:
        return g.node("Transpose", g.node("Reshape", linear(x, f"attention.self.{name}"), split), perm=axes)

    query, value = part("query", (0, 2, 1, 3)), part("value", (0, 2, 1, 3))
    scores = g.node("MatMul", query, part("key", (0, 2, 3, 1)))
    scores = g.node("Mul", scores, g.number(float((width // heads) ** -0.5)))
    shares = g.node("Softmax", g.node("Add", scores, filling), axis=-1)
    mixed = g.node("Transpose", g.node("MatMul", shares, value), perm=(0, 2, 1, 3))
    return str(linear(g.node("Reshape", mixed, g.sizes(0, 0, width)), "attention.output.dense"))


def _gelu(g: Graph, x: str) -> str:
    """x/2 (1 + erf(x / sqrt 2))."""
    spread = g.node("Erf", g.node("Mul", x, g.number(2**-0.5)))
    return g.node("Mul", g.node("Mul", x, g.number(0.5)), g.node("Add", spread, g.number(1)))
