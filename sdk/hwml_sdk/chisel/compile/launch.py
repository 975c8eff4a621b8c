"""Stand a program inside the fence and watch over it: `python -I -S launch.py PLAN`, PLAN as fence.py writes it.

A program of its own that imports nothing of hwml: what it does to itself (namespaces, lost rights, filters) must not
happen to the process that asked for it, and cannot be done between fork and exec of one that has threads.

Standard input is the line to whoever asked: when that closes, the fenced program and all that lives with it end. Its
exit status becomes ours, 128 and the number of the signal where one ended it; 70: the fence could not be built.
PLAN is a file, since class paths grow longer than one argument may be.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import select
import signal
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

FENCE_FAILED = 70
_libc = ctypes.CDLL(None, use_errno=True)

# linux/sched.h
_NEW_NAMESPACES = (
    0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
)  # ns cgroup uts ipc pid net
_NEW_USER = 0x10000000
# linux/mount.h, and the numbers of calls that the C library has no function for (x86-64)
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY, _ATTR_NOSUID = -100, 0x8000, 1, 2
_PIVOT_ROOT, _MOUNT_SETATTR, _SECCOMP, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = (
    155,
    442,
    317,
    444,
    445,
    446,
)
# linux/prctl.h, linux/securebits.h
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 24, 28, 38, 47
_NO_ROOT_LOCKED = 0xEF  # noroot, no_setuid_fixup, no_cap_ambient_raise, all locked
_LAST_CAPABILITY = 63
# linux/landlock.h: what may be done below a folder, by the version that brought it
_READ, _WRITE = 1 << 0 | 1 << 2 | 1 << 3, 1 << 1  # execute, read files, read folders; write files
_FILE_ONLY = 1 << 1 | 1 << 2
_HANDLED_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
LEAST_LANDLOCK = 3  # before it, opening a file could cut it short


def main(plan: dict[str, Any]) -> int:
    """Build the fence of `plan` around a child and wait for its end."""
    inside = {"namespaces": _enter_root, "landlock": _enter_landlock, "bwrap": _enter_nothing}[plan["kind"]]
    if plan["kind"] == "namespaces":
        _new_namespaces()
    child = os.fork()
    if child == 0:
        try:
            _call("prctl", _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
            argv = inside(plan)
            # bubblewrap needs no variable of ours, and passes its own list on
            os.execve(argv[0], argv, {} if plan["kind"] == "bwrap" else plan["env"])
        except OSError as error:
            _fail(f"{error.strerror} ({error.filename})" if error.filename else str(error.strerror))
    return _watch(child)


def _fail(words: str) -> NoReturn:
    sys.stderr.write(f"hwml: the fence cannot be built: {words}\n")
    sys.stderr.flush()
    os._exit(FENCE_FAILED)


def _call(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def _watch(child: int) -> int:
    """Wait for the child, and end it when standard input closes."""
    ended = os.pidfd_open(child)
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(0, select.POLLIN | select.POLLHUP)
    while not any(descriptor == ended for descriptor, _ in waiting.poll()):
        if not os.read(0, 4096):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


# -- namespaces and a root of its own --


def _new_namespaces() -> None:
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(_NEW_NAMESPACES | _NEW_USER) == 0:
        with contextlib.suppress(OSError):  # older kernels let groups be
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    else:  # no user namespaces for anybody: the superuser needs none
        _call("unshare", _libc.unshare(_NEW_NAMESPACES))


def _enter_root(plan: dict[str, Any]) -> list[str]:
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    root = plan["root"]
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    for name in plan["empty"]:
        _below(root, name).mkdir(parents=True, exist_ok=True)
    for name, target in plan["links"].items():
        _below(root, name).parent.mkdir(parents=True, exist_ok=True)
        _below(root, name).symlink_to(target)
    for name in [*plan["readable"], *plan["devices"]]:
        _show(name, _below(root, name))
    os.chdir(root)
    _call("pivot_root", _libc.syscall(_PIVOT_ROOT, b".", b"."))
    _call("umount2", _libc.umount2(b".", _MNT_DETACH))
    _read_only("/")
    os.chdir(plan["folder"])
    _limit(plan["limits"])
    _drop_rights()
    _filter(plan["filter"])
    argv: list[str] = plan["argv"]
    return argv


def _below(root: str, name: str) -> Path:
    return Path(root + name)


def _show(name: str, place: Path) -> None:
    """Bind a file or folder to where it is expected, read-only with everything mounted below it."""
    if Path(name).is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    _mount(name, str(place), None, _MS_BIND | _MS_REC)
    _read_only(str(place))


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind, data)]
    _call(target, _libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]))


def _read_only(place: str) -> None:
    attributes = struct.pack("QQQQ", _ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    arguments = (_AT_FDCWD, place.encode(), _AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes)))
    _call(place, _libc.syscall(_MOUNT_SETATTR, *arguments))


# -- Landlock: the same file system, of which nearly nothing can be opened --


def landlock_version() -> int:
    """The version of Landlock that the kernel has, 0 for none."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)))


def _enter_landlock(plan: dict[str, Any]) -> list[str]:
    version = landlock_version()
    if version < LEAST_LANDLOCK:
        raise OSError(errno.ENOSYS, f"Landlock has version {version}, {LEAST_LANDLOCK} is needed")
    handled = max(rights for abi, rights in _HANDLED_BY_ABI.items() if abi <= version)
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    attributes = struct.pack("QQQ", handled, network, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _call("landlock", _libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0))
    for name in plan["readable"]:
        _allow(ruleset, name, _READ)
    for name in [*plan["devices"], *plan["writable"]]:
        _allow(ruleset, name, _READ | _WRITE)
    os.chdir(plan["folder"])
    _limit(plan["limits"])
    _drop_rights()
    _call("landlock", _libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)
    _filter(plan["filter"])
    argv: list[str] = plan["argv"]
    return argv


def _allow(ruleset: int, name: str, rights: int) -> None:
    place = os.open(name, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = rights if Path(name).is_dir() else rights & (_FILE_ONLY | 1)
        rule = struct.pack("=Qi", allowed, place)
        _call(name, _libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0))
    finally:
        os.close(place)


# -- bubblewrap builds the root; limits are inherited and the filter is handed over --


def _enter_nothing(plan: dict[str, Any]) -> list[str]:
    reading, writing = os.pipe()
    os.write(writing, _packed(plan["filter"], 1))  # the program is process 1 of its namespace
    os.close(writing)
    os.set_inheritable(reading, True)
    _limit(plan["limits"])
    return [str(reading) if word == "SECCOMP" else word for word in plan["argv"]]


# -- what all of them have in common --


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (lowest, lowest))


def _drop_rights() -> None:
    """No capability, and none to be had again: not by being the superuser, not by any program that is run."""
    _libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)
    _libc.prctl(_PR_SET_SECUREBITS, _NO_ROOT_LOCKED, 0, 0, 0)  # without the right to: then there are none to lose
    for number in range(_LAST_CAPABILITY + 1):
        _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    header, none = struct.pack("II", 0x20080522, 0), bytes(24)  # _LINUX_CAPABILITY_VERSION_3, this process
    _call("capset", _libc.capset(header, none))
    _call("no_new_privs", _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _packed(instructions: list[list[Any]], pid: int) -> bytes:
    return b"".join(struct.pack("HBBI", *item[:3], pid if item[3] == "pid" else item[3]) for item in instructions)


def _filter(instructions: list[list[Any]]) -> None:
    code = ctypes.create_string_buffer(_packed(instructions, os.getpid()))
    program = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(code))
    _call("seccomp", _libc.syscall(_SECCOMP, 1, 0, program))


if __name__ == "__main__":
    raise SystemExit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
