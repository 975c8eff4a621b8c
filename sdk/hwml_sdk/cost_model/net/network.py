"""The adams2019 network in torch, term by term as Halide's cost model generator writes it (Halide 21.0.0).

Tensors keep Halide's layouts, so that weights go to and from files unchanged.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from ...errors import MissingDependencyError
from ..data.features import SCHEDULE_INDEX
from .weights import BUFFERS, Weights

try:
    import torch
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise MissingDependencyError("torch", "halide") from error

if TYPE_CHECKING:
    from torch import Tensor

REGULARISATION = 1e-5


class Layer(torch.nn.Module):
    """A filter and a bias, in Halide's layout."""

    filter: Tensor
    bias: Tensor

    def __init__(self, filter_shape: tuple[int, ...], bias_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_parameter("filter", torch.nn.Parameter(torch.zeros(filter_shape)))
        self.register_parameter("bias", torch.nn.Parameter(torch.zeros(bias_shape)))

    def extra_repr(self) -> str:
        """The filter's shape, for `print(net)`."""
        return " x ".join(map(str, self.filter.shape))


class Head1(Layer):
    """Embeds the algorithm: pipeline features (stages, 40, 7) to (stages, 8). Its filter goes through a sigmoid."""

    def forward(self, pipeline: Tensor) -> Tensor:
        """(stages, 8); no relu."""
        return torch.einsum("srt,trc->sc", pipeline, torch.sigmoid(self.filter)) + self.bias


class Head2(Layer):
    """Embeds the schedule: schedule features (n, stages, 39) to (n, stages, 24)."""

    def forward(self, schedule: Tensor) -> Tensor:
        """(n, stages, 24), after the relu."""
        return torch.relu(torch.log(schedule + 1) @ self.filter + self.bias)


class Conv1(Layer):
    """Both embeddings to the 32 coefficients of the cost, before their relu."""

    def forward(self, head1: Tensor, head2: Tensor) -> Tensor:
        """(n, stages, 32)."""
        # The part of the algorithm is computed once for all schedules.
        return head2 @ self.filter[8:] + (head1 @ self.filter[:8] + self.bias)


class Net(torch.nn.Module):
    """Features of one pipeline's schedules to run times.

    Three layers: `head1` embeds the algorithm, `head2` the schedule, `conv1` makes the coefficients of both. `network`
    gives the 32 coefficients before their relu, `cost` turns them into milliseconds, `forward` is both.
    Shapes: pipeline features (stages, 40, 7); schedule features (n, stages, 39); coefficients (n, stages, 32).
    """

    def __init__(self, weights: Weights | None = None, *, seed: int = 0) -> None:
        """Start from `weights`, or from random ones as Halide draws them."""
        super().__init__()
        shapes = {name: shape for name, shape, _ in BUFFERS}
        self.head1 = Head1(shapes["head1_filter"], shapes["head1_bias"])
        self.head2 = Head2(shapes["head2_filter"], shapes["head2_bias"])
        self.conv1 = Conv1(shapes["conv1_filter"], shapes["conv1_bias"])
        (Weights.random(seed) if weights is None else weights).load_in_model(self)

    @property
    def head1_filter(self) -> Tensor:
        """(7, 40, 8): before the sigmoid."""
        return self.head1.filter

    @property
    def head1_bias(self) -> Tensor:
        """(8,)"""
        return self.head1.bias

    @property
    def head2_filter(self) -> Tensor:
        """(39, 24)"""
        return self.head2.filter

    @property
    def head2_bias(self) -> Tensor:
        """(24,)"""
        return self.head2.bias

    @property
    def conv1_filter(self) -> Tensor:
        """(32, 32): inputs (8 of head1, then 24 of head2), coefficients."""
        return self.conv1.filter

    @property
    def conv1_bias(self) -> Tensor:
        """(32,)"""
        return self.conv1.bias

    def network(self, pipeline: Tensor, schedule: Tensor) -> Tensor:
        """Coefficients (n, stages, 32) before the relu; the loss regularises them in this form."""
        made: Tensor = self.conv1(self.head1(pipeline), self.head2(schedule))
        return made

    def forward(self, pipeline: Tensor, schedule: Tensor, num_cores: float) -> Tensor:
        """Predicted run times (n,) in milliseconds on `num_cores` cores."""
        return self.cost(self.network(pipeline, schedule), schedule, num_cores)

    def forword(self, pipeline: Tensor, schedule: Tensor, num_cores: float) -> Tensor:
        """`forward` under a misspelt name that older code calls. Deprecated: call the model itself."""
        warnings.warn(
            "Net.forword is a misspelling of forward: call net(...) instead", DeprecationWarning, stacklevel=2
        )
        return self.forward(pipeline, schedule, num_cores)

    @staticmethod
    def cost(coefficients: Tensor, schedule: Tensor, num_cores: float) -> Tensor:
        """Run times (n,) in milliseconds from coefficients (n, stages, 32) before their relu."""
        r = torch.relu(coefficients).unbind(-1)
        f = {name: schedule[..., index] for name, index in SCHEDULE_INDEX.items()}
        stage = _compute(r, f, num_cores) + _load(r, f) + _store(r, f) + _overheads(r, f)
        return stage.sum(-1) * 1e-9

    @staticmethod
    def loss_func(prediction: Tensor, runtime_ms: Tensor, coefficients: Tensor) -> Tensor:
        """Halide's loss of one pipeline's batch: errors of relative throughput, summed, and a push on dead relus.

        `coefficients` (n, stages, 32) are those before the relu.
        """
        delta = relative_throughput_error(prediction, runtime_ms)
        return (delta * delta).sum() + REGULARISATION * torch.relu(-coefficients).sum()


def relative_throughput_error(prediction: Tensor, runtime_ms: Tensor) -> Tensor:
    """Predicted less measured speed (n,), both relative to the fastest measured schedule of the batch."""
    fastest = runtime_ms.min()
    return 1 / torch.clamp(prediction / fastest, min=1e-10) - fastest / runtime_ms


def _compute(r: tuple[Tensor, ...], f: dict[str, Tensor], num_cores: float) -> Tensor:
    inlined = f["inlined_calls"] != 0
    vectors, scalars = f["vector_size"] * f["num_vectors"], f["num_scalars"]
    compute = vectors * torch.where(inlined, r[2], r[0]) + scalars * torch.where(inlined, r[3], r[1])
    tasks_per_core = _tasks(f) / num_cores
    return compute * torch.ceil(tasks_per_core) / torch.clamp(tasks_per_core, min=1)


def _tasks(f: dict[str, Tensor]) -> Tensor:
    return torch.clamp(f["inner_parallelism"] * f["outer_parallelism"], min=1)


def _load(r: tuple[Tensor, ...], f: dict[str, Tensor]) -> Tensor:
    vectors, scalars, tasks = f["num_vectors"], f["num_scalars"], _tasks(f)
    realized = f["unique_lines_read_per_realization"] * r[5] + f["unique_bytes_read_per_realization"] * r[6]
    return (
        f["num_realizations"] * realized
        + vectors * f["scalar_loads_per_vector"] * r[7]
        + scalars * f["scalar_loads_per_scalar"] * r[8]
        + vectors * f["vector_loads_per_vector"] * r[9]
        + f["unique_bytes_read_per_vector"] * (scalars * r[10] + vectors * r[11])
        + f["unique_lines_read_per_vector"] * (scalars * r[12] + vectors * r[13])
        + tasks * (f["unique_bytes_read_per_task"] * r[14] + f["unique_lines_read_per_task"] * r[15])
    )


def _store(r: tuple[Tensor, ...], f: dict[str, Tensor]) -> Tensor:
    inner = f["inner_parallelism"]
    parallel = inner > 1
    innermost = torch.clamp(f["innermost_bytes_at_task"], min=1)
    output = torch.zeros_like(inner, dtype=torch.bool)
    output[..., 0] = True
    alpha = torch.where(parallel, r[16], torch.where(output, r[17], r[18]))
    beta = torch.where(parallel, r[19], torch.where(output, r[20], r[21]))
    lines = inner * (f["bytes_at_task"] / innermost)
    store = f["num_realizations"] * (lines * alpha + f["bytes_at_realization"] * beta)
    store = store + torch.where(parallel, r[22] * (f["num_vectors"] + f["num_scalars"]) / innermost, 0)
    pages = f["bytes_at_production"] * torch.minimum(inner, 4096 / innermost) * inner * f["outer_parallelism"]
    return 2 * (store + pages * r[23])  # doubled in Halide, whose weights were trained so


def _overheads(r: tuple[Tensor, ...], f: dict[str, Tensor]) -> Tensor:
    inner = f["inner_parallelism"]
    parallelism = f["num_productions"] * (torch.where(inner > 1, r[25], 0) + (inner - 1) * r[26])
    return r[24] * f["num_realizations"] + parallelism + f["working_set"] * r[27]


def predict(weights: Weights, pipeline: np.ndarray, schedule: np.ndarray, num_cores: float) -> np.ndarray:
    """Run times (n,) in milliseconds, through torch, from (stages, 40, 7) and (n, stages, 39)."""
    with torch.no_grad():
        made: np.ndarray = Net(weights)(torch.from_numpy(pipeline), torch.from_numpy(schedule), num_cores).numpy()
    return made
