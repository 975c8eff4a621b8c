"""Find and run external programs: one place for look-up, time limits and clean-up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ToolFailedError, ToolNotFoundError


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a program ended; `timed_out` programs were killed together with their children."""

    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Exit status 0, in time."""
        return self.returncode == 0 and not self.timed_out


def find_tool(name: str, *, variable: str | None = None, hint: str = "") -> Path:
    """Path of the program `name`: `$HWML_<NAME>` (or `variable`) first, then PATH.

    Raises ToolNotFoundError, also when the variable names something that is no executable file.
    """
    variable = variable or f"HWML_{name.upper().replace('-', '_').replace('+', 'P')}"
    chosen = os.environ.get(variable)
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise ToolNotFoundError(name, variable, f"it now says {chosen!r}, which is no program")
        return Path(found)
    found = shutil.which(name)
    if found is None:
        raise ToolNotFoundError(name, variable, hint)
    return Path(found)


def run_tool(
    argv: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> ToolResult:
    """Run a program in a process group of its own; past `timeout_s` the whole group is killed.

    Raises ToolFailedError when it cannot be started. A non-zero status is a result, not an error.
    """
    return finish_tool(start_tool(argv, cwd=cwd, env=env, wants_input=stdin is not None), stdin, timeout_s=timeout_s)


def start_tool(
    argv: Sequence[str | Path],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    wants_input: bool = False,
) -> subprocess.Popen[str]:
    """The first half of `run_tool`: a running program, for `finish_tool`. Raises ToolFailedError."""
    try:
        return subprocess.Popen(
            [str(argument) for argument in argv],
            stdin=subprocess.PIPE if wants_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=None if env is None else dict(env),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailedError(f"{argv[0]}: cannot be started: {error.strerror or error}") from error


def finish_tool(process: subprocess.Popen[str], stdin: str | None = None, *, timeout_s: float) -> ToolResult:
    """The second half: give a program its input and wait for its end; past `timeout_s` its group is killed."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        stdout, stderr = process.communicate()
        return ToolResult(process.returncode, stdout, stderr, timed_out=True)
    except BaseException:
        kill_group(process)
        process.wait()
        raise
    return ToolResult(process.returncode, stdout, stderr)


def kill_group(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Kill a process started with `start_new_session=True` and all its children."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    else:
        process.kill()
