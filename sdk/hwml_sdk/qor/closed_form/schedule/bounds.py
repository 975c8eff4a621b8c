"""Lower bounds of an initiation interval, and the loops of a nest that they are counted in."""

from __future__ import annotations

from dataclasses import dataclass

from ...program import ir


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound of the II and what sets it; guess: the accesses could not be told apart."""

    ii: int
    by: str
    guess: bool = False


@dataclass(frozen=True, slots=True)
class NestLoop:
    """One loop of a flattened nest, outermost first.

    trip, stride: of the source's loop. copies: how often its body is unrolled in one iteration of the hardware.
    """

    var: ir.Variable | None
    trip: float
    stride: float
    copies: float = 1.0


def larger(one: Bound, other: Bound) -> Bound:
    """The bound that holds; of two alike the first, which is the one that appears first in the source."""
    return other if other.ii > one.ii else one
