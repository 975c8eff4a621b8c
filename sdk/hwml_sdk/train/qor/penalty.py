"""`python -m sdk.train qor penalty`: how strongly weights of reasons are held down, judged on rows that no fit saw.

A weak penalty follows the few designs that have a reason; how far that carries over shows on sources left out whole.
Judged is the interval score of the closed form's errors (Gneiting and Raftery 2007: width, and ten times by how far a
label lies outside), on Vitis csynth designs: groups weighing equally where groups are left out, sources where sources
are. `PENALTY` of `certainty` is the strongest with which no target of a user's loses more than a hundredth of its score
on groups: what is left of it gains on whole sources.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...interrupt import heed_ctrl_c
from ...qor.learned.certainty import CLASSES, Certainty, classes_of, told
from ...qor.learned.table import Table, read_table
from ...qor.tool.labels import LABELS
from .certainty import FOLDS, ROWS_PER_KEY, Coverage, fit_certainty
from .config import TABLE
from .evaluate import group_weights
from .features import feature_version
from .fit import FitConfig, training_rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TRIED = (1e-3, 2e-3, 4e-3, 7e-3, 1e-2, 2e-2)
TAILS = 0.2  # outside both ends of an 80 % interval
FAR = 3.0  # errors beyond an end that count as this
MIN_ROWS = 20  # of a source that is judged


def scores(table: Table, penalty: float) -> tuple[Floats, Floats]:
    """Interval scores by target: groups left out, sources left out; less is better, NaN where nothing was judged."""
    base = table.closed_form_log
    said = np.where(told(table.values, table.feature_names), base, np.nan)
    error = np.log1p(table.rows.labels) - said
    vitis = classes_of(table.values, table.feature_names) >= CLASSES.index("guessed")
    names = np.char.add(np.char.add(table.rows.source.astype(str), "\0"), table.rows.group.astype(str))

    def fitted(train: Mask) -> Certainty:
        heed_ctrl_c()
        return fit_certainty(table.take(train), said[train], Coverage(), penalty=penalty)

    fold, source = table.rows.fold(FOLDS), table.rows.source
    by_group = _outside(table, error, ((fold != one, fold == one) for one in np.unique(fold).tolist()), fitted)
    parts = []
    for one in np.unique(source).tolist():
        test = source == one
        parts.append((~np.isin(table.rows.group, np.unique(table.rows.group[test])), test))
    by_source = _outside(table, error, parts, fitted)
    groups, sources = [], []
    for index in range(len(LABELS)):
        known = vitis & np.isfinite(by_group[:, index])
        groups.append(float(np.average(by_group[known, index], weights=group_weights(names[known]))))
        means = []
        for one in np.unique(source).tolist():
            chosen = vitis & (source == one) & np.isfinite(by_source[:, index])
            if chosen.sum() >= MIN_ROWS:
                means.append(float(np.average(by_source[chosen, index], weights=group_weights(names[chosen]))))
        sources.append(float(np.mean(means)) if means else np.nan)
    return np.array(groups), np.array(sources)


def _outside(
    table: Table, error: Floats, parts: Iterable[tuple[Mask, Mask]], fitted: Callable[[Mask], Certainty]
) -> Floats:
    """Interval score of every row [n, targets] by a fit that did not see it."""
    found = np.full(error.shape, np.nan)
    for train, test in parts:
        if train.sum() < MIN_ROWS:
            continue
        seen = np.zeros(int(test.sum()), dtype=bool)
        ends = fitted(train).ends(table.values[test], table.feature_names, seen)
        missed = np.maximum(np.abs(error[test]) - ends, 0.0)
        found[test] = 2 * ends + 2 / TAILS * np.minimum(missed, FAR)
    return np.where(np.isfinite(error), found, np.nan)


def main(arguments: Sequence[str]) -> int:
    """Print the scores of each penalty and target."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train qor penalty", description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE, help="folder of the feature table")
    options = parser.parse_args(arguments)
    version, names = feature_version()
    table = read_table(options.table, feature_version=version, feature_names=names)
    table = table.take(training_rows(table, FitConfig(rows_per_key=ROWS_PER_KEY)))
    print("interval score, groups left out / sources left out (less is better)")
    print(f"{'penalty':>8}  " + "  ".join(f"{name:>15}" for name in LABELS))
    for penalty in TRIED:
        pairs = zip(*scores(table, penalty), strict=True)
        print(f"{penalty:>8g}  " + "  ".join(f"{one:>6.3f} / {other:>6.3f}" for one, other in pairs), flush=True)
    return 0
