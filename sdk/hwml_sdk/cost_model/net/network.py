"""The adams2019 network in torch, term by term as Halide's cost model generator writes it (Halide 21.0.0).

Tensors keep Halide's layouts, so that weights go to and from files unchanged.
"""

from __future__ import annotations

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


class Net(torch.nn.Module):
    """Features of one pipeline's schedules to run times.

    `network` gives the 32 coefficients before their relu, `cost` turns them into milliseconds, `forward` is both.
    Shapes: pipeline features (stages, 40, 7); schedule features (n, stages, 39); coefficients (n, stages, 32).
    """

    head1_filter: Tensor
    head1_bias: Tensor
    head2_filter: Tensor
    head2_bias: Tensor
    conv1_filter: Tensor
    conv1_bias: Tensor

    def __init__(self, weights: Weights | None = None, *, seed: int = 0) -> None:
        """Start from `weights`, or from random ones as Halide draws them."""
        super().__init__()
        for name, shape, _ in BUFFERS:
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))
        (Weights.random(seed) if weights is None else weights).load_in_model(self)

    def network(self, pipeline: Tensor, schedule: Tensor) -> Tensor:
        """Coefficients (n, stages, 32) before the relu; the loss regularises them in this form."""
        embedded = self.algorithm(pipeline)
        hidden = torch.relu(torch.log(schedule + 1) @ self.head2_filter + self.head2_bias)
        return hidden @ self.conv1_filter[8:] + embedded

    def algorithm(self, pipeline: Tensor) -> Tensor:
        """The part of the coefficients (stages, 32) that does not depend on the schedule."""
        head1 = torch.einsum("srt,trc->sc", pipeline, torch.sigmoid(self.head1_filter)) + self.head1_bias
        return head1 @ self.conv1_filter[:8] + self.conv1_bias

    def forward(self, pipeline: Tensor, schedule: Tensor, num_cores: float) -> Tensor:
        """Predicted run times (n,) in milliseconds on `num_cores` cores."""
        return self.cost(self.network(pipeline, schedule), schedule, num_cores)

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
