"""Find and run external programs: one place for look-up, time limits and clean-up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from .errors import ToolNotFoundError
from .processes import finish, start


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
    # An entry of PATH that is not absolute (`.`, or an empty one) means a folder of the workspace.
    path = os.pathsep.join(entry for entry in os.get_exec_path() if Path(entry).is_absolute())
    found = shutil.which(name, path=path)
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
) -> Popen[bytes]:
    """The first half of `run_tool`: a running program, for `finish_tool`. Raises ToolFailedError."""
    return start(argv, cwd=cwd, env=env, stdin=PIPE if wants_input else DEVNULL)


def finish_tool(process: Popen[bytes], stdin: str | None = None, *, timeout_s: float) -> ToolResult:
    """The second half: give a program its input and wait for its end; past `timeout_s` its group is killed."""
    raw = None if stdin is None else stdin.encode("utf-8", "replace")
    done = finish(process, raw, timeout_s=timeout_s)
    stdout, stderr = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    return ToolResult(done.returncode, stdout, stderr, done.timed_out)
