"""A CSV file of samples as a torch `Dataset`; without torch it is a sequence of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .csvdata import read_csv
from .samples import Floats, Sample

if TYPE_CHECKING:

    class _Base:
        """`torch.utils.data.Dataset`, or `object` where torch is not installed."""
else:
    try:
        from torch.utils.data import Dataset as _Base
    except ImportError:
        _Base = object


class CsvRow(NamedTuple):
    """One sample as training sees it: tensors where torch is installed, else arrays."""

    Xp: Any
    """(stages, 40, 7) pipeline features"""
    Xs: Any
    """(stages, 39) schedule features"""
    y: Any
    """run time in milliseconds, a float32 scalar"""


class CSVDataset(_Base):
    """Samples of a CSV file, in memory: `Xp` and `Xs` are lists (an item each), `y` holds all run times (milliseconds).

    `dataset[i]` is one CsvRow, which a `DataLoader` collates as it is where pipelines have equally many stages; with
    `collate_fn=CSVDataset.collate` also where they do not. `samples()` gives Sample objects. Raises DataError with file
    and line.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._samples = list(read_csv(path))
        self.Xp = [_tensor(sample.model_pipeline_features) for sample in self._samples]
        self.Xs = [_tensor(sample.schedule_features) for sample in self._samples]
        self.y = _tensor(np.asarray([sample.runtime_ms for sample in self._samples], dtype=np.float32))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> CsvRow:
        return CsvRow(self.Xp[index], self.Xs[index], self.y[index])

    def samples(self) -> list[Sample]:
        """The rows as samples; rows without ids have one by content and the row's number."""
        return list(self._samples)

    @staticmethod
    def collate(rows: Sequence[CsvRow]) -> CsvRow:
        """A batch of pipelines of any sizes: lists of features, and all run times."""
        times = np.asarray([float(row.y) for row in rows], dtype=np.float32)
        return CsvRow([row.Xp for row in rows], [row.Xs for row in rows], _tensor(times))


def _tensor(values: Floats) -> Any:
    """`values` as a torch tensor, where torch is installed."""
    values = np.ascontiguousarray(values)
    if _Base is object:
        return values
    import torch

    return torch.from_numpy(values.copy())
