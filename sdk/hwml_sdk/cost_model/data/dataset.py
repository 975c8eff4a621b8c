"""Samples grouped by pipeline, ready for training and evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError, TooFewSamplesError
from ...files import parse_json, read_bytes
from .samples import MAX_RUNTIME_MS, Floats, Sample, load_from_dir, mixed_pipelines

HALIDE_NUM_CORES = 32  # what Halide's own trainer always uses
MAX_SCHEDULES = 1024  # of one pipeline in a training step, as in Halide's trainer


@dataclass(frozen=True, slots=True)
class PipelineData:
    """All different schedules measured for one pipeline on one kind of machine."""

    digest: str
    """hash of the pipeline's features"""
    pipeline_id: int
    name: str
    pipeline: Floats
    """(stages, 40, 7)"""
    schedule: Floats
    """(n, stages, 39)"""
    runtime_ms: Floats
    """(n,)"""
    noise: Floats
    """(n,) relative spread of each measurement; 0 where unknown"""
    num_cores: int
    """cores the schedules were measured on; 0 where unknown"""
    paths: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.runtime_ms)

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.pipeline)


@dataclass(slots=True)
class _Gathering:
    """Schedules of one pipeline while a folder is read."""

    digest: str
    first: Sample
    num_cores: int
    rows: dict[str, tuple[Floats, float, float, str]] = field(default_factory=dict)

    def add(self, sample: Sample, noise: float) -> None:
        """Of repeats of one schedule the fastest is kept."""
        key = sample.schedule_digest()
        old = self.rows.get(key)
        if old is None or sample.runtime_ms < old[1]:
            self.rows[key] = (sample.schedule_features, sample.runtime_ms, noise, sample.path)

    def done(self) -> PipelineData:
        schedules, runtimes, noises, paths = zip(*self.rows.values(), strict=True)
        path = Path(self.first.path)
        return PipelineData(
            self.digest, self.first.pipeline_id, str(metadata(path).get("name") or path.parent.name),
            np.ascontiguousarray(self.first.model_pipeline_features), np.stack(schedules),
            np.asarray(runtimes, dtype=np.float32), np.asarray(noises, dtype=np.float32), self.num_cores, paths,
        )  # fmt: skip


def load_pipelines(
    folder: str | Path,
    *,
    min_schedules: int = 8,
    skipped: list[DataError] | None = None,
    samples: Iterable[Sample] | None = None,
) -> list[PipelineData]:
    """Read a folder of samples, grouped by pipeline id and number of cores, in order of these.

    Two ids may have equal features (one algorithm at two sizes): their run times do not compare, but `split` keeps them
    on one side.

    Repeats of a schedule count once (the fastest). Run times over 100 s and pipelines with fewer than `min_schedules`
    schedules are left out, as in Halide's trainer. Raises DataError for broken files (unless `skipped` collects them),
    for two pipelines under one id, and when nothing is left.
    """
    groups: dict[tuple[int, int], _Gathering] = {}
    owners: dict[int, tuple[str, str]] = {}
    for sample in load_from_dir(folder, skipped=skipped) if samples is None else samples:
        if sample.runtime_ms > MAX_RUNTIME_MS:
            continue
        digest = sample.pipeline_digest()
        owner, path = owners.setdefault(sample.pipeline_id, (digest, sample.path))
        if owner != digest:
            raise mixed_pipelines(sample.pipeline_id, path, sample.path)
        data = metadata(Path(sample.path))
        cores = int(data.get("num_cores", 0))
        group = groups.setdefault((sample.pipeline_id, cores), _Gathering(digest, sample, cores))
        group.add(sample, float(data.get("timing", {}).get("noise", 0.0)))
    found = [group.done() for group in groups.values() if len(group.rows) >= min_schedules]
    if not found:
        raise TooFewSamplesError(
            f"no pipeline with at least {min_schedules} different schedules among {len(groups)}; sample more",
            path=folder,
        )
    return sorted(found, key=lambda data: (data.pipeline_id, data.num_cores))


def metadata(sample_path: Path) -> dict[str, Any]:
    """What the sampler wrote beside a sample; empty for samples of other tools. Raises DataError when broken."""
    path = sample_path.with_suffix(".json")
    try:
        data = parse_json(read_bytes(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"broken metadata of a sample: {error}; remove the file", path=path) from error
    if not isinstance(data, dict) or not isinstance(data.get("timing", {}), dict):
        raise DataError("metadata of a sample must be a JSON object; remove the file", path=path)
    numbers = {"num_cores": data.get("num_cores", 0), "noise": data.get("timing", {}).get("noise", 0)}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            raise DataError(f"{name} of a sample's metadata is {value!r}; remove the file", path=path)
    return data


def split(
    pipelines: Sequence[PipelineData], *, folds: int = 5, fold: int = 0, seed: int = 0,
    group: Callable[[PipelineData], str] | None = None,
) -> tuple[list[PipelineData], list[PipelineData]]:  # fmt: skip
    """Training and held-out pipelines; all data of one pipeline (or of one `group`) are on one side.

    Membership follows from content (or the group's name) and `seed`, evenly over the folds.
    """
    key = group or (lambda data: data.digest)
    names = sorted(
        {key(data) for data in pipelines}, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
    )
    place = {name: index % folds for index, name in enumerate(names)}
    held = [data for data in pipelines if place[key(data)] == fold]
    return [data for data in pipelines if place[key(data)] != fold], held


def cores_of(data: PipelineData, override: int | None) -> int:
    """Number of cores to assume: `override`, what the samples say, or Halide's 32."""
    return override or data.num_cores or HALIDE_NUM_CORES
