"""The elaboration stage: run module constructors in a process of its own, behind a fence.

Constructors are the user's code. They may loop, recurse, exit, fill memory or write files; none of that may reach
hwml or the next check. The process starts lazily and is renewed after trouble and after a number of checks.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import WorkerDiedError
from .wire import Frame, Worker
from .workers import Programs, start_elaborator

Ending = Literal["ok", "fail", "timeout", "memory", "exit", "died"]
_EXIT_OUT_OF_MEMORY = 3  # -XX:+ExitOnOutOfMemoryError


@dataclass(frozen=True, slots=True)
class StackFrame:
    """One frame of a constructor that threw."""

    class_name: str
    file: str
    line: int  # from 1; 0 or less: unknown


@dataclass(frozen=True, slots=True)
class Elaborated:
    """How the elaboration of one module ended.

    chirrtl: the circuit, when `ending` is "ok"; error, message, frames: what was thrown, when it is "fail";
    output: what was printed meanwhile, Chisel's warnings among it.
    """

    target: str
    ending: Ending
    chirrtl: str = ""
    error: str = ""
    message: str = ""
    frames: tuple[StackFrame, ...] = ()
    output: str = ""


class Elaborator:
    """Elaborates classes that the checker made. Safe for several threads: calls wait for each other."""

    RENEW_AFTER = 400

    def __init__(self, programs: Programs, *, class_path: Sequence[Path] = (), archive: str = "read") -> None:
        self._programs = programs
        self._class_path = tuple(class_path)
        self._archive = archive
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the JVM, if one runs."""
        worker = self._worker
        return worker.pid if worker is not None and worker.alive else None

    def start(self) -> None:
        """Start the JVM without waiting for it."""
        with self._lock:
            self._running()

    def run(self, classes: Mapping[str, bytes], targets: Sequence[str], *, timeout_s: float) -> list[Elaborated]:
        """Elaborate `targets`: binary names of module classes, or of objects (ending in "$") with an `apply`.

        Targets after one that ended the process are tried again in a new one, as far as `timeout_s` reaches.
        """
        import time

        limit = time.monotonic() + timeout_s
        results: list[Elaborated] = []
        with self._lock:
            while len(results) < len(targets):
                left = limit - time.monotonic()
                rest = targets[len(results) :]
                if left <= 0.05:
                    results += [Elaborated(target, "timeout") for target in rest]
                    break
                results += self._some(classes, rest, left)
        return results

    def _some(self, classes: Mapping[str, bytes], targets: Sequence[str], timeout_s: float) -> list[Elaborated]:
        request = [b"%d" % len(classes)]
        for name, data in classes.items():
            request += [name.encode(), data]
        request += [target.encode() for target in targets]
        worker = self._running()
        try:
            frames = worker.exchange(request, timeout_s=timeout_s, last=lambda frame: frame[0] in (b"done", b"exit"))
        except WorkerDiedError as error:
            self._renew()
            done = [_elaborated(frame) for frame in error.frames if frame[0] in (b"ok", b"fail")]
            if len(done) < len(targets):
                done.append(Elaborated(targets[len(done)], _ending(error)))
            return done
        done = [_elaborated(frame) for frame in frames if frame[0] in (b"ok", b"fail")]
        if frames[-1][0] == b"exit":
            self._renew()
            done.append(Elaborated(targets[len(done)], "exit"))
        elif int(frames[-1][1]) > 0:  # threads were left running
            self._renew()
        return done

    def _renew(self) -> None:
        """Replace the process; the new one starts while the caller looks at the answer."""
        if self._worker is not None:
            self._worker.kill()
        self._worker = start_elaborator(self._programs, self._class_path, archive=self._archive)

    def _running(self) -> Worker:
        worker = self._worker
        if worker is None or not worker.alive or worker.requests >= self.RENEW_AFTER:
            self._renew()
        assert self._worker is not None
        return self._worker

    def close(self) -> None:
        """End the JVM."""
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def kill(self) -> None:
        """End the JVM at once, also in the middle of a check of another thread."""
        worker = self._worker
        if worker is not None:
            worker.kill()


def _ending(error: WorkerDiedError) -> Ending:
    if error.timed_out:
        return "timeout"
    return "memory" if error.status == _EXIT_OUT_OF_MEMORY else "died"


def _elaborated(frame: Frame) -> Elaborated:
    fields = [field.decode("utf-8", "replace") for field in frame]
    if fields[0] == "ok":
        return Elaborated(fields[1], "ok", chirrtl=fields[2], output=fields[3])
    frames = []
    for line in fields[4].splitlines():
        class_name, file, number = line.split("\t")
        frames.append(StackFrame(class_name, file, int(number)))
    return Elaborated(fields[1], "fail", error=fields[2], message=fields[3], frames=tuple(frames), output=fields[5])
