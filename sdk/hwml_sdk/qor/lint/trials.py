"""Fixes of findings about speed, tried by predicting the changed text: what comes of them stands in their title."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from ...document import Diagnostic, Fix, apply_edits
from ..answer.types import LoopQor, QorPrediction

Predict = Callable[[str], QorPrediction | None]
PREDICTED = frozenset(("HLS102", "HLS118", "HLS119", "HLS120"))  # whose fixes are tried here
MAX_TRIALS = 12  # of one document: each reads and predicts the text once more


@dataclass(slots=True)
class Trials:
    """Tries fixes of one text. estimate: its prediction."""

    text: str
    path: str
    estimate: QorPrediction
    predict: Predict
    left: int = MAX_TRIALS

    def best(self, item: Diagnostic) -> Diagnostic:
        """The finding with the fix that helps most (the first of several alike), its gain in the title; or none."""
        place = _place(self.estimate, self.path, item)
        found: list[tuple[float, Fix]] = []
        for fix in item.fixes:
            if place is None or self.left <= 0:
                break
            self.left -= 1
            after = self._after(fix, place)
            gain = None if after is None else _gain(item.code, place.loop, after)
            if gain is not None:
                found.append((gain[0], replace(fix, title=f"{fix.title}: {gain[1]}", verified=True)))
                if after is not None and after.ii == 1:
                    break
        chosen = min(found, key=lambda entry: entry[0])[1] if found else None
        return replace(item, fixes=(chosen,) if chosen is not None else ())

    def _after(self, fix: Fix, place: _Place) -> LoopQor | None:
        try:
            changed = apply_edits(self.text, fix.edits)
        except ValueError:
            return None
        prediction = self.predict(changed)
        if prediction is None:
            return None
        loops = _loops_of(prediction, self.path)
        return loops[place.index] if len(loops) == place.count else None


@dataclass(frozen=True, slots=True)
class _Place:
    """A loop by its place among the loops of its file."""

    loop: LoopQor
    index: int
    count: int


_II = re.compile(r"\bII (\d+)\b")


def _place(estimate: QorPrediction, path: str, item: Diagnostic) -> _Place | None:
    """The loop a finding is about: the nearest one above it, of the II that the finding names."""
    loops = _loops_of(estimate, path)
    named = _II.search(item.message)
    above = [
        index
        for index, loop in enumerate(loops)
        if loop.span.start_line <= item.span.start_line and (named is None or loop.ii == int(named.group(1)))
    ]
    return _Place(loops[above[-1]], above[-1], len(loops)) if above else None


def _loops_of(prediction: QorPrediction, path: str) -> list[LoopQor]:
    listed = [*prediction.loops, *(loop for function in prediction.functions for loop in function.loops)]
    found = {(loop.span, loop.name): loop for loop in reversed(list(_all(listed))) if loop.path == path}
    return [found[key] for key in sorted(found)]


def _all(loops: Iterable[LoopQor]) -> Iterator[LoopQor]:
    for loop in loops:
        yield loop
        yield from _all(loop.loops)


def _gain(code: str, before: LoopQor, after: LoopQor) -> tuple[float, str] | None:
    """(how good it is: less is better, what to say); None for what brings nothing."""
    if code in ("HLS118", "HLS119"):
        if before.ii is None or after.ii is None:
            return None
        kept = code == "HLS119" and after.ii == before.ii  # only the wish is changed
        return (after.ii, f"II {before.ii} -> {after.ii}") if after.ii < before.ii or kept else None
    if after.total_cycles is None:
        return None
    if code == "HLS120":
        return after.total_cycles, f"{after.total_cycles:,.0f} cycles"
    if before.total_cycles is None or after.total_cycles > before.total_cycles:
        return None
    return after.total_cycles, f"{before.total_cycles:,.0f} -> {after.total_cycles:,.0f} cycles"
