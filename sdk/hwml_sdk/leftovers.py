"""What lies beside a file while it is written, and how the next run clears away what a killed run left.

Everything half-made bears a name that only hwml gives: `.hwml-`, hexadecimal digits, `.tmp` (or `.old`). Whoever makes
it shares a lock (`flock`) of the folder it lies in until it is gone; the system takes the lock back with the process,
also when that is killed. Whoever gets the folder alone knows that nobody writes there: what bears such a name then and
belongs to this user was left behind. Where a folder cannot be locked (Windows, some network file systems) only what is
a day old is taken for left behind.

A file that changes places with the user's (`rewrite.py`) bears their digests, because after the change that name holds
what the user had: it is removed only if it is known to be ours, or the text that ours was made from.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PLAIN = re.compile(r"\.hwml-[0-9a-f]{16}\.tmp")
_ASIDE = re.compile(r"\.hwml-[0-9a-f]{16}\.old")
_SWAPPED = re.compile(r"\.hwml-([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{16})-[0-9a-f]{16}\.tmp")
_DAY_S = 86_400
_WAIT_S = 2.0  # for somebody who holds a folder: a lock must never keep us from writing
_swept: set[Path] = set()


def new_name(folder: Path, suffix: str = "tmp") -> Path:
    """A name for something half-made in `folder`; make it while `writing(folder)` holds."""
    return folder / f".hwml-{secrets.token_hex(8)}.{suffix}"


def swap_name(path: Path, old: bytes, new: bytes) -> Path:
    """The name under which a whole file that holds `new` changes places with `path`, which is to hold `old`.

    It is nobody else's: two watchers make the same change of the same file, and were they to share the name, one would
    remove what the other has just displaced, a newer save among it.
    """
    parts = (digest(os.fsencode(path.name)), digest(old), digest(new), secrets.token_hex(8))
    return path.with_name(f".hwml-{'-'.join(parts)}.tmp")


def digest(data: bytes) -> str:
    """16 hexadecimal digits of a content or a name."""
    return hashlib.sha256(data).hexdigest()[:16]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say that something half-made lies in `folder`; clears that folder first, once a process."""
    if folder not in _swept:
        _swept.add(folder)
        sweep(folder)
    descriptor = _opened(folder)
    try:
        if descriptor is not None:
            _share(descriptor)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def sweep(folder: str | Path) -> None:
    """Remove what killed runs left in `folder`. Never fails: what cannot be removed stays."""
    folder = Path(folder)
    descriptor = _opened(folder)
    if descriptor is None:
        return
    try:
        alone = _alone(descriptor)
        if alone is False:
            return
        names = [name for name in os.listdir(folder) if name.startswith(".hwml-")]  # noqa: PTH208 - names only
        for name in names:
            with suppress(OSError):
                if alone or time.time() - (folder / name).lstat().st_mtime > _DAY_S:
                    clear(folder / name)
    except OSError:
        return  # a folder that cannot be listed
    finally:
        os.close(descriptor)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that only this user can read, for as long as it is needed; a later run clears killed ones away.

    It lies in a folder of this user's in that for temporary files. Raises OSError.
    """
    home = _scratch_home()
    with writing(home):
        folder = new_name(home)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _scratch_home() -> Path:
    """`hwml-UID` in the folder for temporary files; that folder itself where somebody else has taken the name."""
    base = Path(tempfile.gettempdir())
    if not hasattr(os, "geteuid"):
        return base
    home = base / f"hwml-{os.geteuid()}"
    with suppress(FileExistsError):
        home.mkdir(mode=0o700)
    state = home.lstat()
    own = stat.S_ISDIR(state.st_mode) and state.st_uid == os.geteuid() and not state.st_mode & 0o077
    return home if own else base


def clear(path: Path) -> None:
    """Remove something half-made of ours, or put back what it holds of others. Raises OSError."""
    state = path.lstat()
    swapped = _SWAPPED.fullmatch(path.name)
    if swapped and stat.S_ISREG(state.st_mode):
        _settle(path, *swapped.groups())
    elif hasattr(os, "geteuid") and state.st_uid != os.geteuid():
        return
    elif _PLAIN.fullmatch(path.name):
        _remove(path, state)
    elif _ASIDE.fullmatch(path.name) and stat.S_ISDIR(state.st_mode):
        for kept in path.iterdir():  # one folder, under its own name
            if not os.path.lexists(path.parent / kept.name):
                kept.rename(path.parent / kept.name)
        _remove(path, state)


def _remove(path: Path, state: os.stat_result) -> None:
    if stat.S_ISDIR(state.st_mode):
        shutil.rmtree(path, ignore_errors=True)
    elif stat.S_ISREG(state.st_mode):
        path.unlink()


def _settle(path: Path, name: str, old: str, new: str) -> None:
    """Remove what we made or what it was made from. Else it is somebody's newer save: it goes back to its place."""
    if digest(path.read_bytes()) in (old, new):
        path.unlink()
        return
    for place in path.parent.iterdir():
        if digest(os.fsencode(place.name)) == name and place.is_file() and digest(place.read_bytes()) == new:
            path.replace(place)


def _opened(folder: Path) -> int | None:
    """A descriptor to lock the folder by; None where it cannot be had."""
    try:
        return os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError:
        return None


if sys.platform == "win32":  # folders have no descriptors there: untested

    def _share(descriptor: int) -> None: ...

    def _alone(descriptor: int) -> bool | None:
        return None
else:
    import fcntl

    def _share(descriptor: int) -> None:
        """Share the folder's lock. Who holds it for itself is about to let go, or is nobody to wait for."""
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                return

    def _alone(descriptor: int) -> bool | None:
        """Whether nobody else writes in the folder; None where that cannot be known."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
        return True
