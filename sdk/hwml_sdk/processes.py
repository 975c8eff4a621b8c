"""The one home of child processes: how they start, what they inherit, how they are spoken to and how they end.

Every child is the head of a process group of its own, so that ending it ends what it started. Python children are
deaf to the current folder and to PYTHONPATH entries that mean it (`-P`; an editor starts us inside a workspace, and a
`json.py` that lies there must stay a file among others), and stand in an empty folder of ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic

from .config import user_cache_dir
from .errors import ToolFailedError
from .framing import Framing, Message

_SETTLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended, and what it wrote. timed_out: it was killed together with its children."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


# -- what Python children are started with ------------------------------------------------------------------------


def python_command(module: str, *arguments: str) -> list[str]:
    """`python -P -m module ...`: this interpreter, which does not look for modules in its current folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """The environment, with this copy of hwml on the path (a checkout need not be installed) and no current folder.

    An empty entry of PYTHONPATH means the current folder (`PYTHONPATH=$PYTHONPATH:/x` makes one), so it is left out;
    relative ones are made absolute, for the child stands elsewhere.
    """
    here = Path.cwd()
    root = Path(__file__).resolve().parents[1]
    roots = [] if root.name in ("site-packages", "dist-packages") else [str(root)]
    for entry in map(Path, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        if entry.is_absolute() or (here / entry).resolve() != here.resolve():  # Path("") is Path(".")
            roots.append(str(here / entry))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if roots:
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(roots))
    return environment | {"PYTHONSAFEPATH": "1"}


def protect_children() -> None:
    """Have Python processes that a library starts from here (multiprocessing) ignore the current folder as well."""
    os.environ["PYTHONSAFEPATH"] = "1"


def own_folder() -> Path:
    """An empty folder of ours for children to stand in; the file system's root where none can be made."""
    folder = user_cache_dir().absolute() / "empty"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return Path(folder.anchor)
    return folder


# -- a child and its end ------------------------------------------------------------------------------------------


def start(
    argv: Sequence[str | Path],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    own_group: bool = True,
) -> subprocess.Popen[bytes]:
    """A running program. Raises ToolFailedError when it cannot be started.

    stderr: None lets it write where we do. own_group: False for helpers that whoever ends us is to end as well.
    """
    try:
        return subprocess.Popen(
            [str(argument) for argument in argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=own_group,
        )
    except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
        raise ToolFailedError(f"{argv[0]}: cannot be started: {getattr(error, 'strerror', '') or error}") from error


def finish(process: subprocess.Popen[bytes], stdin: bytes | None = None, *, timeout_s: float) -> Finished:
    """Give a program its input and wait for its end; past `timeout_s` its group is killed."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        stdout, stderr = process.communicate()
        return Finished(process.returncode, stdout or b"", stderr or b"", timed_out=True)
    except BaseException:
        kill_group(process)
        process.wait()
        raise
    return Finished(process.returncode, stdout or b"", stderr or b"")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and, where it heads a group (see `start`), all of that group; it is not waited for."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    else:
        process.kill()


@contextmanager
def killed_after(process: subprocess.Popen[bytes], timeout_s: float) -> Iterator[threading.Event]:
    """Kill a process at the limit, which ends every blocking read and write; the event tells of it."""
    timed_out = threading.Event()

    def stop() -> None:
        timed_out.set()
        kill_group(process)

    timer = threading.Timer(timeout_s, stop)
    timer.daemon = True
    timer.start()
    try:
        yield timed_out
    finally:
        timer.cancel()


def end_group(process: subprocess.Popen[bytes], *, grace_s: float) -> None:
    """Ask a group to end, and kill what is left of it after `grace_s`: servers that may, tidy up behind themselves."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
            limit = time.monotonic() + grace_s
            while time.monotonic() < limit:
                process.poll()  # a process that has ended stays in the group until it is waited for
                os.killpg(process.pid, 0)
                time.sleep(0.05)
    kill_group(process)
    process.wait()


@contextmanager
def lifeline() -> Iterator[int]:
    """Standard input for a child that calls `end_with_parent`: the other end is ours and closes with us."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


def end_with_parent() -> None:
    """In a child: end, with its group, when standard input does, however the parent went (also by `kill -9`)."""

    def wait() -> None:
        while os.read(0, 1 << 10):
            continue
        if hasattr(os, "killpg") and os.getpid() == os.getpgrp():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


# -- a child that answers -----------------------------------------------------------------------------------------


class Child(Generic[Message]):
    """A running child that exchanges messages; its framing says what a message is."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        framing: Framing[Message],
        *,
        cwd: str | Path,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """Start it. log: where its standard error is added; None: where ours goes. Raises ToolFailedError."""
        self._framing = framing
        if log is None:
            self._process = start(argv, cwd=cwd, env=env, stdin=subprocess.PIPE, stderr=None)
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as errors:
                self._process = start(argv, cwd=cwd, env=env, stdin=subprocess.PIPE, stderr=errors)

    @property
    def pid(self) -> int:
        """Process id (of its fence, where there is one)."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode

    def send(self, message: Message) -> None:
        """Send one message. Raises OSError or EOFError when the child does not read any more."""
        self._framing.write(_open(self._process.stdin), message)

    def receive(self) -> Message | None:
        """The next message, waited for; None when the child closed its output. Errors as in `framing`."""
        return self._framing.read(_open(self._process.stdout))

    def within(self, timeout_s: float) -> AbstractContextManager[threading.Event]:
        """Kill the child at the limit, as `killed_after`."""
        return killed_after(self._process, timeout_s)

    def close_input(self) -> None:
        """Nothing more will be sent."""
        if self._process.stdin is not None:
            with suppress(OSError):  # unsent bytes for a dead process
                self._process.stdin.close()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit status; None when the child still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self, *, grace_s: float = 30) -> None:
        """Let the child end by itself once its input is closed; by force after a while."""
        self.close_input()
        if self.wait(grace_s) is None:
            self.kill()
        self._close_output()

    def end(self, *, grace_s: float) -> None:
        """Close its input, ask its group to end, and end it."""
        self.close_input()
        end_group(self._process, grace_s=grace_s)

    def settle(self) -> None:
        """Give a child that is ending by itself the time to leave its exit status, then make sure."""
        self.wait(_SETTLE_S)
        self.kill()

    def kill(self) -> None:
        """End the child and its group at once."""
        self.end_now()
        self.close_input()
        self._close_output()

    def end_now(self) -> None:
        """End the child and its group at once, while other threads still read and write: they find the pipes ended."""
        kill_group(self._process)
        self._process.wait()

    def _close_output(self) -> None:
        if self._process.stdout is not None:
            with suppress(OSError):
                self._process.stdout.close()


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None or stream.closed:
        raise EOFError("the child is closed")
    return stream
