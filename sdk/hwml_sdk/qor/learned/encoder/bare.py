"""Source text without its pragmas: what the delta task sets a design against, in training and when it is asked."""

from __future__ import annotations

import re

# A directive of the preprocessor ends with its line, unless a backslash carries it on (C++17, 5.2).
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma\b(?:[^\n\\]|\\.|\\\n)*\n?", re.MULTILINE)


def without_pragmas(text: str) -> str:
    """A source without its pragma lines."""
    return _PRAGMA.sub("", text)
