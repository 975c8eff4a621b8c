"""The client side: find the daemon, start it when there is none, ask, and say clearly what went wrong."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

from ...errors import ProtocolError, RefusedError, ToolFailedError
from ...processes import own_folder, python_command, python_environment, start
from ...usage import MOST_WAITING
from ..compile.prepare import prepare
from ..compile.workers import Programs, log_file
from ..install.toolchain import Progress, ensure
from ..types import CheckRequest, CompileResult
from .protocol import PROTOCOL, connect, meeting_place, receive, request_json, result_from, send

_CONNECT_S = 2.0
_START_S = 180.0  # a loaded machine with slow disks; a daemon that fails is noticed at once
_GRACE_S = 30.0  # over a check's own limit: the daemon answers when that is reached
_POLL_S = 0.02


def reachable(place: Path) -> bool:
    """Whether a daemon that speaks our protocol answers at `place`."""
    link = _open(place)
    if link is None:
        return False
    link.close()
    return True


def _open(place: Path, *, user: bool = False, keep: bool = False) -> socket.socket | None:
    """A link to the daemon, or None. user: count this process among those for whom the daemon stays."""
    found = connect(place, timeout_s=_CONNECT_S)
    if found is None:
        return None
    link, token = found
    try:
        link.settimeout(_CONNECT_S)
        pid = {"pid": os.getpid()} if user else {}
        send(link, {"protocol": PROTOCOL, "token": token, "keep": keep, **pid})
        answer = receive(link)
    except (OSError, ProtocolError):
        answer = None
    if answer is None or answer.get("protocol") != PROTOCOL:
        link.close()
        return None
    return link


class Client:
    """A connection to the daemon of one tool chain, started on first use.

    keep: the daemon outlives this process, so that the next hook or command finds it warm; an editor's server that
    lives long passes False, and the daemon goes with the last of its users.
    """

    def __init__(self, version: str, *, keep: bool = True, progress: Progress | None = None) -> None:
        self._programs: Programs = prepare(ensure(version, progress=progress), progress=progress)
        self._place = meeting_place(self._programs.key)
        self._keep = keep
        self._local = threading.local()  # a connection a thread: checks of one process may overlap

    def check(self, request: CheckRequest) -> CompileResult:
        """Run one check. Raises ToolFailedError when the daemon fails, RefusedError where it has no fence."""
        answer = self._ask(
            {"do": "check", "request": request_json(request)},
            timeout_s=MOST_WAITING * request.timeout_s + _GRACE_S,
            elaborate=request.elaborate,
        )
        return result_from(answer["result"])

    def warm_up(self, *, elaborate: bool) -> None:
        """Start what a check needs, without waiting for it."""
        self._ask({"do": "warm", "elaborate": elaborate}, timeout_s=_GRACE_S, elaborate=elaborate)

    def _ask(self, message: dict[str, Any], *, timeout_s: float, elaborate: bool = False) -> dict[str, Any]:
        for attempt in (1, 2):  # a daemon that has just ended is replaced once
            link = self._linked(elaborate)
            try:
                link.settimeout(timeout_s)
                send(link, message)
                answer = receive(link)
            except (OSError, ProtocolError) as error:
                self.close()
                if attempt == 2 or isinstance(error, TimeoutError):
                    raise ToolFailedError(f"the Chisel daemon does not answer ({error}); see {log_file()}") from error
                continue
            if answer is None:
                self.close()
                continue
            if "refused" in answer:
                raise RefusedError(str(answer["refused"]))
            if "error" in answer:
                raise ToolFailedError(str(answer["error"]))
            return answer
        raise ToolFailedError(f"the Chisel daemon ended twice while it was asked; see {log_file()}")

    def _linked(self, elaborate: bool) -> socket.socket:
        link: socket.socket | None = getattr(self._local, "link", None)
        if link is None:
            link = self._local.link = _open(self._place, user=True, keep=self._keep) or self._start(elaborate)
        return link

    def _start(self, elaborate: bool) -> socket.socket:
        arguments = ["--version", self._programs.chain.version, "--parent", str(os.getpid())]
        arguments += ["--warm", "elaborate" if elaborate else "compile", *(["--keep"] if self._keep else [])]
        argv = python_command("hwml_sdk.chisel.serve.daemon", *arguments)
        with log_file().open("ab") as log:
            process = start(argv, stdout=log, stderr=log, cwd=own_folder(), env=python_environment())
        limit = time.monotonic() + _START_S
        while time.monotonic() < limit:
            link = _open(self._place, user=True, keep=self._keep)
            if link is not None:
                return link
            if process.poll() not in (None, 0):
                raise ToolFailedError(
                    f"the Chisel daemon did not start (status {process.returncode}); see {log_file()}"
                )
            time.sleep(_POLL_S)
        raise ToolFailedError(f"the Chisel daemon did not start within {_START_S:g} s; see {log_file()}")

    def close(self) -> None:
        """Close this thread's connection; the daemon stays."""
        link: socket.socket | None = getattr(self._local, "link", None)
        if link is not None:
            link.close()
            self._local.link = None


def running_daemon(programs: Programs) -> dict[str, Any] | None:
    """Status of the daemon for these programs, or None when none runs."""
    return _tell(programs, "status")


def stop_daemon(programs: Programs) -> dict[str, Any] | None:
    """Tell the daemon to end; None when none runs."""
    return _tell(programs, "stop")


def _tell(programs: Programs, verb: str) -> dict[str, Any] | None:
    link = _open(meeting_place(programs.key))
    if link is None:
        return None
    with link:
        link.settimeout(_GRACE_S)
        try:
            send(link, {"do": verb})
            return receive(link)
        except (OSError, ProtocolError):
            return None
