"""Lower bounds of an initiation interval, and the loops of a nest that they are counted in."""

from __future__ import annotations

from dataclasses import dataclass

from ....text import Span
from ...program import ir

EXIT = "the test that ends the loop"  # what sets the II where the data says late whether another round follows


@dataclass(frozen=True, slots=True)
class Step:
    """What a recurrence passes: a variable or an element, which takes no time, or an operation.

    cycles: None of what is only passed through. path, span: where it is declared, or written; None: not known.
    """

    name: str
    cycles: float | None = None
    path: str = ""
    span: Span | None = None

    def __str__(self) -> str:
        if self.cycles is None:
            return self.name
        cycles = f"{self.cycles:.2f}".rstrip("0").rstrip(".")
        return f"{self.name} ({cycles} cycle{'' if cycles == '1' else 's'})"


@dataclass(frozen=True, slots=True)
class Circuit:
    """A recurrence: the way of a value to its own next self, `latency` cycles long.

    distance: iterations between the two. steps: begin and end with the same variable or array.
    """

    steps: tuple[Step, ...]
    latency: float
    distance: float

    def __str__(self) -> str:
        return f"{' -> '.join(map(str, self.steps))}, distance {self.distance:g}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound of the II and what sets it; guess: the accesses could not be told apart.

    circuit: of a recurrence.
    """

    ii: int
    by: str
    guess: bool = False
    circuit: Circuit | None = None


FREE = Bound(1, "")  # a round may start in every cycle


@dataclass(frozen=True, slots=True)
class NestLoop:
    """One loop of a flattened nest, outermost first.

    trip, stride, start: of the source's loop; start None where it is not known. copies: how often its body is unrolled
    in one iteration of the hardware.
    """

    var: ir.Variable | None
    trip: float
    stride: float
    copies: float = 1.0
    start: float | None = None


def larger(one: Bound, other: Bound) -> Bound:
    """The bound that holds; of two alike the first, which is the one that appears first in the source."""
    return other if other.ii > one.ii else one
