"""The elaboration stage: run module constructors in a process of its own, behind a fence.

Constructors are the user's code. They may loop, recurse, exit, fill memory or write files; none of that may reach
hwml or the next check. The process starts lazily. It is renewed after trouble, after a number of checks, and after
every check whose source refers to more than plain hardware (worker/Vetting.scala): what such a constructor may have
left in it, threads, hooks, changed classes or late answers, dies with it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...errors import WorkerDiedError
from .wire import Frame, Worker
from .workers import Programs, start_elaborator

Ending = Literal["ok", "fail", "timeout", "memory", "exit", "died", "garbled"]
_EXIT_OUT_OF_MEMORY = 3  # -XX:+ExitOnOutOfMemoryError
_LEAST_S = 0.05


class _GarbledError(Exception):
    """What came back is no answer to what was asked."""


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
    output: what was printed meanwhile, Chisel's warnings among it. used_s: time that its request used, told once.
    """

    target: str
    ending: Ending
    chirrtl: str = ""
    error: str = ""
    message: str = ""
    frames: tuple[StackFrame, ...] = ()
    output: str = ""
    used_s: float = 0.0


class Elaborator:
    """Elaborates classes that the checker made. Safe for several threads: calls wait for each other."""

    RENEW_AFTER = 400

    def __init__(
        self,
        programs: Programs,
        *,
        class_path: Sequence[Path] = (),
        archive_to: Path | None = None,
        with_fence: bool = True,
    ) -> None:
        self._programs = programs
        self._class_path = tuple(class_path)
        self._archive_to = archive_to
        self._with_fence = with_fence
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._spent_s = 0.0  # of the last request

    @property
    def pid(self) -> int | None:
        """Process id of the JVM, if one runs."""
        worker = self._worker
        return worker.pid if worker is not None and worker.alive else None

    def start(self) -> None:
        """Start the JVM without waiting for it."""
        with self._lock:
            self._running()

    def run(
        self, classes: Mapping[str, bytes], targets: Sequence[str], *, timeout_s: float, plain: bool = False
    ) -> list[Elaborated]:
        """Elaborate `targets`: binary names of module classes, or of objects (ending in "$") with an `apply`.

        Targets after one that ended the process are tried again in a new one, as far as `timeout_s` (of time that the
        process uses, `usage.py`) reaches.
        plain: the classes only describe hardware, and the process may serve other checks afterwards.
        Raises RefusedError where no fence can be had.
        """
        left = timeout_s
        results: list[Elaborated] = []
        garbled = 0
        with self._lock:
            while len(results) < len(targets):
                rest = targets[len(results) :]
                if left <= _LEAST_S:
                    results += [Elaborated(target, "timeout") for target in rest]
                    break
                try:
                    first, *others = self._some(classes, rest, left)
                    results += [replace(first, used_s=self._spent_s), *others]
                    left -= self._spent_s
                    garbled = 0
                except _GarbledError:
                    self._renew()
                    garbled += 1
                    left -= self._spent_s
                    if garbled > 1:  # twice the same: it is the constructor's doing
                        results.append(Elaborated(rest[0], "garbled"))
                        garbled = 0
            if targets and not plain:
                self._renew()
        return results

    def _some(self, classes: Mapping[str, bytes], targets: Sequence[str], timeout_s: float) -> list[Elaborated]:
        """Answers for the first few targets, at least one. Raises _GarbledError."""
        request = [b"%d" % len(classes)]
        for name, data in classes.items():
            request += [name.encode(), data]
        request += [target.encode() for target in targets]
        worker = self._running()
        try:
            frames = worker.exchange(request, timeout_s=timeout_s, last=lambda frame: frame[0] in (b"done", b"exit"))
        except WorkerDiedError as error:
            self._spent_s = worker.used_s
            if error.garbled:
                raise _GarbledError from error
            self._renew()
            done = _answers(error.frames, targets)
            if len(done) < len(targets):
                done.append(Elaborated(targets[len(done)], _ending(error)))
            return done
        self._spent_s = worker.used_s
        done = _answers(frames[:-1], targets)
        if frames[-1][0] == b"exit":
            self._renew()
            if len(done) < len(targets):
                done.append(Elaborated(targets[len(done)], "exit"))
        elif len(done) != len(targets):
            raise _GarbledError
        elif frames[-1][1:] != [b"0"]:  # threads were left running
            self._renew()
        return done

    def _renew(self) -> None:
        """Replace the process; the new one starts while the caller looks at the answer."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None
        self._worker = start_elaborator(
            self._programs, self._class_path, archive_to=self._archive_to, with_fence=self._with_fence
        )

    def _running(self) -> Worker:
        worker = self._worker
        if worker is None or not worker.alive or worker.requests >= self.RENEW_AFTER:
            self._renew()
        assert self._worker is not None
        return self._worker

    def close(self, patience_s: float = 30.0) -> bool:
        """End the JVM; whether it came to its own end, in good order."""
        with self._lock:
            ended = self._worker is None or self._worker.close(patience_s)
            self._worker = None
        return ended

    def kill(self) -> None:
        """End the JVM at once, also in the middle of a check of another thread."""
        worker = self._worker
        if worker is not None:
            worker.kill()


def _ending(error: WorkerDiedError) -> Ending:
    if error.timed_out:
        return "timeout"
    return "memory" if error.status == _EXIT_OUT_OF_MEMORY else "died"


def _answers(frames: Sequence[Frame], targets: Sequence[str]) -> list[Elaborated]:
    """One answer a target, in their order. Raises _GarbledError for anything else."""
    try:
        done = [_elaborated(frame) for frame in frames]
    except (ValueError, IndexError) as error:
        raise _GarbledError from error
    if [item.target for item in done] != list(targets[: len(done)]):
        raise _GarbledError
    return done


def _elaborated(frame: Frame) -> Elaborated:
    fields = [field.decode("utf-8", "replace") for field in frame]
    if fields[0] == "ok":
        _, target, chirrtl, output = fields
        return Elaborated(target, "ok", chirrtl=chirrtl, output=output)
    kind, target, name, message, trace, output = fields
    if kind != "fail":
        raise ValueError(f"an answer of kind {kind!r}")
    frames = []
    for line in trace.splitlines():
        class_name, file, number = line.split("\t")
        frames.append(StackFrame(class_name, file, int(number)))
    return Elaborated(target, "fail", error=name, message=message, frames=tuple(frames), output=output)
