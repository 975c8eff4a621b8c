"""Values for the parameters of a module: from a place of its project that makes one with literal arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ...files import MAX_SOURCE_BYTES, read_bytes
from ..say.literal_calls import Made, literal_calls
from ..types import CheckRequest, CompileResult
from .project import scala_files, source_root

_MAX_FILES = 2000
_OF_EACH = 3


def calls_in_project(
    path: Path,
    names: Iterable[str],
    roots: Sequence[Path] = (),
    may_join: Callable[[Path], bool] | None = None,
) -> tuple[tuple[str, str], ...]:
    """(expression, origin) of an instance of each name, from the files of the project; of a name, the first few.

    may_join: whether what a file says may be run (None: any).
    """
    wanted = set(names)
    found: list[tuple[str, str]] = []
    for place in _project_files(path, roots):
        if place == path.absolute() or (may_join is not None and not may_join(place)):
            continue
        for made in _calls_of(place):
            if made.name in wanted and len(found) < _OF_EACH * len(wanted):
                found.append((made.expression, f"{place.name}:{made.line}"))
    return tuple(found)


def _project_files(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    own = source_root(path)
    places = list(roots) or [own]
    if own.parts[-2:] == ("main", "scala"):
        places.append(own.parents[1] / "test" / "scala")
    count = 0
    for root in dict.fromkeys(places):
        for file in scala_files(root):
            count += 1
            if count > _MAX_FILES:
                return
            yield file


def _calls_of(path: Path) -> tuple[Made, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return _read_calls(path, state.st_mtime_ns, state.st_size) if state.st_size <= MAX_SOURCE_BYTES else ()


@lru_cache(maxsize=4096)
def _read_calls(path: Path, mtime_ns: int, size: int) -> tuple[Made, ...]:
    try:
        text = read_bytes(path).decode("utf-8-sig", errors="replace")
    except OSError:
        return ()
    return tuple(literal_calls(text))


def with_values(
    path: Path,
    result: CompileResult,
    request: CheckRequest,
    check: Callable[[CheckRequest], CompileResult],
    roots: Sequence[Path] = (),
    may_join: Callable[[Path], bool] | None = None,
) -> tuple[CompileResult, CheckRequest]:
    """The check once more with values from the project, where modules lack some; also the request that was asked.

    What the project said is kept for the next check of the file, which then needs no second one.
    """
    lacking = [module.name for module in result.modules if module.missing and not module.elaborated]
    if not lacking or not request.elaborate:
        return result, request
    known = calls_in_project(path, lacking, roots, may_join)
    if not known or known == request.guesses:
        return result, request
    _known[path.absolute()] = known
    request = replace(request, guesses=known)
    return check(request), request


def known_values(path: Path) -> tuple[tuple[str, str], ...]:
    """What the project said at an earlier check of the file."""
    return _known.get(path.absolute(), ())


_known: dict[Path, tuple[tuple[str, str], ...]] = {}
