"""What installed packages add to hwml: their entry points, by group.

The `entry_points.txt` of every distribution on `sys.path` is read here ("Entry points specification" of the Python
packaging guide): `importlib.metadata` gives the same, but importing it takes longer than all of `hwml --help`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

_METADATA = (".dist-info", ".egg-info")


class Command(NamedTuple):
    """One command, loaded only when it is chosen: `hwml --help` costs nothing.

    module: gives `add_arguments(parser)` and `run(arguments) -> int`; with own_parser `main(argv) -> int`.
    """

    module: str
    help: str
    own_parser: bool = False


@lru_cache(maxsize=8)
def entry_points(group: str) -> Mapping[str, str]:
    """Name -> "module:object" of a group; the distribution that stands first on `sys.path` wins a name."""
    found: dict[str, str] = {}
    for place in _descriptions():
        for name, value in _entries(place, group):
            found.setdefault(name, value)
    return found


def _descriptions() -> Iterator[str]:
    # "" is the current folder, which may be anybody's: what lies there is not installed.
    for folder in dict.fromkeys(filter(None, sys.path)):
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(_METADATA))
        except OSError:
            continue  # sys.path may name what is not there, and archives
        yield from (f"{folder}/{name}/entry_points.txt" for name in names)


def _entries(place: str, group: str) -> Iterator[tuple[str, str]]:
    head = f"[{group}]"
    try:
        with open(place, "rb") as stream:  # noqa: PTH123  # without pathlib `hwml --help` starts sooner
            content = stream.read()
    except OSError:
        return  # most distributions have none
    if head.encode() not in content:
        return
    inside = False
    for line in map(str.strip, content.decode("utf-8", "replace").splitlines()):
        if line.startswith("["):
            inside = line == head
        elif inside and not line.startswith((";", "#")):
            name, _, value = line.partition("=")
            module, colon, thing = value.partition("[")[0].partition(":")  # extras stand in brackets
            if colon:
                yield name.strip(), f"{module.strip()}:{thing.strip()}"


def load(reference: str) -> Any:
    """The object that "module:object" names. Raises ImportError or AttributeError."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
