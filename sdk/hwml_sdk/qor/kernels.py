"""Every kernel of one document: a file may hold several designs side by side, and each is predicted as its own top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..interrupt import checkpoint
from . import ir
from .facts import calls
from .model import OpenDesign, QorModel
from .types import QorPrediction

FIRST_BATCH = 24
BATCH = 64


@dataclass(frozen=True, slots=True)
class Kernel:
    """A prediction, and the names of the functions that belong to it."""

    prediction: QorPrediction
    reached: frozenset[str]


def predict_kernels(model: QorModel, design: OpenDesign, *, near: int = 0) -> Iterator[list[Kernel]]:
    """The design's top, then every other function of the file that nothing calls, nearest to line `near` first.

    Numbers are those of `hwml qor FILE --top NAME`. Comes in batches, so that a file of a thousand functions shows
    its first figures at once. Raises SourceError when there is no function, ArtifactError for a broken model.
    """
    graph = call_graph(design.program)
    top = design.top()
    yield _batch(model, design, [top], graph)
    reached = _reached(top.name, graph)
    others = sorted(_others(design, graph, reached), key=lambda f: abs(f.span.start_line - near))
    start, size = 0, FIRST_BATCH
    while start < len(others):
        yield _batch(model, design, others[start : start + size], graph)
        start, size = start + size, BATCH


def _batch(
    model: QorModel, design: OpenDesign, tops: Sequence[ir.Function], graph: dict[str, set[str]]
) -> list[Kernel]:
    estimates = []
    for top in tops:
        checkpoint()
        estimates.append(design.estimate(top))
    predictions = model.correct(design, estimates)
    return [Kernel(prediction, _reached(top.name, graph)) for top, prediction in zip(tops, predictions, strict=True)]


def call_graph(program: ir.Program) -> dict[str, set[str]]:
    """For each function the functions of the program that it calls."""
    graph: dict[str, set[str]] = {}
    for name, function in program.functions.items():
        called = {call.name for call in calls(function.body)}
        called |= {item.rpartition("::")[2] for item in called}
        graph[name] = {item for item in called if item in program.functions and item != name}
    return graph


def _reached(top: str, graph: dict[str, set[str]]) -> frozenset[str]:
    found, pending = {top}, [top]
    while pending:
        fresh = graph.get(pending.pop(), set()) - found
        found |= fresh
        pending.extend(fresh)
    return frozenset(found)


def _others(design: OpenDesign, graph: dict[str, set[str]], reached: frozenset[str]) -> Iterator[ir.Function]:
    """Functions of the document itself that are a design of their own: hardware may call them, nothing here does.

    A test bench calls designs without being one, so what only `main` calls counts as uncalled.
    """
    called = set().union(*(names for name, names in graph.items() if name != "main"))
    for name, function in design.program.functions.items():
        own = function.path == design.program.path and name != "main" and name not in reached and name not in called
        if own and not function.template_params and "?" not in name:
            yield function
