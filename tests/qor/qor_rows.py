"""Small synthetic tables whose labels follow the closed form by a rule that can be learned."""

from __future__ import annotations

import numpy as np

from hwml_sdk.qor.learned.correct import CLOSED_FORM_COLUMNS
from hwml_sdk.qor.learned.dataset import Rows
from hwml_sdk.qor.learned.quantised import counts_of, quantise
from hwml_sdk.qor.learned.table import Table
from hwml_sdk.qor.tool.labels import LABELS

NAMES = (*CLOSED_FORM_COLUMNS, "merlin", "impl", "dataflow", "size", "noise")


def make_table(n: int = 400, groups: int = 20, *, seed: int = 0) -> Table:
    """Label = closed form * 2^size, with size in 0..2 and a little noise; three sources, two of the Vitis kind."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % groups
    closed = random.uniform(3, 12, (n, len(LABELS)))
    size = random.integers(0, 3, n).astype(float)
    merlin = (group % 3 == 0).astype(float)
    flags = np.stack([merlin, np.zeros(n), np.zeros(n)], axis=1)
    values = np.concatenate([closed, flags, size[:, None], random.normal(0, 1, (n, 1))], axis=1)
    labels = np.rint(2 ** (closed + size[:, None] + random.normal(0, 0.05, closed.shape)))
    sources = np.array(["alpha", "beta", "gamma"])[group % 3]

    def same(text: str) -> np.ndarray:
        return np.array([text] * n)

    rows = Rows(
        source=sources,
        group=np.array([f"group{index}" for index in group]),
        kernel=np.array([f"kernel{index}" for index in group]),
        tool=np.where(merlin > 0, "merlin", "vitis_hls"),
        tool_version=same("2022.1"),
        part=same("xcu280"),
        stage=same("csynth"),
        clock_period_ns=np.full(n, 4.0),
        labels=labels,
        bounds=np.full(labels.shape, np.nan),
        fits_device=np.ones(n, dtype=bool),
    )
    closed_form = counts_of(values, NAMES)
    return Table(rows, quantise(values), closed_form, 7, NAMES, dict.fromkeys(("alpha", "beta", "gamma"), "MIT"))
