"""Graphs written by hand against the onnx package and onnxruntime: the format is theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hwml_sdk.inference import open_session, run_session
from hwml_sdk.onnx_graph import IR_VERSION, OPSET, Graph


def _graph() -> bytes:
    """Attributes of all kinds, negative numbers, named and numbered axes, constants that are used twice."""
    g = Graph()
    turned = g.node("Transpose", "x", perm=[0, 2, 1])
    third = g.node("Mul", turned, g.number(1 / 3))
    normal = g.node("LayerNormalization", third, g.constant(np.ones(3, np.float32), "one"), axis=-1, epsilon=1e-5)
    again = g.node("Reshape", g.node("Mul", normal, g.constant(np.zeros(3), "one")), g.sizes(0, -1))
    g.node("Einsum", again, equation="ab->ba", output="o")
    return g.model([("x", np.float32, ("n", 3, 200))], "o", (600, "n"))


def test_the_bytes_are_those_of_the_onnx_package() -> None:
    def constant(name: str, value: Any) -> Any:
        return numpy_helper.from_array(np.ascontiguousarray(value), name)

    nodes = [
        helper.make_node("Transpose", ["x"], ["v0"], perm=[0, 2, 1]),
        helper.make_node("Mul", ["v0", f"number_{1 / 3!r}"], ["v1"]),
        helper.make_node("LayerNormalization", ["v1", "one"], ["v2"], axis=-1, epsilon=1e-5),
        helper.make_node("Mul", ["v2", "one"], ["v3"]),
        helper.make_node("Reshape", ["v3", "sizes_0_-1"], ["v4"]),
        helper.make_node("Einsum", ["v4"], ["o"], equation="ab->ba"),
    ]
    constants = [
        constant(f"number_{1 / 3!r}", np.float32(1 / 3)),
        constant("one", np.ones(3, np.float32)),
        constant("sizes_0_-1", np.asarray([0, -1])),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "hwml", [info("x", 1, ["n", 3, 200])], [info("o", 1, [600, "n"])], constants
    )  # fmt: skip
    imports = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="hwml", ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    assert _graph() == model.SerializeToString()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int32, np.int64, np.bool_])
def test_constants_of_all_kinds_come_back(dtype: type[np.generic]) -> None:
    value = np.asarray([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    for given in (value, value.T, np.asfortranarray(value), value.astype(value.dtype.newbyteorder(">"))):
        g = Graph()
        g.constant(given, "c")
        (kept,) = onnx.load_model_from_string(g.model([], "c", ())).graph.initializer
        found = numpy_helper.to_array(kept)
        assert found.dtype == value.dtype
        assert found.tolist() == given.tolist()


def test_onnxruntime_runs_it() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 200)).astype(np.float32)
    turned = x.transpose(0, 2, 1) / 3
    centered = turned - turned.mean(-1, keepdims=True)
    truth = (centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5)).reshape(2, 600).T
    assert np.abs(run_session(open_session(_graph()), x) - truth).max() < 1e-5
