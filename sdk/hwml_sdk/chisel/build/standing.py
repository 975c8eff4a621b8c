"""Which files of a check stand by themselves, so that they need no second compile while another one is typed.

A file that uses nothing of the document, directly or through another one, has the same types and classes whatever the
document says. Whether it does is found from names: one file too many that is compiled again costs time only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .outline import outline

_WORD = re.compile(r"\w+")
File = tuple[str, str]


def standing(files: Sequence[File]) -> tuple[list[File], int]:
    """The files (name, text), the first one first, those that do not build upon it last; and how many these are."""
    (_, text), *others = files
    if outline(text).package_objects:  # what it holds is in sight without a name
        return list(files), 0
    names = _names(text) | _packages_of_its_own(text, others)
    apart, moved = list(others), True
    with_it: list[File] = []
    while moved:
        users = [file for file in apart if names & _words(file[1])]
        moved = bool(users)
        for file in users:
            names |= _names(file[1])
        with_it += users
        apart = [file for file in apart if file not in users]
    return [files[0], *(file for file in others if file in with_it), *apart], len(apart)


def _packages_of_its_own(text: str, others: Sequence[File]) -> frozenset[str]:
    """Parts of the packages that are there because of this text."""
    elsewhere = {name for _, other in others for name in _packages(other)}
    return frozenset(part for name in _packages(text) - elsewhere for part in name.split("."))


@lru_cache(maxsize=1024)
def _packages(text: str) -> frozenset[str]:
    parts = [name.split(".") for name in outline(text).packages if name]
    return frozenset(".".join(name[:end]) for name in parts for end in range(1, len(name) + 1))


@lru_cache(maxsize=1024)
def _names(text: str) -> frozenset[str]:
    """What a text defines in its packages: whoever uses anything of it begins with one of these names."""
    found = outline(text)
    return frozenset(name for owner in ("", *found.packages) for name in found.members.get(owner, ()))


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    """All words, those in interpolated strings as well."""
    return frozenset(_WORD.findall(text))
