"""May two accesses of one array be the same element, and how many iterations apart: the one test of the closed form.

Subscripts are affine forms of loop counters. Where both sides count alike, the moves of the counters from the one to
the other solve a linear equation a subscript, and the least positive one is the distance. Where they do not, what is
left is whether any solution exists: the greatest common divisor test and the bounds test (Banerjee 1988; Allen and
Kennedy, Optimizing Compilers for Modern Architectures, chapter 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...program import ir
from ...program.budget import Work
from .bounds import NestLoop
from .forms import Form

Forms = Sequence[Form | None]
# Per subscript: what each level of the nest adds to it a step, and what the moves have to add up to.
Row = tuple[dict[int, float], float]

# Moves of one level that are tried out where several levels stand in one subscript; more are not told apart.
MAX_MOVES = 64
# Moves that are tried out for two accesses, of all levels together: they multiply with the depth of the nest.
MAX_SUMS = 20_000
MAX_APART = 10**100  # iterations: beyond any that are run, within what a float holds
MAX_TRIES = 4096
TRY_STEPS = 3  # what one of them takes, in expressions that are walked


@dataclass(frozen=True, slots=True)
class Meeting:
    """The soonest that one access finds what another left.

    distance: iterations of the hardware between the two, a part of one where copies lie between. sure: both subscripts
    are known; else they may meet, and the soonest is assumed.
    """

    distance: float
    sure: bool


def always_apart(one: Forms, other: Forms) -> bool:
    """Whether two accesses of one moment, of the same counters, cannot be the same element."""
    return any(
        left is not None and right is not None and not _has_solution(_difference(left, right))
        for left, right in zip(one, other, strict=False)
    )


def next_meeting(
    write: Forms,
    read: Forms,
    nest: Sequence[NestLoop],
    work: Work,
    inductions: Mapping[ir.Variable, float] | None = None,
) -> Meeting | None:
    """From a write to the next read of the same element in a later iteration of a nest; None: there is none.

    Levels that stand in no subscript are free to move. Scalars that no level moves are the same on both sides.
    inductions: what counters that are no level's own grow by in each iteration of the nest. work: pays for the moves
    that are tried out.
    """
    inductions = inductions or {}
    solver = _Solver(nest)
    rows: list[Row] = []
    sure = True
    moved = _moved(nest) | {var: NestLoop(var, math.inf, step) for var, step in inductions.items()}
    for left, right in zip(write, read, strict=False):
        if left is None or right is None:
            sure = False
        elif any(left.get(v, 0.0) != right.get(v, 0.0) for v in {*left, *right} if v is not None):
            if not may_meet(left, right, moved):
                return None
            sure = False  # any move of the loops may make these two meet; the other subscripts still have to
        else:
            row = _row(left, nest, sum(left.get(var, 0.0) * step for var, step in inductions.items()), solver.apart)
            delta = left.get(None, 0.0) - right.get(None, 0.0)
            if row:
                rows.append((row, delta))
            elif delta:
                return None
    found = solver.least(rows)
    work.left -= solver.tries * TRY_STEPS
    if found is None:
        return None
    copies = math.prod(level.copies for level in nest)
    return Meeting(found / copies, sure) if found < math.inf else Meeting(1.0, False)


def may_meet(left: Form, right: Form, moved: Mapping[ir.Variable, NestLoop]) -> bool:
    """Whether two subscripts can be equal when the counters in `moved` stand anywhere on either side."""
    terms = {var: factor for var, factor in _difference(left, right).items() if var not in moved}
    steps: list[float] = []
    low = high = terms.get(None, 0.0)
    for var in {v: None for v in (*left, *right) if v in moved}:
        assert var is not None
        level = moved[var]
        ours, theirs = left.get(var, 0.0), right.get(var, 0.0)
        steps += (ours * level.stride, theirs * level.stride)
        if level.start is None:
            steps.append(ours - theirs)
            low, high = -math.inf, math.inf
            continue
        terms[None] = terms.get(None, 0.0) + (ours - theirs) * level.start
        ends = [0.0, level.stride * (max(math.ceil(level.trip), 1) - 1)]
        low += (ours - theirs) * level.start + min(ours * e for e in ends) + min(-theirs * e for e in ends)
        high += (ours - theirs) * level.start + max(ours * e for e in ends) + max(-theirs * e for e in ends)
    if any(var is not None for var in terms):
        low, high = -math.inf, math.inf
    return low <= 0 <= high and _has_solution(terms, steps)


def _moved(nest: Sequence[NestLoop]) -> dict[ir.Variable, NestLoop]:
    return {level.var: level for level in nest if level.var is not None}


def _difference(left: Form, right: Form) -> dict[ir.Variable | None, float]:
    found = dict(left)
    for var, factor in right.items():
        found[var] = found.get(var, 0.0) - factor
    return {var: factor for var, factor in found.items() if factor}


def _has_solution(terms: Mapping[ir.Variable | None, float], steps: Iterable[float] = ()) -> bool:
    """GCD test: whether integers exist for which the terms, and any number of the steps, add up to zero."""
    factors = [factor for var, factor in terms.items() if var is not None]
    factors += steps
    rest = terms.get(None, 0.0)
    if any(factor != int(factor) for factor in (*factors, rest)):
        return True
    common = math.gcd(*(int(factor) for factor in factors))
    return int(rest) % common == 0 if common else rest == 0


def _row(form: Form, nest: Sequence[NestLoop], an_iteration: float, apart: Sequence[float]) -> dict[int, float]:
    """What a step of each level adds to a subscript; the levels that hold still left out.

    an_iteration: what each iteration adds, whatever level has moved. apart: iterations in a step of each level.
    """
    found: dict[int, float] = {}
    for index, level in enumerate(nest):
        factor = form.get(level.var, 0.0) * level.stride if level.var is not None else 0.0
        factor += an_iteration * apart[index]
        if factor:
            found[index] = factor
    return found


class _Solver:
    """Moves of the levels of a nest. tries: moves that were tried out so far. sums: of free levels, so far."""

    def __init__(self, nest: Sequence[NestLoop]) -> None:
        self.trips = [max(math.ceil(level.trip), 1) for level in nest]
        self.copies = [level.copies for level in nest]
        self.tries = self.sums = 0
        # Iterations of the source between two steps of each level.
        self.apart = [float(min(math.prod(self.trips[index + 1 :]), MAX_APART)) for index in range(len(nest))]

    def least(self, rows: Sequence[Row]) -> float | None:
        """Least positive number of iterations whose moves fit all rows; infinite: too many to tell; None: none does."""
        found = self._least(rows, {}, None)
        return math.inf if self.tries > MAX_TRIES else found

    def _least(self, rows: Sequence[Row], moves: dict[int, int], best: float | None) -> float | None:
        """The least number below `best` that fits when these levels move so; `best` where there is none."""
        moves = dict(moves)
        open_row = self._settle(rows, moves)
        if open_row is None:
            return best
        total = sum(move * self.apart[level] for level, move in moves.items())
        free = [level for level in range(len(self.trips)) if level not in moves]
        # Whatever the other levels do: it is not positive, or no better than what was found.
        slack = sum(self.apart[level] * (self.trips[level] - 1) for level in free)
        if total + slack <= 0 or (best is not None and total - slack >= best):
            return best
        if not open_row:
            return self._fewest(total, free, best)
        (row, rest), level = open_row[0]
        candidates = self._range(row, rest, level)
        if len(candidates) > MAX_MOVES:
            return math.inf if best is None else best
        for move in sorted(candidates, key=abs):
            self.tries += 1
            if self.tries > MAX_TRIES:
                return math.inf
            best = self._least(rows, {**moves, level: move}, best)
        return best

    def _settle(self, rows: Sequence[Row], moves: dict[int, int]) -> list[tuple[Row, int]] | None:
        """Follow rows of one unknown while there are any; what is open then, with the level to try; None: never."""
        pending = list(rows)
        while True:
            waiting: list[tuple[Row, int]] = []
            known = len(moves)
            for row, delta in pending:
                unknown = {k: factor for k, factor in row.items() if k not in moves}
                rest = delta - sum(factor * moves[k] for k, factor in row.items() if k in moves)
                if not unknown:
                    if abs(rest) > 1e-9:
                        return None
                elif len(unknown) == 1:
                    ((level, factor),) = unknown.items()
                    step = rest / factor
                    if step != int(step) or abs(step) >= self.trips[level]:
                        return None
                    moves[level] = int(step)
                else:
                    waiting.append(((unknown, rest), max(unknown, key=lambda k: abs(unknown[k]))))
            if len(moves) == known:
                return waiting
            pending = list(rows)

    def _range(self, row: dict[int, float], rest: float, level: int) -> range:
        """Moves of one level that the others of a row can still make up for."""
        slack = sum(abs(factor) * (self.trips[k] - 1) for k, factor in row.items() if k != level)
        ends = sorted(((rest - slack) / row[level], (rest + slack) / row[level]))
        most = self.trips[level] - 1
        return range(max(math.ceil(ends[0] - 1e-9), -most), min(math.floor(ends[1] + 1e-9), most) + 1)

    def _fewest(self, total: float, free: Sequence[int], best: float | None) -> float | None:
        """The least positive sum of a total and moves of free levels, `best` where there is none below it."""
        # Two ways a level come through, as inner levels together move less than one step of an outer one.
        slack = sum(self._step(level) * self._most(level) for level in free)
        if total + slack <= 0 or (best is not None and total - slack >= best):
            return best
        if not free:
            return total
        # Two ways a level are few; where numbers are too large for a float to tell them apart all of them come through.
        self.sums += 1
        if self.sums > MAX_SUMS:
            self.tries = MAX_TRIES + 1
            return best
        level, *others = free
        step, most = self._step(level), self._most(level)
        near = math.floor(-total / step)
        for move in sorted({min(max(near + shift, -most), most) for shift in (-1, 0, 1, 2)}):
            best = self._fewest(total + move * step, others, best)
        return best

    def _step(self, level: int) -> float:
        """Iterations of the source between two of the hardware; copies of one wait for each other in it."""
        return self.apart[level] * self.copies[level]

    def _most(self, level: int) -> int:
        return math.ceil(self.trips[level] / self.copies[level]) - 1
