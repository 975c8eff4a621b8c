"""Write the trained members as ONNX: tree ensembles and dense layers, float32 throughout.

One `TreeEnsembleRegressor` (ai.onnx.ml 3) holds the ensembles of all targets. LightGBM's rule `value <= threshold`
goes left; its thresholds lie halfway between quantised values, so that rounding them to float32 moves no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import HwmlError, MissingDependencyError
from .fit import Fitted, Linear, Trees
from .mlp import Mlp

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8


def _onnx() -> Any:
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingDependencyError("onnx", "train-qor") from error
    return onnx


@dataclass(slots=True)
class _Graph:
    """Nodes and constants collected so far."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(_onnx().helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(_onnx().numpy_helper.from_array(np.asarray(value), name))
        return name


def members_onnx(members: Sequence[Fitted], features: int) -> bytes:
    """Model [n, features] -> [n, members * targets]: raw outputs, before a ratio member's base is added."""
    graph = _Graph()
    outputs = []
    for index, member in enumerate(members):
        name = f"m{index}"
        if isinstance(member.body, Trees):
            outputs.append(_trees(graph, member.body.models, name))
        else:
            outputs.append(_dense(graph, member.body, name))
    return _finish(graph, outputs, features)


def _finish(graph: _Graph, outputs: list[str], features: int) -> bytes:
    onnx = _onnx()
    graph.add("Concat", outputs, "output", axis=1)
    made = onnx.helper.make_graph(
        graph.nodes,
        "hwml-qor",
        [onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, [None, features])],
        [onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [None, None])],
        graph.constants,
    )
    imports = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = onnx.helper.make_model(made, opset_imports=imports, producer_name="hwml")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@dataclass(slots=True)
class _Nodes:
    """The flat node lists that TreeEnsembleRegressor wants."""

    treeids: list[int] = field(default_factory=list)
    nodeids: list[int] = field(default_factory=list)
    featureids: list[int] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    truenodeids: list[int] = field(default_factory=list)
    falsenodeids: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    leaves: list[tuple[int, int, int, float]] = field(default_factory=list)  # tree, node, target, value

    def walk(self, node: dict[str, Any], tree: int, target: int) -> None:
        """Add a tree of LightGBM's `dump_model`, depth first."""
        count = 0
        todo: list[tuple[dict[str, Any], int | None, str]] = [(node, None, "")]
        while todo:
            current, parent, side = todo.pop()
            place, number = len(self.nodeids), count
            count += 1
            if parent is not None:
                (self.truenodeids if side == "yes" else self.falsenodeids)[parent] = number
            self._append(current, tree, number, target)
            if "split_index" in current:
                todo.append((current["right_child"], place, "no"))
                todo.append((current["left_child"], place, "yes"))

    def _append(self, node: dict[str, Any], tree: int, number: int, target: int) -> None:
        leaf = "split_index" not in node
        if not leaf and node["decision_type"] != "<=":
            raise HwmlError(f"decision type {node['decision_type']!r} cannot be written as ONNX")
        if leaf:
            self.leaves.append((tree, number, target, float(node["leaf_value"])))
        self.treeids.append(tree)
        self.nodeids.append(number)
        self.featureids.append(0 if leaf else int(node["split_feature"]))
        self.modes.append("LEAF" if leaf else "BRANCH_LEQ")
        self.values.append(0.0 if leaf else float(node["threshold"]))
        self.truenodeids.append(0)
        self.falsenodeids.append(0)
        self.missing.append(0 if leaf else int(_missing_goes_left(node)))


def _missing_goes_left(node: dict[str, Any]) -> bool:
    """LightGBM sends NaN the default way where training had NaN, and reads it as 0 where it had none."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    return bool(float(node["threshold"]) >= 0)


def _trees(graph: _Graph, models: Sequence[Any], name: str) -> str:
    flat = _Nodes()
    tree = 0
    for target, model in enumerate(models):
        for item in [] if model is None else model.dump_model()["tree_info"]:
            flat.walk(item["tree_structure"], tree, target)
            tree += 1
    graph.add(
        "TreeEnsembleRegressor",
        ["features"],
        name,
        domain="ai.onnx.ml",
        n_targets=len(models),
        nodes_treeids=flat.treeids,
        nodes_nodeids=flat.nodeids,
        nodes_featureids=flat.featureids,
        nodes_modes=flat.modes,
        nodes_values=flat.values,
        nodes_truenodeids=flat.truenodeids,
        nodes_falsenodeids=flat.falsenodeids,
        nodes_missing_value_tracks_true=flat.missing,
        target_treeids=[leaf[0] for leaf in flat.leaves],
        target_nodeids=[leaf[1] for leaf in flat.leaves],
        target_ids=[leaf[2] for leaf in flat.leaves],
        target_weights=[leaf[3] for leaf in flat.leaves],
        post_transform="NONE",
        aggregate_function="SUM",
    )
    return name


def _dense(graph: _Graph, body: Mlp | Linear, name: str) -> str:
    """Standardise (NaN to 0, cut to ±5), then the layers."""
    minus = graph.add("Sub", ["features", graph.constant(f"{name}_mean", body.mean)], f"{name}_centred")
    z = graph.add("Div", [minus, graph.constant(f"{name}_scale", body.scale)], f"{name}_z")
    missing = graph.add("IsNaN", [z], f"{name}_missing")
    zero = graph.constant(f"{name}_zero", np.array(0, dtype=np.float32))
    filled = graph.add("Where", [missing, zero, z], f"{name}_filled")
    limits = [graph.constant(f"{name}_{side}", np.array(v, dtype=np.float32)) for side, v in (("low", -5), ("high", 5))]
    hidden = graph.add("Clip", [filled, *limits], f"{name}_cut")
    if isinstance(body, Linear):
        return _layer(graph, hidden, body.weight, body.bias, name)
    last = len(body.weights) - 1
    for index, (weight, bias) in enumerate(zip(body.weights, body.biases, strict=True)):
        hidden = _layer(graph, hidden, weight, bias, f"{name}_layer{index}")
        if index < last:
            hidden = graph.add("Relu", [hidden], f"{name}_relu{index}")
    scaled = graph.add("Mul", [hidden, graph.constant(f"{name}_y_scale", body.y_scale)], f"{name}_scaled")
    return graph.add("Add", [scaled, graph.constant(f"{name}_y_mean", body.y_mean)], name)


def _layer(graph: _Graph, inputs: str, weight: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> str:
    names = [graph.constant(f"{name}_w", weight), graph.constant(f"{name}_b", bias)]
    return graph.add("Gemm", [inputs, *names], f"{name}_out" if not name.endswith("_out") else name)
