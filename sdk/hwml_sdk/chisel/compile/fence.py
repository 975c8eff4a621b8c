"""The fence around elaboration: which kinds there are, which one works here, and how a program is put behind it.

A module's constructor is anybody's code. Behind the fence it sees Java, the jars, an empty /tmp, /run and home, and
nothing else; it has no network and no socket of any kind, starts no process, changes no file, holds no right of the
superuser, and its memory, files and processor time are limited. Three ways lead there (`find_fence` takes the first
that works):

- "namespaces": a root of its own in namespaces of its own (Linux 5.12, where users may make namespaces);
- "bwrap": the same through bubblewrap, which distributions allow where they forbid others to make namespaces;
- "landlock": the same file system, of which nothing but Java and the jars can be opened (Linux 6.2, also inside
  containers that allow no namespaces).

All three carry the filter of seccomp.py and the limits below. Elsewhere there is no fence, and elaboration is refused
unless the user says otherwise.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigError, RefusedError
from ...leftovers import scratch_folder
from ...processes import kill_group
from ...tools import finish_tool, start_tool
from . import seccomp

VARIABLE = "HWML_FENCE"
KINDS = {
    "namespaces": "namespaces: sees Java and the jars, no other file, process, socket or network",
    "bwrap": "bwrap: sees Java and the jars, no other file, process, socket or network",
    "landlock": "landlock: opens Java and the jars only; no process, socket or network",
}
# The CPU seconds one resident elaborator may use before it is renewed by force; a check has its own, shorter limit.
CPU_LIMIT_S = 1800
# The process is the whole tree, since it can start no other. Address space: heap, class space, code and archive take
# 0.9 GB of it; private memory that can be written: heap (160 MB), classes, code, stacks.
ADDRESS_SPACE_MB = 2048
PRIVATE_MEMORY_MB = 768
_LIMITS = {
    "RLIMIT_CORE": 0,
    "RLIMIT_FSIZE": 0,  # no file gets content
    "RLIMIT_CPU": CPU_LIMIT_S,
    "RLIMIT_AS": ADDRESS_SPACE_MB << 20,
    "RLIMIT_DATA": PRIVATE_MEMORY_MB << 20,
    "RLIMIT_NOFILE": 256,
    "RLIMIT_MSGQUEUE": 0,
}
_MAX_THREADS = 256
_LIBRARIES = ("/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/lib32", "/nix/store", "/gnu/store")
_LOADER_FILES = ("/etc/ld.so.cache", "/etc/ld.so.preload")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_EMPTY = ("/tmp", "/run", "/var/run", "/var/tmp", "/home", "/root", "/proc", "/sys")
_TRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Fence:
    """The fence of this machine. kind: a key of KINDS, or "" where there is none and `reason` says why."""

    kind: str
    reason: str = ""


def clean_environment(home: Path) -> dict[str, str]:
    """An environment that names only the language and a home folder that may be empty."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(home), "MALLOC_ARENA_MAX": "2"}


def fenced(
    argv: Sequence[str], *, readable: Sequence[Path], channel: Path, folder: Path, env: dict[str, str]
) -> list[str]:
    """`argv` (whose first word is a path) behind the fence of this machine.

    readable: the folders and files it needs beyond the system's libraries; channel: a folder of named pipes it may
    write to; folder: where it stands, an existing empty folder. The process that is started watches over the fenced
    one and ends it when its own standard input closes. Raises RefusedError where there is no fence.
    """
    fence = find_fence()
    if not fence.kind:
        raise RefusedError(no_fence(fence))
    plan = channel / "plan.json"
    plan.write_text(json.dumps(_plan(fence.kind, argv, readable, channel, folder, env)), encoding="utf-8")
    return _launcher(plan)


def no_fence(fence: Fence) -> str:
    """What to tell a person who asked for elaboration on a machine without a fence."""
    return (
        f"elaboration runs the file's constructors, and no fence for them can be had here ({fence.reason}); "
        "hwml chisel check --no-fence runs them with your own rights"
    )


@functools.cache
def find_fence() -> Fence:
    """Which fence works here, each tried once with a program that must start behind it.

    HWML_FENCE names one kind; then no other is taken. Raises ConfigError when it names none.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted and wanted not in KINDS:
        raise ConfigError(f"{VARIABLE} is {wanted!r}; there are {', '.join(KINDS)}")
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        return Fence("", f"there is none for {machine}")
    reasons = []
    for kind in [wanted] if wanted else KINDS:
        reason = _trouble(kind)
        if not reason:
            return Fence(kind)
        reasons.append(f"{kind}: {reason}")
    return Fence("", "; ".join(reasons))


def _trouble(kind: str) -> str:
    """Why a kind of fence does not work here, or ""."""
    if kind == "bwrap" and shutil.which("bwrap") is None:
        return "not installed"
    with scratch_folder() as folder:
        plan = folder / "plan.json"
        words = _plan(kind, ["/bin/sh", "-c", ":"], [Path("/bin"), Path("/usr/bin")], folder, folder, {})
        plan.write_text(json.dumps(words), encoding="utf-8")
        process = start_tool(_launcher(plan), wants_input=True)
        return _said(process)


def _said(process: subprocess.Popen[bytes]) -> str:
    """What the try came to, "" when it went well; its input stays open, or it would be ended."""
    try:
        process.wait(_TRY_S)
    except subprocess.TimeoutExpired:
        kill_group(process)
        process.wait()
    words = finish_tool(process, timeout_s=_TRY_S).stderr.strip().splitlines()
    if process.returncode == 0:
        return ""
    return words[-1].rpartition("the fence cannot be built: ")[2] if words else f"status {process.returncode}"


def _launcher(plan: Path) -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")), str(plan)]


def _plan(
    kind: str, argv: Sequence[str], readable: Sequence[Path], channel: Path, folder: Path, env: dict[str, str]
) -> dict[str, Any]:
    links = {name: str(Path(name).readlink()) for name in _LIBRARIES if Path(name).is_symlink()}
    system = [name for name in (*_LIBRARIES, *_LOADER_FILES) if name not in links and Path(name).exists()]
    wanted = readable if channel == folder or kind == "landlock" else [*readable, channel]
    shown = _uncovered([*system, *_existing(wanted)])  # a pipe of a read-only folder can be written to
    limits = dict(_LIMITS)
    if kind == "namespaces" and _kernel() >= (5, 14):  # from here on a namespace counts its own threads
        limits["RLIMIT_NPROC"] = _MAX_THREADS
    plan: dict[str, Any] = {
        "kind": kind,
        "argv": list(argv),
        "env": env,
        "root": str(folder),
        "folder": str(folder),
        "readable": shown,
        "writable": _existing([channel]) if kind == "landlock" else [],
        "devices": [name for name in _DEVICES if Path(name).exists()],
        "empty": [*_EMPTY, str(folder)],
        "links": links,
        "limits": limits,
        "filter": seccomp.program(),
    }
    if kind == "bwrap":
        plan["argv"] = [*_bwrap(plan), *argv]
    return plan


def _existing(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths if path.exists()]


def _uncovered(names: Sequence[str]) -> list[str]:
    """Without those that lie below another one."""
    return [name for name in dict.fromkeys(names) if not any(str(above) in names for above in Path(name).parents)]


def _bwrap(plan: dict[str, Any]) -> list[str]:
    program = shutil.which("bwrap")
    assert program is not None
    words = [program, "--unshare-all", "--as-pid-1", "--die-with-parent", "--seccomp", "SECCOMP", "--clearenv"]
    for name, value in plan["env"].items():
        words += ["--setenv", name, value]
    for name in plan["empty"]:
        words += ["--dir", name]
    for name, target in plan["links"].items():
        words += ["--symlink", target, name]
    for name in plan["readable"]:
        words += ["--ro-bind", name, name]
    for name in plan["devices"]:
        words += ["--dev-bind", name, name]
    return [*words, "--remount-ro", "/", "--cap-drop", "ALL", "--chdir", plan["folder"], "--"]


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())


def linked_outside(folder: Path) -> list[Path]:
    """Files and folders that links below `folder` lead to: distributions keep a Java's settings in /etc."""
    home = folder.resolve()
    targets = (path.resolve() for path in _links(home))
    return sorted({target for target in targets if home not in target.parents and target.exists()})


def _links(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink():
                yield path
