"""Fit the network's weights in shuffled batches of pipelines (Halide's own procedure: `parity`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MissingDependencyError
from ...interrupt import heed_ctrl_c
from ..data.dataset import PipelineData, cores_of
from .metrics import evaluate_each
from .network import REGULARISATION, Net
from .parity import BETAS, EPSILON
from .terms import COST_TO_MS, term_table
from .weights import BUFFERS, Weights

try:
    import torch
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise MissingDependencyError("torch", "halide") from error

if TYPE_CHECKING:
    from torch import Tensor

SHARPNESS = 3.0  # of the ranking loss: per unit of natural logarithm
LOG_WEIGHT = 0.3
SCALE_WEIGHT = 0.02
NOISE_MARGIN = 0.02


@dataclass(slots=True)
class Batch:
    """Pipelines collated: rows are (sample, stage) pairs, pipeline after pipeline."""

    logs: Tensor
    """(rows, 39) log(1 + schedule features)"""
    terms: Tensor
    """(rows, 32) cost terms in milliseconds"""
    pipeline: Tensor
    """(all stages, 280)"""
    stage_of_row: Tensor
    sample_of_row: Tensor
    pipeline_of_sample: Tensor
    runtime_ms: Tensor
    """(samples,)"""
    n_pipelines: int
    shape: tuple[int, int] | None
    """(samples, stages) when there is one pipeline only: cheaper than going by index"""


def collate_one(data: PipelineData, num_cores: int | None = None) -> Batch:
    """One pipeline as a batch."""
    count, stages, width = data.schedule.shape
    terms = term_table(data.schedule, cores_of(data, num_cores)) * COST_TO_MS
    return Batch(
        torch.from_numpy(np.log(data.schedule + np.float32(1)).reshape(-1, width)),
        torch.from_numpy(terms.reshape(-1, terms.shape[-1])),
        torch.from_numpy(data.pipeline.reshape(stages, -1)),
        torch.arange(stages).repeat(count),
        torch.arange(count).repeat_interleave(stages),
        torch.zeros(count, dtype=torch.long),
        torch.from_numpy(data.runtime_ms),
        1,
        (count, stages),
    )


def merge(parts: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    if len(parts) == 1:
        return parts[0]
    stages = np.cumsum([0, *(len(part.pipeline) for part in parts)])
    samples = np.cumsum([0, *(len(part.runtime_ms) for part in parts)])
    numbers = np.cumsum([0, *(part.n_pipelines for part in parts)])

    def shifted(name: str, offsets: Any) -> Tensor:
        return torch.cat([getattr(part, name) + int(offset) for part, offset in zip(parts, offsets[:-1], strict=True)])

    def joined(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])

    return Batch(
        joined("logs"), joined("terms"), joined("pipeline"), shifted("stage_of_row", stages),
        shifted("sample_of_row", samples), shifted("pipeline_of_sample", numbers), joined("runtime_ms"),
        int(numbers[-1]), None,
    )  # fmt: skip


class Collated:
    """All pipelines in one set of tensors, of which a batch is taken by index: much cheaper than joining parts."""

    def __init__(self, parts: Sequence[Batch]) -> None:
        self.parts = parts
        self._whole = merge(parts)
        self._rows, self._stages, self._samples = (
            _ranges([len(getattr(part, name)) for part in parts]) for name in ("logs", "pipeline", "runtime_ms")
        )
        self._stage_of_row, self._sample_of_row = (
            np.concatenate([getattr(part, name).numpy() for part in parts])
            for name in ("stage_of_row", "sample_of_row")
        )

    def take(self, chosen: Sequence[int]) -> Batch:
        """These pipelines as a batch, in this order."""
        if len(chosen) == 1:
            return self.parts[chosen[0]]
        rows, stages, samples = (
            [ranges[index] for index in chosen] for ranges in (self._rows, self._stages, self._samples)
        )
        every, whole = np.concatenate(rows), self._whole
        sizes = [len(part) for part in rows]

        def shifted(local: Any, ranges: Sequence[Any]) -> Tensor:
            starts = np.cumsum([0, *map(len, ranges[:-1])])
            return torch.from_numpy(local[every] + np.repeat(starts, sizes))

        index = torch.from_numpy(every)
        return Batch(
            whole.logs.index_select(0, index), whole.terms.index_select(0, index),
            whole.pipeline.index_select(0, torch.from_numpy(np.concatenate(stages))),
            shifted(self._stage_of_row, stages), shifted(self._sample_of_row, samples),
            torch.from_numpy(np.repeat(np.arange(len(chosen)), [len(part) for part in samples])),
            whole.runtime_ms.index_select(0, torch.from_numpy(np.concatenate(samples))), len(chosen), None,
        )  # fmt: skip


def _ranges(sizes: Sequence[int]) -> list[Any]:
    """Consecutive ranges of numbers of these sizes."""
    ends = np.cumsum(sizes)
    return [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def forward(net: Net, batch: Batch) -> tuple[Tensor, Tensor]:
    """Run times (samples,) in milliseconds, and the coefficients (rows, 32) before their relu."""
    filters = torch.sigmoid(net.head1_filter).transpose(0, 1).reshape(-1, net.head1_bias.numel())
    head1 = batch.pipeline @ filters + net.head1_bias
    embedded = torch.addmm(net.conv1_bias, head1, net.conv1_filter[:8])
    hidden = torch.relu(torch.addmm(net.head2_bias, batch.logs, net.head2_filter))
    trunk = hidden @ net.conv1_filter[8:]
    if batch.shape is not None:
        coefficients = (trunk.view(*batch.shape, -1) + embedded).view_as(trunk)
        stage_ms = (torch.relu(coefficients) * batch.terms).sum(1)
        return stage_ms.view(batch.shape).sum(1), coefficients
    coefficients = trunk + embedded[batch.stage_of_row]
    stage_ms = (torch.relu(coefficients) * batch.terms).sum(1)
    zero = torch.zeros_like(batch.runtime_ms)
    return zero.index_add(0, batch.sample_of_row, stage_ms), coefficients


def halide_loss(net: Net, batch: Batch) -> Tensor:
    """Halide's loss, summed over the batch's pipelines."""
    prediction, coefficients = forward(net, batch)
    if batch.n_pipelines == 1:
        return Net.loss_func(prediction, batch.runtime_ms, coefficients)
    fastest = _fastest(batch)
    delta = 1 / torch.clamp(prediction / fastest, min=1e-10) - fastest / batch.runtime_ms
    return (delta * delta).sum() + REGULARISATION * torch.relu(-coefficients).sum()


def _fastest(batch: Batch) -> Tensor:
    """For each sample, the run time of its pipeline's fastest."""
    best = torch.full((batch.n_pipelines,), float("inf"))
    best = best.scatter_reduce(0, batch.pipeline_of_sample, batch.runtime_ms, "amin")
    return best[batch.pipeline_of_sample]


def ranking_loss(net: Net, batch: Batch) -> Tensor:
    """Mean over pipelines of a pairwise logistic loss on predicted times, and of the squared log error.

    Pairs weigh by how far their measured times lie apart (at most by log 2), so that noise counts little, and more the
    nearer they are to the fastest schedule: these decide which one is chosen. The log error is taken mostly after each
    pipeline's mean, and keeps predictions proportional to run times.
    """
    prediction, coefficients = forward(net, batch)
    predicted = _by_pipeline(torch.log(torch.clamp(prediction, min=1e-12)), batch, 0.0)
    measured = _by_pipeline(torch.log(batch.runtime_ms), batch, float("inf"))
    there = torch.isfinite(measured)
    counts = there.sum(1, keepdim=True)
    best = measured.min(1, keepdim=True).values
    m = torch.where(there, measured, best)
    both = there[:, :, None] & there[:, None, :]
    weight = torch.clamp(m[:, :, None] - m[:, None, :] - NOISE_MARGIN, min=0, max=0.6931) * both
    weight = weight * torch.exp(best - m)[:, None, :]
    logistic = torch.nn.functional.softplus(-SHARPNESS * (predicted[:, :, None] - predicted[:, None, :]))
    order = (weight * logistic).sum((1, 2)) / torch.clamp(weight.sum((1, 2)), min=1e-3)
    error = torch.where(there, predicted - m, 0.0)
    mean = error.sum(1, keepdim=True) / counts
    spread = (torch.where(there, error - mean, 0.0) ** 2).sum(1) / counts[:, 0]
    push = REGULARISATION * torch.relu(-coefficients).mean() * 32
    return (order + LOG_WEIGHT * spread + SCALE_WEIGHT * mean[:, 0] ** 2).mean() + push


def _by_pipeline(values: Tensor, batch: Batch, empty: float) -> Tensor:
    """Values of samples (samples,) as (pipelines, most samples of one), padded with `empty`."""
    owner = batch.pipeline_of_sample
    counts = torch.bincount(owner, minlength=batch.n_pipelines)
    starts = torch.cumsum(counts, 0) - counts
    column = torch.arange(len(owner)) - starts[owner]
    table = values.new_full((batch.n_pipelines, int(counts.max())), empty)
    return table.index_put((owner, column), values)


LOSSES: dict[str, Callable[[Net, Batch], Tensor]] = {"halide": halide_loss, "ranking": ranking_loss}


def adam(net: Net, rate: float) -> torch.optim.Adam:
    """Halide's optimiser."""
    return torch.optim.Adam(net.parameters(), lr=rate, betas=BETAS, eps=EPSILON, fused=True)


def step(net: Net, optimiser: torch.optim.Adam, batch: Batch, loss: Callable[[Net, Batch], Tensor]) -> float:
    """One step of the optimiser; returns the loss before it."""
    heed_ctrl_c()
    optimiser.zero_grad(set_to_none=True)
    value = loss(net, batch)
    value.backward()
    optimiser.step()
    return float(value.item())


def calibrate(weights: Weights, pipelines: Sequence[PipelineData], num_cores: int | None = None) -> Weights:
    """Scale the predictions so that the median of predicted over measured, over pipelines, is 1. The order stays.

    Weights that predict nothing (0 everywhere) are returned as they are.
    """
    ratios = [metrics["scale"] for metrics in evaluate_each(weights, pipelines, num_cores=num_cores)]
    scale = float(np.median(ratios))
    return weights.scaled(1 / scale) if 1e-20 < scale < 1e20 else weights


class BatchedFit:
    """The default procedure: shuffled batches of pipelines, one step each; its state can be saved."""

    def __init__(
        self, weights: Weights, pipelines: Sequence[PipelineData], *, rate: float, loss: str = "ranking",
        batch_pipelines: int = 8, num_cores: int | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self.net = Net(weights)
        self.optimiser = adam(self.net, rate)
        self.loss = LOSSES[loss]
        self.data = Collated([collate_one(data, num_cores) for data in pipelines])
        self.batch_pipelines = batch_pipelines
        self.seed = seed
        self.epoch = 0

    def set_rate(self, rate: float) -> None:
        """Use another learning rate from here on."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def run_epoch(self) -> float:
        """Show every pipeline once; returns the mean loss."""
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.data.parts))
        losses = []
        for start in range(0, len(order), self.batch_pipelines):
            batch = self.data.take(order[start : start + self.batch_pipelines].tolist())
            losses.append(step(self.net, self.optimiser, batch, self.loss))
        self.epoch += 1
        return float(np.mean(losses))

    def weights(self) -> Weights:
        """The weights as they are now."""
        return Weights.load_from_model(self.net)

    def state(self) -> dict[str, np.ndarray]:
        """Weights and optimiser as plain arrays."""
        made = {"epoch": np.asarray(self.epoch)}
        for name, _, _ in BUFFERS:
            parameter = getattr(self.net, name)
            made[name] = parameter.detach().numpy().copy()
            for key, value in self.optimiser.state.get(parameter, {}).items():
                made[f"{name}.{key}"] = value.detach().numpy().copy()
        return made

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up a saved state; KeyError or ValueError when it is no such state."""
        self.epoch = int(state["epoch"])
        Weights.from_arrays({name: state[name] for name, _, _ in BUFFERS}).load_in_model(self.net)
        for name, _, _ in BUFFERS:
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{name}.{key}" in state]
            if keys:
                values = {key: torch.from_numpy(np.array(state[f"{name}.{key}"])) for key in keys}
                self.optimiser.state[getattr(self.net, name)] = values


def batch_loss(weights: Weights, pipelines: Sequence[PipelineData], loss: str, num_cores: int | None = None) -> float:
    """Mean loss of weights over pipelines, without a step."""
    net = Net(weights)
    with torch.no_grad():
        return float(np.mean([LOSSES[loss](net, collate_one(data, num_cores)).item() for data in pipelines]))
