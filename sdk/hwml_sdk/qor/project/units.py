"""Sources that belong to a design though no project says so: those of the headers that it includes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...errors import SourceError
from ...files import read_source, real_path
from ...languages import HLS
from .benches import looks_like_bench
from .headers import Reached, reached_headers
from .places import Places

MAX_UNITS = 16
MAX_BYTES = 1 << 17  # of one: whether it is a test bench is asked of all of its text


def units_beside(path: Path, text: str, include_dirs: Sequence[Path]) -> tuple[list[str], Reached]:
    """The sources that stand beside included headers and have their names (`fir.cpp` of `fir.h`), and all headers.

    What those include is followed as well. Test benches and hosts are left out.
    """
    found: dict[str, str] = {}
    seen = {real_path(path)}
    places = Places.of(path)
    while True:
        reached = reached_headers(path, text, include_dirs, found)
        fresh = [place for place in _named_alike(reached.headers, places) if real_path(place) not in seen]
        seen.update(map(real_path, fresh))
        before = len(found)
        for place in fresh[: MAX_UNITS - before]:
            content = _text(place)
            if content is not None and not looks_like_bench(content):
                found[str(place)] = content
        if len(found) == before:
            return list(found), reached


def _named_alike(headers: Iterable[Path], places: Places) -> list[Path]:
    named = [header.absolute().with_suffix(suffix) for header in headers for suffix in HLS.sources]
    return [place for place in named if places.may_read(place) and place.is_file() and '"' not in str(place)]


def _text(path: Path) -> str | None:
    try:
        return read_source(path) if path.stat().st_size <= MAX_BYTES else None
    except (SourceError, OSError):
        return None
