"""What a recurrence passes on its way round, in words and places that people know from their source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...program import ir
from .accesses import Access, root
from .bounds import Circuit, Step
from .circuits import Edge
from .region import Region
from .values import Mark, Value

# Operations of one leg that are listed; who reads more of them does not read on.
MAX_STEPS = 12
_WHOLE = 1e-6


def circuit_of(region: Region, edges: Sequence[Edge[Mark]], slack: float) -> Circuit:
    """The way round as steps, from the variable declared first. slack: taken off the edges between iterations."""
    starts = [index for index, edge in enumerate(edges) if _variable(edge.source) is not None]
    first = min(starts, key=lambda index: _place(edges[index].source))
    turned = [*edges[first:], *edges[:first]]
    steps: list[Step] = []
    for before, edge in zip([turned[-1], *turned], turned, strict=False):
        steps += _leg(region, before, edge, slack)
    steps.append(_named(turned[0].source))
    latency = sum(edge.latency + (slack if edge.distance else 0.0) for edge in edges)
    return Circuit(tuple(steps), latency, sum(edge.distance for edge in edges))


def _variable(mark: Mark) -> ir.Variable | None:
    """The variable or array that a node of the graph stands for; a store is none of its own: its array's loads are."""
    if isinstance(mark, Access):
        return None if mark.write else mark.array
    found = root(mark)
    return found if isinstance(found, ir.Variable) else None


def _place(mark: Mark) -> tuple[str, object]:
    var = _variable(mark)
    assert var is not None
    return var.path, var.span


def _named(mark: Mark) -> Step:
    var = _variable(mark)
    assert var is not None
    return Step(str(mark) if not isinstance(mark, Access | ir.Variable) else var.name, None, var.path, var.span)


def _leg(region: Region, before: Edge[Mark], edge: Edge[Mark], slack: float) -> Iterator[Step]:
    """What one edge adds. before: the edge that leads to its source."""
    source, target = edge.source, edge.target
    if isinstance(source, Access) and source.write:
        stored = edge.latency + slack
        if stored > _WHOLE:
            yield Step("store", stored)
        return
    yield _named(source)
    loading = source.load_cycles if isinstance(source, Access) else 0.0
    # Less where the store is made in a state of its own no more; none where the value never was in memory.
    if loading and before.latency + slack > -loading:
        yield Step("load", loading + min(before.latency + slack, 0.0))
    if isinstance(target, Access) and target.gates.get(source, -1.0) == edge.latency > target.since.get(source, -1.0):
        if edge.latency - loading > _WHOLE:
            yield Step("condition", edge.latency - loading)
        return
    value = target.value if isinstance(target, Access) else region.final.get(target)
    if value is None:
        return
    operations, around = operations_between(value, source)
    own = edge.latency + (slack if edge.distance else 0.0)
    if operations and own < around - _WHOLE:  # a sum alone: see `recurrences.sooner`
        operations[-1] = replace(operations[-1], cycles=(operations[-1].cycles or 0.0) - (around - own))
    yield from operations[::-1][:MAX_STEPS]
    if own - around > _WHOLE:
        yield Step("earlier copies", own - around)


def operations_between(value: Value, mark: Mark) -> tuple[list[Step], float]:
    """The longest way from a mark to a value, last operation first; its cycles."""
    steps: list[Step] = []
    around = value.since.get(mark, 0.0)
    while True:
        inner = [part for part in value.parts if mark in part.since]
        if not inner:
            return steps, around
        cycles = value.since[mark] - value.cycles
        # A reordered sum is reached on a shorter way than through the operand that is ready last.
        part = min(inner, key=lambda item: abs(item.since[mark] - cycles))
        if value.cycles > _WHOLE:
            steps.append(Step(value.operation, value.cycles))
        value = part
