"""Schedules that were sampled before, as contenders of a search: it makes the fastest again and times it anew."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import DataError, HwmlError
from ...files import write_atomic
from ..data.dataset import metadata
from ..data.samples import load_a_sample, sample_paths
from ..machine import Machine
from ..net.weights import Weights
from ..toolkit import halide_version
from .measure import Search

FOLDER = ".weights"  # beside the batches of a name: what steered its searches, by digest
_SETTINGS = ("parallelism", "beam_size", "random_dropout", "random_dropout_seed")


def keep_weights(home: Path, encoded: str) -> str:
    """Keep the weights of a search (base64; empty: those inside Halide); returns what its metadata calls them."""
    if not encoded:
        return ""
    data = base64.b64decode(encoded)
    name = hashlib.sha256(data).hexdigest()[:16]
    path = home / FOLDER / f"{name}.weights"
    if not path.is_file():
        write_atomic(path, data)
    return name


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples are of the pipeline that is searched, measured in the same way."""

    pipeline_digest: str
    points: list[float]
    num_cores: int
    halide_target: str
    machine: Machine

    def fits(self, data: dict[str, Any]) -> bool:
        """Whether a sample's metadata says so."""
        return (
            data.get("pipeline_digest") == self.pipeline_digest
            and data.get("points") == self.points
            and data.get("num_cores") == self.num_cores
            and data.get("halide_target") == self.halide_target
            and data.get("halide") == halide_version()
            and data.get("machine") == self.machine.to_json()
        )


def fastest_searches(folder: str | Path, wanted: Wanted, count: int) -> list[Search]:
    """The searches that made the fastest schedules of a pipeline among samples, the fastest first.

    Samples of older versions, which tell no weights, are passed over. Raises DataError for broken files.
    """
    found: dict[str, tuple[float, Path, dict[str, Any]]] = {}
    for path in sample_paths(folder):
        data = metadata(path)
        if wanted.fits(data) and "weights" in data.get("search", {}):
            item = (load_a_sample(path).runtime_ms, path, data)
            key = str(data.get("schedule_digest"))
            found[key] = min(found.get(key, item), item, key=lambda made: made[0])
    ranked = sorted(found.values(), key=lambda made: made[0])
    return [_search(path, data) for _, path, data in ranked[:count]]


def _search(path: Path, data: dict[str, Any]) -> Search:
    settings = data["search"]
    if not all(type(settings.get(name)) is int for name in _SETTINGS):
        raise DataError("metadata of a sample tells no search; remove the file", path=path.with_suffix(".json"))
    search = Search(**{name: settings[name] for name in _SETTINGS})
    name = settings["weights"]
    if not name:
        return search
    kept = next(_kept(path, str(name)), None)
    if kept is None:
        raise HwmlError(f"{path}: the weights {name} that steered its search are gone from {FOLDER} beside its batches")
    return replace(search, weights=base64.b64encode(kept).decode())


def _kept(path: Path, name: str) -> Iterator[bytes]:
    for parent in path.parents[:4]:
        file = parent / FOLDER / f"{Path(name).name}.weights"
        if file.is_file():
            yield Weights.load_from_file(file).to_bytes()
