"""How the kinds of members and their mixes compare on the inner folds: the measurement behind the shipped choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.correct import domain_of
from ...qor.learned.table import Table
from ...qor.tool.labels import LABELS
from .calibrate import Evidence, fit_mix
from .evaluate import group_weights, spearman, weighted_quantile
from .fit import targets_of
from .protocol import FOLDS, Protocol, leave_groups_out

if TYPE_CHECKING:
    from rich.console import Console

Floats = NDArray[np.float64]
KINDS = ("trees-label", "trees-ratio", "mlp-label", "mlp-ratio", "linear-ratio")


@dataclass(frozen=True, slots=True)
class Choice:
    """One candidate on the inner folds: means over outer folds, sources and the four targets.

    error: |log error|. spearman, ape: groups weigh equally within a source.
    """

    name: str
    error: float
    spearman: float
    ape: float


def compare_kinds(table: Table, protocol: Protocol, step: Callable[[str], None] = lambda _: None) -> list[Choice]:
    """Every kind alone, plain means, and mixes by domain with the closed form, measured on inner folds only."""
    wide = replace(protocol, fit=replace(protocol.fit, kinds=KINDS))
    runs = leave_groups_out(table, wide, step)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for evidence in runs.inner.values():
        for name, value in _candidates(evidence).items():
            found.setdefault(name, []).append(_score(evidence.table, value))
    means = {name: np.mean(scores, axis=0) for name, scores in found.items()}
    return [Choice(name, *(float(v) for v in mean)) for name, mean in sorted(means.items(), key=lambda i: i[1][0])]


_MIXES = {
    "mean of both trees": (0, 1),
    "mean of trees and mlp-ratio": (0, 1, 3),
    "mean of all but linear": (0, 1, 2, 3),
}


def _candidates(evidence: Evidence) -> dict[str, Floats]:
    """Name -> log values [n, targets] on one outer fold's inner evidence."""
    found = {kind: evidence.members[index] for index, kind in enumerate(KINDS)}
    found["closed form"] = evidence.table.closed_form_log
    for name, chosen in _MIXES.items():
        found[name] = evidence.members[list(chosen)].mean(axis=0)
        found[f"{name}, mixed with the closed form by domain"] = _cross_mixed(evidence, list(chosen))
    return found


def _cross_mixed(evidence: Evidence, chosen: Sequence[int]) -> Floats:
    """Mix weights fitted on three quarters of the groups, applied to the fourth."""
    part = Evidence(evidence.table, evidence.members[list(chosen)], evidence.distances, evidence.unseen)
    fold = evidence.table.rows.fold(FOLDS)
    base = evidence.table.closed_form_log
    domain = domain_of(evidence.table.values, evidence.table.feature_names)
    value = np.full(base.shape, np.nan)
    for number in np.unique(fold):
        test = fold == number
        weights = np.array(fit_mix(part.take(~test)))[domain[test]].transpose(2, 0, 1)
        stacked = np.concatenate([part.members[:, test], base[None, test]])
        value[test] = (stacked * weights).sum(axis=0)
    return value


def _score(table: Table, value: Floats) -> tuple[float, float, float]:
    """(mean |log error|, Spearman, APE): means over sources and the first four targets."""
    wanted = targets_of(table)
    errors, ranks, apes = [], [], []
    for source in np.unique(table.rows.source).tolist():
        for target in range(len(LABELS) - 1):
            known = (table.rows.source == source) & np.isfinite(wanted[:, target]) & np.isfinite(value[:, target])
            if known.sum() < 20:
                continue
            y, x = wanted[known, target], value[known, target]
            weights = group_weights(table.rows.group[known])
            errors.append(float(np.average(np.abs(y - x), weights=weights)))
            rank = spearman(y, x, weights)
            ranks.append(0.0 if np.isnan(rank) else rank)
            positive = y > 0
            ape = np.abs(np.expm1(x[positive]) - np.expm1(y[positive])) / np.expm1(y[positive])
            apes.append(weighted_quantile(ape, weights[positive], 0.5))
    return float(np.mean(errors)), float(np.mean(ranks)), float(np.nanmean(apes))


def print_choices(choices: Sequence[Choice], console: Console) -> None:
    """The table of the choice, best first."""
    from rich.table import Table as Shown

    shown = Shown(title="Kinds on the inner folds (mean over sources and targets)")
    for name in ("kind", "|log error|", "Spearman", "median APE %"):
        shown.add_column(name, justify="left" if name == "kind" else "right")
    for choice in choices:
        shown.add_row(choice.name, f"{choice.error:.3f}", f"{choice.spearman:.3f}", f"{100 * choice.ape:.0f}")
    console.print(shown)
