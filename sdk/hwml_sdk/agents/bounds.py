"""`why_ii`: what bounds each loop, the findings about it, and the moves that lift it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..amounts import whole
from ..document import Diagnostic
from ..errors import SourceError
from ..languages import HLS
from ..qor.answer.types import LoopQor, plain_number
from ..report import SCHEMA_VERSION
from .advice import moves_of
from .findings import findings
from .hls import Opened, all_loops
from .sources import Folders, source_of
from .work import Tell

# Findings that say why a loop is slower than it was asked to be.
_ABOUT_II = frozenset({"HLS102", "HLS118", "HLS119", "HLS120"})


def why(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`why_ii`: what bounds each loop, and the findings about it with what their fixes bring."""
    opened = Opened.of(source_of(arguments, folders, HLS))
    tell(1, 3, "read")
    prediction = opened.predict()
    tell(2, 3, "predicted")
    wanted = arguments.get("loop")
    loops = [loop for loop in all_loops(prediction) if loop.path == opened.source.path]
    chosen = [loop for loop in loops if wanted in (None, loop.name)]
    if not chosen:
        names = ", ".join(loop.name for loop in loops[:20]) or "none"
        raise SourceError(f"there is no loop {wanted!r}; there are: {names}", path=opened.source.path)
    own = opened.lint()[0]
    about = _about(own.diagnostics, loops)
    moves = moves_of(opened, wanted)
    rows = [_why(loop, about.get(loop.span.start_line, ()), moves.get(_mark(loop), []), opened) for loop in chosen]
    return {
        "schema_version": SCHEMA_VERSION,
        "path": opened.source.path,
        "top": prediction.top,
        "loops": rows,
        "notes": [*prediction.warnings, *opened.inputs.notes],
    }


def _about(diagnostics: Sequence[Diagnostic], loops: Sequence[LoopQor]) -> dict[int, list[Diagnostic]]:
    """Findings about an II by the line of their loop: the nearest above that has the II a finding names."""
    found: dict[int, list[Diagnostic]] = {}
    for item in diagnostics:
        if item.code in _ABOUT_II:
            above = [loop for loop in _named(item, loops) if loop.span.start_line <= item.span.start_line]
            if above:
                found.setdefault(above[-1].span.start_line, []).append(item)
    return found


def _named(item: Diagnostic, loops: Sequence[LoopQor]) -> Iterator[LoopQor]:
    named = [loop for loop in loops if loop.ii is not None and f"II {loop.ii}" in item.message]
    yield from named or loops


def _mark(loop: LoopQor) -> tuple[str, int]:
    return loop.name, loop.span.start_line


def _why(loop: LoopQor, about: Sequence[Diagnostic], moves: list[dict[str, Any]], opened: Opened) -> dict[str, Any]:
    return {
        "name": loop.name,
        "function": loop.function,
        "line": loop.span.start_line + 1,
        "pipelined": loop.pipelined,
        "ii": None if loop.ii_is_guess else loop.ii,
        "ii_is_guess": loop.ii_is_guess,
        "ii_guess": loop.ii_guess,
        "bound_by": loop.ii_bound_by,
        "recurrence": "" if loop.circuit is None else str(loop.circuit),
        "why": _words(loop),
        "total_cycles": whole(loop.total_cycles),
        "share": plain_number(loop.share, 4),
        "notes": [*loop.notes, *loop.reasons],
        "findings": findings(about, opened.source.text, opened.source.path),
        "moves": moves,
    }


def _words(loop: LoopQor) -> str:
    if not loop.pipelined:
        if loop.unroll_factor > 1:
            return f"unrolled by {loop.unroll_factor}, so there is no II"
        return "not pipelined: one round starts when the one before has ended"
    if loop.ii_is_guess:
        return "the accesses cannot be told apart, so the II is a guess"
    if loop.ii == 1:
        return "II 1: a round starts in every cycle"
    by = f"bound by {loop.ii_bound_by}" if loop.ii_bound_by else "nothing that is known bounds it: it was asked for"
    return f"II {loop.ii}: {by}"
