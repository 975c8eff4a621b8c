"""The two resident JVM programs: compiled from `worker/*.scala` on first use, started with archived classes.

Both live in the tool chain's folder of the cache, named by a hash of what they were made from. An archive of loaded
classes (JEP 350, JEP 483) cuts the start to about half; without one everything works, only slower.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ...errors import HwmlError, ToolFailedError
from ...files import locked
from ...tools import run_tool
from ..install.java import Java, find_java
from ..install.toolchain import Progress, ToolChain, chisel_cache, private_temporary_folder
from .fence import clean_environment, fenced
from .wire import Worker

# scalac's options for plain files, as Chisel's own build template sets them.
SCALAC_OPTIONS = ("-language:reflectiveCalls", "-Ymacro-annotations", "-deprecation", "-feature", "-unchecked")
_CACHE_OPTIONS = ("-Ycache-plugin-class-loader:last-modified", "-Ycache-macro-class-loader:last-modified")
_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8")
CHECKER_HEAP_MB = 256
ELABORATOR_HEAP_MB = 160
_FIRST_ARCHIVE_MAJOR = 13  # -XX:ArchiveClassesAtExit
_FIRST_AOT_MAJOR = 25  # -XX:AOTCacheOutput
_BUILD_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Programs:
    """A tool chain with a Java runtime and the compiled worker programs."""

    chain: ToolChain
    java: Java
    jar: Path

    @property
    def key(self) -> str:
        """Changes with the tool chain, the Java runtime and the worker programs."""
        return f"{self.chain.key[:8]}{self.java.key[:4]}{self.jar.stem.rpartition('-')[2][:8]}"

    def class_path(self, *, compiler: bool) -> str:
        """Class path of a worker: archives of classes need the same order at every start."""
        jars = self.chain.jars if compiler else self.chain.library_jars
        return os.pathsep.join(str(path) for path in (self.jar, *jars))

    def archive(self, role: str) -> Path:
        """Where the archived classes of a worker lie."""
        suffix = "aot" if self.java.major >= _FIRST_AOT_MAJOR else "jsa"
        return self.jar.with_name(f"{self.jar.stem}-{self.java.key}-{role}.{suffix}")


def worker_sources() -> dict[str, str]:
    """The Scala sources of the workers."""
    folder = resources.files("hwml_sdk.chisel.compile").joinpath("worker")
    found = {e.name: e.read_text(encoding="utf-8") for e in folder.iterdir() if e.name.endswith(".scala")}
    return dict(sorted(found.items()))


@lru_cache(maxsize=1)
def _sources_hash() -> str:
    text = "\0".join(f"{name}\0{code}" for name, code in worker_sources().items())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def prepare(chain: ToolChain, *, progress: Progress | None = None) -> Programs:
    """Compile the workers for `chain` and archive their classes, unless that was done before.

    Raises ToolNotFoundError without Java, ToolFailedError when the workers do not compile.
    """
    java = find_java()
    jar = chain.folder / f"worker-{_sources_hash()}.jar"
    programs = Programs(chain, java, jar)
    if jar.is_file() and (programs.archive("checker").is_file() or java.major < _FIRST_ARCHIVE_MAJOR):
        return programs
    say = progress or (lambda text: None)
    with locked(chain.folder, "worker"):
        if not jar.is_file():
            say("compiling the checker, once")
            _compile_workers(programs)
        if not programs.archive("checker").is_file() and java.major >= _FIRST_ARCHIVE_MAJOR:
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
        compiler = [str(java.program), "-Xss8m", *_JVM, "-cp", class_path, "scala.tools.nsc.Main"]
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
        aside.replace(target)
    except OSError as error:
        raise HwmlError(f"{target}: cannot write: {error.strerror or error}; free space in the cache") from error


def _archive(programs: Programs) -> None:
    """Run each worker once on a typical module and let the JVM keep what it loaded. Failing is no fault."""
    from .checker import Checker
    from .elaborator import Elaborator

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


def start_checker(programs: Programs, arguments: Sequence[str], *, archive: str) -> Worker:
    """Start a checker JVM; `arguments` are those of worker/CheckerMain.scala. archive: "read" or "write"."""
    argv = _java(programs, "checker", CHECKER_HEAP_MB, archive)
    argv += ["-cp", programs.class_path(compiler=True), "hwml.worker.CheckerMain", *arguments]
    folder = _empty_folder()
    return Worker("checker", argv, log=log_file(), env=clean_environment(folder), cwd=folder)


def start_elaborator(programs: Programs, extra_class_path: Sequence[Path], *, archive: str) -> Worker:
    """Start an elaborator JVM behind the fence."""
    folder = _empty_folder()
    argv = _java(programs, "elaborator", ELABORATOR_HEAP_MB, archive)
    argv += ["-XX:+ExitOnOutOfMemoryError", "-XX:MaxDirectMemorySize=64m", f"-Djava.io.tmpdir={folder}"]
    class_path = os.pathsep.join([programs.class_path(compiler=False), *map(str, extra_class_path)])
    argv += ["-cp", class_path, "hwml.worker.ElaboratorMain"]
    if archive != "write":
        readable = [programs.java.home, programs.chain.folder, *extra_class_path]
        argv = fenced(argv, readable=readable, folder=folder)
    return Worker("elaborator", argv, log=log_file(), env=clean_environment(folder), cwd=folder)


def _java(programs: Programs, role: str, heap_mb: int, archive: str) -> list[str]:
    argv = [str(programs.java.program), "-Xss8m", f"-Xmx{heap_mb}m", *_JVM]
    path = programs.archive(role)
    aot = programs.java.major >= _FIRST_AOT_MAJOR
    if archive == "write" and programs.java.major >= _FIRST_ARCHIVE_MAJOR:
        argv.append(f"-XX:{'AOTCacheOutput' if aot else 'ArchiveClassesAtExit'}={path}")
    elif path.is_file():
        # A cache that does not fit is passed over without a word.
        argv += [f"-XX:AOTCache={path}"] if aot else [f"-XX:SharedArchiveFile={path}", "-Xshare:auto"]
    return [*argv, "-Xlog:disable", "-Xlog:all=error:stderr"]


def _empty_folder() -> Path:
    """A folder without files for a worker to stand in; shared, since nothing can be written there."""
    folder = chisel_cache() / "empty"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HwmlError(f"{folder}: cannot write: {error.strerror or error}; set HWML_CACHE_DIR") from error
    return folder


def log_file() -> Path:
    """Where workers and daemon write what goes wrong."""
    return chisel_cache() / "log.txt"
