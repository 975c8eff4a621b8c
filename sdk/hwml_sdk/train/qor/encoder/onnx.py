"""The fitted heads as one ONNX graph: scaling, heads, mixture; out come transformed targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....onnx_graph import Graph
from ....qor.learned.encoder.head import EPS, TARGETS, TargetStats, Weights
from .delta import DeltaFitted
from .fit import Fitted, Head, Scaler


def to_onnx(fitted: Fitted | DeltaFitted, n_features: int = 0) -> bytes:
    """The graph of what a run has learned."""
    return _delta(fitted) if isinstance(fitted, DeltaFitted) else _mixed(fitted, n_features)


def _delta(fitted: DeltaFitted) -> bytes:
    """Inputs `embedding` and `bare` (of the design without pragmas) [n, width]; output `targets`."""
    g = Graph()
    axes = ("n", len(fitted.scaler.mean))
    level = _scaled(g, "bare", fitted.kernel_scaler)
    both = g.node("Concat", level, _scaled(g, g.node("Sub", "embedding", "bare"), fitted.step_scaler), axis=1)
    z = g.node("Add", _layers(g, fitted.kernel, level), _layers(g, fitted.step, both))
    _unscaled(g, z, fitted.stats, output="targets")
    return g.model([("embedding", np.float32, axes), ("bare", np.float32, axes)], "targets", ("n", len(TARGETS)))


def _mixed(fitted: Fitted, n_features: int) -> bytes:
    """Inputs `embedding` [n, width] and, with structure, `features` [n, f], `base` [n, targets]; output `targets`."""
    g = Graph()
    width = len(fitted.scaler.mean)
    inputs: list[tuple[str, Any, tuple[Any, ...]]] = [("embedding", np.float32, ("n", width))]
    parts = {"embedding": _scaled(g, "embedding", fitted.scaler)}
    base = ""
    if fitted.feature_scaler is not None:
        inputs += [("features", np.float32, ("n", n_features)), ("base", np.float32, ("n", len(TARGETS)))]
        parts["features"] = _cut(g, _scaled(g, "features", fitted.feature_scaler))
        parts["both"] = g.node("Concat", parts["embedding"], parts["features"], axis=1)
        base = g.node("Where", g.node("IsNaN", "base"), g.constant(fitted.stats.mean.astype(np.float32)), "base")
    members = [_member(g, head, fitted, parts[head.inputs], base) for head in fitted.heads]
    members += [base] if base else []
    weighted = [
        g.node("Mul", member, g.constant(fitted.mix[:, index].astype(np.float32)))
        for index, member in enumerate(members)
    ]
    total = weighted[0]
    for member in weighted[1:]:
        total = g.node("Add", total, member)
    g.node("Add", total, g.number(0.0), output="targets")
    return g.model(inputs, "targets", ("n", len(TARGETS)))


def _scaled(g: Graph, name: str, scaler: Scaler) -> str:
    return g.node("Div", g.node("Sub", name, g.constant(scaler.mean)), g.constant(scaler.scale))


def _cut(g: Graph, x: str) -> str:
    filled = g.node("Where", g.node("IsNaN", x), g.number(0.0), x)
    return g.node("Clip", filled, g.number(-5.0), g.number(5.0))


def _member(g: Graph, head: Head, fitted: Fitted, x: str, base: str) -> str:
    stats = fitted.step_stats if head.ratio and fitted.step_stats is not None else fitted.stats
    value = _unscaled(g, _layers(g, head.weights, x), stats)
    return g.node("Add", base, value) if head.ratio else value


def _layers(g: Graph, w: Weights, x: str) -> str:
    """z-scores of the targets."""
    x = g.node("LayerNormalization", x, g.constant(w["norm.weight"]), g.constant(w["norm.bias"]), axis=-1, epsilon=EPS)
    for name in ("first", "second"):
        x = g.node("Relu", g.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]))
    return g.linear(x, w["last.weight"], w["last.bias"])


def _unscaled(g: Graph, z: str, stats: TargetStats, output: str = "") -> str:
    scaled = g.node("Mul", z, g.constant(stats.std.astype(np.float32)))
    return g.node("Add", scaled, g.constant(stats.mean.astype(np.float32)), output=output)
