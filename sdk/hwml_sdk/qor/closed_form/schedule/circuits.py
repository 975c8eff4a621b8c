"""The circuit of a graph with the largest ratio of latency to distance: what bounds an initiation interval (RecMII).

Rau, Iterative Modulo Scheduling (1994): II >= latency over distance of every circuit of the dependence graph. The ratio
is raised from circuit to circuit until none is left above it, each found as a positive cycle of longest paths (Bellman
and Ford; Lawler, Combinatorial Optimization, 1976, minimal cost-to-time ratio cycle).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)

# Relaxations of edges in one graph; what is found until then is a circuit, and so a bound, all the same.
MAX_RELAXATIONS = 200_000
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Edge(Generic[Node]):
    """`target` can start `latency` cycles after `source` has, `distance` iterations later. sure: this is known."""

    source: Node
    target: Node
    latency: float
    distance: float
    sure: bool = True


def ratio(circuit: Sequence[Edge[Node]]) -> float:
    """Cycles for each iteration of the way round; without end where it takes time and none lies between."""
    latency, distance = sum(edge.latency for edge in circuit), sum(edge.distance for edge in circuit)
    return latency / distance if distance > 0 else 0.0


def largest_ratio(edges: Sequence[Edge[Node]], least: float) -> tuple[Edge[Node], ...]:
    """The circuit of the largest ratio above `least`; of those alike the first found; empty where there is none."""
    best: tuple[Edge[Node], ...] = ()
    # Most circuits are one edge long: they give the search a start.
    for edge in edges:
        if edge.source == edge.target and edge.distance > 0 and ratio((edge,)) > least + TINY:
            best, least = (edge,), ratio((edge,))
    apart = _between(edges)
    left = MAX_RELAXATIONS
    while left > 0:
        left, found = _positive(apart, least, left)
        if not found or ratio(found) <= least + TINY:
            return best
        best, least = found, ratio(found)
    return best


def _between(edges: Sequence[Edge[Node]]) -> list[Edge[Node]]:
    """The edges that can be part of a longer circuit: what nothing leads to, or nothing leads from, is taken away."""
    left = [edge for edge in edges if edge.source != edge.target]
    while True:
        sources, targets = {edge.source for edge in left}, {edge.target for edge in left}
        kept = [edge for edge in left if edge.source in targets and edge.target in sources]
        if len(kept) == len(left):
            return left
        left = kept


def _positive(edges: Sequence[Edge[Node]], per_round: float, left: int) -> tuple[int, tuple[Edge[Node], ...]]:
    """A circuit that takes longer than `per_round` cycles an iteration; relaxations left."""
    reach: dict[Node, float] = {edge.source: 0.0 for edge in edges}
    into: dict[Node, Edge[Node]] = {}
    for _ in range(len(reach) + 1):
        changed: Node | None = None
        for edge in edges:
            found = reach[edge.source] + edge.latency - per_round * edge.distance
            if found > reach[edge.target] + TINY:
                reach[edge.target], into[edge.target], changed = found, edge, edge.target
        left -= len(edges)
        if changed is None or left <= 0:
            return left, ()
        found_circuit = _circuit(into, changed)
        if found_circuit:
            return left, found_circuit
    return left, ()


def _circuit(into: dict[Node, Edge[Node]], node: Node) -> tuple[Edge[Node], ...]:
    """The circuit that predecessors close behind a node; empty where they do not."""
    seen: set[Node] = set()
    while node in into and node not in seen:
        seen.add(node)
        node = into[node].source
    if node not in into:
        return ()
    found = [into[node]]
    while found[-1].source != node:
        found.append(into[found[-1].source])
    return tuple(reversed(found))
