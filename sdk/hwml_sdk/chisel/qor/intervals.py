"""80 % intervals of counted amounts: how far off the counting was on circuits that no rule was made on.

An interval is the counted amount times two quotients of the class it falls into; classes are bands of the amount. They
come from the shipped artefact `chisel_qor`, whose `config` holds for each amount rows of (largest amount of the band,
lower quotient, upper quotient), smallest band first. A quotient is (measured + 1) / (counted + 1), so that 0 has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...amounts import Interval
from ...artifact import Artifact, shipped
from ...errors import ArtifactError

KIND = "chisel_qor"


@dataclass(frozen=True, slots=True)
class Band:
    """Amounts up to `upto` (None: all others) and the quotients of their measured amounts."""

    upto: int | None
    low: float
    high: float

    def interval(self, counted: int) -> Interval:
        """The interval in whole numbers, which holds the counted amount."""
        low, high = (round((counted + 1) * quotient - 1) for quotient in (self.low, self.high))
        return Interval(float(max(0, min(low, counted))), float(max(high, counted)))


Bands = Mapping[str, tuple[Band, ...]]


def intervals_of(amounts: Mapping[str, int], bands: Bands) -> dict[str, Interval]:
    """Intervals of the amounts that have bands."""
    found = {}
    for name, counted in amounts.items():
        band = next((item for item in bands.get(name, ()) if item.upto is None or counted <= item.upto), None)
        if band is not None:
            found[name] = band.interval(counted)
    return found


@cache
def shipped_bands() -> Bands:
    """Bands of the artefact that ships, none where none does. Raises ArtifactError for one that is broken."""
    folder = shipped(KIND)
    return {} if folder is None else bands_of(Artifact.load(folder, kind=KIND).config)


def bands_of(config: Mapping[str, Any]) -> Bands:
    """Bands as `bands_config` wrote them. Raises ArtifactError."""
    try:
        return {
            name: tuple(Band(None if upto is None else int(upto), float(low), float(high)) for upto, low, high in rows)
            for name, rows in config["bands"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"the artefact {KIND!r} has no bands of intervals: {error}") from error


def bands_config(bands: Bands) -> dict[str, Any]:
    """The bands as plain JSON."""
    return {"bands": {name: [[row.upto, row.low, row.high] for row in rows] for name, rows in bands.items()}}
