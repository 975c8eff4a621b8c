"""Compile the two resident JVM programs once, and archive their classes for a fast start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ...errors import HwmlError, ToolFailedError
from ...files import locked
from ...tools import run_tool
from ..install.java import find_java
from ..install.toolchain import Progress, ToolChain, private_temporary_folder
from .checker import Checker
from .elaborator import Elaborator
from .fence import clean_environment
from .workers import FIRST_ARCHIVE_MAJOR, JVM_OPTIONS, Programs, sources_hash, worker_sources

_BUILD_TIMEOUT_S = 300


def prepare(chain: ToolChain, *, progress: Progress | None = None) -> Programs:
    """Compile the workers for `chain` and archive their classes, unless that was done before.

    Raises ToolNotFoundError without Java, ToolFailedError when the workers do not compile.
    """
    java = find_java()
    jar = chain.folder / f"worker-{sources_hash()}.jar"
    programs = Programs(chain, java, jar)
    if jar.is_file() and (programs.archive("checker").is_file() or java.major < FIRST_ARCHIVE_MAJOR):
        return programs
    say = progress or (lambda text: None)
    with locked(chain.folder, "worker"):
        if not jar.is_file():
            say("compiling the checker, once")
            _compile_workers(programs)
        if not programs.archive("checker").is_file() and java.major >= FIRST_ARCHIVE_MAJOR:
            say("archiving its classes for a fast start, once")
            _archive(programs)
    return programs


def _compile_workers(programs: Programs) -> None:
    chain, java = programs.chain, programs.java
    folder = private_temporary_folder()
    try:
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
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move_in(source: Path, target: Path) -> None:
    """Copy beside the target, then rename: the temporary folder may be on another disk."""
    aside = target.with_name(f".{target.name}.new")
    try:
        shutil.copyfile(source, aside)
        aside.chmod(0o644)
        aside.replace(target)
    except OSError as error:
        raise HwmlError(f"{target}: cannot write: {error.strerror or error}; free space in the cache") from error


def _archive(programs: Programs) -> None:
    """Run each worker once on a typical module and let the JVM keep what it loaded. Failing is no fault."""
    checker = Checker(programs, archive="write")
    classes: dict[str, bytes] = {}
    try:
        for text in (_TRAINING_BAD, _TRAINING):
            outcome = checker.compile([("Training.scala", text)], want_classes=True, timeout_s=120)
            classes = outcome.classes
    finally:
        checker.close()
    elaborator = Elaborator(programs, archive="write")
    try:
        elaborator.run(classes, [name for name in classes if name.endswith("Training")], timeout_s=120)
    finally:
        elaborator.close()


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
