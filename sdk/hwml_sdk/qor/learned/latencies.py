"""Operator latencies of a user's own part and clock, learned from the loop tables of the user's own reports.

A report says how long an iteration of each loop takes and which II it reached. Both are sums of operator latencies
along a path, so that one operator that is listed too short shows in every loop it stands in. Operators are taken one by
one, the most used first: each is made longer or shorter by whole cycles, every design is estimated anew, and the change
is kept only where each report, judged with what the others chose, came out better (as `residual` tests its own).
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..closed_form.results import Estimate, FunctionResult, LoopResult
from ..tool.binding import operation_name
from ..tool.cores import CORES, PERIODS
from ..tool.labels import NEAR_CLOCK
from ..tool.operators import Target, operator
from .residual import DOUBT, GAIN, LEAST

Steps = tuple[tuple[str, int], ...]
MOST_CYCLES = 16  # more or less than listed
MOST = 8  # operators that are looked at
CUT = 1.0  # of a loop's |log error|, as in `residual`


@dataclass(frozen=True, slots=True)
class ReportedLoop:
    """One loop of a report, by the place of its head in the source; depth: cycles of one iteration."""

    path: str
    line: int
    depth: float | None
    ii: float | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A design with the loops of its report. estimate: its closed form for a target."""

    target: Target
    estimate: Callable[[Target], Estimate]
    loops: tuple[ReportedLoop, ...]


@dataclass(frozen=True, slots=True)
class Latency:
    """What was learned of one operator (`fadd`). step: cycles more than the tables list, at this family and clock.

    before, after: mean error of the loops of n reports left out, in log space.
    """

    name: str
    family: str
    clock_period_ns: float
    step: int
    n: int
    before: float
    after: float

    def holds_for(self, target: Target) -> bool:
        """Whether a target is of the same family and, nearly, clock."""
        near = abs(math.log(target.clock_period_ns / self.clock_period_ns)) <= math.log(1 + NEAR_CLOCK)
        return near and target.family == self.family


def tables_digest() -> str:
    """What tells the tables of one release from another's: what is learned is a difference to them."""
    return hashlib.sha256(repr((sorted(CORES.items()), PERIODS)).encode()).hexdigest()[:16]


def learn_latencies(designs: Iterable[Reported]) -> tuple[Latency, ...]:
    """Learn from reports, by family and clock; nothing of fewer than `residual.LEAST`. Targets hold nothing learned."""
    groups: dict[tuple[str, float], list[Reported]] = {}
    for design in designs:
        if any(loop.depth or loop.ii for loop in design.loops):
            groups.setdefault((design.target.family, design.target.clock_period_ns), []).append(design)
    return tuple(
        latency for (family, clock), found in sorted(groups.items()) if len(found) >= LEAST
        for latency in _of_group(family, clock, found)
    )  # fmt: skip


def _of_group(family: str, clock: float, designs: Sequence[Reported]) -> Iterator[Latency]:
    chosen: Steps = ()
    losses = _Losses(designs)
    for name, having in _used(designs):
        where = [number for number in having if not math.isnan(losses.of(number, chosen))]
        if len(where) < LEAST:
            continue
        table: dict[int, NDArray[np.float64]] = {}
        for step in _tried(table):
            found = np.array([losses.of(number, _with(chosen, name, step)) for number in where])
            table[step] = np.where(np.isnan(found), CUT, found)  # loops that the change has lost are as wrong as can be
        best = _chosen(table)
        if best is not None:
            step, before, after = best
            chosen = _with(chosen, name, step)
            yield Latency(name, family, clock, step, len(where), before, after)


class _Losses:
    """Losses of designs, each estimated once for the same steps: what one operator leaves, the next begins with."""

    def __init__(self, designs: Sequence[Reported]) -> None:
        self._designs = designs
        self._known: dict[tuple[int, Steps], float] = {}

    def of(self, number: int, steps: Steps) -> float:
        """`loss` of one design."""
        key = number, steps
        if key not in self._known:
            self._known[key] = loss(self._designs[number], steps)
        return self._known[key]


def _tried(table: Mapping[int, NDArray[np.float64]]) -> Iterator[int]:
    """A cycle more and less, and on in the direction that helps for as long as it does; table: losses so far."""
    yield from (0, 1, -1)
    total = {step: float(table[step].sum()) for step in table}
    way = 1 if total[1] < min(total[0], total[-1]) else -1 if total[-1] < total[0] else 0
    step = way
    while way and abs(step) < MOST_CYCLES and (step == way or table[step].sum() < table[step - way].sum()):
        step += way
        yield step


def _with(chosen: Steps, name: str, step: int) -> Steps:
    return (*chosen, (name, step)) if step else chosen


def _used(designs: Sequence[Reported]) -> list[tuple[str, list[int]]]:
    """Operators that take cycles, the most used first, with the designs that have them: those of enough designs."""
    counts: Counter[str] = Counter()
    where: dict[str, list[int]] = {}
    for number, design in enumerate(designs):
        names = {
            name for kind, type_ in design.estimate(design.target).area.shared
            if (name := operation_name(kind, type_)) and operator(kind, type_, design.target).latency_cycles
        }  # fmt: skip
        for name in names:
            counts[name] += 1
            where.setdefault(name, []).append(number)
    common = sorted((name for name in counts if counts[name] >= LEAST), key=lambda name: (-counts[name], name))
    return [(name, where[name]) for name in common[:MOST]]


def _chosen(table: Mapping[int, NDArray[np.float64]]) -> tuple[int, float, float] | None:
    """The best step with its errors before and after, of each report by the others' choice; None where none helps.

    table: losses of the reports by step; of steps alike the nearest.
    """
    steps = sorted(table, key=abs)
    losses = np.stack([table[step] for step in steps], axis=1)
    total = losses.sum(axis=0)
    best = int(np.argmin(total))
    left_out = np.array([row[int(np.argmin(total - row))] for row in losses])
    gain = losses[:, 0] - left_out
    sure = float(gain.std(ddof=1)) / math.sqrt(len(gain))
    before, after = float(losses[:, 0].mean()), float(left_out.mean())
    if best == 0 or after > before * (1 - GAIN) or float(gain.mean()) <= DOUBT * sure:
        return None
    return steps[best], before, after


def loss(design: Reported, steps: Steps) -> float:
    """Mean |log error| of a design's loops, of iteration latency and II alike; NaN where none is found again."""
    found = dict(_loops(design.estimate(replace(design.target, learned=steps))))
    errors = []
    for loop in design.loops:
        own = found.get((loop.path, loop.line))
        if own is None:
            continue
        for mine, real in ((own.depth, loop.depth), (own.ii, loop.ii)):
            if mine and real:
                errors.append(min(abs(math.log((mine + 1) / (real + 1))), CUT))
    return float(np.mean(errors)) if errors else math.nan


def _loops(estimate: Estimate) -> Iterator[tuple[tuple[str, int], LoopResult]]:
    """Every loop that stays one, by the place of its head; of a flattened nest the outermost."""
    pending: list[FunctionResult] = [estimate.top, *estimate.functions.values()]
    for result in pending:
        loops = list(result.loops)
        while loops:
            loop = loops.pop()
            loops += loop.children
            if not loop.flattened:
                yield (loop.loop.path, loop.loop.head.start_line), loop
