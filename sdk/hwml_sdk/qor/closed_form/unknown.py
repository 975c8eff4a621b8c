"""Which figures are not known, and why: code that was not read makes what depends on it unknown, never zero."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..program import ir
from ..tool.labels import LABELS

EVERYTHING = frozenset(LABELS)
CYCLES = frozenset({"latency_cycles"})
AREA = EVERYTHING - CYCLES


@dataclass(slots=True)
class Unknown:
    """Causes in the order they were met, each with the figures (of `LABELS`) that hang on it."""

    causes: dict[str, frozenset[str]] = field(default_factory=dict)

    def because(self, cause: str, targets: Iterable[str] = EVERYTHING) -> None:
        """These figures are not known; a cause is told once, however often it is met."""
        self.causes[cause] = self.causes.get(cause, frozenset()) | frozenset(targets)

    def uncounted(self, loop: ir.Loop) -> None:
        """Nobody knows how many rounds a loop makes."""
        said = loop.pragma("HLS", "LOOP_TRIPCOUNT")
        why = f": {said.untold[0]} of LOOP_TRIPCOUNT is no constant that is known here" if said and said.untold else ""
        self.because(f"the trip count of loop {loop.name} is unknown{why}", CYCLES)

    def join(self, other: Unknown) -> None:
        """What is not known of a part is not known of the whole."""
        for cause, targets in other.causes.items():
            self.because(cause, targets)

    def of(self, target: str) -> tuple[str, ...]:
        """Why a figure is not known; empty where it is."""
        if not self.causes:
            return ()
        return tuple(cause for cause, targets in self.causes.items() if target in targets)

    def known(self, target: str) -> bool:
        """Whether nothing stands against a figure."""
        return not self.causes or not self.of(target)
