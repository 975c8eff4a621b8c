"""Change a user's file only if it still is what was read: a newer edit always wins, and readers see a whole file.

Where the system can, the new file and the old one change places in one step; what was displaced is then looked at, and
goes back if it is not what was expected. Elsewhere: compare, rename.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import HwmlError, RefusedError
from .exchange import exchange
from .files import fill, read_bytes
from .interrupt import heed_ctrl_c
from .leftovers import clear, new_name, swap_name, writing

_MAX_SWAPS = 50
_BOM = "\ufeff"


def rewrite_source(path: str | Path, read: str, new: str) -> None:
    """Put `new` in the place of the text that `files.read_source` gave; a byte order mark stays, links are followed.

    Raises HwmlError when the file has changed meanwhile or is not UTF-8 (its bytes could not be kept), and what
    `replace_if_unchanged` raises.
    """
    place = Path(path).resolve()
    try:
        raw = read_bytes(place)
    except OSError as error:
        raise HwmlError(f"{path}: cannot read: {error.strerror or error}; nothing was written") from error
    mark = _BOM if raw.startswith(_BOM.encode("utf-8")) else ""
    if (mark + read).encode("utf-8", "replace") != raw:
        raise HwmlError(f"{path}: has changed meanwhile or is not UTF-8; nothing was written")
    if not replace_if_unchanged(place, raw, (mark + new).encode("utf-8")):
        raise HwmlError(f"{path}: has changed meanwhile; nothing was written, run again")


def replace_if_unchanged(path: Path, expected: bytes, new: bytes) -> bool:
    """Write `new` to `path` if its content is `expected`; False when somebody has changed it meanwhile.

    Mode, owner and extended attributes stay. Raises RefusedError for a read-only file and for one with hard links,
    HwmlError when the folder cannot be written.
    """
    try:
        _refuse(path, path.stat())
        with writing(path.parent), _sibling(path, expected, new) as temporary:
            if path.read_bytes() != expected:
                return False
            heed_ctrl_c()
            return _swap(temporary, path, expected, new)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise HwmlError(
            f"{path}: cannot write: {error.strerror or error}; the file is as it was; free space, or see who may write"
        ) from error


def _refuse(path: Path, state: os.stat_result) -> None:
    if not state.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(path, os.W_OK):
        raise RefusedError(f"{path}: is read-only; make it writable, or leave it out")
    if state.st_nlink > 1:
        raise RefusedError(
            f"{path}: has {state.st_nlink} names (hard links): a new file would part them, and writing into it could "
            "leave it torn; make it a file of its own (copy it, rename the copy over it), or leave it out"
        )


@contextmanager
def _sibling(path: Path, old: bytes, new: bytes) -> Iterator[Path]:
    """A temporary file beside `path` with its mode, owner and attributes, and a modification time of now."""
    temporary = new_name(path.parent)
    try:
        fill(temporary, new)
        named = swap_name(path, old, new)
        temporary.rename(named)
        temporary = named
        state = path.stat()
        if hasattr(os, "chown"):
            with suppress(PermissionError):  # a file of somebody else that we may write: the group's, say
                os.chown(temporary, state.st_uid, state.st_gid)
        shutil.copystat(path, temporary)
        os.utime(temporary)
        yield temporary
        temporary.unlink(missing_ok=True)  # what it holds was looked at
    finally:
        with suppress(OSError):
            clear(temporary)  # cut off: it may hold somebody's newer save, which goes back


def _swap(temporary: Path, path: Path, expected: bytes, new: bytes) -> bool:
    """Exchange until what was displaced is what we knew to be there: then nobody's work lies in the temporary file."""
    placed, known = new, expected
    for _ in range(_MAX_SWAPS):
        if not exchange(temporary, path):
            temporary.replace(path)
            return True
        displaced = temporary.read_bytes()
        if displaced == known:
            return placed is new
        # Someone saved between our look and the exchange (or the last one): put their text back.
        known, placed = placed, displaced
    raise HwmlError(f"{path}: changes faster than it can be read; its last text is kept, run again")
