"""How places inside nests of loops are reached: with which values of the counters, and how often each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from . import ir
from .numbers import Number

MAX_ENVIRONMENTS = 4096
SAMPLED_TURNS, SAMPLED_VALUES = 64, 64  # of nests with more entries than that
_GOLDEN = 0.618034
MAX_WEIGHT = 1e100  # of all entries: the product of enough rounds leaves what a float holds

Environment = dict[ir.Variable, Number]
Turn = tuple[Environment, float, "range | list[Number]"]  # of one entry: its environment, weight, values of the loop


@dataclass(frozen=True, slots=True)
class Entries:
    """How a place in a nest is reached: values of the loop variables that matter there, and how often each.

    sampled: an even choice of all there are, as there were too many.
    """

    items: Sequence[tuple[Environment, float]]
    sampled: bool = False


ONCE = Entries([({}, 1.0)])


def inside(loop: ir.Loop, turns: Sequence[Turn], entries: Entries, needed: Collection[ir.Variable]) -> Entries:
    """How the body of a loop is reached: only variables that bounds further inside need are told apart."""
    wanted = loop.var is not None and loop.var in needed
    if not any(values for _, _, values in turns):
        return _merged(entries, needed)  # unknown, or never entered: as if it ran once
    if not wanted:
        return _merged(Entries([(e, w * len(v)) for e, w, v in turns if v], entries.sampled), needed)
    assert loop.var is not None
    if not any(var in needed for environment, _, _ in turns for var in environment):
        spread = _overlaid([(weight, values) for _, weight, values in turns])
        if spread is not None:
            return Entries([({loop.var: value}, weight) for value, weight in spread], entries.sampled)
    sampled = entries.sampled or sum(len(values) for _, _, values in turns) > MAX_ENVIRONMENTS
    found: list[tuple[Environment, float]] = []
    for environment, weight, values in _few(turns) if sampled else turns:
        chosen = _thin(values) if sampled else values
        found += [({**environment, loop.var: value}, weight * len(values) / len(chosen)) for value in chosen]
        # The ends count for nothing in the average: they are there for the least and the largest count further inside.
        ends = (values[0], values[-1]) if len(values) > len(chosen) else ()
        found += [({**environment, loop.var: end}, 0.0) for end in ends]
    return _merged(Entries(found, sampled), needed)


def _merged(entries: Entries, needed: Collection[ir.Variable]) -> Entries:
    """Entries that differ in variables nobody needs, put together."""
    weights: dict[tuple[tuple[ir.Variable, Number], ...], float] = {}
    for environment, weight in entries.items:
        key = tuple(item for item in environment.items() if item[0] in needed)
        weights[key] = weights.get(key, 0.0) + weight
    whole = sum(weights.values())
    scale = 1.0 / whole if whole > MAX_WEIGHT else 1.0  # averages are taken of them, so that only their shares count
    return Entries([(dict(key), weight * scale) for key, weight in weights.items()], entries.sampled)


def _overlaid(turns: Sequence[tuple[float, range | list[Number]]]) -> list[tuple[int, float]] | None:
    """Values that ranges of one step take together, each with its weight; None when that is not worth it."""
    ranges = [(weight, values) for weight, values in turns if values]
    steps = {values.step if isinstance(values, range) else 0 for _, values in ranges}
    if len(steps) != 1 or 0 in steps:
        return None
    (step,) = steps
    first = min(min(values[0], values[-1]) for _, values in ranges)
    size = abs(step)
    if any((values[0] - first) % size for _, values in ranges):
        return None
    slots = [((int(min(v[0], v[-1]) - first) // size, int(max(v[0], v[-1]) - first) // size), w) for w, v in ranges]
    length = max(last for (_, last), _ in slots) + 1
    if length > MAX_ENVIRONMENTS:
        return None
    changes = [0.0] * (length + 1)
    for (low, high), weight in slots:
        changes[low] += weight
        changes[high + 1] -= weight
    weights = accumulate(changes[:-1])
    return [(int(first) + size * index, weight) for index, weight in enumerate(weights) if weight > 0]


def _few(turns: Sequence[Turn]) -> list[Turn]:
    """An even choice of the turns, their weights raised to match; places shift, so that no pattern is met."""
    turns = [turn for turn in turns if turn[2]]
    if len(turns) <= SAMPLED_TURNS:
        return turns
    step = len(turns) / SAMPLED_TURNS
    places = [int((k + k * _GOLDEN % 1.0) * step) for k in range(SAMPLED_TURNS)]
    last = turns[-1][0], 0.0, turns[-1][2]  # for the largest count, not for the average
    return [*((turns[at][0], turns[at][1] * step, turns[at][2]) for at in places), last]


def _thin(values: range | list[Number]) -> Sequence[Number]:
    """All of a short loop's values; the middles of equal parts of a long one's."""
    if len(values) <= SAMPLED_VALUES:
        return values
    return [values[(2 * k + 1) * len(values) // (2 * SAMPLED_VALUES)] for k in range(SAMPLED_VALUES)]
