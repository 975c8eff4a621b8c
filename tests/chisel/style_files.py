"""The modules of tests/data/chisel/styles: as files, and one by one with what each of them needs."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data" / "chisel" / "styles"
_TOP = re.compile(
    r"^(?:/\*\*(?:(?!\*/).)*\*/\s*)?(?:@\w+\s+)?(?:final |abstract |sealed |case )*"
    r"(?:class|object|trait) (?P<name>\w+)",
    re.MULTILINE | re.DOTALL,
)
_PAIRED_WITH_LAYERS = "layers.scala"  # Chisel 7 only


def files(version: str) -> list[Path]:
    """All files that Chisel `version` knows the constructs of."""
    found = sorted(FOLDER.glob("*.scala"))
    return [path for path in found if path.name != _PAIRED_WITH_LAYERS or not version.startswith("6")]


def single_modules(version: str = "7.14.0") -> dict[str, str]:
    """Name -> text of one module class, with the imports of its file and the definitions that it refers to."""
    found = {}
    for path in files(version):
        text = path.read_text(encoding="utf-8")
        starts = [(match.start(), match["name"]) for match in _TOP.finditer(text)]
        ends = [start for start, _ in starts[1:]] + [len(text)]
        pieces: dict[str, str] = {}
        for (start, name), end in zip(starts, ends, strict=True):
            pieces[name] = pieces.get(name, "") + text[start:end]
        head = text[: starts[0][0]]
        for name, piece in pieces.items():
            if re.search(r"^(?:@\w+\s+)?class \w+.*\bextends (?:Raw)?Module\b", piece, re.MULTILINE | re.DOTALL):
                found[name] = head + "".join(pieces[other] for other in _needed(name, pieces))
    return found


def _needed(name: str, pieces: dict[str, str]) -> list[str]:
    """`name` and what it refers to, in the order of the file."""
    needed, waiting = {name}, [name]
    while waiting:
        words = set(re.findall(r"\w+", pieces[waiting.pop()]))
        fresh = (words & pieces.keys()) - needed
        needed |= fresh
        waiting += fresh
    return [other for other in pieces if other in needed]
