"""Pragmas of a unit: their text to names and options, and which of them a region has."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache

from ...text import Span
from ..program import ir
from .option_texts import options_of
from .preprocess import RawPragma, Unit


@lru_cache(maxsize=4096)  # most are as they were a key before, and alike in many functions
def parse_pragma(text: str) -> tuple[str, str, Mapping[str, str]] | None:
    """("HLS", "UNROLL", {"factor": "4"}) of `HLS unroll factor=4`; None for pragmas of others."""
    head, _, rest = text.strip().partition(" ")
    dialect = head.upper()
    if dialect not in ("HLS", "ACCEL"):
        return None
    words = rest.strip().split(None, 1)
    if not words:
        return dialect, "", {}
    kind = words[0].split("=")[0].upper()
    return dialect, kind, options_of(words[1] if len(words) > 1 else "")


class Pragmas:
    """The pragmas of a unit by their offset in its text, and what each one was last made into.

    taken: those that a region inside the one that is being read has already. dropped: those of code that was not read
    there; of a template another instance may have them.
    """

    __slots__ = ("_found", "_raw", "dropped", "offsets", "taken")

    def __init__(self, unit: Unit) -> None:
        parsed = [(raw.offset, raw, parse_pragma(raw.text)) for raw in unit.pragmas]
        self._raw = [(_made(unit, raw, said), offset) for offset, raw, said in parsed if said is not None]
        self._raw.sort(key=lambda item: item[1])
        self._found: list[ir.Pragma | None] = [None] * len(self._raw)
        self.offsets = [offset for _, offset in self._raw]
        self.taken: set[int] = set()
        self.dropped: set[int] = set()

    def within(self, start: int, end: int) -> list[int]:
        """Those between two offsets that nothing inside has taken; from now on they are."""
        if not self.offsets:
            return []
        span = range(bisect_left(self.offsets, start), bisect_right(self.offsets, end))
        chosen = [index for index in span if index not in self.taken]
        self.taken.update(chosen)
        return chosen

    def drop(self, start: int, end: int) -> None:
        """Those inside code that is not read, not right at its ends: no region around it takes them."""
        self.dropped.update(self.within(start + 1, end - 1))

    def left(self) -> list[int]:
        """Those that nothing ever took. Of Merlin's those stay away that are of code which was not read."""
        free = [index for index, made in enumerate(self._found) if made is None]
        return [index for index in free if index not in self.dropped or self._raw[index][0].dialect != "ACCEL"]

    def copy(self, index: int) -> ir.Pragma:
        """A pragma of its own for one more owner."""
        raw = self._raw[index][0]
        made = ir.Pragma(raw.dialect, raw.kind, raw.options, raw.text, raw.path, raw.span)
        self._found[index] = made
        return made

    def found(self) -> list[ir.Pragma]:
        """Each pragma once, in the order of the text: its last copy."""
        return [made for made in self._found if made is not None]


def _made(unit: Unit, raw: RawPragma, said: tuple[str, str, Mapping[str, str]]) -> ir.Pragma:
    dialect, kind, options = said
    span, path = _place(unit, raw)
    return ir.Pragma(dialect, kind, dict(options), raw.text.strip(), path, span)


def _place(unit: Unit, raw: RawPragma) -> tuple[Span, str]:
    source = unit.files[raw.file]
    begin = raw.source_offset
    line, character = source.places.place(begin)
    text = source.text[begin : begin + raw.length]
    lead = len(text) - len(text.lstrip())
    if "\n" in text or "\r" in text:  # it goes on behind a backslash
        end_line, end = source.places.place(begin + len(text))
    else:
        end_line, end = line, character + len(text)
    return Span(line, character + lead, end_line, end), source.path
