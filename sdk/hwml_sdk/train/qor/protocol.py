"""The held-out runs: leave groups out, inner folds, leave a source out, HLSyn's zero-shot split, and the controls.

Folds are sha256(group) mod 5. The members behind fold i's predictions never saw fold i, and what is fitted to their
errors (trust, intervals) saw the errors of the other folds. Kinds of members are compared on inner folds: a pair of
folds {i, j} is left out and predicted, so that one fit serves both as inner fold of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.correct import Geometry
from ...qor.learned.dataset import Rows
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .calibrate import ErrorConfig, ErrorModels, Evidence, build_geometry, fit_errors, join
from .evaluate import HLSYN_HELD_OUT, hlsyn_rmse, hlsyn_split
from .fit import FitConfig, Fitted, TreeConfig, boost, fit_members, predict_members, targets_of, training_rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Protocol:
    """Settings of the held-out runs. evidence_per_key: rows of one kernel that the error models read."""

    fit: FitConfig = field(default_factory=FitConfig)
    errors: ErrorConfig = field(default_factory=ErrorConfig)
    evidence_per_key: int = 60


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out predictions of n rows: value, low, high as log values [n, targets] (NaN: not predicted), unlike [n];
    changes: factor of the interval of a change [n, targets]."""

    value: Floats
    low: Floats
    high: Floats
    unlike: Floats
    changes: Floats

    @classmethod
    def empty(cls, n: int) -> HeldOut:
        """Nothing predicted yet for n rows."""
        value, low, high, changes = (np.full((n, len(LABELS)), np.nan) for _ in range(4))
        return cls(value, low, high, np.full(n, np.nan), changes)

    def counts(self) -> tuple[Floats, Floats, Floats]:
        """(value, low, high) as counts and cycles."""
        value, low, high = (np.maximum(np.expm1(part), 0) for part in (self.value, self.low, self.high))
        return value, low, high


def held_out_evidence(table: Table, train: Mask, test: Mask, protocol: Protocol) -> Evidence:
    """Members trained on the rows `train` predict the rows `test`."""
    known = table.take(train)
    asked = table.take(test)
    members = fit_members(known, protocol.fit)
    geometry = build_geometry(known, protocol.errors.points_per_group)
    distances, unseen = geometry.nearest(asked.values), geometry.unseen(asked.values)
    return Evidence(asked, predict_members(members, asked.values), distances, unseen)


def thin(table: Table, per_key: int) -> Mask:
    """At most `per_key` rows of each key."""
    mask = np.zeros(len(table.rows), dtype=bool)
    mask[training_rows(table, FitConfig(rows_per_key=per_key))] = True
    return mask


@dataclass(frozen=True, slots=True)
class GroupRuns:
    """outer: fold -> evidence of all its rows. inner: fold -> evidence of a thinned part of all other folds' rows."""

    outer: dict[int, Evidence]
    inner: dict[int, Evidence]


def leave_groups_out(
    table: Table, protocol: Protocol, step: Callable[[str], None] = lambda _: None, *, inner: bool = True
) -> GroupRuns:
    """Every row predicted by members that never saw its group; with `inner`, the inner folds too."""
    fold = table.rows.fold(FOLDS)
    present = [number for number in range(FOLDS) if (fold == number).any()]
    few = thin(table, protocol.evidence_per_key)
    outer = {}
    parts: dict[int, list[Evidence]] = {number: [] for number in present}
    for i in present:
        step(f"fold {i}")
        outer[i] = held_out_evidence(table, fold != i, fold == i, protocol)
    for i, j in _pairs(present) if inner else ():
        step(f"folds {i} and {j}")
        both = held_out_evidence(table, (fold != i) & (fold != j), few & ((fold == i) | (fold == j)), protocol)
        side = both.table.rows.fold(FOLDS)
        parts[i].append(both.take(side == j))
        parts[j].append(both.take(side == i))
    return GroupRuns(outer, {i: join(p) for i, p in parts.items() if p})


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    for position, i in enumerate(numbers):
        for j in numbers[position + 1 :]:
            yield i, j


def judge_groups(
    table: Table, runs: GroupRuns, protocol: Protocol, strangers: dict[str, Evidence] | None = None
) -> HeldOut:
    """Held-out predictions of all rows, in the table's order; what is fitted to errors saw the other folds' only."""
    fold = table.rows.fold(FOLDS)
    found = HeldOut.empty(len(table.rows))
    few = thin(table, protocol.evidence_per_key)
    everything = _in_table_order(table, runs)
    for i, evidence in runs.outer.items():
        others = _strangers(strangers, partial(_outside, i))
        models = fit_errors(everything.take(few & (fold != i)), protocol.errors, strangers=others)
        _put(found, fold == i, models, evidence)
    return found


def _outside(number: int, rows: Rows) -> Mask:
    return np.asarray(rows.fold(FOLDS) != number)


def _put(found: HeldOut, where: Mask, models: ErrorModels, evidence: Evidence) -> None:
    found.value[where], found.low[where], found.high[where], found.unlike[where] = models.predict(evidence)
    found.changes[where] = models.changes(evidence)


def _strangers(strangers: dict[str, Evidence] | None, keep: Callable[[Rows], Mask]) -> Evidence | None:
    parts = [evidence.take(keep(evidence.table.rows)) for evidence in (strangers or {}).values()]
    parts = [part for part in parts if len(part.table.rows)]
    return join(parts) if parts else None


def source_split(rows: Rows, source: str) -> tuple[Mask, Mask]:
    """(training rows, test rows) with `source` and every group it has left out of training."""
    test = rows.source == source
    return ~np.isin(rows.group, np.unique(rows.group[test])), test


def leave_sources_out(
    table: Table, protocol: Protocol, step: Callable[[str], None] = lambda _: None
) -> dict[str, Evidence]:
    """Source -> evidence of its rows by members trained without it and without its groups elsewhere."""
    found = {}
    for source in sorted(set(table.rows.source.tolist())):
        step(f"without {source}")
        train, test = source_split(table.rows, source)
        if train.any():
            found[source] = held_out_evidence(table, train, test, protocol)
    return found


def judge_sources(table: Table, runs: GroupRuns, strangers: dict[str, Evidence], protocol: Protocol) -> HeldOut:
    """Predictions of every row by models trained without its source; error models fitted on the other sources."""
    found = HeldOut.empty(len(table.rows))
    few = thin(table, protocol.evidence_per_key)
    everything = _in_table_order(table, runs).take(few)
    for source, evidence in strangers.items():
        train, _ = source_split(table.rows, source)
        others = {name: thin_evidence(item, protocol) for name, item in strangers.items() if name != source}
        known = everything.take(train[few])
        models = fit_errors(known, protocol.errors, strangers=_strangers(others, _all_rows))
        _put(found, table.rows.source == source, models, evidence)
    return found


def _all_rows(rows: Rows) -> Mask:
    return np.ones(len(rows), dtype=bool)


def thin_evidence(evidence: Evidence, protocol: Protocol) -> Evidence:
    """At most `evidence_per_key` rows of each key."""
    return evidence.take(thin(evidence.table, protocol.evidence_per_key))


def _in_table_order(table: Table, runs: GroupRuns) -> Evidence:
    """The outer folds' evidence as one, rows in the order of `table`."""
    fold = table.rows.fold(FOLDS)
    joined = join([runs.outer[i] for i in sorted(runs.outer)])
    order = np.concatenate([np.flatnonzero(fold == i) for i in sorted(runs.outer)])
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return joined.take(back)


def hlsyn_zero_shot(table: Table, protocol: Protocol) -> dict[str, dict[str, float]]:
    """HLSyn's RMSE per target and their sum, by tool version: trained on its other kernels of that version alone."""
    found = {}
    for version in HLSYN_HELD_OUT:
        train, test = hlsyn_split(table.rows, version)
        if train.any() and test.any():
            evidence = held_out_evidence(table, train, test, protocol)
            value = np.maximum(np.expm1(evidence.members.mean(axis=0)), 0)
            found[version] = hlsyn_rmse(evidence.table.rows, value)
    return found


@dataclass(frozen=True, slots=True)
class FinalModel:
    """What is shipped: members and geometry of all rows, error models fitted on the outer folds' evidence."""

    members: list[Fitted]
    geometry: Geometry
    errors: ErrorModels


def fit_final(table: Table, runs: GroupRuns, strangers: dict[str, Evidence] | None, protocol: Protocol) -> FinalModel:
    """Train on everything; the errors are those of the held-out runs."""
    evidence = thin_evidence(_in_table_order(table, runs), protocol)
    few = {name: thin_evidence(item, protocol) for name, item in (strangers or {}).items()}
    errors = fit_errors(evidence, protocol.errors, strangers=_strangers(few, _all_rows))
    members = fit_members(table, protocol.fit)
    return FinalModel(members, build_geometry(table, protocol.errors.points_per_group), errors)


# Controls.


def closed_form_alone(table: Table) -> Floats:
    """Counts and cycles of the closed form, [n, targets]; NaN where it knows none."""
    return table.closed_form


# Beginnings of the names of features that owe something to the closed form's schedule, areas or memories.
_ESTIMATED = (
    "cf_", "shared_", "un_", "plain_", "registers", "control_", "mux_", "bound_", "guess_", "main_ii", "main_depth",
    "main_copies", "main_share", "max_ii", "mean_ii", "max_depth", "latency_", "interval", "memory_", "local_banks",
    "entries_", "live_",
)  # fmt: skip


def simple_features(names: Sequence[str]) -> NDArray[np.int64]:
    """Indices of the features that only count constructs, pragmas and trips."""
    return np.array([i for i, name in enumerate(names) if not name.startswith(_ESTIMATED)])


def untuned_trees(table: Table, train: Mask, test: Mask) -> Floats:
    """Log values [test rows, targets] of LightGBM's default trees on the simple features, rows weighing equally."""
    columns = simple_features(table.feature_names)
    wanted = targets_of(table)
    default = TreeConfig(trees=100, leaves=31, learning_rate=0.1, min_leaf=20, l2=0.0, features=1.0, rows=1.0)
    found = []
    for column in wanted.T:
        known = train & np.isfinite(column)
        if known.sum() < 40:
            found.append(np.full(int(test.sum()), np.nan))
            continue
        ones = np.ones(int(known.sum()))
        model = boost(table.values[known][:, columns], column[known], ones, default, objective="l2")
        found.append(model.predict(table.values[test][:, columns], num_threads=1))
    return np.stack(found, axis=1)


def untuned_by_group(table: Table, step: Callable[[str], None] = lambda _: None) -> Floats:
    """`untuned_trees` for every row, leave-group-out."""
    fold = table.rows.fold(FOLDS)
    found = np.full((len(fold), len(LABELS)), np.nan)
    for number in np.unique(fold):
        step(f"untuned trees, fold {number}")
        found[fold == number] = untuned_trees(table, fold != number, fold == number)
    return found


def untuned_by_source(table: Table, step: Callable[[str], None] = lambda _: None) -> Floats:
    """`untuned_trees` for every row, leave-source-out."""
    found = np.full((len(table.rows), len(LABELS)), np.nan)
    for source in np.unique(table.rows.source).tolist():
        step(f"untuned trees without {source}")
        train, test = source_split(table.rows, str(source))
        found[test] = untuned_trees(table, train, test)
    return found


def shuffled_labels(table: Table, protocol: Protocol, *, seed: int = 0) -> Floats:
    """Log values of members trained on labels dealt out anew among all rows; nothing should be left to learn.

    Members on the ratio are left out: their base, the closed form, is right without any labels.
    """
    order = np.random.default_rng(seed).permutation(len(table.rows))
    rows = replace(table.rows, labels=table.rows.labels[order])
    dealt = replace(table, rows=rows)
    fit = replace(protocol.fit, kinds=("trees-label",), rows_per_key=60)
    fold = table.rows.fold(FOLDS)
    found = np.full((len(fold), len(LABELS)), np.nan)
    for number in np.unique(fold):
        members = fit_members(dealt.take(fold != number), fit)
        found[fold == number] = predict_members(members, table.values[fold == number])[0]
    return found
