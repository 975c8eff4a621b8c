"""The compile stage: a resident scalac that keeps classes in memory (worker/Compiler.scala)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import WorkerDiedError
from ...files import write_atomic
from ..install.toolchain import chisel_cache
from ..types import Side
from .wire import Frame, Worker
from .workers import CACHE_OPTIONS, SCALAC_OPTIONS, Programs, start_checker


@dataclass(frozen=True, slots=True)
class Finding:
    """What scalac says; offsets count UTF-16 units in the file, -1 when it names no place."""

    severity: str  # ERROR, WARNING or INFO
    file: str
    start: int
    point: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a module class; `group` counts parameter lists."""

    name: str
    type: str
    group: int
    has_default: bool
    is_implicit: bool


@dataclass(frozen=True, slots=True)
class ModuleClass:
    """A concrete module class; `point` is the offset of its name in UTF-16 units."""

    binary_name: str
    name: str
    file: str
    point: int
    parameters: tuple[Parameter, ...]

    @property
    def missing(self) -> tuple[Parameter, ...]:
        """Parameters that somebody must give a value."""
        return tuple(parameter for parameter in self.parameters if not parameter.has_default)


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection or comparison, with its types; `point` is the offset of its operator in UTF-16 units."""

    file: str
    point: int
    operator: str
    sink: Side
    source: Side


@dataclass(frozen=True, slots=True)
class CompileOutcome:
    """Answer of one compile run. crash: what the compiler died of, else ""; used_s: time that it used.

    unusual: what makes the constructors more than plain hardware, so that no other check may follow them, or "".
    """

    crash: str
    findings: tuple[Finding, ...]
    modules: tuple[ModuleClass, ...]
    black_boxes: int
    classes: dict[str, bytes]
    unusual: str = ""
    connections: tuple[Connected, ...] = ()
    used_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there are classes to run."""
        return not self.crash and all(finding.severity != "ERROR" for finding in self.findings)


class Checker:
    """A compiler for one class path. Safe for several threads: checks wait for each other."""

    RENEW_AFTER = 2000  # the JVM; the compiler inside renews itself more often

    def __init__(
        self,
        programs: Programs,
        *,
        class_path: Sequence[Path] | None = None,
        options: Sequence[str] = SCALAC_OPTIONS,
        archive_to: Path | None = None,
    ) -> None:
        self._programs = programs
        self._class_path = tuple(class_path) if class_path is not None else programs.chain.library_jars
        self._options = (*options, *CACHE_OPTIONS)
        self._archive_to = archive_to
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

    def compile(
        self,
        files: Sequence[tuple[str, str]],
        *,
        want_classes: bool,
        timeout_s: float,
        bare: bool = False,
        unchanged: int = 0,
        tries: int = 0,
    ) -> CompileOutcome:
        """Compile files (name, text) together. bare: in a new compiler, without a package around them.

        unchanged: that many files at the end do not refer to the others; compiled once while their texts stay.
        tries: so many UTF-16 units at the end of the first file may fail, line by line, and are no errors then.

        A compiler that hangs past `timeout_s` or dies is replaced; that check then raises WorkerDiedError.
        """
        request = [b"1" if want_classes else b"0", b"1" if bare else b"0", b"%d" % unchanged, b"%d" % tries]
        for name, text in files:
            request += [name.encode(), text.encode("utf-8", "replace")]
        with self._lock:
            try:
                return self._answer(request, timeout_s)
            except WorkerDiedError as error:
                self._worker = None
                if not error.garbled:
                    raise
            try:
                return self._answer(request, timeout_s)
            except WorkerDiedError:
                self._worker = None
                raise

    def _answer(self, request: list[bytes], timeout_s: float) -> CompileOutcome:
        worker = self._running()
        worker.wait_ready()
        frame = worker.exchange(request, timeout_s=timeout_s, last=lambda frame: True)[-1]
        return replace(_outcome(frame), used_s=worker.used_s)

    def _running(self) -> Worker:
        if self._worker is not None and (not self._worker.alive or self._worker.requests >= self.RENEW_AFTER):
            self._worker.kill()
            self._worker = None
        if self._worker is None:
            self._worker = start_checker(self._programs, [str(self._argument_file())], archive_to=self._archive_to)
        return self._worker

    def _argument_file(self) -> Path:
        """Class path and options in a file: a command line may be too short for them."""
        import os

        lines = [os.pathsep.join(map(str, self._class_path)), str(self._programs.chain.plugin), *self._options]
        text = "\n".join(lines)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = chisel_cache() / "checkers" / f"{name}.txt"
        if not path.is_file():
            write_atomic(path, text)
        return path

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


def _outcome(frame: Frame) -> CompileOutcome:
    fields = iter(frame)

    def text() -> str:
        return next(fields).decode("utf-8", "replace")

    def number() -> int:
        return int(next(fields))

    crash = text()
    findings = tuple(Finding(text(), text(), number(), number(), number(), text()) for _ in range(number()))
    modules = []
    for _ in range(number()):
        head = (text(), text(), text(), number())
        parameters = [Parameter(text(), text(), number(), number() == 1, number() == 1) for _ in range(number())]
        modules.append(ModuleClass(*head, tuple(parameters)))
    black_boxes = number()
    unusual = text()
    connections = tuple(
        Connected(text(), number(), text(), Side(text(), text()), Side(text(), text())) for _ in range(number())
    )
    classes = {}
    for _ in range(number()):
        name = text()
        classes[name] = next(fields)
    return CompileOutcome(crash, findings, tuple(modules), black_boxes, classes, unusual, connections)
