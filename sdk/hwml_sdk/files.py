"""Write files whole or not at all, and read them with a bound on their size."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import HwmlError, SourceError

MAX_SOURCE_BYTES = 16 * 1024 * 1024


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Write `data` to `path` through a temporary file beside it, then rename: readers see the old or the new file.

    Raises HwmlError when the folder cannot be written or the disk is full; the old file is then untouched.
    """
    path = Path(path)
    raw = data.encode("utf-8") if isinstance(data, str) else data
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        _copy_mode(path, Path(temporary))
        Path(temporary).replace(path)
    except OSError as error:
        raise HwmlError(
            f"{path}: cannot write: {error.strerror or error}; free space or choose another folder"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error
    try:
        yield temporary
        _swap(temporary, path)
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; the folder is as it was") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_folder(path: str | Path) -> None:
    """Raise HwmlError where `replace_folder` could not write, before the hours of work that come first."""
    path = Path(path)
    try:
        existing = next(parent for parent in path.absolute().parents if parent.exists())
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=existing):
            pass
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; choose another folder") from error


def _swap(new: Path, old: Path) -> None:
    new.chmod(0o755)
    if not old.exists():
        new.replace(old)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{old.name}.old.", dir=old.parent)) / "old"
    old.replace(aside)
    try:
        new.replace(old)
    except OSError:
        aside.replace(old)
        raise
    finally:
        shutil.rmtree(aside.parent, ignore_errors=True)


def read_source(path: str | Path, *, max_bytes: int = MAX_SOURCE_BYTES) -> str:
    """Read a text file as UTF-8; bytes that are not UTF-8 become U+FFFD so that positions stay countable.

    Raises SourceError for a missing, unreadable, binary (NUL bytes) or oversize file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise SourceError("is a folder, a file was expected", path=path)
        if size > max_bytes:
            limit = max_bytes // 1024 // 1024
            raise SourceError(f"{size / 1e6:.0f} MB is over the limit of {limit} MB; name a smaller file", path=path)
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read: {error.strerror or error}", path=path) from error
    zero = raw.find(b"\0")
    if zero >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        raise SourceError("holds NUL bytes: a binary file, not source text", path=path, line=line)
    return raw.decode("utf-8-sig", errors="replace")
