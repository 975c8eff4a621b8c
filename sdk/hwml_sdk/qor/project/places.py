"""Where the files are that a project names, and that none of them lies outside the project."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ...config import is_trusted
from ...files import real_path
from .types import Skipped

MAX_ABOVE = 3  # folders above a project file that belong to its project where no repository says more
MAX_MATCHES = 256
MAX_LOOKED = 20_000
MAX_NAME = 255


def project_root(folder: Path) -> Path:
    """The folder that holds a project file's whole project: its repository, or else some folders above.

    Never the home folder nor what holds it: a script that lies there alone does not speak for all of it.
    """
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    closed = {Path.home(), *Path.home().parents, Path(folder.anchor), Path(tempfile.gettempdir()), Path("/var")}
    root = folder
    for place in folder.parents[:MAX_ABOVE]:
        if place in closed:
            break
        root = place
    return root


@dataclass(slots=True)
class Places:
    """Files as a project file names them: relative to its folder, or to one above it where the tool was started.

    Scripts that the tools write (`PROJECT/SOLUTION/script.tcl`) name files as seen from the folder above PROJECT.
    above: whether to look there. refused: names that lead out of the project: not read, unless the user trusts that
    place. cut: patterns that name more than is taken. listed: folders in which patterns were looked for.
    """

    folder: Path
    root: Path
    above: bool = True
    refused: dict[str, None] = field(default_factory=dict)
    cut: dict[str, None] = field(default_factory=dict)
    listed: dict[Path, None] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, *, above: bool = False) -> Places:
        """Places of the project file at `path`."""
        folder = path.absolute().parent
        return cls(folder, project_root(folder), above)

    def at(self, name: str | Path) -> Path | None:
        """Where a file or folder of that name is, or should be; None (and noted) where that is outside the project."""
        candidates = self._candidates(Path(name))
        if not candidates:
            return None
        inside = [place for place in candidates if self.may_read(place)]
        if not inside:
            self.refused[str(name)] = None
            return None
        return next((place for place in inside if place.exists()), inside[0])

    def find(self, name: str | Path) -> Path | None:
        """As `at`, of a file that exists; None for any other, without a word."""
        return next((p for p in self._candidates(Path(name)) if self.may_read(p) and p.is_file()), None)

    def may_read(self, place: Path) -> bool:
        """Whether a place lies in the project, by its name and by where its links lead, or where the user trusts."""
        end, root = real_path(place), real_path(self.root)
        return end == root or root in end.parents or is_trusted(place)

    def matching(self, pattern: str) -> list[Path] | None:
        """Files that a pattern names, in order; None where it is not looked: what it names there is not known."""
        given = Path(pattern)
        if pattern.startswith("~") or "**" in pattern or "\0" in pattern:
            return None
        folder = self.root if given.is_absolute() else self.folder
        if given.is_absolute():
            if not given.is_relative_to(self.root):
                self.refused[pattern] = None
                return None
            pattern = str(given.relative_to(self.root))
        self.listed[(folder / pattern).parent] = None
        try:
            found = sorted(path for path in islice(folder.glob(pattern), MAX_LOOKED) if path.is_file())
        except (ValueError, NotImplementedError, OSError):
            return None
        inside = [path for path in found if self.may_read(path)]
        if len(inside) < len(found):
            self.refused[pattern] = None
        if len(inside) > MAX_MATCHES:
            self.cut[pattern] = None
        return inside[:MAX_MATCHES]

    def left_out(self, path: Path) -> list[Skipped]:
        """What was named by the project file at `path` and is not read, for its notes."""
        reasons = [(name, f"{name} lies outside the project: not read") for name in self.refused]
        reasons += [(name, f"{name} names more than {MAX_MATCHES} files: the others are left out") for name in self.cut]
        return [Skipped(name, str(path), 0, reason) for name, reason in reasons]

    def _candidates(self, name: Path) -> list[Path]:
        if "\0" in str(name) or any(len(part) > MAX_NAME for part in name.parts):
            return []  # no file has such a name
        if name.is_absolute():
            return [name]
        folders = [self.folder, *(p for p in self.folder.parents if p == self.root or self.root in p.parents)]
        return [folder / name for folder in folders[: MAX_ABOVE + 1 if self.above else 1]]
