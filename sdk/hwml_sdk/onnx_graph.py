"""Building ONNX graphs node by node: what a trained network computes, without the package that trained it.

The format is protocol buffers, written here by hand, so that a machine which only predicts needs no onnx package. Field
numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

OPSET, IR_VERSION = 17, 8  # LayerNormalization came with 17; onnxruntime 1.18 reads both
# TensorProto.DataType
_TYPES = {
    np.dtype(kind): code
    for kind, code in ((np.float32, 1), (np.int32, 6), (np.int64, 7), (np.bool_, 9), (np.float16, 10), (np.float64, 11))
}
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7  # AttributeProto.AttributeType
_MOST_BYTES = (1 << 31) - 1  # of a message


class Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def constant(self, value: Any, name: str = "") -> str:
        """The name of a constant; one with a name is stored once."""
        name = name or f"c{len(self._constants)}"
        if name not in self._constants:
            self._constants[name] = _tensor(name, np.ascontiguousarray(value))  # which has at least one axis
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
        parts = [*(_text(1, name) for name in inputs), _text(2, output), _text(4, kind)]
        parts += [_bytes(5, _attribute(name, value)) for name, value in sorted(attributes.items())]
        self._nodes.append(b"".join(parts))
        return output

    def linear(self, x: str, weight: Any, bias: Any | None) -> str:
        """x @ weight.T + bias, weight as torch keeps it [out, in]."""
        product = self.node("MatMul", x, self.constant(np.asarray(weight).T))
        return product if bias is None else self.node("Add", product, self.constant(np.asarray(bias)))

    def model(self, inputs: Sequence[tuple[str, type[np.generic], Sequence[Any]]], output: str, shape: Any) -> bytes:
        """The model. `inputs`: name, dtype, shape (numbers, or names of axes). Raises ValueError over 2 GiB."""
        graph = b"".join(
            [
                *(_bytes(1, node) for node in self._nodes),
                _text(2, "hwml"),
                *(_bytes(5, tensor) for tensor in self._constants.values()),
                *(_bytes(11, _value(*one)) for one in inputs),
                _bytes(12, _value(output, np.float32, shape)),
            ]
        )
        model = (
            _number(1, IR_VERSION) + _text(2, "hwml") + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, OPSET))
        )
        if len(model) > _MOST_BYTES:
            raise ValueError(f"a graph of {len(model)} bytes: one file of ONNX holds {_MOST_BYTES}")
        return model


def _tensor(name: str, value: Any) -> bytes:
    dims = b"".join(_number(1, size) for size in value.shape)
    little = value.astype(value.dtype.newbyteorder("<"), copy=False)
    return dims + _number(2, _TYPES[value.dtype.newbyteorder("=")]) + _text(8, name) + _bytes(9, little.tobytes())


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, float):
        return _text(1, name) + _key(2, 5) + struct.pack("<f", value) + _number(20, _FLOAT)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, _INTS)


def _value(name: str, dtype: Any, axes: Iterable[Any]) -> bytes:
    dims = (_text(2, axis) if isinstance(axis, str) else _number(1, axis) for axis in axes)
    shape = b"".join(_bytes(1, dim) for dim in dims)
    tensor = _number(1, _TYPES[np.dtype(dtype)]) + _bytes(2, shape)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; of a negative number the 64 bits of its complement."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _bytes(field: int, data: bytes) -> bytes:
    return _key(field, 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())
