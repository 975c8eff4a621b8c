"""Talk to a worker program (worker/Wire.scala): a count, then byte strings, each after its length, big-endian."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from ...errors import ToolFailedError
from ...processes import kill_group

Frame = list[bytes]
_MAX_FIELDS = 1 << 20
_MAX_BYTES = 256 << 20


class WorkerDiedError(ToolFailedError):
    """A worker ended, hung past its limit and was killed, or sent something else than messages.

    frames: the messages that came before; timed_out: whether the limit was the reason; status: how it ended.
    """

    def __init__(self, name: str, frames: list[Frame], *, timed_out: bool, exit_code: int | None) -> None:
        reason = "hung and was stopped" if timed_out else f"ended with status {exit_code}"
        super().__init__(f"the {name} {reason}; the next check starts a new one")
        self.frames = frames
        self.timed_out = timed_out
        self.status = exit_code


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
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            try:
                self._process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=dict(env),
                    cwd=cwd,
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolFailedError(f"{argv[0]}: cannot be started: {error.strerror or error}") from error
        self._start_limit = time.monotonic() + start_timeout_s
        self._ready = False

    @property
    def pid(self) -> int:
        """Process id of the worker (of its fence, where there is one)."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until the worker has started. Raises WorkerDiedError when it does not."""
        if not self._ready:
            limit = max(0.1, self._start_limit - time.monotonic())
            self._guarded(lambda: [self._read_frame()], limit, [])
            self._ready = True

    def exchange(self, request: Sequence[bytes], *, timeout_s: float, last: Callable[[Frame], bool]) -> list[Frame]:
        """Send `request` and collect answers up to the one that `last` accepts. Raises WorkerDiedError."""
        self.wait_ready()
        self.requests += 1
        frames: list[Frame] = []

        def talk() -> list[Frame]:
            self._write_frame(request)
            while not frames or not last(frames[-1]):
                frames.append(self._read_frame())
            return frames

        return self._guarded(talk, timeout_s, frames)

    def _guarded(self, talk: Callable[[], list[Frame]], timeout_s: float, frames: list[Frame]) -> list[Frame]:
        """Run `talk`, killing the process at the time limit, which ends every blocking read and write."""
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            kill_group(self._process)

        timer = threading.Timer(timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            return talk()
        except (OSError, EOFError, ValueError) as error:
            self._settle()
            raise WorkerDiedError(
                self.name, frames, timed_out=timed_out.is_set(), exit_code=self._process.returncode
            ) from error
        finally:
            timer.cancel()

    def _write_frame(self, fields: Sequence[bytes]) -> None:
        stream = self._pipe(self._process.stdin)
        stream.write(struct.pack(">I", len(fields)))
        for field in fields:
            stream.write(struct.pack(">I", len(field)))
            stream.write(field)
        stream.flush()

    def _read_frame(self) -> Frame:
        stream = self._pipe(self._process.stdout)
        count = self._read_number(stream, _MAX_FIELDS)
        return [self._read_exactly(stream, self._read_number(stream, _MAX_BYTES)) for _ in range(count)]

    def _read_number(self, stream: IO[bytes], limit: int) -> int:
        number: int = struct.unpack(">I", self._read_exactly(stream, 4))[0]
        if number > limit:
            raise ValueError("not a message")
        return number

    @staticmethod
    def _read_exactly(stream: IO[bytes], length: int) -> bytes:
        data = stream.read(length)
        if len(data) != length:
            raise EOFError("the worker closed its output")
        return data

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None or stream.closed:
            raise EOFError("the worker is closed")
        return stream

    def close(self) -> None:
        """Let the worker end by itself, by force after a while."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:  # it has gone already
                self.kill()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _settle(self) -> None:
        """Give a process that is ending by itself the time to leave its exit status, then make sure."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self.kill()

    def kill(self) -> None:
        """End the worker and its children at once."""
        kill_group(self._process)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # unsent bytes for a dead process
                    continue
