"""Whether somebody else on this machine could change a file that hwml runs or believes."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path

from .errors import RefusedError

_OTHERS_WRITE, _GROUP_WRITES = 0o002, 0o020
_ROOT = 0


def refuse_foreign(path: Path, what: str, remedy: str) -> None:
    """Raise RefusedError, in words that open with the place, when others could change `path` or swap it for another."""
    reason = foreign(path)
    if reason:
        raise RefusedError(f"{reason}: {what}; {remedy}")


def refuse_foreign_tree(folder: Path, what: str, remedy: str) -> None:
    """The same for a folder of ours and all that lies below it."""
    refuse_foreign(folder, what, remedy)
    if hasattr(os, "getuid"):
        for place, folders, files in os.walk(folder):
            for path in (Path(place, name) for name in (*folders, *files)):
                state = path.lstat()
                reason = "" if stat.S_ISLNK(state.st_mode) else _open_to_others(path, state)
                if reason:
                    raise RefusedError(f"{reason}: {what}; {remedy}")


def private_folder(folder: Path) -> Path:
    """`folder`, made with those above it that are missing, each for this user alone. Raises OSError."""
    for place in (*reversed(folder.parents), folder):
        if not place.is_dir():
            place.mkdir(mode=0o700, exist_ok=True)
    return folder


def close_to_others(folder: Path) -> None:
    """Let nobody else write what was just made, whatever the user's mask lets new files be."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(_OTHERS_WRITE | _GROUP_WRITES))


def foreign(path: Path) -> str:
    """Why others could change `path`, "" when they cannot (or where owners and modes mean nothing: Windows).

    The path itself must be ours and not open to others, links are followed; a folder above it may be the superuser's,
    and open to others where it keeps each one's files apart (/tmp).
    """
    if not hasattr(os, "getuid"):
        return ""
    try:
        place = path.resolve(strict=True)
        reason = _open_to_others(place, place.stat())
        return reason or next(filter(None, map(_replaceable, place.parents)), "")
    except OSError as error:
        return f"{path} cannot be looked at ({error.strerror or error})"


def _open_to_others(place: Path, state: os.stat_result) -> str:
    if state.st_uid not in (os.getuid(), _ROOT):
        return f"{place} belongs to {_name(state.st_uid)}"
    if state.st_mode & _OTHERS_WRITE or (state.st_mode & _GROUP_WRITES and not _is_private(state.st_gid)):
        return f"{place} can be written by others"
    return ""


def _replaceable(folder: Path) -> str:
    state = folder.stat()
    return (
        "" if state.st_mode & stat.S_ISVTX and state.st_uid in (os.getuid(), _ROOT) else _open_to_others(folder, state)
    )


@lru_cache(maxsize=64)
def _is_private(gid: int) -> bool:
    """Whether a group is one user's own, as many systems make one for each."""
    import grp
    import pwd

    try:
        mine = pwd.getpwuid(os.getuid())
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    return gid == _ROOT or (
        gid == mine.pw_gid and group.gr_name == mine.pw_name and set(group.gr_mem) <= {mine.pw_name}
    )


def _name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
