"""Convert samples to CSV and back, and weights between their formats."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError, HwmlError
from ..files import replace_folder
from .data.csvdata import read_csv, write_csv
from .data.samples import load_from_dir, sample_bytes
from .net.gpu_weights import GpuWeights, holds_gpu_weights
from .net.weights import BUFFERS, Weights


def convert(source: str | Path, destination: str | Path) -> str:
    """Convert by what the two names say; returns a sentence about what was done.

    Folder of samples or `.sample` to `.csv`; `.csv` to a new folder; `.weights`, `.json` or a folder of `.data` files
    to `.weights` or `.json`. Raises DataError for broken input, HwmlError for pairs that make no sense or a destination
    folder that is there already.
    """
    source, destination = Path(source), Path(destination)
    if source.suffix == ".csv":
        return _from_csv(source, destination)
    if destination.suffix == ".csv":
        count = write_csv(load_from_dir(source), destination)
        return f"{destination}: {count} samples"
    if destination.suffix in (".weights", ".json") and holds_gpu_weights(source):
        GpuWeights.load(source).save(destination)
        return f"{destination}: weights of Anderson2021"
    if destination.suffix in (".weights", ".json"):
        old = source.is_dir() and (source / BUFFERS[0][2]).exists()
        if not old and source.suffix not in (".weights", ".json"):
            raise DataError("no weights: .weights, .json or a folder of .data files was expected", path=source)
        weights = Weights.load_from_json(source) if source.suffix == ".json" else Weights.load_from_file(source)
        (weights.save_to_file if destination.suffix == ".weights" else weights.save_to_json)(destination)
        return f"{destination}: weights"
    raise HwmlError(f"cannot convert {source} to {destination}: samples to .csv and back, weights to .weights or .json")


def _from_csv(source: Path, destination: Path) -> str:
    if destination.exists():
        raise HwmlError(f"{destination}: is there already; name a new folder, so that nothing is overwritten")
    count = 0
    with replace_folder(destination) as folder:
        for count, sample in enumerate(read_csv(source), start=1):
            place = folder / f"pipeline_{sample.pipeline_id}"
            place.mkdir(exist_ok=True)
            (place / f"sample_{count:06d}.sample").write_bytes(sample_bytes(sample))
        if not count:
            raise DataError("holds no samples", path=source)
    return f"{destination}: {count} samples"
