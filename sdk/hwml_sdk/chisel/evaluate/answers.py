"""The code in what a model answered: fences, prose, several blocks, a text cut off."""

from __future__ import annotations

import re

MOST_CODE = 200_000  # characters; a module of a task has a thousandth of it
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*$", re.MULTILINE)
_CLASS = re.compile(r"^\s*(?:\w+\s+)*(?:class|object|trait)\s+(\w+)", re.MULTILINE)
_IMPORT = re.compile(r"^\s*import\s+[\w.]+.*$", re.MULTILINE)
_CHISEL = re.compile(r"^\s*import\s+chisel3\._", re.MULTILINE)


def code_of(answer: str) -> str:
    """Chisel source of an answer, "" where it holds none.

    Blocks that define the same class are versions: the last counts. Blocks that define different classes are parts of
    one file. A block without an end was cut off and counts as far as it goes. Without fences all of the text is code,
    from its first import, package or class on. `import chisel3._` is added where nothing imports it.
    """
    blocks = [block for block in _blocks(answer) if _CLASS.search(block)]
    text = _joined(blocks) if blocks else _bare(answer)
    if not _CLASS.search(text) or len(text) > MOST_CODE:
        return ""
    return text if _CHISEL.search(text) else f"import chisel3._\n{text}"


def _blocks(answer: str) -> list[str]:
    """Texts between fences; a fence directly after a fence opens nothing new."""
    found: list[str] = []
    start: int | None = None
    for match in _FENCE.finditer(answer):
        if start is None or not answer[start : match.start()].strip():
            start = match.end() + 1
            continue
        found.append(answer[start : match.start()])
        start = None
    if start is not None and answer[start:].strip():
        found.append(answer[start:])
    return found


def _joined(blocks: list[str]) -> str:
    kept: dict[frozenset[str], str] = {}
    for block in blocks:
        names = frozenset(_CLASS.findall(block))
        for older in [key for key in kept if key & names]:
            del kept[older]
        kept[names] = block
    if len(kept) == 1:
        return next(iter(kept.values()))
    texts = list(kept.values())
    imports = dict.fromkeys(line.strip() for text in texts for line in _IMPORT.findall(text))
    return "\n".join([*imports, "", *(_IMPORT.sub("", text).strip() + "\n" for text in texts)])


def _bare(answer: str) -> str:
    """The text without the prose before its first line of code and without fences that are left."""
    text = _FENCE.sub("", answer)
    start = re.search(
        r"^\s*(?:import\s+\w|package\s+\w|(?:\w+\s+)*(?:class|object|trait)\s+\w+.*[({]|/\*\*)", text, re.MULTILINE
    )
    return text[start.start() :].lstrip("\n") if start else ""
