"""Change a file only if it still is what was read: a newer edit always wins, and readers see a whole file.

On Linux the new file and the old one change places in one step (`renameat2` with RENAME_EXCHANGE, Linux 3.15, glibc
2.28); what was displaced is then looked at, and goes back if it is not what was expected. Elsewhere: compare, rename.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from hwml_sdk.errors import HwmlError, RefusedError

TEMPORARY_SUFFIX = ".hwml-tmp"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
_MAX_SWAPS = 50


def replace_if_unchanged(path: Path, expected: bytes, new: bytes) -> bool:
    """Write `new` to `path` if its content is `expected`; False when somebody has changed it meanwhile.

    Mode, owner, extended attributes and hard links stay. Raises RefusedError for a read-only file, HwmlError when the
    folder cannot be written.
    """
    try:
        state = path.stat()
        if not state.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
            raise RefusedError(f"{path}: is read-only; make it writable, or leave it out")
        if state.st_nlink > 1:
            return _write_in_place(path, expected, new)
        with _sibling(path, new) as temporary:
            if path.read_bytes() != expected:
                return False
            return _swap(temporary, path, expected, new)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; the file is as it was") from error


@contextmanager
def _sibling(path: Path, content: bytes) -> Iterator[Path]:
    """A temporary file beside `path` with its mode, owner and attributes, and a modification time of now."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY_SUFFIX, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        state = path.stat()
        if hasattr(os, "chown"):
            with suppress(PermissionError):  # a file of somebody else that we may write: the group's, say
                os.chown(temporary, state.st_uid, state.st_gid)
        shutil.copystat(path, temporary)
        os.utime(temporary)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write_in_place(path: Path, expected: bytes, new: bytes) -> bool:
    """For a file with further hard links, which a rename would cut off."""
    with path.open("r+b") as stream:
        if stream.read() != expected:
            return False
        stream.seek(0)
        stream.write(new)
        stream.truncate()
    return True


def _swap(temporary: Path, path: Path, expected: bytes, new: bytes) -> bool:
    """Exchange until what was displaced is what we knew to be there: then nobody's work lies in the temporary file."""
    placed, known = new, expected
    for _ in range(_MAX_SWAPS):
        if not _exchange(temporary, path):
            temporary.replace(path)
            return True
        displaced = temporary.read_bytes()
        if displaced == known:
            return placed is new
        # Someone saved between our look and the exchange (or the last one): put their text back.
        known, placed = placed, displaced
    raise HwmlError(f"{path}: changes faster than it can be read; its last text is kept, run again")


def _exchange(one: Path, other: Path) -> bool:
    """Let two files change places in one step; False where the system cannot. Raises OSError."""
    call = _renameat2()
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(other))


@lru_cache(maxsize=1)
def _renameat2() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return call
