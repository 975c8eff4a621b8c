"""Names are data: what others called their files and functions cannot steer a terminal, a log or a build service."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

# C0 and C1 controls (terminal escapes, line breaks), DEL, line and paragraph separators, marks that turn the direction
# of text, and lone surrogates, which no output can encode. A tab is harmless and stays.
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_JSON = re.compile(_UNSAFE.pattern.replace("\x0a-\x1f", "\x0b-\x1f"))
_SHORT = {"\n": "\\n", "\r": "\\r"}


def printable(text: object) -> str:
    """`text` on one line, each control character written out: a line break as `\\n`, an escape as `\\x1b`."""
    return _UNSAFE.sub(_written_out, str(text))


def tell(words: object, *, who: str = "hwml") -> None:
    """One line on standard error at once, made safe to show: `WHO: WORDS`, or the words alone."""
    print(f"{who}: {printable(words)}" if who else printable(words), file=sys.stderr, flush=True)


def tell_some(problems: Sequence[object], *, who: str = "hwml", most: int = 20) -> None:
    """The first of many lines on standard error, and how many more there are."""
    for problem in problems[:most]:
        tell(problem, who=who)
    if len(problems) > most:
        tell(f"and {len(problems) - most} more", who=who)


def json_text(data: Any, *, indent: int | None = 1) -> str:
    """`data` as JSON to be shown: letters of every script as they are, control characters written out (`\\u009b`)."""
    # Line breaks of the layout are the only ones: JSON writes those of strings out by itself.
    return _UNSAFE_IN_JSON.sub(_in_json, json.dumps(data, indent=indent, ensure_ascii=False))


def _in_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    number = ord(character)
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
