"""Where the accesses of one iteration fall: which elements, in which banks, and how many of them come together.

Accesses on ways of which one iteration takes only one (the arms of an `if`, a `switch`, `?:`) share their ports: of
each branch the busiest arm counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from ...program import ir
from ..memory import Layout
from .accesses import Access, Arms
from .forms import Form

# Copies of more accesses than this are counted by strides and banks instead of one by one.
MAX_ENUMERATED = 4096

# An element: per subscript what varies in it, and its constant.
Cell = tuple[tuple[object, float], ...]
Splits = Sequence[tuple[str, int]]
_Parts = list[tuple[Arms, float]]


@dataclass(slots=True)
class Load:
    """Accesses of one iteration on one bank, each with the arms of branches that it stands in."""

    reads: _Parts = field(default_factory=list)
    writes: _Parts = field(default_factory=list)

    def add(self, access: Access, amount: float = 1.0) -> None:
        """Count `amount` of an access."""
        (self.writes if access.write else self.reads).append((access.arms, amount))


def busiest(parts: Sequence[tuple[Arms, float]], depth: int = 0) -> float:
    """Most accesses that one iteration makes: of each branch those of one arm."""
    total = 0.0
    branches: dict[object, dict[int, _Parts]] | None = None
    for arms, amount in parts:
        if len(arms) <= depth:
            total += amount
            continue
        branch, arm = arms[depth]
        branches = {} if branches is None else branches
        branches.setdefault(branch, {}).setdefault(arm, []).append((arms, amount))
    if branches is not None:
        for ways in branches.values():
            total += max(busiest(way, depth + 1) for way in ways.values())
    return total


def exclusive(one: Arms, other: Arms) -> bool:
    """Whether no iteration goes both ways."""
    for (branch, arm), (same, way) in zip(one, other, strict=False):
        if branch is not same:
            return False
        if arm != way:
            return True
    return False


def loads(array: ir.Variable, layout: Layout, accesses: Sequence[Access]) -> list[Load]:
    """Accesses of one iteration by bank."""
    splits = [layout.split(d) for d in range(max(len(array.dims), 1))]
    if sum([a.copies for a in accesses]) > MAX_ENUMERATED:
        one = Load()
        for access in accesses:
            one.add(access, _spread_load(access, array, splits))
        return [one]
    found: dict[tuple[object, ...], Load] = defaultdict(Load)
    known = layout.merged and all(None not in access.forms for access in accesses if access.write)
    cells = [places_of(access) for access in accesses]
    stored = _stored(accesses, cells, parted=layout.parted) if known else {}
    loaded: dict[object, list[Arms]] = {}
    rows: dict[object, list[Arms]] = {}
    for access, places in zip(accesses, cells, strict=True):
        banks = _banks_of(access, places, array, splits)
        part = access.part if layout.parted else ""
        if access.write:
            rows.clear()
        elif layout.merged and _reads_all_banks(access, splits):
            row = (
                part,
                *("any" if form is None else place for form, place in zip(access.forms, places[0], strict=True)),
            )
            if len(places) == 1 and any(not exclusive(arms, access.arms) for arms in rows.get(row, ())):
                continue
            rows.setdefault(row, []).append(access.arms)
        told = known and not access.write and None not in access.forms
        for copy, (cell, bank) in enumerate(zip(places, banks, strict=True)):
            if told:
                if _has(access, copy, (cell, part), stored, loaded):
                    continue
                loaded.setdefault((cell, part), []).append(access.arms)
            found[(*bank, part)].add(access)
        # Copies whose addresses differ in ways that cannot be told (indirect) may all hit one bank.
        extra = access.copies / max(len(banks), 1) - 1
        if extra > 0:
            found[(*banks[0], part)].add(access, round(extra))
    return list(found.values())


def _reads_all_banks(access: Access, splits: Splits) -> bool:
    """Whether an access reads each bank at one address, and chooses among what they give.

    So the tool reads a row that only data names of an array that is split whole along its rows: a second row of the
    same column is read by then (csynth of box filters over a line buffer, Vivado HLS 2019.2: two rows read and one
    written, II 1 on two ports).
    """
    unknown = [dim for dim, form in enumerate(access.forms) if form is None]
    return bool(unknown) and all(dim < len(splits) and splits[dim][0] == "complete" for dim in unknown)


def _has(
    access: Access,
    copy: int,
    cell: object,
    stored: Mapping[object, tuple[object, int]],
    loaded: Mapping[object, Sequence[Arms]],
) -> bool:
    """Whether another copy has loaded the element already, or an earlier one has just computed it."""
    earlier = stored.get(cell)
    if earlier is not None and earlier[1] < copy and earlier[0] == _shape(access):
        return True
    for arms in loaded.get(cell, ()):  # noqa: SIM110 - asked for every copy of every load
        if not exclusive(arms, access.arms):
            return True
    return False


def _stored(
    accesses: Sequence[Access], cells: Sequence[Sequence[Cell]], *, parted: bool
) -> dict[object, tuple[object, int]]:
    """Place -> (loops its copies come from, the first copy that surely writes it). cells: of each access."""
    found: dict[object, tuple[object, int]] = {}
    for access, places in zip(accesses, cells, strict=True):
        if access.write and not access.guarded:
            shape, part = _shape(access), access.part if parted else ""
            for copy, cell in enumerate(places):
                found.setdefault((cell, part), (shape, copy))
    return found


def _shape(access: Access) -> object:
    """What unrolled loops the copies of an access count through, in order."""
    return tuple(tuple(trip for _, trip in spread) for spread in access.spread)


def _offsets(spread: Sequence[tuple[float, float]]) -> list[float]:
    offsets = [0.0]
    for stride, trip in spread:
        offsets = [o + stride * i for o in offsets for i in range(int(trip))]
    return offsets


def places_of(access: Access) -> list[Cell]:
    """The elements that the copies of an access touch: per subscript what it consists of, and its constant."""
    columns: list[list[tuple[object, float]]] = []
    for dim, form in enumerate(access.forms):
        spread = access.spread[dim] if dim < len(access.spread) else ()
        base, others = (0.0, None) if form is None else (form.get(None, 0.0), _others(form))
        columns.append([(others, base + offset) for offset in _offsets(spread)] if spread else [(others, base)])
    return list(product(*columns))


def _others(form: Form) -> frozenset[tuple[ir.Variable | None, float]]:
    return frozenset([(v, c) for v, c in form.items() if v is not None and c])


def _banks_of(access: Access, places: Sequence[Cell], array: ir.Variable, splits: Splits) -> list[tuple[object, ...]]:
    """The banks of the elements that one access touches, relative to the array's other accesses."""
    known = [_known_split(split, access, d) for d, split in enumerate(splits)] if access.late else splits
    if not [1 for kind, factor in known if kind == "complete" or factor > 1]:
        return [(0,) * len(known)] * len(places)
    banks: list[tuple[object, ...]] = []
    for cell in places:
        bank: list[object] = []
        for dim, split in enumerate(known):
            others, index = cell[dim] if dim < len(cell) else (None, 0.0)
            bank.append(_bank(index, others, split, array, dim))
        banks.append(tuple(bank))
    return banks


def _known_split(split: tuple[str, int], access: Access, dim: int) -> tuple[str, int]:
    """What is known of the bank of `a[j + k]` where k is unrolled after the array was split, as a split of its own.

    By then the bank is code, `(j + k) % factor`, and folds away only as far as address bits are known: where the number
    of banks is a power of two and j moves in steps of one. Otherwise every copy takes a port of every bank. Seen in
    reports of Vitis HLS 2023.2 on automatically pipelined loops; a pipeline pragma unrolls before arrays are split.
    """
    kind, factor = split
    moving = access.moving[dim] if dim < len(access.moving) else 0.0
    if kind != "cyclic" or factor <= 1 or moving is None or moving == 0:
        return split
    return kind, math.gcd(factor, int(moving)) if factor & (factor - 1) == 0 else 1


def _bank(index: float, others: object, split: tuple[str, int], array: ir.Variable, dim: int) -> object:
    kind, factor = split
    if kind == "complete":
        return (index, others)
    if factor <= 1:
        return 0
    extent = array.dims[dim] if dim < len(array.dims) else None
    if kind == "block" and extent:
        return int(index // math.ceil(extent / factor))
    return int(index) % factor


def _spread_load(access: Access, array: ir.Variable, splits: Splits) -> float:
    load = 1.0
    spread_copies = 1.0
    for dim, (kind, factor) in enumerate(splits):
        spread = access.spread[dim] if dim < len(access.spread) else ()
        copies = math.prod(trip for _, trip in spread)
        spread_copies *= copies
        if kind == "complete":
            continue
        banks = 1.0
        if factor > 1 and spread:
            if kind == "block":
                extent = (array.dims[dim] if dim < len(array.dims) else None) or factor
                reach = sum(abs(stride) * (trip - 1) for stride, trip in spread)
                banks = min(factor, reach // math.ceil(extent / factor) + 1)
            else:
                common = math.gcd(factor, *(int(abs(stride)) for stride, _ in spread))
                banks = factor / max(common, 1)
        load *= max(math.ceil(copies / max(banks, 1)), 1)
    return load * max(access.copies / max(spread_copies, 1.0), 1.0)
