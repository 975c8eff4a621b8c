"""What a project's build says about a file: asked once, only when trusted, remembered until the build changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import HwmlError
from ...files import locked, parse_json, read_bytes, write_atomic
from ...ownership import refuse_foreign
from ..install.toolchain import chisel_cache, installed, locked_versions, refuse_foreign_cache
from .bsp import BuildTarget, ask_build, find_connections, read_connection, target_holding
from .project import BUILD_FILES

ASK_S = 180.0  # a first start of sbt fetches half of itself
_MAX_BUILD_BYTES = 1 << 20
_CHISEL_JAR = re.compile(r"^chisel_2\.13-(?P<version>\d[\w.\-]*)\.jar$")
_ARTIFACT = re.compile(r"^(?P<name>.+?)-\d[\w.\-+]*\.jar$")
# With a value of their own in the next word, and without.
_PAIRED = {"-d", "-classpath", "-cp", "--class-path", "-release", "--release", "-target", "-java-output-version"}
_DROPPED = re.compile(
    r"-Xplugin:.*(?:chisel-plugin|semanticdb)|-P:semanticdb:|-Xplugin-require|-release:|-target:|-java-output-version:"
)


@dataclass(frozen=True, slots=True)
class ProjectSetup:
    """What a build says about a file. Empty for files that no build server speaks for.

    class_path: jars beyond Chisel's own; options: of scalac; sources: files and folders that are compiled together.
    libraries_known: the class path is all there is to have, so that a name that is not in it is nowhere.
    where_unknown: notes for a reader whose file uses a name that nothing has; incomplete: what the build misses, so
    that such a name may be there.
    """

    class_path: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    version: str = ""
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    libraries_known: bool = False
    where_unknown: tuple[str, ...] = ()
    incomplete: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a build said, or why it said nothing."""

    targets: tuple[BuildTarget, ...] = ()
    trouble: str = ""


_answers: dict[str, _Answer] = {}
_asking: dict[str, threading.Thread] = {}
_lock = threading.Lock()


def project_setup(path: Path, *, trusted: bool, within: Path | None = None, wait_s: float = ASK_S) -> ProjectSetup:
    """Class path, options and sources of the build target that holds `path`.

    within: the folder that is trusted; a build above it is not asked.
    Without `.bsp/` above the file, or in a workspace that is not trusted, the answer is empty and nothing runs. The
    server is asked in the background; past `wait_s` seconds the answer is empty with a note, and a later call has it.
    """
    connections = find_connections(path, within) if trusted else []
    if not connections:
        return ProjectSetup()
    key = _stamp(connections)
    with _lock:
        thread = _asking.get(key)
        if thread is None and key not in _answers:
            thread = threading.Thread(target=_ask, args=(key, connections), daemon=True)
            _asking[key] = thread
            thread.start()
    if thread is not None:
        thread.join(wait_s)
    answer = _answers.get(key)
    if answer is None:
        words = f"{connections[0].stem} is being asked for the class path; until then checked with its neighbours"
        return ProjectSetup(notes=(words,))
    if answer.trouble:
        return ProjectSetup(notes=(f"{answer.trouble}; checked with its neighbours instead",))
    target = target_holding(answer.targets, path)
    if target is None:
        names = ", ".join(target.name for target in answer.targets) or "none but of the build itself"
        words = f"no target of {connections[0].stem} holds {path.name} (there are {names}); checked with its neighbours"
        return ProjectSetup(notes=(words,))
    return setup_from(target)


def _ask(key: str, connections: list[Path]) -> None:
    try:
        answer = _Answer(tuple(_remembered(key, connections)))
    except HwmlError as error:
        answer = _Answer(trouble=str(error))
    except Exception as error:  # a server may answer anything: the user is told, the check goes on
        words = f"{connections[0]}: its server's answer makes no sense ({type(error).__name__}: {error})"
        answer = _Answer(trouble=words)
    with _lock:
        _answers[key] = answer
        del _asking[key]


def _remembered(key: str, connections: list[Path]) -> list[BuildTarget]:
    """The answer on disk for this state of the build, else a fresh one."""
    refuse_foreign_cache()
    place = chisel_cache() / "projects" / f"{key}.json"
    with locked(place.parent, key):
        if place.exists():
            refuse_foreign(place, "it says what to compile against", "remove it, and keep the cache yours alone")
        try:
            return [_target_from(row) for row in parse_json(read_bytes(place))]
        except (OSError, ValueError, TypeError, AttributeError):
            targets = _asked(connections)
            write_atomic(place, json.dumps([asdict(target) for target in targets], indent=1))
            place.chmod(0o600)
            return targets


def _target_from(data: dict[str, object]) -> BuildTarget:
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return BuildTarget(**fields)  # type: ignore[arg-type]


def _asked(connections: list[Path]) -> list[BuildTarget]:
    """The first server that answers; the error of the first one when none does."""
    first: HwmlError | None = None
    for file in connections:
        try:
            return ask_build(read_connection(file), timeout_s=ASK_S, log=log_file_of_servers())
        except HwmlError as error:
            first = first or error
    assert first is not None
    raise first


def log_file_of_servers() -> Path:
    """Where build servers write what goes wrong."""
    return chisel_cache() / "build-server.txt"


def setup_from(target: BuildTarget) -> ProjectSetup:
    """A build's answer, without what our own tool chain brings."""
    asked = next((m["version"] for jar in target.class_path if (m := _CHISEL_JAR.match(Path(jar).name))), "")
    notes = []
    version = asked if asked in locked_versions() or installed(asked) else ""
    if target.scala_version and not target.scala_version.startswith("2.13"):
        notes.append(f"{target.name} is built with Scala {target.scala_version}; checked with 2.13")
    chain = installed(version or locked_versions()[0])
    ours = {artifact_of(jar) for jar in chain.jars} if chain else set()
    jars = [jar for jar in target.class_path if artifact_of(Path(jar)) not in ours]
    gone = [Path(jar).name for jar in jars if not Path(jar).is_file()]
    if gone:
        notes.append(
            f"{_some(gone)} of {target.name} cannot be read any more; run the build once to fetch what it needs"
        )
    absent = [Path(source) for source in target.sources if not Path(source).exists()]
    missing = [source.name for source in absent if source.suffix == ".scala"]
    if missing:
        notes.append(_not_generated(target, missing))
    # sbt names this folder always, and makes it only where something is generated.
    empty = [source.name for source in absent if source.suffix != ".scala" and "src_managed" in source.parts]
    there = tuple(jar for jar in jars if Path(jar).is_file())
    known = not gone and not missing
    where_unknown = (_not_generated(target, empty),) if empty else ()
    options = tuple(_options(target.options))
    incomplete = "generated sources are missing" if missing else "a jar is gone" if gone else ""
    return ProjectSetup(there, options, version, target.sources, tuple(notes), known, where_unknown, incomplete)


def _not_generated(target: BuildTarget, names: list[str]) -> str:
    return f"generated sources of {target.name} are missing ({_some(names)}); run the build once to make them"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def artifact_of(jar: Path) -> str:
    """The name of a jar without its version."""
    match = _ARTIFACT.match(jar.name)
    return match["name"] if match else jar.name


def _options(options: tuple[str, ...]) -> Iterator[str]:
    """scalac's options without the plug-in (ours is used), output folders and releases of Java."""
    words = iter(options)
    for word in words:
        if word in _PAIRED:
            next(words, None)
        elif not _DROPPED.match(word):
            yield word


def _stamp(connections: list[Path]) -> str:
    """Of this folder's build alone; changes with what its files say, some of which sbt writes anew at every start."""
    root = connections[0].parent.parent
    files = [*connections, *(root / name for name in BUILD_FILES), *sorted((root / "project").glob("*"))]
    state = hashlib.sha256(os.fsencode(root))
    for file in files:
        with contextlib.suppress(OSError):  # what is not there, or no file
            content = read_bytes(file, max_bytes=_MAX_BUILD_BYTES)
            state.update(os.fsencode(file) + b"\0" + hashlib.sha256(content).digest())
    return state.hexdigest()[:16]
