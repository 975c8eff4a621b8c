"""Compile the two resident JVM programs once, and archive their classes for a fast start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import HwmlError, ToolFailedError
from ...files import locked
from ...leftovers import new_name, writing
from ...tools import run_tool
from ..install.java import find_java
from ..install.toolchain import Progress, ToolChain
from .checker import Checker
from .elaborator import Elaborator
from .fence import clean_environment
from .workers import FIRST_ARCHIVE_MAJOR, JVM_OPTIONS, ROLES, Programs, sources_hash, worker_sources

_BUILD_TIMEOUT_S = 300
_ARCHIVE_TIMEOUT_S = 180.0


def prepare(chain: ToolChain, *, progress: Progress | None = None) -> Programs:
    """Compile the workers for `chain` and archive their classes, unless that was done before.

    Raises ToolNotFoundError without Java, ToolFailedError when the workers do not compile.
    """
    java = find_java()
    jar = chain.folder / f"worker-{sources_hash()}.jar"
    programs = Programs(chain, java, jar)
    archives = [programs.archive(role) for role in ROLES] if java.major >= FIRST_ARCHIVE_MAJOR else []
    if jar.is_file() and all(path.is_file() for path in archives):
        return programs
    say = progress or (lambda text: None)
    with locked(chain.folder, "worker"), writing(chain.folder):
        if not jar.is_file():
            say("compiling the checker, once")
            _compile_workers(programs)
        if not all(path.is_file() for path in archives):
            say("archiving its classes for a fast start, once")
            _archive(programs)
    return programs


def _compile_workers(programs: Programs) -> None:
    chain, java = programs.chain, programs.java
    with _folder_beside(programs) as folder:
        for name, code in worker_sources().items():
            (folder / name).write_text(code, encoding="utf-8")
        target = folder / "worker.jar"
        class_path = os.pathsep.join(map(str, chain.jars))
        compiler = [str(java.program), "-Xss8m", *JVM_OPTIONS, "-cp", class_path, "scala.tools.nsc.Main"]
        options = ["-cp", class_path, f"-Xplugin:{chain.plugin}", "-language:reflectiveCalls", "-d", str(target)]
        sources = [str(path) for path in sorted(folder.glob("*.scala"))]
        result = run_tool([*compiler, *options, *sources], timeout_s=_BUILD_TIMEOUT_S, env=clean_environment(folder))
        if not result.ok:
            first = (result.stderr or result.stdout).strip().splitlines()[:1]
            raise ToolFailedError(f"the checker does not compile with {java.program}: {' '.join(first)}")
        _move_in(target, programs.jar)


@contextmanager
def _folder_beside(programs: Programs) -> Iterator[Path]:
    """An empty folder in that of the tool chain: what is whole moves from there to its place, the rest goes."""
    folder = new_name(programs.jar.parent)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move_in(source: Path, target: Path) -> None:
    try:
        source.chmod(0o644)
        source.replace(target)
    except OSError as error:
        raise HwmlError(f"{target}: cannot write: {error.strerror or error}; free space in the cache") from error


def _archive(programs: Programs) -> None:
    """Run each worker once on a typical module and let the JVM keep what it loaded. Failing is no fault.

    The JVM writes an archive as its last deed: were it killed then, half of one would stay for good in its place. One
    that could not be made becomes an empty file, so that it is not tried at every start.
    """
    with _folder_beside(programs) as folder:
        made = {role: folder / programs.archive(role).name for role in ROLES}
        checker = Checker(programs, archive_to=made["checker"])
        classes: dict[str, bytes] = {}
        whole = {}
        try:
            for text in (_TRAINING_BAD, _TRAINING):
                outcome = checker.compile([("Training.scala", text)], want_classes=True, timeout_s=120)
                classes = outcome.classes
        finally:
            whole["checker"] = checker.close(_ARCHIVE_TIMEOUT_S)
        elaborator = Elaborator(programs, archive_to=made["elaborator"])
        targets = [name for name in classes if name.endswith("Training")]
        try:
            elaborator.run(classes, targets, timeout_s=120, plain=True)  # else its process would not be kept
        finally:
            whole["elaborator"] = elaborator.close(_ARCHIVE_TIMEOUT_S)
        for role, path in made.items():
            if not whole[role] or not path.is_file():
                path.write_bytes(b"")
            _move_in(path, programs.archive(role))


_TRAINING = """import chisel3._
import chisel3.util._

class Training(width: Int = 8) extends Module {
  val io = IO(new Bundle {
    val in = Flipped(Decoupled(UInt(width.W)))
    val out = Decoupled(UInt(width.W))
    val pick = Input(UInt(2.W))
  })
  val idle :: busy :: Nil = Enum(2)
  val state = RegInit(idle)
  val total = RegInit(0.U(width.W))
  switch(state) {
    is(idle) { when(io.in.fire) { state := busy; total := total + io.in.bits } }
    is(busy) { state := Mux(io.pick === 3.U, idle, busy) }
  }
  io.out <> Queue(io.in, 2)
  when(PopCount(total) === 2.U) { io.out.bits := Cat(total(3, 0), Fill(4, io.pick(0))) }
}
"""


_TRAINING_BAD = _TRAINING.replace("import chisel3.util._", "").replace("=== 3.U", "=== 3")
