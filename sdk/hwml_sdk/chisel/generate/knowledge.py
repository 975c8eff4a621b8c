"""Notes on chisel3 and chisel3.util, and examples, chosen by how near they are to a request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np

from ...encoders import TextEncoder
from ...errors import ArtifactError, MissingDependencyError
from .bm25 import Bm25

Retrieval = Literal["auto", "bm25", "encoder"]
_NOTES, _EXAMPLES = 5, 3
_HEAD = re.compile(r"^=== (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """key: what it is about, in words that requests use; text: what is shown; code: of an example."""

    key: str
    text: str
    code: str = ""


@lru_cache(maxsize=1)
def all_notes() -> tuple[Entry, ...]:
    """Every note."""
    return tuple(Entry(f"{head} {body}", body.strip()) for head, body in _pieces("notes.txt"))


@lru_cache(maxsize=1)
def all_examples() -> tuple[Entry, ...]:
    """Every example: a request and a module that answers it."""
    found = []
    for head, body in _pieces("examples.txt"):
        asked, _, code = body.partition("--- chisel\n")
        found.append(Entry(f"{head} {asked}", asked.strip(), code.strip() + "\n"))
    return tuple(found)


def _pieces(name: str) -> list[tuple[str, str]]:
    pieces = _HEAD.split((files(__package__) / name).read_text(encoding="utf-8"))[1:]
    return list(zip(pieces[::2], pieces[1::2], strict=True))


class Knowledge:
    """Chooses by an encoder's vectors where one is there, else by BM25; `how` says which.

    retrieval "encoder" raises what `TextEncoder.load` raises where there is none.
    """

    def __init__(self, retrieval: Retrieval = "auto") -> None:
        self._encoder: TextEncoder | None = None
        if retrieval != "bm25":
            try:
                self._encoder = TextEncoder.load()
            except (ArtifactError, MissingDependencyError):
                if retrieval == "encoder":
                    raise
        self.how = "encoder" if self._encoder is not None else "bm25"

    def notes(self, spec: str) -> list[str]:
        """The notes nearest to a request."""
        return [entry.text for entry in self._nearest(spec, all_notes(), _NOTES)]

    def examples(self, spec: str) -> list[tuple[str, str]]:
        """The examples nearest to a request; the nearest stands last, beside the request itself."""
        return [(entry.text, entry.code) for entry in reversed(self._nearest(spec, all_examples(), _EXAMPLES))]

    def _nearest(self, spec: str, entries: Sequence[Entry], count: int) -> list[Entry]:
        keys = tuple(entry.key for entry in entries)
        if self._encoder is None:
            scores = Bm25(keys).scores(spec)
        else:
            vectors = self._encoder.encode([spec, *keys]).vectors
            scores = [float(value) for value in np.asarray(vectors[1:] @ vectors[0])]
        order = sorted(range(len(entries)), key=lambda index: -scores[index])
        return [entries[index] for index in order[:count] if scores[index] > 0]
