"""A fence for code that is not ours: limits for the process, no network, nothing to write to.

Base, on every POSIX system: limits on CPU time, core dumps and file size (0 bytes: no file gets content), a clean
environment and an empty working folder. On Linux on top, the first of these that works here (`fence_kind`):

- "bwrap" shows the process only what it must read;
- "unshare" takes the network and the other processes away, makes every file system read-only and drops the rights to
  undo that (user, mount, process and network namespaces of util-linux; the user's files can be read);
- "network" takes the network only (`unshare -Urn`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ...tools import run_tool

# The CPU seconds one resident elaborator may use before it is renewed by force; a check has its own, shorter limit.
CPU_LIMIT_S = 1800

_NO_NETWORK = ["unshare", "-Urn"]
# Every mount on its own: one that stays writable would be a hole, so that failing once is failing. The options that an
# outer namespace has locked must be named again. What lies in /proc, /sys and the like is guarded by missing rights.
_SEAL = """
while read -r device place kind options rest; do
  case "$kind" in
    proc|sysfs|cgroup*|devpts|mqueue|securityfs|debugfs|tracefs|bpf|pstore|binfmt_misc|configfs|fusectl) continue ;;
  esac
  keep=ro
  for option in nosuid nodev noexec; do
    case ",$options," in *",$option,"*) keep="$keep,$option" ;; esac
  done
  mount -o "remount,bind,$keep" "$(printf '%b' "$place")" || exit 70
done < /proc/self/mounts
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
"""
_READ_ONLY = ["unshare", "-Urnmp", "--fork", "--kill-child", "/bin/sh", "-c", _SEAL, "sh"]


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
    return {"unshare": _READ_ONLY, "network": _NO_NETWORK}.get(kind, [])


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
    """Which fence works here, tried once: "bwrap", "unshare", "network" or "base"."""
    if not sys.platform.startswith("linux"):
        return "base"
    whole = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/"]
    for kind, argv in (("bwrap", whole), ("unshare", _READ_ONLY), ("network", _NO_NETWORK)):
        if shutil.which(argv[0]) and run_tool([*argv, "true"], timeout_s=30).ok:
            return kind
    return "base"
