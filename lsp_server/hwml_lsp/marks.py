"""What a client was last told to show, compared with what there is to show now.

Both are lists of annotations in which an edit leaves nearly all as the same objects, and only the others are looked
into: this runs several times for every key, in files of thousands of functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hwml_sdk.document import Annotation

from .documents import Document


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """Annotations, and what else decides on what is shown of them. lenses: it is their summaries, not their labels."""

    items: Sequence[Annotation]
    about: tuple[Any, ...]
    lenses: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mark) or self.about != other.about or len(self.items) != len(other.items):
            return False
        if self.items is other.items:
            return True
        pairs = [pair for pair in zip(self.items, other.items, strict=True) if pair[0] is not pair[1]]
        return all(self._shown(one) == self._shown(two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]

    def _shown(self, item: Annotation) -> tuple[Any, ...]:
        return item.summary if self.lenses else item.label, item.stale, item.span.start_line


def hint_mark(document: Document) -> Mark:
    """Of inlay hints."""
    return Mark(document.results.annotations, _switches(document))


def lens_mark(document: Document) -> Mark:
    """Of lenses, which say what has moved since the last commit or pin, too."""
    items = [item for item in document.results.annotations if item.kind != "loop"]
    return Mark(items, (*_switches(document), document.results.changes), lenses=True)


def _switches(document: Document) -> tuple[Any, ...]:
    """Settings that say what is shown: a client whose user changes them is to ask again, though no figure changes."""
    settings = document.settings
    return settings.hints, settings.hints_loops, settings.hints_functions, settings.lenses
