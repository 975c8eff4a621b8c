"""What a file in the ONNX format holds, read before onnxruntime does: models may come from other people.

Only operators that the models of hwml are made of are run: none of them loops, none reads another file, so that with
the bound on memory (`inference`) a model takes time and memory by its size, whatever its numbers are.

The format is protocol buffers; field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto).
"""

from __future__ import annotations

from collections.abc import Iterator

# Of the exporters of `train.qor`, `cost_model.net.onnx`, `lora.graph` and `encoder_onnx`; by domain and name.
ALLOWED = frozenset(
    {("ai.onnx.ml", "TreeEnsembleRegressor")}
    | {
        ("", name)
        for name in (
            "Add", "Cast", "Ceil", "Clip", "Concat", "Conv", "Div", "Einsum", "Equal", "Erf", "Gather", "Gemm",
            "Greater", "IsNaN", "LayerNormalization", "Log", "MatMul", "Max", "Min", "Mul", "Range", "ReduceSum",
            "Relu", "Reshape", "Shape", "Slice", "Softmax", "Split", "Squeeze", "Sub", "Tanh", "Transpose", "Unsqueeze",
            "Where",
        )
    }
)  # fmt: skip
MAX_FIELDS = 100_000  # of one level of a message; the models of hwml have under 200
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_MODEL_GRAPH, _MODEL_FUNCTION = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OP, _NODE_DOMAIN = _NAMES = 4, 7
_TENSOR_EXTERNAL, _TENSOR_LOCATION = 13, 14


def refusal(model: bytes) -> str:
    """Why a model is not run, in words; "" for one that may be. What is no model is left to onnxruntime."""
    data = memoryview(model)
    try:
        for number, value in _fields(data):
            if number == _MODEL_FUNCTION:
                return "it defines operators of its own"
            if number == _MODEL_GRAPH and isinstance(value, memoryview):
                for part, inner in _fields(value):
                    words = _refusal_of_part(part, inner) if isinstance(inner, memoryview) else ""
                    if words:
                        return words
    except (ValueError, IndexError) as error:
        return f"it cannot be read: {error}"
    return ""


def _refusal_of_part(part: int, inner: memoryview) -> str:
    if part == _GRAPH_NODE:
        words = {n: bytes(v).decode() for n, v in _fields(inner) if n in _NAMES and isinstance(v, memoryview)}
        domain, name = words.get(_NODE_DOMAIN, ""), words.get(_NODE_OP, "")
        known = ("" if domain == "ai.onnx" else domain, name) in ALLOWED  # two spellings of the standard's own domain
        return "" if known else f"operator {name!r} is none that models of hwml have"
    if part == _GRAPH_SPARSE:
        return "it has sparse weights"
    if part == _GRAPH_INITIALIZER:
        outside = any(n == _TENSOR_EXTERNAL or (n == _TENSOR_LOCATION and v) for n, v in _fields(inner))
        return "it keeps weights in another file" if outside else ""
    return ""


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field number and value of a message: bytes as a view, all others as a number. ValueError when it is none."""
    at = 0
    for _ in range(MAX_FIELDS):
        if at >= len(data):
            return
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise ValueError("it is cut off")
        yield number, data[at : at + size]
        at += size
    raise ValueError(f"more than {MAX_FIELDS} fields")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")
