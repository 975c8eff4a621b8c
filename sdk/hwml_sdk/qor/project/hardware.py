"""Whether a source is hardware at all: by its text, by its headers, or by what its project says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...config import FILE_NAME
from ...errors import ConfigError, SourceError
from ...files import read_source
from .benches import looks_like_bench
from .project import project_of

_HLS_SIGN = re.compile(
    r"^[ \t]*#[ \t]*pragma[ \t]+(?:HLS|ACCEL)\b"
    r"|^[ \t]*#[ \t]*include[ \t]*[<\"](?:ap_(?:int|fixed|axi\w*|cint)|hls_\w+|hls/\w+|ac_(?:int|fixed|channel))",
    re.IGNORECASE | re.MULTILINE,
)


def is_hls(path: str, text: str) -> bool:
    """Whether `why_not_hls` has nothing against it."""
    return not why_not_hls(path, text)


def why_not_hls(path: str, text: str) -> str:
    """Why a source is no hardware; "" where it, its own headers or its project say that it is.

    Test benches and host programs are not, whatever they include.
    """
    place = Path(path)
    if looks_like_bench(text):
        return "a test bench or a host program, by its text"
    try:
        named = project_of(place)
    except ConfigError:
        return ""  # let the error be told
    if named is not None and place.absolute() in named.benches:
        return f"a test bench of {named.path.name}"
    if _HLS_SIGN.search(text) or named is not None or (place.absolute().parent / FILE_NAME).is_file():
        return ""
    return "" if _headers_say_so(place, text) else "no pragma or header of HLS in it, its headers or a project above it"


MAX_HEADERS = 16  # of a source that says nothing itself


def _headers_say_so(path: Path, text: str) -> bool:
    """Whether a header beside the source, or one that it includes, has pragmas or headers of HLS."""
    seen: dict[Path, None] = {}
    pending = [(path.parent, text)]
    while pending:
        folder, content = pending.pop()
        for name in _LOCAL_INCLUDE.findall(content):
            header = Path(os.path.normpath(folder / name))
            if header in seen or len(seen) >= MAX_HEADERS:
                continue
            seen[header] = None
            try:
                found = read_source(header, max_bytes=MAX_HEADER_BYTES)
            except SourceError:
                continue
            if _HLS_SIGN.search(found):
                return True
            pending.append((header.parent, found))
    return False


MAX_HEADER_BYTES = 256 * 1024
_LOCAL_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"", re.MULTILINE)
