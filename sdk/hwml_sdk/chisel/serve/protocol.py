"""How clients and the daemon talk (`framing.Sized`), and where they meet."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import socket
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...document import Span
from ...errors import HwmlError, ProtocolError
from ...files import parse_json, read_bytes, write_atomic
from ...framing import Sized
from ...ownership import refuse_foreign
from ..install.toolchain import chisel_cache
from ..qor.answer import ChiselQor
from ..types import CheckRequest, ChiselDiagnostic, ChiselModule, CompileResult, Connection, Port, Side

PROTOCOL = 2
_MAX_MESSAGE = 64 * 1024 * 1024
_UNIX = hasattr(socket, "AF_UNIX") and sys.platform != "win32"
_PRIVATE = 0o700


_FRAMES = Sized(_MAX_MESSAGE)


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one message."""
    with connection.makefile("wb") as stream:
        _FRAMES.write(stream, message)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message; None when the other side has closed. Raises ProtocolError for anything else."""
    try:
        with connection.makefile("rb", buffering=0) as stream:
            return _FRAMES.read(stream)
    except (EOFError, ValueError) as error:
        raise ProtocolError(f"not a message: {error}") from error


def meeting_place(key: str) -> Path:
    """The socket (or, on Windows, the file that names port and token) of the daemon for a tool chain `key`.

    Named by user, protocol version and `key`; in a folder that only this user can enter, with a path short enough
    for the system (108 bytes on Linux). Raises HwmlError when there is no such folder.
    """
    digest = hashlib.sha256(f"{chisel_cache()}\0{key}\0{_code_state()}".encode()).hexdigest()[:12]
    return _private_folder() / f"chisel-{PROTOCOL}-{digest}.sock"


@lru_cache(maxsize=1)
def _code_state() -> str:
    """Changes when hwml is upgraded: an old daemon must not answer a new client."""
    states = [path.stat() for path in sorted(Path(__file__).parents[1].rglob("*.py"))]
    return " ".join(f"{state.st_size}:{state.st_mtime_ns}" for state in states)


def _private_folder() -> Path:
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    user = re.sub(r"\W", "_", getpass.getuser()) if not hasattr(os, "getuid") else str(os.getuid())
    folder = base / f"hwml-{user}"
    try:
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise HwmlError(f"{folder}: no place for a socket: {error.strerror or error}; set XDG_RUNTIME_DIR") from error
    if hasattr(os, "getuid") and (
        state.st_uid != os.getuid() or not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o077
    ):
        raise HwmlError(f"{folder}: belongs to somebody else or is open to others; remove it or set XDG_RUNTIME_DIR")
    refuse_foreign(folder, "programs meet there", "set XDG_RUNTIME_DIR to a folder of your own")
    return folder


def listen(place: Path) -> tuple[socket.socket, str]:
    """A listening socket at `place`, and the token that clients must send ("" where the socket itself is private)."""
    if _UNIX:
        place.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(place))
        place.chmod(0o600)
        server.listen(32)
        return server, ""
    import secrets  # untested: loopback and a token

    server = socket.create_server(("127.0.0.1", 0))
    token = secrets.token_hex(16)
    write_atomic(place, json.dumps({"port": server.getsockname()[1], "token": token}))
    return server, token


def connect(place: Path, *, timeout_s: float) -> tuple[socket.socket, str] | None:
    """A connection to the daemon at `place` and the token to send, or None when nobody is there."""
    try:
        if _UNIX:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.settimeout(timeout_s)
            client.connect(str(place))
            return client, ""
        where = parse_json(read_bytes(place))
        return socket.create_connection(("127.0.0.1", where["port"]), timeout=timeout_s), where["token"]
    except (OSError, ValueError, KeyError):
        return None


def request_json(request: CheckRequest) -> dict[str, Any]:
    """A request as plain data."""
    return asdict(request)


def request_from(data: Mapping[str, Any]) -> CheckRequest:
    """A request from plain data. Raises ProtocolError when it is none."""
    try:
        return CheckRequest(
            files=tuple((str(path), str(text)) for path, text in data["files"]),
            elaborate=data["elaborate"] is True,
            calls=tuple(map(str, data["calls"])),
            outputs=data["outputs"] is True,
            timeout_s=float(data["timeout_s"]),
            class_path=tuple(map(str, data["class_path"])),
            options=tuple(map(str, data["options"])),
            fence=data["fence"] is not False,
            circuits=data["circuits"] is True,
            guesses=tuple((str(words), str(origin)) for words, origin in data["guesses"]),
            count_up_to=int(data["count_up_to"]),
            hw_ir=data["hw_ir"] is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"not a request: {error}") from error


def result_json(result: CompileResult) -> dict[str, Any]:
    """A result as plain data."""
    data = asdict(replace(result, modules=()))
    data["modules"] = [
        {**asdict(replace(item, qor=None)), "qor": None if item.qor is None else item.qor.to_dict()}
        for item in result.modules
    ]
    data["chirrtl"], data["verilog"] = dict(result.chirrtl), dict(result.verilog)
    data["hw_ir"] = dict(result.hw_ir)
    return data


def result_from(data: Mapping[str, Any]) -> CompileResult:
    """A result from plain data."""
    values = dict(data)
    values["diagnostics"] = tuple(
        ChiselDiagnostic(**{**item, "span": Span(**item["span"])}) for item in data["diagnostics"]
    )
    values["modules"] = tuple(_module(item) for item in data["modules"])
    values["connections"] = tuple(_connection(item) for item in data["connections"])
    values["notes"] = tuple(data["notes"])
    return CompileResult(**values)


def _connection(item: Mapping[str, Any]) -> Connection:
    return Connection(item["offset"], item["operator"], Side(**item["sink"]), Side(**item["source"]))


def _module(item: Mapping[str, Any]) -> ChiselModule:
    values = dict(item)
    values["span"] = Span(**item["span"])
    values["ports"] = tuple(Port(**port) for port in item["ports"])
    values["missing"] = tuple(item["missing"])
    values["qor"] = None if item["qor"] is None else ChiselQor.from_dict(item["qor"])
    return ChiselModule(**values)
