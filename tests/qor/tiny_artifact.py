"""A small QoR artefact, trained in seconds on a synthetic table with the features this hwml makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.qor.qor_rows import make_table

from hwml_sdk.artifact import Artifact
from hwml_sdk.qor.learned.features import FEATURE_NAMES, FEATURE_VERSION
from hwml_sdk.qor.learned.quantised import counts_of, quantise
from hwml_sdk.qor.learned.table import Table
from hwml_sdk.qor.tool.labels import LABELS


def real_features_table(n: int = 150, *, seed: int = 0) -> Table:
    """`make_table` under the real feature names: its columns where there is one of the name, noise in the others."""
    plain = make_table(n, groups=15, seed=seed)
    random = np.random.default_rng(seed + 1)
    values = quantise(random.uniform(0, 8, (n, len(FEATURE_NAMES))))
    for name in plain.feature_names:
        if name in FEATURE_NAMES:
            values[:, FEATURE_NAMES.index(name)] = plain.values[:, plain.feature_names.index(name)]
    assert {f"cf_{label}" for label in LABELS} <= set(FEATURE_NAMES)
    return Table(plain.rows, values, counts_of(values, FEATURE_NAMES), FEATURE_VERSION, FEATURE_NAMES, plain.licences)


def train_tiny(folder: Path, table: Table) -> Artifact:
    """Train with a handful of small trees and epochs and write the artefact to `folder`."""
    from hwml_sdk.train.qor.config import TrainConfig
    from hwml_sdk.train.qor.protocol import fit_final, leave_groups_out
    from hwml_sdk.train.qor.ship import write_artifact

    config = TrainConfig(out=folder, data=folder, trees=4, epochs=2, rows_per_key=40)
    protocol = config.protocol()
    final = fit_final(table, leave_groups_out(table, protocol, inner=False), None, protocol)
    return write_artifact(table, config, final, None)
