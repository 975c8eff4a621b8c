"""A trained generator as an ONNX graph: `prompts` float32 [B, P] in, `tokens` float32 [B, T, width] out.

Built from the weights by name, so that neither torch nor an exporter is needed; the tests hold it against torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..onnx_graph import Graph
from ..tensors import Floats

Weights = Mapping[str, NDArray[Any]]


def plane(width: int) -> tuple[int, int]:
    """Height and width of the plane a token is folded to, as square as its divisors allow: 384 -> 16 x 24."""
    height = max(d for d in range(1, math.isqrt(width) + 1) if width % d == 0)
    return height, width // height


def generator_to_onnx(kind: str, shape: Mapping[str, Any], weights: Weights, center: Floats, scale: Floats) -> bytes:
    """The graph: network, then tokens = center [T, width] + scale [T, 1] * output."""
    g = Graph()
    deviation = _linear(g, weights) if kind == "linear" else _hyperconv(g, shape, weights)
    spread = g.node("Mul", deviation, g.constant(scale.astype(np.float32)))
    g.node("Add", spread, g.constant(center.astype(np.float32)), output="tokens")
    inputs = [("prompts", np.float32, ("batch", int(shape["prompt_width"])))]
    return g.model(inputs, "tokens", ("batch", int(shape["tokens"]), int(shape["width"])))


def _linear(g: Graph, weights: Weights) -> str:
    inner = g.node("Einsum", g.constant(weights["down"]), "prompts", equation="trp,bp->btr")
    outer = g.node("Einsum", g.constant(weights["up"]), inner, equation="twr,btr->btw")
    return g.node("Add", outer, g.constant(weights["bias"]))


def _hyperconv(g: Graph, shape: Mapping[str, Any], weights: Weights) -> str:
    tokens, hidden = int(shape["tokens"]), int(shape["hidden"])
    projected = g.linear("prompts", weights["input.weight"], weights["input.bias"])
    mixed = g.linear(projected, weights["mix.weight"], weights["mix.bias"])
    expand = weights["expand"].reshape(-1, tokens * hidden)
    x = g.node("Reshape", g.node("MatMul", mixed, g.constant(expand)), g.sizes(-1, tokens, hidden))
    x = g.node("Add", x, g.constant(weights["place"]))
    x = g.node("Reshape", x, g.sizes(-1, tokens, *plane(hidden)))
    for index in range(int(shape["blocks"])):
        stem = f"blocks.{index}"
        x = _layer(g, x, {name: weights[f"{stem}.{name}"] for name in _NAMES})
    x = g.node("Reshape", x, g.sizes(-1, tokens, hidden))
    return g.linear(x, weights["output.weight"], weights["output.bias"])


_NAMES = ("norm.weight", "norm.bias", "w1.weight", "w2.weight", "h1.weight", "h2.weight", "length.weight",
          "length.bias", "bias")  # fmt: skip


def _layer(g: Graph, x: str, weights: Weights) -> str:
    def conv(value: str, name: str, axis: int) -> str:
        weight = weights[f"{name}.weight"]
        perm = [0, 1, 2, 3]
        perm[1], perm[axis] = perm[axis], perm[1]
        pads = [weight.shape[-1] // 2] * 4
        turned = g.node("Transpose", value, perm=perm)
        return g.node("Transpose", g.node("Conv", turned, g.constant(weight), pads=pads), perm=perm)

    # torch's LayerNorm over the last two axes, epsilon 1e-5
    scale, shift = g.constant(weights["norm.weight"]), g.constant(weights["norm.bias"])
    z = g.node("LayerNormalization", x, scale, shift, axis=-2, epsilon=1e-5)
    first = conv(conv(z, "w1", 3), "h1", 2)
    second = g.node("Tanh", conv(conv(z, "h2", 2), "w2", 3))
    total = g.node("Add", g.node("Add", first, second), g.constant(weights["bias"]))
    third = g.node("Mul", total, g.number(1 / 3))
    pads = [weights["length.weight"].shape[-1] // 2] * 4
    length = g.node("Conv", third, g.constant(weights["length.weight"]), g.constant(weights["length.bias"]), pads=pads)
    return g.node("Add", x, length)
