"""The model as an ONNX graph: features and number of cores in, run times out; no Halide, no torch.

Inputs: `pipeline` (stages, 40, 7), `schedule` (n, stages, 39), `num_cores` (1), all float32. Output: `runtime_ms` (n).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import ArtifactError, MissingDependencyError
from ...inference import open_session, run_session
from ..data.features import N_MODEL_ROWS, N_SCHEDULE, N_TYPES, SCHEDULE_INDEX
from ..data.samples import Floats
from .terms import COST_TO_MS, DERIVED_FROM, TERMS
from .weights import Weights

_STAGES_AT_ONCE = 100_000  # of all schedules together: 100 MB of what a model may take (`inference.MEMORY_BYTES`)

OPSET = 18
PRODUCER = "hwml"
TWICE = {"twice_lines_stored", "twice_bytes_stored", "false_sharing", "page_faults"}
"""quantities with a factor of 2"""


class _Graph:
    """Collects nodes and constants."""

    def __init__(self) -> None:
        from onnx import helper

        self.helper = helper
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

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

    def split(self, value: str, names: Sequence[str]) -> dict[str, str]:
        """One row of `value` for each name, (1, n, stages): contiguous, where a gather on the last axis walks."""
        outputs = [f"f_{name}" for name in names]
        self.nodes.append(self.helper.make_node("Split", [value], outputs, axis=0, num_outputs=len(outputs)))
        return dict(zip(names, outputs, strict=True))


def to_onnx(weights: Weights) -> bytes:
    """A checked ONNX model of these weights. Raises MissingDependencyError without the onnx package."""
    try:
        import onnx
        from onnx import TensorProto, helper
    except ImportError as error:
        raise MissingDependencyError("onnx", "halide") from error
    g = _Graph()
    columns = g.node("Transpose", "schedule", perm=[2, 0, 1])
    products = g.node("Mul", _network(g, weights, columns), _terms(g, columns))
    axes = g.constant("terms_and_stages", np.asarray([0, 2], dtype=np.int64))
    g.nodes.append(helper.make_node("ReduceSum", [products, axes], ["runtime_ms"], keepdims=0))
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


def _network(g: _Graph, weights: Weights, columns: str) -> str:
    """Coefficients (terms, n, stages) of the terms that exist, after the relu."""
    kept = sorted(TERMS)
    # What multiplies a whole term goes into its coefficient (relu is positively homogeneous): a node costs 1 us.
    factor = np.asarray([COST_TO_MS * (2 if TWICE & set(TERMS[k]) else 1) for k in kept], dtype=np.float32)
    trunk_filter, trunk_bias = weights.conv1_filter[:, kept] * factor, weights.conv1_bias[kept] * factor
    sigmoid = 1 / (1 + np.exp(-weights.head1_filter.astype(np.float64)))
    head1 = sigmoid.transpose(1, 0, 2).reshape(N_MODEL_ROWS * N_TYPES, -1).astype(np.float32)
    flat = g.node("Reshape", "pipeline", g.constant("flat", np.asarray([-1, N_MODEL_ROWS * N_TYPES], dtype=np.int64)))
    embedded = g.node("Gemm", flat, g.constant("head1", head1), g.constant("bias1", weights.head1_bias))
    constant = g.node("Gemm", g.constant("trunk1", np.ascontiguousarray(trunk_filter[:8].T)), embedded,
                      g.constant("trunk_bias", trunk_bias[:, None]), transB=1)  # fmt: skip
    constant = g.node("Unsqueeze", constant, g.constant("middle_axis", np.asarray([1], dtype=np.int64)))
    logs = g.node("Log", g.node("Add", columns, g.number(1)))
    wide = g.node("Reshape", logs, g.constant("wide", np.asarray([N_SCHEDULE, -1], dtype=np.int64)))
    hidden = g.node("Gemm", g.constant("head2", np.ascontiguousarray(weights.head2_filter.T)), wide,
                    g.constant("bias2", weights.head2_bias[:, None]))  # fmt: skip
    trunk = g.node("MatMul", g.constant("trunk2", np.ascontiguousarray(trunk_filter[8:].T)), g.node("Relu", hidden))
    shape = g.node("Concat", g.constant("terms", np.asarray([len(kept)], dtype=np.int64)),
                   g.node("Shape", "schedule", start=0, end=2), axis=0)  # fmt: skip
    return g.node("Relu", g.node("Add", g.node("Reshape", trunk, shape), constant))


def _terms(g: _Graph, columns: str) -> str:
    """The table (terms, n, stages) of the terms that exist: all left sides times all right sides."""
    wanted = g.constant("wanted", np.asarray([SCHEDULE_INDEX[name] for name in DERIVED_FROM], dtype=np.int64))
    derived = _derived(g, g.split(g.node("Gather", columns, wanted, axis=0), DERIVED_FROM))
    names = [*SCHEDULE_INDEX, *derived]
    values = g.node("Concat", columns, *derived.values(), axis=0)
    sides = []
    for side in range(2):
        rows = np.asarray([names.index(TERMS[k][side]) for k in sorted(TERMS)], dtype=np.int64)
        sides.append(g.node("Gather", values, g.constant(f"side{side}", rows), axis=0))
    return g.node("Mul", *sides)


def _derived(g: _Graph, f: Mapping[str, str]) -> dict[str, str]:
    """The quantities of `terms.derived`, each (1, n, stages); half of those in `TWICE`."""
    one = g.number(1)
    inner = f["inner_parallelism"]
    everything = g.node("Mul", inner, f["outer_parallelism"])
    tasks = g.node("Max", everything, one)
    per_core = g.node("Div", tasks, "num_cores")
    idle = g.node("Div", g.node("Ceil", per_core), g.node("Max", per_core, one))
    not_inlined = g.node("Cast", g.node("Equal", f["inlined_calls"], g.number(0)), to=1)
    parallel = g.node("Cast", g.node("Greater", inner, one), to=1)
    serial = g.node("Sub", one, parallel)
    output = g.node("Mul", serial, _first_stage(g))
    innermost = g.node("Max", f["innermost_bytes_at_task"], one)
    lines = g.node("Mul", inner, g.node("Div", f["bytes_at_task"], innermost))
    points = g.node("Add", f["num_vectors"], f["num_scalars"])
    compute = g.node("Mul", not_inlined, idle)
    stored = f["num_realizations"]
    pages = g.node("Min", inner, g.node("Div", g.number(4096), innermost))
    return {
        "one": g.node("Add", parallel, serial),
        "vector_points": g.node("Mul", f["vector_size"], f["num_vectors"]),
        "compute_scale": compute,
        "inlined_scale": g.node("Sub", idle, compute),
        "num_tasks": tasks,
        "all_parallelism": everything,
        "is_parallel": parallel,
        "serial_output": output,
        "serial_inner": g.node("Sub", serial, output),
        "twice_lines_stored": g.node("Mul", stored, lines),
        "twice_bytes_stored": g.node("Mul", stored, f["bytes_at_realization"]),
        "false_sharing": g.node("Div", points, innermost),
        "page_faults": g.node("Mul", f["bytes_at_production"], pages),
        "inner_parallelism_less_1": g.node("Sub", inner, one),
    }


def _first_stage(g: _Graph) -> str:
    """(stages,): 1 for stage 0, the output's last stage."""
    count = g.node("Squeeze", g.node("Shape", "pipeline", start=0, end=1))
    zero = g.constant("zero_index", np.int64(0))
    positions = g.node("Range", zero, count, g.constant("one_index", np.int64(1)))
    return g.node("Cast", g.node("Equal", positions, zero), to=1)


class OnnxPredictor:
    """Runs an exported model with onnxruntime on one thread. Raises ArtifactError for bytes that are no model."""

    def __init__(self, model: bytes, name: str = "model") -> None:
        self._session, self._name = open_session(model, name), name

    def predict(self, pipeline: Floats, schedule: Floats, num_cores: float) -> Floats:
        """Run times (n,) in milliseconds of schedules (n, stages, 39) of one pipeline (stages, 280)."""
        at_once = max(_STAGES_AT_ONCE // max(schedule.shape[1], 1), 1)
        if len(schedule) <= at_once:
            return self._predict(pipeline, schedule, num_cores)
        parts = [
            self._predict(pipeline, schedule[start : start + at_once], num_cores)
            for start in range(0, len(schedule), at_once)
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
