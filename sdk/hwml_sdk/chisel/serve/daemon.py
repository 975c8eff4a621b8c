"""The daemon: one process a user and tool chain that keeps the compiler warm for editor, watcher, hooks and shell.

`python -m hwml_sdk.chisel.serve.daemon --version 7.14.0 --parent PID`. It ends when it was idle for a while, when
everybody who uses it has gone, or when it is told to. What it needs comes from the cache and the Java it was
started with; a client's environment plays no part later.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import HwmlError, ProtocolError, RefusedError
from ...files import locked
from ...printable import tell
from ..compile.prepare import prepare
from ..compile.workers import Programs, log_file
from ..install.toolchain import ensure
from ..session import Session
from ..types import CheckRequest
from .protocol import PROTOCOL, listen, meeting_place, receive, request_from, result_json, send

IDLE_S = 30 * 60.0
_WATCH_EVERY_S = 2.0
_PROJECTS_KEPT = 2
_MAX_LOG_BYTES = 1 << 20


class Daemon:
    """Serves checks over a socket; one session for plain files, a few for the class paths of projects."""

    def __init__(self, programs: Programs, *, idle_s: float = IDLE_S) -> None:
        self._programs = programs
        self._idle_s = idle_s
        self._sessions: OrderedDict[tuple[tuple[str, ...], tuple[str, ...], bool], Session] = OrderedDict()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._parents: set[int] = set()
        self._keep = False
        self._busy = 0
        self._checks = 0
        self._last_use = time.monotonic()
        self._started = time.time()

    def serve(self, server: socket.socket, token: str) -> None:
        """Answer until told to stop."""
        threading.Thread(target=self._watch, args=(server,), daemon=True).start()
        while not self._stopping.is_set():
            try:
                connection, _ = server.accept()
            except OSError:  # closed by the watch
                break
            threading.Thread(target=self._attend, args=(connection, token), daemon=True).start()
        with self._lock:
            for session in self._sessions.values():
                session.kill()

    def session(self, request: CheckRequest) -> Session:
        """The warm session for the request's class path."""
        key = (request.class_path, request.options, request.fence)
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                paths = [Path(path) for path in request.class_path]
                session = Session(self._programs, class_path=paths, options=request.options, with_fence=request.fence)
                self._sessions[key] = session
                projects = [k for k in self._sessions if k[0] or not k[2]]
                for old in projects[:-_PROJECTS_KEPT]:
                    self._sessions.pop(old).kill()
            self._sessions.move_to_end(key)
            return session

    def add_parent(self, pid: int, *, keep: bool) -> None:
        """Note somebody who uses the daemon. keep: stay after they have gone (hooks come and go)."""
        with self._lock:
            self._parents.add(pid)
            self._keep = self._keep or keep

    def _watch(self, server: socket.socket) -> None:
        """End the daemon when nobody needs it; closing the socket wakes the main thread."""
        while not self._stopping.wait(_WATCH_EVERY_S):
            idle = time.monotonic() - self._last_use
            with self._lock:
                self._parents = {pid for pid in self._parents if _alive(pid)}
                orphaned = not self._parents and not self._keep
                busy = self._busy > 0
            if not busy and (idle > self._idle_s or orphaned):
                self._stopping.set()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()

    def stop(self) -> None:
        """End the daemon."""
        self._stopping.set()

    def _attend(self, connection: socket.socket, token: str) -> None:
        with connection:
            try:
                greeting = receive(connection)
                if greeting is None:
                    return
                if greeting.get("protocol") != PROTOCOL or greeting.get("token", "") != token:
                    send(connection, {"error": "another protocol or a wrong token"})
                    return
                if isinstance(greeting.get("pid"), int):
                    self.add_parent(greeting["pid"], keep=greeting.get("keep") is True)
                send(connection, {"protocol": PROTOCOL, "pid": os.getpid()})
                while (message := receive(connection)) is not None:
                    send(connection, self._answer(message))
            except (OSError, ProtocolError) as error:
                _log(f"a client went: {error}")

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        self._last_use = time.monotonic()
        verbs: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "check": self._check,
            "warm": self._warm,
            "status": lambda _: self.status(),
            "stop": lambda _: self._stop(),
        }
        verb = verbs.get(str(message.get("do")))
        if verb is None:
            return {"error": f"unknown request {message.get('do')!r}"}
        with self._lock:
            self._busy += 1
        try:
            return verb(message)
        except RefusedError as error:
            return {"refused": str(error)}
        except HwmlError as error:
            return {"error": str(error)}
        except Exception as error:  # the daemon serves others: keep it, tell the client and the log
            _log(traceback.format_exc())
            return {"error": f"the daemon failed: {type(error).__name__}: {error}; see {log_file()}"}
        finally:
            with self._lock:
                self._busy -= 1
            self._last_use = time.monotonic()

    def _check(self, message: dict[str, Any]) -> dict[str, Any]:
        request = request_from(message["request"])
        self._checks += 1
        return {"result": result_json(self.session(request).check(request))}

    def _warm(self, message: dict[str, Any]) -> dict[str, Any]:
        plain = CheckRequest((("", ""),), elaborate=False)
        self.session(plain).warm_up(elaborate=message.get("elaborate") is True)
        return {"ok": True}

    def _stop(self) -> dict[str, Any]:
        self.stop()
        return {"ok": True, "pid": os.getpid()}

    def status(self) -> dict[str, Any]:
        """What runs: process ids, checks so far, tool chain."""
        with self._lock:
            sessions = [
                {"class_path": len(key[0]), "checker_pid": s.checker.pid, "elaborator_pid": s.elaborator.pid}
                for key, s in self._sessions.items()
            ]
        return {
            "pid": os.getpid(),
            "version": self._programs.chain.version,
            "java": str(self._programs.java.program),
            "uptime_s": round(time.time() - self._started, 1),
            "checks": self._checks,
            "users": len(self._parents),
            "sessions": sessions,
            "log": str(log_file()),
        }


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log(text: str) -> None:
    """Add to the log; it starts afresh when it has grown large."""
    path = log_file()
    with contextlib.suppress(OSError):
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.unlink()
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} daemon {os.getpid()}: {text}\n")


def main(argv: list[str] | None = None) -> int:
    """Run the daemon until it is no longer needed; 0 also when another one already serves."""
    parser = argparse.ArgumentParser(prog="python -m hwml_sdk.chisel.serve.daemon", description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="stay after the parent has gone, until idle")
    parser.add_argument("--warm", choices=("compile", "elaborate"), default="compile")
    parser.add_argument("--idle-s", type=float, default=IDLE_S)
    arguments = parser.parse_args(argv)
    try:
        return _run(arguments)
    except HwmlError as error:
        _log(str(error))
        tell(error)
        return error.exit_code


def _run(arguments: argparse.Namespace) -> int:
    programs = prepare(ensure(arguments.version))
    place = meeting_place(programs.key)
    from .client import reachable

    with locked(place.parent, place.stem):  # two that start at once: the second finds the first
        if reachable(place):
            return 0
        server, token = listen(place)
    daemon = Daemon(programs, idle_s=arguments.idle_s)
    if arguments.parent:
        daemon.add_parent(arguments.parent, keep=arguments.keep)
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    plain = CheckRequest((("", ""),), elaborate=False)
    daemon.session(plain).warm_up(elaborate=arguments.warm == "elaborate")
    _log(f"serves Chisel {programs.chain.version} at {place}")
    try:
        daemon.serve(server, token)
    finally:
        _forget(place, server)
    _log("ended")
    return 0


def _forget(place: Path, server: socket.socket) -> None:
    """Remove our socket, unless a successor has already put its own there."""
    server.close()
    from .client import reachable

    with locked(place.parent, place.stem):
        if not reachable(place):
            place.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
