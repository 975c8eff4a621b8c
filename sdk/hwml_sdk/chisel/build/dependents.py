"""Which Scala files use what others define: an outline, not a type check, that rather takes one file too many."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...languages import CHISEL
from .index import text_of
from .outline import outline, users_of
from .project import source_root

MAX_NEIGHBOURS = 2000


def dependents(changed: Iterable[Path]) -> list[Path]:
    """Files of the same source roots that name something a changed file defines outermost, near or far; absolute."""
    first = list(dict.fromkeys(path.absolute() for path in changed))
    places = [p for root in dict.fromkeys(map(source_root, first)) for p in _scala_files(root)[:MAX_NEIGHBOURS]]
    texts = {path: text_of(path) for path in places if path not in first}
    names = {name for path in first for name in outline(text_of(path)).visible}
    return users_of(names, texts)


def _scala_files(root: Path) -> list[Path]:
    found = root.rglob("*") if root.name in {"scala", "src"} else root.glob("*")
    return sorted(path for path in found if path.suffix in CHISEL.suffixes and path.is_file())
