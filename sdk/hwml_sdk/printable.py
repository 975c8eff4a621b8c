"""Names are data: what others called their files and functions cannot steer a terminal, a log or a build service."""

from __future__ import annotations

import re

# C0 and C1 controls (terminal escapes, line breaks), DEL, line and paragraph separators, marks that turn the direction
# of text, and lone surrogates, which no output can encode. A tab is harmless and stays.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SHORT = {"\n": "\\n", "\r": "\\r"}


def printable(text: object) -> str:
    """`text` on one line, each control character written out: a line break as `\\n`, an escape as `\\x1b`."""
    return _UNSAFE.sub(_written_out, str(text))


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    number = ord(character)
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
