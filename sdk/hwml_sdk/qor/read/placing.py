"""The loop or function each pragma applies to, and the numbers of its options as the names there say."""

from __future__ import annotations

from collections.abc import Iterable

from ..program import ir
from ..program.options import evaluate_options
from .reader import Reader


def place(reader: Reader, start: int, end: int, owner: ir.Loop | ir.Function | None) -> None:
    """Give the pragmas between two offsets to their owner, their numbers as the names there say.

    Called where a region ends and its names still count. HLS: the innermost loop or function body around it (UG1399: a
    pragma stands inside the scope it applies to). ACCEL: the next loop below it, when nothing but pragmas stands
    between (Merlin places them before the loop).
    """
    unread = _unread(reader, start, end) if isinstance(owner, ir.Function) else None
    for index in reader.pragmas.within(start, end):
        pragma = reader.pragmas.copy(index)
        evaluate_options(pragma, reader.names.value)
        if unread is not None and reader.pragmas.offsets[index] > unread:
            continue
        pragma.owner = owner
        if pragma.dialect == "ACCEL":
            own = [(at, loop) for at, loop in reader.loop_starts if start <= at <= end and _beside(loop, owner)]
            first = _next_loop(own, reader.pragmas.offsets[index], owner)
            pragma.owner = first or (owner if isinstance(owner, ir.Function) else None)
        if pragma.owner is not None:
            pragma.owner.pragmas.append(pragma)


def _unread(reader: Reader, start: int, end: int) -> int | None:
    """Where a body stands that was not read to its end: a pragma below may be of a loop that nobody saw."""
    if reader.program.work.left >= 0:
        return None
    return max((at for at, _ in reader.loop_starts if start <= at <= end), default=start)


def _beside(loop: ir.Loop, owner: ir.Loop | ir.Function | None) -> bool:
    return owner is not None and loop.function == (owner.function if isinstance(owner, ir.Loop) else owner.name)


def place_rest(reader: Reader) -> None:
    """The pragmas outside all bodies: of ACCEL they may speak about the next loop, of HLS they apply to nothing."""
    for index in reader.pragmas.left():
        pragma = reader.pragmas.copy(index)
        evaluate_options(pragma, reader.names.value)
        if pragma.dialect == "ACCEL":
            pragma.owner = _next_loop(reader.loop_starts, reader.pragmas.offsets[index], None)
            if pragma.owner is not None:
                pragma.owner.pragmas.append(pragma)


def _next_loop(
    starts: Iterable[tuple[int, ir.Loop]], offset: int, scope: ir.Loop | ir.Function | None
) -> ir.Loop | None:
    below = [item for item in starts if item[0] >= offset]
    loop = min(below, key=lambda item: item[0])[1] if below else None
    expected = scope if isinstance(scope, ir.Loop) else None
    return loop if loop is not None and loop.parent is expected else None
