"""Which designs a run learns from, and which it is judged on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....errors import DataError
from ....qor.learned.dataset import Design, Rows, group_fold
from ..licences import is_share_alike
from .config import EncoderConfig

Mask = NDArray[np.bool_]
_ID_SHARE = 10  # one row in so many of those that are not held out is judged as in-distribution


def chosen(designs: Sequence[Design], config: EncoderConfig) -> list[Design]:
    """The designs of a run: of its sources, thinned. Raises DataError where none is left, or a source is unknown."""
    unknown = sorted(set(config.sources) - {design.source for design in designs})
    if unknown:
        raise DataError(f"there is no source {unknown[0]!r}", path=config.data)
    found = [design for design in designs if not config.sources or design.source in config.sources]
    found = [design for design in found if config.share_alike or not is_share_alike(design.licence)]
    # Only these four are learned: a row of BRAM alone teaches nothing.
    found = [design for design in found if any(label is not None for label in design.labels[:4])]
    found = thinned(found, config.rows_per_key) if config.rows_per_key else found
    if config.one_group_in:
        found = [design for design in found if group_fold(f"part/{design.group}", config.one_group_in) == 0]
    found = subset(found, config.n_designs) if config.n_designs else found
    if not found:
        raise DataError("holds no design with a label to learn", path=config.data)
    return found


def thinned(designs: Sequence[Design], per_key: int) -> list[Design]:
    """At most `per_key` designs of each kernel, stage and tool version, spread evenly over their order."""
    by_key: dict[str, list[int]] = defaultdict(list)
    for index, design in enumerate(designs):
        by_key[design.key].append(index)
    kept: list[int] = []
    for places in by_key.values():
        if len(places) > per_key:
            kept += [places[i] for i in np.linspace(0, len(places) - 1, per_key).round().astype(int)]
        else:
            kept += places
    return [designs[index] for index in sorted(kept)]


def subset(designs: Sequence[Design], number: int) -> list[Design]:
    """`number` designs of different groups, in an order that the names of the groups alone decide."""
    first: dict[str, Design] = {}
    for design in designs:
        if all(label is not None for label in design.labels[:4]):
            first.setdefault(design.group, design)
    order = sorted(first, key=lambda group: (group_fold(group, 1 << 32), group))
    return [first[group] for group in order[:number]]


@dataclass(frozen=True, slots=True)
class Split:
    """Masks of the rows; `ood` holds whole groups (tools, parts) out, `id_test` single rows of what training has."""

    train: Mask
    val: Mask
    id_test: Mask
    ood: Mask


def split_rows(rows: Rows, by: str, seed: int) -> Split:
    """Groups of fold 0 (sha256 mod 5) are held out; those of fold 1 choose layer and epoch; `by` a tool or part, the
    first in the order of their hashes is held out. Where there are too few groups, rows take their place.

    Raises DataError where there is nothing to hold out by.
    """
    groups = rows.group
    if by == "group":
        ood = rows.fold() == 0
    else:
        held = rows.part if by == "part" else rows.joined("tool", "tool_version")
        names = sorted(set(held.tolist()), key=lambda name: (group_fold(name, 1 << 32), name))
        if len(names) < 2:
            raise DataError(f"there is one {by} in the data ({names[0]}): nothing can be held out by it")
        ood = held == names[0]
    left = np.flatnonzero(~ood)
    if ood.all() or not ood.any() or len(set(groups[left].tolist())) < 3:
        return _small(rows, seed)
    folds = np.array([group_fold(f"val/{name}") for name in groups.tolist()])
    val = ~ood & (folds == 0)
    if not val.any() or (val | ood).all():
        return _small(rows, seed)
    random = np.random.default_rng(seed)
    rest = np.flatnonzero(~ood & ~val)
    id_test: Mask = np.zeros(len(rows), dtype=bool)
    id_test[random.permutation(rest)[: len(rest) // _ID_SHARE]] = True
    return Split(~ood & ~val & ~id_test, val, id_test, ood)


def _small(rows: Rows, seed: int) -> Split:
    """For a handful of designs: every fifth judged, every fifth to choose by, the groups of the first whole."""
    names = sorted(set(rows.group.tolist()), key=lambda name: (group_fold(name, 1 << 32), name))
    place = {name: index for index, name in enumerate(names)}
    number = np.array([place[name] for name in rows.group.tolist()])
    if len(names) < 3:
        number = np.random.default_rng(seed).permutation(len(rows))
    ood, val = number % 5 == 0, number % 5 == 1
    return Split(~ood & ~val, val, np.zeros(len(rows), dtype=bool), ood)
