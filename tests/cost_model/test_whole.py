"""Sampling and training that are killed and taken up again end where an unbroken run ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cost_model.conftest import PIPELINES
from tests.killing import COMMAND, killed_at_random, leftovers, run

from hwml_sdk.cost_model import load_a_sample
from hwml_sdk.cost_model.data.samples import check_groups


def _schedules(batch: Path) -> dict[str, str]:
    return {path.name: load_a_sample(path).schedule_digest() for path in sorted(batch.rglob("*.sample"))}


def _batches(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("product/*/batch_*") if path.is_dir())


@pytest.mark.timeout(7200)
@pytest.mark.slow  # where a kill falls depends on the machine
@pytest.mark.parametrize("count", [4, 30])
def test_sampling(count: int, tmp_path: Path) -> None:
    """The seed says what a batch holds: after the kills as in a run that nobody broke."""
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}

    def arguments(folder: Path) -> list[str]:
        return ["halide", "sample", f"{PIPELINES}:product", "--name", "product", "--batch-size", "4", "--seed", "3",
                "--batches", "1", "--samples-dir", str(folder)]  # fmt: skip

    broken, unbroken = tmp_path / "broken", tmp_path / "whole"
    assert run(COMMAND, *arguments(unbroken), env=env).wait(280) == 0
    (first,) = _batches(unbroken)
    met = 0
    # The first run there, which says how long one takes, goes into a folder of its own.
    for hit in killed_at_random(
        COMMAND, arguments(broken), count, seed=11, apart=arguments(tmp_path / "apart"), env=env
    ):
        met += hit
        for path in broken.rglob("*.sample"):
            load_a_sample(path)
    assert run(COMMAND, *arguments(broken), env=env).wait(280) == 0
    assert met >= max(1, count // 4)  # a machine that becomes less busy ends runs before their kill
    assert _schedules(_batches(broken)[0]) == _schedules(first)
    check_groups([load_a_sample(path) for path in broken.rglob("*.sample")])
    assert leftovers(tmp_path) == []
    assert not list(broken.rglob("*.journal.jsonl"))


@pytest.mark.torch
@pytest.mark.timeout(7200)
@pytest.mark.slow  # where a kill falls depends on the machine
@pytest.mark.parametrize("count", [3, 30])
def test_training(count: int, sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    """The weights of a run that was killed and resumed are those of one that was not, bit for bit."""
    pytest.importorskip("torch", reason="torch is not installed (extra halide)")
    samples = sample_folder(6, 12)
    broken, unbroken, apart = (tmp_path / f"{name}.weights" for name in ("broken", "whole", "apart"))

    def arguments(out: Path) -> list[str]:
        return ["train", "cost_model", "--samples", str(samples), "--weights", str(out), "--epochs", "300", "--rates",
                "0.003", "--num-cores", "2", "--force", "--quiet", "--resume"]  # fmt: skip

    assert run(COMMAND, *arguments(unbroken)).wait(280) == 0
    wanted = unbroken.read_bytes()
    met = ends = 0
    for hit in killed_at_random(COMMAND, arguments(broken), count, seed=13, apart=arguments(apart)):
        met += hit
        if broken.exists():  # a run came to its end: from the start again
            ends += 1
            assert broken.read_bytes() == wanted
            broken.unlink()
    assert run(COMMAND, *arguments(broken)).wait(280) == 0
    assert broken.read_bytes() == wanted
    assert met >= max(1, count // 4)  # a machine that becomes less busy ends runs before their kill
    assert leftovers(tmp_path) == [] and not list(tmp_path.glob("*.resume.npz"))
