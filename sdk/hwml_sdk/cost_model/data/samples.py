"""`.sample` and `.featurization` files of the adams2019 autoscheduler, one or a folder of them.

Format (Halide 21.0.0, featurization_to_sample.cpp; little-endian, no header): per stage 39 schedule and 41 x 7 pipeline
features as float32, from the output's last stage to the inputs; a sample ends with the run time in milliseconds
(float32), pipeline id and schedule id (int32). There is no magic number: size and values are all that can be checked.

Files of Anderson2021 (GPUs) are read with `names=GPU_SCHEDULE_FEATURES`: 73 schedule features, the rest alike.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...files import read_bytes, write_atomic
from .features import GPU_SCHEDULE_FEATURES, N_PIPELINE, N_ROWS, N_TYPES, SCHEDULE_FEATURES

TAIL_BYTES = 12
MAX_STAGES = 8192  # 10 MB; Halide's own largest application has under 200
MAX_FEATURE = 1e14  # Halide's trainer drops samples with a larger schedule feature
MAX_RUNTIME_MS = 100_000.0  # and with a longer run time
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured schedule of one pipeline."""

    schedule_features: Floats
    """(stages, 39); of Anderson2021 (stages, 73)"""
    pipeline_features: Floats
    """(stages, 41, 7): row 0 is types_in_use, which the network is not fed"""
    runtime_ms: float
    pipeline_id: int
    schedule_id: int
    path: str = ""

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.schedule_features)

    @property
    def model_pipeline_features(self) -> Floats:
        """(stages, 40, 7): what the network is fed."""
        return self.pipeline_features[:, 1:, :]

    def pipeline_digest(self) -> str:
        """Hash of the pipeline features: equal for all schedules of one pipeline, whatever their ids say."""
        return hashlib.sha256(np.ascontiguousarray(self.model_pipeline_features).tobytes()).hexdigest()[:16]

    def points(self) -> list[float]:
        """The points that each stage computes at least: follows from sizes and algorithm, not from the schedule."""
        index = schedule_names(self.schedule_features.shape[1]).index("points_computed_minimum")
        return [float(value) for value in self.schedule_features[:, index]]

    def schedule_digest(self) -> str:
        """Hash of the schedule features: equal for repeats of one schedule."""
        return hashlib.sha256(np.ascontiguousarray(self.schedule_features).tobytes()).hexdigest()[:16]


def schedule_names(count: int) -> tuple[str, ...]:
    """The names of that many schedule features: of adams2019 or Anderson2021. Raises DataError for another count."""
    for names in (SCHEDULE_FEATURES, GPU_SCHEDULE_FEATURES):
        if len(names) == count:
            return names
    raise DataError(f"{count} schedule features a stage: adams2019 has 39, Anderson2021 73")


def names_in(path: str | Path, tail: int) -> tuple[str, ...]:
    """The schedule features of a file, told by its size; `tail`: its bytes after the features.

    adams2019's where both would fit (only every 163 stages) or none (reading says then what is wrong).
    """
    size = Path(path).stat().st_size - tail if Path(path).is_file() else 0
    fits = [names for names in (SCHEDULE_FEATURES, GPU_SCHEDULE_FEATURES) if size % stage_bytes(names) == 0]
    return fits[0] if fits else SCHEDULE_FEATURES


def stage_bytes(names: Sequence[str] = SCHEDULE_FEATURES) -> int:
    """Bytes of a stage with these schedule features."""
    return 4 * (len(names) + N_PIPELINE)


def parse_featurization(
    data: bytes, *, path: str | Path = "featurization", names: Sequence[str] = SCHEDULE_FEATURES
) -> tuple[Floats, Floats]:
    """Schedule (stages, 39) and pipeline features (stages, 41, 7) of a `.featurization` file's bytes.

    Raises DataError for an empty, oversize or odd-sized file and for values that no Halide run can have written:
    NaN, negative, or a schedule feature over 1e14.
    """
    records = _records(data, path, names)
    schedule = np.ascontiguousarray(records[:, : len(names)])
    pipeline = np.ascontiguousarray(records[:, len(names) :]).reshape(-1, N_ROWS, N_TYPES)
    check_features(schedule, pipeline, path=path)
    return schedule, pipeline


def _records(data: bytes, path: str | Path, names: Sequence[str]) -> Floats:
    size = stage_bytes(names)
    if not data:
        raise DataError("is empty; sample it again", path=path)
    if len(data) > MAX_STAGES * size:
        raise DataError(f"{len(data)} bytes of features are over the limit of {MAX_STAGES} stages", path=path)
    if len(data) % size:
        model = "adams2019" if tuple(names) == SCHEDULE_FEATURES else "Anderson2021"
        raise DataError(
            f"{len(data)} bytes of features are no multiple of {size} (one stage): the file is truncated, or "
            f"not of {model}; sample it again",
            path=path,
        )
    return np.frombuffer(data, dtype="<f4").reshape(-1, size // 4).astype(np.float32)


def check_features(schedule: Floats, pipeline: Floats, *, path: str | Path) -> None:
    """DataError unless all features are finite, not negative and, for schedules, at most 1e14."""
    bad = ~((schedule >= 0) & (schedule <= MAX_FEATURE))  # written so that NaN is bad
    if bad.any():
        stage, index = (int(i) for i in np.argwhere(bad)[0])
        name = schedule_names(schedule.shape[1])[index]
        raise DataError(
            f"stage {stage}: {name} is {float(schedule[stage, index])!r}, outside 0..1e14; "
            "remove the file or sample it again",
            path=path,
        )
    odd = ~((pipeline >= 0) & (pipeline <= MAX_FEATURE))
    if odd.any():
        stage, row, kind = (int(i) for i in np.argwhere(odd)[0])
        raise DataError(
            f"stage {stage}: pipeline feature row {row}, type {kind} is {float(pipeline[stage, row, kind])!r}; "
            "remove the file or sample it again",
            path=path,
        )


def parse_sample(data: bytes, *, path: str | Path = "sample", names: Sequence[str] = SCHEDULE_FEATURES) -> Sample:
    """A `.sample` file's bytes. Raises DataError like `parse_featurization`, and for a wrong run time."""
    if len(data) <= TAIL_BYTES:
        raise DataError(f"{len(data)} bytes are too few for a sample; sample it again", path=path)
    schedule, pipeline = parse_featurization(data[:-TAIL_BYTES], path=path, names=names)
    runtime_ms = float(np.frombuffer(data[-12:-8], dtype="<f4")[0])
    pipeline_id, schedule_id = (int(i) for i in np.frombuffer(data[-8:], dtype="<i4"))
    if not 0 < runtime_ms < float("inf"):
        raise DataError(f"run time {runtime_ms!r} ms is no positive number; sample it again", path=path)
    return Sample(schedule, pipeline, runtime_ms, pipeline_id, schedule_id, str(path))


def sample_bytes(sample: Sample) -> bytes:
    """The bytes of a `.sample` file; `parse_sample` gives the same sample back, bit by bit."""
    tail = np.asarray([sample.runtime_ms], dtype="<f4").tobytes()
    try:
        ids = np.asarray([sample.pipeline_id, sample.schedule_id], dtype="<i4").tobytes()
    except OverflowError as error:
        raise DataError("pipeline and schedule ids must fit 32 bits", path=sample.path or None) from error
    return featurization_bytes(sample.schedule_features, sample.pipeline_features) + tail + ids


def featurization_bytes(schedule: Floats, pipeline: Floats) -> bytes:
    """The bytes of a `.featurization` file from (stages, 39 or 73) and (stages, 41, 7)."""
    stages = len(schedule)
    if schedule.ndim != 2 or pipeline.shape != (stages, N_ROWS, N_TYPES):
        raise DataError(f"features of shapes {schedule.shape} and {pipeline.shape} are not (n, 39) and (n, 41, 7)")
    schedule_names(schedule.shape[1])
    return np.concatenate([schedule, pipeline.reshape(stages, -1)], axis=1).astype("<f4").tobytes()


def load_a_sample(path: str | Path, *, names: Sequence[str] = SCHEDULE_FEATURES) -> Sample:
    """Read one `.sample` file. Raises DataError naming the file."""
    return parse_sample(_read(Path(path), MAX_STAGES * stage_bytes(names) + TAIL_BYTES), path=path, names=names)


def load_featurization(path: str | Path, *, names: Sequence[str] = SCHEDULE_FEATURES) -> tuple[Floats, Floats]:
    """Read one `.featurization` file: (stages, 39) and (stages, 41, 7). Raises DataError naming the file."""
    return parse_featurization(_read(Path(path), MAX_STAGES * stage_bytes(names)), path=path, names=names)


def _read(path: Path, limit: int) -> bytes:
    try:
        if path.is_dir():
            raise DataError("is a folder, a file was expected", path=path)
        if path.stat().st_size > limit:
            raise DataError(f"{path.stat().st_size} bytes are over the limit of {limit}", path=path)
        return read_bytes(path, max_bytes=limit)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error


def save_a_sample(sample: Sample, path: str | Path) -> None:
    """Write a `.sample` file whole or not at all."""
    write_atomic(path, sample_bytes(sample))


def sample_paths(folder: str | Path) -> Iterator[Path]:
    """All `.sample` files under a folder (or the one file named), sorted within each folder, hidden ones left out.

    Raises DataError when there is no such folder.
    """
    root = Path(folder)
    if root.is_file():
        yield root
        return
    if not root.is_dir():
        raise DataError("no such folder of samples; make some with hwml halide sample", path=root)
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".sample") and not name.startswith("."):
                yield Path(place) / name


def load_from_dir(folder: str | Path, *, skipped: list[DataError] | None = None) -> Iterator[Sample]:
    """Read the samples under a folder one by one: only one is in memory at a time.

    A broken file raises DataError, unless `skipped` is given: then its error is appended there and reading goes on.
    """
    for path in sample_paths(folder):
        try:
            yield load_a_sample(path)
        except DataError as error:
            if skipped is None:
                raise
            skipped.append(error)


def check_groups(samples: Iterable[Sample]) -> None:
    """DataError when two different pipelines share one pipeline id; it names a file of each.

    Halide's trainer takes the pipeline features of an id from the first file it sees and trains on garbage then
    (Halide issue 7086).
    """
    seen: dict[int, tuple[str, str]] = {}
    for sample in samples:
        digest = sample.pipeline_digest()
        first, path = seen.setdefault(sample.pipeline_id, (digest, sample.path))
        if first != digest:
            raise mixed_pipelines(sample.pipeline_id, path, sample.path)


def mixed_pipelines(pipeline_id: int, first: str, second: str) -> DataError:
    """The error for two pipelines under one id."""
    return DataError(
        f"pipeline id {pipeline_id} is used for two different pipelines: {first} and {second}; "
        "give each pipeline an id of its own (hwml halide sample does)"
    )
