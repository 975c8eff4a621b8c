"""Talk to a build server (Build Server Protocol 2.1 over JSON-RPC 2.0): which files belong together, with what options.

Used once a project and only when it is trusted: the connection file names a program, and that program runs the
build. Traps that the code below knows: sbt's server outlives its client unless its process group goes as well; a
failed request is an error object with code -32603; answers and notifications come in any order.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ...errors import ConfigError, EndedError, ToolFailedError
from ...files import parse_json, read_bytes, real_path
from ...framing import Headed
from ...processes import Child

FOLDER = ".bsp"
_MAX_FILE_BYTES = 1 << 20
_MAX_MESSAGE = 64 << 20
_PREFERRED = ("sbt", "mill-bsp", "mill", "scala-cli", "bleep", "bloop")
_END_S = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection file `.bsp/*.json`: how to start the build server of `workspace`."""

    path: Path
    workspace: Path
    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """What a build says about one target: jars to compile against, options of scalac, source files and folders.

    own: its sources; sources: these and the ones of targets of the same build that it depends on.
    """

    name: str
    class_path: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    scala_version: str = ""


def find_connections(path: Path, within: Path | None = None) -> list[Path]:
    """Connection files of the nearest folder at or above a file that has some; the kinds we know first.

    Looks where the file itself lies, not at a link to it. within: a folder outside which none counts.
    """
    for folder in real_path(path).parents:
        if within is not None and folder != within and within not in folder.parents:
            break
        found = [file for file in (folder / FOLDER).glob("*.json") if within is None or _lies_in(file, within)]
        if found:
            return sorted(found, key=lambda file: (_rank(file.stem), file.name))
        if (folder / ".git").exists():
            break
    return []


def _lies_in(file: Path, folder: Path) -> bool:
    return folder in real_path(file).parents


def _rank(name: str) -> int:
    return _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)


def read_connection(path: Path) -> Connection:
    """Read a connection file. Raises ConfigError, which says what is wrong with it."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ConfigError("is far too large for a connection file", path=path)
        data = parse_json(read_bytes(path, max_bytes=_MAX_FILE_BYTES))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path=path) from error
    except ValueError as error:
        raise ConfigError(f"is not JSON: {error}; write it again with the build tool", path=path) from error
    if not isinstance(data, dict):
        raise ConfigError("is no object; write it again with the build tool", path=path)
    argv, languages, version = data.get("argv"), data.get("languages"), data.get("bspVersion", "2.0.0")
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) and word for word in argv):
        raise ConfigError("argv is no list of words, so there is no server to start", path=path)
    if isinstance(languages, list) and "scala" not in languages:
        raise ConfigError(f"its server builds {', '.join(map(str, languages))}, not scala", path=path)
    if not str(version).startswith("2."):
        raise ConfigError(f"speaks version {version} of the Build Server Protocol; 2.x is known", path=path)
    return Connection(path, path.parent.parent, str(data.get("name") or path.stem), tuple(argv))


def ask_build(connection: Connection, *, timeout_s: float, log: Path) -> list[BuildTarget]:
    """Start the server, ask for its Scala targets, end the server with everything it started.

    Raises ToolFailedError when it cannot be started, does not answer in time or has no Scala target.
    """
    limit = time.monotonic() + timeout_s
    try:
        return _asked_once(connection, limit, log)
    except EndedError:  # sbt's client ends without a word when it finds the socket of a server that was killed
        return _asked_once(connection, limit, log)


def _asked_once(connection: Connection, limit: float, log: Path) -> list[BuildTarget]:
    server = _Server(connection, limit, log)
    try:
        return _asked(server, connection)
    finally:
        server.end()


def _asked(server: _Server, connection: Connection) -> list[BuildTarget]:
    server.call(
        "build/initialize",
        {
            "displayName": "hwml",
            "version": "1",
            "bspVersion": "2.1.0",
            "rootUri": connection.workspace.as_uri(),
            "capabilities": {"languageIds": ["scala"]},
        },
    )
    server.notify("build/initialized", {})
    listed = server.call("workspace/buildTargets", None)["targets"]
    ours = [item for item in listed if not _of_the_build(item)]
    if listed and not ours:
        raise ToolFailedError(
            f"{connection.name} could not resolve the project: it names targets of the build itself only"
        )
    targets = {item["id"]["uri"]: item for item in ours if "scala" in item.get("languageIds", ["scala"])}
    if not targets:
        raise ToolFailedError(f"{connection.name} has no Scala target")
    wanted = {"targets": [{"uri": uri} for uri in targets]}
    sources = {
        item["target"]["uri"]: [str(_path_of(source["uri"])) for source in item["sources"]]
        for item in server.call("buildTarget/sources", wanted)["items"]
    }
    options = server.call("buildTarget/scalacOptions", wanted)["items"]
    found = [_target(item, targets, sources) for item in options if item["target"]["uri"] in targets]
    if not found:  # Mill leaves out those whose libraries it could not fetch
        names = ", ".join(str(item.get("displayName") or uri) for uri, item in targets.items())
        raise ToolFailedError(f"{connection.name} could not resolve {names}")
    return found


def _of_the_build(target: Mapping[str, Any]) -> bool:
    """Whether a target compiles the build's own files: sbt's and Mill's definitions are no part of a project.

    sbt says dataKind "sbt"; Mill names them mill-build (`mill-build/`), or puts `sbt` or `mill` among the tags.
    """
    name = str(target.get("displayName") or "").rstrip("/")
    return target.get("dataKind") == "sbt" or (name.endswith(("-build", "mill-build")) and _uri_is_of_a_build(target))


def _uri_is_of_a_build(target: Mapping[str, Any]) -> bool:
    uri = urlsplit(str(target["id"]["uri"])).path.rstrip("/")
    return uri.endswith(("/project", "/mill-build")) or "/mill-build" in uri


def _target(item: Mapping[str, Any], targets: Mapping[str, Any], sources: Mapping[str, list[str]]) -> BuildTarget:
    uri = item["target"]["uri"]
    jars = [_path_of(entry) for entry in item.get("classpath", [])]
    together = [file for name in _with_dependencies(uri, targets) for file in sources.get(name, [])]
    return BuildTarget(
        name=str(targets[uri].get("displayName") or uri),
        class_path=tuple(str(jar) for jar in jars if jar.suffix == ".jar"),
        options=tuple(map(str, item.get("options", []))),
        own=tuple(sources.get(uri, [])),
        sources=tuple(dict.fromkeys(together)),
        scala_version=str((targets[uri].get("data") or {}).get("scalaVersion", "")),
    )


def target_holding(targets: Sequence[BuildTarget], path: Path) -> BuildTarget | None:
    """The target whose source entry is nearest to `path`: the file, or a source folder above it.

    A file entry stands for the files beside it (mill lists files), unless it is one of the build's own, such as
    build.sbt, below which everything lies.
    """
    best: tuple[tuple[bool, int], BuildTarget] | None = None
    place = real_path(path)
    for target in targets:
        for name in target.own:
            entry = real_path(name)
            if entry.suffix in {".sbt", ".mill", ".sc"} and entry != place:
                continue
            folder = entry.parent if entry.suffix else entry
            if place == entry or folder in place.parents:
                rank = (place == entry, len(folder.parts))
                if best is None or rank > best[0]:
                    best = (rank, target)
    return best[1] if best else None


def _with_dependencies(uri: str, targets: Mapping[str, Any]) -> list[str]:
    found, waiting = [], [uri]
    while waiting:
        current = waiting.pop(0)
        if current in targets and current not in found:
            found.append(current)
            waiting += [item["uri"] for item in targets[current].get("dependencies", [])]
    return found


def _shell_for(program: str) -> list[str]:
    """A shell in front of a script that does not name its own: Mill's launcher is one, as every shell starts it."""
    try:
        with Path(program).open("rb") as file:
            head = file.read(4)
    except OSError:
        return []
    binary = head[:2] in (b"#!", b"MZ") or head == b"\x7fELF" or head[:1] > b"\x7f"
    return [] if os.name != "posix" or binary else ["/bin/sh"]


def _path_of(uri: str) -> Path:
    """A file from its URI; some servers send plain paths."""
    parts = urlsplit(uri)
    return Path(url2pathname(unquote(parts.path)) if parts.scheme == "file" else uri)


@dataclass
class _Server:
    """A build server behind its standard input and output."""

    connection: Connection
    limit: float
    log: Path
    _sent: int = 0
    _answers: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)
    _messages: list[str] = field(default_factory=list)
    _ended: bool = False

    def __post_init__(self) -> None:
        program = shutil.which(self.connection.argv[0], path=os.environ.get("PATH"))
        if program is None:
            raise ToolFailedError(
                f"{self.connection.argv[0]!r}, the build server that {self.connection.path} names, is not there"
            )
        argv = [*_shell_for(program), program, *self.connection.argv[1:]]
        framing = Headed(lambda line: self._messages.append(_first_line(line)), _MAX_MESSAGE)
        self._child = Child(argv, framing, cwd=self.connection.workspace, log=self.log)
        threading.Thread(target=self._read, daemon=True).start()

    def call(self, method: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
        """One request and its answer. Raises ToolFailedError for errors, silence and nonsense."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method}
        self._send({**message, "params": params} if params is not None else message)
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, self.limit - time.monotonic()))
            except queue.Empty:
                raise ToolFailedError(self._said(f"did not answer {method} in time")) from None
            if answer is None:
                self._ended = True
                raise EndedError(self._said(f"ended before it answered {method}"))
            if "method" in answer:
                self._note(answer)
            elif answer.get("id") == self._sent:
                return self._result(method, answer)

    def _said(self, what: str) -> str:
        last = f" (it said: {self._messages[-1]})" if self._messages else ""
        return f"{self.connection.name} {what}{last}; see {self.log}"

    def _result(self, method: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            error = answer["error"]
            words = error.get("message") if isinstance(error, dict) else error
            raise ToolFailedError(f"{self.connection.name} refused {method}: {_first_line(words)}")
        result = answer.get("result")
        if not isinstance(result, dict):
            raise ToolFailedError(f"{self.connection.name} answered {method} with nothing to read")
        return result

    def _note(self, message: Mapping[str, Any]) -> None:
        """Keep what the server tells people; refuse what it asks, so that it does not wait."""
        params = message.get("params")
        if message["method"] in ("build/logMessage", "build/showMessage") and isinstance(params, dict):
            self._messages.append(_first_line(params.get("message")))
        if "id" in message:
            self._send({"id": message["id"], "error": {"code": -32601, "message": "not supported"}})

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send a message that has no answer."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has ended: reading says so
            self._child.send(message)

    def _read(self) -> None:
        """Move messages to the queue; None at the end, also when what comes is no message."""
        try:
            while (message := self._child.receive()) is not None:
                self._answers.put(message)
        except (OSError, EOFError, ValueError) as error:
            self._messages.append(f"it sent something that is no message ({_first_line(error)})")
        self._answers.put(None)

    def end(self) -> None:
        """Ask the server to end; then end it, and what it started.

        One that ends by itself tidies up: sbt would otherwise trip over its own socket at the next start.
        """
        self.limit = time.monotonic() + _END_S
        if not self._ended:
            with contextlib.suppress(ToolFailedError):
                self.call("build/shutdown", {})
            self.notify("build/exit", {})
        self._child.end(grace_s=_END_S)


def _first_line(words: object) -> str:
    lines = str(words or "").strip().splitlines()
    return lines[0][:300] if lines else "no reason given"
