"""Designs without their pragmas: what the delta task sets a design against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ....encoders import TextEncoder
from ....qor.learned.dataset import Design
from ....qor.learned.encoder.bare import without_pragmas
from .samples import Samples, make_samples


@dataclass(frozen=True, slots=True)
class Bare:
    """texts: of n designs without pragmas, one text a kernel and target. plain: [n], the design has none itself."""

    texts: tuple[str, ...]
    plain: NDArray[np.bool_]


def bare_samples(samples: Samples, encoder: TextEncoder, step: Callable[[str], None]) -> Bare:
    """The text of each design without pragmas; where that cannot be read, the design's own."""
    place: dict[tuple[str, ...], str] = {}
    once: list[Design] = []
    keys: list[tuple[str, ...]] = []
    for design in samples.designs:
        text = without_pragmas(design.code())
        key = (text, design.top, design.part, design.tool, design.tool_version, design.stage,
               str(design.clock_period_ns), str(design.unsafe_math))  # fmt: skip
        keys.append(key)
        if key not in place:
            place[key] = f"bare/{len(once)}"
            once.append(replace(design, id=place[key], template=text, pragmas={}))
    found = make_samples(once, encoder, step)
    by_id = {design.id: text for design, text in zip(found.designs, found.texts, strict=True)}
    texts = tuple(by_id.get(place[key], own) for key, own in zip(keys, samples.texts, strict=True))
    plain = np.array([bare == own for bare, own in zip(texts, samples.texts, strict=True)], dtype=bool)
    return Bare(texts, plain)
