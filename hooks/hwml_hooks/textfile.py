"""A source file as bytes that must survive: encoding, byte order mark, line endings, permissions and links stay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hwml_sdk.errors import RefusedError, SourceError
from hwml_sdk.files import MAX_SOURCE_BYTES, read_bytes

_BOM = b"\xef\xbb\xbf"
_CONFLICT = re.compile(r"^(?:<{7} |={7}\r?$|>{7} )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextFile:
    """The bytes of one file at one moment. path: links resolved, where a change has to be written."""

    path: Path
    raw: bytes

    @property
    def bom(self) -> bytes:
        """The UTF-8 byte order mark, or nothing."""
        return _BOM if self.raw.startswith(_BOM) else b""

    @property
    def text(self) -> str:
        """The text; bytes that are not UTF-8 become lone surrogates, and are written back as they were."""
        return self.raw[len(self.bom) :].decode("utf-8", "surrogateescape")

    @property
    def is_utf8(self) -> bool:
        """Whether signs beyond ASCII may be added."""
        try:
            self.raw.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    def with_text(self, text: str) -> bytes:
        """The file's bytes with `text` in place of its own."""
        return self.bom + text.encode("utf-8", "surrogateescape")


def readable(text: str) -> str:
    """The text as `hwml_sdk.files.read_source` would give it: bytes that are not UTF-8 as U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_text(path: str | Path, *, root: Path | None = None) -> TextFile:
    """Read a source. root: links that lead out of this folder are refused.

    Raises SourceError for a missing, unreadable, binary (NUL bytes) or oversize file, RefusedError for such a link.
    """
    path = Path(path)
    try:
        real = path.resolve(strict=True)
        if root is not None and path.is_symlink() and not real.is_relative_to(root.resolve()):
            raise RefusedError(f"{path}: is a link to {real}, outside {root}; name that file to change it")
        if real.is_dir():
            raise SourceError("is a folder, a file was expected", path=path)
        if real.stat().st_size > MAX_SOURCE_BYTES:
            raise SourceError(f"is over {MAX_SOURCE_BYTES >> 20} MB; sources are smaller", path=path)
        raw = read_bytes(real, max_bytes=MAX_SOURCE_BYTES)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise SourceError(f"cannot read: {getattr(error, 'strerror', '') or error}", path=path) from error
    zero = raw.find(b"\0")
    if zero >= 0:
        line = raw.count(b"\n", 0, zero) + 1
        raise SourceError("holds NUL bytes: a binary file, not source text", path=path, line=line)
    return TextFile(real, raw)


def refuse_conflicts(path: str | Path, text: str) -> None:
    """Raises SourceError when the text holds the marks of an unfinished merge (both ends of one)."""
    found = list(_CONFLICT.finditer(text))
    kinds = {match.group()[0] for match in found}
    if {"<", ">"} <= kinds:
        line = text.count("\n", 0, found[0].start()) + 1
        raise SourceError("conflict markers: finish the merge first", path=path, line=line)
