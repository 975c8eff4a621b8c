"""Building ONNX graphs node by node: what a trained network computes, without the package that trained it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import MissingDependencyError

OPSET, IR_VERSION = 17, 8  # LayerNormalization came with 17; onnxruntime 1.18 reads both


class Graph:
    """Collects nodes and constants. Raises MissingDependencyError without the onnx package."""

    def __init__(self, extra: str) -> None:
        try:
            from onnx import helper, numpy_helper
        except ImportError as error:
            raise MissingDependencyError("onnx", extra) from error
        self._helper, self._numpy = helper, numpy_helper
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, value: Any, name: str = "") -> str:
        """The name of a constant; one with a name is stored once."""
        name = name or f"c{len(self._constants)}"
        if name not in self._constants:
            self._constants[name] = self._numpy.from_array(np.ascontiguousarray(value), name)
        return name

    def number(self, value: float) -> str:
        """A float32 constant."""
        return self.constant(np.float32(value), f"number_{value!r}")

    def sizes(self, *values: int) -> str:
        """An int64 vector: shapes and axes."""
        return self.constant(np.asarray(values, dtype=np.int64), "sizes_" + "_".join(map(str, values)))

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node and give the name of its output."""
        output = output or f"v{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def linear(self, x: str, weight: Any, bias: Any | None) -> str:
        """x @ weight.T + bias, weight as torch keeps it [out, in]."""
        product = self.node("MatMul", x, self.constant(np.asarray(weight).T))
        return product if bias is None else self.node("Add", product, self.constant(np.asarray(bias)))

    def model(self, inputs: Sequence[tuple[str, type[np.generic], Sequence[Any]]], output: str, shape: Any) -> bytes:
        """The checked model. `inputs`: name, dtype, shape (numbers, or names of axes)."""
        import onnx

        def info(name: str, dtype: Any, axes: Sequence[Any]) -> Any:
            code = self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            return self._helper.make_tensor_value_info(name, code, list(axes))

        graph = self._helper.make_graph(
            self._nodes,
            "hwml",
            [info(*one) for one in inputs],
            [info(output, np.float32, shape)],
            list(self._constants.values()),
        )
        imports = [self._helper.make_opsetid("", OPSET)]
        model = self._helper.make_model(graph, opset_imports=imports, producer_name="hwml", ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data
