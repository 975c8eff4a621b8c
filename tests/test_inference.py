"""Models of other people: what they make onnxruntime do is bounded before it is done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.errors import ArtifactError
from hwml_sdk.inference import open_session

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra train-qor)")
helper, FLOAT, INT64 = onnx.helper, 1, 7  # TensorProto.DataType
_RUN = """
import json, re, sys
from itertools import pairwise
from pathlib import Path
import numpy as np
from hwml_sdk.errors import ArtifactError
from hwml_sdk.inference import open_session, run_session
try:
    run_session(open_session(Path(sys.argv[1])), np.ones((2, 4), np.float32))
    said = ""
except ArtifactError as error:
    said = str(error)
# VmHWM, not ru_maxrss: that one begins with the size of the process that started this one.
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps([said, int(peak[1]) / 1024]))
"""


def _model(*nodes: Any, constants: tuple[Any, ...] = (), functions: tuple[Any, ...] = ()) -> bytes:
    """From x, n rows of 4 numbers, to y."""
    inputs, outputs = ([helper.make_tensor_value_info(name, FLOAT, None)] for name in "xy")
    graph = helper.make_graph(list(nodes), "made", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("own", 1)]
    made = helper.make_model(graph, opset_imports=opsets, functions=list(functions))
    made.ir_version = 9
    return bytes(made.SerializeToString())


def _node(operator: str, inputs: str, output: str, **attributes: Any) -> Any:
    return helper.make_node(operator, inputs.split(), [output], **attributes)


def _doubled() -> bytes:
    """2 x 4 numbers beside themselves, 40 times over."""
    return _model(*(_node("Concat", f"{a} {a}", b, axis=1) for a, b in _chain(40)))


def _chain(length: int) -> list[tuple[str, str]]:
    names = ["x", *(f"v{n}" for n in range(1, length)), "y"]
    return list(pairwise(names))


def _outer() -> bytes:
    """A column and a row of 60,000 numbers each: 14 GB when they meet."""
    constants = [helper.make_tensor(name, FLOAT, dims, bytes(240_000), raw=True)
                 for name, dims in (("a", [60_000, 1]), ("b", [1, 60_000]))]  # fmt: skip
    return _model(
        _node("Add", "a b", "c"), _node("ReduceSum", "c", "d"), _node("Mul", "x d", "y"), constants=tuple(constants)
    )


def _counted() -> bytes:
    """Numbers from 0 to 3,000 million."""
    constants = tuple(helper.make_tensor(f"c{value}", INT64, [], [value]) for value in (0, 1, 3_000_000_000))
    return _model(
        _node("Range", "c0 c3000000000 c1", "r"), _node("Cast", "r", "f", to=FLOAT), _node("ReduceSum", "f", "s"),
        _node("Mul", "x s", "y"), constants=constants,
    )  # fmt: skip


def _trees() -> bytes:
    """One tree that says it has 2,000 million outputs."""
    tree = {"nodes_treeids": [0], "nodes_nodeids": [0], "nodes_featureids": [0], "nodes_modes": ["LEAF"],
            "nodes_values": [0.0], "nodes_truenodeids": [0], "nodes_falsenodeids": [0], "target_treeids": [0],
            "target_nodeids": [0], "target_ids": [0], "target_weights": [1.0]}  # fmt: skip
    return _model(_node("TreeEnsembleRegressor", "x", "y", domain="ai.onnx.ml", n_targets=2_000_000_000, **tree))


@pytest.mark.parametrize("made", [_doubled, _outer, _counted, _trees])
def test_a_model_that_asks_for_gigabytes_is_refused_before_it_has_them(
    made: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(made())
    run = subprocess.run([sys.executable, "-P", "-c", _RUN, str(path)], capture_output=True, text=True, check=True)
    said, memory_mb = json.loads(run.stdout)
    assert "the model cannot be run" in said
    assert memory_mb < 450  # 256 of tensors, and 100 of Python with numpy and onnxruntime


def _looped() -> bytes:
    """A loop of 2^62 rounds around nothing."""
    infos = [helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("on", 9, [])]
    body = helper.make_graph([_node("Identity", "on", "more")], "body", infos,
                             [helper.make_tensor_value_info("more", 9, [])])  # fmt: skip
    rounds = helper.make_tensor("rounds", INT64, [], [1 << 62])
    loop = helper.make_node("Loop", ["rounds", ""], [], body=body)
    return _model(loop, _node("Relu", "x", "y"), constants=(rounds,))


def _own_operator() -> bytes:
    function = helper.make_function(
        "own", "Mul", ["a"], ["b"], [_node("Relu", "a", "b")], [helper.make_opsetid("", 17)]
    )
    return _model(_node("Relu", "x", "y"), functions=(function,))


def _outside() -> bytes:
    """Weights in a file that the model names."""
    weights = helper.make_tensor("w", FLOAT, [1], [1.0])
    weights.ClearField("float_data")
    weights.data_location = 1
    weights.external_data.add(key="location", value="../../secret")
    return _model(_node("Mul", "x w", "y"), constants=(weights,))


REFUSED = {
    "a loop": (_looped, "operator 'Loop' is none"),
    "another domain": (lambda: _model(_node("Mul", "x x", "y", domain="own")), "operator 'Mul' is none"),
    "operators of its own": (_own_operator, "operators of its own"),
    "weights elsewhere": (_outside, "in another file"),
    # A group, which protocol buffers skip and an older reader could be led past: field 1, wire type 3.
    "groups": (lambda: b"\x0b" + _looped(), "cannot be read: wire type 3"),
    "a cut": (lambda: _model(_node("Relu", "x", "y"))[:-3], "cannot be read"),
    "an endless number": (lambda: b"\x80" * 11, "cannot be read"),
    "fields without end": (lambda: b"\x08\x01" * 100_001, "more than 100000 fields"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_model_of_hwml_holds_is_refused_unread(name: str) -> None:
    made, words = REFUSED[name]
    with pytest.raises(ArtifactError, match=words):
        open_session(made(), "foreign.onnx")


def test_a_small_model_of_the_same_operators_is_opened() -> None:
    assert open_session(_model(_node("Mul", "x x", "y"))).get_outputs()[0].name == "y"
    assert open_session(_model(_node("Relu", "x", "y", domain="ai.onnx"))).get_outputs()[0].name == "y"
