"""The executor: every item in a process of its own, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.waiting import PATIENCE_S, ended, interruptible, wait_for

from hwml_sdk.errors import HwmlError, MissingDependencyError
from hwml_sdk.executor import Executor, Limits, Outcome

HERE = "tests.cost_model.items"


@pytest.fixture(autouse=True)
def _checkout_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))


def _run(executor: Executor, name: str, items: dict[str, dict[str, object]], **options: object) -> dict[str, Outcome]:
    return {outcome.key: outcome for outcome in executor.run(f"{HERE}:{name}", items, **options)}  # type: ignore[arg-type]


def test_items_run_and_report() -> None:
    seen: list[tuple[int, int, str]] = []
    executor = Executor(workers=2)
    items: dict[str, dict[str, object]] = {str(number): {"number": number} for number in range(5)}
    outcomes = _run(
        executor, "square", items, progress=lambda done, total, outcome: seen.append((done, total, outcome.key))
    )
    assert {key: outcome.value["square"] for key, outcome in outcomes.items()} == {str(n): n * n for n in range(5)}
    assert [count for count, _, _ in seen] == [1, 2, 3, 4, 5]
    assert {total for _, total, _ in seen} == {5}


def test_each_way_to_end_costs_its_own_item_only() -> None:
    items: dict[str, dict[str, object]] = {way: {"way": way} for way in ("fine", "error", "crash", "memory")}
    outcomes = _run(Executor(workers=2, limits=Limits(PATIENCE_S, 2 << 30)), "end", items)
    assert {key: outcome.status for key, outcome in outcomes.items()} == {
        "fine": "ok", "error": "failed", "crash": "crashed", "memory": "failed",
    }  # fmt: skip
    assert outcomes["error"].error == "said so"
    assert "signal 6" in outcomes["crash"].error
    assert "last words" in outcomes["crash"].error
    assert "2048 MiB" in outcomes["memory"].error


def test_an_item_that_hangs_is_ended_at_its_time_limit() -> None:
    (outcome,) = _run(Executor(workers=1, limits=Limits(1)), "end", {"hang": {"way": "hang"}}).values()
    assert outcome.status == "timeout"
    assert "1 s" in outcome.error


def test_crashes_are_retried_and_errors_are_not(tmp_path: Path) -> None:
    items: dict[str, dict[str, object]] = {
        "second": {"file": str(tmp_path / "a"), "crashes": 1},
        "never": {"file": str(tmp_path / "b"), "crashes": 9},
    }
    outcomes = _run(Executor(workers=1, retries=2), "crash_first", items)
    assert (outcomes["second"].status, outcomes["second"].attempts) == ("ok", 2)
    assert (outcomes["never"].status, outcomes["never"].attempts) == ("crashed", 3)
    assert _run(Executor(workers=1, retries=2), "end", {"error": {"way": "error"}})["error"].attempts == 1


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    items: dict[str, dict[str, object]] = {str(n): {"number": n, "log": str(tmp_path / "log")} for n in range(4)}
    executor = Executor(workers=1)
    first = executor.run(f"{HERE}:square", items, journal=journal)
    keys = [next(first).key, next(first).key]
    first.close()  # type: ignore[attr-defined]
    with journal.open("a") as stream:
        stream.write('{"key": "3", "status": "ok", "val')  # a write that was cut off
    outcomes = _run(executor, "square", items, journal=journal)
    assert {key: outcome.value["square"] for key, outcome in outcomes.items()} == {str(n): n * n for n in range(4)}
    calls = (tmp_path / "log").read_text().split()
    assert all(calls.count(key) == 1 for key in keys)
    assert len(_run(executor, "square", items, journal=journal)) == 4
    assert (tmp_path / "log").read_text().split() == calls
    for nonsense in (b"nonsense\n", b"\xff\xfe\n", b"[]\n", b'{"key": [], "status": "ok"}\n', b"[" * 100_000 + b"\n"):
        journal.write_bytes(nonsense)
        with pytest.raises(HwmlError, match=r"journal\.jsonl:1"):
            _run(executor, "square", items, journal=journal)


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_a_run_ends_its_children(tmp_path: Path, way: signal.Signals) -> None:
    script = (
        "from hwml_sdk.executor import Executor\n"
        f"items = {{'a': {{'file': {str(tmp_path / 'pid')!r}}}}}\n"
        f"list(Executor(workers=1).run('{HERE}:wait_long', items))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=subprocess.DEVNULL,
        preexec_fn=interruptible,  # noqa: PLW1509
    )
    wait_for((tmp_path / "pid").exists, "the item to start")
    child = int((tmp_path / "pid").read_text())
    process.send_signal(way)
    process.wait(PATIENCE_S)
    wait_for(lambda: ended(child), "the item to end")


def test_wrong_use() -> None:
    with pytest.raises(HwmlError, match="local or ray"):
        Executor(backend="cloud")  # type: ignore[arg-type]


def test_ray_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"hwml\[ray\]"):
        list(Executor(backend="ray").run(f"{HERE}:square", {"a": {"number": 1}}))


@pytest.mark.slow
def test_ray_gives_what_the_serial_run_gives() -> None:
    pytest.importorskip("ray", reason="ray is not installed (extra ray)")
    items: dict[str, dict[str, object]] = {str(number): {"number": number} for number in range(6)}
    items["crash"] = {"number": 0, "abort": True}
    serial = _run(Executor(workers=1), "square", items)
    cluster = _run(Executor(backend="ray", workers=2), "square", items)
    assert {key: (o.status, json.dumps(o.value)) for key, o in serial.items()} == {
        key: (o.status, json.dumps(o.value)) for key, o in cluster.items()
    }
