"""The learned members: what predicts log(1 + label) from features, on the label or on its ratio to the closed form.

Kinds: `trees-label`, `trees-ratio` (gradient-boosted trees, L1 loss), `mlp-label`, `mlp-ratio` (the head of qor_mlp),
`linear-ratio` (ridge regression), `simple-trees` (the control: untuned trees on simple features).
Each is fitted per target on the rows that have the label; a row weighs (rows of its group in its source)^-0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingDependencyError
from ...interrupt import heed_ctrl_c
from ...qor.learned.correct import closed_form_log
from ...qor.learned.table import Table
from .mlp import Mlp, MlpConfig, fit_mlp

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """Settings of the boosted trees."""

    trees: int = 200
    leaves: int = 24
    learning_rate: float = 0.06
    min_leaf: int = 12
    l2: float = 1.0
    features: float = 0.4
    rows: float = 0.7
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FitConfig:
    """What is fitted. rows_per_key: at most so many training rows of one kernel, stage and tool version."""

    kinds: tuple[str, ...] = ("trees-label", "trees-ratio", "mlp-ratio")
    trees: TreeConfig = field(default_factory=TreeConfig)
    mlp: MlpConfig = field(default_factory=MlpConfig)
    rows_per_key: int = 300
    weight_power: float = 0.5


def targets_of(table: Table) -> Floats:
    """log(1 + label) [n, len(LABELS)]; NaN where missing or censored."""
    return np.asarray(np.log1p(table.rows.labels))


def training_rows(table: Table, config: FitConfig) -> NDArray[np.int64]:
    """Indices of at most `rows_per_key` rows of each key, spread evenly over the table's order."""
    key = table.rows.key
    chosen = []
    for name in np.unique(key).tolist():
        rows = np.flatnonzero(key == name)
        if len(rows) > config.rows_per_key:
            rows = rows[np.linspace(0, len(rows) - 1, config.rows_per_key).round().astype(int)]
        chosen.append(rows)
    return np.sort(np.concatenate(chosen))


def row_weights(table: Table, power: float) -> Floats:
    """(rows of the same source, stage and group)^-power."""
    names = table.rows.joined("source", "stage", "group")
    _, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse].astype(np.float64) ** -power)


def fit_members(table: Table, config: FitConfig) -> list[Fitted]:
    """One fitted member for each kind of `config`, trained on `table` (cut by rows_per_key)."""
    chosen = table.take(training_rows(table, config))
    weights = row_weights(chosen, config.weight_power)
    return [fit_member(kind, chosen, weights, config) for kind in config.kinds]


def fit_member(kind: str, table: Table, weights: Floats, config: FitConfig) -> Fitted:
    """A fitted member of one kind."""
    family, _, on = kind.partition("-")
    wanted = targets_of(table)
    base = closed_form_log(table.values, table.feature_names)
    fill = base_fill(wanted)
    if on == "ratio":
        wanted = wanted - np.where(np.isnan(base), fill, base)
    makers: dict[str, Callable[[], Any]] = {
        "trees": lambda: Trees.fit(table.values, wanted, weights, config.trees),
        "mlp": lambda: fit_mlp(table.values, wanted.astype(np.float32), weights.astype(np.float32), config.mlp),
        "linear": lambda: Linear.fit(table.values, wanted, weights),
    }
    body = makers[family]()
    return Fitted(kind, body, tuple(table.feature_names), fill if on == "ratio" else None)


def base_fill(wanted: Floats) -> Floats:
    """What stands in for an unknown closed form: the median log label of each target."""
    return np.array([np.nanmedian(column) if np.isfinite(column).any() else 0.0 for column in wanted.T])


@dataclass(frozen=True, slots=True)
class Fitted:
    """A member: its body, and for ratio kinds the base that is added (`fill` where the closed form is unknown)."""

    kind: str
    body: Trees | Mlp | Linear
    feature_names: tuple[str, ...]
    fill: Floats | None

    def predict(self, values: NDArray[np.float32]) -> Floats:
        """log(1 + value) [n, len(LABELS)]."""
        raw = np.asarray(self.body.predict(values), dtype=np.float64)
        if self.fill is None:
            return raw
        base = closed_form_log(values, self.feature_names)
        return np.asarray(raw + np.where(np.isnan(base), self.fill, base))


def lightgbm() -> Any:
    """The lightgbm package; MissingDependencyError without the extra."""
    try:
        import lightgbm as package
    except ImportError as error:
        raise MissingDependencyError("lightgbm", "train-qor") from error
    return package


@dataclass(frozen=True, slots=True)
class Trees:
    """One boosted ensemble per target (None where no training row has the label)."""

    models: tuple[Any, ...]

    @classmethod
    def fit(cls, values: NDArray[np.float32], wanted: Floats, weights: Floats, config: TreeConfig) -> Trees:
        """Fit every column of `wanted` [n, t] where it is known."""
        models = []
        for column in wanted.T:
            known = np.isfinite(column)
            enough = known.sum() >= 2 * config.min_leaf
            models.append(boost(values[known], column[known], weights[known], config) if enough else None)
        return cls(tuple(models))

    def predict(self, values: NDArray[np.float32]) -> Floats:
        """[n, t]; 0 for a target that had no training rows."""
        columns = [np.zeros(len(values)) if m is None else m.predict(values, num_threads=1) for m in self.models]
        return np.stack(columns, axis=1)


def boost(values: NDArray[np.float32], wanted: Floats, weights: Floats, config: TreeConfig, **settings: Any) -> Any:
    """One boosted ensemble (L1 loss unless `settings` say otherwise); the same on every machine: one thread."""
    package = lightgbm()
    parameters = {
        "objective": "l1",
        "num_leaves": config.leaves,
        "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.min_leaf,
        "lambda_l2": config.l2,
        "feature_fraction": config.features,
        "bagging_fraction": config.rows,
        "bagging_freq": 1 if config.rows < 1 else 0,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "max_bin": 127,
        "verbosity": -1,
    }
    data = package.Dataset(values, wanted, weight=weights, params={"verbosity": -1, "max_bin": 127})
    return package.train(parameters | settings, data, config.trees, callbacks=[lambda _: heed_ctrl_c()])


@dataclass(frozen=True, slots=True)
class Linear:
    """Ridge regression on standardised features, per target."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def fit(cls, values: NDArray[np.float32], wanted: Floats, weights: Floats, penalty: float = 30.0) -> Linear:
        """Fit every column of `wanted`; errors beyond 1.5 are down-weighted (four rounds, Huber's weights)."""
        from .mlp import standardise

        mean = np.nan_to_num(np.nanmean(values, axis=0)).astype(np.float32)
        scale = np.nan_to_num(np.nanstd(values, axis=0)).astype(np.float32)
        scale = np.where(scale < 1e-6, np.float32(1), scale)
        inputs = np.c_[standardise(values, mean, scale), np.ones(len(values), dtype=np.float32)].astype(np.float64)
        ridge = np.diag([*[penalty] * (inputs.shape[1] - 1), 1e-9])
        found = []
        for column in wanted.T:
            known = np.isfinite(column)
            x, y, w = inputs[known], column[known], weights[known]
            robust = np.ones(len(y))
            solution = np.zeros(inputs.shape[1])
            for _ in range(4):
                solution = np.linalg.solve((x * (w * robust)[:, None]).T @ x + ridge, x.T @ (w * robust * y))
                robust = 1 / np.maximum(np.abs(y - x @ solution) / 0.5, 1)
            found.append(solution)
        solved = np.array(found, dtype=np.float32).T
        return cls(mean, scale, solved[:-1], solved[-1])

    def predict(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n, t]."""
        from .mlp import standardise

        result: NDArray[np.float32] = standardise(values, self.mean, self.scale) @ self.weight + self.bias
        return result


def predict_members(members: Sequence[Fitted], values: NDArray[np.float32]) -> Floats:
    """[members, n, len(LABELS)] log(1 + value)."""
    return np.stack([member.predict(values) for member in members])
