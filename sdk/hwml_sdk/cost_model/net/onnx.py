"""The model as an ONNX graph: features and number of cores in, run times out; no Halide, no torch.

Inputs: `pipeline` (stages, 40, 7), `schedule` (n, stages, 39), `num_cores` (1), all float32. Output: `runtime_ms` (n).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArtifactError, MissingDependencyError
from ...inference import open_session, run_session
from ..data.features import N_MODEL_ROWS, N_SCHEDULE, N_TYPES, SCHEDULE_INDEX
from ..data.samples import Floats
from .terms import N_TERMS, TERMS
from .weights import Weights

_STAGES_AT_ONCE = 100_000  # of all schedules together: 100 MB of what a model may take (`inference.MEMORY_BYTES`)

OPSET = 18
PRODUCER = "hwml"


class _Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        from onnx import helper

        self.helper = helper
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.feature: dict[str, str] = {}

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(f"c_{value:g}", np.float32(value))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"v{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def __call__(self, name: str) -> str:
        """The schedule feature `name`, (n, stages, 1)."""
        if name not in self.feature:
            index = self.constant(f"i_{name}", np.asarray([SCHEDULE_INDEX[name]], dtype=np.int64))
            self.feature[name] = self.node("Gather", "schedule", index, axis=2)
        return self.feature[name]


def to_onnx(weights: Weights) -> bytes:
    """A checked ONNX model of these weights. Raises MissingDependencyError without the onnx package."""
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise MissingDependencyError("onnx", "halide") from error
    g = _Graph()
    coefficients = _network(g, weights)
    products = g.node("Mul", coefficients, _terms(g))
    axes = g.constant("axes", np.asarray([1, 2], dtype=np.int64))
    total = g.node("ReduceSum", products, axes, keepdims=0)
    g.nodes.append(helper.make_node("Mul", [total, g.number(1e-9)], ["runtime_ms"]))
    real = TensorProto.FLOAT
    graph = helper.make_graph(
        g.nodes,
        "adams2019",
        [
            helper.make_tensor_value_info("pipeline", real, ["stages", N_MODEL_ROWS, N_TYPES]),
            helper.make_tensor_value_info("schedule", real, ["n", "stages", N_SCHEDULE]),
            helper.make_tensor_value_info("num_cores", real, [1]),
        ],
        [helper.make_tensor_value_info("runtime_ms", real, ["n"])],
        list(g.constants.values()),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name=PRODUCER, ir_version=9
    )
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data


def _network(g: _Graph, weights: Weights) -> str:
    sigmoid = 1 / (1 + np.exp(-weights.head1_filter.astype(np.float64)))
    head1 = sigmoid.transpose(1, 0, 2).reshape(N_MODEL_ROWS * N_TYPES, -1).astype(np.float32)
    flat = g.node("Reshape", "pipeline", g.constant("flat", np.asarray([-1, N_MODEL_ROWS * N_TYPES], dtype=np.int64)))
    embedded = g.node(
        "Add", g.node("MatMul", flat, g.constant("head1", head1)), g.constant("bias1", weights.head1_bias)
    )
    constant = g.node("MatMul", embedded, g.constant("trunk1", weights.conv1_filter[:8]))
    constant = g.node("Add", constant, g.constant("trunk_bias", weights.conv1_bias))
    logs = g.node("Log", g.node("Add", "schedule", g.number(1)))
    hidden = g.node("MatMul", logs, g.constant("head2", weights.head2_filter))
    hidden = g.node("Relu", g.node("Add", hidden, g.constant("bias2", weights.head2_bias)))
    trunk = g.node("MatMul", hidden, g.constant("trunk2", weights.conv1_filter[8:]))
    return g.node("Relu", g.node("Add", trunk, constant))


def _terms(g: _Graph) -> str:
    """The term table (n, stages, 32): two gathers from all quantities, multiplied."""
    made = _derived(g)
    names = [*SCHEDULE_INDEX, *made]
    quantities = g.node("Concat", "schedule", *made.values(), axis=2)
    zero = names.index("zero")
    sides = []
    for side in range(2):
        indices = [names.index(TERMS[k][side]) if k in TERMS else zero for k in range(N_TERMS)]
        sides.append(
            g.node("Gather", quantities, g.constant(f"side{side}", np.asarray(indices, dtype=np.int64)), axis=2)
        )
    return g.node("Mul", *sides)


def _derived(g: _Graph) -> dict[str, str]:
    """The quantities of `terms.derived`, as (n, stages, 1)."""
    one, zero = g.number(1), g.number(0)
    inner = g("inner_parallelism")
    ones = g.node("Add", g.node("Mul", inner, zero), one)
    everything = g.node("Mul", inner, g("outer_parallelism"))
    tasks = g.node("Max", everything, one)
    per_core = g.node("Div", tasks, "num_cores")
    idle = g.node("Div", g.node("Ceil", per_core), g.node("Max", per_core, one))
    not_inlined = g.node("Cast", g.node("Equal", g("inlined_calls"), zero), to=1)
    parallel = g.node("Cast", g.node("Greater", inner, one), to=1)
    serial = g.node("Sub", one, parallel)
    first = _first_stage(g)
    innermost = g.node("Max", g("innermost_bytes_at_task"), one)
    twice = g.node("Mul", g("num_realizations"), g.number(2))
    lines = g.node("Mul", inner, g.node("Div", g("bytes_at_task"), innermost))
    points = g.node("Mul", g.node("Add", g("num_vectors"), g("num_scalars")), g.number(2))
    pages = g.node("Min", inner, g.node("Div", g.number(4096), innermost))
    return {
        "zero": g.node("Mul", ones, zero),
        "one": ones,
        "vector_points": g.node("Mul", g("vector_size"), g("num_vectors")),
        "compute_scale": g.node("Mul", not_inlined, idle),
        "inlined_scale": g.node("Mul", g.node("Sub", one, not_inlined), idle),
        "num_tasks": tasks,
        "all_parallelism": everything,
        "is_parallel": parallel,
        "serial_output": g.node("Mul", serial, first),
        "serial_inner": g.node("Mul", serial, g.node("Sub", one, first)),
        "twice_lines_stored": g.node("Mul", twice, lines),
        "twice_bytes_stored": g.node("Mul", twice, g("bytes_at_realization")),
        "false_sharing": g.node("Div", points, innermost),
        "page_faults": g.node("Mul", g.node("Mul", g("bytes_at_production"), pages), g.number(2)),
        "inner_parallelism_less_1": g.node("Sub", inner, one),
    }


def _first_stage(g: _Graph) -> str:
    """(stages, 1): 1 for stage 0, the output's last stage."""
    shape = g.node("Shape", "pipeline", start=0, end=1)
    count = g.node("Squeeze", shape)
    zero = g.constant("zero_index", np.int64(0))
    positions = g.node("Range", zero, count, g.constant("one_index", np.int64(1)))
    is_first = g.node("Cast", g.node("Equal", positions, zero), to=1)
    return g.node("Unsqueeze", is_first, g.constant("last_axis", np.asarray([1], dtype=np.int64)))


class OnnxPredictor:
    """Runs an exported model with onnxruntime on one thread. Raises ArtifactError for bytes that are no model."""

    def __init__(self, model: bytes, name: str = "model") -> None:
        self._session, self._name = open_session(model, name), name

    def predict(self, pipeline: Floats, schedule: Floats, num_cores: float) -> Floats:
        """Run times (n,) in milliseconds of schedules (n, stages, 39) of one pipeline (stages, 280)."""
        at_once = max(_STAGES_AT_ONCE // max(schedule.shape[1], 1), 1)
        parts = [
            self._predict(pipeline, schedule[start : start + at_once], num_cores)
            for start in range(0, max(len(schedule), 1), at_once)
        ]
        return np.concatenate(parts)

    def _predict(self, pipeline: Floats, schedule: Floats, num_cores: float) -> Floats:
        inputs = {
            "pipeline": pipeline.reshape(-1, N_MODEL_ROWS, N_TYPES),
            "schedule": schedule,
            "num_cores": np.asarray([num_cores], dtype=np.float32),
        }
        try:
            found = run_session(self._session, inputs)
        except ArtifactError as error:
            raise ArtifactError(f"{self._name}: is no cost model of hwml's: {error}") from error
        if not isinstance(found, np.ndarray) or found.shape != (len(schedule),):
            raise ArtifactError(f"{self._name}: does not give one run time a schedule; export it again")
        return found
