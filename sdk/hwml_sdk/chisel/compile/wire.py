"""Talk to a worker program (worker/Wire.scala): requests and answers are messages of byte strings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...errors import WorkerDiedError
from ...framing import Fields
from ...processes import Child

Frame = list[bytes]


class Worker:
    """A child process that answers messages. Not for two threads at once: the owner holds a lock."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        start_timeout_s: float = 180,
    ) -> None:
        self.name = name
        self.requests = 0
        self._child: Child[Frame] = Child(argv, Fields(), cwd=cwd, env=env, log=log)
        self._start_limit = time.monotonic() + start_timeout_s
        self._ready = False

    @property
    def pid(self) -> int:
        """Process id of the worker (of its fence, where there is one)."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._child.alive

    def wait_ready(self) -> None:
        """Wait until the worker has started. Raises WorkerDiedError when it does not."""
        if not self._ready:
            limit = max(0.1, self._start_limit - time.monotonic())
            self._guarded(lambda: [self._receive()], limit, [])
            self._ready = True

    def exchange(self, request: Sequence[bytes], *, timeout_s: float, last: Callable[[Frame], bool]) -> list[Frame]:
        """Send `request` and collect answers up to the one that `last` accepts. Raises WorkerDiedError."""
        self.wait_ready()
        self.requests += 1
        frames: list[Frame] = []

        def talk() -> list[Frame]:
            self._child.send(list(request))
            while not frames or not last(frames[-1]):
                frames.append(self._receive())
            return frames

        return self._guarded(talk, timeout_s, frames)

    def _receive(self) -> Frame:
        frame = self._child.receive()
        if frame is None:
            raise EOFError("the worker closed its output")
        return frame

    def _guarded(self, talk: Callable[[], list[Frame]], timeout_s: float, frames: list[Frame]) -> list[Frame]:
        """Run `talk`, killing the process at the time limit, which ends every blocking read and write."""
        with self._child.within(timeout_s) as timed_out:
            try:
                return talk()
            except (OSError, EOFError, ValueError) as error:
                self._child.settle()
                status = self._child.returncode
                raise WorkerDiedError(self.name, frames, timed_out=timed_out.is_set(), exit_code=status) from error

    def close(self) -> None:
        """Let the worker end by itself, by force after a while."""
        self._child.close()

    def kill(self) -> None:
        """End the worker and its children at once."""
        self._child.kill()
