"""Write files whole or not at all; read regular files only, with a bound on what is read."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from io import RawIOBase
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from .errors import HwmlError, RefusedError, SourceError
from .exchange import exchange
from .interrupt import heed_ctrl_c
from .leftovers import new_name, writing
from .reach import WORDS, may_read

_MOST_DIGITS = 300  # of a whole number: a float goes up to 1.8e308
MAX_SOURCE_BYTES = 16 * 1024 * 1024
# What is no source is a report, a table or an artefact: those of real tools stay far below this.
MAX_DATA_BYTES = 1 << 30
_SPECIAL = "is no regular file (a pipe, device or socket)"
_BLOCK_BYTES = 1 << 20

if sys.platform == "win32":  # untested; two processes that add lines to one file there may lose some

    @contextmanager
    def _alone_with(descriptor: int) -> Iterator[None]:
        yield
else:
    import fcntl

    @contextmanager
    def _alone_with(descriptor: int) -> Iterator[None]:
        """Hold the lock of an open file, also against another `open` of it in this process.

        A file system without such locks (some of the network) is written to without one.
        """
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child that was forked meanwhile holds it too


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Write `data` to `path` through a temporary file beside it, then rename: readers see the old or the new file.

    Where `path` is a link, the file it leads to is written. Raises HwmlError when the folder cannot be written or the
    disk is full, RefusedError for what is no regular file or has hard links; the old file is then untouched.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    with new_file(path) as temporary:
        fill(temporary, raw)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Yield a name beside `path` to write a file under, which then takes that place; on error it is removed.

    Raises as `write_atomic` does.
    """
    path = Path(path)
    try:
        place = _resolved(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        with writing(place.parent):
            temporary = new_name(place.parent)
            try:
                yield temporary
                heed_ctrl_c()
                _copy_mode(place, temporary)
                temporary.replace(place)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise HwmlError(
            f"{path}: cannot write: {error.strerror or error}; free space or choose another folder"
        ) from error


def fill(path: Path, data: bytes) -> None:
    """Make a file that only this user can read and see it on the disk. Raises OSError, also where one is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _resolved(path: Path) -> Path:
    """Where a file is to be written: links are followed. Raises RefusedError where a new file cannot take its place."""
    try:
        path = path.resolve() if path.is_symlink() else path
        state = path.stat()
    except RuntimeError as error:  # links in a ring, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error
    except (FileNotFoundError, NotADirectoryError):
        return path
    if not stat.S_ISREG(state.st_mode):
        raise RefusedError(f"{path}: is no regular file, and is not written over; choose another name")
    if state.st_nlink > 1:
        raise RefusedError(f"{path}: has {state.st_nlink} names (hard links), which a new file would part; remove one")
    return path


def _copy_mode(old: Path, new: Path) -> None:
    """Give `new` the permissions of `old`, or those a plain `open` would have given."""
    if old.exists():
        new.chmod(old.stat().st_mode & 0o7777)
        return
    mask = os.umask(0)
    os.umask(mask)
    new.chmod(0o666 & ~mask)


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold an exclusive lock between processes, `folder/name.lock`; it is gone with the process.

    Raises HwmlError when the folder cannot be written.
    """
    from filelock import FileLock  # brings asyncio, which few commands need

    lock = FileLock(folder / f"{name}.lock", mode=0o600)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise HwmlError(
            f"{folder}: cannot write: {error.strerror or error}; HWML_CACHE_DIR and TMPDIR choose others"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def replace_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it takes that place, on error it is removed."""
    path = Path(path)
    held = ExitStack()
    try:
        place = path.resolve() if path.is_symlink() else path
        place.parent.mkdir(parents=True, exist_ok=True)
        held.enter_context(writing(place.parent))
        temporary = new_name(place.parent)
        temporary.mkdir(mode=0o700)
    except OSError as error:
        held.close()
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error
    try:
        yield temporary
        heed_ctrl_c()
        _swap(temporary, place)
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; the folder is as it was") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        held.close()


def check_folder(path: str | Path) -> None:
    """Raise HwmlError where `replace_folder` could not write, before the hours of work that come first."""
    path = Path(path)
    try:
        existing = next(parent for parent in path.absolute().parents if parent.exists())
        with writing(existing):
            tried = new_name(existing)
            tried.mkdir(mode=0o700)
            tried.rmdir()
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error


def _swap(new: Path, old: Path) -> None:
    """Put `new` in the place of `old`; what was there then bears the name of `new`, or is gone."""
    new.chmod(0o755)
    if not old.exists():
        new.replace(old)
        return
    if exchange(new, old):
        return
    aside = new_name(old.parent, "old")
    aside.mkdir(mode=0o700)
    kept = aside / old.name  # its name says where it belongs, should we be killed before the next line
    old.replace(kept)
    try:
        new.replace(old)
    except OSError:
        kept.replace(old)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def append_line(path: str | Path, line: str) -> None:
    """Add a line to a file of lines (rows in JSON), also while other processes do.

    A last row that only lacks its end gets one; a line that a killed run or a full disk cut off is taken away.
    Raises OSError; the file is then as it was, but for such a piece of a line.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o666), "rb+", buffering=0) as stream, _alone_with(stream.fileno()):
        data = (line + "\n").encode("utf-8")
        end = _end_of_lines(stream)
        if _is_row(stream.read()):
            end, data = stream.tell(), b"\n" + data
        stream.truncate(end)
        stream.seek(end)
        try:
            while data:
                data = data[stream.write(data) :]
        except OSError:
            stream.truncate(end)
            raise


def _end_of_lines(stream: RawIOBase) -> int:
    """Go to where the last line with an end ends, and tell where that is."""
    start = stream.seek(0, os.SEEK_END)
    while start > 0:
        size = min(_BLOCK_BYTES, start)
        start = stream.seek(start - size)
        at = (stream.read(size) or b"").rfind(b"\n")
        if at >= 0:
            return stream.seek(start + at + 1)
    return stream.seek(0)


def _is_row(tail: bytes) -> bool:
    """Whether what stands behind the last end of a line is whole. Of a number, its beginning is one as well."""
    try:
        return isinstance(parse_json(tail), dict | list)
    except ValueError:
        return False


def real_path(path: str | Path) -> Path:
    """Where the links of a path lead, as far as that can be followed: a loop of links ends where it is.

    `Path.resolve` raises RuntimeError of such a loop before Python 3.13, and a repository may hold one anywhere.
    """
    return Path(os.path.realpath(path))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading.

    A pipe, a device or a socket may block for ever or never end, and a repository can hold links to them: what was
    opened is asked what it is, so that nothing can be put in its place meanwhile. Raises OSError with such words.
    """
    _refuse_outside(path)
    # O_NONBLOCK: opening a pipe that nobody writes to would wait.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO:  # what Linux says of a socket
            raise OSError(errno.EINVAL, _SPECIAL, str(path)) from error
        raise
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, "is a folder, a file was expected", str(path))
    raise OSError(errno.EINVAL, _SPECIAL, str(path))


def _refuse_outside(path: str | Path, *, named: bool = False) -> None:
    """Raise OSError for what `reach` closes, before anything is said of whether it is there."""
    if not may_read(path, named=named):
        raise OSError(errno.EACCES, WORDS, str(path))


def read_bytes(path: str | Path, *, max_bytes: int = MAX_DATA_BYTES) -> bytes:
    """All of a regular file. The bound holds for what is read: a file that says it is empty may still not end.

    Raises OSError, also for what is over the bound.
    """
    with open_regular(path) as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        limit = f"{max_bytes >> 20} MB" if max_bytes >= 1 << 20 else f"{max_bytes} bytes"
        raise OSError(errno.EFBIG, f"is over the limit of {limit}", str(path))
    return data


def read_head(path: str | Path, max_bytes: int) -> bytes:
    """The first bytes of a source or project file. Raises OSError."""
    _refuse_outside(path, named=True)
    with open_regular(path) as stream:
        return stream.read(max_bytes)


def parse_json(data: bytes | str) -> Any:
    """JSON that somebody else may have written.

    Raises ValueError, also for what is nested too deeply to be data, and for whole numbers that no float can hold.
    """
    try:
        return json.loads(data.decode("utf-8") if isinstance(data, bytes) else data, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


_unsaved: ContextVar[Mapping[str, str]] = ContextVar("unsaved", default=MappingProxyType({}))


@contextmanager
def unsaved(texts: Mapping[str, str]) -> Iterator[None]:
    """Have `read_source` give these texts for their paths, as an editor holds them, in this thread meanwhile."""
    token = _unsaved.set({os.path.normpath(path): text for path, text in texts.items()})
    try:
        yield
    finally:
        _unsaved.reset(token)


def read_source(path: str | Path, *, max_bytes: int = MAX_SOURCE_BYTES) -> str:
    """Read a text file as UTF-8; bytes that are not UTF-8 become U+FFFD so that positions stay countable.

    Raises SourceError for a missing, unreadable, binary (NUL bytes), special or oversize file.
    """
    path = Path(path)
    try:
        _refuse_outside(path, named=True)
        held = _unsaved.get()
        if held and (text := held.get(os.path.normpath(path.absolute()))) is not None:
            return text
        raw = read_bytes(path, max_bytes=max_bytes)
    except IsADirectoryError as error:
        raise SourceError("is a folder, a file was expected", path=path) from error
    except OSError as error:
        hint = "; name a smaller file" if error.errno == errno.EFBIG else ""
        raise SourceError(f"cannot read: {error.strerror or error}{hint}", path=path) from error
    except ValueError as error:  # a NUL byte in the name itself
        raise SourceError(f"cannot read: {error}", path=path) from error
    zero = raw.find(b"\0")
    if zero >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        raise SourceError("holds NUL bytes: a binary file, not source text", path=path, line=line)
    return raw.decode("utf-8-sig", errors="replace")
