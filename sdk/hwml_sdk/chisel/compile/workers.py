"""The two resident JVM programs: compiled from `worker/*.scala` on first use, started with archived classes.

Both live in the tool chain's folder of the cache, named by a hash of what they were made from. An archive of loaded
classes (JEP 350, JEP 483) cuts the start to about half; without one everything works, only slower.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ...errors import HwmlError
from ...ownership import private_folder
from ..install.java import Java
from ..install.toolchain import ToolChain, chisel_cache
from .fence import clean_environment, fenced, linked_outside
from .wire import Channel, Worker

# scalac's options for plain files, as Chisel's own build template sets them.
SCALAC_OPTIONS = ("-language:reflectiveCalls", "-Ymacro-annotations", "-deprecation", "-feature", "-unchecked")
CACHE_OPTIONS = ("-Ycache-plugin-class-loader:last-modified", "-Ycache-macro-class-loader:last-modified")
JVM_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8")
# What the JVM would reserve without need, 1.3 GB of address space, and its doors for debuggers.
_BOUNDED = ("-XX:CompressedClassSpaceSize=128m", "-XX:ReservedCodeCacheSize=48m", "-XX:+DisableAttachMechanism")
ROLES = ("checker", "elaborator")
CHECKER_HEAP_MB = 256
ELABORATOR_HEAP_MB = 160
FIRST_ARCHIVE_MAJOR = 13  # -XX:ArchiveClassesAtExit
_FIRST_AOT_MAJOR = 25  # -XX:AOTCacheOutput


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
def sources_hash() -> str:
    """Changes with the sources of the workers."""
    text = "\0".join(f"{name}\0{code}" for name, code in worker_sources().items())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def start_checker(programs: Programs, arguments: Sequence[str], *, archive_to: Path | None = None) -> Worker:
    """Start a checker JVM; `arguments` are those of worker/CheckerMain.scala.

    archive_to: where it writes an archive of its classes when it ends, instead of reading the one there is.
    """
    channel, folder = Channel(chisel_cache() / "lines"), empty_folder()
    argv = _java(programs, "checker", CHECKER_HEAP_MB, archive_to)
    argv += ["-cp", programs.class_path(compiler=True), "hwml.worker.CheckerMain", *channel.arguments, *arguments]
    return Worker("checker", argv, channel=channel, log=log_file(), env=clean_environment(folder), cwd=folder)


def start_elaborator(
    programs: Programs, extra_class_path: Sequence[Path], *, archive_to: Path | None = None, with_fence: bool = True
) -> Worker:
    """Start an elaborator JVM, behind the fence unless the user wants none. Raises RefusedError where none can be had.

    With `archive_to` (see `start_checker`) it runs our own module only, and needs no fence.
    """
    with_fence = with_fence and archive_to is None
    channel, folder = Channel(chisel_cache() / "lines"), empty_folder()
    argv = _java(programs, "elaborator", ELABORATOR_HEAP_MB, archive_to)
    argv += ["-XX:+ExitOnOutOfMemoryError", "-XX:MaxDirectMemorySize=64m", f"-Djava.io.tmpdir={folder}"]
    argv += _BOUNDED
    class_path = os.pathsep.join([programs.class_path(compiler=False), *map(str, extra_class_path)])
    argv += ["-cp", class_path, "hwml.worker.ElaboratorMain", *channel.arguments]
    env = clean_environment(folder)
    try:
        if with_fence:
            argv = _fenced(programs, argv, extra_class_path, channel, folder, env)
        log = log_file()
        return Worker("elaborator", argv, channel=channel, log=log, env=env, cwd=folder, watched=with_fence)
    except HwmlError:
        channel.remove()
        raise


def _fenced(
    programs: Programs, argv: list[str], jars: Sequence[Path], channel: Channel, folder: Path, env: dict[str, str]
) -> list[str]:
    home = programs.java.home
    readable = [home, *linked_outside(home), programs.chain.folder, *jars]
    # Behind the fence there is no /proc, from which the program would learn where its libraries lie.
    env = {**env, "LD_LIBRARY_PATH": os.pathsep.join([str(home / "lib"), str(home / "lib" / "jli")])}
    return fenced(argv, readable=readable, channel=channel.folder, folder=folder, env=env)


def _java(programs: Programs, role: str, heap_mb: int, archive_to: Path | None) -> list[str]:
    argv = [str(programs.java.program), "-Xss8m", f"-Xmx{heap_mb}m", *JVM_OPTIONS]
    path = programs.archive(role)
    aot = programs.java.major >= _FIRST_AOT_MAJOR
    if archive_to is not None and programs.java.major >= FIRST_ARCHIVE_MAJOR:
        argv.append(f"-XX:{'AOTCacheOutput' if aot else 'ArchiveClassesAtExit'}={archive_to}")
    elif path.is_file() and path.stat().st_size:
        # A cache that does not fit is passed over without a word.
        argv += [f"-XX:AOTCache={path}"] if aot else [f"-XX:SharedArchiveFile={path}", "-Xshare:auto"]
    return [*argv, "-Xlog:disable", "-Xlog:all=error:stderr"]


def empty_folder() -> Path:
    """A folder without files for a worker to stand in; shared, since nothing can be written there."""
    folder = chisel_cache() / "empty"
    try:
        private_folder(folder)
    except OSError as error:
        raise HwmlError(f"{folder}: cannot write: {error.strerror or error}; set HWML_CACHE_DIR") from error
    return folder


def log_file() -> Path:
    """Where workers and daemon write what goes wrong."""
    return chisel_cache() / "log.txt"
