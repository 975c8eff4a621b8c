"""Map a function over items: each item in a process of its own, on this machine or on a Ray cluster.

The function is named `package.module:function`, takes one JSON object and returns one. A crash, an endless loop or a
memory hog costs its own item and nothing else. Finished items are noted in a journal (JSON lines), so that an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any, Literal

from .errors import HwmlError, MissingDependencyError
from .files import append_line, parse_json, read_bytes
from .interrupt import heed_ctrl_c
from .leftovers import scratch_folder
from .processes import finish, kill_group, lifeline, own_folder, python_command, python_environment, start

Status = Literal["ok", "failed", "crashed", "timeout"]
MAX_STDERR_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one item ended."""

    key: str
    status: Status
    value: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    """the function's own words (failed), or how the process ended (crashed, timeout)"""
    attempts: int = 1
    seconds: float = 0.0
    host: str = ""

    @property
    def ok(self) -> bool:
        """The function returned."""
        return self.status == "ok"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one item."""

    timeout_s: float = 600.0
    memory_bytes: int = 0
    """address space of the process, 0: no limit (Linux)"""


Progress = Callable[[int, int, Outcome], None]


class Executor:
    """Runs items on `workers` processes at a time (default: the machine's cores).

    `backend="ray"` sends them to the cluster at `address` (default: the one Ray finds, else a local one); the extra
    `ray` is needed. Items that crash or time out are tried `retries` times more; items that fail by themselves are not.
    """

    def __init__(
        self,
        *,
        backend: Literal["local", "ray"] = "local",
        workers: int | None = None,
        limits: Limits | None = None,
        retries: int = 0,
        address: str | None = None,
    ) -> None:
        if backend not in ("local", "ray"):
            raise HwmlError(f"no executor {backend!r}; choose local or ray")
        self.backend = backend
        self.workers = workers or os.cpu_count() or 1
        self.limits = limits or Limits()
        self.retries = retries
        self.address = address

    def run(
        self,
        function: str,
        items: Mapping[str, dict[str, Any]],
        *,
        journal: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Outcome]:
        """Outcomes as they come, those of an earlier run (from the journal) first.

        Closing the iterator, an error or Ctrl-C kills what still runs. Raises HwmlError for a broken journal.
        """
        earlier = _read_journal(journal)
        done = [earlier[key] for key in items if key in earlier]
        yield from done
        waiting = {key: item for key, item in items.items() if key not in earlier}
        count = len(done)
        call = _Call(function, self.limits, self.retries)
        source = self._ray(call, waiting) if self.backend == "ray" else self._local(call, waiting)
        for outcome in source:
            heed_ctrl_c()
            count += 1
            if journal is not None:
                _append(Path(journal), outcome)
            if progress is not None:
                progress(count, len(items), outcome)
            yield outcome

    def _local(self, call: _Call, items: Mapping[str, dict[str, Any]]) -> Iterator[Outcome]:
        running: set[Popen[bytes]] = set()
        pool = ThreadPoolExecutor(self.workers)
        try:
            left = iter(items.items())
            futures: set[Future[Outcome]] = set()
            while True:
                while len(futures) < self.workers and (item := next(left, None)) is not None:
                    futures.add(pool.submit(_attempt, call, *item, running))
                if not futures:
                    return
                finished, futures = wait(futures, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        finally:
            for process in list(running):
                kill_group(process)
            pool.shutdown(wait=True, cancel_futures=True)

    def _ray(self, call: _Call, items: Mapping[str, dict[str, Any]]) -> Iterator[Outcome]:
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError("ray", "ray") from error
        started = not ray.is_initialized()
        if started:
            _join_cluster(ray, self.address, self.workers)
        remote = ray.remote(num_cpus=1, max_retries=0)(_attempt)
        tasks: dict[Any, str] = {}
        losses: dict[str, int] = {}
        try:
            left = iter(items.items())
            while True:
                while len(tasks) < 2 * self.workers and (item := next(left, None)) is not None:
                    tasks[remote.remote(call, *item)] = item[0]
                if not tasks:
                    return
                finished, _ = ray.wait(list(tasks))
                for task in finished:
                    key = tasks.pop(task)
                    outcome = _ray_outcome(ray, task, key)
                    if outcome is None and losses.get(key, 0) < call.retries:  # its worker died, not the item
                        losses[key] = losses.get(key, 0) + 1
                        tasks[remote.remote(call, key, items[key])] = key
                    else:
                        yield outcome or Outcome(key, "crashed", error="its Ray worker was lost again and again")
        finally:
            for task in tasks:
                ray.cancel(task, force=True)
            if started:
                ray.shutdown()


def _join_cluster(ray: Any, address: str | None, workers: int) -> None:
    """Raises HwmlError where no cluster answers at the address."""
    try:
        ray.init(address=address, num_cpus=None if address else workers, log_to_driver=False, configure_logging=False)
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # a ConnectionError, or what Ray says of versions and addresses
        words = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise HwmlError(f"no Ray cluster at {address or 'this machine'}: {words}") from error


def _ray_outcome(ray: Any, task: Any, key: str) -> Outcome | None:
    """None where the worker was lost."""
    try:
        outcome: Outcome = ray.get(task)
        return outcome
    except ray.exceptions.WorkerCrashedError:
        return None
    except ray.exceptions.RayError as error:
        return Outcome(key, "crashed", error=f"Ray: {(str(error).strip() or type(error).__name__).splitlines()[0]}")


@dataclass(frozen=True, slots=True)
class _Call:
    """What to do with each item."""

    function: str
    limits: Limits
    retries: int


def _attempt(call: _Call, key: str, item: dict[str, Any], running: set[Popen[bytes]] | None = None) -> Outcome:
    attempt = 1
    while True:
        outcome = _once(call, key, item, set() if running is None else running)
        if outcome.status in ("ok", "failed") or attempt > call.retries:
            return replace(outcome, attempts=attempt)
        attempt += 1


def _once(call: _Call, key: str, item: dict[str, Any], running: set[Popen[bytes]]) -> Outcome:
    began = time.monotonic()
    with scratch_folder() as folder, lifeline() as stdin:
        job, result = folder / "job.json", folder / "result.json"
        what = {
            "function": call.function,
            "item": item,
            "memory_bytes": call.limits.memory_bytes,
            "cwd": str(Path.cwd()),
        }
        job.write_text(json.dumps(what))
        command = python_command("hwml_sdk.executor_child", str(job), str(result))
        process = start(command, stdin=stdin, stdout=DEVNULL, cwd=own_folder(), env=_child_env(str(folder)))
        running.add(process)
        try:
            done = finish(process, timeout_s=call.limits.timeout_s)
        finally:
            running.discard(process)
            kill_group(process)
        if done.timed_out:
            said = f"took over {call.limits.timeout_s:g} s and was ended"
            status: Status = "timeout"
            value: dict[str, Any] = {}
        else:
            status, value, said = _read_result(done.returncode, result, done.stderr)
    return Outcome(key, status, value, said, seconds=time.monotonic() - began, host=socket.gethostname())


def _child_env(folder: str) -> dict[str, str]:
    environment = python_environment()
    environment["TMPDIR"] = folder
    environment["HWML_SHARED_TMP"] = environment.get("HWML_SHARED_TMP") or tempfile.gettempdir()
    return environment


def _read_result(code: int, result: Path, stderr: bytes) -> tuple[Status, dict[str, Any], str]:
    if result.is_file():
        data = parse_json(read_bytes(result))
        if "error" in data:
            return "failed", {}, str(data["error"])
        return "ok", data["value"], ""
    words = stderr.decode("utf-8", errors="replace").strip()[-MAX_STDERR_CHARS:]
    how = f"signal {-code}" if code < 0 else f"exit status {code}"
    return "crashed", {}, f"the process ended with {how}{': ' + words if words else ''}"


def _read_journal(journal: str | Path | None) -> dict[str, Outcome]:
    if journal is None or not Path(journal).is_file():
        return {}
    outcomes: dict[str, Outcome] = {}
    lines = read_bytes(Path(journal)).splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            break  # cut off in the middle of a write: that item is done again
        try:
            outcome = Outcome(**json.loads(line))
            outcomes[outcome.key] = outcome
        except (ValueError, TypeError, RecursionError) as error:
            raise HwmlError(f"{journal}:{number}: not a line of a run's journal; remove the file") from error
    return outcomes


def _append(journal: Path, outcome: Outcome) -> None:
    try:
        append_line(journal, json.dumps(asdict(outcome)))
    except OSError as error:
        raise HwmlError(f"{journal}: cannot write: {error.strerror or error}; free space and run again") from error
