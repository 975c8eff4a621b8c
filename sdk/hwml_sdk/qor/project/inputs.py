"""What belongs to one source besides its text: project file, flags, directives and the other sources of the design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ConfigError, SourceError
from ...files import read_source, real_path
from ...languages import HLS
from .headers import reached_headers
from .project import covers, project_of, read_directives
from .types import Directive, HlsProject
from .units import units_beside

MAX_OTHER_FILES = 64


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that reading one source needs. notes: what was left out, and why, for people."""

    files: Mapping[str, str] = field(default_factory=dict)
    include_dirs: tuple[Path, ...] = ()
    defines: Mapping[str, str] = field(default_factory=dict)
    directives: tuple[Directive, ...] = ()
    project: HlsProject | None = None
    notes: tuple[str, ...] = ()


def gather(
    path: str | Path,
    *,
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    directives: str | Path | None = None,
    project: HlsProject | None = None,
) -> Inputs:
    """Inputs of the source at `path`: what its project says (`project`, or the one that names it), then arguments.

    Headers that no include folder holds are looked for in the project's own folders. Raises ConfigError for a project
    or directives file that cannot be read.
    """
    path = Path(path)
    if project is None:
        project = project_of(path)
    elif not covers(project, path):
        raise ConfigError(f"{path} is none of the sources of {project.path}")
    merged = {**(project.defines if project is not None else {}), **(defines or {})}
    folders = [*(project.include_dirs if project is not None else ()), *map(Path, include_dirs)]
    said = [*(project.directives if project is not None else ())]
    if directives is not None:
        said += read_directives(directives)
    files, notes = _others(project, path)
    if project is not None:
        notes += [f"{s.path}:{s.line}: {s.reason}: {s.text}" for s in project.skipped]
    text = _text(path)
    if files:
        reached = reached_headers(path, text, folders, files)
    else:
        beside, reached = units_beside(path, text, folders)
        if beside:
            # As one unit: their headers, which are much the same, are read once.
            files = {f"{path}+units.cpp": "".join(f'#include "{name}"\n' for name in beside)}
            names = ", ".join(Path(name).name for name in beside)
            notes.append(f"read with it, as sources of headers that it includes: {names}")
    folders += reached.folders
    return Inputs(files, tuple(folders), merged, tuple(said), project, tuple(dict.fromkeys(notes)))


def _text(path: Path) -> str:
    try:
        return read_source(path)
    except SourceError:
        return ""


def _others(project: HlsProject | None, path: Path) -> tuple[dict[str, str], list[str]]:
    files: dict[str, str] = {}
    notes: list[str] = []
    if project is not None and len(project.files) > MAX_OTHER_FILES:
        notes.append(f"{project.path} names more than {MAX_OTHER_FILES} files: the others are not read")
    for other in project.files[:MAX_OTHER_FILES] if project is not None else ():
        if real_path(other) == real_path(path) or other.suffix.lower() not in HLS.sources:
            continue
        try:
            files[str(other)] = read_source(other)
        except SourceError as error:
            notes.append(f"{error} (named in {project.path.name if project is not None else ''})")
    return files, notes


def parse_defines(words: Sequence[str]) -> dict[str, str]:
    """`NAME` and `NAME=value` of `--define`. Raises ConfigError for anything else."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name.isidentifier():
            raise ConfigError(f"--define {word!r}: write NAME or NAME=value")
        found[name] = value if equals else "1"
    return found
