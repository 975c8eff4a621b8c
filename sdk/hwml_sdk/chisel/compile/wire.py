"""Talk to a worker program (worker/Wire.scala) over a line of its own, and know which question an answer is for.

Messages are `framing.Fields`. A request opens with an id that nobody can
guess; every answer opens with that id and a digest of the request as it arrived. An answer that does not is somebody
else's doing: the worker is killed, and the owner asks again in a new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from ...errors import HwmlError, ToolFailedError, WorkerDiedError
from ...framing import Fields, MismatchError
from ...leftovers import new_name, writing
from ...ownership import private_folder
from ...processes import kill_group, start
from ...usage import killed_after_use

Frame = list[bytes]
_FIELDS = Fields()
_MAX_FRAMES = 10_000  # in answer to one request
_NAMED_PIPES = hasattr(os, "mkfifo") and sys.platform != "win32"
_POLL_MS = 50


class Channel:
    """Two named pipes in a private folder; the names go as soon as the worker has opened both.

    Descriptors 0, 1 and 2 of the worker are not among them, so that nothing it prints can pass for an answer. Without
    named pipes (Windows, untested) the line is standard input and output.
    """

    def __init__(self, base: Path) -> None:
        self._written = contextlib.ExitStack()
        try:
            private_folder(base)
            self._written.enter_context(writing(base))  # so that the next run clears it, should we be killed
            self.folder = new_name(base)
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            self._written.close()
            raise HwmlError(f"{base}: cannot write: {error.strerror or error}; set HWML_CACHE_DIR") from error
        self._to_worker, self._from_worker = self.folder / "in", self.folder / "out"
        if _NAMED_PIPES:
            os.mkfifo(self._to_worker, 0o600)
            os.mkfifo(self._from_worker, 0o600)
            self._reading = os.open(self._from_worker, os.O_RDONLY | os.O_NONBLOCK)
            self._held = os.open(self._to_worker, os.O_RDWR)  # lets the worker open its end without waiting for ours

    @property
    def arguments(self) -> list[str]:
        """What the worker is told."""
        return [str(self._to_worker), str(self._from_worker)] if _NAMED_PIPES else ["-", "-"]

    def join(self, process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
        """Streams to and from the worker, once it has sent something. Raises EOFError when it ended before."""
        if not _NAMED_PIPES:
            assert process.stdin is not None
            assert process.stdout is not None
            return process.stdin, process.stdout
        waiting = select.poll()
        waiting.register(self._reading, select.POLLIN)
        while not any(event & select.POLLIN for _, event in waiting.poll(_POLL_MS)):
            if process.poll() is not None:
                raise EOFError("the worker ended before it was ready")
        os.set_blocking(self._reading, True)
        writing = os.open(self._to_worker, os.O_WRONLY)
        streams = os.fdopen(writing, "wb"), os.fdopen(self._reading, "rb")
        os.close(self._held)
        self._reading = self._held = -1
        self.remove()
        return streams

    def remove(self) -> None:
        """Take the names away, and close what no stream owns yet."""
        if _NAMED_PIPES:
            for descriptor in (self._reading, self._held):
                if descriptor >= 0:
                    os.close(descriptor)
            self._reading = self._held = -1
        shutil.rmtree(self.folder, ignore_errors=True)
        self._written.close()


class Worker:
    """A child process that answers messages. Not for two threads at once: the owner holds a lock."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        channel: Channel,
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        watched: bool = False,
        start_timeout_s: float = 180,
    ) -> None:
        """watched: argv is the fence's launcher, which ends everything when its standard input closes."""
        self.name = name
        self.requests = 0
        self.used_s = 0.0  # of the last exchange
        self._channel = channel
        self._streams: tuple[IO[bytes], IO[bytes]] | None = None
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            try:
                self._process = start(
                    argv,
                    stdin=subprocess.PIPE if watched or not _NAMED_PIPES else subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if _NAMED_PIPES else subprocess.PIPE,
                    stderr=errors,
                    env=env,
                    cwd=cwd,
                )
            except ToolFailedError:
                channel.remove()
                raise
        self._start_limit = time.monotonic() + start_timeout_s

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
        if self._streams is None:
            limit = max(0.1, self._start_limit - time.monotonic())
            self._guarded(self._join, limit, [])

    def _join(self) -> list[Frame]:
        self._streams = self._channel.join(self._process)
        return [self._read_frame()]

    def exchange(self, request: Sequence[bytes], *, timeout_s: float, last: Callable[[Frame], bool]) -> list[Frame]:
        """Send `request` and collect answers up to the one that `last` accepts. Raises WorkerDiedError.

        timeout_s: of time that the worker uses (`usage.py`); its start does not count.
        """
        self.wait_ready()
        self.requests += 1
        frames: list[Frame] = []
        message = [secrets.token_hex(16).encode(), *request]
        stamp = [message[0], _digest(message)]

        def talk() -> list[Frame]:
            _FIELDS.write(self._open_streams()[0], message)
            while not frames or not last(frames[-1]):
                frame = self._read_frame()
                if frame[:2] != stamp or len(frame) == len(stamp) or len(frames) >= _MAX_FRAMES:
                    raise MismatchError("not an answer to the question")
                frames.append(frame[2:])
            return frames

        return self._guarded(talk, timeout_s, frames)

    def _guarded(self, talk: Callable[[], list[Frame]], timeout_s: float, frames: list[Frame]) -> list[Frame]:
        """Run `talk`, killing the process at the time limit, which ends every blocking read and write."""
        with killed_after_use(self._process, timeout_s) as limit:
            try:
                answer = talk()
            except (OSError, EOFError, ValueError) as error:
                self._settle()
                late = limit.passed
                self.used_s = limit.used_s
                raise WorkerDiedError(
                    self.name,
                    frames,
                    timed_out=late,
                    exit_code=self._process.returncode,
                    garbled=isinstance(error, MismatchError) and not late,
                ) from error
        self.used_s = limit.used_s
        return answer

    def _read_frame(self) -> Frame:
        frame = _FIELDS.read(self._open_streams()[1])
        if frame is None:
            raise EOFError("the worker closed its line")
        return frame

    def _open_streams(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._streams is None or self._streams[0].closed:
            raise EOFError("the worker is closed")
        return self._streams

    def close(self, patience_s: float = 30.0) -> bool:
        """Let the worker end by itself, by force after a while; whether it did, in good order."""
        if self._streams is None:
            self.kill()
            return False
        try:
            self._streams[0].close()
            self._process.wait(patience_s)
        except (OSError, subprocess.TimeoutExpired):  # it has gone already, or does not go
            self.kill()
        self._release()
        return self._process.returncode == 0

    def _settle(self) -> None:
        """Give a process that is ending by itself the time to leave its exit status, then make sure."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        self.kill()

    def kill(self) -> None:
        """End the worker and its children at once."""
        kill_group(self._process)
        self._process.wait()
        self._release()

    def _release(self) -> None:
        self._channel.remove()
        for stream in (*(self._streams or ()), self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # unsent bytes for a dead process
                    stream.close()


def _digest(fields: Sequence[bytes]) -> bytes:
    """Over lengths and bytes, so that no two requests share it."""
    state = hashlib.sha256()
    for field in fields:
        state.update(struct.pack(">I", len(field)))
        state.update(field)
    return state.digest()
