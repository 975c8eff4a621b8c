"""Samples grouped by pipeline, ready for training and evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import DataError, TooFewSamplesError
from ...files import parse_json, read_bytes
from .csvdata import read_csv
from .samples import MAX_RUNTIME_MS, Floats, Sample, load_from_dir, mixed_pipelines

HALIDE_NUM_CORES = 32  # what Halide's own trainer always uses
MIN_SCHEDULES = 8  # of a pipeline that is trained on, as in Halide's trainer
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

    def name(self) -> str:
        """What the pipeline is called."""
        path = Path(self.first.path)
        return str(metadata(path).get("name") or path.parent.name or self.first.pipeline_id)

    def done(self) -> PipelineData:
        schedules, runtimes, noises, paths = zip(*self.rows.values(), strict=True)
        return PipelineData(
            self.digest, self.first.pipeline_id, self.name(),
            np.ascontiguousarray(self.first.model_pipeline_features), np.stack(schedules),
            np.asarray(runtimes, dtype=np.float32), np.asarray(noises, dtype=np.float32), self.num_cores, paths,
        )  # fmt: skip


class _Key(NamedTuple):
    """Schedules whose run times may be compared: one pipeline, measured in one way."""

    pipeline_id: int
    num_cores: int
    halide: str
    machine: str


def load_pipelines(
    folder: str | Path,
    *,
    min_schedules: int = MIN_SCHEDULES,
    skipped: list[DataError] | None = None,
    samples: Iterable[Sample] | None = None,
    report: Callable[[str], None] | None = None,
) -> list[PipelineData]:
    """Read a folder of samples (or a `.csv` file), grouped by pipeline id and number of cores, in order of these.

    Samples of different machines or Halide versions, as their metadata tell, are groups of their own: their run times
    do not compare. Two ids may have equal features (one algorithm at two sizes): `split` keeps them on one side.

    Repeats of a schedule count once (the fastest). Run times over 100 s and pipelines with fewer than `min_schedules`
    schedules are left out, as in Halide's trainer; `report` is told which. Raises DataError for broken files (unless
    `skipped` collects them), for two pipelines under one id, and TooFewSamplesError when nothing is left.
    """
    say = report or (lambda _: None)
    groups: dict[_Key, _Gathering] = {}
    owners: dict[int, tuple[str, str]] = {}
    for sample in _read(folder, skipped) if samples is None else samples:
        if sample.runtime_ms > MAX_RUNTIME_MS:
            say(f"left out: {sample.path}: {sample.runtime_ms:g} ms is over {MAX_RUNTIME_MS:g}")
            continue
        digest = sample.pipeline_digest()
        owner, path = owners.setdefault(sample.pipeline_id, (digest, sample.path))
        if owner != digest:
            raise mixed_pipelines(sample.pipeline_id, path, sample.path)
        data = metadata(Path(sample.path))
        key = _key(sample, data)
        group = groups.setdefault(key, _Gathering(digest, sample, key.num_cores))
        group.add(sample, float(data.get("timing", {}).get("noise", 0.0)))
    _say_mixed(groups, say)
    found = []
    for _, group in sorted(groups.items(), key=lambda item: item[0]):
        if len(group.rows) >= min_schedules:
            found.append(group.done())
        else:
            say(f"left out: {group.name()}: {len(group.rows)} different schedules, {min_schedules} are needed")
    if not found:
        most = max((len(group.rows) for group in groups.values()), default=0)
        raise TooFewSamplesError(
            f"no pipeline with at least {min_schedules} different schedules among {len(groups)} (most: {most}); "
            f"sample more{'' if most > 2 else ' (a pipeline of one or two stages may have no other schedule)'}",
            path=folder,
        )
    return found


def _read(folder: str | Path, skipped: list[DataError] | None) -> Iterable[Sample]:
    return read_csv(folder) if Path(folder).suffix == ".csv" else load_from_dir(folder, skipped=skipped)


def _key(sample: Sample, data: dict[str, Any]) -> _Key:
    machine = data.get("machine", {})
    where = "-".join(str(value) for value in machine.values()) if isinstance(machine, dict) else str(machine)
    return _Key(sample.pipeline_id, int(data.get("num_cores", 0)), str(data.get("halide", "")), where)


def _say_mixed(groups: Iterable[_Key], say: Callable[[str], None]) -> None:
    keys = list(groups)
    for what, values in (
        ("Halide versions", sorted({key.halide for key in keys if key.halide})),
        ("machines", sorted({key.machine for key in keys if key.machine})),
    ):
        if len(values) > 1:
            say(f"samples of {len(values)} {what} ({', '.join(values)}): kept apart, their run times do not compare")


def metadata(sample_path: Path) -> dict[str, Any]:
    """What the sampler wrote beside a sample; empty for samples of other tools. Raises DataError when broken."""
    if sample_path.suffix != ".sample":  # a row of a CSV file has none
        return {}
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
