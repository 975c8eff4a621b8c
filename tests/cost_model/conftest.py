"""Samples for the tests: made up ones of any shape, and a small measured set where halide is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwml_sdk.cost_model.data.features import SCHEDULE_INDEX
from hwml_sdk.cost_model.data.samples import Sample, save_a_sample
from hwml_sdk.cost_model.net.weights import Weights

DATA = Path(__file__).resolve().parents[1] / "data" / "cost_model"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "halide"
PIPELINES = DATA / "pipelines.py"


LIMIT_S = 1200  # the first test that needs a generator or samples builds and measures for all others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test waits for here is a C++ compiler and Halide, many times as long where others use the processors."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.fixture(autouse=True)
def _private_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Caches of built generators are shared by the session, and no user's."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def shared(name: str) -> Path:
    """A file of the reference data beside the checkout, or a skip with the reason."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"reference data {name} is not here")
    return path


def made_up(seed: int, n: int, stages: int, pipeline_id: int = 1) -> list[Sample]:
    """`n` schedules of a pipeline whose features cover every branch of the formula, with run times from a rule."""
    random = np.random.default_rng(seed)
    pipeline = random.integers(0, 4, (stages, 41, 7)).astype(np.float32)
    samples = []
    for index in range(n):
        schedule = np.exp(random.uniform(-1, 8, (stages, 39))).astype(np.float32)
        schedule[:, SCHEDULE_INDEX["inlined_calls"]] = random.choice([0, 0, 5], stages)
        schedule[:, SCHEDULE_INDEX["inner_parallelism"]] = random.choice([1, 1, 4, 33], stages)
        schedule[:, SCHEDULE_INDEX["outer_parallelism"]] = random.choice([1, 3], stages)
        schedule[:, SCHEDULE_INDEX["innermost_bytes_at_task"]] *= random.choice([0, 1], stages)
        work = schedule[:, SCHEDULE_INDEX["num_vectors"]] * schedule[:, SCHEDULE_INDEX["vector_size"]]
        runtime = float(np.float32(0.1 + 1e-4 * work.sum()))
        samples.append(Sample(schedule, pipeline, runtime, pipeline_id, index))
    return samples


@pytest.fixture
def sample_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write made-up pipelines to a folder: `sample_folder(n_pipelines, n_schedules, stages)`."""

    def write(pipelines: int = 6, n: int = 12, stages: int = 3) -> Path:
        folder = tmp_path / "samples"
        for number in range(pipelines):
            for sample in made_up(number, n, stages, number + 1):
                save_a_sample(sample, folder / f"p{number}" / f"s{sample.schedule_id:03d}.sample")
        return folder

    return write


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of really measured samples: two pipelines, one batch each."""
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
    from hwml_sdk.cost_model.sample.targets import parse_target

    folder = tmp_path_factory.mktemp("measured")
    for function in ("pipeline", "product"):
        settings = SampleSettings(parse_target(f"{PIPELINES}:{function}"), function, batch_size=14, explore=0.5)
        sample(settings, batches=1, samples_dir=folder)
    return folder


@pytest.fixture
def weights() -> Weights:
    """Random weights of a fixed seed."""
    return Weights.random(7)


def as_any(value: object) -> Any:
    """For arguments that are wrong on purpose."""
    return value
