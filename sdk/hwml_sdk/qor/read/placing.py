"""The loop or function each pragma applies to, and the numbers of its options as the names there say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

from ..program import ir
from ..program.options import evaluate_options
from .reader import LoopStart, Reader


def place(reader: Reader, start: int, end: int, owner: ir.Loop | ir.Function | None) -> None:
    """Give the pragmas between two offsets to their owner, their numbers as the names there say.

    Called where a region ends and its names still count. HLS: the innermost loop or function body around it (UG1399: a
    pragma stands inside the scope it applies to). ACCEL: the next loop below it, when nothing but pragmas stands
    between (Merlin places them before the loop).
    """
    for index in reader.pragmas.within(start, end):
        pragma = reader.pragmas.copy(index)
        evaluate_options(pragma, reader.names.value)
        pragma.owner = owner
        if pragma.dialect == "ACCEL":
            pragma.owner = _loop_below(reader.loop_starts, reader.pragmas.offsets[index], end, owner)
        if pragma.owner is not None:
            pragma.owner.pragmas.append(pragma)


def place_rest(reader: Reader) -> None:
    """The pragmas outside all bodies: of ACCEL they may speak about the next loop, of HLS they apply to nothing."""
    starts = sorted([*reader.all_loop_starts, *reader.loop_starts], key=itemgetter(0))
    for index in reader.pragmas.left():
        pragma = reader.pragmas.copy(index)
        evaluate_options(pragma, reader.names.value)
        if pragma.dialect == "ACCEL":
            pragma.owner = _loop_below(starts, reader.pragmas.offsets[index], len(reader.unit.text), None)
            if pragma.owner is not None:
                pragma.owner.pragmas.append(pragma)


def _loop_below(
    starts: Sequence[LoopStart], offset: int, end: int, owner: ir.Loop | ir.Function | None
) -> ir.Loop | ir.Function | None:
    """The next loop, where it stands in `owner` itself; else `owner` where that is a function.

    starts: of the loops of one function, or of all; None of what was not read, whose pragma belongs to nothing.
    """
    at = bisect_left(starts, offset, key=itemgetter(0))
    expected = owner if isinstance(owner, ir.Loop) else None
    if at < len(starts) and starts[at][0] <= end:
        loop = starts[at][1]
        if loop is None:
            return None
        if loop.parent is expected:
            return loop
    return owner if isinstance(owner, ir.Function) else None
