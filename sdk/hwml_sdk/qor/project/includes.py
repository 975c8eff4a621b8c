"""Which sources include a header, by what stands in their text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path, PurePosixPath

from ...files import read_head
from ...languages import HLS

_MAX_BYTES = 1 << 20
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">\n]+)[\">]", re.MULTILINE)


def including(headers: Iterable[Path], candidates: Iterable[Path]) -> list[Path]:
    """Sources among `candidates` that include one of `headers`, directly or by way of other candidates.

    Compared by file name: an include path is not resolved, so that one file too many may be taken. The nearest to a
    header come first: a large tree has many of one name, and who asks may look at the first few only.
    """
    headers = list(headers)
    included: dict[str, list[Path]] = {}
    for path in candidates:
        if path.suffix.lower() in HLS.sources or path.suffix.lower() in HLS.headers:
            for name in _INCLUDE.findall(_text(path)):
                included.setdefault(PurePosixPath(name.replace("\\", "/")).name, []).append(path)
    found: dict[Path, None] = {}
    pending = [path.name for path in headers if path.suffix.lower() in HLS.headers]
    seen = set(pending)
    while pending:
        for path in included.get(pending.pop(), ()):
            found[path] = None
            if path.suffix.lower() in HLS.headers and path.name not in seen:
                seen.add(path.name)
                pending.append(path.name)
    sources = [path for path in found if path.suffix.lower() in HLS.sources]
    return sorted(sources, key=lambda path: min((_apart(path, header) for header in headers), default=0))


def _apart(one: Path, other: Path) -> int:
    """How many folders lie between two files."""
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one.parts, other.parts, strict=False))))
    return len(one.parts) + len(other.parts) - 2 * shared


def _text(path: Path) -> str:
    try:
        return read_head(path, _MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
