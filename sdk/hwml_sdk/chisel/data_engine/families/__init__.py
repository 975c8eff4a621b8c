"""Every family: its level, its part of the level, and what writes it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..draft import Draft
from ..styles import Style, draw_style
from .basic import SHAPES, basic
from .control import CONTROL
from .library import LIBRARY
from .sequential import SEQUENTIAL
from .structural import STRUCTURAL


@dataclass(frozen=True, slots=True)
class Family:
    """level: L1 to L4, or util; share: its weight among the families of the level."""

    name: str
    level: str
    title: str
    share: int
    write: Callable[[Draft], None]


FAMILIES: dict[str, Family] = {
    **{name: Family(name, "L1", shape.title, 1, basic(name)) for name, shape in SHAPES.items()},
    **{name: Family(name, "L2", title, 1, write) for name, (title, write) in CONTROL.items()},
    **{name: Family(name, "L3", title, 1, write) for name, (title, write) in SEQUENTIAL.items()},
    **{name: Family(name, "L4", title, 1, write) for name, (title, write) in STRUCTURAL.items()},
    **{name: Family(name, "util", title, share, write) for name, (title, share, write) in LIBRARY.items()},
}

_NOUNS = ("Unit", "Block", "Stage", "Core", "Logic", "Module", "Cell", "Path", "Box", "")


def compose(family: Family, seed: str, style: Style | None = None) -> Draft:
    """The circuit of a seed, written in `style` or in the one that the seed draws.

    Choices of the circuit and choices of the writer come from generators of their own.
    """
    circuit, taste = random.Random(f"circuit {seed}"), random.Random(f"style {seed}")
    drawn = draw_style(taste)
    stem = "".join(word.capitalize() for word in family.name.split("_"))
    number = taste.choice(("", "", str(taste.randrange(2, 100))))
    draft = Draft(f"{stem}{taste.choice(_NOUNS)}{number}", family.title, style or drawn, circuit, taste)
    family.write(draft)
    draft.drop_unused()
    return draft
