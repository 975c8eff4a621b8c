"""A fence for code that is not ours: limits for the process, no network, nothing to write to.

Base, on every POSIX system: limits on CPU time, core dumps and file size (0 bytes: no file can be written), a clean
environment and an empty working folder. On Linux on top: `bwrap`, which shows the process only what it must read,
or, where that is missing, `unshare`, which takes the network and leaves the user's files readable.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ..tools import run_tool

# The CPU seconds one resident elaborator may use before it is renewed by force; a check has its own, shorter limit.
CPU_LIMIT_S = 1800


def clean_environment(home: Path) -> dict[str, str]:
    """An environment that names only the language and a home folder that may be empty."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home)}


def fenced(argv: Sequence[str], *, readable: Sequence[Path], folder: Path) -> list[str]:
    """`argv` behind the best fence of this machine; `readable` are the folders and files it needs."""
    if sys.platform == "win32":
        return list(argv)  # the base only: clean environment, memory and time limits
    return [*_limits(), *_isolation(readable, folder), *argv]


def _limits() -> list[str]:
    """A shell sets the limits and becomes the program: `preexec_fn` would be unsafe in a process with threads."""
    script = f'ulimit -c 0; ulimit -f 0; ulimit -t {CPU_LIMIT_S}; exec "$@"'
    return ["/bin/sh", "-c", script, "sh"]


def _isolation(readable: Sequence[Path], folder: Path) -> list[str]:
    kind = fence_kind()
    if kind == "bwrap":
        return _bwrap(readable, folder)
    if kind == "unshare":
        return ["unshare", "-Urn"]
    return []


def _bwrap(readable: Sequence[Path], folder: Path) -> list[str]:
    system = [
        Path(name) for name in ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/alternatives", "/etc/ld.so.cache")
    ]
    argv = ["bwrap", "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in [*system, *readable]:
        if path.is_symlink() and path in system:
            argv += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            argv += ["--ro-bind", str(path), str(path)]
    return [*argv, "--dir", str(folder), "--chdir", str(folder)]


@lru_cache(maxsize=1)
def fence_kind() -> str:
    """Which fence works here, tried once: "bwrap", "unshare" or "base"."""
    if not sys.platform.startswith("linux"):
        return "base"
    if shutil.which("bwrap"):
        trial = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"]
        if run_tool(trial, timeout_s=10).ok:
            return "bwrap"
    if shutil.which("unshare") and run_tool(["unshare", "-Urn", "true"], timeout_s=10).ok:
        return "unshare"
    return "base"
