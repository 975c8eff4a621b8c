"""Tool chains without a lock: resolved by coordinates through the same Maven client, for trusted workspaces only.

The jars are those that Chisel's own POM asks for, with the compiler and the plug-in of the Scala version that it was
built with. Nothing says what their sums should be: they are written down at first use. firtool is the newest pinned
one, verified as ever; it reads the CHIRRTL of older Chisels too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...errors import ConfigError, HwmlError, ToolFailedError
from ...files import locked
from .toolchain import (
    LockedFile,
    Progress,
    ToolChain,
    _fetch_all,
    _install,
    _maven_context,
    chisel_cache,
    installed,
    locked_versions,
    read_lock,
    without_address,
)

_GROUP = "org.chipsalliance"
_SCALA = "org.scala-lang"
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(?:[-.][A-Za-z0-9]+)*")
_SCOPES = (None, "", "compile", "runtime")


def unpinned_note(version: str) -> str:
    """What a reader must know about an answer of such a tool chain."""
    return f"Chisel {version} is not pinned: its jars were resolved by their coordinates, no sum vouches for them"


def resolved(version: str, *, progress: Progress | None = None) -> ToolChain:
    """The tool chain of a version without a lock; the caller has made sure that it is trusted.

    Raises ConfigError for what is no version, ToolFailedError when it cannot be resolved.
    """
    if not _VERSION.fullmatch(version):
        raise ConfigError(f"{version!r} is no Chisel version; they look like {locked_versions()[0]}")
    with locked(chisel_cache(), "setup"):
        return installed(version) or _resolved(version, progress or (lambda text: None))


def _resolved(version: str, progress: Progress) -> ToolChain:
    progress(f"Chisel {version} is not pinned: resolving it by its coordinates")
    downloads = chisel_cache() / "downloads"
    coordinates = _coordinates(_maven_context(downloads), version)
    progress(f"Chisel {version}: fetching {len(coordinates)} files whose sums nobody vouches for, once")
    files = _with_sums(coordinates, downloads, progress)
    firtool = next(file for file in read_lock(locked_versions()[0]) if file.is_firtool)
    progress(f"Chisel {version}: {firtool.file_name}, {firtool.size / 1e6:.0f} MB, and the checker")
    chain = _install(version, (*files, firtool), lambda text: None, locked=False)
    progress(f"Chisel {version}: sums written down, firtool verified")
    return chain


def _coordinates(context: Any, version: str) -> list[str]:
    """Every jar on the class path, as Maven coordinates. Raises ToolFailedError."""
    try:
        direct = context.pom_dependencies(context.project(_GROUP, "chisel_2.13").at_version(version).pom())
        wanted = {d.artifactId: d.version for d in direct if d.groupId == _SCALA and d.scope in _SCOPES}
        scala = _scala_version(context, version, wanted)
        library = max(scala, wanted.get("scala-library", scala), key=_numbers)
        roots = [
            f"{_GROUP}:chisel_2.13:{version}",
            f"{_GROUP}:chisel-plugin_{scala}:{version}",
            *(f"{_SCALA}:scala-{name}:{scala}" for name in ("compiler", "reflect")),
            f"{_SCALA}:scala-library:{library}",
        ]
        # "!": a root's own list of versions is not forced on the others.
        own, others = context.resolver.resolve([context.create_dependency(f"{root}!") for root in roots])
        return list(dict.fromkeys(_written(d) for d in [*own, *others] if d.type == "jar" and d.scope in _SCOPES))
    except HwmlError:
        raise
    # The client raises whatever its HTTP library, its XML parser or the disk raise.
    except Exception as error:
        reason = without_address(str(error).splitlines()[0][:200] if str(error) else type(error).__name__)
        raise ToolFailedError(
            f"Chisel {version} cannot be resolved ({reason}); is there such a version, and is there a network? "
            f"pinned are {', '.join(locked_versions())}"
        ) from error


def _scala_version(context: Any, version: str, wanted: dict[str, str]) -> str:
    """The compiler plug-in exists for single Scala versions: that of Chisel's POM first, then newer ones."""
    newest = max(
        (file.parts[2] for known in locked_versions() for file in read_lock(known) if _is_compiler(file)), key=_numbers
    )
    asked = wanted.get("scala-reflect") or wanted.get("scala-library") or newest
    series, first = asked.rpartition(".")[0], _numbers(asked)[-1]
    newer = [f"{series}.{patch}" for patch in range(_numbers(newest)[-1], first, -1)]
    for scala in (asked, *newer):
        try:
            context.project(_GROUP, f"chisel-plugin_{scala}").at_version(version).pom()
        except Exception:  # not there: the client says so in several ways
            continue
        return scala
    raise ToolFailedError(
        f"Chisel {version} has no compiler plug-in for Scala {', '.join((asked, *reversed(newer)))} in the repository"
    )


def _is_compiler(file: LockedFile) -> bool:
    return file.parts[1] == "scala-compiler"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _written(dependency: Any) -> str:
    base = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
    return f"{base}:jar:{dependency.classifier}" if dependency.classifier else base


def _with_sums(coordinates: Iterable[str], folder: Path, progress: Progress) -> tuple[LockedFile, ...]:
    """The files with the sums they have now; size 0 marks one whose sum is not known yet."""
    unknown = tuple(LockedFile(text, "", 0) for text in coordinates)
    found = []
    for file, path in _fetch_all(unknown, folder, progress).items():
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found.append(LockedFile(file.coordinates, digest, path.stat().st_size))
    return tuple(found)
