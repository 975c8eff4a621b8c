"""Which Scala files use what others define: an outline, not a type check, that rather takes one file too many."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ...files import read_bytes
from ...languages import CHISEL
from .project import source_root

MAX_NEIGHBOURS = 2000
_WORD = re.compile(r"\w+")
_DEFINITION = re.compile(r"^(?:[\w@\[\]()]+[ \t]+)*?(?:class|object|trait|type|def|val)[ \t]+(\w+)", re.MULTILINE)


def dependents(changed: Iterable[Path]) -> list[Path]:
    """Files of the same source roots that name something a changed file defines outermost, near or far; absolute."""
    first = list(dict.fromkeys(path.absolute() for path in changed))
    texts: dict[Path, str] = {}
    for root in dict.fromkeys(source_root(path) for path in first):
        for path in _scala_files(root)[:MAX_NEIGHBOURS]:
            texts[path] = _text(path)
    for path in first:
        texts.setdefault(path, _text(path))
    return _closure(first, texts)[len(first) :]


def _closure(first: list[Path], texts: dict[Path, str]) -> list[Path]:
    words = {path: set(_WORD.findall(text)) for path, text in texts.items()}
    found = dict.fromkeys(first)
    pending = list(first)
    while pending:
        names = set(_DEFINITION.findall(texts[pending.pop(0)]))
        users = [path for path in texts if path not in found and names & words[path]]
        found.update(dict.fromkeys(users))
        pending += users
    return list(found)


def _scala_files(root: Path) -> list[Path]:
    found = root.rglob("*") if root.name in {"scala", "src"} else root.glob("*")
    return sorted(path for path in found if path.suffix in CHISEL.suffixes and path.is_file())


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""
