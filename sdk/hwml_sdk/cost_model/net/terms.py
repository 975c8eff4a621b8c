"""The adams2019 cost as a table of 32 terms per stage and schedule, to be multiplied by the network's coefficients.

cost = sum over stages and k of coefficient_k * term_k, in units of 1e-9 ms. The terms depend on schedule features and
the number of cores only, so that training computes them once. Formula: cost_model_generator.cpp of Halide 21.0.0, with
its doubled store cost. Terms 4 and 28..31 do not exist (0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ..data.features import N_MODEL_ROWS, N_PIPELINE, N_ROWS, N_SCHEDULE, N_TYPES, SCHEDULE_INDEX
from ..data.samples import Floats
from .weights import Weights

N_TERMS = 32
COST_TO_MS = np.float32(1e-9)

# Term k = left * right; names are schedule features or quantities of `derived`.
TERMS: dict[int, tuple[str, str]] = {
    0: ("vector_points", "compute_scale"),
    1: ("num_scalars", "compute_scale"),
    2: ("vector_points", "inlined_scale"),
    3: ("num_scalars", "inlined_scale"),
    5: ("num_realizations", "unique_lines_read_per_realization"),
    6: ("num_realizations", "unique_bytes_read_per_realization"),
    7: ("num_vectors", "scalar_loads_per_vector"),
    8: ("num_scalars", "scalar_loads_per_scalar"),
    9: ("num_vectors", "vector_loads_per_vector"),
    10: ("num_scalars", "unique_bytes_read_per_vector"),
    11: ("num_vectors", "unique_bytes_read_per_vector"),
    12: ("num_scalars", "unique_lines_read_per_vector"),
    13: ("num_vectors", "unique_lines_read_per_vector"),
    14: ("num_tasks", "unique_bytes_read_per_task"),
    15: ("num_tasks", "unique_lines_read_per_task"),
    16: ("twice_lines_stored", "is_parallel"),
    17: ("twice_lines_stored", "serial_output"),
    18: ("twice_lines_stored", "serial_inner"),
    19: ("twice_bytes_stored", "is_parallel"),
    20: ("twice_bytes_stored", "serial_output"),
    21: ("twice_bytes_stored", "serial_inner"),
    22: ("false_sharing", "is_parallel"),
    23: ("page_faults", "all_parallelism"),
    24: ("num_realizations", "one"),
    25: ("num_productions", "is_parallel"),
    26: ("num_productions", "inner_parallelism_less_1"),
    27: ("working_set", "one"),
}


def derived(feature: dict[str, Any], first_stage: Any, num_cores: Any, xp: Any) -> dict[str, Any]:
    """Quantities between features and terms; `xp` is numpy or torch, `first_stage` is 1 for stage 0 and 0 elsewhere."""
    inner, outer = feature["inner_parallelism"], feature["outer_parallelism"]
    all_parallelism = inner * outer
    one = xp.ones_like(inner)
    num_tasks = xp.maximum(all_parallelism, one)
    tasks_per_core = num_tasks / num_cores
    idle = xp.ceil(tasks_per_core) / xp.maximum(tasks_per_core, one)
    inlined = one * (feature["inlined_calls"] != 0)
    parallel = one * (inner > 1)
    serial = one - parallel
    innermost_bytes = xp.maximum(feature["innermost_bytes_at_task"], one)
    twice = feature["num_realizations"] * 2
    return {
        "one": one,
        "vector_points": feature["vector_size"] * feature["num_vectors"],
        "compute_scale": (one - inlined) * idle,
        "inlined_scale": inlined * idle,
        "num_tasks": num_tasks,
        "all_parallelism": all_parallelism,
        "is_parallel": parallel,
        "serial_output": serial * first_stage,
        "serial_inner": serial * (1 - first_stage),
        "twice_lines_stored": twice * (inner * (feature["bytes_at_task"] / innermost_bytes)),
        "twice_bytes_stored": twice * feature["bytes_at_realization"],
        "false_sharing": (feature["num_vectors"] + feature["num_scalars"]) * 2 / innermost_bytes,
        "page_faults": feature["bytes_at_production"] * xp.minimum(inner, 4096 / innermost_bytes) * 2,
        "inner_parallelism_less_1": inner - 1,
    }


# Rows of the table of all quantities: schedule features, derived ones, and zeros for terms that do not exist.
_DERIVED = (
    "one", "vector_points", "compute_scale", "inlined_scale", "num_tasks", "all_parallelism", "is_parallel",
    "serial_output", "serial_inner", "twice_lines_stored", "twice_bytes_stored", "false_sharing", "page_faults",
    "inner_parallelism_less_1",
)  # fmt: skip
_PLACE = SCHEDULE_INDEX | {name: N_SCHEDULE + index for index, name in enumerate(_DERIVED)}
_SIDES = [TERMS.get(k, ("", "")) for k in range(N_TERMS)]
_LEFT, _RIGHT = (np.asarray([_PLACE.get(pair[side], -1) for pair in _SIDES]) for side in range(2))
DERIVED_FROM = (
    "inner_parallelism", "outer_parallelism", "inlined_calls", "innermost_bytes_at_task", "num_realizations",
    "vector_size", "num_vectors", "num_scalars", "bytes_at_task", "bytes_at_realization", "bytes_at_production",
)  # fmt: skip


def term_rows(columns: Floats, first_stage: Any, num_cores: float) -> Floats:
    """Terms (32, ...) of schedule features (39, ...)."""
    feature = {name: columns[SCHEDULE_INDEX[name]] for name in DERIVED_FROM}
    values = np.empty((N_SCHEDULE + len(_DERIVED) + 1, *columns.shape[1:]), dtype=np.float32)
    values[:N_SCHEDULE] = columns
    made = derived(feature, first_stage, np.float32(num_cores), np)
    for place, name in enumerate(_DERIVED, start=N_SCHEDULE):
        values[place] = made[name]
    values[-1] = 0
    # All left sides times all right sides: three calls where one for each term would cost a small input the most.
    rows: Floats = values[_LEFT]
    rows *= values[_RIGHT]
    return rows


def term_table(schedule: Floats, num_cores: float) -> Floats:
    """Terms (n, stages, 32) of schedule features (n, stages, 39)."""
    columns = np.ascontiguousarray(np.moveaxis(schedule, -1, 0))
    return np.ascontiguousarray(np.moveaxis(term_rows(columns, _first(schedule.shape[1]), num_cores), 0, -1))


def _first(stages: int) -> Floats:
    mask = np.zeros(stages, dtype=np.float32)
    mask[0] = 1
    return mask


class Predictor:
    """The network in numpy, prepared for many calls. One thread, no torch."""

    CHUNK = 768  # stages at a time: the tables of a chunk stay in a core's second-level cache

    def __init__(self, weights: Weights) -> None:
        sigmoid = 1 / (1 + np.exp(-weights.head1_filter.astype(np.float64)))
        # (rows * types, 8), in the order of a stored stage.
        self._head1 = sigmoid.transpose(1, 0, 2).reshape(N_MODEL_ROWS * N_TYPES, -1).astype(np.float32)
        self._head1_bias = weights.head1_bias
        self._head2 = np.ascontiguousarray(weights.head2_filter.T)
        self._head2_bias = weights.head2_bias[:, None]
        self._trunk1 = weights.conv1_filter[:8]
        self._trunk2 = np.ascontiguousarray(weights.conv1_filter[8:].T)
        self._trunk_bias = weights.conv1_bias

    def predict(self, pipeline: Floats, schedule: Floats, num_cores: float) -> Floats:
        """Run times (n,) in milliseconds of schedules (n, stages, 39) of one pipeline (stages, 280)."""
        stages = len(pipeline)
        embedded: Floats = pipeline @ self._head1 + self._head1_bias
        constant: Floats = (embedded @ self._trunk1 + self._trunk_bias).T
        first = _first(stages)
        step = max(1, self.CHUNK // stages)
        if len(schedule) <= step:
            return self._chunk(constant, schedule, first, num_cores)
        parts = [
            self._chunk(constant, schedule[start : start + step], first, num_cores)
            for start in range(0, len(schedule), step)
        ]
        return np.concatenate(parts)

    def term_costs(self, pipeline: Floats, schedule: Floats, num_cores: float) -> Floats:
        """What each term adds to the run time: (n, 32) milliseconds, whose rows sum to what `predict` says."""
        embedded: Floats = pipeline @ self._head1 + self._head1_bias
        constant: Floats = (embedded @ self._trunk1 + self._trunk_bias).T
        costs = self._costs(constant, schedule, _first(len(pipeline)), num_cores)
        made: Floats = (costs.sum(axis=2) * COST_TO_MS).T
        return made

    def _chunk(self, constant: Floats, schedule: Floats, first: Floats, num_cores: float) -> Floats:
        made: Floats = self._costs(constant, schedule, first, num_cores).sum(axis=0).sum(axis=1) * COST_TO_MS
        return made

    def _costs(self, constant: Floats, schedule: Floats, first: Floats, num_cores: float) -> Floats:
        """Coefficients times terms, (32, n, stages)."""
        count, stages, _ = schedule.shape
        columns = np.ascontiguousarray(schedule.reshape(count * stages, N_SCHEDULE).T)
        terms = term_rows(columns.reshape(N_SCHEDULE, count, stages), first, num_cores)
        hidden = self._head2 @ np.log(columns + np.float32(1))
        hidden += self._head2_bias
        np.maximum(hidden, 0, out=hidden)
        trunk: Floats = (self._trunk2 @ hidden).reshape(N_TERMS, count, stages)
        trunk += constant[:, None, :]
        np.maximum(trunk, 0, out=trunk)
        trunk *= terms
        return trunk


def as_pipeline(features: Any) -> Floats:
    """Pipeline features as (stages, 280), from (stages, 41, 7), (stages, 40, 7), (stages, 287) or (stages, 280).

    Raises DataError for other shapes.
    """
    array = np.asarray(features, dtype=np.float32)
    if array.ndim == 3 and array.shape[1:] in ((N_ROWS, N_TYPES), (N_MODEL_ROWS, N_TYPES)):
        return array[:, -N_MODEL_ROWS:].reshape(len(array), -1)
    if array.ndim == 2 and array.shape[1] in (N_PIPELINE, N_MODEL_ROWS * N_TYPES):
        return array[:, -N_MODEL_ROWS * N_TYPES :]
    raise DataError(f"pipeline features of shape {array.shape}; (stages, 41, 7) or (stages, 40, 7) was expected")


def as_schedules(features: Any, stages: int) -> NDArray[np.float32]:
    """Schedule features as (n, stages, 39), from that or from one schedule (stages, 39). Raises DataError."""
    array = np.asarray(features, dtype=np.float32)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (stages, N_SCHEDULE):
        raise DataError(f"schedule features of shape {array.shape}; (n, {stages}, {N_SCHEDULE}) was expected")
    return array
