"""Sixty labelled designs of several tools and sources: the closed form's error on each may not grow.

labelled_bars.json holds, for each design and target, the factor between closed form and label that is allowed: the
error of the day it was written and 2 % more (for labels of 0: the count that was said, and 2 % more). Whoever makes
the closed form better writes it anew, and reads the difference: python -m tests.qor.test_labelled_designs
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from tests.qor.qor_data import designs, needs_data

from hwml_sdk.qor.closed_form.design import estimate_source, make_target
from hwml_sdk.qor.learned.dataset import Design
from hwml_sdk.qor.tool.labels import LABELS

BARS = Path(__file__).with_name("labelled_bars.json")
MARGIN = 1.02
# How many designs of each source and stage, each of a kernel of its own where there are enough.
QUOTAS = {
    ("hgbo-dse", "csynth"): 14, ("streamhls", "csynth"): 12, ("hlsyn-vitis", "csynth"): 10, ("prometheus", "csynth"): 7,
    ("forgehls-kernels", "csynth"): 5, ("hgbo-dse", "impl"): 4, ("collectivehls", "csynth"): 3, ("github", "csynth"): 2,
    ("hlsyn", "csynth"): 3,
}  # fmt: skip


@cache
def by_id() -> Mapping[str, Design]:
    """All labelled designs."""
    return {design.id: design for design in designs()}


def said(design: Design) -> dict[str, float | None]:
    """What the closed form says, by target."""
    text, others = design.parts()
    target = make_target(
        design.part, design.clock_period_ns, design.tool, design.tool_version, unsafe_math=design.unsafe_math,
        stage=design.stage,
    )  # fmt: skip
    found = estimate_source(text, path="main.cpp", files=others, top=design.top, target=target)
    return {name: getattr(found, name) for name in LABELS}


def errors(design: Design) -> dict[str, float]:
    """By target with a label: the factor between the two (1: right); for a label of 0 the count itself."""
    found: dict[str, float] = {}
    for (name, value), label in zip(said(design).items(), design.labels, strict=True):
        if label is None or value is None:
            continue
        small, large = sorted((value, label))
        found[name] = value if label == 0 else large / small if small > 0 else large + 1
    return found


def bars() -> dict[str, dict[str, float]]:
    """Design -> target -> what is allowed."""
    found: dict[str, dict[str, float]] = json.loads(BARS.read_text(encoding="utf-8"))
    return found


@needs_data
@pytest.mark.parametrize("name", bars() if BARS.is_file() else [])
def test_the_error_has_not_grown(name: str) -> None:
    allowed, now = bars()[name], errors(by_id()[name])
    assert set(now) == set(allowed)
    worse = {target: (error, allowed[target]) for target, error in now.items() if error > allowed[target]}
    assert not worse, "(error, bar) by target"


def test_there_are_sixty_of_several_sources() -> None:
    names = list(bars())
    assert len(names) == sum(QUOTAS.values()) == 60
    assert len({name.split("/")[0] for name in names}) >= 6


def chosen() -> list[Design]:
    """The designs, drawn by a fixed seed."""
    found: list[Design] = []
    for (source, stage), quota in QUOTAS.items():
        rows = [d for d in by_id().values() if (d.source, d.stage) == (source, stage)]
        rows.sort(key=lambda design: design.id)
        random.Random(11).shuffle(rows)
        fresh: dict[str, Design] = {}
        for row in rows:
            fresh.setdefault(row.kernel, row)
        others = [row for row in rows if row is not fresh[row.kernel]]
        found += [*fresh.values(), *others][:quota]
    return found


def main() -> None:
    """Write the bars anew."""
    written = {
        design.id: {name: round(error * MARGIN + 0.0001, 4) for name, error in errors(design).items()}
        for design in chosen()
    }
    BARS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
